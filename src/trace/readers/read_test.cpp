// SPDX-License-Identifier: Apache-2.0
// The general CSV reader.
#include "carnot/trace/readers/read.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"

namespace carnot::inline trace {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Instant kStart = Instant::parse("2020-01-01T00:00Z");

template <class Q = Power>
TraceFile<Q> parse(const std::string& text, CsvOptions options = {}) {
  return parse_csv<Q>(text, "f.csv", options);
}

template <class Q = Power>
std::string refusal(const std::string& text, CsvOptions options = {}) {
  try {
    parse_csv<Q>(text, "f.csv", options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::vector<double> megawatts(const Trace<Power>& trace) {
  std::vector<double> result;
  for (std::size_t i = 0; i < trace.size(); ++i) result.push_back(trace[i].in(megawatt));
  return result;
}

const std::string kPlain =
    "time,wind_mw\n2020-01-01T00:00Z,1\n2020-01-01T01:00Z,2.5\n2020-01-01T02:00Z,0\n";

std::string gzipped(const std::string& text) {
  std::string result(compressBound(text.size()) + 64, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

TEST(ReadCsv, PlainFile) {
  const TraceFile<Power> file = parse(kPlain);
  EXPECT_THAT(megawatts(file.trace), ElementsAre(1.0, 2.5, 0.0));
  EXPECT_EQ(file.trace.begin(), kStart);
  EXPECT_EQ(file.trace.core().step(), Duration::seconds(3600));
  EXPECT_EQ(file.trace.end(), kStart + Duration::seconds(3 * 3600));
  EXPECT_TRUE(file.filled.empty());
  EXPECT_THAT(file.provenance, AllOf(HasSubstr("f.csv"), HasSubstr("wind_mw"), HasSubstr("[MW]"),
                                     HasSubstr("3 intervals of 3600 s")));
}

// The same three hours in every dress the format allows.
TEST(ReadCsv, RecognisesSeparatorsQuotesLineEndsMarksAndGzip) {
  const std::vector<std::string> dresses{
      "time;wind_mw\n2020-01-01T00:00Z;1\n2020-01-01T01:00Z;2.5\n2020-01-01T02:00Z;0\n",
      "time\twind_mw\n2020-01-01T00:00Z\t1\n2020-01-01T01:00Z\t2.5\n2020-01-01T02:00Z\t0\n",
      "\xEF\xBB\xBFtime,wind_mw\r\n2020-01-01T00:00Z,1\r\n2020-01-01T01:00Z,2.5\r\n"
      "2020-01-01T02:00Z,0\r\n",
      "\"time\",\"wind [MW]\"\n\"2020-01-01T00:00Z\",\"1\"\n\"2020-01-01T01:00Z\",\"2.5\"\n"
      "\"2020-01-01T02:00Z\",\"0\"\n",
      "time,wind (MW)\n2020-01-01 00:00:00Z, 1 \n2020-01-01 02:00:00.000+01:00,+2.5\n"
      "2020-01-01T01:30-0030,0e0\n",
      "# made by hand\n# twice\ntime,wind_mw\n2020-01-01T00:00Z,1\n2020-01-01T01:00Z,2.5\n"
      "2020-01-01T02:00Z,0\n\n\n",
      "time,wind_mw\n2020-01-01T00:00Z,1\n2020-01-01T01:00Z,2.5\n2020-01-01T02:00Z,0",
      "note,time,wind_mw,more\n\"a, \"\"b\"\"\",2020-01-01T00:00Z,1,x\nc,2020-01-01T01:00Z,2.5,\n"
      ",2020-01-01T02:00Z,0,y\n",
      gzipped(kPlain)};
  CsvOptions options;
  options.column = "wind";
  const std::vector<double> expected{1.0, 2.5, 0.0};
  for (const std::string& dress : dresses) {
    options.time_column = dress.substr(0, 4) == "note" ? "time" : "";
    const TraceFile<Power> file = parse(dress, options);
    EXPECT_EQ(megawatts(file.trace), expected) << dress;
    EXPECT_EQ(file.trace.begin(), kStart) << dress;
    EXPECT_EQ(file.trace.core().step(), Duration::seconds(3600)) << dress;
  }
}

TEST(ReadCsv, UnitsInHeadersAndOptions) {
  const auto with = [](const std::string& header) {
    return fmt::format("t,{}\n2020-01-01T00:00Z,3\n2020-01-01T01:00Z,3\n", header);
  };
  EXPECT_EQ(parse<Power>(with("p_kw")).trace[0].in(kilowatt), 3.0);
  EXPECT_EQ(parse<Power>(with("p_w")).trace[0].in(watt), 3.0);
  EXPECT_EQ(parse<Power>(with("p [GW]")).trace[0].in(megawatt), 3000.0);
  EXPECT_EQ(parse<Power>(with("p"), {.unit = "kW"}).trace[0].in(kilowatt), 3.0);
  EXPECT_NEAR(parse<EnergyPrice>(with("price [EUR/MWh]")).trace[0].in(euro_per_megawatt_hour), 3.0,
              1e-12);
  EXPECT_NEAR(parse<EnergyPrice>(with("price_eur_per_kwh")).trace[0].in(euro_per_kilowatt_hour),
              3.0, 1e-12);
  EXPECT_NEAR(parse<CarbonIntensity>(with("ci [gCO2e/kWh]")).trace[0].in(gram_per_kilowatt_hour),
              3.0, 1e-12);
  EXPECT_NEAR(to_celsius(parse<Temperature>(with("air_c")).trace[0]), 3.0, 1e-12);
  EXPECT_EQ(parse<Temperature>(with("air [K]")).trace[0].in(kelvin), 3.0);
  EXPECT_NEAR(parse<Speed>(with("wind_kmh")).trace[0].in(metre_per_second), 3.0 / 3.6, 1e-12);
  EXPECT_EQ(parse<double>(with("share")).trace[0], 3.0);
  EXPECT_EQ(parse<double>(with("share [%]")).trace[0], 0.03);
  const auto dollars = parse<EnergyPrice>(with("price_usd_per_mwh"), {.euro_per_dollar = 0.5});
  EXPECT_NEAR(dollars.trace[0].in(euro_per_megawatt_hour), 1.5, 1e-12);
  EXPECT_THAT(dollars.provenance, HasSubstr("0.5 EUR/USD"));
  EXPECT_THAT(refusal<Power>(with("p")), HasSubstr("f.csv:1: p: a unit in the header"));
  EXPECT_THAT(refusal<Power>(with("p_eur_per_mwh")), HasSubstr("f.csv:1: p_eur_per_mwh"));
  EXPECT_THAT(refusal<Power>(with("p"), {.unit = "furlong"}), HasSubstr("furlong"));
}

TEST(ReadCsv, EndsAndZones) {
  CsvOptions options;
  options.times = TimeMark::Ends;
  const std::string text = "t,p_mw\n2020-01-01 01:00,1\n2020-01-01 02:00,2\n";
  EXPECT_THAT(refusal(text, options), HasSubstr("f.csv:2: t: a time with `Z` or an offset"));
  options.zone = "Z";
  EXPECT_EQ(parse(text, options).trace.begin(), kStart);
  options.zone = "+01:00";
  EXPECT_EQ(parse(text, options).trace.begin(), kStart - Duration::seconds(3600));
  options.zone = "Berlin";
  EXPECT_THAT(refusal(text, options), HasSubstr("fixed offset such as `+01:00`"));
  const std::string days = "t,p_mw\n2020-01-01,1\n2020-01-02,2\n";
  EXPECT_EQ(parse(days, {.zone = "Z"}).trace.core().step(), Duration::seconds(86400));
}

struct BadCase {
  const char* rows;
  const char* message;
};

TEST(ReadCsv, SaysWhatIsWrongAndWhere) {
  const std::string good = "2020-01-01T00:00Z,1\n2020-01-01T01:00Z,2\n2020-01-01T02:00Z,3\n";
  const BadCase cases[] = {
      {"2020-01-01T04:00Z,4\n",
       "f.csv:5: time: no gap; [2020-01-01T03:00:00Z, 2020-01-01T04:00:00Z)"},
      {"2020-01-01T02:30Z,4\n", "f.csv:5: time: 2020-01-01T03:00:00Z or later"},
      {"2020-01-01T02:00Z,4\n", "stands twice"},
      {"2020-01-01T01:30Z,4\n", "goes back"},
      {"2020-01-01T03:00Z,\n", "f.csv:5: wind_mw: a finite number; the cell is empty"},
      {"2020-01-01T03:00Z,NaN\n", "f.csv:5: wind_mw: a finite number; the cell is empty"},
      {"2020-01-01T03:00Z,inf\n", "f.csv:5: wind_mw: a finite number, found `inf`"},
      {"2020-01-01T03:00Z,1e999\n", "found `1e999`"},
      {"2020-01-01T03:00Z,4,4\n", "f.csv:5: 2 fields, as the header has; found 3"},
      {"2020-01-01T03:00Z\n", "f.csv:5: 2 fields, as the header has; found 1"},
      {"2020-01-01T03:00Z,-4\n", "f.csv:5: wind_mw: 0 or more"},
      {"2020-01-01T03:00Z,4 MW\n", "found `4 MW`"},
      {"2020-01-01T03:00Z,\"4\n", "found `\"4`"},
      {"2020-13-01T03:00Z,4\n", "f.csv:5: time: a time such as"},
      {"2020-01-01T24:00Z,4\n", "f.csv:5: time: a time such as"},
      {"2020-01-01T03:60Z,4\n", "f.csv:5: time: a time such as"},
      {"2020-01-01T03:00 CET,4\n", "f.csv:5: time: a time such as"},
      {"yesterday,4\n", "f.csv:5: time: a time such as"},
      {"\n2020-01-01T03:00Z,4\n", "f.csv:5: a row; blank lines"},
  };
  for (const BadCase& bad : cases) {
    EXPECT_THAT(refusal("time,wind_mw\n" + good + bad.rows), HasSubstr(bad.message)) << bad.rows;
  }
  // Several at once.
  EXPECT_THAT(refusal("time,wind_mw\n" + good + "2020-01-01T05:00Z,-1\n2020-01-01T06:00Z,\n"),
              AllOf(HasSubstr("f.csv:5: time: no gap"), HasSubstr("f.csv:5: wind_mw: 0 or more"),
                    HasSubstr("f.csv:6: wind_mw")));
}

TEST(ReadCsv, RefusesFilesWithoutData) {
  EXPECT_THAT(refusal(""), HasSubstr("empty"));
  EXPECT_THAT(refusal("# only a remark\n"), HasSubstr("empty"));
  EXPECT_THAT(refusal("\n\n"), HasSubstr("header"));
  EXPECT_THAT(refusal("time,wind_mw\n"), HasSubstr("rows below the header"));
  EXPECT_THAT(refusal("time,wind_mw\n\n\n"), HasSubstr("rows below the header"));
  EXPECT_THAT(refusal("time,wind_mw\n2020-01-01T00:00Z,1\n"), HasSubstr("two rows"));
  EXPECT_THAT(refusal("time\n2020-01-01T00:00Z\n"), HasSubstr("1 columns"));
  EXPECT_THAT(refusal("time,a_mw,b_mw\n"), HasSubstr("the option `column`"));
  EXPECT_THAT(refusal("time,wind_mw\n", {.column = "wimd_mw"}),
              HasSubstr("did you mean `wind_mw`?"));
  EXPECT_THAT(refusal("time,wind_mw\n", {.column = "time"}),
              HasSubstr("other than the one of times"));
  EXPECT_THAT(refusal(gzipped(kPlain).substr(0, 40)), HasSubstr("gzip"));
  EXPECT_THROW(read_csv<Power>("/nonexistent/f.csv"), IoError);
}

TEST(ReadCsv, StopsAfterFiftyProblems) {
  std::string text = "time,wind_mw\n2020-01-01T00:00Z,1\n";
  for (int i = 0; i < 5000; ++i) text += "never,1\n";
  const std::string message = refusal(text);
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n') + 1, 50);
}

const std::string kHoles =
    "time,wind_mw\n2020-01-01T00:00Z,1\n2020-01-01T01:00Z,2\n2020-01-01T04:00Z,5\n"
    "2020-01-01T05:00Z,\n2020-01-01T06:00Z,9\n2020-01-01T07:00Z,9\n";

TEST(ReadCsv, FillsGapsAsAskedAndTells) {
  const TraceFile<Power> held = parse(kHoles, {.gaps = GapPolicy::Hold});
  EXPECT_THAT(megawatts(held.trace), ElementsAre(1, 2, 2, 2, 5, 5, 9, 9));
  ASSERT_EQ(held.filled.size(), 2u);
  EXPECT_EQ(held.filled[0].from, kStart + Duration::seconds(2 * 3600));
  EXPECT_EQ(held.filled[0].to, kStart + Duration::seconds(4 * 3600));
  EXPECT_EQ(held.filled[1].from, kStart + Duration::seconds(5 * 3600));
  EXPECT_THAT(held.provenance, HasSubstr("2 gaps filled (hold)"));
  const TraceFile<Power> line = parse(kHoles, {.gaps = GapPolicy::Linear});
  EXPECT_THAT(megawatts(line.trace), ElementsAre(1, 2, 3, 4, 5, 7, 9, 9));
  // With times at ends the holes lie an hour earlier.
  const TraceFile<Power> ends = parse(kHoles, {.times = TimeMark::Ends, .gaps = GapPolicy::Hold});
  EXPECT_EQ(ends.filled[0].from, kStart + Duration::seconds(3600));
  EXPECT_EQ(gap_policy("linear"), GapPolicy::Linear);
  EXPECT_THROW(gap_policy("ignore"), InputError);
}

TEST(ReadCsv, GapsThatCannotBeFilledAreRefused) {
  const std::string head =
      "time,wind_mw\n2020-01-01T00:00Z,1\n2020-01-01T01:00Z,2\n2020-01-01T02:00Z,2\n";
  EXPECT_THAT(refusal(head + "2020-01-01T04:10Z,5\n", {.gaps = GapPolicy::Hold}),
              HasSubstr("a whole number of steps of 3600 s"));
  EXPECT_THAT(refusal(head + "2020-01-01T03:00Z,\n", {.gaps = GapPolicy::Linear}),
              HasSubstr("both sides"));
  EXPECT_EQ(parse(head + "2020-01-01T03:00Z,\n", {.gaps = GapPolicy::Hold}).trace.size(), 4u);
  EXPECT_THAT(
      refusal("time,wind_mw\n2020-01-01T00:00Z,\n2020-01-01T01:00Z,2\n", {.gaps = GapPolicy::Hold}),
      HasSubstr("both sides"));
  EXPECT_EQ(parse("time,wind_mw\n2020-01-01T00:00Z,\n2020-01-01T01:00Z,2\n2020-01-01T02:00Z,\n",
                  {.trim_ends = true})
                .trace.begin(),
            kStart + Duration::seconds(3600));
  EXPECT_THAT(
      refusal("time,wind_mw\n2020-01-01T00:00Z,\n2020-01-01T01:00Z,\n", {.trim_ends = true}),
      HasSubstr("all cells are empty"));
  EXPECT_THAT(refusal("time,wind_mw\n1700-01-01T00:00:00Z,1\n1700-01-01T00:00:01Z,1\n"
                      "1700-01-01T00:00:02Z,1\n2200-01-01T00:00:00Z,1\n",
                      {.gaps = GapPolicy::Hold}),
              HasSubstr("292 years"));
  EXPECT_THAT(refusal("time,wind_mw\n2000-01-01T00:00:00Z,1\n2000-01-01T00:00:01Z,1\n"
                      "2000-01-01T00:00:02Z,1\n2200-01-01T00:00:00Z,1\n",
                      {.gaps = GapPolicy::Hold}),
              HasSubstr("10000000 steps"));
  EXPECT_THAT(
      refusal("time,wind_mw\n2020-01-01T00:00Z,1\n2020-01-01T01:00Z,1\n2020-01-01T03:00Z,1\n"
              "2020-01-01T06:00Z,1\n2020-01-01T10:00Z,1\n"),
      HasSubstr("no difference has a majority"));
}

RC_GTEST_PROP(ReadCsvProperty, WhatIsWrittenIsReadBack, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(2, 80);
  const Instant start =
      Instant::from_unix_seconds(*rc::gen::inRange<std::int64_t>(-5'000'000'000, 5'000'000'000));
  const std::int64_t step = *rc::gen::inRange<std::int64_t>(1, 100'000);
  const char separator = *rc::gen::element(',', ';', '\t');
  const bool quotes = *rc::gen::arbitrary<bool>();
  const std::string end = *rc::gen::element<std::string>("\n", "\r\n");
  const std::string mark = quotes ? "\"" : "";
  std::string text = fmt::format("t{}x{}", separator, end);
  std::vector<double> expected;
  for (std::size_t i = 0; i < n; ++i) {
    expected.push_back(*rc::gen::map(rc::gen::arbitrary<std::int64_t>(),
                                     [](std::int64_t v) { return static_cast<double>(v) * 1e-7; }));
    text += fmt::format("{0}{1}{0}{2}{0}{3}{0}{4}", mark,
                        (start + Duration::seconds(step * static_cast<std::int64_t>(i))).iso8601(),
                        separator, shortest(expected.back()), end);
  }
  const bool zip = *rc::gen::arbitrary<bool>();
  const TraceFile<double> file = parse<double>(zip ? gzipped(text) : text);
  RC_ASSERT(file.trace.begin() == start);
  RC_ASSERT(file.trace.core().step() == Duration::seconds(step));
  RC_ASSERT(std::vector<double>(file.trace.core().mean().begin(), file.trace.core().mean().end()) ==
            expected);
}

TEST(ReadCsv, FilesAreReadInPiecesAsTextIs) {
  // Long enough to cross many read chunks at odd places.
  std::string text = "time,wind_mw\n";
  for (int i = 0; i < 60'000; ++i) {
    text +=
        (kStart + Duration::seconds(60 * i)).iso8601() + "," + std::to_string(i % 977) + ".25\n";
  }
  const std::string path =
      testing::TempDir() + "carnot_read_test_" + std::to_string(getpid()) + ".csv";
  for (const std::string& content : {text, gzipped(text)}) {
    std::ofstream(path, std::ios::binary) << content;
    const TraceFile<Power> file = read_csv<Power>(path);
    ASSERT_EQ(file.trace.size(), 60'000u);
    for (std::size_t i = 0; i < 60'000; ++i) {
      ASSERT_EQ(file.trace[i].in(megawatt), static_cast<double>(i % 977) + 0.25);
    }
  }
  std::ofstream(path, std::ios::binary) << gzipped(text).substr(0, 5000);
  EXPECT_THROW(read_csv<Power>(path), InputError);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace carnot::inline trace
