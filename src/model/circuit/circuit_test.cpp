// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/model/circuit/cmos.hpp"
#include "carnot/model/circuit/generalised_landauer.hpp"
#include "carnot/model/circuit/technologies.hpp"
#include "carnot/model/circuit/transistor_operations.hpp"

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

double between(const RandomStream& r, std::uint64_t i, double low, double high) {
  return low + (high - low) * r.uniform(i);
}

constexpr Temperature kRoom = 300 * kelvin;

CmosCircuit random_circuit(const RandomStream& r) {
  CmosCircuit c;
  c.switched_f = std::exp(between(r, 0, std::log(1e-13), std::log(1e-10)));
  c.gates = std::exp(between(r, 1, std::log(1e2), std::log(1e6)));
  c.depth = between(r, 2, 5, 200);
  c.threshold_v = between(r, 3, 0.25, 0.5);
  c.slope = between(r, 4, 1, 1.8);
  c.exponent = between(r, 5, 1, 2);
  c.nominal_v = between(r, 6, 0.6, 1.3);
  return c;
}

// --- CMOS ---------------------------------------------------------------------------------------

TEST(Cmos, TheLeastIsNearThreshold) {
  const CmosCircuit c;
  const CmosPoint nominal = cmos_at(c, c.nominal_v, kRoom), best = minimum_energy_point(c, kRoom);
  // 32-bit multiply and add at 45 nm and 0.9 V: 4.6 pJ (Horowitz, ISSCC 2014).
  EXPECT_NEAR(nominal.total.in(picojoule), 4.6, 1.0);
  EXPECT_GT(best.supply_v, 0.15);
  EXPECT_LT(best.supply_v, 0.5);
  // Near-threshold work finds factors of some three to ten in energy, ten to a thousand in speed
  // (Dreslinski et al., Proc. IEEE 98, 2010).
  EXPECT_GT(nominal.total / best.total, 3);
  EXPECT_LT(nominal.total / best.total, 12);
  EXPECT_GT(nominal.frequency_hz / best.frequency_hz, 10);
}

TEST(Cmos, DeepBelowThresholdTheClosedFormHolds) {
  // Calhoun et al. 2005: a threshold so high that all of the range lies below it.
  for (const double kappa : {200.0, 1e3, 1e4, 1e5}) {
    CmosCircuit c;
    c.threshold_v = 0.8;
    c.nominal_v = 0.6;
    c.short_circuit = 0;
    c.gates = 1000;
    c.depth = 20;
    c.gate_f = 1e-15;
    c.switched_f = c.gates * c.depth * c.gate_f / kappa;
    const double closed = subthreshold_optimum_v(kappa, c.slope, kRoom);
    EXPECT_NEAR(minimum_energy_point(c, kRoom).supply_v, closed, 0.02 * closed) << kappa;
    // Its own equation: kappa e^-x (x - 2) = 2.
    const double x = closed / (c.slope * 1.380649e-23 * 300 / 1.602176634e-19);
    EXPECT_NEAR(kappa * std::exp(-x) * (x - 2), 2, 1e-9) << kappa;
  }
  EXPECT_THAT(message([] { subthreshold_optimum_v(40, 1.4, kRoom); }), HasSubstr("2 e^3"));
}

RC_GTEST_PROP(Cmos, NoVoltageIsBetterThanTheBest, (std::uint32_t seed)) {
  const RandomStream r(seed, "cmos");
  const CmosCircuit c = random_circuit(r);
  const Temperature t = between(r, 10, 250, 400) * kelvin;
  const Power platform = r.below(11, 2) == 0 ? Power{} : between(r, 12, 0, 1e-2) * watt;
  const CmosPoint best = minimum_energy_point(c, t, platform);
  const double least = std::min(least_supply_v(c.slope, t), c.nominal_v);
  double before = 0;
  for (int i = 0; i <= 100; ++i) {
    const CmosPoint p = cmos_at(c, least + (c.nominal_v - least) * i / 100, t, platform);
    RC_ASSERT(best.total <= p.total * (1 + 1e-9));
    RC_ASSERT(p.frequency_hz > before);  // faster with voltage
    before = p.frequency_hz;
    RC_ASSERT(abs(p.total - (p.dynamic + p.leakage + p.platform)) <= 1e-12 * p.total);
    RC_ASSERT(p.dynamic > landauer_bound(t) * bit);
  }
  // What the platform draws pulls the best voltage up.
  RC_ASSERT(minimum_energy_point(c, t, platform + 1e-3 * watt).supply_v >=
            best.supply_v - 1e-6 * best.supply_v);
}

RC_GTEST_PROP(Cmos, RaceToIdleIsWhereTheBestVoltageIsTheNominal, (std::uint32_t seed)) {
  const RandomStream r(seed, "race");
  const CmosCircuit c = random_circuit(r);
  const Power edge = race_to_idle_power(c, kRoom);
  if (!(edge > Power{})) return;
  RC_ASSERT(minimum_energy_point(c, kRoom, 1.2 * edge).supply_v > 0.999 * c.nominal_v);
  // Just below the edge the slope at full voltage points down: a little less is better.
  RC_ASSERT(cmos_at(c, 0.999 * c.nominal_v, kRoom, 0.9 * edge).total <
            cmos_at(c, c.nominal_v, kRoom, 0.9 * edge).total);
}

TEST(Cmos, LeakageAndItsTemperature) {
  EXPECT_GT(leakage_doubling_k({}, 330 * kelvin), 8);
  EXPECT_LT(leakage_doubling_k({}, 330 * kelvin), 22);
  EXPECT_GT(cmos_at({}, 0.3, 360 * kelvin).leakage / cmos_at({}, 0.3, 360 * kelvin).dynamic,
            cmos_at({}, 0.6, 300 * kelvin).leakage / cmos_at({}, 0.6, 300 * kelvin).dynamic);
  // 36 mV at 300 K for n = 1 (Swanson & Meindl 1972).
  EXPECT_NEAR(least_supply_v(1, kRoom), 0.0358, 0.0001);
  // Ideal ramps: half of a percent at 400 RC, all of C V^2 at once.
  EXPECT_NEAR(adiabatic_energy(1e-15, 1, 400) / adiabatic_energy(1e-15, 1, 1), 0.005, 1e-12);
  EXPECT_THAT(message([] { cmos_at({}, -1, kRoom); }), HasSubstr("supply"));
  EXPECT_THAT(message([] { cmos_at({}, 1, Temperature{}); }), HasSubstr("0 K"));
}

// --- maps ---------------------------------------------------------------------------------------

TEST(GeneralisedLandauer, KnownMaps) {
  const auto bits = [](const char* name) { return map_cost(named_map(name), {}, {}, kRoom); };
  EXPECT_NEAR(bits("erase").flow_bits, 1, 1e-12);
  // Landauer at 300 K: 2.870978885e-21 J.
  EXPECT_NEAR(bits("erase").flow.in(joule), 2.870978885e-21, 1e-30);
  EXPECT_NEAR(bits("identity").flow_bits, 0, 1e-12);
  EXPECT_NEAR(bits("not").flow_bits, 0, 1e-12);
  EXPECT_NEAR(bits("copy").flow_bits, 0, 1e-12);
  // AND of fair bits: 2 - H(1/4) bits.
  const double quarter = 0.25 * 2 + 0.75 * std::log2(4.0 / 3.0);
  EXPECT_NEAR(bits("and").flow_bits, 2 - quarter, 1e-12);
  EXPECT_NEAR(bits("or").flow_bits, 2 - quarter, 1e-12);
  EXPECT_NEAR(bits("nand").flow_bits, 2 - quarter, 1e-12);
  EXPECT_NEAR(bits("xor").flow_bits, 1, 1e-12);
  EXPECT_NEAR(bits("half_adder").flow_bits, 0.5, 1e-12);
  EXPECT_NEAR(map_cost(named_map("randomise"), {1, 0}, {}, kRoom).flow_bits, -1, 1e-12);
}

TEST(GeneralisedLandauer, AnEraserBuiltForFairBitsPaysAWholeBitForAny) {
  for (const double p : {0.0, 0.1, 0.5, 0.93}) {
    const MapCost c = map_cost(named_map("erase"), {p, 1 - p}, {0.5, 0.5}, kRoom);
    EXPECT_NEAR(c.flow_bits, 1, 1e-12) << p;
    EXPECT_NEAR(c.mismatch_bits, 1 - c.input_bits, 1e-12) << p;
  }
  // AND built for fair inputs, given (1, 1) always: D(p || q) = 2, D(Pp || Pq) = log2 4.
  EXPECT_NEAR(map_cost(named_map("and"), {0, 0, 0, 1}, {0.25, 0.25, 0.25, 0.25}, kRoom).flow_bits,
              0, 1e-12);
  // Given (0, 0) always: 2 - log2(4/3).
  EXPECT_NEAR(map_cost(named_map("and"), {1, 0, 0, 0}, {0.25, 0.25, 0.25, 0.25}, kRoom).flow_bits,
              2 - std::log2(4.0 / 3.0), 1e-12);
}

std::vector<double> random_distribution(const RandomStream& r, std::uint64_t at, std::size_t n,
                                        bool full) {
  std::vector<double> p(n);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    p[i] = !full && r.below(at + 50 + i, 4) == 0 ? 0 : r.uniform(at + i) + 1e-3;
    sum += p[i];
  }
  if (!(sum > 0)) return std::vector<double>(n, 1 / static_cast<double>(n));
  for (double& x : p) x /= sum;
  return p;
}

RC_GTEST_PROP(GeneralisedLandauer, MismatchIsNeverNegativeAndIsTheOracle, (std::uint32_t seed)) {
  const RandomStream r(seed, "maps");
  StateMap map;
  map.inputs = 2 + r.below(0, 7);
  map.outputs = 2 + r.below(1, 7);
  for (std::size_t x = 0; x < map.inputs; ++x) {
    const std::vector<double> column = random_distribution(r, 1000 * (x + 1), map.outputs, false);
    map.probability.insert(map.probability.end(), column.begin(), column.end());
  }
  const std::vector<double> p = random_distribution(r, 10, map.inputs, false);
  const std::vector<double> q = random_distribution(r, 200, map.inputs, true);
  const MapCost c = map_cost(map, p, q, kRoom);
  RC_ASSERT(c.mismatch_bits >= 0);
  RC_ASSERT(c.flow_bits >= c.drop_bits);
  RC_ASSERT(map_cost(map, p, p, kRoom).mismatch_bits < 1e-9);
  // Oracle: the expected log ratio of backward posteriors, -sum p P log2 of q(x | y) over p(x | y).
  double oracle = 0;
  for (std::size_t y = 0; y < map.outputs; ++y) {
    double py = 0, qy = 0;
    for (std::size_t x = 0; x < map.inputs; ++x) {
      py += map.probability[y + map.outputs * x] * p[x];
      qy += map.probability[y + map.outputs * x] * q[x];
    }
    for (std::size_t x = 0; x < map.inputs; ++x) {
      const double joint = map.probability[y + map.outputs * x] * p[x];
      if (joint > 0) oracle += joint * std::log2((p[x] / py) / (q[x] / qy));
    }
  }
  RC_ASSERT(std::abs(oracle - c.mismatch_bits) < 1e-9);
}

TEST(GeneralisedLandauer, RefusesWhatIsNoDistribution) {
  const StateMap erase = named_map("erase");
  EXPECT_THAT(message([&] { map_cost(erase, {0.5, 0.4}, {}, kRoom); }), HasSubstr("sum to 1"));
  EXPECT_THAT(message([&] { map_cost(erase, {1}, {}, kRoom); }), HasSubstr("2 probabilities"));
  EXPECT_THAT(message([&] { map_cost(erase, {0.5, 0.5}, {1, 0}, kRoom); }), HasSubstr("state 1"));
  EXPECT_THAT(message([] { named_map("xorr"); }), HasSubstr("did you mean `xor`?"));
}

TEST(GeneralisedLandauer, WorkOfShorterCodesAndOfTraining) {
  EXPECT_NEAR(kolmogorov_work(1e9 * bit, 3e8 * bit, kRoom).in(joule), 7e8 * 2.870978885e-21, 1e-21);
  EXPECT_LT(kolmogorov_work(1 * bit, 2 * bit, kRoom), Energy{});
  // A network of 5e4 parameters on 6e4 images: 2.5e-11 J; Llama-3.1-405B on 15.6e12 tokens: 5.2e4
  // J.
  EXPECT_NEAR(training_bound(5e4, 6e4, kRoom).in(joule), 2.485e-11, 1e-14);
  EXPECT_NEAR(training_bound(405e9, 15.6e12, kRoom).in(joule), 5.23e4, 1e2);
  EXPECT_THAT(message([] { training_bound(-1, 1, kRoom); }), HasSubstr("0 or more"));
}

// --- transistor operations ----------------------------------------------------------------------

/// Rows whose format comes at an even place among those of its process, and the others.
std::pair<std::vector<PublishedEnergy>, std::vector<PublishedEnergy>> halves(std::size_t parity) {
  std::map<double, std::set<std::string>> formats;
  const auto format = [](const PublishedEnergy& e) {
    return e.operation.substr(0, e.operation.find('_'));
  };
  for (const PublishedEnergy& e : published_arithmetic()) formats[e.process_nm].insert(format(e));
  std::pair<std::vector<PublishedEnergy>, std::vector<PublishedEnergy>> out;
  for (const PublishedEnergy& e : published_arithmetic()) {
    const auto& all = formats[e.process_nm];
    const auto place = static_cast<std::size_t>(std::distance(all.begin(), all.find(format(e))));
    (place % 2 == parity ? out.first : out.second).push_back(e);
  }
  return out;
}

TEST(TransistorOperations, PredictPublishedCellsThatWereLeftOut) {
  std::vector<double> errors;
  for (const std::size_t parity : {0u, 1u}) {
    const auto [known, held_out] = halves(parity);
    const TransistorModel model(known);
    for (const PublishedEnergy& e : held_out) {
      const double got = model.energy(e.operation, e.process_nm).value().in(picojoule);
      errors.push_back(std::abs(got / e.picojoule - 1));
    }
  }
  ASSERT_EQ(errors.size(), 18u);
  std::sort(errors.begin(), errors.end());
  const auto within =
      std::count_if(errors.begin(), errors.end(), [](double e) { return e <= 0.15; });
  RecordProperty("median_percent", std::to_string(100 * errors[9]));
  RecordProperty("worst_percent", std::to_string(100 * errors.back()));
  RecordProperty("within_15_percent", std::to_string(within));
  EXPECT_LT(errors[9], 0.15);
  EXPECT_LT(errors.back(), 0.35);
  EXPECT_GE(within, 11);
}

TEST(TransistorOperations, FormatsNobodyPublishedAreIntervals) {
  const TransistorModel& model = TransistorModel::embedded();
  double before = 0;
  for (const char* each : {"int2_multiply", "int4_multiply", "int8_multiply", "int16_multiply"}) {
    const Estimate<Energy> e = model.energy(each, 7);
    EXPECT_LT(e.low(), e.value()) << each;
    EXPECT_GT(e.high(), 1.1 * e.value()) << each;
    EXPECT_GT(e.value().in(joule), before) << each;
    before = e.value().in(joule);
    EXPECT_GT(e.low(), landauer_bound(kRoom) * bit) << each;
  }
  EXPECT_LT(model.energy("fp4_multiply", 7).value(), model.energy("fp8_multiply", 7).value());
  EXPECT_LT(model.energy("fp8_multiply", 5).value(), model.energy("fp8_multiply", 7).value());
  for (const PublishedEnergy& e : published_arithmetic()) {
    const Estimate<Energy> got = model.energy(e.operation, e.process_nm);
    EXPECT_GE(e.picojoule, got.low().in(picojoule)) << e.operation << " " << e.process_nm;
    EXPECT_LE(e.picojoule, got.high().in(picojoule)) << e.operation << " " << e.process_nm;
  }
  EXPECT_EQ(transistor_operations(arithmetic("int8_add")), 224);
  EXPECT_THAT(message([] { arithmetic("int8_divide"); }), HasSubstr("_add or _multiply"));
  EXPECT_THAT(message([] { arithmetic("fp7_add"); }), HasSubstr("fp8"));
  EXPECT_THAT(message([] { TransistorModel({{"int8_add", 7, 1}}); }), HasSubstr("each kind"));
}

// --- tables -------------------------------------------------------------------------------------

TEST(Technologies, AreDocumentedAndAboveTheirLimit) {
  std::set<std::string> kinds;
  for (const Technology& t : technologies()) {
    kinds.insert(t.kind);
    EXPECT_FALSE(t.source.empty()) << t.id;
    EXPECT_LE(t.wall_low(kRoom), t.wall(kRoom)) << t.id;
    EXPECT_LE(t.wall(kRoom), t.wall_high(kRoom)) << t.id;
    // A switch or a bit takes at least Landauer's price at the temperature it works at.
    EXPECT_GE(t.low * joule, landauer_bound(t.temperature) * bit) << t.id;
    EXPECT_EQ(t.temperature >= kRoom, t.wall(kRoom).in(joule) == t.value) << t.id;
  }
  EXPECT_EQ(kinds.size(), 5u);
  // 4.2 K at 18 % of Carnot: 70.4 / 0.18 W/W.
  EXPECT_NEAR(1 / cryogenic_break_even(4.2 * kelvin, kRoom, 0.18), 1 + 70.428571 / 0.18, 1e-5);
  for (const PublishedTraining& r : training_runs())
    EXPECT_GT(r.energy, 1e6 * training_bound(r.parameters, r.tokens, kRoom)) << r.id;
}

TEST(Technologies, BadRowsAreNamed) {
  const std::string head =
      "id,kind,name,value_j,low_j,high_j,per,temperature_k,cooler,cooler_low,cooler_high,grade,"
      "year,"
      "source,licence\n";
  EXPECT_THAT(
      message([&] {
        parse_technologies(head + "a,magic,A,1,2,3,bit,300,1,1,1,guess,2020,s,l\n", "t.csv");
      }),
      testing::AllOf(HasSubstr("t.csv:2: kind"), HasSubstr("low <= value"), HasSubstr("grade")));
  EXPECT_THAT(message([] {
                parse_training_runs(
                    "id,name,parameters,tokens,energy_mwh,grade,year,source,licence\n"
                    "a,A,1e9,1e9,-1,TDP,1900,s,l\na,A,1,1,1,TDP,2000,s\n",
                    "r.csv");
              }),
              testing::AllOf(HasSubstr("energy_mwh"), HasSubstr("1950"), HasSubstr("9 cells")));
}

}  // namespace
}  // namespace carnot::model
