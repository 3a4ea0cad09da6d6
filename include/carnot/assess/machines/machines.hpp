// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Cloud machines by name, places of cloud regions, and the factors of data/assess_factors.csv.
///
///     power of a machine = share of a host at unknown load + accelerators x rating x mean share
///
/// A name is found exactly or not at all: prefixes of managed services ("db.", "ml.", "cache.") and
/// "Standard_" may be missing, upper and lower case are alike, nothing else. A name that is not
/// known gets the nearest names for a person to confirm, and a range from the least to the greatest
/// machine; it is never taken for another.
///
/// Tables are compiled in; functions are pure and thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"

namespace carnot::assess {

struct CloudMachine {
  std::string name, provider;
  double vcpus = 0, memory_gib = 0;
  double accelerators = 0;  ///< may be a part of one
  std::string accelerator;
  double accelerator_w = 0;  ///< rating of one
  std::string source;
  int year = 0;
};

const std::vector<CloudMachine>& cloud_machines();  ///< data/cloud_instances.csv, by name
/// Null: not known.
const CloudMachine* cloud_machine(std::string_view name);
/// A machine's name among the words of a description, such as "$1.6 per On Demand Linux g5.4xlarge
/// Instance Hour". Null: none.
const CloudMachine* cloud_machine_in(std::string_view words);
/// At most three names of the table, nearest first.
std::vector<std::string> nearest_machines(std::string_view name);

/// Mean power at unknown load, boundary node; causes "utilisation", "host-model" and
/// "accelerator-share".
/// \param utilisation  of processors and accelerators where it is known, [0, 1]
Estimate<Power> machine_power(double vcpus, double memory_gib, double accelerators,
                              double accelerator_w, std::optional<double> utilisation = {});
/// Of a machine of one's own: the whole server, from what is known of it.
struct ServerFacts {
  double threads = 0, cores = 0, chips = 0, tdp_w = 0, memory_gb = 0, year = 0;
  double accelerators = 0, accelerator_w = 0;
};
Estimate<Power> server_power(const ServerFacts& facts, std::optional<double> utilisation = {});

/// ISO code of the grid of a provider's region or of a zone in it; empty: not known.
std::string region_grid(std::string_view provider, std::string_view region);

/// A row of data/assess_factors.csv as an estimate of cause `id`. \throws InternalError: no row
EstimateCore factor(std::string_view id);

/// Rating in watts of an accelerator by any of its names ("NVIDIA A100-SXM4-80GB", "h100"); 0: not
/// known.
double accelerator_rating(std::string_view name);

/// Joules of chips and hosts per token, by kind.
struct TokenEnergy {
  EstimateCore input, cached, output, reasoning;  ///< boundary node
  bool disclosed = false;                         ///< the model's size is known
  double active = 0, total = 0;                   ///< parameters, 1e9
};
/// By the model's name: sizes that names state ("llama-3.1-70b", "qwen3-235b-a22b", "mixtral-8x7b")
/// and those of data/language_models.csv. Others are as wide as all models served.
TokenEnergy token_energy(std::string_view model);

}  // namespace carnot::assess
