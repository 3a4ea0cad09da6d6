// SPDX-License-Identifier: Apache-2.0
#include "carnot/simulate/fleet_source.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/trace/weather/generate.hpp"

namespace carnot::simulate {

namespace {

namespace fs = std::filesystem;

/// Which column of `table` is `zone`'s; its size if none is.
std::size_t find_zone(const SiteTable& table, const std::string& zone) {
  const auto found = std::find(table.zones.begin(), table.zones.end(), zone);
  return static_cast<std::size_t>(found - table.zones.begin());
}

/// Fills what is missing: a straight line inside, whole days before or after at the ends.
void fill(std::vector<double>& values, std::size_t day, const std::string& what) {
  const auto known = [](double v) { return !std::isnan(v); };
  if (std::all_of(values.begin(), values.end(), known)) return;
  const auto first = std::find_if(values.begin(), values.end(), known);
  const auto last = std::find_if(values.rbegin(), values.rend(), known).base();
  if (last - first < static_cast<std::ptrdiff_t>(day))
    throw InputError(fmt::format("{}: a day of values at least", what));
  for (auto at = first; at < last; ++at) {
    if (known(*at)) continue;
    const auto next = std::find_if(at, last, known);
    const double before = *(at - 1), span = static_cast<double>(next - at + 1);
    for (double k = 1.0; at < next; ++at, ++k) *at = before + (*next - before) * k / span;
  }
  for (auto at = first; at-- > values.begin();) *at = *(at + static_cast<std::ptrdiff_t>(day));
  for (auto at = last; at < values.end(); ++at) *at = *(at - static_cast<std::ptrdiff_t>(day));
}

class Tables {
 public:
  explicit Tables(const SiteTable& pattern) : pattern_(pattern) {}

  /// The values of `zone`, each turned into a quantity.
  template <class Q, class Convert>
  std::vector<Q> column(const SiteTable& table, const std::string& path, const std::string& zone,
                        Convert convert) const {
    if (table.start != pattern_.start || table.step != pattern_.step ||
        table.value.front().size() != pattern_.value.front().size())
      throw InputError(path + ": the same times as the table of prices");
    const std::size_t i = find_zone(table, zone);
    if (i == table.zones.size()) {
      const std::string near = nearest(zone, table.zones);
      throw InputError(fmt::format("{}: no zone `{}`{}", path, zone,
                                   near.empty() ? "" : "; did you mean `" + near + "`?"));
    }
    std::vector<double> values = table.value[i];
    filled_ += static_cast<std::size_t>(
        std::count_if(values.begin(), values.end(), [](double v) { return std::isnan(v); }));
    const std::int64_t day = Duration::seconds(86400) / table.step;
    fill(values, static_cast<std::size_t>(std::max<std::int64_t>(day, 1)), path + ": " + zone);
    std::vector<Q> out;
    out.reserve(values.size());
    for (const double v : values) out.push_back(convert(v));
    return out;
  }

  /// Cells without a number so far, of all columns.
  std::size_t filled() const noexcept { return filled_; }

 private:
  const SiteTable& pattern_;
  mutable std::size_t filled_ = 0;
};

}  // namespace

Power wind_power(Power capacity, Speed at_10_m) {
  const double at_hub = std::pow(10.0, 1.0 / 7.0);
  return wind_power_curve(WindOptions{}, at_hub * at_10_m) * capacity;
}

FleetScenario load_fleet(const FleetSourceOptions& options) {
  const fs::path folder = options.folder;
  const std::string price_path = folder / "price_usd_per_mwh.csv";
  const std::string carbon_path = folder / "carbon_direct_g_per_kwh.csv";
  const std::string outside_path = folder / "temperature_c.csv";
  const SiteTable price = read_site_table(price_path);
  const SiteTable carbon = read_site_table(carbon_path);
  const SiteTable outside = read_site_table(outside_path);
  std::vector<std::string> zones = options.zones;
  if (zones.empty())
    for (const std::string& zone : price.zones)
      if (find_zone(carbon, zone) < carbon.zones.size() &&
          find_zone(outside, zone) < outside.zones.size())
        zones.push_back(zone);
  if (zones.empty())
    throw InputError(options.folder + ": no zone has price, carbon and temperature, all three");

  const bool wind = !options.own.empty() && fs::is_directory(options.own);
  const std::string own_path =
      wind ? (fs::path(options.own) / "windspeed_10m_kmh.csv").string() : options.own;
  SiteTable own;
  if (!own_path.empty()) own = read_site_table(own_path);

  const Tables tables(price);
  std::map<double, Power> at_speed;
  FleetScenario fleet;
  fleet.series_start = price.start;
  fleet.step = price.step;
  for (const std::string& zone : zones) {
    FleetSite& site = fleet.sites.emplace_back(options.site);
    site.name = zone;
    site.price = tables.column<EnergyPrice>(price, price_path, zone, [&](double usd_per_mwh) {
      return usd_per_mwh * options.euro_per_dollar * euro_per_megawatt_hour;
    });
    site.carbon = tables.column<CarbonIntensity>(
        carbon, carbon_path, zone, [](double g) { return g * gram_per_kilowatt_hour; });
    site.outside = tables.column<Temperature>(outside, outside_path, zone, from_celsius);
    if (own_path.empty()) continue;
    site.own = tables.column<Power>(own, own_path, zone, [&](double v) {
      if (!wind) return v * kilowatt;
      const auto [at, added] = at_speed.try_emplace(v);  // stations round: few speeds differ
      if (added) at->second = wind_power(options.own_capacity, v / 3.6 * metre_per_second);
      return at->second;
    });
  }
  fleet.provenance = fmt::format(
      "{}: {} zones, {} steps of {} s from {}; {} EUR for a USD{}", options.folder, zones.size(),
      price.value.front().size(), price.step.time().in(second), price.start.iso8601(),
      options.euro_per_dollar, own_path.empty() ? std::string() : "; own power: " + own_path);
  if (tables.filled() > 0)
    fleet.provenance += fmt::format("; {} empty cells filled from those beside", tables.filled());
  return fleet;
}

void spread_origins(Workload& workload, const FleetScenario& scenario) {
  const auto sites = static_cast<std::uint32_t>(scenario.sites.size());
  for (std::size_t j = 0; j < workload.size(); ++j) {
    JobRequest& job = workload.jobs[j];
    if (job.origin < sites) continue;
    const auto first = static_cast<std::uint32_t>(j % sites);
    job.origin = first;
    while (scenario.sites[job.origin].hall.nodes < job.nodes) {
      job.origin = (job.origin + 1) % sites;
      if (job.origin == first)
        throw InputError(fmt::format("job {}: {} nodes; no site has as many", j + 1, job.nodes));
    }
  }
}

void set_deadlines(Workload& workload, double factor) {
  // Who waits for others has its time from when they may be done.
  const std::vector<Duration> begins = earliest_begins(workload);
  std::vector<Duration> after(workload.size());  // a predecessor's own deadline
  const std::vector<JobDependency>& links = workload.links.dependencies;
  for (const std::uint32_t j : in_order_of_links(workload)) {
    JobRequest& job = workload.jobs[j];
    Duration from = begins[j];
    auto at = std::lower_bound(links.begin(), links.end(), j,
                               [](const JobDependency& d, std::uint32_t k) { return d.job < k; });
    for (; at != links.end() && at->job == j; ++at) {
      const JobRequest& before = workload.jobs[at->predecessor];
      if (before.allowed == kNoDeadline) continue;
      from = std::max(from, before.arrival + before.allowed + at->delay);
    }
    if (job.allowed == kNoDeadline)
      job.allowed = from - job.arrival + Duration::from(factor * workload.length[j].time());
  }
}

namespace {

Instant end_of(const FleetScenario& scenario) {
  const auto steps = static_cast<std::int64_t>(scenario.sites.front().price.size());
  return scenario.series_start + scenario.step * steps;
}

}  // namespace

Instant begin_of(Workload& workload, const FleetScenario& scenario) {
  if (!workload.start) return scenario.series_start;
  if (*workload.start >= scenario.series_start && *workload.start < end_of(scenario))
    return *workload.start;
  workload.provenance += fmt::format("; that is outside the tables: it begins with them, {}",
                                     scenario.series_start.iso8601());
  return scenario.series_start;
}

std::string rounds_words(const FleetScenario& scenario, Instant end) {
  const Instant last = end_of(scenario);
  if (end <= last) return {};
  const std::int64_t rounds =
      (end - last - Duration::nanoseconds(1)) / (last - scenario.series_start) + 1;
  return fmt::format("; the tables end {}, the runs {}: used again from their start {}",
                     last.iso8601(), end.iso8601(),
                     rounds == 1 ? "once" : fmt::format("{} times", rounds));
}

std::int32_t nodes_for(const Workload& workload, std::size_t sites, double load) {
  double work = 0.0;
  std::int32_t widest = 1;
  for (std::size_t j = 0; j < workload.size(); ++j) {
    work += workload.jobs[j].nodes * workload.length[j].time().in(second);
    widest = std::max(widest, workload.jobs[j].nodes);
  }
  if (workload.size() == 0) return widest;
  const Duration span = workload.jobs.back().arrival - workload.jobs.front().arrival;
  const double seconds = std::max(span.time().in(second), 1.0);
  const double wanted = std::ceil(work / (seconds * load * static_cast<double>(sites)));
  return std::max(widest, static_cast<std::int32_t>(std::min(wanted, 1e7)));
}

}  // namespace carnot::simulate
