// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/learn/figure8.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/version.hpp"

#include "report/draw/html.hpp"
#include "report/draw/json_figure.hpp"
#include "report/draw/svg.hpp"
#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"

namespace carnot::report {

namespace {

using experiment::ErrorRatio;
using experiment::Figure8Input;
using experiment::Figure8Result;

std::string entropy_text(const Figure8Input& input) { return fmt::format("{:.2f}", input.entropy); }

std::string ratio_text(double ratio) {
  return ratio < 10 ? fmt::format("{:.2f}", ratio)
                    : fmt::format("{:.{}f}", ratio, ratio < 100 ? 1 : 0);
}

std::string bits_or_none(int bits) { return bits == 0 ? "none" : fmt::format("{}", bits); }

struct Tally {
  std::size_t told = 0, near = 0;
  void take(int needs, int predicted) {
    if (needs == 0 || predicted == 0) return;
    ++told;
    near += std::abs(needs - predicted) <= 1 ? 1u : 0u;
  }
};

std::string correlation_text(double value) {
  return std::isfinite(value) ? fmt::format("{:.2f}", value) : "n/a";
}

std::string finding(const Figure8Result& r) {
  std::size_t fewer = 0;
  Tally grid, codebook;
  for (const Figure8Input& input : r.inputs) {
    const bool less = input.codebook_needs > 0 &&
                      (input.grid_needs == 0 || input.codebook_needs < input.grid_needs);
    fewer += less ? 1u : 0u;
    grid.take(input.grid_needs, input.grid_predicted);
    codebook.take(input.codebook_needs, input.codebook_predicted);
  }
  return fmt::format(
      "Bits needed against bits held, rank correlation: {} with a codebook, {} on a uniform grid. "
      "A codebook needs fewer bits than the grid on {} of {} inputs. Foretold from the rounding "
      "error alone within a bit: {} of {} with a codebook, {} of {} on the grid.",
      correlation_text(r.codebook_rank_correlation), correlation_text(r.grid_rank_correlation),
      fewer, r.inputs.size(), codebook.near, codebook.told, grid.near, grid.told);
}

Json ratios(const std::vector<ErrorRatio>& values) {
  Json out = Json::array();
  for (const ErrorRatio& v : values)
    out.push_back({{"bits", v.bits},
                   {"ratio", number_or_null(v.mean)},
                   {"standard_error", number_or_null(v.error)},
                   {"least", number_or_null(v.least)},
                   {"greatest", number_or_null(v.greatest)}});
  return out;
}

Json needs(int needed, int predicted) {
  return {{"needs_bits", needed > 0 ? Json(needed) : Json()},
          {"predicted_bits", predicted > 0 ? Json(predicted) : Json()}};
}

constexpr double kWidth = 720, kHeight = 380, kLeft = 76, kRight = 560, kTop = 30, kBottom = 330;

std::string figure(const Figure8Result& result, bool codebook) {
  double least = 1.0;
  double greatest = result.limit;
  int first = 16;
  int last = 2;
  for (const Figure8Input& input : result.inputs)
    for (const ErrorRatio& r : codebook ? input.codebook : input.grid) {
      least = std::min(least, r.mean);
      greatest = std::max(greatest, r.mean);
      first = std::min(first, r.bits);
      last = std::max(last, r.bits);
    }
  const std::string which = codebook ? "codebook" : "uniform grid";
  svg::Drawing drawing(kWidth, kHeight, "Error against bits, " + which,
                       "Mean squared error over that of binary32, a line an input");
  svg::Axes axes;
  axes.x = svg::linear(first, last, kLeft, kRight);
  axes.y = svg::logarithmic(std::max(0.5, 0.9 * least), 1.2 * greatest, kBottom, kTop);
  axes.x_title = "bits of data, labels and gradient";
  axes.y_title = "error over binary32's";
  if (!result.inputs.empty())
    for (const ErrorRatio& r : result.inputs.front().grid)
      axes.x_marks.emplace_back(r.bits, fmt::format("{}", r.bits));
  svg::axes(drawing, axes);
  const double limit = axes.y.clipped(result.limit);
  drawing.line(kLeft, limit, kRight, limit, "rule dash");
  std::vector<double> taken;
  for (std::size_t i = 0; i < result.inputs.size(); ++i) {
    const Figure8Input& input = result.inputs[i];
    const std::string style = fmt::format("s{}", i % 8 + 1);
    std::vector<double> x, y;
    for (const ErrorRatio& r : codebook ? input.codebook : input.grid) {
      x.push_back(axes.x.clipped(r.bits));
      y.push_back(axes.y.clipped(r.mean));
    }
    drawing.path(svg::polyline(x, y), style, input.name);
    const std::vector<ErrorRatio>& values = codebook ? input.codebook : input.grid;
    for (std::size_t b = 0; b < values.size(); ++b) {
      const ErrorRatio& r = values[b];
      drawing.line(x[b], axes.y.clipped(r.least), x[b], axes.y.clipped(r.greatest), style);
      drawing.circle(x[b], y[b], 3, style,
                     fmt::format("{}, {} bits: {} ({} to {})", input.name, r.bits,
                                 ratio_text(r.mean), ratio_text(r.least), ratio_text(r.greatest)));
    }
  }
  // Names beside the frame, by entropy, each with the colour of its line.
  for (std::size_t i = 0; i < result.inputs.size(); ++i) {
    const Figure8Input& input = result.inputs[result.inputs.size() - 1 - i];
    const double at = kTop + 8 + 18.0 * static_cast<double>(i);
    if (at > kBottom) break;
    drawing.rect(kRight + 14, at - 8, 10, 10,
                 fmt::format("f{}", (result.inputs.size() - 1 - i) % 8 + 1));
    drawing.text(kRight + 30, at + 1,
                 fmt::format("{} bit, {}", entropy_text(input), cut(input.name, 14)), "tick");
  }
  return html::figure(
      drawing.finish(),
      codebook
          ? "With a codebook of each column's own levels an input that fits its bits loses "
            "nothing. Bars span the seeds."
          : "On a uniform grid. The dashed line is the limit; below it counts as nothing lost. "
            "Bars span the seeds.",
      true);
}

}  // namespace

std::string figure8_json(const Figure8Result& result) {
  Json inputs = Json::array();
  for (const Figure8Input& input : result.inputs) {
    Json grid = needs(input.grid_needs, input.grid_predicted);
    grid["ratios"] = ratios(input.grid);
    Json codebook = needs(input.codebook_needs, input.codebook_predicted);
    codebook["ratios"] = ratios(input.codebook);
    inputs.push_back({{"name", input.name},
                      {"real", input.real},
                      {"entropy_bits", input.entropy},
                      {"entropy_standard_error_bits", input.entropy_error},
                      {"grid", std::move(grid)},
                      {"codebook", std::move(codebook)}});
  }
  const Json out = {{"schema", "carnot.figure8/1"},
                    {"carnot_version", kVersion},
                    {"seed", result.seed},
                    {"seeds", result.seeds},
                    {"limit", result.limit},
                    {"grid_rank_correlation", number_or_null(result.grid_rank_correlation)},
                    {"codebook_rank_correlation", number_or_null(result.codebook_rank_correlation)},
                    {"inputs", std::move(inputs)}};
  return out.dump(2) + "\n";
}

std::string figure8_terminal(const Figure8Result& result, int width, bool colour) {
  std::vector<Column> table{{"input", "", 100, {}, true}, {"holds", "bit", 90, {}}};
  if (!result.inputs.empty())
    for (std::size_t b = 0; b < result.inputs.front().grid.size(); ++b) {
      const int bits = result.inputs.front().grid[b].bits;
      table.push_back({fmt::format("{} b", bits), "", 20 - bits, {}});
      for (const Figure8Input& input : result.inputs)
        table.back().cells.push_back(ratio_text(input.grid[b].mean));
    }
  Column needs{"needs", "bits", 80, {}};
  Column foretold{"foretold", "bits", 70, {}};
  Column book{"codebook", "bits", 75, {}};
  std::vector<std::string> markers;
  for (const Figure8Input& input : result.inputs) {
    table[0].cells.push_back(printable(input.name));
    table[1].cells.push_back(entropy_text(input));
    needs.cells.push_back(bits_or_none(input.grid_needs));
    foretold.cells.push_back(bits_or_none(input.grid_predicted));
    book.cells.push_back(bits_or_none(input.codebook_needs));
    markers.emplace_back("  ");
  }
  table.push_back(std::move(needs));
  table.push_back(std::move(foretold));
  table.push_back(std::move(book));
  const auto room = static_cast<std::size_t>(std::max(width, 40));
  std::string out = "Error of a linear regression over that of binary32, by bits of its data\n\n";
  out += text_table(std::move(table), markers, room, colour) + "\n";
  for (const std::string& line :
       wrapped(fmt::format("{} Means over {} seeds; up to {:g} counts as nothing lost. `needs`: "
                           "bits on a uniform grid, `codebook`: with levels of the column's own.",
                           finding(result), result.seeds, result.limit),
               room))
    out += line + "\n";
  return out;
}

std::string figure8_html(const Figure8Result& result) {
  std::string body = html::heading(1, "How many bits an input needs");
  body += html::paragraph(finding(result), "answer");
  body += figure(result, false) + figure(result, true);
  std::vector<html::Column> columns{{"input", false}, {"holds, bit"}};
  if (!result.inputs.empty())
    for (const ErrorRatio& r : result.inputs.front().grid)
      columns.push_back({fmt::format("{} bits", r.bits)});
  columns.push_back({"grid needs"});
  columns.push_back({"foretold"});
  columns.push_back({"codebook needs"});
  columns.push_back({"foretold"});
  std::vector<html::Row> rows;
  for (const Figure8Input& input : result.inputs) {
    html::Row row{{input.name, entropy_text(input)}, ""};
    for (const ErrorRatio& r : input.grid)
      row.cells.push_back(fmt::format("{} ({} to {})", ratio_text(r.mean), ratio_text(r.least),
                                      ratio_text(r.greatest)));
    row.cells.push_back(bits_or_none(input.grid_needs));
    row.cells.push_back(bits_or_none(input.grid_predicted));
    row.cells.push_back(bits_or_none(input.codebook_needs));
    row.cells.push_back(bits_or_none(input.codebook_predicted));
    rows.push_back(std::move(row));
  }
  body += html::table("Error over binary32's on the uniform grid: mean and span of the seeds",
                      columns, rows);
  body += html::heading(2, "How it was made");
  body += html::paragraph(
      "Linear regression by gradient descent on all rows; data rounded to the nearest level, "
      "labels "
      "and gradient at random without bias; held-out rows rounded as the training rows, their "
      "labels not. Ratios are simulated arithmetic, not measured hardware. The entropy of a table "
      "is the mean of its columns'.");
  body += html::paragraph(fmt::format("carnot {}, {} seeds from {}, {}", kVersion, result.seeds,
                                      result.seed,
                                      result.command.empty() ? "library call" : result.command));
  return html::page("carnot learn figure8", body);
}

}  // namespace carnot::report
