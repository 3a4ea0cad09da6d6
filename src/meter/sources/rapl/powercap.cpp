// SPDX-License-Identifier: Apache-2.0
// RAPL through the kernel's powercap interface: one pread a zone, files kept open.
#include <algorithm>
#include <filesystem>
#include <tuple>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "meter/counters/pinned_file.hpp"
#include "meter/sources/rapl/powercap_zones.hpp"
#include "meter/sources/sensor_read.hpp"

namespace carnot::meter {

namespace fs = std::filesystem;

namespace {

std::optional<std::uint64_t> number_in(const std::string& path) {
  PinnedFile file(path);
  std::uint64_t value = 0;
  if (!file.is_open() || !file.read_integer(value)) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> greatest_constraint(const std::string& folder) {
  std::optional<std::uint64_t> greatest;
  for (int n = 0; n < 4; ++n) {
    const auto power = number_in(fmt::format("{}/constraint_{}_max_power_uw", folder, n));
    if (power && power > greatest) greatest = power;
  }
  return greatest;
}

// A zone without a name is taken for what its place in the tree says.
ZoneLabel unnamed(const ZoneName& where) {
  if (where.subzone >= 0) return {DomainKind::Rail};
  return {DomainKind::Package, where.zone};
}

class PowercapSource final : public Source {
 public:
  PowercapSource(std::vector<Domain> domains, std::vector<PinnedFile> files)
      : domains_(std::move(domains)), files_(std::move(files)) {}

  std::string_view name() const noexcept override { return "powercap"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }

  void poll(std::span<Reading> readings) noexcept override {
    Stamp before = Stamp::now();
    for (std::size_t i = 0; i < files_.size(); ++i) {
      Reading& reading = readings[i];
      reading = {};
      files_[i].read_integer(reading.raw);
      const Stamp after = Stamp::now();
      reading.error = files_[i].error();
      reading.status = sensor_status(reading.error);
      reading.at = middle(before, after);
      before = after;
    }
  }

 private:
  std::vector<Domain> domains_;
  std::vector<PinnedFile> files_;
};

std::string id_of(const Zone& zone) { return "powercap/" + zone.file_name; }

/// What two zones differ by when read one after the other, either way round the turn.
std::uint64_t apart_uj(const Zone& a, const Zone& b) {
  const std::uint64_t straight =
      std::max(a.first_uj, b.first_uj) - std::min(a.first_uj, b.first_uj);
  const std::uint64_t range = a.max_energy_range_uj.value_or(0);
  return range > straight ? std::min(straight, range - straight) : straight;
}

// Dies of one package whose zones read the package's register. They show the same but for what was
// spent between two reads: 1 J, which counters of their own do once in a hundred thousand. Where
// the maker's dies have no counters of their own more is forgiven, as much as any interruption
// takes.
bool is_mirror(const Zone& zone, const Zone& other, const CpuModel& cpu) {
  if (zone.counts.kind != DomainKind::Package || zone.where.control != other.where.control)
    return false;
  constexpr std::uint64_t kOneRead = 1'000'000, kInterrupted = 100'000'000;
  if (cpu.is_amd()) return apart_uj(zone, other) <= kInterrupted;
  return zone.counts.die >= 0 && other.counts.die >= 0 && zone.first_uj != 0 &&
         other.first_uj != 0 && apart_uj(zone, other) <= kOneRead;
}

// One register through the MSR and again through memory.
bool is_twin(const Zone& zone, const Zone& other) {
  return zone.where.control != other.where.control && zone.counts.die == other.counts.die;
}

Domain describe(const Zone& zone, const std::vector<Zone>& zones, const CpuModel& cpu) {
  Domain domain;
  domain.id = id_of(zone);
  domain.label = zone.label.empty() ? zone.file_name : zone.label;
  domain.source = "powercap";
  domain.kind = zone.counts.kind;
  domain.socket = zone.counts.socket;
  domain.die = zone.counts.die;
  for (const Zone& other : zones) {
    if (&other == &zone) break;  // only what comes before
    if (other.where.control == zone.where.control && other.where.zone == zone.where.zone &&
        other.where.subzone < 0)
      domain.parent = id_of(other);
    const bool is_same_place = other.counts.kind == zone.counts.kind && zone.counts.socket >= 0 &&
                               other.counts.socket == zone.counts.socket;
    if (is_same_place && domain.same_as.empty() &&
        (is_twin(zone, other) || is_mirror(zone, other, cpu)))
      domain.same_as = id_of(other);
  }
  domain.counter.unit = 1e-6 * joule;
  domain.counter.gain = rapl_gain(domain.kind, cpu.is_amd());
  domain.counter.power_cap = rapl_power_cap(domain.kind);
  if (zone.max_power_uw && domain.kind == DomainKind::Package) {
    // Sustained limits are exceeded for moments, and firmware may understate them.
    const Power stated = 4e-6 * static_cast<double>(*zone.max_power_uw) * watt;
    domain.counter.power_cap = max(500.0 * watt, min(stated, domain.counter.power_cap));
  }
  if (zone.max_energy_range_uj && *zone.max_energy_range_uj > 1) {
    const RaplTurn turn = rapl_turn(*zone.max_energy_range_uj);
    domain.counter.modulus = turn.modulus_uj;
    domain.counter.step = turn.step_uj;
  } else {
    domain.counter.modulus_known = false;
    domain.counter.step = 62;  // of the coarsest common register, 2^-14 J
  }
  return domain;
}

/// Names of zones that lead nowhere: the host has them, and they are not shown here.
int masked_zones(const std::string& sysfs_root) {
  int masked = 0;
  std::error_code ignored;
  const fs::path root = fs::path(sysfs_root) / "class/powercap";
  for (fs::directory_iterator it(root, ignored), end; it != end; it.increment(ignored))
    if (parse_zone_name(it->path().filename().string()) &&
        !fs::exists(it->path() / "energy_uj", ignored))
      ++masked;
  return masked;
}

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::vector<Zone> powercap_zones(const std::string& sysfs_root) {
  std::vector<Zone> zones;
  const fs::path root = fs::path(sysfs_root) / "class/powercap";
  std::error_code ignored;
  for (fs::directory_iterator it(root, ignored), end; it != end; it.increment(ignored)) {
    Zone zone;
    zone.file_name = it->path().filename().string();
    const auto where = parse_zone_name(zone.file_name);
    if (!where) continue;
    zone.where = *where;
    zone.folder = it->path().string();
    if (!fs::exists(it->path() / "energy_uj", ignored)) continue;
    zone.label = first_line(zone.folder + "/name");
    zone.max_energy_range_uj = number_in(zone.folder + "/max_energy_range_uj");
    zone.max_power_uw = greatest_constraint(zone.folder);
    zone.counts = zone.label.empty() ? unnamed(zone.where)
                                     : parse_zone_label(zone.label).value_or(ZoneLabel{});
    zones.push_back(std::move(zone));
  }
  const auto order = [](const Zone& z) {
    return std::tuple(z.where.control.size(), z.where.control, z.where.zone, z.where.subzone);
  };
  std::sort(zones.begin(), zones.end(),
            [&](const Zone& a, const Zone& b) { return order(a) < order(b); });
  const Zone* parent = nullptr;
  for (Zone& zone : zones) {
    if (zone.where.subzone < 0) {
      parent = &zone;
    } else if (parent != nullptr && parent->where.control == zone.where.control &&
               parent->where.zone == zone.where.zone) {
      zone.counts.socket = parent->counts.socket;
      zone.counts.die = parent->counts.die;
    }
  }
  return zones;
}

std::unique_ptr<Source> open_powercap(const SourceOptions& options, std::vector<Note>& notes) {
  const std::vector<Zone> found = powercap_zones(options.sysfs_root);
  std::vector<Zone> zones, shut;
  std::vector<PinnedFile> files;
  std::vector<std::string> unnamed_zones, unbounded, broken;
  int denied = 0;
  for (const Zone& zone : found) {
    PinnedFile file(zone.folder + "/energy_uj");
    if (!file.is_open()) {
      if (file.error() == EACCES || file.error() == EPERM) {
        ++denied;
      } else {
        broken.push_back(IoError(zone.file_name + "/energy_uj", "open", file.error()).what());
      }
      shut.push_back(zone);
      continue;
    }
    if (zone.label.empty()) unnamed_zones.push_back(zone.file_name);
    if (!zone.max_energy_range_uj) unbounded.push_back(zone.file_name);
    zones.push_back(zone);
    file.read_integer(zones.back().first_uj);
    files.push_back(std::move(file));
  }
  if (denied > 0)
    notes.push_back(
        {"powercap",
         fmt::format("energy_uj of {} zones is readable by root only (CVE-2020-8694)", denied),
         fmt::format("sudo chmod a+r {}/class/powercap/*/energy_uj", options.sysfs_root)});
  if (!broken.empty()) notes.push_back({"powercap", joined(broken), ""});
  if (!unnamed_zones.empty())
    notes.push_back({"powercap",
                     joined(unnamed_zones) +
                         " without a name: taken for a package if at the top, else for a part",
                     ""});
  if (!unbounded.empty())
    notes.push_back({"powercap",
                     "max_energy_range_uj of " + joined(unbounded) +
                         " cannot be read: a turn of the counter is told from a reset by trying "
                         "the ranges RAPL has",
                     ""});
  if (const int masked = masked_zones(options.sysfs_root); found.empty() && masked > 0)
    notes.push_back(
        {"powercap",
         fmt::format("{} zones of this host's counters are hidden here: the container masks "
                     "/sys/devices/virtual/powercap",
                     masked),
         "docker run --security-opt systempaths=unconfined ... (podman: --security-opt "
         "unmask=/sys/devices/virtual/powercap), then make energy_uj readable on the host: sudo "
         "chmod a+r /sys/class/powercap/*/energy_uj"});
  if (zones.empty()) return nullptr;
  // Of several packages those that cannot be read are domains too: their part of the sum is open.
  for (const Zone& zone : shut) {
    const bool like_another = std::any_of(zones.begin(), zones.end(), [&](const Zone& other) {
      return other.counts.kind == DomainKind::Package &&
             (other.counts.socket != zone.counts.socket || other.counts.die != zone.counts.die);
    });
    if (zone.counts.kind != DomainKind::Package || !like_another) continue;
    zones.push_back(zone);
    files.emplace_back(zone.folder + "/energy_uj");
  }
  // A folder that stands for /sys is of another machine than the processors in our own /proc.
  const bool is_one_machine = options.sysfs_root == "/sys" || options.procfs_root != "/proc";
  const CpuModel cpu = is_one_machine ? cpu_model(options.procfs_root) : CpuModel{};
  std::vector<Domain> domains;
  for (const Zone& zone : zones) domains.push_back(describe(zone, zones, cpu));
  return std::make_unique<PowercapSource>(std::move(domains), std::move(files));
}

}  // namespace carnot::meter
