// SPDX-License-Identifier: Apache-2.0
#include "ledger/store/rows.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "ledger/entry/slot_columns.hpp"

namespace carnot::ledger::detail {

namespace {

double seconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

/// Seconds from one moment to another; those of a foreign journal may lie further apart than 2^63
/// nanoseconds and then wrap.
double seconds(std::int64_t from, std::int64_t to) {
  return seconds(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from)));
}

/// A count as a database's integers hold it.
std::int64_t whole(std::uint64_t count, const char* what) {
  if (count > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    throw InputError(
        fmt::format("ledger: {}: at most 2^63 - 1 fit a store, found {}", what, count));
  return static_cast<std::int64_t>(count);
}

struct Null {};

void put_cell(RowSink& sink, double value) { sink.put(value); }
void put_cell(RowSink& sink, std::int64_t value) { sink.put(value); }
void put_cell(RowSink& sink, bool value) { sink.put(std::int64_t{value}); }
void put_cell(RowSink& sink, const std::string& value) { sink.put(std::string_view(value)); }
void put_cell(RowSink& sink, Null) { sink.put_null(); }

template <class... Cells>
void put_row(RowSink& sink, Table table, const Cells&... cells) {
  sink.begin(table);
  (put_cell(sink, cells), ...);
  sink.end();
}

std::int64_t number(std::size_t index) { return static_cast<std::int64_t>(index); }

struct PutColumn {
  RowSink& sink;
  void operator()(const char*, double value) { sink.put(value); }
  void operator()(const char* name, std::uint64_t value) { sink.put(whole(value, name)); }
  void operator()(const char*, bool value) { sink.put(std::int64_t{value}); }
  void operator()(const char*, const std::string& value) { sink.put(std::string_view(value)); }
  void operator()(const char*, Instant at) { sink.put(std::string_view(at.iso8601())); }
};

void check_balance(const LaneView& lane) {
  for (std::size_t i = 0; i < lane.slots.size(); ++i) {
    const double residual = balance_residual(*lane.slots[i]);
    if (!(residual <= kBalanceTolerance))
      throw InputError(
          fmt::format("ledger: policy `{}`: slot {}: the energies must balance to {:g} of the "
                      "largest; they are "
                      "off by {:.3g}",
                      lane.begin->policy, i, kBalanceTolerance, residual));
  }
}

}  // namespace

/// Some of the entries, told by where they lie: the views point into one vector.
struct RowWriter::Part {
  const void* first;
  const void* last;

  bool before_end(const void* entry) const noexcept {
    return entry != nullptr && std::less<>{}(entry, last);
  }
  /// The indices of those that lie in this part. `views` are in the entries' order.
  template <class T>
  std::pair<std::size_t, std::size_t> of(const std::vector<const T*>& views) const {
    const auto at = [&](const void* bound) {
      return static_cast<std::size_t>(
          std::lower_bound(views.begin(), views.end(), bound,
                           [](const void* a, const void* b) { return std::less<>{}(a, b); }) -
          views.begin());
    };
    return {at(first), at(last)};
  }
};

RowWriter::RowWriter(const std::string& run_id, const std::vector<Entry>& entries)
    : run_id_(run_id), entries_(entries) {
  if (is_measurement(entries)) {
    measurement_ = view_measurement(entries);
    return;
  }
  run_ = group(entries, true);
  for (const LaneView& lane : run_.lanes) check_balance(lane);
}

std::size_t RowWriter::until_first_sample() const noexcept {
  if (!measurement_ || measurement_->samples.empty()) return 0;
  const auto first = std::find_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return std::holds_alternative<MeasurementSample>(entry);
  });
  return static_cast<std::size_t>(first - entries_.begin()) + 1;
}

void RowWriter::write(std::size_t from, std::size_t to, RowSink& sink) const {
  CARNOT_CHECK(from <= to && to > 0 && to <= entries_.size(), "a part of the entries");
  const Part part{entries_.data() + from, entries_.data() + to};
  measurement_ ? write_measurement(part, sink) : write_run(part, sink);
}

void RowWriter::write_run(const Part& part, RowSink& sink) const {
  const RunBegin& b = *run_.begin;
  sink.begin(Table::run);
  for (const std::string* text :
       {&run_id_, &b.carnot_version, &b.command, &b.scenario_name, &b.scenario_text})
    sink.put(std::string_view(*text));
  sink.put(std::string_view(std::to_string(b.seed)));
  sink.put(std::string_view(b.started.iso8601()));
  sink.put(std::string_view(b.facts_json));
  part.before_end(run_.end) ? sink.put(std::string_view(run_.end->result_json)) : sink.put_null();
  sink.end();

  for (std::size_t k = 0; k < run_.lanes.size(); ++k) {
    const LaneView& lane = run_.lanes[k];
    if (!part.before_end(lane.begin)) break;
    if (part.before_end(lane.end)) {
      put_row(sink, Table::lane, run_id_, number(k), lane.begin->policy, lane.end->outcome,
              lane.end->stopped, lane.end->result_json);
    } else {
      put_row(sink, Table::lane, run_id_, number(k), lane.begin->policy, Null{}, Null{}, Null{});
    }
    const auto [first_slot, last_slot] = part.of(lane.slots);
    for (std::size_t i = first_slot; i < last_slot; ++i) {
      sink.begin(Table::slot);
      sink.put(std::string_view(run_id_));
      sink.put(number(k));
      sink.put(number(i));
      sink.put(lane.slots[i]->start.unix_nanoseconds());
      for_each_column(*lane.slots[i], PutColumn{sink});
      sink.end();
    }
    const auto [first, last] = part.of(lane.evaluations);
    for (std::size_t i = first; i < last; ++i) {
      const Evaluation& e = *lane.evaluations[i];
      put_row(sink, Table::evaluation, run_id_, number(k), number(i), e.at.unix_nanoseconds(),
              e.at.iso8601(), whole(e.steps, "steps"), e.metric, e.value, e.low, e.high,
              e.certified);
    }
  }
}

void RowWriter::write_measurement(const Part& part, RowSink& sink) const {
  const MeasurementView& m = *measurement_;
  const MeasurementBegin& b = *m.begin;
  sink.begin(Table::measurement);
  for (const std::string* text : {&run_id_, &b.carnot_version, &b.command, &b.job, &b.job_method,
                                  &b.static_policy, &b.boot_id})
    sink.put(std::string_view(*text));
  sink.put(std::string_view(b.started.iso8601()));
  sink.put(std::string_view(b.facts_json));
  if (part.before_end(m.end)) {
    sink.put(std::string_view(m.end->outcome));
    sink.put(std::int64_t{m.end->exit_code});
  } else {
    sink.put_null();
    sink.put_null();
  }
  sink.end();

  const auto index = [&](int value) {  // -1: not of one
    value < 0 ? sink.put_null() : sink.put(std::int64_t{value});
  };
  for (std::size_t k = 0; k < b.channels.size(); ++k) {
    const MeasurementChannel& c = b.channels[k];
    sink.begin(Table::domain);
    sink.put(std::string_view(run_id_));
    sink.put(number(k));
    for (const std::string* text :
         {&c.id, &c.label, &c.source, &c.kind, &c.role, &c.of, &c.origin, &c.boundary})
      sink.put(std::string_view(*text));
    index(c.socket);
    index(c.device);
    for (const double value :
         {c.unit_j, c.gain_low, c.gain_high, seconds(c.update_period_ns), c.power_cap_w})
      sink.put(value);
    sink.end();
  }

  // Moments count from the first sample, which is taken before the command runs.
  const MeasurementSample* first =
      m.samples.empty() || !part.before_end(m.samples.front()) ? nullptr : m.samples.front();
  const std::int64_t origin_ns = first ? first->boottime_ns : b.boottime_ns;
  const auto since_start = [&](std::int64_t at) { return seconds(origin_ns, at); };

  const auto [first_sample, last_sample] = part.of(m.samples);
  for (std::size_t i = first_sample; i < last_sample; ++i) {
    const MeasurementSample& s = *m.samples[i];
    put_row(sink, Table::sample, run_id_, number(i), since_start(s.boottime_ns),
            seconds(first->monotonic_ns, s.monotonic_ns),
            seconds(first->machine_busy_ns, s.machine_busy_ns),
            seconds(first->machine_idle_ns, s.machine_idle_ns),
            seconds(first->machine_steal_ns, s.machine_steal_ns), seconds(s.job_cpu_ns),
            seconds(s.meter_cpu_ns), whole(s.job_disk_read_b, "job_disk_read_b"),
            whole(s.job_disk_write_b, "job_disk_write_b"),
            whole(s.job_peak_rss_b, "job_peak_rss_b"),
            whole(s.machine_net_b - first->machine_net_b, "machine_net_b"),
            s.frequency_hz > 0 ? s.frequency_hz : std::numeric_limits<double>::quiet_NaN());
    for (std::size_t c = 0; c < s.channels.size(); ++c) {
      const MeasurementSample::Channel& now = s.channels[c];
      const auto counts = static_cast<double>(now.total - first->channels[c].total);
      put_row(sink, Table::reading, run_id_, number(i), number(c), counts * b.channels[c].unit_j,
              seconds(first->channels[c].unobserved_ns, now.unobserved_ns), now.share,
              std::int64_t{now.status});
    }
  }
  const auto [first_process, last_process] = part.of(m.processes);
  for (std::size_t i = first_process; i < last_process; ++i) {
    const MeasurementProcess& p = *m.processes[i];
    put_row(sink, Table::process, run_id_, number(i), since_start(p.boottime_ns),
            std::int64_t{p.pid}, whole(p.start_ticks, "start_ticks"), p.name, seconds(p.cpu_ns),
            p.alive);
  }
  const auto [first_gap, last_gap] = part.of(m.gaps);
  for (std::size_t i = first_gap; i < last_gap; ++i) {
    const MeasurementGap& g = *m.gaps[i];
    put_row(sink, Table::gap, run_id_, number(i), since_start(g.from_boottime_ns),
            since_start(g.to_boottime_ns), g.channel, g.why);
  }
  const auto [first_window, last_window] = part.of(m.windows);
  for (std::size_t i = first_window; i < last_window; ++i) {
    const MeasurementWindow& w = *m.windows[i];
    put_row(sink, Table::phase, run_id_, number(i), since_start(w.from_boottime_ns),
            since_start(w.to_boottime_ns), w.label);
  }
}

}  // namespace carnot::ledger::detail
