// SPDX-License-Identifier: Apache-2.0
#include "measure/loop.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <sys/resource.h>

#include "measure/begin.hpp"

namespace carnot::measure::detail {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kLookEvery = kSecond;  // at processes, or,
constexpr std::int64_t kLookSoonest =
    kSecond / 10;                         // at first, after each tenth of the time so far
constexpr std::int64_t kLookShare = 200;  // and for at most 1/200 of the time
constexpr std::int64_t kMachineEvery = kSecond / 5;  // traffic and frequency: files of all devices
constexpr std::int64_t kUseEvery = kSecond / 100;    // a tick: CPU time tells no more
constexpr std::int64_t kSuspend = kSecond / 50;      // clocks drift apart by less while awake

std::int64_t nanoseconds(const timeval& t) {
  return t.tv_sec * kSecond + t.tv_usec * std::int64_t{1000};
}

/// This process's own CPU time.
std::int64_t own_cpu_ns() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return nanoseconds(use.ru_utime) + nanoseconds(use.ru_stime);
}

double per_second(double amount, std::int64_t length_ns) {
  return amount * static_cast<double>(kSecond) / static_cast<double>(length_ns);
}

/// Why energy of this channel went unseen; null: it did not.
const char* gap_reason(const meter::ChannelState& now, const meter::ChannelState& before,
                       bool is_counter) {
  using meter::PollStatus;
  using meter::StepKind;
  if (now.last_step == StepKind::Silent) {
    if (now.energy <= Energy{}) return nullptr;  // from the beginning: the meter's notes say so
    return now.unobserved > before.unobserved ? "it said nothing"
                                              : "it said nothing: the power model counts";
  }
  if (now.status == PollStatus::Ended) return "its readings ended";
  if (now.status == PollStatus::Broken) return "it cannot be read any more";
  const bool unread = now.status != PollStatus::Ok && now.at == before.at;
  if (now.unobserved <= before.unobserved && !(is_counter && unread)) return nullptr;
  switch (now.last_step) {
    case StepKind::Back:
      return "its counter stepped back";
    case StepKind::Reset:
      return "its counter began again from zero";
    case StepKind::Implausible:
      return "it showed more than any such device can draw";
    case StepKind::Unsure:
      return "its counter may have turned unseen: a lower bound";
    default:
      return "it was not readable for a while";
  }
}

}  // namespace

MeasureBase fresh_base(std::size_t channels) {
  MeasureBase base;
  base.add.channels.resize(channels);
  for (std::size_t i = 0; i < channels; ++i) base.channel.emplace_back(i);
  return base;
}

static std::uint64_t recorded_counts(Energy energy) noexcept {
  return static_cast<std::uint64_t>(std::llround(energy.in(joule) / kGaugeUnit_j));
}

std::uint64_t recorded_total(const meter::ChannelState& state, bool is_counter) noexcept {
  return is_counter ? state.total_raw : recorded_counts(state.energy);
}

MeasureLoop::MeasureLoop(MeasureSubject subject, const MeasureOptions& options,
                         const MeasureHooks& hooks, const ledger::MeasurementBegin& begin,
                         MeasureBase base, MeasureSink& sink)
    : subject_(subject),
      clock_(subject.meter.clock()),
      options_(options),
      hooks_(hooks),
      begin_(begin),
      base_(std::move(base)),
      sink_(sink),
      interval_(options.interval, subject.meter.longest_interval()),
      machine_(subject.procfs_root, subject.sysfs_root),
      entry_(ledger::MeasurementSample{}),
      gaps_(begin.channels.size()),
      shares_(begin.channels.size(), 0.0),
      replaying_(!options.meter.sources.replay_from.empty()) {
  // A recording has no processes, and those of today are not its.
  if (!subject.job && !replaying_) table_.emplace(subject.procfs_root);
  std::get<ledger::MeasurementSample>(entry_).channels.resize(begin.channels.size());
}

void MeasureLoop::fill_machine() {
  if (!replaying_ && now_.at.monotonic_ns >= machine_due_ns_) {
    machine_due_ns_ = now_.at.monotonic_ns + kMachineEvery;
    frequency_hz_ = machine_.frequency_hz();
    net_b_ = machine_.traffic().net_b;
  }
  ledger::MeasurementSample& s = std::get<ledger::MeasurementSample>(entry_);
  const ledger::MeasurementSample& add = base_.add;
  s.machine_busy_ns = add.machine_busy_ns + now_.machine.busy_ns;
  s.machine_idle_ns = add.machine_idle_ns + now_.machine.idle_ns;
  s.machine_steal_ns = add.machine_steal_ns + now_.machine.steal_ns;
  s.machine_net_b = add.machine_net_b + net_b_;
  s.frequency_hz = frequency_hz_;
}

void MeasureLoop::read_use(bool whole) {
  const std::int64_t now = now_.at.monotonic_ns;
  if (!whole && now < use_due_ns_) return;
  use_due_ns_ = now + kUseEvery;
  if (subject_.job) use_ = subject_.job->sample();
  own_cpu_ns_ = own_cpu_ns();
}

void MeasureLoop::fill() {
  ledger::MeasurementSample& s = std::get<ledger::MeasurementSample>(entry_);
  const ledger::MeasurementSample& add = base_.add;
  s.monotonic_ns = add.monotonic_ns + now_.at.monotonic_ns;
  s.boottime_ns = add.boottime_ns + now_.at.boottime_ns;
  fill_machine();
  s.job_cpu_ns = add.job_cpu_ns + use_.cpu_ns;
  s.job_disk_read_b = add.job_disk_read_b + use_.disk_read_b;
  s.job_disk_write_b = add.job_disk_write_b + use_.disk_write_b;
  s.job_peak_rss_b = std::max(add.job_peak_rss_b, use_.peak_rss_b);
  for (std::size_t i = 0; i < s.channels.size(); ++i) {
    ledger::MeasurementSample::Channel& c = s.channels[i];
    const ledger::MeasurementSample::Channel& from = add.channels[i];
    if (!base_.channel[i]) {  // gone since the measurement began: all of its time is unobserved
      c = from;
      c.unobserved_ns += now_.at.monotonic_ns;
      c.status = static_cast<std::uint8_t>(meter::PollStatus::Ended);
      continue;
    }
    const std::size_t at = *base_.channel[i];
    const meter::ChannelState& state = now_.channels[at];
    const bool counter = begin_.channels[i].is_counter;
    c.total = from.total + recorded_total(state, counter);
    c.raw = subject_.meter.channels()[at].role == meter::Role::StandIn
                ? recorded_counts(state.confirmed)
                : state.raw;
    c.unobserved_ns = from.unobserved_ns + state.unobserved.nanoseconds();
    c.share = shares_[i];
    c.status = static_cast<std::uint8_t>(state.status);
    c.step = static_cast<std::uint8_t>(state.last_step);
    c.gain_low = c.gain_high = 1;
    if (counter || before_.channels.empty()) continue;
    const meter::ChannelState& then = before_.channels[at];
    if (const Energy step = state.energy - then.energy; step > Energy{}) {
      c.gain_low = static_cast<float>((state.low - then.low) / step);
      c.gain_high = static_cast<float>((state.high - then.high) / step);
    }
  }
  s.meter_cpu_ns = add.meter_cpu_ns + own_cpu_ns_;
}

void MeasureLoop::close_gap(std::size_t channel, std::int64_t until_ns) {
  OpenGap& gap = gaps_[channel];
  sink_.append(ledger::MeasurementGap{gap.from_ns, until_ns, begin_.channels[channel].id, gap.why});
  gap.why = nullptr;
}

void MeasureLoop::note_gaps() {
  if (before_.channels.empty()) return;
  const std::int64_t shift = base_.add.boottime_ns;
  const std::int64_t from = shift + before_.at.boottime_ns, to = shift + now_.at.boottime_ns;
  const std::int64_t asleep = (now_.at.boottime_ns - before_.at.boottime_ns) -
                              (now_.at.monotonic_ns - before_.at.monotonic_ns);
  if (asleep > kSuspend)
    sink_.append(ledger::MeasurementGap{from, to, "", "the machine was suspended"});
  for (std::size_t i = 0; i < gaps_.size(); ++i) {
    if (!base_.channel[i]) continue;
    const std::size_t at = *base_.channel[i];
    const char* const why =
        gap_reason(now_.channels[at], before_.channels[at], begin_.channels[i].is_counter);
    if (gaps_[i].why && gaps_[i].why != why) close_gap(i, from);
    if (why && !gaps_[i].why) gaps_[i] = {from, why};
  }
}

double MeasureLoop::counted_joules() const {
  const auto& channels = subject_.meter.channels();
  double joules = 0;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    if (channels[i].role != meter::Role::Counted && channels[i].role != meter::Role::StandIn)
      continue;
    joules += (now_.channels[i].energy - before_.channels[i].energy).in(joule);
  }
  return joules;
}

void MeasureLoop::write_sample() {
  fill();
  sink_.append(entry_);
  note_gaps();
  sink_.sync_if_due(now_.at.monotonic_ns);
  if (!before_.channels.empty()) {
    const std::int64_t length = now_.at.monotonic_ns - before_.at.monotonic_ns;
    if (length > 0) {
      const auto busy = static_cast<double>(now_.machine.busy_ns - before_.machine.busy_ns);
      interval_.seen(per_second(counted_joules(), length), busy / static_cast<double>(length),
                     Duration::nanoseconds(length));
    }
  } else {
    started_ns_ = due_ns_ = clock_.now().monotonic_ns;
  }
  std::swap(before_, now_);
  if (hooks_.on_sample) {
    hooks_.on_sample(
        {begin_, std::get<ledger::MeasurementSample>(entry_), subject_.meter, processes_});
  }
}

void MeasureLoop::sample(bool whole) {
  subject_.meter.sample(now_);
  read_use(whole);
  write_sample();
}

void MeasureLoop::look() {
  const meter::Stamp began = clock_.now();
  if (table_) {
    table_->sweep();
    processes_ = table_->processes();
  } else if (subject_.job) {
    processes_ = subject_.job->processes();
  }
  ledger::MeasurementProcess row;
  row.boottime_ns = base_.add.boottime_ns + began.boottime_ns;
  for (const meter::ProcessUse& p : processes_) {
    Written& known = written_[{p.pid, p.start_ticks}];
    if (known.cpu_ns == p.cpu_ns && known.alive == p.alive) continue;
    known = {p.cpu_ns, p.alive};
    row.pid = p.pid;
    row.start_ticks = p.start_ticks;
    row.name = p.name;
    row.cpu_ns = p.cpu_ns;
    row.alive = p.alive;
    sink_.append(row);
    if (!p.alive) written_.erase({p.pid, p.start_ticks});
  }
  if (subject_.job) look_at_accelerators();
  const std::int64_t done = clock_.now().monotonic_ns;
  const std::int64_t every = std::clamp((done - started_ns_) / 10, kLookSoonest, kLookEvery);
  look_due_ns_ = done + std::max(every, kLookShare * (done - began.monotonic_ns));
}

void MeasureLoop::look_at_accelerators() {
  const std::vector<meter::DeviceUse> uses = subject_.meter.device_use();
  const auto is_ours = [this](int pid) {
    return std::any_of(processes_.begin(), processes_.end(),
                       [pid](const auto& p) { return p.pid == pid; });
  };
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    const int device = begin_.channels[i].device;
    double all = 0, ours = 0, foreign = 0;
    for (const meter::DeviceUse& use : uses) {
      if (device < 0 || use.device != device) continue;
      all += use.busy_share;
      if (is_ours(use.pid)) {
        ours += use.busy_share;
      } else if (meter::is_foreign(use.pid, subject_.procfs_root)) {
        foreign += use.busy_share;
      }
    }
    // Whom nobody here knows may be the job under the host's numbers: then it is at most that much.
    shares_[i] = all > 0 ? (ours > 0 ? ours / all : -foreign / all) : 0.0;
  }
}

bool MeasureLoop::recording_over() const {
  return std::all_of(before_.channels.begin(), before_.channels.end(), [](const auto& state) {
    return state.status == meter::PollStatus::Ended || state.status == meter::PollStatus::Broken;
  });
}

bool MeasureLoop::wait() {
  // What was recorded needs no waiting for.
  if (replaying_) return !recording_over() && !(hooks_.stop && hooks_.stop());
  due_ns_ += interval_.current().nanoseconds();
  const int ended = subject_.job ? subject_.job->wait_fd() : -1;
  while (true) {
    if (hooks_.stop && hooks_.stop()) return false;
    const std::int64_t now = clock_.now().monotonic_ns;
    const std::int64_t stop_ns =
        options_.stop_after ? started_ns_ + options_.stop_after->nanoseconds() : due_ns_;
    if (options_.stop_after && now >= stop_ns) return false;
    if (now >= due_ns_) break;
    const std::int64_t left = std::min(due_ns_, stop_ns) - now;
    if (clock_.wait(Duration::nanoseconds(left), ended)) return false;
  }
  // Late by more than an interval (stopped, suspended): go on from here instead of catching up.
  const std::int64_t now = clock_.now().monotonic_ns;
  if (now - due_ns_ > interval_.current().nanoseconds()) due_ns_ = now;
  return true;
}

ledger::MeasurementEnd MeasureLoop::end(std::string_view outcome, int exit_code) {
  const ledger::MeasurementSample& s = std::get<ledger::MeasurementSample>(entry_);
  for (std::size_t i = 0; i < gaps_.size(); ++i) {
    if (gaps_[i].why) close_gap(i, s.boottime_ns);
  }
  return {s.monotonic_ns, s.boottime_ns, std::string(outcome), exit_code};
}

ledger::MeasurementEnd MeasureLoop::run() {
  meter::Job* const job = subject_.job;
  const bool asked = job && job->wait_fd() < 0;  // nothing says by itself that it has ended
  while (wait() && !(asked && job->ended())) {
    // What the processes used is held against what the job used: both of one moment.
    const bool looks = clock_.now().monotonic_ns >= look_due_ns_;
    sample(looks);
    if (looks) look();
  }
  const bool over = job && job->ended();
  subject_.meter.sample(now_);
  if (!replaying_) now_.machine = machine_.read();  // the meter's may be a tick old
  look();
  read_use(true);
  if (over) use_ = job->finish();
  write_sample();
  if (!job) return end("finished", 0);
  if (!over) return end("detached", 0);
  return end(name(job->outcome()), job->exit_code());
}

}  // namespace carnot::measure::detail
