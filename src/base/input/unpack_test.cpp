// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/input/unpack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/csv_lines.hpp"
#include "carnot/base/input/input_file.hpp"

#include "base/testing_files.hpp"

namespace carnot {
namespace {

using testing::HasSubstr;

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

RC_GTEST_PROP(Unpack, MembersComeOneBehindTheOther, (const std::vector<std::string>& parts)) {
  RC_PRE(!parts.empty());
  std::string packed, plain;
  for (const std::string& part : parts) {
    packed += gzip(part);
    plain += part;
  }
  RC_ASSERT(gunzip(packed, "made.gz") == plain);
}

// `cat one.csv.gz two.csv.gz` is a gzip file: its second part was once silently left out.
TEST(Unpack, LinesOfATextReadEveryMember) {
  input::Lines lines = input::Lines::of_text(gzip("a\nb\n") + gzip("c\n"), "both.gz");
  std::string all;
  for (std::string_view line; lines.next(line);) all += std::string(line) + ";";
  EXPECT_EQ(all, "a;b;c;");
  EXPECT_THROW(input::Lines::of_text(gzip("abc").substr(0, 12), "cut.gz"), InputError);
}

RC_GTEST_PROP(Unpack, DamageIsToldOrHarmless, ()) {
  std::string packed = gzip(*rc::gen::arbitrary<std::string>());
  const auto at = *rc::gen::inRange<std::size_t>(2, packed.size());
  packed[at] = static_cast<char>(packed[at] ^ (1 << *rc::gen::inRange(0, 7)));
  try {
    gunzip(packed, "made.gz", 1 << 20);
  } catch (const InputError& error) {
    RC_ASSERT(std::string(error.what()).starts_with("made.gz: unpack: "));
  }
}

TEST(InputFile, IsReadWholePackedOrNot) {
  const TemporaryFolder folder;
  EXPECT_EQ(read_input(folder.write("plain", "text")), "text");
  EXPECT_EQ(read_input(folder.write("packed", gzip("text") + gzip("more"))), "textmore");
  EXPECT_TRUE(file_exists(folder.write("there", "")));
  EXPECT_FALSE(file_exists(folder / "not there"));
  EXPECT_THROW(read_input(folder / "not there"), InputFileError);
  EXPECT_THROW(read_input(folder / ""), InputFileError);
  EXPECT_THROW(read_input(folder.write("long", "12345"), 4), InputError);
}

}  // namespace
}  // namespace carnot
