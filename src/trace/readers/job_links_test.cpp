// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/readers/job_links.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/trace/readers/workload.hpp"

namespace carnot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Link {
  std::uint32_t job, predecessor;
  DependencyKind kind;
  double delay_s;
  bool operator==(const Link&) const = default;
};
std::vector<Link> links(const Workload& w) {
  std::vector<Link> out;
  for (const JobDependency& d : w.links.dependencies)
    out.push_back({d.job, d.predecessor, d.kind, static_cast<double>(d.delay.nanoseconds()) / 1e9});
  return out;
}
std::string words(const std::string& text) {
  try {
    parse_workload(text, "t");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(JobLinks, FieldsOfTheStandardFormat) {
  const Workload w = parse_workload(
      "1 0 0 60 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 -1 -1\n"
      "2 5 0 60 1 -1 -1 1 -1 -1 0 1 1 1 1 -1 1 10\n"
      "3 9 0 60 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 77 10\n",
      "t.swf");
  EXPECT_THAT(links(w), ElementsAre(Link{1, 0, DependencyKind::AfterAny, 10.0}));
  EXPECT_TRUE(w.links.failing(1));
  EXPECT_FALSE(w.links.failing(0));
  EXPECT_THAT(w.provenance, HasSubstr("1 dependencies on jobs that are not in it count as met"));
}

TEST(JobLinks, ACycleIsRefusedByName) {
  EXPECT_THAT(words("arrival_s,runtime_s,nodes,id,dependency\n"
                    "0,60,1,a,afterok:b\n0,60,1,b,afterok:a\n"),
              HasSubstr("no job that waits for itself in the end: jobs 1 -> 2 -> 1"));
}

// A log cannot have gone round: the link that closes the circle goes, all others stay.
TEST(JobLinks, ALogThatGoesRoundLosesTheLinkThatClosesTheCircle) {
  const Workload w = parse_workload(
      "1 0 0 60 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 3 10\n"
      "2 0 0 60 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 1 3600\n"
      "3 0 0 60 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 2 20\n"
      "4 0 0 60 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 4 20\n"
      "5 0 0 60 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 2 30\n",
      "t.swf");
  EXPECT_THAT(links(w), ElementsAre(Link{0, 2, DependencyKind::AfterAny, 10.0},
                                    Link{1, 0, DependencyKind::AfterAny, 3600.0},
                                    Link{4, 1, DependencyKind::AfterAny, 30.0}));
  EXPECT_THAT(w.provenance, HasSubstr("2 waits that would go round in a circle are left out"));
}

TEST(JobLinks, SlurmTablesWithArraysAndDependencies) {
  const Workload w = parse_workload(
      "JobID|Submit|ElapsedRaw|NNodes|State|Dependency\n"
      "12_1|2024-01-01T00:00:00|60|1|COMPLETED|\n"
      "12_2|2024-01-01T00:00:00|60|1|TIMEOUT|\n"
      "12_[3-9%2]|2024-01-01T00:00:00|0|1|PENDING|\n"
      "13|2024-01-01T00:00:01|60|1|COMPLETED|afterok:12\n"
      "14_2|2024-01-01T00:00:02|60|1|COMPLETED|aftercorr:12,after:13+5\n"
      "15|2024-01-01T00:00:03|60|1|COMPLETED|afternotok:12_2(failed);singleton\n",
      "t");
  EXPECT_THAT(links(w), ElementsAre(Link{2, 0, DependencyKind::AfterOk, 0.0},
                                    Link{2, 1, DependencyKind::AfterOk, 0.0},
                                    Link{3, 1, DependencyKind::AfterOk, 0.0},
                                    Link{3, 2, DependencyKind::AfterStart, 300.0},
                                    Link{4, 1, DependencyKind::AfterNotOk, 0.0}));
  EXPECT_THAT(w.links.at_once, ElementsAre(2));
  EXPECT_TRUE(w.links.of_array(0) && w.links.of_array(1));
  EXPECT_FALSE(w.links.of_array(2) || w.links.of_array(3));
  EXPECT_THAT(w.provenance, HasSubstr("1 dependencies of other kinds"));
  // What waited for both tasks cannot run, the corresponding one neither; the one for the failure
  // can.
  EXPECT_THAT(never_run(w), ElementsAre(false, false, true, true, false));
  EXPECT_THAT(words("JobID|Submit|ElapsedRaw|NNodes|Dependency\n"
                    "1|2024-01-01T00:00:00|60|1|behind:7\n"),
              HasSubstr("t:2: Dependency: as --dependency takes it"));
}

TEST(JobLinks, SlurmJsonWithArraysAndDependencies) {
  const Workload w = parse_workload(
      R"x({"jobs": [
{"job_id": 8, "array": {"job_id": 7, "task_id": {"set": true, "number": 1},
   "limits": {"max": {"running": {"tasks": 3}}}}, "allocation_nodes": 1,
   "state": {"current": ["OUT_OF_MEMORY"]}, "time": {"submission": 1000, "elapsed": 60}},
{"job_id": 9, "dependency": "afterany:7_1(unfulfilled)", "allocation_nodes": 1,
   "state": {"current": ["COMPLETED"]}, "time": {"submission": 1001, "elapsed": 60}}]})x",
      "t");
  EXPECT_THAT(links(w), ElementsAre(Link{1, 0, DependencyKind::AfterAny, 0.0}));
  EXPECT_THAT(w.links.at_once, ElementsAre(3));
  EXPECT_TRUE(w.links.failing(0));
}

TEST(JobLinks, NamesOfAlibabasTasks) {
  const Workload w = parse_workload(
      "M1,1,j_1,1,Terminated,100,160,100,0.5\n"
      "task_Nzg3,1,j_1,1,Terminated,130,160,100,0.5\n"
      "R2_1,2,j_1,1,Terminated,170,200,100,0.5\n"
      "J3_1_2,1,j_1,1,Failed,210,260,100,0.5\n"
      "M1,1,j_2,1,Terminated,150,160,100,0.5\n"
      "R9_7_Stg1,1,j_2,1,Terminated,155,160,100,0.5\n",
      "t");
  ASSERT_EQ(w.size(), 6u);
  // All of j_1 arrive with it, but for the one whose name says nothing.
  EXPECT_EQ(w.jobs[2].arrival, Duration::seconds(100));
  EXPECT_EQ(w.jobs[3].arrival, Duration::seconds(130));
  EXPECT_THAT(links(w), ElementsAre(Link{1, 0, DependencyKind::AfterOk, 0.0},
                                    Link{2, 0, DependencyKind::AfterOk, 0.0},
                                    Link{2, 1, DependencyKind::AfterOk, 0.0}));
  EXPECT_TRUE(w.links.failing(2));
}

TEST(JobLinks, ColumnsOfTheOwnTable) {
  const Workload w = parse_workload(
      "arrival_s,runtime_s,nodes,id,dependency,array,at_once,outcome\n"
      "0,60,1,prepare,,,,ok\n"
      "0,60,1,a,afterok:prepare,sweep,2,failed\n"
      "0,60,1,b,afterok:prepare,sweep,,\n"
      "0,60,1,sum,afterany:sweep;after:prepare+1,,,\n",
      "t");
  EXPECT_THAT(links(w), ElementsAre(Link{1, 0, DependencyKind::AfterOk, 0.0},
                                    Link{2, 0, DependencyKind::AfterOk, 0.0},
                                    Link{3, 1, DependencyKind::AfterAny, 0.0},
                                    Link{3, 2, DependencyKind::AfterAny, 0.0},
                                    Link{3, 0, DependencyKind::AfterStart, 60.0}));
  EXPECT_THAT(w.links.array, ElementsAre(kNoArray, 0u, 0u, kNoArray));
  EXPECT_THAT(words("arrival_s,runtime_s,nodes,id,dependency\n0,1,1,a,soon:b\n"),
              HasSubstr("t:2: dependency: afterok:ID"));
  EXPECT_THAT(words("arrival_s,runtime_s,nodes,array,at_once\n0,1,1,a,0.5\n"),
              HasSubstr("t:2: at_once: a whole number of tasks"));
  EXPECT_THAT(words("arrival_s,runtime_s,nodes,outcome\n0,1,1,well\n"),
              HasSubstr("t:2: outcome: ok, failed or nothing"));
}

TEST(JobLinks, DeadlinesArePassedOnAndBeginsForward) {
  Workload w = parse_workload(
      "arrival_s,runtime_s,nodes,deadline_s,id,dependency\n"
      "0,60,1,,a,\n"
      "10,60,1,,b,afterok:a\n"
      "20,30,1,500,c,afterok:b;after:a+1\n",
      "t");
  const auto s = [](double x) { return Duration::from(x * second); };
  EXPECT_THAT(earliest_begins(w), ElementsAre(s(0), s(60), s(120)));
  EXPECT_EQ(pass_deadlines_on(w), 2u);
  EXPECT_EQ(w.jobs[1].arrival + w.jobs[1].allowed, s(470));
  EXPECT_EQ(w.jobs[0].arrival + w.jobs[0].allowed, s(410));
  EXPECT_EQ(pass_deadlines_on(w), 0u);
}

TEST(JobLinks, WhoIsKilledAtItsLimitFails) {
  WorkloadOptions options;
  options.kill_at_estimate = true;
  const Workload w = parse_workload(
      "arrival_s,runtime_s,nodes,estimate_s,id,dependency\n0,60,1,30,a,\n0,60,1,90,b,afterok:a\n",
      "t", options);
  EXPECT_TRUE(w.links.failing(0));
  EXPECT_FALSE(w.links.failing(1));
  EXPECT_THAT(never_run(w), ElementsAre(false, true));
}

}  // namespace
}  // namespace carnot
