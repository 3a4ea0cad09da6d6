// SPDX-License-Identifier: Apache-2.0
#include "ledger/store/store_measurement.hpp"

#include <cstdint>

#include "ledger/store/sqlite.hpp"

namespace carnot::ledger::detail {

namespace {

double seconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

/// Seconds from one moment to another; those of a foreign journal may lie further apart than 2^63
/// nanoseconds and then wrap.
double seconds(std::int64_t from, std::int64_t to) {
  return seconds(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from)));
}

class Loader {
 public:
  Loader(sqlite3* database, const std::string& path, const std::string& run_id,
         const MeasurementView& measurement)
      : database_(database), path_(path), run_id_(run_id), measurement_(measurement) {
    if (!measurement.samples.empty()) first_ = measurement.samples.front();
    origin_ns_ = first_ ? first_->boottime_ns : measurement.begin->boottime_ns;
  }

  void load() {
    begin();
    domains();
    samples();
    processes();
    spans();
  }

 private:
  Statement prepare(const char* sql) const { return {database_, path_, sql}; }
  double since_start(std::int64_t boottime_ns) const { return seconds(origin_ns_, boottime_ns); }

  void begin() const {
    const MeasurementBegin& b = *measurement_.begin;
    Statement insert = prepare("INSERT INTO measurement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(run_id_)
        .bind(b.carnot_version)
        .bind(b.command)
        .bind(b.job)
        .bind(b.job_method)
        .bind(b.static_policy)
        .bind(b.boot_id)
        .bind_copy(b.started.iso8601())
        .bind(b.facts_json);
    if (const MeasurementEnd* end = measurement_.end) {
      insert.bind(end->outcome).bind(std::int64_t{end->exit_code});
    } else {
      insert.bind_null().bind_null();
    }
    insert.run();
  }

  void domains() const {
    Statement insert =
        prepare("INSERT INTO domain VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    const auto index = [&](int value) {  // -1: not of one
      value < 0 ? insert.bind_null() : insert.bind(std::int64_t{value});
    };
    std::int64_t number = 0;
    for (const MeasurementChannel& c : measurement_.begin->channels) {
      insert.bind(run_id_).bind(number++);
      for (const std::string* text :
           {&c.id, &c.label, &c.source, &c.kind, &c.role, &c.of, &c.origin, &c.boundary})
        insert.bind(*text);
      index(c.socket);
      index(c.device);
      insert.bind(c.unit_j)
          .bind(c.gain_low)
          .bind(c.gain_high)
          .bind(seconds(c.update_period_ns))
          .bind(c.power_cap_w)
          .run();
    }
  }

  void samples() const {
    Statement insert =
        prepare("INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    Statement insert_reading = prepare("INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?, ?)");
    std::int64_t number = 0;
    for (const MeasurementSample* s : measurement_.samples) {
      insert.bind(run_id_)
          .bind(number)
          .bind(since_start(s->boottime_ns))
          .bind(seconds(first_->monotonic_ns, s->monotonic_ns))
          .bind(seconds(first_->machine_busy_ns, s->machine_busy_ns))
          .bind(seconds(first_->machine_idle_ns, s->machine_idle_ns))
          .bind(seconds(first_->machine_steal_ns, s->machine_steal_ns))
          .bind(seconds(s->job_cpu_ns))
          .bind(seconds(s->meter_cpu_ns))
          .bind(whole(s->job_disk_read_b, "job_disk_read_b"))
          .bind(whole(s->job_disk_write_b, "job_disk_write_b"))
          .bind(whole(s->job_peak_rss_b, "job_peak_rss_b"))
          .bind(whole(s->machine_net_b - first_->machine_net_b, "machine_net_b"));
      s->frequency_hz > 0 ? insert.bind(s->frequency_hz) : insert.bind_null();
      insert.run();
      for (std::size_t c = 0; c < s->channels.size(); ++c) {
        const MeasurementSample::Channel& now = s->channels[c];
        const auto counts = static_cast<double>(now.total - first_->channels[c].total);
        insert_reading.bind(run_id_)
            .bind(number)
            .bind(static_cast<std::int64_t>(c))
            .bind(counts * measurement_.begin->channels[c].unit_j)
            .bind(seconds(first_->channels[c].unobserved_ns, now.unobserved_ns))
            .bind(now.share)
            .bind(std::int64_t{now.status})
            .run();
      }
      ++number;
    }
  }

  void processes() const {
    Statement insert = prepare("INSERT INTO process VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    std::int64_t number = 0;
    for (const MeasurementProcess* p : measurement_.processes) {
      insert.bind(run_id_)
          .bind(number++)
          .bind(since_start(p->boottime_ns))
          .bind(std::int64_t{p->pid})
          .bind(whole(p->start_ticks, "start_ticks"))
          .bind(p->name)
          .bind(seconds(p->cpu_ns))
          .bind(std::int64_t{p->alive})
          .run();
    }
  }

  void spans() const {
    Statement insert_gap = prepare("INSERT INTO gap VALUES (?, ?, ?, ?, ?, ?)");
    std::int64_t number = 0;
    for (const MeasurementGap* g : measurement_.gaps) {
      insert_gap.bind(run_id_)
          .bind(number++)
          .bind(since_start(g->from_boottime_ns))
          .bind(since_start(g->to_boottime_ns))
          .bind(g->channel)
          .bind(g->why)
          .run();
    }
    Statement insert_phase = prepare("INSERT INTO phase VALUES (?, ?, ?, ?, ?)");
    number = 0;
    for (const MeasurementWindow* w : measurement_.windows) {
      insert_phase.bind(run_id_)
          .bind(number++)
          .bind(since_start(w->from_boottime_ns))
          .bind(since_start(w->to_boottime_ns))
          .bind(w->label)
          .run();
    }
  }

  sqlite3* database_;
  const std::string& path_;
  const std::string& run_id_;
  const MeasurementView& measurement_;
  const MeasurementSample* first_ = nullptr;
  std::int64_t origin_ns_ = 0;
};

}  // namespace

void load_measurement(sqlite3* database, const std::string& path, const std::string& run_id,
                      const MeasurementView& measurement) {
  Loader(database, path, run_id, measurement).load();
}

}  // namespace carnot::ledger::detail
