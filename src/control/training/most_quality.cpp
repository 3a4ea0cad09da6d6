// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/training/most_quality.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "carnot/base/error.hpp"

#include "control/training/makers.hpp"

namespace carnot::control {

namespace {

/// Grid power to allow now, so that all of what is `left` to buy is used where it does most.
/// \param limit  of the grid  \param own  power that computing may use  \param ahead  the deadline
Power purchase(Energy left, Power limit, Power own, double pue, Time ahead, Time slot,
               const site::Mode& mode) {
  if (left <= Energy{} || limit <= Power{}) return {};
  const Power full = mode.power(1.0) * pue;
  const Power most = min(limit, full);
  // From here on the hall at full power just uses it up.
  if (ahead <= 1.1 * (left / most) + 2.0 * slot) return limit;
  // Own power carries the hall: what is bought does steps and nothing else.
  if (own > mode.static_power * pue) return max(Power{}, min(most, full - own));
  return {};
}

Power purchase(const Observation& o, const site::Mode& mode) {
  return purchase(o.site.purchases_left, o.site.grid_limit, o.site.own, o.site.pue,
                  (o.deadline - o.now).time(), o.slot.time(), mode);
}

std::uint64_t whole_steps(double steps) {
  return static_cast<std::uint64_t>(std::clamp(std::floor(steps), 1.0, 9e15));
}

QualityPlan plan_of(const Observation& o, const std::vector<StepOutlook>& outlook) {
  const LearningState& l = o.learning;
  return best_quality_plan(l.modes, outlook,
                           {static_cast<double>(l.steps_done), l.phase, l.steps_per_pass},
                           l.entry_costs);
}

/// Stages at shares of the steps, and a number of steps that is fixed before the first.
class FittedOnce final : public JobPolicy {
 public:
  /// \param steps  zero: by the outlook at the first decision
  FittedOnce(std::string name, std::vector<ScheduleStage> stages, double steps)
      : name_(std::move(name)), stages_(std::move(stages)), steps_(steps) {}
  std::string_view name() const noexcept override { return name_; }

  Decision decide(const Observation& o) override {
    if (stages_.empty() || steps_ <= 0.0) plan(o);
    Decision d;
    const double done = static_cast<double>(o.learning.steps_done);
    d.schedule_steps = std::max<std::uint64_t>(whole_steps(steps_), o.learning.steps_done + 1);
    d.mode = stages_.front().mode;
    for (const ScheduleStage& stage : stages_) {
      const double from = std::round(stage.from * steps_);
      if (from <= done) {
        d.mode = stage.mode;
      } else {
        d.max_steps = std::max(1.0, from - done);
        break;
      }
    }
    d.grid_allowance = purchase(o, o.learning.modes[static_cast<std::size_t>(d.mode)]);
    return d;
  }

 private:
  void plan(const Observation& o) {
    const std::span<const site::Mode> modes = o.learning.modes;
    const std::vector<StepOutlook> outlook = step_outlook(o);
    if (stages_.empty()) {  // plan-once
      const QualityPlan plan = plan_of(o, outlook);
      stages_ = {{plan.mode_at(0.0), 0.0}};
      if (plan.second != plan.mode_at(0.0)) stages_.push_back({plan.second, plan.switch_phase});
      steps_ = std::max(1.0, plan.steps);
      return;
    }
    double share = 0.0;  // of all that the outlook brings, by one step in the mean
    double left = 1.0;   // of it, for steps
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const auto m = static_cast<std::size_t>(stages_[i].mode);
      const double until = i + 1 < stages_.size() ? stages_[i + 1].from : 1.0;
      share += (until - stages_[i].from) / std::max(1e-9, outlook[m].mean);
      // Its copy of the data, if no stage before has made it.
      const bool there = std::any_of(
          stages_.begin(), stages_.begin() + static_cast<std::ptrdiff_t>(i),
          [&](const ScheduleStage& before) {
            return modes[static_cast<std::size_t>(before.mode)].copy_bits() == modes[m].copy_bits();
          });
      if (!there)
        left -= modes[m].first_use / modes[m].step_energy() / std::max(1e-9, outlook[m].mean);
    }
    steps_ = std::max(1.0, left / share);
  }

  std::vector<double> numbers() const override {
    std::vector<double> all{steps_};
    for (const ScheduleStage& stage : stages_) {
      all.push_back(stage.mode);
      all.push_back(stage.from);
    }
    return all;
  }
  void set_numbers(const std::vector<double>& state) override {
    CARNOT_CHECK(state.size() % 2 == 1, "steps, then pairs of mode and share");
    steps_ = state[0];
    stages_.clear();
    for (std::size_t i = 1; i < state.size(); i += 2)
      stages_.push_back({static_cast<int>(state[i]), state[i + 1]});
  }

  std::string name_;
  std::vector<ScheduleStage> stages_;
  double steps_;
};

class MostQuality final : public JobPolicy {
 public:
  std::string_view name() const noexcept override { return "adaptive"; }

  Decision decide(const Observation& o) override {
    const LearningState& l = o.learning;
    const Duration ahead = o.deadline - o.now;
    Decision d;
    const bool late = ahead <= kLate;
    const bool at_end = l.steps_left() == 0 || ahead <= o.slot;
    if (!planned_ || late || o.now - planned_at_ >= kReplanEvery || l.steps_done >= replan_step_) {
      planned_ = true;
      planned_at_ = o.now;
      plan(o);
      d.schedule_steps = l.steps_done + whole_steps(steps_);
    }
    const double left = static_cast<double>(
        (d.schedule_steps > 0 ? d.schedule_steps : l.steps_total) - l.steps_done);
    d.mode = plan_.mode_at(l.phase);
    d.max_steps = std::max(1.0, at_end ? left : std::ceil(kShareAtOnce * left));
    // Asked again once they are done: the schedule never ends before the deadline does.
    replan_step_ = l.steps_done + whole_steps(d.max_steps);
    if (plan_.second != d.mode && plan_.switch_phase > l.phase && l.phase < 1.0)
      d.max_steps = std::clamp(std::ceil(left * (plan_.switch_phase - l.phase) / (1.0 - l.phase)),
                               1.0, d.max_steps);
    d.grid_allowance = purchase(o, l.modes[static_cast<std::size_t>(d.mode)]);
    return d;
  }

 private:
  static constexpr Duration kReplanEvery = Duration::seconds(3600);
  static constexpr Duration kLate = Duration::seconds(4 * 3600);
  static constexpr double kShareAtOnce = 0.25;          // of the steps left, before planning anew
  static constexpr double kEarly = 1.0, kAtEnd = -0.7;  // sigmas above what is expected
  static constexpr double kLeast = 0.625;               // of full power, for all the time left

  void plan(const Observation& o) {
    const LearningState& l = o.learning;
    const std::vector<StepOutlook> outlook = step_outlook(o);
    const QualityPlan fresh = plan_of(o, outlook);
    if (!chosen_ || fresh.steps > 0.0) {
      plan_ = fresh;
      chosen_ = true;
    }
    const auto m = static_cast<std::size_t>(plan_.mode_at(l.phase));
    // A number of steps above what is expected can still be taken back, later less so.
    const double cooled = std::clamp(2.0 * l.phase - 1.0, 0.0, 1.0);
    const double sigmas = kEarly + cooled * (kAtEnd - kEarly);
    const double relative = outlook[m].mean > 0.0 ? outlook[m].spread / outlook[m].mean : 0.0;
    const double expected = fresh.steps * std::max(0.2, 1.0 + sigmas * relative);
    const double least =
        kLeast * l.modes[m].steps_per_second * (o.deadline - o.now).time().in(second);
    steps_ = std::max({1.0, expected, least});
  }

  std::vector<double> numbers() const override {
    // Whole seconds and the rest fit a double exactly.
    const std::int64_t at = planned_at_.unix_nanoseconds();
    return {planned_ ? 1.0 : 0.0,
            chosen_ ? 1.0 : 0.0,
            static_cast<double>(at - at % kSecond),
            static_cast<double>(at % kSecond),
            static_cast<double>(plan_.first),
            static_cast<double>(plan_.second),
            plan_.switch_phase,
            plan_.steps,
            plan_.worth,
            steps_,
            static_cast<double>(replan_step_)};
  }
  void set_numbers(const std::vector<double>& state) override {
    CARNOT_CHECK(state.size() == 11, "eleven numbers");
    planned_ = state[0] != 0.0;
    chosen_ = state[1] != 0.0;
    planned_at_ = Instant::from_unix_nanoseconds(static_cast<std::int64_t>(state[2]) +
                                                 static_cast<std::int64_t>(state[3]));
    plan_ = {static_cast<int>(state[4]), static_cast<int>(state[5]), state[6], state[7], state[8]};
    steps_ = state[9];
    replan_step_ = static_cast<std::uint64_t>(state[10]);
  }

  static constexpr std::int64_t kSecond = 1'000'000'000;

  bool planned_ = false, chosen_ = false;
  Instant planned_at_;
  QualityPlan plan_;
  double steps_ = 1.0;  ///< from the last plan on
  std::uint64_t replan_step_ = 0;
};

std::vector<ScheduleStage> stages_of(std::string_view name, std::span<const site::Mode> modes) {
  if (name.starts_with("fixed:")) {
    std::vector<ScheduleStage> stages = parse_stages(name.substr(6), modes);
    if (stages.size() > 1) stages.clear();
    return stages;
  }
  return name.starts_with("switch:") ? parse_stages(name.substr(7), modes)
                                     : std::vector<ScheduleStage>{};
}

std::string canonical(std::string_view name, const std::vector<ScheduleStage>& stages,
                      std::span<const site::Mode> modes) {
  return name.starts_with("fixed:")
             ? "fixed:" + modes[static_cast<std::size_t>(stages.front().mode)].name
             : std::string(name);
}

/// Whether so many steps, all that is owed first, end before the deadline.
bool fits(const QualityTruth& truth, std::span<const site::Mode> modes,
          const std::vector<ScheduleStage>& stages, double steps) {
  site::SiteSimulator site(truth.site);
  site.restore_battery(truth.battery_energy);
  double done = 0.0;
  Energy bought, owed;
  int now = -1;
  std::vector<int> widths;
  const auto stage_at = [&] {
    std::size_t i = 0;
    while (i + 1 < stages.size() && std::round(stages[i + 1].from * steps) <= done) ++i;
    return i;
  };
  for (std::size_t t = 0; t < truth.weather.size(); ++t) {
    const site::Weather& weather = truth.weather[t];
    const site::Weather& past = truth.weather[t > 0 ? t - 1 : 0];
    const Power own = site.own_available(past);
    const double pue = truth.site.hall.pue(past.outside, 1.0);
    Time left = truth.slot;
    while (left > 1e-9 * second) {
      const std::size_t stage = stage_at();
      const int mode = stages[stage].mode;
      const auto m = static_cast<std::size_t>(mode);
      if (mode != now) {
        owed += truth.overhead[m] -
                (now >= 0 ? truth.overhead[static_cast<std::size_t>(now)] : Energy{});
        const int width = modes[m].copy_bits();
        if (std::find(widths.begin(), widths.end(), width) == widths.end()) {
          owed += modes[m].first_use;
          widths.push_back(width);
        }
        now = mode;
      }
      site::Demand demand;
      demand.mode = &modes[m];
      // What the policy will buy, and no more than the world lets it.
      const Energy may = max(Energy{}, truth.purchases - bought);
      const Time ahead = static_cast<double>(truth.weather.size() - t - 1) * truth.slot + left;
      demand.grid_allowance =
          min(purchase(may, truth.site.import_limit, own, pue, ahead, truth.slot, modes[m]),
              may / left);
      const double until =
          (stage + 1 < stages.size() ? std::round(stages[stage + 1].from * steps) : steps) - done;
      const double wanted = until + owed / modes[m].step_energy();
      site::SiteSimulator trial = site;
      const double possible = trial.advance(weather, demand, left).steps;
      Time length = left;
      if (possible > wanted) length = left * (wanted / possible);
      const site::Flows flows =
          length > 0.0 * second ? site.advance(weather, demand, length) : site::Flows{};
      bought += flows.grid * length;
      const double paid = std::min(flows.steps, owed / modes[m].step_energy());
      owed -= paid * modes[m].step_energy();
      done += flows.steps - paid;
      if (possible > wanted) done = std::ceil(done - 1e-6);
      left -= length;
      if (done >= steps - 1e-6) return true;
      if (possible <= wanted) break;
    }
  }
  return false;
}

}  // namespace

std::unique_ptr<JobPolicy> make_quality_policy(std::string_view name,
                                               std::span<const site::Mode> modes) {
  if (name == "adaptive") return std::make_unique<MostQuality>();
  if (name == "plan-once")
    return std::make_unique<FittedOnce>("plan-once", std::vector<ScheduleStage>{}, 0.0);
  // Named without the truth: what asks for names only. A run makes it with `make_hindsight`.
  const bool hindsight = name.starts_with("hindsight:");
  const std::string_view rest = hindsight ? name.substr(10) : name;
  const std::vector<ScheduleStage> stages = stages_of(rest, modes);
  if (stages.empty()) return nullptr;
  return std::make_unique<FittedOnce>(
      (hindsight ? "hindsight:" : "") + canonical(rest, stages, modes), stages, 0.0);
}

std::vector<std::string> quality_policy_names(std::span<const site::Mode> modes) {
  std::vector<std::string> fixed, switched;
  for (const site::Mode& mode : modes) fixed.push_back("fixed:" + mode.name);
  const auto there = [&](std::string_view name) {
    return std::any_of(modes.begin(), modes.end(),
                       [&](const site::Mode& mode) { return mode.name == name; });
  };
  constexpr std::pair<std::string_view, std::string_view> kPairs[] = {
      {"int4", "d4w8g4"}, {"int4", "int8"}, {"d4w8g4", "int8"}};
  for (const auto& [from, to] : kPairs)
    for (const char* at : {"0.5", "0.8"})
      if (there(from) && there(to))
        switched.push_back("switch:" + std::string(from) + ">" + std::string(to) + "@" + at);
  std::vector<std::string> names{"adaptive", "plan-once"};
  names.insert(names.end(), fixed.begin(), fixed.end());
  for (const std::string& name : fixed) names.push_back("hindsight:" + name);
  for (const std::string& name : switched) names.push_back("hindsight:" + name);
  return names;
}

std::unique_ptr<JobPolicy> make_hindsight(std::string_view schedule,
                                          std::span<const site::Mode> modes,
                                          const QualityTruth& truth) {
  const std::vector<ScheduleStage> stages = stages_of(schedule, modes);
  if (stages.empty()) return nullptr;
  double fastest = 0.0;
  for (const ScheduleStage& stage : stages)
    fastest = std::max(fastest, modes[static_cast<std::size_t>(stage.mode)].steps_per_second);
  double low = 1.0,
         high = 2.0 + fastest * static_cast<double>(truth.weather.size()) * truth.slot.in(second);
  while (high - low > 1.0) {
    const double middle = std::floor(0.5 * (low + high));
    (fits(truth, modes, stages, middle) ? low : high) = middle;
  }
  return std::make_unique<FittedOnce>("hindsight:" + canonical(schedule, stages, modes), stages,
                                      low);
}

}  // namespace carnot::control
