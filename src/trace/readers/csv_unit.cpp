// SPDX-License-Identifier: Apache-2.0
#include "trace/readers/csv_unit.hpp"

#include <array>
#include <cctype>

#include <fmt/format.h>

#include "carnot/base/text.hpp"

namespace carnot::inline trace::csv {

namespace {

struct Suffix {
  std::string_view ending, unit;
};
// Lower-case endings of column names; `mw` is a megawatt, since nobody's grid is in milliwatts.
constexpr std::array<Suffix, 18> kSuffixes{{{"eur_per_mwh", "EUR/MWh"},
                                            {"eur_per_kwh", "EUR/kWh"},
                                            {"usd_per_mwh", "USD/MWh"},
                                            {"usd_per_kwh", "USD/kWh"},
                                            {"g_per_kwh", "g/kWh"},
                                            {"kg_per_mwh", "kg/MWh"},
                                            {"m_per_s", "m/s"},
                                            {"km_per_h", "km/h"},
                                            {"kmh", "km/h"},
                                            {"pct", "%"},
                                            {"degc", "degC"},
                                            {"gw", "GW"},
                                            {"mw", "MW"},
                                            {"kw", "kW"},
                                            {"w", "W"},
                                            {"c", "degC"},
                                            {"k", "K"},
                                            {"mps", "m/s"}}};

/// Currencies by the mean of the European Central Bank's reference rates of 2023, a euro's worth
/// (ECB, Euro foreign exchange reference rates, 2023; free to use with the source).
struct Currency {
  std::string_view word, name;
  double per_euro;  ///< 0: stated by the caller
};
constexpr std::array<Currency, 13> kCurrencies{{{"US$", "USD", 0.0},
                                                {"USD", "USD", 0.0},
                                                {"GBP", "GBP", 0.86979},
                                                {"\xC2\xA3", "GBP", 0.86979},
                                                {"CHF", "CHF", 0.9718},
                                                {"SEK", "SEK", 11.4788},
                                                {"NOK", "NOK", 11.4248},
                                                {"DKK", "DKK", 7.4509},
                                                {"PLN", "PLN", 4.5420},
                                                {"AUD", "AUD", 1.6288},
                                                {"CAD", "CAD", 1.4595},
                                                {"JPY", "JPY", 151.99},
                                                {"$", "USD", 0.0}}};
constexpr double kKilogramPerPound = 0.45359237;  // exact, international avoirdupois pound of 1959

std::string without(std::string text, std::string_view part) {
  const std::size_t at = text.find(part);
  if (at != std::string::npos) text.erase(at, part.size());
  return text;
}

std::string replaced(std::string text, std::string_view part, std::string_view by) {
  const std::size_t at = text.find(part);
  if (at != std::string::npos) text.replace(at, part.size(), by);
  return text;
}

/// Without gases and blanks around `/`, pounds and currencies in ours; `factor` makes up for it.
std::string customary(std::string_view unit, double euro_per_dollar, double& factor,
                      std::string& note) {
  std::string text(unit);
  for (const std::string_view gas :
       {"CO\xE2\x82\x82-eq",
        "CO\xE2\x82\x82"
        "eq",
        "CO\xE2\x82\x82"
        "e",
        "CO\xE2\x82\x82", "CO2-eq", "CO2eq", "CO2eq.", "CO2e", "CO2", "co2eq", "co2e", "co2"})
    text = without(text, gas);
  for (std::size_t at = text.find(' '); at != std::string::npos; at = text.find(' ', at)) {
    const bool beside_slash = at + 1 >= text.size() || text[at + 1] == '/' || text[at + 1] == ' ' ||
                              (at > 0 && text[at - 1] == '/');
    if (beside_slash) {
      text.erase(at, 1);
    } else {
      ++at;
    }
  }
  for (const std::string_view pound : {"lbs/", "lb/"})
    if (text.starts_with(pound)) {
      text = "kg/" + text.substr(pound.size());
      factor *= kKilogramPerPound;
    }
  text = replaced(text, "\xE2\x82\xAC", "EUR");
  text = replaced(text, "Euro/", "EUR/");
  for (const std::string_view cent : {"ct/", "ct EUR/", "EURct/", "cent/"})
    if (text.starts_with(cent)) {
      text = "EUR/" + text.substr(cent.size());
      factor *= 0.01;
    }
  for (const Currency& currency : kCurrencies) {
    if (text.find(currency.word) == std::string::npos) continue;
    double rate = euro_per_dollar;
    if (currency.per_euro > 0) {
      rate = 1.0 / currency.per_euro;
    } else if (!(euro_per_dollar > 0.0 && euro_per_dollar < 100.0)) {
      throw InputError(describe({}, "euro_per_dollar", "above 0, below 100"));
    }
    text = replaced(text, currency.word, "EUR");
    factor *= rate;
    note = fmt::format("; converted at {:.6g} EUR/{}", rate, currency.name);
    break;
  }
  return text;
}

}  // namespace

ColumnName split_unit(std::string_view header) {
  const auto trim = [](std::string_view text) {
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return std::string(text);
  };
  for (const auto& [open, close] : {std::pair{'[', ']'}, std::pair{'(', ')'}}) {
    const std::size_t at = header.find(open);
    if (at != std::string_view::npos && header.back() == close) {
      return {trim(header.substr(0, at)), trim(header.substr(at + 1, header.size() - at - 2))};
    }
  }
  for (const Suffix& suffix : kSuffixes) {
    const std::size_t size = suffix.ending.size();
    if (header.size() > size + 1 && header.ends_with(suffix.ending) &&
        header[header.size() - size - 1] == '_') {
      return {std::string(header.substr(0, header.size() - size - 1)), std::string(suffix.unit)};
    }
    // The whole name may be the unit: `price` tables call a column just `eur_per_mwh`.
    if (header == suffix.ending && size > 1) return {std::string(header), std::string(suffix.unit)};
  }
  return {trim(header), ""};
}

UnitConversion unit_conversion(std::string_view unit, const Dimension& dimension,
                               double euro_per_dollar) {
  UnitConversion result;
  if (dimension == kDimensionless) {
    if (unit == "%") result.conversion.factor = 0.01;
    return result;
  }
  if (dimension == Temperature::kDimension &&
      (unit == "degC" || unit == "C" ||
       unit == "\xC2\xB0"
               "C" ||
       unit == "celsius" || unit == "Celsius" || unit == "deg C")) {
    result.conversion.offset = 273.15;
    return result;
  }
  const std::string text = customary(unit, euro_per_dollar, result.conversion.factor, result.note);
  const bool counted = !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0;
  const std::string quantity = counted ? text : "1 " + text;
  if (dimension == Power::kDimension) {
    try {
      const double joules = base::detail::parse_quantity(quantity, Energy::kDimension);
      result.conversion.factor *= joules / 3600.0;
      result.is_energy = true;
      result.note += "; energy of each interval as its mean power";
      return result;
    } catch (const InputError&) {
      // A power, or nothing that fits: what follows tells.
    }
  }
  result.conversion.factor *= base::detail::parse_quantity(quantity, dimension);
  return result;
}

std::optional<std::string> unit_in_header(std::string_view header, const Dimension& dimension,
                                          double euro_per_dollar) {
  const auto fits = [&](std::string_view unit) {
    try {
      unit_conversion(unit, dimension, euro_per_dollar);
      return true;
    } catch (const InputError&) {
      return false;
    }
  };
  if (dimension == kDimensionless) {
    const std::string unit = split_unit(header).unit;
    return unit.empty() ? std::nullopt : std::optional(unit);
  }
  // Brackets, wherever they stand; then the ending; then words.
  for (std::size_t at = 0; at < header.size(); ++at) {
    if (header[at] != '[' && header[at] != '(') continue;
    const std::size_t end = header.find(header[at] == '[' ? ']' : ')', at);
    if (end == std::string_view::npos) break;
    const std::string_view inside = header.substr(at + 1, end - at - 1);
    if (!inside.empty() && fits(inside)) return std::string(inside);
  }
  if (const std::string ending = split_unit(header).unit; !ending.empty() && fits(ending))
    return ending;
  for (std::size_t from = 0; from < header.size();) {
    const std::size_t end = std::min(header.find(' ', from), header.size());
    const std::string_view word = header.substr(from, end - from);
    // One letter alone is a name more often than a unit.
    if (word.size() > 1 && std::isdigit(static_cast<unsigned char>(word.front())) == 0 &&
        fits(word))
      return std::string(word);
    from = end + 1;
  }
  return std::nullopt;
}

}  // namespace carnot::inline trace::csv
