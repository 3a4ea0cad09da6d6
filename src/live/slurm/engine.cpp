// SPDX-License-Identifier: Apache-2.0
// Turns: time, signals, arrivals, and one command at a time at each cluster.
#include "live/slurm/engine.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

namespace carnot::live {

namespace {

constexpr Duration kQuick = Duration::nanoseconds(250'000'000);  // between looks after an order
constexpr Duration kAfterOrder = Duration::seconds(5);           // that long they are quick
constexpr Duration kSlowAnswer = Duration::seconds(2);
constexpr Duration kToldAgain = Duration::seconds(10);  // to start
constexpr double kSlowest = 32.0;                       // times the interval
constexpr Duration kBetweenNodes = Duration::seconds(30), kBetweenClocks = Duration::seconds(600);

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

// --- time ---

Instant DispatchEngine::book_now() {
  const Duration elapsed = clock_.elapsed();
  const Duration passed = elapsed - elapsed_origin_;
  if (config_.speed != 1.0) {
    const double seconds = passed.time().in(second)*config_.speed;
    return book_origin_ + Duration::from(seconds * second);
  }
  Instant now = book_origin_ + passed;
  // Follows the machine's clock, but never faster than a twentieth: a clock that is set makes no
  // burst of orders.
  if (!config_.start) {
    const std::int64_t drift = (clock_.utc() - now).nanoseconds();
    const std::int64_t most = passed.nanoseconds() / 20;
    book_origin_ = now + Duration::nanoseconds(std::clamp(drift, -most, most));
    elapsed_origin_ = elapsed;
    now = book_origin_;
  }
  return now;
}

Instant DispatchEngine::controller_now(const SiteLink& link) const {
  return link.controller + (clock_.elapsed() - link.controller_read);
}

void DispatchEngine::feed(Json report) {
  if (run_.task == DispatchTask::Release) return;
  report["t"] = book_->book().now().unix_nanoseconds();
  journal_->write(report);
  book_->apply(report);
}

void DispatchEngine::feed_signal(SiteIndex site, control::Signal signal, LiveSignal& live,
                                 Instant now) {
  SiteLink& link = links_[site];
  const std::int64_t current = book_->step_of(now);
  std::int64_t& next = link.next_step[signal];
  std::vector<double> values;
  std::int64_t first = next;
  for (std::int64_t k = next; k <= current; ++k) {
    const auto v = live.value(book_->edge(k), book_->step(), now);
    if (v) {
      values.push_back(*v);
    } else if (values.empty()) {
      ++first;
    } else {
      values.push_back(values.back());
    }
  }
  const bool same = values.size() == 1 && first == current &&
                    values.front() == book_->series(site, signal, current);
  if (!values.empty() && !same)
    feed({{"in", "series"},
          {"site", static_cast<std::uint32_t>(site)},
          {"signal", static_cast<int>(signal)},
          {"first", first},
          {"values", values}});
  next = current;
  const std::vector<double> ahead = live.ahead(book_->edge(current + 1), book_->step(), 168);
  std::int64_t was_first = 0;
  const std::vector<double>& was = book_->ahead(site, signal, &was_first);
  if (ahead != was || (!ahead.empty() && was_first != current + 1))
    feed({{"in", "ahead"},
          {"site", static_cast<std::uint32_t>(site)},
          {"signal", static_cast<int>(signal)},
          {"first", current + 1},
          {"values", ahead}});
}

void DispatchEngine::look_at_signals() {
  const Duration real = clock_.elapsed();
  const Instant now = book_now();
  const bool edge = book_->step_of(now) > book_->step_of(book_->book().now());
  if (real < next_signals_ && !edge) return;
  next_signals_ = real + std::min(Duration::seconds(1), Duration::from(config_.interval));
  for (SiteIndex s = 0; s < links_.size(); ++s) {
    SiteLink& link = links_[s];
    Duration oldest;
    for (auto& [signal, live] : link.signals) {
      const std::string before = live.trouble();
      live.look(real);
      if (live.trouble() != before && !live.trouble().empty())
        say(fmt::format("{}: {}", config_.sites[s].name, first_line(live.trouble())));
      feed_signal(s, signal, live, now);
      if (signal == control::Signal::Temperature) continue;
      oldest = std::max(oldest, live.age(now).value_or(now - book_->begin()));
    }
    const bool blind = oldest > Duration::from(config_.run_without_data_after);
    if (blind != link.blind)
      say(fmt::format("{}: {}", config_.sites[s].name,
                      blind ? "power or prices unknown for too long: jobs run"
                            : "power and prices are known again"));
    link.blind = blind;
  }
}

void DispatchEngine::deliver_arrivals(Instant to) {
  for (; next_row_ < requests_.size() && book_->begin() + requests_[next_row_].arrival <= to;
       ++next_row_) {
    const JobRequest& job = requests_[next_row_];
    book_->advance(std::max(book_->book().now(), book_->begin() + job.arrival));
    JobRecord r;
    r.row = next_row_;
    records_.push_back(r);
    feed({{"in", "arrived"},
          {"name", list_names_[next_row_]},
          {"own", true},
          {"row", next_row_},
          {"arrival", job.arrival.nanoseconds()},
          {"estimate", job.estimate.nanoseconds()},
          {"allowed", job.allowed.nanoseconds()},
          {"nodes", job.nodes},
          {"power_mw", job.power_mw},
          {"origin", job.origin},
          {"stoppable", job.stoppable}});
  }
}

void DispatchEngine::advance(Instant to) {
  look_at_signals();
  to = std::max(to, book_->book().now());
  deliver_arrivals(to);
  book_->advance(to);
  read_calls();
  for (SiteIndex s = 0; s < links_.size(); ++s) {
    if (!links_[s].blind) continue;
    const control::View& view = book_->view();
    for (JobIndex j = view.first_waiting(); j != JobIndex::none(); j = view.next_waiting(j))
      if (view.status(j).site == s && !view.status(j).in_line && !records_[j].refused) {
        feed({{"in", "run_all"}, {"site", static_cast<std::uint32_t>(s)}});
        break;
      }
  }
}

// --- clusters ---

void DispatchEngine::begin(SiteIndex site, SlurmOrder order) {
  SiteLink& link = links_[site];
  order.number = ++order_number_;
  if (order.changes()) {
    for (const JobIndex j : order.jobs) {
      JobRecord& r = records_[j];
      switch (order.kind) {
        case OrderKind::Submit:
          r.site = site;
          r.id.clear();
          r.token = order.words[3];
          ++r.attempt;
          r.unsure = true;
          r.unsure_since = clock_.elapsed();
          r.start_ordered = !order.begin_at;
          r.lease = order.begin_at;
          r.cancelling = false;
          break;
        case OrderKind::BeginAt:
          if (!order.begin_at) r.start_ordered = true;
          r.lease = order.begin_at;
          break;
        case OrderKind::Requeue:
          r.caused_hold = r.caused_hold || r.parked;
          r.requeued = true;
          break;
        case OrderKind::Cancel:
          r.cancelling = true;
          break;
        case OrderKind::Suspend:
          r.parked = true;
          break;
        default:
          break;
      }
      note_record(j);
    }
    if (order.kind == OrderKind::Reserve) link.reservation_there = true;
    Json intent{{"intent", order.number}, {"site", static_cast<std::uint32_t>(site)}};
    intent["words"] = order.words;
    journal_->write(intent);
    journal_->commit();
    ++commands_;
    ++link.commands[order_name(order.kind)];
  }
  link.begun = clock_.elapsed();
  if (order.kind == OrderKind::Look) link.look_began = link.begun;
  if (order.changes() && run_.fault) run_.fault("before a command");
  link.cluster->begin(order.words, Duration::from(config_.timeout));
  const bool changes = order.changes();
  link.current = std::move(order);
  if (changes && run_.fault) run_.fault("after a command");
}

void DispatchEngine::look_completed(SiteIndex site, const SlurmOutcome& outcome) {
  SiteLink& link = links_[site];
  const Duration now = clock_.elapsed();
  ++looks_;
  const Duration interval = Duration::from(config_.interval);
  if (!outcome.ok()) {
    if (link.answers)
      say(fmt::format("{}: does not answer: {}", config_.sites[site].name,
                      outcome.timed_out ? "timed out" : first_line(outcome.err)));
    link.answers = false;
    link.slow = std::min(kSlowest, 2.0 * link.slow);
    link.next_look = now + Duration::from(link.slow * config_.interval);
    link.next_clock = now;
    link.quiet = true;
    return;
  }
  if (!link.answers) say(fmt::format("{}: answers again", config_.sites[site].name));
  link.answers = true;
  link.last_answer = now;
  link.slow = outcome.took > kSlowAnswer ? std::min(kSlowest, 2.0 * link.slow) : 1.0;
  link.next_look = now + Duration::nanoseconds(static_cast<std::int64_t>(
                             link.slow * static_cast<double>(interval.nanoseconds())));
  const SlurmJobs jobs = parse_jobs(outcome.out);
  unreadable_ += jobs.not_understood;
  if (run_.task != DispatchTask::Release) advance(book_now());
  observe(site, jobs);
  std::vector<SlurmOrder> orders = orders_for(site);
  link.quiet = orders.empty();
  if (run_.task == DispatchTask::DryRun) {
    for (const SlurmOrder& o : orders)
      run_.print(
          fmt::format("{}: {}\n    # {}\n", config_.sites[site].name, shown(o.words), o.why));
    link.quiet = true;
    return;
  }
  for (SlurmOrder& o : orders) link.orders.push_back(std::move(o));
}

void DispatchEngine::command_completed(SiteIndex site, const SlurmOrder& order,
                                       const SlurmOutcome& outcome) {
  SiteLink& link = links_[site];
  const Duration now = clock_.elapsed();
  link.last_order = now;
  audit(site, order, outcome);
  Json done{{"done", order.number}, {"status", outcome.status}};
  if (outcome.timed_out) done["timed_out"] = true;
  journal_->write(done);
  if (!outcome.ok()) {
    ++failed_;
    say(fmt::format("{}: `{}`: {}", config_.sites[site].name, shown(order.words),
                    outcome.timed_out ? "timed out" : first_line(outcome.err)));
  }
  if (order.kind == OrderKind::Reserve && !outcome.ok() && !outcome.timed_out) {
    link.reservation_there = false;
    link.no_reservation = true;
    link.reserved.clear();
    say(fmt::format("{}: no reservation can be made, so jobs are requeued and not suspended",
                    config_.sites[site].name));
  }
  if (order.kind == OrderKind::Unreserve) {
    // Gone, or never there.
    if (!outcome.timed_out) link.reservation_there = false;
  }
  for (const JobIndex j : order.jobs) {
    JobRecord& r = records_[j];
    if (order.kind == OrderKind::Submit) {
      const auto id = parse_submitted(outcome.out);
      if (outcome.ok() && id) {
        r.id = *id;
        r.unsure = false;
        r.seen_at = now;
        r.failures = 0;
      }
    } else if (outcome.ok()) {
      if (order.kind == OrderKind::BeginAt && order.begin_at) r.start_ordered = false;
      if (order.kind == OrderKind::BeginAt) r.told_until = now + kToldAgain;
      if (order.kind == OrderKind::Requeue) r.start_ordered = false;
      if (order.kind == OrderKind::Release) r.caused_hold = false;
      if (order.kind == OrderKind::Resume) r.parked = false;
    }
    if (!outcome.ok()) {
      ++r.failures;
      const std::int64_t wait = std::min<std::int64_t>(60, 1LL << std::min(r.failures, 6U));
      r.not_before = now + Duration::seconds(wait);
      // The controller may have it all the same; what it has refused for good is not tried for
      // ever.
      if (order.kind == OrderKind::Submit && r.failures >= 6 && !outcome.timed_out) {
        say(fmt::format("{}: is refused by {} again and again; given up", book_->name(j),
                        config_.sites[site].name));
        r.unsure = false;
        r.id.clear();
        feed({{"in", "cancelled"}, {"job", static_cast<std::uint32_t>(j)}});
      }
    }
    note_record(j);
  }
  journal_->commit();
}

void DispatchEngine::completed(SiteIndex site, const SlurmOrder& order,
                               const SlurmOutcome& outcome) {
  SiteLink& link = links_[site];
  const Duration now = clock_.elapsed();
  if (order.changes()) return command_completed(site, order, outcome);
  switch (order.kind) {
    case OrderKind::Look:
      return look_completed(site, outcome);
    case OrderKind::Clock:
      if (const auto at = parse_controller_time(outcome.out); outcome.ok() && at) {
        link.controller = *at;
        link.controller_read = now - Duration::nanoseconds(outcome.took.nanoseconds() / 2);
        link.next_clock = now + kBetweenClocks;
      } else {
        link.next_clock = now + Duration::from(link.slow * config_.interval);
      }
      return;
    case OrderKind::Nodes: {
      link.next_nodes = now + std::max(kBetweenNodes, Duration::from(config_.interval));
      if (!outcome.ok()) return;
      const SlurmNodes nodes = parse_nodes(outcome.out);
      link.down = nodes.down;
      link.nodes = nodes.idle;
      link.nodes.insert(nodes.busy.begin(), nodes.busy.end());
      link.nodes.insert(nodes.down.begin(), nodes.down.end());
      return;
    }
    case OrderKind::Account: {
      const JobIndex j = order.jobs.front();
      JobRecord& r = records_[j];
      const std::string name = (r.own ? r.token : r.name) + "|";
      std::string state = "unknown";
      for (std::size_t at = 0; at < outcome.out.size();) {
        const std::size_t end = std::min(outcome.out.find('\n', at), outcome.out.size());
        const std::string line = outcome.out.substr(at, end - at);
        if (line.starts_with(name)) state = line.substr(name.size());
        at = end + 1;
      }
      say(fmt::format("{}: accounts say {}", book_->name(j), state));
      close_energy(j);
      const auto number = static_cast<std::uint32_t>(j);
      if (state.starts_with("CANCELLED"))
        feed({{"in", "cancelled"}, {"job", number}});
      else
        feed({{"in", "ended"}, {"job", number}, {"state", state}});
      return;
    }
    default:
      return;
  }
}

/// The book wants something that the last look at the site has not been compared with.
bool DispatchEngine::needs_attention(SiteIndex site) const {
  const SiteLink& link = links_[site];
  if ((active_call(site) != nullptr && !link.no_reservation) != link.reservation_there) return true;
  for (JobIndex j = 0; j < records_.size(); ++j) {
    const JobRecord& r = records_[j];
    const control::JobStatus& status = book_->status(j);
    if (book_->over(j) || clock_.elapsed() < r.not_before || r.unsure) continue;
    const bool here = r.id.empty() ? r.own && status.site == site : r.site == site;
    if (here && (r.scanned_phase != status.phase || r.scanned_since != status.since ||
                 (r.id.empty() && status.phase != JobPhase::Moving)))
      return true;
  }
  return false;
}

void DispatchEngine::turn(SiteIndex site) {
  SiteLink& link = links_[site];
  if (link.current) {
    std::optional<SlurmOutcome> outcome = link.cluster->poll();
    if (!outcome) return;
    const SlurmOrder order = std::move(*link.current);
    link.current.reset();
    if (order.changes() && run_.fault) run_.fault("before an outcome");
    completed(site, order, *outcome);
    if (order.changes() && run_.fault) run_.fault("after an outcome");
  }
  const Duration now = clock_.elapsed();
  if (!link.orders.empty()) {
    if (link.orders.front().changes()) {
      if (allowance_ < 1.0) return;
      allowance_ -= 1.0;
    }
    SlurmOrder next = std::move(link.orders.front());
    link.orders.pop_front();
    return begin(site, std::move(next));
  }
  const auto ask_for = [&](OrderKind kind, std::vector<std::string> words) {
    SlurmOrder o;
    o.kind = kind;
    o.words = std::move(words);
    begin(site, std::move(o));
  };
  if (now >= link.next_clock && (link.answers || now >= link.next_look))
    return ask_for(OrderKind::Clock, {"sdiag"});
  if (now >= link.next_nodes && link.answers) return ask_for(OrderKind::Nodes, sinfo_words());
  const bool settle = run_.task != DispatchTask::Run && link.quiet;
  if (settle) return;
  bool due = now >= link.next_look;
  if (!due && link.answers) {
    const bool quick = now - link.last_order < kAfterOrder && link.last_order > Duration{};
    if (now - link.look_began >= kQuick && (quick || needs_attention(site))) due = true;
  }
  if (due) ask_for(OrderKind::Look, squeue_words());
}

bool DispatchEngine::all_done() const {
  for (const SiteLink& link : links_)
    if (link.current || !link.orders.empty()) return false;
  if (run_.task != DispatchTask::Run)
    return std::all_of(links_.begin(), links_.end(), [](const SiteLink& l) { return l.quiet; });
  if (!config_.exit_when_done || next_row_ < requests_.size()) return false;
  for (JobIndex j = 0; j < records_.size(); ++j)
    if (records_[j].own && !book_->over(j)) return false;
  return true;
}

bool DispatchEngine::step() {
  if (finished_) return false;
  const Duration now = clock_.elapsed();
  allowance_ =
      std::min(std::max(1.0, config_.commands_per_second),
               allowance_ + config_.commands_per_second * (now - last_filled_).time().in(second));
  last_filled_ = now;
  if (run_.task != DispatchTask::Release) advance(book_now());
  for (SiteIndex s = 0; s < links_.size(); ++s) turn(s);
  if (now >= next_metrics_ && run_.task == DispatchTask::Run) {
    next_metrics_ = now + Duration::from(config_.interval);
    write_metrics();
    write_modes();
  }
  if (!all_done()) return true;
  finish();
  return false;
}

void DispatchEngine::finish() {
  finished_ = true;
  journal_->commit();
  if (run_.task == DispatchTask::Run) write_metrics();
}

Duration DispatchEngine::pause() const {
  const Duration now = clock_.elapsed();
  Duration until = Duration::from(config_.interval);
  const auto sooner = [&](Duration d) { until = std::clamp(d, Duration{}, until); };
  for (SiteIndex s = 0; s < links_.size(); ++s) {
    const SiteLink& link = links_[s];
    if (link.current) {
      // Its output ends a little before the program does.
      sooner(link.cluster->descriptor() >= 0 ? link.begun + Duration::from(config_.timeout) - now
                                             : Duration::nanoseconds(2'000'000));
      if (now - link.begun < Duration::from(config_.timeout)) sooner(kQuick);
      continue;
    }
    if (!link.orders.empty()) {
      sooner(Duration::nanoseconds(static_cast<std::int64_t>(
          std::max(1e6, 1e9 * (1.0 - allowance_) / config_.commands_per_second))));
      continue;
    }
    sooner(link.next_look - now);
    if (now - link.last_order < kAfterOrder && link.last_order > Duration{})
      sooner(link.look_began + kQuick - now);
    if (link.answers && needs_attention(s)) sooner(link.look_began + kQuick - now);
  }
  sooner(next_signals_ - now);
  const auto in_real = [&](Instant at) {
    return Duration::from((at - book_->book().now()).time() / config_.speed);
  };
  if (const auto next = book_->book().next()) sooner(in_real(*next));
  if (next_row_ < requests_.size()) sooner(in_real(book_->begin() + requests_[next_row_].arrival));
  sooner(in_real(book_->edge(book_->step_of(book_->book().now()) + 1)));
  return until;
}

std::string DispatchEngine::event_log() { return book_->log().text(); }

DispatchSummary DispatchEngine::summary() const {
  DispatchSummary s;
  s.result = book_->book().result();
  s.commands = commands_;
  s.failed = failed_;
  s.looks = looks_;
  s.latency_s = latency_s_;
  return s;
}

// --- the face ---

Dispatcher::Dispatcher(DispatchConfig config, std::vector<std::unique_ptr<SlurmCluster>> clusters,
                       DispatchClock& clock, DispatchRun run)
    : engine_(std::make_unique<DispatchEngine>(std::move(config), std::move(clusters), clock,
                                               std::move(run))) {}
Dispatcher::~Dispatcher() = default;
bool Dispatcher::step() { return engine_->step(); }
Duration Dispatcher::pause() const { return engine_->pause(); }
DispatchSummary Dispatcher::summary() const { return engine_->summary(); }
std::string Dispatcher::event_log() const { return engine_->event_log(); }

DispatchSummary dispatch(const DispatchConfig& config, const DispatchRun& run,
                         const StopToken& stop) {
  std::vector<std::unique_ptr<SlurmCluster>> clusters;
  std::vector<SlurmCluster*> seen;
  for (const DispatchSite& site : config.sites) {
    clusters.push_back(make_slurm_cluster(site.slurm_conf));
    seen.push_back(clusters.back().get());
  }
  const auto clock = make_dispatch_clock([&seen] {
    std::vector<int> fds;
    for (const SlurmCluster* c : seen)
      if (c->descriptor() >= 0) fds.push_back(c->descriptor());
    return fds;
  });
  Dispatcher dispatcher(config, std::move(clusters), *clock, run);
  while (!stop.requested() && dispatcher.step()) clock->wait(dispatcher.pause());
  return dispatcher.summary();
}

}  // namespace carnot::live
