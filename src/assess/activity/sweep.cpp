// SPDX-License-Identifier: Apache-2.0
#include "assess/activity/sweep.hpp"

#include <algorithm>
#include <cmath>

namespace carnot::assess {

namespace {

constexpr double kLeast = 1e-9;  // of a machine: less is rounding

/// The claim's part of the machine, while it lasts. `accelerators`, `vcpus`: of the machine, 0: not
/// known, and then one claim speaks of all of it.
double share_of(const ClaimRow& claim, double accelerators, double vcpus) {
  const bool job = claim.kind == EvidenceKind::Jobs || claim.kind == EvidenceKind::JobModel ||
                   (claim.kind == EvidenceKind::Telemetry && claim.device == 0);
  if (claim.devices > 0 && accelerators > 0) return std::min(1.0, claim.devices / accelerators);
  if (claim.devices > 0 && !job) return 1;
  if (job) return claim.share > 0 && vcpus > 0 ? std::min(1.0, claim.share / vcpus) : 1;
  return claim.share;
}

struct Piece {
  const Machine& machine;
  std::span<const ClaimRow* const> claims;
  const std::vector<std::size_t>& active;
  std::vector<bool>& taken;
  MachineSum& sum;
  double seconds;
  double accelerators, vcpus;

  double power(std::size_t i) const { return claims[i]->amount / claims[i]->length; }

  bool meter() {
    for (const std::size_t i : active) {
      if (claims[i]->kind != EvidenceKind::Meter) continue;
      sum.joules[0] += power(i) * seconds;
      sum.covered_seconds += seconds;
      taken[i] = true;
      return true;
    }
    return false;
  }

  /// Claims of jobs and runs, which add; returns what of the machine is covered then.
  double jobs(EvidenceKind kind, double covered) {
    double shares = 0;
    const auto is_ours = [&](const ClaimRow& c) {
      return c.kind == kind && (kind != EvidenceKind::Telemetry || c.device == 0);
    };
    for (const std::size_t i : active)
      if (is_ours(*claims[i])) shares += share_of(*claims[i], accelerators, vcpus);
    if (!(shares > 0)) return covered;
    const double room = 1 - covered;
    if (room <= kLeast) return covered;
    const double part = std::min(1.0, room / std::min(1.0, shares));
    for (const std::size_t i : active) {
      const ClaimRow& c = *claims[i];
      if (!is_ours(c)) continue;
      taken[i] = true;
      if (kind == EvidenceKind::JobModel) {
        sum.job_core_seconds += part * c.share * seconds;
        sum.job_chip_seconds += part * c.devices * seconds;
      } else {
        sum.joules[static_cast<std::size_t>(kind)] += part * power(i) * seconds;
        if (kind == EvidenceKind::Telemetry) sum.run_joules += part * power(i) * seconds;
      }
    }
    const double now = part * std::min(1.0, shares);
    sum.covered_seconds += now * seconds;
    return covered + now;
  }

  /// Accelerators with a sensor each; one accelerator counts once whoever reads it.
  double chips(double covered) {
    std::vector<std::size_t> ours;
    for (const std::size_t i : active) {
      const ClaimRow& c = *claims[i];
      if (c.kind != EvidenceKind::Telemetry || c.device == 0) continue;
      const bool again = std::any_of(ours.begin(), ours.end(),
                                     [&](std::size_t j) { return claims[j]->device == c.device; });
      if (!again) ours.push_back(i);
    }
    if (ours.empty()) return covered;
    const double count = static_cast<double>(ours.size());
    const double share = accelerators > 0 ? std::min(1.0, count / accelerators) : 1;
    const double room = 1 - covered;
    if (room <= kLeast) return covered;
    const double part = std::min(1.0, room / share);
    for (const std::size_t i : ours) {
      taken[i] = true;
      sum.joules[static_cast<std::size_t>(EvidenceKind::Telemetry)] += part * power(i) * seconds;
    }
    sum.chip_seconds += part * count * seconds;
    sum.covered_seconds += part * share * seconds;
    return covered + part * share;
  }

  /// How many machines one file says there are; the file that says most is believed.
  void paid(double covered) {
    for (const EvidenceKind kind : {EvidenceKind::Bill, EvidenceKind::Inventory}) {
      double most = 0;
      std::uint16_t file = 0;
      for (const std::size_t i : active) {
        if (claims[i]->kind != kind) continue;
        double here = 0;
        for (const std::size_t j : active)
          if (claims[j]->kind == kind && claims[j]->file == claims[i]->file) here += power(j);
        if (here > most * (1 + 1e-12)) {
          most = here;
          file = claims[i]->file;
        }
      }
      const double rest = most - covered;
      if (rest <= kLeast) continue;
      for (const std::size_t i : active)
        if (claims[i]->kind == kind && claims[i]->file == file) taken[i] = true;
      (kind == EvidenceKind::Bill ? sum.bill_seconds : sum.list_seconds) += rest * seconds;
      covered = most;
    }
  }
};

}  // namespace

MachineSum sum_machine(const Machine& machine, std::span<const ClaimRow* const> claims,
                       std::span<const HostTime> hosts, std::vector<bool>& taken) {
  MachineSum sum;
  taken.assign(claims.size(), false);
  std::vector<std::uint32_t> edges;
  edges.reserve(2 * claims.size());
  for (const ClaimRow* c : claims) {
    edges.push_back(c->from);
    edges.push_back(c->from + c->length);
    sum.first = std::min(sum.first, c->from);
    sum.last = std::max(sum.last, c->from + c->length);
  }
  for (const HostTime& host : hosts) {
    edges.push_back(host.from);
    edges.push_back(host.to);
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  std::vector<std::size_t> order(claims.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return claims[a]->from != claims[b]->from ? claims[a]->from < claims[b]->from : a < b;
  });
  std::vector<std::size_t> active;
  std::size_t next = 0;
  for (std::size_t e = 0; e + 1 < edges.size(); ++e) {
    const std::uint32_t from = edges[e], to = edges[e + 1];
    std::erase_if(active,
                  [&](std::size_t i) { return claims[i]->from + claims[i]->length <= from; });
    while (next < order.size() && claims[order[next]]->from <= from)
      active.push_back(order[next++]);
    if (active.empty()) continue;
    std::sort(active.begin(), active.end());
    const auto host = std::upper_bound(hosts.begin(), hosts.end(), from,
                                       [](std::uint32_t t, const HostTime& h) { return t < h.to; });
    if (host != hosts.end() && host->from <= from) continue;
    Piece piece{machine,
                claims,
                active,
                taken,
                sum,
                static_cast<double>(to - from),
                machine.accelerators,
                machine.vcpus};
    if (piece.meter()) continue;
    double covered = piece.jobs(EvidenceKind::Jobs, 0);
    covered = piece.chips(covered);
    covered = piece.jobs(EvidenceKind::Telemetry, covered);
    covered = piece.jobs(EvidenceKind::JobModel, covered);
    piece.paid(covered);
  }
  return sum;
}

}  // namespace carnot::assess
