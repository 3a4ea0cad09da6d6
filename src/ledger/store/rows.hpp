// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A journal's entries as rows of the tables of schema.cpp: the one place that knows which entry
/// makes which row, whatever database they go to.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/ledger/entry/entry.hpp"
#include "carnot/ledger/store/measurement_view.hpp"

#include "ledger/store/lanes.hpp"

namespace carnot::ledger::detail {

enum class Table {
  run,
  lane,
  slot,
  evaluation,
  measurement,
  domain,
  sample,
  reading,
  process,
  gap,
  phase
};
struct TableShape {
  const char* name;
  int columns;
  bool is_head;  ///< a few rows that change while the journal grows; those of the others only come
};
/// In the order of `Table`, which is one that foreign keys allow.
inline constexpr std::array<TableShape, 11> kTables = {{{"run", 9, true},
                                                        {"lane", 6, true},
                                                        {"slot", 26, false},
                                                        {"evaluation", 11, false},
                                                        {"measurement", 11, true},
                                                        {"domain", 17, true},
                                                        {"sample", 14, false},
                                                        {"reading", 7, false},
                                                        {"process", 8, false},
                                                        {"gap", 6, false},
                                                        {"phase", 5, false}}};

/// Takes rows, cell by cell from left to right.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void begin(Table table) = 0;
  virtual void put(double value) = 0;  ///< NaN: NULL
  virtual void put(std::int64_t value) = 0;
  virtual void put(std::string_view text) = 0;  ///< any bytes
  virtual void put_null() = 0;
  virtual void end() = 0;
};

/// Reads entries once and then gives the rows of any part of them. The entries must outlive it.
class RowWriter {
 public:
  /// \throws InputError if the entries are not in the order of entry.hpp, or a slot's energies do
  ///         not balance
  RowWriter(const std::string& run_id, const std::vector<Entry>& entries);

  /// The rows that entries [from, to) make, and those of the heads as they stand at `to`.
  /// Precondition: from <= to <= entries, and to > 0.
  /// \throws InputError for a count that no database's integer holds; what `sink` throws
  void write(std::size_t from, std::size_t to, RowSink& sink) const;

  bool of_measurement() const noexcept { return measurement_.has_value(); }
  /// How many entries stand up to the first sample of a measurement, it included; 0: there is none.
  /// What came before it has other moments once it is there, since moments count from it.
  std::size_t until_first_sample() const noexcept;

 private:
  struct Part;
  void write_run(const Part& part, RowSink& sink) const;
  void write_measurement(const Part& part, RowSink& sink) const;

  std::string run_id_;
  const std::vector<Entry>& entries_;
  RunView run_;
  std::optional<MeasurementView> measurement_;
};

}  // namespace carnot::ledger::detail
