// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The journal: an append-only file of checksummed records. A process killed at any byte loses at
/// most the record being written; what was read before is read again.
///
/// File: 16-byte header "carnot-journal/1" then records {u32 length, u32 CRC-32C of the length and
/// payload, payload}. `append` writes a record with one `write`; `sync` makes it durable
/// (fdatasync). A torn tail (short record, or bad checksum in the last record) is normal after a
/// crash and cut off when the file is opened for appending. A bad record *before* good records is
/// corruption: reading stops there, says offset and record number, and nothing after it is trusted
/// or deleted. Since a damaged length can make any record look like the last, a broken record
/// counts as a torn tail only after a search of every byte behind it found no sound record.
///
/// CRC-32C: Castagnoli 1993, polynomial 0x1EDC6F41, test vectors of RFC 3720 B.4. A journal has one
/// writer (an advisory lock on the file itself, held while open; a second writer throws IoError).
/// Readers take no lock and see a sound prefix at any moment. No thread-safety; no signal handlers
/// (a process under a file-size limit must ignore SIGXFSZ to get the IoError instead).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "carnot/ledger/entry/entry.hpp"

namespace carnot::ledger {

/// Checksum of `bytes`, going on from `previous`: crc32c(b, crc32c(a)) is that of a followed by b.
/// Uses the processor's instruction where there is one; the result is the same.
std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t previous = 0) noexcept;

/// What reading a journal found.
struct JournalContents {
  std::vector<Entry> entries;
  std::vector<std::uint64_t> offsets;  ///< byte offset of each entry's record
  std::uint64_t good_bytes = 0;        ///< the file is sound up to here
  std::uint64_t torn_bytes = 0;        ///< of a half-written last record
  bool corrupt = false;                ///< sound records follow a broken one, or one is of a newer
                                       ///< format; what follows good_bytes must not be deleted
  std::string message;                 ///< in words, when torn or corrupt
};

/// Which checkpoints keep their state when a journal is read: states are most of a journal, and all
/// but the newest of each lane are superseded. The others come with an empty state.
enum class KeepStates {
  All,
  Latest,  ///< the newest of each lane: what resuming needs
  None,    ///< what reports need
};

class JournalWriter {
 public:
  /// When a new file is on the disk and not only in the system's memory: at once, or (what costs
  /// nothing) with the first `sync`.
  enum class Durable { AtOnce, WhenSynced };
  /// Creates the file. \throws IoError if it exists, or on any failure of the system
  static JournalWriter create(const std::string& path, Durable durable = Durable::AtOnce);
  /// Opens to go on: reads, cuts a torn tail, and positions after the last good record.
  /// \param contents  filled with what is there
  /// \throws IoError; InputError if corrupt or not a journal (message says how to save what is
  /// good)
  static JournalWriter resume(const std::string& path, JournalContents& contents,
                              KeepStates states = KeepStates::All);

  JournalWriter(JournalWriter&&) noexcept;
  JournalWriter& operator=(JournalWriter&&) noexcept;
  ~JournalWriter();

  /// \throws IoError (disk full, read-only, changed by another program). A half-written record is
  ///         cut off again, so the file stays sound and the caller may free space and retry.
  ///         InternalError for a slot whose balance is off by more than kBalanceTolerance;
  ///         InputError for an entry over the size limits of entry.hpp. Nothing is written then
  void append(const Entry& entry);
  /// Makes everything appended durable. \throws IoError, also if the file was deleted; once the
  ///         system failed to sync, every later `sync` throws as well, since it may have dropped
  ///         the pages it could not write: reopen with `resume`
  void sync();
  /// Cuts the file back to `offset`, the start of a record or the end: superseded entries go, for
  /// good (synced). \throws IoError; InternalError if no record starts there
  void truncate(std::uint64_t offset);
  std::uint64_t size() const noexcept { return size_; }
  const std::string& path() const noexcept { return path_; }

 private:
  JournalWriter(std::string path, int fd, std::uint64_t size);
  void check_size(const char* doing) const;
  void check_file(const char* doing) const;
  void cut(const char* doing);

  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  bool folder_synced_ = true;         // the name of a new file, in its folder
  bool tail_dirty_ = false;           // bytes of a failed append may lie beyond size_
  int sync_error_ = 0;                // errno of the sync that failed
  std::vector<std::uint8_t> record_;  // reused
};

/// Reads without locking or changing anything; holds the entries and one record at a time.
/// \throws IoError; InputError if not a journal at all
JournalContents read_journal(const std::string& path, KeepStates states = KeepStates::All);

/// The same for bytes in memory; `name` stands for the path in messages.
/// \throws InputError if not a journal at all
JournalContents parse_journal(std::span<const std::uint8_t> bytes, const std::string& name,
                              KeepStates states = KeepStates::All);

}  // namespace carnot::ledger
