// SPDX-License-Identifier: Apache-2.0
#include "plant.hpp"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace carnot::harness {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kModulus = std::uint64_t{1} << 32;  // of RAPL's registers

void write_file(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path);
  if (!(out << text << '\n' << std::flush))
    throw std::runtime_error("cannot write " + path.string());
}

void link_to(const fs::path& target, const fs::path& link) {
  fs::create_directories(link.parent_path());
  if (!fs::exists(fs::symlink_status(link)))
    fs::create_directory_symlink(fs::relative(target, link.parent_path()), link);
}

bool is_hwmon(const Zone& zone) { return zone.id.starts_with("hwmon"); }

/// As the kernel rounds it.
std::uint64_t microjoules(std::uint64_t raw, const Zone& zone) { return raw * zone.unit_nj / 1000; }

}  // namespace

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Plant::Plant(const Topology& topology, fs::path root) : root_(std::move(root)), at_ns_(now_ns()) {
  fs::create_directories(root_ / "class");
  fs::create_directories(root_ / "devices/virtual");
  for (const Zone& zone : topology.zones) {
    State state;
    state.zone = zone;
    // Counters have run since boot; mirrors show the same count.
    state.offset_raw = zone.mirrors.empty() ? 100'000'000 + 7'654'321 * states_.size()
                                            : find(zone.mirrors).offset_raw;
    make_zone(state);
    states_.push_back(std::move(state));
  }
  make_perf(topology);
  tick();
}

Plant::~Plant() {
  for (const State& state : states_) close(state.fd);
}

void Plant::make_zone(State& state) {
  const Zone& zone = state.zone;
  const fs::path devices = root_ / "devices/virtual";
  if (is_hwmon(zone)) {
    const fs::path chip = devices / "hwmon" / zone.id.substr(0, zone.id.find('/'));
    state.file = devices / "hwmon" / zone.id;
    write_file(chip / "name", "amd_energy");
    std::string label = state.file.filename();
    label.replace(label.find("_input"), std::string::npos, "_label");
    write_file(chip / label, zone.name);
    link_to(chip, root_ / "class/hwmon" / chip.filename());
  } else {
    const std::string control = zone.id.substr(0, zone.id.find(':'));
    fs::path folder = devices / "powercap" / control;
    if (const auto colon = zone.id.find(':', control.size() + 1); colon != std::string::npos)
      folder /= zone.id.substr(0, colon);
    folder /= zone.id;
    state.file = folder / "energy_uj";
    if (!zone.name.empty()) write_file(folder / "name", zone.name);
    write_file(folder / "max_energy_range_uj", std::to_string(microjoules(kModulus - 1, zone)));
    write_file(folder / "enabled", "1");
    for (const fs::path& shown : {folder, devices / "powercap" / control}) {
      link_to(shown, root_ / "class/powercap" / shown.filename());
      link_to(root_ / "class/powercap", shown / "subsystem");
    }
    write_file(devices / "powercap" / control / "enabled", "1");
  }
  state.fd = open(state.file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0444);
  if (state.fd < 0) throw std::system_error(errno, std::generic_category(), state.file);
}

void Plant::make_perf(const Topology& topology) const {
  const fs::path power = root_ / "bus/event_source/devices/power";
  int event = 2;
  for (const std::string& name : topology.perf_events) {
    write_file(power / "type", "24");
    write_file(power / "cpumask", "0");
    write_file(power / "events" / name, "event=0x0" + std::to_string(event++));
    write_file(power / "events" / (name + ".unit"), "Joules");
    write_file(power / "events" / (name + ".scale"), "2.3283064365386962890625e-10");
  }
}

Plant::State& Plant::find(const std::string& id) {
  for (State& state : states_)
    if (state.zone.id == id) return state;
  throw std::invalid_argument("no zone '" + id + "'");
}

std::uint64_t Plant::raw(const State& state) const {
  const double counts = std::floor(state.joules / (static_cast<double>(state.zone.unit_nj) * 1e-9));
  const std::uint64_t all = state.offset_raw + static_cast<std::uint64_t>(counts);
  return is_hwmon(state.zone) ? all : all % kModulus;
}

void Plant::integrate() {
  const std::int64_t now = now_ns();
  const double seconds = static_cast<double>(now - at_ns_) * 1e-9;
  for (State& state : states_) state.joules += factor_ * state.zone.watts * seconds;
  at_ns_ = now;
}

void Plant::show(State& state) {
  if (state.fd < 0) return;
  std::string text = std::to_string(microjoules(raw(state), state.zone)) + '\n';
  const std::size_t length = text.size();
  // One write holds the whole new value, so that no reader sees a mixture; after a turn the value
  // is shorter, and blank lines stand behind it until the file is cut.
  if (length < state.shown_length) text.resize(state.shown_length, '\n');
  if (pwrite(state.fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      (text.size() > length && ftruncate(state.fd, static_cast<off_t>(length)) != 0))
    throw std::system_error(errno, std::generic_category(), state.file);
  state.shown_length = length;
}

void Plant::tick() {
  integrate();
  for (State& state : states_) show(state);
}

void Plant::power(double factor) {
  tick();
  factor_ = factor;
}

void Plant::watts(const std::string& id, double watts) {
  find(id);
  tick();
  for (State& state : states_)
    if (state.zone.id == id || state.zone.mirrors == id) state.zone.watts = watts;
}

void Plant::wrap(const std::string& id, double seconds) {
  State& wanted = find(id);
  integrate();
  const double counts_per_s =
      factor_ * wanted.zone.watts / (static_cast<double>(wanted.zone.unit_nj) * 1e-9);
  const auto ahead = static_cast<std::uint64_t>(counts_per_s * seconds) + 1;
  const std::uint64_t shift = (2 * kModulus - ahead - raw(wanted)) % kModulus;
  for (State& state : states_) {
    if (state.zone.id == id || state.zone.mirrors == id) state.offset_raw += shift;
  }
  tick();
}

void Plant::reset(const std::string& id) {
  find(id);
  integrate();
  for (State& state : states_) {
    if (state.zone.id != id && state.zone.mirrors != id) continue;
    state.offset_raw = 0;
    state.offset_raw = (kModulus - raw(state)) % kModulus;
  }
  tick();
}

void Plant::fail(const std::string& id) {
  State& state = find(id);
  if (state.fd < 0) throw std::invalid_argument("'" + id + "' fails already");
  if (ftruncate(state.fd, 0) != 0) throw std::system_error(errno, std::generic_category());
  close(state.fd);
  state.fd = -1;
  // Nothing is mapped at address zero, so that reading a process's memory there gives EIO.
  const fs::path failing = fs::path(state.file) += ".failing";
  fs::create_symlink("/proc/" + std::to_string(getpid()) + "/mem", failing);
  fs::rename(failing, state.file);
}

void Plant::mend(const std::string& id) {
  State& state = find(id);
  if (state.fd >= 0) throw std::invalid_argument("'" + id + "' does not fail");
  const fs::path mended = fs::path(state.file) += ".mended";
  state.fd = open(mended.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0444);
  if (state.fd < 0) throw std::system_error(errno, std::generic_category(), mended);
  state.shown_length = 0;
  tick();
  fs::rename(mended, state.file);
}

void Plant::remove(const std::string& id) {
  State& state = find(id);
  if (state.fd >= 0 && ftruncate(state.fd, 0) != 0)
    throw std::system_error(errno, std::generic_category());
  close(state.fd);
  state.fd = -1;
  if (is_hwmon(state.zone)) {
    fs::remove(state.file);
    return;
  }
  fs::remove(root_ / "class/powercap" / id);
  fs::remove_all(state.file.parent_path());
}

void Plant::mode(const std::string& id, const std::string& file, unsigned mode) {
  const fs::path path = find(id).file.parent_path() / file;
  if (chmod(path.c_str(), mode) != 0) throw std::system_error(errno, std::generic_category(), path);
}

double Plant::joules() const {
  double sum = 0;
  for (const State& state : states_)
    if (state.zone.counted) sum += state.joules;
  return sum;
}

std::string Plant::truth_json() const {
  char number[40];
  const auto text = [&number](double value) {
    std::snprintf(number, sizeof number, "%.9f", value);
    return std::string(number);
  };
  std::string json = "{\"at_ns\": " + std::to_string(at_ns_) + ", \"joules\": " + text(joules()) +
                     ", \"zones\": {";
  const char* comma = "";
  for (const State& state : states_) {
    json += comma + ("\"" + state.zone.id) + "\": " + text(state.joules);
    comma = ", ";
  }
  return json + "}}";
}

}  // namespace carnot::harness
