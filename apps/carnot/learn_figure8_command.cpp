// SPDX-License-Identifier: Apache-2.0
// carnot learn figure8: error against the bits of inputs of various entropy.
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/file.hpp"
#include "carnot/experiment/figure8.hpp"
#include "carnot/report/learn/figure8.hpp"

#include "command.hpp"
#include "session.hpp"

namespace carnot::app {

namespace {

struct Figure8Command {
  experiment::Figure8Options options;
  std::string html;
};

int execute(const Figure8Command& c, const Common& common) {
  experiment::Figure8Options options = c.options;
  options.stop = stop_on_interrupt();
  experiment::Figure8Result result;
  try {
    result = experiment::run_figure8(options);
  } catch (const Stopped&) {
    say(common, "interrupted; nothing was finished");
    return kInterrupted;
  }
  result.command = common.command_line;
  offer_page(c.html, [&] { return report::figure8_html(result); });
  if (common.json)
    print(report::figure8_json(result));
  else
    print(report::figure8_terminal(result, terminal_width(STDOUT_FILENO),
                                   is_terminal(STDOUT_FILENO)));
  if (!c.html.empty())
    say(common, fmt::format("report: file://{}", std::filesystem::absolute(c.html).string()));
  return kOk;
}

}  // namespace

void add_learn_figure8(CLI::App& learn, const Common& common, Action& action) {
  auto c = std::make_shared<Figure8Command>();
  experiment::Figure8Options& o = c->options;
  CLI::App* command = learn.add_subcommand(
      "figure8", "Error against bits for inputs of various entropy, on a grid and with a codebook");
  command->add_option("tables", o.tables, "Further inputs: tables with a number to predict");
  command->add_option("--label", o.label, "Their label column: its name, or its number");
  command->add_option("--data-dir", o.data_dir, "Where relative paths are looked up first");
  command->add_option("--bits", o.bits, "Rising widths (default: 2 3 4 5 6 8 14)")->delimiter(',');
  command->add_option("--rows", o.rows, "Training rows, as many held out (default: 4000)");
  command->add_option("--noise", o.noise, "Of the labels, over the signal (default: 0.03)");
  command->add_option("--limit", o.limit, "Ratio that counts as nothing lost (default: 1.05)");
  command->add_option("--seeds", o.seeds, "Repetitions (default: 5)");
  command->add_option("--seed", o.seed, "Of everything random (default: 1)");
  command->add_option("--html", c->html, "Write the report page here");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
