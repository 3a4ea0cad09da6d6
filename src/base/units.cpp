// SPDX-License-Identifier: Apache-2.0
#include "base/units.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::inline base::detail {

namespace {

struct Prefix {
  std::string_view symbol;
  double factor;
};

constexpr std::array kPrefixes{
    Prefix{"z", 1e-21},  Prefix{"a", 1e-18},   Prefix{"f", 1e-15},       Prefix{"p", 1e-12},
    Prefix{"n", 1e-9},   Prefix{"u", 1e-6},    Prefix{"\xC2\xB5", 1e-6},  // micro sign
    Prefix{"m", 1e-3},   Prefix{"", 1.0},      Prefix{"k", 1e3},         Prefix{"M", 1e6},
    Prefix{"G", 1e9},    Prefix{"T", 1e12},    Prefix{"P", 1e15},        Prefix{"E", 1e18},
    Prefix{"Z", 1e21},   Prefix{"Ki", 0x1p10}, Prefix{"Mi", 0x1p20},     Prefix{"Gi", 0x1p30},
    Prefix{"Ti", 0x1p40}};

/// A symbol that may carry the prefixes listed, space-separated; `-` stands for none.
struct Stem {
  std::string_view symbol;
  double factor;
  Dimension dimension;
  std::string_view prefixes;
  double offset = 0.0;
};

constexpr Dimension kLength = Length::kDimension;
constexpr Dimension kTime = Time::kDimension;
constexpr Dimension kEnergy = Energy::kDimension;
constexpr Dimension kPower = Power::kDimension;
constexpr Dimension kInformation = Information::kDimension;
constexpr Dimension kOperations = Operations::kDimension;
constexpr Dimension kCarbon = Carbon::kDimension;
constexpr Dimension kMoney = Money::kDimension;
constexpr Dimension kTemperature = Temperature::kDimension;

constexpr std::array kStems{Stem{"J", 1.0, kEnergy, "z a f p n u \xC2\xB5 m - k M G T P"},
                            Stem{"Wh", watt_hour.base(), kEnergy, "m - k M G T"},
                            Stem{"eV", electronvolt.base(), kEnergy, "m - k M"},
                            Stem{"W", 1.0, kPower, "n u \xC2\xB5 m - k M G T"},
                            Stem{"s", 1.0, kTime, "p n u \xC2\xB5 m -"},
                            Stem{"min", minute.base(), kTime, "-"},
                            Stem{"h", hour.base(), kTime, "-"},
                            Stem{"d", day.base(), kTime, "-"},
                            Stem{"bit", 1.0, kInformation, "- k M G T P"},
                            Stem{"B", byte.base(), kInformation, "- k M G T P Ki Mi Gi Ti"},
                            Stem{"op", 1.0, kOperations, "- k M G T P E Z"},
                            Stem{"FLOP", 1.0, kOperations, "- k M G T P E Z"},
                            Stem{"g", 1.0, kCarbon, "u \xC2\xB5 m - k"},
                            Stem{"t", tonne.base(), kCarbon, "- k M"},
                            Stem{"EUR", 1.0, kMoney, "-"},
                            Stem{"K", 1.0, kTemperature, "m -"},
                            Stem{"degC", 1.0, kTemperature, "-", 273.15},
                            Stem{"m", 1.0, kLength, "m - k"}};

bool lists(std::string_view prefixes, std::string_view prefix) noexcept {
  if (prefix.empty()) prefix = "-";
  while (!prefixes.empty()) {
    const std::size_t end = std::min(prefixes.find(' '), prefixes.size());
    if (prefixes.substr(0, end) == prefix) return true;
    prefixes.remove_prefix(std::min(end + 1, prefixes.size()));
  }
  return false;
}

/// All units without `/`; `5 gCO2e` may be written for `5 g`.
const std::vector<Unit>& simple_units() {
  static const std::vector<Unit> units = [] {
    std::vector<Unit> all;
    for (const Stem& stem : kStems) {
      for (const Prefix& prefix : kPrefixes) {
        if (!lists(stem.prefixes, prefix.symbol)) continue;
        Unit unit{std::string(prefix.symbol) + std::string(stem.symbol),
                  prefix.factor * stem.factor, stem.dimension, stem.offset, 0.0};
        all.push_back(unit);
        if (stem.dimension == kCarbon) {
          all.push_back(unit);
          all.back().symbol += "CO2e";
        }
      }
    }
    return all;
  }();
  return units;
}

const Unit* find_simple(std::string_view symbol) {
  for (const Unit& unit : simple_units())
    if (unit.symbol == symbol) return &unit;
  return nullptr;
}

/// A dimension people have a word for.
struct Named {
  Dimension dimension;
  std::string_view noun;
  std::string_view example_unit;
  std::string_view ladder;  ///< from the smallest to the greatest, space-separated
};

constexpr std::array kNamed{
    Named{Length::kDimension, "a length", "km", "mm m km"},
    Named{Time::kDimension, "a time", "h", "ps ns us ms s min h d"},
    Named{Speed::kDimension, "a speed", "m/s", "m/s"},
    Named{Energy::kDimension, "an energy", "MWh", "zJ aJ fJ pJ nJ uJ mJ J kJ MJ kWh MWh GWh TWh"},
    Named{Power::kDimension, "a power", "MW", "nW uW mW W kW MW GW TW"},
    Named{Information::kDimension, "an amount of information", "MB",
          "bit kbit Mbit Gbit Tbit Pbit"},
    Named{Operations::kDimension, "a number of operations", "Gop",
          "op kop Mop Gop Top Pop Eop Zop"},
    Named{Carbon::kDimension, "a carbon mass", "kg", "g kg t"},
    Named{Money::kDimension, "an amount of money", "EUR", "EUR"},
    Named{Temperature::kDimension, "a temperature", "K", "K"},
    Named{Entropy::kDimension, "an entropy", "J/K", "J/K kJ/K MJ/K"},
    Named{EnergyPrice::kDimension, "an energy price", "EUR/MWh", "EUR/MWh"},
    Named{CarbonIntensity::kDimension, "a carbon intensity", "g/kWh", "g/kWh"},
    Named{CarbonPrice::kDimension, "a carbon price", "EUR/t", "EUR/t"},
    Named{DelayPrice::kDimension, "a price of delay", "EUR/h", "EUR/h"},
    Named{EnergyPerBit::kDimension, "an energy per bit", "pJ/bit",
          "zJ/bit aJ/bit fJ/bit pJ/bit nJ/bit uJ/bit mJ/bit J/bit"},
    Named{EnergyPerOperation::kDimension, "an energy per operation", "pJ/op",
          "zJ/op aJ/op fJ/op pJ/op nJ/op uJ/op mJ/op J/op"},
    Named{OperationRate::kDimension, "a rate of operations", "Gop/s",
          "op/s kop/s Mop/s Gop/s Top/s Pop/s Eop/s Zop/s"},
    Named{Bandwidth::kDimension, "a bandwidth", "MB/s", "bit/s kbit/s Mbit/s Gbit/s Tbit/s Pbit/s"},
    Named{Dimension{.time = -1, .energy = 1, .temperature = -1}, "a thermal conductance", "W/K",
          "W/K kW/K MW/K"}};

const Named* find_named(const Dimension& dimension) noexcept {
  for (const Named& named : kNamed)
    if (named.dimension == dimension) return &named;
  return nullptr;
}

/// Such as `J m-1 s-2`, for dimensions without a name.
std::string spelt(const Dimension& d) {
  const std::array<std::pair<const char*, int>, 8> parts{{{"m", d.length},
                                                          {"s", d.time},
                                                          {"J", d.energy},
                                                          {"bit", d.information},
                                                          {"op", d.operations},
                                                          {"g", d.carbon},
                                                          {"EUR", d.money},
                                                          {"K", d.temperature}}};
  std::string text;
  for (const auto& [symbol, exponent] : parts) {
    if (exponent == 0) continue;
    if (!text.empty()) text += ' ';
    text += symbol;
    if (exponent != 1) text += fmt::format("{}", exponent);
  }
  return text.empty() ? "1" : text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

bool is_foreign_currency(std::string_view symbol) {
  static constexpr std::array kCodes{"USD", "GBP", "CHF", "JPY",      "CNY",     "SEK", "NOK",
                                     "DKK", "PLN", "CZK", "HUF",      "CAD",     "AUD", "INR",
                                     "KRW", "BRL", "$",   "\xC2\xA3", "\xC2\xA5"};
  return std::any_of(kCodes.begin(), kCodes.end(),
                     [symbol](std::string_view code) { return symbol == code; });
}

}  // namespace

std::optional<Unit> find_unit(std::string_view symbol) {
  const std::size_t slash = symbol.find('/');
  const Unit* over = find_simple(symbol.substr(0, slash));
  if (over == nullptr) return std::nullopt;
  if (slash == std::string_view::npos) return *over;
  const Unit* under = find_simple(symbol.substr(slash + 1));
  // A scale with an offset has no ratios.
  if (under == nullptr || over->offset != 0.0 || under->offset != 0.0) return std::nullopt;
  return Unit{std::string(symbol), over->factor / under->factor, over->dimension - under->dimension,
              0.0, 0.0};
}

std::string unit_advice(std::string_view symbol, const Dimension& dimension) {
  const std::string_view over = symbol.substr(0, symbol.find('/'));
  if (is_foreign_currency(over)) return fmt::format("`{}` is not EUR: convert to EUR", over);
  if (over == "\xE2\x82\xAC") return "write EUR";
  std::vector<std::string> symbols;
  for (const Unit& unit : ladder_of(dimension)) symbols.push_back(unit.symbol);
  for (const Unit& unit : simple_units())
    if (unit.dimension == dimension) symbols.push_back(unit.symbol);
  std::string guess;
  std::vector<std::string> seen;
  for (const std::string& candidate : symbols) {
    if (lower(candidate) != lower(symbol)) continue;
    if (std::find(seen.begin(), seen.end(), candidate) != seen.end()) continue;
    seen.push_back(candidate);
    guess += fmt::format("{}`{}`", guess.empty() ? "" : " or ", candidate);
  }
  if (!guess.empty()) return fmt::format("units are case-sensitive; did you mean {}?", guess);
  const std::string near = nearest(symbol, symbols);
  if (!near.empty()) return fmt::format("unknown unit; did you mean `{}`?", near);
  return "unknown unit";
}

std::string noun_of(const Dimension& dimension) {
  const Named* named = find_named(dimension);
  return named != nullptr ? std::string(named->noun) : "a quantity in " + spelt(dimension);
}

std::string example_unit_of(const Dimension& dimension) {
  const Named* named = find_named(dimension);
  return named != nullptr ? std::string(named->example_unit) : spelt(dimension);
}

std::string example_of(const Dimension& dimension) { return "5 " + example_unit_of(dimension); }

std::vector<Unit> ladder_of(const Dimension& dimension) {
  const Named* named = find_named(dimension);
  if (named == nullptr) return {Unit{spelt(dimension), 1.0, dimension, 0.0, 0.0}};
  std::vector<Unit> ladder;
  std::string_view rest = named->ladder;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::optional<Unit> unit = find_unit(rest.substr(0, end));
    CARNOT_CHECK(unit && unit->dimension == dimension, "a ladder names units of its dimension");
    ladder.push_back(*unit);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (Unit& unit : ladder) unit.least = unit.factor;
  // People go on counting minutes and hours for a while: 90 s, 100 min, 45 h.
  for (Unit& unit : ladder) {
    if (unit.symbol == "min" || unit.symbol == "h") unit.least = 2.0 * unit.factor;
    if (unit.symbol == "d") unit.least = 3.0 * unit.factor;
  }
  return ladder;
}

}  // namespace carnot::inline base::detail
