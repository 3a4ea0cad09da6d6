// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

#include "assess/evidence/node_list.hpp"
#include "assess/testing_evidence.hpp"

namespace carnot::assess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kHead =
    "JobID|State|Start|End|Elapsed|NNodes|AllocCPUS|ReqMem|Partition|TotalCPU|AllocTRES|NodeList|"
    "ConsumedEnergyRaw|AdminComment\n";

ActivityGraph merged(const std::string& rows, Evidence& e) {
  Folder folder;
  folder.with("jobs", kHead + rows);
  e = folder.read();
  ActivityGraph graph = merge(e, "");
  expect_accounted(e, graph);
  return graph;
}

TEST(NodeList, IsExpanded) {
  EXPECT_THAT(expand_node_list("gpu[01-03,07],login1"),
              ElementsAre("gpu01", "gpu02", "gpu03", "gpu07", "login1"));
  EXPECT_THAT(expand_node_list("r[1-2]n[08-09]"), ElementsAre("r1n08", "r1n09", "r2n08", "r2n09"));
  EXPECT_TRUE(expand_node_list("None assigned").empty());
  for (const char* bad : {"a[1", "a]", "a[2-1]", "a[x]", "a[1-9999999]", ",a"})
    EXPECT_THROW(expand_node_list(bad), InputError) << bad;
}

TEST(Sacct, StepsShareTheirAllocation) {
  Evidence e;
  const auto graph = merged(
      "1|COMPLETED|2024-09-01T00:00:00|2024-09-01T01:00:00|01:00:00|1|8|4G|cpu|07:00:00|cpu=8|n1|"
      "360000|\n"
      "1.batch|COMPLETED|2024-09-01T00:00:00|2024-09-01T01:00:00|01:00:00|1|8||||cpu=8|n1|360000|\n"
      "1.0|COMPLETED|2024-09-01T00:00:00|2024-09-01T01:00:00|01:00:00|1|8||||cpu=8|n1|350000|\n",
      e);
  EXPECT_NEAR(joules_of(graph), 360000, 1e-6);
  EXPECT_EQ(e.files[0].outcome_rows, (std::array<std::uint64_t, 4>{1, 0, 2, 0}));
}

TEST(Sacct, AJobOnManyNodesCountsItsEnergyOnce) {
  Evidence e;
  const auto graph = merged(
      "2|COMPLETED|2024-09-01T00:00:00|2024-09-01T01:00:00|01:00:00|4|64|4G|cpu||cpu=64|n[1-4]|"
      "4000000|\n"
      "2|COMPLETED|2024-09-01T00:00:00|2024-09-01T01:00:00|01:00:00|4|64|4G|cpu||cpu=64|n[1-4]|"
      "4000000|\n",
      e);
  EXPECT_NEAR(joules_of(graph), 4000000, 1e-3);
  EXPECT_EQ(e.files[0].outcome_rows, (std::array<std::uint64_t, 4>{1, 0, 1, 0}));
}

TEST(Sacct, ArrayJobsAreJobs) {
  Evidence e;
  std::string rows;
  for (int i = 0; i < 5; ++i)
    rows += fmt::format(
        "7_{}|COMPLETED|2024-09-01T0{}:00:00|2024-09-01T0{}:30:00|00:30:00|1|4|1G|cpu||cpu=4|n1|"
        "1000|\n",
        i, i, i);
  EXPECT_NEAR(joules_of(merged(rows, e)), 5000, 1e-6);
}

TEST(Sacct, CarnotsOwnJoulesComeFirst) {
  Evidence e;
  EXPECT_NEAR(joules_of(merged("8|COMPLETED|2024-09-01T00:00:00|2024-09-01T01:00:00|01:00:00|1|8|"
                               "4G|cpu||cpu=8|n1|1|carnot energy_j=123456.5\n",
                               e)),
              123456.5, 1e-6);
}

TEST(Sacct, BadRowsAreReadOrNamed) {
  Evidence e;
  const auto graph = merged(
      "1|COMPLETED|2024-09-01T00:00:00|2024-09-01T01:00:00|01:00:00|1|8|||100:00:00|cpu=8|"
      "n1||\n"  // CPU above wall, no memory, no partition
      "2|COMPLETED|2024-09-01T00:00:00|2024-09-01T01:00:00||1|8|4G|cpu||cpu=8|n1||\n"  // no
                                                                                       // Elapsed,
                                                                                       // but
                                                                                       // start
                                                                                       // and
                                                                                       // end
      "3|COMPLETED|Unknown|Unknown||1|8|4G|cpu||cpu=8|n1||\n"                          // never ran
      "4|COMPLETED|2024-09-01T00:00:00|Unknown|garbage|1|8|4G|cpu||cpu=8|n1||\n"       // cannot
                                                                                       // be read
      "5|CANCELLED by 1|2024-09-01T00:00:00|2024-09-01T00:00:00|00:00:00|1|0|4G|cpu|||None "
      "assigned||\n"                                                                   // no time
      "6|COMPLETED|2024-09-01T00:00:00|2024-09-01T01:00:00|01:00:00|1|||cpu|||n1||\n"  // no
                                                                                       // processors
      "7|COMPLETED|2024-09-01T00:00:00|2024-09-01T01:00:00|1-00:00:00|1|2|4G|cpu||cpu=2|n["
      "9||\n"  // bad list
      "8|COMPLETED|2024-09-01T00:00:00|2024-09-01T01:00:00|01:00:00|1|8|4G|cpu||cpu=8|n1|"
      "99999999999999|\n"  // beyond any machine
      "|COMPLETED\n",
      e);
  const EvidenceFile& f = e.files[0];
  EXPECT_EQ(f.outcome_rows[3], 4U);
  EXPECT_EQ(f.outcome_rows[1], 2U);
  std::string all;
  for (const auto& line : f.problems) all += line + "\n";
  for (const char* expected : {"jobs:2: TotalCPU", "jobs:5: Elapsed", "jobs:7: AllocCPUS",
                               "jobs:8: NodeList", "jobs:9: ConsumedEnergy", "jobs:10: row"})
    EXPECT_THAT(all, HasSubstr(expected));
  EXPECT_GT(joules_of(graph), 0);
}

TEST(Sacct, EnergyOfProcessorsAloneIsNotAnAcceleratedJobs) {
  Evidence e;
  const auto graph = merged(
      "1|COMPLETED|2024-09-01T00:00:00|2024-09-01T01:00:00|01:00:00|1|8|4G|gpu||cpu=8,gres/"
      "gpu=8|n1|180000|\n",
      e);
  EXPECT_GT(joules_of(graph), 8 * 70 * 3600.0);
  EXPECT_THAT(e.files[0].problems.at(0), HasSubstr("processors alone"));
}

TEST(Sacct, DamagedFilesAreStillAccountedFor) {
  std::string rows;
  for (int i = 0; i < 20; ++i)
    rows += fmt::format(
        "{}|COMPLETED|2024-09-0{}T00:00:00|2024-09-0{}T01:00:00|01:00:00|2|8|1G|cpu|01:00:00|cpu=8,"
        "gres/gpu=2|n[1-2]|400000|\n",
        i, 1 + i % 9, 1 + i % 9);
  const RandomStream random(9, "mutations");
  for (std::uint64_t k = 0; k < 300; ++k) {
    std::string text = kHead + rows;
    for (std::uint64_t m = 0; m < 1 + k % 7; ++m) {
      const auto at = static_cast<std::size_t>(random.below(k * 64 + 2 * m, text.size()));
      text[at] = "|\n\"[]-:9 ="[random.below(k * 64 + 2 * m + 1, 10)];
    }
    Folder folder;
    folder.with("jobs", text);
    Evidence e = folder.read();
    const ActivityGraph graph = merge(e, "");
    expect_accounted(e, graph);
  }
}

}  // namespace
}  // namespace carnot::assess
