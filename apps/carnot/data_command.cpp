// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/version.hpp"
#include "carnot/learn/data/fetch.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

struct DataGet {
  std::string set;
  learn::FetchOptions options;
};

int get(const DataGet& c, const Common& common) {
  watch_for_interrupt();
  learn::FetchOptions options = c.options;
  const auto line = std::make_shared<ProgressLine>(common);
  options.progress = [line](const learn::FetchProgress& p) {
    line->draw([&](int width) {
      const std::string share =
          p.total > 0 ? fmt::format(" of {:.1f} MB", static_cast<double>(p.total) / 1e6) : "";
      return fmt::format("{}  {:.1f} MB{}  {}", p.file, static_cast<double>(p.bytes) / 1e6, share,
                         p.mirror)
          .substr(0, static_cast<std::size_t>(std::max(width, 1)));
    });
    return !interrupted();
  };
  const learn::FetchResult result = learn::fetch(learn::find_remote_set(c.set), options);
  line->clear();
  for (const std::string& note : result.notes) say(common, note);
  if (common.json) {
    nlohmann::ordered_json files = nlohmann::ordered_json::array();
    for (const auto& f : result.files)
      files.push_back({{"path", f.path},
                       {"mirror", f.mirror},
                       {"bytes", f.bytes},
                       {"resumed_from", f.resumed_from}});
    print(nlohmann::ordered_json{{"schema", "carnot.data/1"},
                                 {"carnot", std::string(kVersion)},
                                 {"command", common.command_line},
                                 {"set", c.set},
                                 {"directory", result.directory},
                                 {"files", files}}
              .dump(2) +
          "\n");
  } else {
    for (const auto& f : result.files)
      print(fmt::format("{}  {} bytes, {}\n", f.path, f.bytes,
                        f.mirror.empty() ? "was there already" : "from " + f.mirror));
  }
  return result.stopped ? kInterrupted : kOk;
}

}  // namespace

void add_data(CLI::App& app, const Common& common, Action& action) {
  CLI::App* data = app.add_subcommand("data", "Public data sets");
  data->require_subcommand(1);
  auto c = std::make_shared<DataGet>();
  CLI::App* command = data->add_subcommand("get", "Download a set, checked and resumable");
  command->add_option("set", c->set, "Which, such as mnist")->required();
  command->add_option("--dir", c->options.directory, "Folder that holds the sets");
  command->add_option("--mirror", c->options.mirrors, "URL prefix tried first; may be repeated");
  command->add_option("--mirrors-file", c->options.mirrors_file, "Text file of URL prefixes");
  command
      ->add_option("--timeout", c->options.timeout_s,
                   "Seconds without a byte before the next mirror")
      ->check(CLI::Validator(positive_number, ""));
  command->add_flag("--offline", c->options.offline, "Only check what is there");
  data->fallthrough();
  command->fallthrough();
  command->callback([c, &common, &action] { action = [c, &common] { return get(*c, common); }; });
}

}  // namespace carnot::app
