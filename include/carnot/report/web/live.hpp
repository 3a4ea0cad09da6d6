// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The events of `GET /api/v1/live`: one for each interval between two samples of a measurement
/// that goes on, with its power, what was counted so far, and who spends. docs/formats/api.md.
///
/// Power is that of the interval alone, with the interval's own bounds. Bounds of the energy so far
/// are sums of those, as if all intervals erred alike: never too narrow. A process has its share of
/// the machine's dynamic power by CPU time, and the machine's relative bounds.
///
/// The id of an event is the measurement's beginning and the number of its sample: the same event
/// has the same id in every process that reads or goes on with that measurement's journal.
/// One thread at a time.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "carnot/base/sum.hpp"
#include "carnot/ledger/entry/entry.hpp"
#include "carnot/measure/attribution/live.hpp"
#include "carnot/model/footprint/accounting.hpp"

namespace carnot::report {

class LiveEvents {
 public:
  struct Event {
    std::string id;
    std::string data;  ///< one line of JSON
  };

  /// \param account  carbon is shown where it says a place, an intensity or a price
  explicit LiveEvents(model::AccountOptions account = {});

  /// A measurement begins, or another one; what was counted so far stays.
  void begin(const ledger::MeasurementBegin& begin);
  /// After `begin`. Nothing for the first sample, or one at the same time as the last.
  /// \throws InputError for samples that cannot be
  std::optional<Event> sample(const ledger::MeasurementSample& sample);
  /// All processes of the machine as last looked at.
  void processes(std::span<const meter::ProcessUse> processes) { tracker_.processes(processes); }
  /// One entry of a journal that is gone on with.
  std::optional<Event> replay(const ledger::Entry& entry);

 private:
  std::string data(const ledger::MeasurementSample& now);

  model::AccountOptions account_;
  ledger::MeasurementBegin begin_;
  std::optional<ledger::MeasurementSample> last_;
  std::uint64_t number_ = 0;
  measure::LiveTracker tracker_;
  Sum<double> energy_j_, below_j_, above_j_, carbon_g_, carbon_below_g_, carbon_above_g_;
  double counted_s_ = 0;
  Origin origin_ = Origin::Measured;
};

}  // namespace carnot::report
