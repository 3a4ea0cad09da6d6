// SPDX-License-Identifier: Apache-2.0
#include "meter/testing/testing_tree.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

namespace carnot::meter::testing {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kShownWidth = 21;  // 20 digits and a line end

struct Named {
  Topology topology;
  std::string_view word;
};
constexpr std::array<Named, 14> kNames = {{{Topology::OneSocket, "one-socket"},
                                           {Topology::TwoSockets, "two-sockets"},
                                           {Topology::Dram, "dram"},
                                           {Topology::Psys, "psys"},
                                           {Topology::MmioTwin, "mmio-twin"},
                                           {Topology::DieMirrors, "die-mirrors"},
                                           {Topology::SixteenZones, "sixteen-zones"},
                                           {Topology::SixteenMirrors, "sixteen-mirrors"},
                                           {Topology::AmdCore, "amd-core"},
                                           {Topology::SprPsys, "spr-psys"},
                                           {Topology::NoName, "no-name"},
                                           {Topology::PerfSubset, "perf-subset"},
                                           {Topology::HwmonOnly, "hwmon-only"},
                                           {Topology::Empty, "empty"}}};

void put(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  if (!out.flush()) throw IoError(path.string(), "write", errno);
}

int made_file(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0444);
  if (fd < 0) throw IoError(path.string(), "open", errno);
  return fd;
}

// Over the text that was there, which is never longer.
void write_whole(int fd, const std::string& text) {
  if (::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    throw IoError("sensor tree", "write", errno);
}

Register made(const std::string& id, double watts, bool counted) {
  Register r;
  r.id = id;
  r.power = watts * watt;
  r.counted = counted;
  return r;
}

Register with_unit(Register r, double unit_j, std::uint64_t unit_nj) {
  r.unit_j = unit_j;
  r.unit_nj = unit_nj;
  return r;
}

constexpr double kAmdUnit = 0x1p-16;
constexpr std::uint64_t kAmdUnitNj = 15'258;

Register dram(const std::string& id, double watts) {
  return with_unit(made(id, watts, true), 15.3e-6, 15'300);
}

std::string hex(int number) { return std::string(1, "0123456789abcdef"[number]); }

}  // namespace

const std::vector<Topology>& all_topologies() {
  static const std::vector<Topology> all = [] {
    std::vector<Topology> topologies;
    for (const Named& n : kNames) topologies.push_back(n.topology);
    return topologies;
  }();
  return all;
}

std::string_view name(Topology topology) noexcept {
  const auto found = std::find_if(kNames.begin(), kNames.end(),
                                  [&](const Named& n) { return n.topology == topology; });
  return found == kNames.end() ? "unknown" : found->word;
}

SensorTree::SensorTree(const fs::path& root, Topology topology, double joules_to_wrap)
    : root_(root), topology_(topology), joules_to_wrap_(joules_to_wrap) {
  for (const char* folder : {"sys/class/powercap", "sys/class/hwmon", "sys/class/power_supply",
                             "sys/bus/event_source/devices", "proc", "dev"})
    fs::create_directories(root / folder);
  stat_fd_ = made_file(root / "proc/stat");
  uptime_fd_ = made_file(root / "proc/uptime");
  build();
}

SensorTree::~SensorTree() {
  for (const Shown& s : shown_) ::close(s.fd);
  ::close(stat_fd_);
  ::close(uptime_fd_);
}

std::size_t SensorTree::add_register(Register r) {
  if (r.wraps) {
    // Wraps are spread, so that no two registers turn in the same step.
    const double joules = joules_to_wrap_ * (1.0 + 0.13 * static_cast<double>(registers_.size()));
    const double counts = std::min(joules / r.unit_j, 0x1p32 - 1);
    r.start = (std::uint64_t{1} << 32) - static_cast<std::uint64_t>(std::max(1.0, counts));
  }
  registers_.push_back(std::move(r));
  return registers_.size() - 1;
}

void SensorTree::zone(const std::string& control, const std::string& zone,
                      const std::string& zone_name, std::size_t of) {
  const fs::path devices = "devices/virtual/powercap";
  const std::size_t last = zone.rfind(':');
  const bool is_subzone = zone.find(':') != last;
  const fs::path inside =
      devices / control / (is_subzone ? fs::path(zone.substr(0, last)) / zone : fs::path(zone));
  const fs::path folder = root_ / "sys" / inside;
  if (!zone_name.empty()) put(folder / "name", zone_name + "\n");
  const Register& r = registers_[of];
  put(folder / "max_energy_range_uj", std::to_string(static_cast<std::uint64_t>(
                                          (detail::Uint128{0xffffffffu} * r.unit_nj) / 1000)) +
                                          "\n");
  put(folder / "enabled", "1\n");
  if (!is_subzone) {
    put(folder / "constraint_0_name", "long_term\n");
    put(folder / "constraint_0_max_power_uw", "270000000\n");
    put(folder / "constraint_0_power_limit_uw", "270000000\n");
    put(folder / "constraint_0_time_window_us", "999424\n");
  }
  show(folder / "energy_uj", of);

  const fs::path classes = root_ / "sys/class/powercap";
  const auto link = [&](const std::string& from, const fs::path& to) {
    if (!fs::exists(fs::symlink_status(classes / from)))
      fs::create_symlink(fs::path("../..") / to, classes / from);
  };
  put(root_ / "sys" / devices / control / "enabled", "1\n");
  link(control, devices / control);
  link(zone, inside);
  for (const fs::path& device : {devices / control, inside}) {
    const fs::path subsystem = root_ / "sys" / device / "subsystem";
    if (!fs::exists(fs::symlink_status(subsystem)))
      fs::create_symlink(fs::relative(classes, subsystem.parent_path()), subsystem);
  }
}

void SensorTree::powercap_socket(int socket, double package_w, double dram_w) {
  const std::string number = std::to_string(socket);
  const std::string parent = "intel-rapl:" + hex(socket);
  zone("intel-rapl", parent, "package-" + number,
       add_register(made("package-" + number, package_w, true)));
  if (dram_w > 0)
    zone("intel-rapl", parent + ":0", "dram", add_register(dram("dram-" + number, dram_w)));
}

void SensorTree::hwmon() {
  const fs::path folder = root_ / "sys/devices/platform/amd_energy.0/hwmon/hwmon0";
  put(folder / "name", "amd_energy\n");
  int number = 0;
  const auto channel = [&](const std::string& label, Register r) {
    r.unit_j = kAmdUnit;
    r.unit_nj = kAmdUnitNj;
    r.wraps = false;
    const std::string file = "energy" + std::to_string(++number);
    put(folder / (file + "_label"), label + "\n");
    show(folder / (file + "_input"), add_register(std::move(r)));
  };
  channel("Ecore000", made("core-0", 3.5, false));
  channel("Ecore001", made("core-1", 4.5, false));
  channel("Esocket0", made("package-0", 120.0, true));
  fs::create_symlink("../../devices/platform/amd_energy.0/hwmon/hwmon0",
                     root_ / "sys/class/hwmon/hwmon0");
}

void SensorTree::perf_pmu(const std::vector<std::string>& events) {
  const fs::path folder = root_ / "sys/devices/power";
  put(folder / "type", "21\n");
  put(folder / "cpumask", "0\n");
  put(folder / "perf_event_mux_interval_ms", "4\n");
  put(folder / "format/event", "config:0-7\n");
  constexpr std::array<std::string_view, 5> kOrder = {"energy-cores", "energy-pkg", "energy-ram",
                                                      "energy-gpu", "energy-psys"};
  for (const std::string& event : events) {
    const auto at = std::find(kOrder.begin(), kOrder.end(), event) - kOrder.begin();
    put(folder / "events" / event, "event=0x0" + std::to_string(at + 1) + "\n");
    put(folder / "events" / (event + ".unit"), "Joules\n");
    put(folder / "events" / (event + ".scale"), "2.3283064365386962890625e-10\n");
  }
  fs::create_symlink("../../../devices/power", root_ / "sys/bus/event_source/devices/power");
}

void SensorTree::machine(int sockets, int dies, const std::string& vendor, int family, int model) {
  constexpr int kCoresPerDie = 2;
  cpus_ = sockets * dies * kCoresPerDie;
  const fs::path folder = root_ / "sys/devices/system/cpu";
  const std::string range = "0-" + std::to_string(cpus_ - 1) + "\n";
  put(folder / "online", range);
  put(folder / "present", range);
  std::string cpuinfo;
  for (int cpu = 0; cpu < cpus_; ++cpu) {
    const int socket = cpu / (dies * kCoresPerDie);
    const fs::path topology = folder / ("cpu" + std::to_string(cpu)) / "topology";
    put(topology / "physical_package_id", std::to_string(socket) + "\n");
    put(topology / "die_id", std::to_string(cpu / kCoresPerDie % dies) + "\n");
    put(topology / "core_id", std::to_string(cpu % (dies * kCoresPerDie)) + "\n");
    cpuinfo += "processor\t: " + std::to_string(cpu) + "\n";
    if (!vendor.empty())
      cpuinfo += "vendor_id\t: " + vendor + "\ncpu family\t: " + std::to_string(family) +
                 "\nmodel\t\t: " + std::to_string(model) + "\n";
    cpuinfo += "physical id\t: " + std::to_string(socket) + "\n\n";
  }
  put(root_ / "proc/cpuinfo", cpuinfo);
  put(root_ / "proc/meminfo", "MemTotal:       65536000 kB\nMemAvailable:   32768000 kB\n");
  put(root_ / "proc/sys/kernel/perf_event_paranoid", "2\n");
  put(root_ / "proc/sys/kernel/random/boot_id", "00000000-0000-4000-8000-000000000000\n");
  write_processor_time();
}

void SensorTree::write_processor_time() const {
  const auto ticks = [&](double cpus) {
    return std::to_string(static_cast<std::uint64_t>(50.0 * seconds_ * cpus));
  };
  std::string text;
  for (int cpu = -1; cpu < cpus_; ++cpu) {
    const std::string half = ticks(cpu < 0 ? cpus_ : 1);
    text += (cpu < 0 ? "cpu " : "cpu" + std::to_string(cpu)) + " " + half + " 0 0 " + half +
            " 0 0 0 0 0 0\n";
  }
  text += "btime 1700000000\nprocesses 100\n";
  write_whole(stat_fd_, text);
  write_whole(uptime_fd_, std::to_string(seconds_) + " 0.00\n");
}

void SensorTree::build() {
  switch (topology_) {
    case Topology::OneSocket:
    case Topology::Psys:
      machine(1, 1, "GenuineIntel", 6, 158);
      powercap_socket(0, 60.0, 0.0);
      zone("intel-rapl", "intel-rapl:0:0", "core", add_register(made("core", 40.0, false)));
      zone("intel-rapl", "intel-rapl:0:1", "uncore", add_register(made("uncore", 5.0, false)));
      if (topology_ == Topology::Psys) {
        zone("intel-rapl", "intel-rapl:0:2", "dram", add_register(made("dram", 3.0, true)));
        zone("intel-rapl", "intel-rapl:1", "psys", add_register(made("psys", 97.0, false)));
      }
      break;
    case Topology::TwoSockets:
    case Topology::Dram:
    case Topology::SprPsys:
      machine(2, 1, "GenuineIntel", 6, topology_ == Topology::SprPsys ? 143 : 85);
      powercap_socket(0, 60.0, topology_ == Topology::TwoSockets ? 0.0 : 20.0);
      powercap_socket(1, 55.5, topology_ == Topology::TwoSockets ? 0.0 : 18.0);
      if (topology_ == Topology::SprPsys)
        zone("intel-rapl", "intel-rapl:2", "psys",
             add_register(with_unit(made("psys", 260.0, false), 1.0, 1'000'000'000)));
      break;
    case Topology::MmioTwin:
      machine(1, 1, "GenuineIntel", 6, 154);
      powercap_socket(0, 60.0, 0.0);
      zone("intel-rapl-mmio", "intel-rapl-mmio:0", "package-0", 0);
      break;
    case Topology::DieMirrors: {
      machine(1, 2, "", 0, 0);
      const std::size_t package = add_register(made("package-0", 68.0, true));
      zone("intel-rapl", "intel-rapl:0", "package-0-die-0", package);
      zone("intel-rapl", "intel-rapl:1", "package-0-die-1", package);
      break;
    }
    case Topology::SixteenZones:
      machine(8, 2, "GenuineIntel", 6, 85);
      for (int n = 0; n < 16; ++n) {
        const std::string label =
            "package-" + std::to_string(n / 2) + "-die-" + std::to_string(n % 2);
        zone("intel-rapl", "intel-rapl:" + hex(n), label,
             add_register(made(label, 50.0 + n, true)));
      }
      break;
    case Topology::SixteenMirrors:
      machine(2, 8, "AuthenticAMD", 25, 1);
      for (int socket = 0; socket < 2; ++socket) {
        const std::string package = "package-" + std::to_string(socket);
        const std::size_t of =
            add_register(with_unit(made(package, 200.0 + 10 * socket, true), kAmdUnit, kAmdUnitNj));
        for (int die = 0; die < 8; ++die)
          zone("intel-rapl", "intel-rapl:" + hex(8 * socket + die),
               package + "-die-" + std::to_string(die), of);
      }
      break;
    case Topology::AmdCore:
      machine(1, 1, "AuthenticAMD", 25, 33);
      zone("intel-rapl", "intel-rapl:0", "package-0",
           add_register(with_unit(made("package-0", 120.0, true), kAmdUnit, kAmdUnitNj)));
      zone("intel-rapl", "intel-rapl:0:0", "core",
           add_register(with_unit(made("core", 3.0, false), kAmdUnit, kAmdUnitNj)));
      break;
    case Topology::NoName:
      machine(1, 1, "GenuineIntel", 6, 158);
      zone("intel-rapl", "intel-rapl:0", "", add_register(made("package-0", 60.0, true)));
      zone("intel-rapl", "intel-rapl:0:0", "dram", add_register(made("dram", 8.0, true)));
      break;
    case Topology::PerfSubset:
      machine(1, 1, "GenuineIntel", 6, 85);
      powercap_socket(0, 60.0, 8.0);
      perf_pmu({"energy-pkg"});
      break;
    case Topology::HwmonOnly:
      machine(1, 1, "AuthenticAMD", 25, 1);
      hwmon();
      break;
    case Topology::Empty:
      machine(1, 1, "AuthenticAMD", 25, 1);
      break;
  }
}

void SensorTree::show(const fs::path& path, std::size_t of) {
  fs::create_directories(path.parent_path());
  shown_.push_back({path, made_file(path), of});
  rewrite(shown_.back());
}

std::uint64_t SensorTree::counts(const Register& r) const noexcept {
  const long double spent = static_cast<long double>(r.spent_pj) * 1e-12L;
  const auto total = r.start + static_cast<std::uint64_t>(spent / r.unit_j);
  return r.wraps ? total & 0xffffffffu : total;
}

void SensorTree::rewrite(const Shown& shown) const {
  if (shown.failing) return;
  const Register& r = registers_[shown.of];
  const auto microjoules =
      static_cast<std::uint64_t>(static_cast<detail::Uint128>(counts(r)) * r.unit_nj / 1000);
  std::string text = std::to_string(microjoules);
  text.resize(kShownWidth, '\n');
  write_whole(shown.fd, text);
}

void SensorTree::advance(double seconds) {
  seconds_ += seconds;
  const auto ns = static_cast<std::uint64_t>(std::llround(seconds * 1e9));
  for (Register& r : registers_)
    r.spent_pj += static_cast<detail::Uint128>(std::llround(r.power.base() * 1e3)) * ns;
  for (const Shown& s : shown_) rewrite(s);
  write_processor_time();
}

std::size_t SensorTree::index_of(const std::string& id) const {
  const auto found = std::find_if(registers_.begin(), registers_.end(),
                                  [&](const Register& r) { return r.id == id; });
  if (found == registers_.end()) throw InputError("no register `" + id + "` in this tree");
  return static_cast<std::size_t>(found - registers_.begin());
}

void SensorTree::set_power(const std::string& id, Power power) {
  registers_[index_of(id)].power = power;
}

void SensorTree::reset(const std::string& id) {
  Register& r = registers_[index_of(id)];
  const long double spent = static_cast<long double>(r.spent_pj) * 1e-12L;
  const auto counted = static_cast<std::uint64_t>(spent / r.unit_j);
  // What was spent stays spent: the start moves so that the register shows zero.
  r.start = (std::uint64_t{1} << 32) - (counted & 0xffffffffu);
  for (const Shown& s : shown_) rewrite(s);
}

void SensorTree::turn_after(const std::string& id, Energy energy) {
  reset(id);
  Register& r = registers_[index_of(id)];
  r.start -= static_cast<std::uint64_t>(energy.base() / r.unit_j) + 1;
  for (const Shown& s : shown_) rewrite(s);
}

void SensorTree::fail(const std::string& id) {
  const std::size_t of = index_of(id);
  for (Shown& s : shown_) {
    if (s.of != of || s.failing) continue;
    empty(s);
    fs::rename(s.path, s.kept());
    // Nothing is mapped at address zero, so reading a process's memory there gives EIO.
    fs::create_symlink("/proc/" + std::to_string(::getpid()) + "/mem", s.path);
  }
}

void SensorTree::mend(const std::string& id) {
  const std::size_t of = index_of(id);
  for (Shown& s : shown_) {
    if (s.of != of || !s.failing || !fs::exists(s.kept())) continue;
    s.failing = false;
    rewrite(s);
    fs::rename(s.kept(), s.path);
  }
}

void SensorTree::vanish(const std::string& id) {
  const std::size_t of = index_of(id);
  for (Shown& s : shown_) {
    if (s.of != of) continue;
    empty(s);
    const fs::path folder = s.path.parent_path();
    for (const char* kind : {"powercap", "hwmon"})
      fs::remove(root_ / "sys/class" / kind / folder.filename());
    fs::remove_all(folder);
  }
}

void SensorTree::empty(Shown& s) {
  s.failing = true;
  if (::ftruncate(s.fd, 0) != 0) throw IoError(s.path.string(), "truncate", errno);
}

Energy SensorTree::true_total() const {
  Energy total;
  for (const Register& r : registers_)
    if (r.counted) total += static_cast<double>(r.spent_pj) * picojoule;
  return total;
}

Energy SensorTree::true_energy(const std::string& id) const {
  return static_cast<double>(registers_[index_of(id)].spent_pj) * picojoule;
}

std::uint64_t SensorTree::counts(const std::string& id) const {
  return counts(registers_[index_of(id)]);
}

}  // namespace carnot::meter::testing
