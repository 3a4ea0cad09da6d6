// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/series.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/shuffle.hpp"
#include "carnot/measure/clock_rate.hpp"

namespace carnot::measure {

namespace {

/// Replaces every `{}` and `{name}`; counts them.
std::string filled(std::string word, const std::string& name, const std::string& value,
                   int& count) {
  for (const std::string& hole : {std::string("{}"), "{" + name + "}"})
    for (std::size_t at = word.find(hole); at != std::string::npos;
         at = word.find(hole, at + value.size())) {
      word.replace(at, hole.size(), value);
      ++count;
    }
  return word;
}

double hertz(const std::string& value) {
  double hz = 0.0;
  if (!read_whole(std::string_view(value), hz) || !(hz > 0.0))
    throw InputError(fmt::format("clock rate: a number of Hz above 0, not `{}`", value));
  return hz;
}

/// 0 ... n - 1 in an order that depends on seed and round alone (Fisher-Yates).
std::vector<std::size_t> shuffled(std::size_t n, std::uint64_t seed, int round) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const RandomStream random = RandomStream(seed, "series").child(static_cast<std::uint64_t>(round));
  shuffle(order, random);
  return order;
}

}  // namespace

SeriesResult measure_series(const SeriesOptions& options) {
  if (options.values.empty()) throw InputError("values: at least one");
  if (options.repeats < 1) throw InputError("repeats: 1 or more");
  std::optional<FrequencyLimit> clock;
  if (options.clock_rate) clock.emplace(options.base.meter.sources.sysfs_root);
  std::vector<MeasureOptions> runs;
  for (const std::string& value : options.values) {
    if (options.clock_rate) hertz(value);
    MeasureOptions one = options.base;
    one.journal.clear();
    one.keep_entries = true;
    int holes = 0;
    for (std::string& word : one.job.command) word = filled(word, options.name, value, holes);
    if (holes == 0 && !options.clock_rate)
      throw InputError(fmt::format(
          "the command says nowhere what varies: write {{{}}} where the value goes", options.name));
    runs.push_back(std::move(one));
  }

  SeriesResult out;
  out.name = options.name;
  out.seed = options.seed;
  const int of = static_cast<int>(runs.size()) * options.repeats;
  int done = 0;
  for (int round = 0; round < options.repeats && !out.stopped; ++round)
    for (const std::size_t i : shuffled(runs.size(), options.seed, round)) {
      if (options.stop.requested() ||
          (options.progress && !options.progress(done, of, options.values[i]))) {
        out.stopped = true;
        break;
      }
      if (clock) clock->set(hertz(options.values[i]));
      if (done > 0)
        std::this_thread::sleep_for(std::chrono::nanoseconds(options.settle.nanoseconds()));
      SeriesPoint point{options.values[i], round, measure(runs[i], options.hooks)};
      if (options.stop.requested()) {
        out.stopped = true;
        break;
      }
      out.points.push_back(std::move(point));
      ++done;
    }
  const auto rank = [&](const SeriesPoint& p) {
    return std::find(options.values.begin(), options.values.end(), p.value) -
           options.values.begin();
  };
  std::stable_sort(out.points.begin(), out.points.end(), [&](const auto& a, const auto& b) {
    return std::pair(rank(a), a.round) < std::pair(rank(b), b.round);
  });
  return out;
}

}  // namespace carnot::measure
