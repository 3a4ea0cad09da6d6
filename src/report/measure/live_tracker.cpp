// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "carnot/report/measure/live.hpp"

#include "report/draw/text_columns.hpp"
#include "report/measure/measurement_facts.hpp"
#include "report/run/look_print.hpp"

namespace carnot::report {

namespace {

constexpr double kSecond = 1e-9;
constexpr std::size_t kPoints = 240;  // more than a line of any terminal shows
constexpr std::int64_t kShortestStepNs = 100'000'000;

double grown(std::int64_t earlier, std::int64_t later) {
  return kSecond * static_cast<double>(std::max<std::int64_t>(0, later - earlier));
}

/// A stand-in's total is what it counted.
bool counts(const std::string& role) { return role == "counted" || role == "stand-in"; }

}  // namespace

LiveTracker::LiveTracker(Duration point) : point_(point) {}

void LiveTracker::Line::spread(double joules, std::size_t closed) {
  closed = std::min(closed, points.size());
  const double part = joules / static_cast<double>(closed + 1);
  for (std::size_t i = points.size() - closed; i < points.size(); ++i) points[i] += part;
  energy_j += joules;
  open_j += part;
}

void LiveTracker::begin(const ledger::MeasurementBegin& begin) {
  begin_ = begin;
  policy_ = meter::parse_static_policy(begin.static_policy);
  domains_.assign(begin.channels.size(), {});
  static_power_ = recorded_static_power(begin.facts_json).value_or(meter::StaticPower{});
}

void LiveTracker::sample(const ledger::MeasurementSample& now) {
  if (!started_) {
    started_ = true;
    first_ = last_ = split_until_ = now;
    point_until_ns_ = now.monotonic_ns + point_.nanoseconds();
  }
  for (std::size_t c = 0; c < std::min(domains_.size(), now.channels.size()); ++c) {
    const std::uint64_t before = last_.channels[c].total;
    if (now.channels[c].total <= before) continue;
    const double joules =
        begin_.channels[c].unit_j * static_cast<double>(now.channels[c].total - before);
    domains_[c].add(joules);
    if (counts(begin_.channels[c].role)) machine_.add(joules);
  }
  last_ = now;
  if (now.monotonic_ns - split_until_.monotonic_ns >= kShortestStepNs) {
    double host = 0, job = 0;
    for (std::size_t c = 0; c < domains_.size(); ++c) {
      const ledger::MeasurementChannel& channel = begin_.channels[c];
      if (!counts(channel.role)) continue;
      const double joules = channel.unit_j * static_cast<double>(now.channels[c].total -
                                                                 split_until_.channels[c].total);
      if (channel.kind == "gpu") {
        job += std::clamp(now.channels[c].share, 0.0, 1.0) * joules;
      } else {
        host += joules;
      }
    }
    const Duration length = Duration::nanoseconds(now.monotonic_ns - split_until_.monotonic_ns);
    meter::CpuUse use;
    use.job_s = grown(split_until_.job_cpu_ns, now.job_cpu_ns);
    use.busy_s = std::max(use.job_s, grown(split_until_.machine_busy_ns, now.machine_busy_ns));
    use.capacity_s = use.busy_s + grown(split_until_.machine_idle_ns, now.machine_idle_ns) +
                     grown(split_until_.machine_steal_ns, now.machine_steal_ns);
    if (use.capacity_s > 0) {
      static_power_.add(use.busy_s / use.capacity_s, host / length.time().in(second)*watt, length);
    }
    const meter::Split parts =
        meter::split(host * joule, static_power_.watts(), length, use, policy_);
    own_.add(job + parts.job_static.in(joule) + parts.job_dynamic.in(joule));
    split_until_ = now;
  }
  if (now.monotonic_ns >= point_until_ns_) close_point();
}

void LiveTracker::close_point() {
  const auto close = [](Line& line) {
    line.points.push_back(line.open_j);
    line.open_j = 0;
    if (line.points.size() > kPoints) line.points.pop_front();
  };
  ++points_since_look_;
  close(machine_);
  close(own_);
  for (Line& line : domains_) close(line);
  for (auto& [key, process] : processes_) close(process.line);
  std::erase_if(processes_, [](const auto& entry) { return !entry.second.alive; });
  while (point_until_ns_ <= last_.monotonic_ns) point_until_ns_ += point_.nanoseconds();
}

void LiveTracker::processes(std::span<const meter::ProcessUse> now) {
  const std::uint64_t print = look_print(now);
  if (now.empty() || print == look_print_) return;
  look_print_ = print;
  const bool whole = begin_.job_method.empty();
  const double energy = (whole ? machine_ : own_).energy_j - divided_until_j_;
  const double cpu_s = whole ? grown(first_.machine_busy_ns, last_.machine_busy_ns)
                             : grown(first_.job_cpu_ns, last_.job_cpu_ns);
  double seen_s = 0;
  std::vector<std::pair<Process*, double>> spent;
  for (const meter::ProcessUse& p : now) {
    const auto [place, met] = processes_.try_emplace({p.pid, p.start_ticks});
    Process& process = place->second;
    if (met) process.cpu_ns = p.cpu_ns;
    process.name = fmt::format("{} {}", printable(p.name), p.pid);
    process.alive = p.alive;
    const double used = grown(process.cpu_ns, p.cpu_ns);
    process.cpu_ns = std::max(process.cpu_ns, p.cpu_ns);
    if (used > 0) spent.emplace_back(&process, used);
    seen_s += used;
  }
  const double all_s = std::max(seen_s, cpu_s - divided_cpu_s_);
  for (const auto& [process, used] : spent) {
    process->line.spread(energy * used / all_s, points_since_look_);
  }
  points_since_look_ = 0;
  divided_until_j_ = (whole ? machine_ : own_).energy_j;
  divided_cpu_s_ = cpu_s;
}

LiveTrack LiveTracker::track(const Line& line, std::string name, std::string origin) const {
  LiveTrack out{std::move(name), std::move(origin), {}, 0, 0, line.energy_j};
  const double point_s = point_.time().in(second);
  for (const double joules : line.points) out.watts.push_back(joules / point_s);
  const double elapsed = grown(first_.monotonic_ns, last_.monotonic_ns);
  if (elapsed > 0) out.mean_w = line.energy_j / elapsed;
  // The point that is still open says little until it has gone on for a while.
  out.now_w = out.watts.empty() ? out.mean_w : out.watts.back();
  return out;
}

LiveState LiveTracker::state() const {
  LiveState s;
  s.job = begin_.job;
  s.method = begin_.job_method;
  s.point_s = point_.time().in(second);
  s.elapsed_s = grown(first_.boottime_ns, last_.boottime_ns);
  s.cpu_s = begin_.job_method.empty() ? grown(first_.machine_busy_ns, last_.machine_busy_ns)
                                      : grown(0, last_.job_cpu_ns);
  s.meter_cpu_s = grown(0, last_.meter_cpu_ns);
  std::string origin;
  for (std::size_t c = 0; c < domains_.size(); ++c) {
    const ledger::MeasurementChannel& channel = begin_.channels[c];
    if (channel.role == "stand-in" && !(domains_[c].energy_j > 0)) continue;
    if (counts(channel.role) && (origin.empty() || channel.origin != "measured")) {
      origin = channel.origin;
    }
    const std::string role = counts(channel.role) ? "" : ", " + channel.role;
    s.domains.push_back(
        track(domains_[c], printable(channel.label), printable(channel.origin + role)));
  }
  s.machine = track(machine_, "machine", origin);
  if (!begin_.job_method.empty()) s.own = track(own_, "job", origin);
  for (const auto& [key, process] : processes_) {
    s.processes.push_back(track(process.line, process.name, ""));
  }
  std::stable_sort(s.processes.begin(), s.processes.end(),
                   [](const auto& a, const auto& b) { return a.energy_j > b.energy_j; });
  return s;
}

}  // namespace carnot::report
