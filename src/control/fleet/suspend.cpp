// SPDX-License-Identifier: Apache-2.0
// Rules that run a job in pieces at the site it was sent to, by carbon alone.
#include <algorithm>
#include <utility>

#include "control/fleet/rule_base.hpp"

namespace carnot::control {

namespace {

/// The cheapest steps of the window, as many as the job is long; one window for a job that must
/// not be stopped.
class WaitAwhile final : public Rule {
 public:
  using Rule::Rule;
  void arrived(const World& world, JobIndex job) override {
    const JobRequest& request = world.view.request(job);
    const Instant from = world.view.now(), to = from + wait(world, job) + length(world, job);
    const StepCost cost = steps(ahead(world, request.origin, Signal::Carbon), from, to);
    const Timing timing = request.stoppable ? cheapest_pieces(cost, from, to, length(world, job))
                                            : cheapest_window(cost, from, to, length(world, job));
    if (timing.pieces.empty()) return world.commands.submit(job, request.origin);
    plan_pieces(world, job, request.origin, 0, timing.pieces);
  }
};

/// Works while carbon is under a threshold set when the job arrived, the 30 % quantile of the next
/// day; pauses above it until the pauses have used up what the job may wait. Looks at the carbon
/// of the hour alone, so its length need not be known.
class Ecovisor final : public Rule {
 public:
  using Rule::Rule;

  void arrived(const World& world, JobIndex job) override {
    const SiteIndex site = world.view.request(job).origin;
    if (!world.view.request(job).stoppable) return world.commands.submit(job, site);
    Tame tame{job, State::New, threshold(ahead(world, site, Signal::Carbon), world.view.now()),
              world.view.now(), wait(world, job)};
    decide(world, tame);
    jobs_.push_back(tame);
    wake(world);
  }

  void tick(const World& world) override {
    for (Tame& tame : jobs_) decide(world, tame);
    std::erase_if(jobs_, [](const Tame& tame) { return tame.left <= Duration{}; });
    wake(world);
  }

  void finished(const World&, JobIndex job) override {
    std::erase_if(jobs_, [&](const Tame& tame) { return tame.job == job; });
  }

 private:
  void save_state(StateWriter& state) const override {
    state.sequence(jobs_);
    state.value(asked_);
  }
  void restore_state(StateReader& state) override {
    jobs_ = state.sequence<Tame>();
    asked_ = state.value<Instant>();
  }

  enum class State : std::uint32_t { New, Working, Paused };
  struct Tame {
    JobIndex job;
    State state;
    double threshold;
    Instant since;  ///< of the pause or the work
    Duration left;  ///< that it may yet pause
  };

  static double threshold(const ForecastView& carbon, Instant now) {
    const Instant end = now + Duration::seconds(24 * 3600);
    std::vector<std::pair<double, Duration>> parts;  // value, and how long it lasts
    for (Instant at = now; at < end;) {
      const Instant edge = carbon.start + carbon.step * ((at - carbon.start) / carbon.step + 1);
      parts.emplace_back(carbon.at(at), std::min(edge, end) - at);
      at = std::min(edge, end);
    }
    std::sort(parts.begin(), parts.end());
    double passed_s = 0;
    const auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& p) {
      return (passed_s += p.second.time().in(second)) > 0.3 * 24 * 3600;
    });
    return part->first;
  }

  static void decide(const World& world, Tame& tame) {
    const SiteIndex site = world.view.request(tame.job).origin;
    if (tame.state == State::Paused) tame.left = tame.left - (world.view.now() - tame.since);
    tame.since = world.view.now();
    const bool pause =
        tame.left > Duration{} && world.view.sites()[site].carbon.base() >= tame.threshold;
    if (pause && tame.state == State::Working) world.commands.suspend(tame.job);
    if (!pause && tame.state != State::Working) world.commands.submit(tame.job, site);
    tame.state = pause ? State::Paused : State::Working;
  }

  /// At the next edge of the signal or the end of somebody's patience.
  void wake(const World& world) {
    if (jobs_.empty()) return;
    const ForecastView view = ahead(world, 0, Signal::Carbon);
    Instant next = view.start + view.step * ((world.view.now() - view.start) / view.step + 1);
    for (const Tame& tame : jobs_)
      if (tame.state == State::Paused) next = std::min(next, world.view.now() + tame.left);
    if (next == asked_) return;
    asked_ = next;
    world.commands.wake_at(next);
  }

  std::vector<Tame> jobs_;
  Instant asked_;
};

}  // namespace

std::unique_ptr<Policy> make_wait_awhile(std::string name, Knowledge knowledge,
                                         const FleetPolicyOptions& options) {
  return make_rule<WaitAwhile>(std::move(name), knowledge, options);
}
std::unique_ptr<Policy> make_ecovisor(std::string name, Knowledge knowledge,
                                      const FleetPolicyOptions& options) {
  return make_rule<Ecovisor>(std::move(name), knowledge, options);
}

}  // namespace carnot::control
