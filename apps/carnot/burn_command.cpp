// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/base/version.hpp"
#include "carnot/measure/burn.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

struct BurnCommand {
  measure::BurnOptions options;
  std::string length;
};

int execute(const BurnCommand& c, const Common& common) {
  measure::BurnOptions options = c.options;
  if (!c.length.empty()) options.length = parse_as<Time>(c.length);
  const measure::BurnResult r = measure::burn(options);
  if (common.json) {
    print(nlohmann::ordered_json{{"schema", "carnot.burn/1"},
                                 {"carnot", std::string(kVersion)},
                                 {"command", common.command_line},
                                 {"threads", r.threads},
                                 {"duration_s", r.length.in(second)},
                                 {"cpu_s", r.cpu.in(second)},
                                 {"units", r.units}}
              .dump(2) +
          "\n");
  } else if (!common.quiet) {
    print(fmt::format("{} units of work in {}, {} CPU time, {} threads\n", r.units,
                      format(r.length), format(r.cpu), r.threads));
  }
  return kOk;
}

}  // namespace

void add_burn(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<BurnCommand>();
  CLI::App* command = app.add_subcommand("burn", "A load of known size, for measuring meters");
  command->add_option("--threads", c->options.threads, "Threads; default: one a CPU");
  command->add_option("--share", c->options.share, "Share of the time that is computed, 0 to 1");
  command->add_option("--for", c->length, "How long, such as '2 s'");
  command->add_option("--units", c->options.units, "How much: units of 2^20 multiply-adds");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
