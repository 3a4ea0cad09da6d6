// SPDX-License-Identifier: Apache-2.0
// A run cut at any byte, or stopped at any slot, and resumed ends as if nothing had happened.
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "carnot/ledger/journal/journal.hpp"

#include "train/testing_run.hpp"

namespace carnot::train {
namespace {

using testing::figures;
using ::testing::HasSubstr;
using testing::message;
using testing::tiny;

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

using Settings = std::vector<std::string>;

RunOptions journal_at(const std::string& path, const Settings& set) {
  RunOptions o;
  o.policies = {"grid-f32", "pfq", "adaptive", "oracle"};
  o.journal = path;
  o.overrides = set;
  return o;
}

const Settings kBattery{"site.battery.capacity=10 MWh", "site.battery.charge_limit=8 MW",
                        "site.battery.discharge_limit=8 MW", "work.stop_when_certified=true",
                        "work.epochs=2"};

class Resume : public ::testing::Test {
 protected:
  /// Resumes a journal of the first `keep` bytes; returns the figures, or why it was refused.
  std::string resume_from(std::size_t keep) {
    const std::string path = folder_.write("cut", whole_.substr(0, keep));
    try {
      const RunSummary again = resume_run(path, {});
      if (!again.complete) return "not complete";
      if (figures(again.entries) != told_) return "other figures";
      // And the file says the same.
      return figures(ledger::read_journal(path, ledger::KeepStates::None).entries) == told_
                 ? "same"
                 : "other file";
    } catch (const InputError& error) {
      return error.what();
    }
  }
  void make(const Settings& set = {}) {
    const RunSummary run = run_scenario(tiny(set), journal_at(folder_ / "whole", set));
    told_ = figures(run.entries);
    whole_ = bytes_of(folder_ / "whole");
    offsets_ = ledger::read_journal(folder_ / "whole", ledger::KeepStates::None).offsets;
  }
  TemporaryFolder folder_;
  std::string whole_;
  std::vector<std::string> told_;
  std::vector<std::uint64_t> offsets_;
};

TEST_F(Resume, FromAnyByte) {
  make(kBattery);
  const RandomStream random(1, "cuts");
  for (std::uint64_t i = 0; i < 60; ++i) {
    const std::size_t keep = random.below(i, whole_.size() + 1);
    const std::string said = resume_from(keep);
    if (keep < offsets_[1]) {
      EXPECT_THAT(said, HasSubstr("nothing to resume")) << keep;
    } else {
      EXPECT_EQ(said, "same") << keep << " of " << whole_.size();
    }
  }
}

TEST_F(Resume, FromJustAroundEveryKindOfRecord) {
  make();
  const auto entries = ledger::read_journal(folder_ / "whole", ledger::KeepStates::None).entries;
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (std::holds_alternative<ledger::SlotEntry>(entries[i])) continue;
    for (const int off : {-1, 0, 1}) {
      const std::size_t keep = offsets_[i] + static_cast<std::size_t>(off + 1) - 1;
      if (keep < offsets_[1]) continue;
      EXPECT_EQ(resume_from(keep), "same") << i << " " << off;
    }
  }
}

TEST_F(Resume, StoppedAnywhereOverAndOver) {
  const Settings set{"work.deadline_after=3 h", "slot=15 min"};
  make(set);
  const std::string path = folder_ / "stopped";
  RunOptions o = journal_at(path, set);
  int asked = 0;
  o.interrupted = [&] { return ++asked >= 2; };  // further each time, from the last checkpoint
  RunSummary run = run_scenario(tiny(set), o);
  EXPECT_FALSE(run.complete);
  for (int stop = 3; stop < 1'000'000; stop += 1 + stop / 4) {
    RunOptions again;
    asked = 0;
    again.interrupted = [&] { return ++asked >= stop; };
    run = resume_run(path, again);
    if (run.complete) break;
  }
  ASSERT_TRUE(run.complete);
  EXPECT_EQ(figures(run.entries), told_);
}

TEST_F(Resume, ACompleteJournalIsReturnedAsItIs) {
  make();
  RunOptions o;
  o.interrupted = [] { return true; };  // never asked
  EXPECT_EQ(figures(resume_run(folder_ / "whole", o).entries), told_);
  EXPECT_EQ(bytes_of(folder_ / "whole"), whole_);
}

TEST_F(Resume, RefusesWhatIsNoRun) {
  make();
  EXPECT_THROW(resume_run(folder_ / "none", {}), InputFileError);
  EXPECT_THROW(resume_run(folder_.write("text", "this is no journal, whatever it was"), {}),
               InputError);
  std::string broken = whole_;
  broken[offsets_[3] + 12] = static_cast<char>(broken[offsets_[3] + 12] ^ 1);
  const std::string path = folder_.write("broken", broken);
  EXPECT_THROW(resume_run(path, {}), InputError);
  EXPECT_EQ(bytes_of(path), broken);
  RunOptions other;
  other.policies = {"paper"};
  EXPECT_THAT(message<InputError>([&] { resume_run(folder_ / "whole", other); }),
              HasSubstr("policies"));
}

}  // namespace
}  // namespace carnot::train
