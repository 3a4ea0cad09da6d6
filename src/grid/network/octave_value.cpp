// SPDX-License-Identifier: Apache-2.0
#include "grid/network/octave_value.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "grid/network/octave_text.hpp"

namespace carnot::grid {

namespace {

constexpr std::size_t kMostElements = 10'000'000;

using Numbers = std::vector<double>;

Numbers all_of(const OctaveValue& value) {
  Numbers all;
  for (std::size_t c = 0; c < value.columns(); ++c)
    for (const OctaveValue::Row& row : value.rows) all.push_back(row.numbers[c]);
  return all;
}

/// Of each column, or of the one row.
OctaveValue folded(const OctaveValue& value, const std::function<double(const Numbers&)>& of) {
  need_matrix(value);
  if (value.rows.empty()) return octave_number(of({}), value.line);
  if (value.rows.size() == 1) return octave_number(of(value.rows.front().numbers), value.line);
  OctaveValue out = octave_matrix(1, value.columns(), 0.0, value.line);
  for (std::size_t c = 0; c < value.columns(); ++c) {
    Numbers column;
    for (const OctaveValue::Row& row : value.rows) column.push_back(row.numbers[c]);
    out.rows.front().numbers[c] = of(column);
  }
  return out;
}

double least(const Numbers& of) {
  if (of.empty()) throw NotUnderstood("the least or greatest of something");
  return *std::min_element(of.begin(), of.end());
}

double greatest(const Numbers& of) {
  if (of.empty()) throw NotUnderstood("the least or greatest of something");
  return *std::max_element(of.begin(), of.end());
}

double total(const Numbers& of) {
  double sum = 0.0;
  for (const double value : of) sum += value;
  return sum;
}

OctaveValue found(const OctaveValue& value) {
  need_matrix(value);
  const Numbers all = all_of(value);
  std::vector<double> places;
  for (std::size_t k = 0; k < all.size(); ++k)
    if (all[k] != 0.0) places.push_back(static_cast<double>(k + 1));
  OctaveValue out{.line = value.line};
  if (value.rows.size() == 1) {
    out.rows.push_back({value.line, places, {}});
    if (places.empty()) out.rows.clear();
  } else {
    for (const double place : places) out.rows.push_back({value.line, {place}, {}});
  }
  return out;
}

OctaveValue filled(double with, const std::vector<OctaveValue>& arguments, std::size_t line) {
  const auto side = [](const OctaveValue& value) {
    const double n = value.is_number() ? value.rows.front().numbers.front() : -1.0;
    if (!(n >= 0.0) || n != std::floor(n) || n > 1e6)
      throw NotUnderstood("sizes that are whole numbers");
    return static_cast<std::size_t>(n);
  };
  if (arguments.empty()) return octave_number(with, line);
  if (arguments.size() > 2) throw NotUnderstood("matrices of rows and columns");
  return octave_matrix(side(arguments.front()), side(arguments.back()), with, line);
}

using OfOne = double (*)(double);

OfOne of_one(std::string_view name) {
  struct Function {
    std::string_view name;
    OfOne of;
  };
  static constexpr std::array kFunctions = {
      Function{"sin", [](double x) { return std::sin(x); }},
      Function{"cos", [](double x) { return std::cos(x); }},
      Function{"tan", [](double x) { return std::tan(x); }},
      Function{"asin", [](double x) { return std::asin(x); }},
      Function{"acos", [](double x) { return std::acos(x); }},
      Function{"atan", [](double x) { return std::atan(x); }},
      Function{"sqrt", [](double x) { return std::sqrt(x); }},
      Function{"exp", [](double x) { return std::exp(x); }},
      Function{"log", [](double x) { return std::log(x); }},
      Function{"log10", [](double x) { return std::log10(x); }},
      Function{"abs", [](double x) { return std::abs(x); }},
      Function{"floor", [](double x) { return std::floor(x); }},
      Function{"ceil", [](double x) { return std::ceil(x); }},
      Function{"fix", [](double x) { return std::trunc(x); }},
      Function{"round", [](double x) { return std::round(x); }},
      Function{"sign", [](double x) { return static_cast<double>((x > 0.0) - (x < 0.0)); }},
      Function{"double", [](double x) { return x; }}};
  for (const Function& one : kFunctions)
    if (one.name == name) return one.of;
  return nullptr;
}

}  // namespace

OctaveValue octave_number(double value, std::size_t line) {
  return {.line = line, .rows = {{line, {value}, {}}}};
}

OctaveValue octave_matrix(std::size_t rows, std::size_t columns, double value, std::size_t line) {
  if (columns > 0 && rows > kMostElements / columns) throw NotUnderstood("a smaller matrix");
  OctaveValue out{.line = line};
  if (columns > 0) out.rows.assign(rows, {line, Numbers(columns, value), {}});
  return out;
}

void need_matrix(const OctaveValue& value) {
  if (!value.fault.empty()) throw NotUnderstood(value.fault);
  if (value.is_string || value.is_cell) throw NotUnderstood("numbers to compute with");
  for (const OctaveValue::Row& row : value.rows)
    if (row.numbers.size() != value.columns())
      throw NotUnderstood("a matrix with rows of one length, where it is computed with");
}

OctaveValue octave_each(const OctaveValue& a, const OctaveValue& b,
                        const std::function<double(double, double)>& of) {
  need_matrix(a);
  need_matrix(b);
  const auto side = [](std::size_t one, std::size_t other) {
    if (one != other && one != 1 && other != 1)
      throw NotUnderstood("matrices of one size, where they are computed with");
    return one == 1 ? other : one;
  };
  const std::size_t rows = side(a.rows.size(), b.rows.size());
  const std::size_t columns = rows == 0 ? 0 : side(a.columns(), b.columns());
  OctaveValue out = octave_matrix(rows, columns, 0.0, a.line);
  for (std::size_t r = 0; r < out.rows.size(); ++r) {
    const OctaveValue::Row& left = a.rows[a.rows.size() == 1 ? 0 : r];
    const OctaveValue::Row& right = b.rows[b.rows.size() == 1 ? 0 : r];
    out.rows[r].line = a.rows.size() == 1 ? right.line : left.line;
    for (std::size_t c = 0; c < columns; ++c)
      out.rows[r].numbers[c] = of(left.numbers[left.numbers.size() == 1 ? 0 : c],
                                  right.numbers[right.numbers.size() == 1 ? 0 : c]);
  }
  return out;
}

OctaveValue octave_each(OctaveValue a, const std::function<double(double)>& of) {
  need_matrix(a);
  for (OctaveValue::Row& row : a.rows)
    for (double& number : row.numbers) number = of(number);
  a.is_truth = false;
  return a;
}

OctaveValue octave_transposed(const OctaveValue& a) {
  need_matrix(a);
  OctaveValue out = octave_matrix(a.columns(), a.rows.size(), 0.0, a.line);
  for (std::size_t r = 0; r < a.rows.size(); ++r)
    for (std::size_t c = 0; c < a.columns(); ++c) out.rows[c].numbers[r] = a.rows[r].numbers[c];
  return out;
}

std::vector<std::size_t> octave_places(const OctaveValue& index, std::size_t size) {
  need_matrix(index);
  const Numbers all = all_of(index);
  std::vector<std::size_t> places;
  if (index.is_truth) {
    if (all.size() > size) throw NotUnderstood("an index within the matrix");
    for (std::size_t k = 0; k < all.size(); ++k)
      if (all[k] != 0.0) places.push_back(k);
    return places;
  }
  for (const double place : all) {
    if (!(place >= 1.0) || place != std::floor(place) || place > static_cast<double>(kMostElements))
      throw NotUnderstood("an index that is a whole number above 0");
    places.push_back(static_cast<std::size_t>(place) - 1);
  }
  return places;
}

OctaveValue octave_call(std::string_view name, const std::vector<OctaveValue>& arguments,
                        std::size_t line) {
  for (const OctaveValue& value : arguments) need_matrix(value);
  if (name == "zeros") return filled(0.0, arguments, line);
  if (name == "ones") return filled(1.0, arguments, line);
  if (arguments.size() == 2 && (name == "min" || name == "max"))
    return octave_each(arguments[0], arguments[1], [smaller = name == "min"](double a, double b) {
      return smaller ? std::fmin(a, b) : std::fmax(a, b);
    });
  if (name == "size" && arguments.size() == 2 && arguments[1].is_number()) {
    const double side = arguments[1].rows.front().numbers.front();
    if (side != 1.0 && side != 2.0) throw NotUnderstood("side 1 or 2 of a matrix");
    return octave_number(
        static_cast<double>(side == 1.0 ? arguments[0].rows.size() : arguments[0].columns()), line);
  }
  if (arguments.size() != 1)
    throw NotUnderstood(fmt::format("values and plain arithmetic; `{}` would have to be executed",
                                    name.substr(0, 40)));
  const OctaveValue& value = arguments.front();
  const auto rows = static_cast<double>(value.rows.size());
  const auto columns = static_cast<double>(value.columns());
  if (const OfOne of = of_one(name)) return octave_each(value, of);
  if (name == "sum") return folded(value, total);
  if (name == "min") return folded(value, least);
  if (name == "max") return folded(value, greatest);
  if (name == "find") return found(value);
  if (name == "numel") return octave_number(rows * columns, line);
  if (name == "rows") return octave_number(rows, line);
  if (name == "columns") return octave_number(columns, line);
  if (name == "length") return octave_number(rows == 0.0 ? 0.0 : std::max(rows, columns), line);
  if (name == "size") return {.line = line, .rows = {{line, {rows, columns}, {}}}};
  throw NotUnderstood(fmt::format("values and plain arithmetic; `{}` would have to be executed",
                                  name.substr(0, 40)));
}

std::vector<OctaveConstant> octave_constants(std::string_view function) {
  if (function == "idx_bus")
    return {{"PQ", 1},       {"PV", 2},    {"REF", 3},    {"NONE", 4},     {"BUS_I", 1},
            {"BUS_TYPE", 2}, {"PD", 3},    {"QD", 4},     {"GS", 5},       {"BS", 6},
            {"BUS_AREA", 7}, {"VM", 8},    {"VA", 9},     {"BASE_KV", 10}, {"ZONE", 11},
            {"VMAX", 12},    {"VMIN", 13}, {"LAM_P", 14}, {"LAM_Q", 15},   {"MU_VMAX", 16},
            {"MU_VMIN", 17}};
  if (function == "idx_brch")
    return {{"F_BUS", 1},      {"T_BUS", 2},  {"BR_R", 3},    {"BR_X", 4},    {"BR_B", 5},
            {"RATE_A", 6},     {"RATE_B", 7}, {"RATE_C", 8},  {"TAP", 9},     {"SHIFT", 10},
            {"BR_STATUS", 11}, {"PF", 14},    {"QF", 15},     {"PT", 16},     {"QT", 17},
            {"MU_SF", 18},     {"MU_ST", 19}, {"ANGMIN", 12}, {"ANGMAX", 13}, {"MU_ANGMIN", 20},
            {"MU_ANGMAX", 21}};
  if (function == "idx_gen")
    return {{"GEN_BUS", 1},   {"PG", 2},       {"QG", 3},         {"QMAX", 4},     {"QMIN", 5},
            {"VG", 6},        {"MBASE", 7},    {"GEN_STATUS", 8}, {"PMAX", 9},     {"PMIN", 10},
            {"MU_PMAX", 22},  {"MU_PMIN", 23}, {"MU_QMAX", 24},   {"MU_QMIN", 25}, {"PC1", 11},
            {"PC2", 12},      {"QC1MIN", 13},  {"QC1MAX", 14},    {"QC2MIN", 15},  {"QC2MAX", 16},
            {"RAMP_AGC", 17}, {"RAMP_10", 18}, {"RAMP_30", 19},   {"RAMP_Q", 20},  {"APF", 21}};
  if (function == "idx_cost")
    return {{"PW_LINEAR", 1}, {"POLYNOMIAL", 2}, {"MODEL", 1}, {"STARTUP", 2},
            {"SHUTDOWN", 3},  {"NCOST", 4},      {"COST", 5}};
  return {};
}

}  // namespace carnot::grid
