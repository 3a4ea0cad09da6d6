// SPDX-License-Identifier: Apache-2.0
// What is to be ordered, from what the book wants and what the last look showed.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/text.hpp"

#include "live/slurm/engine.hpp"

namespace carnot::live {

namespace {

constexpr std::size_t kTogether = 50;  // jobs in one command

std::string epoch_words(Instant at) {
  const std::int64_t ns = at.unix_nanoseconds();
  return fmt::format("uts{}", ns / 1'000'000'000 + (ns % 1'000'000'000 > 0 ? 1 : 0));
}

/// What goes first: nothing may start on nodes before they are freed, a job stops before its begin
/// time is set, and has one before it is released.
int rank(OrderKind kind) {
  constexpr OrderKind kOrder[] = {OrderKind::Reserve, OrderKind::Unreserve, OrderKind::Suspend,
                                  OrderKind::Cancel,  OrderKind::Requeue,   OrderKind::BeginAt,
                                  OrderKind::Release, OrderKind::Resume,    OrderKind::Submit};
  return static_cast<int>(std::find(std::begin(kOrder), std::end(kOrder), kind) - kOrder);
}

/// Orders of one kind and meaning become one command.
void merge(std::vector<SlurmOrder>& orders) {
  std::stable_sort(orders.begin(), orders.end(), [](const SlurmOrder& a, const SlurmOrder& b) {
    return rank(a.kind) < rank(b.kind);
  });
  std::vector<SlurmOrder> merged;
  for (SlurmOrder& o : orders) {
    const bool lists = o.kind == OrderKind::BeginAt || o.kind == OrderKind::Requeue ||
                       o.kind == OrderKind::Suspend || o.kind == OrderKind::Resume ||
                       o.kind == OrderKind::Release;
    const auto same = std::find_if(merged.begin(), merged.end(), [&](const SlurmOrder& m) {
      return lists && m.kind == o.kind && m.words.size() == o.words.size() && m.words.size() >= 3 &&
             m.begin_at == o.begin_at && m.jobs.size() < kTogether &&
             std::equal(m.words.begin() + 3, m.words.end(), o.words.begin() + 3) &&
             // Word 2 names the jobs.
             m.words[1] == o.words[1];
    });
    if (same == merged.end()) {
      merged.push_back(std::move(o));
      continue;
    }
    std::string ids = o.words[2];
    if (ids.starts_with("JobId=")) ids.erase(0, 6);
    same->words[2] += "," + ids;
    same->jobs.insert(same->jobs.end(), o.jobs.begin(), o.jobs.end());
    if (same->why != o.why) same->why += "; " + o.why;
  }
  orders = std::move(merged);
}

}  // namespace

std::string shown(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& w : words) {
    const bool plain =
        !w.empty() && w.find_first_of(" \t\n\"'\\$`;&|<>*?()#{}") == std::string::npos;
    text += text.empty() ? "" : " ";
    if (plain) {
      text += w;
      continue;
    }
    text += '\'';
    for (const char c : w)
      if (c == '\'')
        text += "'\\''";
      else
        text += c;
    text += '\'';
  }
  return text;
}

std::string order_name(OrderKind kind) {
  constexpr const char* kNames[] = {"look",    "nodes",   "clock",     "account", "submit",
                                    "begin",   "requeue", "cancel",    "suspend", "resume",
                                    "release", "reserve", "unreserve", "joules"};
  return kNames[static_cast<std::size_t>(kind)];
}

const control::ReserveCall* DispatchEngine::active_call(SiteIndex site) const {
  const Instant now = book_->book().now();
  for (const control::ReserveCall& call : calls_)
    if (call.site == site && call.down && call.at <= now && now < call.at + call.length)
      return &call;
  return nullptr;
}

std::string DispatchEngine::why(JobIndex job, SiteIndex site, const std::string& what) const {
  const control::View& view = book_->view();
  const control::SiteState& s = view.sites()[site];
  std::string words = fmt::format("{} under policy {}", what, book_->policy().name());
  if (const auto run = book_->book().planned_run(job))
    words += fmt::format(", planned {} to {} at {}", run->from.iso8601(), run->to.iso8601(),
                         config_.sites[run->site].name);
  words += fmt::format("; price {:.2f} EUR/MWh, carbon {:.0f} g/kWh",
                       s.price.in(euro_per_megawatt_hour), s.carbon.in(gram_per_kilowatt_hour));
  if (config_.sites[site].own.given()) words += fmt::format(", own power {}", format(s.own));
  if (const auto seen = book_->least_ahead(site))
    words += fmt::format("; least ahead, as the policy saw it: {}", *seen);
  if (links_[site].blind) words += "; nothing is known of power and price: jobs run";
  return words;
}

SlurmOrder DispatchEngine::submit_order(SiteIndex site, JobIndex job, bool waits) {
  const JobRecord& r = records_[job];
  const DispatchSite& s = config_.sites[site];
  const control::JobStatus& status = book_->status(job);
  const std::uint8_t mode = waits ? 0 : status.mode;
  SlurmOrder o;
  o.kind = OrderKind::Submit;
  o.jobs = {job};
  const std::string token =
      fmt::format("carnot.{}-{}.{}.{}", config_.run, stamp_, book_->name(job), r.attempt + 1);
  o.words = {"sbatch",
             "--parsable",
             "--job-name",
             token,
             "--requeue",
             "--nodes",
             std::to_string(book_->view().nodes(job, mode))};
  if (waits) {
    const Instant lease = controller_now(links_[site]) + Duration::from(config_.lease);
    o.begin_at = Instant::from_unix_seconds(lease.unix_nanoseconds() / 1'000'000'000);
    o.words.push_back("--begin=" + epoch_words(*o.begin_at));
  }
  if (!s.submit_partition.empty()) o.words.push_back("--partition=" + s.submit_partition);
  if (config_.jobs.limit_factor > 0) {
    const double minutes = config_.jobs.limit_factor *
                           book_->view().request(job).estimate.time().in(minute) / config_.speed;
    o.words.push_back(
        fmt::format("--time={}", std::max<std::int64_t>(1, std::llround(std::ceil(minutes)))));
  }
  const std::string export_words =
      config_.jobs.mode_folder.empty()
          ? std::string()
          : fmt::format(",CARNOT_MODE_FILE={}/{}.mode", config_.jobs.mode_folder, book_->name(job));
  o.words.push_back(fmt::format("--export=ALL,CARNOT_JOB={},CARNOT_ATTEMPT={}{}", book_->name(job),
                                r.attempt + 1, export_words));
  o.words.insert(o.words.end(), config_.jobs.options.begin(), config_.jobs.options.end());
  for (std::string word : config_.jobs.command) {
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const std::string mark = "{" + columns_[c] + "}";
      for (std::size_t at = word.find(mark); at != std::string::npos; at = word.find(mark, at))
        word.replace(at, mark.size(), rows_[r.row][c]);
    }
    o.words.push_back(std::move(word));
  }
  o.why = why(job, site, waits ? "waits, by a lease, to be told when to start" : "starts");
  return o;
}

SlurmOrder DispatchEngine::begin_order(SiteIndex site, JobIndex job, bool now) {
  const JobRecord& r = records_[job];
  SlurmOrder o;
  o.jobs = {job};
  // scontrol raises a begin time to its own now. Where this machine's clock is ahead of the
  // controller's, a job of carnot's own is handed in again instead: without a begin time.
  const Duration ahead = clock_.utc() - controller_now(links_[site]);
  if (now && r.own && ahead > Duration::seconds(2)) {
    o.kind = OrderKind::Cancel;
    o.words = {"scancel", "--name", r.token, r.id};
    o.why = why(job, site,
                fmt::format("is handed in anew to start at once, as this machine's clock "
                            "is {:.0f} s ahead of the controller's",
                            ahead.time().in(second)));
    return o;
  }
  o.kind = OrderKind::BeginAt;
  const Instant controller = controller_now(links_[site]);
  Instant at = now ? controller - Duration::seconds(1) : controller + Duration::from(config_.lease);
  if (!now) o.begin_at = Instant::from_unix_seconds(at.unix_nanoseconds() / 1'000'000'000);
  if (!now) at = *o.begin_at;
  o.words = {"scontrol", "update", "JobId=" + r.id, "StartTime=" + epoch_words(at)};
  const control::JobStatus& status = book_->status(job);
  const std::int32_t nodes = book_->view().nodes(job, status.mode);
  if (now && r.own && r.row_seen && r.row_seen->nodes != nodes)
    o.words.push_back(fmt::format("NumNodes={}", nodes));
  o.why = why(job, site, now ? "starts" : "waits; its lease is set anew");
  return o;
}

void DispatchEngine::order_for_job(SiteIndex site, JobIndex job, std::vector<SlurmOrder>& out) {
  JobRecord& r = records_[job];
  if (clock_.elapsed() < r.not_before || r.unsure) return;
  const control::JobStatus& status = book_->status(job);
  const bool somewhere = !r.id.empty();
  const auto simple = [&](OrderKind kind, const char* verb, const std::string& reason) {
    SlurmOrder o;
    o.kind = kind;
    o.jobs = {job};
    o.words = {"scontrol", verb, r.id};
    o.why = reason;
    out.push_back(std::move(o));
  };
  if (!somewhere) {
    if (!r.own || book_->over(job)) return;
    if (status.phase == JobPhase::Starting && status.site == site)
      out.push_back(submit_order(site, job, false));
    else if (status.phase == JobPhase::Waiting && status.site == site)
      out.push_back(submit_order(site, job, true));
    else if (status.phase == JobPhase::Stopping && status.site == site && !r.waits_for_start)
      feed({{"in", "stopped"}, {"job", static_cast<std::uint32_t>(job)}, {"cause", "ordered"}});
    return;
  }
  if (r.site != site || !r.row_seen) return;
  const SlurmJob& row = *r.row_seen;
  if (row.over() || book_->over(job)) return;
  const bool elsewhere = status.phase == JobPhase::Starting && status.site != site;
  if (elsewhere && (row.pending() || row.suspended())) {
    SlurmOrder o;
    o.kind = OrderKind::Cancel;
    o.jobs = {job};
    o.words = {"scancel", "--name", r.token, r.id};
    o.why = why(job, status.site, "moves to " + config_.sites[status.site].name);
    out.push_back(std::move(o));
    return;
  }
  const bool starts = status.phase == JobPhase::Starting && status.site == site;
  if (row.pending()) {
    if (row.reason == "JobHeldAdmin" && r.caused_hold) {
      out.push_back(begin_order(site, job, starts));
      simple(OrderKind::Release, "release",
             "held by Slurm because it was requeued while suspended");
      return;
    }
    if (row.reason == "JobHeldAdmin" || row.reason == "JobHeldUser") return;  // not ours to undo
    if (launch_failed(row)) {
      if (!r.own || !starts || r.launch_releases >= kMostLaunchReleases) return;
      ++r.launch_releases;
      simple(OrderKind::Release, "release", "held by Slurm because its launch failed");
      return;
    }
    const Instant controller = controller_now(links_[site]);
    // Of a job that waits for nodes the time shown is when it is thought to start, and the reason
    // may be an older one than the begin time: the one that was set here is known by itself.
    const bool set_here = r.lease && row.begins && *row.begins == *r.lease;
    const bool eligible =
        !row.begins || *row.begins <= controller || (row.reason != "BeginTime" && !set_here);
    const std::int32_t nodes = book_->view().nodes(job, status.mode);
    if (starts) {
      if (r.start_ordered && clock_.elapsed() < r.told_until) return;
      if ((!eligible || (r.own && row.nodes != nodes)) || !r.start_ordered)
        out.push_back(begin_order(site, job, true));
    } else if (status.phase == JobPhase::Waiting || status.phase == JobPhase::Moving) {
      if (r.refused && eligible && clock_.elapsed() < r.retry_at) return;
      const Duration left = eligible ? Duration{} : *row.begins - controller;
      if (left < Duration::from(config_.lease * 0.5)) out.push_back(begin_order(site, job, false));
    }
    return;
  }
  const control::ReserveCall* call = active_call(site);
  if (row.suspended()) {
    if (!r.parked) return;  // somebody else's
    if (starts || status.phase == JobPhase::Running) {
      simple(OrderKind::Resume, "resume", why(job, site, "goes on"));
    } else if (call == nullptr && status.phase == JobPhase::Waiting) {
      simple(OrderKind::Requeue, "requeue",
             "suspended for a call that is over; it waits as others do");
    }
    return;
  }
  if (row.running()) {
    const bool stop = status.phase == JobPhase::Stopping ||
                      (status.phase == JobPhase::Waiting && r.start_ordered) || elsewhere;
    if (!stop) return;
    if (call != nullptr && !links_[site].no_reservation &&
        (call->at + call->length - book_->book().now()).time() <=
            config_.speed * config_.longest_suspension) {
      simple(OrderKind::Suspend, "suspend", why(job, site, "power is called for: suspended"));
      return;
    }
    if (!row.requeueable) {
      if (status.phase == JobPhase::Stopping)
        feed({{"in", "keeps"}, {"job", static_cast<std::uint32_t>(job)}});
      return;
    }
    simple(OrderKind::Requeue, "requeue", why(job, site, "stops and waits"));
    out.push_back(begin_order(site, job, false));
  }
}

// Nothing starts on nodes that a call has freed, and none that are free already fill up.
void DispatchEngine::order_reservation(SiteIndex site, std::vector<SlurmOrder>& out) {
  SiteLink& link = links_[site];
  const control::ReserveCall* call = active_call(site);
  const std::string name = "carnot_" + config_.run;
  SlurmOrder o;
  if (call == nullptr) {
    if (!link.reserved.empty()) link.reserved.clear();
    if (!link.reservation_there) return;
    o.kind = OrderKind::Unreserve;
    o.words = {"scontrol", "delete", "ReservationName=" + name};
    o.why = "the call is over";
    out.push_back(std::move(o));
    return;
  }
  if (link.no_reservation || link.nodes.empty()) return;
  std::set<std::string> names = link.nodes;
  for (const std::string& n : link.foreign) names.erase(n);
  for (const std::string& n : link.down)
    if (!link.reserved.contains(n)) names.erase(n);
  for (JobIndex j = 0; j < records_.size(); ++j) {
    const JobRecord& r = records_[j];
    if (r.site != site || !r.row_seen || r.id.empty()) continue;
    const JobPhase phase = book_->status(j).phase;
    if (phase != JobPhase::Running && phase != JobPhase::Starting) continue;
    for (const std::string& n : nodes_named(r.row_seen->nodes_text)) names.erase(n);
  }
  // Once reserved, for the whole call.
  names.insert(link.reserved.begin(), link.reserved.end());
  if (names.empty()) return;
  const std::string list = fmt::format("{}", fmt::join(names, ","));
  if (link.reservation_there && list == link.reservation_nodes) return;
  const double left =
      (call->at + call->length - book_->book().now()).time().in(minute) / config_.speed;
  o.kind = OrderKind::Reserve;
  if (link.reservation_there)
    o.words = {"scontrol", "update", "ReservationName=" + name, "Nodes=" + list};
  else
    o.words = {"scontrol",
               "create",
               "reservation",
               "ReservationName=" + name,
               "Users=" + me_,
               "StartTime=now",
               fmt::format("Duration={}", std::max<std::int64_t>(1, std::llround(std::ceil(left)))),
               "Nodes=" + list,
               "Flags=IGNORE_JOBS,MAINT"};
  o.why = fmt::format("{} less for {}: nothing is to start on these nodes", format(call->power),
                      format(call->length.time()));
  link.reservation_nodes = list;
  link.reserved = names;
  out.push_back(std::move(o));
}

void DispatchEngine::release_orders(SiteIndex site, std::vector<SlurmOrder>& out) {
  for (JobIndex j = 0; j < records_.size(); ++j) {
    const JobRecord& r = records_[j];
    if (r.site != site || !r.row_seen || r.id.empty()) continue;
    const SlurmJob& row = *r.row_seen;
    const auto simple = [&](OrderKind kind, const char* verb, const char* reason) {
      SlurmOrder o;
      o.kind = kind;
      o.jobs = {j};
      o.words = {"scontrol", verb, r.id};
      o.why = reason;
      out.push_back(std::move(o));
    };
    if (row.suspended() && r.parked) simple(OrderKind::Resume, "resume", "carnot lets go of it");
    if (!row.pending()) continue;
    if ((row.reason == "JobHeldAdmin" && r.caused_hold) || (r.own && launch_failed(row)))
      simple(OrderKind::Release, "release", "carnot lets go of it");
    // Only a begin time that carnot has set.
    if (r.lease && row.begins && (row.reason == "BeginTime" || *row.begins == *r.lease) &&
        *row.begins > controller_now(links_[site])) {
      SlurmOrder o;
      o.kind = OrderKind::BeginAt;
      o.jobs = {j};
      o.words = {"scontrol", "update", "JobId=" + r.id,
                 "StartTime=" + epoch_words(controller_now(links_[site]) - Duration::seconds(1))};
      o.why = "carnot lets go of it";
      out.push_back(std::move(o));
    }
  }
  if (links_[site].reservation_there) {
    SlurmOrder o;
    o.kind = OrderKind::Unreserve;
    o.words = {"scontrol", "delete", "ReservationName=carnot_" + config_.run};
    o.why = "carnot lets go of it";
    out.push_back(std::move(o));
  }
}

std::vector<SlurmOrder> DispatchEngine::orders_for(SiteIndex site) {
  std::vector<SlurmOrder> out;
  if (run_.task == DispatchTask::Release) {
    release_orders(site, out);
    merge(out);
    return out;
  }
  for (auto& [where, order] : strays_)
    if (where == site) out.push_back(std::move(order));
  std::erase_if(strays_, [&](const auto& s) { return s.first == site; });
  order_reservation(site, out);
  for (JobIndex j = 0; j < records_.size(); ++j) {
    JobRecord& r = records_[j];
    if (r.refused && book_->status(j).phase == JobPhase::Waiting && r.site == site && r.row_seen &&
        clock_.elapsed() >= r.retry_at && r.row_seen->pending() &&
        r.row_seen->reason != "JobHeldUser" && r.row_seen->reason != "JobHeldAdmin") {
      r.refused = false;
      feed({{"in", "retry"}, {"job", static_cast<std::uint32_t>(j)}});
    }
    if (book_->status(j).phase == JobPhase::Starting && !r.waits_for_start) {
      r.waits_for_start = true;
      r.wanted_since = clock_.elapsed();
    }
    r.scanned_phase = book_->status(j).phase;
    r.scanned_since = book_->status(j).since;
    order_for_job(site, j, out);
  }
  merge(out);
  return out;
}

}  // namespace carnot::live
