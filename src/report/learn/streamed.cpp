// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/learn/streamed.hpp"

#include <fmt/format.h>

#include "carnot/base/version.hpp"

#include "report/draw/json_figure.hpp"
#include "report/learn/counts.hpp"
#include "report/learn/view_parts.hpp"
#include "report/learn/words.hpp"

namespace carnot::report {

std::string to_json(const StreamReport& report) {
  const learn::StreamResult& r = *report.result;
  const Json out{
      {"schema", "carnot.stream/1"},
      {"carnot", std::string(kVersion)},
      {"command", report.command},
      {"learner", r.model.learner},
      {"data",
       {{"file", report.file},
        {"bytes", report.bytes},
        {"train_rows", r.train_rows},
        {"held_out_rows", r.held_out_rows},
        {"unlabelled_rows", r.unlabelled_rows},
        {"columns", r.model.shape.columns},
        {"classes", r.model.shape.classes}}},
      {"quality",
       {{"metric", r.quality.metric},
        {"value", r.held_out_rows > 0 ? number_or_null(r.quality.value) : Json()},
        {"bits_per_label", number_or_null(r.quality.bits_per_label)}}},
      {"blocks", r.blocks},
      {"steps", r.steps},
      {"trained_rows", r.trained_rows},
      {"resumed", r.resumed},
      {"energy_j", json_figure(report.table->energy(r.counters))},
      {"operations", operations_json(r.counters)},
      {"bytes_moved", bytes_moved_json(r.counters)},
      {"seconds", report.seconds},
      {"peak_resident_bytes", report.peak_resident > 0 ? Json(report.peak_resident) : Json()}};
  return out.dump(2) + "\n";
}

std::string to_terminal(const StreamReport& report, int width) {
  const learn::StreamResult& r = *report.result;
  const double passes = static_cast<double>(r.trained_rows) / static_cast<double>(r.train_rows);
  std::string out =
      lines_of(fmt::format("{} on {}, {:.2f} GB streamed: {} training rows, {:.2f} passes in {} "
                           "blocks{}.",
                           r.model.learner, printable(report.file),
                           static_cast<double>(report.bytes) / 1e9, r.train_rows, passes, r.blocks,
                           r.resumed ? ", the first ones from the checkpoint" : ""),
               width);
  if (r.held_out_rows > 0)
    out += lines_of(fmt::format("{}: {} on {} rows held out.", r.quality.metric,
                                quality_text(r.quality.value, r.quality.metric), r.held_out_rows),
                    width);
  out += lines_of(
      fmt::format("{} of training and judging (modelled, chip); reading the file is not counted.",
                  joules_text(report.table->energy(r.counters).value().in(joule))),
      width);
  if (report.peak_resident > 0)
    out += lines_of(fmt::format("{:.0f} s; {:.0f} MB resident at most.", report.seconds,
                                static_cast<double>(report.peak_resident) / 1e6),
                    width);
  return out;
}

}  // namespace carnot::report
