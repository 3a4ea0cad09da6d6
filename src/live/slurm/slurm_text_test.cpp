// SPDX-License-Identifier: Apache-2.0
#include "live/slurm/slurm_text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace carnot::live {
namespace {

// As slurm-wlm 22.05.8 printed them.
const std::string kSqueue =
    "1\x1f"
    "1\x1fPENDING\x1f"
    "1\x1f"
    "BeginTime\x1f"
    "2026-11-30T17:33:20\x1f"
    "2026-11-30T16:49:44\x1f"
    "0\x1f"
    "1\x1f"
    "1\x1fUNLIMITED\x1froot\x1fmain\x1f\x1fN/A\x1f"
    "a|b"
    "\x1f"
    "carnot.x.1.0\x1e\n"
    "4\x1f"
    "4\x1fPENDING\x1f"
    "1\x1fJobHeldUser\x1fN/A\x1f"
    "2026-11-30T16:50:04\x1f"
    "0\x1f"
    "1\x1f"
    "1\x1fUNLIMITED\x1froot\x1fmain\x1f\x1fN/A\x1fhello world\x1fna\nme|x\x1e\n"
    "2_1\x1f"
    "3\x1fRUNNING\x1f"
    "2\x1fNone\x1f"
    "2026-11-30T16:49:45\x1f"
    "2026-11-30T16:49:44\x1f"
    "0"
    "\x1f"
    "0\x1f"
    "1\x1f"
    "365-00:00:00\x1froot\x1fmain\x1f"
    "alpha[1-2]\x1fN/A\x1f(null)\x1fwrap\x1e\n";

TEST(SlurmText, ReadsWhatSqueuePrinted) {
  const SlurmJobs jobs = parse_jobs(kSqueue);
  ASSERT_EQ(jobs.jobs.size(), 3u);
  EXPECT_EQ(jobs.not_understood, 0u);
  const SlurmJob& first = jobs.jobs[0];
  EXPECT_EQ(first.id, "1");
  EXPECT_TRUE(first.pending());
  EXPECT_EQ(first.reason, "BeginTime");
  EXPECT_EQ(first.begins, Instant::parse("2026-11-30T17:33:20Z"));
  EXPECT_EQ(first.comment, "a|b");
  EXPECT_EQ(first.name, "carnot.x.1.0");
  EXPECT_FALSE(first.limit);
  EXPECT_EQ(jobs.jobs[1].name, "na\nme|x");
  EXPECT_FALSE(jobs.jobs[1].begins);
  const SlurmJob& element = jobs.jobs[2];
  EXPECT_EQ(element.id, "2_1");
  EXPECT_EQ(element.raw, "3");
  EXPECT_TRUE(element.running());
  EXPECT_FALSE(element.requeueable);
  EXPECT_EQ(element.nodes_text, "alpha[1-2]");
  EXPECT_EQ(element.limit, Duration::seconds(365 * 86400));
}

TEST(SlurmText, ARowThatDoesNotReadIsLeftOutAndCounted) {
  std::string text = kSqueue;
  text.replace(text.find("PENDING"), 7, "pending");
  const SlurmJobs jobs = parse_jobs(text);
  EXPECT_EQ(jobs.jobs.size(), 2u);
  EXPECT_EQ(jobs.not_understood, 1u);
}

RC_GTEST_PROP(SlurmText, NoMutationMakesARowOutOfNothing, ()) {
  std::string text = kSqueue;
  const int changes = *rc::gen::inRange(1, 8);
  for (int i = 0; i < changes && !text.empty(); ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        text[at] = *rc::gen::arbitrary<char>();
        break;
      case 1:
        text.erase(at, *rc::gen::inRange<std::size_t>(1, 40));
        break;
      default:
        text.insert(at, text.substr(at / 2, *rc::gen::inRange<std::size_t>(1, 40)));
    }
  }
  const SlurmJobs jobs = parse_jobs(text);
  for (const SlurmJob& job : jobs.jobs) {
    RC_ASSERT(!job.id.empty() && job.id.find_first_not_of("0123456789_") == std::string::npos);
    RC_ASSERT(job.nodes >= 0);
    RC_ASSERT(!job.user.empty());
  }
  parse_nodes(text);
  parse_controller_time(text);
  parse_submitted(text);
  parse_reservations(text);
  expand_nodes(text);
}

TEST(SlurmText, Submitted) {
  EXPECT_EQ(parse_submitted("35\n"), "35");
  EXPECT_EQ(parse_submitted("35;site1\n"), "35");
  EXPECT_FALSE(parse_submitted(""));
  EXPECT_FALSE(parse_submitted("sbatch: error: 35"));
}

TEST(SlurmText, ControllerTime) {
  const std::string text =
      "*******************************************************\n"
      "sdiag output at Mon Nov 30 16:49:45 2026 (1796057385)\n"
      "Data since      Mon Nov 30 16:49:44 2026 (1796057384)\n";
  EXPECT_EQ(parse_controller_time(text), Instant::from_unix_seconds(1796057385));
  EXPECT_FALSE(parse_controller_time("slurm_load_diag error"));
}

TEST(SlurmText, Nodes) {
  const SlurmNodes nodes = parse_nodes(
      "allocated$|alpha1\nallocated|alpha[2-3]\nidle|alpha4\ndown*|alpha[05-06]\nmaint|beta\n"
      "idle*|gone\ndrained|old\nidle|alpha2\n");
  EXPECT_EQ(nodes.busy, (std::set<std::string>{"alpha1", "alpha2", "alpha3"}));
  EXPECT_EQ(nodes.idle, (std::set<std::string>{"alpha4", "beta"}));
  EXPECT_EQ(nodes.down, (std::set<std::string>{"alpha05", "alpha06", "gone", "old"}));
}

TEST(SlurmText, ExpandsListsOfNodes) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(expand_nodes("a[1-3,07],b"), (Names{"a1", "a2", "a3", "a07", "b"}));
  EXPECT_EQ(expand_nodes("r1-n[08-10]x"), (Names{"r1-n08x", "r1-n09x", "r1-n10x"}));
  EXPECT_EQ(expand_nodes(""), Names{});
  EXPECT_FALSE(expand_nodes("a[1-"));
  EXPECT_FALSE(expand_nodes("a[3-1]"));
  EXPECT_FALSE(expand_nodes("a[0-999999999]"));
}

TEST(SlurmText, TimesAndLimits) {
  const Instant at = Instant::parse("2026-03-29T01:30:00Z");
  EXPECT_EQ(slurm_time(at), "2026-03-29T01:30:00");
  EXPECT_EQ(slurm_time(at + Duration::nanoseconds(1)), "2026-03-29T01:30:01");
  EXPECT_EQ(parse_slurm_time(slurm_time(at)), at);
  EXPECT_FALSE(parse_slurm_time("N/A"));
  EXPECT_FALSE(parse_slurm_time("2026-13-01T00:00:00"));
  EXPECT_EQ(parse_limit("1-02:03:04"), Duration::seconds(86400 + 2 * 3600 + 3 * 60 + 4));
  EXPECT_EQ(parse_limit("10:00"), Duration::seconds(600));
  EXPECT_EQ(parse_limit("5"), Duration::seconds(300));
  EXPECT_FALSE(parse_limit("UNLIMITED"));
}

TEST(SlurmText, Reservations) {
  EXPECT_EQ(parse_reservations("ReservationName=carnot_a StartTime=x\nReservationName=b \n"),
            (std::vector<std::string>{"carnot_a", "b"}));
  EXPECT_TRUE(parse_reservations("No reservations in the system\n").empty());
}

}  // namespace
}  // namespace carnot::live
