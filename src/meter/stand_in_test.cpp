// SPDX-License-Identifier: Apache-2.0
// A sensor that says nothing displaces no model, each moment is counted once, and the range holds
// the truth. Clocks are simulated; the truth is kept by the test.
#include <cerrno>
#include <memory>

#include <gtest/gtest.h>

#include "carnot/meter/meter.hpp"

#include "meter/testing/testing.hpp"

namespace carnot::meter {
namespace {

using testing::counter_domain;
using testing::FakeSource;
using testing::gauge_domain;

/// Sensors and a model that says 90 W with -30 % to +40 %, whatever the truth.
class StandIn : public ::testing::Test {
 protected:
  StandIn() : fake_(std::make_unique<FakeSource>()), source_(fake_.get()) {
    Domain model = gauge_domain("model/node", DomainKind::Model);
    model.boundary = Boundary::Node;
    model.origin = Origin::Modelled;
    model.gauge.gain = {0.7, 1.4};
    model_ = fake_->add(model, 90.0 * watt);
  }
  std::size_t add(const Domain& domain, Power power) { return fake_->add(domain, power, 1000); }
  void open() {
    std::vector<std::unique_ptr<Source>> sources;
    sources.push_back(std::move(fake_));
    meter_ = std::make_unique<Meter>(Meter::over(std::move(sources), {}));
    first_ = meter_->sample();
  }
  /// Looks every `step` until `length` has passed.
  void pass(double length, double step = 0.05) {
    for (double t = 0; t < length - 1e-9; t += step) {
      source_->pass(Duration::from(step * second));
      last_ = meter_->sample();
    }
  }
  Estimate<Energy> total() const { return meter_->energy(first_, last_).total; }
  void expect_within(double joules) const {
    EXPECT_LE(total().low().in(joule), joules * (1 + 1e-9)) << total().value().in(joule);
    EXPECT_GE(total().high().in(joule), joules * (1 - 1e-9)) << total().value().in(joule);
  }

  std::unique_ptr<FakeSource> fake_;
  FakeSource* source_;
  std::size_t model_ = 0;
  std::unique_ptr<Meter> meter_;
  Snapshot first_, last_;
};

TEST_F(StandIn, ACounterThatNeverMovesIsNotZero) {
  add(counter_domain("powercap/p", DomainKind::Package, 0), Power{});
  open();
  pass(2.0);
  EXPECT_NEAR(total().value().in(joule), 180.0, 1.0);
  EXPECT_EQ(total().origin(), Origin::Modelled);
  EXPECT_EQ(total().boundary(), Boundary::Node);
  expect_within(200.0);
  EXPECT_LT(total().high().in(joule), 300.0);  // the silent counter's own cap plays no part
}

TEST_F(StandIn, ACounterThatMovesCountsAlone) {
  add(counter_domain("powercap/p", DomainKind::Package, 0), 100.0 * watt);
  open();
  pass(2.0);
  EXPECT_NEAR(total().value().in(joule), 200.0, 0.2);
  EXPECT_EQ(total().origin(), Origin::Measured);
  EXPECT_EQ(total().boundary(), Boundary::Chip);
}

TEST_F(StandIn, ACounterThatFallsMuteIsReplacedAndGoesOnLater) {
  const std::size_t package =
      add(counter_domain("powercap/p", DomainKind::Package, 0), 100.0 * watt);
  open();
  pass(3.0);
  source_->set_power(package, Power{});
  pass(4.0);
  source_->set_power(package, 100.0 * watt);
  pass(3.0);
  EXPECT_NEAR(total().value().in(joule), 300.0 + 4 * 90.0 + 300.0, 15.0);
  EXPECT_EQ(total().origin(), Origin::Modelled);
  expect_within(1000.0);
}

TEST_F(StandIn, ASlowCounterIsCountedOnce) {
  Domain slow = counter_domain("hwmon/p", DomainKind::Package, 0);
  slow.counter.update_period = Duration::nanoseconds(700'000'000);
  add(slow, 100.0 * watt);
  open();
  pass(7.0);
  EXPECT_NEAR(total().value().in(joule), 700.0, 30.0);
  expect_within(700.0);
}

TEST_F(StandIn, WhatACounterShowsAfterTheBeginningIsOfTheTimeAfterIt) {
  const std::size_t package = add(counter_domain("powercap/p", DomainKind::Package, 0), Power{});
  open();
  pass(0.5);  // a counter that stands still: the model counts
  first_ = last_;
  meter_->begin();
  source_->set_power(package, 100.0 * watt);
  pass(1.0);
  EXPECT_NEAR(total().value().in(joule), 100.0, 0.2);
}

// Held up for a moment after the beginning: the model counts, and is then confirmed.
TEST_F(StandIn, WhatACounterShowsSoonAfterIsMeasured) {
  const std::size_t package = add(counter_domain("powercap/p", DomainKind::Package, 0), Power{});
  open();
  meter_->begin();
  pass(0.2);
  EXPECT_EQ(total().origin(), Origin::Modelled);
  source_->set_power(package, 100.0 * watt);
  pass(0.05);  // shows less than the model has counted
  pass(0.95);
  EXPECT_NEAR(total().value().in(joule), 100.0, 0.2);
  EXPECT_EQ(total().origin(), Origin::Measured);
  EXPECT_EQ(total().boundary(), Boundary::Chip);
  EXPECT_LT(total().high() - total().low(), 1.0 * joule);
}

TEST_F(StandIn, AnErrorValueIsNoReading) {
  add(gauge_domain("hwmon/node", DomainKind::Node), 4.29e6 * watt);
  open();
  pass(2.0);
  EXPECT_NEAR(total().value().in(joule), 180.0, 1.0);
  EXPECT_EQ(total().origin(), Origin::Modelled);
}

TEST_F(StandIn, ZeroWattsOfAMachineThatRunsAreNoReading) {
  const std::size_t node = add(gauge_domain("redfish/node", DomainKind::Node), Power{});
  open();
  pass(2.0);
  EXPECT_NEAR(total().value().in(joule), 180.0, 1.0);
  source_->set_power(node, 120.0 * watt);
  pass(2.0);
  EXPECT_NEAR(total().value().in(joule), 180.0 + 240.0, 8.0);
}

TEST_F(StandIn, ABatteryOnMainsSaysNothing) {
  const std::size_t battery = add(gauge_domain("battery/b", DomainKind::Battery), 40.0 * watt);
  source_->fail(battery, PollStatus::Retry, 21, ENODATA);
  open();
  pass(1.0);
  EXPECT_EQ(total().origin(), Origin::Modelled);
  EXPECT_NEAR(total().value().in(joule), 90.0, 5.0);
  pass(1.0);  // the plug is pulled
  EXPECT_NEAR(total().value().in(joule), 90.0 + 40.0, 8.0);
}

TEST_F(StandIn, OneOfTwoSocketsThatIsMuteIsInTheRange) {
  add(counter_domain("powercap/p0", DomainKind::Package, 0), 100.0 * watt);
  add(counter_domain("powercap/p1", DomainKind::Package, 1), Power{});
  open();
  pass(3.0);
  EXPECT_NEAR(total().value().in(joule), 300.0, 1.0);
  expect_within(580.0);
  EXPECT_LT(total().high().in(joule), 700.0);
}

TEST_F(StandIn, AShortSpanWithoutAReadingIsModelled) {
  Domain slow = counter_domain("hwmon/p", DomainKind::Package, 0);
  slow.counter.update_period = Duration::nanoseconds(500'000'000);
  add(slow, 100.0 * watt);
  open();
  pass(5.0);
  const Snapshot from = last_;
  pass(0.1, 0.02);  // between two updates
  const Estimate<Energy> span = meter_->energy(from, last_).total;
  if (last_.channels[1].energy == from.channels[1].energy) {
    EXPECT_GT(span.value(), Energy{});
    EXPECT_EQ(span.origin(), Origin::Modelled);
  }
}

TEST_F(StandIn, RailsOfUnknownScopeReachFromTheLargestToTheSum) {
  add(gauge_domain("hwmon/a", DomainKind::Rail), 10.0 * watt);
  add(gauge_domain("hwmon/b", DomainKind::Rail), 8.0 * watt);
  add(gauge_domain("hwmon/c", DomainKind::Rail), 7.0 * watt);
  open();
  pass(2.0);
  EXPECT_NEAR(total().value().in(joule), 50.0, 0.1);
  expect_within(20.5);
  expect_within(50.0);
}

}  // namespace
}  // namespace carnot::meter
