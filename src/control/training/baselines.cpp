// SPDX-License-Identifier: Apache-2.0
// The policies that ours is compared with.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/control/training/adaptive.hpp"
#include "carnot/control/training/job_policy.hpp"
#include "carnot/control/training/most_quality.hpp"

#include "control/training/makers.hpp"

namespace carnot::control {

namespace {

/// Room for what no plan counts in steps: switching precision, first copies of data.
constexpr double kGuardSlack = 1.02;

/// Throttle that `supply` (facility side) sustains in `mode`; 0 if not even its static power.
double sustained_throttle(const site::Mode& mode, Power supply, double pue) {
  const double u = (supply / pue - mode.static_power) / mode.dynamic_power;
  return std::clamp(u, 0.0, 1.0);
}

/// Follows own power in the mode that `choose` names; buys only when the deadline forces it.
class WindFollower : public JobPolicy {
 public:
  WindFollower(std::string name, const site::Mode& guard_mode)
      : name_(std::move(name)), guard_mode_(guard_mode) {}
  std::string_view name() const noexcept override { return name_; }

  Decision decide(const Observation& o) override {
    Decision d;
    d.mode = choose(o, d);
    if (must_buy(o, guard_mode_, static_cast<double>(o.learning.steps_left()))) {
      d.grid_allowance = o.site.grid_limit;
      if (d.mode < 0) d.mode = fallback_mode();
    }
    return d;
  }

 protected:
  /// The mode of this slot, or -1 to pause; may set other fields of the decision.
  virtual int choose(const Observation& o, Decision& d) = 0;
  virtual int fallback_mode() const { return 0; }

 private:
  std::string name_;
  site::Mode guard_mode_;  // what the deadline guard assumes for the work left
};

class GridF32 final : public JobPolicy {
 public:
  std::string_view name() const noexcept override { return "grid-f32"; }
  Decision decide(const Observation& o) override {
    Decision d;
    d.mode = 0;
    d.grid_allowance = o.site.grid_limit;
    return d;
  }
};

class PauseResume final : public WindFollower {
 public:
  explicit PauseResume(const site::Mode& f32) : WindFollower("pause-resume", f32) {}

 private:
  int choose(const Observation& o, Decision&) override {
    return o.site.available(o.site.total) >= o.learning.modes[0].power(1.0) * o.site.pue ? 0 : -1;
  }
};

class Fixed final : public WindFollower {
 public:
  Fixed(std::string name, int mode, const site::Mode& guard)
      : WindFollower(std::move(name), guard), mode_(mode) {}

 private:
  int choose(const Observation&, Decision&) override { return mode_; }
  int fallback_mode() const override { return mode_; }
  int mode_;
};

/// The source paper's rule: the most bits whose full power the wind covers; when it covers none,
/// the fewest, throttled.
class PowerToBits final : public WindFollower {
 public:
  explicit PowerToBits(const site::Mode& most_bits) : WindFollower("paper", most_bits) {}

 private:
  int choose(const Observation& o, Decision&) override {
    const Power own = o.site.available(o.site.total);
    for (std::size_t m = 0; m < o.learning.modes.size(); ++m)
      if (own >= o.learning.modes[m].power(1.0) * o.site.pue) return static_cast<int>(m);
    return static_cast<int>(o.learning.modes.size()) - 1;
  }
};

/// The mode with the fewest bits that has at least `bits`; the most precise if none has.
int mode_with_bits(std::span<const site::Mode> modes, double bits) {
  int chosen = 0;
  for (std::size_t m = 0; m < modes.size(); ++m)
    if (modes[m].bits + 1e-9 >= bits &&
        modes[m].bits < modes[static_cast<std::size_t>(chosen)].bits)
      chosen = static_cast<int>(m);
  return chosen;
}

/// The integer modes' range of bits: what the published schedules move in.
std::pair<int, int> integer_bits(std::span<const site::Mode> modes) {
  int low = modes.back().bits, high = low;
  for (const site::Mode& mode : modes)
    if (mode.bits <= 8) high = std::max(high, mode.bits);
  return {low, high};
}

/// Cyclic precision training, Fu et al., ICLR 2021: 32 cosine cycles between 3 and 8 bits of data
/// and coefficients. Bits that no format has are carried in the next wider one: 3 and 4 in the
/// narrowest integers, 5 to 8 in eight bits.
class CyclicPrecision final : public WindFollower {
 public:
  explicit CyclicPrecision(const site::Mode& guard) : WindFollower("cpt", guard) {}

 private:
  static constexpr double kCycles = 32.0;
  int choose(const Observation& o, Decision& d) override {
    constexpr double low = 3.0, high = 8.0;
    const double cycle = std::max(1.0, static_cast<double>(o.learning.steps_total) / kCycles);
    const double phase = std::fmod(static_cast<double>(o.learning.steps_done), cycle) / cycle;
    d.max_steps = std::max(1.0, std::ceil(cycle / 16.0));
    return mode_with_bits(
        o.learning.modes,
        std::round(low + 0.5 * (high - low) * (1.0 - std::cos(std::numbers::pi * phase))));
  }
};

/// Progressive fractional quantisation, the PFQ part of FracTrain, Fu et al., NeurIPS 2020: start
/// with the fewest bits and move up one mode when the smoothed loss has fallen by less than epsilon
/// (relative, over 1/40 of the schedule); epsilon shrinks by alpha at each move. epsilon 0.05,
/// alpha 0.3 as published, and its four levels (3/6, 4/6, 4/8, 6/8 bits forward and backward), each
/// carried in the modes there are.
class ProgressiveQuantisation final : public WindFollower {
 public:
  ProgressiveQuantisation(const site::Mode& guard, std::span<const site::Mode> modes)
      : WindFollower("pfq", guard), mode_(static_cast<int>(modes.size()) - 1) {}
  std::vector<double> numbers() const override {
    return {static_cast<double>(mode_), epsilon_, last_loss_, next_look_, level_};
  }
  void set_numbers(const std::vector<double>& state) override {
    CARNOT_CHECK(state.size() == 5, "pfq state has five numbers");
    level_ = state[4];
    mode_ = static_cast<int>(state[0]);
    epsilon_ = state[1];
    last_loss_ = state[2];
    next_look_ = state[3];
  }

 private:
  int choose(const Observation& o, Decision& d) override {
    const double look =
        std::max(1.0, std::ceil(static_cast<double>(o.learning.steps_total) / 40.0));
    const double done = static_cast<double>(o.learning.steps_done);
    if (done >= next_look_) {
      if (std::isfinite(o.learning.smoothed_loss) && std::isfinite(last_loss_)) {
        const double fall = (last_loss_ - o.learning.smoothed_loss) / std::max(last_loss_, 1e-12);
        const auto [low, high] = integer_bits(o.learning.modes);
        (void)low;
        if (fall < epsilon_ && level_ + 1.0 < kLevels.size()) {
          level_ += 1.0;
          epsilon_ *= 0.3;
          mode_ = std::min(
              mode_,
              mode_with_bits(o.learning.modes,
                             std::min<double>(high, kLevels[static_cast<std::size_t>(level_)])));
        }
      }
      last_loss_ = o.learning.smoothed_loss;
      next_look_ = done + look;
    }
    d.max_steps = std::max(1.0, next_look_ - done);
    return mode_;
  }
  static constexpr std::array<double, 4> kLevels{3, 4, 4, 6};  // forward
  int mode_;
  double level_ = 0.0;
  double epsilon_ = 0.05;
  double last_loss_ = kNaN;
  double next_look_ = 0.0;
};

/// FP4 All the Way, arXiv 2505.19115: quantised training stops paying once the gradient is shorter
/// than sqrt(3) times its rounding error. Starts with the fewest bits and goes up a mode whenever
/// that is so; measured every 1/16 of the schedule.
class SquareRootOfThree final : public WindFollower {
 public:
  SquareRootOfThree(const site::Mode& guard, std::span<const site::Mode> modes)
      : WindFollower("sqrt3", guard), mode_(static_cast<int>(modes.size()) - 1) {}
  std::vector<double> numbers() const override {
    return {static_cast<double>(mode_), next_measure_};
  }
  void set_numbers(const std::vector<double>& state) override {
    CARNOT_CHECK(state.size() == 2, "sqrt3 state has two numbers");
    mode_ = static_cast<int>(state[0]);
    next_measure_ = state[1];
  }

 private:
  int choose(const Observation& o, Decision& d) override {
    const double done = static_cast<double>(o.learning.steps_done);
    const auto high = integer_bits(o.learning.modes).second;
    const auto at = [&] { return static_cast<std::size_t>(mode_); };
    while (!o.learning.noise.empty() && o.learning.noise[at()].signal < std::numbers::sqrt3 &&
           mode_ > 0 && o.learning.modes[at() - 1].bits <= high)
      --mode_;
    if (done >= next_measure_) {
      d.measure_noise = true;
      next_measure_ =
          done + std::max(1.0, std::ceil(static_cast<double>(o.learning.steps_total) / 16.0));
      d.max_steps = 1.0;
    } else {
      d.max_steps = next_measure_ - done;
    }
    return mode_;
  }
  int mode_;
  double next_measure_ = 0.0;
};

int index_of(std::span<const site::Mode> modes, std::string_view name) {
  for (std::size_t m = 0; m < modes.size(); ++m)
    if (modes[m].name == name) return static_cast<int>(m);
  // A width stands for the format that has it throughout.
  for (std::size_t m = 0; m < modes.size(); ++m)
    if (std::to_string(modes[m].bits) == name) return static_cast<int>(m);
  return -1;
}

/// `A>B@f`: A, then B from share f of the steps on; any number of stages.
class Switch final : public WindFollower {
 public:
  Switch(std::string name, std::vector<ScheduleStage> stages, const site::Mode& guard)
      : WindFollower(std::move(name), guard), stages_(std::move(stages)) {}

 private:
  int choose(const Observation& o, Decision& d) override {
    const auto total = static_cast<double>(o.learning.steps_total);
    const auto done = static_cast<double>(o.learning.steps_done);
    int mode = stages_.front().mode;
    for (const ScheduleStage& stage : stages_) {
      const double from = std::round(stage.from * total);
      if (from <= done) {
        mode = stage.mode;
      } else {
        d.max_steps = std::max(1.0, from - done);
        break;
      }
    }
    return mode;
  }
  int fallback_mode() const override { return stages_.front().mode; }
  std::vector<ScheduleStage> stages_;
};

}  // namespace

std::vector<ScheduleStage> parse_stages(std::string_view text, std::span<const site::Mode> modes) {
  std::vector<ScheduleStage> stages;
  while (true) {
    const std::size_t end = text.find('>');
    const std::string_view part = text.substr(0, end);
    const std::size_t at = part.find('@');
    ScheduleStage stage{index_of(modes, part.substr(0, at)), 0.0};
    if (at != std::string_view::npos) {
      const std::string_view number = part.substr(at + 1);
      const auto [stop, error] =
          std::from_chars(number.data(), number.data() + number.size(), stage.from);
      if (error != std::errc{} || stop != number.data() + number.size()) return {};
    }
    const bool in_order = stages.empty() ? at == std::string_view::npos
                                         : stage.from > stages.back().from && stage.from < 1.0;
    if (stage.mode < 0 || !in_order) return {};
    stages.push_back(stage);
    if (end == std::string_view::npos) return stages;
    text.remove_prefix(end + 1);
  }
}

bool must_buy(const Observation& o, const site::Mode& mode, double steps_left) {
  const double u = sustained_throttle(mode, o.site.grid_limit, o.site.pue);
  if (u <= 0.0) return false;
  const double steps = steps_left + o.learning.overhead / mode.step_energy();
  const Time needed = (steps / (mode.steps_per_second * u)) * second;
  return (o.deadline - o.now).time() <= kGuardSlack * needed + o.slot.time();
}

std::unique_ptr<JobPolicy> make_job_policy(std::string_view name, const JobPolicyOptions& options) {
  const std::span<const site::Mode> modes = options.modes;
  CARNOT_CHECK(!modes.empty(), "a job has at least one mode");
  if (options.objective.most_quality()) return make_quality_policy(name, modes);
  // Published schedules and the paper's rule may end in their most precise mode: the guard assumes
  // it.
  const site::Mode& eight = modes[static_cast<std::size_t>(mode_with_bits(modes, 8))];
  if (name == "grid-f32") return std::make_unique<GridF32>();
  if (name == "pause-resume") return std::make_unique<PauseResume>(modes[0]);
  if (name == "paper") return std::make_unique<PowerToBits>(modes[0]);
  if (name == "cpt") return std::make_unique<CyclicPrecision>(eight);
  if (name == "pfq") return std::make_unique<ProgressiveQuantisation>(eight, modes);
  if (name == "sqrt3") return std::make_unique<SquareRootOfThree>(eight, modes);
  if (name.starts_with("switch:")) {
    const std::vector<ScheduleStage> stages = parse_stages(name.substr(7), modes);
    if (stages.empty()) return nullptr;
    const site::Mode* dearest = &modes[static_cast<std::size_t>(stages.front().mode)];
    for (const ScheduleStage& stage : stages) {
      const site::Mode& mode = modes[static_cast<std::size_t>(stage.mode)];
      if (mode.steps_per_second < dearest->steps_per_second) dearest = &mode;
    }
    return std::make_unique<Switch>(std::string(name), stages, *dearest);
  }
  if (name == "adaptive") return make_governor(modes, options.objective);
  if (name.starts_with("fixed:")) {
    const int mode = index_of(modes, name.substr(6));
    if (mode >= 0)
      return std::make_unique<Fixed>("fixed:" + modes[static_cast<std::size_t>(mode)].name, mode,
                                     modes[static_cast<std::size_t>(mode)]);
  }
  return nullptr;
}

}  // namespace carnot::control
