// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/web/live.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/measure/attribution/measurement.hpp"

#include "measure/testing/testing_measurement.hpp"

namespace carnot::report {
namespace {

using Json = nlohmann::ordered_json;

std::vector<ledger::Entry> machine() {
  measure::sample::MeasurementOptions options;
  options.whole_machine = true;
  options.samples = 41;
  return measure::sample::measurement(options);
}

std::vector<LiveEvents::Event> replayed(const std::vector<ledger::Entry>& entries,
                                        const model::AccountOptions& account = {}) {
  LiveEvents live(account);
  std::vector<LiveEvents::Event> out;
  for (const ledger::Entry& entry : entries)
    if (auto event = live.replay(entry)) out.push_back(std::move(*event));
  return out;
}

TEST(LiveEvents, PowersOverTheirIntervalsAreTheWholeMeasurementsEnergy) {
  const auto entries = machine();
  const measure::Measurement whole = measure::summarise_measurement(entries, {});
  const auto events = replayed(entries);
  ASSERT_EQ(events.size(), 40U);
  double joules = 0;
  for (const LiveEvents::Event& event : events) {
    EXPECT_EQ(event.data.find('\n'), std::string::npos) << "one line";
    const Json json = Json::parse(event.data);
    const Json& power = json["power_w"];
    EXPECT_LE(power["low"], power["value"]);
    EXPECT_GE(power["high"], power["value"]);
    EXPECT_FALSE(power["text"].get<std::string>().empty());
    joules += power["value"].get<double>() * json["length_s"].get<double>();
    EXPECT_NEAR(json["energy_j"]["value"].get<double>(), joules, 1e-9 * joules);
    double domains = 0;
    for (const Json& d : json["domains"])
      if (d["role"] == "counted") domains += d["power_w"]["value"].get<double>();
    EXPECT_NEAR(domains, power["value"].get<double>(), 1e-9 * domains);
  }
  EXPECT_NEAR(joules, whole.machine_energy.value().in(joule), 1e-9 * joules);
  // Added as if all intervals erred alike: never narrower than the whole's.
  const Json last = Json::parse(events.back().data)["energy_j"];
  EXPECT_LE(last["low"].get<double>(), whole.machine_energy.low().in(joule) * (1 + 1e-9));
  EXPECT_GE(last["high"].get<double>(), whole.machine_energy.high().in(joule) * (1 - 1e-9));
}

TEST(LiveEvents, AnEventHasOneIdInWhateverProcessReadsTheJournal) {
  const auto entries = machine();
  const auto whole = replayed(entries);
  // Killed after each entry and gone on with: the same ids, the same words.
  for (std::size_t cut = 1; cut < entries.size(); cut += 7) {
    LiveEvents live{model::AccountOptions{}};
    std::set<std::string> ids;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i == cut) {
        live = LiveEvents{model::AccountOptions{}};
        for (std::size_t k = 0; k < cut; ++k) live.replay(entries[k]);
      }
      if (const auto event = live.replay(entries[i])) ids.insert(event->id);
    }
    EXPECT_EQ(ids.size(), whole.size());
    for (const LiveEvents::Event& event : whole) EXPECT_EQ(ids.count(event.id), 1U);
  }
}

TEST(LiveEvents, SharesOfProcessesAreOfTheMachineAndCarbonNeedsAPlace) {
  const auto entries = machine();
  for (const LiveEvents::Event& event : replayed(entries)) {
    const Json json = Json::parse(event.data);
    EXPECT_TRUE(json["carbon_g"].is_null());
    for (const Json& row : json["who"]) {
      EXPECT_GE(row["share"], 0.0);
      EXPECT_LE(row["share"], 1.0);
      EXPECT_LE(row["power_w"]["low"], row["power_w"]["value"]);
    }
  }
  model::AccountOptions placed;
  placed.location = "DE";
  const Json json = Json::parse(replayed(entries, placed).back().data);
  EXPECT_GT(json["carbon_g"]["value"], 0.0);
  EXPECT_EQ(json["carbon_g"]["boundary"], "facility");
}

}  // namespace
}  // namespace carnot::report
