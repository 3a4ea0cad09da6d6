// SPDX-License-Identifier: Apache-2.0
// Rules that run a job in pieces at the site it was sent to, by carbon alone.
#include <algorithm>
#include <cstring>
#include <queue>

#include "carnot/base/error.hpp"

#include "plan/scheduler_rules.hpp"

namespace carnot::plan {

namespace {

/// The cheapest steps of the window, as many as the job is long; one window for a job that must
/// not be stopped.
class WaitAwhile final : public Rule {
 public:
  using Rule::Rule;
  void arrived(FleetControl& fleet, JobIndex job) override {
    const JobRequest& request = fleet.request(job);
    const Instant from = fleet.now(), to = from + wait(fleet, job) + length(fleet, job);
    const StepCost cost = steps(fleet.ahead(request.origin, Signal::Carbon), from, to);
    const Timing timing = request.stoppable
                              ? cheapest_pieces(cost, from, to, length(fleet, job))
                              : cheapest_window(cost, from, to, length(fleet, job));
    if (timing.pieces.empty()) return fleet.submit(job, request.origin);
    plan_pieces(fleet, job, request.origin, 0, timing.pieces);
  }
};

/// Works while carbon is under a threshold set when the job arrived, the 30 % quantile of the next
/// day; pauses above it until the pauses have used up what the job may wait. Looks at the carbon
/// of the hour alone, so its length need not be known.
class Ecovisor final : public Rule {
 public:
  using Rule::Rule;

  void arrived(FleetControl& fleet, JobIndex job) override {
    const SiteIndex site = fleet.request(job).origin;
    const Instant now = fleet.now();
    if (!fleet.request(job).stoppable || wait(fleet, job) <= Duration{})
      return fleet.submit(job, site);
    Tame tame{job, threshold(fleet.ahead(site, Signal::Carbon), now), now, wait(fleet, job), false};
    decide(fleet, tame);
    jobs_.push_back(tame);
    wake(fleet);
  }

  void tick(FleetControl& fleet) override {
    for (Tame& tame : jobs_) decide(fleet, tame);
    std::erase_if(jobs_, [&](const Tame& tame) {
      return tame.left <= Duration{} || fleet.status(tame.job).phase == JobPhase::Finished;
    });
    wake(fleet);
  }

  void finished(FleetControl&, JobIndex job) override {
    std::erase_if(jobs_, [&](const Tame& tame) { return tame.job == job; });
  }

  std::vector<std::uint8_t> save() const override {
    std::vector<std::uint8_t> bytes(jobs_.size() * sizeof(Tame));
    if (!bytes.empty()) std::memcpy(bytes.data(), jobs_.data(), bytes.size());
    return append_base(std::move(bytes));
  }
  void restore(std::span<const std::uint8_t> bytes) override {
    bytes = take_base(bytes);
    if (bytes.size() % sizeof(Tame) != 0) throw InputError("a scheduler's state: whole records");
    jobs_.resize(bytes.size() / sizeof(Tame));
    if (!bytes.empty()) std::memcpy(jobs_.data(), bytes.data(), bytes.size());
  }

 private:
  struct Tame {
    JobIndex job;
    double threshold;
    Instant since;  ///< of the pause or the work
    Duration left;  ///< that it may yet pause
    bool paused;
  };

  static double threshold(const SignalView& carbon, Instant now) {
    const Duration day = Duration::seconds(24 * 3600);
    // Each step weighs by the time of it that lies within the day.
    std::vector<std::pair<double, double>> values;
    for (const Piece& p : pieces_of(carbon, now, now + day))
      values.emplace_back(carbon.at(p.from), (p.to - p.from).time().in(second));
    std::sort(values.begin(), values.end());
    double passed = 0;
    for (const auto& [value, weight] : values)
      if ((passed += weight) > 0.3 * day.time().in(second)) return value;
    return values.back().first;
  }
  static std::vector<Piece> pieces_of(const SignalView& view, Instant from, Instant to) {
    std::vector<Piece> pieces;
    for (Instant at = from; at < to;) {
      const Instant edge = view.start + view.step * ((at - view.start) / view.step + 1);
      pieces.push_back({at, std::min(edge, to)});
      at = pieces.back().to;
    }
    return pieces;
  }

  void decide(FleetControl& fleet, Tame& tame) {
    const Instant now = fleet.now();
    const SiteIndex site = fleet.request(tame.job).origin;
    if (tame.paused) tame.left = tame.left - (now - tame.since);
    const bool first = fleet.status(tame.job).phase == JobPhase::Waiting && !tame.paused &&
                       !fleet.status(tame.job).in_line;
    const bool pause =
        tame.left > Duration{} && fleet.sites()[site].carbon.base() >= tame.threshold;
    tame.since = now;
    if (pause && !tame.paused && !first) fleet.suspend(tame.job);
    if (!pause && (tame.paused || first)) fleet.submit(tame.job, site);
    tame.paused = pause;
  }

  void wake(FleetControl& fleet) {
    if (jobs_.empty()) return;
    const SignalView view = fleet.ahead(fleet.request(jobs_.front().job).origin, Signal::Carbon);
    Instant next = view.start + view.step * ((fleet.now() - view.start) / view.step + 1);
    for (const Tame& tame : jobs_)
      if (tame.paused) next = std::min(next, fleet.now() + tame.left);
    fleet.wake_at(next);
  }

  std::vector<Tame> jobs_;
};

}  // namespace
