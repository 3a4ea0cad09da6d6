// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Where the entries of a measurement go.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/ledger/journal/journal.hpp"

namespace carnot::measure::detail {

/// The journal, memory, or both. A journal that cannot be written any more (its disk is full) does
/// not end a measurement: from then on entries are kept in memory, and `trouble` says why.
class MeasureSink {
 public:
  /// \param keep  in memory whatever the journal does; without a journal always
  MeasureSink(std::optional<ledger::JournalWriter> journal, bool keep, Duration sync_every);

  void append(const ledger::Entry& entry);
  /// Makes the journal durable if `sync_every` has passed since it last was.
  void sync_if_due(std::int64_t monotonic_ns);
  /// Durable, if the measurement was long enough to have been synced before.
  void finish();

  std::vector<ledger::Entry>& entries() noexcept { return entries_; }  ///< kept
  const std::string& trouble() const noexcept { return trouble_; }

 private:
  void give_up(const std::string& why);

  std::optional<ledger::JournalWriter> journal_;
  bool keep_;
  std::int64_t sync_every_ns_, synced_ns_ = 0;
  bool started_ = false, synced_ = false;
  std::vector<ledger::Entry> entries_;
  std::string trouble_;
};

}  // namespace carnot::measure::detail
