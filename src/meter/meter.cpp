// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/meter.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "carnot/base/limits.hpp"

#include "meter/meter_state.hpp"
#include "meter/recording/recording.hpp"

namespace carnot::meter {

namespace {

/// The kernel counts CPU time in ticks of 10 ms; asking more often tells nothing new.
constexpr Duration kTick = Duration::nanoseconds(10'000'000);
/// Shortest interval of which the busy share says something: ten ticks.
constexpr Duration kLearningInterval = Duration::nanoseconds(100'000'000);
/// Libraries of accelerators take milliseconds to tell who uses them.
constexpr Duration kDeviceUseInterval = Duration::nanoseconds(500'000'000);
/// A reading further than this from now is of another time.
constexpr Duration kForeign = Duration::seconds(60);
/// Long before any reading.
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min() / 2;
/// Readings by which mirrors are told from neighbours, and the pause between them.
constexpr int kObservedReadings = 5;
constexpr Duration kObservedPause = Duration::nanoseconds(1'200'000);

/// Whether the counted domains see the processors.
bool sees_processors(std::span<const Domain> domains, const Resolution& resolution) {
  for (std::size_t i = 0; i < domains.size(); ++i)
    if (resolution.entries[i].role == Role::Counted && sees_processors(domains[i])) return true;
  return false;
}

/// Power at rest where nothing but the model stands for the host: what could be learned from the
/// model's power is what it was made with.
StaticPower static_power_of(std::span<const Channel> channels) {
  const Channel* model = nullptr;
  for (const Channel& channel : channels) {
    const DomainKind kind = channel.domain.kind;
    if (channel.role != Role::Counted || kind == DomainKind::Gpu) continue;
    if (!channel.domain.at_rest || model != nullptr) return {};
    model = &channel;
  }
  if (model == nullptr) return {};
  const PowerBand& rest = *model->domain.at_rest;
  return StaticPower::given(rest.value, rest.low, rest.high);
}

std::vector<Domain> domains_of(std::span<const std::unique_ptr<Source>> sources) {
  std::vector<Domain> domains;
  for (const auto& source : sources)
    domains.insert(domains.end(), source->domains().begin(), source->domains().end());
  return domains;
}

/// What the caller says of the host, over what the machine tells.
HostFacts merged(HostFacts told, const HostFacts& said) {
  const auto take = [](auto& into, const auto& from) {
    if (from) into = from;
  };
  take(told.tdp_w, said.tdp_w);
  take(told.chips, said.chips);
  take(told.cores, said.cores);
  take(told.threads, said.threads);
  take(told.memory_gb, said.memory_gb);
  take(told.year, said.year);
  take(told.vcpus, said.vcpus);
  if (!said.vendor.empty()) told.vendor = said.vendor;
  told.sources.insert(told.sources.end(), said.sources.begin(), said.sources.end());
  return told;
}

}  // namespace

// ---- making one

Meter Meter::open(const MeterOptions& options) {
  SourceOptions sources = options.sources;
  sources.record_to.clear();  // with the model, once it is there
  Found found = find_sources(sources);
  std::vector<Domain> domains = domains_of(found.sources);
  const SourceOptions& roots = options.sources;
  // This machine's load says nothing of a recording's: its own model is in it.
  if (options.model && roots.replay_from.empty()) {
    const HostFacts facts =
        merged(read_host_facts(roots.sysfs_root, roots.procfs_root), options.host);
    found.sources.push_back(open_model(facts, roots.procfs_root, *roots.clock));
    if (!sees_processors(domains, resolve(domains)))
      found.notes.push_back({"power model",
                             "no sensor of this machine's processors can be read: their power is "
                             "modelled from what is known of the host and its load",
                             ""});
  }
  if (found.sources.empty()) {
    std::string message = "nothing to measure with here, and the power model is off";
    for (const Note& note : found.notes)
      message += fmt::format("\n{}: {}{}{}", note.what, note.why, note.remedy.empty() ? "" : ": ",
                             note.remedy);
    throw DeviceError(message);
  }
  if (!roots.record_to.empty()) found.sources = recorded(std::move(found.sources), roots.record_to);
  auto implementation = std::make_unique<Implementation>(std::move(found.sources), options);
  implementation->notes.insert(implementation->notes.begin(), found.notes.begin(),
                               found.notes.end());
  return Meter(std::move(implementation));
}

Meter Meter::over(std::vector<std::unique_ptr<Source>> sources, const MeterOptions& options) {
  if (sources.empty()) throw DeviceError("a meter needs at least one source");
  return Meter(std::make_unique<Implementation>(std::move(sources), options));
}

Meter::Meter(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Meter::Meter(Meter&&) noexcept = default;
Meter& Meter::operator=(Meter&&) noexcept = default;
Meter::~Meter() = default;

Meter::Implementation::Implementation(std::vector<std::unique_ptr<Source>> found,
                                      const MeterOptions& options)
    : sources(std::move(found)),
      domains(domains_of(sources)),
      clock(*options.sources.clock),
      device_use_ns(kNever),
      guard(new ProcessKeeper(::getpid())) {
  try {
    machine.emplace(options.sources.procfs_root);
    if (!machine->readable()) {
      machine.reset();
      notes.push_back({"CPU time",
                       options.sources.procfs_root +
                           "/stat makes no sense here (as under lxcfs): the machine's load is not "
                           "known, and what a job shares with others cannot be told",
                       ""});
    }
  } catch (const IoError& error) {
    notes.push_back({"CPU time", error.what(), ""});
  }
  MeterState& state = states[0];
  for (const Domain& domain : domains) state.tracks.emplace_back(domain);
  state.polled_ns.assign(sources.size(), kNever);
  states[1] = state;
  readings.resize(domains.size());
  foreign_clock = !options.sources.replay_from.empty();
  if (foreign_clock) machine.reset();
  Snapshot first;
  sample(first);
  for (const ChannelState& channel : first.channels)
    foreign_clock |=
        channel.at != Stamp{} &&
        std::abs(channel.at.monotonic_ns - first.at.monotonic_ns) > kForeign.nanoseconds();
  // Channels without a reading yet have been silent since now.
  for (MeterState& each : states) {
    each.at = foreign_clock ? Stamp{} : first.at;
    for (Track& track : each.tracks)
      if (!track.read) track.state.at = each.at;
  }
  settle_roles();
  for (MeterState& each : states) each.static_power = static_power_of(channels);
  for (const Channel& channel : channels) {
    if (channel.role != Role::Counted) continue;
    const Domain& d = channel.domain;
    const Duration longest =
        d.is_counter ? Counter(d.counter).longest_interval() : d.gauge.longest_hold;
    if (longest == Duration{}) continue;
    longest_interval =
        longest_interval == Duration{} ? longest : std::min(longest_interval, longest);
  }
}

Meter::Implementation::~Implementation() {
  std::unique_ptr<ProcessKeeper> mine(&own_guard());
  mine->stop();
}

/// Roles by name and topology, then by behaviour where two counted counters of one kind might be
/// one register seen twice.
void Meter::Implementation::resolve_roles() {
  Resolution resolution = resolve(domains);
  const auto may_mirror = [&](std::size_t i, std::size_t j) {
    return resolution.entries[i].role == Role::Counted &&
           resolution.entries[j].role == Role::Counted && domains[i].kind == domains[j].kind &&
           domains[i].is_counter && domains[j].is_counter &&
           (domains[i].socket < 0 || domains[j].socket < 0 ||
            domains[i].socket == domains[j].socket);
  };
  bool worth_a_look = false;
  for (std::size_t i = 0; i < domains.size(); ++i)
    for (std::size_t j = i + 1; j < domains.size(); ++j) worth_a_look |= may_mirror(i, j);
  if (worth_a_look) {
    std::vector<std::vector<double>> deltas;
    Snapshot before, after;
    sample(before);
    for (int reading = 1; reading < kObservedReadings; ++reading) {
      clock.wait(kObservedPause);
      sample(after);
      std::vector<double>& row = deltas.emplace_back();
      for (std::size_t i = 0; i < domains.size(); ++i) {
        const ChannelState& state = after.channels[i];
        const bool moved_on = state.status == PollStatus::Ok && state.at != before.channels[i].at;
        row.push_back(moved_on ? (state.energy - before.channels[i].energy).in(joule) : kNaN);
      }
      std::swap(before, after);
    }
    resolution = observe(domains, resolution, deltas);
  }
  channels.clear();
  for (std::size_t i = 0; i < domains.size(); ++i) {
    Resolution::Entry& entry = resolution.entries[i];
    channels.push_back({domains[i], entry.role, std::move(entry.of), std::move(entry.reason)});
  }
  boundary = resolution.boundary;
  origin = resolution.origin;
  resolution_notes = std::move(resolution.notes);
  watch();
}

// ---- asking it

const std::vector<Channel>& Meter::channels() const noexcept { return implementation_->channels; }
const std::vector<Note>& Meter::notes() const noexcept { return implementation_->notes; }
Boundary Meter::boundary() const noexcept { return implementation_->boundary; }
Origin Meter::origin() const noexcept { return implementation_->origin; }
Duration Meter::longest_interval() const noexcept { return implementation_->longest_interval; }
Clock& Meter::clock() const noexcept { return implementation_->clock; }

StaticPower Meter::static_power() const {
  Implementation& m = *implementation_;
  const std::scoped_lock lock(m.own_guard().mutex);
  const MeterState& state = m.states[m.current.load(std::memory_order_acquire)];
  // Where the stand-in alone has counted, power at rest is the model's too.
  if (state.static_power.samples() == 0 && !state.static_power.is_given() && m.stand_in &&
      m.domains[*m.stand_in].at_rest && state.stand_in.shown.energy > Energy{}) {
    const PowerBand& rest = *m.domains[*m.stand_in].at_rest;
    return StaticPower::given(rest.value, rest.low, rest.high);
  }
  return state.static_power;
}

void Meter::sample(Snapshot& into) { implementation_->sample(into); }

Snapshot Meter::sample() {
  Snapshot result;
  sample(result);
  return result;
}

void Meter::Implementation::sample(Snapshot& into) {
  ProcessKeeper& mine = own_guard();
  if (keep_alive.load(std::memory_order_relaxed)) start_keeper(mine);
  const std::scoped_lock lock(mine.mutex);
  const unsigned now_current = current.load(std::memory_order_acquire);
  MeterState& next = states[1 - now_current];
  next = states[now_current];
  const Stamp now = clock.now();
  advance(next, now);
  next.at = time_of_sample(next, now);
  if (stand_in) stand(next, states[now_current].at);
  learn(next);
  current.store(1 - now_current, std::memory_order_release);

  into.at = next.at;
  into.machine = next.machine;
  into.busy_share = next.busy_share;
  into.channels.resize(next.tracks.size());
  for (std::size_t i = 0; i < next.tracks.size(); ++i) into.channels[i] = next.tracks[i].state;
  if (stand_in) into.channels[*stand_in] = next.stand_in.shown;
}

/// The latest reading made in this sample: a thread may be held up between reading and looking at
/// the clock. Where nothing was read just now, now.
Stamp Meter::Implementation::time_of_sample(const MeterState& next, const Stamp& began) const {
  Stamp latest = foreign_clock ? next.at : began;
  bool read = foreign_clock;
  for (const Track& track : next.tracks) {
    if (track.covered || track.state.at.monotonic_ns < latest.monotonic_ns) continue;
    latest = track.state.at;
    read = true;
  }
  return read ? latest : clock.now();
}

void Meter::Implementation::advance(MeterState& next, const Stamp& now) {
  std::size_t first = 0;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    const std::size_t count = sources[s]->domains().size();
    const std::int64_t due = next.polled_ns[s] + sources[s]->shortest_interval().nanoseconds();
    if (foreign_clock || now.monotonic_ns >= due) {
      next.polled_ns[s] = now.monotonic_ns;
      const std::span<Reading> mine = std::span(readings).subspan(first, count);
      sources[s]->poll(mine);
      for (std::size_t i = 0; i < count; ++i) next.tracks[first + i].take(mine[i]);
    }
    first += count;
  }
  if (machine && now.monotonic_ns - next.machine_ns >= kTick.nanoseconds()) {
    next.machine = machine->read();
    next.machine_ns = now.monotonic_ns;
  }
}

/// Feeds the static power learner with intervals long enough for ticks, and without gaps.
void Meter::Implementation::learn(MeterState& next) const {
  if (!machine || channels.empty()) return;
  Energy counted;
  Duration unobserved;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    if (channels[i].role != Role::Counted) continue;
    counted += next.tracks[i].state.energy;
    unobserved = unobserved + unobserved_until(next.tracks[i].state, next.at);
  }
  auto& from = next.learning;
  const Duration length = elapsed(from.at, next.at).awake;
  if (from.set && length < kLearningInterval) return;
  if (from.set) {
    const double busy = static_cast<double>(next.machine.busy_ns - from.machine.busy_ns);
    const double idle = static_cast<double>(next.machine.idle_ns - from.machine.idle_ns +
                                            next.machine.steal_ns - from.machine.steal_ns);
    if (length > Duration{} && busy + idle > 0) {
      next.busy_share = std::clamp(busy / (busy + idle), 0.0, 1.0);
      if (unobserved == from.unobserved && origin == Origin::Measured && !next.stand_in.active)
        next.static_power.add(next.busy_share, (counted - from.counted) / length.time(), length);
    }
  }
  from = {true, next.at, next.machine, counted, unobserved};
}

std::vector<DeviceUse> Meter::device_use() {
  Implementation& m = *implementation_;
  const std::scoped_lock lock(m.own_guard().mutex);
  const std::int64_t now = m.clock.now().monotonic_ns;
  if (now - m.device_use_ns >= kDeviceUseInterval.nanoseconds()) {
    m.device_use_ns = now;
    m.device_use.clear();
    for (const auto& source : m.sources) source->device_use(m.device_use);
  }
  return m.device_use;
}

void Meter::restore(const std::vector<std::string>& ids, const Snapshot& last) {
  Implementation& m = *implementation_;
  bool same = ids.size() == m.domains.size() && last.channels.size() == ids.size();
  for (std::size_t i = 0; same && i < ids.size(); ++i) same = ids[i] == m.domains[i].id;
  if (!same) {
    throw InputError(fmt::format("recorded channels [{}] are not those of this machine [{}]",
                                 fmt::join(ids, ", "), [&m] {
                                   std::string names;
                                   for (const Domain& d : m.domains)
                                     names += (names.empty() ? "" : ", ") + d.id;
                                   return names;
                                 }()));
  }
  const std::scoped_lock lock(m.own_guard().mutex);
  MeterState& state = m.states[m.current.load(std::memory_order_acquire)];
  for (std::size_t i = 0; i < ids.size(); ++i) state.tracks[i].restore(last.channels[i]);
  if (m.stand_in) {
    const ChannelState& model = last.channels[*m.stand_in];
    state.stand_in = {model, model.energy, model.low, model.high, {}, {}, false};
  }
  state.polled_ns.assign(m.sources.size(), kNever);
  state.learning.set = false;
}

void Meter::begin() {
  Implementation& m = *implementation_;
  const std::scoped_lock lock(m.own_guard().mutex);
  StandInState& model = m.states[m.current.load(std::memory_order_acquire)].stand_in;
  model.spell = Energy{};
  model.since = m.states[m.current.load(std::memory_order_acquire)].at;
  model.shown.waiting = model.shown.waiting_low = model.shown.waiting_high = Energy{};
}

// ---- keeping alive, and forks

void Meter::keep_alive() {
  Implementation& m = *implementation_;
  m.keep_alive.store(true, std::memory_order_relaxed);
  m.start_keeper(m.own_guard());
}

ProcessKeeper& Meter::Implementation::own_guard() {
  ProcessKeeper* now = guard.load(std::memory_order_acquire);
  const pid_t pid = ::getpid();
  if (now->pid == pid) return *now;
  // In a forked child. The parent's guard is left alone: its thread and its lock's holder are not
  // here to let go of it.
  auto fresh = std::make_unique<ProcessKeeper>(pid);
  if (guard.compare_exchange_strong(now, fresh.get(), std::memory_order_acq_rel))
    return *fresh.release();
  return *now;
}

void ProcessKeeper::stop() {
  {
    const std::scoped_lock lock(mutex);
    stopping = true;
  }
  wake.notify_all();
  if (keeper.joinable()) keeper.join();
}

/// Half of what the counters allow; often enough for gauges to be integrated.
Duration Meter::Implementation::keeper_interval() const {
  Duration interval = Duration::seconds(10);
  if (longest_interval > Duration{})
    interval = std::min(interval, Duration::nanoseconds(longest_interval.nanoseconds() / 2));
  for (std::size_t i = 0; i < domains.size(); ++i) {
    const Domain& domain = domains[i];
    if (channels[i].role == Role::StandIn) {
      interval = std::min(interval, Duration::seconds(5));  // half of what a gauge is held for
    } else if (!domain.is_counter)
      interval = std::min(interval, std::max(domain.gauge.update_period, kLearningInterval));
  }
  return std::max(interval, kTick);
}

void Meter::Implementation::start_keeper(ProcessKeeper& mine) {
  const std::scoped_lock lock(mine.mutex);
  if (mine.keeper.joinable() || mine.stopping) return;
  // The host program's signals are not for this thread.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  mine.keeper = std::thread([this, &mine, every = keeper_interval()] {
    Snapshot unused;
    std::unique_lock lock_inside(mine.mutex);
    while (!mine.stopping) {
      lock_inside.unlock();
      sample(unused);
      lock_inside.lock();
      mine.wake.wait_for(lock_inside, std::chrono::nanoseconds(every.nanoseconds()),
                         [&mine] { return mine.stopping; });
    }
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace carnot::meter
