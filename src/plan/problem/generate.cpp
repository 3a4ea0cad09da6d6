// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/weather/generate.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/plan/problem/problem.hpp"
#include "carnot/trace/readers/read.hpp"

namespace carnot::plan {

namespace {

const Instant kStart = Instant::from_date(2023, 1, 9);  // a Monday
constexpr Duration kHour = Duration::seconds(3600);
constexpr double kGreatestShare = 0.1;  // of the smallest hall, that one job may draw

/// Hourly price, carbon and temperature of one region, and a city in it.
struct Region {
  TraceCore price, carbon, temperature;
  std::string name;  ///< empty: synthetic
  double latitude = kNaN;
  double longitude = kNaN;
};

/// A large city of each zone that hourly tables are there for, to a tenth of a degree.
struct ZoneCity {
  std::string_view zone;
  double latitude, longitude;
};
constexpr ZoneCity kCities[] = {
    {"AU-NSW", -33.9, 151.2},    {"AU-VIC", -37.8, 145.0},      {"BR-SP", -23.6, -46.6},
    {"CA-ON", 43.7, -79.4},      {"CL-SIC", -33.4, -70.7},      {"DE-LU", 50.1, 8.7},
    {"IN-WE", 19.1, 72.9},       {"JP-TK", 35.7, 139.7},        {"KR", 37.6, 127.0},
    {"SG", 1.3, 103.8},          {"US-CAL-CISO", 37.8, -122.4}, {"US-MIDA-PJM", 39.0, -77.5},
    {"US-NY-NYIS", 40.7, -74.0}, {"US-TEX-ERCO", 32.8, -96.8},  {"ZA", -26.2, 28.0}};

std::vector<std::string> header_of(const std::string& path) {
  std::vector<std::string> names;
  const std::string text = read_file(path);
  std::string_view line = std::string_view(text).substr(0, text.find_first_of("\r\n"));
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t comma = std::min(line.find(',', at), line.size());
    names.emplace_back(line.substr(at, comma - at));
    at = comma + 1;
  }
  return names;
}

/// The zones of a folder of hourly site tables that have price, carbon and temperature.
std::vector<Region> read_regions(const std::string& folder, std::size_t at_most) {
  const std::string price = folder + "/price_usd_per_mwh.csv";
  const std::string carbon = folder + "/carbon_direct_g_per_kwh.csv";
  const std::string temperature = folder + "/temperature_c.csv";
  const std::vector<std::string> with_carbon = header_of(carbon), warm = header_of(temperature);
  const auto in = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<Region> out;
  const std::vector<std::string> priced = header_of(price);
  for (std::size_t i = 1; i < priced.size() && out.size() < at_most; ++i)
    if (in(with_carbon, priced[i]) && in(warm, priced[i])) {
      Region region{
          read_sites_price(price, priced[i], kEuroPerDollar2023, GapPolicy::Linear).trace.core(),
          read_sites_carbon(carbon, priced[i], GapPolicy::Linear).trace.core(),
          read_sites_temperature(temperature, priced[i], GapPolicy::Linear).trace.core(),
          priced[i]};
      for (const ZoneCity& city : kCities)
        if (city.zone == priced[i]) {
          region.latitude = city.latitude;
          region.longitude = city.longitude;
        }
      out.push_back(std::move(region));
    }
  if (out.empty())
    throw InputError(folder + ": no zone has price, carbon and temperature, all three");
  return out;
}

Region make_region(const RandomStream& random, const TimeGrid& grid, std::uint64_t seed) {
  PriceOptions price;
  price.mean = (45.0 + 60.0 * random.uniform(0)) * euro_per_megawatt_hour;
  price.longitude = 360.0 * random.uniform(1) - 180.0;
  CarbonOptions carbon;
  carbon.mean = (80.0 + 500.0 * random.uniform(2)) * gram_per_kilowatt_hour;
  carbon.wind_effect = -0.8 * carbon.mean;
  carbon.longitude = price.longitude;
  TemperatureOptions temperature;
  temperature.mean = from_celsius(2.0 + 22.0 * random.uniform(3));
  temperature.longitude = price.longitude;
  return {generate_price(price, grid, seed).core(),
          generate_carbon(carbon, grid, seed).core(),
          generate_temperature(temperature, grid, seed).core(),
          {}};
}

/// A hall beside a wind farm or a solar plant whose line carries less than it can make.
PlanSite make_site(std::size_t s, const GenerateOptions& options, const std::vector<Region>& real) {
  const RandomStream random = RandomStream(options.seed, "plan-sites").child(s);
  const auto n = static_cast<std::size_t>(options.slots);
  const TimeGrid grid{kStart, kHour, n};
  const std::uint64_t seed = random.bits(100);
  const Region region = real.empty() ? make_region(random, grid, seed) : real[s % real.size()];
  // Sites that share a region of a table live in different weeks of its year.
  const auto room = static_cast<std::int64_t>(region.price.size()) - options.slots;
  if (room < 0)
    throw InputError(fmt::format("slots: at most {}, the hours of the data", region.price.size()));
  const Instant from =
      real.empty()
          ? kStart
          : std::max({region.price.begin(), region.carbon.begin(), region.temperature.begin()}) +
                kHour * static_cast<std::int64_t>(random.below(
                            101, static_cast<std::uint64_t>(std::max<std::int64_t>(room - 48, 1))));

  PlanSite site;
  if (real.empty())
    site.name = fmt::format("site-{}", s + 1);
  else
    site.name =
        s < real.size() ? region.name : fmt::format("{} {}", region.name, s / real.size() + 1);
  site.latitude = region.latitude;
  site.longitude = region.longitude;
  const double hall = 1000.0 * (1.0 + 4.0 * random.uniform(10));  // kW of IT
  const double plant = hall * (1.0 + 2.0 * random.uniform(11));
  const double line = plant * (0.5 + 0.3 * random.uniform(12));
  const TraceCore own = [&] {
    if (random.uniform(13) < 0.7) {
      WindOptions wind;
      wind.capacity = plant * kilowatt;
      return generate_wind(wind, grid, seed).core();
    }
    SolarOptions solar;
    solar.capacity = plant * kilowatt;
    solar.latitude = 20.0 + 30.0 * random.uniform(14);
    solar.longitude = 360.0 * random.uniform(1) - 180.0;
    return generate_solar(solar, grid, seed).core();
  }();
  const bool limited = random.uniform(15) < 0.5;
  const double limit = hall * (0.8 + 0.8 * random.uniform(16));
  for (std::size_t t = 0; t < n; ++t) {
    const Instant at = from + kHour * static_cast<std::int64_t>(t);
    const auto mean = [&](const TraceCore& x) { return x.mean_over(at, at + kHour); };
    const double celsius = to_celsius(Temperature::from_base(mean(region.temperature)));
    site.capacity_kw.push_back(hall);
    site.pue.push_back(1.08 + 0.012 * std::max(0.0, celsius - 12.0));
    site.free_kw.push_back(std::max(0.0, Power::from_base(own.mean()[t]).in(kilowatt)-line));
    site.price_eur_per_kwh.push_back(
        EnergyPrice::from_base(mean(region.price)).in(euro_per_kilowatt_hour));
    site.carbon_g_per_kwh.push_back(
        CarbonIntensity::from_base(mean(region.carbon)).in(gram_per_kilowatt_hour));
    site.grid_limit_kw.push_back(limited ? limit : kInfinity);
  }
  return site;
}

void check(const GenerateOptions& o) {
  const auto within = [](const char* name, std::int64_t x, std::int64_t low, std::int64_t high) {
    if (x < low || x > high)
      throw InputError(fmt::format("{}: {} to {}, not {}", name, low, high, x));
  };
  within("jobs", o.jobs, 0, 100'000'000);
  within("sites", o.sites, 1, 100'000);
  within("slots", o.slots, 1, 8760);
  within("modes", o.modes, 1, 16);
  if (!(o.load > 0.0 && o.load <= 10.0)) throw InputError("load: above 0, at most 10");
}

}  // namespace

Problem generate_problem(const GenerateOptions& options, const StopToken& token) {
  check(options);
  SparseStop stop(token);
  Problem problem;
  problem.slots = static_cast<std::int32_t>(options.slots);
  problem.carbon_price_eur_per_t = 80.0;
  const std::vector<Region> real =
      options.data_dir.empty()
          ? std::vector<Region>{}
          : read_regions(options.data_dir, static_cast<std::size_t>(options.sites));
  double capacity = 0, smallest = kInfinity;
  for (std::size_t s = 0; s < static_cast<std::size_t>(options.sites); ++s) {
    token.throw_if_requested();
    problem.sites.push_back(make_site(s, options, real));
    const PlanSite& site = problem.sites.back();
    smallest = std::min(smallest, site.capacity_kw.front());
    for (std::size_t t = 0; t < site.pue.size(); ++t)
      capacity +=
          std::min(site.capacity_kw[t], (site.free_kw[t] + site.grid_limit_kw[t]) / site.pue[t]);
  }

  // Powers are drawn relative and then scaled so that first modes fill `load` of all capacity. None
  // takes more than a share of the smallest hall: what the greatest lose, the others make up.
  const RandomStream random(options.seed, "plan-jobs");
  constexpr std::uint64_t kDraws = 8;
  const auto n = static_cast<std::uint64_t>(options.jobs);
  const auto draw = [&](std::uint64_t j, std::uint64_t which) { return kDraws * j + which; };
  // Where jobs are few, each is longer: a mean job is 0.4 hall-hours otherwise.
  const double longer =
      std::max(1.0, options.load * static_cast<double>(options.slots * options.sites) /
                        (0.4 * static_cast<double>(std::max<std::int64_t>(options.jobs, 1))));
  const auto work_slots = [&](std::uint64_t j) {
    const double k = longer * std::exp(1.8 + 0.8 * random.normal(draw(j, 0)));
    return std::clamp<std::int64_t>(std::llround(k), 1,
                                    std::max<std::int64_t>(options.slots / 4, 1));
  };
  const auto relative_power = [&](std::uint64_t j) {
    return std::exp(0.9 * random.normal(draw(j, 1)));
  };
  const double greatest = kGreatestShare * smallest;
  double scale = 1.0;
  for (int round = 0; round < 8; ++round) {
    double capped = 0, free = 0;
    for (std::uint64_t j = 0; j < n; ++j) {
      stop.throw_if_requested();
      const double kw = scale * relative_power(j), k = static_cast<double>(work_slots(j));
      (kw > greatest ? capped : free) += k * std::min(kw, greatest);
    }
    if (free == 0) break;
    scale *= std::max(options.load * capacity - capped, 0.0) / free;
  }

  problem.jobs.reserve(n, n * static_cast<std::uint64_t>(options.modes));
  std::vector<PlanMode> modes;
  for (std::uint64_t j = 0; j < n; ++j) {
    stop.throw_if_requested();
    const std::int64_t k = work_slots(j);
    const double kw = std::round(1e4 * std::min(greatest, scale * relative_power(j))) / 1e4;
    const double slack = 1.0 + 5.0 * random.uniform(draw(j, 2));
    const std::int64_t window =
        std::min<std::int64_t>(options.slots, k + std::llround(slack * static_cast<double>(k)) + 2);
    const auto release = static_cast<std::int64_t>(
        random.below(draw(j, 3), static_cast<std::uint64_t>(options.slots - window + 1)));
    // Mode 1 as asked; then slower and leaner, and fewer bits at some cost of quality, by turns.
    modes.clear();
    const double worth = static_cast<double>(k) * kw;  // kWh of IT
    for (std::int64_t m = 0; m < options.modes; ++m) {
      const double pace = m == 0       ? 1.0
                          : m % 2 == 1 ? 1.0 + 0.35 * static_cast<double>(m + 1) / 2
                                       : 1.0 / (1.0 + 0.5 * static_cast<double>(m) / 2);
      const double draw_of = m == 0 ? 1.0 : m % 2 == 1 ? 0.68 / (0.6 + 0.4 * pace) : 0.95;
      const double quality = m == 0 || m % 2 == 1 ? 0.0 : 0.02 * worth * static_cast<double>(m) / 2;
      const std::int64_t slots =
          std::clamp<std::int64_t>(std::llround(static_cast<double>(k) * pace), 1, window);
      modes.push_back({static_cast<std::int32_t>(slots), std::round(1e4 * kw * draw_of) / 1e4,
                       std::round(1e6 * quality) / 1e6});
    }
    const auto origin = static_cast<std::uint32_t>(
        random.below(draw(j, 4), static_cast<std::uint64_t>(options.sites)));
    const double move = std::round(1e6 * worth * 0.012 * random.uniform(draw(j, 5))) / 1e6;
    const double value = std::round(1e6 * worth * (0.3 + 0.7 * random.uniform(draw(j, 6)))) / 1e6;
    problem.jobs.add(fmt::format("j{}", j + 1), static_cast<std::int32_t>(release),
                     static_cast<std::int32_t>(release + window), value, modes, origin, move, {});
  }
  return problem;
}

}  // namespace carnot::plan
