// SPDX-License-Identifier: Apache-2.0
// Rules that choose one start for each job when it arrives, at the site it was sent to, by carbon
// alone; after GAIA (Hanafy et al., ASPLOS 2024). Starts are tried a step of the signal apart,
// counted from the arrival.
#include <algorithm>
#include <cmath>

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

/// Size of the signal from now on, as far as a run may reach.
double magnitude(const ForecastView& carbon, Instant now, Duration reach) {
  double most = std::abs(carbon.at(now));
  for (Instant at = now; at <= now + reach && at < carbon.end(); at = at + carbon.step)
    most = std::max(most, std::abs(carbon.at(at)));
  return most;
}

/// Of the integrals over `length` from any time within `wait`. They are differences of sums from a
/// distant edge, whose own rounding, some 1e-12 of them, counts too.
double magnitude_of_integrals(const ForecastView& carbon, Instant now, Duration length,
                              Duration wait) {
  double size = magnitude(carbon, now, wait + length) * length.time().in(second);
  if (!carbon.sum.empty())
    size += 1e-3 * std::max(std::abs(carbon.sum.front()), std::abs(carbon.sum.back()));
  return size;
}

/// Into the step of least carbon.
class LowestSlot final : public StartRule {
 public:
  using StartRule::StartRule;

 private:
  Instant choose(const ForecastView& carbon, Instant now, Duration, Duration wait) const override {
    Instant best = now;
    double least = carbon.at(now);
    const double size = magnitude(carbon, now, wait);
    const std::int64_t first = (now - carbon.start) / carbon.step + 1;
    for (std::int64_t i = first; carbon.start + carbon.step * i <= now + wait; ++i) {
      const Instant edge = carbon.start + carbon.step * i;
      if (const double value = carbon.at(edge); clearly_less(value, least, size)) {
        least = value;
        best = edge;
      }
    }
    return best;
  }
};

/// The earliest start of least `cost`, made of numbers of size `size`, among now and whole steps
/// after it, within `wait`.
template <class Cost>
Instant least_start(const ForecastView& carbon, Instant now, Duration wait, double size,
                    Cost&& cost) {
  Instant best = now;
  double least = cost(now);
  for (Instant start = now + carbon.step; start <= now + wait; start = start + carbon.step) {
    if (const double value = cost(start); clearly_less(value, least, size)) {
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
    return least_start(carbon, now, wait, magnitude_of_integrals(carbon, now, length, wait),
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
    const double size = magnitude_of_integrals(carbon, now, length, wait) /
                        std::max(1e-9, length.time().in(second));
    return least_start(carbon, now, wait, size, [&](Instant start) {
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
