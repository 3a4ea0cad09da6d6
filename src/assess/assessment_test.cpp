// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/assessment.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/assess/machines/machines.hpp"
#include "carnot/base/error.hpp"

#include "assess/testing_evidence.hpp"

namespace carnot::assess {
namespace {

using testing::HasSubstr;

/// A cluster on a bill, another of one's own, and questions to models.
void fill(Folder& folder) {
  Bill bill;
  for (int day = 0; day < 30; ++day)
    for (int m = 0; m < 3; ++m) {
      bill.row({.type = "p4d.24xlarge",
                .resource = fmt::format("i-gpu{}", m),
                .name = fmt::format("gpu{}", m),
                .region = "us-east-1",
                .hours = 24,
                .billed = 700,
                .from = kSeptember + 86400 * day,
                .length = 86400});
      bill.row({.type = "m5.2xlarge",
                .resource = fmt::format("i-web{}", m),
                .region = "ap-south-1",
                .hours = 24,
                .billed = 9,
                .from = kSeptember + 86400 * day,
                .length = 86400});
    }
  bill.row({.unit = "GB-Months",
            .hours = 50000,
            .description = "$0.08 per GB-month of General Purpose (gp3) provisioned storage"});
  folder.with("bill.csv", bill.text());
  folder.with("servers.csv",
              "hostname,cores,memory_gb,gpus,gpu_model\nown1,64,512,4,A100\nown2,32,256,,\n");
  folder.with("usage.csv",
              "date,model,input_tokens,cached_tokens,output_tokens,reasoning_tokens,cost_usd\n"
              "2024-09-03,gpt-4o,1000000,400000,200000,0,5\n2024-09-04,o3,50000,0,90000,80000,4\n");
}

TEST(Assessment, ScopesSumToTheWholeForEveryRole) {
  Folder folder;
  fill(folder);
  double whole = 0;
  for (const Role role : {Role::Owner, Role::Tenant, Role::CloudUser}) {
    AssessOptions o;
    o.footprint.role = role;
    o.footprint.location = "DE";
    const Assessment a = assess(folder.path(), o);
    expect_accounted(a.evidence, a.graph);
    double sum = 0;
    for (const auto& scope : a.footprint.scopes) sum += scope.value().in(gram);
    EXPECT_NEAR(sum / a.footprint.total.value().in(gram), 1, 1e-12);
    if (role == Role::Owner) whole = sum;
    EXPECT_NEAR(sum / whole, 1, 1e-12);
    const double scope2 = a.footprint.scopes[0].value().in(gram);
    if (role == Role::CloudUser)
      EXPECT_EQ(scope2, 0);
    else
      EXPECT_GT(scope2, 0);
    EXPECT_EQ(a.footprint.scopes[3].value().in(gram) > 0, role == Role::Tenant);
    EXPECT_LT(a.footprint.total.low(), a.footprint.total.value());
    EXPECT_GT(a.footprint.total.low(), Carbon{});
  }
}

TEST(Assessment, TokensAreCountedByKind) {
  Folder folder;
  fill(folder);
  const Assessment a = assess(folder.path(), {});
  std::map<std::string, double> amounts;
  for (const Activity& one : a.graph.activities)
    if (one.group == ActivityGroup::Models) amounts[one.what] = one.amount;
  EXPECT_EQ(amounts["input tokens of gpt-4o"], 600000);
  EXPECT_EQ(amounts["cached tokens of gpt-4o"], 400000);
  EXPECT_EQ(amounts["output tokens of gpt-4o"], 200000);
  EXPECT_EQ(amounts["reasoning tokens of o3"], 80000);
  EXPECT_EQ(amounts["output tokens of o3"], 10000);
}

TEST(Assessment, UsagePagesOfServicesAreRead) {
  Folder folder;
  folder.with(
      "openai.json",
      R"({"object":"page","data":[{"object":"bucket","start_time":1725148800,"end_time":1725235200,"results":[
                 {"model":"gpt-4o-2024-08-06","input_tokens":1000,"input_cached_tokens":250,"output_tokens":100}]}]})");
  folder.with("other.json",
              R"({"data":[{"starting_at":"2024-09-01T00:00:00Z","results":[
                 {"model":"claude-3","uncached_input_tokens":1000,"cache_read_input_tokens":5000,"output_tokens":10}]}]})");
  const Assessment a = assess(folder.path(), {});
  std::map<std::string, double> amounts;
  for (const Activity& one : a.graph.activities) amounts[one.what] = one.amount;
  EXPECT_EQ(amounts["input tokens of gpt-4o-2024-08-06"], 750);
  EXPECT_EQ(amounts["cached tokens of claude-3"], 5000);
  EXPECT_EQ(amounts["input tokens of claude-3"], 1000);
  expect_accounted(a.evidence, a.graph);
}

TEST(Assessment, ActionsSaveTogetherWhatTheirSharesSay) {
  Folder folder;
  fill(folder);
  AssessOptions o;
  o.actions.budget_eur = 9000;
  o.footprint.location = "PL";
  const Assessment a = assess(folder.path(), o);
  const ActionPlan& p = a.actions;
  ASSERT_GE(p.actions.size(), 10U);
  double shares = 0;
  for (const Action& x : p.actions) {
    shares += x.share_g;
    EXPECT_GE(x.probability, 0);
    EXPECT_LE(x.probability, 1);
    EXPECT_LE(x.low_g, x.high_g);
    if (x.eur_per_t) {
      EXPECT_GT(x.one_off_eur / 4 + x.yearly_eur, 0) << x.id;
    }
  }
  EXPECT_NEAR(shares / p.joint_g, 1, 1e-9);
  EXPECT_LT(p.joint_g, p.base_g);
  EXPECT_LT(p.joint_g, p.sum_g);
  EXPECT_LE(p.best.cost, 9000);
  EXPECT_GT(p.best.saved, 0);
}

TEST(Assessment, BuyingTheFirstDataNarrowsAsForetold) {
  Folder folder;
  Bill bill;
  for (int m = 0; m < 4; ++m)
    bill.row({.type = m < 3 ? "p4d.24xlarge" : "p3.2xlarge",
              .resource = fmt::format("i-{}", m),
              .name = fmt::format("gpu{}", m),
              .region = "us-east-1",
              .hours = 24,
              .length = 86400});
  folder.with("bill.csv", bill.text());
  const Assessment before = assess(folder.path(), {});
  ASSERT_FALSE(before.data.empty());
  EXPECT_THAT(before.data[0].what, HasSubstr("meter p4d.24xlarge (3 machines"));
  // A meter that reads what was estimated.
  const double watts = machine_power(96, 1152, 8, 400).value().in(watt);
  std::string rows = "time,end,host,power_w\n";
  for (int m = 0; m < 3; ++m)
    rows += fmt::format("{},{},gpu{},{}\n", time_text(kSeptember), time_text(kSeptember + 86400), m,
                        watts);
  folder.with("meter.csv", rows);
  const Assessment after = assess(folder.path(), {});
  const auto width = [](const Assessment& a) {
    return (a.footprint.total.high() - a.footprint.total.low()).in(gram);
  };
  EXPECT_NEAR((1 - width(after) / width(before)) / before.data[0].narrowing, 1, 0.05);
}

TEST(Assessment, TheSameFolderGivesTheSameAnswer) {
  Folder folder;
  fill(folder);
  const Assessment a = assess(folder.path(), {}), b = assess(folder.path(), {});
  EXPECT_EQ(a.footprint.total.value(), b.footprint.total.value());
  EXPECT_EQ(a.actions.joint_low_g, b.actions.joint_low_g);
  EXPECT_EQ(a.graph.activities.size(), b.graph.activities.size());
}

const StandardField& field(const Assessment& a, const std::string& standard,
                           const std::string& id) {
  for (const Standard& s : a.standards)
    if (s.id == standard)
      for (const StandardField& f : s.fields)
        if (f.id == id) return f;
  throw InputError("no field " + id);
}
std::string refused(const Assessment& a) {
  std::string out;
  for (const Standard& s : a.standards)
    for (const std::string& line : s.refused) out += line + "\n";
  return out;
}

TEST(Standards, MissingIsNotZero) {
  Folder folder;
  fill(folder);
  const Assessment a = assess(folder.path(), {});
  for (const Standard& s : a.standards)
    for (const StandardField& f : s.fields) {
      const bool has = f.value.has_value() || !f.text.empty();
      EXPECT_NE(has, f.reason.starts_with("N/A: ")) << s.id << " " << f.id;
    }
  EXPECT_FALSE(field(a, "eed", "PUE").value);
  EXPECT_FALSE(field(a, "sci", "SCI").value);
}

TEST(Standards, ScoreIsOperationAndMakingOverUnits) {
  Folder folder;
  fill(folder);
  AssessOptions o;
  o.standards.functional_units = {{1000, "requests"}};
  const Assessment a = assess(folder.path(), o);
  EXPECT_NEAR(*field(a, "sci", "SCI").value * 1000,
              (a.footprint.operational.value() + a.footprint.embodied.value()).in(gram), 1e-6);
  EXPECT_FALSE(field(a, "sci", "SCI").evidence.empty());
}

TEST(Standards, WhatCannotBeIsRefusedByName) {
  Folder folder;
  fill(folder);
  folder.with(
      "hall.csv",
      "symbol,value,unit\nEDC,100,MWh\nEIT,120000,kWh\nEREUSE,200,MWh\nWIN,50,m3\nNOPE,1,kWh\n");
  AssessOptions o;
  o.standards.functional_units = {{1, "requests"}, {2, "users"}};
  o.standards.market_g_per_kwh = 10;
  o.standards.offsets_t = 1e6;
  const Assessment a = assess(folder.path(), o);
  for (const char* part :
       {"PUE below 1", "ERF above 1", "mixed R: requests, users", "market-based intensity"})
    EXPECT_THAT(refused(a), HasSubstr(part));
  EXPECT_FALSE(field(a, "eed", "PUE").value);
  EXPECT_NEAR(*field(a, "eed", "WUE").value, 50.0 * 1000 / 120000, 1e-12);
  EXPECT_EQ(*field(a, "ghg", "offsets").value, 1e6);
  EXPECT_GT(a.footprint.total.value(), Carbon{});
  EXPECT_THAT(a.evidence.files[1].problems.at(0), HasSubstr("hall.csv:6: symbol"));
}

TEST(Standards, AHallsIndicators) {
  Folder folder;
  folder.with("hall.csv",
              "symbol,value,unit\nEDC,1300,MWh\nEIT,1000,MWh\nEREUSE,130,MWh\nWIN,1800,m3\nERES-"
              "TOT,650,MWh\n");
  const Assessment a = assess(folder.path(), {});
  EXPECT_NEAR(*field(a, "eed", "PUE").value, 1.3, 1e-12);
  EXPECT_NEAR(*field(a, "eed", "WUE").value, 1.8, 1e-12);
  EXPECT_NEAR(*field(a, "eed", "ERF").value, 0.1, 1e-12);
  EXPECT_NEAR(*field(a, "eed", "REF").value, 0.5, 1e-12);
  EXPECT_THAT(field(a, "eed", "PUE").evidence.at(0), HasSubstr("hall.csv:2"));
}

TEST(Assessment, ForeignFilesAreListedNotGuessed) {
  Folder folder;
  folder.with("README.md", "# hello\n")
      .with("x.csv", "a,b\n1,2\n")
      .with("empty", "")
      .with("n.json", "{\"x\":1}")
      .with(".hidden", "a");
  const Assessment a = assess(folder.path(), {});
  EXPECT_EQ(a.evidence.files.size(), 4U);
  for (const EvidenceFile& f : a.evidence.files) {
    EXPECT_EQ(f.format, "") << f.name;
    EXPECT_NE(f.remark, "") << f.name;
  }
  EXPECT_THROW(assess(folder.path() + "/none", {}), InputFileError);
}

}  // namespace
}  // namespace carnot::assess
