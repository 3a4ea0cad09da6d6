// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/learn/text_score.hpp"

#include <cmath>

#include <fmt/format.h>

#include "carnot/base/version.hpp"

#include "report/draw/json_figure.hpp"
#include "report/learn/words.hpp"

namespace carnot::report {

namespace {

bool causal(const TextReport& r) { return r.model->transformer.objective == "causal"; }

/// Of a code of the whole text; masked models have none.
double code_bits(const TextReport& r) {
  return r.score->bits + 8.0 * static_cast<double>(r.unknown_bytes);
}

/// Bytes that are no text of UTF-8 would make no JSON.
std::string printable(const std::string& bytes) {
  std::string out;
  for (const char c : bytes)
    out += static_cast<unsigned char>(c) < 0x80 ? std::string(1, c) : std::string("?");
  return out;
}

}  // namespace

std::string to_json(const TextReport& r) {
  Json operations = Json::object(), bytes = Json::object();
  for (int k = 0; k < static_cast<int>(learn::OperationKind::kCount); ++k) {
    const auto kind = static_cast<learn::OperationKind>(k);
    operations[std::string(learn::key(kind))] = r.counters.at(kind);
  }
  for (int l = 0; l < static_cast<int>(learn::MemoryLevel::kCount); ++l) {
    const auto level = static_cast<learn::MemoryLevel>(l);
    bytes[std::string(learn::key(level))] = r.counters.at(level);
  }
  Json quality, text{{"bytes", r.bytes}, {"unknown_bytes", r.unknown_bytes}};
  if (r.score) {
    const auto n = static_cast<double>(r.score->symbols);
    quality = {{"metric", "accuracy"},
               {"value", number_or_null(static_cast<double>(r.score->right) / n)},
               {"rows", r.score->symbols},
               {"bits_per_label", number_or_null(r.score->bits_per_symbol())}};
    text["perplexity"] = number_or_null(std::exp2(r.score->bits_per_symbol()));
    text["code_bits"] = causal(r) ? number_or_null(code_bits(r)) : Json();
  }
  if (r.filled) {
    text["hidden"] = r.hidden;
    text["filled"] = printable(*r.filled);
  }
  const learn::SavedModel& m = *r.model;
  const Json json{
      {"schema", "carnot.predict/1"},
      {"carnot", std::string(kVersion)},
      {"command", r.command},
      {"model",
       {{"file", r.model_file},
        {"learner", m.learner},
        {"shape", learn::shape_text(m.transformer)},
        {"precision", m.precision},
        {"width_bits", m.width},
        {"trained_on", m.trained_on},
        {"train_rows", m.train_rows},
        {"task", "text"},
        {"classes", m.shape.class_names},
        {"held_out_quality", m.quality.trials > 0 ? Json{{"metric", m.quality.metric},
                                                         {"value", number_or_null(m.quality.value)}}
                                                  : Json()}}},
      {"data", {{"file", r.data_file}, {"rows", r.bytes}}},
      {"quality", quality},
      {"text", text},
      {"energy_j", json_figure(r.energy)},
      {"seconds", number_or_null(r.seconds)},
      {"operations", operations},
      {"bytes_moved", bytes}};
  return json.dump(2) + "\n";
}

std::string to_terminal(const TextReport& r) {
  const double joules = r.energy.value().in(joule);
  std::string out = fmt::format("{}, {} bits a coefficient, {} bytes\n\n",
                                learn::shape_text(r.model->transformer), r.model->width, r.bytes);
  if (r.filled) {
    out += *r.filled;
    if (out.back() != '\n') out += '\n';
    out += fmt::format("\n{} hidden place{} filled\n", r.hidden, r.hidden == 1 ? "" : "s");
  }
  if (r.score) {
    const learn::TextScore& s = *r.score;
    out +=
        fmt::format("{:.4f} bits a {}character (perplexity {:.3f}), {:.2f} % said right\n",
                    s.bits_per_symbol(), causal(r) ? "" : "hidden ", std::exp2(s.bits_per_symbol()),
                    100.0 * static_cast<double>(s.right) / static_cast<double>(s.symbols));
    if (causal(r))
      out += fmt::format("a code of {:.0f} bytes for {}, the model not counted\n",
                         std::ceil(code_bits(r) / 8.0), r.bytes);
  }
  if (r.unknown_bytes > 0)
    out += fmt::format("{} byte{} that training never met{}\n", r.unknown_bytes,
                       r.unknown_bytes == 1 ? "" : "s",
                       r.score && causal(r) ? ": 8 bits more each, in that code" : "");
  out +=
      fmt::format("energy: {} (modelled, chip), {} a byte\n", joules_text(joules),
                  joules_text(joules / static_cast<double>(std::max<std::uint64_t>(r.bytes, 1))));
  return out;
}

}  // namespace carnot::report
