// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "carnot/base/file.hpp"
#include "carnot/meter/power_model/power_model.hpp"

#include "base/testing_files.hpp"
#include "meter/testing/testing_clock.hpp"

namespace carnot::meter {
namespace {

namespace fs = std::filesystem;

HostFacts facts() {
  HostFacts host;
  host.tdp_w = 120;
  host.chips = 1;
  host.cores = 8;
  host.threads = 16;
  host.memory_gb = 32;
  host.year = 2018;
  host.vendor = "Intel";
  return host;
}

class ModelSource : public ::testing::Test {
 protected:
  ModelSource() {
    stat(1000, 9000);
    source_ = open_model(facts(), root_.string(), clock_);
  }

  /// In place: the source keeps the file open.
  void stat(long busy, long idle, const std::string& rest = "") {
    const auto quarter = std::to_string(busy / 4);
    const auto rest_of_busy = std::to_string(busy - 3 * (busy / 4));
    // user nice system idle iowait irq softirq steal guest guest_nice: waiting is idle, stolen time
    // is nobody's, a guest's is in user.
    const auto text = "cpu  " + quarter + " 0 " + quarter + " " + std::to_string(idle - idle / 3) +
                      " " + std::to_string(idle / 3) + " " + quarter + " " + rest_of_busy + " " +
                      std::to_string(7 * busy) + " 7 0\n" + rest;
    std::FILE* file = std::fopen((root_ / "stat").c_str(), "w");
    ASSERT_NE(file, nullptr);
    ASSERT_EQ(std::fwrite(text.data(), 1, text.size(), file), text.size());
    std::fclose(file);
  }
  /// A tick after the poll before.
  Reading poll() {
    Reading reading;
    clock_.pass(Duration::nanoseconds(10'500'000));
    source_->poll({&reading, 1});
    return reading;
  }

  testing::PacedClock clock_;
  const TemporaryFolder folder_;
  const fs::path root_ = folder_.path();
  std::unique_ptr<Source> source_;
};

TEST_F(ModelSource, IsOneModelledGaugeOfTheNode) {
  ASSERT_EQ(source_->domains().size(), 1U);
  const auto& domain = source_->domains()[0];
  EXPECT_EQ(domain.kind, DomainKind::Model);
  EXPECT_EQ(domain.origin, Origin::Modelled);
  EXPECT_EQ(domain.boundary, Boundary::Node);
  EXPECT_FALSE(domain.is_counter);
  EXPECT_GT(domain.gauge.power_cap, estimate_wall_power(facts(), 1.0).value());
}

TEST_F(ModelSource, AllowsForAnyUtilisationAtFirst) {
  stat(1004, 9000);  // whatever a tick's part would say
  Reading first;
  source_->poll({&first, 1});
  ASSERT_EQ(first.status, PollStatus::Ok);
  for (const double load : {0.0, 0.3, 1.0}) {
    const auto one = estimate_wall_power(facts(), load);
    EXPECT_LE(first.gain.low * first.power, (1 + 1e-12) * one.low());
    EXPECT_GE((1 + 1e-12) * first.gain.high * first.power, one.high());
  }
}

TEST_F(ModelSource, ShowsThePowerOfTheTimeSinceTheLastPoll) {
  poll();
  long busy = 1000, idle = 9000;
  for (const double load : {0.0, 0.25, 0.5, 1.0}) {
    busy += static_cast<long>(400 * load);
    idle += static_cast<long>(400 * (1 - load));
    stat(busy, idle, "cpu0 1 1 1 1 1 1 1\n");
    const auto reading = poll();
    const auto expected = estimate_wall_power(facts(), load);
    ASSERT_EQ(reading.status, PollStatus::Ok);
    EXPECT_NEAR(reading.power / expected.value(), 1, 1e-12);
    EXPECT_NEAR(reading.gain.low, expected.low() / expected.value(), 1e-12);
    EXPECT_NEAR(reading.gain.high, expected.high() / expected.value(), 1e-12);
  }
}

TEST_F(ModelSource, KnowsAUtilisationATickAfterItWasOpened) {
  stat(1300, 9100);  // three quarters, of the first poll
  EXPECT_NEAR(poll().power / estimate_wall_power(facts(), 0.75).value(), 1, 1e-12);
}

TEST_F(ModelSource, KnowsItsPowerAtRest) {
  const auto rest = source_->domains()[0].at_rest;
  const auto idle = estimate_wall_power(facts(), 0.0);
  ASSERT_TRUE(rest);
  EXPECT_NEAR(rest->value / idle.value(), 1, 1e-12);
  EXPECT_NEAR(rest->low / idle.low(), 1, 1e-12);
  EXPECT_NEAR(rest->high / idle.high(), 1, 1e-12);
}

TEST_F(ModelSource, RepeatsItselfBetweenTicks) {
  const auto first = poll();
  stat(1400, 9000);
  Reading sooner;
  clock_.pass(Duration::nanoseconds(9'000'000));
  source_->poll({&sooner, 1});
  EXPECT_EQ(sooner.power, first.power) << "less than a tick tells of no utilisation";
  stat(1000, 9000);
  EXPECT_EQ(poll().power, first.power);
  stat(1100, 9100);
  const auto once = poll();
  const auto again = poll();
  EXPECT_EQ(again.status, PollStatus::Ok);
  EXPECT_EQ(again.power, once.power);
  EXPECT_EQ(again.at.monotonic_ns, once.at.monotonic_ns + 10'500'000);
}

TEST_F(ModelSource, TicksThatGoBackAreABeginning) {
  const auto first = poll();
  stat(500, 100);
  EXPECT_EQ(poll().power, first.power);
  stat(600, 100);
  EXPECT_NEAR(poll().power / estimate_wall_power(facts(), 1.0).value(), 1, 1e-12);
}

TEST_F(ModelSource, UnreadableIsBroken) {
  EXPECT_EQ(open_model(facts(), "/nonexistent")->domains().size(), 1U);
  Reading reading;
  open_model(facts(), "/nonexistent")->poll({&reading, 1});
  EXPECT_EQ(reading.status, PollStatus::Broken);
  EXPECT_NE(reading.error, 0);
  std::FILE* file = std::fopen((root_ / "stat").c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs("intr 1 2 3\n", file);
  std::fclose(file);
  EXPECT_EQ(poll().status, PollStatus::Broken);
}

}  // namespace
}  // namespace carnot::meter
