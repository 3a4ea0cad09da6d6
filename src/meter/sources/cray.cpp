// SPDX-License-Identifier: Apache-2.0
//
// Cray EX and XC nodes: <sysfs>/cray/pm_counters, written ten times a second by the blade's
// controller (HPE Cray EX System Monitoring, pm_counters(5)). `energy` is the whole node in joules,
// `cpu_energy`, `memory_energy` and `accelN_energy` are inside it. Each file is a line
// `2178501771 J 1733000000000000 us`; readable by everyone.

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "carnot/meter/counters/source.hpp"

#include "meter/counters/pinned_file.hpp"
#include "meter/sources/sensor_read.hpp"

namespace carnot::meter {
namespace {

namespace fs = std::filesystem;

constexpr Duration kUpdatePeriod = Duration::nanoseconds(100'000'000);
/// A blade of eight accelerators draws less.
constexpr Power kMostNode = 20'000.0 * watt, kMostPart = 5'000.0 * watt;
/// The controllers' sensors; HPE states no error, 3 % is assumed.
constexpr Gain kAssumedGain{0.97, 1.03};
constexpr int kMostAccelerators = 16;

class CraySource final : public Source {
 public:
  void add(const fs::path& folder, const std::string& stem, DomainKind kind, int device) {
    PinnedFile file((folder / (stem + "_energy")).string());
    if (stem.empty()) file = PinnedFile((folder / "energy").string());
    std::uint64_t raw = 0;
    if (!file.is_open() || !read_joules(file, raw)) return;
    Domain domain;
    domain.label = stem.empty() ? "node" : stem;
    domain.id = "cray/" + domain.label;
    domain.source = "cray";
    domain.kind = kind;
    domain.device = device;
    domain.boundary = kind == DomainKind::Node ? Boundary::Node : Boundary::Chip;
    if (kind != DomainKind::Node) domain.parent = "cray/node";
    domain.counter.unit = 1.0 * joule;
    domain.counter.modulus_known = true;  // 64 bits
    domain.counter.update_period = kUpdatePeriod;
    domain.counter.power_cap = kind == DomainKind::Node ? kMostNode : kMostPart;
    domain.counter.gain = kAssumedGain;
    files_.push_back(std::move(file));
    domains_.push_back(std::move(domain));
  }

  std::string_view name() const noexcept override { return "cray"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }

  void poll(std::span<Reading> readings) noexcept override {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const Stamp before = Stamp::now();
      Reading& reading = readings[i];
      reading = Reading{};
      const bool good = read_joules(files_[i], reading.raw);
      reading.at = middle(before, Stamp::now());
      reading.error = good ? 0 : files_[i].error() != 0 ? files_[i].error() : EBADMSG;
      reading.status = sensor_status(reading.error);
    }
  }

 private:
  // `123 J ...`: the number in front.
  static bool read_joules(PinnedFile& file, std::uint64_t& joules) noexcept {
    std::array<char, 80> buffer;
    const std::string_view text = file.read(buffer);
    if (file.error() != 0) return false;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), joules);
    const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
    return problem == std::errc{} && rest.starts_with(" J");
  }

  std::vector<PinnedFile> files_;
  std::vector<Domain> domains_;
};

}  // namespace

std::unique_ptr<Source> open_cray(const SourceOptions& options, std::vector<Note>& notes) {
  const fs::path folder = fs::path(options.sysfs_root) / "cray/pm_counters";
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return nullptr;
  auto source = std::make_unique<CraySource>();
  source->add(folder, "", DomainKind::Node, -1);
  if (source->domains().empty()) {
    notes.push_back({"pm_counters", (folder / "energy").string() + " cannot be read", ""});
    return nullptr;
  }
  source->add(folder, "cpu", DomainKind::Rail, -1);
  source->add(folder, "memory", DomainKind::Rail, -1);
  for (int k = 0; k < kMostAccelerators; ++k)
    source->add(folder, fmt::format("accel{}", k), DomainKind::Rail, -1);
  return source;
}

}  // namespace carnot::meter
