// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "meter/testing/testing.hpp"
#include "meter/testing/testing_allocations.hpp"

namespace carnot::meter {
namespace {

using ::testing::Contains;
using testing::FakeSource;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(FakeSource, KeepsTheContract) {
  FakeSource source;
  source.add(testing::package_domain("fake/p"), 100.0 * watt);
  source.add(testing::gauge_domain("fake/g", DomainKind::Rail), 100.0 * watt);
  source.fail(0, PollStatus::Retry, 2, 5);
  EXPECT_THAT(testing::check_source_contract(source, &testing::allocations), IsEmpty());
}

TEST(FakeSource, ShowsTheLastEdgeInWholeSteps) {
  FakeSource source;
  Domain d = testing::package_domain("fake/p");
  d.counter.unit = 1e-6 * joule;
  d.counter.step = 61;
  d.counter.update_period = Duration::nanoseconds(1'000'000);
  source.add(d, 100.0 * watt, 0, 1.05);
  std::vector<Reading> readings(1);
  source.pass(Duration::nanoseconds(1'700'000));
  source.poll(readings);
  EXPECT_EQ(readings[0].raw, 105'000u / 61 * 61);
  EXPECT_DOUBLE_EQ(source.truth(0).in(joule), 0.17);
}

// Breaks one promise each time it is asked to.
class Unruly : public FakeSource {
 public:
  explicit Unruly(std::function<void(std::span<Reading>)> spoil) : spoil_(std::move(spoil)) {
    add(testing::package_domain("fake/p"), 100.0 * watt);
    add(testing::gauge_domain("fake/g", DomainKind::Rail), 100.0 * watt);
  }
  void poll(std::span<Reading> readings) noexcept override {
    FakeSource::poll(readings);
    pass(Duration::seconds(1));
    spoil_(readings);
  }

 private:
  std::function<void(std::span<Reading>)> spoil_;
};

TEST(SourceContract, SeesWhatIsBroken) {
  const auto broken = [](std::function<void(std::span<Reading>)> spoil) {
    Unruly source(std::move(spoil));
    return testing::check_source_contract(source, &testing::allocations);
  };
  EXPECT_THAT(broken([](auto) {}), IsEmpty());
  EXPECT_THAT(broken([](auto r) { r[0].error = -77; }), Contains(HasSubstr("not written")));
  EXPECT_THAT(broken([](auto r) { r[0].raw = std::uint64_t{1} << 32; }),
              Contains(HasSubstr("modulus")));
  EXPECT_THAT(broken([](auto r) { r[1].power = -1.0 * watt; }), Contains(HasSubstr("no power")));
  EXPECT_THAT(broken([](auto r) { r[0].at = {}; }), Contains(HasSubstr("without a time")));
  EXPECT_THAT(
      broken([](auto r) { r[0].at.monotonic_ns = 5'000'000'000'000 - r[0].at.monotonic_ns; }),
      Contains(HasSubstr("time goes back")));
  EXPECT_THAT(
      broken([](auto r) { r[0].error = static_cast<int>(std::string(100, 'x').find('y') + 1); }),
      Contains(HasSubstr("allocates")));
}

TEST(SourceContract, SeesDomainsThatCannotBe) {
  const auto broken = [](auto change) {
    FakeSource source;
    Domain d = testing::package_domain("fake/p");
    change(d);
    source.add(d, 1.0 * watt);
    source.add(testing::package_domain("fake/q"), 1.0 * watt);
    return testing::check_source_contract(source);
  };
  EXPECT_THAT(broken([](Domain&) {}), IsEmpty());
  EXPECT_THAT(broken([](Domain& d) { d.id = "fake/q"; }), Contains(HasSubstr("not unique")));
  EXPECT_THAT(broken([](Domain& d) { d.parent = "x"; }), Contains(HasSubstr("its parent")));
  EXPECT_THAT(broken([](Domain& d) { d.counter.gain = {1.1, 1.2}; }), Contains(HasSubstr("gain")));
  EXPECT_THAT(broken([](Domain& d) { d.boundary = Boundary::None; }),
              Contains(HasSubstr("boundary")));
  EXPECT_THAT(broken([](Domain& d) { d.source.clear(); }), Contains(HasSubstr("names no source")));
}

}  // namespace
}  // namespace carnot::meter
