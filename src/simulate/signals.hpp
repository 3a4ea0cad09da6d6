// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a policy is shown of a site's series: the truth, or forecasts made of the past alone.
/// Made when first asked for.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "carnot/control/view.hpp"
#include "carnot/simulate/simulate.hpp"
#include "carnot/trace/forecast.hpp"

namespace carnot::simulate {

class SiteSignals {
 public:
  SiteSignals(const FleetScenario& scenario, const FleetSite& site);

  /// The truth from the step that holds `now` on, one round of the series.
  ForecastView truth(control::Signal signal, Instant now);
  /// One week of forecast; the step that holds `now` is known. Calls are in time order.
  ForecastView forecast(control::Signal signal, Instant now);

  /// Step of the first forecast asked for, by signal; -1: none. With it `resume` makes the next
  /// ones the same again. Those with PUE follow from others.
  using Asked = std::array<std::int64_t, control::kSignals - 1>;
  const Asked& asked() const noexcept { return asked_; }
  void resume(const Asked& asked, Instant now);

 private:
  struct Truth {
    std::vector<double> mean, sum;
  };
  struct Made {
    std::unique_ptr<Forecaster> forecaster;
    std::int64_t step = -1;  // number of the step that `mean` begins with
    std::vector<double> mean, sum;
  };
  double value(control::Signal signal, std::int64_t step) const;
  std::int64_t number(Instant at) const { return (at - scenario_->series_start) / scenario_->step; }
  Instant edge(std::int64_t step) const { return scenario_->series_start + scenario_->step * step; }
  void make(control::Signal signal, std::int64_t step);

  const FleetScenario* scenario_;
  const FleetSite* site_;
  std::array<Truth, control::kSignals> truth_;
  std::array<Made, control::kSignals> made_;
  Asked asked_;
};

/// The power that computing may use of the site's own.
Power own_for_computing(const FleetSite& site, std::size_t step);

}  // namespace carnot::simulate
