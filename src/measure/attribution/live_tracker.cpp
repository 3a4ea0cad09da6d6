// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "carnot/measure/attribution/live.hpp"

#include "measure/attribution/clock_ticks.hpp"

namespace carnot::measure {

namespace {

constexpr std::size_t kPoints = 240;  // more than a line of any terminal shows

}  // namespace

LiveTracker::LiveTracker(Duration point) : point_(point) {}

void LiveTracker::Line::spread(double joules, std::size_t closed) {
  closed = std::min(closed, points.size());
  const double part = joules / static_cast<double>(closed + 1);
  for (std::size_t i = points.size() - closed; i < points.size(); ++i) points[i] += part;
  energy += joules;
  open_j += part;
}

void LiveTracker::begin(const ledger::MeasurementBegin& begin) {
  begin_ = begin;
  attribution_.emplace(begin);
  domains_.assign(begin.channels.size(), {});
}

void LiveTracker::sample(const ledger::MeasurementSample& now) {
  for (const IntervalShare& share : attribution_->sample(now)) own_.add(share.job_j);
  if (!started_) {
    started_ = true;
    first_ = last_ = now;
    point_until_ns_ = now.monotonic_ns + point_.nanoseconds();
  }
  for (std::size_t c = 0; c < domains_.size(); ++c) {
    const std::uint64_t before = last_.channels[c].total;
    if (now.channels[c].total <= before) continue;
    const double joules =
        begin_.channels[c].unit_j * static_cast<double>(now.channels[c].total - before);
    domains_[c].add(joules);
    if (counts(begin_.channels[c])) machine_.add(joules);
  }
  last_ = now;
  attribution_->settle([this](auto look, auto parts) { take_parts(look, parts); });
  if (now.monotonic_ns >= point_until_ns_) close_point();
}

void LiveTracker::close_point() {
  const auto close = [](Line& line) {
    line.points.push_back(line.open_j);
    line.open_j = 0;
    if (line.points.size() > kPoints) line.points.pop_front();
  };
  ++points_since_look_;
  close(machine_);
  close(own_);
  for (Line& line : domains_) close(line);
  for (auto& [key, process] : processes_) close(process.line);
  std::erase_if(processes_, [](const auto& entry) { return !entry.second.alive; });
  while (point_until_ns_ <= last_.monotonic_ns) point_until_ns_ += point_.nanoseconds();
}

void LiveTracker::processes(std::span<const meter::ProcessUse> now) {
  if (!attribution_) return;
  attribution_->look(now, [this](auto look, auto parts) { take_parts(look, parts); });
}

void LiveTracker::take_parts(std::span<const meter::ProcessUse> look,
                             std::span<const ProcessPart> parts) {
  for (std::size_t i = 0; i < look.size(); ++i) {
    const meter::ProcessUse& p = look[i];
    Process& process = processes_[{p.pid, p.start_ticks}];
    process.name = fmt::format("{} {}", p.name, p.pid);
    process.alive = p.alive;
    if (parts[i].cpu_s > 0) process.line.spread(parts[i].energy.in(joule), points_since_look_);
  }
  points_since_look_ = 0;
}

LiveTrack LiveTracker::track(const Line& line, std::string name, std::string origin) const {
  const double energy_j = line.energy.value();
  LiveTrack out{std::move(name), std::move(origin), {}, 0, 0, energy_j};
  const double point_s = point_.time().in(second);
  for (const double joules : line.points) out.watts.push_back(joules / point_s);
  const double elapsed = grown_s(first_.monotonic_ns, last_.monotonic_ns);
  if (elapsed > 0) out.mean_w = energy_j / elapsed;
  // The point that is still open says little until it has gone on for a while.
  out.now_w = out.watts.empty() ? out.mean_w : out.watts.back();
  return out;
}

LiveState LiveTracker::state() const {
  LiveState s;
  s.job = begin_.job;
  s.method = begin_.job_method;
  s.point_s = point_.time().in(second);
  s.elapsed_s = grown_s(first_.boottime_ns, last_.boottime_ns);
  s.cpu_s = begin_.job_method.empty() ? grown_s(first_.machine_busy_ns, last_.machine_busy_ns)
                                      : grown_s(0, last_.job_cpu_ns);
  s.meter_cpu_s = grown_s(0, last_.meter_cpu_ns);
  std::string origin;
  for (std::size_t c = 0; c < domains_.size(); ++c) {
    const ledger::MeasurementChannel& channel = begin_.channels[c];
    if (channel.role == "stand-in" && !(domains_[c].energy.value() > 0)) continue;
    if (counts(channel) && (origin.empty() || channel.origin != "measured")) {
      origin = channel.origin;
    }
    const std::string role = counts(channel) ? "" : ", " + channel.role;
    s.domains.push_back(track(domains_[c], channel.label, channel.origin + role));
  }
  s.machine = track(machine_, "machine", origin);
  if (!begin_.job_method.empty()) s.own = track(own_, "job", origin);
  for (const auto& [key, process] : processes_) {
    s.processes.push_back(track(process.line, process.name, ""));
  }
  std::stable_sort(s.processes.begin(), s.processes.end(),
                   [](const auto& a, const auto& b) { return a.energy_j > b.energy_j; });
  return s;
}

}  // namespace carnot::measure
