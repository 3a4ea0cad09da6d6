// SPDX-License-Identifier: Apache-2.0
// What is written for people and machines: audit, calls that are read, metrics, mode files.
#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/input/csv_table.hpp"
#include "carnot/base/text.hpp"

#include "live/slurm/engine.hpp"

namespace carnot::live {

void DispatchEngine::audit(SiteIndex site, const SlurmOrder& order, const SlurmOutcome& outcome) {
  Json jobs = Json::array(), ids = Json::array();
  for (const JobIndex j : order.jobs) {
    jobs.push_back(book_->name(j));
    ids.push_back(records_[j].id);
  }
  const control::SiteState& s = book_->view().sites()[site];
  journal_->audit({{"utc", clock_.utc().iso8601()},
                   {"site_time", book_->book().now().iso8601()},
                   {"site", config_.sites[site].name},
                   {"what", order_name(order.kind)},
                   {"jobs", jobs},
                   {"ids", ids},
                   {"command", shown(order.words)},
                   {"why", order.why},
                   {"policy", std::string(book_->policy().name())},
                   {"price_eur_per_mwh", s.price.in(euro_per_megawatt_hour)},
                   {"carbon_g_per_kwh", s.carbon.in(gram_per_kilowatt_hour)},
                   {"own_power_w", s.own.in(watt)},
                   {"result", outcome.timed_out ? "timed out"
                              : outcome.ok()    ? "done"
                                                : "refused"},
                   {"words", (outcome.ok() ? outcome.out : outcome.err).substr(0, 200)},
                   {"latency_ms", outcome.took.time().in(second)*1e3}});
}

std::string why_words(const DispatchConfig& config, const std::string& job) {
  std::string text;
  for (const Json& line : read_json_lines(config.state + "/audit.jsonl", true)) {
    bool of_it = false;
    for (const char* key : {"jobs", "ids"})
      for (const Json& name : line.at(key)) of_it = of_it || name == job;
    if (!of_it) continue;
    const std::string what = line.at("what"), result = line.at("result");
    const char* verb = what == "submit"    ? "was handed to Slurm"
                       : what == "begin"   ? "was given a begin time"
                       : what == "requeue" ? "was stopped and put back into the queue"
                       : what == "cancel"  ? "was taken out of the queue"
                       : what == "suspend" ? "was suspended"
                       : what == "resume"  ? "was resumed"
                       : what == "release" ? "was released"
                       : what == "joules"  ? "had its joules written to the accounts"
                                           : "had an order given";
    text += fmt::format("{} at {}: {} {}: {} ({}, {:.0f} ms).\n    {}\n",
                        line.at("utc").get<std::string>(), line.at("site").get<std::string>(), job,
                        verb, line.at("why").get<std::string>(),
                        result == "done" ? std::string("done")
                                         : result + ": " + line.at("words").get<std::string>(),
                        line.at("latency_ms").get<double>(), line.at("command").get<std::string>());
  }
  if (text.empty())
    throw InputError(
        fmt::format("job `{}`: no order has been given for it; the name of a job in the "
                    "list, SITE/ID, or a Slurm id",
                    job));
  return text;
}

void DispatchEngine::read_calls() {
  if (config_.calls.empty() || run_.task == DispatchTask::Release) return;
  std::string text;
  try {
    text = read_file(config_.calls);
  } catch (const IoError&) {
    return;  // none yet
  }
  const std::size_t whole = text.rfind('\n');
  text.resize(whole == std::string::npos ? 0 : whole + 1);
  constexpr std::string_view kHeader = "at_utc,site,length_s,power_kw,direction";
  std::size_t number = 0, calls = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    at = end + 1;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (++number == 1 && line != kHeader) {
      throw InputError(describe({config_.calls, 1}, "", fmt::format("the header {}", kHeader)));
    }
    if (number == 1 || line.empty() || calls++ < calls_.size()) continue;
    std::vector<std::string> cells;
    for (std::size_t c = 0; c <= line.size();) {
      const std::size_t comma = std::min(line.find(',', c), line.size());
      cells.push_back(line.substr(c, comma - c));
      c = comma + 1;
    }
    const Place place{config_.calls, number};
    // A line that does not read is said, and counted as read: it cannot become another one.
    control::ReserveCall call;
    call.site = 0;
    call.at = book_->book().now();
    call.length = Duration::nanoseconds(1);
    call.power = 1e-3 * watt;
    call.down = false;
    try {
      if (cells.size() != 5) throw InputError(describe(place, "", "five cells"));
      const auto site = std::find_if(config_.sites.begin(), config_.sites.end(),
                                     [&](const DispatchSite& s) { return s.name == cells[1]; });
      if (site == config_.sites.end()) throw InputError(describe(place, "site", "a site's name"));
      const Instant when = Instant::parse(cells[0], true);
      const double length = parse_number(cells[2]), power = parse_number(cells[3]);
      if (!(length > 0 && length <= 1e7) || !(power > 0 && power <= 1e9))
        throw InputError(describe(place, "length_s and power_kw", "above 0"));
      if (cells[4] != "down" && cells[4] != "up")
        throw InputError(describe(place, "direction", "down or up"));
      const Instant ends = when + Duration::from(length * second);
      const bool over = ends <= book_->book().now();
      if (over) throw InputError(describe(place, "at_utc", "a call that is not over yet"));
      call.site = site - config_.sites.begin();
      call.at = std::max(when, book_->book().now());
      call.length = ends - call.at;
      call.power = power * kilowatt;
      call.down = cells[4] == "down";
      say(fmt::format("{}: called for {} {} until {}", cells[1], format(call.power),
                      call.down ? "less" : "more", ends.iso8601()));
    } catch (const InputError& error) {
      say(error.what());
    }
    calls_.push_back(call);
    feed({{"in", "call"},
          {"site", static_cast<std::uint32_t>(call.site)},
          {"at", call.at.unix_nanoseconds()},
          {"length", call.length.nanoseconds()},
          {"power_w", call.power.in(watt)},
          {"down", call.down}});
  }
}

void DispatchEngine::write_metrics() {
  if (config_.metrics.empty()) return;
  std::string text;
  const auto head = [&](const char* name, const char* kind, const char* help) {
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, kind);
  };
  const control::View& view = book_->view();
  const auto by_site = [&](const char* name, const char* kind, const char* help, auto value) {
    head(name, kind, help);
    for (SiteIndex s = 0; s < links_.size(); ++s)
      text += fmt::format("{}{{site=\"{}\"}} {}\n", name, config_.sites[s].name, value(s));
  };
  by_site("carnot_dispatch_up", "gauge", "1: the cluster answered the last look",
          [&](SiteIndex s) { return links_[s].answers ? 1 : 0; });
  by_site("carnot_dispatch_power_watts", "gauge", "modelled draw of the facility",
          [&](SiteIndex s) { return view.sites()[s].facility.in(watt); });
  by_site("carnot_dispatch_price_eur_per_mwh", "gauge", "of grid power now",
          [&](SiteIndex s) { return view.sites()[s].price.in(euro_per_megawatt_hour); });
  by_site("carnot_dispatch_nodes_free", "gauge", "nodes that jobs in its care may take",
          [&](SiteIndex s) { return view.sites()[s].nodes_free; });
  by_site("carnot_dispatch_jobs_running", "gauge", "jobs in its care that hold nodes",
          [&](SiteIndex s) { return view.sites()[s].running; });
  by_site("carnot_dispatch_blind", "gauge", "1: power or prices are not known and jobs run",
          [&](SiteIndex s) { return links_[s].blind ? 1 : 0; });
  const simulate::FleetResult r = book_->book().result();
  head("carnot_dispatch_energy_joules_total", "counter", "modelled, at the facility");
  for (const simulate::FleetSiteResult& site : r.sites)
    text += fmt::format("carnot_dispatch_energy_joules_total{{site=\"{}\"}} {}\n", site.name,
                        site.flows.facility.in(joule));
  head("carnot_dispatch_commands_total", "counter", "that change something");
  for (SiteIndex s = 0; s < links_.size(); ++s)
    for (const auto& [what, n] : links_[s].commands)
      text += fmt::format("carnot_dispatch_commands_total{{site=\"{}\",what=\"{}\"}} {}\n",
                          config_.sites[s].name, what, n);
  head("carnot_dispatch_commands_failed_total", "counter", "refused or timed out");
  text += fmt::format("carnot_dispatch_commands_failed_total {}\n", failed_);
  head("carnot_dispatch_looks_total", "counter", "squeue queries");
  text += fmt::format("carnot_dispatch_looks_total {}\n", looks_);
  head("carnot_dispatch_jobs_finished_total", "counter", "");
  text += fmt::format("carnot_dispatch_jobs_finished_total {}\n", r.finished);
  head("carnot_dispatch_start_seconds", "histogram",
       "from when a start was wanted until it was seen");
  double sum = 0.0;
  for (const double s : latency_s_) sum += s;
  for (const double edge : {0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0})
    text += fmt::format(
        "carnot_dispatch_start_seconds_bucket{{le=\"{}\"}} {}\n", edge,
        std::count_if(latency_s_.begin(), latency_s_.end(), [&](double s) { return s <= edge; }));
  text += fmt::format(
      "carnot_dispatch_start_seconds_bucket{{le=\"+Inf\"}} {}\ncarnot_dispatch_start_seconds_sum "
      "{}\ncarnot_dispatch_start_seconds_count {}\n",
      latency_s_.size(), sum, latency_s_.size());
  try {
    write_file(config_.metrics, text, Directories::Create);
  } catch (const IoError& error) {
    say(error.what());
  }
}

// One line: mode, power of all its nodes in watt, until when it holds. A job that finds it out of
// date works as it would without.
void DispatchEngine::write_modes() {
  if (config_.jobs.mode_folder.empty()) return;
  const Instant utc = clock_.utc();
  const Duration holds = Duration::from(4.0 * config_.interval) + Duration::seconds(60);
  for (JobIndex j = 0; j < records_.size(); ++j) {
    JobRecord& r = records_[j];
    const control::JobStatus& status = book_->status(j);
    if (!r.own || status.phase != JobPhase::Running) continue;
    if (r.mode_written == status.mode &&
        (r.mode_until - utc).nanoseconds() > holds.nanoseconds() / 2)
      continue;
    const Power power =
        book_->view().nodes(j, status.mode) * book_->view().node_power(j, status.site, status.mode);
    r.mode_until = utc + holds;
    r.mode_written = status.mode;
    try {
      write_file(
          fmt::format("{}/{}.mode", config_.jobs.mode_folder, book_->name(j)),
          fmt::format("{} {} {}\n", status.mode, shortest(power.in(watt)), r.mode_until.iso8601()),
          Directories::Create);
    } catch (const IoError& error) {
      say(error.what());
    }
  }
}

}  // namespace carnot::live
