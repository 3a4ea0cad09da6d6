// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/codes/code_length.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "learn/codes/model_code.hpp"

namespace carnot::learn {

namespace {

constexpr double kTargetPrecisionBits = 8.0;  // targets are stated to 2^-8 standard deviations
constexpr double kVarianceBits = 32.0;

/// Entropy of N(0, variance) in bits at the stated precision; never below a free label.
double gaussian_label_bits(double variance) {
  const double bits =
      0.5 * std::log2(2.0 * std::numbers::pi * std::numbers::e * variance) + kTargetPrecisionBits;
  return std::max(0.0, bits);
}

/// Follows a chain of layers from entry `i` with `width` inputs; fills rows. True if it ends well.
bool follow(const std::vector<std::vector<float>>& parameters, std::size_t i, std::size_t width,
            std::size_t outputs, std::vector<std::size_t>& rows) {
  if (i == parameters.size()) return width == outputs;
  const std::size_t size = parameters[i].size();
  for (const std::size_t columns : {width + 1, width}) {
    if (columns == 0 || size == 0 || size % columns != 0) continue;
    const std::size_t out = size / columns;
    rows[i] = out;
    const bool biases_follow =
        columns == width && i + 1 < parameters.size() && parameters[i + 1].size() == out;
    if (biases_follow) {
      rows[i + 1] = 1;
      if (follow(parameters, i + 2, out, outputs, rows)) return true;
    }
    if (follow(parameters, i + 1, out, outputs, rows)) return true;
  }
  return false;
}

/// k_B T ln 2 of a bit that costs `energy / bits`.
Temperature effective_temperature(Energy energy, double bits) {
  return energy / (bits * std::numbers::ln2 * boltzmann_constant);
}

CycleLeg leg(std::string name, double from, double to, Energy energy) {
  CycleLeg out{std::move(name), from, to, energy, {}};
  const double moved = std::abs(from - to);
  if (moved > 0.0) out.temperature = effective_temperature(energy, moved);
  return out;
}

}  // namespace

double kt_code_length(std::span<const std::uint64_t> counts) {
  if (counts.empty()) return 0.0;
  const double half_alphabet = 0.5 * static_cast<double>(counts.size());
  double total = 0.0;
  double nats = 0.0;
  for (const std::uint64_t c : counts) {
    total += static_cast<double>(c);
    if (c > 0) nats -= std::lgamma(static_cast<double>(c) + 0.5) - std::lgamma(0.5);
  }
  nats += std::lgamma(total + half_alphabet) - std::lgamma(half_alphabet);
  return std::max(0.0, nats / std::numbers::ln2);
}

double universal_integer_length(std::uint64_t n) {
  CARNOT_CHECK(n >= 1, "the code is for positive integers");
  const auto log = static_cast<unsigned>(std::bit_width(n)) - 1;
  const auto log_log = static_cast<unsigned>(std::bit_width(log + 1)) - 1;
  return static_cast<double>(log + 2 * log_log + 1);
}

double model_length(const std::vector<std::vector<float>>& parameters,
                    const std::vector<std::size_t>& rows, int bits) {
  return ideal_length(quantise_model(parameters, rows, bits));
}

std::vector<std::vector<float>> rounded(const std::vector<std::vector<float>>& parameters,
                                        const std::vector<std::size_t>& rows, int bits) {
  return coefficients(quantise_model(parameters, rows, bits));
}

std::vector<std::size_t> parameter_rows(const std::vector<std::vector<float>>& parameters,
                                        std::size_t inputs, std::size_t outputs) {
  std::vector<std::size_t> rows(parameters.size(), 1);
  if (!follow(parameters, 0, inputs, outputs, rows)) rows.assign(parameters.size(), 1);
  return rows;
}

double uniform_length(const Dataset& data) {
  const auto n = static_cast<double>(data.rows);
  if (data.is_regression()) return n * gaussian_label_bits(1.0);
  std::vector<std::uint64_t> counts(data.classes);
  for (const std::uint32_t label : data.labels) ++counts[label];
  return kt_code_length(counts);
}

double data_length(const Dataset& data, const Quality& quality) {
  const auto n = static_cast<double>(data.rows);
  if (!data.is_regression()) return n * quality.bits_per_label;
  const double mse = std::max(1.0 - quality.value, std::numeric_limits<double>::min());
  return n * gaussian_label_bits(mse);
}

CodeLengths code_lengths(const Learner& learner, const Dataset& train,
                         const Quality& evaluation_on_train, int model_bits) {
  const std::vector<std::vector<float>> parameters = learner.parameters();
  // Two classes may be told by one logistic output.
  std::vector<std::size_t> rows;
  for (const std::size_t outputs : {std::max<std::size_t>(train.classes, 1), std::size_t{1}}) {
    rows = parameter_rows(parameters, train.columns, outputs);
    if (std::any_of(rows.begin(), rows.end(), [](std::size_t r) { return r > 1; })) break;
  }
  const double variance = train.is_regression() ? kVarianceBits : 0.0;
  CodeLengths out;
  out.uniform = uniform_length(train);
  out.data = data_length(train, evaluation_on_train);
  out.model = model_length(parameters, rows, model_bits) + variance;
  out.model_raw = model_length(parameters, rows, 32) + variance;
  out.two_part = out.model + out.data;
  out.prequential = learner.prequential_bits();
  out.learned_net = out.uniform - out.two_part;
  return out;
}

LearningCycle learning_cycle(const CodeLengths& lengths, std::span<const double> loss_bits,
                             std::span<const Energy> energy, Energy ingest, Temperature ambient,
                             Energy consolidate) {
  if (loss_bits.size() != energy.size() || loss_bits.size() < 2)
    throw InputError(describe({}, "learning curve",
                              fmt::format("two points or more, as many losses as energies, found "
                                          "{} and {}",
                                          loss_bits.size(), energy.size())));
  for (std::size_t i = 0; i < loss_bits.size(); ++i) {
    if (!std::isfinite(loss_bits[i]) || !is_finite(energy[i]) || energy[i] < Energy{} ||
        (i > 0 && energy[i] < energy[i - 1]))
      throw InputError(describe({}, "learning curve",
                                fmt::format("finite losses and energies that do not fall, broken "
                                            "at point {}",
                                            i + 1)));
  }
  LearningCycle cycle;
  // Steps between records of the loss.
  struct Step {
    double from, to;
    Energy energy;
  };
  std::vector<Step> steps;
  double least = loss_bits[0];
  Energy paid;
  for (std::size_t i = 1; i < loss_bits.size(); ++i) {
    if (loss_bits[i] >= least) continue;
    steps.push_back({least, loss_bits[i], energy[i] - paid});
    paid = energy[i];
    least = loss_bits[i];
  }
  const Energy training = energy.back();
  if (!steps.empty()) steps.back().energy += training - paid;
  for (const Step& step : steps) {
    const Temperature t = effective_temperature(step.energy, step.from - step.to);
    cycle.curve.push_back({step.from, t});
    cycle.curve.push_back({step.to, t});
  }
  const Energy reset = least * bit * landauer_bound(ambient);
  cycle.legs = {leg("ingest", 0.0, lengths.uniform, ingest),
                leg("learn", loss_bits[0], least, training),
                leg("consolidate", lengths.model_raw, lengths.model, consolidate),
                leg("reset", least, 0.0, reset)};
  for (const CycleLeg& l : cycle.legs) cycle.total += l.energy;
  cycle.bits_learned = loss_bits[0] - least;
  if (cycle.total > Energy{})
    cycle.efficiency = cycle.bits_learned * bit * landauer_bound(ambient) / cycle.total;
  return cycle;
}

}  // namespace carnot::learn
