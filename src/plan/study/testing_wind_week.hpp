// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests and benches: weeks of computing on the wind of the four farms of RTS-GMLC, planned on
/// what was forecast and carried out on what came.
///
/// Each farm feeds a hall with `own_share` of the hall's power for each unit of the farm's own
/// rated power; the rest is bought at the price of California in 2023, hour for hour of the year,
/// local time, which is known beforehand. Jobs are generated, all known from the start, and must
/// not be dropped: that costs more than any energy. What is not known is the wind.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/grid/network/rts_gmlc.hpp"
#include "carnot/plan/study/rolling_horizon.hpp"
#include "carnot/plan/study/stochastic.hpp"
#include "carnot/trace/forecast.hpp"
#include "carnot/trace/readers/read.hpp"

namespace carnot::plan::testing {

inline constexpr std::int32_t kWeekHours = 168;
inline constexpr std::size_t kParts = 12;  // five minutes of an hour
inline constexpr Duration kHour = Duration::seconds(3600), kPart = Duration::seconds(300);

/// A farm of the year 2020, in watts.
struct Farm {
  std::string name;
  TraceCore day_ahead, real_time;
  double rated_w;
};

struct WindYear {
  std::vector<Farm> farms;
  TraceCore price, carbon;  ///< EUR/J and g/J, from midnight of 1 January 2023, local time
};

/// \param rts, prices  folders of RTS-GMLC and of the hourly tables of sites
inline WindYear read_wind_year(const std::string& rts, const std::string& prices) {
  constexpr Duration kFromUtc = Duration::seconds(-8 * 3600);
  const std::string zone = "US-CAL-CISO";
  WindYear year{{},
                read_sites_price(prices + "/price_usd_per_mwh.csv", zone, kEuroPerDollar2023,
                                 GapPolicy::Linear)
                    .trace.core()
                    .shifted(kFromUtc),
                read_sites_carbon(prices + "/carbon_direct_g_per_kwh.csv", zone, GapPolicy::Linear)
                    .trace.core()
                    .shifted(kFromUtc)};
  const std::string folder = rts + "/RTS_Data/timeseries_data_files/WIND/";
  const grid::RtsGmlc system = grid::RtsGmlc::read(rts);
  for (const grid::GridGenerator& generator : system.grid().generators)
    if (generator.name.find("_WIND_") != std::string::npos) {
      const auto series = [&](const char* file) {
        return read_rts_gmlc(folder + file, generator.name).trace.core();
      };
      year.farms.push_back({generator.name, series("DAY_AHEAD_wind.csv"),
                            series("REAL_TIME_wind.csv"), generator.maximum_mw * 1e6});
    }
  return year;
}

struct WeekOptions {
  std::int64_t jobs = 400;
  std::uint64_t seed = 1;
  double load = 0.6;       ///< of what the halls could take
  double own_share = 1.0;  ///< own power over the hall's, at the farm's rated power
};

class WindWeek {
 public:
  /// \param day  of the year, from 0
  WindWeek(const WindYear& year, int day, const WeekOptions& options)
      : year_(year),
        start_(Instant::from_date(2020, 1, 1) + kHour * (24 * day)),
        options_(options) {
    GenerateOptions generate;
    generate.jobs = options.jobs;
    generate.sites = static_cast<std::int64_t>(year.farms.size());
    generate.slots = kWeekHours;
    generate.modes = 2;
    generate.seed = options.seed;
    generate.load = options.load;
    const Problem drawn = generate_problem(generate);
    problem_.slots = kWeekHours;
    problem_.carbon_price_eur_per_t = drawn.carbon_price_eur_per_t;
    for (std::size_t j = 0; j < drawn.jobs.size(); ++j) add_required(drawn.jobs, j);
    for (const PlanSite& site : drawn.sites) hall_kw_.push_back(site.capacity_kw.front());
    problem_.sites = sites(0, [&](std::size_t s, std::int32_t t) { return day_ahead_w(s, t); });
  }

  /// Own power is what was forecast the day before.
  const Problem& problem() const noexcept { return problem_; }
  std::size_t farms() const noexcept { return hall_kw_.size(); }
  Instant start() const noexcept { return start_; }
  const Farm& farm(std::size_t s) const { return year_.farms[s]; }
  double day_ahead_w(std::size_t s, std::int32_t hour) const {
    return farm(s).day_ahead.at(start_ + kHour * hour);
  }
  /// Mean of what came; hours below 0 lie before the week.
  double real_w(std::size_t s, std::int32_t hour) const {
    const Instant at = start_ + kHour * hour;
    return farm(s).real_time.mean_over(at, at + kHour);
  }

  /// The halls from an hour on to the end of the week.
  /// \param wind_w  (farm, hour of the week)
  std::vector<PlanSite> sites(
      std::int32_t from, const std::function<double(std::size_t, std::int32_t)>& wind_w) const {
    std::vector<PlanSite> out(farms());
    for (std::size_t s = 0; s < farms(); ++s)
      for (std::int32_t t = from; t < kWeekHours; ++t) append(out[s], s, t, wind_w(s, t));
    return out;
  }
  /// An hour of what came, in its twelve parts.
  std::vector<PlanSite> real(std::int32_t hour) const {
    std::vector<PlanSite> out(farms());
    for (std::size_t s = 0; s < farms(); ++s)
      for (std::size_t i = 0; i < kParts; ++i) append(out[s], s, hour, real_part_w(s, hour, i));
    return out;
  }
  /// The week of what came: parts of an hour are cases of equal weight, so that their mean is what
  /// a plan really costs, and the bound of the mean holds for every plan.
  std::vector<Scenario> real_parts() const {
    std::vector<Scenario> out(kParts);
    for (std::size_t i = 0; i < kParts; ++i)
      out[i].sites = sites(0, [&](std::size_t s, std::int32_t t) { return real_part_w(s, t, i); });
    return out;
  }
  /// The day-ahead forecast with the errors it had in each of the weeks before.
  std::vector<Scenario> past_errors(std::int32_t weeks) const {
    std::vector<Scenario> out(static_cast<std::size_t>(weeks));
    for (std::int32_t w = 1; w <= weeks; ++w)
      out[static_cast<std::size_t>(w - 1)].sites = sites(0, [&](std::size_t s, std::int32_t t) {
        const std::int32_t then = t - w * kWeekHours;
        return std::clamp(day_ahead_w(s, t) + real_w(s, then) - day_ahead_w(s, then), 0.0,
                          farm(s).rated_w);
      });
    return out;
  }

 private:
  void add_required(const PlanJobs& jobs, std::size_t j) {
    constexpr double kForbidding = 10.0;  // EUR a kWh
    std::vector<PlanMode> modes;
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
      modes.push_back(jobs.mode(i));
    problem_.jobs.add(jobs.id(j), jobs.release(j), jobs.deadline(j),
                      kForbidding * modes[0].slots * modes[0].power_kw, modes, jobs.origin(j),
                      jobs.move_flat(j), {});
  }
  double real_part_w(std::size_t s, std::int32_t hour, std::size_t part) const {
    return farm(s).real_time.at(start_ + kHour * hour + kPart * static_cast<std::int64_t>(part));
  }
  void append(PlanSite& site, std::size_t s, std::int32_t hour, double wind_w) const {
    const Instant at = year_.price.begin() + (start_ - farm(s).real_time.begin()) + kHour * hour;
    site.name = farm(s).name;
    site.capacity_kw.push_back(hall_kw_[s]);
    site.pue.push_back(1.1);
    site.free_kw.push_back(options_.own_share * hall_kw_[s] * wind_w / farm(s).rated_w);
    site.price_eur_per_kwh.push_back(
        EnergyPrice::from_base(year_.price.at(at)).in(euro_per_kilowatt_hour));
    site.carbon_g_per_kwh.push_back(
        CarbonIntensity::from_base(year_.carbon.at(at)).in(gram_per_kilowatt_hour));
    site.grid_limit_kw.push_back(kInfinity);
  }

  const WindYear& year_;
  Instant start_;
  WeekOptions options_;
  std::vector<double> hall_kw_;
  Problem problem_;
};

/// What a week came to.
struct WeekOutcome {
  double cost_eur = 0, own_kwh = 0, grid_kwh = 0;
  std::size_t missed = 0;  ///< jobs not done by their deadlines
};

/// A plan carried out to the letter on what came: plain sums.
inline WeekOutcome carried_out(const WindWeek& week, const Plan& plan) {
  const Problem& problem = week.problem();
  WeekOutcome out;
  std::vector<std::vector<double>> load(week.farms(), std::vector<double>(kWeekHours));
  for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
    const Assignment& a = plan.jobs[j];
    if (a.site == kNone) {
      ++out.missed;
      out.cost_eur += problem.jobs.value(j);
      continue;
    }
    const PlanMode& mode = problem.jobs.mode(problem.jobs.mode_begin(j) + a.mode);
    out.cost_eur += mode.quality_eur + problem.jobs.move_eur(j, a.site);
    for (const std::int32_t t : a.slots) load[a.site][static_cast<std::size_t>(t)] += mode.power_kw;
  }
  for (std::int32_t t = 0; t < kWeekHours; ++t) {
    const std::vector<PlanSite> real = week.real(t);
    for (std::size_t s = 0; s < real.size(); ++s)
      for (std::size_t i = 0; i < kParts; ++i) {
        const double need = real[s].pue[i] * load[s][static_cast<std::size_t>(t)];
        const double price = real[s].price_eur_per_kwh[i] +
                             1e-6 * problem.carbon_price_eur_per_t * real[s].carbon_g_per_kwh[i];
        const double own = price < 0 ? 0.0 : std::min(need, real[s].free_kw[i]);
        out.own_kwh += own / kParts;
        out.grid_kwh += (need - own) / kParts;
        out.cost_eur += (need - own) / kParts * price;
      }
  }
  return out;
}

/// What is thought to come, seen from the beginning of an hour of the week.
using WindForecast = std::function<std::vector<PlanSite>(std::int32_t hour)>;

/// Of the day before.
inline WindForecast day_ahead_forecast(const WindWeek& week) {
  return [&week](std::int32_t hour) {
    return week.sites(hour, [&](std::size_t s, std::int32_t t) { return week.day_ahead_w(s, t); });
  };
}

/// As in the hour before.
inline WindForecast persistence_forecast(const WindWeek& week) {
  return [&week](std::int32_t hour) {
    std::vector<double> last;
    for (std::size_t s = 0; s < week.farms(); ++s) last.push_back(week.real_w(s, hour - 1));
    return week.sites(hour, [&](std::size_t s, std::int32_t) { return last[s]; });
  };
}

/// Of the day before, mended by the errors seen so far (trace/forecast.hpp): told of the year up to
/// the hour at hand and of nothing beyond. Hours must be asked for in order, from 0.
inline WindForecast mended_forecast(const WindWeek& week) {
  auto farms = std::make_shared<std::vector<Forecaster>>();
  for (std::size_t s = 0; s < week.farms(); ++s) {
    const Farm& farm = week.farm(s);
    Forecaster::Options options;
    options.horizon = kWeekHours;
    options.high = farm.rated_w;
    const Instant begin = farm.real_time.begin();
    const auto before = static_cast<std::size_t>((week.start() - begin) / kHour);
    farms->emplace_back(options, farm.real_time.resampled(begin, kHour, before), farm.day_ahead);
  }
  return [&week, farms](std::int32_t hour) {
    const Instant now = week.start() + kHour * hour;
    std::vector<std::vector<double>> mean;
    for (std::size_t s = 0; s < week.farms(); ++s) {
      if (hour > 0) (*farms)[s].observe(now - kHour, kHour, week.real_w(s, hour - 1));
      const ForecastView view = (*farms)[s].forecast(now);
      CARNOT_CHECK(view.start == now, "a forecast of this hour");
      mean.emplace_back(view.mean.begin(), view.mean.end());
    }
    return week.sites(hour, [&](std::size_t s, std::int32_t t) {
      return mean[s][static_cast<std::size_t>(t - hour)];
    });
  };
}

/// Runs a week on what came. \param every  hours from plan to plan
inline WeekOutcome replanned(const WindWeek& week, const WindForecast& forecast, std::int32_t every,
                             const PlannerOptions& options) {
  const Problem& problem = week.problem();
  Replanner replanner(problem.slot_s, problem.carbon_price_eur_per_t, {options});
  for (std::size_t j = 0; j < problem.jobs.size(); ++j) replanner.add(problem.jobs, j);
  WeekOutcome out;
  for (std::int32_t t = 0; t < kWeekHours; ++t) {
    if (t % every == 0) replanner.plan(forecast(t));
    const SlotReport report = replanner.run(week.real(t));
    out.cost_eur += report.cost_eur();
    out.own_kwh += report.own_kwh;
    out.grid_kwh += report.grid_kwh;
  }
  for (std::size_t j = 0; j < replanner.jobs(); ++j)
    out.missed += replanner.standing(j).stage != JobStage::Finished;
  return out;
}

}  // namespace carnot::plan::testing
