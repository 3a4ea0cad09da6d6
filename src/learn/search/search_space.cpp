// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/search/search_space.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/toml.hpp"
#include "carnot/base/text.hpp"

namespace carnot::learn {

namespace {

using Scale = SearchKnob::Scale;

SearchKnob whole(std::string name, double low, double high, double start = 0.0) {
  return {std::move(name), Scale::Logarithmic, low, high, true, {}, start};
}

SearchKnob rising(std::string name, double low, double high, double start) {
  return {std::move(name), Scale::Logarithmic, low, high, false, {}, start};
}

SearchKnob choice(std::string name, std::vector<double> choices) {
  return {std::move(name), Scale::Choice, 0.0, 1.0, false, std::move(choices), 0.0};
}

/// What is allowed of a value of a knob, whatever a file says.
struct Bounds {
  std::string_view name;
  double low, high;
  bool whole;
};
constexpr Bounds kBounds[] = {{"hidden", 1, 16384, true}, {"epochs", 1e-3, 1e6, false},
                              {"batch", 1, 65536, true},  {"learning_rate", 1e-9, 1e3, false},
                              {"bits", 2, 32, true},      {"trees", 1, 1e6, true},
                              {"leaves", 2, 1e6, true},   {"l2", 0, 1e9, false},
                              {"bins", 2, 255, true},     {"feature_share", 1e-3, 1, false},
                              {"channels", 1, 1024, true}};

const Bounds& bounds_of(std::string_view name) {
  const auto at = std::find_if(std::begin(kBounds), std::end(kBounds),
                               [&](const Bounds& b) { return b.name == name; });
  CARNOT_CHECK(at != std::end(kBounds), "every knob has bounds");
  return *at;
}

class Reader {
 public:
  Reader(std::string name, SearchSpace space) : name_(std::move(name)), space_(std::move(space)) {}

  SearchSpace read(const TomlValue& file) {
    std::vector<std::string> known;
    for (const SearchKnob& knob : space_.knobs) known.push_back(knob.name);
    for (const auto& [key, value] : file.fields) {
      const auto at = std::find(known.begin(), known.end(), key);
      if (at == known.end()) {
        problems_.add({name_, value.key_line}, key,
                      fmt::format("a knob of the learner: {}", fmt::join(known, ", ")));
        continue;
      }
      if (value.kind != TomlValue::Kind::Table) {
        problems_.add({name_, value.line}, key, "a table with low and high, choices or value");
        continue;
      }
      one(space_.knobs[static_cast<std::size_t>(at - known.begin())], value);
    }
    problems_.throw_if_any();
    return std::move(space_);
  }

 private:
  std::optional<double> number(const SearchKnob& knob, const TomlValue& v) {
    const Bounds& allowed = bounds_of(knob.name);
    std::string words = fmt::format("a {}number from {:g} to {:g}", allowed.whole ? "whole " : "",
                                    allowed.low, allowed.high);
    double x = 0.0;
    if (v.kind == TomlValue::Kind::Number) x = parse_number(v.text);
    if (v.kind != TomlValue::Kind::Number || !(x >= allowed.low && x <= allowed.high) ||
        (allowed.whole && x != std::floor(x))) {
      problems_.add({name_, v.line}, knob.name, words + fmt::format(", found `{}`", v.text));
      return std::nullopt;
    }
    return x;
  }

  void one(SearchKnob& knob, const TomlValue& table) {
    for (const auto& [key, value] : table.fields)
      if (key != "low" && key != "high" && key != "scale" && key != "choices" && key != "value")
        problems_.add({name_, value.key_line}, knob.name + "." + key,
                      "low, high, scale, choices or value");
    const TomlValue* choices = table.find("choices");
    const TomlValue* value = table.find("value");
    const TomlValue* low = table.find("low");
    const TomlValue* high = table.find("high");
    if ((choices != nullptr) + (value != nullptr) + (low != nullptr || high != nullptr) > 1) {
      problems_.add({name_, table.key_line}, knob.name, "a range, choices or a value, one of them");
    } else if (choices != nullptr) {
      if (choices->kind != TomlValue::Kind::List || choices->items.empty())
        return problems_.add({name_, choices->line}, knob.name, "choices: a list of numbers");
      set(knob, choices->items);
    } else if (value != nullptr) {
      set(knob, {*value});
    } else {
      range(knob, low, high, table);
    }
  }

  void set(SearchKnob& knob, const std::vector<TomlValue>& items) {
    std::vector<double> values;
    for (const TomlValue& item : items)
      if (const auto x = number(knob, item)) values.push_back(*x);
    knob.scale = Scale::Choice;
    knob.choices = std::move(values);
    knob.start = std::min(knob.start, 0.999);
  }

  void range(SearchKnob& knob, const TomlValue* low, const TomlValue* high,
             const TomlValue& table) {
    if (knob.scale == Scale::Choice) {
      problems_.add({name_, table.key_line}, knob.name, "choices or a value");
      return;
    }
    if (low != nullptr) knob.low = number(knob, *low).value_or(knob.low);
    if (high != nullptr) knob.high = number(knob, *high).value_or(knob.high);
    if (const TomlValue* scale = table.find("scale")) {
      if (scale->text != "log" && scale->text != "linear")
        problems_.add({name_, scale->line}, knob.name + ".scale",
                      fmt::format("log or linear, found `{}`", scale->text));
      knob.scale = scale->text == "linear" ? Scale::Linear : Scale::Logarithmic;
    }
    if (!(knob.low < knob.high) || (knob.scale == Scale::Logarithmic && !(knob.low > 0.0)))
      problems_.add({name_, table.key_line}, knob.name,
                    "low below high, and above 0 where the scale is logarithmic");
  }

  std::string name_;
  SearchSpace space_;
  Problems problems_;
};

}  // namespace

double SearchKnob::value(double unit) const noexcept {
  const double u = std::clamp(unit, 0.0, 1.0);
  if (scale == Scale::Choice) {
    const auto n = static_cast<double>(choices.size());
    return choices[static_cast<std::size_t>(std::min(std::floor(u * n), n - 1.0))];
  }
  const double x = scale == Scale::Linear ? low + u * (high - low) : low * std::pow(high / low, u);
  return std::clamp(whole ? std::round(x) : x, low, high);
}

std::vector<double> SearchSpace::start() const {
  std::vector<double> out;
  for (const SearchKnob& knob : knobs) out.push_back(knob.start);
  return out;
}

std::vector<double> SearchSpace::values(const std::vector<double>& unit) const {
  CARNOT_CHECK(unit.size() == knobs.size(), "a coordinate for each knob");
  std::vector<double> out;
  for (std::size_t i = 0; i < knobs.size(); ++i) out.push_back(knobs[i].value(unit[i]));
  return out;
}

std::string SearchSpace::text(const std::vector<double>& values) const {
  std::string out;
  for (std::size_t i = 0; i < knobs.size(); ++i)
    out += fmt::format("{}{} {:.4g}", i == 0 ? "" : ", ", knobs[i].name, values[i]);
  return out;
}

SearchSpace default_search_space(std::string_view model, double learning_rate) {
  // Where the default lies between a tenth of it and three times: log 10 / log 30.
  constexpr double kAtDefault = 0.677;
  const SearchKnob rate =
      rising("learning_rate", 0.1 * learning_rate, 3.0 * learning_rate, kAtDefault);
  const SearchKnob batch = whole("batch", 16, 256, 0.5);
  const SearchKnob bits = choice("bits", {8, 16, 32});
  if (model == "mlp")
    return {{whole("hidden", 4, 256), rising("epochs", 1, 32, 0), batch, rate, bits}};
  if (model == "linear" || model == "logistic" || model == "softmax")
    return {{rising("epochs", 1, 32, 0), batch, rate, bits}};
  if (model == "gbdt")
    return {{whole("trees", 8, 512), whole("leaves", 4, 255),
             rising("learning_rate", 0.03, 1.0, 0.5), rising("l2", 0.1, 30.0, 0.4),
             whole("bins", 31, 255), choice("bits", {3, 5, 32})}};
  if (model == "forest")
    return {{whole("trees", 8, 256), whole("leaves", 8, 4096), whole("bins", 31, 255),
             rising("feature_share", 0.1, 1.0, 0.5)}};
  if (model == "cnn")
    return {{whole("channels", 4, 32), whole("hidden", 16, 128), rising("epochs", 1, 16, 0), batch,
             rate, bits}};
  throw InputError(describe({}, "learner",
                            fmt::format("one with knobs to search: mlp, linear, logistic, softmax, "
                                        "gbdt, forest, cnn; found `{}`",
                                        model)));
}

SearchSpace read_search_space(const std::string& text, const std::string& name, SearchSpace space) {
  return Reader(name, std::move(space)).read(parse_toml(text, name));
}

}  // namespace carnot::learn
