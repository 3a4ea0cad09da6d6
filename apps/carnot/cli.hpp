// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The command line from words to exit code: parse, call, and every error in words.

#include <functional>
#include <string>
#include <vector>

#include "command.hpp"

namespace carnot::app {

/// Adds the commands a program has.
using AddCommands = std::function<void(CLI::App&, const Common&, Action&)>;

/// Adds every command. \param add_server  adds `serve`, in its place; empty: there is none
void add_all_commands(CLI::App& cli, const Common& common, Action& action,
                      const AddCommands& add_server);

/// One command inside another program: words without the program's name.
/// \param shown  what documents call the command
/// \returns the exit code
/// \throws UsageError and whatever the command throws
int run_words(const std::vector<std::string>& words, const std::vector<std::string>& shown,
              const AddCommands& add_commands);

/// What `main` returns. \param ranks  as `Common::ranks`
int run_cli(int argc, char** argv, const AddCommands& add_commands, Ranks* ranks = nullptr);

/// A message on standard error, if it says anything; returns the code.
int fail(int code, const char* message);

}  // namespace carnot::app
