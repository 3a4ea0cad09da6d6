// SPDX-License-Identifier: Apache-2.0
// The command line: parse, call, print. Exit codes: docs/formats/cli.md.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/error.hpp"
#include "carnot/base/version.hpp"

#include "command.hpp"

namespace {

/// A first word that names no command, with the nearest that does; empty: it does, or there is
/// none.
std::string unknown_command(const CLI::App& cli, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* command : cli.get_subcommands({})) names.push_back(command->get_name());
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with('-')) continue;
    if (std::find(names.begin(), names.end(), word) != names.end()) return "";
    const std::string near = carnot::nearest(word, names);
    return fmt::format("unknown command `{}`; {}", word,
                       near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                    : fmt::format("did you mean `{}`?", near));
  }
  return "";
}

int fail(int code, const char* message) {
  std::fprintf(stderr, "carnot: %s\n", message);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace carnot;
  // A reader that has seen enough and a full file are failed writes, not reasons to die.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  app::Common common;
  for (int i = 0; i < argc; ++i) {
    if (i > 0) common.command_line += ' ';
    const std::string word = i == 0 ? "carnot" : argv[i];
    common.command_line +=
        word.find_first_of(" \"'") == std::string::npos ? word : "'" + word + "'";
  }
  app::Action action;
  CLI::App cli{"carnot: where a computation's joules go, and how to spend fewer of them"};
  cli.set_version_flag("--version", fmt::format("carnot {}", kVersion));
  cli.require_subcommand(1);
  cli.add_flag("--json", common.json,
               "Print one JSON document on standard output and nothing else");
  cli.add_flag("--quiet,-q", common.quiet, "No messages, no progress");
  cli.fallthrough();
  app::add_run(cli, common, action);
  app::add_report(cli, common, action);
  app::add_learn(cli, common, action);
  app::add_data(cli, common, action);
  app::add_serve(cli, common, action);
  app::add_limits(cli, common, action);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::CallForHelp& e) {
    return cli.exit(e);
  } catch (const CLI::CallForAllHelp& e) {
    return cli.exit(e);
  } catch (const CLI::CallForVersion& e) {
    return cli.exit(e);
  } catch (const CLI::ParseError& e) {
    if (const std::string unknown = unknown_command(cli, argc, argv); !unknown.empty())
      return fail(app::kUsage, unknown.c_str());
    cli.exit(e);
    return app::kUsage;
  }
  try {
    return action();
  } catch (const app::UsageError& e) {
    return fail(app::kUsage, e.what());
  } catch (const InputError& e) {
    return fail(app::kBadInput, e.what());
  } catch (const InputFileError& e) {
    return fail(app::kBadInput, e.what());
  } catch (const DeviceError& e) {
    return fail(app::kDevice, e.what());
  } catch (const IoError& e) {
    return fail(app::kDevice, e.what());
  } catch (const std::exception& e) {
    return fail(app::kBug, fmt::format("this is our bug, please report it: {}", e.what()).c_str());
  }
}
