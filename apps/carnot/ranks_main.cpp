// SPDX-License-Identifier: Apache-2.0
// The commands that several ranks carry out together. `carnot` hands on to this program where
// `mpirun` started it.
#include <cstdio>

#include "cli.hpp"
#include "mpi_ranks.hpp"

int main(int argc, char** argv) {
  using namespace carnot;
  app::MpiRanks ranks(&argc, &argv);
  const int code = app::run_cli(
      argc, argv,
      [](CLI::App& cli, const app::Common& common, app::Action& action) {
        app::add_plan(cli, common, action);
        app::add_simulate(cli, common, action);
      },
      &ranks);
  // What went wrong here alone: the others wait for this rank and would for ever.
  const bool alone = code == app::kDevice || code == app::kBug;
  if (alone && ranks.size() > 1) {
    std::fflush(nullptr);
    app::MpiRanks::abort(code);
  }
  return code;
}
