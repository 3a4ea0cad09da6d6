// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/ledger/store.hpp"
#include "carnot/report/result.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

struct ReportCommand {
  std::string run, html, sql, csv, store;
};

int execute(const ReportCommand& c, const Common& common) {
  const JournalContents contents = read_journal(c.run);
  if (!contents.message.empty()) say(common, "carnot: " + contents.message);
  if (!c.csv.empty()) export_csv(contents.entries, c.csv);
  if (!c.store.empty() || !c.sql.empty()) {
    LedgerStore store(c.store.empty() ? ":memory:" : c.store);
    store.load(std::filesystem::path(c.run).filename().string(), contents.entries);
    if (!c.sql.empty()) {
      const QueryResult answer = store.query(c.sql);
      print(fmt::format("{}\n", fmt::join(answer.columns, "\t")));
      for (const auto& row : answer.rows) print(fmt::format("{}\n", fmt::join(row, "\t")));
      return kOk;
    }
  }
  const report::RunResult result = report::summarise(contents.entries);
  if (common.json) {
    print(report::to_json(result));
  } else {
    print(report::to_terminal(result, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)));
  }
  if (!c.html.empty()) write_file(c.html, report::to_html(result));
  if (!c.html.empty())
    say(common, fmt::format("report: file://{}", std::filesystem::absolute(c.html).string()));
  // A sound report of a journal that is not: said above, and in the exit code.
  return contents.corrupt ? kBadInput : kOk;
}

}  // namespace

void add_report(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<ReportCommand>();
  CLI::App* command = app.add_subcommand("report", "Rebuild any report of a run from its journal");
  command->add_option("run", c->run, "Journal written by `carnot run --out`")->required();
  command->add_option("--html", c->html, "Write the report page here");
  command->add_option("--csv", c->csv, "Write every slot as CSV here");
  command->add_option("--store", c->store, "Load the run into this SQLite file");
  command->add_option("--sql", c->sql, "Answer a question, such as 'select * from lane_totals'");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
