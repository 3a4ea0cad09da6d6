// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/input/cells.hpp"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/csv_stream.hpp"

namespace carnot {
namespace {

TEST(Cells, TrimsBlanksTabsAndLineEndsAlone) {
  EXPECT_EQ(trimmed(" \t a b \r\n"), "a b");
  EXPECT_EQ(trimmed("\xC2\xA0x"), "\xC2\xA0x");  // a no-break space is no blank
  EXPECT_EQ(trimmed(" \t\r\n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Cells, ANumberIsTheWholeCell) {
  int whole = 0;
  EXPECT_TRUE(read_whole("-12", whole));
  EXPECT_EQ(whole, -12);
  for (const char* text : {"", "+12", " 12", "12 ", "12x", "1e3", "0x1", "2147483648"})
    EXPECT_FALSE(read_whole(text, whole)) << text;
  std::uint8_t small = 0;
  EXPECT_FALSE(read_whole("256", small));
  EXPECT_FALSE(read_whole("-1", small));
  EXPECT_EQ(finite_number("1e3"), 1000.0);
  for (const char* text : {"", "nan", "inf", "1e999", "1,5", "1.5.2"})
    EXPECT_EQ(finite_number(text), std::nullopt) << text;
}

TEST(Cells, CutsAtSeparators) {
  EXPECT_EQ(plain_cells(""), std::vector<std::string_view>{""});
  EXPECT_EQ(plain_cells("a,,\"b,c\","), (std::vector<std::string_view>{"a", "", "\"b", "c\"", ""}));
  EXPECT_EQ(quoted_cells("a,,\"b,c\","), (std::vector<std::string>{"a", "", "b,c", ""}));
  EXPECT_EQ(quoted_cells("\"he said \"\"no\"\"\""), std::vector<std::string>{"he said \"no\""});
  std::string_view rest = "a;b;";
  EXPECT_EQ(cut_cell(rest, ';'), "a");
  EXPECT_EQ(cut_cell(rest, ';'), "b");
  EXPECT_EQ(rest, "");
  EXPECT_EQ(cut_cell(rest, ';'), "");
}

TEST(Cells, TheSeparatorIsWhatCutsMostOutsideOfQuotes) {
  EXPECT_EQ(separator_of("a,b,c"), ',');
  EXPECT_EQ(separator_of("a;b,c;d"), ';');
  EXPECT_EQ(separator_of("\"a,b,c,d\"\tx"), '\t');
  EXPECT_EQ(separator_of("JobID|Submit|Elapsed"), '|');
  EXPECT_EQ(separator_of("alone"), ',');
}

/// Text of the characters that CSV cares for.
rc::Gen<std::string> awkward() {
  return rc::gen::container<std::string>(rc::gen::element('a', ' ', ',', ';', '"', '\n', '\r'));
}

RC_GTEST_PROP(Cells, WhatIsQuotedComesBack, (char seed)) {
  const char separator = seed % 2 == 0 ? ',' : ';';
  auto cells = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(awkward()));
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) line += separator;
    line += quoted_where_needed(cell, separator);
  }
  RC_ASSERT(quoted_cells(line, separator) == cells);
  std::size_t found = 0;
  for (std::size_t at = 0; at <= line.size(); at = cell_end(line, at, separator) + 1) ++found;
  RC_ASSERT(found == cells.size());
}

// The stream against the writer: records of several lines, quotes and separators inside.
RC_GTEST_PROP(CsvStream, WhatIsWrittenIsRead, ()) {
  const auto width = *rc::gen::inRange<std::size_t>(1, 4);
  const auto rows = *rc::gen::container<std::vector<std::vector<std::string>>>(
      rc::gen::container<std::vector<std::string>>(width, awkward()));
  std::string text = "\xEF\xBB\xBF# a comment\n";
  for (std::size_t c = 0; c < width; ++c)
    text += (c > 0 ? "," : "") + ("Column " + std::to_string(c));
  text += '\n';
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < width; ++c)
      text += (c > 0 ? "," : "") + ('"' + quoted_where_needed("\"" + row[c]).substr(3));
    text += '\n';
  }
  CsvStream stream(input::Lines::of_text(text, "made.csv"));
  RC_ASSERT(stream.header().size() == width);
  RC_ASSERT(stream.find({"nothing", "column0"}) == 0);
  for (const auto& row : rows) {
    RC_ASSERT(stream.next() == CsvStream::State::Row);
    for (std::size_t c = 0; c < width; ++c) {
      // A line ends with LF or CR LF, also inside of quotes.
      std::string want = row[c];
      for (std::size_t at = 0; (at = want.find("\r\n", at)) != std::string::npos; ++at)
        want.erase(at, 1);
      RC_ASSERT(trimmed(stream.field(static_cast<int>(c))) == trimmed(want));
    }
  }
  RC_ASSERT(stream.next() == CsvStream::State::End);
}

TEST(CsvStream, ABrokenRecordCostsItselfAlone) {
  CsvStream stream(input::Lines::of_text("a;b\n1;2\n\"3;4\n5;6;7\n8;9;\n", "made.csv"));
  EXPECT_EQ(stream.next(), CsvStream::State::Row);
  EXPECT_EQ(stream.next(), CsvStream::State::Broken);  // a quote that does not end
  EXPECT_EQ(stream.line(), 3u);
  EXPECT_EQ(stream.next(), CsvStream::State::Broken);  // too many cells
  EXPECT_EQ(stream.line(), 4u);
  EXPECT_EQ(stream.next(), CsvStream::State::Row);  // `sacct --parsable` ends with a separator
  EXPECT_EQ(stream.field(1), "9");
  EXPECT_EQ(stream.next(), CsvStream::State::End);
  EXPECT_THROW(CsvStream(input::Lines::of_text("# nothing\n", "made.csv")), InputError);
}

}  // namespace
}  // namespace carnot
