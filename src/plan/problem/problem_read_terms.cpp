// SPDX-License-Identifier: Apache-2.0
#include "plan/problem/problem_read_terms.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

namespace {

constexpr double kMost = 1e12;
constexpr int kFinestSpeed = 60;  // parts of a slot's work

/// Least number of parts of which each speed is a whole number; 0: none.
std::int32_t parts_of(const std::vector<double>& speeds) {
  const auto whole = [](double x) { return std::abs(x - std::round(x)) <= 1e-9 * x; };
  for (std::int32_t n = 1; n <= kFinestSpeed; ++n)
    if (std::all_of(speeds.begin(), speeds.end(), [&](double x) { return whole(x * n); })) return n;
  return 0;
}

void read_levels(const std::vector<Fields>& modes, const Fields& job, JobTerms& terms) {
  std::vector<std::vector<double>> speeds(modes.size());
  std::vector<double> all;
  for (std::size_t m = 0; m < modes.size(); ++m) {
    const Json* list = modes[m].find("levels");
    if (list == nullptr) continue;
    terms.levels.resize(modes.size());
    const bool objects = list->is_array() && std::all_of(list->begin(), list->end(),
                                                         [](auto& x) { return x.is_object(); });
    if (!objects || list->empty() || list->size() > 64)
      return modes[m].wrong("levels", "a list of 1 to 64 objects");
    for (std::size_t l = 0; l < list->size(); ++l) {
      const Fields level = modes[m].part((*list)[l], fmt::format("levels[{}]", l));
      level.only({"power_kw", "speed"});
      terms.levels[m].push_back({level.number("power_kw", 0, kMost), 1});
      speeds[m].push_back(level.number("speed", 1.0 / kFinestSpeed, 1000));
      all.push_back(speeds[m].back());
    }
  }
  terms.speed_parts = parts_of(all);
  if (terms.speed_parts == 0) {
    terms.speed_parts = 1;
    return job.wrong("modes", fmt::format("speeds of levels: whole multiples of one 1/n, n 1 to {}",
                                          kFinestSpeed));
  }
  for (std::size_t m = 0; m < terms.levels.size(); ++m)
    for (std::size_t l = 0; l < terms.levels[m].size(); ++l)
      terms.levels[m][l].parts =
          static_cast<std::int32_t>(std::lround(speeds[m][l] * terms.speed_parts));
}

/// Leaves the sites that have all a job needs.
void choose_hosts(const Fields& job, const std::vector<Host>& hosts, JobRow& row) {
  const std::vector<std::string> needs = job.texts("needs");
  const double memory = job.number("memory_gb", 0, kMost, 0.0);
  const auto suits = [&](std::uint32_t s) {
    return hosts[s].memory_gb >= memory &&
           std::includes(hosts[s].tags.begin(), hosts[s].tags.end(), needs.begin(), needs.end());
  };
  std::vector<std::uint32_t> left = row.sites;
  if (left.empty()) {
    left.resize(hosts.size());
    std::iota(left.begin(), left.end(), 0U);
  }
  const std::size_t before = left.size();
  left.erase(std::remove_if(left.begin(), left.end(), [&](auto s) { return !suits(s); }),
             left.end());
  if (left.empty())
    return job.wrong(needs.empty() ? "memory_gb" : "needs",
                     fmt::format("what one of its sites has at once; none has {}{}{} GB",
                                 fmt::join(needs, ", "), needs.empty() ? "" : ", ", memory));
  if (left.size() < before) row.sites = left;
}

}  // namespace

Host read_host(const Fields& site, PlanNetwork& network) {
  network.egress_eur_per_gb.push_back(site.number("egress_eur_per_gb", -1e6, 1e6, 0.0));
  return {site.texts("tags"), site.number("memory_gb", 0, kMost, kInfinity)};
}

void read_network(const Fields& root, PlanNetwork& network) {
  const auto nothing = [](double x) { return x == 0; };
  std::vector<double>& egress = network.egress_eur_per_gb;
  if (std::all_of(egress.begin(), egress.end(), nothing)) egress.clear();
  const Json* object = root.find("network");
  if (object == nullptr) return;
  if (!object->is_object()) return root.wrong("network", "an object");
  const Fields in = root.part(*object, "network");
  in.only({"gb_per_s", "kwh_per_gb"});
  network.gb_per_s = in.number("gb_per_s", 1e-9, 1e9, kInfinity);
  network.kwh_per_gb = in.number("kwh_per_gb", 0, 1e6, 0.0);
  if (network.kwh_per_gb > 0 && std::isinf(network.gb_per_s))
    in.wrong("gb_per_s", "a number, 1e-09 to 1e9: energy is drawn while data is carried");
}

void read_terms(const Fields& job, const std::vector<Fields>& modes, const std::vector<Host>& hosts,
                JobRow& row) {
  JobTerms& terms = row.terms;
  const std::int64_t window = std::max<std::int64_t>(1, row.deadline - row.release);
  terms.preemptible = job.flag("preemptible", true);
  terms.min_run_slots = static_cast<std::int32_t>(job.whole("min_run_slots", 1, window, 1));
  terms.restart_eur = job.number("restart_eur", 0, kMost, 0.0);
  terms.restart_slots = static_cast<std::int32_t>(job.whole("restart_slots", 0, window, 0));
  read_levels(modes, job, terms);
  terms.movable = job.flag("movable", false);
  if (terms.movable && !terms.preemptible) job.wrong("movable", "false where preemptible is false");
  terms.each_move_eur = job.number("each_move_eur", 0, kMost, 0.0);
  terms.data_gb = job.number("data_gb", 0, kMost, 0.0);
  const auto last_site = static_cast<std::int64_t>(hosts.size()) - 1;
  if (job.find("origin") != nullptr)
    row.origin = static_cast<std::uint32_t>(job.whole("origin", 0, last_site));
  if ((job.find("due") == nullptr) != (job.find("late_eur_per_slot") == nullptr))
    job.wrong("due", "together with late_eur_per_slot");
  terms.due =
      static_cast<std::int32_t>(job.whole("due", row.release, row.deadline, JobTerms().due));
  terms.late_eur_per_slot = job.number("late_eur_per_slot", 0, kMost, 0.0);
  terms.stop_s = job.number("stop_s", 0, 1e9, kInfinity);
  choose_hosts(job, hosts, row);
}

}  // namespace carnot::plan
