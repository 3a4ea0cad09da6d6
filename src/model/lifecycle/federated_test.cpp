// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/lifecycle/federated.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/model/footprint/accounting.hpp"

namespace carnot::model {
namespace {

using testing::HasSubstr;

std::string message(const std::function<void()>& act) {
  try {
    act();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

const Chip& device() { return ChipCatalogue::embedded().chip("jetson-tx2"); }

/// A small image model on CIFAR-10 for some epochs: 1e15 FLOP an epoch, in a data centre at
/// 1 pJ/FLOP and a PUE of 1.5 at the world's mean.
FederatedTraining against_centre(const FederatedOptions& o, double flops, double bytes) {
  const Energy joules = 1.5 * flops * 1e-12 * joule;
  const Estimate<Energy> centre =
      Estimate<Energy>::exact(joules, Origin::Modelled, Boundary::Facility);
  const Estimate<Carbon> carbon = (centre * grid_intensity("WORLD").intensity).at(Boundary::None);
  return federated_training(device(), flops, bytes, o, centre, carbon);
}

TEST(Federated, PartsByHand) {
  FederatedOptions o;
  o.rounds = 50;
  o.devices = 10;
  o.wait = 3;
  const FederatedTraining f = against_centre(o, 1e17, 44.6e6);
  // 1.33 TFLOP/s at half of it, 15 W: 150,376 device seconds.
  const double seconds = 1e17 / (1.33e12 * 0.5);
  EXPECT_NEAR(f.compute.value().in(joule), 15 * seconds, 1e-6 * 15 * seconds);
  EXPECT_NEAR(f.wait.value() / f.compute.value(), 2 * 0.18, 1e-12);
  EXPECT_NEAR(f.sent_bytes, 2 * 50 * 10 * 44.6e6, 1);
  EXPECT_NEAR(f.network.value().in(kilowatt_hour), f.sent_bytes / 1e9 * 0.002, 1e-12);
  EXPECT_NEAR(f.total.value().in(joule),
              (f.compute.value() + f.wait.value() + f.network.value()).in(joule), 1e-6);
  EXPECT_NEAR(f.round.in(second), 3 * seconds / 500, 1e-6);
  EXPECT_LT(f.total.low(), f.total.value());
}

TEST(Federated, SpansWhatIsPublished) {
  // Qiu et al.: from about a data centre's carbon to a hundred times it.
  FederatedOptions even, hard;
  even.places = {{"FR", 1}};
  hard.passes = 5;
  hard.wait = 10;
  const double least = against_centre(even, 1e17, 5e6).carbon_over;
  const double most = against_centre(hard, 1e17, 45e6).carbon_over;
  EXPECT_LT(least, 3);
  EXPECT_GT(most, 100);
  EXPECT_LT(most, 1000);
  // GreenDFL: training outweighs communication where the model is small; not where it is large and
  // little is done with it in a round.
  EXPECT_EQ(against_centre({}, 1e17, 5e6).greatest, "compute");
  FederatedOptions chatty;
  chatty.rounds = 1e5;
  EXPECT_EQ(against_centre(chatty, 1e15, 5e8).greatest, "network");
}

TEST(Federated, MonotoneInAllThatCosts) {
  FederatedOptions o;
  const Energy base = against_centre(o, 1e16, 1e7).total.value();
  for (double FederatedOptions::*field : {&FederatedOptions::rounds, &FederatedOptions::devices,
                                          &FederatedOptions::passes, &FederatedOptions::wait}) {
    FederatedOptions more = o;
    more.*field *= 2;
    EXPECT_GT(against_centre(more, 1e16, 1e7).total.value(), base);
  }
  FederatedOptions clean = o, dirty = o;
  clean.places = {{"FR", 0.5}, {"SE", 0.5}};
  dirty.places = {{"PL", 1}};
  EXPECT_LT(against_centre(clean, 1e16, 1e7).carbon.value(),
            against_centre(dirty, 1e16, 1e7).carbon.value());
}

TEST(Federated, RefusesWhatCannotBe) {
  FederatedOptions o;
  o.places = {{"FR", 0.5}};
  EXPECT_THAT(message([&] { against_centre(o, 1, 1); }), HasSubstr("sum to 1"));
  o.places = {{"Atlantis", 1}};
  EXPECT_THAT(message([&] { against_centre(o, 1, 1); }), HasSubstr("Atlantis"));
  o.places.clear();
  o.wait = 0.5;
  EXPECT_THAT(message([&] { against_centre(o, 1, 1); }), HasSubstr("--federated-wait"));
  EXPECT_THAT(message([] { against_centre({}, 0, 1); }), HasSubstr("--train-tokens"));
  EXPECT_THAT(message([] {
                federated_training(ChipCatalogue::embedded().chip("edge-tpu"), 1, 1, {}, {}, {});
              }),
              HasSubstr("edge-tpu"));
}

}  // namespace
}  // namespace carnot::model
