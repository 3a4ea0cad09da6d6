// SPDX-License-Identifier: Apache-2.0
#pragma once

// The option records of a scenario: one table per TOML section, pointing into a draft. The reader
// (scenario.cpp) assigns through them, the reference page is printed from them.

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/option.hpp"
#include "carnot/site/scenario.hpp"

namespace carnot::site {

/// What is fixed about one of the five signals.
struct SignalSpec {
  std::string_view key;
  SignalOptions Scenario::*member;
  Dimension dimension;
  std::string_view default_text;  ///< empty: the signal is required
  double low;                     ///< least constant, base units
  std::vector<SignalKind> kinds;
  std::string_view description;
};
const std::array<SignalSpec, 5>& signal_specs();

/// What one kind of signal may say.
struct KindSpec {
  SignalKind kind;
  std::vector<std::string_view> required;
  std::vector<std::string_view> optional;
  std::string_view description;
};
const std::vector<KindSpec>& kind_specs();
const KindSpec& spec_of(SignalKind kind);
/// Nothing unless `text` names a kind.
std::optional<SignalKind> kind_named(std::string_view text);

/// What a signal's keys hold before they are understood.
struct SignalDraft {
  std::string constant;  ///< of `power = "20 MW"`
  std::string kind = "constant";
  std::string value, source = "wind", align = "instant";
  std::string times = "auto", decimal = "auto", gaps = "refuse", negative = "refuse",
              repeats = "refuse";
  std::int64_t skip_rows = -1;
  Time longest_gap{};
};

/// A scenario being read, with one option table per section. Tables point into it: it stays put.
class ScenarioTables {
 public:
  ScenarioTables();
  ScenarioTables(const ScenarioTables&) = delete;
  ScenarioTables& operator=(const ScenarioTables&) = delete;

  struct Section {
    std::string name;  ///< "" for the top of the file, "site.hall", ...
    std::string description;
    std::unique_ptr<OptionTable> table;
  };
  std::vector<Section>& sections() noexcept { return sections_; }
  /// Null if there is none of that name.
  OptionTable* find(std::string_view section);
  const OptionRecord* record(std::string_view section, std::string_view key);

  Scenario scenario;
  std::array<SignalDraft, 5> signals;
  std::string export_limit = "none";
  std::string computing_uses = "curtailed";
  std::string start, deadline, policies = "all";
  std::int64_t seed = 1;
  Time slot = 300.0 * second;

 private:
  OptionTable& add(std::string name, std::string description);
  void declare_top();
  void declare_site();
  void declare_signals();
  void declare_work();

  std::vector<Section> sections_;
};

}  // namespace carnot::site
