// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A SQLite view of journals for questions: tables `run`, `lane`, `slot`, `evaluation` of runs and
/// `measurement`, `domain`, `sample`, `reading`, `process`, `gap`, `phase` of measurements (STRICT;
/// columns end in their unit), and views of totals. The journal stays the truth: a store can be
/// deleted and rebuilt from it at any time, and `load` of the same journal twice changes nothing.
/// Schema: docs/formats/store.md. One connection, one thread.
///
/// Beside it the two answers that need no SQL: `totals` of each lane, and `export_csv` of all
/// slots for a spreadsheet.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "carnot/ledger/journal/journal.hpp"

namespace carnot::ledger {

/// A query's answer as text, for printing: numbers in the shortest form that reads back the same,
/// NULL as "", blobs as x'hex'.
struct QueryResult {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

class LedgerStore {
 public:
  /// Opens or creates. ":memory:" is allowed. \throws IoError, also for a file that is no store of
  /// this version (it is left as it was)
  explicit LedgerStore(const std::string& path);
  ~LedgerStore();
  LedgerStore(LedgerStore&&) noexcept;
  LedgerStore& operator=(LedgerStore&&) noexcept;

  /// Loads one journal's entries under `run_id` (usually its file name), replacing that run's rows,
  /// in one transaction: a failure leaves the store as it was. Checkpoints stay in the journal.
  /// \throws InputError if the entries are not in the order of entry.hpp (they may stop anywhere: a
  ///         run or measurement in progress loads too) or a slot breaks the balance by more than
  ///         kBalanceTolerance; IoError from the file
  void load(const std::string& run_id, const std::vector<Entry>& entries);

  /// A read-only query: one SELECT, VALUES, EXPLAIN or a PRAGMA that describes tables.
  /// \throws InputError with SQLite's words for bad SQL or an attempt to write
  QueryResult query(const std::string& sql) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// Totals of one lane so far, children summing to parents; recomputed from entries alone.
struct LaneTotals {
  std::string policy;
  Energy total, exported, own_used, charged, discharged, grid, curtailed, facility, battery_loss;
  Carbon carbon;
  Money cost;
  Time duration;  ///< from the first slot to the end of the last
  std::uint64_t steps = 0;
  std::uint64_t cap_violations = 0;
  double worst_residual = 0.0;  ///< of the two slot identities, relative
  std::vector<std::pair<std::string, Time>>
      mode_time;  ///< by mode, in order of first use; "" = paused
  std::vector<std::pair<std::string, Energy>> mode_energy;
};

/// One row per lane, in order. Neumaier-compensated sums. \throws InputError for entries out of
/// order
std::vector<LaneTotals> totals(const std::vector<Entry>& entries);

/// Writes all slots, one a line, with the columns of table `slot` (lane number and policy before
/// them), RFC 4180 quoting; NaN is an empty cell. The file is replaced in one step.
/// \throws IoError (the old file is then untouched); InputError for entries out of order
void export_csv(const std::vector<Entry>& entries, const std::string& path);

}  // namespace carnot::ledger
