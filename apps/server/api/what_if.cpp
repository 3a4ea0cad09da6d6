// SPDX-License-Identifier: Apache-2.0
#include "what_if.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/control/registry.hpp"
#include "carnot/model/catalogue/chips.hpp"
#include "carnot/plan/problem/plan_file.hpp"

#include "plan_change.hpp"

namespace carnot::app {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Slider number(std::string key, std::string label, std::string unit, double low, double high,
              double step, double value) {
  return {std::move(key), std::move(label), std::move(unit), low, high, step, value, {}, "", false};
}
Slider choice(std::string key, std::string label, std::vector<std::string> choices,
              std::string chosen) {
  return {std::move(key),     std::move(label),  "",   0, 0, 0, 0,
          std::move(choices), std::move(chosen), false};
}

std::vector<Slider> explain_sliders() {
  std::vector<std::string> chips;
  for (const model::Chip& chip : model::ChipCatalogue::embedded().chips()) chips.push_back(chip.id);
  return {choice("on", "chip", chips, ""),
          number("chips", "chips", "", 1, 64, 1, 1),
          choice("phase", "phase", {"infer", "train", "prefill", "decode"}, "infer"),
          choice("format", "format",
                 {"", "fp32", "tf32", "bf16", "fp16", "fp8", "int8", "nvfp4", "int4", "mxfp4"}, ""),
          number("batch", "batch", "", 1, 1024, 1, 1),
          number("context", "context", "tokens", 1, 131072, 1, 1024),
          number("tokens", "answer", "tokens", 1, 8192, 1, 256)};
}

std::vector<Slider> simulate_sliders(const std::vector<std::string>& words) {
  std::vector<std::string> policies;
  for (const control::PolicyInfo& info : control::policy_list())
    if (info.scope == control::Scope::Fleet) policies.emplace_back(info.name);
  std::vector<Slider> out{choice("policy", "policy", policies, "no-wait"),
                          number("load", "load of all nodes", "", 0.05, 0.95, 0.05, 0.3),
                          number("carbon-price", "CO2 price", "EUR/t", 0, 500, 5, 0),
                          number("battery-kwh", "battery of a site", "kWh", 0, 20000, 100, 0),
                          number("own-capacity-kw", "own turbines", "kW", 0, 20000, 100, 1000),
                          number("export-limit-kw", "export limit", "kW", 0, 20000, 100, 0),
                          number("max-wait", "longest wait", "h", 0, 168, 1, 24)};
  for (std::size_t i = 0; i < words.size(); ++i)
    for (Slider& s : out) {
      const std::string flag = "--" + s.key;
      std::string value;
      if (words[i].starts_with(flag + "=")) value = words[i].substr(flag.size() + 1);
      if (words[i] == flag && i + 1 < words.size()) value = words[i + 1];
      if (value.empty()) continue;
      if (!s.choices.empty()) {
        s.chosen = value;
      } else {
        s.value = parse_number(value);
        s.high = std::max(s.high, s.value);
      }
    }
  return out;
}

/// The same words without `--key VALUE` and `--key=VALUE`.
std::vector<std::string> without(const std::vector<std::string>& words, const std::string& key) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with("--" + key + "=")) continue;
    if (words[i] == "--" + key) {
      ++i;
      continue;
    }
    out.push_back(words[i]);
  }
  return out;
}

Json parse_body(const std::string& body) {
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) throw InputError("body:1: a JSON object is needed");
  return json;
}

/// What was asked for, checked against the sliders; numbers as text.
std::map<std::string, std::string> settings(const Json& json, const std::vector<Slider>& sliders) {
  Problems problems;
  std::map<std::string, std::string> out;
  const Json set = json.value("set", Json::object());
  if (!set.is_object()) throw InputError("body:1: set: an object {KEY: VALUE}");
  for (const auto& [key, value] : set.items()) {
    const std::string field = "set." + key;
    const auto s = std::find_if(sliders.begin(), sliders.end(),
                                [&, k = key](const Slider& known) { return known.key == k; });
    if (s == sliders.end()) {
      std::vector<std::string> keys;
      for (const Slider& known : sliders) keys.push_back(known.key);
      problems.add({"body", 1}, field.substr(0, 80),
                   fmt::format("one of {}", fmt::join(keys, ", ")));
      continue;
    }
    if (!s->choices.empty()) {
      const std::string word = value.is_string() ? value.get<std::string>() : "\x01";
      if (std::find(s->choices.begin(), s->choices.end(), word) == s->choices.end())
        problems.add({"body", 1}, field, fmt::format("one of {}", fmt::join(s->choices, ", ")));
      else if (!word.empty())
        out[key] = word;
      continue;
    }
    const double x = value.is_number() ? value.get<double>() : std::nan("");
    const bool whole = s->step == std::floor(s->step);
    if (!(x >= s->low && x <= s->high) || (whole && x != std::floor(x)))
      problems.add({"body", 1}, field,
                   fmt::format("a {} from {} to {}", whole ? "whole number" : "number",
                               shortest(s->low), shortest(s->high)));
    else
      out[key] = shortest(x);
  }
  problems.throw_if_any();
  return out;
}

int time_limit(const Json& json, int most) {
  const auto it = json.find("time_limit_s");
  if (it == json.end()) return std::min(20, most);
  const double x = it->is_number() ? it->get<double>() : -1;
  if (!(x >= 1 && x <= most))
    throw InputError(fmt::format("body:1: time_limit_s: a number from 1 to {}", most));
  return static_cast<int>(x);
}

std::string text_of(const Json& json, const char* key) {
  const auto it = json.find(key);
  if (it == json.end() || !it->is_string() || it->get<std::string>().size() > 200)
    throw InputError(fmt::format("body:1: {}: a text", key));
  return it->get<std::string>();
}

void only(const Json& json, std::initializer_list<const char*> known) {
  for (const auto& [key, value] : json.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw InputError(
          fmt::format("body:1: {}: one of {}", key.substr(0, 60), fmt::join(known, ", ")));
}

/// For a shell.
std::string quoted(const std::string& word) {
  const bool plain =
      !word.empty() &&
      word.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:%@") == word.npos;
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string command_of(const std::vector<std::string>& words) {
  std::string out = "carnot";
  for (const std::string& word : words) out += " " + quoted(word);
  return out;
}

}  // namespace

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> out;
  std::string word;
  bool open = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c, open = true;
    } else if (c == '\\' && i + 1 < text.size()) {
      word += text[++i], open = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (open) out.push_back(std::exchange(word, ""));
      open = false;
    } else {
      word += c, open = true;
    }
  }
  if (quote != 0) throw InputError("a quote that is closed, found `" + text.substr(0, 60) + "`");
  if (open) out.push_back(word);
  return out;
}

WhatIf::WhatIf(std::vector<std::string> models, const std::vector<std::string>& simulations) {
  for (const std::string& path : models) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    if (error) throw InputFileError(path, "open", error.value());
    const bool config = real.filename() == "config.json";
    const std::string name = (config ? real.parent_path() : real).filename().string();
    models_.push_back({fmt::format("model-{}", models_.size() + 1),
                       name,
                       {"explain", real.string()},
                       {"explain", name}});
  }
  for (const std::string& flags : simulations) {
    Command c{
        fmt::format("simulation-{}", simulations_.size() + 1), "", {"simulate"}, {"simulate"}};
    for (const std::string& word : split_words(flags)) {
      // Jobs run in a folder of their own, and pages show no path of this machine.
      const std::size_t value = word.starts_with("--") ? word.find('=') : word.npos;
      const std::string flag = value == word.npos ? "" : word.substr(0, value + 1);
      const std::string path = value == word.npos ? word : word.substr(value + 1);
      std::error_code error;
      const fs::path real = path.starts_with('-') ? fs::path() : fs::canonical(path, error);
      const bool file =
          !real.empty() && !error && path.find_first_not_of("0123456789") != path.npos;
      c.words.push_back(file ? flag + real.string() : word);
      c.shown.push_back(file ? flag + real.filename().string() : word);
    }
    for (const char* writes : {"--events", "--checkpoint", "--replay", "--resume", "--list"})
      for (const std::string& word : c.words)
        if (word == writes || word.starts_with(std::string(writes) + "="))
          throw InputError(fmt::format("--simulate: without {}", writes));
    c.name = fmt::format("{}", fmt::join(c.shown, " "));
    simulations_.push_back(std::move(c));
  }
}

std::vector<WhatIfBase> WhatIf::bases(Library& plans) const {
  std::vector<WhatIfBase> out;
  for (const LibraryFile& file : plans.files(FileKind::Plan))
    out.push_back({"plan", file.id, file.name, plan_sliders()});
  for (const Command& c : models_) out.push_back({"explain", c.id, c.name, explain_sliders()});
  for (const Command& c : simulations_)
    out.push_back({"simulate", c.id, c.name, simulate_sliders(c.words)});
  return out;
}

JobRequest WhatIf::request(const std::string& kind, const std::string& body, Library& plans,
                           JobRunner& jobs) const {
  const Json json = parse_body(body);
  only(json, {"id", "set", "time_limit_s"});
  const std::string id = text_of(json, "id");
  const int seconds = time_limit(json, jobs.limits().seconds);
  if (kind == "plan") {
    const auto file = plans.find(id, FileKind::Plan);
    if (!file) throw Missing();
    std::map<std::string, double> change;
    for (const auto& [key, value] : settings(json, plan_sliders()))
      change[key] = parse_number(value);
    const std::string folder = jobs.make_folder();
    plan::Problem problem = plan::read_plan(file->path).problem;
    change_problem(problem, change);
    plan::write_problem(problem, folder);
    std::vector<std::string> words{"plan",
                                   folder + "/problem.json",
                                   "--out",
                                   folder + "/plan.json",
                                   "--json",
                                   "--time-limit",
                                   std::to_string(std::max(1, seconds * 3 / 4))};
    return {"plan", std::move(words), "carnot plan problem.json", id, folder, seconds};
  }
  const std::vector<Command>& known = kind == "explain" ? models_ : simulations_;
  const auto base =
      std::find_if(known.begin(), known.end(), [&](const Command& c) { return c.id == id; });
  if (base == known.end()) throw Missing();
  std::vector<std::string> words = base->words, shown = base->shown;
  for (const auto& [key, value] :
       settings(json, kind == "explain" ? explain_sliders() : simulate_sliders(base->words))) {
    words = without(words, key);
    shown = without(shown, key);
    for (auto* list : {&words, &shown}) list->insert(list->end(), {"--" + key, value});
  }
  words.push_back("--json");
  return {kind, std::move(words), command_of(shown), id, "", seconds};
}

}  // namespace carnot::app
