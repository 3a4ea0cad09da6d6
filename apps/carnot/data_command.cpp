// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/version.hpp"
#include "carnot/learn/data/fetch.hpp"
#include "carnot/report/data/look.hpp"

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

struct DataLook {
  std::string file, times, decimal;
  CsvOptions options;
};

int look(const DataLook& c, const Common& common) {
  CsvOptions options = c.options;
  options.times = time_mark(c.times);
  if (!c.decimal.empty()) options.decimal = c.decimal.front();
  const LookedAtSeries seen = look_at_series(c.file, options);
  print(common.json
            ? report::look_json(seen, common.command_line)
            : report::look_text(seen, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)));
  return kOk;
}

void add_look(CLI::App& data, const Common& common, Action& action) {
  auto c = std::make_shared<DataLook>();
  CLI::App* command =
      data.add_subcommand("look", "Show what the reader of series understands of a CSV file");
  command->add_option("file", c->file, "Power, price, carbon or weather over time")->required();
  command->add_option("--time-column", c->options.time_column, "Column of the times");
  command->add_option("--time-format", c->options.time_format, "Such as %d.%m.%Y %H:%M");
  command->add_option("--zone", c->options.zone,
                      "Of times that state none: Z, +01:00 or Europe/Berlin");
  command->add_option("--times", c->times, "What times mark: starts or ends")
      ->check(CLI::IsMember({"starts", "ends"}));
  command->add_option("--decimal", c->decimal, "The decimal sign: . or ,")
      ->check(CLI::IsMember({".", ","}));
  command->add_option("--skip-rows", c->options.skip_rows, "Lines above the header")
      ->check(CLI::Range(0, 1'000'000));
  command->fallthrough();
  command->callback([c, &common, &action] { action = [c, &common] { return look(*c, common); }; });
}

}  // namespace

void add_data(CLI::App& app, const Common& common, Action& action) {
  CLI::App* data = app.add_subcommand("data", "Public data sets, and a look at files");
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
  add_look(*data, common, action);
  data->fallthrough();
  command->fallthrough();
  command->callback([c, &common, &action] { action = [c, &common] { return get(*c, common); }; });
}

}  // namespace carnot::app
