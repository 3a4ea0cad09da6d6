// SPDX-License-Identifier: Apache-2.0
//
// Linux resctrl with Intel's application energy telemetry (Clearwater Forest, Linux 7.0):
// <sysfs>/fs/resctrl/mon_data/mon_PERF_PKG_YY/core_energy, joules of a package's cores as a decimal
// fraction, for the root, each control group and each of their `mon_groups` (Documentation/
// filesystems/resctrl.rst). A control group's figure holds its monitor groups'; the root's holds no
// other control group's. What is outside the cores is in none of them, so that they are parts of a
// package and never a sum by themselves. Groups are those that are there when the source is opened.

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <limits>
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

constexpr std::string_view kPackage = "mon_PERF_PKG_";
constexpr Duration kUpdatePeriod = Duration::nanoseconds(2'000'000);  // telemetry comes in ms
/// A package of 288 cores draws less.
constexpr Power kMostPackage = 2'000.0 * watt;
/// Intel states no error; that of its package counters is assumed.
constexpr Gain kAssumedGain{0.95, 1.05};
constexpr int kDigits = 6;  // microjoules are kept
constexpr std::size_t kMostGroups = 256;

/// `66499.283569`: microjoules. False for anything else: resctrl says `Unavailable` and `Error`.
bool read_energy(std::string_view text, std::uint64_t& microjoules) noexcept {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::uint64_t whole = 0;
  const char* end = text.data() + text.size();
  auto [at, problem] = std::from_chars(text.data(), end, whole);
  if (problem != std::errc{}) return false;
  std::uint64_t part = 0;
  if (at != end) {
    if (*at++ != '.' || at == end) return false;
    int digits = 0;
    for (; at != end; ++at) {
      if (*at < '0' || *at > '9') return false;
      if (digits++ < kDigits) part = part * 10 + static_cast<std::uint64_t>(*at - '0');
    }
    for (; digits < kDigits; ++digits) part *= 10;
  }
  constexpr std::uint64_t kMillion = 1'000'000;
  if (whole >= std::numeric_limits<std::uint64_t>::max() / kMillion) return false;
  microjoules = whole * kMillion + part;
  return true;
}

std::vector<fs::path> folders_in(const fs::path& of) {
  std::vector<fs::path> out;
  std::error_code failed;
  for (fs::directory_iterator at(of, failed), end; !failed && at != end; at.increment(failed))
    if (std::error_code ignored; at->is_directory(ignored)) out.push_back(at->path());
  std::sort(out.begin(), out.end());
  return out;
}

class ResctrlSource final : public Source {
 public:
  /// The packages of one group. \param inside  the group that holds it; empty: none
  void add(const fs::path& group, const std::string& name, const std::string& inside) {
    for (const fs::path& folder : folders_in(group / "mon_data")) {
      const std::string stem = folder.filename().string();
      if (!stem.starts_with(kPackage) || groups_ > kMostGroups) continue;
      int package = -1;
      const std::string_view digits = std::string_view(stem).substr(kPackage.size());
      const auto [end, problem] =
          std::from_chars(digits.data(), digits.data() + digits.size(), package);
      if (problem != std::errc{} || end != digits.data() + digits.size() || package < 0) continue;
      const std::string path = (folder / "core_energy").string();
      PinnedFile file(path);
      std::uint64_t raw = 0;
      if (!file.is_open() && file.error() == ENOENT) continue;  // another counter's folder
      if (!read(file, raw)) {
        silent_.push_back(path);
        continue;
      }
      Domain domain;
      domain.id = fmt::format("resctrl/{}:{}", name, package);
      domain.label = fmt::format("cores of {}, package {}", name, package);
      domain.source = "resctrl";
      domain.kind = DomainKind::Core;
      domain.socket = package;
      const std::string holder = fmt::format("resctrl/{}:{}", inside, package);
      if (!inside.empty() && std::any_of(domains_.begin(), domains_.end(),
                                         [&](const Domain& d) { return d.id == holder; }))
        domain.parent = holder;
      domain.boundary = Boundary::Chip;
      domain.counter.unit = 1e-6 * joule;
      domain.counter.modulus_known = true;  // 64 bits
      domain.counter.update_period = kUpdatePeriod;
      domain.counter.power_cap = kMostPackage;
      domain.counter.gain = kAssumedGain;
      files_.push_back(std::move(file));
      domains_.push_back(std::move(domain));
    }
    ++groups_;
  }

  const std::vector<std::string>& silent() const noexcept { return silent_; }

  std::string_view name() const noexcept override { return "resctrl"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }

  void poll(std::span<Reading> readings) noexcept override {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const Stamp before = Stamp::now();
      Reading& reading = readings[i];
      reading = Reading{};
      const bool good = read(files_[i], reading.raw);
      reading.at = middle(before, Stamp::now());
      reading.error = good ? 0 : files_[i].error() != 0 ? files_[i].error() : EBADMSG;
      reading.status = sensor_status(reading.error);
    }
  }

 private:
  static bool read(PinnedFile& file, std::uint64_t& microjoules) noexcept {
    std::array<char, 80> buffer;
    const std::string_view text = file.read(buffer);
    return file.error() == 0 && read_energy(text, microjoules);
  }

  std::vector<PinnedFile> files_;
  std::vector<Domain> domains_;
  std::vector<std::string> silent_;
  std::size_t groups_ = 0;
};

}  // namespace

std::unique_ptr<Source> open_resctrl(const SourceOptions& options, std::vector<Note>& notes) {
  const fs::path root = fs::path(options.sysfs_root) / "fs/resctrl";
  std::error_code ignored;
  if (!fs::is_directory(root / "mon_data", ignored)) return nullptr;
  auto source = std::make_unique<ResctrlSource>();
  source->add(root, "root", "");
  for (const fs::path& group : folders_in(root / "mon_groups"))
    source->add(group, "root/" + group.filename().string(), "root");
  for (const fs::path& control : folders_in(root)) {
    const std::string name = control.filename().string();
    if (name == "info" || name == "mon_data" || name == "mon_groups") continue;
    source->add(control, name, "");
    for (const fs::path& group : folders_in(control / "mon_groups"))
      source->add(group, name + "/" + group.filename().string(), name);
  }
  if (!source->silent().empty())
    notes.push_back({"resctrl",
                     fmt::format("{} of its energy counters give no number, the first is {}",
                                 source->silent().size(), source->silent().front()),
                     ""});
  if (source->domains().empty()) return nullptr;
  return source;
}

}  // namespace carnot::meter
