// SPDX-License-Identifier: Apache-2.0
#include "carnot/simulate/event_log.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/hash.hpp"
#include "carnot/base/state_bytes.hpp"
#include "carnot/base/text.hpp"

#include "simulate/engine.hpp"

namespace carnot::simulate {

namespace {

constexpr std::string_view kFirst = "# carnot.events/1\ntime_ns,event,job,site,nodes,mode\n";
constexpr std::string_view kTotal = "# total ";
constexpr std::array<std::string_view, 18> kNames{
    "arrived", "started",    "resized", "stopping",  "stopped", "finished",
    "killed",  "moving",     "dropped", "cancelled", "broke",   "mended",
    "called",  "call-ended", "battery", "closed",    "opened",  "ended"};

using Totals = std::map<std::string, double>;

Totals totals_of(const FleetResult& r) {
  const FleetFlows& f = r.flows;
  return {{"it_j", f.it.in(joule)},
          {"idle_j", f.idle.in(joule)},
          {"facility_j", f.facility.in(joule)},
          {"own_total_j", f.own_total.in(joule)},
          {"own_used_j", f.own_used.in(joule)},
          {"exported_j", f.exported.in(joule)},
          {"curtailed_j", f.curtailed.in(joule)},
          {"charged_own_j", f.charged_own.in(joule)},
          {"charged_grid_j", f.charged_grid.in(joule)},
          {"discharged_j", f.discharged.in(joule)},
          {"grid_j", f.grid.in(joule)},
          {"carbon_g", f.carbon.in(gram)},
          {"cost_eur", f.cost.in(euro)},
          {"node_s", f.node_time.in(second)},
          {"call_asked_j", f.call_asked.in(joule)},
          {"call_short_j", f.call_short.in(joule)},
          {"finished", static_cast<double>(r.finished)},
          {"starts", static_cast<double>(r.starts)},
          {"moves", static_cast<double>(r.moves)},
          {"failures", static_cast<double>(r.failures)},
          {"kills", static_cast<double>(r.kills)},
          {"cancelled", static_cast<double>(r.cancelled)}};
}

/// Rebuilds loads from events.
class Replayer {
 public:
  Replayer(const FleetScenario& scenario, const Workload& workload, const FleetOptions& options)
      : scenario_(scenario), workload_(workload), options_(options), held_(workload.size()) {
    for (const FleetSite& site : scenario.sites) {
      Site& s = sites_.emplace_back(SiteMeter(scenario, site, options.begin));
      s.up = s.free = static_cast<std::int64_t>(site.hall.nodes);
      s.idle_mw = std::llround(site.hall.node_idle.in(1e-3 * watt));
      s.broken_mw = std::llround(site.hall.node_suspended.in(1e-3 * watt));
      book(s, options.begin);
    }
    out_.result.begin = options.begin;
    out_.result.jobs = workload.size();
  }

  void apply(const FleetEvent& e) {
    at_ = e.at;
    ++out_.events;
    expect(e.at >= last_, "time does not go backward");
    last_ = e.at;
    FleetResult& r = out_.result;
    switch (e.kind) {
      case FleetEventKind::Started:
        ++r.starts;
        if (expect(held_[e.job].nodes == 0 && !held_[e.job].over, "a job starts once at a time"))
          take(e);
        break;
      case FleetEventKind::Resized:
        if (give(e.job)) take(e);
        break;
      case FleetEventKind::Stopped:
        give(e.job);
        break;
      case FleetEventKind::Killed:
        ++r.kills, give(e.job);
        break;
      case FleetEventKind::Finished:
        ++r.finished;
        give(e.job);
        expect(!held_[e.job].over, "a job ends once");
        held_[e.job].over = true;
        break;
      case FleetEventKind::Moving:
        ++r.moves;
        break;
      case FleetEventKind::Broke:
        ++r.failures, node(e.site, -1);
        break;
      case FleetEventKind::Mended:
        node(e.site, 1);
        break;
      case FleetEventKind::Closed:
        node(e.site, -e.nodes);
        break;
      case FleetEventKind::Opened:
        node(e.site, e.nodes);
        break;
      case FleetEventKind::Cancelled:
        ++r.cancelled;
        expect(held_[e.job].nodes == 0 && !held_[e.job].over, "who is cancelled never ran");
        held_[e.job].over = true;
        break;
      case FleetEventKind::Called:
        sites_[e.site].meter.begin_call(at_, options_.calls.at(static_cast<std::size_t>(e.nodes)));
        break;
      case FleetEventKind::CallEnded:
        sites_[e.site].meter.end_call(at_);
        break;
      case FleetEventKind::Battery:
        sites_[e.site].meter.command_battery(at_, static_cast<control::BatteryCommand>(e.mode));
        break;
      case FleetEventKind::Ended:
        for (Site& s : sites_) s.meter.advance(at_);
        break;
      case FleetEventKind::Arrived:
      case FleetEventKind::Stopping:
      case FleetEventKind::Dropped:
        break;
    }
  }

  FleetReplay finish(const Totals& claimed) {
    FleetResult& r = out_.result;
    r.end = last_;
    for (std::size_t s = 0; s < sites_.size(); ++s) {
      FleetSiteResult& site = r.sites.emplace_back();
      site.name = scenario_.sites[s].name;
      site.flows = sites_[s].meter.flows();
      r.flows = r.flows + site.flows;
    }
    at_ = last_;
    const Totals found = totals_of(r);
    expect(claimed.size() == found.size(), "the log ends with its totals");
    for (const auto& [name, value] : claimed) {
      const auto at = found.find(name);
      expect(at != found.end() && at->second == value,
             fmt::format("{} is {}, not {}", name,
                         at == found.end() ? "no total" : shortest(at->second), shortest(value)));
    }
    return std::move(out_);
  }

 private:
  struct Site {
    explicit Site(SiteMeter m) : meter(std::move(m)) {}
    SiteMeter meter;
    std::int64_t up = 0, free = 0, broken = 0, busy_mw = 0, idle_mw = 0, broken_mw = 0;
  };
  struct Held {
    SiteIndex site = SiteIndex::none();
    std::int64_t nodes = 0, mw = 0;
    bool over = false;
  };

  bool expect(bool holds, std::string_view what) {
    if (!holds && out_.violations.size() < 50)
      out_.violations.push_back(fmt::format("{}: {}", at_.iso8601(), what));
    return holds;
  }

  void book(Site& s, Instant at) {
    const std::int64_t idle = s.free * s.idle_mw + s.broken * s.broken_mw;
    s.meter.set_load(at, {s.busy_mw + idle, idle, s.up - s.free});
  }

  void take(const FleetEvent& e) {
    Site& s = sites_[e.site];
    const std::int32_t of_mode = workload_.mode_sets[workload_.jobs[e.job].modes].at(e.mode).nodes;
    expect(e.nodes == (of_mode > 0 ? of_mode : workload_.jobs[e.job].nodes),
           "a job holds the nodes of its mode");
    held_[e.job].site = e.site;
    held_[e.job].nodes = e.nodes;
    held_[e.job].mw = e.nodes * node_milliwatts(scenario_, workload_, e.job, e.site, e.mode);
    s.free -= e.nodes;
    s.busy_mw += held_[e.job].mw;
    expect(s.free >= 0, "no site gives more nodes than are up");
    book(s, at_);
  }

  bool give(JobIndex job) {
    Held& held = held_[job];
    if (!expect(held.nodes > 0, "who gives nodes back holds some")) return false;
    Site& s = sites_[held.site];
    s.free += held.nodes;
    s.busy_mw -= held.mw;
    held.nodes = 0;
    book(s, at_);
    return true;
  }

  void node(SiteIndex site, std::int64_t more) {
    Site& s = sites_[site];
    s.up += more;
    s.free += more;
    s.broken -= more;
    expect(s.free >= 0 && s.broken >= 0, "nodes that break are up");
    book(s, at_);
  }

  const FleetScenario& scenario_;
  const Workload& workload_;
  const FleetOptions& options_;
  std::vector<Site> sites_;
  std::vector<Held> held_;
  FleetReplay out_;
  Instant at_, last_;
};

}  // namespace

FleetLog::FleetLog(std::string text) : text_(std::move(text)) {
  if (text_.empty()) text_ = kFirst;
  const std::size_t totals = text_.find(kTotal);
  if (totals != std::string::npos) text_.resize(totals);
}

void FleetLog::add(const FleetEvent& e) {
  const auto field = [](auto v) {
    return v == v.none() ? std::string() : std::to_string(std::uint32_t{v});
  };
  text_ += fmt::format("{},{},{},{},{},{}\n", e.at.unix_nanoseconds(),
                       kNames[static_cast<std::size_t>(e.kind)], field(e.job), field(e.site),
                       e.nodes, e.mode);
}

void FleetLog::close(const FleetResult& result) {
  for (const auto& [name, value] : totals_of(result))
    text_ += fmt::format("{}{} {}\n", kTotal, name, shortest(value));
}

namespace {

constexpr std::string_view kMagic = "carnot.checkpoint/1\n";

}  // namespace

std::string to_bytes(const FleetCheckpoint& checkpoint) {
  StateWriter w;
  w.sequence(checkpoint.state);
  w.text(checkpoint.log);
  const std::vector<std::uint8_t> body = w.take();
  std::string bytes(kMagic);
  bytes.append(reinterpret_cast<const char*>(body.data()), body.size());
  const std::uint64_t sum = fnv1a(bytes);
  bytes.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return bytes;
}

FleetCheckpoint checkpoint_of(std::string_view bytes, const std::string& name) {
  std::uint64_t sum = 0;
  if (bytes.size() < kMagic.size() + sizeof sum || bytes.substr(0, kMagic.size()) != kMagic)
    throw InputError(describe({name, 0}, "", "a file that --checkpoint wrote"));
  const std::string_view body = bytes.substr(0, bytes.size() - sizeof sum);
  std::memcpy(&sum, bytes.data() + body.size(), sizeof sum);
  if (fnv1a(body) != sum)
    throw InputError(describe({name, 0}, "", "a whole checkpoint; this one is damaged"));
  const std::vector<std::uint8_t> content(body.begin() + kMagic.size(), body.end());
  StateReader r(content);
  FleetCheckpoint checkpoint;
  checkpoint.state = r.sequence<std::uint8_t>();
  checkpoint.log = r.text();
  r.end();
  return checkpoint;
}

FleetReplay replay(std::string_view text, const std::string& name, const FleetScenario& scenario,
                   const Workload& workload, const FleetOptions& options) {
  if (text.substr(0, kFirst.size()) != kFirst)
    throw InputError(describe({name, 1}, "", "a log that begins `# carnot.events/1`"));
  Replayer replayer(scenario, workload, options);
  Totals claimed;
  std::size_t line_number = 2;
  text.remove_prefix(kFirst.size());
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const Place place{name, ++line_number};
    if (line.substr(0, kTotal.size()) == kTotal) {
      line.remove_prefix(kTotal.size());
      const std::size_t space = std::min(line.find(' '), line.size() - 1);
      claimed[std::string(line.substr(0, space))] = parse_number(line.substr(space + 1));
      continue;
    }
    std::array<std::string_view, 6> cell;
    std::size_t cells = 0;
    for (std::size_t at = 0; at <= line.size(); ++cells) {
      const std::size_t comma = std::min(line.find(',', at), line.size());
      if (cells < cell.size()) cell[cells] = line.substr(at, comma - at);
      at = comma + 1;
    }
    const auto kind = std::find(kNames.begin(), kNames.end(), cell[1]);
    if (cells != cell.size() || kind == kNames.end())
      throw InputError(describe(place, "", "time_ns,event,job,site,nodes,mode"));
    const auto whole = [&](std::size_t i, std::int64_t most) -> std::int64_t {
      std::int64_t value = -1;
      const auto [stop, error] =
          std::from_chars(cell[i].data(), cell[i].data() + cell[i].size(), value);
      if (error != std::errc{} || stop != cell[i].data() + cell[i].size() || value < 0 ||
          value > most)
        throw InputError(
            describe(place, "", fmt::format("column {}: a number up to {}", i + 1, most)));
      return value;
    };
    FleetEvent e;
    e.kind = static_cast<FleetEventKind>(kind - kNames.begin());
    e.at = Instant::from_unix_nanoseconds(whole(0, std::numeric_limits<std::int64_t>::max()));
    const bool of_job = e.kind <= FleetEventKind::Cancelled;
    if (of_job)
      e.job = static_cast<JobIndex>(whole(2, static_cast<std::int64_t>(workload.size()) - 1));
    if (e.kind != FleetEventKind::Ended)
      e.site =
          static_cast<SiteIndex>(whole(3, static_cast<std::int64_t>(scenario.sites.size()) - 1));
    e.nodes = static_cast<std::int32_t>(whole(
        4, e.kind == FleetEventKind::Called ? static_cast<std::int64_t>(options.calls.size()) - 1
                                            : 10'000'000));
    const std::size_t modes = of_job ? workload.mode_sets[workload.jobs[e.job].modes].size() : 3;
    e.mode = static_cast<std::uint8_t>(whole(5, static_cast<std::int64_t>(modes) - 1));
    replayer.apply(e);
  }
  return replayer.finish(claimed);
}

}  // namespace carnot::simulate
