// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: a source that spends known power by a clock, and journals of measurements.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "carnot/ledger/journal/journal.hpp"
#include "carnot/ledger/store/measurement_view.hpp"
#include "carnot/measure/measure.hpp"
#include "carnot/meter/meter.hpp"

#include "base/testing_files.hpp"
#include "measure/measure_with.hpp"

namespace carnot::measure::testing {

/// One package counter of 1 uJ counts that shows P x t exactly (to the count), t on
/// the clock, and what a test asks of it.
class SteadySource : public meter::Source {
 public:
  struct Script {
    double power_w = 100.0;
    std::uint64_t start_raw = 5;
    int polls = 0;
    int broken_from = 1 << 30;  ///< polls from this number on
    int reset_at = -1;          ///< counter began anew at this poll
    double leap_j = 0;          ///< added from `leap_at` on
    int leap_at = 1 << 30;
  };

  SteadySource(std::shared_ptr<Script> script, std::vector<std::string> ids, meter::Clock& clock)
      : script_(std::move(script)), clock_(clock) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      meter::Domain d;
      d.id = ids[i];
      d.label = ids[i];
      d.source = "steady";
      d.kind = meter::DomainKind::Package;
      d.socket = static_cast<int>(i);
      d.counter.unit = 1e-6 * joule;
      d.counter.power_cap = 2000.0 * watt;
      domains_.push_back(d);
    }
  }
  std::string_view name() const noexcept override { return "steady"; }
  const std::vector<meter::Domain>& domains() const noexcept override { return domains_; }
  void poll(std::span<meter::Reading> readings) noexcept override {
    const int poll = script_->polls++;
    const meter::Stamp at = clock_.now();
    if (poll == script_->reset_at) reset_ns_ = at.monotonic_ns;
    for (meter::Reading& r : readings) {
      r = {};
      r.at = at;
      r.status = poll >= script_->broken_from ? meter::PollStatus::Broken : meter::PollStatus::Ok;
      r.raw = counts(at.monotonic_ns - reset_ns_, poll);
    }
  }

 private:
  std::uint64_t counts(std::int64_t ns, int poll) const noexcept {
    const double joules = script_->power_w * static_cast<double>(ns) / 1e9 +
                          (poll >= script_->leap_at ? script_->leap_j : 0.0);
    return script_->start_raw + static_cast<std::uint64_t>(joules * 1e6);
  }
  std::shared_ptr<Script> script_;
  meter::Clock& clock_;
  std::vector<meter::Domain> domains_;
  std::int64_t reset_ns_ = 0;
};

inline meter::Meter steady_meter(std::shared_ptr<SteadySource::Script> script,
                                 std::vector<std::string> ids = {"steady/0"},
                                 meter::Clock& clock = meter::Clock::machine()) {
  std::vector<std::unique_ptr<meter::Source>> sources;
  sources.push_back(std::make_unique<SteadySource>(std::move(script), std::move(ids), clock));
  meter::MeterOptions options;
  options.sources.clock = &clock;
  return meter::Meter::over(std::move(sources), options);
}

constexpr Duration milliseconds(std::int64_t n) { return Duration::nanoseconds(n * 1'000'000); }

/// What the counted channels of two samples say passed between them, in joules.
inline double joules_between(const ledger::MeasurementBegin& begin,
                             const ledger::MeasurementSample& a,
                             const ledger::MeasurementSample& b) {
  double joules = 0;
  for (std::size_t i = 0; i < begin.channels.size(); ++i)
    joules +=
        static_cast<double>(b.channels[i].total - a.channels[i].total) * begin.channels[i].unit_j;
  return joules;
}

/// A journal of these entries.
inline void write_journal(const std::string& path, std::span<const ledger::Entry> entries) {
  ledger::JournalWriter writer = ledger::JournalWriter::create(path);
  for (const ledger::Entry& entry : entries) writer.append(entry);
}

inline MeasureOptions command(std::vector<std::string> words) {
  MeasureOptions options;
  options.job.command = std::move(words);
  options.command_line = "carnot measure";
  return options;
}

}  // namespace carnot::measure::testing
