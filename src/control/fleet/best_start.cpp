// SPDX-License-Identifier: Apache-2.0
// Rules that choose one start for each job when it arrives, at the site it was sent to, by carbon
// alone; after GAIA (Hanafy et al., ASPLOS 2024). Starts are tried a step of the signal apart,
// counted from the arrival.
#include "control/fleet/rule_base.hpp"

namespace carnot::control {

namespace {

class StartRule : public Rule {
 public:
  using Rule::Rule;
  void arrived(const World& world, JobIndex job) final {
    const SiteIndex site = world.view.request(job).origin;
    const Instant now = world.view.now();
    const Instant start =
        choose(ahead(world, site, Signal::Carbon), now, length(world, job), wait(world, job));
    if (start <= now) return world.commands.submit(job, site);
    plan_pieces(world, job, site, 0, {{start, start + length(world, job)}});
  }

 private:
  virtual Instant choose(const ForecastView& carbon, Instant now, Duration length,
                         Duration wait) const = 0;
};

/// Into the step of least carbon.
class LowestSlot final : public StartRule {
 public:
  using StartRule::StartRule;

 private:
  Instant choose(const ForecastView& carbon, Instant now, Duration, Duration wait) const override {
    Instant best = now;
    double least = carbon.at(now);
    const std::int64_t first = (now - carbon.start) / carbon.step + 1;
    for (std::int64_t i = first; carbon.start + carbon.step * i <= now + wait; ++i) {
      const Instant edge = carbon.start + carbon.step * i;
      if (const double value = carbon.at(edge); value < least) {
        least = value;
        best = edge;
      }
    }
    return best;
  }
};

/// The earliest start of least `cost` among now and whole steps after it, within `wait`.
template <class Cost>
Instant least_start(const ForecastView& carbon, Instant now, Duration wait, Cost&& cost) {
  Instant best = now;
  double least = cost(now);
  for (Instant start = now + carbon.step; start <= now + wait; start = start + carbon.step) {
    if (const double value = cost(start); value < least) {
      least = value;
      best = start;
    }
  }
  return best;
}

/// Least carbon over the whole run.
class LowestWindow final : public StartRule {
 public:
  using StartRule::StartRule;

 private:
  Instant choose(const ForecastView& carbon, Instant now, Duration length,
                 Duration wait) const override {
    return least_start(carbon, now, wait,
                       [&](Instant start) { return carbon.integral(start, start + length); });
  }
};

/// Most carbon saved for each second until the end.
class CarbonTime final : public StartRule {
 public:
  using StartRule::StartRule;

 private:
  Instant choose(const ForecastView& carbon, Instant now, Duration length,
                 Duration wait) const override {
    const double at_once = carbon.integral(now, now + length);
    return least_start(carbon, now, wait, [&](Instant start) {
      const double saved = at_once - carbon.integral(start, start + length);
      return start == now ? 0.0 : -saved / (start + length - now).time().in(second);
    });
  }
};

}  // namespace

std::unique_ptr<Policy> make_lowest_slot(std::string name, Knowledge knowledge,
                                         const FleetPolicyOptions& options) {
  return make_rule<LowestSlot>(std::move(name), knowledge, options);
}
std::unique_ptr<Policy> make_lowest_window(std::string name, Knowledge knowledge,
                                           const FleetPolicyOptions& options) {
  return make_rule<LowestWindow>(std::move(name), knowledge, options);
}
std::unique_ptr<Policy> make_carbon_time(std::string name, Knowledge knowledge,
                                         const FleetPolicyOptions& options) {
  return make_rule<CarbonTime>(std::move(name), knowledge, options);
}

}  // namespace carnot::control
