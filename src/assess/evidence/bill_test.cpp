// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/assess/activity/activity.hpp"
#include "carnot/base/random.hpp"

#include "assess/testing_evidence.hpp"

namespace carnot::assess {
namespace {

using testing::HasSubstr;

double money(const EvidenceFile& f, const std::string& currency) {
  double sum = 0;
  for (const auto& s : f.money.at(currency)) sum += s.value();
  return sum;
}

TEST(Bill, EveryRowHasOneOutcomeAndMoneyIsWhole) {
  Bill bill;
  bill.row({.resource = "i-1"});
  bill.row({.type = "x", .category = "Tax"});
  bill.row({.category = "Credit", .billed = -3.5});
  bill.row({.hours = -1, .billed = -1});
  bill.row({.unit = "GB-Months",
            .hours = 100,
            .description = "$0.08 per GB-month of General Purpose (gp3) provisioned storage"});
  bill.row({.unit = "GB", .hours = 5, .description = "$0.09 per GB - data transfer out"});
  bill.row({.unit = "GB",
            .hours = 5,
            .description = "$0.00 per GB - US West (Oregon) data transfer from EU (Ireland)"});
  bill.row({.type = "x99.96xlarge", .resource = "i-2"});
  bill.row({.unit = "Keys", .description = "$1 per customer managed key"});
  bill.row({.type = "m5.large",
            .description = "AWS Marketplace hourly software usage|us-east-1|m5.2xlarge"});
  Folder folder;
  folder.with("any name.txt", bill.text() + "not,enough,fields\n");
  Evidence e = folder.read();
  const ActivityGraph graph = merge(e, "");
  expect_accounted(e, graph);
  const EvidenceFile& f = e.files[0];
  EXPECT_EQ(f.format, "FOCUS bill");
  EXPECT_EQ(f.outcome_rows, (std::array<std::uint64_t, 4>{3, 5, 0, 3}));
  EXPECT_NEAR(money(f, "USD"), 10 - 2 - 4.5, 1e-12);
  ASSERT_EQ(f.problems.size(), 1U);
  EXPECT_THAT(f.problems[0], HasSubstr("any name.txt:12: row:"));
}

TEST(Bill, AnUnknownMachineIsNeverAnother) {
  Bill bill;
  bill.row({.type = "p9.96xlarge", .resource = "i-1", .hours = 10});
  Folder folder;
  folder.with("b.csv", bill.text());
  Evidence e = folder.read();
  const ActivityGraph graph = merge(e, "");
  EXPECT_TRUE(graph.activities.empty());
  ASSERT_EQ(e.unknown_machines.size(), 1U);
  EXPECT_EQ(e.unknown_machines[0].type, "p9.96xlarge");
  EXPECT_FALSE(e.unknown_machines[0].nearest.empty());
  EXPECT_GT(graph.unknown.high().base(), 1000 * graph.unknown.low().base());
}

TEST(Bill, ADiscountChangesNothing) {
  Folder full, cheap;
  Bill a, b;
  for (int i = 0; i < 50; ++i) {
    const std::string id = "i-" + std::to_string(i % 7);
    a.row({.resource = id, .from = kSeptember + 3600 * i});
    b.row({.resource = id,
           .billed = 0.1,
           .effective = 0.05,
           .list = 1,
           .from = kSeptember + 3600 * i});
  }
  full.with("b.csv", a.text());
  cheap.with("b.csv", b.text());
  Evidence ea = full.read(), eb = cheap.read();
  EXPECT_EQ(joules_of(merge(ea, "")), joules_of(merge(eb, "")));
}

TEST(Bill, ADedicatedHostAndItsInstancesCountOnce) {
  const auto host = [](Bill& bill) {
    bill.row({.type = "m5",
              .resource = "h-1",
              .hours = 24,
              .length = 86400,
              .description = "$5.069 per Dedicated m5 host hour",
              .resource_type = "dedicated-host"});
  };
  Bill both, alone;
  host(both);
  host(alone);
  for (int i = 0; i < 4; ++i)
    both.row({.type = "m5.2xlarge",
              .resource = "i-" + std::to_string(i),
              .hours = 24,
              .billed = 0,
              .effective = 0,
              .list = 0,
              .length = 86400});
  Folder a, b;
  a.with("b.csv", both.text());
  b.with("b.csv", alone.text());
  Evidence ea = a.read(), eb = b.read();
  const ActivityGraph ga = merge(ea, ""), gb = merge(eb, "");
  EXPECT_GT(joules_of(gb), 0);
  EXPECT_EQ(joules_of(ga), joules_of(gb));
  EXPECT_EQ(ea.files[0].outcome_rows[2], 4U);
  expect_accounted(ea, ga);
}

TEST(Bill, TheSameMonthInTwoFormatsCountsOnce) {
  Bill focus;
  focus.row({.resource = "arn:aws:ec2:us-west-2:1:instance/i-1", .hours = 2, .length = 7200});
  const std::string cur =
      "line_item_usage_type,line_item_unblended_cost,line_item_usage_amount,pricing_unit,line_item_"
      "line_item_type,"
      "line_item_resource_id,product_instance_type,product_region_code,line_item_usage_start_date,"
      "line_item_usage_end_date,"
      "line_item_currency_code,line_item_usage_account_id\n"
      "BoxUsage:c5.2xlarge,1,2,Hrs,Usage,arn:aws:ec2:us-west-2:1:instance/"
      "i-1,c5.2xlarge,us-west-2," +
      time_text(kSeptember) + "," + time_text(kSeptember + 7200) + ",USD,1\n";
  Folder folder;
  folder.with("a.csv", focus.text()).with("b.csv", cur).with("copy of a.csv", focus.text());
  Evidence e = folder.read();
  const ActivityGraph graph = merge(e, "");
  EXPECT_NEAR(hours_of(graph), 2, 1e-9);
  EXPECT_THAT(e.files[2].remark, HasSubstr("the same bytes"));
  EXPECT_EQ(e.files[1].format, "AWS cost and usage report");
  EXPECT_EQ(e.files[1].outcome_rows[2], 1U);
}

TEST(Bill, UseUnderAReservationIsUse) {
  std::string cur =
      "line_item_usage_type,line_item_unblended_cost,line_item_usage_amount,pricing_unit,line_item_"
      "line_item_type,"
      "line_item_resource_id,product_instance_type,line_item_usage_start_date,line_item_usage_end_"
      "date,line_item_currency_code\n";
  for (const char* type : {"DiscountedUsage", "SavingsPlanCoveredUsage", "SavingsPlanNegation",
                           "RIFee", "EdpDiscount"})
    cur += std::string("BoxUsage:m5.large,1,1,Hrs,") + type +
           ",i-1,m5.large,2024-09-01T00:00:00Z,2024-09-01T02:00:00Z,USD\n";
  Folder folder;
  folder.with("cur.csv", cur);
  Evidence e = folder.read();
  const ActivityGraph graph = merge(e, "");
  EXPECT_EQ(e.files[0].outcome_rows, (std::array<std::uint64_t, 4>{2, 3, 0, 0}));
  EXPECT_NEAR(hours_of(graph), 2, 1e-9);
}

TEST(Bill, AzureAndGoogleExportsAreRead) {
  Folder folder;
  folder.with("azure.csv",
              "Date,MeterCategory,MeterSubCategory,MeterName,Quantity,UnitOfMeasure,"
              "CostInBillingCurrency,BillingCurrency,"
              "ResourceLocation,ResourceId,AdditionalInfo,ChargeType\n"
              "09/18/2024,Virtual Machines,ND,ND96,24,1 "
              "Hour,700,EUR,westeurope,/subscriptions/1/virtualMachines/gpu01,"
              "\"{\"\"ServiceType\"\":\"\"Standard_ND96asr_v4\"\"}\",Usage\n");
  folder.with("google.csv",
              "Service description,SKU description,Usage amount,Usage "
              "unit,Cost,Currency,location.region,Usage start time,Usage end time\n"
              "Compute Engine,N2 Instance Core running in "
              "Iowa,36000,seconds,1,EUR,us-central1,2024-09-18T00:00:00Z,2024-09-18T10:00:00Z\n");
  Evidence e = folder.read();
  const ActivityGraph graph = merge(e, "");
  ASSERT_EQ(graph.activities.size(), 2U);
  EXPECT_EQ(graph.activities[0].what, "Standard_ND96asr_v4");
  EXPECT_EQ(graph.activities[0].place, "NL");
  EXPECT_NEAR(graph.activities[0].machine_hours, 24, 1e-9);
  EXPECT_EQ(graph.activities[1].place, "US-IA");
  EXPECT_NEAR(graph.activities[1].amount, 10, 1e-9);
  expect_accounted(e, graph);
}

TEST(Bill, DamagedBillsAreStillAccountedFor) {
  Bill bill;
  for (int i = 0; i < 40; ++i)
    bill.row({.type = i % 3 == 0 ? "p4d.24xlarge" : "m5.large",
              .resource = "i-" + std::to_string(i % 5),
              .from = kSeptember + 3600 * i});
  const RandomStream random(7, "mutations");
  for (std::uint64_t k = 0; k < 300; ++k) {
    std::string text = bill.text();
    for (std::uint64_t m = 0; m < 1 + k % 9; ++m) {
      const auto at = static_cast<std::size_t>(random.below(k * 100 + 3 * m, text.size()));
      const char with = "\",\n;0-9.x\0"[random.below(k * 100 + 3 * m + 1, 10)];
      if (random.below(k * 100 + 3 * m + 2, 3) == 0)
        text.erase(at, 1 + random.below(k * 100 + 50 + m, 30));
      else
        text[at] = with;
    }
    Folder folder;
    folder.with("b.csv", text);
    Evidence e = folder.read();
    const ActivityGraph graph = merge(e, "");
    expect_accounted(e, graph);
  }
}

TEST(Bill, FocusSample) {
  const char* data = std::getenv("CARNOT_DATA");
  const std::string path =
      std::string(data != nullptr ? data : "../shared/data") + "/focus-sample/focus_sample.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << " (set CARNOT_DATA)";
  Folder folder;
  folder.with("sample", read_file(path));
  Evidence e = folder.read();
  const ActivityGraph graph = merge(e, "");
  expect_accounted(e, graph);
  EXPECT_EQ(e.files[0].rows, 1000U);
  EXPECT_NEAR(money(e.files[0], "USD"), 20.52022672899, 1e-9);
  EXPECT_GE(e.files[0].outcome_rows[0], 600U);
  EXPECT_EQ(e.files[0].problem_count, 0U);
}

}  // namespace
}  // namespace carnot::assess
