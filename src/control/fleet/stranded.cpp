// SPDX-License-Identifier: Apache-2.0
// Computing on stranded power, in the manner of ZCCloud (Yang & Chien, IPDPS 2016): a site works
// while its price is below a threshold, and stops when that ends. The base load of ZCCloud, an
// ordinary machine, is here the site a job was sent to: it takes over those that may wait no
// longer.
#include <algorithm>

#include "control/fleet/rule_base.hpp"

namespace carnot::control {

namespace {

class Stranded final : public Rule {
 public:
  using Rule::Rule;

  void arrived(FleetControl& fleet, JobIndex job) override {
    const Instant latest = fleet.now() + wait(fleet, job);
    if (latest <= fleet.now()) return fleet.submit(job, fleet.request(job).origin);
    waiting_.push_back({job, latest});
    place(fleet);
    wake(fleet);
  }

  void finished(FleetControl& fleet, JobIndex job) override {
    forget(job);
    place(fleet);
  }

  void tick(FleetControl& fleet) override {
    for (Waiting& one : waiting_) {
      const JobStatus& status = fleet.status(one.job);
      const bool may_stop = fleet.request(one.job).stoppable || status.in_line;
      if (one.placed && may_stop && !is_stranded(fleet.sites()[status.site])) {
        // What it has done shortens what is left, so it may start as much later.
        one.latest = one.latest + (fleet.done(one.job) - one.done);
        one.done = fleet.done(one.job);
        fleet.suspend(one.job);
        one.placed = false;
      }
      if (!one.placed && one.latest <= fleet.now())
        fleet.submit(one.job, fleet.request(one.job).origin);
    }
    std::erase_if(waiting_,
                  [&](const Waiting& one) { return !one.placed && one.latest <= fleet.now(); });
    place(fleet);
    wake(fleet);
  }

 private:
  void save_state(StateWriter& state) const override { state.sequence(waiting_); }
  void restore_state(StateReader& state) override { waiting_ = state.sequence<Waiting>(); }

  struct Waiting {
    JobIndex job;
    Instant latest;  ///< start at the site it was sent to
    Duration done{};
    bool placed = false;
  };

  bool is_stranded(const SiteState& site) const {
    return site.price.in(euro_per_megawatt_hour) < options().stranded_below_eur_per_mwh;
  }
  void forget(JobIndex job) {
    std::erase_if(waiting_, [&](const Waiting& one) { return one.job == job; });
  }

  /// By arrival, each to the cheapest site with stranded power and room.
  void place(FleetControl& fleet) {
    for (Waiting& one : waiting_) {
      if (one.placed) continue;
      SiteIndex best = kNowhere;
      for (SiteIndex s = 0; s < fleet.sites().size(); ++s) {
        const SiteState& site = fleet.sites()[s];
        if (is_stranded(site) && site.nodes_free - site.nodes_due >= fleet.nodes(one.job, 0) &&
            (best == kNowhere || site.price < fleet.sites()[best].price))
          best = s;
      }
      if (best == kNowhere) continue;
      fleet.submit(one.job, best);
      one.placed = true;
    }
  }

  void wake(FleetControl& fleet) {
    if (waiting_.empty()) return;
    const SignalView view = fleet.ahead(0, Signal::Price);
    Instant next = view.start + view.step * ((fleet.now() - view.start) / view.step + 1);
    for (const Waiting& one : waiting_)
      if (!one.placed) next = std::min(next, std::max(one.latest, fleet.now()));
    fleet.wake_at(next);
  }

  std::vector<Waiting> waiting_;
};

}  // namespace

std::unique_ptr<Scheduler> make_stranded(std::string name, Knowledge knowledge,
                                         const SchedulerOptions& options) {
  return make_rule<Stranded>(std::move(name), knowledge, options);
}

}  // namespace carnot::control
