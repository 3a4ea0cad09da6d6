// SPDX-License-Identifier: Apache-2.0
// Joules of a token, from what a model's name says.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "carnot/assess/machines/machines.hpp"
#include "carnot/base/text.hpp"
#include "carnot/model/footprint/positive.hpp"

#include "assess/machines/tables.hpp"

namespace carnot::assess {

namespace {

// An H100's rating over its dense bf16 peak, by its data sheet: joules of a FLOP at full rate.
constexpr double kJoulesPerFlop = 700.0 / 989e12;
constexpr double kLargestModel = 20000;  // 1e9 parameters

struct Size {
  double active = 0, total = 0;
};

bool letter(char c) { return c >= 'a' && c <= 'z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

/// "70b" -> 70, "8x7b" -> 7 met by a token at least, 56 in all; "a22b" is what a token meets.
std::optional<Size> size_in_name(const std::string& name) {
  double total = 0, active = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!digit(name[i]) || (i > 0 && (digit(name[i - 1]) || name[i - 1] == '.'))) continue;
    std::size_t end = i;
    while (end < name.size() && (digit(name[end]) || name[end] == '.')) ++end;
    if (end >= name.size() || name[end] != 'b') continue;
    if (end + 1 < name.size() && (letter(name[end + 1]) || digit(name[end + 1]))) continue;
    double value = 0;
    try {
      value = parse_number(name.substr(i, end - i));
    } catch (const std::exception&) {
      continue;
    }
    if (!(value > 0) || value > kLargestModel) continue;
    if (i > 0 && name[i - 1] == 'a' && (i < 2 || !letter(name[i - 2])))
      active = value;
    else if (i > 1 && name[i - 1] == 'x' && digit(name[i - 2]))
      return std::nullopt;  // experts that share layers: only the table knows
    else
      total = std::max(total, value);
  }
  if (!(total > 0)) return std::nullopt;
  return Size{active > 0 ? std::min(active, total) : total, total};
}

std::optional<Size> known_size(std::string_view model) {
  std::string name(model);
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  static const auto rows = table_rows(kLanguageModelsTable, 4);
  const std::vector<std::string>* best = nullptr;
  for (const auto& row : rows)
    if (name.find(row[0]) != std::string::npos &&
        (best == nullptr || row[0].size() > (*best)[0].size()))
      best = &row;
  // A distilled model bears its teacher's name and its own size.
  if (best != nullptr && name.find("distill") == std::string::npos)
    return Size{parse_number((*best)[1]), parse_number((*best)[2])};
  return size_in_name(name);
}

double log_output(double active, double total) {
  return factor("token.intercept").value() + factor("token.active").value() * std::log(active) +
         factor("token.total").value() * std::log(total);
}

}  // namespace

TokenEnergy token_energy(std::string_view model) {
  TokenEnergy out;
  const auto size = known_size(model);
  out.disclosed = size.has_value();
  const auto active = factor("token.undisclosed_active"), total = factor("token.undisclosed_total");
  out.active = size ? size->active : active.value();
  out.total = size ? size->total : total.value();
  const double mid = log_output(out.active, out.total);
  const double spread_low = factor("token.low").value(), spread_high = factor("token.high").value();
  double low = mid + spread_low, high = mid + spread_high;
  double prefill_low = 1, prefill_high = 1;  // of what a token meets, over the middle
  if (!size) {
    // How large it is and how it is served are two causes; logarithms of their ratios add squared.
    const auto joined = [&](double end, double spread) {
      return std::sqrt((end - mid) * (end - mid) + spread * spread);
    };
    low = mid - joined(log_output(active.low(), total.low()), spread_low);
    high = mid + joined(log_output(active.high(), total.high()), spread_high);
    prefill_low = active.low() / active.value();
    prefill_high = active.high() / active.value();
  }
  const std::string cause = size ? "token-model" : "undisclosed-model";
  const Origin origin = size ? Origin::Modelled : Origin::Assumed;
  const EstimateCore chips(std::exp(mid), std::exp(low), std::exp(high), origin, Boundary::Node,
                           cause, {"ml-energy-fit"});
  const auto host = factor("token.host_share");
  out.output = model::positive_core(EstimateCore::product(chips, host));
  out.reasoning = out.output;
  const auto efficiency = factor("token.prefill_efficiency");
  const double prefill = 2e9 * out.active * kJoulesPerFlop / efficiency.value();
  const EstimateCore reading(prefill,
                             prefill * prefill_low * efficiency.value() / efficiency.high(),
                             prefill * prefill_high * efficiency.value() / efficiency.low(), origin,
                             Boundary::Node, cause + "-input", {"2 FLOP a parameter and token"});
  out.input = model::positive_core(EstimateCore::product(reading, host));
  out.cached = model::positive_core(EstimateCore::product(out.input, factor("token.cached_share")));
  return out;
}

}  // namespace carnot::assess
