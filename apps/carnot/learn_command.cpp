// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "command.hpp"

namespace carnot::app {
void add_learn(CLI::App&, const Common&, Action&) {}
}  // namespace carnot::app
