// SPDX-License-Identifier: Apache-2.0
// Every command. Exit codes: docs/formats/cli.md.
#include "carnot/ledger/store/store.hpp"

#include "cli.hpp"
#include "measure_command.hpp"

int main(int argc, char** argv) {
  using namespace carnot;
  return app::run_cli(argc, argv,
                      [](CLI::App& cli, const app::Common& common, app::Action& action) {
                        app::add_run(cli, common, action);
                        app::add_measure(cli, common, action,
                                         {[](const std::string& path, const std::string& id,
                                             const std::vector<ledger::Entry>& entries) {
                                            ledger::LedgerStore(path).load(id, entries);
                                          },
                                          app::measure_series_job});
                        app::add_report(cli, common, action);
                        app::add_learn(cli, common, action);
                        app::add_predict(cli, common, action);
                        app::add_encode(cli, common, action);
                        app::add_decode(cli, common, action);
                        app::add_plan(cli, common, action);
                        app::add_simulate(cli, common, action);
                        app::add_data(cli, common, action);
                        app::add_dispatch(cli, common, action);
                        app::add_burn(cli, common, action);
                        app::add_serve(cli, common, action);
                        app::add_grid(cli, common, action);
                        app::add_explain(cli, common, action);
                        app::add_facility(cli, common, action);
                        app::add_scaling(cli, common, action);
                        app::add_catalogue(cli, common, action);
                        app::add_limits(cli, common, action);
                        app::add_assess(cli, common, action);
                      });
}
