// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The loop of a measurement: wait, look at meter and job together, write it down.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "carnot/ledger/entry/entry.hpp"
#include "carnot/measure/measure.hpp"
#include "carnot/meter/meter.hpp"

#include "measure/interval.hpp"
#include "measure/sink.hpp"

namespace carnot::measure::detail {

/// How a measurement goes on from another: what is added to everything counted now.
struct MeasureBase {
  ledger::MeasurementSample add;  ///< its channels: total, unobserved_ns
  /// Of each channel of the journal the meter's, or none if it is gone.
  std::vector<std::optional<std::size_t>> channel;
};
/// Nothing before: all zero, channels as they are.
MeasureBase fresh_base(std::size_t channels);

/// A channel's total as a sample has it: counts, or microjoules of a gauge.
std::uint64_t recorded_total(const meter::ChannelState& state, bool is_counter) noexcept;

/// What is looked at. `job` is null for the whole machine.
struct MeasureSubject {
  meter::Meter& meter;
  meter::Job* job;
  const std::string& sysfs_root;
  const std::string& procfs_root;
};

class MeasureLoop {
 public:
  /// \param options  interval, stop_after; must outlive the loop, as everything else given
  MeasureLoop(MeasureSubject subject, const MeasureOptions& options, const MeasureHooks& hooks,
              const ledger::MeasurementBegin& begin, MeasureBase base, MeasureSink& sink);

  /// One sample, written down; allocates nothing after the first. CPU times are read every 10 ms
  /// at most and stand still in between.
  /// \param whole  read everything whenever it was last read
  void sample(bool whole = false);
  /// Samples until the job ends, `stop_after` has passed or the hook says stop; then the end.
  ledger::MeasurementEnd run();

 private:
  bool recording_over() const;
  bool wait();  // until the next sample is due; false: time to end
  void read_use(bool whole);
  void fill();
  void fill_machine();
  void write_sample();
  void look();
  void look_at_accelerators();
  void note_gaps();
  void close_gap(std::size_t channel, std::int64_t until_ns);
  double counted_joules() const;
  ledger::MeasurementEnd end(std::string_view outcome, int exit_code);

  struct OpenGap {
    std::int64_t from_ns = 0;
    const char* why = nullptr;  ///< null: none open
  };
  struct Written {
    std::int64_t cpu_ns = -1;
    bool alive = true;
  };

  MeasureSubject subject_;
  meter::Clock& clock_;
  const MeasureOptions& options_;
  const MeasureHooks& hooks_;
  const ledger::MeasurementBegin& begin_;
  const MeasureBase base_;
  MeasureSink& sink_;
  AdaptiveInterval interval_;
  meter::MachineMeter machine_;
  std::optional<meter::ProcessTable> table_;  // whole machine
  std::span<const meter::ProcessUse> processes_;
  std::map<std::pair<int, std::uint64_t>, Written> written_;
  meter::Snapshot now_, before_;
  meter::JobUse use_;
  std::int64_t own_cpu_ns_ = 0;
  ledger::Entry entry_;  // a MeasurementSample, reused
  std::vector<OpenGap> gaps_;
  std::vector<double> shares_;                // the job's of each channel, as last looked
  std::int64_t started_ns_ = 0, due_ns_ = 0;  // CLOCK_MONOTONIC
  std::int64_t look_due_ns_ = 0, machine_due_ns_ = 0, use_due_ns_ = 0;  // likewise
  std::uint64_t net_b_ = 0;
  double frequency_hz_ = 0;
  bool replaying_;
};

}  // namespace carnot::measure::detail
