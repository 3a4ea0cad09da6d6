// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/origin.hpp"
#include "carnot/ledger/store/store.hpp"
#include "carnot/report/run/result.hpp"

#include "report/draw/json_reading.hpp"
#include "report/run/facts.hpp"
#include "report/run/most_quality.hpp"

namespace carnot::report {

namespace {

constexpr double kAgreement = 1e-9;

/// Checks the grammar of entry.hpp while it collects series, so that what follows can trust it.
class Reader {
 public:
  explicit Reader(RunResult& result) : result_(result) {}

  void read(const std::vector<ledger::Entry>& entries) {
    if (entries.empty()) throw InputError("the journal is empty: a run starts with its header");
    for (std::size_t i = 0; i < entries.size(); ++i) {
      index_ = i;
      std::visit([this](const auto& entry) { take(entry); }, entries[i]);
    }
  }

  const ledger::RunEnd* end() const { return end_; }

 private:
  [[noreturn]] void fail(const std::string& words) const {
    throw InputError(fmt::format("entry {}: {}", index_, words));
  }
  void need_lane(const char* what) const {
    if (!open_) fail(fmt::format("{} outside a policy's lane", what));
  }

  template <class OfMeasurement>
  [[noreturn]] void take(const OfMeasurement&) {
    fail("this belongs to a measurement, not to a run");
  }
  void take(const ledger::RunBegin& begin) {
    if (index_ != 0) fail("a second run begins; a journal holds one");
    result_.carnot_version = begin.carnot_version;
    result_.command = begin.command;
    result_.scenario = begin.scenario_name;
    result_.scenario_text = begin.scenario_text;
    result_.started = begin.started.iso8601();
    result_.seed = begin.seed;
    result_.facts_json = begin.facts_json;
  }

  void take(const ledger::LaneBegin& begin) {
    if (index_ == 0) fail("a run starts with its header");
    if (end_ != nullptr) fail("a lane after the end of the run");
    if (open_) fail(fmt::format("lane {} begins before {} ended", begin.policy, lane().policy));
    if (!policies_.insert(begin.policy).second) {
      fail(fmt::format("policy {} has two lanes", begin.policy));
    }
    result_.lanes.emplace_back();
    result_.series.emplace_back();
    lane().policy = begin.policy;
    lane().quality = lane().quality_low = lane().quality_high = kNaN;
    open_ = true;
    last_end_.reset();
  }

  void take(const ledger::SlotEntry& slot) {
    need_lane("a slot");
    const double length = slot.length.time().in(second);
    if (!(length > 0)) fail("a slot must last longer than nothing");
    if (last_end_ && slot.start < *last_end_) fail("a slot starts before the last one ended");
    last_end_ = slot.start + slot.length;
    LaneSeries& series = result_.series.back();
    const auto power = [&](Energy energy, const char* name) {
      const double joules = energy.in(joule);
      if (!std::isfinite(joules)) fail(fmt::format("{} of a slot is not finite", name));
      return joules / length;
    };
    if (!is_finite(slot.cost) || !is_finite(slot.carbon) || !std::isfinite(slot.throttle)) {
      fail("cost, carbon or throttle of a slot is not finite");
    }
    series.start.push_back(slot.start);
    series.length_s.push_back(length);
    series.total_w.push_back(power(slot.total, "total"));
    series.exported_w.push_back(power(slot.exported, "export"));
    series.own_used_w.push_back(power(slot.own_used, "own power used"));
    series.charged_w.push_back(power(slot.charged, "charge"));
    series.discharged_w.push_back(power(slot.discharged, "discharge"));
    series.grid_w.push_back(power(slot.grid, "grid energy"));
    series.curtailed_w.push_back(power(slot.curtailed, "curtailment"));
    series.facility_w.push_back(power(slot.facility, "facility energy"));
    series.loss.push_back(slot.steps == 0 ? kNaN : slot.loss);  // nothing before the first step
    series.throttle.push_back(slot.throttle);
    series.mode.push_back(slot.mode);
  }

  void take(const ledger::Evaluation& evaluation) {
    need_lane("an evaluation");
    result_.series.back().quality.emplace_back(evaluation.at, evaluation.value);
    lane().quality_metric = evaluation.metric;
    lane().quality = evaluation.value;
    lane().quality_low = evaluation.low;
    lane().quality_high = evaluation.high;
    lane().certified = evaluation.certified;
  }

  void take(const ledger::Checkpoint&) { need_lane("a checkpoint"); }

  void take(const ledger::LaneEnd& end) {
    need_lane("the end of a lane");
    if (end.policy != lane().policy) {
      fail(fmt::format("lane {} ends under the name {}", lane().policy, end.policy));
    }
    lane().outcome = end.outcome;
    lane().stopped = end.stopped;
    lane().row_json = end.result_json;
    lane().finished = true;
    open_ = false;
  }

  void take(const ledger::RunEnd& end) {
    if (index_ == 0) fail("a run starts with its header");
    if (open_) fail(fmt::format("the run ends inside lane {}", lane().policy));
    if (end_ != nullptr) fail("the run ends twice");
    end_ = &end;
  }

  LaneResult& lane() { return result_.lanes.back(); }
  const LaneResult& lane() const { return result_.lanes.back(); }

  RunResult& result_;
  std::size_t index_ = 0;
  bool open_ = false;
  const ledger::RunEnd* end_ = nullptr;
  std::set<std::string> policies_;
  std::optional<Instant> last_end_;
};

void agree(const std::string& what, const char* key, double ledger, double written) {
  const double scale = std::max(std::abs(ledger), std::abs(written));
  if (std::isfinite(written) && std::abs(ledger - written) <= kAgreement * scale) return;
  // A sum that cancels to nothing may leave dust behind.
  if (std::isfinite(written) && scale < 1e-9) return;
  throw InputError(
      fmt::format("{}: {}: the row says {} but the slots sum to {}", what, key, written, ledger));
}

/// A row's figure with the ledger's value and the row's interval around it.
template <class Q>
Estimate<Q> figure_at(const Json& row, const char* key, const std::string& lane, Q ledger) {
  const std::string what = fmt::format("{}: {}", lane, key);
  const Json figure = part_at(row, key, lane, false);
  agree(lane, key, ledger.base(), number_at(figure, "value", what));
  const double low = number_at(figure, "low", what), high = number_at(figure, "high", what);
  const double slack = 1e-9 * std::abs(ledger.base());
  if (!(low <= ledger.base() + slack) || !(high >= ledger.base() - slack)) {
    throw InputError(what + ": low <= value <= high is needed");
  }
  std::vector<std::string> sources;
  for (const Json& source : part_at(figure, "sources", what, true)) {
    if (source.is_string()) sources.push_back(source.get<std::string>());
  }
  return Estimate<Q>(ledger, std::min(Q::from_base(low), ledger),
                     std::max(Q::from_base(high), ledger),
                     origin_named(text_at(figure, "origin", what), what),
                     boundary_named(text_at(figure, "boundary", what), what), what, sources);
}

LearningCycle read_cycle(const Json& row, const std::string& what) {
  const Json json = part_at(row, "cycle", what, false);
  LearningCycle cycle;
  cycle.efficiency = number_at(json, "efficiency", what);
  for (const Json& leg : part_at(json, "legs", what, true)) {
    cycle.legs.push_back({text_at(leg, "leg", what), number_at(leg, "entropy_bits_from", what),
                          number_at(leg, "entropy_bits_to", what),
                          number_at(leg, "energy_j", what) * joule,
                          number_at(leg, "temperature_k", what) * kelvin});
  }
  for (const Json& point : part_at(json, "curve", what, true)) {
    if (!point.is_array() || point.size() != 2) {
      throw InputError(what + ": cycle: curve: pairs of bits and kelvin are needed");
    }
    if (point[0].is_number() && point[1].is_number()) {
      cycle.curve.emplace_back(point[0].get<double>(), point[1].get<double>());
    }
  }
  return cycle;
}

void take_totals(LaneResult& lane, const ledger::LaneTotals& totals) {
  lane.duration = totals.duration;
  lane.own_energy = totals.own_used + totals.discharged;
  lane.battery_energy = totals.discharged;
  lane.grid_energy = totals.grid;
  lane.curtailed = totals.curtailed;
  lane.exported = totals.exported;
  lane.cap_violations = totals.cap_violations;
  lane.balance_residual = totals.worst_residual;
  lane.energy = Estimate<Energy>::exact(totals.facility, Origin::Modelled, Boundary::Facility);
  lane.carbon = Estimate<Carbon>::exact(totals.carbon, Origin::Modelled, Boundary::Facility);
  lane.cost = Estimate<Money>::exact(totals.cost, Origin::Modelled, Boundary::None);
  lane.bits_learned = lane.bits_per_joule = lane.times_above_landauer = kNaN;
  lane.cycle.efficiency = kNaN;
  for (const auto& [mode, time] : totals.mode_time) {
    lane.mode_time.emplace_back(mode.empty() ? "paused" : mode, time);
  }
}

void take_row(LaneResult& lane, const ledger::LaneTotals& totals) {
  const std::string what = "lane " + lane.policy;
  const Json row = parse_object(lane.row_json, what);
  if (lane.outcome != "target-reached" && lane.outcome != "deadline-missed" &&
      lane.outcome != "infeasible" && lane.outcome != "diverged") {
    throw InputError(
        what + ": outcome: target-reached, deadline-missed, infeasible or diverged is allowed");
  }
  lane.energy = figure_at(row, "energy_j", what, totals.facility);
  lane.carbon = figure_at(row, "carbon_g", what, totals.carbon);
  lane.cost = figure_at(row, "cost_eur", what, totals.cost);
  const auto same = [&](const char* key, Energy ledger) {
    agree(what, key, ledger.in(joule), number_at(row, key, what));
  };
  same("own_energy_j", totals.own_used + totals.discharged);
  same("grid_energy_j", totals.grid);
  same("curtailed_j", totals.curtailed);
  same("exported_j", totals.exported);
  // The job may end inside its last slot: the run knows better than the slots, never later.
  const double duration = number_at(row, "duration_s", what);
  if (std::isfinite(duration)) {
    if (duration < 0 || duration > totals.duration.in(second) * (1 + kAgreement)) {
      throw InputError(what + ": duration_s: outside the lane's slots");
    }
    lane.duration = duration * second;
  }
  lane.bits_learned = number_at(row, "bits_learned", what);
  lane.bits_per_joule = number_at(row, "bits_per_j", what);
  lane.times_above_landauer = number_at(row, "times_above_landauer", what);
  const Json quality = part_at(row, "quality", what, false);
  if (!quality.empty()) {
    lane.quality_metric = text_at(quality, "metric", what);
    lane.quality_split = text_at(quality, "split", what);
    lane.quality = number_at(quality, "value", what);
    lane.quality_low = number_at(quality, "low", what);
    lane.quality_high = number_at(quality, "high", what);
    const auto certified = quality.find("certified");
    lane.certified =
        certified != quality.end() && certified->is_boolean() && certified->get<bool>();
  }
  const Json operations = part_at(row, "operations", what, false);
  for (const auto& [key, count] : operations.items()) {
    if (count.is_number()) lane.operations.emplace_back(key, count.get<double>());
  }
  lane.cycle = read_cycle(row, what);
}

/// What of the facility's energy reached the machines, and what of that switched: from the mode and
/// throttle of each slot.
void take_layers(LaneResult& lane, const LaneSeries& series, const Facts& facts) {
  double it = 0, dynamic = 0;
  for (std::size_t i = 0; i < series.start.size(); ++i) {
    if (series.mode[i].empty()) continue;
    const auto mode = std::find_if(facts.modes.begin(), facts.modes.end(),
                                   [&](const ModeFact& m) { return m.name == series.mode[i]; });
    if (mode == facts.modes.end()) {
      it = dynamic = kNaN;
      break;
    }
    const double moving = series.throttle[i] * mode->dynamic_power_w * series.length_s[i];
    dynamic += moving;
    it += mode->static_power_w * series.length_s[i] + moving;
  }
  lane.it_energy = it * joule;
  lane.dynamic_energy = dynamic * joule;
}

bool cheaper(const LaneResult& a, const LaneResult* b) {
  return b == nullptr || a.cost.value() < b->cost.value();
}

void choose(RunResult& result, const Facts& facts) {
  if (facts.most_quality) {
    const LaneResult *most = most_certified(result, false),
                     *fixed = most_certified(result, false, "fixed:");
    result.best = most != nullptr ? most->policy : "";
    result.best_fixed = fixed != nullptr ? fixed->policy : "";
    return;
  }
  const LaneResult *best = nullptr, *fixed = nullptr;
  for (const LaneResult& lane : result.lanes) {
    if (lane.outcome != "target-reached" || lane.policy == "oracle") continue;
    if (cheaper(lane, best)) best = &lane;
    if (lane.policy.starts_with("fixed:") && cheaper(lane, fixed)) fixed = &lane;
  }
  result.best = best != nullptr ? best->policy : "";
  result.best_fixed = fixed != nullptr ? fixed->policy : "";
}

/// The run's own choice must cost the same as ours, or be worth the same (ties may fall either
/// way).
void check_choice(const RunResult& result, const Json& end, const char* key,
                  const std::string& ours, bool by_quality) {
  const std::string theirs = text_at(end, key, "end of the run");
  if (theirs == ours || (theirs.empty() && !end.contains(key))) return;
  const LaneResult *a = result.lane(ours), *b = result.lane(theirs);
  if (a == nullptr || b == nullptr) {
    throw InputError(fmt::format("end of the run: {}: the run says \"{}\" but the slots \"{}\"",
                                 key, theirs, ours));
  }
  if (by_quality) return agree("end of the run", key, a->quality_low, b->quality_low);
  agree("end of the run", key, a->cost.value().in(euro), b->cost.value().in(euro));
}

void take_bound(RunResult& result, const ledger::RunEnd* end, const Facts& facts) {
  result.bound = {"", kNaN, kNaN, kNaN, kNaN, kNaN};
  if (end != nullptr && !end->result_json.empty()) {
    const Json json = parse_object(end->result_json, "end of the run");
    check_choice(result, json, "best", result.best, facts.most_quality);
    check_choice(result, json, "best_fixed", result.best_fixed, facts.most_quality);
    const Json bound = part_at(json, "bound", "end of the run", false);
    if (!bound.empty()) {
      const std::string what = "bound";
      result.bound = {
          text_at(bound, "policy", what),          number_at(bound, "cost_eur", what),
          number_at(bound, "grid_energy_j", what), number_at(bound, "energy_j", what),
          number_at(bound, "duration_s", what),    number_at(bound, "proven_cost_eur", what)};
      if (result.bound.policy.empty()) result.bound.policy = "oracle";
    }
  }
  const LaneResult* oracle = result.lane("oracle");
  if (oracle == nullptr || !oracle->finished) return;
  if (!result.bound.policy.empty()) {
    // The bound may lie below what the oracle's lane carried out, never above it.
    const double reached = oracle->cost.value().in(euro);
    if (oracle->outcome == "target-reached" && result.bound.cost_eur > reached) {
      agree("bound", "cost_eur", reached, result.bound.cost_eur);
    }
  } else if (oracle->outcome == "target-reached") {
    result.bound = {"oracle",
                    oracle->cost.value().in(euro),
                    oracle->grid_energy.in(joule),
                    oracle->energy.value().in(joule),
                    oracle->duration.in(second),
                    kNaN};
  }
}

}  // namespace

const LaneResult* RunResult::lane(const std::string& policy) const noexcept {
  for (const LaneResult& lane : lanes) {
    if (lane.policy == policy) return &lane;
  }
  return nullptr;
}

RunResult summarise(const std::vector<ledger::Entry>& entries) {
  RunResult result;
  Reader reader(result);
  reader.read(entries);
  const Facts facts = read_facts(result.facts_json);
  const std::vector<ledger::LaneTotals> sums = ledger::totals(entries);
  CARNOT_CHECK(sums.size() == result.lanes.size(), "one row of totals per lane");
  for (std::size_t i = 0; i < sums.size(); ++i) {
    LaneResult& lane = result.lanes[i];
    take_totals(lane, sums[i]);
    if (lane.finished) {
      take_row(lane, sums[i]);
    } else {
      lane.outcome = "unfinished";
      lane.stopped = "the run was interrupted here";
    }
    take_layers(lane, result.series[i], facts);
  }
  result.complete = reader.end() != nullptr;
  choose(result, facts);
  take_bound(result, reader.end(), facts);
  return result;
}

}  // namespace carnot::report
