// SPDX-License-Identifier: Apache-2.0
// carnot's own rule. A job that arrives takes at once the site, mode and times at which it costs
// least among the nodes not yet promised, at the dearer of what its energy costs there and the
// price of the last plan. At each step of the signals all jobs that wait are planned anew together
// by the price decomposition of planner.hpp, where they are in each other's way.
#include <map>
#include <utility>

#include "carnot/base/limits.hpp"
#include "carnot/plan/search/planner.hpp"

#include "control/fleet/bookings.hpp"
#include "control/fleet/rule_base.hpp"

namespace carnot::control {

namespace {

constexpr double kJoulesPerKwh = 3.6e6;
constexpr std::int64_t kMostSlots = 168;
constexpr int kIterations = 120;
constexpr std::int64_t kParts = 4;      // of a step, for which nodes are promised apart
constexpr std::size_t kMostMoved = 16;  // jobs that make room for one
constexpr Duration kRounding = Duration::nanoseconds(1000);  // of work in other modes

std::int64_t slots_for(Duration need, Duration step) {
  return (need + step - Duration::nanoseconds(1)) / step;
}

class Carnot final : public Rule {
 public:
  using Rule::Rule;

  void arrived(const World& world, JobIndex job) override {
    refresh(world);
    respond(world, job);
    wake(world);
  }
  void finished(const World&, JobIndex job) override { runs_.erase(job); }

  void tick(const World& world) override {
    refresh(world);
    replan(world);
    wake(world);
  }

 private:
  // --- what is left of a job ---
  Instant deadline(const World& world, JobIndex job) const {
    const Duration allowed = world.view.request(job).allowed;
    return allowed != kNoDeadline
               ? world.view.arrival(job) + allowed
               : world.view.eligible(job) + wait(world, job) + length(world, job);
  }
  Duration left(const World& world, JobIndex job, double speed) const {
    const Duration work = std::max(Duration{}, length(world, job) - world.view.done(job));
    if (speed == 1.0) return work;
    return Duration::from(work.time() / speed) + kRounding;
  }
  Power power(const World& world, JobIndex job, SiteIndex site, std::uint8_t mode) const {
    return world.view.nodes(job, mode) * max(Power{}, world.view.node_power(job, site, mode) -
                                                          world.view.sites()[site].node_idle);
  }
  /// Neither running nor due: its plan may still be changed.
  static bool is_free(const World& world, JobIndex job) {
    const JobStatus& status = world.view.status(job);
    return status.phase == JobPhase::Waiting && !status.in_line;
  }

  // --- prices ---
  /// EUR per joule of IT energy, step by step, before own power.
  StepCost energy_cost(const World& world, SiteIndex site, Instant from, Instant to) const {
    StepCost cost = steps(ahead(world, site, Signal::ItPrice), from, to);
    if (options().carbon_price_eur_per_t != 0) {
      const StepCost carbon = steps(ahead(world, site, Signal::ItCarbon), from, to);
      for (std::size_t i = 0; i < cost.value.size(); ++i)
        cost.value[i] += 1e-6 * options().carbon_price_eur_per_t * carbon.value[i];
    }
    return cost;
  }
  double clearing_price(SiteIndex site, Instant when) const {
    const std::int64_t t = (when - price_start_) / step_;
    if (t < 0 || t >= slots_) return -kInfinity;
    return price_[site * static_cast<std::size_t>(slots_) + static_cast<std::size_t>(t)] /
           kJoulesPerKwh;
  }

  /// Takes the cheapest site, mode and times that are free; where nothing is before its deadline,
  /// others make room if they can.
  void respond(const World& world, JobIndex job) {
    std::vector<PlannedRun> runs = cheapest(world, job);
    if (runs.empty() && make_room(world, job)) return;
    if (runs.empty()) runs = earliest(world, job);
    commit(world, job, std::move(runs));
  }

  /// Before its deadline, on nodes not yet promised; empty: there are none.
  std::vector<PlannedRun> cheapest(const World& world, JobIndex job) const {
    const Instant from = world.view.now();
    const Instant to = std::max(from, deadline(world, job));
    const bool stoppable = world.view.request(job).stoppable;
    double least = kInfinity;
    std::vector<PlannedRun> best;
    for (SiteIndex s = 0; s < world.view.sites().size(); ++s) {
      const SiteState& site = world.view.sites()[s];
      const StepCost energy = energy_cost(world, s, from, to);
      const StepCost own = steps(ahead(world, s, Signal::OwnPower), from, to);
      for (std::size_t m = 0; m < world.view.modes(job).size(); ++m) {
        const auto mode = static_cast<std::uint8_t>(m);
        const std::int32_t nodes = world.view.nodes(job, mode);
        const double watts = power(world, job, s, mode).in(watt);
        StepCost cost{energy.start, bookings_.step(), {}};
        for (std::size_t i = 0; i < kParts * energy.value.size(); ++i) {
          double& value = cost.value.emplace_back(energy.value[i / kParts]);
          const Instant when = cost.start + cost.step * static_cast<std::int64_t>(i);
          const std::int32_t booked = bookings_.at(s, bookings_.slot(when));
          if (booked + nodes > site.nodes_up) {
            value = kInfinity;
            continue;
          }
          const double need = watts * site.pue;
          const double spare = own.value[i / kParts] - site.pue * base_watts(site, booked);
          if (value > 0 && need > 0) value *= 1.0 - std::clamp(spare / need, 0.0, 1.0);
          value = watts * std::max(value, clearing_price(s, when));
        }
        const Timing timing = cheapest_timing(cost, std::min(to, from + way(world, job, s)), to,
                                              left(world, job, world.view.modes(job)[m].speed),
                                              overhead(world), stoppable);
        const double total = timing.cost + move_eur(world, job, s);
        if (timing.pieces.empty() || total >= least) continue;
        least = total;
        best = runs_of(timing, s, mode);
      }
    }
    return best;
  }

  /// Of others whose runs are in the way those with time to spare, as few as it takes, that wait or
  /// may be stopped: moved to where they are in time all the same. False, and nothing is done, if
  /// that cannot be.
  bool make_room(const World& world, JobIndex job) {
    const Instant now = world.view.now(), to = deadline(world, job);
    if (!could_be_in_time(world, job)) return false;
    struct Other {
      JobIndex job;
      bool runs;
      Duration spare;
    };
    std::vector<Other> others;
    for (const auto& [other, runs] : runs_) {
      if (other == job || runs.back().to <= now || runs.front().from >= to) continue;
      const bool waits = is_free(world, other);
      if (!waits && (world.view.status(other).phase != JobPhase::Running ||
                     !world.view.request(other).stoppable))
        continue;
      const Duration spare =
          deadline(world, other) - now - left(world, other, 1.0) - overhead(world);
      if (spare > Duration{}) others.push_back({other, !waits, spare});
    }
    std::stable_sort(others.begin(), others.end(), [](const Other& a, const Other& b) {
      return a.runs != b.runs ? b.runs : a.spare > b.spare;
    });
    if (others.size() > kMostMoved) others.resize(kMostMoved);
    const Bookings before = bookings_;
    std::vector<PlannedRun> runs;
    std::size_t moved = 0;
    while (runs.empty() && moved < others.size()) {
      unbook(world, others[moved].job, runs_.at(others[moved].job));
      ++moved;
      runs = cheapest(world, job);
    }
    others.resize(moved);
    const Bookings freed = bookings_;
    const auto promise = [&](JobIndex who, const std::vector<PlannedRun>& its) {
      for (const PlannedRun& run : its)
        bookings_.add(run.site, run.from, run.to, world.view.nodes(who, run.mode));
    };
    promise(job, runs);
    bool all = !runs.empty();
    std::stable_sort(others.begin(), others.end(),
                     [](const Other& a, const Other& b) { return a.spare < b.spare; });
    std::vector<std::vector<PlannedRun>> theirs;
    for (std::size_t k = 0; all && k < others.size(); ++k) {
      theirs.push_back(cheapest(world, others[k].job));
      promise(others[k].job, theirs.back());
      all = !theirs.back().empty();
    }
    if (!all) {
      bookings_ = before;
      return false;
    }
    bookings_ = freed;
    for (std::size_t k = 0; k < others.size(); ++k)
      commit(world, others[k].job, std::move(theirs[k]));
    commit(world, job, std::move(runs));
    return true;
  }

  /// On an empty fleet.
  bool could_be_in_time(const World& world, JobIndex job) const {
    const Duration room = deadline(world, job) - world.view.now();
    for (SiteIndex s = 0; s < world.view.sites().size(); ++s)
      for (std::size_t m = 0; m < world.view.modes(job).size(); ++m) {
        const double speed = world.view.modes(job)[m].speed;
        if (world.view.nodes(job, static_cast<std::uint8_t>(m)) <= world.view.sites()[s].nodes_up &&
            way(world, job, s) + left(world, job, speed) + overhead(world) <= room)
          return true;
      }
    return false;
  }

  /// Too late for its deadline: the site and mode that is done first with nodes not yet promised,
  /// so that nobody else is late for it. The line of the emptiest site where a week is promised.
  std::vector<PlannedRun> earliest(const World& world, JobIndex job) const {
    const Instant from = world.view.now(), to = bookings_.start() + step_ * kMostSlots;
    std::vector<PlannedRun> best;
    for (SiteIndex s = 0; s < world.view.sites().size(); ++s)
      for (std::size_t m = 0; m < world.view.modes(job).size(); ++m) {
        const auto mode = static_cast<std::uint8_t>(m);
        const std::int32_t room = world.view.sites()[s].nodes_up - world.view.nodes(job, mode);
        StepCost cost{bookings_.start(), bookings_.step(), {}};
        for (std::int64_t i = 0; i < kMostSlots * kParts; ++i)
          cost.value.push_back(bookings_.at(s, i) <= room ? static_cast<double>(i) : kInfinity);
        const Timing timing = cheapest_timing(cost, std::min(to, from + way(world, job, s)), to,
                                              left(world, job, world.view.modes(job)[m].speed),
                                              overhead(world), world.view.request(job).stoppable);
        if (!timing.pieces.empty() && (best.empty() || timing.pieces.back().to < best.back().to))
          best = runs_of(timing, s, mode);
      }
    if (!best.empty()) return best;
    const Duration need = std::max(left(world, job, 1.0), Duration::nanoseconds(1));
    return {{from, from + need, emptiest(world, job), 0}};
  }

  static Duration overhead(const World& world) {
    return world.view.delays().start + world.view.delays().stop;
  }
  /// Until a job that has not begun can be at a site.
  static Duration way(const World& world, JobIndex job, SiteIndex site) {
    return site == world.view.status(job).site ? Duration{} : world.view.delays().move;
  }
  static std::vector<PlannedRun> runs_of(const Timing& timing, SiteIndex site, std::uint8_t mode) {
    std::vector<PlannedRun> runs;
    for (const Piece& piece : timing.pieces) runs.push_back({piece.from, piece.to, site, mode});
    return runs;
  }

  double base_watts(const SiteState& site, std::int32_t booked) const {
    return site.nodes * site.node_idle.in(watt) +
           booked * (site.node_peak - site.node_idle).in(watt);
  }
  double move_eur(const World& world, JobIndex job, SiteIndex site) const {
    return options().move_cost ? options().move_cost(world.view.request(job), site).in(euro) : 0.0;
  }
  static SiteIndex emptiest(const World& world, JobIndex job) {
    SiteIndex best = world.view.request(job).origin;
    const auto room = [&](SiteIndex s) {
      return world.view.sites()[s].nodes_free - world.view.sites()[s].nodes_due;
    };
    for (SiteIndex s = 0; s < world.view.sites().size(); ++s)
      if (world.view.sites()[s].nodes >= world.view.nodes(job, 0) && room(s) > room(best)) best = s;
    return best;
  }

  /// Books the runs and plans them: on its way in time, and told to stop in time.
  void commit(const World& world, JobIndex job, std::vector<PlannedRun> runs) {
    for (const PlannedRun& run : runs)
      bookings_.add(run.site, run.from, run.to, world.view.nodes(job, run.mode));
    runs_[job] = runs;
    for (PlannedRun& run : runs)
      run.to = std::max(run.from + Duration::nanoseconds(1), run.to - world.view.delays().stop);
    runs.front().from =
        std::max(world.view.now(), runs.front().from - way(world, job, runs.front().site));
    world.commands.plan(job, runs);
  }

  // --- the hour ---
  /// Bookings from this step on, as jobs stand now.
  void refresh(const World& world) {
    const ForecastView view = ahead(world, 0, Signal::Price);
    const Instant edge = view.start + view.step * ((world.view.now() - view.start) / view.step);
    if (started_ && bookings_.start() == edge) return;
    started_ = true;
    step_ = view.step;
    bookings_ = Bookings(edge, Duration::nanoseconds(step_.nanoseconds() / kParts),
                         std::vector<std::vector<std::int32_t>>(world.view.sites().size()));
    for (const auto& [job, runs] : runs_) book(world, job, runs);
  }
  void book(const World& world, JobIndex job, const std::vector<PlannedRun>& runs) {
    const JobStatus& status = world.view.status(job);
    const Instant now = world.view.now();
    for (const PlannedRun& run : runs)
      bookings_.add(run.site, std::max(run.from, now), run.to, world.view.nodes(job, run.mode));
    // Late for its plan, or longer than thought: it holds or wants nodes all the same.
    if (is_free(world, job) || runs.back().to > now) return;
    const Instant end = status.in_line ? now + left(world, job, 1.0) : world.view.expected_end(job);
    bookings_.add(status.site, now, std::max(end, now + Duration::nanoseconds(1)),
                  world.view.nodes(job, status.mode));
  }
  void unbook(const World& world, JobIndex job, const std::vector<PlannedRun>& runs) {
    for (const PlannedRun& run : runs)
      bookings_.add(run.site, std::max(run.from, world.view.now()), run.to,
                    -world.view.nodes(job, run.mode));
  }

  /// True where somebody is in somebody's way: own power to share, or a site full at some time.
  bool is_contended(const World& world) const {
    for (SiteIndex s = 0; s < world.view.sites().size(); ++s) {
      const ForecastView own = ahead(world, s, Signal::OwnPower);
      if (*std::max_element(own.mean.begin(), own.mean.end()) > 0) return true;
      for (std::int64_t t = 0; t < kMostSlots; ++t)
        if (10 * booked(s, t) >= 9 * world.view.sites()[s].nodes_up) return true;
    }
    return false;
  }

  /// Most nodes promised at once in a step from the first of the bookings on.
  std::int32_t booked(SiteIndex site, std::int64_t slot) const {
    std::int32_t most = 0;
    for (std::int64_t part = 0; part < kParts; ++part)
      most = std::max(most, bookings_.at(site, slot * kParts + part));
    return most;
  }

  void replan(const World& world) {
    std::vector<JobIndex> jobs;
    for (const auto& [job, runs] : runs_)
      if (is_free(world, job) && runs.front().from >= world.view.now()) jobs.push_back(job);
    const bool together = is_contended(world);
    if (jobs.empty() || (!together && knowledge().future)) return;
    for (const JobIndex job : jobs) unbook(world, job, runs_.at(job));
    if (together) jobs = plan_together(world, jobs);
    for (const JobIndex job : jobs) {
      options().stop.throw_if_requested();
      respond(world, job);
    }
  }

  plan::Problem problem(const World& world, std::int32_t slots) const;
  std::vector<JobIndex> plan_together(const World& world, const std::vector<JobIndex>& jobs);
  bool take(const World& world, JobIndex job, SiteIndex site, std::uint8_t mode,
            const std::vector<std::int32_t>& slots);

  void wake(const World& world) {
    if (runs_.empty()) return;
    const Instant next = bookings_.start() + step_;
    if (next == asked_) return;
    asked_ = next;
    world.commands.wake_at(next);
  }

  void save_state(StateWriter& state) const override;
  void restore_state(StateReader& state) override;

  std::map<JobIndex, std::vector<PlannedRun>> runs_;  // of jobs that are not finished
  Bookings bookings_;
  Duration step_;  // of the signals
  bool started_ = false;
  std::vector<double> price_;  // [site x slots], EUR per kWh of IT energy
  std::int64_t slots_ = 0;
  Instant price_start_, asked_;
};

plan::Problem Carnot::problem(const World& world, std::int32_t slots) const {
  plan::Problem problem;
  problem.slot_s = step_.time().in(second);
  problem.slots = slots;
  problem.carbon_price_eur_per_t = options().carbon_price_eur_per_t;
  const Instant from = bookings_.start(), to = from + step_ * slots;
  for (SiteIndex s = 0; s < world.view.sites().size(); ++s) {
    const SiteState& state = world.view.sites()[s];
    plan::PlanSite site;
    site.name = state.name;
    site.price_eur_per_kwh = steps(ahead(world, s, Signal::Price), from, to).value;
    site.carbon_g_per_kwh = steps(ahead(world, s, Signal::Carbon), from, to).value;
    const StepCost it_carbon = steps(ahead(world, s, Signal::ItCarbon), from, to);
    const StepCost own = steps(ahead(world, s, Signal::OwnPower), from, to);
    const double node_kw = (state.node_peak - state.node_idle).in(kilowatt);
    for (std::size_t t = 0; t < static_cast<std::size_t>(slots); ++t) {
      const std::int32_t booked = this->booked(s, static_cast<std::int64_t>(t));
      const double carbon = site.carbon_g_per_kwh[t];
      site.pue.push_back(carbon > 0 ? std::max(1.0, it_carbon.value[t] / carbon) : state.pue);
      site.capacity_kw.push_back(std::max(1e-9, (state.nodes_up - booked) * node_kw));
      site.free_kw.push_back(
          std::max(0.0, 1e-3 * (own.value[t] - site.pue[t] * base_watts(state, booked))));
      site.price_eur_per_kwh[t] *= kJoulesPerKwh;
      site.carbon_g_per_kwh[t] *= kJoulesPerKwh;
      site.grid_limit_kw.push_back(kInfinity);
    }
    problem.sites.push_back(std::move(site));
  }
  return problem;
}

/// Plans the jobs whose windows hold whole steps enough; returns the others, and those for which
/// the plan had no place.
std::vector<JobIndex> Carnot::plan_together(const World& world, const std::vector<JobIndex>& jobs) {
  const Instant now = bookings_.start();
  const Duration step = step_;
  std::vector<JobIndex> together, others;
  std::int64_t slots = 0;
  for (const JobIndex job : jobs) {
    const std::int64_t window = std::min(kMostSlots, (deadline(world, job) - now) / step);
    const std::int64_t need = slots_for(left(world, job, 1.0) + overhead(world), step);
    const bool fits = world.view.request(job).stoppable && need >= 1 && need <= window;
    (fits ? together : others).push_back(job);
    if (fits) slots = std::max(slots, window);
  }
  if (together.empty()) return others;

  plan::Problem problem = this->problem(world, static_cast<std::int32_t>(slots));
  std::vector<std::vector<std::uint8_t>> mode_of(together.size());  // those that fit
  for (std::size_t i = 0; i < together.size(); ++i) {
    const JobIndex job = together[i];
    const std::int64_t window = std::min(kMostSlots, (deadline(world, job) - now) / step);
    std::vector<plan::PlanMode> modes;
    double most_kwh = 0;
    for (std::size_t m = 0; m < world.view.modes(job).size(); ++m) {
      const std::int64_t need =
          slots_for(left(world, job, world.view.modes(job)[m].speed) + overhead(world), step);
      if (need > window) continue;
      const auto mode = static_cast<std::uint8_t>(m);
      const double kw = power(world, job, world.view.request(job).origin, mode).in(kilowatt);
      modes.push_back({static_cast<std::int32_t>(need), kw, 0.0});
      mode_of[i].push_back(mode);
      most_kwh = std::max(most_kwh, kw * static_cast<double>(need) * problem.slot_h());
    }
    std::vector<std::uint32_t> allowed;
    std::vector<double> moves;
    for (SiteIndex s = 0; s < world.view.sites().size(); ++s) {
      if (world.view.sites()[s].nodes >= world.view.nodes(job, 0)) allowed.push_back(s);
      moves.push_back(move_eur(world, job, s));
    }
    constexpr double kDear = 100.0;  // EUR per kWh: above any price that energy has
    problem.jobs.add(std::to_string(job), 0, static_cast<std::int32_t>(window),
                     1.0 + kDear * most_kwh, modes, plan::kNone, 0.0, allowed, moves);
  }
  plan::PlannerOptions planner;
  planner.threads = 1;
  planner.iterations = kIterations;
  planner.rounds = 0;
  planner.tighten = false;  // nobody asks for the bound of an hour
  planner.stop = options().stop;
  const plan::Plan plan = plan::plan_large(problem, planner);
  options().stop.throw_if_requested();
  price_ = plan.price;
  price_start_ = now;
  slots_ = slots;
  for (std::size_t i = 0; i < together.size(); ++i)
    if (plan.jobs[i].site == plan::kNone ||
        !take(world, together[i], plan.jobs[i].site, mode_of[i][plan.jobs[i].mode],
              plan.jobs[i].slots))
      others.push_back(together[i]);
  std::sort(others.begin(), others.end());
  return others;
}

/// Turns slots into runs; the part of a step that is not needed is left out of the dearest one.
bool Carnot::take(const World& world, JobIndex job, SiteIndex site, std::uint8_t mode,
                  const std::vector<std::int32_t>& slots) {
  const StepCost cost =
      energy_cost(world, site, bookings_.start(), bookings_.start() + step_ * (slots.back() + 1));
  StepCost wanted = cost;
  wanted.value.assign(cost.value.size(), kInfinity);
  for (const std::int32_t slot : slots) {
    if (booked(site, slot) + world.view.nodes(job, mode) > world.view.sites()[site].nodes_up)
      return false;
    const auto t = static_cast<std::size_t>(slot);
    wanted.value[t] = cost.value[t];
  }
  const Instant end = wanted.start + step_ * static_cast<std::int64_t>(wanted.value.size());
  const Timing timing =
      cheapest_timing(wanted, std::min(end, bookings_.start() + way(world, job, site)), end,
                      left(world, job, world.view.modes(job)[mode].speed), overhead(world), true);
  if (timing.pieces.empty()) return false;
  commit(world, job, runs_of(timing, site, mode));
  return true;
}

void Carnot::save_state(StateWriter& state) const {
  state.value(runs_.size());
  for (const auto& [job, runs] : runs_) {
    state.value(job);
    state.sequence(runs);
  }
  state.value(started_);
  state.value(bookings_.start());
  state.value(bookings_.step());
  state.value(step_);
  state.value(bookings_.rows().size());
  for (const std::vector<std::int32_t>& row : bookings_.rows()) state.sequence(row);
  state.sequence(price_);
  state.value(slots_);
  state.value(price_start_);
  state.value(asked_);
}

void Carnot::restore_state(StateReader& state) {
  runs_.clear();
  for (auto n = state.value<std::size_t>(); n > 0; --n) {
    const auto job = state.value<JobIndex>();
    runs_[job] = state.sequence<PlannedRun>();
  }
  started_ = state.value<bool>();
  const auto start = state.value<Instant>();
  const auto part = state.value<Duration>();
  step_ = state.value<Duration>();
  std::vector<std::vector<std::int32_t>> rows;
  for (auto n = state.value<std::size_t>(); n > 0; --n)
    rows.push_back(state.sequence<std::int32_t>());
  bookings_ = Bookings(start, part, std::move(rows));
  price_ = state.sequence<double>();
  slots_ = state.value<std::int64_t>();
  price_start_ = state.value<Instant>();
  asked_ = state.value<Instant>();
}

}  // namespace

std::unique_ptr<Policy> make_carnot(std::string name, Knowledge knowledge,
                                    const FleetPolicyOptions& options) {
  return make_rule<Carnot>(std::move(name), knowledge, options);
}

}  // namespace carnot::control
