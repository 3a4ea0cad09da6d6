// SPDX-License-Identifier: Apache-2.0
#include "simulate/signals.hpp"

#include <algorithm>

namespace carnot::simulate {

using control::Signal;

namespace {

constexpr std::size_t kHorizon = 168;
constexpr std::int64_t kMemory = 30 * 24;  // steps before the first forecast that it learns from
constexpr Signal kPlain[] = {Signal::Price, Signal::Carbon, Signal::Temperature, Signal::OwnPower,
                             Signal::TotalPower};

std::size_t index(Signal signal) { return static_cast<std::size_t>(signal); }

/// Of a product of `factor` and PUE at full load: the factor; else the signal itself.
Signal factor_of(Signal signal) {
  if (signal == Signal::ItPrice) return Signal::Price;
  return signal == Signal::ItCarbon ? Signal::Carbon : signal;
}

void integrate(const std::vector<double>& mean, Duration step, std::vector<double>& sum) {
  const double seconds = step.time().in(second);
  sum.assign(1, 0.0);
  sum.reserve(mean.size() + 1);
  for (const double m : mean) sum.push_back(sum.back() + m * seconds);
}

Forecaster::Options forecast_options(Signal signal, Duration step) {
  Forecaster::Options options;
  options.step = step;
  options.horizon = kHorizon;
  options.refresh = Duration{};
  if (signal == Signal::Price) {
    options.low = (-1e4 * euro_per_kilowatt_hour).base();  // prices fall below zero
    options.prior_sd = (0.03 * euro_per_kilowatt_hour).base();
  } else if (signal == Signal::Carbon) {
    options.prior_sd = (100.0 * gram_per_kilowatt_hour).base();
  } else if (signal == Signal::Temperature) {
    options.prior_sd = 4.0;
  }
  return options;
}

}  // namespace

Power own_for_computing(const FleetSite& site, std::size_t step) {
  if (site.own.empty()) return Power{};
  const Power total = max(site.own[step], Power{});
  return site.computing_uses == site::ComputingUses::AllOwn
             ? total
             : max(Power{}, total - site.export_limit);
}

SiteSignals::SiteSignals(const FleetScenario& scenario, const FleetSite& site)
    : scenario_(&scenario), site_(&site) {
  asked_.fill(-1);
}

double SiteSignals::value(Signal signal, std::int64_t step) const {
  const auto n = static_cast<std::int64_t>(site_->price.size());
  const auto i = static_cast<std::size_t>((step % n + n) % n);
  const auto pue = [&] { return site_->hall.pue(site_->outside[i], 1.0); };
  switch (signal) {
    case Signal::Price:
      return site_->price[i].base();
    case Signal::Carbon:
      return site_->carbon[i].base();
    case Signal::Temperature:
      return site_->outside[i].base();
    case Signal::OwnPower:
      return own_for_computing(*site_, i).base();
    case Signal::TotalPower:
      return site_->own.empty() ? 0.0 : std::max(0.0, site_->own[i].base());
    case Signal::ItPrice:
      return site_->price[i].base() * pue();
    case Signal::ItCarbon:
      return site_->carbon[i].base() * pue();
  }
  return 0.0;
}

ForecastView SiteSignals::truth(Signal signal, Instant now) {
  Truth& truth = truth_[index(signal)];
  const std::size_t n = site_->price.size();
  if (truth.mean.empty()) {  // twice around, so that every view is one piece
    truth.mean.resize(2 * n);
    for (std::size_t i = 0; i < 2 * n; ++i)
      truth.mean[i] = value(signal, static_cast<std::int64_t>(i));
    integrate(truth.mean, scenario_->step, truth.sum);
  }
  const std::int64_t step = number(now);
  const auto round = static_cast<std::int64_t>(n);
  const auto first = static_cast<std::size_t>((step % round + round) % round);
  return {edge(step),
          scenario_->step,
          std::span(truth.mean).subspan(first, n),
          {},
          std::span(truth.sum).subspan(first, n + 1)};
}

// The forecaster is asked at every step from the first on, whether or not anyone looks: so what it
// says depends on when it was first asked alone.
void SiteSignals::make(Signal signal, std::int64_t step) {
  Made& made = made_[index(signal)];
  if (made.step == step) return;
  if (!made.forecaster) {
    asked_[index(signal)] = step;
    made.forecaster = std::make_unique<Forecaster>(forecast_options(signal, scenario_->step),
                                                   std::nullopt, std::nullopt);
    made.step = std::max<std::int64_t>(0, step - kMemory);
  }
  for (; made.step < step; ++made.step) {
    made.forecaster->observe(edge(made.step), scenario_->step, value(signal, made.step));
    const ForecastView view = made.forecaster->forecast(edge(made.step + 1));
    made.mean.assign(view.mean.begin(), view.mean.end());
  }
  if (made.mean.empty()) made.mean.assign(kHorizon, value(signal, step));
  made.mean[0] = value(signal, step);
  integrate(made.mean, scenario_->step, made.sum);
}

ForecastView SiteSignals::forecast(Signal signal, Instant now) {
  const std::int64_t step = number(now);
  const Signal factor = factor_of(signal);
  Made& made = made_[index(signal)];
  make(factor, step);
  if (factor != signal && made.step != step) {
    make(Signal::Temperature, step);
    const std::vector<double>& outside = made_[index(Signal::Temperature)].mean;
    made.mean = made_[index(factor)].mean;
    for (std::size_t i = 0; i < made.mean.size(); ++i)
      made.mean[i] *= site_->hall.pue(Temperature::from_base(outside[i]), 1.0);
    integrate(made.mean, scenario_->step, made.sum);
    made.step = step;
  }
  return {edge(step), scenario_->step, made.mean, {}, made.sum};
}

void SiteSignals::resume(const Asked& asked, Instant now) {
  for (const Signal signal : kPlain)
    if (asked[index(signal)] >= 0) {
      make(signal, asked[index(signal)]);
      make(signal, number(now));
    }
}

}  // namespace carnot::simulate
