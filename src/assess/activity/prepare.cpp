// SPDX-License-Identifier: Apache-2.0
#include "assess/activity/prepare.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "carnot/assess/machines/machines.hpp"
#include "carnot/base/error.hpp"
#include "carnot/model/footprint/accounting.hpp"

namespace carnot::assess {

namespace {

/// "m5" of "m5.large" and of "m5 dedicated host".
std::string family_of(const std::string& type) { return type.substr(0, type.find_first_of(". ")); }

int format_rank(const std::string& format) {
  return format == "FOCUS bill" ? 0 : format == "AWS cost and usage report" ? 1 : 2;
}

}  // namespace

void resolve_claims(Evidence& e) {
  for (ClaimRow& claim : e.claims) claim.machine = e.resolved(claim.machine);
}

void date_lists(Evidence& e) {
  std::uint32_t first = kNone, last = 0;
  for (const EvidenceFile& file : e.files) {
    if (file.first == kNone) continue;
    first = std::min(first, file.first);
    last = std::max(last, file.last);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < e.claims.size(); ++i) {
    ClaimRow claim = e.claims[i];
    if (claim.kind == EvidenceKind::Inventory && claim.length == 0) {
      const double hours = claim.amount < 0 ? -claim.amount / 3600 : 0;
      if (claim.from == 0 && first != kNone) claim.from = first;
      if (claim.from != 0 && last > claim.from) claim.length = last - claim.from;
      if (hours > 0 && claim.length == 0) {  // hours alone, in a folder without dates
        if (claim.from == 0) claim.from = 1'700'000'000;
        claim.length = static_cast<std::uint32_t>(std::min(hours * 3600, 1e9));
      }
      if (claim.length == 0) {
        e.settle(claim.file, Outcome::Unknown,
                 "a server without dates in a folder without dates: give from and to, or hours",
                 claim.row);
        continue;
      }
      claim.amount = hours > 0
                         ? std::min(hours * 3600 * claim.share, 1.0 * claim.length * claim.share)
                         : 1.0 * claim.length * claim.share;
    } else if (claim.kind == EvidenceKind::Inventory) {
      const double hours = claim.amount < 0 ? -claim.amount / 3600 : 0;
      claim.amount = claim.share *
                     (hours > 0 ? std::min(hours * 3600, 1.0 * claim.length) : 1.0 * claim.length);
    }
    e.claims[kept++] = claim;
  }
  e.claims.resize(kept);
}

void share_racks(Evidence& e) {
  std::map<std::uint32_t, std::vector<std::uint32_t>> members;  // by the rack's name
  for (std::uint32_t i = 0; i < e.machines.size(); ++i)
    if (e.machines[i].rack != kNone && e.machines[i].alias == kNone)
      members[e.machines[i].rack].push_back(i);
  if (members.empty()) return;
  const std::size_t count = e.claims.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (e.claims[i].kind != EvidenceKind::Meter) continue;
    const auto found = members.find(e.machines[e.claims[i].machine].label);
    if (found == members.end() || e.machines[e.claims[i].machine].rack != kNone) continue;
    const double part = e.claims[i].amount / static_cast<double>(found->second.size());
    for (std::size_t k = 0; k < found->second.size(); ++k) {
      ClaimRow one = e.claims[i];
      one.machine = found->second[k];
      one.amount = part;
      if (k == 0)
        e.claims[i] = one;
      else
        e.claims.push_back(one);
    }
  }
}

void place_runs(Evidence& e, std::vector<Overlap>& overlaps) {
  bool any = false;
  for (const ClaimRow& claim : e.claims) any = any || e.machines[claim.machine].unplaced;
  if (!any) return;
  struct Extent {
    std::uint32_t first = kNone, last = 0;
    double chips = 0;  ///< accelerators seen at most, where no type says
  };
  std::vector<Extent> extents(e.machines.size());
  for (const ClaimRow& claim : e.claims) {
    if (e.machines[claim.machine].unplaced) continue;
    Extent& extent = extents[claim.machine];
    extent.first = std::min(extent.first, claim.from);
    extent.last = std::max(extent.last, claim.from + claim.length);
    extent.chips = std::max<double>(extent.chips, claim.devices);
  }
  // Telemetry tells accelerators one by one.
  std::map<std::uint32_t, std::vector<std::uint16_t>> devices;
  for (const ClaimRow& claim : e.claims)
    if (claim.device != 0) {
      auto& seen = devices[claim.machine];
      if (std::find(seen.begin(), seen.end(), claim.device) == seen.end())
        seen.push_back(claim.device);
    }
  for (const auto& [machine, seen] : devices)
    extents[machine].chips = std::max(extents[machine].chips, static_cast<double>(seen.size()));

  std::vector<std::uint32_t> busy;
  for (std::uint32_t i = 0; i < extents.size(); ++i)
    if (extents[i].first != kNone && e.machines[i].alias == kNone) busy.push_back(i);
  for (ClaimRow& claim : e.claims) {
    const Machine run = e.machines[claim.machine];
    if (!run.unplaced) continue;
    std::vector<std::uint32_t> fits;
    for (const std::uint32_t i : busy) {
      const Machine& m = e.machines[i];
      const double chips = m.accelerators > 0 ? m.accelerators : extents[i].chips;
      if (claim.devices > 0 ? chips + 1e-6 < claim.devices : chips > 0) continue;
      if (claim.devices > 0 && run.accelerator_w > 0 && m.accelerator_w > 0 &&
          run.accelerator_w != m.accelerator_w)
        continue;
      // Most of the run's time lies inside.
      const std::uint32_t from = std::max(claim.from, extents[i].first);
      const std::uint32_t to = std::min(claim.from + claim.length, extents[i].last);
      if (to <= from || 2.0 * (to - from) < claim.length) continue;
      if (fits.size() < 1000) fits.push_back(i);
    }
    if (fits.empty()) continue;
    Overlap overlap;
    overlap.one = e.text_of(run.label) + " (" + e.files[claim.file].name + ")";
    overlap.joules = claim.amount;
    const Machine& at = e.machines[fits.front()];
    overlap.other = at.label != kNone ? e.text_of(at.label) : e.text_of(at.type);
    overlap.why =
        fits.size() == 1
            ? "the file does not say where it ran: taken to be the one machine that fits"
            : fmt::format(
                  "the file does not say where it ran: {} machines fit, taken to be the first",
                  fits.size());
    overlaps.push_back(std::move(overlap));
    claim.machine = fits.front();
    if (e.machines[claim.machine].pool) {
      // Paid hours that nobody tells apart: they count it already.
      e.settle(claim.file, Outcome::Duplicate, "a run on machines that a bill counts", claim.row);
      claim.length = 0;
    }
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < e.claims.size(); ++i)
    if (e.claims[i].length > 0) e.claims[kept++] = e.claims[i];
  e.claims.resize(kept);
}

void match_formats(Evidence& e) {
  std::map<std::array<std::uint64_t, 4>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < e.amounts.size(); ++i) {
    const ServiceAmount& a = e.amounts[i];
    if (a.provider != 5 || e.text_of(a.what).find(':') == std::string::npos)
      groups[{a.what, a.provider, a.region, a.account}].push_back(i);
  }
  for (const auto& [key, group] : groups)
    for (const std::size_t i : group)
      for (const std::size_t j : group) {
        ServiceAmount& a = e.amounts[i];
        const ServiceAmount& b = e.amounts[j];
        if (format_rank(e.files[a.file].format) > format_rank(e.files[b.file].format) &&
            a.first < b.last && b.first < a.last)
          a.duplicate = true;
      }
}

std::vector<HostTime> host_times(const Evidence& e, const Machine& instance) {
  // By region and family of the hosts; few.
  std::vector<HostTime> out;
  const std::string family = family_of(e.text_of(instance.type));
  for (const ClaimRow& claim : e.claims) {
    const Machine& host = e.machines[claim.machine];
    if (!host.host_of_others || host.provider != instance.provider ||
        host.region != instance.region || family_of(e.text_of(host.type)) != family)
      continue;
    out.push_back({claim.from, claim.from + claim.length});
  }
  std::sort(out.begin(), out.end(),
            [](const HostTime& a, const HostTime& b) { return a.from < b.from; });
  std::vector<HostTime> joined;
  for (const HostTime& one : out) {
    if (!joined.empty() && one.from <= joined.back().to)
      joined.back().to = std::max(joined.back().to, one.to);
    else
      joined.push_back(one);
  }
  return joined;
}

std::string place_of(const Evidence& e, std::uint8_t provider, std::uint32_t region,
                     std::uint32_t location, const std::string& otherwise,
                     std::vector<std::string>& remarks) {
  if (location != kNone) {
    try {
      return model::grid_intensity(e.text_of(location)).code;
    } catch (const InputError& error) {
      const std::string words = fmt::format("{}; counted as if no place were stated", error.what());
      if (remarks.size() < 100 && std::find(remarks.begin(), remarks.end(), words) == remarks.end())
        remarks.push_back(words);
    }
  }
  const std::string& name = e.text_of(region);
  if (!name.empty()) {
    if (provider >= 1 && provider <= 4)
      if (const std::string grid = region_grid(kProviders[provider], name); !grid.empty())
        return grid;
    if (provider == 0 || provider == 5) {
      for (const std::string_view cloud : {"aws", "azure", "gcp", "oci"})
        if (const std::string grid = region_grid(cloud, name); !grid.empty()) return grid;
    }
  }
  return otherwise.empty() ? "" : model::grid_intensity(otherwise).code;
}

}  // namespace carnot::assess
