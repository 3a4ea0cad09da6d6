// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the commands share: options that every command has, output, a progress bar, exit codes.

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/ranks.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/ledger/entry/entry.hpp"

namespace CLI {
class App;
}

namespace carnot::app {

/// Exit codes of docs/formats/cli.md.
enum ExitCode { kOk = 0, kOutcomeSaysNo = 1, kUsage = 2, kBadInput = 3, kDevice = 4, kBug = 70 };
inline constexpr int kInterrupted = 130;

/// Options of every command.
struct Common {
  bool json = false;
  bool quiet = false;
  std::string command_line;      ///< as it may be passed on, for the ledger and the documents
  std::vector<std::string> job;  ///< words after --: a command of the user's, not ours to read
  Ranks* ranks = nullptr;        ///< who works on the command together; nullptr: this process
};

/// Options that do not go together: exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Writes to standard output; all of it or an IoError. A reader that closed its end early has what
/// it wanted: the rest is dropped.
void print(std::string_view text);
/// A line on standard error, unless quiet.
void say(const Common& common, std::string_view text);

/// Columns of the terminal on file descriptor `fd`; 80 if it is none.
int terminal_width(int fd);
bool is_terminal(int fd);

/// A line on standard error that is redrawn in place: only on a terminal, only after two seconds.
/// With CARNOT_PROGRESS=lines in the environment one line after the other, wherever it goes.
class ProgressLine {
 public:
  explicit ProgressLine(const Common& common);
  ~ProgressLine();
  /// \param make  called with the width when it is time to draw (at most ten times a second)
  void draw(const std::function<std::string(int)>& make);
  void clear();

 private:
  std::function<void(std::string_view)> told_;  // of a session
  bool lines_, enabled_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point began_, last_;
};

/// True once the user has asked to stop (Ctrl-C, SIGTERM); a second time ends the process at once.
bool interrupted();
/// The same question for any thread that works for this one.
std::function<bool()> interrupt_question();
void watch_for_interrupt();
/// Watches, and stops whatever it is handed to once the user has asked.
StopToken stop_on_interrupt();

/// Checks for options, in words instead of CLI11's 300-digit bounds: "" or what is allowed.
std::string positive_number(const std::string& text);
std::string whole_number(const std::string& text);

/// Adds a command; its action returns the exit code.
using Action = std::function<int()>;
void add_run(CLI::App& app, const Common& common, Action& action);
void add_report(CLI::App& app, const Common& common, Action& action);
void add_learn(CLI::App& app, const Common& common, Action& action);
void add_learn_figure8(CLI::App& learn, const Common& common, Action& action);
void add_predict(CLI::App& app, const Common& common, Action& action);
void add_encode(CLI::App& app, const Common& common, Action& action);
void add_decode(CLI::App& app, const Common& common, Action& action);
void add_plan(CLI::App& app, const Common& common, Action& action);
void add_simulate(CLI::App& app, const Common& common, Action& action);
void add_data(CLI::App& app, const Common& common, Action& action);
void add_dispatch(CLI::App& app, const Common& common, Action& action);
void add_burn(CLI::App& app, const Common& common, Action& action);
void add_serve(CLI::App& app, const Common& common, Action& action);
void add_grid(CLI::App& app, const Common& common, Action& action);
void add_catalogue(CLI::App& app, const Common& common, Action& action);
void add_explain(CLI::App& app, const Common& common, Action& action);
void add_facility(CLI::App& app, const Common& common, Action& action);
void add_scaling(CLI::App& app, const Common& common, Action& action);
void add_limits(CLI::App& app, const Common& common, Action& action);
void add_push(CLI::App& app, const Common& common, Action& action);
void add_pull(CLI::App& app, const Common& common, Action& action);
void add_assess(CLI::App& app, const Common& common, Action& action);

/// Loads entries under an id into the store at a path.
using StoreWriter = std::function<void(const std::string& path, const std::string& id,
                                       const std::vector<ledger::Entry>& entries)>;

struct MeasureCommand;
/// Parts of `measure` that need libraries a fast start does without.
struct FullProgram {
  StoreWriter store;
  std::function<int(const MeasureCommand&, const Common&)> series;
};
/// \param full  empty in the program that hands such commands on
void add_measure(CLI::App& app, const Common& common, Action& action, FullProgram full);

}  // namespace carnot::app
