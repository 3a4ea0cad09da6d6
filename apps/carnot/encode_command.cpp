// SPDX-License-Identifier: Apache-2.0
// carnot encode, carnot decode: any file as a message that unpacks to the bit.
#include "encode_command.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/learn/labels/label_message.hpp"
#include "carnot/learn/saved/saved_model.hpp"

#include "command.hpp"
#include "energy_options.hpp"

namespace carnot::app {

namespace {

struct EncodeCommand {
  std::string input, output, contexts = "all", energy_table, chip;
  std::string inputs;  // of coded labels
  std::optional<int> table_bits;
  int weight_bits = 20, counter_bits = 16;
  bool always_learn = false, compare = false, force = false, decoding = false;
};

std::string progress_text(const learn::FileCodeProgress& p, std::uint64_t of, bool decoding) {
  const std::uint64_t done = decoding ? p.coded_bytes : p.plain_bytes;
  const std::string share =
      of > 0
          ? fmt::format("{:.0f} %  ", 100.0 * static_cast<double>(done) / static_cast<double>(of))
          : "";
  return fmt::format(
      "{}{:.1f} MB, {:.3f} bits a byte", share, static_cast<double>(p.plain_bytes) / 1e6,
      p.plain_bytes > 0
          ? 8.0 * static_cast<double>(p.coded_bytes) / static_cast<double>(p.plain_bytes)
          : 0.0);
}

/// Labels back from what `learn two-part` or `prequential` wrote with --message.
int decode_labels(const EncodeCommand& c, const Common& common) {
  if (c.input == "-") throw UsageError("--inputs: coded labels are read from a file");
  const std::string bytes = read_input(c.input);
  const std::span<const std::uint8_t> span(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                           bytes.size());
  learn::LabelMessage message;
  try {
    message = learn::unpack_labels(span);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", c.input, error.what()));
  }
  if (common.json && (c.output.empty() || c.output == "-"))
    throw UsageError("--json wants standard output for itself: name an --output FILE");
  const learn::EncodedTable table = learn::read_for(message.shape, c.inputs, {});
  const int threads = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 64u));
  const std::vector<std::uint32_t> labels =
      learn::decode_labels(message, table.data, stop_on_interrupt(), threads);
  const std::string lines = learn::label_lines(message, labels);
  if (c.output.empty() || c.output == "-") {
    print(lines);
    return kOk;
  }
  OutputStream sink(c.output, c.force);
  sink.write({reinterpret_cast<const std::uint8_t*>(lines.data()), lines.size()});
  sink.commit();
  if (common.json)
    print(
        fmt::format("{{\"schema\": \"carnot.labels/1\", \"rows\": {}, \"message_bytes\": {}, "
                    "\"code_bytes\": {}}}\n",
                    labels.size(), bytes.size(), message.code.size()));
  else
    say(common, fmt::format("{} labels: {}", labels.size(), c.output));
  return kOk;
}

int execute(const EncodeCommand& c, const Common& common) {
  if (!c.inputs.empty()) return decode_labels(c, common);
  constexpr std::string_view kEnding = ".carnot";
  std::string output = c.output;
  if (output.empty()) {
    if (c.input == "-") {
      output = "-";
    } else if (!c.decoding) {
      output = c.input + std::string(kEnding);
    } else if (c.input.ends_with(kEnding) && c.input.size() > kEnding.size()) {
      output = c.input.substr(0, c.input.size() - kEnding.size());
    } else {
      throw UsageError("decode: --output FILE, since the input does not end in .carnot");
    }
  }
  if (output == "-" && common.json)
    throw UsageError("--json wants standard output for itself: name an --output FILE");
  if (c.compare && c.input == "-") throw UsageError("--compare reads a file more than once");
  const learn::EnergyTable energies = learn::EnergyTable::choose(c.energy_table, c.chip);
  InputStream input(c.input);
  learn::FileCodeOptions options;
  options.stop = stop_on_interrupt();
  options.always_learn = c.always_learn;
  options.predictor.contexts = learn::parse_contexts(c.contexts);
  options.predictor.weight_bits = c.weight_bits;
  options.predictor.counter_bits = c.counter_bits;
  // Of a pipe nobody knows how long it is.
  options.predictor.table_bits = c.table_bits.value_or(
      learn::table_bits_for(input.size() > 0 ? input.size() : std::uint64_t{1} << 22));
  learn::check(options.predictor);
  OutputStream sink(output, c.force);
  ProgressLine line(common);
  const std::uint64_t size = input.size();
  options.progress = [&](const learn::FileCodeProgress& p) {
    line.draw([&](int width) {
      return progress_text(p, size, c.decoding)
          .substr(0, static_cast<std::size_t>(std::max(width, 1)));
    });
  };
  const auto began = std::chrono::steady_clock::now();
  const auto read = [&](std::span<std::uint8_t> bytes) { return input.read(bytes); };
  const auto write = [&](std::span<const std::uint8_t> bytes) { sink.write(bytes); };
  report::CodedFileReport report;
  try {
    report.result = c.decoding ? learn::decode_file(read, write, options)
                               : learn::encode_file(read, write, options);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", c.input, error.what()));
  }
  sink.commit();
  line.clear();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  report.command = common.command_line;
  report.input = c.input;
  report.output = output;
  report.decoding = c.decoding;
  report.table = &energies;
  if (c.compare) report.others = other_codes(c.input, options.stop);
  if (common.json)
    print(report::to_json(report));
  else if (output == "-")
    say(common, report::to_terminal(report, terminal_width(STDERR_FILENO)));
  else
    print(report::to_terminal(report, terminal_width(STDOUT_FILENO)));
  return kOk;
}

void common_options(CLI::App& command, EncodeCommand& c) {
  add_energy_options(command, c.chip, c.energy_table);
  command.add_flag("--force,-f", c.force, "Replace an output file that is there");
  command.fallthrough();
}

}  // namespace

void add_encode(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<EncodeCommand>();
  CLI::App* command = app.add_subcommand(
      "encode", "Code any file as what a learner of bytes cannot foretell; bits and joules of it");
  command->add_option("input", c->input, "The file; - for standard input")->required();
  command->add_option("--output,-o", c->output, "Default: the input's name and .carnot");
  command->add_option("--contexts", c->contexts,
                      "What the learner looks at: all, none, or some of o1,o2,o3,o4,o5,o6,o8,word,"
                      "words,skip,line,match (default: all)");
  command->add_option("--table-bits", c->table_bits,
                      "Slots of a context's table are 2^this, 8 to 20 (default: by the size)");
  command->add_option("--weight-bits", c->weight_bits, "Of a mixing weight, 4 to 20 (default: 20)");
  command->add_option("--counter-bits", c->counter_bits, "Of a probability, 6 to 16 (default: 16)");
  command->add_flag("--always-learn", c->always_learn,
                    "Go on learning where nothing was learned (default: store and look again)");
  command->add_flag("--compare", c->compare, "Also run gzip, bzip2, zstd and xz, where installed");
  common_options(*command, *c);
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

void add_decode(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<EncodeCommand>();
  c->decoding = true;
  CLI::App* command = app.add_subcommand("decode", "Unpack what `carnot encode` wrote, to the bit");
  command->add_option("input", c->input, "The coded file; - for standard input")->required();
  command->add_option("--output,-o", c->output, "Default: the input's name without .carnot");
  command->add_option("--inputs", c->inputs,
                      "The rows whose labels the file holds: unpacks what `learn two-part` or "
                      "`learn prequential` wrote with --message, a label a line (default output: "
                      "standard output)");
  common_options(*command, *c);
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
