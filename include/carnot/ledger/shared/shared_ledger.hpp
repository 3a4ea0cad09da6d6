// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One ledger for the journals of many machines, in a PostgreSQL database or a SQLite file.
///
///     SharedLedger ledger("postgresql://ledger.example/energy");      // or "site.sqlite"
///     ledger.push(read_journal(path, KeepStates::None).entries, "ridge.journal", options);
///
/// The journal stays the truth (docs/decisions/0007): what is shared can be dropped and pushed
/// again. A journal is known by its first entry, wherever it lies and whatever it is called; an
/// entry by its journal, its place in it and its checksum. So pushing twice is pushing once, a
/// journal that has grown sends what is new, and a push that was killed anywhere goes on from the
/// last batch that was committed. Each batch is one transaction that brings entries and the rows
/// they make (docs/formats/store.md) together, under a lock of that journal: any number of machines
/// may push at once, the same journal too.
///
/// Where journal and ledger differ in an entry that both have, the journal was cut back and went on
/// (a resumed run). From its own machine its tail then replaces that of the ledger; from another
/// machine it is refused, since one of the two is an old copy. A journal that is the beginning of
/// what the ledger holds changes nothing.
///
/// Checkpoints keep their place and lose their state, which only resuming needs.
/// Format: docs/formats/shared-ledger.md. One object, one thread, one connection.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/ledger/store/store.hpp"

namespace carnot::ledger {

/// Whether a target names a PostgreSQL database: `postgresql:` and what may follow it in a
/// connection URI, or words such as `service=ledger`. Anything else is the path of a SQLite file.
bool is_postgresql_target(const std::string& target) noexcept;

/// The 32 hexadecimal digits a journal is known by: two 64-bit FNV-1a hashes, differently seeded,
/// of its first entry, which holds the moment it began in nanoseconds. Not proof against contrived
/// collisions; a journal whose id is taken by another first entry is refused.
/// \throws InputError for a journal without entries
std::string journal_id(const std::vector<Entry>& entries);

struct PushOptions {
  std::string machine;   ///< recorded with a journal that is new; its name for this host
  Instant now;           ///< recorded as the time of the push
  bool replace = false;  ///< take this journal's tail for the truth wherever it was pushed from
  std::size_t batch = 20'000;  ///< entries of one transaction
  StopToken stop;              ///< asked between batches
  /// Told how many of the journal's entries are there, after each batch.
  std::function<void(std::uint64_t there, std::uint64_t all)> progress;
};

struct PushOutcome {
  std::string journal_id;
  std::uint64_t entries = 0;   ///< of the journal
  std::uint64_t before = 0;    ///< of it the ledger held, and still holds
  std::uint64_t added = 0;     ///< sent now
  std::uint64_t replaced = 0;  ///< entries of the ledger that gave way to the journal's tail
  std::uint64_t beyond = 0;    ///< entries that the ledger has and this (older) copy has not
};

struct SharedJournal {
  std::string journal_id, machine, name, kind, started_utc, first_push_utc, last_push_utc;
  std::uint64_t entries = 0;
};

class SharedLedger {
 public:
  /// Connects, and makes the tables where there are none yet. Secrets are not part of a target:
  /// libpq takes them from a password file, a service file or its environment.
  /// \throws InputError for a target that cannot be read or holds a password; DeviceError where
  ///         PostgreSQL is asked for and this build has no libpq; IoError for everything the
  ///         database says, also for tables of another version (they are left as they were)
  explicit SharedLedger(const std::string& target);
  ~SharedLedger();
  SharedLedger(SharedLedger&&) noexcept;
  SharedLedger& operator=(SharedLedger&&) noexcept;

  /// Brings one journal. \param name  how it is called, for people
  /// \throws InputError for entries out of order or without balance (nothing is sent then), or
  /// where
  ///         another machine's journal of that id differs; Stopped; IoError: what was committed
  ///         stays, and the next push goes on from it
  PushOutcome push(const std::vector<Entry>& entries, const std::string& name,
                   const PushOptions& options);
  /// All journals, by machine and beginning. \throws IoError
  std::vector<SharedJournal> journals();
  /// The entries of a journal, states of checkpoints empty. \param id  or how it begins, if that is
  /// one journal's alone \throws InputError for an id that is unknown or of several; IoError, also
  /// where an entry is not what its checksum says
  std::vector<Entry> pull(const std::string& id);
  /// One read-only statement, answered as `LedgerStore::query` does.
  /// \throws InputError with the database's words; IoError
  QueryResult query(const std::string& sql);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace carnot::ledger
