// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/learn/label_codes.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/version.hpp"

#include "report/draw/html.hpp"
#include "report/draw/svg.hpp"
#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"
#include "report/learn/counts.hpp"
#include "report/learn/words.hpp"

namespace carnot::report {

namespace {

struct Mean {
  double value = kNaN, error = kNaN;  ///< standard error; NaN of one run
};

template <class Of>
Mean mean_of(const LabelCodeReport& r, const Of& of) {
  const auto n = static_cast<double>(r.runs.size());
  Mean mean;
  if (r.runs.empty()) return mean;
  mean.value = 0.0;
  for (const LabelCodeRun& run : r.runs) mean.value += of(run) / n;
  if (r.runs.size() < 2) return mean;
  double square = 0.0;
  for (const LabelCodeRun& run : r.runs)
    square += (of(run) - mean.value) * (of(run) - mean.value) / (n - 1.0);
  mean.error = std::sqrt(square / n);
  return mean;
}

double joules(const LabelCodeReport& r, const LabelCodeRun& run) {
  return r.table->energy(run.counters).value().in(joule);
}

double net(const LabelCodeRun& run) { return run.uniform - run.bits; }

std::string with_error(const Mean& mean) {
  return std::isfinite(mean.error)
             ? fmt::format("{} (standard error {})", bits_text(mean.value), bits_text(mean.error))
             : bits_text(mean.value);
}

std::string finding(const LabelCodeReport& r) {
  const Mean bits = mean_of(r, [](const LabelCodeRun& run) { return run.bits; });
  const Mean uniform = mean_of(r, [](const LabelCodeRun& run) { return run.uniform; });
  const Mean spent = mean_of(r, [&](const LabelCodeRun& run) { return joules(r, run); });
  const double learned = uniform.value - bits.value;
  return fmt::format(
      "{} labels of {} classes take {} where their counts take {}: {} bits a label. {} for {} "
      "(modelled, chip).",
      r.rows, r.classes, with_error(bits), bits_text(uniform.value),
      figure_text(bits.value / static_cast<double>(std::max<std::size_t>(r.rows, 1))),
      learned > 0 ? fmt::format("Learned, net: {}", bits_text(learned)) : "Nothing was learned",
      joules_text(spent.value));
}

std::string decoded_text(const LabelCodeReport& r) {
  const auto n = std::count_if(r.runs.begin(), r.runs.end(),
                               [](const LabelCodeRun& run) { return run.decoded; });
  return n == 0 ? "not tried"
                : fmt::format(
                      "{} of {} messages gave all labels back, from features and message "
                      "alone",
                      n, r.runs.size());
}

}  // namespace

std::string to_json(const LabelCodeReport& r) {
  Json runs = Json::array();
  for (const LabelCodeRun& run : r.runs) {
    const Estimate<Energy> energy = r.table->energy(run.counters);
    Json out{{"seed", run.seed},
             {"bits", run.bits},
             {"uniform_bits", run.uniform},
             {"learned_net_bits", net(run)},
             {"energy_j", json_figure(energy)},
             {"bits_per_j", number_or_null(net(run) / energy.value().in(joule))},
             {"seconds", run.seconds},
             {"decoded", run.decoded},
             {"operations", operations_json(run.counters)},
             {"bytes_moved", bytes_moved_json(run.counters)}};
    if (r.two_part) {
      out["model_bits"] = run.model_bits;
      out["data_bits"] = run.data_bits;
      out["accuracy"] = run.accuracy;
      out["coefficients"] = run.coefficients;
      out["nonzero"] = run.nonzero;
    } else {
      Json blocks = Json::array();
      for (const learn::PrequentialBlock& b : run.blocks)
        blocks.push_back({{"first", b.first},
                          {"rows", b.rows},
                          {"bits", b.bits},
                          {"counts_bits", b.counts_bits},
                          {"temperature", b.temperature > 0 ? Json(b.temperature) : Json()},
                          {"energy_j", r.table->energy(b.counters).value().in(joule)}});
      out["blocks"] = std::move(blocks);
    }
    runs.push_back(std::move(out));
  }
  const Mean bits = mean_of(r, [](const LabelCodeRun& run) { return run.bits; });
  Json knobs = Json::object();
  for (const auto& [name, value] : r.knobs) knobs[name] = value;
  const Json out{{"schema", r.two_part ? "carnot.two-part/1" : "carnot.prequential/1"},
                 {"carnot", std::string(kVersion)},
                 {"command", r.command},
                 {"data",
                  {{"source", r.data_source},
                   {"rows", r.rows},
                   {"columns", r.columns},
                   {"classes", r.classes},
                   {"labels_shuffled", r.shuffled}}},
                 {"learner", r.learner},
                 {"knobs", std::move(knobs)},
                 {"bits", number_or_null(bits.value)},
                 {"bits_standard_error", number_or_null(bits.error)},
                 {"runs", std::move(runs)}};
  return out.dump(2) + "\n";
}

std::string to_terminal(const LabelCodeReport& r, int width, bool colour) {
  const auto room = static_cast<std::size_t>(std::max(width, 40));
  std::string out =
      strong(r.two_part ? "Two-part code of the labels" : "Prequential code of the labels",
             colour) +
      "\n";
  std::vector<Column> table;
  std::vector<std::string> markers;
  if (r.two_part) {
    table = {{"seed", "", 60, {}},       {"message", "kbit", 100, {}}, {"model", "kbit", 90, {}},
             {"labels", "kbit", 90, {}}, {"not zero", "", 70, {}},     {"right", "%", 65, {}},
             {"energy", "", 80, {}},     {"decoded", "", 75, {}}};
    for (const LabelCodeRun& run : r.runs) {
      const std::vector<std::string> cells = {
          fmt::format("{}", run.seed),
          fmt::format("{:.2f}", run.bits / 1e3),
          fmt::format("{:.2f}", run.model_bits / 1e3),
          fmt::format("{:.2f}", run.data_bits / 1e3),
          fmt::format("{} of {}", run.nonzero, run.coefficients),
          fmt::format("{:.2f}", 100.0 * run.accuracy),
          joules_text(joules(r, run)),
          run.decoded ? "yes" : "no"};
      for (std::size_t c = 0; c < cells.size(); ++c) table[c].cells.push_back(cells[c]);
      markers.emplace_back("  ");
    }
  } else if (!r.runs.empty()) {
    table = {{"told", "rows", 90, {}},    {"block", "rows", 80, {}},  {"bits", "", 100, {}},
             {"a label", "bits", 95, {}}, {"counts", "bits", 50, {}}, {"energy", "", 85, {}},
             {"temperature", "", 40, {}}};
    for (const learn::PrequentialBlock& b : r.runs.front().blocks) {
      const std::vector<std::string> cells = {
          fmt::format("{}", b.first),
          fmt::format("{}", b.rows),
          fmt::format("{:.1f}", b.bits),
          fmt::format("{:.4f}", b.rows > 0 ? b.bits / static_cast<double>(b.rows) : 0.0),
          fmt::format("{:.1f}", b.counts_bits),
          joules_text(r.table->energy(b.counters).value().in(joule)),
          b.temperature > 0 ? fmt::format("{:g}", b.temperature) : "counts"};
      for (std::size_t c = 0; c < cells.size(); ++c) table[c].cells.push_back(cells[c]);
      markers.emplace_back("  ");
    }
  }
  if (!table.empty()) out += text_table(std::move(table), markers, room, colour);
  out += "\n";
  for (const std::string& line : wrapped(finding(r), room)) out += line + "\n";
  if (!r.two_part && r.runs.size() > 1) {
    std::string orders = "orders: ";
    for (const LabelCodeRun& run : r.runs)
      orders += fmt::format("{}{}", &run == &r.runs.front() ? "" : ", ", bits_text(run.bits));
    for (const std::string& line : wrapped(orders + "; the table is of the first.", room))
      out += line + "\n";
  }
  out += "decoded: " + decoded_text(r) + "\n";
  return out;
}

std::string to_html(const LabelCodeReport& r) {
  constexpr double kWidth = 720, kHeight = 340, kLeft = 76, kRight = 700, kTop = 30, kBottom = 290;
  const char* const title = r.two_part ? "Two-part code of labels" : "Prequential code of labels";
  std::string body = html::heading(1, title);
  body += html::paragraph(finding(r), "answer");
  if (!r.two_part && !r.runs.empty()) {
    double most = 1e-3, least = 1e9;
    for (const LabelCodeRun& run : r.runs)
      for (const learn::PrequentialBlock& b : run.blocks) {
        if (b.rows == 0) continue;
        most = std::max(most, b.bits / static_cast<double>(b.rows));
        least = std::min(least, std::max(1e-4, b.bits / static_cast<double>(b.rows)));
      }
    svg::Drawing drawing(kWidth, kHeight, "Bits a label as labels are told",
                         "Each order of the rows is a line; it falls as the learners see more");
    svg::Axes axes;
    axes.x = svg::logarithmic(10.0, static_cast<double>(std::max<std::size_t>(r.rows, 100)), kLeft,
                              kRight);
    axes.y = svg::logarithmic(0.8 * least, 1.2 * most, kBottom, kTop);
    axes.x_title = "labels told";
    axes.y_title = "bits a label of the block";
    svg::axes(drawing, axes);
    for (std::size_t i = 0; i < r.runs.size(); ++i) {
      std::vector<double> x, y;
      for (const learn::PrequentialBlock& b : r.runs[i].blocks) {
        if (b.rows == 0) continue;
        x.push_back(axes.x.clipped(static_cast<double>(b.first + b.rows)));
        y.push_back(axes.y.clipped(std::max(1e-4, b.bits / static_cast<double>(b.rows))));
      }
      drawing.path(svg::polyline(x, y), fmt::format("s{}", i % 8 + 1),
                   fmt::format("order of seed {}", r.runs[i].seed));
    }
    body += html::figure(drawing.finish(),
                         "What a label costs under learners trained on those told before, block by "
                         "block, one line an order.",
                         true);
  }
  std::vector<html::Row> rows;
  for (const LabelCodeRun& run : r.runs) {
    html::Row row{{fmt::format("{}", run.seed), bits_text(run.bits)}, ""};
    if (r.two_part) {
      row.cells.push_back(bits_text(run.model_bits));
      row.cells.push_back(bits_text(run.data_bits));
      row.cells.push_back(fmt::format("{} of {}", run.nonzero, run.coefficients));
    }
    row.cells.push_back(bits_text(net(run)));
    row.cells.push_back(joules_text(joules(r, run)));
    row.cells.push_back(run.decoded ? "yes" : "not tried");
    rows.push_back(std::move(row));
  }
  std::vector<html::Column> columns{{"seed"}, {"message"}};
  if (r.two_part) {
    columns.push_back({"model"});
    columns.push_back({"labels"});
    columns.push_back({"coefficients not zero"});
  }
  columns.push_back({"learned, net"});
  columns.push_back({"energy"});
  columns.push_back({"decoded", false});
  body += html::table("Messages", columns, rows);
  body += html::heading(2, "How it was made");
  body += html::paragraph(fmt::format(
      "Data: {}. Every bit of a message is counted. Joules are exact counts times the table of "
      "energies, boundary chip; not measured. carnot {}, {}",
      r.data_source, kVersion, r.command.empty() ? "library call" : r.command));
  return html::page(fmt::format("carnot learn: {}", title), body);
}

}  // namespace carnot::report
