// SPDX-License-Identifier: Apache-2.0
#include "cli.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/error.hpp"
#include "carnot/base/shareable.hpp"
#include "carnot/base/version.hpp"

#include "session.hpp"

namespace carnot::app {

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

/// A reader that has seen enough and a full file are failed writes, not reasons to die. A handler
/// that does nothing, since what is ignored stays ignored in the programs we start.
void survive_failed_writes() {
  for (const int number : {SIGPIPE, SIGXFSZ}) {
    struct sigaction action {};
    sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    action.sa_handler = [](int) {};
    sigaction(number, &action, nullptr);
  }
}

/// As it may be passed on; the words of somebody else's command only if asked for.
std::string command_line_of(const std::vector<std::string>& words) {
  const auto dashes = std::find(words.begin(), words.end(), "--");
  const std::vector<std::string> own(words.begin(), dashes);
  const bool whole = std::find(own.begin(), own.end(), "--show-command") != own.end();
  std::string line = "carnot";
  const auto add = [&line](const std::string& word) {
    line += ' ';
    line += word.find_first_of(" \"'") == std::string::npos ? word : "'" + word + "'";
  };
  for (const std::string& word : whole ? own : shareable_words(own)) add(word);
  if (dashes == words.end()) return line;
  add("--");
  if (whole)
    std::for_each(dashes + 1, words.end(), add);
  else
    line += ' ' + shareable_program(std::span(dashes + 1, words.end()));
  return line;
}

}  // namespace

int fail(int code, const char* message) {
  if (*message == '\0') return code;
  if (session() != nullptr) {
    if (session()->said) session()->said(message);
    return code;
  }
  std::fprintf(stderr, "carnot: %s\n", message);
  return code;
}

namespace {

/// Parses the words up to `--` and runs the command they name.
/// \throws what CLI11 does, too
int parse_and_run(CLI::App& cli, Common& common, int argc, char** argv,
                  const AddCommands& add_commands) {
  char** const end = argv + argc;
  char** const dashes = std::find(argv, end, std::string_view("--"));
  if (dashes != end) {
    common.job.assign(dashes + 1, end);
    argc = static_cast<int>(dashes - argv);
  }
  Action action;
  cli.set_version_flag("--version", fmt::format("carnot {}", kVersion));
  cli.require_subcommand(1);
  cli.add_flag("--json", common.json,
               "Print one JSON document on standard output and nothing else");
  cli.add_flag("--quiet,-q", common.quiet, "No messages, no progress");
  cli.fallthrough();
  add_commands(cli, common, action);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::Success&) {
    throw;
  } catch (const CLI::ParseError&) {
    if (const std::string unknown = unknown_command(cli, argc, argv); !unknown.empty())
      throw UsageError(unknown);
    throw;
  }
  // Not every build has every command, and `got_subcommand` throws for one that it does not know.
  const auto is_command = [&](std::string_view name) {
    const std::vector<CLI::App*> asked = cli.get_subcommands();
    return std::any_of(asked.begin(), asked.end(),
                       [&](const CLI::App* app) { return app->get_name() == name; });
  };
  if (dashes != end && !is_command("measure") && !is_command("run"))
    throw UsageError("words after -- are a command to measure: carnot measure -- COMMAND");
  return action();
}

constexpr const char* kAbout =
    "carnot: where a computation's joules go, and how to spend fewer of them";

}  // namespace

int run_words(const std::vector<std::string>& words, const std::vector<std::string>& shown,
              const AddCommands& add_commands) {
  Common common;
  common.command_line = command_line_of(shown);
  std::vector<std::string> all{"carnot"};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> argv;
  argv.reserve(all.size() + 1);
  for (std::string& word : all) argv.push_back(word.data());
  argv.push_back(nullptr);
  CLI::App cli{kAbout, "carnot"};
  try {
    return parse_and_run(cli, common, static_cast<int>(all.size()), argv.data(), add_commands);
  } catch (const CLI::CallForHelp&) {
    print(cli.help());
    return kOk;
  } catch (const CLI::ParseError& e) {
    throw UsageError(e.what());
  }
}

int run_cli(int argc, char** argv, const AddCommands& add_commands, Ranks* ranks) {
  survive_failed_writes();
  Common common;
  common.ranks = ranks;
  common.command_line = command_line_of({argv + 1, argv + argc});
  CLI::App cli{kAbout, "carnot"};
  try {
    return parse_and_run(cli, common, argc, argv, add_commands);
  } catch (const CLI::Success& e) {  // help and version
    return cli.exit(e);
  } catch (const CLI::ParseError& e) {
    cli.exit(e);
    return kUsage;
  } catch (const Stopped& e) {
    return fail(interrupted() ? kInterrupted : kOutcomeSaysNo, e.what());
  } catch (const UsageError& e) {
    return fail(kUsage, e.what());
  } catch (const InputError& e) {
    return fail(kBadInput, e.what());
  } catch (const InputFileError& e) {
    return fail(kBadInput, e.what());
  } catch (const DeviceError& e) {
    return fail(kDevice, e.what());
  } catch (const IoError& e) {
    return fail(kDevice, e.what());
  } catch (const std::exception& e) {
    return fail(kBug, fmt::format("this is our bug, please report it: {}", e.what()).c_str());
  }
}

}  // namespace carnot::app
