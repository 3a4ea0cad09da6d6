// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/ledger/journal/journal.hpp"
#include "carnot/report/measure/measurement.hpp"

#include "cli.hpp"
#include "command_output.hpp"
#include "measure_command.hpp"
#include "session.hpp"

namespace carnot::app {

namespace {

namespace fs = std::filesystem;

std::atomic<int> g_pass_to{0};
std::atomic<int> g_signals{0};
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int number, siginfo_t* info, void*) {
  if (g_signals.fetch_add(1) > 0) _exit(128 + number);
  // From the terminal the whole foreground group has it already; else it was meant for us alone.
  const bool sent_to_us = info->si_code == SI_USER || info->si_code == SI_QUEUE;
  if (const int pid = g_pass_to.load(); sent_to_us && pid > 0) ::kill(pid, number);
}

/// $XDG_STATE_HOME/carnot/measure/<utc>-<pid>.journal; empty where there is no home.
fs::path default_journal() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  const char* const home = std::getenv("HOME");
  fs::path folder;
  if (state && *state == '/') {
    folder = state;
  } else if (home && *home == '/') {
    folder = fs::path(home) / ".local" / "state";
  } else {
    return {};
  }
  std::string utc = Instant::now().iso8601().substr(0, 19);  // to the second
  std::erase_if(utc, [](char c) { return c == '-' || c == ':'; });
  return folder / "carnot" / "measure" / fmt::format("{}Z-{}.journal", utc, ::getpid());
}

/// Where the journal goes. What was asked for must be possible; the default may fail, with a note.
std::string place_journal(const MeasureCommand& c, const Common& common) {
  std::error_code error;
  if (!c.out.empty()) {
    const fs::path folder = fs::path(c.out).parent_path();
    if (!folder.empty()) fs::create_directories(folder, error);
    if (c.force && fs::is_regular_file(c.out, error)) fs::remove(c.out, error);
    return c.out;
  }
  if (session() != nullptr) return "";  // a call writes what it was asked to
  const fs::path path = default_journal();
  if (path.empty()) return "";
  fs::create_directories(path.parent_path(), error);
  if (!error && ::access(path.parent_path().c_str(), W_OK) == 0) return path;
  say(common, fmt::format("carnot: no journal: {} cannot be written; --out FILE says where",
                          path.parent_path().string()));
  return "";
}

std::vector<ledger::Entry> all_entries(const std::string& journal, measure::MeasureResult& result) {
  if (journal.empty()) return std::move(result.entries);
  std::vector<ledger::Entry> entries = ledger::read_journal(journal).entries;
  entries.insert(entries.end(), std::make_move_iterator(result.entries.begin()),
                 std::make_move_iterator(result.entries.end()));
  return entries;
}

/// What was measured is reported even where the carbon trace turns out not to cover it.
measure::Measurement summarise(const std::vector<ledger::Entry>& entries, const Common& common) {
  model::AccountOptions options = measure::recorded_account_options(entries);
  try {
    return measure::summarise_measurement(entries, options);
  } catch (const Error& e) {
    if (options.carbon_trace.empty()) throw;
    say(common, fmt::format("carnot: {}; carbon is the location's mean instead", e.what()));
    options.carbon_trace.clear();
    return measure::summarise_measurement(entries, options);
  }
}

}  // namespace

void watch_while_measuring() {
  if (session() != nullptr) return;  // signals are somebody else's
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction action {};
    sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;  // as nohup or a shell's & wants it
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, nullptr);
  }
}

void pass_signals_to(int pid) { g_pass_to.store(pid); }
int signals_seen() { return session() != nullptr ? interrupted() : g_signals.load(); }

int measure_job(const MeasureCommand& c, const Common& common, const StoreWriter& store) {
  measure::MeasureOptions options = measure_options(c, common.command_line);
  const bool resuming = !c.resume.empty();
  const std::string journal = resuming ? c.resume : place_journal(c, common);
  if (!resuming) options.journal = journal;
  options.keep_entries = journal.empty();
  CommandOutput output(common.json && !c.job.empty() ? Aside::StandardError : Aside::Nowhere);
  watch_while_measuring();

  measure::MeasureHooks hooks;
  LiveDisplay display(c.live && !common.quiet);
  const bool starts = !c.job.empty();
  bool asked_to_end = false;
  if (starts || display.on())
    hooks.on_sample = [&](const measure::MeasureView& view) {
      if (starts) pass_signals_to(view.begin.pid);
      if (starts && session() != nullptr && interrupted() && !std::exchange(asked_to_end, true))
        ::kill(view.begin.pid, SIGINT);
      display.draw(view);
    };
  // A command is waited for; what carnot did not start it may leave at any time.
  if (!starts) hooks.stop = [] { return signals_seen() > 0; };
  measure::MeasureResult result = resuming ? measure::resume_measurement(journal, options, hooks)
                                           : measure::measure(options, hooks);
  const int code = result.exit_code;
  output.restore();

  const std::vector<ledger::Entry> entries = all_entries(journal, result);
  const measure::Measurement measurement = summarise(entries, common);
  const std::string figures =
      common.json ? report::measurement_json(measurement)
                  : report::measurement_terminal(measurement, terminal_width(STDERR_FILENO),
                                                 is_terminal(STDERR_FILENO));
  // Once a command has run, the exit code is its own, whatever becomes of our files.
  const auto deliver = [&](auto&& write) {
    try {
      write();
      return true;
    } catch (const Error& e) {
      if (!starts) throw;
      fail(kDevice, e.what());
      return false;
    }
  };
  // Beside a command's own output the figures are a message; alone they are the answer.
  if (common.json || !starts) {
    deliver([&] { print(figures); });
  } else {
    std::fwrite(figures.data(), 1, figures.size(), stderr);
  }
  for (const meter::Note& note : result.notes) {
    if (note.what == "journal") say(common, fmt::format("carnot: {}: {}", note.what, note.why));
  }
  if (!journal.empty()) say(common, fmt::format("journal: {}", journal));
  if (deliver([&] { offer_page(c.html, [&] { return report::measurement_html(measurement); }); }) &&
      !c.html.empty())
    say(common, fmt::format("report: file://{}", fs::absolute(c.html).string()));
  if (!c.csv.empty()) deliver([&] { write_file(c.csv, report::measurement_csv(measurement)); });
  if (!c.store.empty() && store)
    deliver([&] {
      store(c.store, journal.empty() ? "measurement" : fs::path(journal).filename().string(),
            entries);
    });
  return code;
}

}  // namespace carnot::app
