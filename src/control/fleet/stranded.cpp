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

  void arrived(const World& world, JobIndex job) override {
    const Instant latest = world.view.now() + wait(world, job);
    if (latest <= world.view.now())
      return world.commands.submit(job, world.view.request(job).origin);
    waiting_.push_back({job, latest});
    place(world);
    wake(world);
  }

  void finished(const World& world, JobIndex job) override {
    forget(job);
    place(world);
  }

  void tick(const World& world) override {
    for (Waiting& one : waiting_) {
      const JobStatus& status = world.view.status(one.job);
      const bool may_stop = world.view.request(one.job).stoppable || status.in_line;
      if (one.placed && may_stop && !is_stranded(world.view.sites()[status.site])) {
        // What it has done shortens what is left, so it may start as much later.
        one.latest = one.latest + (world.view.done(one.job) - one.done);
        one.done = world.view.done(one.job);
        world.commands.suspend(one.job);
        one.placed = false;
      }
      if (!one.placed && one.latest <= world.view.now())
        world.commands.submit(one.job, world.view.request(one.job).origin);
    }
    std::erase_if(waiting_, [&](const Waiting& one) {
      return !one.placed && one.latest <= world.view.now();
    });
    place(world);
    wake(world);
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
  void place(const World& world) {
    for (Waiting& one : waiting_) {
      if (one.placed) continue;
      SiteIndex best = SiteIndex::none();
      for (SiteIndex s = 0; s < world.view.sites().size(); ++s) {
        const SiteState& site = world.view.sites()[s];
        if (is_stranded(site) && site.nodes_free - site.nodes_due >= world.view.nodes(one.job, 0) &&
            (best == SiteIndex::none() || site.price < world.view.sites()[best].price))
          best = s;
      }
      if (best == SiteIndex::none()) continue;
      world.commands.submit(one.job, best);
      one.placed = true;
    }
  }

  void wake(const World& world) {
    if (waiting_.empty()) return;
    const ForecastView view = ahead(world, 0, Signal::Price);
    Instant next = view.start + view.step * ((world.view.now() - view.start) / view.step + 1);
    for (const Waiting& one : waiting_)
      if (!one.placed) next = std::min(next, std::max(one.latest, world.view.now()));
    world.commands.wake_at(next);
  }

  std::vector<Waiting> waiting_;
};

}  // namespace

std::unique_ptr<Policy> make_stranded(std::string name, Knowledge knowledge,
                                      const FleetPolicyOptions& options) {
  return make_rule<Stranded>(std::move(name), knowledge, options);
}

}  // namespace carnot::control
