// SPDX-License-Identifier: Apache-2.0
// One machine-hour, many witnesses.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/assess/machines/machines.hpp"
#include "carnot/base/random.hpp"

#include "assess/testing_evidence.hpp"

namespace carnot::assess {
namespace {

constexpr int kSlots = 24;  // of half an hour
constexpr std::int64_t kSlot = 1800;

/// A range of slots that a source has seen, the power it saw, and nothing where it did not look.
struct Seen {
  int from = 0, to = 0;
  double power = 0;
  bool at(int slot) const { return slot >= from && slot < to; }
};

Seen drawn(const RandomStream& random, std::uint64_t at, double power) {
  if (random.below(at, 4) == 0) return {};
  const auto a = static_cast<int>(random.below(at + 1, kSlots)),
             b = static_cast<int>(random.below(at + 2, kSlots));
  return {std::min(a, b), std::max(a, b) + 1, power};
}

std::string prometheus(const Seen& seen, const std::string& host, int gpus) {
  std::string series;
  for (int g = 0; g < gpus; ++g) {
    std::string values;
    for (int s = seen.from; s <= seen.to; ++s)
      values += fmt::format("{}[{},\"{}\"]", values.empty() ? "" : ",", kSeptember + s * kSlot,
                            seen.power / gpus);
    series += fmt::format(
        "{}{{\"metric\":{{\"__name__\":\"DCGM_FI_DEV_POWER_USAGE\",\"Hostname\":\"{}\",\"gpu\":\"{}"
        "\"}},\"values\":[{}]}}",
        series.empty() ? "" : ",", host, g, values);
  }
  return "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" + series +
         "]}}";
}

/// The same accelerators' hours in bill, sacct, CodeCarbon and Prometheus, at random times: each
/// slot counts once, by the best of those that saw it. The oracle walks slot by slot.
TEST(Merge, ThousandRandomOverlapsCountOnce) {
  const RandomStream random(20, "overlaps");
  const double billed_w = machine_power(96, 1152, 8, 400).value().in(watt);
  const double host_w = 8 * factor("accelerator.host").value();
  for (std::uint64_t k = 0; k < 1000; ++k) {
    const std::uint64_t at = k * 64;
    const Seen bill = drawn(random, at, 1),
               sacct = drawn(random, at + 8, 5000 + 10.0 * static_cast<double>(k % 50));
    const Seen gpus = drawn(random, at + 16, 3200), meter = drawn(random, at + 24, 4700);
    Seen run = drawn(random, at + 32, 4100);
    Folder folder;
    Bill text;
    for (int s = bill.from; s < bill.to; ++s)
      text.row({.type = "p4d.24xlarge",
                .resource = "i-0abc",
                .name = "gpu01",
                .hours = 0.5,
                .from = kSeptember + s * kSlot,
                .length = kSlot});
    if (bill.to > 0) folder.with("z-bill", text.text());
    if (sacct.to > 0)
      folder.with(
          "jobs",
          fmt::format(
              "JobID|State|Start|End|ElapsedRaw|AllocCPUS|AllocTRES|NodeList|ConsumedEnergyRaw\n"
              "1|COMPLETED|{}|{}|{}|96|cpu=96,gres/gpu=8|gpu01|{}\n",
              time_text(kSeptember + sacct.from * kSlot), time_text(kSeptember + sacct.to * kSlot),
              (sacct.to - sacct.from) * kSlot,
              sacct.power * static_cast<double>((sacct.to - sacct.from) * kSlot)));
    if (gpus.to > 0) folder.with("gpu.json", prometheus(gpus, "gpu01.cluster.example:9400", 8));
    if (meter.to > 0) {
      std::string rows = "time,end,host,power_w\n";
      for (int s = meter.from; s < meter.to; ++s)
        rows += fmt::format("{},{},GPU01,{}\n", time_text(kSeptember + s * kSlot),
                            time_text(kSeptember + (s + 1) * kSlot), meter.power);
      folder.with("meter.csv", rows);
    }
    // The run's file names no machine: it is one wherever another witness saw accelerators then.
    const bool placed = run.to > 0 && (bill.to > 0 || sacct.to > 0 || gpus.to > 0);
    if (run.to > 0) {
      const double hours = static_cast<double>((run.to - run.from) * kSlot) / 3600;
      folder.with("emissions.csv", fmt::format("timestamp,project_name,run_id,duration,emissions,"
                                               "energy_consumed,gpu_count,gpu_model\n"
                                               "{},p,r1,{},1,{},8,8 x NVIDIA A100-SXM4-40GB\n",
                                               time_text(kSeptember + run.to * kSlot).substr(0, 19),
                                               hours * 3600, run.power * hours / 1000));
    }
    Evidence e = folder.read();
    const ActivityGraph graph = merge(e, "");
    expect_accounted(e, graph);

    int first = kSlots, last = 0;
    for (const Seen& s : {bill, sacct, gpus, meter})
      if (s.to > 0) {
        first = std::min(first, s.from);
        last = std::max(last, s.to);
      }
    const int inside = std::max(0, std::min(run.to, last) - std::max(run.from, first));
    const bool on_machine = placed && 2 * inside >= run.to - run.from;
    double joules = 0;
    int slots = 0;
    for (int s = 0; s < kSlots; ++s) {
      const bool ran = run.at(s) && run.to > 0;
      double power = 0;
      if (meter.at(s))
        power = meter.power;
      else if (sacct.at(s))
        power = sacct.power;
      else if (gpus.at(s))
        power = gpus.power + host_w;
      else if (ran && on_machine)
        power = run.power;
      else if (bill.at(s))
        power = billed_w;
      joules += power * kSlot;
      slots += power > 0;
      if (ran && !on_machine) {
        joules += run.power * kSlot;
        ++slots;
      }
    }
    ASSERT_NEAR(joules_of(graph), joules, 1e-6 * (joules + 1)) << "case " << k;
    ASSERT_NEAR(hours_of(graph), 0.5 * slots, 1e-6) << "case " << k;
    if (on_machine) {
      ASSERT_EQ(graph.overlaps.size(), 1U);
      ASSERT_FALSE(graph.overlaps[0].counted_twice);
    }
  }
}

TEST(Merge, APartOfAMachineLeavesTheRestToTheBill) {
  Bill bill;
  bill.row({.type = "p4d.24xlarge", .resource = "i-1", .name = "gpu01"});
  Folder folder;
  folder.with("bill", bill.text());
  folder.with("jobs",
              "JobID|State|Start|ElapsedRaw|AllocCPUS|AllocTRES|NodeList|ConsumedEnergyRaw\n"
              "1|COMPLETED|2024-09-01T00:00:00|3600|24|cpu=24,gres/gpu=2|gpu01|3600000\n");
  Evidence e = folder.read();
  const ActivityGraph graph = merge(e, "");
  const double whole = machine_power(96, 1152, 8, 400).value().in(watt)*3600;
  EXPECT_NEAR(joules_of(graph), 3600000 + 0.75 * whole, 1);
  EXPECT_NEAR(hours_of(graph), 1, 1e-9);
}

TEST(Merge, NamesThatManyBearTellNothing) {
  Bill bill;
  bill.row({.resource = "i-1", .name = "web"});
  bill.row({.resource = "i-2", .name = "web"});
  Folder folder;
  folder.with("bill", bill.text());
  folder.with("meter.csv", "time,end,host,power_w\n" + time_text(kSeptember) + "," +
                               time_text(kSeptember + 3600) + ",web,100\n");
  Evidence e = folder.read();
  const ActivityGraph graph = merge(e, "");
  EXPECT_NEAR(hours_of(graph), 3, 1e-9);
  ASSERT_EQ(graph.overlaps.size(), 1U);
  EXPECT_TRUE(graph.overlaps[0].counted_twice);
  EXPECT_GT(graph.overlaps[0].joules, 0);
}

TEST(Merge, ARacksMeterStandsForItsServers) {
  Folder folder;
  folder.with("servers.csv", "hostname,rack,cores,memory_gb\na1,R7,32,128\na2,R7,32,128\n");
  folder.with("meter.csv", "time,end,rack,energy_kwh\n" + time_text(kSeptember) + "," +
                               time_text(kSeptember + 7200) + ",R7,3\n");
  Evidence e = folder.read();
  const ActivityGraph graph = merge(e, "");
  EXPECT_NEAR(joules_of(graph), 3 * 3.6e6, 1e-3);
  expect_accounted(e, graph);
}

TEST(Merge, ARegisterIsReadByItsDifferences) {
  Folder folder;
  std::string rows = "time,host,energy_kwh\n";
  for (int i = 0; i < 10; ++i)
    rows += fmt::format("{},a1,{}\n", time_text(kSeptember + 3600 * i), 50000 + 2 * i);
  folder.with("meter.csv", rows);
  Evidence e = folder.read();
  EXPECT_NEAR(joules_of(merge(e, "")), 18 * 3.6e6, 1e-3);
  EXPECT_FALSE(e.remarks.empty());
}

TEST(Merge, UnlikeServersOfOneModelStandApart) {
  const auto joules = [](const std::string& rows) {
    Folder folder;
    folder.with("s.csv", "hostname,model,cores,memory_gb,tdp_w,cpus,utilisation,hours\n" + rows);
    Evidence e = folder.read();
    return joules_of(merge(e, ""));
  };
  const std::string small = "a,R740,8,32,85,1,30,100\n", large = "b,R740,128,2048,360,2,80,100\n";
  EXPECT_NEAR(joules(small + large), joules(small) + joules(large), 1);
  EXPECT_GT(joules(large), 3 * joules(small));
}

TEST(Merge, AListOfServersIsNoListOfReadings) {
  Folder folder;
  folder.with("s.csv", "hostname,cores,from,to,power_w\na,8,2024-09-01,2024-09-03,200\n");
  Evidence e = folder.read();
  EXPECT_EQ(e.files[0].format, "server list");
  EXPECT_NEAR(joules_of(merge(e, "")), 200 * 172800.0, 1);
}

TEST(Merge, TheDefaultPlaceAndTheSamePlaceStatedAreOneFigure) {
  Bill with, without;
  with.row({.resource = "i-1"});
  without.row({.resource = "i-1", .region = ""});
  Folder a, b;
  a.with("bill", with.text());
  b.with("bill", without.text());
  Evidence ea = a.read(), eb = b.read();
  const auto ga = merge(ea, ""), gb = merge(eb, "US-OR");
  EXPECT_EQ(ga.activities.at(0).place, gb.activities.at(0).place);
  EXPECT_EQ(joules_of(ga), joules_of(gb));
}

}  // namespace
}  // namespace carnot::assess
