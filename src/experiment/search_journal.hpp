// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "carnot/experiment/search.hpp"
#include "carnot/ledger/journal/journal.hpp"

namespace carnot::experiment {

/// The trials of a search as entries of the ledger: docs/formats/search.md.
class SearchJournal {
 public:
  /// \param facts  what makes this search this one; a journal of others is refused
  /// \throws IoError; InputError for a journal of another search, or a damaged one
  SearchJournal(const SearchOptions& options, const std::string& facts,
                const learn::EnergyTable& table);

  /// The next trial that is on record, where the method asks for just this.
  /// \throws InputError if it asks for another
  bool recall(const std::string& method, SearchTrial& trial,
              std::optional<learn::SavedModel>& model);
  std::size_t recalled() const noexcept { return next_; }
  /// \param model  kept where the trial is the method's best so far; else null
  void record(const std::string& method, const SearchTrial& trial, const learn::SavedModel* model);
  void end_lane(const SearchLane& lane);
  void end();

 private:
  struct Recorded {
    std::string method;
    SearchTrial trial;
    std::vector<std::uint8_t> model;
  };
  void read(const ledger::JournalContents& contents, const std::string& facts);
  void begin_lane(const std::string& method);

  const learn::EnergyTable& table_;
  std::string path_;
  std::optional<ledger::JournalWriter> writer_;
  std::vector<Recorded> recorded_;
  std::size_t next_ = 0;
  std::vector<std::string> begun_, ended_;
  bool complete_ = false;
  Duration clock_ = Duration::nanoseconds(0);
};

}  // namespace carnot::experiment
