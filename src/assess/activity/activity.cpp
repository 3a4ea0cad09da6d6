// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/activity/activity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <tuple>

#include <fmt/format.h>

#include "carnot/assess/machines/machines.hpp"
#include "carnot/base/error.hpp"
#include "carnot/model/footprint/positive.hpp"

#include "assess/activity/prepare.hpp"
#include "assess/activity/sweep.hpp"

namespace carnot::assess {

namespace {

struct Bucket {
  Activity activity;
  MachineSum sum;
  double server_w = 0, server_low_w = 0, server_high_w = 0;
  std::set<std::uint16_t> files;
};

template <class Q>
Estimate<Q> exact(Q value, Origin origin = Origin::Published) {
  return Estimate<Q>::exact(value, origin, Boundary::None);
}

Estimate<Energy> stated(double joules, std::string_view accuracy) {
  const auto value = Estimate<Energy>::exact(joules * joule, Origin::Measured, Boundary::Node);
  return value * Estimate<double>(factor(accuracy));
}

Estimate<Energy> modelled(const Estimate<Power>& power, double seconds) {
  return power * exact(seconds * second);
}

/// Joules of one kind of machine at one place.
Estimate<Energy> energy_of(const Bucket& b) {
  const MachineSum& s = b.sum;
  const auto at = [&](EvidenceKind kind) { return s.joules[static_cast<std::size_t>(kind)]; };
  Estimate<Energy> total = Estimate<Energy>::exact(Energy{}, Origin::Measured, Boundary::Node);
  const auto add = [&](const Estimate<Energy>& part) {
    total = total + model::positive(part).at(Boundary::Node);
  };
  if (at(EvidenceKind::Meter) > 0) add(stated(at(EvidenceKind::Meter), "meter.accuracy"));
  if (at(EvidenceKind::Jobs) > 0) add(stated(at(EvidenceKind::Jobs), "jobs.accuracy"));
  const double chips = at(EvidenceKind::Telemetry) - s.run_joules;
  if (chips > 0) add(stated(chips, "telemetry.accuracy"));
  if (s.run_joules > 0) add(stated(s.run_joules, "codecarbon.accuracy"));
  if (s.chip_seconds > 0)
    add(modelled(Estimate<Power>(EstimateCore::scaled(factor("accelerator.host"), 1)),
                 s.chip_seconds));
  const Activity& a = b.activity;
  const double seconds = s.bill_seconds + s.list_seconds;
  if (seconds > 0) {
    if (b.server_w > 0) {
      const Estimate<Power> server(b.server_w * watt, b.server_low_w * watt, b.server_high_w * watt,
                                   Origin::Modelled, Boundary::Node, "power-model",
                                   {"server list"});
      const auto boards = machine_power(0, 0, a.accelerators, a.accelerator_w);
      const auto none = machine_power(0, 0, 0, 0);
      add(modelled(a.accelerators > 0 && a.accelerator_w > 0 ? server + (boards - none) : server,
                   seconds));
    } else {
      add(modelled(machine_power(a.vcpus, 0, a.accelerators, a.accelerator_w), seconds));
    }
  }
  if (s.job_core_seconds > 0) add(modelled(Estimate<Power>(factor("vcpu")), s.job_core_seconds));
  if (s.job_chip_seconds > 0) {
    if (a.accelerator_w > 0) {
      const auto rating = exact(a.accelerator_w * watt);
      add(modelled(rating * Estimate<double>(factor("accelerator.mean_share")),
                   s.job_chip_seconds));
    } else {
      add(modelled(Estimate<Power>(factor("accelerator.unknown")), s.job_chip_seconds));
    }
    add(modelled(Estimate<Power>(factor("accelerator.host")), s.job_chip_seconds));
  }
  return total;
}

class Merger {
 public:
  Merger(Evidence& evidence, const std::string& location) : e_(evidence), location_(location) {}

  ActivityGraph run() {
    resolve_claims(e_);
    date_lists(e_);
    share_racks(e_);
    place_runs(e_, graph_.overlaps);
    match_formats(e_);
    machines();
    outcomes();
    amounts();
    unknown();
    overlaps();
    for (auto& [key, bucket] : buckets_) finish(bucket);
    std::stable_sort(
        graph_.activities.begin(), graph_.activities.end(),
        [](const Activity& a, const Activity& b) { return a.energy.value() > b.energy.value(); });
    for (const EvidenceFile& file : e_.files)
      if (file.first != kNone) {
        graph_.first = std::min(graph_.first, file.first);
        graph_.last = std::max(graph_.last, file.last);
      }
    return std::move(graph_);
  }

 private:
  using Key = std::tuple<int, std::string, std::string, std::string, std::string, float,
                         std::array<float, 4>>;

  std::string type_name(const Machine& m) const {
    if (m.type != kNone) return e_.text_of(m.type);
    if (m.accelerators > 0 && m.unplaced) return "runs on a machine not named";
    if (m.label != kNone && !m.pool) return "host " + e_.text_of(m.label);
    if (m.unplaced) return "runs on a machine not named";
    return m.pool ? "jobs on nodes not named" : "machine";
  }

  Bucket& bucket(const Machine& m, bool accelerated, std::string what) {
    const bool cloud = m.provider != 0;
    const auto [at_place, first_met] = places_.try_emplace({m.provider, m.region, m.location});
    if (first_met)
      at_place->second = place_of(e_, m.provider, m.region, m.location, location_, graph_.remarks);
    const std::string place = at_place->second;
    const std::string region = e_.text_of(m.region);
    // Hosts of one's own that nothing describes stand together.
    if (m.type == kNone && !m.pool && !m.unplaced && hosts_ > 40) what = "hosts";
    // Machines of one name that are not alike stand apart.
    const std::array<float, 4> alike = {m.server_w, m.vcpus, m.accelerators, m.accelerator_w};
    const Key key{accelerated, what, std::string(kProviders[m.provider]), region, place,
                  m.pue,       alike};
    const auto [at, is_new] = buckets_.try_emplace(key);
    Bucket& b = at->second;
    if (is_new) {
      b.activity.what = what;
      b.activity.group = accelerated ? ActivityGroup::Accelerators : ActivityGroup::Machines;
      b.activity.provider = kProviders[m.provider];
      b.activity.region = region;
      b.activity.place = place;
      b.activity.cloud = cloud;
      b.activity.pue = m.pue;
      b.activity.vcpus = m.vcpus;
      b.activity.accelerators = m.accelerators;
      b.activity.accelerator_w = m.accelerator_w;
      b.server_w = m.server_w;
      b.server_low_w = m.server_low_w;
      b.server_high_w = m.server_high_w;
    }
    return b;
  }

  void machines() {
    for (const Machine& m : e_.machines)
      hosts_ += m.type == kNone && !m.pool && !m.unplaced && m.alias == kNone;
    bool hosted = false;
    for (const Machine& m : e_.machines) hosted = hosted || m.host_of_others;
    std::sort(e_.claims.begin(), e_.claims.end(), [](const ClaimRow& a, const ClaimRow& b) {
      return std::tie(a.machine, a.file, a.row, a.from) <
             std::tie(b.machine, b.file, b.row, b.from);
    });
    row_taken_.resize(e_.files.size());
    std::vector<const ClaimRow*> group;
    std::vector<bool> taken;
    for (std::size_t i = 0; i < e_.claims.size();) {
      group.clear();
      const std::uint32_t id = e_.claims[i].machine;
      while (i < e_.claims.size() && e_.claims[i].machine == id) group.push_back(&e_.claims[i++]);
      Machine& m = e_.machines[id];
      MachineSum sum;
      if (m.pool) {
        sum = pool(m, group, taken);
      } else {
        sum = sum_machine(m, group, hosted && m.on_host ? host_time(m) : none_, taken);
      }
      double devices = m.accelerators;
      for (const ClaimRow* c : group) devices = std::max<double>(devices, c->devices);
      Bucket& b = bucket(m, devices > 0, type_name(m));
      add(b, sum);
      ++b.activity.machines;
      note_best(id, group, taken);
      for (std::size_t k = 0; k < group.size(); ++k) {
        const ClaimRow& c = *group[k];
        auto& rows = row_taken_[c.file];
        if (rows.size() <= c.row) rows.resize(c.row + 1, 0);
        rows[c.row] = static_cast<std::uint8_t>(rows[c.row] | (taken[k] ? 3 : 1));
        if (taken[k]) {
          b.files.insert(c.file);
          if (c.currency != 0) b.activity.money[e_.currencies[c.currency]] += c.money;
        }
      }
      if (!m.pool && !m.unplaced) remember(m, sum, devices);
    }
  }

  /// Of a machine of which some claim does not count: the most trusted that does.
  void note_best(std::uint32_t id, const std::vector<const ClaimRow*>& group,
                 const std::vector<bool>& taken) {
    if (std::find(taken.begin(), taken.end(), false) == taken.end()) return;
    for (std::size_t k = 0; k < group.size(); ++k) {
      if (!taken[k]) continue;
      const auto [at, is_new] = best_.try_emplace(id, group[k]->kind, group[k]->file);
      if (!is_new && group[k]->kind < at->second.first)
        at->second = {group[k]->kind, group[k]->file};
    }
  }

  /// Equal machines that nobody tells apart: their time adds.
  static MachineSum pool(const Machine& m, const std::vector<const ClaimRow*>& group,
                         std::vector<bool>& taken) {
    MachineSum sum;
    taken.assign(group.size(), true);
    for (const ClaimRow* c : group) {
      sum.first = std::min(sum.first, c->from);
      sum.last = std::max(sum.last, c->from + c->length);
      switch (c->kind) {
        case EvidenceKind::Bill:
          sum.bill_seconds += c->amount;
          break;
        case EvidenceKind::Inventory:
          sum.list_seconds += c->amount;
          break;
        case EvidenceKind::JobModel:
          sum.job_core_seconds += static_cast<double>(c->share) * c->length;
          sum.job_chip_seconds += static_cast<double>(c->devices) * c->length;
          sum.covered_seconds += c->length;
          break;
        default:
          sum.joules[static_cast<std::size_t>(c->kind)] += c->amount;
          if (c->kind == EvidenceKind::Telemetry && m.unplaced) sum.run_joules += c->amount;
          sum.covered_seconds += c->length;
      }
    }
    return sum;
  }

  static void add(Bucket& b, const MachineSum& s) {
    MachineSum& t = b.sum;
    for (std::size_t k = 0; k < kEvidenceKinds; ++k) t.joules[k] += s.joules[k];
    t.run_joules += s.run_joules;
    t.covered_seconds += s.covered_seconds;
    t.chip_seconds += s.chip_seconds;
    t.bill_seconds += s.bill_seconds;
    t.list_seconds += s.list_seconds;
    t.job_core_seconds += s.job_core_seconds;
    t.job_chip_seconds += s.job_chip_seconds;
    t.first = std::min(t.first, s.first);
    t.last = std::max(t.last, s.last);
  }

  std::span<const HostTime> host_time(const Machine& m) {
    const std::string type = e_.text_of(m.type);
    const auto [at, is_new] = host_times_.try_emplace(
        std::make_tuple(m.provider, m.region, type.substr(0, type.find_first_of(". "))));
    if (is_new) at->second = host_times(e_, m);
    return at->second;
  }

  void outcomes() {
    // A row of several claims (a job on many nodes) is estimated if one of them counts.
    std::vector<std::vector<std::uint8_t>> done(e_.files.size());
    for (const ClaimRow& c : e_.claims) {
      auto& seen = done[c.file];
      if (seen.size() < row_taken_[c.file].size()) seen.resize(row_taken_[c.file].size(), 0);
      if (seen[c.row] != 0) continue;
      seen[c.row] = 1;
      const bool taken = (row_taken_[c.file][c.row] & 2) != 0;
      const bool hosted = e_.machines[c.machine].on_host && !taken;
      std::string reason = "counted";
      if (hosted) {
        reason = "duplicate of the dedicated host that it runs on";
      } else if (!taken) {
        const auto better = best_.find(c.machine);
        reason =
            better == best_.end()
                ? "duplicate of what else is said of the machine"
                : fmt::format("duplicate of {} in {}: the same machine and time",
                              name(better->second.first), e_.files[better->second.second].name);
      }
      e_.settle(c.file, taken ? Outcome::Estimated : Outcome::Duplicate, reason, c.row, c.currency,
                c.money);
    }
    for (const ServiceAmount& a : e_.amounts) {
      const std::string_view reason = a.duplicate
                                          ? "an amount that another format of the bill states"
                                          : "an amount of a service";
      auto& settled = e_.files[a.file].settled;
      auto at = settled.find(reason);
      if (at == settled.end())
        at = settled
                 .emplace(std::string(reason),
                          Settled{a.duplicate ? Outcome::Duplicate : Outcome::Estimated,
                                  std::string(reason),
                                  0,
                                  0,
                                  {}})
                 .first;
      at->second.rows += a.rows;
      for (const auto& [currency, money] : a.money) at->second.money[currency] += money.value();
    }
    for (EvidenceFile& file : e_.files) {
      for (const auto& [reason, settled] : file.settled) {
        file.outcome_rows[static_cast<std::size_t>(settled.outcome)] += settled.rows;
        for (const auto& [currency, money] : settled.money)
          file.money[e_.currencies[currency]][static_cast<std::size_t>(settled.outcome)] +=
              money.value();
      }
    }
  }

  void amounts() {
    struct Words {
      const char* what;
      ActivityGroup group;
      const char* unit;
    };
    for (const ServiceAmount& a : e_.amounts) {
      if (a.duplicate) continue;
      const std::string& id = e_.text_of(a.what);
      Activity one;
      EstimateCore per_unit;
      const auto colon = id.find(':');
      if (id == "vcpu") {
        one.what = "virtual processors without a machine";
        one.group = ActivityGroup::Serverless;
        one.unit = "vCPU h";
        per_unit = EstimateCore::scaled(factor("vcpu"), 3600);
      } else if (id == "memory.data") {
        one.what = "memory without a machine";
        one.group = ActivityGroup::Serverless;
        one.unit = "GB h";
        per_unit = EstimateCore::scaled(factor("memory.data"), 3600);
      } else if (id == "storage.ssd" || id == "storage.hdd") {
        one.what = id == "storage.ssd" ? "solid state storage" : "disk storage";
        one.group = ActivityGroup::Storage;
        one.unit = "TB h";
        per_unit = EstimateCore::scaled(factor(id), 3600);
      } else if (id == "network.data") {
        one.what = "data sent";
        one.group = ActivityGroup::Network;
        one.unit = "GB";
        per_unit = EstimateCore::scaled(factor("network.data"), 3.6e6);
      } else if (id.starts_with("accelerator:")) {
        const double rating = std::stod(id.substr(colon + 1));
        one.what = fmt::format("accelerators of {:g} W", rating);
        one.group = ActivityGroup::Accelerators;
        one.unit = "accelerator h";
        one.accelerator_hours = a.amount;
        one.accelerators = 1;
        one.accelerator_w = rating;
        const auto p = machine_power(0, 0, 1, rating) - machine_power(0, 0, 0, 0);
        per_unit = EstimateCore::scaled(p.core(), 3600);
      } else {
        const std::string kind = id.substr(0, colon), model = id.substr(colon + 1);
        const TokenEnergy energy = token_energy(model);
        one.what = fmt::format("{} tokens of {}", kind, model);
        one.group = ActivityGroup::Models;
        one.unit = "tokens";
        per_unit = kind == "input"    ? energy.input
                   : kind == "cached" ? energy.cached
                   : kind == "output" ? energy.output
                                      : energy.reasoning;
      }
      one.provider = kProviders[a.provider];
      one.cloud = true;
      one.region = e_.text_of(a.region);
      // A model's service stands where its provider pleases, not where its customer is.
      one.place =
          place_of(e_, a.provider, a.region, kNone,
                   one.group == ActivityGroup::Models ? std::string() : location_, graph_.remarks);
      one.amount = a.amount;
      one.first = a.first;
      one.last = a.last;
      one.energy = Estimate<Energy>(EstimateCore::scaled(per_unit, a.amount)).at(Boundary::Node);
      one.joules[static_cast<std::size_t>(EvidenceKind::Bill)] = one.energy.value().in(joule);
      for (const auto& [currency, money] : a.money)
        one.money[e_.currencies[currency]] += money.value();
      one.files.push_back(e_.files[a.file].name);
      const auto same =
          std::find_if(graph_.activities.begin(), graph_.activities.end(), [&](const Activity& b) {
            return b.what == one.what && b.provider == one.provider && b.region == one.region &&
                   b.place == one.place;
          });
      if (same == graph_.activities.end()) {
        graph_.activities.push_back(std::move(one));
        continue;
      }
      same->amount += one.amount;
      same->accelerator_hours += one.accelerator_hours;
      same->energy = same->energy + one.energy;
      same->joules[static_cast<std::size_t>(EvidenceKind::Bill)] += one.energy.value().in(joule);
      for (const auto& [currency, money] : one.money) same->money[currency] += money;
      if (std::find(same->files.begin(), same->files.end(), one.files[0]) == same->files.end())
        same->files.push_back(one.files[0]);
      same->first = std::min(same->first, one.first);
      same->last = std::max(same->last, one.last);
    }
  }

  void unknown() {
    for (const UnknownMachine& one : e_.unknown_machines) graph_.unknown_hours += one.hours;
    const double low = factor("machine.least").value(), high = factor("machine.most").value();
    const double seconds = graph_.unknown_hours * 3600;
    const double middle = std::sqrt(low * high);
    graph_.unknown = seconds > 0
                         ? Estimate<Energy>(middle * seconds * joule, low * seconds * joule,
                                            high * seconds * joule, Origin::Assumed, Boundary::Node,
                                            "unknown-machines", {"assumed"})
                         : Estimate<Energy>::exact(Energy{}, Origin::Assumed, Boundary::Node);
  }

  /// Machines known by one side alone: paid for and never seen, or seen and never paid for.
  struct Side {
    double joules = 0, hours = 0;
    std::uint32_t first = kNone, last = 0;
    std::uint64_t machines = 0;
    std::string example;
  };
  void remember(const Machine& m, const MachineSum& s, double devices) {
    const bool billed = m.provider != 0;
    const bool seen = s.covered_seconds > 0;
    if (billed == seen) return;
    Side& side = (billed ? paid_ : seen_)[devices > 0];
    const double seconds = s.machine_seconds();
    side.joules +=
        billed
            ? seconds * machine_power(m.vcpus, 0, m.accelerators, m.accelerator_w).value().in(watt)
            : s.joules[0] + s.joules[1] + s.joules[2] + 150 * s.chip_seconds +
                  2.2 * s.job_core_seconds + 165 * s.job_chip_seconds;
    side.hours += seconds / 3600;
    side.first = std::min(side.first, s.first);
    side.last = std::max(side.last, s.last);
    ++side.machines;
    if (side.example.empty()) side.example = m.label != kNone ? e_.text_of(m.label) : type_name(m);
  }
  void overlaps() {
    for (const bool accelerated : {true, false}) {
      const Side& a = paid_[accelerated];
      const Side& b = seen_[accelerated];
      if (a.machines == 0 || b.machines == 0 || a.first >= b.last || b.first >= a.last) continue;
      Overlap one;
      one.one = fmt::format("{} cloud machine{} on a bill ({})", a.machines,
                            a.machines > 1 ? "s" : "", a.example);
      one.other = fmt::format("{} host{} seen at work ({})", b.machines, b.machines > 1 ? "s" : "",
                              b.example);
      one.joules = std::min(a.joules, b.joules);
      one.counted_twice = true;
      one.why =
          "no name in common: if they are the same machines, so much is counted twice; a server "
          "list "
          "with host name and resource id tells";
      graph_.overlaps.push_back(std::move(one));
    }
  }

  void finish(Bucket& b) {
    Activity& a = b.activity;
    a.energy = energy_of(b);
    a.joules = b.sum.joules;
    const double known = a.joules[0] + a.joules[1] + a.joules[2];
    const double rest = std::max(0.0, a.energy.value().in(joule)-known);
    const double list = b.sum.list_seconds, bill = b.sum.bill_seconds,
                 jobs = b.sum.job_core_seconds + b.sum.job_chip_seconds;
    // What a model added goes to the kind that asked for it, by machine time.
    const auto kind = bill > 0   ? EvidenceKind::Bill
                      : list > 0 ? EvidenceKind::Inventory
                      : jobs > 0 ? EvidenceKind::JobModel
                                 : EvidenceKind::Telemetry;
    a.joules[static_cast<std::size_t>(kind)] += rest;
    a.machine_hours = b.sum.machine_seconds() / 3600;
    a.accelerator_hours = a.machine_hours * a.accelerators;
    a.modelled_hours = (bill + list) / 3600;
    a.first = b.sum.first;
    a.last = b.sum.last;
    for (const std::uint16_t file : b.files) a.files.push_back(e_.files[file].name);
    if (a.machine_hours > 0 || a.energy.value() > Energy{})
      graph_.activities.push_back(std::move(a));
  }

  Evidence& e_;
  const std::string location_;
  ActivityGraph graph_;
  std::map<Key, Bucket> buckets_;
  std::vector<std::vector<std::uint8_t>> row_taken_;
  std::map<std::tuple<std::uint8_t, std::uint32_t, std::string>, std::vector<HostTime>> host_times_;
  std::span<const HostTime> none_;
  std::map<std::uint32_t, std::pair<EvidenceKind, std::uint16_t>> best_;
  std::map<std::tuple<std::uint8_t, std::uint32_t, std::uint32_t>, std::string> places_;
  std::size_t hosts_ = 0;
  std::array<Side, 2> paid_, seen_;
};

}  // namespace

std::string_view name(ActivityGroup group) noexcept {
  constexpr std::array<std::string_view, 6> kNames = {
      "accelerated machines", "machines", "serverless", "storage", "network", "language models"};
  return kNames[static_cast<std::size_t>(group)];
}

ActivityGraph merge(Evidence& evidence, const std::string& location) {
  return Merger(evidence, location).run();
}

}  // namespace carnot::assess
