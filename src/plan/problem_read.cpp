// SPDX-License-Identifier: Apache-2.0
#include "plan/problem_read.hpp"

#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/file.hpp"

namespace carnot::plan {

namespace {

using Json = nlohmann::json;
constexpr std::int64_t kMostSlots = 100'000, kMostSites = 100'000;

/// Characters of a text that count the lines gone by.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  CountingIterator(const char* at, std::size_t* line) : at_(at), line_(line) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *line_ += *at_ == '\n';
    ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* line_;
};

/// A document and where its parts begin.
struct Document {
  Json root;
  std::map<std::string, std::size_t> key_line;                 // of the top
  std::map<std::string, std::vector<std::size_t>> entry_line;  // of objects in its arrays
};

Document parse(std::string_view text, const std::string& path) {
  Document document;
  std::size_t line = 1;
  std::string key;
  const auto note = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    if (depth == 1 && event == Json::parse_event_t::key) {
      key = parsed.get<std::string>();
      document.key_line[key] = line;
    } else if (depth == 2 && event == Json::parse_event_t::object_start) {
      document.entry_line[key].push_back(line);
    }
    return true;
  };
  try {
    document.root = Json::parse(CountingIterator(text.data(), &line),
                                CountingIterator(text.data() + text.size(), &line), note);
  } catch (const Json::exception& error) {
    throw InputError(describe({path, line}, "", fmt::format("JSON; {}", error.what())));
  }
  if (!document.root.is_object()) throw InputError(describe({path, 1}, "", "a JSON object"));
  return document;
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& path)
      : path_(path), document_(parse(text, path)) {}

  Problem read() {
    const Json& root = document_.root;
    if (root.value("schema", Json()) != "carnot.problem/1") top("schema", "\"carnot.problem/1\"");
    problem_.slot_s = number(root, "slot_s", line_of("slot_s"), "slot_s", 1e-3, 1e9);
    problem_.slots =
        static_cast<std::int32_t>(whole(root, "slots", line_of("slots"), "slots", 1, kMostSlots));
    problem_.carbon_price_eur_per_t =
        root.contains("carbon_price_eur_per_t")
            ? number(root, "carbon_price_eur_per_t", line_of("carbon_price_eur_per_t"),
                     "carbon_price_eur_per_t", -1e9, 1e9)
            : 0.0;
    findings_.throw_if_any();
    read_sites();
    findings_.throw_if_any();  // jobs are measured against sites
    read_jobs();
    findings_.throw_if_any();
    return std::move(problem_);
  }

 private:
  std::size_t line_of(const std::string& key) const {
    const auto at = document_.key_line.find(key);
    return at == document_.key_line.end() ? 1 : at->second;
  }
  std::size_t line_of(const std::string& key, std::size_t entry) const {
    const auto at = document_.entry_line.find(key);
    return at == document_.entry_line.end() || entry >= at->second.size() ? line_of(key)
                                                                          : at->second[entry];
  }
  void wrong(std::size_t line, std::string_view field, std::string_view what) {
    findings_.add({path_, line}, field, what);
  }
  void top(const std::string& key, std::string_view what) { wrong(line_of(key), key, what); }

  double number(const Json& in, const char* key, std::size_t line, const std::string& field,
                double low, double high) {
    const auto at = in.find(key);
    if (at != in.end() && at->is_number()) {
      const double x = at->get<double>();
      if (x >= low && x <= high) return x;
    }
    wrong(line, field, fmt::format("a number, {} to {}", low, high));
    return low;
  }

  std::int64_t whole(const Json& in, const char* key, std::size_t line, const std::string& field,
                     std::int64_t low, std::int64_t high) {
    const auto at = in.find(key);
    if (at != in.end() && at->is_number_integer() && at->get<double>() >= -1e18 &&
        at->get<double>() <= 1e18) {
      const auto x = at->get<std::int64_t>();
      if (x >= low && x <= high) return x;
    }
    wrong(line, field, fmt::format("a whole number, {} to {}", low, high));
    return low;
  }

  std::vector<double> series(const Json& site, const char* key, std::size_t line,
                             const std::string& field, double low, bool open) {
    const auto slots = static_cast<std::size_t>(problem_.slots);
    std::vector<double> out;
    const auto at = site.find(key);
    if (open && (at == site.end() || at->is_null()))
      return std::vector<double>(slots, std::numeric_limits<double>::infinity());
    if (at == site.end() || !at->is_array() || at->size() != slots) {
      wrong(line, field,
            fmt::format("{} numbers, one a slot{}", slots,
                        at != site.end() && at->is_array() ? fmt::format(", not {}", at->size())
                                                           : std::string()));
      return std::vector<double>(slots, 1.0);
    }
    for (std::size_t t = 0; t < slots; ++t) {
      const Json& x = (*at)[t];
      if (open && x.is_null()) {
        out.push_back(std::numeric_limits<double>::infinity());
      } else if (x.is_number() && x.get<double>() >= low && x.get<double>() <= 1e12) {
        out.push_back(x.get<double>());
      } else {
        wrong(line, fmt::format("{}[{}]", field, t), fmt::format("a number, {} to 1e12", low));
        out.push_back(1.0);
      }
    }
    return out;
  }

  void read_sites() {
    const auto sites = document_.root.find("sites");
    if (sites == document_.root.end() || !sites->is_array() || sites->empty() ||
        sites->size() > static_cast<std::size_t>(kMostSites))
      return top("sites", fmt::format("a list of 1 to {} sites", kMostSites));
    for (std::size_t s = 0; s < sites->size(); ++s) {
      const Json& in = (*sites)[s];
      const std::size_t line = line_of("sites", s);
      const std::string at = fmt::format("sites[{}]", s);
      if (!in.is_object()) {
        wrong(line, at, "an object");
        continue;
      }
      PlanSite site;
      if (in.contains("name") && in["name"].is_string())
        site.name = in["name"];
      else
        wrong(line, at + ".name", "text");
      const auto column = [&](const char* key, double low, bool open = false) {
        return series(in, key, line, at + "." + key, low, open);
      };
      site.capacity_kw = column("capacity_kw", 1e-9);
      site.pue = column("pue", 1.0);
      site.free_kw = column("free_kw", 0.0);
      site.price_eur_per_kwh = column("price_eur_per_kwh", -1e6);
      site.carbon_g_per_kwh = column("carbon_g_per_kwh", -1e9);
      site.grid_limit_kw = column("grid_limit_kw", 0.0, true);
      if (in.contains("latitude") || in.contains("longitude")) {
        site.latitude = number(in, "latitude", line, at + ".latitude", -90, 90);
        site.longitude = number(in, "longitude", line, at + ".longitude", -180, 180);
      }
      problem_.sites.push_back(std::move(site));
    }
  }

  void read_jobs() {
    const auto jobs = document_.root.find("jobs");
    if (jobs != document_.root.end() && jobs->is_string()) {
      const std::string path =
          (std::filesystem::path(path_).parent_path() / jobs->get<std::string>()).string();
      errno = 0;
      std::ifstream in(path, std::ios::binary);
      if (!in) throw InputFileError(path, "open", errno);
      return parse_jobs_csv(in, path, problem_, findings_);
    }
    if (jobs == document_.root.end() || !jobs->is_array())
      return top("jobs", "a list of jobs, or the path of a CSV");
    std::vector<std::size_t> entry;
    for (std::size_t j = 0; j < jobs->size(); ++j) {
      read_job((*jobs)[j], j);
      if (problem_.jobs.size() > entry.size()) entry.push_back(j);
    }
    for (const auto& [first, again] : repeated_ids(problem_.jobs))
      wrong(
          line_of("jobs", entry[again]), fmt::format("jobs[{}].id", entry[again]),
          fmt::format("`{}` is the id of jobs[{}] already", problem_.jobs.id(again), entry[first]));
  }

  void read_job(const Json& in, std::size_t j) {
    const std::size_t line = line_of("jobs", j), before = findings_.count();
    const std::string at = fmt::format("jobs[{}]", j);
    if (!in.is_object()) return wrong(line, at, "an object");
    JobRow row;
    const auto id = in.find("id");
    if (id != in.end() && id->is_string()) row.id = id->get_ref<const std::string&>();
    row.release = whole(in, "release", line, at + ".release", 0, problem_.slots - 1);
    row.deadline = whole(in, "deadline", line, at + ".deadline", 1, problem_.slots);
    row.value = number(in, "value_eur", line, at + ".value_eur", 0, 1e12);
    const auto sites = in.find("sites");
    if (sites != in.end() && !sites->is_null()) {
      if (!sites->is_array() || sites->empty())
        wrong(line, at + ".sites", "null, or a list of at least one site");
      else
        for (const Json& s : *sites) {
          if (s.is_number_unsigned() && s.get<std::uint64_t>() < problem_.sites.size())
            row.sites.push_back(s.get<std::uint32_t>());
          else
            wrong(line, at + ".sites", fmt::format("sites, 0 to {}", problem_.sites.size() - 1));
        }
    }
    const auto move = in.find("move_cost_eur");
    if (move != in.end() && !move->is_null()) {
      if (!move->is_array() || move->size() != problem_.sites.size())
        wrong(line, at + ".move_cost_eur",
              fmt::format("null, or {} numbers, one a site", problem_.sites.size()));
      else
        for (const Json& x : *move)
          row.move_row.push_back(x.is_number() ? x.get<double>()
                                               : std::numeric_limits<double>::quiet_NaN());
    }
    const auto modes = in.find("modes");
    if (modes == in.end() || !modes->is_array()) return wrong(line, at + ".modes", "a list");
    for (std::size_t m = 0; m < modes->size(); ++m) {
      const Json& mode = (*modes)[m];
      const std::string name = fmt::format("{}.modes[{}]", at, m);
      if (!mode.is_object()) return wrong(line, name, "an object");
      PlanMode x;
      x.slots =
          static_cast<std::int32_t>(whole(mode, "slots", line, name + ".slots", 1, problem_.slots));
      x.power_kw = number(mode, "power_kw", line, name + ".power_kw", 0, 1e12);
      x.quality_eur =
          number(mode, "quality_cost_eur", line, name + ".quality_cost_eur", -1e12, 1e12);
      row.modes.push_back(x);
    }
    if (findings_.count() == before) check_and_add(row, {path_, line}, problem_, findings_);
  }

  std::string path_;
  Document document_;
  Problem problem_;
  Findings findings_;
};

}  // namespace

Problem parse_problem(std::string_view text, const std::string& path) {
  return Reader(text, path).read();
}

Problem read_problem(const std::string& path) {
  std::string text;
  try {
    text = read_file(path);
  } catch (const IoError& error) {
    throw InputFileError(error.what());
  }
  return parse_problem(text, path);
}

}  // namespace carnot::plan
