// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/registry.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/control/training/most_quality.hpp"

#include "control/fleet/rule_base.hpp"
#include "control/training/makers.hpp"

namespace carnot::control {

namespace {

constexpr PolicyInfo kJobRules[] = {
    {"grid-f32", "never waits, buys what own power does not give", "the usual baseline",
     Scope::Job},
    {"pause-resume", "in f32 while own power covers it, else pauses", "the usual baseline",
     Scope::Job},
    {"fixed", "one precision throughout, throttled to own power", "the usual baseline", Scope::Job},
    {"paper", "more power, more bits", "the rule that carnot set out from", Scope::Job},
    {"cpt", "bits in cosine cycles", "CPT, Fu et al., ICLR 2021", Scope::Job},
    {"pfq", "more bits when the loss stops falling", "FracTrain, Fu et al., NeurIPS 2020",
     Scope::Job},
    {"sqrt3", "more bits when the gradient drowns in its rounding error",
     "FP4 All the Way, arXiv 2505.19115", Scope::Job},
    {"switch", "precisions by share of the steps, such as switch:int4>int8@0.8",
     "the best static schedule in hindsight", Scope::Job},
    {"adaptive", "the floor at least cost: bits by what is left to gain, power by planning ahead",
     "carnot", Scope::Job},
    {"oracle", "the offline optimum, replayed", "carnot", Scope::Job},
    {"plan-once", "maximise = quality: the first plan of format and length, never changed",
     "carnot", Scope::Job},
    {"hindsight", "maximise = quality: fixed: or switch:, its length fitted to the wind that came",
     "carnot", Scope::Job},
};

struct FleetRule {
  PolicyInfo info;
  RuleMaker make;
};

constexpr std::string_view kGaia = "GAIA, Hanafy et al., ASPLOS 2024";
constexpr std::string_view kSustainCluster = "SustainCluster, Guillen-Perez et al., NeurIPS 2025";
constexpr std::string_view kAwareSdk = "Carbon Aware SDK, Green Software Foundation, 2022";

constexpr FleetRule kFleetRules[] = {
    {{"no-wait", "in line at the site it was sent to, first come, first served",
      "the usual baseline; SustainCluster's `local`"},
     make_no_wait},
    {{"easy", "as no-wait, but a later job goes ahead if it does not delay the first in line",
      "EASY backfilling, Lifka, JSSPP 1995"},
     make_easy},
    {{"lowest-carbon", "to the site of least carbon now, one with free nodes first",
      kSustainCluster},
     make_lowest_carbon},
    {{"lowest-price", "to the site of least price now, one with free nodes first", kSustainCluster},
     make_lowest_price},
    {{"most-available", "to the site with most free nodes", kSustainCluster}, make_most_available},
    {{"round-robin", "to the sites in turn, one with free nodes first", kSustainCluster},
     make_round_robin},
    {{"lowest-slot", "starts in the step of least carbon within its wait", kGaia},
     make_lowest_slot},
    {{"lowest-window", "starts where its whole run has least carbon", kGaia}, make_lowest_window},
    {{"carbon-time", "starts where most carbon is saved for the time until it ends", kGaia},
     make_carbon_time},
    {{"ecovisor", "pauses while carbon is above the 30 % quantile of the next day",
      "Ecovisor, Souza et al., ASPLOS 2023, as stated in GAIA"},
     make_ecovisor},
    {{"wait-awhile", "runs in the steps of least carbon, stopping between them",
      "Let's Wait Awhile, Wiesner et al., Middleware 2021"},
     make_wait_awhile},
    {{"carbonscaler", "more nodes in hours of less carbon, by marginal work for a gram",
      "CarbonScaler, Hanafy et al., SIGMETRICS 2024"},
     make_carbonscaler},
    {{"carbon-greedy", "each job alone to the site and window of least carbon", kAwareSdk},
     make_carbon_greedy},
    {{"price-greedy", "each job alone to the site and window of least price", kAwareSdk},
     make_price_greedy},
    {{"stranded", "works where power is stranded (cheap), stops when that ends",
      "ZCCloud, Yang & Chien, IPDPS 2016"},
     make_stranded},
    {{"carnot", "site, mode and hours of all jobs together, planned anew each hour", "carnot"},
     make_carnot},
};

/// What stands behind the colon of a name.
bool knows(std::string_view suffix, Knowledge& knowledge) {
  if (suffix == "future" || suffix == "oracle") knowledge.future = true;
  if (suffix == "lengths" || suffix == "oracle") knowledge.lengths = true;
  return knowledge.future || knowledge.lengths;
}

[[noreturn]] void unknown(std::string_view name, const std::vector<std::string>& known,
                          Scope scope) {
  const std::string_view rule = name.substr(0, name.find(':'));
  for (const PolicyInfo& info : policy_list())
    if (info.name == rule && info.scope != scope)
      throw InputError(fmt::format("policy `{}`: {}; one of {}", name,
                                   scope == Scope::Job
                                       ? "it steers the jobs of a fleet, here is one that learns"
                                       : "it steers one job that learns, here is a fleet",
                                   fmt::join(known, ", ")));
  const std::string near = nearest(name, known);
  throw InputError(fmt::format("policy `{}`: one of {}{}", name, fmt::join(known, ", "),
                               near.empty() ? "" : fmt::format("; did you mean `{}`?", near)));
}

}  // namespace

std::span<const PolicyInfo> policy_list() noexcept {
  static const std::vector<PolicyInfo> all = [] {
    std::vector<PolicyInfo> infos(std::begin(kJobRules), std::end(kJobRules));
    for (const FleetRule& rule : kFleetRules) infos.push_back(rule.info);
    return infos;
  }();
  return all;
}

std::vector<std::string> policy_names(std::span<const site::Mode> modes) {
  std::vector<std::string> names;
  for (const PolicyInfo& info : kJobRules) {
    if (info.name == "plan-once" || info.name == "hindsight") continue;  // of the other question
    if (info.name == "switch") {
      for (const site::Mode& from : modes)
        for (const site::Mode& to : modes)
          if (from.name == "int4" && to.name == "int8")
            names.push_back("switch:" + from.name + ">" + to.name + "@0.8");
      continue;
    }
    if (info.name != "fixed") {
      names.emplace_back(info.name);
      continue;
    }
    for (const site::Mode& mode : modes) names.push_back("fixed:" + mode.name);
  }
  return names;
}

std::vector<std::string> policy_names() {
  std::vector<std::string> names;
  for (const FleetRule& rule : kFleetRules) names.emplace_back(rule.info.name);
  return names;
}

std::unique_ptr<Policy> make_policy(std::string_view name, const JobPolicyOptions& options) {
  if (std::unique_ptr<Policy> policy = make_job_policy(name, options)) return policy;
  std::vector<std::string> known = options.objective.most_quality()
                                       ? quality_policy_names(options.modes)
                                       : policy_names(options.modes);
  std::erase(known, "oracle");  // built from the truth, not by name
  unknown(name, known, Scope::Job);
}

std::unique_ptr<Policy> make_policy(std::string_view name, const FleetPolicyOptions& options) {
  const std::size_t colon = name.find(':');
  const std::string_view rule = name.substr(0, colon);
  Knowledge knowledge;
  const bool suffix_sound =
      colon == std::string_view::npos || knows(name.substr(colon + 1), knowledge);
  for (const FleetRule& known : kFleetRules)
    if (suffix_sound && known.info.name == rule)
      return known.make(std::string(name), knowledge, options);
  if (!suffix_sound && rule != "fixed")
    throw InputError(
        fmt::format("policy `{}`: behind the colon stands future, lengths or oracle", name));
  unknown(rule, policy_names(), Scope::Fleet);
}

}  // namespace carnot::control
