// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/shared/shared_ledger.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/hash.hpp"
#include "carnot/ledger/journal/journal.hpp"

#include "ledger/entry/codec.hpp"
#include "ledger/journal/frame.hpp"
#include "ledger/shared/database.hpp"

namespace carnot::ledger {

namespace {

/// As the names of the alternatives of Entry, in their order.
constexpr std::array<std::string_view, std::variant_size_v<Entry>> kKinds = {
    "run-begin",          "lane-begin", "slot",    "evaluation",
    "checkpoint",         "lane-end",   "run-end", "measurement-begin",
    "measurement-sample", "process",    "gap",     "window",
    "measurement-end"};

constexpr std::uint64_t kPage = 20'000;

/// An entry as it is shared: its bytes without a checkpoint's state, and their checksum.
class Shared {
 public:
  explicit Shared(const Entry& entry) {
    const auto* checkpoint = std::get_if<Checkpoint>(&entry);
    if (checkpoint != nullptr && !checkpoint->state.empty())
      detail::frame(Checkpoint{checkpoint->steps, {}}, record_);
    else
      detail::frame(entry, record_);
  }
  std::uint32_t checksum() const noexcept {
    return detail::load_little<std::uint32_t>(record_.data() + 4);
  }
  std::string_view payload() const noexcept {
    return {reinterpret_cast<const char*>(record_.data()) + detail::kRecordHead,
            record_.size() - detail::kRecordHead};
  }

 private:
  std::vector<std::uint8_t> record_;
};

/// A checksum over the checksums of all entries up to one.
std::uint32_t chained(std::uint32_t chain, std::uint32_t checksum) noexcept {
  std::array<std::uint8_t, 4> bytes;
  detail::store_little(checksum, bytes.data());
  return crc32c(bytes, chain);
}

std::uint64_t count(const std::optional<std::string>& text) { return std::stoull(text.value()); }

/// Rolls back unless committed.
class Work {
 public:
  Work(detail::SharedDatabase& database, const std::string& journal_id) : database_(database) {
    database_.begin(journal_id);
  }
  ~Work() {
    if (open_) database_.rollback();
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  void commit() {
    database_.commit();
    open_ = false;
  }

 private:
  detail::SharedDatabase& database_;
  bool open_ = true;
};

/// Brings one journal, batch by batch.
class Pusher {
 public:
  Pusher(detail::SharedDatabase& database, const std::vector<Entry>& entries, std::string name,
         const PushOptions& options)
      : database_(database),
        entries_(entries),
        name_(std::move(name)),
        options_(options),
        id_(journal_id(entries)),
        rows_(id_, entries) {
    checksums_.reserve(entries.size());
    chains_.reserve(entries.size() + 1);
    chains_.push_back(0);
    for (const Entry& entry : entries) {
      checksums_.push_back(Shared(entry).checksum());
      chains_.push_back(chained(chains_.back(), checksums_.back()));
    }
    outcome_.journal_id = id_;
    outcome_.entries = entries.size();
  }

  PushOutcome push() {
    bool first = true;
    while (true) {
      options_.stop.throw_if_requested();
      Work work(database_, id_);
      const std::uint64_t there = common_part();
      if (std::exchange(first, false)) outcome_.before = there;
      if (there == entries_.size()) break;
      const std::uint64_t to = std::min<std::uint64_t>(
          entries_.size(), there + std::max<std::size_t>(1, options_.batch));
      bring(there, to);
      work.commit();
      outcome_.added += to - there;
      if (options_.progress) options_.progress(to, entries_.size());
    }
    return outcome_;
  }

 private:
  /// How many entries the ledger has that are the journal's; what it has instead of others is gone.
  std::uint64_t common_part() {
    const detail::Answer row =
        database_.ask("SELECT entries, chain, machine FROM journal WHERE journal_id = $1", {id_});
    if (row.empty()) return 0;
    const std::uint64_t theirs = count(row[0][0]);
    const std::uint64_t both = std::min<std::uint64_t>(theirs, entries_.size());
    if (theirs == both && chains_[both] == count(row[0][1])) return both;
    const std::uint64_t same = same_beginning(both);
    outcome_.beyond = same == entries_.size() ? theirs - same : 0;
    if (same == entries_.size()) return same;  // an older copy
    if (same == 0)
      throw InputError(fmt::format("{}: the ledger has another journal with the id {}, from {}",
                                   name_, id_, row[0][2].value_or("")));
    if (!options_.replace && row[0][2] != options_.machine)
      throw InputError(fmt::format(
          "{}: entry {} differs from what the ledger has of this journal from {}: push it from "
          "there, or say --replace if this copy is the truth",
          name_, same + 1, row[0][2].value_or("")));
    outcome_.replaced += theirs - same;
    forget_from(same);
    return same;
  }

  std::uint64_t same_beginning(std::uint64_t both) {
    for (std::uint64_t from = 0; from < both; from += kPage) {
      const std::uint64_t to = std::min(both, from + kPage);
      const detail::Answer page = database_.ask(
          "SELECT checksum FROM entry WHERE journal_id = $1 AND seq >= $2 AND seq < $3 "
          "ORDER BY seq",
          {id_, std::to_string(from), std::to_string(to)});
      for (std::uint64_t i = from; i < to; ++i)
        if (i - from >= page.size() || count(page[i - from][0]) != checksums_[i]) return i;
    }
    return both;
  }

  /// Rows are few enough to be made again whole where a tail has changed.
  void forget_from(std::uint64_t sequence) {
    database_.ask("DELETE FROM entry WHERE journal_id = $1 AND seq >= $2",
                  {id_, std::to_string(sequence)});
    forget_rows(true);
    rows_.write(0, sequence, database_.rows());
    note(sequence);
  }
  void forget_rows(bool all) {
    for (const detail::TableShape& table : detail::kTables)
      if (all || table.is_head)
        database_.ask(fmt::format("DELETE FROM {} WHERE run_id = $1", table.name), {id_});
  }

  void bring(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) {
      const Shared shared(entries_[i]);
      database_.add_entry(id_, i, kKinds[entries_[i].index()], shared.checksum(), shared.payload());
    }
    const std::size_t settled = rows_.until_first_sample();
    const bool anew = rows_.of_measurement() && from > 0 && settled > from;
    forget_rows(anew);
    rows_.write(anew ? 0 : from, to, database_.rows());
    note(to);
  }

  void note(std::uint64_t entries) {
    const std::string now = options_.now.iso8601();
    database_.ask(
        "INSERT INTO journal (journal_id, machine, name, kind, started_utc, entries, chain, "
        "first_push_utc, last_push_utc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
        "ON CONFLICT (journal_id) DO UPDATE SET name = excluded.name, entries = excluded.entries, "
        "chain = excluded.chain, last_push_utc = excluded.last_push_utc",
        {id_, options_.machine, name_, rows_.of_measurement() ? "measurement" : "run", started(),
         std::to_string(entries), std::to_string(chains_[entries]), now, now});
  }
  std::string started() const {
    if (const auto* run = std::get_if<RunBegin>(&entries_.front())) return run->started.iso8601();
    return std::get<MeasurementBegin>(entries_.front()).started.iso8601();
  }

  detail::SharedDatabase& database_;
  const std::vector<Entry>& entries_;
  std::string name_;
  const PushOptions& options_;
  std::string id_;
  detail::RowWriter rows_;
  std::vector<std::uint32_t> checksums_, chains_;
  PushOutcome outcome_;
};

}  // namespace

bool is_postgresql_target(const std::string& target) noexcept {
  for (const std::string_view start :
       {"postgresql:", "postgres:", "service=", "host=", "hostaddr=", "dbname=", "port=", "user="})
    if (target.starts_with(start)) return true;
  return false;
}

std::string journal_id(const std::vector<Entry>& entries) {
  if (entries.empty()) throw InputError("journal: it holds no entry yet");
  const Shared first(entries.front());
  const std::string_view bytes = first.payload();
  return fmt::format("{:016x}{:016x}", fnv1a(bytes), fnv1a(bytes, 0x6c62272e07bb0142ULL));
}

struct SharedLedger::Implementation {
  std::string target;
  std::unique_ptr<detail::SharedDatabase> database;
};

SharedLedger::SharedLedger(const std::string& target)
    : implementation_(std::make_unique<Implementation>(Implementation{
          target, is_postgresql_target(target) ? detail::open_shared_postgresql(target)
                                               : detail::open_shared_sqlite(target)})) {}
SharedLedger::~SharedLedger() = default;
SharedLedger::SharedLedger(SharedLedger&&) noexcept = default;
SharedLedger& SharedLedger::operator=(SharedLedger&&) noexcept = default;

PushOutcome SharedLedger::push(const std::vector<Entry>& entries, const std::string& name,
                               const PushOptions& options) {
  return Pusher(*implementation_->database, entries, name, options).push();
}

std::vector<SharedJournal> SharedLedger::journals() {
  std::vector<SharedJournal> out;
  for (const auto& row : implementation_->database->ask(
           "SELECT journal_id, machine, name, kind, started_utc, first_push_utc, last_push_utc, "
           "entries FROM journal ORDER BY machine, started_utc, journal_id",
           {}))
    out.push_back({*row[0], *row[1], *row[2], *row[3], *row[4], *row[5], *row[6], count(row[7])});
  return out;
}

std::vector<Entry> SharedLedger::pull(const std::string& id) {
  detail::SharedDatabase& database = *implementation_->database;
  if (id.empty() || id.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw InputError(fmt::format("journal: an id of hexadecimal digits, not `{}`", id));
  const detail::Answer found = database.ask(
      "SELECT journal_id, entries FROM journal WHERE substr(journal_id, 1, "
      "CAST($1 AS INTEGER)) = $2",
      {std::to_string(id.size()), id});
  if (found.size() != 1)
    throw InputError(found.empty()
                         ? fmt::format("journal: {}: the ledger has none of this id", id)
                         : fmt::format("journal: {}: {} journals' ids begin so", id, found.size()));
  const std::string whole_id = *found[0][0];
  const std::uint64_t all = count(found[0][1]);
  std::vector<Entry> out;
  for (std::uint64_t from = 0; from < all; from += kPage) {
    for (const auto& raw : database.entries(whole_id, from, std::min(all, from + kPage))) {
      try {
        out.push_back(
            decode(reinterpret_cast<const std::uint8_t*>(raw.payload.data()), raw.payload.size()));
      } catch (const InputError& error) {
        throw IoError(fmt::format("{}: entry {}: {}", whole_id, out.size() + 1, error.what()));
      }
      if (Shared(out.back()).checksum() != raw.checksum)
        throw IoError(
            fmt::format("{}: entry {}: not what its checksum says: push the journal "
                        "again from its machine",
                        whole_id, out.size()));
    }
  }
  if (out.size() != all)
    throw IoError(fmt::format("{}: {} entries of {} are there", whole_id, out.size(), all));
  return out;
}

QueryResult SharedLedger::query(const std::string& sql) {
  return implementation_->database->query(sql);
}

}  // namespace carnot::ledger
