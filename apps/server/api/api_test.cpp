// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"

#include "base/testing_files.hpp"
#include "jobs.hpp"
#include "library.hpp"
#include "plan_change.hpp"
#include "what_if.hpp"

namespace carnot::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Library, OpensNothingButWhatItFound) {
  const TemporaryFolder folder;
  const std::string root = folder.write("a.journal", "carnot-journal/1...");
  const std::string dir = std::filesystem::path(root).parent_path().string();
  folder.write("notes.txt", "carnot");
  folder.write("plan.json", R"({"schema": "carnot.plan/1"})");
  std::filesystem::create_symlink(root, dir + "/link.journal");
  std::filesystem::create_directories(dir + "/.hidden");
  std::filesystem::copy_file(root, dir + "/.hidden/b.journal");
  Library library({dir});
  const auto journals = library.files(FileKind::Journal);
  ASSERT_EQ(journals.size(), 1U);
  EXPECT_EQ(journals[0].name, "a.journal");
  EXPECT_TRUE(library.find(journals[0].id, FileKind::Journal).has_value());
  EXPECT_FALSE(library.find(journals[0].id, FileKind::Plan).has_value()) << "an id has one kind";
  for (const char* id : {"", "a.journal", "../a.journal", "0000000000000000"})
    EXPECT_FALSE(library.find(id, FileKind::Journal).has_value()) << id;
  EXPECT_EQ(library.files(FileKind::Plan).size(), 1U);
  EXPECT_THROW(Library({dir + "/none"}), InputFileError);
}

TEST(WhatIf, WordsArePartedAsAShellDoes) {
  EXPECT_THAT(split_words(R"(--jobs 'a b.csv' --x="c d" e\ f '')"),
              ElementsAre("--jobs", "a b.csv", "--x=c d", "e f", ""));
  EXPECT_THAT(split_words("  \t\n"), IsEmpty());
  EXPECT_THROW(split_words("'open"), InputError);
}

RC_GTEST_PROP(WhatIf, QuotedWordsComeBackWhole, (const std::vector<std::string>& words)) {
  std::string text;
  for (const std::string& word : words) {
    text += " '";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    text += "'";
  }
  RC_ASSERT(split_words(text) == words);
}

TEST(PlanChange, ChangesWhatItNamesAndKeepsTheRest) {
  const plan::Problem base = plan::generate_problem({20, 2, 24, 2, 7, 0.6, ""});
  plan::Problem same = base;
  change_problem(same, {});
  EXPECT_EQ(same.sites[0].free_kw, base.sites[0].free_kw);
  EXPECT_EQ(same.carbon_price_eur_per_t, base.carbon_price_eur_per_t);
  plan::Problem changed = base;
  change_problem(
      changed,
      {{"wind", 0.5}, {"carbon_price_eur_per_t", 123}, {"overhead", 2}, {"deadline_slots", 3}});
  EXPECT_EQ(changed.carbon_price_eur_per_t, 123);
  for (std::size_t s = 0; s < base.sites.size(); ++s)
    for (std::size_t t = 0; t < 24; ++t) {
      EXPECT_DOUBLE_EQ(changed.sites[s].free_kw[t], 0.5 * base.sites[s].free_kw[t]);
      EXPECT_NEAR(changed.sites[s].pue[t] - 1, 2 * (base.sites[s].pue[t] - 1), 1e-12);
      EXPECT_EQ(changed.sites[s].grid_limit_kw[t], base.sites[s].grid_limit_kw[t]);
    }
  ASSERT_EQ(changed.jobs.size(), base.jobs.size());
  for (std::size_t j = 0; j < base.jobs.size(); ++j) {
    EXPECT_EQ(changed.jobs.id(j), base.jobs.id(j));
    EXPECT_EQ(changed.jobs.deadline(j), std::min(24, base.jobs.deadline(j) + 3));
    EXPECT_EQ(changed.jobs.release(j), base.jobs.release(j));
    for (std::uint32_t s = 0; s < 2; ++s)
      EXPECT_EQ(changed.jobs.move_eur(j, s), base.jobs.move_eur(j, s));
  }
  // However early: the work still fits.
  change_problem(changed, {{"deadline_slots", -168}});
  for (std::size_t j = 0; j < base.jobs.size(); ++j)
    for (std::size_t m = changed.jobs.mode_begin(j); m < changed.jobs.mode_end(j); ++m)
      EXPECT_GE(changed.jobs.deadline(j) - changed.jobs.release(j), changed.jobs.mode(m).slots);
}

/// Until it is neither waiting nor at work.
JobView finished(const JobRunner& jobs, const std::string& id) {
  while (true) {
    const auto view = jobs.view(id);
    if (view && view->state != JobState::Waiting && view->state != JobState::Running) return *view;
    std::this_thread::yield();
  }
}

JobRequest shell(const std::string& script, int seconds = 0) {
  return {"test", {"-c", script}, "", "", "", seconds};
}

TEST(Jobs, GiveWhatTheyPrintAndSayWhatWentWrong) {
  JobRunner jobs("/bin/sh", {});
  const std::string good = jobs.add(shell("echo 7")), bad = jobs.add(shell("echo no >&2; exit 3"));
  EXPECT_EQ(finished(jobs, good).state, JobState::Done);
  EXPECT_EQ(jobs.result(good), "7\n");
  const JobView failed = finished(jobs, bad);
  EXPECT_EQ(failed.state, JobState::Failed);
  EXPECT_EQ(failed.error, "no");
  EXPECT_FALSE(jobs.result(bad).has_value());
  EXPECT_FALSE(jobs.view("1").has_value());
  EXPECT_FALSE(jobs.cancel("1"));
}

TEST(Jobs, AreBoundedInTimeMemoryAndNumber) {
  JobLimits limits;
  limits.waiting = 2;
  limits.memory_b = 64 << 20;
  limits.written_b = 1 << 20;
  JobRunner jobs("/bin/sh", limits);
  EXPECT_EQ(finished(jobs, jobs.add(shell("head -c 2000000 /dev/zero"))).state, JobState::Failed);
  EXPECT_EQ(finished(jobs, jobs.add(shell("exec tail -c 400000000 /dev/zero"))).state,
            JobState::Failed);
  EXPECT_THAT(finished(jobs, jobs.add(shell("while :; do :; done", 1))).error, HasSubstr("1 s"));
  const std::string first = jobs.add(shell("while :; do :; done"));
  while (jobs.view(first)->state != JobState::Running) std::this_thread::yield();
  const std::string second = jobs.add(shell("echo")), third = jobs.add(shell("echo"));
  EXPECT_EQ(jobs.add(shell("echo")), "") << "too many";
  EXPECT_EQ(jobs.view(third)->before, 2U);
  EXPECT_TRUE(jobs.cancel(second));
  EXPECT_TRUE(jobs.cancel(first));
  EXPECT_EQ(finished(jobs, first).state, JobState::Cancelled);
  EXPECT_EQ(finished(jobs, third).state, JobState::Done);
  EXPECT_EQ(finished(jobs, second).state, JobState::Cancelled);
  EXPECT_FALSE(jobs.result(second).has_value());
}

TEST(Jobs, LeaveNothingBehind) {
  std::string folder;
  {
    JobRunner jobs("/bin/sh", {});
    const std::string id = jobs.add(shell("trap '' TERM; while :; do :; done"));
    while (jobs.view(id)->state != JobState::Running) std::this_thread::yield();
    folder = jobs.view(id)->folder;
    EXPECT_TRUE(std::filesystem::exists(folder));
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(folder).parent_path()));
}

}  // namespace
}  // namespace carnot::app
