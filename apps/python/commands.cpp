// SPDX-License-Identifier: Apache-2.0
// Commands of carnot as calls: words in, a document out.
#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "../carnot/cli.hpp"
#include "../carnot/session.hpp"
#include "bindings.hpp"
#include "errors.hpp"
#include "watched.hpp"

namespace carnot::python {

namespace nb = nanobind;

namespace {

/// What a command said.
struct Output {
  std::mutex mutex;
  std::string out;
  std::vector<std::string> said;
  std::vector<std::pair<std::string, std::string>> files;
  int code = 0;
};

std::vector<std::string> words_of(const nb::list& list) {
  std::vector<std::string> words;
  for (const nb::handle item : list) {
    const nb::bytes bytes = nb::cast<nb::bytes>(item);
    words.emplace_back(bytes.c_str(), bytes.size());
  }
  return words;
}

app::Session session_of(const std::shared_ptr<Output>& output, const std::shared_ptr<Watch>& watch,
                        bool with_files) {
  app::Session s;
  s.out = [output](std::string_view text) {
    const std::lock_guard lock(output->mutex);
    output->out += text;
  };
  s.said = [output](std::string_view text) {
    const std::lock_guard lock(output->mutex);
    output->said.emplace_back(text);
  };
  s.progress = [watch](std::string_view text) { watch->say(text); };
  s.stop = [watch] { return watch->stopped(); };
  if (with_files)
    s.attach = [output](std::string_view what, std::string text) {
      const std::lock_guard lock(output->mutex);
      output->files.emplace_back(what, std::move(text));
    };
  return s;
}

nb::object run(const nb::list& given, const nb::list& shown_words, const nb::object& progress,
               bool with_files) {
  const std::vector<std::string> words = words_of(given), shown = words_of(shown_words);
  const bool starts = std::find(words.begin(), words.end(), "--") != words.end();
  const auto output = std::make_shared<Output>();
  watched(
      std::make_shared<Watch>(),
      [words, shown, output, with_files](const std::shared_ptr<Watch>& watch) {
        const app::Session session = session_of(output, watch, with_files);
        const app::SessionScope scope(session);
        output->code = app::run_words(
            words, shown, [](CLI::App& cli, const app::Common& common, app::Action& action) {
              app::add_all_commands(cli, common, action, {});
            });
      },
      progress, starts);
  nb::dict files;
  for (const auto& [what, text] : output->files)
    files[what.c_str()] = text_of(text.data(), text.size());
  nb::list said;
  for (const std::string& text : output->said) said.append(text_of(text.data(), text.size()));
  return nb::make_tuple(output->code, text_of(output->out.data(), output->out.size()), files, said);
}

/// Options of a command and of those below it.
nb::dict described(const CLI::App& app) {
  nb::dict out;
  out["name"] = app.get_name();
  out["description"] = app.get_description();
  nb::list options, commands;
  for (const CLI::Option* option : app.get_options()) {
    if (option == app.get_help_ptr()) continue;
    nb::dict o;
    const std::vector<std::string>& names = option->get_lnames();
    o["positional"] = option->get_positional();
    o["name"] = option->get_positional() ? option->get_name(true, false)
                : names.empty()          ? option->get_name()
                                         : names.front();
    o["description"] = option->get_description();
    o["flag"] = option->get_items_expected_max() == 0;
    o["several"] = option->get_items_expected_max() > 1;
    o["required"] = option->get_required();
    o["type"] = option->get_type_name();
    o["group"] = option->get_group();
    options.append(o);
  }
  for (const CLI::App* command : app.get_subcommands({})) commands.append(described(*command));
  out["options"] = options;
  out["commands"] = commands;
  out["needs_command"] = app.get_require_subcommand_min() > 0;
  return out;
}

nb::dict describe() {
  const app::Common common;
  app::Action action;
  CLI::App cli{"carnot", "carnot"};
  app::add_all_commands(cli, common, action, {});
  return described(cli);
}

}  // namespace

void bind_commands(nb::module_& m) {
  m.def("run", &run, nb::arg("words"), nb::arg("shown"), nb::arg("progress").none(),
        nb::arg("with_files"),
        "Runs a command: (exit code, what it printed, files by what they are, messages).");
  m.def("describe", &describe, "Every command with its options.");
}

}  // namespace carnot::python
