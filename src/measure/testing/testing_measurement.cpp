// SPDX-License-Identifier: Apache-2.0
#include "measure/testing/testing_measurement.hpp"

#include <algorithm>
#include <cmath>

namespace carnot::measure::sample {

namespace {

constexpr std::int64_t kOrigin = 1'000'000'000'000;
constexpr int kCpus = 8;
constexpr double kStaticW = 40;
constexpr double kBusyW = 20;  // a CPU

ledger::MeasurementChannel channel(std::string id, std::string label, std::string kind,
                                   std::string role) {
  ledger::MeasurementChannel c;
  c.id = std::move(id);
  c.label = std::move(label);
  c.source = "powercap";
  c.kind = std::move(kind);
  c.role = std::move(role);
  c.origin = "measured";
  c.boundary = "chip";
  c.unit_j = 1e-6;
  c.gain_low = 0.97;
  c.gain_high = 1.03;
  c.step = 61;
  c.update_period_ns = 1'000'000;
  c.power_cap_w = 400;
  return c;
}

std::vector<ledger::MeasurementChannel> channels_of(const MeasurementOptions& options) {
  if (options.modelled) {
    ledger::MeasurementChannel c = channel("model", "whole machine", "model", "counted");
    c.source = "power model";
    c.origin = "modelled";
    c.boundary = "node";
    c.is_counter = false;
    return {c};
  }
  std::vector<ledger::MeasurementChannel> out{
      channel("powercap/intel-rapl:0", "package-0", "package", "counted"),
      channel("powercap/intel-rapl:1", "package-1", "package", "counted"),
      channel("powercap/intel-rapl:0:0", "dram", "dram", "counted"),
      channel("powercap/intel-rapl:2", "psys", "platform", "beside")};
  if (options.accelerator) {
    ledger::MeasurementChannel gpu = channel("nvml/GPU-1", "NVIDIA A100", "gpu", "counted");
    gpu.source = "nvml";
    gpu.unit_j = 1e-3;
    gpu.step = 1;
    gpu.gain_low = 0.95;
    gpu.gain_high = 1.05;
    gpu.update_period_ns = 100'000'000;
    gpu.device = 0;
    out.push_back(gpu);
  }
  return out;
}

/// CPUs the job keeps busy at second `t`: it loads, works in waves, writes.
double job_cpus(double t, double end) {
  if (t < 0.1 * end) return 1.0;
  if (t > 0.9 * end) return 0.5;
  return 4.0 + 2.0 * std::sin(t / end * 25.0);
}

struct Machine {
  ledger::MeasurementSample now;
  double job_s = 0, busy_s = 0, idle_s = 0;
  std::vector<double> joules;
  double processes_s[3] = {};

  void step(double t, double length, double end, const MeasurementOptions& options) {
    const double job = job_cpus(t, end), other = 0.4;
    const double gpu_share = t > 0.2 * end && t < 0.85 * end ? 0.9 : 0.0;
    job_s += job * length;
    busy_s += (job + other) * length;
    idle_s += (kCpus - job - other) * length;
    const double part[3] = {0.6, 0.3, 0.08};  // two in a hundred belong to nobody we saw
    for (int i = 0; i < 3; ++i) processes_s[i] += part[i] * job * length;
    const double cpu_w = kStaticW + kBusyW * (job + other);
    const double dram_w = 4 + job, gpu_w = 60 + 240 * gpu_share;
    const std::vector<double> watts =
        options.modelled
            ? std::vector<double>{cpu_w + dram_w}
            : std::vector<double>{0.55 * cpu_w, 0.45 * cpu_w, dram_w, 1.4 * cpu_w + dram_w, gpu_w};
    for (std::size_t c = 0; c < joules.size(); ++c) joules[c] += watts[c] * length;
    const std::vector<ledger::MeasurementChannel> channels = channels_of(options);
    for (std::size_t c = 0; c < joules.size(); ++c) {
      now.channels[c].total = static_cast<std::uint64_t>(joules[c] / channels[c].unit_j);
      now.channels[c].raw = now.channels[c].total;
      now.channels[c].share = channels[c].kind == "gpu" ? gpu_share : 0.0;
      if (channels[c].kind == "model") now.channels[c].gain_low = 0.75F;
      if (channels[c].kind == "model") now.channels[c].gain_high = 1.4F;
    }
    now.monotonic_ns += static_cast<std::int64_t>(length * 1e9);
    now.boottime_ns += static_cast<std::int64_t>(length * 1e9);
    now.job_cpu_ns = options.whole_machine ? 0 : static_cast<std::int64_t>(job_s * 1e9);
    now.machine_busy_ns = static_cast<std::int64_t>(busy_s * 100) * 10'000'000;
    now.machine_idle_ns = static_cast<std::int64_t>(idle_s * 100) * 10'000'000;
    now.meter_cpu_ns += 12'000;
    now.frequency_hz = 2.2e9 + 4e8 * std::cos(t);
    now.job_peak_rss_b = 1'234'567'890;
    now.job_disk_read_b = static_cast<std::uint64_t>(1e6 * t);
    now.machine_net_b = static_cast<std::uint64_t>(2e5 * t);
  }
};

}  // namespace

std::vector<ledger::Entry> measurement(const MeasurementOptions& options) {
  ledger::MeasurementBegin begin;
  begin.carnot_version = "0.1.0";
  begin.command = "carnot measure -- ./train --epochs 3";
  begin.job = options.whole_machine ? "machine" : "./train --epochs 3";
  begin.job_method = options.whole_machine ? "" : "cgroup v2";
  begin.static_policy = options.static_policy;
  begin.boot_id = "b";
  begin.started = Instant::parse("2026-03-01T12:00:00Z");
  begin.monotonic_ns = begin.boottime_ns = kOrigin;
  begin.pid = options.whole_machine ? 0 : 4711;
  begin.facts_json = options.facts_json;
  begin.channels = channels_of(options);
  std::vector<ledger::Entry> entries{begin};

  Machine machine;
  machine.now.monotonic_ns = machine.now.boottime_ns = kOrigin;
  machine.now.channels.resize(begin.channels.size());
  machine.joules.assign(begin.channels.size(), 0.0);
  const double length = 1e-9 * static_cast<double>(options.interval_ns);
  const double end = length * static_cast<double>(std::max<std::size_t>(options.samples, 2) - 1);
  const char* names[] = {"python3", "loader", "writer"};
  const auto look = [&](bool alive) {
    for (int i = 0; i < 3; ++i) {
      entries.emplace_back(ledger::MeasurementProcess{
          machine.now.boottime_ns, 4711 + i, 100'000, names[i],
          static_cast<std::int64_t>(machine.processes_s[i] * 1e9), alive});
    }
  };
  for (std::size_t i = 0; i < options.samples; ++i) {
    if (i > 0) machine.step(length * static_cast<double>(i), length, end, options);
    if (!options.modelled && i == options.samples / 3) {
      // One reading of the memory's counter is lost.
      machine.now.channels[2].unobserved_ns += options.interval_ns;
      entries.emplace_back(ledger::MeasurementGap{machine.now.boottime_ns - options.interval_ns,
                                                  machine.now.boottime_ns, begin.channels[2].id,
                                                  "it was not readable for a while"});
    }
    entries.emplace_back(machine.now);
    if (i % 4 == 0 || i + 1 == options.samples) look(i + 1 != options.samples);
  }
  const auto at = [&](double share) {
    return kOrigin + static_cast<std::int64_t>(share * end * 1e9);
  };
  entries.emplace_back(ledger::MeasurementWindow{at(0), at(0.1), "load"});
  entries.emplace_back(ledger::MeasurementWindow{at(0.1), at(0.9), "train"});
  if (options.ended) {
    entries.emplace_back(
        ledger::MeasurementEnd{machine.now.monotonic_ns, machine.now.boottime_ns, "finished", 0});
  }
  return entries;
}

Ends ends_of(const std::vector<ledger::Entry>& entries) {
  const ledger::MeasurementSample *first = nullptr, *last = nullptr;
  for (const ledger::Entry& entry : entries) {
    if (const auto* s = std::get_if<ledger::MeasurementSample>(&entry)) {
      if (first == nullptr) first = s;
      last = s;
    }
  }
  return {std::get<ledger::MeasurementBegin>(entries.front()), *first, *last};
}

}  // namespace carnot::measure::sample
