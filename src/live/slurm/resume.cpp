// SPDX-License-Identifier: Apache-2.0
// Beginning, and taking up what an earlier run left.
#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/csv_table.hpp"

#include "live/slurm/engine.hpp"

namespace carnot::live {

namespace {

std::string user_name() {
  const passwd* entry = getpwuid(geteuid());
  return entry != nullptr ? entry->pw_name : std::to_string(geteuid());
}

}  // namespace

DispatchEngine::DispatchEngine(DispatchConfig config,
                               std::vector<std::unique_ptr<SlurmCluster>> clusters,
                               DispatchClock& clock, DispatchRun run)
    : config_(std::move(config)), run_(std::move(run)), clock_(clock), me_(user_name()) {
  if (geteuid() == 0 && !run_.allow_root)
    throw InputError(
        "dispatch runs as root: give it an account of its own with Slurm's AdminLevel=Operator, or "
        "say --allow-root");
  if (!run_.fetch) run_.fetch = fetch_page;
  links_.resize(config_.sites.size());
  CARNOT_CHECK(clusters.size() == links_.size(), "a cluster for each site");
  for (std::size_t s = 0; s < links_.size(); ++s) {
    links_[s].cluster = std::move(clusters[s]);
    const DispatchSite& site = config_.sites[s];
    const auto add = [&](control::Signal signal, const LiveSignalOptions& o, Dimension d) {
      if (o.given()) links_[s].signals.emplace(signal, LiveSignal(o, d, run_.fetch));
    };
    add(control::Signal::Price, site.price, EnergyPrice::kDimension);
    add(control::Signal::Carbon, site.carbon, CarbonIntensity::kDimension);
    add(control::Signal::Temperature, site.temperature, Temperature::kDimension);
    add(control::Signal::TotalPower, site.own, Power::kDimension);
  }
  read_list();
  check_rights();
  journal_ = std::make_unique<DispatchJournal>(config_.state, run_.task == DispatchTask::DryRun);
  journal_->fault = run_.fault;
  last_filled_ = clock_.elapsed();
  take_up();
}

void DispatchEngine::read_list() {
  if (config_.jobs.file.empty()) return;
  const Workload list = read_workload(config_.jobs.file);
  const CsvTable table = CsvTable::read(config_.jobs.file);
  columns_ = table.header();
  if (table.rows() != list.size())
    throw InputError(fmt::format("{}: {} rows, of which {} are jobs: a length and nodes in each",
                                 config_.jobs.file, table.rows(), list.size()));
  const auto column_of = [&](const char* name) -> std::optional<std::size_t> {
    const auto at = std::find(columns_.begin(), columns_.end(), name);
    if (at == columns_.end()) return std::nullopt;
    return static_cast<std::size_t>(at - columns_.begin());
  };
  const auto ids = column_of("id"), sites = column_of("site"), arrivals = column_of("arrival_s");
  std::set<std::string> names;
  double before = 0.0;
  for (std::size_t j = 0; j < list.size(); ++j) {
    std::vector<std::string>& cells = rows_.emplace_back();
    for (const std::string& name : columns_) cells.push_back(table.text(j, name));
    if (arrivals) {
      const double at = table.number(j, *arrivals);
      if (at < before) table.refuse(j, "arrival_s", "in order of arrival");
      before = at;
    }
    const std::string name = ids ? cells[*ids] : std::to_string(j);
    if (name.empty() || name.size() > 100 ||
        name.find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
            std::string::npos ||
        !names.insert(name).second)
      table.refuse(j, "id", "distinct, of letters, digits, - and _");
    list_names_.push_back(name);
    JobRequest job = list.jobs[j];
    if (sites) {
      const auto at = std::find_if(config_.sites.begin(), config_.sites.end(),
                                   [&](const DispatchSite& s) { return s.name == cells[*sites]; });
      if (at == config_.sites.end()) table.refuse(j, "site", "the name of a site");
      job.origin = static_cast<std::uint32_t>(at - config_.sites.begin());
    }
    requests_.push_back(job);
  }
  if (!ids) columns_.emplace_back("id");
  for (std::size_t j = 0; !ids && j < rows_.size(); ++j) rows_[j].push_back(list_names_[j]);
}

SlurmOutcome DispatchEngine::ask(SiteIndex site, const std::vector<std::string>& words) {
  SlurmCluster& cluster = *links_[site].cluster;
  cluster.begin(words, Duration::from(config_.timeout));
  for (;;) {
    if (std::optional<SlurmOutcome> outcome = cluster.poll()) return std::move(*outcome);
    clock_.wait(Duration::nanoseconds(2'000'000));
  }
}

void DispatchEngine::check_rights() {
  Problems problems;
  const auto value_of = [](const std::string& text, const std::string& key) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::string line = text.substr(at, end - at);
      if (line.starts_with(key)) {
        const std::size_t equals = line.find('=');
        const std::size_t first = line.find_first_not_of(" =", equals);
        if (equals != std::string::npos && first != std::string::npos) return line.substr(first);
      }
      at = end + 1;
    }
    return std::string();
  };
  for (SiteIndex s = 0; s < links_.size(); ++s) {
    const DispatchSite& site = config_.sites[s];
    SiteLink& link = links_[s];
    for (const char* program : {"squeue", "scontrol", "sbatch", "scancel", "sdiag", "sinfo"})
      if (!link.cluster->has(program))
        throw DeviceError(
            fmt::format("{}: no program `{}` (Debian: slurm-client)", site.name, program));
    const SlurmOutcome shown_config = ask(s, {"scontrol", "show", "config"});
    if (!shown_config.ok()) {
      say(fmt::format("{}: does not answer yet", site.name));
      link.answers = false;
      continue;
    }
    const std::string storage = value_of(shown_config.out, "AccountingStorageType");
    link.accounts = storage == "accounting_storage/slurmdbd" && link.cluster->has("sacct") &&
                    link.cluster->has("sacctmgr");
    const std::string slurm_user = value_of(shown_config.out, "SlurmUser");
    const bool owner = me_ == "root" || slurm_user.substr(0, slurm_user.find('(')) == me_;
    bool may = owner;
    if (!may && link.accounts) {
      const SlurmOutcome level = ask(
          s, {"sacctmgr", "-n", "-P", "show", "user", "where", "name=" + me_, "format=AdminLevel"});
      may = level.ok() && (level.out.starts_with("Operator") || level.out.starts_with("Admin"));
    }
    if (may) continue;
    if (!site.partitions.empty())
      problems.add({}, site.name,
                   fmt::format("user {} is no Slurm Operator: jobs of other users cannot be told "
                               "when to start or stop (sacctmgr modify user {} set "
                               "adminlevel=Operator)",
                               me_, me_));
    if (!config_.calls.empty())
      problems.add({}, site.name,
                   fmt::format("user {} is no Slurm Operator: jobs cannot be suspended nor nodes "
                               "reserved, as reserve calls need",
                               me_));
  }
  if (!problems.empty()) {
    std::string words = "rights are missing:";
    for (const std::string& line : problems.lines()) words += "\n  " + line;
    throw DeviceError(words);
  }
}

void DispatchEngine::note_record(JobIndex job) {
  const JobRecord& r = records_[job];
  Json line{
      {"rec", static_cast<std::uint32_t>(job)},
      {"site", r.site == SiteIndex::none() ? -1 : static_cast<int>(r.site)},
      {"id", r.id},
      {"token", r.token},
      {"attempt", r.attempt},
      {"flags", {r.unsure, r.start_ordered, r.parked, r.caused_hold, r.cancelling, r.requeued}}};
  if (r.lease) line["lease"] = r.lease->unix_nanoseconds();
  if (!r.own) {
    line["user"] = r.user;
    line["name"] = r.name;
    line["restarts"] = r.restarts;
    if (r.submitted) line["submitted"] = r.submitted->unix_nanoseconds();
  }
  journal_->write(line);
}

void DispatchEngine::restore_record(const Json& line) {
  const auto j = line.at("rec").get<std::size_t>();
  if (j >= records_.size()) throw InputError("journal: a record of a job that never arrived");
  JobRecord& r = records_[j];
  const int site = line.at("site");
  r.site = site < 0 ? SiteIndex::none() : SiteIndex(site);
  r.id = line.at("id");
  r.token = line.at("token");
  r.attempt = line.at("attempt");
  const auto flags = line.at("flags").get<std::vector<bool>>();
  if (flags.size() != 6) throw InputError("journal: six flags of a record");
  r.unsure = flags[0];
  r.start_ordered = flags[1];
  r.parked = flags[2];
  r.caused_hold = flags[3];
  r.cancelling = flags[4];
  r.requeued = flags[5];
  r.lease.reset();
  if (line.contains("lease")) r.lease = Instant::from_unix_nanoseconds(line["lease"]);
  if (!r.own) {
    r.user = line.at("user");
    r.name = line.at("name");
    r.restarts = line.at("restarts");
    if (line.contains("submitted")) r.submitted = Instant::from_unix_nanoseconds(line["submitted"]);
    adopted_[book_->name(JobIndex(j))] = JobIndex(j);
  }
}

void DispatchEngine::take_up() {
  elapsed_origin_ = clock_.elapsed();
  const Instant utc = clock_.utc();
  const std::vector<Json>& past = journal_->past();
  std::vector<std::int32_t> nodes;
  for (SiteIndex s = 0; s < links_.size(); ++s) {
    SiteLink& link = links_[s];
    const SlurmOutcome shown_nodes = ask(s, sinfo_words());
    if (shown_nodes.ok())
      completed(
          s,
          [] {
            SlurmOrder o;
            o.kind = OrderKind::Nodes;
            return o;
          }(),
          shown_nodes);
    const SlurmOutcome clock = ask(s, {"sdiag"});
    completed(
        s,
        [] {
          SlurmOrder o;
          o.kind = OrderKind::Clock;
          return o;
        }(),
        clock);
    if (!clock.ok()) {  // its own clock until it is asked
      link.controller = utc;
      link.controller_read = clock_.elapsed();
    }
    const auto stated = static_cast<std::int32_t>(config_.sites[s].site.hall.nodes);
    nodes.push_back(stated > 0 ? stated : static_cast<std::int32_t>(link.nodes.size()));
    const SlurmOutcome reservations = ask(s, {"scontrol", "-o", "show", "reservation"});
    for (const std::string& name : parse_reservations(reservations.out))
      if (name == "carnot_" + config_.run) link.reservation_there = true;
  }
  if (past.empty()) {
    if (run_.task == DispatchTask::Release)
      throw InputError(config_.state + ": no journal: there is nothing to take back");
    for (std::size_t s = 0; s < nodes.size(); ++s)
      if (nodes[s] < 1)
        throw DeviceError(
            fmt::format("{}: does not answer, and `nodes` is not stated", config_.sites[s].name));
    const Instant begin = config_.start.value_or(utc);
    stamp_ = run_.task == DispatchTask::DryRun
                 ? std::string("dryrun")
                 : fmt::format("{:06x}", (utc.unix_nanoseconds() / 1000 + getpid()) & 0xffffff);
    journal_->write({{"run", config_.run},
                     {"stamp", stamp_},
                     {"begin", begin.unix_nanoseconds()},
                     {"utc", utc.unix_nanoseconds()},
                     {"policy", config_.plan.empty() ? config_.policy : config_.plan},
                     {"speed", config_.speed},
                     {"nodes", nodes}});
    book_ = std::make_unique<DispatchBook>(config_, begin, nodes);
    book_origin_ = begin;
    // What is known before the policy is asked for the first time.
    journal_->write({{"in", "begin"}});
  } else {
    const Json& run = past.front();
    const std::string policy = config_.plan.empty() ? config_.policy : config_.plan;
    if (!run.contains("run") || run.at("run") != config_.run || run.at("policy") != policy ||
        run.at("speed") != config_.speed || run.at("nodes").size() != links_.size())
      throw InputError(
          fmt::format("{}: holds a run with another name, policy, speed or number of sites; "
                      "another `state`, or "
                      "`--release` with the configuration it was made with",
                      config_.state));
    stamp_ = run.at("stamp");
    nodes = run.at("nodes").get<std::vector<std::int32_t>>();
    const Instant begin = Instant::from_unix_nanoseconds(run.at("begin"));
    const Instant began = Instant::from_unix_nanoseconds(run.at("utc"));
    book_ = std::make_unique<DispatchBook>(config_, begin, nodes);
    book_origin_ = begin + Duration::from((utc - began).time() * config_.speed);
  }
  for (SiteIndex s = 0; s < links_.size(); ++s)
    for (const JobRequest& job : requests_)
      if (job.origin != std::numeric_limits<std::uint32_t>::max() && job.origin == s &&
          job.nodes > nodes[s])
        throw InputError(fmt::format("{}: a job of {} nodes; {} has {}", config_.jobs.file,
                                     job.nodes, config_.sites[s].name, nodes[s]));
  for (std::size_t j = 0; j < requests_.size(); ++j) {
    JobRequest& job = requests_[j];
    if (job.origin < links_.size()) continue;
    std::size_t s = j % links_.size();
    for (std::size_t tried = 0; nodes[s] < job.nodes; ++tried, s = (s + 1) % links_.size())
      if (tried == links_.size())
        throw InputError(fmt::format("{}: job {}: {} nodes; no site has as many", config_.jobs.file,
                                     list_names_[j], job.nodes));
    job.origin = static_cast<std::uint32_t>(s);
  }
  if (past.empty()) {
    book_->apply({{"in", "begin"}});
    return;
  }
  for (const Json& line : past) {
    if (line.contains("in")) {
      if (line.at("in") == "arrived") {
        JobRecord r;
        r.own = line.at("own");
        if (r.own) {
          r.row = line.at("row");
          if (r.row >= requests_.size() || list_names_[r.row] != line.at("name"))
            throw InputError(config_.jobs.file + ": not the list that this run was begun with");
          next_row_ = r.row + 1;
        }
        records_.push_back(r);
      } else if (line.at("in") == "call") {
        calls_.push_back({SiteIndex(line.at("site").get<std::uint32_t>()),
                          Instant::from_unix_nanoseconds(line.at("at")),
                          Duration::nanoseconds(line.at("length")),
                          line.at("power_w").get<double>() * watt, line.at("down").get<bool>()});
      }
      book_->apply(line);
    } else if (line.contains("rec")) {
      restore_record(line);
    } else if (line.contains("intent")) {
      order_number_ = std::max(order_number_, line.at("intent").get<std::uint64_t>());
    }
  }
  for (SiteIndex s = 0; s < links_.size(); ++s)
    for (auto& [signal, live] : links_[s].signals)
      links_[s].next_step[signal] = book_->step_of(book_->book().now());
  for (JobIndex j = 0; j < records_.size(); ++j) {
    JobRecord& r = records_[j];
    r.unsure_since = r.wanted_since = clock_.elapsed();
    // Refused before; it is tried again.
    const control::JobStatus& status = book_->status(j);
    r.refused = status.phase == JobPhase::Waiting && !status.in_line && book_->book().wants(j);
    if (book_->status(j).phase == JobPhase::Running)
      records_[j].running_since = book_->book().now();
  }
  book_origin_ = std::max(book_origin_, book_->book().now());
  journal_->forget_past();
  say(fmt::format("taken up: {} jobs, {} reports until {}", records_.size(), past.size(),
                  book_->book().now().iso8601()));
}

}  // namespace carnot::live
