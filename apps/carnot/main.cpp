// SPDX-License-Identifier: Apache-2.0
// Every command. Exit codes: docs/formats/cli.md.
#include "cli.hpp"

int main(int argc, char** argv) {
  using namespace carnot;
  return app::run_cli(argc, argv,
                      [](CLI::App& cli, const app::Common& common, app::Action& action) {
                        app::add_all_commands(cli, common, action, app::add_serve);
                      });
}
