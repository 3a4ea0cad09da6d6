// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: a folder of files written by the test, gone with it, and small bills.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "carnot/assess/activity/activity.hpp"
#include "carnot/assess/evidence/folder.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/instant.hpp"

namespace carnot::assess {

class Folder {
 public:
  Folder() {
    static std::atomic<int> count{0};
    path_ = std::filesystem::temp_directory_path() /
            fmt::format("carnot_assess_{}_{}", ::getpid(), count++);
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  Folder& with(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;  // need not outlive a crash
    return *this;
  }
  std::string path() const { return path_.string(); }
  Evidence read() const { return read_evidence(path()); }

 private:
  std::filesystem::path path_;
};

inline std::string time_text(std::int64_t seconds) {
  return Instant::from_unix_seconds(seconds).iso8601();
}

/// 2024-09-01, where the tests' time begins.
inline constexpr std::int64_t kSeptember = 1725148800;

/// A FOCUS bill, a row at a time.
class Bill {
 public:
  struct Row {
    std::string type = "c5.2xlarge", resource = "", name = "", region = "us-west-2", unit = "Hours",
                category = "Usage";
    double hours = 1, billed = 1, effective = 1, list = 1;
    std::int64_t from = kSeptember, length = 3600;
    std::string description = "", resource_type = "instance", provider = "AWS";
  };
  Bill& row(const Row& r) {
    const std::string words = r.description.empty()
                                  ? "$1 per On Demand Linux " + r.type + " Instance Hour"
                                  : r.description;
    text_ += fmt::format("{},{},{},USD,{},\"{}\",{},{},{},{},{},{},{},{},{},{}\n", r.billed,
                         r.effective, r.list, r.category, words, time_text(r.from),
                         time_text(r.from + r.length), r.hours, r.unit, r.provider, r.region,
                         r.resource, r.name, r.resource_type, "Amazon Elastic Compute Cloud");
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_ =
      "BilledCost,EffectiveCost,ListCost,BillingCurrency,ChargeCategory,ChargeDescription,"
      "ChargePeriodStart,"
      "ChargePeriodEnd,ConsumedQuantity,ConsumedUnit,ProviderName,RegionId,ResourceId,ResourceName,"
      "ResourceType,"
      "ServiceName\n";
};

inline double hours_of(const ActivityGraph& graph) {
  double hours = 0;
  for (const Activity& a : graph.activities) hours += a.machine_hours;
  return hours;
}

inline double joules_of(const ActivityGraph& graph) {
  double joules = 0;
  for (const Activity& a : graph.activities) joules += a.energy.value().in(joule);
  return joules;
}

/// What must hold for every folder: each row one outcome, money whole, no negative joule.
inline void expect_accounted(const Evidence& e, const ActivityGraph& graph) {
  for (const EvidenceFile& f : e.files) {
    std::uint64_t sum = 0;
    for (const std::uint64_t n : f.outcome_rows) sum += n;
    EXPECT_EQ(sum, f.rows) << f.name;
  }
  for (const Activity& a : graph.activities) {
    EXPECT_GE(a.energy.value().in(joule), 0) << a.what;
    EXPECT_GE(a.energy.low().in(joule), 0) << a.what;
    for (const double j : a.joules) EXPECT_GE(j, 0) << a.what;
  }
}

}  // namespace carnot::assess
