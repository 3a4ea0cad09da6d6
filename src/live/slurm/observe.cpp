// SPDX-License-Identifier: Apache-2.0
// What a look at a cluster tells the book.
#include <algorithm>

#include <fmt/format.h>

#include "live/slurm/engine.hpp"

namespace carnot::live {

namespace {

/// Ended jobs stay in squeue's answer for five minutes (MinJobAge): within this time of the last
/// sight a job that is not in it was forgotten by its controller.
constexpr Duration kSeenLately = Duration::seconds(200);
/// Slurm ends what a forgotten job left running only once its nodes have registered.
constexpr Duration kAfterLoss = Duration::seconds(15);

bool held_by_somebody(const SlurmJob& row) {
  return row.reason == "JobHeldUser" || row.reason == "JobHeldAdmin";
}

}  // namespace

bool launch_failed(const SlurmJob& row) {
  return row.reason.starts_with("launch failed") || row.reason.starts_with("launch_failed");
}

bool DispatchEngine::is_same(const JobRecord& r, const SlurmJob& row) const {
  if (r.own) return row.name == r.token;
  if (row.user != r.user || row.name != r.name) return false;
  // A requeue gives a job another submission time, and is counted.
  return row.submitted == r.submitted || row.restarts > r.restarts || r.requeued;
}

void DispatchEngine::observe(SiteIndex site, const SlurmJobs& jobs) {
  SiteLink& link = links_[site];
  std::map<std::string, const SlurmJob*> by_id, by_name;
  for (const SlurmJob& row : jobs.jobs) {
    by_id.emplace(row.id, &row);
    // Of several with one token the one that may yet run counts.
    const auto [at, added] = by_name.emplace(row.name, &row);
    if (!added && at->second->over()) at->second = &row;
  }
  std::set<std::string> ours;
  for (JobIndex j = 0; j < records_.size(); ++j) {
    JobRecord& r = records_[j];
    if (r.site != site || (r.id.empty() && !r.unsure)) continue;
    const SlurmJob* row = nullptr;
    if (const auto at = by_id.find(r.id); at != by_id.end() && is_same(r, *at->second))
      row = at->second;
    if (row == nullptr && r.own)
      if (const auto at = by_name.find(r.token); at != by_name.end()) row = at->second;
    if (row != nullptr) ours.insert(row->id);
    if (row != nullptr && (r.id != row->id || r.unsure)) {
      r.id = row->id;  // found again by its token
      r.unsure = false;
      note_record(j);
    }
    if (row != nullptr)
      observe_job(site, j, row);
    else
      observe_absent(site, j);
  }
  const std::string prefix = "carnot." + config_.run + "-" + stamp_ + ".";
  for (const SlurmJob& row : jobs.jobs) {
    if (ours.contains(row.id) || row.over()) continue;
    if (row.name.starts_with(prefix)) {
      // A submission of ours that came to light after another one took its place.
      SlurmOrder o;
      o.kind = OrderKind::Cancel;
      o.words = {"scancel", "--name", row.name, row.id};
      o.why = "came to light after its job had been submitted again";
      strays_.emplace_back(site, std::move(o));
      continue;
    }
    if (run_.task != DispatchTask::Release) adopt(site, row);
  }
  if (active_call(site) == nullptr) link.reserved.clear();  // free again before orders are made
  observe_capacity(site, jobs);
  link.ever_looked = true;
}

void DispatchEngine::adopt(SiteIndex site, const SlurmJob& row) {
  const DispatchSite& s = config_.sites[site];
  if (std::find(s.partitions.begin(), s.partitions.end(), row.partition) == s.partitions.end())
    return;
  if (!row.pending() || !row.batch || row.heterogeneous || row.name.starts_with("carnot.")) return;
  if (row.reason.starts_with("Dependency") || row.reason == "JobArrayTaskLimit" ||
      held_by_somebody(row))
    return;
  const Instant controller = controller_now(links_[site]);
  // A begin time further ahead than a lease is its user's own.
  if (row.begins && *row.begins > controller + Duration::from(config_.lease * 1.2) &&
      row.reason == "BeginTime")
    return;
  if (row.nodes < 1 || row.nodes > book_->view().sites()[site].nodes) return;
  const std::string key = s.name + "/" + row.id;
  if (const auto known = adopted_.find(key); known != adopted_.end()) {
    const JobRecord& r = records_[known->second];
    if (!r.id.empty() && is_same(r, row)) return;
  }
  JobRecord r;
  r.own = false;
  r.site = site;
  r.id = row.id;
  r.user = row.user;
  r.name = row.name;
  r.submitted = row.submitted;
  r.restarts = row.restarts;
  r.row_seen = row;
  r.seen_at = clock_.elapsed();
  records_.push_back(r);
  const JobIndex job(records_.size() - 1);
  adopted_[key] = job;
  const Duration estimate = row.limit.value_or(Duration::seconds(86400));
  feed({{"in", "arrived"},
        {"name", key},
        {"own", false},
        {"arrival", (book_->book().now() - book_->begin()).nanoseconds()},
        {"estimate", std::max<std::int64_t>(1, estimate.nanoseconds())},
        {"allowed", kNoDeadline.nanoseconds()},
        {"nodes", row.nodes},
        {"power_mw", -1},
        {"origin", static_cast<std::uint32_t>(site)},
        {"stoppable", row.requeueable}});
  note_record(job);
}

void DispatchEngine::close_energy(JobIndex job) {
  JobRecord& r = records_[job];
  if (r.running_since == Instant()) return;
  const control::View& view = book_->view();
  const control::JobStatus& status = book_->status(job);
  const Power power = view.nodes(job, status.mode) * view.node_power(job, status.site, status.mode);
  r.energy_j += (power * (view.now() - r.running_since).time()).in(joule);
  r.running_since = Instant();
}

void DispatchEngine::observe_job(SiteIndex site, JobIndex j, const SlurmJob* row) {
  JobRecord& r = records_[j];
  r.row_seen = *row;
  r.seen_at = clock_.elapsed();
  if (!r.own && (row->submitted != r.submitted || row->restarts != r.restarts)) {
    r.submitted = row->submitted;
    r.restarts = row->restarts;
    note_record(j);
  }
  if (!row->in_between()) r.requeued = false;
  const auto number = static_cast<std::uint32_t>(j);
  const auto phase = [&] { return book_->status(j).phase; };
  if (book_->over(j)) return;
  if (row->over()) {
    if (r.cancelling && row->state == "CANCELLED") {
      r.id.clear();
      r.cancelling = r.start_ordered = r.parked = false;
      r.row_seen.reset();
      note_record(j);
      if (phase() == JobPhase::Stopping)
        feed({{"in", "stopped"}, {"job", number}, {"cause", "ordered"}});
      return;
    }
    const bool by_somebody =
        row->state == "CANCELLED" || row->state == "DEADLINE" || row->state == "REVOKED";
    say(fmt::format("{}: {} at {} ({})", book_->name(j), row->state, config_.sites[site].name,
                    row->id));
    // Where it never was seen to run, nothing was drawn that anybody knows of.
    const bool ran = phase() == JobPhase::Running || phase() == JobPhase::Stopping;
    close_energy(j);
    if (by_somebody ||
        (!ran && row->state != "COMPLETED" && row->state != "FAILED" && row->state != "TIMEOUT"))
      feed({{"in", "cancelled"}, {"job", number}});
    else
      feed({{"in", "ended"}, {"job", number}, {"state", row->state}});
    if (links_[site].accounts && config_.sites[site].joules && r.energy_j > 0.0) {
      SlurmOrder o;
      o.kind = OrderKind::Joules;
      o.jobs = {j};
      o.words = {
          "sacctmgr", "-i",
          "modify",   "job",
          "where",    "jobid=" + row->raw,
          "set",      fmt::format("admincomment=carnot energy_j={:.0f} modelled", r.energy_j)};
      o.why = "its energy, for who asks sacct";
      links_[site].orders.push_back(std::move(o));
    }
    return;
  }
  if (row->running()) {
    if (r.parked && phase() != JobPhase::Stopping) {
      r.parked = false;
      note_record(j);
    }
    if (phase() == JobPhase::Waiting && !r.start_ordered) {
      say(
          fmt::format("{}: runs at {} ({}) though it was to wait: its lease ended or somebody "
                      "started it",
                      book_->name(j), config_.sites[site].name, row->id));
      feed({{"in", "took"}, {"job", number}, {"site", static_cast<std::uint32_t>(site)}});
      r.running_since = book_->book().now();
    } else if (phase() == JobPhase::Starting && book_->status(j).site == site) {
      feed({{"in", "started"}, {"job", number}});
      r.running_since = book_->book().now();
      if (r.waits_for_start)
        latency_s_.push_back((clock_.elapsed() - r.wanted_since).time().in(second));
    }
    if (phase() == JobPhase::Running) {
      r.waits_for_start = r.refused = false;
      if (r.start_ordered || r.failures > 0) {
        r.start_ordered = false;
        r.failures = 0;
        note_record(j);
      }
    }
    return;
  }
  if (row->suspended()) {
    if (phase() == JobPhase::Stopping && r.parked) {
      // Its nodes are nobody's until the call is over: taken out before they are given back.
      close_energy(j);
      const std::vector<std::string> held = nodes_named(row->nodes_text);
      links_[site].reserved.insert(held.begin(), held.end());
      const std::int32_t up = book_->view().sites()[site].nodes_up;
      feed({{"in", "nodes"},
            {"site", static_cast<std::uint32_t>(site)},
            {"nodes", std::max(0, up - book_->view().nodes(j, book_->status(j).mode))}});
      feed({{"in", "stopped"}, {"job", number}, {"cause", "ordered"}});
    } else if (phase() == JobPhase::Running && !r.parked) {
      close_energy(j);
      say(fmt::format("{}: suspended at {} by somebody else; left alone", book_->name(j),
                      config_.sites[site].name));
      feed({{"in", "stopped"}, {"job", number}, {"cause", "refused"}});
      r.refused = true;
      r.start_ordered = false;
      r.retry_at = clock_.elapsed() + Duration::from(config_.start_patience);
    }
    return;
  }
  if (row->pending()) {
    if (r.parked) {  // a node was lost under it while it was suspended
      r.parked = false;
      note_record(j);
    }
    if (phase() == JobPhase::Stopping) {
      close_energy(j);
      feed({{"in", "stopped"}, {"job", number}, {"cause", "ordered"}});
    } else if (phase() == JobPhase::Running) {
      close_energy(j);
      say(fmt::format("{}: back in the queue of {}: requeued by somebody, or a node was lost",
                      book_->name(j), config_.sites[site].name));
      feed({{"in", "stopped"}, {"job", number}, {"cause", "lost"}});
    } else if (phase() == JobPhase::Starting && r.start_ordered && row->reason != "BeginTime" &&
               (held_by_somebody(*row)
                    ? !r.caused_hold
                    : clock_.elapsed() - r.wanted_since > Duration::from(config_.start_patience))) {
      say(fmt::format("{}: does not start at {}: {}", book_->name(j), config_.sites[site].name,
                      row->reason));
      feed({{"in", "stopped"}, {"job", number}, {"cause", "refused"}});
      r.refused = true;
      r.start_ordered = false;
      r.waits_for_start = false;
      r.launch_releases = 0;
      r.retry_at = clock_.elapsed() + Duration::from(2.0 * config_.start_patience);
    }
  }
}

void DispatchEngine::observe_absent(SiteIndex site, JobIndex j) {
  JobRecord& r = records_[j];
  const Duration now = clock_.elapsed();
  const auto number = static_cast<std::uint32_t>(j);
  if (book_->over(j)) return;
  if (r.unsure) {
    // The controller may yet take up what it was sent: as long as a client waits, and some more.
    const Duration certain = Duration::from(config_.timeout) + Duration::seconds(5);
    if (links_[site].look_began - r.unsure_since < certain) return;
    r.unsure = false;
    r.id.clear();
    note_record(j);
    return;
  }
  const JobPhase phase = book_->status(j).phase;
  const bool lately = r.seen_at && now - *r.seen_at < kSeenLately;
  if (!lately && links_[site].accounts && !r.asked_account) {
    r.asked_account = true;
    SlurmOrder o;
    o.kind = OrderKind::Account;
    o.jobs = {j};
    o.words = {"sacct", "-n", "-P", "-X", "-D", "-j", r.id, "-o", "JobName,State"};
    links_[site].orders.push_back(std::move(o));
    return;
  }
  if (!lately && links_[site].accounts) return;  // once its answer is there
  const bool ran = phase == JobPhase::Running || phase == JobPhase::Stopping;
  close_energy(j);
  r.row_seen.reset();
  if (!lately && ran) {
    say(fmt::format("{}: is no longer known at {} and nobody kept account: taken for done",
                    book_->name(j), config_.sites[site].name));
    return feed({{"in", "ended"}, {"job", number}, {"state", "unknown"}});
  }
  say(fmt::format("{}: {} has lost {}", book_->name(j), config_.sites[site].name, r.id));
  r.id.clear();
  r.start_ordered = r.parked = r.cancelling = false;
  r.lease.reset();
  if (r.own) {
    r.not_before = now + kAfterLoss;
    note_record(j);
    if (ran) feed({{"in", "stopped"}, {"job", number}, {"cause", "lost"}});
  } else {
    note_record(j);
    feed({{"in", "cancelled"}, {"job", number}});
  }
}

void DispatchEngine::observe_capacity(SiteIndex site, const SlurmJobs& jobs) {
  SiteLink& link = links_[site];
  if (link.nodes.empty()) return;
  std::set<std::string> own;
  for (const JobRecord& r : records_)
    if (r.site == site && r.row_seen && !r.id.empty() && !r.row_seen->pending() &&
        !r.row_seen->over())
      for (std::string& name : nodes_named(r.row_seen->nodes_text)) own.insert(std::move(name));
  link.foreign.clear();
  for (const SlurmJob& row : jobs.jobs) {
    if (row.pending() || row.over()) continue;
    for (std::string& name : nodes_named(row.nodes_text))
      if (!own.contains(name)) link.foreign.insert(std::move(name));
  }
  std::int32_t up = 0;
  for (const std::string& name : link.nodes)
    up += own.contains(name) ? !link.reserved.contains(name)
                             : !link.foreign.contains(name) && !link.down.contains(name) &&
                                   !link.reserved.contains(name);
  up = std::min(up, book_->view().sites()[site].nodes);
  if (up != book_->view().sites()[site].nodes_up)
    feed({{"in", "nodes"}, {"site", static_cast<std::uint32_t>(site)}, {"nodes", up}});
}

}  // namespace carnot::live
