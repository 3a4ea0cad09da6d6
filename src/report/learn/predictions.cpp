// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/learn/predictions.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/version.hpp"

#include "report/draw/json_figure.hpp"
#include "report/learn/counts.hpp"
#include "report/learn/words.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kShownRows = 10, kShownClasses = 12;

std::size_t classes(const PredictionReport& r) { return r.model->shape.classes; }

float probability(const PredictionReport& r, std::size_t row, std::size_t k) {
  return r.predictions->values[row * classes(r) + k];
}

std::string word(const PredictionReport& r, std::size_t row) {
  if (classes(r) == 0) return fmt::format("{:.9g}", r.predictions->targets[row]);
  return r.model->shape.class_names[r.predictions->classes[row]];
}

std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

/// Mean over the classes that have rows of the share of them that was said right: half is what two
/// classes take without looking, however unlike their numbers. NaN without labels.
double balanced_accuracy(const PredictionReport& r) {
  std::vector<double> rows(classes(r)), right(classes(r));
  for (std::size_t i = 0; i < r.table->has_label.size(); ++i) {
    if (r.table->has_label[i] == 0) continue;
    const std::uint32_t label = r.table->data.labels[i];
    rows[label] += 1.0;
    right[label] += r.predictions->classes[i] == label ? 1.0 : 0.0;
  }
  double sum = 0.0, met = 0.0;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    if (rows[k] == 0.0) continue;
    sum += right[k] / rows[k];
    met += 1.0;
  }
  return met > 0.0 ? sum / met : kNaN;
}

std::string size_text(const PredictionReport& r) {
  if (!r.model->is_trees()) {
    std::size_t sum = 0;
    for (const auto& layer : r.model->parameters) sum += layer.size();
    return fmt::format("{} coefficients", sum);
  }
  const std::size_t n = r.model->trees.trees.size();
  return fmt::format("{} tree{}", n, n == 1 ? "" : "s");
}

}  // namespace

std::string to_csv(const PredictionReport& r) {
  const std::size_t rows = r.table->data.rows;
  std::string out = "prediction";
  if (classes(r) > 0 && r.probabilities)
    for (const std::string& name : r.model->shape.class_names)
      out += "," + cell("probability " + name);
  else if (classes(r) > 0)
    out += ",probability";
  out += "\n";
  for (std::size_t row = 0; row < rows; ++row) {
    out += cell(word(r, row));
    if (classes(r) > 0 && r.probabilities)
      for (std::size_t k = 0; k < classes(r); ++k)
        out += fmt::format(",{:.6g}", probability(r, row, k));
    else if (classes(r) > 0)
      out += fmt::format(",{:.6g}", probability(r, row, r.predictions->classes[row]));
    out += "\n";
  }
  return out;
}

std::string to_json(const PredictionReport& r) {
  const std::size_t rows = r.table->data.rows;
  Json predictions = Json::array(), probabilities = Json::array();
  for (std::size_t row = 0; row < rows; ++row) {
    if (classes(r) == 0) {
      predictions.push_back(number_or_null(r.predictions->targets[row]));
      continue;
    }
    predictions.push_back(word(r, row));
    if (!r.probabilities) {
      probabilities.push_back(
          number_or_null(static_cast<double>(probability(r, row, r.predictions->classes[row]))));
      continue;
    }
    Json of_row = Json::array();
    for (std::size_t k = 0; k < classes(r); ++k)
      of_row.push_back(number_or_null(static_cast<double>(probability(r, row, k))));
    probabilities.push_back(std::move(of_row));
  }
  const learn::SavedModel& m = *r.model;
  Json json{
      {"schema", "carnot.predict/1"},
      {"carnot", std::string(kVersion)},
      {"command", r.command},
      {"model",
       {{"file", r.model_file},
        {"learner", m.learner},
        {"precision", m.precision},
        {"width_bits", m.width},
        {"trained_on", m.trained_on},
        {"train_rows", m.train_rows},
        {"task", classes(r) == 0 ? "regression" : "classification"},
        {"classes", m.shape.class_names},
        {"held_out_quality", m.quality.trials > 0 ? Json{{"metric", m.quality.metric},
                                                         {"value", number_or_null(m.quality.value)}}
                                                  : Json()}}},
      {"data", {{"file", r.data_file}, {"rows", rows}, {"unknown_levels", r.table->unknown}}},
      {"quality", r.quality.trials > 0
                      ? Json{{"metric", r.quality.metric},
                             {"value", number_or_null(r.quality.value)},
                             {"rows", r.quality.trials},
                             {"balanced_accuracy",
                              classes(r) > 0 ? number_or_null(balanced_accuracy(r)) : Json()},
                             {"bits_per_label", number_or_null(r.quality.bits_per_label)}}
                      : Json()},
      {"energy_j", json_figure(r.energy)},
      {"seconds", number_or_null(r.seconds)},
      {"operations", operations_json(r.predictions->counters)},
      {"bytes_moved", bytes_moved_json(r.predictions->counters)},
      {"predictions", predictions}};
  if (classes(r) > 0) json["probabilities"] = probabilities;
  return json.dump(2) + "\n";
}

std::string to_terminal(const PredictionReport& r, int columns) {
  const auto width = static_cast<std::size_t>(std::max(columns, 60));
  const std::size_t rows = r.table->data.rows;
  const learn::SavedModel& m = *r.model;
  std::string out = fmt::format("{} ({}, {} bits), {} row{}\n\n", m.learner, size_text(r), m.width,
                                rows, rows == 1 ? "" : "s");
  const auto line = [&](std::string text) {
    if (text.size() > width) text = text.substr(0, width - 1) + "~";
    out += text + "\n";
  };
  for (std::size_t row = 0; row < std::min(rows, kShownRows); ++row)
    line(classes(r) == 0 ? fmt::format("  row {:<6} {}", row + 1, word(r, row))
                         : fmt::format("  row {:<6} {}  ({:.1f} %)", row + 1, word(r, row),
                                       100.0f * probability(r, row, r.predictions->classes[row])));
  if (rows > kShownRows)
    line(fmt::format("  and {} more; --output FILE writes all", rows - kShownRows));
  if (classes(r) > 0 && rows > kShownRows) {
    std::vector<std::size_t> counts(classes(r), 0);
    for (const std::uint32_t k : r.predictions->classes) ++counts[k];
    out += "\n";
    std::size_t shown = 0;
    for (std::size_t k = 0; k < classes(r); ++k)
      if (counts[k] > 0 && shown++ < kShownClasses)
        line(fmt::format("  {:>8} {}", counts[k], m.shape.class_names[k]));
  }
  out += "\n";
  if (r.quality.trials > 0)
    line(r.quality.metric == "accuracy"
             ? fmt::format("accuracy {:.2f} % ({:.2f} % balanced) on {} rows with labels ({:.4f} "
                           "bit a label)",
                           100.0 * r.quality.value, 100.0 * balanced_accuracy(r), r.quality.trials,
                           r.quality.bits_per_label)
             : fmt::format("R2 {:.4f} on {} rows with labels", r.quality.value, r.quality.trials));
  for (const std::string& unknown : r.table->unknown)
    line("levels that training never met: " + unknown);
  line(fmt::format(
      "energy of predicting: {} (modelled, chip), {} a row",
      joules_text(r.energy.value().in(joule)),
      joules_text(rows > 0 ? r.energy.value().in(joule) / static_cast<double>(rows) : 0.0)));
  return out;
}

}  // namespace carnot::report
