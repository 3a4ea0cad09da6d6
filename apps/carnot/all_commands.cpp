// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/store/store.hpp"

#include "cli.hpp"
#include "measure_command.hpp"

namespace carnot::app {

namespace {

void store_entries(const std::string& path, const std::string& id,
                   const std::vector<ledger::Entry>& entries) {
  ledger::LedgerStore(path).load(id, entries);
}

}  // namespace

void add_all_commands(CLI::App& cli, const Common& common, Action& action,
                      const AddCommands& add_server) {
  add_run(cli, common, action);
  add_measure(cli, common, action, {store_entries, measure_series_job});
  add_report(cli, common, action);
  add_learn(cli, common, action);
  add_predict(cli, common, action);
  add_encode(cli, common, action);
  add_decode(cli, common, action);
  add_plan(cli, common, action);
  add_simulate(cli, common, action);
  add_data(cli, common, action);
  add_dispatch(cli, common, action);
  add_burn(cli, common, action);
  if (add_server) add_server(cli, common, action);
  add_grid(cli, common, action);
  add_explain(cli, common, action);
  add_facility(cli, common, action);
  add_scaling(cli, common, action);
  add_catalogue(cli, common, action);
  add_limits(cli, common, action);
  add_assess(cli, common, action);
  add_push(cli, common, action);
  add_pull(cli, common, action);
}

}  // namespace carnot::app
