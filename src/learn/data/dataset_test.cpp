// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/data/dataset.hpp"

#include <cmath>
#include <ctime>
#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/base/input/unpack.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/data/fetch.hpp"

#include "base/testing_files.hpp"
#include "learn/data/delimited.hpp"
#include "learn/data/encode.hpp"
#include "learn/data/idx.hpp"
#include "learn/data/testing_files.hpp"

namespace carnot::learn {
namespace {

using ::testing::HasSubstr;
using testing_files::big_endian;
using testing_files::Folder;
using testing_files::gzip;

DatasetOptions options(const std::string& path, const std::string& labels = "label") {
  DatasetOptions o;
  o.path = path;
  o.labels = labels;
  return o;
}

/// Message of the error that `f` throws; empty if none.
template <class E, class F>
std::string message(F f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

Split load_text(const std::string& text, const std::string& labels = "label",
                const std::string& task = "auto") {
  EncodeOptions encode;
  encode.labels = labels;
  encode.task = task;
  encode.test_share = 0.5;
  return encode_tables(parse_delimited(text, "t.csv", labels), nullptr, encode);
}

std::string refused(const std::string& text, const std::string& labels = "label",
                    const std::string& task = "auto") {
  return message<InputError>([&] { load_text(text, labels, task); });
}

std::string idx_images(std::uint32_t n, std::uint32_t rows, std::uint32_t columns) {
  std::string out =
      std::string("\0\0\x08\x03", 4) + big_endian(n) + big_endian(rows) + big_endian(columns);
  for (std::uint32_t i = 0; i < n * rows * columns; ++i) out += static_cast<char>(i * 7);
  return out;
}

std::string idx_labels(std::uint32_t n, std::uint32_t classes) {
  std::string out = std::string("\0\0\x08\x01", 4) + big_endian(n);
  for (std::uint32_t i = 0; i < n; ++i) out += static_cast<char>(i % classes);
  return out;
}

TEST(Digits, AreThePublishedSet) {
  const Dataset d = embedded_digits();
  EXPECT_EQ(d.rows, 1797u);
  EXPECT_EQ(d.columns, 64u);
  EXPECT_EQ(d.classes, 10u);
  EXPECT_TRUE(d.unsigned_features);
  // Rows per class as in the description of the UCI set (optdigits.names, test part).
  const std::size_t published[] = {178, 182, 177, 183, 181, 182, 181, 179, 174, 180};
  std::map<std::uint32_t, std::size_t> counts;
  for (const auto l : d.labels) ++counts[l];
  for (std::uint32_t c = 0; c < 10; ++c) EXPECT_EQ(counts[c], published[c]) << c;
  // First image: 0,0,5,13,9,1,0,0 of 16.
  const float first[] = {0, 0, 5, 13, 9, 1, 0, 0};
  for (int i = 0; i < 8; ++i) EXPECT_EQ(d.features[i], first[i] / 16.0f);
  for (const float f : d.features) ASSERT_TRUE(f >= 0.0f && f <= 1.0f);
}

TEST(Digits, EqualTheOriginalTable) {
  CARNOT_NEED_SHARED_DATA(digits, "sklearn-toy/digits.csv.gz");
  const std::string text = read_input(digits);
  const Table table = parse_delimited(text, "digits", "65");
  const Dataset d = embedded_digits();
  ASSERT_EQ(table.rows, d.rows);
  for (std::size_t r = 0; r < d.rows; ++r) {
    for (std::size_t c = 0; c < 64; ++c)
      ASSERT_EQ(std::stof(std::string(table.cell(r, c))), d.features[r * 64 + c] * 16.0f);
    ASSERT_EQ(std::stoul(std::string(table.cell(r, 64))), d.labels[r]);
  }
}

TEST(Split, IsStratifiedDisjointAndSeeded) {
  DatasetOptions o = options("digits");
  const Split a = load_split(o);
  const Split b = load_split(o);
  o.seed = 2;
  const Split c = load_split(o);
  EXPECT_EQ(a.train.features, b.train.features);
  EXPECT_NE(a.test.features, c.test.features);
  EXPECT_EQ(a.train.rows + a.test.rows, 1797u);
  std::map<std::uint32_t, std::size_t> held;
  for (const auto l : a.test.labels) ++held[l];
  const std::size_t whole[] = {178, 182, 177, 183, 181, 182, 181, 179, 174, 180};
  for (std::uint32_t k = 0; k < 10; ++k)
    EXPECT_EQ(held[k], static_cast<std::size_t>(std::lround(0.25 * static_cast<double>(whole[k]))));
}

RC_GTEST_PROP(Split, HeldOutRowsAreASetInsideTheRows, ()) {
  const auto rows = *rc::gen::inRange<std::size_t>(4, 200);
  const auto classes = *rc::gen::inRange<std::size_t>(1, 4);
  const double share = *rc::gen::inRange(20, 90) / 100.0;
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  std::vector<std::uint32_t> labels;
  for (std::size_t r = 0; r < rows; ++r)
    labels.push_back(*rc::gen::inRange<std::uint32_t>(0, static_cast<std::uint32_t>(classes)));
  std::vector<std::size_t> held;
  try {
    held = held_out_rows(rows, labels, classes, share, seed);
  } catch (const InputError&) {
    return;  // so few rows a class that nothing could be spared
  }
  RC_ASSERT(std::is_sorted(held.begin(), held.end()));
  RC_ASSERT(std::set<std::size_t>(held.begin(), held.end()).size() == held.size());
  RC_ASSERT(held.back() < rows);
  std::map<std::uint32_t, std::size_t> all, taken;
  for (const auto l : labels) ++all[l];
  for (const auto r : held) ++taken[labels[r]];
  for (const auto& [label, count] : all) RC_ASSERT(taken[label] < count);
}

TEST(Split, StatisticsComeFromTheTrainingPartAlone) {
  // 40 rows; which are held out depends on rows, classes, share and seed only, so a first load
  // tells them and a second one with wild values there must leave the training part as it was.
  const auto text = [](const std::set<std::size_t>& wild) {
    std::string t = "a,label\n";
    for (std::size_t r = 0; r < 40; ++r)
      t += fmt::format("{},{}\n", wild.count(r) ? 1e6 : static_cast<double>(r), r % 2 ? "u" : "v");
    return t;
  };
  const Split calm = load_text(text({}));
  std::vector<std::uint32_t> labels;
  for (std::uint32_t r = 0; r < 40; ++r) labels.push_back(r % 2 ? 0 : 1);
  const auto held = held_out_rows(40, labels, 2, 0.5, 1);
  const Split wild = load_text(text({held.begin(), held.end()}));
  EXPECT_EQ(calm.train.features, wild.train.features);
  EXPECT_NE(calm.test.features, wild.test.features);
  double mean = 0, square = 0;
  for (const float f : calm.train.features) mean += f, square += double(f) * f;
  EXPECT_NEAR(mean / static_cast<double>(calm.train.rows), 0.0, 1e-6);
  EXPECT_NEAR(square / static_cast<double>(calm.train.rows), 1.0, 1e-6);
}

TEST(Csv, ReadsQuotesLineEndsMarksAndSeparators) {
  const Table t = parse_delimited(
      "\xEF\xBB\xBF"
      "a;\"b;x\";label\r\n1; \"say \"\"hi\"\"\" ;\"two\nlines\"\r\n\r\n+2.5;w;z",
      "f", "label");
  EXPECT_EQ(t.separator, ';');
  EXPECT_TRUE(t.has_header);
  ASSERT_EQ(t.rows, 2u);
  EXPECT_EQ(t.names[1], "b;x");
  EXPECT_EQ(t.cell(0, 1), "say \"hi\"");
  EXPECT_EQ(t.cell(0, 2), "two\nlines");
  EXPECT_EQ(t.lines[0], 2u);
  EXPECT_EQ(t.lines[1], 5u);
  EXPECT_EQ(t.cell(1, 0), "+2.5");
}

RC_GTEST_PROP(Csv, WhatIsQuotedComesBack, ()) {
  const std::string separators = ",;\t|";
  const char separator = separators[*rc::gen::inRange<std::size_t>(0, 4)];
  const auto rows = *rc::gen::inRange<std::size_t>(1, 6);
  const auto columns = *rc::gen::inRange<std::size_t>(2, 5);
  std::string text = "h0";
  for (std::size_t c = 1; c < columns; ++c) text += separator + fmt::format("h{}", c);
  text += "\n";
  std::vector<std::string> cells;
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) {
      const auto cell =
          *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab,;\t|\"\n 12.")));
      std::string quoted = "\"x";  // `x` keeps blanks at the ends out of trimming's way
      for (const char ch : cell) quoted += ch == '"' ? "\"\"" : std::string(1, ch);
      text += quoted + "x\"" + (c + 1 < columns ? std::string(1, separator) : "\n");
      cells.push_back("x" + cell + "x");
    }
  const Table t = parse_delimited(text, "f", "h0");
  RC_ASSERT(t.rows == rows);
  RC_ASSERT(t.columns == columns);
  for (std::size_t i = 0; i < cells.size(); ++i) RC_ASSERT(std::string(t.cells[i]) == cells[i]);
}

TEST(Csv, FindsTheLabelByNameAndNumberAndKnowsHeaders) {
  EXPECT_EQ(load_text("a,label\n1,x\n2,y\n3,x\n4,y\n").train.classes, 2u);
  EXPECT_EQ(load_text("a,b\n1,x\n2,y\n3,x\n4,y\n", "2").train.classes, 2u);
  EXPECT_EQ(load_text("1,0\n2,1\n3,0\n4,1\n", "2").train.rows, 2u);
  EXPECT_EQ(load_text("a,class\n1,x\n2,y\n3,x\n4,y\n", "").train.classes, 2u);
  EXPECT_THAT(refused("9,1,no,yes\n7,0\n8,1\n9,0\n", "2"), HasSubstr("t.csv:2: row: 4 cells"))
      << "a first line that counts something else is data";
}

TEST(Csv, TakesCountingFirstLine) {
  const Split s = load_text("4,1,no,yes\n7,0\n8,1\n9,0\n1,1\n", "2");
  EXPECT_EQ(s.train.class_names, (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(s.train.rows + s.test.rows, 4u);
}

TEST(Csv, DecidesTheTaskAsStated) {
  EXPECT_FALSE(load_text("a,label\n1,0\n2,1\n3,0\n4,1\n").train.is_regression());
  EXPECT_TRUE(load_text("a,label\n1,0.5\n2,1.5\n3,2.5\n4,3.5\n").train.is_regression());
  std::string whole = "a,label\n";
  for (int i = 0; i < 42; ++i) whole += fmt::format("{},{}\n", i, i % 21);
  EXPECT_TRUE(load_text(whole).train.is_regression()) << "21 whole values are a number to predict";
  EXPECT_FALSE(load_text(whole, "label", "classification").train.is_regression());
  EXPECT_THAT(load_text(whole).train.source, HasSubstr("regression"));
  // "1" and "1.0" are one class; classes come in numeric order.
  const Split s = load_text("a,label\n1,10\n2,9\n3,10.0\n4,9.0\n");
  EXPECT_EQ(s.train.class_names, (std::vector<std::string>{"9", "10"}));
}

TEST(Csv, StandardisesTargetsAndCanUndoIt) {
  std::string text = "a,label\n";
  for (int i = 0; i < 40; ++i) text += fmt::format("{},{}\n", i, 100.5 + 3 * i);
  const Split s = load_text(text);
  for (std::size_t r = 0; r < s.train.rows; ++r) {
    const double back = s.train.targets[r] * s.train.target_scale + s.train.target_mean;
    EXPECT_NEAR(std::fmod(back - 100.5 + 1.0, 3.0), 1.0, 1e-4);
  }
}

TEST(Csv, EncodesCategoriesAndCountsMissingCells) {
  const Split s = load_text(
      "c,n,label\nred,1,x\nblue,,x\n?,3,y\nred,NA,y\nred,5,x\nblue,6,y\nred,7,x\nblue,8,y\n");
  EXPECT_THAT(s.train.source, HasSubstr("1 in c"));
  EXPECT_THAT(s.train.source, HasSubstr("2 in n"));
  EXPECT_THAT(s.train.source, HasSubstr("2 of them numbers"));
  ASSERT_GE(s.train.feature_names.size(), 2u);
  EXPECT_EQ(s.train.feature_names.back(), "n");
  for (std::size_t r = 0; r < s.train.rows; ++r) {
    float sum = 0;
    for (std::size_t c = 0; c + 1 < s.train.columns; ++c)
      sum += s.train.features[r * s.train.columns + c];
    EXPECT_EQ(sum, 1.0f) << "one level a row";
  }
}

TEST(Csv, ManyLevelsBecomeRanks) {
  std::string text = "c,label\n";
  for (int i = 0; i < 400; ++i) text += fmt::format("w{:03},{}\n", i % 200, i % 2 ? "x" : "y");
  const Split s = load_text(text);
  EXPECT_EQ(s.train.columns, 1u);
  EXPECT_THAT(s.train.source, HasSubstr("as ranks for more than 64 levels: c ("));
}

TEST(CsvErrors, NamePlaceFieldAndWhatIsAllowed) {
  EXPECT_THAT(refused("a,income\n1,x\n2,y\n", "incme"),
              HasSubstr("t.csv:1: label column: no `incme`; did you mean `income`?"));
  EXPECT_THAT(refused("a,b\n1,x\n2,y\n", "3"), HasSubstr("a number from 1 to 2, found 3"));
  EXPECT_THAT(refused("1,2\n3,4\n", "label"), HasSubstr("no header"));
  EXPECT_THAT(refused("a,b\n1,x\n2,y\n", ""), HasSubstr("name it: one of a, b"));
  EXPECT_THAT(refused("a,label\n1,x\n2,x\n"), HasSubstr("t.csv: label: at least two classes"));
  EXPECT_THAT(refused(""), HasSubstr("the file is empty"));
  EXPECT_THAT(refused(" \n\n"), HasSubstr("the file is empty"));
  EXPECT_THAT(refused("a,label\n"), HasSubstr("at least one data row"));
  EXPECT_THAT(refused("alone\n1\n"), HasSubstr("separator"));
  EXPECT_THAT(refused("a,label\n1,x\n2,y,z\n"),
              HasSubstr("t.csv:3: row: 2 cells as in the first row, found 3"));
  EXPECT_THAT(refused("a,label\n1,x\ninf,y\n2,x\n3,y\n"), HasSubstr("found `inf`"));
  EXPECT_THAT(refused("a,label\n1,x\n1e999,y\n2,x\n3,y\n"), HasSubstr("found `1e999`"));
  EXPECT_THAT(refused("a,label\n1,x\n2,\n"), HasSubstr("t.csv:3: label: a label in every row"));
  EXPECT_THAT(refused("a,label\n1,nan\n2,1\n"), HasSubstr("t.csv:2: label: a label in every row"));
  EXPECT_THAT(refused("a,label\n1,inf\n2,1\n"), HasSubstr("t.csv:2: label: a finite number"));
  EXPECT_THAT(refused("a,label\n1,x\n2,y\n", "label", "regression"),
              HasSubstr("t.csv:2: label: a number, as regression needs, found `x`"));
  EXPECT_THAT(refused("a,label\n1,3\n2,3\n3,3\n4,3\n", "label", "regression"),
              HasSubstr("at least two different values"));
  EXPECT_THAT(refused("a,label\n\"1,x\n2,y\n"), HasSubstr("t.csv:2: quote: a closing"));
  EXPECT_THAT(refused("a,label\n\"1\"2,x\n2,y\n"), HasSubstr("after a closing"));
  EXPECT_THAT(refused(std::string("a,label\n1\0,x\n", 13)), HasSubstr("zero bytes"));
  EXPECT_THAT(refused("a,label\n1,x\n2,y\n", "label", "guess"), HasSubstr("task: one of auto"));
  std::string typo = "a,label\n";
  for (int i = 0; i < 50; ++i) typo += fmt::format("{},{}\n", i == 30 ? "3O" : "30", i % 2);
  EXPECT_THAT(refused(typo), HasSubstr("t.csv:32: a: a finite number"));
}

TEST(CsvErrors, FilesAndTestFiles) {
  const Folder folder;
  EXPECT_THAT(message<IoError>([&] { load_split(options(folder.path("none.csv"))); }),
              HasSubstr("No such file"));
  EXPECT_THAT(message<IoError>([&] { load_split(options(folder.path())); }), HasSubstr("folder"));
  const std::string empty = folder.write("e.csv", "");
  EXPECT_THAT(message<InputError>([&] { load_split(options(empty)); }), HasSubstr("empty"));
  DatasetOptions o = options(folder.write("a.csv", "a,label\n1,x\n2,y\n"));
  o.test_path = folder.write("b.csv", "a,label\n1,x\n2,z\n");
  EXPECT_THAT(message<InputError>([&] { load_split(o); }),
              HasSubstr("b.csv:3: label: a class met in training, found `z`"));
  o.test_path = folder.write("c.csv", "b,label\n1,x\n");
  EXPECT_THAT(message<InputError>([&] { load_split(o); }), HasSubstr("header: the same columns"));
  o.test_path = folder.write("d.csv", "a,b,label\n1,1,x\n");
  EXPECT_THAT(message<InputError>([&] { load_split(o); }), HasSubstr("2 cells as in"));
  o.test_path = folder.write("f.csv", "a,label\n5,y\n");
  EXPECT_EQ(load_split(o).test.rows, 1u);
  o.test_path.clear();
  o.test_share = 1.5;
  EXPECT_THAT(message<InputError>([&] { load_split(o); }), HasSubstr("test_share"));
}

TEST(Gzip, IsToldByContentAndTruncationIsNoticed) {
  const Folder folder;
  std::string text = "a,label\n";
  for (int i = 0; i < 500; ++i) text += fmt::format("{},{}\n", i * 37 % 101, i % 2 ? "x" : "y");
  const std::string packed = gzip(text);
  const Split plain = load_split(options(folder.write("p.csv", text)));
  const Split unpacked = load_split(options(folder.write("named-wrongly.csv", packed)));
  EXPECT_EQ(plain.train.features, unpacked.train.features);
  EXPECT_EQ(gunzip(packed + gzip("tail"), "two"), text + "tail");
  for (const std::size_t keep :
       {std::size_t{2}, std::size_t{12}, packed.size() / 2, packed.size() - 1})
    EXPECT_THAT(message<InputError>([&] { gunzip(packed.substr(0, keep), "cut.gz"); }),
                HasSubstr("cut.gz: unpack: truncated"))
        << keep;
  std::string broken = packed;
  broken[packed.size() / 2] ^= 0x55;
  EXPECT_THAT(message<InputError>([&] { gunzip(broken, "b.gz"); }), HasSubstr("b.gz: unpack: "));
  EXPECT_THAT(message<InputError>([&] { gunzip(packed + "junk", "j.gz"); }),
              HasSubstr("after the end"));
  EXPECT_THAT(message<InputError>([&] { gunzip(packed, "big.gz", 100); }),
              HasSubstr("more than 100"));
}

TEST(Idx, ReadsPairsPlainAndPacked) {
  const Folder folder;
  DatasetOptions o = options(folder.write("x-images-idx3-ubyte", idx_images(20, 2, 3)), "");
  folder.write("x-labels-idx1-ubyte", gzip(idx_labels(20, 4)));
  const Split s = load_split(o);  // the label file is found by its name
  EXPECT_EQ(s.train.columns, 6u);
  EXPECT_EQ(s.train.classes, 4u);
  EXPECT_TRUE(s.train.unsigned_features);
  const Dataset whole = encode_idx(parse_idx(idx_images(20, 2, 3), "i"),
                                   {{20}, std::string_view("abababababababababab", 20)}, "i", "l");
  EXPECT_EQ(whole.features[1], 7.0f / 255.0f);
}

TEST(Idx, RefusesWhatIsWrong) {
  const auto refuse = [](const std::string& bytes) {
    return message<InputError>([&] { parse_idx(bytes, "f"); });
  };
  const std::string good = idx_images(3, 2, 2);
  EXPECT_EQ(refuse(good), "");
  EXPECT_THAT(refuse(good.substr(0, 3)), HasSubstr("f: magic: an IDX file has at least 4 bytes"));
  EXPECT_THAT(refuse("ab" + good.substr(2)), HasSubstr("begins with bytes 0 0"));
  EXPECT_THAT(refuse(std::string("\0\0\x0d\x03", 4) + good.substr(4)), HasSubstr("type 0x08"));
  EXPECT_THAT(refuse(std::string("\0\0\x08\0", 4) + good.substr(4)), HasSubstr("dimensions"));
  EXPECT_THAT(refuse(good.substr(0, 10)), HasSubstr("a header of 16 bytes"));
  EXPECT_THAT(refuse(good.substr(0, good.size() - 1)), HasSubstr("truncated after 11"));
  EXPECT_THAT(refuse(good + "x"), HasSubstr("1 bytes more follow"));
  EXPECT_THAT(refuse(std::string("\0\0\x08\x03", 4) + big_endian(0xFFFFFFFF) +
                     big_endian(0xFFFFFFFF) + big_endian(0xFFFFFFFF)),
              HasSubstr("2^40"));
  const Folder folder;
  DatasetOptions o = options(folder.write("i", good), folder.write("l", idx_labels(4, 2)));
  EXPECT_THAT(message<InputError>([&] { load_split(o); }), HasSubstr("one label for each of 3"));
  o.labels = folder.write("l1", idx_labels(3, 1));
  EXPECT_THAT(message<InputError>([&] { load_split(o); }), HasSubstr("at least two classes"));
  o.labels.clear();
  EXPECT_THAT(message<InputError>([&] { load_split(o); }), HasSubstr("path of the IDX label file"));
  std::swap(o.path, o.labels = folder.path("l"));
  EXPECT_THAT(message<InputError>([&] { load_split(o); }), HasSubstr("looks like a label file"));
}

TEST(Mnist, SaysHowToGetIt) {
  const Folder folder;
  DatasetOptions o = options("mnist", "");
  o.data_dir = folder.path();
  EXPECT_THAT(message<IoError>([&] { load_split(o); }), HasSubstr("carnot data get mnist"));
}

// Of processor time, so that a busy machine fails nothing.
double seconds_to_load(const DatasetOptions& o, Split& split) {
  const std::clock_t start = std::clock();
  split = load_split(o);
  return static_cast<double>(std::clock() - start) / static_cast<double>(CLOCKS_PER_SEC);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kMnistSeconds = 40.0;  // instrumented code takes up to ten times as long
#else
constexpr double kMnistSeconds = 4.0;
#endif

TEST(RealData, AdultHousingHiggsToys) {
  CARNOT_NEED_SHARED_DATA(first, "adult");
  const std::string shared = shared_data("");
  Split s;
  // A loaded machine may be three times slower than the second that is meant; reported in full.
  const double adult = seconds_to_load(options(shared + "/adult/adult.csv", "income-per-year"), s);
  EXPECT_LT(adult, 3.0);
  EXPECT_EQ(s.train.rows + s.test.rows, 32561u);
  EXPECT_EQ(s.train.classes, 2u);
  double positive = 0;
  for (const auto l : s.train.labels) positive += l;
  EXPECT_NEAR(positive / static_cast<double>(s.train.rows), 0.2408,
              1e-4);  // share of >50K in the whole set
  for (const float f : s.train.features) ASSERT_TRUE(std::isfinite(f));
  const double housing =
      seconds_to_load(options(shared + "/california-housing/housing.csv", "median_house_value"), s);
  EXPECT_LT(housing, 3.0);
  EXPECT_TRUE(s.train.is_regression());
  EXPECT_EQ(s.train.columns, 8u + 5u);
  EXPECT_THAT(s.train.source, HasSubstr("207 in total_bedrooms"));
  RecordProperty("adult_s", std::to_string(adult));
  RecordProperty("housing_s", std::to_string(housing));

  DatasetOptions higgs = options(shared + "/higgs-sample/binary.train.tsv", "1");
  higgs.test_path = shared + "/higgs-sample/binary.test.tsv";
  s = load_split(higgs);
  EXPECT_EQ(s.train.rows, 7000u);
  EXPECT_EQ(s.test.rows, 500u);
  EXPECT_EQ(s.train.columns, 28u);

  s = load_split(options(shared + "/sklearn-toy/iris.csv", "5"));
  EXPECT_EQ(s.train.class_names, (std::vector<std::string>{"setosa", "versicolor", "virginica"}));
  EXPECT_EQ(s.train.rows + s.test.rows, 150u);
  s = load_split(options(shared + "/sklearn-toy/wine_data.csv", "14"));
  EXPECT_EQ(s.train.columns, 13u);
}

TEST(RealData, Mnist) {
  CARNOT_NEED_SHARED_DATA(mnist, "mnist");
  DatasetOptions o = options("mnist", "");
  o.data_dir = shared_data("");
  Split s;
  const double seconds = seconds_to_load(o, s);
  EXPECT_LT(seconds, kMnistSeconds);
  RecordProperty("mnist_s", std::to_string(seconds));
  EXPECT_EQ(s.train.rows, 60000u);
  EXPECT_EQ(s.test.rows, 10000u);
  EXPECT_EQ(s.train.columns, 784u);
  EXPECT_EQ(s.train.classes, 10u);
  // The first labels of both parts, as every description of the set prints them.
  EXPECT_EQ((std::vector<std::uint32_t>(s.train.labels.begin(), s.train.labels.begin() + 5)),
            (std::vector<std::uint32_t>{5, 0, 4, 1, 9}));
  EXPECT_EQ(s.test.labels[0], 7u);
}

}  // namespace
}  // namespace carnot::learn
