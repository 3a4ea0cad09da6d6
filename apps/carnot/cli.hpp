// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The command line from words to exit code: parse, call, and every error in words.

#include <functional>

#include "command.hpp"

namespace carnot::app {

/// Adds the commands a program has.
using AddCommands = std::function<void(CLI::App&, const Common&, Action&)>;

/// What `main` returns.
int run_cli(int argc, char** argv, const AddCommands& add_commands);

/// A message on standard error; returns the code.
int fail(int code, const char* message);

}  // namespace carnot::app
