// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/learn/coded_file.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/version.hpp"

#include "report/draw/text_columns.hpp"
#include "report/learn/counts.hpp"
#include "report/learn/words.hpp"

namespace carnot::report {

namespace {

double per_byte(std::uint64_t coded, std::uint64_t plain) {
  return plain > 0 ? 8.0 * static_cast<double>(coded) / static_cast<double>(plain) : kNaN;
}

}  // namespace

std::string to_json(const CodedFileReport& r) {
  const learn::FileCodeResult& c = r.result;
  const Estimate<Energy> energy = r.table->energy(c.counters);
  const double joules = energy.value().in(joule);
  Json others = Json::array();
  for (const OtherCode& o : r.others) {
    const bool here = o.bytes > 0;
    others.push_back(
        {{"name", o.name},
         {"bytes", here ? Json(o.bytes) : Json()},
         {"bits_per_byte", here ? number_or_null(per_byte(o.bytes, c.plain_bytes)) : Json()},
         {"seconds", here ? number_or_null(o.seconds) : Json()}});
  }
  Json curve = Json::array();
  for (const learn::FileCodePoint& p : c.curve)
    curve.push_back({{"plain_bytes", p.plain_bytes},
                     {"coded_bytes", p.coded_bytes},
                     {"energy_j", r.table->energy(p.counters).value().in(joule)}});
  const Json out{{"schema", r.decoding ? "carnot.decode/1" : "carnot.encode/1"},
                 {"carnot", std::string(kVersion)},
                 {"command", r.command},
                 {"input", r.input},
                 {"output", r.output},
                 {"plain_bytes", c.plain_bytes},
                 {"coded_bytes", c.coded_bytes},
                 {"bits_per_byte", number_or_null(per_byte(c.coded_bytes, c.plain_bytes))},
                 {"learned_bytes", c.learned_bytes},
                 {"blocks", c.blocks},
                 {"knobs",
                  {{"contexts", learn::context_names(c.predictor.contexts)},
                   {"table_bits", c.predictor.table_bits},
                   {"weight_bits", c.predictor.weight_bits},
                   {"counter_bits", c.predictor.counter_bits},
                   {"memory_bytes", learn::predictor_memory(c.predictor)}}},
                 {"bits",
                  {{"uniform", 8 * c.plain_bytes},
                   {"coded", 8 * c.coded_bytes},
                   {"learned", c.bits_learned()}}},
                 {"energy_j", json_figure(energy)},
                 {"bits_per_j", number_or_null(joules > 0 ? c.bits_learned() / joules : kNaN)},
                 {"operations", operations_json(c.counters)},
                 {"bytes_moved", bytes_moved_json(c.counters)},
                 {"seconds", number_or_null(r.seconds)},
                 {"others", others},
                 {"curve", curve}};
  return out.dump(2) + "\n";
}

std::string to_terminal(const CodedFileReport& r, int columns) {
  const learn::FileCodeResult& c = r.result;
  const double joules = r.table->energy(c.counters).value().in(joule);
  const auto width = static_cast<std::size_t>(std::max(columns, 40));
  std::string out;
  const auto line = [&](const std::string& text) {
    for (const std::string& l : wrapped(text, width)) out += l + "\n";
  };
  line(fmt::format(
      "{}: {} bytes, coded {} bytes{}", printable(r.input), c.plain_bytes, c.coded_bytes,
      c.plain_bytes > 0 ? fmt::format(", {:.4f} bits a byte", c.bits_per_byte()) : ""));
  line(fmt::format("learned {} for {} (modelled, chip): {} a joule; {:.1f} s",
                   bits_text(c.bits_learned()), joules_text(joules),
                   bits_text(joules > 0 ? c.bits_learned() / joules : 0.0), r.seconds));
  if (c.learned_bytes < c.plain_bytes)
    line(fmt::format("{} bytes were stored unread: nothing was being learned",
                     c.plain_bytes - c.learned_bytes));
  for (const OtherCode& o : r.others)
    line(o.bytes == 0 ? fmt::format("  {:<10} is not here", o.name)
                      : fmt::format("  {:<10} {} bytes, {:.4f} bits a byte; {:.1f} s", o.name,
                                    o.bytes, per_byte(o.bytes, c.plain_bytes), o.seconds));
  return out;
}

}  // namespace carnot::report
