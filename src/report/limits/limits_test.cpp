// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/limits/limits.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/model/facility/climate.hpp"
#include "carnot/report/facility/facility.hpp"

#include "report/draw/testing_schema.hpp"
#include "report/draw/text_columns.hpp"

namespace carnot::report {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string schema_of(const char* name) {
  return std::string(CARNOT_SOURCE_DIR) + "/docs/formats/" + name + ".schema.json";
}

void expect_narrow(const std::string& text, std::size_t width) {
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t to = text.find('\n', from);
    ASSERT_NE(to, std::string::npos);
    EXPECT_LE(columns(text.substr(from, to - from)), width) << text.substr(from, to - from);
    from = to + 1;
  }
}

TEST(LimitsReport, DocumentAndTextSayTheSame) {
  LimitsReport r;
  r.command = "carnot limits";
  const std::string json = limits_json(r);
  EXPECT_THAT(schema_problems(schema_of("limits"), json), IsEmpty());
  EXPECT_EQ(json, limits_json(r));
  const std::string text = limits_terminal(r, 80, false);
  EXPECT_THAT(text, HasSubstr("300 K"));
  EXPECT_THAT(text, HasSubstr("2.87 zJ"));
  EXPECT_THAT(text, HasSubstr("1.1887"));  // AND of fair bits
  EXPECT_THAT(text, HasSubstr("Llama-3.1-405B"));
  for (const std::size_t width : {60u, 80u, 120u})
    expect_narrow(limits_terminal(r, width, false), width);
  r.map = model::named_map("erase");
  r.input = {0.9, 0.1};
  r.design = {0.5, 0.5};
  r.before = 100 * bit;
  r.after = 20 * bit;
  EXPECT_THAT(schema_problems(schema_of("limits"), limits_json(r)), IsEmpty());
  EXPECT_THAT(limits_terminal(r, 80, false), HasSubstr("0.5310"));  // mismatch, 1 - H(0.1)
  EXPECT_THAT(limits_terminal(r, 80, false), HasSubstr("230 zJ"));  // 80 bits of work
}

TEST(FacilityReport, DocumentAndTextSayTheSame) {
  FacilityReport r;
  r.command = "carnot facility";
  r.plant.reuse.share = 0.4;
  r.it = 700 * kilowatt;
  const std::array<Power, 1> it = {r.it};
  model::Climate c = model::named_climate("temperate");
  c.hours.resize(300);
  r.rows.push_back({c.name, c.source, c.hours.size(), model::plant_year(r.plant, c.hours, it),
                    model::plant_year(good_plant(r.plant), c.hours, it),
                    model::plant_year(poor_plant(r.plant), c.hours, it)});
  EXPECT_LE(r.rows[0].good.pue, r.rows[0].year.pue);
  EXPECT_GE(r.rows[0].poor.pue, r.rows[0].year.pue);
  r.node = {0.7, r.plant.supply, model::best_fan_speed({}, 0.7, r.plant.supply),
            model::server_at({}, 0.7, r.plant.supply, 0.2),
            model::server_at({}, 0.7, r.plant.supply, 1)};
  EXPECT_THAT(schema_problems(schema_of("facility"), facility_json(r)), IsEmpty());
  FacilitySite s;
  s.powers = {10 * megawatt, 2 * megawatt, 0.7 * megawatt, 0.5 * megawatt};
  s.surroundings = 288 * kelvin;
  s.entropy = model::site_entropy(s.powers, s.surroundings, 1e18);
  s.bits_per_second = 1e18;
  r.site = s;
  EXPECT_THAT(schema_problems(schema_of("facility"), facility_json(r)), IsEmpty());
  const std::string text = facility_terminal(r, 80, false);
  EXPECT_THAT(text, HasSubstr("W/K"));
  EXPECT_THAT(text, HasSubstr("reuse factor"));
  for (const std::size_t width : {60u, 80u, 120u})
    expect_narrow(facility_terminal(r, width, false), width);
}

}  // namespace
}  // namespace carnot::report
