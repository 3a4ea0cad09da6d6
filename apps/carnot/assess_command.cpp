// SPDX-License-Identifier: Apache-2.0
// carnot assess DIR
#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/assess/assessment.hpp"
#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/text.hpp"
#include "carnot/report/assess/report.hpp"

#include "command.hpp"
#include "session.hpp"

namespace carnot::app {

namespace {

struct AssessCommand {
  std::string folder, html, role = "owner", location;
  std::string pue, budget, market, offsets, revenue;
  std::vector<std::string> units;
};

std::optional<double> number_of(const std::string& text, const char* option, double least) {
  if (text.empty()) return std::nullopt;
  try {
    if (const double value = parse_number(text); value >= least) return value;
  } catch (const InputError&) {
  }
  throw UsageError(
      fmt::format("{}: a number from {:g} on, not `{}`", option, least, text.substr(0, 40)));
}

int execute(const AssessCommand& c, const Common& common) {
  assess::AssessOptions o;
  try {
    o.footprint.role = assess::role_named(c.role);
  } catch (const InputError& error) {
    throw UsageError(std::string("--") + error.what());
  }
  o.footprint.location = c.location;
  o.footprint.pue = number_of(c.pue, "--pue", 1);
  o.actions.budget_eur = number_of(c.budget, "--budget", 0);
  o.standards.market_g_per_kwh = number_of(c.market, "--market-based", 0);
  o.standards.offsets_t = number_of(c.offsets, "--offsets", 0);
  o.standards.revenue_meur = number_of(c.revenue, "--revenue", 0);
  for (const std::string& text : c.units) {
    const std::size_t at = text.find('=');
    const auto count = at == std::string::npos
                           ? std::nullopt
                           : number_of(text.substr(at + 1), "--functional-units", 0);
    if (!count || !(*count > 0) || at == 0)
      throw UsageError(fmt::format("--functional-units: NAME=COUNT such as requests=1e6, not `{}`",
                                   text.substr(0, 60)));
    o.standards.functional_units.emplace_back(*count, text.substr(0, at));
  }
  ProgressLine line(common);
  const assess::Assessment a = assess::assess(c.folder, o, [&](const std::string& file) {
    line.draw([&](int width) {
      return ("reading " + file).substr(0, static_cast<std::size_t>(std::max(10, width - 1)));
    });
  });
  line.clear();
  offer_page(c.html, [&] { return report::assess_html(a, common.command_line); });
  report::AssessView view;
  view.width = static_cast<std::size_t>(std::max(60, terminal_width(1)));
  view.colour = is_terminal(1);
  print(common.json ? report::assess_json(a, common.command_line)
                    : report::assess_terminal(a, view));
  return kOk;
}

}  // namespace

void add_assess(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<AssessCommand>();
  CLI::App* command = app.add_subcommand(
      "assess", "Where an organisation stands, from a folder of bills, jobs, meters and usage");
  command
      ->add_option(
          "folder", c->folder,
          "Bills (FOCUS, AWS, Azure, Google), sacct -P, Prometheus ranges, server lists, meter "
          "readings, model usage, emissions.csv, journals; known by what they hold")
      ->required();
  command->add_option("--html", c->html, "Writes a page");
  command->add_option(
      "--role", c->role,
      "Of the machines that are not a cloud's: owner (default), tenant of a hall, cloud-user");
  command->add_option(
      "--location", c->location,
      "Of what has no place of its own, such as DE or US-CA; default the world's range");
  command->add_option("--pue", c->pue,
                      "Of own halls, from 1 on; default the range of ordinary halls");
  command->add_option("--budget", c->budget, "EUR to spend once on actions; default no limit");
  command->add_option("--functional-units", c->units,
                      "NAME=COUNT, R of the SCI score, such as requests=1e6");
  command->add_option("--market-based", c->market,
                      "g CO2e a kWh by contracts, for scope 2 market-based");
  command->add_option("--offsets", c->offsets, "Tonnes bought; stated apart, never subtracted");
  command->add_option("--revenue", c->revenue, "Million EUR, for emissions over revenue");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
