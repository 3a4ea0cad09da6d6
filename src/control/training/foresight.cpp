// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/training/foresight.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::control {

Money slot_cost(const site::Flows& flows, const site::Weather& weather,
                const site::SiteOptions& site, const site::ObjectiveOptions& objective, Time slot) {
  const Energy grid = flows.grid * slot;
  const Energy own = flows.own_used * slot;
  Money cost = grid * (weather.price + weather.carbon * objective.carbon_price);
  cost += own * objective.own_value;
  cost += (flows.discharged * slot) * site.battery.wear_cost;
  if (site.computing_uses == site::ComputingUses::AllOwn) {
    // What the grid connection could have taken of it is income forgone.
    const Power limit = min(site.export_limit, weather.export_limit);
    const Power forgone = min(flows.own_used, max(Power{}, limit - flows.exported));
    cost += (forgone * slot) * weather.export_price;
  }
  return cost + objective.delay_price * slot;
}

namespace {

/// A stretch of training with one mode: [from, to) in steps.
struct Leg {
  double from, to;
  std::size_t mode;
};

bool allows(const Stage& stage, std::size_t index, const site::Mode& mode) {
  return stage.mode >= 0 ? static_cast<std::size_t>(stage.mode) == index
                         : mode.bits >= stage.minimum_bits;
}

std::vector<Leg> legs_of(const OracleProblem& problem) {
  std::vector<Leg> legs;
  for (std::size_t s = 0; s < problem.stages.size(); ++s) {
    const double from = problem.stages[s].from_step;
    const double to =
        s + 1 < problem.stages.size() ? problem.stages[s + 1].from_step : problem.steps_total;
    if (to <= from) continue;
    std::size_t best = problem.modes.size();
    for (std::size_t m = 0; m < problem.modes.size(); ++m) {
      if (!allows(problem.stages[s], m, problem.modes[m])) continue;
      if (best == problem.modes.size() ||
          problem.modes[m].step_energy() < problem.modes[best].step_energy())
        best = m;
    }
    if (best == problem.modes.size())
      throw InputError("stage: minimum_bits must be at most the bits of the most precise mode");
    if (!legs.empty() && legs.back().mode == best)
      legs.back().to = to;
    else
      legs.push_back({from, to, best});
  }
  return legs;
}

/// What the policy may ask of a slot; the index is also the order of preference on ties.
enum Choice : std::uint8_t { kPause, kFollow, kHalfGrid, kFull, kChoices };

struct Label {
  double progress = 0.0;    // steps done
  double battery = 0.0;     // joules
  double cost = kInfinity;  // euro
  std::int32_t parent = -1;
  Choice choice = kPause;
};

class Search {
 public:
  Search(const OracleProblem& problem, std::vector<Leg> legs)
      : problem_(problem), legs_(std::move(legs)), simulator_(problem.site) {
    has_battery_ = problem.site.battery.capacity > Energy{};
    // Without a battery a slot's flows depend on (mode, choice) alone: simulate each once.
    if (!has_battery_) cache_.resize(problem.weather.size() * legs_.size() * kChoices);
  }

  /// Grid power that the choice allows in this slot, given what own power does.
  site::Demand demand(std::size_t slot, std::size_t leg, Choice choice, Energy battery) {
    site::Demand d;
    if (choice == kPause) return d;
    d.mode = &problem_.modes[legs_[leg].mode];
    if (choice == kFull) {
      d.grid_allowance = problem_.site.import_limit;
    } else if (choice == kHalfGrid) {
      site::Demand full = d;
      full.grid_allowance = problem_.site.import_limit;
      d.grid_allowance = 0.5 * run(slot, full, problem_.slot, battery).grid;
    }
    return d;
  }

  site::Flows run(std::size_t slot, const site::Demand& d, Time length, Energy battery) {
    site::SiteSimulator copy = simulator_;
    if (has_battery_) copy.restore_battery(battery);
    return copy.advance(problem_.weather[slot], d, length);
  }

  struct Outcome {
    double progress, cost, battery;
    Time used;  // of the slot; less than the slot only if the job ended in it
    bool done = false;
  };

  /// One slot from `progress`: legs may end inside it. Exact.
  Outcome advance(std::size_t slot, double progress, double battery, Choice choice) {
    Outcome o{progress, 0.0, battery, Time{}};
    Time left = problem_.slot;
    std::size_t leg = leg_at(progress);
    while (left > Time{}) {
      const site::Demand d = demand(slot, leg, choice, Energy::from_base(o.battery));
      site::Flows f = flows(slot, leg, choice, d, left, Energy::from_base(o.battery));
      const double rate = f.steps / left.in(second);
      const double room = legs_[leg].to - o.progress;
      Time length = left;
      const bool ends = rate * left.in(second) >= room && rate > 0.0;
      if (ends) {
        length = min(left, (room / rate) * second);
        if (has_battery_) f = run(slot, d, length, Energy::from_base(o.battery));
      }
      o.cost +=
          slot_cost(f, problem_.weather[slot], problem_.site, problem_.objective, length).in(euro);
      if (has_battery_) o.battery = f.battery_energy.in(joule);
      o.progress = ends ? legs_[leg].to : o.progress + rate * length.in(second);
      o.used += length;
      left -= length;
      if (ends && ++leg == legs_.size()) {
        o.done = true;
        return o;
      }
      if (!ends) break;
    }
    return o;
  }

  std::size_t leg_at(double progress) const {
    std::size_t leg = 0;
    while (leg + 1 < legs_.size() && progress >= legs_[leg].to) ++leg;
    return leg;
  }

  const std::vector<Leg>& legs() const { return legs_; }
  bool has_battery() const { return has_battery_; }

 private:
  struct Cached {
    bool known = false;
    site::Flows flows;
  };
  site::Flows flows(std::size_t slot, std::size_t leg, Choice choice, const site::Demand& d,
                    Time length, Energy battery) {
    if (has_battery_) return run(slot, d, length, battery);
    Cached& c = cache_[(slot * legs_.size() + leg) * kChoices + choice];
    if (!c.known) {
      c.flows = run(slot, d, problem_.slot, battery);
      c.known = true;
    }
    site::Flows f = c.flows;
    f.steps *= length / problem_.slot;
    return f;
  }

  const OracleProblem& problem_;
  std::vector<Leg> legs_;
  site::SiteSimulator simulator_;
  bool has_battery_ = false;
  std::vector<Cached> cache_;
};

/// Label-keeping dynamic programme; fills cost, duration, decisions.
void trajectory(const OracleProblem& problem, Instant start, Search& search,
                OracleSolution& solution) {
  const std::size_t slots = problem.weather.size();
  const std::size_t batteries =
      search.has_battery() ? std::max<std::size_t>(1, problem.battery_buckets) : 1;
  const std::size_t buckets = std::max<std::size_t>(1, problem.progress_buckets);
  const double capacity = problem.site.battery.capacity.in(joule);
  std::vector<std::vector<Label>> layers(1);
  layers[0].push_back({0.0, problem.battery_energy.in(joule), 0.0, -1, kPause});
  double best_cost = kInfinity;
  std::size_t best_slot = 0;
  std::int32_t best_parent = -1;
  Choice best_choice = kPause;
  Time best_used;
  std::vector<std::int32_t> slot_of(buckets * batteries);
  for (std::size_t t = 0; t < slots && !layers[t].empty(); ++t) {
    problem.stop.throw_if_requested();
    std::vector<Label> next;
    std::fill(slot_of.begin(), slot_of.end(), -1);
    for (std::size_t i = 0; i < layers[t].size(); ++i) {
      const Label label = layers[t][i];
      if (label.cost >= best_cost)
        continue;  // every further slot only adds cost... unless paid to run
      for (std::uint8_t c = 0; c < kChoices; ++c) {
        const Search::Outcome o =
            search.advance(t, label.progress, label.battery, static_cast<Choice>(c));
        const double cost = label.cost + o.cost;
        if (o.done) {
          if (cost < best_cost) {
            best_cost = cost;
            best_slot = t;
            best_parent = static_cast<std::int32_t>(i);
            best_choice = static_cast<Choice>(c);
            best_used = o.used;
          }
          continue;
        }
        if (t + 1 == slots) continue;
        const auto p =
            std::min(buckets - 1, static_cast<std::size_t>(o.progress / problem.steps_total *
                                                           static_cast<double>(buckets)));
        const auto b =
            batteries == 1
                ? std::size_t{0}
                : std::min(batteries - 1, static_cast<std::size_t>(o.battery / capacity *
                                                                   static_cast<double>(batteries)));
        std::int32_t& at = slot_of[p * batteries + b];
        const Label candidate{o.progress, o.battery, cost, static_cast<std::int32_t>(i),
                              static_cast<Choice>(c)};
        if (at < 0) {
          at = static_cast<std::int32_t>(next.size());
          next.push_back(candidate);
        } else if (Label& held = next[static_cast<std::size_t>(at)];
                   cost < held.cost || (cost == held.cost && o.progress > held.progress)) {
          held = candidate;
        }
      }
    }
    layers.push_back(std::move(next));
  }
  if (best_parent < 0) return;
  solution.feasible = true;
  solution.cost = best_cost * euro;
  solution.duration = static_cast<double>(best_slot) * problem.slot + best_used;
  std::vector<Choice> choices(best_slot + 1);
  std::vector<Label> states(best_slot + 1);
  choices[best_slot] = best_choice;
  std::int32_t at = best_parent;
  for (std::size_t t = best_slot + 1; t-- > 0;) {
    states[t] = layers[t][static_cast<std::size_t>(at)];
    if (t > 0) choices[t - 1] = states[t].choice;
    at = states[t].parent;
  }
  const Duration slot = Duration::from(problem.slot);
  for (std::size_t t = 0; t <= best_slot; ++t) {
    Decision d;
    const std::size_t leg = search.leg_at(states[t].progress);
    if (choices[t] != kPause) {
      d.mode = static_cast<int>(search.legs()[leg].mode);
      d.grid_allowance =
          search.demand(t, leg, choices[t], Energy::from_base(states[t].battery)).grid_allowance;
    }
    solution.decisions.push_back({start + slot * static_cast<std::int64_t>(t), d});
  }
}

/// A trajectory that takes whatever costs at most `limit` a dynamic joule above standing by: own
/// power of a slot, then grid power. The optimum without a battery is of this kind but for the slot
/// in which it ends, so the best limit comes within a slot's cost of it, however little of the job
/// a slot does.
struct Threshold {
  double cost = kInfinity;
  std::size_t last = 0;
  Time used;
};

struct Slopes {
  double own = kInfinity, grid = kInfinity;
};

std::vector<Slopes> slopes_of(const OracleProblem& problem, Search& search) {
  std::vector<Slopes> all(problem.weather.size() * search.legs().size());
  const Energy battery;
  for (std::size_t t = 0; t < problem.weather.size(); ++t) {
    problem.stop.throw_if_requested();
    const auto cost = [&](std::size_t leg, Choice choice) {
      const site::Demand d = search.demand(t, leg, choice, battery);
      const site::Flows f = search.run(t, d, problem.slot, battery);
      return std::pair{
          slot_cost(f, problem.weather[t], problem.site, problem.objective, problem.slot).in(euro),
          f.steps};
    };
    for (std::size_t leg = 0; leg < search.legs().size(); ++leg) {
      const double joules = problem.modes[search.legs()[leg].mode].step_energy().in(joule);
      const auto pause = cost(leg, kPause), own = cost(leg, kFollow), full = cost(leg, kFull);
      Slopes& s = all[t * search.legs().size() + leg];
      if (own.second > 0.0) s.own = (own.first - pause.first) / (own.second * joules);
      if (full.second > own.second * (1.0 + 1e-12)) {
        s.grid = (full.first - own.first) / ((full.second - own.second) * joules);
        // Own power too little to run on: all comes with the first bought joule.
        if (own.second <= 0.0 || s.grid < s.own)
          s.own = s.grid = (full.first - pause.first) / (full.second * joules);
      }
    }
  }
  return all;
}

Choice choice_at(const Slopes& s, double limit) {
  return s.own > limit ? kPause : s.grid > limit ? kFollow : kFull;
}

/// \param decide  told of each slot's choice before it is run: slot, leg, choice, battery in joules
template <class Decide>
Threshold follow(const OracleProblem& problem, Search& search, const std::vector<Slopes>& slopes,
                 double limit, double give_up, const Decide& decide) {
  Threshold out;
  double progress = 0.0, cost = 0.0, battery = problem.battery_energy.in(joule);
  for (std::size_t t = 0; t < problem.weather.size(); ++t) {
    const std::size_t leg = search.leg_at(progress);
    const Choice choice = choice_at(slopes[t * search.legs().size() + leg], limit);
    decide(t, leg, choice, battery);
    const Search::Outcome o = search.advance(t, progress, battery, choice);
    cost += o.cost;
    progress = o.progress;
    battery = o.battery;
    if (o.done) return {cost, t, o.used};
    if (cost >= give_up && problem.objective.delay_price >= DelayPrice{}) return out;
  }
  return out;
}

/// Puts the best threshold in the place of the solution where it costs less.
void thresholds(const OracleProblem& problem, Instant start, Search& search,
                OracleSolution& solution) {
  constexpr std::size_t kLimits = 200;
  const std::vector<Slopes> slopes = slopes_of(problem, search);
  std::vector<double> limits;
  for (const Slopes& s : slopes)
    for (const double slope : {s.own, s.grid})
      if (std::isfinite(slope)) limits.push_back(slope);
  std::sort(limits.begin(), limits.end());
  if (limits.empty()) return;
  Threshold best;
  best.cost = solution.feasible ? solution.cost.in(euro) : kInfinity;
  double best_limit = kInfinity;
  bool found = false;
  for (std::size_t i = 0; i < std::min(kLimits, limits.size()); ++i) {
    problem.stop.throw_if_requested();
    const double limit =
        limits[limits.size() <= kLimits ? i : i * (limits.size() - 1) / (kLimits - 1)];
    const Threshold tried = follow(problem, search, slopes, limit, best.cost,
                                   [](std::size_t, std::size_t, Choice, double) {});
    if (tried.cost < best.cost) {
      best = tried;
      best_limit = limit;
      found = true;
    }
  }
  if (!found) return;
  solution.feasible = true;
  solution.cost = best.cost * euro;
  solution.duration = static_cast<double>(best.last) * problem.slot + best.used;
  solution.decisions.clear();
  const Duration slot = Duration::from(problem.slot);
  follow(problem, search, slopes, best_limit, kInfinity,
         [&](std::size_t t, std::size_t leg, Choice choice, double battery) {
           Decision d;
           if (choice != kPause) {
             d.mode = static_cast<int>(search.legs()[leg].mode);
             d.grid_allowance =
                 search.demand(t, leg, choice, Energy::from_base(battery)).grid_allowance;
           }
           solution.decisions.push_back({start + slot * static_cast<std::int64_t>(t), d});
         });
}

/// One straight piece of a slot's cost hull.
struct Segment {
  double slope;   // euro per joule of dynamic energy
  double amount;  // joules
};

/// Lower convex hull of a slot's cost over dynamic energy, above what a paused slot costs: from
/// (0, 0) over own power to full throttle. Returns the cost of the paused slot, delay apart.
double hull(const OracleProblem& problem, const site::SiteSimulator& simulator,
            const site::Mode& mode, std::size_t slot, std::vector<Segment>& out) {
  const site::Weather& weather = problem.weather[slot];
  const auto point = [&](Power allowance) {
    site::SiteSimulator copy = simulator;
    site::Demand d;
    d.mode = &mode;
    d.use_battery = false;
    d.grid_allowance = allowance;
    const site::Flows f = copy.advance(weather, d, problem.slot);
    const double cost = (slot_cost(f, weather, problem.site, problem.objective, problem.slot) -
                         problem.objective.delay_price * problem.slot)
                            .in(euro);
    return std::pair{(f.throttle * mode.dynamic_power * problem.slot).in(joule), cost};
  };
  site::SiteSimulator paused = simulator;
  const double standby = (slot_cost(paused.advance(weather, site::Demand{}, problem.slot), weather,
                                    problem.site, problem.objective, problem.slot) -
                          problem.objective.delay_price * problem.slot)
                             .in(euro);
  const auto [own, own_gross] = point(Power{});
  const auto [full, full_gross] = point(problem.site.import_limit);
  const double own_cost = own_gross - standby, full_cost = full_gross - standby;
  if (full <= 0.0) return standby;
  if (own <= 0.0 || full <= own) {
    out.push_back({full_cost / full, full});
    return standby;
  }
  const double first = own_cost / own, second_slope = (full_cost - own_cost) / (full - own);
  if (first <= second_slope) {
    out.push_back({first, own});
    out.push_back({second_slope, full - own});
  } else {
    out.push_back({full_cost / full, full});
  }
  return standby;
}

Money relaxation(const OracleProblem& problem, const Search& search) {
  // The mode of greatest draw stands for all legs: it takes most from each slot. Static power is
  // the least of any, so the hull lies below every mode's. Faster modes count too, used here or
  // not; slower ones that need more energy a step are never better.
  double needed = 0.0, fastest = kInfinity;
  for (const Leg& leg : search.legs()) {
    needed += (leg.to - leg.from) * problem.modes[leg.mode].step_energy().in(joule);
    fastest = std::min(fastest, problem.modes[leg.mode].steps_per_second);
  }
  site::Mode mode = problem.modes[search.legs().front().mode];
  for (const site::Mode& other : problem.modes) {
    if (other.steps_per_second < fastest) continue;
    mode.dynamic_power = max(mode.dynamic_power, other.dynamic_power);
    mode.static_power = min(mode.static_power, other.static_power);
  }
  site::SiteOptions without_battery = problem.site;
  without_battery.battery = site::BatteryOptions{};
  const site::SiteSimulator simulator(without_battery);
  const site::BatteryOptions& battery = problem.site.battery;
  double battery_joules = problem.battery_energy.in(joule)*battery.discharge_efficiency;

  std::multimap<double, double> pieces;  // slope -> joules, for slots so far
  double best = kInfinity;
  std::vector<Segment> segments;
  double before = 0.0;  // standby of the slots so far
  for (std::size_t t = 0; t < problem.weather.size(); ++t) {
    problem.stop.throw_if_requested();
    segments.clear();
    const double standby = hull(problem, simulator, mode, t, segments);
    for (const Segment& s : segments) pieces.emplace(s.slope, s.amount);
    if (battery.capacity > Energy{})
      battery_joules += (battery.charge_limit * problem.slot).in(joule)*battery.charge_efficiency *
                        battery.discharge_efficiency;
    double left = needed, cost = 0.0;
    if (battery.capacity > Energy{}) {
      // A joule from the battery serves at most a joule of dynamic energy, at wear cost at least.
      const double taken = std::min(left, battery_joules);
      cost += taken * std::min(0.0, battery.wear_cost.base());
      left -= taken;
    }
    for (const auto& [slope, amount] : pieces) {
      if (left <= 0.0 && slope >= 0.0) break;
      const double taken = std::min(std::max(left, 0.0), amount);
      cost += taken * slope;
      left -= taken;
      if (left <= 0.0) break;
    }
    if (left > 1e-9 * needed) {
      before += standby;
      continue;
    }
    // The job ends inside slot t at the earliest: delay of the slots before it.
    const double delay =
        (problem.objective.delay_price * (static_cast<double>(t) * problem.slot)).in(euro);
    best = std::min(best, cost + delay + before + std::min(0.0, standby));
    before += standby;
  }
  return best * euro;
}

class Replay final : public JobPolicy {
 public:
  Replay(std::string name, std::vector<TimedDecision> decisions, std::vector<Stage> stages,
         std::vector<double> looks)
      : name_(std::move(name)),
        decisions_(std::move(decisions)),
        stages_(std::move(stages)),
        looks_(std::move(looks)) {}
  std::string_view name() const noexcept override { return name_; }
  Decision decide(const Observation& o) override {
    const auto after =
        std::upper_bound(decisions_.begin(), decisions_.end(), o.now,
                         [](Instant now, const TimedDecision& d) { return now < d.from; });
    if (after == decisions_.begin()) return {};
    Decision d = (after - 1)->decision;
    if (d.mode < 0) return d;
    // The mode is the stage's, and a decision ends where the stage does.
    const Stage* now = &stages_.front();
    const double done = static_cast<double>(o.learning.steps_done);
    for (const Stage& stage : stages_) {
      if (stage.from_step <= done) {
        now = &stage;
      } else {
        d.max_steps = std::max(1.0, std::ceil(stage.from_step - done));
        break;
      }
    }
    if (o.learning.looks < looks_.size()) {
      const double look = looks_[o.learning.looks];
      d.look = done >= look;
      if (done < look) d.max_steps = std::min(d.max_steps, std::ceil(look - done));
    }
    int best = -1;
    for (std::size_t m = 0; m < o.learning.modes.size(); ++m) {
      if (!allows(*now, m, o.learning.modes[m])) continue;
      if (best < 0 || o.learning.modes[m].step_energy() <
                          o.learning.modes[static_cast<std::size_t>(best)].step_energy())
        best = static_cast<int>(m);
    }
    d.mode = best;
    return d;
  }

 private:
  std::string name_;
  std::vector<TimedDecision> decisions_;
  std::vector<Stage> stages_;
  std::vector<double> looks_;
};

}  // namespace

OracleSolution solve_oracle(const OracleProblem& problem, Instant start) {
  if (problem.stages.empty() || problem.stages.front().from_step != 0)
    throw InputError("stages: the first stage starts at step 0");
  if (problem.modes.empty()) throw InputError("modes: at least one");
  if (problem.weather.empty()) throw InputError("weather: at least one slot before the deadline");
  OracleSolution solution;
  Search search(problem, legs_of(problem));
  if (search.legs().empty()) throw InputError("steps_total: must be > 0");
  trajectory(problem, start, search, solution);
  thresholds(problem, start, search, solution);
  solution.bound =
      min(relaxation(problem, search), solution.feasible ? solution.cost : kInfinity * euro);
  return solution;
}

std::unique_ptr<JobPolicy> make_replay(std::string name, std::vector<TimedDecision> decisions,
                                       std::vector<Stage> stages, std::vector<double> looks) {
  if (stages.empty()) throw InputError("stages: at least one");
  return std::make_unique<Replay>(std::move(name), std::move(decisions), std::move(stages),
                                  std::move(looks));
}

}  // namespace carnot::control
