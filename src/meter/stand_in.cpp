// SPDX-License-Identifier: Apache-2.0
// A sensor counts while it says something. For the time in which none of those that see the
// processors does, the power model counts; which of the two counts is decided at every sample, so
// that every moment is counted once.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "meter/meter_state.hpp"

namespace carnot::meter {

namespace {

/// How long a sensor that spoke before may say nothing: counters that few joules move, gauges
/// whose device is busy.
constexpr Duration kCounterPatience = Duration::seconds(1);
constexpr Duration kGaugePatience = Duration::seconds(2);
constexpr Duration kLostPatience = Duration::nanoseconds(50'000'000);
constexpr std::int64_t kPatientUpdates = 20;
/// No processor that runs draws less; a coarse counter may take that long for a step.
constexpr Power kLeastPower = 0.5 * watt;
/// How long a counter is given to show its first step when the meter is opened: a few updates of
/// RAPL, and, where something else could count instead, of slow ones.
constexpr auto kShortProbe = std::chrono::milliseconds(20);
constexpr auto kLongProbe = std::chrono::milliseconds(300);
constexpr auto kProbePause = std::chrono::microseconds(500);
/// Memory draws no more than this share of what the processors beside it do.
constexpr double kMemoryShare = 0.5;
/// Of two sockets one may draw so much more than the other.
constexpr double kUnlike = 1.25;

/// Counters show whole counts only, so that of what they confirm so much may stay open.
constexpr double kRoundedOff = 1e-4;

bool is_lost(const ChannelState& state) {
  return state.status == PollStatus::Ended || state.status == PollStatus::Broken;
}

/// Whether nothing can be expected of it now.
bool is_silent(const Domain& domain, const Track& track, const Stamp& now) {
  if (!track.spoke) return true;
  if (track.word == Track::Word::Plausible) return false;
  if (domain.kind == DomainKind::Battery && track.state.error == ENODATA) return true;
  Duration patience = kGaugePatience;
  std::int64_t update_ns = domain.gauge.update_period.nanoseconds();
  if (domain.is_counter) {
    update_ns = domain.counter.update_period.nanoseconds();
    const Energy step = static_cast<double>(domain.counter.step) * domain.counter.unit;
    patience =
        std::max(kCounterPatience, Duration::from(std::min(step / kLeastPower, 3600.0 * second)));
  }
  patience = std::max(patience, Duration::nanoseconds(kPatientUpdates * update_ns));
  if (is_lost(track.state)) patience = kLostPatience;
  return elapsed(track.spoke_at, now).awake > patience;
}

}  // namespace

bool sees_processors(const Domain& domain) noexcept {
  return domain.kind != DomainKind::Gpu && domain.kind != DomainKind::GpuMemory &&
         domain.kind != DomainKind::Dram;
}

std::optional<Standing> standing(const std::vector<Channel>& channels, const Snapshot& a,
                                 const Snapshot& b) {
  std::optional<Standing> found;
  bool moved = false;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const ChannelState &from = a.channels[i], &to = b.channels[i];
    if (channels[i].role == Role::Counted && sees_processors(channels[i].domain))
      moved |= to.energy > from.energy;
    if (channels[i].role != Role::StandIn) continue;
    found = Standing{i, to.energy - from.energy, to.low - from.low, to.high - from.high};
    if (found->value > Energy{}) {
      const double open =
          std::clamp(1.0 - (to.confirmed - from.confirmed) / found->value, 0.0, 1.0);
      found->low = found->value - open * (found->value - found->low);
      found->high = found->value + open * (found->high - found->value);
      found->confirmed = open < kRoundedOff;
    }
    if (found->value > Energy{} || to.waiting <= Energy{}) continue;
    const bool same_silence = to.waiting >= from.waiting;
    *found = {i, same_silence ? to.waiting - from.waiting : to.waiting,
              same_silence ? to.waiting_low - from.waiting_low : to.waiting_low,
              same_silence ? to.waiting_high - from.waiting_high : to.waiting_high, false};
    found->low = min(found->low, found->value);
    found->high = max(found->high, found->value);
    if (moved) found.reset();
  }
  if (found && found->value <= Energy{}) found.reset();
  return found;
}

/// Which channels are watched, and which stands in for them.
void Meter::Implementation::watch() {
  watched.clear();
  stand_in.reset();
  for (std::size_t i = 0; i < channels.size(); ++i) {
    if (channels[i].role == Role::StandIn) stand_in = i;
    if (channels[i].role == Role::Counted && sees_processors(domains[i])) watched.push_back(i);
  }
  for (MeterState& each : states) {
    for (Track& track : each.tracks) track.covered = false;
    if (!stand_in) continue;
    const ChannelState& model = each.tracks[*stand_in].state;
    each.stand_in = {};
    each.stand_in.shown.at = model.at;
    each.stand_in.shown.status = model.status;
    each.stand_in.seen = model.energy;
    each.stand_in.seen_low = model.low;
    each.stand_in.seen_high = model.high;
  }
}

bool Meter::Implementation::any_spoke() const {
  const MeterState& state = states[current.load(std::memory_order_acquire)];
  return std::any_of(watched.begin(), watched.end(),
                     [&](std::size_t i) { return state.tracks[i].spoke; });
}

/// Roles by what the machine has, then by what of it says anything. What stays silent at first and
/// has nothing measured beside it keeps its role: it counts from its first word on.
void Meter::Implementation::settle_roles() {
  resolve_roles();
  Snapshot look;
  for (std::size_t round = 0; round < domains.size() && stand_in && !foreign_clock; ++round) {
    const auto began = std::chrono::steady_clock::now();
    const auto spoke_beside = [&] {
      const MeterState& state = states[current.load(std::memory_order_acquire)];
      for (std::size_t i = 0; i < domains.size(); ++i)
        if (state.tracks[i].spoke && sees_processors(domains[i]) &&
            domains[i].kind != DomainKind::Model && channels[i].role != Role::Counted &&
            channels[i].role != Role::Part)
          return true;
      return false;
    };
    const auto may_still = [&] {
      const MeterState& state = states[current.load(std::memory_order_acquire)];
      return std::any_of(watched.begin(), watched.end(), [&](std::size_t i) {
        return domains[i].is_counter && state.tracks[i].state.status == PollStatus::Ok;
      });
    };
    while (!any_spoke() && may_still() &&
           std::chrono::steady_clock::now() - began < (spoke_beside() ? kLongProbe : kShortProbe)) {
      std::this_thread::sleep_for(kProbePause);
      sample(look);
    }
    if (any_spoke() || !spoke_beside()) break;
    const MeterState& state = states[current.load(std::memory_order_acquire)];
    for (const std::size_t i : watched)
      domains[i].silent = "says nothing: " + silence_in_words(domains[i], state.tracks[i]);
    resolve_roles();
  }
  find_total();
  notes.insert(notes.end(), resolution_notes.begin(), resolution_notes.end());
  if (!stand_in || foreign_clock) return;
  sample(look);
  const MeterState& state = states[current.load(std::memory_order_acquire)];
  const bool speaks = any_spoke();
  std::string counts;
  for (const std::size_t i : watched) counts += (counts.empty() ? "" : ", ") + domains[i].id;
  for (std::size_t i = 0; i < domains.size(); ++i) {
    if (domains[i].silent.empty()) continue;
    notes.push_back(
        {domains[i].id, fmt::format("{}; {} counts instead", domains[i].silent, counts), ""});
  }
  for (const std::size_t i : watched) {
    if (state.tracks[i].spoke) continue;
    const std::string why = silence_in_words(domains[i], state.tracks[i]);
    notes.push_back(
        {domains[i].id,
         speaks ? fmt::format("says nothing: {}; what it would show is in the range of "
                              "the sum, not in its value",
                              why)
                : fmt::format("says nothing: {}; the power model counts until it does", why),
         ""});
  }
  if (!speaks && !watched.empty()) {
    origin = worst(origin, domains[*stand_in].origin);
    boundary = std::max(boundary, domains[*stand_in].boundary);
  }
}

/// Of rails whose scope nobody tells, one that shows as much as all others together, or more, may
/// be what feeds them: it counts, and the range goes up to the sum (`rails_beside`).
void Meter::Implementation::find_total() {
  const MeterState& state = states[current.load(std::memory_order_acquire)];
  std::vector<std::size_t> rails;
  Power sum, greatest;
  std::size_t largest = 0;
  for (const std::size_t i : watched) {
    if (domains[i].kind != DomainKind::Rail) continue;
    rails.push_back(i);
    if (domains[i].is_counter || !state.tracks[i].spoke) return;
    const Power power = std::get<Gauge>(state.tracks[i].sum).last();
    sum += power;
    if (power > greatest) largest = i;
    greatest = max(greatest, power);
  }
  constexpr double kNearly = 0.95;
  if (rails.size() < 2 || greatest < kNearly * (sum - greatest)) return;
  for (const std::size_t i : rails) {
    if (i == largest) continue;
    channels[i].role = Role::Beside;
    channels[i].of = domains[largest].id;
    channels[i].reason =
        "may be fed by " + domains[largest].label + ", which shows as much as all others";
  }
  watch();
}

/// One sample's step of the model goes to the sum if every watched sensor is silent.
void Meter::Implementation::stand(MeterState& next, const Stamp& before) const {
  StandInState& s = next.stand_in;
  const ChannelState& model = next.tracks[*stand_in].state;
  const Energy step = model.energy - s.seen;
  const Energy low = model.low - s.seen_low, high = model.high - s.seen_high;
  s.seen = model.energy;
  s.seen_low = model.low;
  s.seen_high = model.high;
  bool said = false, silent = true, gauges = false;
  for (const std::size_t i : watched) {
    const Track& track = next.tracks[i];
    const bool now = track.spoke && track.spoke_at.monotonic_ns > before.monotonic_ns;
    said |= now;
    gauges |= now && track.covered && !domains[i].is_counter;
    silent = silent && is_silent(domains[i], track, next.at);
  }
  ChannelState& shown = s.shown;
  shown.waiting += step;
  shown.waiting_low += low;
  shown.waiting_high += high;
  const bool counts = (silent && !said) || (said && gauges && s.active);
  if (counts) {
    shown.energy += shown.waiting;
    shown.low += shown.waiting_low;
    shown.high += shown.waiting_high;
    s.spell += shown.waiting;
  }
  if (counts || said) shown.waiting = shown.waiting_low = shown.waiting_high = Energy{};
  if (silent && !said && !s.active) s.since = before;
  s.active = silent && !said;
  shown.status = s.active || model.status == PollStatus::Ended ? model.status : PollStatus::Ok;
  shown.error = model.error;
  shown.raw = model.raw;
  shown.last_step = model.last_step;
  shown.highest = model.highest;
  shown.at = s.active ? model.at : next.at;
  const Duration passed = elapsed(before, next.at).awake;
  for (const std::size_t i : watched) {
    Track& track = next.tracks[i];
    const bool now = track.spoke && track.spoke_at.monotonic_ns > before.monotonic_ns;
    if (s.active) {
      track.cover(next.at);
    } else if (now) {
      // A counter that was only slow shows what was counted for it in the meantime.
      const Energy taken = track.deduct(
          min(s.spell, track.state.energy - states[current.load()].tracks[i].state.energy));
      s.spell = s.spell - taken;
      shown.confirmed += taken;
      track.covered = false;
    }
  }
  // After a short silence it shows all of it; after a long one it may have been out of order.
  if (said && elapsed(s.since, next.at).awake > kCounterPatience) s.spell = Energy{};
  widen_silent(next, passed);
}

/// One of several that says nothing while others speak: its time is unobserved, at up to what those
/// like it draw.
void Meter::Implementation::widen_silent(MeterState& next, Duration passed) const {
  for (std::size_t i = 0; i < channels.size(); ++i) {
    Track& track = next.tracks[i];
    if (channels[i].role != Role::Counted || domains[i].kind == DomainKind::Model ||
        !is_silent(domains[i], track, next.at))
      continue;
    if (sees_processors(domains[i]) && next.stand_in.active) continue;  // the model counts for it
    if (track.state.error == ENODATA) continue;                         // a board that sleeps
    Power like;
    for (const std::size_t j : watched) {
      const double share = domains[i].kind == domains[j].kind    ? 1.0
                           : domains[i].kind == DomainKind::Dram ? kMemoryShare
                                                                 : 0.0;
      if (j != i) like = max(like, kUnlike * share * next.tracks[j].state.highest);
    }
    // At first all of its silence.
    const Duration silence =
        track.spoke && !track.covered ? elapsed(track.spoke_at, next.at).awake : passed;
    track.cover(next.at);
    track.before_first = track.before_first + silence;
    track.state.unobserved = track.state.unobserved + silence;
    if (!track.spoke) track.state.highest = max(track.state.highest, like);
  }
}

}  // namespace carnot::meter
