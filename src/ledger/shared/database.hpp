// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a shared ledger asks of its database, and the two there are.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/ledger/store/store.hpp"

#include "ledger/store/rows.hpp"

namespace carnot::ledger::detail {

/// Version of the tables below and of those of schema.cpp together.
inline constexpr int kSharedVersion = 1;

/// Tables `shared_ledger`, `journal`, `entry` and views of machines, in SQLite's words; those that
/// differ between the two databases are put in by each.
extern const char* const kSharedSchema;

using Answer = std::vector<std::vector<std::optional<std::string>>>;

class SharedDatabase {
 public:
  virtual ~SharedDatabase() = default;
  /// Starts a transaction that writes and waits until nobody else writes this journal.
  virtual void begin(const std::string& journal_id) = 0;
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;
  /// One statement; `$1`, `$2`, ... stand for the parameters and come in that order.
  virtual Answer ask(const std::string& sql, const std::vector<std::string>& parameters) = 0;
  /// Rows for this transaction.
  virtual RowSink& rows() = 0;
  virtual void add_entry(const std::string& journal_id, std::uint64_t sequence,
                         std::string_view kind, std::uint32_t checksum,
                         std::string_view payload) = 0;
  /// Payloads and checksums of entries [from, to).
  struct Raw {
    std::uint32_t checksum;
    std::string payload;
  };
  virtual std::vector<Raw> entries(const std::string& journal_id, std::uint64_t from,
                                   std::uint64_t to) = 0;
  virtual QueryResult query(const std::string& sql) = 0;
};

/// \throws IoError
std::unique_ptr<SharedDatabase> open_shared_sqlite(const std::string& path);
/// \throws InputError, DeviceError, IoError
std::unique_ptr<SharedDatabase> open_shared_postgresql(const std::string& target);

}  // namespace carnot::ledger::detail
