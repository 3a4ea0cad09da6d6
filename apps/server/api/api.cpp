// SPDX-License-Identifier: Apache-2.0
#include "api.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/text.hpp"
#include "carnot/ledger/journal/journal.hpp"
#include "carnot/report/web/fleet.hpp"
#include "carnot/report/web/sensors.hpp"
#include "carnot/report/web/why.hpp"

namespace carnot::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kCached = 256;
constexpr std::size_t kPage = 50, kLargestPage = 200;

HttpResponse json(std::string body, unsigned status = 200) {
  return {status, "application/json; charset=utf-8", std::move(body) + "\n", {}};
}

std::string dumped(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// \throws InputError for a query of another form or out of range
std::size_t whole(const HttpRequest& request, const char* name, std::size_t otherwise,
                  std::size_t least, std::size_t most) {
  const std::optional<std::string> text = request.query(name);
  if (!text) return otherwise;
  const bool digits =
      !text->empty() && text->size() < 10 && text->find_first_not_of("0123456789") == text->npos;
  const std::size_t value = digits ? std::stoul(*text) : 0;
  if (!digits || value < least || value > most)
    throw InputError(fmt::format("{}: a whole number from {} to {}", name, least, most));
  return value;
}

HttpResponse not_here(const char* what) { return problem(404, fmt::format("no such {}", what)); }

std::string cursor_of(const LibraryFile& file) {
  return fmt::format("{}-{}", file.modified_ns, file.id);
}

/// Whether a file comes after the one that a cursor names. \throws InputError
bool comes_after(const LibraryFile& file, const std::string& cursor) {
  const std::size_t dash = cursor.rfind('-');
  try {
    if (dash == cursor.npos || dash == 0) throw InputError("");
    const auto modified = static_cast<std::int64_t>(parse_integer(cursor.substr(0, dash)));
    return file.modified_ns != modified ? file.modified_ns < modified
                                        : file.id > cursor.substr(dash + 1);
  } catch (const InputError&) {
    throw InputError("cursor: as `next` of the page before says");
  }
}

Json job_json(const JobView& v) {
  Json out{{"id", v.id},
           {"kind", v.kind},
           {"subject", v.subject},
           {"command", v.shown},
           {"state", name(v.state)},
           {"before", v.before},
           {"seconds", v.seconds},
           {"seconds_text", fmt::format("{:.1f} s", v.seconds)},
           {"limit_s", v.limit_s},
           {"share", std::min(1.0, v.seconds / std::max(1, v.limit_s))},
           {"progress", v.progress},
           {"error", v.error.empty() ? Json() : Json(v.error)},
           {"result", nullptr}};
  if (v.state == JobState::Done) out["result"] = fmt::format("/api/v1/jobs/{}/result", v.id);
  return out;
}

}  // namespace

Api::Api(ApiOptions options)
    : options_(std::move(options)),
      library_(options_.files),
      what_if_(options_.models, options_.simulations),
      jobs_(options_.program, options_.jobs),
      feed_(options_.live_kept),
      live_(options_.account) {}

Route Api::get(const char* path, Answer answer, bool slow) {
  return {"GET", path, [this, answer](const HttpRequest& r) { return (this->*answer)(r); }, nullptr,
          slow};
}
Route Api::post(const char* path, Answer answer, bool slow) {
  Route route = get(path, answer, slow);
  route.method = "POST";
  return route;
}

std::vector<Route> Api::routes() {
  return {{"GET", "/api/v1/live", {}, &feed_},
          get("/api/v1/sensors", &Api::sensors, false),
          get("/api/v1/runs", &Api::runs),
          get("/api/v1/runs/{}", &Api::run),
          get("/api/v1/runs/{}/series", &Api::series),
          get("/api/v1/compare", &Api::compare),
          get("/api/v1/plans", &Api::plans),
          get("/api/v1/plans/{}", &Api::plan),
          get("/api/v1/simulations", &Api::simulations),
          get("/api/v1/simulations/{}", &Api::simulation),
          get("/api/v1/explanations", &Api::explanations),
          get("/api/v1/explanations/{}", &Api::explanation),
          get("/api/v1/what-if", &Api::what_if),
          post("/api/v1/plan", &Api::start_job),
          post("/api/v1/explain", &Api::start_job),
          post("/api/v1/simulate", &Api::start_job),
          post("/api/v1/query", &Api::query),
          get("/api/v1/jobs", &Api::jobs, false),
          get("/api/v1/jobs/{}", &Api::job, false),
          get("/api/v1/jobs/{}/result", &Api::job_result),
          get("/api/v1/jobs/{}/problem", &Api::job_problem),
          post("/api/v1/jobs/{}/cancel", &Api::cancel_job, false)};
}

void Api::replay(const std::vector<ledger::Entry>& entries) {
  for (const ledger::Entry& entry : entries)
    if (const auto event = live_.replay(entry)) feed_.publish("sample", event->data, event->id);
}

void Api::take(const ledger::MeasurementSample& sample,
               std::span<const meter::ProcessUse> processes, const meter::Meter& meter) {
  const auto event = live_.sample(sample);
  live_.processes(processes);
  if (event) feed_.publish("sample", event->data, event->id);
  std::string text = report::sensors_json(meter, sample);
  const std::lock_guard lock(sensors_mutex_);
  sensors_ = std::move(text);
}

HttpResponse Api::sensors(const HttpRequest&) {
  const std::lock_guard lock(sensors_mutex_);
  if (sensors_.empty()) return problem(503, "the first sample is still to come");
  return json(sensors_);
}

std::string Api::text_of(const LibraryFile& file) const {
  if (file.bytes > options_.largest_file)
    throw InputError(
        fmt::format("{}: at most {} MB are read here", file.name, options_.largest_file >> 20));
  return read_file(file.path);
}

std::vector<ledger::Entry> Api::entries_of(const LibraryFile& file) const {
  if (file.bytes > options_.largest_file)
    throw InputError(fmt::format("{}: at most {} MB are read here; `carnot report` reads more",
                                 file.name, options_.largest_file >> 20));
  return ledger::read_journal(file.path, ledger::KeepStates::None).entries;
}

std::shared_ptr<const report::RunDocument> Api::document(const LibraryFile& file) {
  Cached& cached = cache_[file.id];
  if (cached.document && cached.modified_ns == file.modified_ns && cached.bytes == file.bytes)
    return cached.document;
  report::RunDocument made;
  try {
    made = report::run_document(file.id, file.name, entries_of(file));
    // A row needs no series, and a day's is large.
    if (made.measurement) made.measurement->series = {};
  } catch (const Error& e) {
    made = {file.id, file.name, e.what(), "", std::nullopt, std::nullopt};
  }
  // Messages name the file as the system knows it; pages need not.
  for (std::size_t at; (at = made.problem.find(file.path)) != made.problem.npos;)
    made.problem.replace(at, file.path.size(), file.name);
  if (cache_.size() > kCached) cache_.clear();
  auto document = std::make_shared<const report::RunDocument>(std::move(made));
  cache_[file.id] = {file.modified_ns, file.bytes, document};
  return document;
}

HttpResponse Api::runs(const HttpRequest& request) {
  const std::size_t most = whole(request, "limit", kPage, 1, kLargestPage);
  const std::string cursor = request.query("cursor").value_or("");
  const std::string wanted = request.query("q").value_or("");
  std::vector<std::shared_ptr<const report::RunDocument>> kept;
  std::vector<const report::RunDocument*> page;
  std::string next;
  const std::vector<LibraryFile> files = library_.files(FileKind::Journal);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!cursor.empty() && !comes_after(files[i], cursor)) continue;
    if (files[i].name.find(wanted) == std::string::npos) continue;
    if (page.size() == most) {
      next = cursor_of(files[i - 1]);
      break;
    }
    kept.push_back(document(files[i]));
    page.push_back(kept.back().get());
  }
  return json(report::runs_json(page, next));
}

std::optional<Api::Row> Api::row(const std::string& id) {
  const std::size_t dot = id.find('.');
  const auto file = library_.find(id.substr(0, dot), FileKind::Journal);
  if (!file) return std::nullopt;
  Row out{*file, document(*file), 0};
  if (dot != id.npos) {
    const std::string lane = id.substr(dot + 1);
    if (lane.empty() || lane.size() > 4 || lane.find_first_not_of("0123456789") != lane.npos)
      return std::nullopt;
    out.lane = std::stoul(lane);
    if (!out.document->run || out.lane >= out.document->run->lanes.size()) return std::nullopt;
  }
  return out;
}

HttpResponse Api::run(const HttpRequest& request) {
  const auto found = row(request.parts.at(0));
  if (!found) return not_here("run");
  if (!found->document->problem.empty()) return problem(422, found->document->problem);
  return json(report::run_json(*found->document));
}

HttpResponse Api::series(const HttpRequest& request) {
  const auto found = row(request.parts.at(0));
  if (!found) return not_here("run");
  const std::size_t most = whole(request, "max_points", 500, 2, 5000);
  if (!found->document->problem.empty()) return problem(422, found->document->problem);
  return json(
      report::run_series_json(*found->document, found->lane, entries_of(found->file), most));
}

HttpResponse Api::compare(const HttpRequest& request) {
  const std::string ids = request.query("ids").value_or("");
  std::vector<Row> found;
  for (std::size_t from = 0; from < ids.size();) {
    const std::size_t to = std::min(ids.find(',', from), ids.size());
    auto one = row(ids.substr(from, to - from));
    if (!one) return not_here("run");
    found.push_back(std::move(*one));
    if (found.size() > 32) throw InputError("ids: at most 32");
    from = to + 1;
  }
  std::vector<report::ComparedRow> rows;
  for (const Row& r : found) rows.push_back({r.document.get(), r.lane});
  return json(report::compare_json(rows));
}

HttpResponse Api::listing(FileKind kind) {
  Json rows = Json::array();
  for (const LibraryFile& file : library_.files(kind)) {
    if (rows.size() == 500) break;
    rows.push_back({{"id", file.id},
                    {"name", file.name},
                    {"modified", Instant::from_unix_nanoseconds(file.modified_ns).iso8601()}});
  }
  return json(dumped({{"files", std::move(rows)}}));
}

HttpResponse Api::plans(const HttpRequest&) { return listing(FileKind::Plan); }
HttpResponse Api::simulations(const HttpRequest&) { return listing(FileKind::Simulation); }
HttpResponse Api::explanations(const HttpRequest&) { return listing(FileKind::Explanation); }

namespace {

/// A file that does not read: its words, without the folder it lies in.
HttpResponse unreadable(const Error& error, const LibraryFile& file) {
  std::string words = error.what();
  const std::string folder = std::filesystem::path(file.path).parent_path().string() + "/";
  for (std::size_t at; (at = words.find(folder)) != words.npos;) words.erase(at, folder.size());
  return problem(422, words);
}

}  // namespace

HttpResponse Api::plan(const HttpRequest& request) {
  const auto file = library_.find(request.parts.at(0), FileKind::Plan);
  if (!file) return not_here("plan");
  const std::size_t most = whole(request, "max_points", 400, 2, 5000);
  try {
    // Rules are worked out again; those that would take long are left out.
    return json(report::fleet_plan_json(report::report_plan(file->path, {}, {}, 2e8), file->id,
                                        file->name, most));
  } catch (const Error& e) {
    return unreadable(e, *file);
  }
}

HttpResponse Api::simulation(const HttpRequest& request) {
  const auto file = library_.find(request.parts.at(0), FileKind::Simulation);
  if (!file) return not_here("simulation");
  try {
    return json(report::fleet_simulation_json(text_of(*file), file->id, file->name));
  } catch (const Error& e) {
    return unreadable(e, *file);
  }
}

HttpResponse Api::explanation(const HttpRequest& request) {
  const auto file = library_.find(request.parts.at(0), FileKind::Explanation);
  if (!file) return not_here("explanation");
  try {
    return json(report::why_json(text_of(*file), file->id, file->name));
  } catch (const Error& e) {
    return unreadable(e, *file);
  }
}

HttpResponse Api::what_if(const HttpRequest&) {
  Json bases = Json::array();
  for (const WhatIfBase& base : what_if_.bases(library_)) {
    Json sliders = Json::array();
    for (const Slider& s : base.sliders) {
      Json row{{"key", s.key}, {"label", s.label}, {"unit", s.unit}};
      if (s.choices.empty())
        row.update({{"low", s.low},
                    {"high", s.high},
                    {"step", s.step},
                    {"value", s.value},
                    {"absolute", s.absolute}});
      else
        row.update({{"choices", s.choices}, {"value", s.chosen}});
      sliders.push_back(std::move(row));
    }
    bases.push_back({{"kind", base.kind},
                     {"id", base.id},
                     {"name", base.name},
                     {"sliders", std::move(sliders)}});
  }
  return json(dumped({{"bases", std::move(bases)}, {"limit_s", jobs_.limits().seconds}}));
}

HttpResponse Api::accepted(const std::string& id) const {
  if (id.empty()) return problem(429, "too many jobs are waiting; cancel one or come again");
  const auto view = jobs_.view(id);
  HttpResponse response = json(dumped(view ? job_json(*view) : Json{{"id", id}}), 202);
  response.headers.emplace_back("Location", "/api/v1/jobs/" + id);
  return response;
}

HttpResponse Api::start_job(const HttpRequest& request) {
  const std::string kind(request.path().substr(std::string_view("/api/v1/").size()));
  try {
    return accepted(jobs_.add(what_if_.request(kind, request.body, library_, jobs_)));
  } catch (const WhatIf::Missing&) {
    return problem(404, fmt::format("body:1: id: one that GET /api/v1/what-if lists for {}", kind));
  }
}

HttpResponse Api::query(const HttpRequest& request) {
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("id") || !body["id"].is_string() ||
      !body.contains("sql") || !body["sql"].is_string())
    throw InputError("body:1: an object {\"id\": ID of a run, \"sql\": one statement that reads}");
  const auto file = library_.find(body["id"].get<std::string>(), FileKind::Journal);
  if (!file) return not_here("run");
  const auto sql = body["sql"].get<std::string>();
  if (sql.empty() || sql.size() > 20'000) throw InputError("body:1: sql: 1 to 20000 characters");
  return accepted(jobs_.add({"query",
                             {"report", file->path, "--sql=" + sql},
                             "carnot report " + file->name + " --sql …",
                             file->id,
                             "",
                             30}));
}

HttpResponse Api::jobs(const HttpRequest&) {
  Json rows = Json::array();
  for (const JobView& v : jobs_.views()) rows.push_back(job_json(v));
  return json(dumped({{"jobs", std::move(rows)}}));
}

HttpResponse Api::job(const HttpRequest& request) {
  const auto view = jobs_.view(request.parts.at(0));
  return view ? json(dumped(job_json(*view))) : not_here("job");
}

HttpResponse Api::job_result(const HttpRequest& request) {
  const auto view = jobs_.view(request.parts.at(0));
  if (!view) return not_here("job");
  const auto text = jobs_.result(view->id);
  if (!text) return problem(409, fmt::format("it is {}", name(view->state)));
  if (view->kind == "query") return {200, "text/tab-separated-values; charset=utf-8", *text, {}};
  if (view->kind == "explain") return json(report::why_json(*text, view->id, "what if"));
  if (view->kind == "simulate")
    return json(report::fleet_simulation_json(*text, view->id, "what if"));
  const auto base = library_.find(view->subject, FileKind::Plan);
  // Without a plan the document says why there is none.
  if (!base || !report::is_plan(*text)) return json(*text);
  return json(report::plan_difference_json(text_of(*base), *text));
}

HttpResponse Api::job_problem(const HttpRequest& request) {
  const auto view = jobs_.view(request.parts.at(0));
  if (!view || view->kind != "plan") return not_here("problem");
  // The jobs lie in a file beside it: both as one document would be another format.
  const std::string which = request.query("file").value_or("problem.json");
  if (which != "problem.json" && which != "jobs.csv")
    throw InputError("file: problem.json or jobs.csv");
  HttpResponse response{200,
                        which == "jobs.csv" ? "text/csv; charset=utf-8" : "application/json",
                        read_file(view->folder + "/" + which),
                        {}};
  response.headers.emplace_back("Content-Disposition",
                                fmt::format("attachment; filename=\"{}\"", which));
  return response;
}

HttpResponse Api::cancel_job(const HttpRequest& request) {
  if (!jobs_.cancel(request.parts.at(0))) return not_here("job");
  return job(request);
}

}  // namespace carnot::app
