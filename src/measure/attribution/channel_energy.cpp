// SPDX-License-Identifier: Apache-2.0
#include "measure/attribution/channel_energy.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/origin.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/meter/counters/counter.hpp"

#include "measure/attribution/clock_ticks.hpp"

namespace carnot::measure {

namespace {

constexpr double kLargestUnit = 1e9;  // joules a count: far above any meter, far below overflow
constexpr std::int64_t kUpdatesOfPower = 10;  // a power over fewer is mostly quantisation

const ledger::MeasurementSample::Channel& reading(const ledger::MeasurementView& view,
                                                  std::size_t sample, std::size_t channel) {
  return view.samples[sample]->channels[channel];
}

double counts(std::uint64_t later, std::uint64_t earlier) {
  return static_cast<double>(later - earlier);
}

bool sound_gain(double low, double high) {
  return std::isfinite(low) && std::isfinite(high) && low >= 0 && low <= high;
}

void check(const ledger::MeasurementView& view, std::size_t c) {
  const ledger::MeasurementChannel& channel = view.begin->channels[c];
  const std::string what = "channel " + channel.id;
  if (!(channel.unit_j > 0) || channel.unit_j > kLargestUnit) {
    throw InputError(what + ": unit_j: above 0 and finite");
  }
  if (!sound_gain(channel.gain_low, channel.gain_high)) {
    throw InputError(what + ": gain: 0 <= low <= high, finite");
  }
  if (!std::isfinite(channel.power_cap_w) || channel.power_cap_w < 0 ||
      channel.update_period_ns < 0) {
    throw InputError(what + ": power_cap_w and update_period_ns: not below 0, finite");
  }
  for (std::size_t i = 0; i < view.samples.size(); ++i) {
    const ledger::MeasurementSample::Channel& now = reading(view, i, c);
    if (!sound_gain(now.gain_low, now.gain_high) || !std::isfinite(now.share)) {
      throw InputError(fmt::format("{}: sample {}: gain and share must be finite", what, i + 1));
    }
    if (i > 0 && (now.total < reading(view, i - 1, c).total ||
                  now.unobserved_ns < reading(view, i - 1, c).unobserved_ns)) {
      throw InputError(fmt::format("{}: sample {}: totals never go back", what, i + 1));
    }
  }
}

}  // namespace

double within(double value, double used, double part) {
  const double room = value * value - used * used;
  constexpr double kRoundingOff = 1 - 1e-14;  // so that value - hypot(used, part) is not below 0
  return room > 0 ? std::min(part, kRoundingOff * std::sqrt(room)) : 0.0;
}

ChannelEnergy::ChannelEnergy(const ledger::MeasurementView& view, std::size_t channel)
    : view_(view),
      channel_(view.begin->channels[channel]),
      index_(channel),
      counted_(channel_.role == "counted"),
      stands_in_(channel_.role == "stand-in"),
      accelerator_(channel_.kind == "gpu"),
      origin_(origin_named(channel_.origin, "channel " + channel_.id)),
      boundary_(boundary_named(channel_.boundary, "channel " + channel_.id)) {
  check(view, channel);
  const std::size_t n = view.samples.size();
  shown_.assign(n, 0.0);
  least_.assign(n, 0.0);
  most_.assign(n, 0.0);
  Sum<double> least, most;
  for (std::size_t i = 1; i < n; ++i) {
    const ledger::MeasurementSample::Channel& now = reading(view, i, channel);
    const double e = joules(i - 1);
    // A gauge's error may depend on its state and then comes with each reading.
    const bool own = now.gain_low != 1.0F || now.gain_high != 1.0F;
    least += e * std::min(1.0, own ? double{now.gain_low} : channel_.gain_low);
    most += e * std::max(1.0, own ? double{now.gain_high} : channel_.gain_high);
    shown_[i] = channel_.unit_j * counts(now.total, reading(view, 0, channel).total);
    least_[i] = least.value();
    most_[i] = most.value();
    // What a counter showed later is no longer the model's: its part of the error goes.
    if (const double confirmed = stands_in_ ? confirmed_joules(i - 1) : 0.0; confirmed > 0) {
      const double open = shown_[i] - confirmed_;
      const double part = open > 0 ? std::min(1.0, confirmed / open) : 0.0;
      least += part * std::max(0.0, shown_[i] - least_[i]);
      most += part * std::min(0.0, shown_[i] - most_[i]);
      least_[i] = least.value();
      most_[i] = most.value();
      confirmed_ += confirmed;
    }
    const std::int64_t awake = view.samples[i]->monotonic_ns - view.samples[i - 1]->monotonic_ns;
    if (awake > 0 && awake / kUpdatesOfPower >= channel_.update_period_ns) {
      highest_w_ = std::max(highest_w_, e / (kSecond * static_cast<double>(awake)));
    }
  }
  spoke_ = highest_w_ > 0;
  if (!spoke_) highest_w_ = channel_.power_cap_w;
}

bool ChannelEnergy::is_host() const noexcept {
  return !accelerator_ && channel_.kind != "gpu-memory" && channel_.kind != "dram";
}

double ChannelEnergy::joules(std::size_t i) const noexcept {
  return channel_.unit_j *
         counts(reading(view_, i + 1, index_).total, reading(view_, i, index_).total);
}

double ChannelEnergy::confirmed_joules(std::size_t i) const noexcept {
  const std::uint64_t then = reading(view_, i, index_).raw, now = reading(view_, i + 1, index_).raw;
  return now > then ? channel_.unit_j * counts(now, then) : 0.0;
}

void ChannelEnergy::confirm() noexcept {
  // Counters show whole counts only, so that of what they confirm a little may stay open.
  constexpr double kRoundedOff = 1e-4;
  if (!stands_in_ || joules() - confirmed_ > kRoundedOff * joules()) return;
  origin_ = Origin::Measured;
  boundary_ = Boundary::Chip;
}

double ChannelEnergy::excess(std::size_t sample) const noexcept {
  constexpr auto kBack = static_cast<std::uint8_t>(meter::StepKind::Back);
  std::size_t mark = sample;
  while (mark > 0 && reading(view_, mark, index_).step == kBack) --mark;
  const std::uint64_t peak = reading(view_, mark, index_).raw;
  const std::uint64_t now = reading(view_, sample, index_).raw;
  double joules = mark < sample && peak > now ? channel_.unit_j * counts(peak, now) : 0.0;
  // What was counted after resets, which may have been steps back.
  constexpr auto kReset = static_cast<std::uint8_t>(meter::StepKind::Reset);
  for (std::size_t i = 1; i <= sample; ++i)
    if (reading(view_, i, index_).step == kReset)
      joules += channel_.unit_j * std::min(counts(reading(view_, i, index_).raw, 0),
                                           counts(reading(view_, i, index_).total,
                                                  reading(view_, i - 1, index_).total));
  return joules;
}

bool ChannelEnergy::was_silent() const noexcept {
  constexpr auto kSilent = static_cast<std::uint8_t>(meter::StepKind::Silent);
  return std::any_of(view_.samples.begin(), view_.samples.end(),
                     [&](const auto* s) { return s->channels[index_].step == kSilent; });
}

double ChannelEnergy::joules() const noexcept { return shown_.empty() ? 0.0 : shown_.back(); }

double ChannelEnergy::share(std::size_t i) const noexcept {
  return std::clamp(reading(view_, i + 1, index_).share, 0.0, 1.0);
}

double ChannelEnergy::unknown_share(std::size_t i) const noexcept {
  return std::clamp(-reading(view_, i + 1, index_).share, 0.0, 1.0);
}

bool ChannelEnergy::unobserved(std::size_t i) const noexcept {
  return reading(view_, i + 1, index_).unobserved_ns > reading(view_, i, index_).unobserved_ns;
}

ChannelEnergy::Moment ChannelEnergy::moment(std::int64_t at_ns, bool earliest) const {
  const auto& samples = view_.samples;
  at_ns = std::clamp(at_ns, samples.front()->boottime_ns, samples.back()->boottime_ns);
  const auto after =
      std::upper_bound(samples.begin(), samples.end(), at_ns,
                       [](std::int64_t t, const auto* s) { return t < s->boottime_ns; });
  auto i = static_cast<std::size_t>(after - samples.begin()) - 1;
  // Samples of one moment: their energies lie after a beginning and before an end.
  while (earliest && i > 0 && samples[i - 1]->boottime_ns == at_ns) --i;
  if (samples[i]->boottime_ns == at_ns) return {i, 0.0, at_ns};
  const double length = static_cast<double>(samples[i + 1]->boottime_ns - samples[i]->boottime_ns);
  return {i, static_cast<double>(at_ns - samples[i]->boottime_ns) / length, at_ns};
}

double ChannelEnergy::joules_until(const Moment& m, const std::vector<double>& cumulative) const {
  if (m.share == 0) return cumulative[m.sample];
  return cumulative[m.sample] + m.share * (cumulative[m.sample + 1] - cumulative[m.sample]);
}

double ChannelEnergy::power_near(std::size_t interval) const {
  const auto& samples = view_.samples;
  const auto power = [&](std::size_t from, std::size_t to) {
    const std::int64_t awake = samples[to]->monotonic_ns - samples[from]->monotonic_ns;
    return awake > 0 ? (shown_[to] - shown_[from]) / (kSecond * static_cast<double>(awake)) : 0.0;
  };
  const double mean = power(0, samples.size() - 1);
  return interval + 1 < samples.size() ? std::max(mean, power(interval, interval + 1)) : mean;
}

Estimate<Energy> ChannelEnergy::between(std::int64_t from_ns, std::int64_t to_ns,
                                        Boundary boundary) const {
  const std::vector<std::string> sources{channel_.source};
  if (view_.samples.empty()) {
    return Estimate<Energy>::exact(Energy{}, origin_, boundary, sources);
  }
  const Moment from = moment(from_ns, true), to = moment(std::max(from_ns, to_ns), false);
  const auto over = [&](const std::vector<double>& cumulative) {
    return joules_until(to, cumulative) - joules_until(from, cumulative);
  };
  const double value = std::max(0.0, over(shown_));
  const double below = std::clamp(value - over(least_), 0.0, value);
  const double above = std::max(0.0, over(most_) - value);
  Estimate<Energy> energy(value * joule, (value - below) * joule, (value + above) * joule, origin_,
                          boundary, "gain:" + channel_.id, sources);
  double used = below;
  const auto widen = [&](double down, double up, const std::string& cause) {
    down = within(value, used, down);
    used = std::hypot(used, down);
    energy = energy + Estimate<Energy>(Energy{}, -down * joule, up * joule, origin_, boundary,
                                       fmt::format("{}:{}", cause, channel_.id), sources);
  };
  if (from.at_ns < to.at_ns) {
    const double step = static_cast<double>(channel_.step) * channel_.unit_j;
    const double period = kSecond * static_cast<double>(channel_.update_period_ns);
    // What the counter had not shown yet is missing at the end and too much at the beginning.
    const auto lag = [&](const Moment& m) {
      const std::size_t before = m.share == 0 && m.sample > 0 ? m.sample - 1 : m.sample;
      return step + period * power_near(before);
    };
    const auto inside = [&](const Moment& m) { return m.share == 0 ? 0.0 : joules(m.sample); };
    widen(lag(from) + (1 - from.share) * inside(from), from.share * inside(from),
          fmt::format("begin {}", from.at_ns));
    widen(to.share * inside(to), lag(to) + (1 - to.share) * inside(to),
          fmt::format("end {}", to.at_ns));
  }
  const std::size_t last = to.share == 0 ? to.sample : to.sample + 1;
  // Since its last reading nothing is known, and no later one has made up for that.
  std::size_t read = last;
  constexpr auto kSilent = static_cast<std::uint8_t>(meter::StepKind::Silent);
  while (read > from.sample && reading(view_, read, index_).status != 0 &&
         reading(view_, read, index_).step != kSilent)
    --read;
  const double unobserved =
      kSecond *
      static_cast<double>(reading(view_, last, index_).unobserved_ns -
                          reading(view_, from.sample, index_).unobserved_ns +
                          view_.samples[last]->monotonic_ns - view_.samples[read]->monotonic_ns);
  if (unobserved > 0) widen(0.0, unobserved * highest_w_, "unobserved");
  if (const double spike = excess(last); spike > 0) widen(spike, 0.0, "spike");
  return energy;
}

MeasuredEnergy::MeasuredEnergy(const ledger::MeasurementView& view) : view_(view) {
  channels_.reserve(view.begin->channels.size());
  for (std::size_t c = 0; c < view.begin->channels.size(); ++c) {
    channels_.emplace_back(view, c);
  }
  settle_stand_in();
  for (const ChannelEnergy& channel : channels_) {
    if (channel.counted() && channel.boundary() != Boundary::None) {
      boundary_ = std::max(boundary_, channel.boundary());
    }
  }
}

/// The model counts where it had to; what was silent all the time then has no part in the sum.
/// What was silent beside others of its kind may have drawn as much as they.
void MeasuredEnergy::settle_stand_in() {
  bool stood_in = false;
  double highest_w = 0;
  for (ChannelEnergy& channel : channels_) {
    if (channel.stands_in() && channel.joules() > 0) {
      channel.count(true);
      channel.confirm();
      stood_in = channel.origin() != Origin::Measured;
    } else if (channel.counted() && channel.is_host()) {
      highest_w = std::max(highest_w, channel.highest_w());
    }
  }
  constexpr double kMemoryShare = 0.5;  // as stand_in.cpp has it
  for (ChannelEnergy& channel : channels_) {
    if (!channel.counted() || channel.stands_in() || channel.accelerator() ||
        channel.joules() > 0 || !channel.was_silent())
      continue;
    if (stood_in && channel.is_host()) channel.count(false);
    constexpr double kUnlike = 1.25;  // likewise
    if (highest_w > 0)
      channel.bound(kUnlike * (channel.is_host() ? highest_w : kMemoryShare * highest_w));
  }
}

std::size_t MeasuredEnergy::intervals() const noexcept {
  return view_.samples.empty() ? 0 : view_.samples.size() - 1;
}

double MeasuredEnergy::start_s(std::size_t i) const noexcept {
  return kSecond *
         static_cast<double>(view_.samples[i]->boottime_ns - view_.samples.front()->boottime_ns);
}

double MeasuredEnergy::awake_s(std::size_t i) const noexcept {
  return kSecond *
         static_cast<double>(view_.samples[i + 1]->monotonic_ns - view_.samples[i]->monotonic_ns);
}

Estimate<Energy> MeasuredEnergy::between(std::int64_t from_ns, std::int64_t to_ns) const {
  Estimate<Energy> total;
  bool any = false;
  for (const ChannelEnergy& channel : channels_) {
    if (!channel.counted()) continue;
    const Estimate<Energy> energy = channel.between(from_ns, to_ns, boundary_);
    total = any ? total + energy : energy;
    any = true;
  }
  if (!any) return Estimate<Energy>::exact(Energy{}, Origin::Assumed, boundary_, {});
  // Rails of unknown scope may contain one another.
  double sum = 0, largest = 0, up = 0;
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    const ledger::MeasurementChannel& channel = view_.begin->channels[c];
    if (channel.kind != "rail") continue;
    const double joules = channels_[c].between(from_ns, to_ns, boundary_).value().in(joule);
    if (channels_[c].counted()) {
      sum += joules;
      largest = std::max(largest, joules);
    } else if (channel.role == "beside" && !channel.of.empty()) {
      up += joules;
    }
  }
  const double value = total.value().in(joule);
  const double down = within(value, value - total.low().in(joule), sum - largest);
  if (down > 0 || up > 0)
    total = total + Estimate<Energy>(Energy{}, -down * joule, up * joule, total.origin(), boundary_,
                                     "rails of unknown scope", {});
  return total;
}

double MeasuredEnergy::counted_joules(std::size_t i) const noexcept {
  Sum<double> total;
  for (const ChannelEnergy& channel : channels_) {
    if (channel.counted()) total += channel.joules(i);
  }
  return total.value();
}

}  // namespace carnot::measure
