// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/error.hpp"

#include <algorithm>
#include <cerrno>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/testing_thrown.hpp"

namespace carnot::inline base {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Error, DescribeLeavesOutWhatIsEmpty) {
  EXPECT_EQ(describe({"a.toml", 3}, "site.pue", "x >= 1"), "a.toml:3: site.pue: x >= 1");
  EXPECT_EQ(describe({"a.toml", 0}, "site.pue", "x >= 1"), "a.toml: site.pue: x >= 1");
  EXPECT_EQ(describe({"", 0}, "site.pue", "x >= 1"), "site.pue: x >= 1");
  EXPECT_EQ(describe({"", 7}, "", "x >= 1"), "7: x >= 1");
  EXPECT_EQ(describe({"", 0}, "", "x >= 1"), "x >= 1");
}

TEST(Error, ProblemsAreThrownTogetherInOrder) {
  Problems problems;
  EXPECT_TRUE(problems.empty());
  EXPECT_NO_THROW(problems.throw_if_any());
  problems.add({"b", 9}, "z", "last");
  problems.add({"a", 1}, "y", "first");
  problems.add({"", 0}, "", "no place");
  EXPECT_FALSE(problems.empty());
  EXPECT_THAT(problems.lines(), ElementsAre("b:9: z: last", "a:1: y: first", "no place"));
  EXPECT_EQ(thrown<InputError>([&] { problems.throw_if_any(); }),
            "b:9: z: last\na:1: y: first\nno place");
}

TEST(Error, IoErrorCarriesPathOperationAndReason) {
  EXPECT_STREQ(IoError("/a/b", "open", ENOENT).what(), "/a/b: open: No such file or directory");
}

TEST(Error, KindsAreApart) {
  static_assert(std::is_base_of_v<Error, InputError> && std::is_base_of_v<Error, DeviceError> &&
                std::is_base_of_v<Error, IoError>);
  // A bug of ours must not be mistaken for a failure of the user's.
  static_assert(!std::is_base_of_v<Error, InternalError>);
}

TEST(Error, CheckNamesConditionAndPlaceAndEvaluatesItsMessageOnlyThen) {
  int evaluated = 0;
  const auto message = [&] {
    ++evaluated;
    return std::string("two is not one");
  };
  EXPECT_NO_THROW(CARNOT_CHECK(1 == 1, message()));
  EXPECT_EQ(evaluated, 0);
  const std::string text = thrown<InternalError>([&] { CARNOT_CHECK(2 == 1, message()); });
  EXPECT_EQ(evaluated, 1);
  EXPECT_THAT(text, HasSubstr("error_test.cpp:"));
  EXPECT_THAT(text, HasSubstr("2 == 1: two is not one"));
}

TEST(Nearest, FindsTheWordThatWasMeant) {
  const std::vector<std::string> words{"capacity", "round_trip", "price", "carbon"};
  EXPECT_EQ(nearest("capcity", words), "capacity");
  EXPECT_EQ(nearest("prcie", words), "price");  // transposition counts one
  EXPECT_EQ(nearest("round_trpi_", words), "round_trip");
  EXPECT_EQ(nearest("price", words), "price");
  EXPECT_EQ(nearest("zzzzz", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest("price", {}), "");
}

TEST(Nearest, ToleranceIsOneOrAThirdOfTheWord) {
  EXPECT_EQ(nearest("ab", {"ax"}), "ax");
  EXPECT_EQ(nearest("ab", {"xy"}), "");
  EXPECT_EQ(nearest("abcdef", {"abcdxy"}), "abcdxy");  // 2 of 6
  EXPECT_EQ(nearest("abcdef", {"abcxyz"}), "");        // 3 of 6
  EXPECT_EQ(nearest("ba", {"ab"}), "ab");              // were a swap two, 2 > 1
}

TEST(Nearest, FirstOfEquallyNearWins) { EXPECT_EQ(nearest("bat", {"cat", "hat"}), "cat"); }

namespace {
/// Optimal string alignment distance straight from its definition.
std::size_t plain_distance(const std::string& a, const std::string& b, std::size_t i,
                           std::size_t j) {
  if (i == 0) return j;
  if (j == 0) return i;
  std::size_t best =
      std::min({plain_distance(a, b, i - 1, j) + 1, plain_distance(a, b, i, j - 1) + 1,
                plain_distance(a, b, i - 1, j - 1) + (a[i - 1] != b[j - 1])});
  if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
    best = std::min(best, plain_distance(a, b, i - 2, j - 2) + 1);
  return best;
}
}  // namespace

RC_GTEST_PROP(NearestProperty, AgreesWithTheRecursiveDefinition, ()) {
  const auto word_generator =
      rc::gen::resize(5, rc::gen::container<std::string>(rc::gen::elementOf(std::string("abc"))));
  const std::string word = *word_generator;
  const std::string candidate = *word_generator;
  const std::size_t distance = plain_distance(word, candidate, word.size(), candidate.size());
  const bool near = distance <= std::max<std::size_t>(1, word.size() / 3);
  RC_ASSERT(nearest(word, {candidate}) == (near ? candidate : ""));
}

}  // namespace carnot::inline base
