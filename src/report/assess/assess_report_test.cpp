// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "carnot/report/assess/report.hpp"

#include "report/draw/testing_markup.hpp"
#include "report/draw/testing_schema.hpp"
#include "report/draw/testing_text.hpp"

namespace carnot::report {
namespace {

using testing::HasSubstr;
using testing::Not;

class AssessReport : public testing::Test {
 protected:
  AssessReport()
      : path_(std::filesystem::temp_directory_path() /
              ("carnot_assess_report" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
    write(
        "bill <&>.csv",
        "BilledCost,ListCost,BillingCurrency,ChargeCategory,ChargeDescription,ChargePeriodStart,"
        "ChargePeriodEnd,"
        "ConsumedQuantity,ConsumedUnit,ProviderName,RegionId,ResourceId,SubAccountId,ServiceName\n"
        "700,700,USD,Usage,On Demand p4d.24xlarge Instance "
        "Hour,2024-09-01,2024-10-01,720,Hours,AWS,us-east-1,"
        "arn:aws:ec2:us-east-1:123456789012:instance/i-0abcdef,123456789012,EC2\n"
        "3,3,USD,Usage,On Demand x9.96xlarge Instance "
        "Hour,2024-09-01,2024-10-01,720,Hours,AWS,us-east-1,i-2,123456789012,EC2\n"
        "3,3,USD,Usage,$0.08 per GB-month of gp3 "
        "storage,2024-09-01,2024-10-01,7200,GB-Months,AWS,us-east-1,v-2,123456789012,EC2\n"
        "x,3,USD,Usage,bad,2024-09-01,2024-10-01,1,GB,AWS,us-east-1,v-2,1,EC2\n");
    write("servers.csv", "hostname,cores,gpus,gpu_model\nown1,64,4,A100\n");
    write("usage.csv", "date,model,input_tokens,output_tokens\n2024-09-02,gpt-4o,100000,20000\n");
    write("hall.csv", "symbol,value,unit\nEDC,1,MWh\nEIT,2,MWh\n");
    write("notes.txt", "nothing of use\n");
  }
  ~AssessReport() override { std::filesystem::remove_all(path_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path_ / name) << text;
  }
  assess::Assessment assessed() const {
    assess::AssessOptions o;
    o.actions.budget_eur = 10000;
    o.standards.functional_units = {{1e6, "requests"}};
    return assess::assess(path_.string(), o);
  }
  std::filesystem::path path_;
};

TEST_F(AssessReport, PageIsSoundAndMayBePassedOn) {
  const std::string page = assess_html(assessed());
  expect_sound(page);
  EXPECT_THAT(page, Not(HasSubstr(path_.string())));
  EXPECT_THAT(page, Not(HasSubstr("123456789012")));
  for (const char* chapter :
       {"Assess", "Efficient hardware and cloud", "Models and algorithms", "Policy", "By standard"})
    EXPECT_THAT(page, HasSubstr(chapter));
  EXPECT_THAT(page, HasSubstr("PUE below 1"));
  EXPECT_THAT(page, HasSubstr("x9.96xlarge"));
}

TEST_F(AssessReport, DocumentFitsItsSchema) {
  const std::string document = assess_json(assessed(), "carnot assess folder --json");
  EXPECT_THAT(schema_problems(std::string(CARNOT_SOURCE_DIR) + "/docs/formats/assess.schema.json",
                              document),
              testing::IsEmpty());
  EXPECT_THAT(document, Not(HasSubstr(path_.string())));
  EXPECT_EQ(document, assess_json(assessed(), "carnot assess folder --json"));
  const auto json = nlohmann::json::parse(document);
  EXPECT_EQ(json["plan"]["budget_eur"], 10000);
  EXPECT_EQ(json["unknown_machines"][0]["type"], "x9.96xlarge");
}

TEST_F(AssessReport, TerminalSaysTheSame) {
  const assess::Assessment a = assessed();
  const std::string text = assess_terminal(a, {100, false});
  EXPECT_THAT(text, HasSubstr("bill <&>.csv:5: BilledCost: a number"));
  EXPECT_THAT(text, HasSubstr("not in the catalogue: x9.96xlarge"));
  EXPECT_THAT(text, HasSubstr("Best within 10000 EUR"));
  for (const std::string& line : lines_of(text)) EXPECT_LE(line.size(), 200U) << line;
}

TEST_F(AssessReport, AnEmptyFolderIsNoError) {
  std::filesystem::remove_all(path_);
  std::filesystem::create_directories(path_);
  const assess::Assessment a = assessed();
  expect_sound(assess_html(a));
  EXPECT_FALSE(assess_terminal(a, {}).empty());
  EXPECT_THAT(schema_problems(std::string(CARNOT_SOURCE_DIR) + "/docs/formats/assess.schema.json",
                              assess_json(a, "c")),
              testing::IsEmpty());
}

}  // namespace
}  // namespace carnot::report
