// SPDX-License-Identifier: Apache-2.0
#include "carnot/train/training_world.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/state_bytes.hpp"
#include "carnot/control/training/foresight.hpp"
#include "carnot/learn/learners/learners.hpp"

#include "train/paid_work.hpp"

namespace carnot::train {

namespace {

constexpr std::size_t kCurveRows = 2000;    // of the held-out ones, for points of that curve
constexpr std::uint64_t kCurvePoints = 12;  // of quality along the schedule, for reports
constexpr int kLooksPerSchedule = 16;       // when stopping early is allowed

Forecaster make_forecaster(const std::optional<TraceCore>& history,
                           const std::optional<TraceCore>& document, double low, double high,
                           double prior_sd) {
  Forecaster::Options options;
  options.low = low;
  options.high = high;
  options.prior_sd = prior_sd;
  return Forecaster(options, history, document);
}

/// Sixteen, at (i + 1/2) / 16.
std::vector<double> quantiles(std::span<const double> values) {
  constexpr std::size_t kCount = 16;
  std::vector<double> sorted(values.begin(), values.end());
  std::erase_if(sorted, [](double v) { return !std::isfinite(v); });
  if (sorted.empty()) return {};
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> out;
  for (std::size_t i = 0; i < kCount; ++i)
    out.push_back(sorted[(2 * i + 1) * sorted.size() / (2 * kCount)]);
  return out;
}

}  // namespace

struct TrainingWorld::Implementation final : control::View, private control::Commands {
  Implementation(const site::Scenario& s, const Environment& e, const Job& j, learn::Learner& l,
                 const learn::Dataset& h, const learn::EnergyTable& t, Clock& c, EntrySink out)
      : scenario(s),
        environment(e),
        job(j),
        learner(l),
        held_out(h),
        clock(c),
        sink(std::move(out)),
        site(options_of(s)),
        most_quality(s.objective.most_quality()),
        work(j, l, h, t, s.work.minimum_quality, most_quality),
        power(make_forecaster(e.power_history, e.power_forecast, 0.0, e.capacity.in(watt), 0.0)),
        price(make_forecaster(e.price_history, {}, -1e300, 1e300,
                              (30.0 * euro_per_megawatt_hour).base())),
        carbon(make_forecaster(e.carbon_history, {}, 0.0, 1e300,
                               (60.0 * gram_per_kilowatt_hour).base())),
        next_look(look_interval()),
        next_point(curve_interval()),
        steps_per_pass(static_cast<double>(l.total_steps()) / s.work.epochs) {
    now_ = begin_ = e.start;
    slot_ = e.slot;
    site_state.name = s.name;
    site_state.nodes = site_state.nodes_up = static_cast<std::int32_t>(s.site.hall.nodes);
    site_state.node_peak = s.site.hall.node_peak;
    site_state.node_idle = s.site.hall.node_idle;
    request.allowed = e.end() - e.start;
    request.estimate = Duration::from(static_cast<double>(l.total_steps()) /
                                      j.modes.front().steps_per_second * second);
    request.nodes = site_state.nodes;
    request.origin = 0;
    status.site = 0;
    status.phase = control::JobPhase::Running;
    status.since = status.first_start = e.start;
    site_state.running = 1;
    site_state.it = site_state.facility = Power::from_base(kNaN);
    if (e.power_history) usual_total = quantiles(e.power_history->mean());
    site_state.usual_total = usual_total;
    sites_ = {&site_state, 1};
    arrived_ = {&request, 1};
    status_ = {&status, 1};
    mode_sets_ = {&job_modes, 1};
    for (const site::Mode& mode : j.modes)
      job_modes.push_back({0, mode.steps_per_second / j.modes.front().steps_per_second,
                           mode.power(1.0) / j.modes.front().power(1.0)});
  }

  const site::Scenario& scenario;
  const Environment& environment;
  const Job& job;
  learn::Learner& learner;
  const learn::Dataset& held_out;
  Clock& clock;
  EntrySink sink;
  StopToken stop;

  site::SiteSimulator site;
  bool most_quality;  // the deadline ends the job, its last look is paid for beforehand
  PaidWork work;
  Forecaster power, price, carbon;
  ForecastView power_view, price_view, carbon_view;

  // What the view shows.
  std::vector<double> usual_total;
  control::SiteState site_state;
  control::LearningState learning_state;
  JobRequest request;
  control::JobStatus status;
  std::vector<JobMode> job_modes;  // parallel to job.modes
  control::Decision decision;      // as commanded last

  std::size_t slot = 0;
  bool begun = false;
  bool ended = false;
  std::uint64_t next_look;   // steps at which to evaluate when stopping early is allowed
  std::uint64_t next_point;  // steps at which a point of the quality curve is due
  double steps_per_pass;
  Energy bought;  // grid energy
  std::vector<Energy> entry_costs;
  std::uint64_t needed_for =
      std::numeric_limits<std::uint64_t>::max();  // looks that the view knows
  std::string mode_name;
  site::Flows flows;
  Energy energy, own;
  learn::Counters recorded;   // what slots' entries tell of so far
  learn::Dataset curve_rows;  // a part of held_out
  LaneOutcome result;

  /// Without purchases there is no grid.
  static site::SiteOptions options_of(const site::Scenario& s) {
    site::SiteOptions options = s.site;
    if (s.objective.most_quality() && s.objective.purchases <= Energy{})
      options.import_limit = Power{};
    return options;
  }

  Energy purchases_left() const {
    return most_quality ? max(Energy{}, scenario.objective.purchases - bought)
                        : Energy::from_base(kInfinity);
  }

  /// What may still be bought must last for `length`: no decision and no standby can overdraw it.
  void limit_imports(Duration length) {
    const Power most =
        min(scenario.site.import_limit, (1.0 - 1e-9) * purchases_left() / length.time());
    if (most == site.options().import_limit) return;
    site::SiteOptions options = site.options();
    options.import_limit = most;
    const Energy charge = site.battery_energy();
    site = site::SiteSimulator(std::move(options));
    site.restore_battery(charge);
  }

  std::uint64_t look_interval() const {
    return scenario.work.stop_when_certified
               ? std::max<std::uint64_t>(1, learner.total_steps() / kLooksPerSchedule)
               : std::numeric_limits<std::uint64_t>::max();
  }

  std::uint64_t curve_interval() const {
    return std::max<std::uint64_t>(1, learner.total_steps() / kCurvePoints);
  }

  /// A point of the quality curve: for the report's eyes only. Not charged, not seen by any policy,
  /// no look of the certificate; its counts are kept apart.
  void draw_point() {
    // Never the very rows of a look: it pays for its own copy of them.
    if (curve_rows.rows == 0)
      curve_rows = learn::few_rows(
          held_out, std::min(kCurveRows, std::max<std::size_t>(held_out.rows, 2) - 1));
    const learn::Quality q = evaluated_for_report(curve_rows);
    ledger::Evaluation evaluation;
    evaluation.at = now_;
    evaluation.steps = learner.steps_done();
    evaluation.metric = q.metric;
    evaluation.value = evaluation.low = evaluation.high = q.value;
    sink(evaluation);
  }

  Instant slot_start(std::size_t i) const {
    return environment.start + environment.slot * static_cast<std::int64_t>(i);
  }

  const site::Weather& weather() const { return environment.weather[slot]; }

  /// The past that this slot adds once it is over; forecasts never see more.
  void observe_past(std::size_t i) {
    const site::Weather& w = environment.weather[i];
    power.observe(slot_start(i), environment.slot, w.total.in(watt));
    price.observe(slot_start(i), environment.slot, w.price.base());
    carbon.observe(slot_start(i), environment.slot, w.carbon.base());
  }

  void set_now(Instant now) { now_ = now; }

  /// Brings the view up to now.
  void look() {
    const std::size_t last = slot == 0 ? 0 : slot - 1;
    const site::SiteOptions& options = scenario.site;
    const site::Weather& past = environment.weather[last];
    control::SiteState& o = site_state;
    // Before the first slot the last known value is the history's end.
    o.total = slot > 0                    ? environment.weather[last].total
              : environment.power_history ? environment.power_history->mean().back() * watt
                                          : Power{};
    o.export_first = options.computing_uses == site::ComputingUses::Curtailed
                         ? min(options.export_limit, weather().export_limit)
                         : Power{};
    o.own = o.available(o.total);
    o.grid_limit = purchases_left() > Energy{} ? options.import_limit : Power{};
    o.purchases_left = purchases_left();
    o.stored = options.battery.discharge_efficiency * site.battery_energy();
    o.sellable = options.computing_uses == site::ComputingUses::AllOwn
                     ? min(options.export_limit, weather().export_limit)
                     : Power{};
    o.pue = options.hall.pue(past.outside, 1.0);
    o.outside = past.outside;
    o.standby =
        options.hall.facility_power(options.hall.nodes * options.hall.node_suspended, past.outside);
    o.price = weather().price;
    o.export_price = weather().export_price;
    o.carbon = slot > 0 ? past.carbon
               : environment.carbon_history
                   ? CarbonIntensity::from_base(environment.carbon_history->mean().back())
                   : past.carbon;
    if (now_ == slot_start(slot)) {
      // Only at slot starts, so that a resumed run remakes each forecast at the same instants.
      power_view = power.forecast(now_);
      price_view = price.forecast(now_);
      carbon_view = carbon.forecast(now_);
    }
    control::LearningState& l = learning_state;
    l.modes = job.modes;
    l.steps_done = learner.steps_done();
    l.steps_total = learner.total_steps();
    l.overhead = job.trainings * (work.due() + work.last_look(result.schedule_done) - work.paid());
    if (!most_quality) l.overhead = max(Energy{}, l.overhead);
    entry_costs.clear();
    for (std::size_t m = 0; m < job.modes.size(); ++m)
      entry_costs.push_back(job.trainings * work.entry(static_cast<int>(m)));
    l.entry_costs = entry_costs;
    l.mode_now = work.mode_now();
    l.smoothed_loss = learner.smoothed_loss();
    l.remaining_learning = learner.remaining_learning();
    l.phase = learner.schedule().phase(learner.steps_done());
    l.steps_per_pass = steps_per_pass;
    l.noise = work.noise();
    l.noise_measured_at = work.noise_measured_at();
    l.training_quality = learner.training_quality();
    const learn::Certificate& certificate = work.certificate();
    if (certificate.state().looks != needed_for) {
      needed_for = certificate.state().looks;
      l.needed = certificate.needed(held_out.rows, held_out.is_regression());
      l.needed_after = certificate.needed(held_out.rows, held_out.is_regression(), 1);
    }
    l.regression = held_out.is_regression();
    l.held_out_rows = held_out.rows;
    l.looks = certificate.state().looks;
    l.look_quality = result.evaluated ? result.quality.value : kNaN;
    l.looked_at = work.looked_at();
    l.look_energy = job.trainings * work.repeated_look();
    if (l.measure_energy <= Energy{}) l.measure_energy = job.trainings * work.noise_measurement();
    status.mode = static_cast<std::uint8_t>(std::max(work.mode_now(), 0));
  }

  /// In time of the first mode.
  Duration work_done() const {
    return Duration::from(static_cast<double>(learner.steps_done()) /
                          job.modes.front().steps_per_second * second);
  }

  bool step(control::Policy& policy) {
    if (ended) return false;
    const control::World world{*this, *this};
    look();
    if (!begun) {
      begun = true;
      policy.begin(world);
      policy.arrived(world, 0);
    }
    policy.tick(world);
    act();
    if (ended) {
      learning_state.steps_done = learner.steps_done();
      status.phase = control::JobPhase::Finished;
      status.since = now_;
      policy.finished(world, 0);
    }
    return !ended;
  }

  // control::Commands
  void follow(control::JobIndex which, const control::Decision& asked) override {
    CARNOT_CHECK(which == 0, "there is one job");
    CARNOT_CHECK(asked.mode < static_cast<int>(job.modes.size()), "mode out of range");
    decision = asked;
  }

  // control::View
  control::JobIndex first_waiting() const override { return control::JobIndex::none(); }
  control::JobIndex next_waiting(control::JobIndex) const override {
    return control::JobIndex::none();
  }
  control::JobIndex first_running(control::SiteIndex) const override {
    return ended ? control::JobIndex::none() : control::JobIndex(0);
  }
  control::JobIndex next_running(control::JobIndex) const override {
    return control::JobIndex::none();
  }
  Energy battery_now(control::SiteIndex) const override { return site.battery_energy(); }
  ForecastView forecast_of(control::SiteIndex, control::Signal signal) const override {
    switch (signal) {
      case control::Signal::TotalPower:
        return power_view;
      case control::Signal::Price:
        return price_view;
      case control::Signal::Carbon:
        return carbon_view;
      default:
        return {};
    }
  }
  Power node_power_of(control::JobIndex, control::SiteIndex, std::uint8_t mode) const override {
    return job.modes[mode].power(1.0) / scenario.site.hall.nodes;
  }
  Duration done_of(control::JobIndex) const override { return work_done(); }
  Instant expected_end_of(control::JobIndex) const override {
    const auto m = static_cast<std::size_t>(std::max(work.mode_now(), 0));
    return now_ + Duration::from(steps_left() / job.modes[m].steps_per_second * second);
  }
  const control::LearningState* learning_of(control::JobIndex) const override {
    return &learning_state;
  }

  void tell(const Look& look) {
    result.quality = look.quality;
    result.evaluated = true;
    result.certificate = look.certificate;
    result.certified = look.certificate.certified;
    ledger::Evaluation evaluation;
    evaluation.at = now_;
    evaluation.steps = learner.steps_done();
    evaluation.metric = result.quality.metric;
    evaluation.value = result.quality.value;
    evaluation.low = result.certificate.lower_bound;
    evaluation.high = result.certificate.upper_bound;
    evaluation.certified = result.certified;
    sink(evaluation);
  }

  double steps_left() const {
    return static_cast<double>(learner.total_steps() - learner.steps_done());
  }

  /// Carries out the decision until the slot ends, its steps are done or the job ends.
  void act() {
    if (decision.schedule_steps > learner.steps_done() &&
        decision.schedule_steps != learner.total_steps())
      learner.set_schedule(
          learner.schedule().fitted(learner.steps_done(), decision.schedule_steps));
    if (decision.measure_noise && steps_left() > 0) work.ask_noise();
    if (decision.look && !result.certified && steps_left() > 0 &&
        learner.steps_done() > work.looked_at())
      work.ask_look();
    const Duration left = slot_start(slot + 1) - now_;
    if (most_quality) limit_imports(left);
    site::Demand demand;
    demand.grid_allowance = decision.grid_allowance;
    demand.use_battery = decision.use_battery;
    demand.throttle = decision.throttle;
    Duration length = left;
    double most_steps = 0.0;
    const bool something_due = work.something_due();
    const bool wants = decision.mode >= 0 && (steps_left() > 0 || something_due);
    if (wants) {
      const auto m = static_cast<std::size_t>(decision.mode);
      demand.mode = &job.modes[m];
      const double until_look = next_look > learner.steps_done()
                                    ? static_cast<double>(next_look - learner.steps_done())
                                    : 1.0;
      if (!something_due)
        most_steps = std::min({std::max(1.0, decision.max_steps), steps_left(), until_look});
      const double lacking = work.lacking(decision.mode, most_steps) / job.step_energy[m];
      length = time_for(std::max(0.0, lacking), demand, left);
    }
    flows = site.advance(weather(), demand, length.time());
    now_ = now_ + length;
    clock.advance_to(now_);

    const bool ran = wants && flows.steps > 0.0;
    mode_name = ran ? demand.mode->name : std::string();
    if (ran) {
      const Energy drawn = flows.steps * job.step_energy[static_cast<std::size_t>(decision.mode)];
      if (const auto look = work.carry_out(drawn, decision.mode, most_steps, stop)) tell(*look);
    }
    record(length);
    if (now_ >= slot_start(slot + 1)) {
      observe_past(slot);
      ++slot;
    }
    finish_if_due();
  }

  /// How long until `wanted` steps are done; `left` if they will not be. Copies of the site tell.
  /// A battery gives more power for a shorter time, so the rate depends on the length.
  Duration time_for(double wanted, const site::Demand& demand, Duration left) const {
    const auto steps_in = [&](Duration length) {
      site::SiteSimulator trial = site;
      return trial.advance(weather(), demand, length.time()).steps;
    };
    // One nanosecond more than needed, so that the last step is whole.
    const auto at_rate = [&](double steps, Duration length) {
      return Duration::nanoseconds(
          1 + static_cast<std::int64_t>(
                  std::ceil(wanted / steps * static_cast<double>(length.nanoseconds()))));
    };
    const double most = steps_in(left);
    if (most <= 0.0 || wanted > most) return left;
    Duration high = std::min(left, at_rate(most, left));
    const double steps = steps_in(high);
    if (steps <= wanted + kStepSlack || steps <= 0.0) return high;
    Duration low = std::min(high, at_rate(steps, high));
    if (steps_in(low) >= wanted) return low;
    while (high - low > Duration::nanoseconds(1)) {
      const Duration middle = Duration::nanoseconds((low.nanoseconds() + high.nanoseconds()) / 2);
      (steps_in(middle) < wanted ? low : high) = middle;
    }
    return high;
  }

  void record(Duration length) {
    const Time h = length.time();
    ledger::SlotEntry entry;
    entry.start = now_ - length;
    entry.length = length;
    entry.total = flows.total * h;
    entry.exported = flows.exported * h;
    entry.own_used = flows.own_used * h;
    entry.charged = flows.charged * h;
    entry.discharged = flows.discharged * h;
    entry.grid = flows.grid * h;
    entry.curtailed = flows.curtailed * h;
    entry.facility = flows.facility * h;
    entry.battery_charge = flows.battery_energy;
    entry.battery_loss = flows.battery_loss;
    entry.carbon = entry.grid * weather().carbon;
    entry.cost = control::slot_cost(flows, weather(), scenario.site, scenario.objective, h);
    entry.mode = mode_name;
    entry.throttle = flows.throttle;
    entry.steps = learner.steps_done();
    // Noise measured before the steps and a look after the last ones belong to it as well.
    const learn::Counters of_job = learner.counters() - result.instrument;
    const learn::Counters counted = of_job - recorded;
    recorded = of_job;
    std::uint64_t operations = 0, bytes = 0;
    for (const std::uint64_t n : counted.operations) operations += n;
    for (const std::uint64_t n : counted.bytes) bytes += n;
    entry.operations = static_cast<double>(operations) * operation;
    entry.bytes_moved = static_cast<double>(bytes) * byte;
    entry.loss = learner.smoothed_loss();
    entry.noise_share = work.noise().empty() || work.mode_now() < 0
                            ? kNaN
                            : work.noise()[static_cast<std::size_t>(work.mode_now())].update;
    entry.cap_violation = flows.cap_violation;
    energy += entry.facility;
    own += entry.own_used;
    bought += entry.grid;
    sink(entry);
  }

  /// At nobody's charge.
  void look_for_report() {
    result.quality = evaluated_for_report(held_out);
    result.evaluated = true;
    result.certificate = work.judge(result.quality);  // for its interval
  }

  learn::Quality evaluated_for_report(const learn::Dataset& rows) {
    const learn::Counters before = learner.counters();
    const learn::Quality quality = learner.evaluate(rows, work.precision());
    result.instrument += learner.counters() - before;
    return quality;
  }

  void finish_if_due() {
    if (learner.diverged() && !result.schedule_done) {
      // Nothing more can come of it: no joule is spent on going on or on certifying.
      result.schedule_done = true;
      look_for_report();
      return end("the training diverged: a lower learning rate, or more bits");
    }
    if (steps_left() > 0 && learner.steps_done() >= next_point) {
      draw_point();
      while (next_point <= learner.steps_done()) next_point += curve_interval();
    }
    if (steps_left() <= 0) {
      if (!result.schedule_done) {
        result.schedule_done = true;
        most_quality ? tell(work.take_look()) : work.ask_look();
      }
      if (!work.look_is_due())
        end(result.certified ? "the schedule is done and the minimum quality is certified"
                             : "the schedule is done; the minimum quality is not certified");
    } else if (learner.steps_done() >= next_look && !result.certified) {
      next_look += look_interval();
      if (4 * learner.steps_done() >= learner.total_steps()) work.ask_look();
    }
    if (!ended && result.certified) end("the minimum quality is certified");
    if (!ended && most_quality && slot >= environment.weather.size() && learner.steps_done() > 0) {
      // What has been learned by now is the answer; its look was paid for beforehand. What was
      // drawn besides, towards a copy or a step that did not come about, is void.
      tell(work.take_look());
      result.deadline_passed = !result.certified;
      return end(fmt::format("the deadline, {:.0f} % of the way through the schedule",
                             100.0 * learner.schedule().phase(learner.steps_done())));
    }
    if (!ended && slot >= environment.weather.size()) {
      // The job is over; what it had learned is measured for the report.
      if (learner.steps_done() > 0) look_for_report();
      result.certified = false;
      result.deadline_passed = true;
      end("the deadline passed");
    }
  }

  void end(std::string why) {
    ended = true;
    result.owed = job.trainings * max(Energy{}, Energy{} - work.paid());
    result.unused = job.trainings * max(Energy{}, work.paid());
    result.stopped = std::move(why);
    result.duration = (now_ - environment.start).time();
  }
};

TrainingWorld::TrainingWorld(const site::Scenario& scenario, const Environment& environment,
                             const Job& job, learn::Learner& learner,
                             const learn::Dataset& held_out, const learn::EnergyTable& table,
                             Clock& clock, EntrySink sink)
    : implementation_(std::make_unique<Implementation>(scenario, environment, job, learner,
                                                       held_out, table, clock, std::move(sink))) {}
TrainingWorld::~TrainingWorld() = default;

void TrainingWorld::omit_quality_curve() {
  implementation_->next_point = std::numeric_limits<std::uint64_t>::max();
}

bool TrainingWorld::over() const { return implementation_->ended; }
Instant TrainingWorld::now() const { return implementation_->now(); }
bool TrainingWorld::step(control::Policy& policy) { return implementation_->step(policy); }
LaneOutcome TrainingWorld::outcome() const { return implementation_->result; }
void TrainingWorld::stop_at(StopToken stop) { implementation_->stop = std::move(stop); }
const control::View& TrainingWorld::view() {
  if (!implementation_->ended) implementation_->look();
  return *implementation_;
}

LaneProgress TrainingWorld::progress() const {
  const Implementation& i = *implementation_;
  LaneProgress p;
  p.now = i.now();
  p.steps_done = i.learner.steps_done();
  p.share_done = static_cast<double>(p.steps_done) /
                 static_cast<double>(std::max<std::uint64_t>(1, i.learner.total_steps()));
  p.energy = i.energy;
  p.own = i.own;
  p.own_power = i.flows.total;
  p.throttle = i.flows.throttle;
  p.mode = i.mode_name;
  return p;
}

std::vector<std::uint8_t> TrainingWorld::save() const {
  const Implementation& i = *implementation_;
  const PaidWorkState work = i.work.state();
  StateWriter w;
  w.value(i.now().unix_nanoseconds());
  w.value<std::uint64_t>(i.slot);
  w.value(work.paid.base());
  w.value(work.noise_due);
  w.value(work.look_due);
  w.sequence(work.held_copies);
  w.value(i.next_look);
  w.value(i.next_point);
  w.value(i.result.instrument);
  w.sequence(work.noise);
  w.value(work.noise_measured_at);
  w.value(work.looked_at);
  w.value(work.mode_now);
  w.value(i.energy.base());
  w.value(i.own.base());
  w.value(i.site.battery_energy().base());
  w.value(work.looks);
  w.value(i.result.schedule_done);
  w.value(i.result.certified);
  w.value(i.result.evaluated);
  w.text(i.result.quality.metric);
  w.value(i.result.quality.value);
  w.value(i.result.quality.trials);
  w.value(i.result.quality.successes);
  w.value(i.result.quality.bits_per_label);
  w.value(i.result.certificate);
  w.value(i.recorded);
  if (i.most_quality) {
    const learn::Schedule schedule = i.learner.schedule();
    w.value(schedule.steps);
    w.value(schedule.from_step);
    w.value(schedule.from_phase);
    w.value(i.bought.base());
  }
  w.sequence(i.learner.save());
  return w.take();
}

void TrainingWorld::restore(const std::vector<std::uint8_t>& state) {
  Implementation& i = *implementation_;
  StateReader r(state);
  i.set_now(Instant::from_unix_nanoseconds(r.value<std::int64_t>()));
  const auto slot = static_cast<std::size_t>(r.value<std::uint64_t>());
  if (slot > i.environment.weather.size())
    throw InputError("checkpoint: its slot lies beyond the deadline of this scenario");
  PaidWorkState work;
  work.paid = Energy::from_base(r.value<double>());
  work.noise_due = r.value<bool>();
  work.look_due = r.value<bool>();
  work.held_copies = r.sequence<int>();
  i.next_look = r.value<std::uint64_t>();
  i.next_point = r.value<std::uint64_t>();
  i.result.instrument = r.value<learn::Counters>();
  work.noise = r.sequence<control::ModeNoise>();
  work.noise_measured_at = r.value<std::uint64_t>();
  work.looked_at = r.value<std::uint64_t>();
  work.mode_now = r.value<int>();
  i.energy = Energy::from_base(r.value<double>());
  i.own = Energy::from_base(r.value<double>());
  i.site.restore_battery(Energy::from_base(r.value<double>()));
  work.looks = r.value<std::uint64_t>();
  i.work.restore(work);
  i.result.schedule_done = r.value<bool>();
  i.result.certified = r.value<bool>();
  i.result.evaluated = r.value<bool>();
  i.result.quality.metric = r.text();
  i.result.quality.value = r.value<double>();
  i.result.quality.trials = r.value<std::uint64_t>();
  i.result.quality.successes = r.value<std::uint64_t>();
  i.result.quality.bits_per_label = r.value<double>();
  i.result.certificate = r.value<learn::CertificateResult>();
  i.recorded = r.value<learn::Counters>();
  learn::Schedule schedule = i.learner.schedule();
  if (i.most_quality) {
    schedule.steps = r.value<std::uint64_t>();
    schedule.from_step = r.value<std::uint64_t>();
    schedule.from_phase = r.value<double>();
    i.bought = Energy::from_base(r.value<double>());
    i.learner.set_schedule({schedule.steps, 0, 0.0});
  }
  i.learner.restore(r.sequence<std::uint8_t>());
  if (i.most_quality) i.learner.set_schedule(schedule);
  r.end();
  // Forecasters are functions of the past alone: tell them the past again. Views are remade at the
  // same instants as in an uninterrupted run, because those are set by the slots.
  for (std::size_t s = 0; s < slot; ++s) {
    (void)i.power.forecast(i.slot_start(s));
    (void)i.price.forecast(i.slot_start(s));
    (void)i.carbon.forecast(i.slot_start(s));
    i.observe_past(s);
  }
  i.slot = slot;
  i.clock.set(i.now());
  i.begun = slot > 0 || i.now() > i.environment.start;
}

}  // namespace carnot::train
