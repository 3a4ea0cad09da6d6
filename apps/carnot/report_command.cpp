// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/ledger/store/measurement_view.hpp"
#include "carnot/ledger/store/store.hpp"
#include "carnot/report/grid/page.hpp"
#include "carnot/report/measure/codecarbon.hpp"
#include "carnot/report/measure/measurement.hpp"
#include "carnot/report/plan/report.hpp"
#include "carnot/report/run/result.hpp"
#include "carnot/report/simulate/page.hpp"

#include "account_options.hpp"
#include "command.hpp"
#include "work_options.hpp"

namespace carnot::app {

namespace {

struct ReportCommand {
  std::string run, html, sql, csv, store, codecarbon;
  bool series = false;
  model::AccountOptions account;
  std::string problem;
  report::WorkAssumptions work;
};

/// How the file begins; empty if there is no such file (reading it will say so).
std::string head_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(4096, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

/// Figures first: a page that cannot be written must not take them along.
void show_page(const ReportCommand& c, const Common& common, const std::string& html) {
  if (c.html.empty()) return;
  write_file(c.html, html);
  say(common, fmt::format("report: file://{}", std::filesystem::absolute(c.html).string()));
}

/// Loads the entries where they are to be stored or asked. True if there was a question: its answer
/// is then all that is printed.
bool answer_query(const ReportCommand& c, const std::vector<ledger::Entry>& entries) {
  if (c.store.empty() && c.sql.empty()) return false;
  ledger::LedgerStore store(c.store.empty() ? ":memory:" : c.store);
  store.load(std::filesystem::path(c.run).filename().string(), entries);
  if (c.sql.empty()) return false;
  const ledger::QueryResult answer = store.query(c.sql);
  print(fmt::format("{}\n", fmt::join(answer.columns, "\t")));
  for (const auto& row : answer.rows) print(fmt::format("{}\n", fmt::join(row, "\t")));
  return true;
}

int show_measurement(const ReportCommand& c, const Common& common,
                     const ledger::JournalContents& contents) {
  if (answer_query(c, contents.entries)) return kOk;
  const measure::Measurement measurement = measure::summarise_measurement(
      contents.entries, merged(measure::recorded_account_options(contents.entries), c.account));
  if (common.json) {
    print(report::measurement_json(measurement, c.series));
  } else {
    print(report::measurement_terminal(measurement, terminal_width(STDOUT_FILENO),
                                       is_terminal(STDOUT_FILENO)));
  }
  if (!c.csv.empty()) write_file(c.csv, report::measurement_csv(measurement));
  if (!c.codecarbon.empty()) write_file(c.codecarbon, report::codecarbon_csv(measurement));
  show_page(c, common, c.html.empty() ? "" : report::measurement_html(measurement));
  return contents.corrupt ? kBadInput : kOk;
}

int show_emissions(const ReportCommand& c, const Common& common) {
  if (!(c.sql + c.store + c.csv + c.html + c.codecarbon).empty())
    throw UsageError("of an emissions.csv there is the text and --json");
  const report::EmissionsFile file = report::parse_emissions_csv(read_file(c.run), c.run);
  print(common.json ? report::emissions_json(file, common.command_line)
                    : report::emissions_terminal(file, terminal_width(STDOUT_FILENO),
                                                 is_terminal(STDOUT_FILENO)));
  return kOk;
}

int show_plan(const ReportCommand& c, const Common& common) {
  if (!(c.sql + c.store + c.csv + c.codecarbon).empty())
    throw UsageError("of a plan there are the text, --json and --html");
  const report::PlanReport plan = report::report_plan(c.run, c.problem, c.work);
  print(common.json ? report::plan_report_json(plan, common.command_line, Instant::now().iso8601())
                    : report::plan_terminal(plan, terminal_width(STDOUT_FILENO),
                                            is_terminal(STDOUT_FILENO)));
  show_page(c, common, c.html.empty() ? "" : report::plan_html(plan));
  return plan.certificate.holds() ? kOk : kOutcomeSaysNo;
}

/// Documents that are pages waiting to be drawn: grids and simulations.
int show_document(const ReportCommand& c, const Common& common, bool grid) {
  if (common.json || !(c.sql + c.store + c.csv + c.codecarbon).empty())
    throw UsageError("of a JSON document there are the text and --html");
  const std::string text = read_file(c.run);
  print((grid ? report::grid_page_terminal : report::simulate_page_terminal)(
      text, c.run, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)));
  if (!c.html.empty())
    show_page(c, common, (grid ? report::grid_page_html : report::simulate_page_html)(text, c.run));
  return kOk;
}

int execute(const ReportCommand& c, const Common& common) {
  const std::string head = head_of(c.run);
  if (report::is_plan(head)) return show_plan(c, common);
  if (report::is_grid_document(head)) return show_document(c, common, true);
  if (report::is_simulation(head)) return show_document(c, common, false);
  if (report::is_emissions_csv(head.substr(0, head.find('\n')))) return show_emissions(c, common);
  const ledger::JournalContents contents = ledger::read_journal(c.run);
  if (!contents.message.empty()) say(common, "carnot: " + contents.message);
  if (ledger::is_measurement(contents.entries)) return show_measurement(c, common, contents);
  if (!c.codecarbon.empty()) throw UsageError("--codecarbon is for measurements");
  if (!c.csv.empty()) ledger::export_csv(contents.entries, c.csv);
  if (answer_query(c, contents.entries)) return kOk;
  const report::RunResult result = report::summarise(contents.entries);
  if (common.json) {
    print(report::to_json(result));
  } else {
    print(report::to_terminal(result, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)));
  }
  show_page(c, common, c.html.empty() ? "" : report::to_html(result));
  // A sound report of a journal that is not: said above, and in the exit code.
  return contents.corrupt ? kBadInput : kOk;
}

}  // namespace

void add_report(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<ReportCommand>();
  CLI::App* command = app.add_subcommand(
      "report", "Rebuild any report of a run, a measurement or a plan from its file");
  command
      ->add_option("file", c->run,
                   "Journal of `carnot run` or `carnot measure`, a plan of `carnot plan`, or an "
                   "emissions.csv of CodeCarbon")
      ->required();
  command->add_option("--html", c->html, "Write the report page here");
  command->add_option("--csv", c->csv, "Write every slot, or every interval, as CSV here");
  command->add_option("--store", c->store, "Load the run into this SQLite file");
  command->add_option("--sql", c->sql, "Answer a question, such as 'select * from lane_totals'");
  command->add_flag("--series", c->series, "Of a measurement: every interval in the JSON, too");
  command->add_option("--codecarbon", c->codecarbon,
                      "Of a measurement: write a row under CodeCarbon's columns here");
  add_account_options(*command, c->account);
  command->add_option("--problem", c->problem,
                      "Of a plan: its problem, in place of the one it names");
  add_work_options(*command, c->work);
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
