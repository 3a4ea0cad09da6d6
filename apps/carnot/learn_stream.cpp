// SPDX-License-Identifier: Apache-2.0
// carnot learn --stream: a table larger than memory.
#include <chrono>
#include <filesystem>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/learn/stream/stream.hpp"
#include "carnot/report/learn/streamed.hpp"

#include "learn_command.hpp"

namespace carnot::app {

namespace {

constexpr double kShareOfMemory =
    0.125;  // text, cells and features of a table take some 5 times it

std::string path_of(const LearnCommand& c) {
  const std::filesystem::path path = c.options.data.path;
  if (c.options.data.data_dir.empty() || path.is_absolute() || std::filesystem::exists(path))
    return path.string();
  return (std::filesystem::path(c.options.data.data_dir) / path).string();
}

std::uint64_t peak_resident() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

bool streams(const LearnCommand& c) {
  const std::string& model = c.options.learner.model;
  const bool can = model == "mlp" || model == "linear" || model == "logistic" || model == "softmax";
  return c.stream || (can && c.labels.empty() && c.options.data.test_path.empty() &&
                      learn::too_large_for_memory(path_of(c), kShareOfMemory));
}

int execute_stream(const LearnCommand& c, const Common& common) {
  if (!c.budget.empty() || c.target || !c.html.empty() || c.options.bits.size() > 1 ||
      (c.options.bits.size() == 1 && c.options.bits[0] != "32" && c.options.bits[0] != "f32") ||
      c.options.hidden.size() > 1 || c.options.epochs.size() > 1 || c.options.seeds > 1 ||
      !c.options.data.test_path.empty() || !c.labels.empty() || c.options.shuffle_labels)
    throw UsageError(
        "--stream: one training in f32, of a table, without --budget, --target, --test, --html and "
        "sweeps");
  learn::StreamOptions o;
  o.data = c.options.data;
  o.data.path = path_of(c);
  o.data.labels = c.label;
  o.data.seed = c.options.learner.seed;
  o.learner = c.options.learner;
  o.learner.optimiser = c.optimiser.value_or("sgd");
  if (!c.options.hidden.empty()) o.learner.hidden = c.options.hidden.front();
  o.learner.epochs = c.options.epochs.empty() ? 1.0 : c.options.epochs.front();
  o.learner.batch = c.batch.value_or(64);
  o.learner.learning_rate = c.learning_rate.value_or(
      o.learner.model == "linear" || o.data.task == "regression" ? 0.05 : 0.3);
  o.checkpoint = c.checkpoint;
  o.stop = stop_on_interrupt();
  ProgressLine line(common);
  o.progress = [&](std::uint64_t rows, std::uint64_t of) {
    line.draw([&](int) { return fmt::format("{} of {} rows", rows, of); });
  };
  const auto began = std::chrono::steady_clock::now();
  learn::StreamResult r;
  try {
    r = learn::learn_stream(o);
  } catch (const Stopped&) {
    line.clear();
    say(common, c.checkpoint.empty()
                    ? "interrupted; without a --checkpoint nothing is left of it"
                    : "interrupted; the same command goes on from " + c.checkpoint);
    return kInterrupted;
  }
  line.clear();
  if (!c.save.empty()) {
    learn::save_model(r.model, c.save);
    say(common, fmt::format("model: {}", c.save));
  }
  const learn::EnergyTable energies =
      learn::EnergyTable::choose(c.options.energy_table, c.options.chip);
  report::StreamReport report;
  report.command = common.command_line;
  report.file = std::filesystem::path(o.data.path).filename().string();
  report.bytes = std::filesystem::file_size(o.data.path);
  report.result = &r;
  report.table = &energies;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  report.peak_resident = peak_resident();
  print(common.json ? report::to_json(report)
                    : report::to_terminal(report, terminal_width(STDOUT_FILENO)));
  return kOk;
}

}  // namespace carnot::app
