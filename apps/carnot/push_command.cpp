// SPDX-License-Identifier: Apache-2.0
// carnot push JOURNAL... --to LEDGER; carnot pull [ID...] --from LEDGER
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/version.hpp"
#include "carnot/ledger/journal/journal.hpp"
#include "carnot/ledger/shared/shared_ledger.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kLedgerVariable = "CARNOT_LEDGER";
constexpr const char* kTargetHelp =
    "postgresql://HOST/DATABASE, service=NAME, postgresql: (all from PG* variables), or the path "
    "of a SQLite file; default: the variable CARNOT_LEDGER. Passwords: ~/.pgpass or PGPASSFILE";

struct PushCommand {
  std::vector<std::string> paths;
  std::string target, machine;
  bool replace = false;
};

struct PullCommand {
  std::vector<std::string> ids;
  std::string target, out = ".", sql;
};

bool begins_a_journal(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(15, '\0');
  return file.read(head.data(), 15) && head == "carnot-journal/";
}

/// Files as they are named; of folders the journals in them, however deep.
std::vector<fs::path> journals_of(const std::vector<std::string>& paths) {
  std::vector<fs::path> out;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      out.emplace_back(path);
      continue;
    }
    std::vector<fs::path> found;
    constexpr auto kOptions = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator it(path, kOptions, error), end; it != end;
         it.increment(error)) {
      if (error) throw IoError(path, "read the folder", error.value());
      if (it->is_regular_file(error) && begins_a_journal(it->path())) found.push_back(it->path());
    }
    if (error) throw IoError(path, "read the folder", error.value());
    std::sort(found.begin(), found.end());
    out.insert(out.end(), found.begin(), found.end());
  }
  return out;
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || *name == '\0') return "unnamed";
  return name;
}

void need_target(const std::string& target, const char* option) {
  if (target.empty()) throw UsageError(fmt::format("{}: {}", option, kTargetHelp));
}

Json head_of_document(const char* format, const Common& common) {
  return {{"format", format}, {"carnot_version", kVersion}, {"command", common.command_line}};
}

int execute(const PushCommand& c, const Common& common) {
  need_target(c.target, "--to");
  ledger::PushOptions options;
  options.machine = c.machine.empty() ? host_name() : c.machine;
  options.now = Instant::now();
  options.replace = c.replace;
  options.stop = stop_on_interrupt();
  const std::vector<fs::path> paths = journals_of(c.paths);
  ledger::SharedLedger shared(c.target);
  ProgressLine line(common);
  Json rows = Json::array();
  int code = kOk;
  const auto complain = [&](const std::string& why) {
    line.clear();
    say(common, why);
    code = kBadInput;
  };
  std::string text;
  for (const fs::path& path : paths) {
    const std::string name = path.filename().string();
    options.progress = [&](std::uint64_t there, std::uint64_t all) {
      line.draw([&](int width) {
        return fmt::format("{}: {} of {} entries", name, there, all)
            .substr(0, static_cast<std::size_t>(std::max(10, width - 1)));
      });
    };
    try {
      const ledger::JournalContents contents =
          ledger::read_journal(path.string(), ledger::KeepStates::None);
      if (contents.corrupt) complain(contents.message);
      if (contents.entries.empty()) {
        say(common, fmt::format("{}: holds no entry yet", path.string()));
        continue;
      }
      const ledger::PushOutcome o = shared.push(contents.entries, name, options);
      rows.push_back({{"name", name},
                      {"journal_id", o.journal_id},
                      {"entries", o.entries},
                      {"before", o.before},
                      {"added", o.added},
                      {"replaced", o.replaced},
                      {"beyond", o.beyond}});
      text += fmt::format("{}  {}  {} entries, {} new{}{}\n", o.journal_id.substr(0, 12), name,
                          o.entries, o.added,
                          o.replaced > 0 ? fmt::format(", {} replaced", o.replaced) : "",
                          o.beyond > 0 ? fmt::format("; the ledger has {} more", o.beyond) : "");
    } catch (const InputError& error) {
      complain(error.what());
    } catch (const InputFileError& error) {
      complain(error.what());
    }
  }
  line.clear();
  if (common.json) {
    Json document = head_of_document("carnot.push/1", common);
    document["machine"] = options.machine;
    document["journals"] = std::move(rows);
    print(document.dump(2) + "\n");
  } else {
    print(text);
    if (paths.empty()) say(common, "no journal there");
  }
  return code;
}

/// The name it was pushed under, without what would lead out of a folder.
std::string file_name_of(const ledger::SharedJournal& journal) {
  const std::string name = fs::path(journal.name).filename().string();
  return name.empty() || name == "." || name == ".." ? journal.journal_id + ".journal" : name;
}

/// A whole journal or none.
void write_journal(const fs::path& path, const std::vector<ledger::Entry>& entries) {
  if (fs::exists(path))
    throw InputError(
        fmt::format("{}: there is a file of this name; --out: another folder", path.string()));
  const fs::path draft = fmt::format("{}.{}.part", path.string(), ::getpid());
  try {
    ledger::JournalWriter writer =
        ledger::JournalWriter::create(draft.string(), ledger::JournalWriter::Durable::WhenSynced);
    for (const ledger::Entry& entry : entries) writer.append(entry);
    writer.sync();
    fs::rename(draft, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove(draft, ignored);
    throw;
  }
}

int list_journals(ledger::SharedLedger& shared, const Common& common) {
  const std::vector<ledger::SharedJournal> all = shared.journals();
  if (common.json) {
    Json document = head_of_document("carnot.ledger/1", common);
    Json& rows = document["journals"] = Json::array();
    for (const auto& j : all)
      rows.push_back({{"journal_id", j.journal_id},
                      {"machine", j.machine},
                      {"name", j.name},
                      {"kind", j.kind},
                      {"started", j.started_utc},
                      {"entries", j.entries},
                      {"first_push", j.first_push_utc},
                      {"last_push", j.last_push_utc}});
    print(document.dump(2) + "\n");
    return kOk;
  }
  for (const auto& j : all)
    print(fmt::format("{}  {}  {}  {}  {} entries  {}\n", j.journal_id.substr(0, 12), j.machine,
                      j.started_utc, j.kind, j.entries, j.name));
  if (all.empty()) say(common, "the ledger holds no journal yet");
  return kOk;
}

int execute(const PullCommand& c, const Common& common) {
  need_target(c.target, "--from");
  if (!c.sql.empty() && !c.ids.empty())
    throw UsageError("--sql: a question, or journals to pull: one of the two");
  ledger::SharedLedger shared(c.target);
  if (!c.sql.empty()) {
    const ledger::QueryResult answer = shared.query(c.sql);
    print(fmt::format("{}\n", fmt::join(answer.columns, "\t")));
    for (const auto& row : answer.rows) print(fmt::format("{}\n", fmt::join(row, "\t")));
    return kOk;
  }
  if (c.ids.empty()) return list_journals(shared, common);
  const std::vector<ledger::SharedJournal> all = shared.journals();
  Json rows = Json::array();
  for (const std::string& id : c.ids) {
    const std::vector<ledger::Entry> entries = shared.pull(id);
    const auto known = std::find_if(all.begin(), all.end(),
                                    [&](const auto& j) { return j.journal_id.starts_with(id); });
    const fs::path path =
        fs::path(c.out) / (known == all.end() ? id + ".journal" : file_name_of(*known));
    write_journal(path, entries);
    rows.push_back({{"journal_id", ledger::journal_id(entries)},
                    {"file", path.string()},
                    {"entries", entries.size()}});
    if (!common.json) print(fmt::format("{}  {} entries\n", path.string(), entries.size()));
  }
  if (common.json) {
    Json document = head_of_document("carnot.pull/1", common);
    document["journals"] = std::move(rows);
    print(document.dump(2) + "\n");
  }
  return kOk;
}

}  // namespace

void add_push(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<PushCommand>();
  CLI::App* command = app.add_subcommand(
      "push", "Bring journals into a ledger that many machines share: PostgreSQL or a SQLite file");
  command->add_option("journals", c->paths, "Journals, and folders of them")->required();
  command->add_option("--to", c->target, kTargetHelp)->envname(kLedgerVariable);
  command->add_option("--machine", c->machine,
                      "Name recorded with new journals (default: this host's)");
  command->add_flag("--replace", c->replace,
                    "Where the ledger has other entries from another machine, take these instead");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

void add_pull(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<PullCommand>();
  CLI::App* command = app.add_subcommand(
      "pull", "List the journals of a shared ledger, fetch some of them, or ask it a question");
  command->add_option("journals", c->ids, "Ids, or how they begin; none: list all");
  command->add_option("--from", c->target, kTargetHelp)->envname(kLedgerVariable);
  command->add_option("--out,-o", c->out, "Folder for what is fetched (default: this one)");
  command->add_option("--sql", c->sql, "Print the answer to one SELECT, tab-separated");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
