// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/circuit/transistor_operations.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/model/catalogue/chips.hpp"

namespace carnot::model {

namespace {

constexpr std::array<std::string_view, 4> kKinds = {"integer add", "integer multiply", "float add",
                                                    "float multiply"};

struct Format {
  std::string_view name;
  int bits, exponent;  // significand with its hidden bit
};
constexpr std::array<Format, 7> kFloats = {{{"fp64", 53, 11},
                                            {"fp32", 24, 8},
                                            {"tf32", 11, 8},
                                            {"fp16", 11, 5},
                                            {"bf16", 8, 8},
                                            {"fp8", 4, 4},
                                            {"fp4", 2, 2}}};

/// Solves a x = b by elimination with pivots; a is positive definite but for bad input.
std::array<double, 5> solved(std::array<std::array<double, 6>, 5> a) {
  for (std::size_t c = 0; c < 5; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c + 1; r < 5; ++r)
      if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
    if (!(std::abs(a[pivot][c]) > 1e-9))
      throw InputError("transistor model: rows of each kind, and of two processes");
    std::swap(a[c], a[pivot]);
    for (std::size_t r = 0; r < 5; ++r) {
      if (r == c) continue;
      const double factor = a[r][c] / a[c][c];
      for (std::size_t k = c; k < 6; ++k) a[r][k] -= factor * a[c][k];
    }
  }
  std::array<double, 5> x{};
  for (std::size_t c = 0; c < 5; ++c) x[c] = a[c][5] / a[c][c];
  return x;
}

}  // namespace

std::string_view name(ArithmeticKind kind) noexcept {
  return kKinds[static_cast<std::size_t>(kind)];
}

Arithmetic arithmetic(std::string_view operation) {
  const std::size_t at = operation.find('_');
  const std::string_view format = operation.substr(0, at);
  const std::string_view verb = at == std::string_view::npos ? "" : operation.substr(at + 1);
  const bool multiply = verb == "multiply";
  const auto refuse = [&] {
    throw InputError(
        fmt::format("operation: intN_add, intN_multiply, or fp64, fp32, tf32, fp16, bf16, fp8, fp4 "
                    "with _add or _multiply, not `{}`",
                    operation.substr(0, 40)));
  };
  if (verb != "add" && !multiply) refuse();
  if (format.starts_with("int")) {
    int bits = 0;
    for (const char c : format.substr(3)) {
      if (c < '0' || c > '9' || bits > 1000) refuse();
      bits = 10 * bits + (c - '0');
    }
    if (bits < 1 || bits > 1024) refuse();
    return {multiply ? ArithmeticKind::IntegerMultiply : ArithmeticKind::IntegerAdd, bits, 0};
  }
  for (const Format& f : kFloats)
    if (format == f.name)
      return {multiply ? ArithmeticKind::FloatMultiply : ArithmeticKind::FloatAdd, f.bits,
              f.exponent};
  refuse();
  return {};
}

double transistor_operations(const Arithmetic& a) {
  const double b = a.bits, e = a.exponent;
  switch (a.kind) {
    case ArithmeticKind::IntegerAdd:
      return 28 * b;
    case ArithmeticKind::IntegerMultiply:
      return 34 * b * b;
    case ArithmeticKind::FloatAdd:
      return 28 * b + 8 * b * std::log2(b) + 28 * e;
    case ArithmeticKind::FloatMultiply:
      return 34 * b * b + 28 * b + 56 * e;
  }
  return 0;
}

std::vector<PublishedEnergy> published_arithmetic() {
  std::vector<PublishedEnergy> out;
  for (const char* id : {"asic-45nm", "asic-7nm"}) {
    const Chip& chip = ChipCatalogue::embedded().chip(id);
    for (const auto& [property, value] : chip.values) {
      if (!property.starts_with("op.")) continue;
      const std::string operation = property.substr(3);
      if (operation.ends_with("_add") || operation.ends_with("_multiply"))
        out.push_back({operation, chip.at("process").value, value.value});
    }
  }
  return out;
}

TransistorModel::TransistorModel(const std::vector<PublishedEnergy>& rows) {
  std::array<std::array<double, 6>, 5> normal{};
  const auto features = [](const PublishedEnergy& row) {
    std::array<double, 5> x{};
    x[static_cast<std::size_t>(arithmetic(row.operation).kind)] = 1;
    x[4] = std::log(row.process_nm / 7);
    return x;
  };
  const auto target = [](const PublishedEnergy& row) {
    return std::log(row.picojoule / transistor_operations(arithmetic(row.operation)));
  };
  for (const PublishedEnergy& row : rows) {
    const std::array<double, 5> x = features(row);
    for (std::size_t i = 0; i < 5; ++i) {
      for (std::size_t j = 0; j < 5; ++j) normal[i][j] += x[i] * x[j];
      normal[i][5] += x[i] * target(row);
    }
  }
  const std::array<double, 5> fit = solved(normal);
  std::copy_n(fit.begin(), 4, activity_.begin());
  process_ = fit[4];
  double squares = 0;
  for (const PublishedEnergy& row : rows) {
    const std::array<double, 5> x = features(row);
    double error = target(row);
    for (std::size_t i = 0; i < 5; ++i) error -= fit[i] * x[i];
    squares += error * error;
  }
  const double freedom = std::max(1.0, static_cast<double>(rows.size()) - 5);
  spread_ = std::sqrt(squares / freedom);
}

const TransistorModel& TransistorModel::embedded() {
  static const TransistorModel model(published_arithmetic());
  return model;
}

Estimate<Energy> TransistorModel::energy(std::string_view operation, double process_nm) const {
  if (!(process_nm > 0.1 && process_nm < 10000)) throw InputError("process: from 0.1 to 10000 nm");
  const Arithmetic a = arithmetic(operation);
  const double ln = activity_[static_cast<std::size_t>(a.kind)] +
                    process_ * std::log(process_nm / 7) + std::log(transistor_operations(a));
  const Energy value = std::exp(ln) * picojoule;
  // Student's quantile of 90 % at some fifteen degrees of freedom.
  const double factor = std::exp(1.75 * spread_);
  return {value,
          value / factor,
          value * factor,
          Origin::Modelled,
          Boundary::Chip,
          "transistor operations",
          {"horowitz-2014", "jouppi-2021"}};
}

}  // namespace carnot::model
