// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// An explanation's figures in words, shared by terminal and page, so that both say the same. Pure
/// functions.

#include <string>
#include <vector>

#include "carnot/report/explain/report.hpp"

namespace carnot::report {

/// "12.3 uJ", "480 J", "1.2 kWh": any size.
std::string spent_text(double joules, int digits = 3);
/// "12.3 J (8.1 … 20)".
std::string spent_range(double joules, double low, double high);
/// "12 ug", "3.4 kg", "1.2 t".
std::string mass_text(double grams);
/// "14 us", "3.2 ms", "12 s", "3.1 h".
std::string lasting_text(double seconds);
/// "1,024", "8.03 G", "405 G".
std::string count_text(double count);
/// "llama-3.1-8b on 8 x NVIDIA H200 SXM, bf16".
std::string explain_subject(const model::Explanation& e);
/// What one answer takes, and of what: a sentence each.
std::vector<std::string> explain_answer(const ExplainReport& report);
/// Where the figures come from and what they enclose.
std::vector<std::string> explain_sources(const ExplainReport& report);
/// Carbon, cost, embodied, a line each; nothing without an account.
std::vector<std::string> explain_footprint(const ExplainReport& report);

/// What a life cycle comes to beside its stages; nothing without one.
std::vector<std::string> lifecycle_words(const ExplainReport& report);

/// Children of a node, largest first; the ones not worth a row as one: "… n more".
struct ShownChild {
  model::EnergyTree::Index node = model::EnergyTree::kNone;  ///< kNone: the rest
  std::size_t count = 1;                                     ///< nodes that the row stands for
  double joules = 0, floor_joules = 0, limit_joules = 0;
};
std::vector<ShownChild> shown_children(const model::EnergyTree& tree, model::EnergyTree::Index at,
                                       std::size_t most);

}  // namespace carnot::report
