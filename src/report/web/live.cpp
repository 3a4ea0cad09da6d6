// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/web/live.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "carnot/measure/attribution/measurement.hpp"

#include "report/draw/text_columns.hpp"
#include "report/web/figure.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kRows = 8;  // of processes

/// With the relative bounds of another figure.
Estimate<Power> with_bounds_of(double watts, const Estimate<Power>& whole) {
  const double value = whole.value().in(watt);
  const double low = value > 0 ? whole.low().in(watt) / value : 1;
  const double high = value > 0 ? whole.high().in(watt) / value : 1;
  return Estimate<Power>(watts * watt, watts * low * watt, watts * high * watt,
                         worst(whole.origin(), Origin::Modelled), whole.boundary(), "machine", {});
}

Json who(const measure::LiveState& state, const Estimate<Power>& power) {
  std::vector<const measure::LiveTrack*> tracks;
  for (const measure::LiveTrack& t : state.processes) tracks.push_back(&t);
  std::stable_sort(tracks.begin(), tracks.end(),
                   [](const auto* a, const auto* b) { return a->now_w > b->now_w; });
  Json rows = Json::array();
  const double machine = std::max(state.machine.now_w, 1e-12);
  const auto add = [&](const std::string& name, double watts, const std::string& energy) {
    rows.push_back({{"name", printable(name)},
                    {"share", std::clamp(watts / machine, 0.0, 1.0)},
                    {"share_text", fmt::format("{:.0f} %", 100 * std::min(1.0, watts / machine))},
                    {"power_w", worded_figure(with_bounds_of(watts, power))},
                    {"energy_text", energy}});
  };
  double rest_w = 0, rest_j = 0, named_w = 0;
  std::size_t rest = 0;
  for (const measure::LiveTrack* t : tracks) {
    named_w += t->now_w;
    if (rows.size() < kRows && t->now_w > 0) {
      add(t->name, t->now_w, joules_in_words(t->energy_j));
    } else {
      rest_w += t->now_w, rest_j += t->energy_j;
      ++rest;
    }
  }
  if (rest_w > 0) add(fmt::format("{} more processes", rest), rest_w, joules_in_words(rest_j));
  add("at rest, and what no process shows", std::max(0.0, state.machine.now_w - named_w), "");
  return rows;
}

}  // namespace

LiveEvents::LiveEvents(model::AccountOptions account) : account_(std::move(account)) {}

void LiveEvents::begin(const ledger::MeasurementBegin& begin) {
  begin_ = begin;
  tracker_ = measure::LiveTracker();
  tracker_.begin(begin);
  last_.reset();
  number_ = 0;
}

std::optional<LiveEvents::Event> LiveEvents::sample(const ledger::MeasurementSample& sample) {
  tracker_.sample(sample);
  ++number_;
  std::optional<Event> event;
  if (last_ && sample.boottime_ns > last_->boottime_ns)
    event = Event{fmt::format("{:x}-{}", begin_.started.unix_nanoseconds(), number_), data(sample)};
  last_ = sample;
  return event;
}

std::optional<LiveEvents::Event> LiveEvents::replay(const ledger::Entry& entry) {
  if (const auto* b = std::get_if<ledger::MeasurementBegin>(&entry)) begin(*b);
  if (const auto* s = std::get_if<ledger::MeasurementSample>(&entry)) return sample(*s);
  return std::nullopt;
}

std::string LiveEvents::data(const ledger::MeasurementSample& now) {
  const measure::Measurement m =
      measure::summarise_measurement({begin_, *last_, now}, account_);  // of this interval alone
  const measure::LiveState state = tracker_.state();
  const double length = m.duration_s;
  const auto over = [&](const Estimate<Energy>& e) {
    return Estimate<Power>((1.0 / length * e).core());
  };
  const Estimate<Power> power = over(m.machine_energy);
  energy_j_ += m.machine_energy.value().in(joule);
  below_j_ += (m.machine_energy.value() - m.machine_energy.low()).in(joule);
  above_j_ += (m.machine_energy.high() - m.machine_energy.value()).in(joule);
  origin_ = worst(origin_, m.machine_energy.origin());
  counted_s_ += length;
  const double joules = energy_j_.value();
  const Estimate<Energy> energy(joules * joule, std::max(0.0, joules - below_j_.value()) * joule,
                                (joules + above_j_.value()) * joule, origin_,
                                m.machine_energy.boundary(), "sum",
                                std::vector<std::string>(m.machine_energy.sources()));
  const double busy = m.series.busy_share.empty() ? 0.0 : m.series.busy_share.back();
  Json json{
      {"at",
       (begin_.started + Duration::nanoseconds(now.boottime_ns - begin_.boottime_ns)).iso8601()},
      {"length_s", length},
      {"counted_text", seconds_in_words(counted_s_)},
      {"power_w", worded_figure(power)},
      {"energy_j", worded_figure(energy)},
      {"busy_share", busy},
      {"busy_text", fmt::format("{:.0f} %", 100 * busy)},
      {"carbon_g", nullptr}};
  if (!account_.location.empty() || account_.carbon_g_per_kwh) {
    const Estimate<Carbon>& c = m.account.operational;
    carbon_g_ += c.value().in(gram);
    carbon_below_g_ += (c.value() - c.low()).in(gram);
    carbon_above_g_ += (c.high() - c.value()).in(gram);
    const double grams = carbon_g_.value();
    json["carbon_g"] = worded_figure(
        Estimate<Carbon>(grams * gram, std::max(0.0, grams - carbon_below_g_.value()) * gram,
                         (grams + carbon_above_g_.value()) * gram, c.origin(), c.boundary(), "sum",
                         std::vector<std::string>(c.sources())));
  }
  Json domains = Json::array();
  for (const measure::MeasuredDomain& d : m.domains)
    domains.push_back({{"domain", d.id},
                       {"label", printable(d.label.empty() ? d.id : d.label)},
                       {"kind", d.kind},
                       {"role", d.role},
                       {"reason", d.reason},
                       {"power_w", worded_figure(over(d.energy))}});
  json["domains"] = std::move(domains);
  Json gaps = Json::array();
  for (std::size_t c = 0; c < now.channels.size(); ++c) {
    const std::int64_t unseen = now.channels[c].unobserved_ns - last_->channels[c].unobserved_ns;
    if (unseen > 0)
      gaps.push_back(
          {{"domain", begin_.channels[c].id}, {"unknown_s", 1e-9 * static_cast<double>(unseen)}});
  }
  json["unknown"] = std::move(gaps);
  json["who"] = who(state, power);
  return dumped(json);
}

}  // namespace carnot::report
