// SPDX-License-Identifier: Apache-2.0
#pragma once

// From TOML to a flat list of `section.key = value`, each with its place. What cannot be a section
// or a value is reported here; what a value means is not known here.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/error.hpp"

#include "site/scenario_tables.hpp"

namespace carnot::site {

/// How a value was written. Overrides come as bare text and may be anything.
enum class Written { Text, Integer, Real, Boolean, Date, Array, Override };
/// "text in quotes", "a whole number", ...
std::string_view describe(Written written);

/// "section.key", or the key alone at the top.
std::string joined(std::string_view section, std::string_view key);

/// One `section.key = value` of the file or the command line.
struct Assignment {
  std::string section, key, text;
  Written written;
  Place place;

  std::string path() const { return joined(section, key); }
};

struct FlatScenario {
  std::vector<Assignment> assignments;
  std::map<std::string, Place, std::less<>> sections;  ///< those there, even if empty
};

/// \param tables    which sections and keys there are
/// \param problems  takes what is wrong; where the text is no TOML, the first fault alone
FlatScenario flatten(const std::string& text, const std::string& file, ScenarioTables& tables,
                     Problems& problems);

}  // namespace carnot::site
