// SPDX-License-Identifier: Apache-2.0
// A world of plain tables that records what it is told: what a policy can see and command.
#include "carnot/control/policy.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/control/registry.hpp"

namespace carnot::control {
namespace {

static_assert(std::is_trivially_copyable_v<SiteIndex> && sizeof(SiteIndex) == 4);
static_assert(!std::is_convertible_v<SiteIndex, JobIndex> &&
              !std::is_constructible_v<JobIndex, SiteIndex>);
static_assert(SiteIndex::none() != SiteIndex(0) && JobIndex::none() == JobIndex::none());
static_assert(!std::is_base_of_v<Future, View> && !std::is_base_of_v<Lengths, View>);

/// Two sites and three jobs, of which two have arrived; signals fall step by step.
class Tables final : public View, public Commands {
 public:
  Tables() {
    requests_.resize(3);
    statuses_.resize(3);
    for (JobIndex j = 0; j < 3; ++j) {
      requests_[j].arrival = Duration::seconds(60 * std::int64_t{j});
      requests_[j].estimate = Duration::seconds(3600);
      requests_[j].allowed = kNoDeadline;
      requests_[j].origin = 1;
      statuses_[j].phase = JobPhase::Waiting;
    }
    states_.resize(2);
    for (SiteState& site : states_) site.nodes = site.nodes_up = site.nodes_free = 4;
    begin_ = now_ = Instant::from_unix_seconds(7200);
    sites_ = states_;
    arrived_ = std::span(requests_).first(2);
    status_ = statuses_;
    mode_sets_ = modes_;
  }
  void submit(JobIndex job, SiteIndex site, std::uint8_t) override {
    submitted.emplace_back(job, site);
  }
  void plan(JobIndex job, std::span<const PlannedRun> runs) override {
    planned.emplace_back(job, std::vector(runs.begin(), runs.end()));
  }
  JobIndex first_waiting() const override { return 0; }
  JobIndex next_waiting(JobIndex job) const override {
    return job == 0 ? JobIndex(1) : JobIndex::none();
  }
  JobIndex first_running(SiteIndex) const override { return JobIndex::none(); }
  JobIndex next_running(JobIndex) const override { return JobIndex::none(); }

  std::vector<std::pair<JobIndex, SiteIndex>> submitted;
  std::vector<std::pair<JobIndex, std::vector<PlannedRun>>> planned;

 private:
  Energy battery_now(SiteIndex) const override { return {}; }
  ForecastView forecast_of(SiteIndex, Signal) const override {
    return {begin_, Duration::seconds(3600), falling_, {}, {}};
  }
  Power node_power_of(JobIndex, SiteIndex, std::uint8_t) const override { return 1.0 * watt; }
  Duration done_of(JobIndex) const override { return {}; }
  Instant expected_end_of(JobIndex) const override { return now_; }

  std::vector<JobRequest> requests_;
  std::vector<JobStatus> statuses_;
  std::vector<SiteState> states_;
  std::vector<std::vector<JobMode>> modes_{{JobMode{}}};
  std::vector<double> falling_{5.0, 4.0, 3.0, 2.0};
};

TEST(View, ShowsNoJobThatHasNotArrived) {
  const Tables tables;
  const View& view = tables;
  EXPECT_EQ(view.jobs(), 2U);
  EXPECT_EQ(view.request(1).origin, 1U);
  for (const JobIndex job : {JobIndex(2), JobIndex(3), JobIndex::none()}) {
    EXPECT_THROW(view.request(job), InternalError);
    EXPECT_THROW(view.status(job), InternalError);
    EXPECT_THROW(view.arrival(job), InternalError);
    EXPECT_THROW(view.modes(job), InternalError);
    EXPECT_THROW(view.nodes(job, 0), InternalError);
    EXPECT_THROW(view.node_power(job, 0, 0), InternalError);
    EXPECT_THROW(view.done(job), InternalError);
    EXPECT_THROW(view.expected_end(job), InternalError);
    EXPECT_THROW(view.learning(job), InternalError);
  }
  EXPECT_THROW(view.battery(2), InternalError);
  EXPECT_THROW(view.forecast(SiteIndex::none(), Signal::Price), InternalError);
}

TEST(Commands, AWorldRefusesWhatItCannotDo) {
  Tables tables;
  Commands& commands = tables;
  EXPECT_THROW(commands.follow(0, {}), InternalError);
  EXPECT_THROW(commands.start(0, 0), InternalError);
  EXPECT_THROW(commands.suspend(0), InternalError);
  EXPECT_THROW(commands.resize(0, 0), InternalError);
  EXPECT_THROW(commands.drop(0), InternalError);
  EXPECT_THROW(commands.wake_at({}), InternalError);
  EXPECT_THROW(commands.command_battery(0, BatteryCommand::Auto), InternalError);
}

TEST(Policy, AnswersWithCommands) {
  Tables tables;
  make_policy("no-wait", FleetPolicyOptions{})->arrived({tables, tables}, 1);
  ASSERT_EQ(tables.submitted.size(), 1U);
  EXPECT_EQ(tables.submitted[0].first, 1);
  EXPECT_EQ(tables.submitted[0].second, 1);  // where it was sent to
  // An hour's run where the signal falls for four hours and then stays: at three, by plain sums.
  make_policy("lowest-window", FleetPolicyOptions{})->arrived({tables, tables}, 0);
  ASSERT_EQ(tables.planned.size(), 1U);
  EXPECT_EQ(tables.planned[0].first, 0);
  ASSERT_EQ(tables.planned[0].second.size(), 1U);
  EXPECT_EQ(tables.planned[0].second[0].from, tables.begin() + Duration::seconds(3 * 3600));
  EXPECT_EQ(tables.planned[0].second[0].to, tables.begin() + Duration::seconds(4 * 3600));
}

TEST(ForecastView, IntegralsWithAndWithoutSumsAreOne) {
  const std::vector<double> mean{1.0, 5.0, 2.0}, sum{0.0, 60.0, 360.0, 480.0};
  const Instant start = Instant::from_unix_seconds(600);
  const Duration minute = Duration::seconds(60);
  const ForecastView plain{start, minute, mean, {}, {}}, quick{start, minute, mean, {}, sum};
  const auto oracle = [&](int from, int to) {  // second by second
    double total = 0;
    for (int t = from; t < to; ++t)
      total += mean[static_cast<std::size_t>(std::clamp(t / 60, 0, 2))];
    return total;
  };
  for (int from = 0; from <= 240; from += 7)
    for (int to = from; to <= 240; to += 11) {
      const Instant a = start + Duration::seconds(from), b = start + Duration::seconds(to);
      EXPECT_NEAR(plain.integral(a, b), oracle(from, to), 1e-9);
      EXPECT_NEAR(quick.integral(a, b), oracle(from, to), 1e-9);
    }
  EXPECT_EQ(plain.at(start - minute), 1.0);
  EXPECT_EQ(plain.at(start + minute), 5.0);
  EXPECT_EQ(plain.at(start + minute * 9), 2.0);
}

}  // namespace
}  // namespace carnot::control
