// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/measure/attribution/metrics.hpp"

#include "measure/attribution/clock_ticks.hpp"

namespace carnot::measure {

namespace {

constexpr double kFade = 0.5;
constexpr double kWorthARow = 2.0;  // times the least row's recent energy, so that rows stay put

double joules(const ledger::MeasurementChannel& channel, std::uint64_t earlier,
              std::uint64_t later) {
  return later > earlier ? channel.unit_j * static_cast<double>(later - earlier) : 0.0;
}

}  // namespace

MetricsCollector::MetricsCollector(MetricsOptions options) : options_(std::move(options)) {}

void MetricsCollector::restore(const MetricsState& before) {
  before_ = before;
  before_.processes.clear();
  before_.groups.clear();
}

void MetricsCollector::begin(const ledger::MeasurementBegin& begin) {
  begin_ = begin;
  state_ = before_;
  state_.carnot_version = begin.carnot_version;
  if (before_.created == Instant{}) state_.created = begin.started;
  state_.domains.clear();
  for (const ledger::MeasurementChannel& c : begin.channels) {
    state_.domains.push_back({c.id, c.label, c.source, c.kind, c.role, c.origin, c.boundary});
  }
  // A domain that is gone keeps its total, so that sums over domains do not fall.
  for (const MetricsState::Domain& d : before_.domains) {
    const auto same = std::find_if(state_.domains.begin(), state_.domains.end(),
                                   [&](const auto& now) { return now.id == d.id; });
    if (same == state_.domains.end()) {
      state_.domains.push_back(d);
      state_.domains.back().power_w = 0;
    }
  }
  state_.location = options_.location;
  state_.carbon_g_per_kwh = options_.carbon_g_per_kwh;
  state_.other_j = state_.dynamic_j;
  state_.samples = before_.samples;
  first_ = last_ = {};
  attribution_.emplace(begin);
  grouped_until_j_ = before_.dynamic_j;
}

void MetricsCollector::sample(const ledger::MeasurementSample& now) {
  if (now.channels.size() != begin_.channels.size()) {
    throw InputError("a sample has as many channels as its measurement");
  }
  const bool is_first = first_.channels.empty() && state_.samples == before_.samples;
  if (is_first) first_ = last_ = now;
  ++state_.samples;
  take_domains(now);
  state_.machine_cpu_s =
      before_.machine_cpu_s + grown_s(first_.machine_busy_ns, now.machine_busy_ns);
  state_.meter_cpu_s = before_.meter_cpu_s + grown_s(0, now.meter_cpu_ns);
  if (!attribution_->sample(now).empty()) {
    const Attributor& split = attribution_->attributor();
    state_.static_j = before_.static_j + split.static_j();
    state_.dynamic_j = before_.dynamic_j + split.dynamic_j() + attribution_->accelerator_j();
    const Estimate<Power> static_power = attribution_->static_power().value();
    state_.static_w = static_power.value().in(watt);
    state_.static_origin = name(static_power.origin());
    attribution_->settle([this](auto look, auto parts) { take_parts(look, parts); });
  }
  last_ = now;
}

void MetricsCollector::take_domains(const ledger::MeasurementSample& now) {
  const double length = grown_s(last_.monotonic_ns, now.monotonic_ns);
  double counted = 0;
  for (std::size_t c = 0; c < begin_.channels.size(); ++c) {
    const ledger::MeasurementChannel& channel = begin_.channels[c];
    MetricsState::Domain& domain = state_.domains[c];
    const auto before = std::find_if(before_.domains.begin(), before_.domains.end(),
                                     [&](const auto& d) { return d.id == channel.id; });
    const bool known = before != before_.domains.end();
    domain.energy_j = (known ? before->energy_j : 0.0) +
                      joules(channel, first_.channels[c].total, now.channels[c].total);
    domain.unobserved_s = (known ? before->unobserved_s : 0.0) +
                          grown_s(first_.channels[c].unobserved_ns, now.channels[c].unobserved_ns);
    const double step = joules(channel, last_.channels[c].total, now.channels[c].total);
    if (length > 0) domain.power_w = step / length;
    if (counts(channel)) counted += step;
  }
  state_.carbon_g += counted * options_.carbon_g_per_kwh / kilowatt_hour.in(joule);
}

void MetricsCollector::processes(std::span<const meter::ProcessUse> now, Instant at) {
  if (!attribution_) return;
  looked_ = at;
  attribution_->look(now, [this](auto look, auto parts) { take_parts(look, parts); });
}

void MetricsCollector::take_parts(std::span<const meter::ProcessUse> now,
                                  std::span<const ProcessPart> parts) {
  ++look_;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const meter::ProcessUse& p = now[i];
    const auto [place, met] = seen_.try_emplace(p.pid);
    Seen& seen = place->second;
    if (met || seen.start_ticks != p.start_ticks) {
      // Its number went to another process: that one's row must not go on with it.
      if (seen.has_row) {
        std::erase_if(state_.processes, [&](const auto& row) { return row.pid == p.pid; });
      }
      seen = {p.start_ticks, 0, 0, false};
    }
    seen.look = look_;
    seen.recent_j = kFade * seen.recent_j + parts[i].energy.in(joule);
    if (!seen.has_row) state_.other_cpu_s += parts[i].cpu_s;
  }
  std::unordered_map<int, std::size_t> index;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (seen_[now[i].pid].has_row) index[now[i].pid] = i;
  }
  for (MetricsState::Process& row : state_.processes) {
    const auto found = index.find(row.pid);
    if (found == index.end()) continue;
    row.energy_j += parts[found->second].energy.in(joule);
    row.cpu_s += parts[found->second].cpu_s;
    if (!now[found->second].name.empty()) row.name = now[found->second].name;
    if (!now[found->second].alive) seen_[row.pid].look = 0;
  }
  retire();
  promote(now, looked_);
  Sum<double> rows;
  for (const MetricsState::Process& row : state_.processes) rows += row.energy_j;
  state_.other_j = std::max(state_.other_j, state_.dynamic_j - rows.value());
}

void MetricsCollector::retire() {
  std::erase_if(state_.processes, [&](const MetricsState::Process& row) {
    const auto seen = seen_.find(row.pid);
    const bool gone = seen == seen_.end() || seen->second.look != look_;
    if (gone) state_.other_cpu_s += row.cpu_s;
    return gone;
  });
  std::erase_if(seen_, [&](const auto& entry) { return entry.second.look != look_; });
}

void MetricsCollector::promote(std::span<const meter::ProcessUse> now, Instant at) {
  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const auto seen = seen_.find(now[i].pid);
    if (seen != seen_.end() && now[i].alive && !seen->second.has_row && seen->second.recent_j > 0) {
      candidates.push_back(i);
    }
  }
  const auto recent = [&](int pid) { return seen_[pid].recent_j; };
  const std::size_t most = std::min(options_.most_processes, candidates.size());
  std::partial_sort(
      candidates.begin(), candidates.begin() + static_cast<long>(most), candidates.end(),
      [&](std::size_t a, std::size_t b) { return recent(now[a].pid) > recent(now[b].pid); });
  candidates.resize(most);
  auto& rows = state_.processes;
  for (const std::size_t i : candidates) {
    if (rows.size() >= options_.most_processes) {
      const auto least = std::min_element(
          rows.begin(), rows.end(),
          [&](const auto& a, const auto& b) { return recent(a.pid) < recent(b.pid); });
      if (recent(now[i].pid) <= kWorthARow * recent(least->pid)) break;
      state_.other_cpu_s += least->cpu_s;
      seen_[least->pid].has_row = false;
      rows.erase(least);
    }
    rows.push_back({now[i].pid, now[i].name, 0, 0, at});
    seen_[now[i].pid].has_row = true;
  }
}

void MetricsCollector::groups(std::span<const std::pair<std::string, std::int64_t>> cpu_ns,
                              Instant at) {
  const double energy = state_.dynamic_j - grouped_until_j_;
  const double busy_s = state_.machine_cpu_s - cpu_at_groups_s_;
  state_.groups.clear();
  for (const auto& [path, now_ns] : cpu_ns) {
    const auto [place, is_new] = groups_.try_emplace(path, MetGroup{now_ns, 0.0, at});
    MetGroup& group = place->second;
    if (!is_new && busy_s > 0)
      group.energy_j += energy * std::min(1.0, grown_s(group.cpu_ns, now_ns) / busy_s);
    group.cpu_ns = now_ns;
    state_.groups.push_back({path, group.energy_j, group.met});
  }
  grouped_until_j_ = state_.dynamic_j;
  cpu_at_groups_s_ = state_.machine_cpu_s;
}

void MetricsCollector::replay(const std::vector<ledger::Entry>& entries) {
  for (const ledger::Entry& entry : entries) {
    if (const auto* b = std::get_if<ledger::MeasurementBegin>(&entry)) begin(*b);
    if (const auto* s = std::get_if<ledger::MeasurementSample>(&entry)) sample(*s);
    if (std::holds_alternative<ledger::MeasurementGap>(entry)) gap();
  }
  // Who spent it is no longer known process by process.
  state_.other_j = grouped_until_j_ = state_.dynamic_j;
  cpu_at_groups_s_ = state_.machine_cpu_s;
  if (attribution_) attribution_->begin_again();
  state_.other_cpu_s = state_.machine_cpu_s;
}

}  // namespace carnot::measure
