// SPDX-License-Identifier: Apache-2.0
#include "measure_command.hpp"

#include <memory>
#include <utility>

#include <CLI/CLI.hpp>

#include "carnot/base/file.hpp"
#include "carnot/meter/power_model/power_model.hpp"

namespace carnot::app {

namespace {

int estimate(const MeasureCommand& c) {
  const std::string table = meter::estimate_csv(read_file(c.estimate), c.estimate);
  c.out.empty() ? print(table) : write_file(c.out, table);
  return kOk;
}

int execute(const MeasureCommand& c, const Common& common, const FullProgram& full) {
  if (!c.estimate.empty()) return estimate(c);
  if (c.list) return list_sensors(c, common);
  if (!c.experiment.empty() || !c.sweep.empty()) return full.series(c, common);
  return measure_job(c, common, full.store);
}

}  // namespace

void add_measure(CLI::App& app, const Common& common, Action& action, FullProgram full) {
  auto c = std::make_shared<MeasureCommand>();
  CLI::App* command = app.add_subcommand(
      "measure",
      "Measure a command, a process, a control group or the machine: carnot measure "
      "[flags] -- COMMAND...");
  add_measure_flags(*command, *c);
  command->fallthrough();
  command->callback([c, &common, &action, full = std::move(full)] {
    c->job = common.job;
    action = [c, &common, full] { return execute(*c, common, full); };
  });
}

}  // namespace carnot::app
