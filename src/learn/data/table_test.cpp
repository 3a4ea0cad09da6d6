// SPDX-License-Identifier: Apache-2.0
#include "learn/data/table.hpp"

#include <cmath>
#include <ctime>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

#include "learn/data/dates.hpp"
#include "learn/data/encode.hpp"
#include "learn/data/numbers.hpp"

namespace carnot::learn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Table read(std::string text, std::string_view label = "", HeaderRow header = HeaderRow::Found) {
  return read_table(std::move(text), "t", label, header);
}

Split split_of(const std::string& text, const EncodeOptions& options) {
  return encode_tables(read(text, options.labels), nullptr, options);
}

EncodeOptions labelled(const std::string& label) {
  EncodeOptions options;
  options.labels = label;
  return options;
}

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string refused(const std::string& text, const EncodeOptions& options = labelled("label")) {
  return refusal([&] { split_of(text, options); });
}

std::vector<double> column(const Table& table, std::size_t c,
                           const std::vector<std::string>& words = {}) {
  const MissingWords missing(words);
  const ColumnReader reader(table, missing);
  const Cells cells = reader.cells(c, reader.style(c));
  std::vector<double> values;
  for (std::size_t r = 0; r < table.rows; ++r)
    values.push_back(cells.kinds[r] == CellKind::Number    ? cells.values[r]
                     : cells.kinds[r] == CellKind::Missing ? std::nan("")
                                                           : -1e99);
  return values;
}

/// A column of numbers in which every fourth cell is `word`, and what comes of it.
Split with_word(const std::string& word, const EncodeOptions& options = labelled("label")) {
  const RandomStream stream(3, "cells");
  std::string text = "a,b,label\n";
  for (std::uint64_t i = 0; i < 400; ++i) {
    const double a = stream.uniform(2 * i);
    text += fmt::format("{},{},{}\n", i % 4 == 1 ? word : fmt::format("{}", a),
                        stream.uniform(2 * i + 1), a > 0.5 ? 1 : 0);
  }
  return split_of(text, options);
}

TEST(MissingWords, AmongNumbersAllSayTheSame) {
  const Split empty = with_word("");
  for (const char* word :
       {"null", "NULL", "None",    "N/A", "n/a",  "-",       "--",   "NaN", "nan", "?",
        ".",    "NA",   "missing", "\\N", "#N/A", "#VALUE!", "<NA>", "NaT", "nil", "n.a."})
    EXPECT_EQ(with_word(word).train.features, empty.train.features) << word;
}

TEST(MissingWords, UnknownOnesAreNeverRanksOfText) {
  for (const char* word : {"unknown", "k. A.", "free", "keine Angabe"}) {
    std::string said;
    said = refusal([&] { with_word(word); });
    EXPECT_THAT(said,
                HasSubstr(fmt::format("t:3: a: a number as in 300 other rows, found `{}`", word)));
    EXPECT_THAT(said, HasSubstr("--missing"));
    EncodeOptions told = labelled("label");
    told.missing = {word};
    EXPECT_EQ(with_word(word, told).train.features, with_word("").train.features);
  }
}

TEST(MissingWords, SentinelsByValue) {
  EncodeOptions told = labelled("label");
  told.missing = {"-999"};
  EXPECT_EQ(with_word("-999.0", told).train.features, with_word("").train.features);
  EXPECT_NE(with_word("-999.0").train.features, with_word("").train.features);
}

TEST(MissingWords, ClassesMayBeCalledNone) {
  std::string text = "a,label\n";
  for (int i = 0; i < 40; ++i) text += fmt::format("{},{}\n", i, i % 2 ? "none" : "mild");
  EXPECT_THAT(split_of(text, labelled("label")).train.class_names, ElementsAre("mild", "none"));
  std::string words = "a,label\n";
  for (int i = 0; i < 40; ++i) words += fmt::format("{},{}\n", i % 2 ? "none" : "-", i % 2);
  EXPECT_EQ(split_of(words, labelled("label")).train.columns, 2u) << "words alone are categories";
}

TEST(MissingLabels, AreDroppedOnRequestAlone) {
  std::string text = "a,label\n";
  for (int i = 0; i < 60; ++i)
    text += fmt::format("{},{}\n", i, i % 3 == 1 ? "NA" : i % 2 ? "x" : "y");
  EXPECT_THAT(refused(text), HasSubstr("t:3: label: a label in every row, found `NA`; 20 of 60"));
  EncodeOptions drop = labelled("label");
  drop.drop_unlabelled = true;
  const Split s = split_of(text, drop);
  EXPECT_EQ(s.train.rows + s.test.rows, 40u);
  EXPECT_THAT(s.train.source, HasSubstr("20 rows without a label left out"));
}

TEST(Numbers, InTheWaysOfTheWorld) {
  const Table german = read("a;b;c\n0,5;1.234;x\n12,25;987.654;y\n-1.234,5;-1.000;z\n");
  EXPECT_EQ(german.separator, ';');
  EXPECT_THAT(column(german, 0), ElementsAre(0.5, 12.25, -1234.5));
  EXPECT_THAT(column(german, 1), ElementsAre(1234.0, 987654.0, -1000.0))
      << "beside decimal commas a point groups";
  const Table quoted = read("a,b\n\"0,5\",x\n\"1,75\",y\n\"3\",z\n");
  EXPECT_THAT(column(quoted, 0), ElementsAre(0.5, 1.75, 3.0));
  const Table english = read("a,b\n\"1,234\",x\n\"12,345,678.5\",y\n99,z\n");
  EXPECT_THAT(column(english, 0), ElementsAre(1234.0, 12345678.5, 99.0));
  const Table bare = read("1,5;2,5;x\n3,25;4;y\n");
  EXPECT_EQ(bare.separator, ';') << "commas inside numbers set nothing apart";
  EXPECT_THAT(column(bare, 0), ElementsAre(1.5, 3.25));
  const Table tabs = read("a\tb\n1,234\t0.5\n2,500\t0.25\n");
  EXPECT_THAT(column(tabs, 0), ElementsAre(1234.0, 2500.0));
  EXPECT_THAT(column(read("a;b\n1,234;x\n2,500;y\n"), 0), ElementsAre(1.234, 2.5));
  EXPECT_THAT(column(read("a;b\n1 234,5;x\n2\xC2\xA0"
                          "500;y\n7;z\n"),
                     0),
              ElementsAre(1234.5, 2500.0, 7.0));
  EXPECT_THAT(column(read("a,b\n1'234.5,x\n7,y\n"), 0), ElementsAre(1234.5, 7.0));
  EXPECT_THAT(column(read("a,b\n$5,x\n-$7.25,y\n\"$1,000\",z\n"), 0), ElementsAre(5, -7.25, 1000));
  EXPECT_THAT(column(read("a,b\n5 %,x\n7.5%,y\n-,z\n"), 0)[1], 7.5);
  EXPECT_THAT(column(read("a,b\n\xE2\x88\x92"
                          "3,x\n4,y\n"),
                     0),
              ElementsAre(-3, 4));
  EXPECT_THAT(column(read("a,b\n0.123,x\n0.456,y\n"), 0), ElementsAre(0.123, 0.456));
}

RC_GTEST_PROP(Numbers, ComeBackInEveryStyle, ()) {
  // The oracle writes each number digit by digit in the style; the reader must find it again.
  const bool comma = *rc::gen::arbitrary<bool>();
  const char group = *rc::gen::elementOf(std::string(comma ? ". '" : ", '"));
  const auto values =
      *rc::gen::container<std::vector<int>>(40, rc::gen::inRange(-2000000000, 2000000000));
  std::string text = "n;w\n";
  std::vector<double> expected;
  for (const int v : values) {
    const long long cents = std::llabs(static_cast<long long>(v));
    std::string whole = std::to_string(cents / 100);
    for (std::size_t at = whole.size(); at > 3;) whole.insert(at -= 3, 1, group);
    text += fmt::format("{}{}{}{:02};w\n", v < 0 ? "-" : "", whole, comma ? ',' : '.', cents % 100);
    expected.push_back((v < 0 ? -1.0 : 1.0) * static_cast<double>(cents) / 100.0);
  }
  const std::vector<double> found = column(read(text, "n"), 0);
  for (std::size_t i = 0; i < expected.size(); ++i)
    RC_ASSERT(std::abs(found[i] - expected[i]) <= 1e-9 * std::abs(expected[i]));
}

RC_GTEST_PROP(Dates, AgreeWithTheCalendarOfTheSystem, ()) {
  const auto seconds = *rc::gen::inRange<std::int64_t>(-2000000000, 4000000000);
  const std::time_t t = seconds;
  std::tm utc{};
  gmtime_r(&t, &utc);
  const int y = utc.tm_year + 1900, m = utc.tm_mon + 1, d = utc.tm_mday;
  const std::string clock = fmt::format("{:02}:{:02}:{:02}", utc.tm_hour, utc.tm_min, utc.tm_sec);
  const auto want = static_cast<double>(seconds);
  RC_ASSERT(read_date(fmt::format("{:04}-{:02}-{:02}T{}Z", y, m, d, clock), DateOrder::YearFirst) ==
            want);
  RC_ASSERT(read_date(fmt::format("{}.{}.{:04} {}", d, m, y, clock), DateOrder::DayFirst) == want);
  RC_ASSERT(read_date(fmt::format("{}/{}/{:04} {}", m, d, y, clock), DateOrder::MonthFirst) ==
            want);
  RC_ASSERT(read_date(fmt::format("{:04}-{:02}-{:02} {}+0130", y, m, d, clock),
                      DateOrder::YearFirst) == want - 5400.0);
}

TEST(Dates, OrderComesFromTheColumn) {
  EXPECT_EQ(date_order({"1/2/2024", "3/14/2024"}), DateOrder::MonthFirst);
  EXPECT_EQ(date_order({"1/2/2024", "14/3/2024"}), DateOrder::DayFirst);
  EXPECT_EQ(date_order({"1.2.2024"}), DateOrder::DayFirst);
  EXPECT_EQ(date_order({"2024-01-02"}), DateOrder::YearFirst);
  EXPECT_EQ(date_order({"AB-12", "x"}), DateOrder::None);
  EXPECT_EQ(read_date("30.02.2024", DateOrder::DayFirst), std::nullopt);
  EXPECT_EQ(read_date("3/14/24 5:30 PM", DateOrder::MonthFirst), 1710437400.0);
  EXPECT_EQ(read_date("12-34-5678", DateOrder::DayFirst), std::nullopt);
}

TEST(Headers, AreToldFromDataByTheRowsBelow) {
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += fmt::format("{},{},{},{}\n", i % 3 ? "'30-39'" : "'40-49'", i % 2 ? "left" : "right",
                        i % 5 ? "no" : "yes", i % 4 ? "'recurrence'" : "'none yet'");
  const Table bare = read(text);
  EXPECT_FALSE(bare.has_header);
  EXPECT_EQ(bare.rows, 40u);
  EXPECT_EQ(bare.names[3], "column 4");
  EXPECT_EQ(bare.cell(1, 0), "30-39") << "single quotes around a cell go";
  EXPECT_TRUE(read("age,side,again,event\n" + text).has_header);
  EXPECT_EQ(read(text, "", HeaderRow::Present).rows, 39u);
  EXPECT_EQ(read("age,side,again,event\n" + text, "", HeaderRow::Absent).rows, 41u);
  const Table numbered = read("0,1,2,label\n5,6,7,x\n8,9,1,y\n");
  EXPECT_TRUE(numbered.has_header);
  EXPECT_EQ(numbered.names[3], "label");
  EXPECT_FALSE(read("0,1,5,x\n5,6,7,x\n").has_header);
  const Table hash = read("# x y label\n1 2 a\n3 4 b\n");
  EXPECT_TRUE(hash.has_header);
  EXPECT_EQ(hash.names[2], "label");
  const Table comments = read("# made on a Tuesday, with care\n\n# units in V\nx,y\n1,2\n");
  EXPECT_EQ(comments.names[1], "y");
  EXPECT_EQ(comments.lines[0], 5u);
  const Table r = read("x y\n1 0.5 2\n2 0.25 3\n");
  EXPECT_EQ(r.columns, 3u);
  EXPECT_EQ(r.names[1], "x") << "names of rows have none themselves";
  EXPECT_EQ(read("a,b,\n1,2,\n3,4,\n").columns, 2u) << "a separator at every row's end";
  EXPECT_EQ(read("a,b\n1,2,\n3,4,\n").columns, 2u);
  EXPECT_EQ(read("#f80,1\n#0f8,2\n").rows, 2u) << "colours are no comments";
}

TEST(LineEnds, OfEveryKind) {
  for (const char* end : {"\n", "\r\n", "\r", "\r\r\n"}) {
    std::string text;
    for (const char* row : {"a,label", "1,x", "\"2 \",y", "3,z"}) text += std::string(row) + end;
    const Table t = read(text);
    EXPECT_EQ(t.rows, 3u) << ::testing::PrintToString(end);
    EXPECT_EQ(t.cell(1, 1), "y");
    EXPECT_EQ(t.columns, 2u);
  }
}

TEST(Blanks, SetApartWhereNothingElseDoes) {
  const Table t = read(" 0.1  18.0\t2\n 12.5 0 \"a b\"\n");
  EXPECT_EQ(t.separator, ' ');
  EXPECT_EQ(t.columns, 3u);
  EXPECT_EQ(t.cell(1, 2), "a b");
  EXPECT_EQ(read("name of it,label\nmore or less,x\n").columns, 2u);
  EXPECT_THAT(refusal([] { read("alone\n1\n2\n"); }), HasSubstr("separator"));
}

TEST(Arff, DenseSparseQuotedAndWrong) {
  const std::string head =
      "% made by hand\n@RELATION 'a b'\n\n@attribute x REAL\n@attribute 'y z' {0, 1,'two words'}\n"
      "@attribute kind {good,bad}\n@DATA\n";
  const Table t = read(head + "1.5,0,good\n?,'two words',bad\n\n% on\n{0 2, 2 bad}\n{1 1}\n");
  ASSERT_EQ(t.rows, 4u);
  EXPECT_EQ(t.names[1], "y z");
  EXPECT_EQ(t.cell(1, 1), "two words");
  EXPECT_EQ(t.cell(2, 1), "0") << "what a sparse row leaves out is the first level";
  EXPECT_EQ(t.cell(3, 0), "0");
  EXPECT_EQ(t.cell(3, 2), "good");
  EXPECT_EQ(t.kind(1), ColumnKind::Category);
  EXPECT_EQ(t.usual_label, 2u);
  EXPECT_EQ(t.lines[2], 12u);
  std::string rows;
  for (int i = 0; i < 40; ++i) rows += fmt::format("{},{},{}\n", i, i % 2, i % 3 ? "good" : "bad");
  const Split s = encode_tables(read(head + rows), nullptr, {});
  EXPECT_EQ(s.train.columns, 3u) << "levels that look like numbers are categories all the same";
  EXPECT_EQ(s.train.class_names.size(), 2u);
  const auto wrong = [&](const std::string& row) { return refusal([&] { read(head + row); }); };
  EXPECT_THAT(wrong("1,0\n"), HasSubstr("t:8: row: 3 cells, one an attribute, found 2"));
  EXPECT_THAT(wrong("1,0,good,1\n"), HasSubstr("found more"));
  EXPECT_THAT(wrong("1,5,good\n"), HasSubstr("t:8: y z: a declared level, found `5`"));
  EXPECT_THAT(wrong("{7 1}\n"), HasSubstr("an attribute's number from 0 to 2"));
  EXPECT_THAT(wrong("1,'0,good\n"), HasSubstr("a closing '"));
  EXPECT_THAT(wrong(""), HasSubstr("at least one data row"));
  EXPECT_THAT(refusal([] { read("@relation a\n@attribute x complex\n@data\n1\n"); }),
              HasSubstr("t:2: x: numeric, real"));
}

TEST(LibSvm, FillsZerosAndRefusesWhatIsNotIt) {
  const Table t = read("# comment\n1 1:0.5 4:2 # more\n-1 qid:3 2:-7\n");
  ASSERT_EQ(t.rows, 2u);
  ASSERT_EQ(t.columns, 5u);
  EXPECT_EQ(t.cell(0, 4), "2");
  EXPECT_EQ(t.cell(1, 1), "0");
  EXPECT_EQ(t.cell(1, 2), "-7");
  EXPECT_EQ(t.usual_label, 0u);
  EXPECT_EQ(read("1 0:5\n2 1:6\n").columns, 3u) << "indices from 0";
  EXPECT_THAT(refusal([] { read("1 2:1 2:3\n"); }), HasSubstr("rising indices, found 2 after 2"));
  EXPECT_THAT(refusal([] { read("1,2 1:1\n"); }), HasSubstr("one label a row"));
  EXPECT_THAT(refusal([] { read("1 1:1\n0 4000000000:1\n"); }), HasSubstr("once the zeros are"));
  EXPECT_EQ(read("time,x\n12:30,1\n13:30,2\n").columns, 2u) << "a clock is no LibSVM";
}

TEST(ForeignFiles, AreNamedWithTheWayOut) {
  const auto said = [](const std::string& bytes) { return refusal([&] { read(bytes); }); };
  EXPECT_THAT(said(std::string("PAR1\x15\x00\x15", 7)),
              HasSubstr("a Parquet file: write it as CSV"));
  EXPECT_THAT(said(std::string("\x93NUMPY\x01\x00", 8)), HasSubstr("NumPy"));
  EXPECT_THAT(said("BZh91AY&SY\x01\x02"), HasSubstr("packed by bzip2: unpack it first"));
  EXPECT_THAT(said("[{\"a\": 1}]"), HasSubstr("JSON"));
  EXPECT_THAT(said("{\"a\": [1]}"), HasSubstr("JSON"));
  EXPECT_THAT(said("<!DOCTYPE html><html>"), HasSubstr("HTML"));
  EXPECT_THAT(said("version https://git-lfs.github.com/spec/v1\noid x\n"), HasSubstr("Git LFS"));
  EXPECT_EQ(read("ORCID,label\n1,x\n2,y\n").rows, 2u) << "letters of a magic number begin a name";
}

TEST(Utf16, IsTextLikeAnyOther) {
  const std::string text =
      "gr\xC3\xB6\xC3\x9F"
      "e,label\n1,x\n2,y\n";
  for (const bool big : {false, true})
    for (const bool mark : {false, true}) {
      std::string wide = mark ? (big ? "\xFE\xFF" : "\xFF\xFE") : "";
      for (const char16_t c : std::u16string(u"gr\u00f6\u00dfe,label\n1,x\n2,y\n")) {
        const char high = static_cast<char>(c >> 8), low = static_cast<char>(c & 0xFF);
        wide += big ? high : low;
        wide += big ? low : high;
      }
      const Table t = read(wide);
      EXPECT_EQ(t.names[0],
                "gr\xC3\xB6\xC3\x9F"
                "e");
      EXPECT_EQ(t.rows, 2u);
    }
}

TEST(HeldOut, KeepsItsShareWithManySmallClasses) {
  std::vector<std::uint32_t> labels;
  for (std::uint32_t c = 0; c < 300; ++c) labels.insert(labels.end(), {c, c});
  EXPECT_EQ(held_out_rows(600, labels, 300, 0.25, 1).size(), 150u);
}

TEST(Columns, ACategoryThatHoldsNumbers) {
  std::string text = "zip,label\n";
  for (int i = 0; i < 60; ++i) text += fmt::format("{},{}\n", 10000 + i % 5, i % 2);
  EncodeOptions options = labelled("label");
  EXPECT_EQ(split_of(text, options).train.columns, 1u);
  options.categories = {"zip"};
  EXPECT_EQ(split_of(text, options).train.columns, 5u);
  options.categories = {"zup"};
  EXPECT_THAT(refused(text, options), HasSubstr("did you mean `zip`?"));
}

RC_GTEST_PROP(ReadTable, MutationsEndInATableOrAnError, ()) {
  const std::vector<std::string> seeds = {
      "a;b;label\n0,5;x;1\n1,5;y;0\n",
      "@relation r\n@attribute x real\n@attribute c {a,b}\n@data\n1,a\n{0 2}\n",
      "1 1:2 3:4\n-1 2:5\n", "# x y\n1 2\n3 4\n", "\"a\",\"b\"\r\n\"1\",\"2\"\r\n"};
  std::string text = seeds[*rc::gen::inRange<std::size_t>(0, seeds.size())];
  const auto edits = *rc::gen::inRange<int>(1, 6);
  for (int i = 0; i < edits; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
    const char c = *rc::gen::elementOf(std::string("\"'{},;:@#%\t\r\n 019ae.-") + '\0' + '\xFF');
    if (*rc::gen::arbitrary<bool>() && at < text.size())
      text[at] = c;
    else
      text.insert(at, 1, c);
  }
  try {
    const Table t = read(text);
    RC_ASSERT(t.cells.size() == t.rows * t.columns);
    RC_ASSERT(t.names.size() == t.columns && t.lines.size() == t.rows);
    encode_tables(t, nullptr, {});
  } catch (const InputError&) {
  }
}

}  // namespace
}  // namespace carnot::learn
