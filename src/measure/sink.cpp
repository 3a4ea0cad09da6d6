// SPDX-License-Identifier: Apache-2.0
#include "measure/sink.hpp"

#include <utility>

#include "carnot/base/error.hpp"

namespace carnot::measure::detail {

MeasureSink::MeasureSink(std::optional<ledger::JournalWriter> journal, bool keep,
                         Duration sync_every)
    : journal_(std::move(journal)),
      keep_(keep || !journal_),
      sync_every_ns_(sync_every.nanoseconds()) {}

void MeasureSink::append(const ledger::Entry& entry) {
  if (journal_) {
    try {
      journal_->append(entry);
    } catch (const IoError& error) {
      give_up(error.what());
    }
  }
  if (keep_ || !journal_) entries_.push_back(entry);
}

void MeasureSink::sync_if_due(std::int64_t monotonic_ns) {
  if (!started_) synced_ns_ = monotonic_ns;
  started_ = true;
  if (!journal_ || monotonic_ns - synced_ns_ < sync_every_ns_) return;
  synced_ns_ = monotonic_ns;
  synced_ = true;
  try {
    journal_->sync();
  } catch (const IoError& error) {
    give_up(error.what());
  }
}

void MeasureSink::finish() {
  if (!journal_ || !synced_) return;
  try {
    journal_->sync();
  } catch (const IoError& error) {
    give_up(error.what());
  }
}

void MeasureSink::give_up(const std::string& why) {
  trouble_ = why;
  journal_.reset();
}

}  // namespace carnot::measure::detail
