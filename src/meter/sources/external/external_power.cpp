// SPDX-License-Identifier: Apache-2.0
#include "meter/sources/external/external_power.hpp"

#include <array>
#include <charconv>
#include <vector>

#include <nlohmann/json.hpp>

#include "meter/counters/plain_text.hpp"

namespace carnot::meter {
namespace {

using nlohmann::json;

std::optional<double> plausible(double watts) {
  if (!(watts >= 0.0 && watts < 1e6)) return std::nullopt;  // NaN too
  return watts;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

/// A number and perhaps its unit, all of the text.
std::optional<double> number(std::string_view text) {
  text = trimmed(text);
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{}) return std::nullopt;
  const std::string_view unit = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
  if (unit.empty() || unit == "W") return value;
  if (unit == "kW") return value * 1e3;
  if (unit == "mW") return value * 1e-3;
  return std::nullopt;
}

/// Powers of `key` in a value and all it holds; the same key deeper counts once.
void collect(const json& value, std::string_view key, std::vector<double>& found, int depth) {
  constexpr int kDeepest = 16;
  if (depth > kDeepest) return;
  if (value.is_object()) {
    const auto here = value.find(key);
    if (here != value.end()) {
      // Tasmota gives a list where it meters several.
      for (const json& one : here->is_array() ? *here : json::array({*here}))
        if (one.is_number()) found.push_back(one.get<double>());
      if (!found.empty()) return;
    }
    for (const auto& [name, inner] : value.items()) collect(inner, key, found, depth + 1);
  } else if (value.is_array()) {
    for (const json& inner : value) collect(inner, key, found, depth + 1);
  }
}

std::optional<double> from_json(std::string_view text) {
  const json value = json::parse(text, nullptr, false);
  if (value.is_discarded() || !(value.is_object() || value.is_array())) return std::nullopt;
  constexpr std::array<std::string_view, 8> kKeys{
      "apower", "total_act_power", "Power", "power_w", "watts", "power", "active_power_w", "W"};
  for (const std::string_view key : kKeys) {
    std::vector<double> found;
    collect(value, key, found, 0);
    if (found.empty()) continue;
    double sum = 0;
    for (const double watts : found) sum += watts;
    return plausible(sum);
  }
  return std::nullopt;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  const char separator = line.find(';') != std::string_view::npos    ? ';'
                         : line.find('\t') != std::string_view::npos ? '\t'
                         : line.find(',') != std::string_view::npos  ? ','
                                                                     : ' ';
  std::vector<std::string_view> fields;
  for (std::size_t from = 0; from <= line.size();) {
    const std::size_t end = std::min(line.find(separator, from), line.size());
    fields.push_back(trimmed(line.substr(from, end - from)));
    from = end + 1;
  }
  return fields;
}

}  // namespace

std::string_view last_line(std::string_view text) noexcept {
  const std::size_t end = text.rfind('\n');
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end);  // what follows is still being written
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.remove_suffix(1);
  const std::size_t begin = text.rfind('\n');
  return begin == std::string_view::npos ? text : text.substr(begin + 1);
}

std::optional<double> external_watts(std::string_view answer, std::string_view header) {
  answer = trimmed(answer);
  if (answer.empty()) return std::nullopt;
  // A bridge may write the topic before the message.
  const std::size_t brace = answer.find_first_of("{[");
  if (brace != std::string_view::npos) return from_json(answer.substr(brace));
  if (const auto whole = number(answer)) return plausible(*whole);
  const std::vector<std::string_view> fields = fields_of(answer);
  const std::vector<std::string_view> names = fields_of(trimmed(header));
  if (names.size() == fields.size())
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string name = lower(names[i]);
      const bool kilo = name.ends_with("kw") || name.ends_with("[kw]") || name.ends_with("(kw)");
      if (name != "w" && name.find("watt") == std::string::npos &&
          name.find("power") == std::string::npos)
        continue;
      const auto value = number(fields[i]);
      return value ? plausible(*value * (kilo ? 1e3 : 1.0)) : std::nullopt;
    }
  for (std::size_t i = fields.size(); i-- > 1;)
    if (const auto value = number(fields[i])) return plausible(*value);
  return std::nullopt;
}

}  // namespace carnot::meter
