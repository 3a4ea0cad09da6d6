// SPDX-License-Identifier: Apache-2.0
#include "measure_command.hpp"

#include <memory>
#include <utility>

#include <CLI/CLI.hpp>

#include "carnot/base/file.hpp"
#include "carnot/meter/power_model.hpp"

namespace carnot::app {

namespace {

int estimate(const MeasureCommand& c) {
  const std::string table = meter::estimate_csv(read_file(c.estimate), c.estimate);
  c.out.empty() ? print(table) : write_file(c.out, table);
  return kOk;
}

int execute(const MeasureCommand& c, const Common& common, const StoreWriter& store) {
  if (!c.estimate.empty()) return estimate(c);
  if (c.list) return list_sensors(c, common);
  return measure_job(c, common, store);
}

}  // namespace

void add_measure(CLI::App& app, const Common& common, Action& action, StoreWriter store) {
  auto c = std::make_shared<MeasureCommand>();
  CLI::App* command = app.add_subcommand(
      "measure",
      "Measure a command, a process, a control group or the machine: carnot measure "
      "[flags] -- COMMAND...");
  add_measure_flags(*command, *c);
  command->fallthrough();
  command->callback([c, &common, &action, store = std::move(store)] {
    c->job = common.job;
    action = [c, &common, store] { return execute(*c, common, store); };
  });
}

}  // namespace carnot::app
