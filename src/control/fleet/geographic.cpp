// SPDX-License-Identifier: Apache-2.0
// Rules that choose a site when a job arrives. The geographic ones look at the present alone, and
// at sites with room for the job first, as the rules of SustainCluster do (Guillen-Perez et al.,
// NeurIPS 2025); the greedy ones choose site and time together for each job on its own, as the
// Carbon Aware SDK of the Green Software Foundation does.
#include <limits>

#include "control/fleet/rule_base.hpp"

namespace carnot::control {

namespace {

class SiteRule : public Rule {
 public:
  using Rule::Rule;
  void arrived(const World& world, JobIndex job) final {
    const std::int32_t nodes = world.view.nodes(job, 0);
    SiteIndex best = SiteIndex::none();
    bool best_has_room = false;
    double least = 0;
    for (SiteIndex s = 0; s < world.view.sites().size(); ++s) {
      const SiteState& site = world.view.sites()[s];
      if (site.nodes < nodes) continue;
      const bool has_room = site.nodes_free - site.nodes_due >= nodes;
      const double cost = rank(site, s);
      if (best == SiteIndex::none() || has_room > best_has_room ||
          (has_room == best_has_room && cost < least)) {
        best = s;
        best_has_room = has_room;
        least = cost;
      }
    }
    chosen(best);
    world.commands.submit(job, best);
  }

 private:
  /// Less is better.
  virtual double rank(const SiteState& site, SiteIndex index) const = 0;
  virtual void chosen(SiteIndex) {}
};

class LowestCarbon final : public SiteRule {
 public:
  using SiteRule::SiteRule;

 private:
  double rank(const SiteState& site, SiteIndex) const override { return site.carbon.base(); }
};

class LowestPrice final : public SiteRule {
 public:
  using SiteRule::SiteRule;

 private:
  double rank(const SiteState& site, SiteIndex) const override { return site.price.base(); }
};

class MostAvailable final : public SiteRule {
 public:
  using SiteRule::SiteRule;

 private:
  double rank(const SiteState& site, SiteIndex) const override {
    return static_cast<double>(site.nodes_due) - site.nodes_free;
  }
};

class RoundRobin final : public SiteRule {
 public:
  using SiteRule::SiteRule;

 private:
  void save_state(StateWriter& state) const override { state.value(next_); }
  void restore_state(StateReader& state) override { next_ = state.value<SiteIndex>(); }
  // Distance from whose turn it is; those before come last, in their order.
  double rank(const SiteState&, SiteIndex index) const override {
    return static_cast<double>(static_cast<SiteIndex>(index - next_));
  }
  void chosen(SiteIndex site) override { next_ = site + 1; }

  SiteIndex next_ = 0;
};

/// Site and time at which this job alone costs least.
class Greedy : public Rule {
 public:
  Greedy(std::string name, Knowledge knowledge, const FleetPolicyOptions& options, Signal signal)
      : Rule(std::move(name), knowledge, options), signal_(signal) {}

  void arrived(const World& world, JobIndex job) override {
    const JobRequest& request = world.view.request(job);
    const Instant from = world.view.now(), to = from + wait(world, job) + length(world, job);
    Timing best;
    SiteIndex where = request.origin;
    for (SiteIndex s = 0; s < world.view.sites().size(); ++s) {
      if (world.view.sites()[s].nodes < request.nodes) continue;
      Timing timing =
          cheapest_window(steps(ahead(world, s, signal_), from, to), from, to, length(world, job));
      timing.cost *= world.view.node_power(job, s, 0).in(watt);
      if (!timing.pieces.empty() && (best.pieces.empty() || timing.cost < best.cost)) {
        best = timing;
        where = s;
      }
    }
    if (best.pieces.empty() || best.pieces.front().from <= from)
      return world.commands.submit(job, where);
    plan_pieces(world, job, where, 0, best.pieces);
  }

 private:
  Signal signal_;
};

}  // namespace

std::unique_ptr<Policy> make_lowest_carbon(std::string name, Knowledge knowledge,
                                           const FleetPolicyOptions& options) {
  return make_rule<LowestCarbon>(std::move(name), knowledge, options);
}
std::unique_ptr<Policy> make_lowest_price(std::string name, Knowledge knowledge,
                                          const FleetPolicyOptions& options) {
  return make_rule<LowestPrice>(std::move(name), knowledge, options);
}
std::unique_ptr<Policy> make_most_available(std::string name, Knowledge knowledge,
                                            const FleetPolicyOptions& options) {
  return make_rule<MostAvailable>(std::move(name), knowledge, options);
}
std::unique_ptr<Policy> make_round_robin(std::string name, Knowledge knowledge,
                                         const FleetPolicyOptions& options) {
  return make_rule<RoundRobin>(std::move(name), knowledge, options);
}
std::unique_ptr<Policy> make_price_greedy(std::string name, Knowledge knowledge,
                                          const FleetPolicyOptions& options) {
  return std::make_unique<Greedy>(std::move(name), knowledge, options, Signal::Price);
}
std::unique_ptr<Policy> make_carbon_greedy(std::string name, Knowledge knowledge,
                                           const FleetPolicyOptions& options) {
  return std::make_unique<Greedy>(std::move(name), knowledge, options, Signal::Carbon);
}

}  // namespace carnot::control
