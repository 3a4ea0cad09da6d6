// SPDX-License-Identifier: Apache-2.0
// Figures of a hall as its operator states them: a symbol and a value a row.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "assess/evidence/cells.hpp"
#include "assess/evidence/readers.hpp"

namespace carnot::assess {

namespace {

/// Symbols of Regulation (EU) 2024/1364, Annex II, with the unit that the value must be in.
constexpr std::array<std::array<std::string_view, 2>, 16> kSymbols = {{
    {"PDIT", "kW"},
    {"EDC", "kWh"},
    {"EIT", "kWh"},
    {"WIN", "m3"},
    {"WIN-POT", "m3"},
    {"EREUSE", "kWh"},
    {"TWH", "degC"},
    {"TIN", "degC"},
    {"CDD", "degreedays"},
    {"ERES-TOT", "kWh"},
    {"ERES-GOO", "kWh"},
    {"ERES-PPA", "kWh"},
    {"ERES-OS", "kWh"},
    {"SDC", "m2"},
    {"CSERV", "1"},
    {"CSTOR", "PB"},
}};

}  // namespace

bool is_hall(const CsvStream& t) {
  return t.find({"symbol", "field", "indicator"}) >= 0 && t.has("value") && t.header().size() <= 5;
}

void read_hall(CsvStream& t, Evidence& e, std::uint16_t file) {
  const int symbol = t.find({"symbol", "field", "indicator"}), value = t.find({"value"}),
            unit = t.find({"unit"});
  for (;;) {
    const auto state = t.next();
    if (state == CsvStream::State::End) return;
    ++e.files[file].rows;
    const auto refuse = [&](std::string_view field, std::string_view allowed) {
      e.problem(file, t.line(), field, allowed);
      e.settle(file, Outcome::Unknown, "a row that cannot be read", t.line());
    };
    std::string name(t.field(symbol));
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '_' ? '-' : c;
    });
    const auto known = std::find_if(kSymbols.begin(), kSymbols.end(),
                                    [&](const auto& one) { return one[0] == name; });
    const auto number = number_of(t.field(value));
    double factor = 1;
    if (state == CsvStream::State::Broken) {
      refuse("row", "fields as in the header");
      continue;
    }
    if (known == kSymbols.end()) {
      refuse("symbol",
             "PDIT, EDC, EIT, WIN, WIN-POT, EREUSE, TWH, TIN, CDD, ERES-TOT, ERES-GOO, ERES-PPA, "
             "ERES-OS, SDC, CSERV, CSTOR");
      continue;
    }
    const std::string_view stated = t.field(unit);
    if (!stated.empty() && stated != (*known)[1]) {
      if ((*known)[1] == "kWh" && stated == "MWh")
        factor = 1000;
      else if ((*known)[1] == "kWh" && stated == "GWh")
        factor = 1e6;
      else if ((*known)[1] == "kW" && stated == "MW")
        factor = 1000;
      else {
        refuse("unit", fmt::format("{} for {}", (*known)[1], name));
        continue;
      }
    }
    if (!number || (*number < 0 && (*known)[1] != "degC")) {
      refuse("value", "a number, 0 or more");
      continue;
    }
    if (e.hall.contains(name)) {
      e.settle(file, Outcome::Duplicate, "a figure that is stated before", t.line());
      continue;
    }
    e.hall[name] = {*number * factor, fmt::format("{}:{}", e.files[file].name, t.line())};
    e.settle(file, Outcome::NoEnergy, "a figure of the hall, for the forms of standards", t.line());
  }
}

}  // namespace carnot::assess
