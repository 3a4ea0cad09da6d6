// SPDX-License-Identifier: Apache-2.0
// What clusters and their simulators write, in the shapes that their publishers document.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/trace/readers/workload.hpp"

#include "trace/readers/workload_rows.hpp"

namespace carnot::inline trace {
namespace {

using ::testing::HasSubstr;

Duration seconds(double s) { return Duration::from(s * second); }

std::string refused(const std::string& text, const WorkloadOptions& options = {}) {
  try {
    parse_workload(text, "t", options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(SlurmSpan, AsTheManualWritesThem) {
  EXPECT_EQ(slurm_span("00:30"), 30.0);
  EXPECT_EQ(slurm_span("01:02:03"), 3723.0);
  EXPECT_EQ(slurm_span("2-01:02:03"), 176523.0);
  EXPECT_EQ(slurm_span("1-12"), 129600.0);
  EXPECT_EQ(slurm_span("00:30.250"), 30.25);
  for (const char* word : {"UNLIMITED", "Partition_Limit", "", "1:2:3:4", "x-1", "-1:00"})
    EXPECT_EQ(slurm_span(word), std::nullopt) << word;
}

TEST(Sacct, JobsOnceStepsNeverRunsOfRequeuedJobsEach) {
  const Workload w = parse_workload(
      "JobID|JobName|Submit|Start|End|Elapsed|NNodes|NCPUS|Timelimit|State|ConsumedEnergyRaw|\n"
      "7|a|2024-03-01T10:00:00|2024-03-01T10:05:00|2024-03-01T11:05:00|01:00:00|2|16|02:00:00|"
      "COMPLETED|1440000|\n"
      "7.batch|batch||2024-03-01T10:05:00|2024-03-01T11:05:00|01:00:00|1|8||COMPLETED|700000|\n"
      "7.0|step||2024-03-01T10:05:00|2024-03-01T11:05:00|01:00:00|2|16||COMPLETED|1300000|\n"
      "8_3|array|2024-03-01T09:00:00|2024-03-01T10:00:00|2024-03-02T11:00:00|1-01:00:00|1|8|"
      "UNLIMITED|TIMEOUT|18446744073709551614|\n"
      "9|r|2024-03-01T12:00:00|2024-03-01T12:00:00|2024-03-01T12:10:00|00:10:00|1|8|01:00:00|"
      "NODE_FAIL|0|\n"
      "9|r|2024-03-01T12:10:05|2024-03-01T12:20:00|2024-03-01T12:50:00|00:30:00|1|8|01:00:00|"
      "COMPLETED|0|\n"
      "10|w|2024-03-01T12:00:00|Unknown|Unknown|00:00:00|1|1|01:00:00|PENDING||\n"
      "11|now|2024-03-01T12:00:00|2024-03-01T12:01:00|Unknown|00:20:00|1|1|01:00:00|RUNNING||\n"
      "12|c|2024-03-01T12:00:00|None|2024-03-01T12:01:00|00:00:00||||CANCELLED by 1000||\n",
      "t");
  ASSERT_EQ(w.size(), 4u);
  EXPECT_EQ(w.start->iso8601(), "2024-03-01T09:00:00Z");
  EXPECT_EQ(w.length[0], seconds(90000));
  EXPECT_EQ(w.jobs[0].estimate, seconds(90000)) << "no limit: the length itself";
  EXPECT_EQ(w.jobs[0].power_mw, -1) << "2^64 - 2 joules are none";
  EXPECT_EQ(w.jobs[1].arrival, seconds(3600));
  EXPECT_EQ(w.jobs[1].nodes, 2);
  EXPECT_EQ(w.jobs[1].estimate, seconds(7200));
  EXPECT_EQ(w.jobs[1].power_mw, 200'000) << "1.44 MJ in an hour on two nodes";
  EXPECT_EQ(w.jobs[3].arrival, seconds(3 * 3600 + 605));
  for (const char* said : {"2 steps", "1 still running", "1 further runs", "UTC",
                           "2 without length or nodes left out"})
    EXPECT_THAT(w.provenance, HasSubstr(said));
}

TEST(Sacct, ZoneProcessorsAndBadRows) {
  WorkloadOptions options;
  options.zone = "+02:00";
  options.cores_per_node = 8;
  const std::string text =
      "JobIDRaw,Submit,ElapsedRaw,AllocCPUS,TimelimitRaw\n"
      "1,2024-03-01T10:00:00,60,12,90\n";
  const Workload w = parse_workload(text, "t", options);
  EXPECT_EQ(w.start->iso8601(), "2024-03-01T08:00:00Z");
  EXPECT_EQ(w.jobs[0].nodes, 2);
  EXPECT_EQ(w.jobs[0].estimate, seconds(5400));
  const std::string bad = refused(
      "JobID|Submit|Elapsed|NNodes\n1|yesterday|00:10|1\n2|2024-03-01T10:00:00|ten|1\n"
      "3|2024-03-01T10:00:00|00:10|-1\n4|2024-03-01T10:00:00|00:10\n");
  for (const char* words : {"t:2: Submit:", "t:3: Elapsed: [[days-]hours:]minutes:seconds",
                            "t:4: NNodes: a number >= 0", "t:5: 4 cells"})
    EXPECT_THAT(bad, HasSubstr(words));
}

TEST(SacctJson, OfTwoVersions) {
  const Workload w = parse_workload(
      R"({"meta": {}, "jobs": [
        {"job_id": 1, "allocation_nodes": 4, "state": {"current": "COMPLETED"},
         "time": {"submission": 1700000000, "elapsed": 120, "limit": 10}},
        {"job_id": 2, "allocation_nodes": 1, "state": {"current": ["TIMEOUT"]},
         "time": {"submission": 1700000060, "elapsed": 60,
                  "limit": {"set": true, "infinite": false, "number": 1}}},
        {"job_id": 3, "allocation_nodes": 1, "state": {"current": "RUNNING"},
         "time": {"submission": 1700000060, "elapsed": 60}}]})",
      "t");
  ASSERT_EQ(w.size(), 2u);
  EXPECT_EQ(w.jobs[0].nodes, 4);
  EXPECT_EQ(w.jobs[1].arrival, seconds(60));
  EXPECT_EQ(w.jobs[1].estimate, seconds(60));
  EXPECT_THAT(w.provenance, HasSubstr("1 still running"));
}

TEST(Batsim, DelaysSequencesAndWalltimes) {
  const Workload w = parse_workload(
      R"({"nb_res": 4, "jobs": [
        {"id": "w!1", "subtime": 10, "walltime": 100, "res": 4, "profile": "d"},
        {"id": 2, "subtime": 0.5, "walltime": 12, "res": 1, "profile": "d"},
        {"id": 3, "subtime": 20, "res": 2, "profile": "s"},
        {"id": 4, "subtime": 20, "res": 2, "profile": "p"},
        {"id": 5, "subtime": 20, "res": 2, "profile": "none"}],
       "profiles": {"d": {"type": "delay", "delay": 20.5},
                    "s": {"type": "composed", "repeat": 3, "seq": ["d", "d"]},
                    "p": {"type": "parallel_homogeneous", "cpu": 1e9, "com": 0}}})",
      "t");
  ASSERT_EQ(w.size(), 3u);
  EXPECT_EQ(w.length[0], seconds(12)) << "ended at its walltime";
  EXPECT_EQ(w.length[1], seconds(20.5));
  EXPECT_EQ(w.jobs[1].estimate, seconds(100));
  EXPECT_EQ(w.length[2], seconds(123));
  EXPECT_THAT(w.provenance, HasSubstr("1 ended at their walltime"));
  EXPECT_THAT(w.provenance, HasSubstr("`parallel_homogeneous`, whose length needs a platform"));
  EXPECT_THAT(refused(R"({"jobs": [{"subtime": -1, "res": 0, "profile": "d"}],
                          "profiles": {"d": {"type": "delay", "delay": 1}}})"),
              HasSubstr("t:1: subtime:"));
}

TEST(PhillyLog, AttemptsSum) {
  const Workload w = parse_workload(
      R"([{"status": "Pass", "vc": "v", "jobid": "application_1", "user": "u",
           "submitted_time": "2017-10-09 07:01:55",
           "attempts": [{"start_time": "2017-10-09 07:02:00", "end_time": "2017-10-09 07:12:00",
                         "detail": [{"ip": "m1", "gpus": ["gpu0", "gpu1"]},
                                    {"ip": "m2", "gpus": ["gpu0"]}]},
                        {"start_time": "2017-10-09 08:00:00", "end_time": "2017-10-09 08:00:30",
                         "detail": [{"ip": "m1", "gpus": ["gpu0", "gpu1"]}]}]},
          {"status": "Killed", "jobid": "application_2", "submitted_time": "2017-10-09 07:00:00",
           "attempts": []},
          {"status": "Killed", "jobid": "application_3", "submitted_time": "None",
           "attempts": [{"start_time": "2017-10-09 07:00:00", "end_time": null, "detail": []}]}])",
      "t");
  ASSERT_EQ(w.size(), 1u);
  EXPECT_EQ(w.length[0], seconds(630));
  EXPECT_EQ(w.jobs[0].nodes, 3);
  EXPECT_EQ(w.start->iso8601(), "2017-10-09T07:01:55Z");
  EXPECT_THAT(w.provenance, HasSubstr("2 without length or nodes left out"));
  EXPECT_THAT(w.provenance, HasSubstr("1 jobs of several attempts"));
}

TEST(Helios, ByItsColumns) {
  const Workload w = parse_workload(
      "job_id,user,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
      "1,u,16,64,2,COMPLETED,2020-04-01 00:00:10,2020-04-01 00:00:20,2020-04-01 01:00:20,3600,10\n"
      "2,u,0,1,0,CANCELLED,2020-04-01 00:00:30,None,2020-04-01 00:01:00,0,30\n",
      "t");
  ASSERT_EQ(w.size(), 1u);
  EXPECT_EQ(w.jobs[0].nodes, 2);
  EXPECT_EQ(w.length[0], seconds(3600));
}

TEST(Alibaba, OfThreeYears) {
  const std::string batch =
      "M1,3,j_1,1,Terminated,86400,86460,100,0.5\n"
      "R2_1,1,j_1,1,Terminated,86460,86500,100,0.5\n"
      "task_x,1,j_2,1,Waiting,0,0,100,0.5\n";
  const Workload w = parse_workload(batch, "t");
  ASSERT_EQ(w.size(), 2u);
  EXPECT_EQ(w.jobs[0].nodes, 3);
  EXPECT_EQ(w.length[1], seconds(40));
  const std::string pai = "0a1,worker,2.0,Terminated,1000.0,4600.0,600.0,29.3,100.0,T4\n";
  EXPECT_EQ(parse_workload(pai, "t").length[0], seconds(3600));
  const std::string headed =
      "job_name,task_name,inst_num,status,start_time,end_time,plan_cpu,plan_mem,plan_gpu,gpu_"
      "type\n";
  EXPECT_EQ(parse_workload(headed + pai, "t").jobs[0].nodes, 2);
  const Workload pods = parse_workload(
      "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,"
      "deletion_time,scheduled_time\n"
      "openb-pod-0000,12000,16384,1,1000,,LS,Running,0,12537496,0\n"
      "openb-pod-0001,6000,12288,8,460,,LS,Succeeded,100,400,200\n"
      "openb-pod-0002,6000,12288,0,0,,BE,Pending,100,,\n",
      "t");
  ASSERT_EQ(pods.size(), 2u);
  EXPECT_EQ(pods.length[1], seconds(200));
  EXPECT_EQ(pods.jobs[1].nodes, 8);
}

TEST(TimeLimit, EndsJobsWhereThatIsAsked) {
  WorkloadOptions options;
  options.kill_at_estimate = true;
  const std::string text = "arrival_s,runtime_s,nodes,estimate_s\n0,100,1,60\n0,50,1,60\n0,9,1,\n";
  const Workload w = parse_workload(text, "t", options);
  EXPECT_EQ(w.length[0], seconds(60));
  EXPECT_EQ(w.length[1], seconds(50));
  EXPECT_THAT(w.provenance, HasSubstr("1 ended at their time limit"));
  EXPECT_EQ(parse_workload(text, "t").length[0], seconds(100));
}

TEST(WorkloadJson, WhatItIsNotIsSaid) {
  EXPECT_THAT(refused("{\"jobs\": 5}"), HasSubstr("a Batsim workload"));
  EXPECT_THAT(refused("[1, 2]"), HasSubstr("a Batsim workload"));
  EXPECT_THAT(refused("{\n\n\"jobs\": [}"), HasSubstr("t:3: JSON"));
  EXPECT_THAT(refused("[]"), HasSubstr("at least one job"));
}

RC_GTEST_PROP(WorkloadReaders, MutationsEndInJobsOrAnError, ()) {
  const std::vector<std::string> seeds = {
      "JobID|Submit|Elapsed|NNodes\n1|2024-03-01T10:00:00|00:10|1\n",
      R"({"jobs":[{"subtime":1,"res":1,"profile":"d"}],"profiles":{"d":{"type":"delay","delay":1}}})",
      R"([{"submitted_time":"2017-10-09 07:01:55","attempts":[{"start_time":"2017-10-09 07:01:55","end_time":"2017-10-09 07:02:55","detail":[{"gpus":["a"]}]}]}])",
      "M1,3,j_1,1,Terminated,86400,86460,100,0.5\n"};
  std::string text = seeds[*rc::gen::inRange<std::size_t>(0, seeds.size())];
  const auto edits = *rc::gen::inRange<int>(1, 6);
  for (int i = 0; i < edits; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    text[at] = *rc::gen::elementOf(std::string("\"{}[],:|-.0919eE\n xn"));
  }
  try {
    const Workload w = parse_workload(text, "t");
    for (std::size_t j = 0; j < w.size(); ++j) {
      RC_ASSERT(w.jobs[j].nodes >= 1);
      RC_ASSERT(w.length[j] > Duration{});
    }
  } catch (const InputError&) {
  }
}

}  // namespace
}  // namespace carnot::inline trace
