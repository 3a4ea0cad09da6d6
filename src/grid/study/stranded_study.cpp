// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/grid/study/stranded.hpp"

namespace carnot::grid {

namespace {

std::size_t steps_of(const StrandedSite& site) {
  return std::max({site.price_per_mwh.size(), site.available_mw.size(), site.curtailed_mw.size()});
}

void check(const StrandedSet& set) {
  const std::size_t steps = set.sites.empty() ? 0 : steps_of(set.sites.front());
  const auto fits = [steps](const std::vector<double>& values) {
    return values.empty() || values.size() == steps;
  };
  for (const StrandedSite& site : set.sites)
    if (steps == 0 || (site.price_per_mwh.empty() && site.curtailed_mw.empty()) ||
        !fits(site.price_per_mwh) || !fits(site.available_mw) || !fits(site.curtailed_mw))
      throw InputError(
          fmt::format("{}: {}: prices or curtailed power, as many steps as its neighbours",
                      set.name, site.name));
}

double mean_while(const std::vector<double>& mw, const Presence& presence) {
  double sum = 0.0, count = 0.0;
  for (std::size_t t = 0; t < mw.size(); ++t)
    if (presence[t] != 0) {
      sum += mw[t];
      ++count;
    }
  return count > 0.0 ? sum / count : kNaN;
}

/// A rule, and when it holds at each site for which it can be asked.
struct Rule {
  std::string words;
  std::vector<std::size_t> sites;
  std::vector<Presence> presence;
  bool of_curtailed = false;
};

template <class Test>
Rule rule_of(const StrandedSet& set, std::string words, std::vector<double> StrandedSite::*values,
             Test test) {
  Rule rule{std::move(words), {}, {}, values == &StrandedSite::curtailed_mw};
  for (std::size_t s = 0; s < set.sites.size(); ++s) {
    if ((set.sites[s].*values).empty()) continue;
    rule.sites.push_back(s);
    rule.presence.push_back(test(set.sites[s].*values));
  }
  return rule;
}

std::vector<Rule> rules_of(const StrandedSet& set, const StrandedOptions& options) {
  using Values = std::vector<double>;
  std::vector<Rule> rules;
  for (const double price : options.prices_per_mwh) {
    rules.push_back(rule_of(set, fmt::format("price <= {}", price), &StrandedSite::price_per_mwh,
                            [price](const Values& v) { return at_most(v, price); }));
    rules.push_back(rule_of(set, fmt::format("mean price <= {}", price),
                            &StrandedSite::price_per_mwh,
                            [price](const Values& v) { return mean_at_most(v, price); }));
  }
  const double least = options.least_mw;
  rules.push_back(rule_of(set, fmt::format("curtailed >= {} MW", least),
                          &StrandedSite::curtailed_mw,
                          [least](const Values& v) { return at_least(v, least); }));
  return rules;
}

void study(const StrandedSet& set, const StrandedOptions& options, StrandedTable& table) {
  if (set.sites.empty()) return;
  check(set);
  const std::size_t steps = steps_of(set.sites.front());
  const std::vector<BatchJob> jobs = random_jobs(
      options.nodes, static_cast<double>(steps) * set.step_h, options.load, options.seed);
  const auto queue = [&](std::size_t base_nodes, std::size_t stranded_nodes,
                         const Presence& presence) {
    return simulate_queue(jobs, base_nodes, stranded_nodes, presence, set.step_h, options.stop);
  };
  table.references.push_back(
      {set.name, queue(options.nodes, 0, {}), queue(2 * options.nodes, 0, {})});
  for (const Rule& rule : rules_of(set, options)) {
    for (std::size_t k = 0; k < rule.sites.size(); ++k) {
      const StrandedSite& site = set.sites[rule.sites[k]];
      const Presence& presence = rule.presence[k];
      table.rows.push_back(
          {set.name, site.name, rule.words, figures_of(presence, set.step_h),
           mean_while(rule.of_curtailed ? site.curtailed_mw : site.available_mw, presence),
           queue(options.nodes, options.nodes, presence)});
    }
    if (rule.sites.size() < 2) continue;
    const PresenceUnion all = union_of(rule.presence);
    table.unions.push_back({set.name, rule.words, {}, all.duty});
    for (const std::size_t k : all.sites)
      table.unions.back().sites.push_back(set.sites[rule.sites[k]].name);
  }
}

}  // namespace

StrandedTable study_stranded(const std::vector<StrandedSet>& sets, const StrandedOptions& options) {
  StrandedTable table;
  try {
    for (const StrandedSet& set : sets) study(set, options, table);
  } catch (const Stopped&) {
    table.stopped = true;
  }
  return table;
}

}  // namespace carnot::grid
