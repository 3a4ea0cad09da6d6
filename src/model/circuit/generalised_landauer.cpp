// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/circuit/generalised_landauer.hpp"

#include <array>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"

namespace carnot::model {

namespace {

struct Gate {
  const char* name;
  std::size_t inputs, outputs;
  std::size_t (*of)(std::size_t);
};

constexpr std::array<Gate, 9> kGates = {{
    {"erase", 2, 2, [](std::size_t) -> std::size_t { return 0; }},
    {"identity", 2, 2, [](std::size_t x) { return x; }},
    {"not", 2, 2, [](std::size_t x) { return 1 - x; }},
    {"copy", 2, 4, [](std::size_t x) { return 3 * x; }},
    {"and", 4, 2, [](std::size_t x) -> std::size_t { return x == 3 ? 1 : 0; }},
    {"or", 4, 2, [](std::size_t x) -> std::size_t { return x != 0 ? 1 : 0; }},
    {"xor", 4, 2, [](std::size_t x) { return (x ^ (x >> 1U)) & 1U; }},
    {"nand", 4, 2, [](std::size_t x) -> std::size_t { return x == 3 ? 0 : 1; }},
    {"half_adder", 4, 4, [](std::size_t x) { return (x & 1U) + (x >> 1U); }},
}};

std::vector<double> uniform(std::size_t n) {
  return std::vector<double>(n, 1 / static_cast<double>(n));
}

void check_distribution(const std::vector<double>& p, std::size_t n, const char* what) {
  if (p.size() != n)
    throw InputError(fmt::format("{}: {} probabilities, not {}", what, n, p.size()));
  Sum<> total;
  for (const double x : p) {
    if (!(x >= 0 && x <= 1)) throw InputError(fmt::format("{}: each from 0 to 1", what));
    total += x;
  }
  if (std::abs(total.value() - 1) > 1e-9)
    throw InputError(fmt::format("{}: they sum to 1, not {:.9g}", what, total.value()));
}

std::vector<double> through(const StateMap& map, const std::vector<double>& p) {
  std::vector<double> out(map.outputs, 0.0);
  for (std::size_t y = 0; y < map.outputs; ++y) {
    Sum<> total;
    for (std::size_t x = 0; x < map.inputs; ++x)
      total += map.probability[y + map.outputs * x] * p[x];
    out[y] = total.value();
  }
  return out;
}

double entropy_bits(const std::vector<double>& p) {
  Sum<> bits;
  for (const double x : p)
    if (x > 0) bits += -x * std::log2(x);
  return bits.value();
}

double divergence_bits(const std::vector<double>& p, const std::vector<double>& q) {
  Sum<> bits;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (p[i] > 0) bits += p[i] * std::log2(p[i] / q[i]);
  return bits.value();
}

}  // namespace

std::vector<std::string> map_names() {
  std::vector<std::string> out;
  for (const Gate& g : kGates) out.emplace_back(g.name);
  out.emplace_back("randomise");
  return out;
}

StateMap named_map(std::string_view name) {
  StateMap map;
  map.name = name;
  if (name == "randomise") {
    map.inputs = map.outputs = 2;
    map.probability.assign(4, 0.5);
    return map;
  }
  for (const Gate& g : kGates) {
    if (name != g.name) continue;
    map.inputs = g.inputs;
    map.outputs = g.outputs;
    map.probability.assign(g.inputs * g.outputs, 0.0);
    for (std::size_t x = 0; x < g.inputs; ++x) map.probability[g.of(x) + g.outputs * x] = 1;
    return map;
  }
  const std::string near = nearest(name, map_names());
  throw InputError(fmt::format("map: {}{}", fmt::join(map_names(), ", "),
                               near.empty() ? "" : "; did you mean `" + near + "`?"));
}

MapCost map_cost(const StateMap& map, const std::vector<double>& input,
                 const std::vector<double>& design, Temperature t) {
  if (map.inputs == 0 || map.outputs == 0 || map.probability.size() != map.inputs * map.outputs)
    throw InputError("map: inputs x outputs probabilities");
  for (std::size_t x = 0; x < map.inputs; ++x)
    check_distribution(
        {map.probability.begin() + static_cast<std::ptrdiff_t>(map.outputs * x),
         map.probability.begin() + static_cast<std::ptrdiff_t>(map.outputs * (x + 1))},
        map.outputs, "map: outputs of a state");
  if (!(t > Temperature{} && is_finite(t))) throw InputError("temperature: above 0 K");
  const std::vector<double> p = input.empty() ? uniform(map.inputs) : input;
  check_distribution(p, map.inputs, "input distribution");
  const std::vector<double> q = design.empty() ? p : design;
  check_distribution(q, map.inputs, "design distribution");
  for (std::size_t x = 0; x < map.inputs; ++x)
    if (p[x] > 0 && !(q[x] > 0))
      throw InputError(
          fmt::format("design distribution: above 0 for state {}, which is put in", x));
  const std::vector<double> out_p = through(map, p), out_q = through(map, q);
  MapCost c;
  c.input_bits = entropy_bits(p);
  c.output_bits = entropy_bits(out_p);
  c.drop_bits = c.input_bits - c.output_bits;
  // Not negative but for rounding.
  c.mismatch_bits = std::max(0.0, divergence_bits(p, q) - divergence_bits(out_p, out_q));
  c.flow_bits = c.drop_bits + c.mismatch_bits;
  const EnergyPerBit each = landauer_bound(t);
  c.drop = each * (c.drop_bits * bit);
  c.mismatch = each * (c.mismatch_bits * bit);
  c.flow = c.drop + c.mismatch;
  return c;
}

Energy kolmogorov_work(Information before, Information after, Temperature t) {
  if (!(before >= Information{} && after >= Information{}))
    throw InputError("code lengths: 0 bits or more");
  if (!(t > Temperature{})) throw InputError("temperature: above 0 K");
  return landauer_bound(t) * (before - after);
}

Energy training_bound(double parameters, double samples, Temperature t) {
  if (!(parameters >= 0 && samples >= 0)) throw InputError("parameters and samples: 0 or more");
  if (!(t > Temperature{})) throw InputError("temperature: above 0 K");
  return 2 * parameters * samples * (boltzmann_constant * t);
}

}  // namespace carnot::model
