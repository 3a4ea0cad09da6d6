// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/store/measurement_view.hpp"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/ledger/journal/journal.hpp"
#include "carnot/ledger/store/store.hpp"

#include "ledger/testing_entries.hpp"

namespace carnot::ledger {
namespace {

using ::testing::HasSubstr;
using testing::small_measurement;
using testing::small_run;
using testing::thrown;

std::string refusal(const std::vector<Entry>& entries) {
  return thrown<InputError>([&] { view_measurement(entries); });
}

TEST(MeasurementView, GroupsByKind) {
  const auto entries = small_measurement();
  ASSERT_TRUE(is_measurement(entries));
  const MeasurementView view = view_measurement(entries);
  EXPECT_EQ(view.begin, &std::get<MeasurementBegin>(entries.front()));
  ASSERT_EQ(view.samples.size(), 4u);
  EXPECT_EQ(view.samples[3]->channels[0].total, 210'000'000u);
  ASSERT_EQ(view.processes.size(), 1u);
  EXPECT_EQ(view.processes[0]->name, "make");
  ASSERT_EQ(view.gaps.size(), 1u);
  ASSERT_EQ(view.windows.size(), 1u);
  ASSERT_TRUE(view.end);
  EXPECT_EQ(view.end->exit_code, 2);
}

TEST(MeasurementView, AnyPrefixIsAShorterMeasurement) {
  auto entries = small_measurement();
  while (!entries.empty()) {
    EXPECT_NO_THROW(view_measurement(entries)) << entries.size();
    entries.pop_back();
    if (!entries.empty()) {
      EXPECT_EQ(view_measurement(entries).end, nullptr);
    }
  }
  EXPECT_THAT(refusal(entries), HasSubstr("a measurement starts with MeasurementBegin"));
}

TEST(MeasurementView, RefusesWhatIsOutOfOrder) {
  auto entries = small_measurement();
  entries.push_back(entries[1]);
  EXPECT_THAT(refusal(entries), HasSubstr("nothing follows MeasurementEnd"));
  entries = small_measurement();
  entries.insert(entries.begin() + 2, entries[0]);
  EXPECT_THAT(refusal(entries), HasSubstr("entry 3: a measurement begins once"));
  entries = small_measurement();
  std::get<MeasurementSample>(entries[2]).channels.pop_back();
  EXPECT_THAT(refusal(entries), HasSubstr("entry 3: a sample has as many channels"));
  entries = small_measurement();
  std::get<MeasurementSample>(entries[2]).boottime_ns = 0;
  EXPECT_THAT(refusal(entries), HasSubstr("entry 3: the clocks of samples never go back"));
  entries = small_measurement();
  std::get<MeasurementSample>(entries[2]).monotonic_ns = 0;
  EXPECT_THAT(refusal(entries), HasSubstr("entry 3: the clocks of samples never go back"));
  entries = small_measurement();
  entries[3] = LaneBegin{"p"};
  EXPECT_THAT(refusal(entries), HasSubstr("entry 4: this entry belongs to a run"));
  EXPECT_THAT(refusal(small_run()), HasSubstr("a measurement starts with"));
}

TEST(MeasurementView, FunctionsOfRunsRefuseAMeasurement) {
  const TemporaryFolder folder;
  const auto words = HasSubstr("this is a measurement, not a run");
  EXPECT_THAT(thrown<InputError>([&] { totals(small_measurement()); }), words);
  EXPECT_THAT(thrown<InputError>([&] { export_csv(small_measurement(), folder / "x.csv"); }),
              words);
  EXPECT_FALSE(std::filesystem::exists(folder / "x.csv"));
  auto mixed = small_run();
  mixed.insert(mixed.begin() + 1, small_measurement()[1]);
  EXPECT_THAT(thrown<InputError>([&] { totals(mixed); }),
              HasSubstr("entry 2: this entry belongs to a measurement"));
}

// A machine that crashes leaves any prefix of the file: each opens, and holds the entries before
// the cut and none after.
TEST(MeasurementView, AJournalCutAtAnyByteIsAShorterMeasurement) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.journal";
  const auto entries = small_measurement();
  std::vector<std::uint64_t> ends;
  {
    JournalWriter writer = JournalWriter::create(path);
    for (const Entry& entry : entries) {
      writer.append(entry);
      ends.push_back(writer.size());
    }
  }
  const auto bytes = testing::bytes_of(path);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const auto found = parse_journal(std::span(bytes).first(cut), "cut");
    const auto whole =
        static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), cut) - ends.begin());
    ASSERT_EQ(found.entries, std::vector<Entry>(entries.begin(), entries.begin() + whole)) << cut;
    EXPECT_FALSE(found.corrupt) << cut;
    if (whole > 0) {
      EXPECT_EQ(view_measurement(found.entries).samples.size(),
                static_cast<std::size_t>(std::count_if(
                    found.entries.begin(), found.entries.end(),
                    [](const Entry& e) { return std::holds_alternative<MeasurementSample>(e); })));
    }
  }
}

}  // namespace
}  // namespace carnot::ledger
