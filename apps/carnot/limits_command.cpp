// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/base/text.hpp"
#include "carnot/report/limits/limits.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

struct Limits {
  std::string temperature = "300 K", map, input, design, work;
  double bits = 1.0;
};

double number_of(const std::string& text, const char* option) {
  try {
    return parse_number(text);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", option, error.what()));
  }
}

std::vector<double> numbers_of(const std::string& text, const char* option) {
  std::vector<double> out;
  std::size_t from = 0;
  while (!text.empty() && from <= text.size()) {
    const std::size_t to = std::min(text.find(',', from), text.size());
    out.push_back(number_of(text.substr(from, to - from), option));
    from = to + 1;
  }
  return out;
}

int execute(const Limits& c, const Common& common) {
  report::LimitsReport r;
  r.command = common.command_line;
  r.bits = c.bits;
  try {
    r.temperature = parse_as<Temperature>(c.temperature);
  } catch (const InputError& error) {
    throw InputError(fmt::format("--temperature: {}", error.what()));
  }
  if (r.temperature <= Temperature{}) throw InputError("--temperature: above 0 K");
  if (!c.map.empty()) {
    try {
      r.map = model::named_map(c.map);
    } catch (const InputError& error) {
      throw InputError(fmt::format("--{}", error.what()));
    }
  } else if (!c.input.empty() || !c.design.empty()) {
    throw UsageError("--input and --design: of one map, with --map");
  }
  r.input = numbers_of(c.input, "--input");
  r.design = numbers_of(c.design, "--design");
  if (!c.work.empty()) {
    const std::vector<double> lengths = numbers_of(c.work, "--work");
    if (lengths.size() != 2 || !(lengths[0] >= 0 && lengths[1] >= 0))
      throw UsageError("--work: BEFORE,AFTER, two code lengths in bits");
    r.before = lengths[0] * bit;
    r.after = lengths[1] * bit;
  }
  print(common.json
            ? report::limits_json(r)
            : report::limits_terminal(r, static_cast<std::size_t>(std::max(60, terminal_width(1))),
                                      is_terminal(1)));
  return kOk;
}

}  // namespace

void add_limits(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<Limits>();
  CLI::App* command =
      app.add_subcommand("limits", "What physics asks at least, and what is taken today");
  command->add_option("--temperature,-T", c->temperature,
                      "Temperature, such as '300 K' or '20 degC'");
  command->add_option("--bits", c->bits, "Bits erased")->check(CLI::Validator(positive_number, ""));
  command->add_option("--map", c->map,
                      "One map of states instead of all: erase, identity, not, copy, and, or, xor, "
                      "nand, half_adder, randomise");
  command->add_option("--input", c->input,
                      "Distribution of the map's inputs, such as 0.9,0.1; default: uniform");
  command->add_option("--design", c->design,
                      "The one the machine was built for; default: the input's");
  command->add_option("--work", c->work,
                      "BEFORE,AFTER: code lengths of data in bits, before and after learning");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
