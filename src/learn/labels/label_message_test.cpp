// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/labels/label_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

#include "base/testing_files.hpp"

namespace carnot::learn {
namespace {

using ::testing::HasSubstr;

/// A table of numbers and words with classes of words; `with_labels` or without their column.
std::string csv(bool with_labels, std::size_t rows = 300) {
  const RandomStream random(11, "label message");
  std::string out = with_labels ? "size,colour,label\n" : "size,colour\n";
  for (std::size_t r = 0; r < rows; ++r) {
    const double size = random.normal(3 * r);
    const bool red = random.uniform(3 * r + 1) < 0.5;
    const bool wrong = random.uniform(3 * r + 2) < 0.1;
    const bool ripe = (size > 0.0) == red ? !wrong : wrong;
    out += std::to_string(size) + (red ? ",red" : ",green");
    out += with_labels ? (ripe ? ",ripe\n" : ",\"not yet\"\n") : "\n";
  }
  return out;
}

std::vector<std::string> words(std::size_t rows = 300) {
  std::vector<std::string> out;
  const RandomStream random(11, "label message");
  for (std::size_t r = 0; r < rows; ++r) {
    const bool agree = (random.normal(3 * r) > 0.0) == (random.uniform(3 * r + 1) < 0.5);
    out.push_back(agree != (random.uniform(3 * r + 2) < 0.1) ? "ripe" : "not yet");
  }
  return out;
}

struct Coded {
  std::vector<std::uint8_t> file;
  std::vector<std::uint32_t> labels;
  std::size_t code = 0;
};

Coded coded(const TemporaryFolder& folder, bool two_part, const std::string& model = "mlp") {
  DatasetOptions o;
  o.path = folder.write("fruit.csv", csv(true));
  const Split split = load_split(o);
  const SavedModel shape = shape_of(split.train);
  const Dataset data = read_for(shape, o.path, {}).data;
  PrequentialOptions options;
  options.learner.model = model;
  options.learner.hidden = 8;
  options.learner.batch = 0;
  options.learner.epochs = 0;
  options.learner.learning_rate = 0;
  options.members = 1;
  options.tree.trees = 4;
  options.growth = 3;
  if (model != "gbdt") options.precision = Precision::parse("int8");
  TwoPartOptions small;
  small.hidden = 4;
  small.epochs = 20;
  const std::vector<std::uint8_t> code =
      two_part ? two_part_encode(data, small).message : prequential_encode(data, options).message;
  return {pack_labels(label_message(shape, data, code, two_part, options)), data.labels,
          code.size()};
}

TEST(LabelMessage, GivesTheLabelsBackFromTheFileAndInputsWithoutThem) {
  const TemporaryFolder folder;
  const std::string bare = folder.write("bare.csv", csv(false));
  for (const char* kind : {"two-part", "mlp", "gbdt"}) {
    const Coded c = coded(folder, kind == std::string("two-part"), kind);
    EXPECT_TRUE(is_label_message(c.file));
    const LabelMessage message = unpack_labels(c.file);
    EXPECT_EQ(message.code.size(), c.code);
    EXPECT_EQ(pack_labels(message), c.file);
    const EncodedTable inputs = read_for(message.shape, bare, {});
    const std::vector<std::uint32_t> labels = decode_labels(message, inputs.data, {}, 2);
    EXPECT_EQ(labels, c.labels) << kind;
    std::string lines;
    for (const std::string& word : words()) lines += word + "\n";
    EXPECT_EQ(label_lines(message, labels), lines) << kind;
  }
}

TEST(LabelMessage, RefusesOtherInputsAndDamage) {
  const TemporaryFolder folder;
  const Coded c = coded(folder, false);
  const LabelMessage message = unpack_labels(c.file);
  const auto refused = [&](const LabelMessage& m, const Dataset& d) -> std::string {
    try {
      decode_labels(m, d);
    } catch (const InputError& error) {
      return error.what();
    }
    return "(decoded)";
  };
  const Dataset fewer = read_for(message.shape, folder.write("few.csv", csv(false, 299)), {}).data;
  EXPECT_THAT(refused(message, fewer), HasSubstr("the 300 rows"));
  Dataset other = read_for(message.shape, folder.write("bare.csv", csv(false)), {}).data;
  for (std::size_t i = 0; i < other.features.size(); i += 2) other.features[i] = -other.features[i];
  EXPECT_THAT(refused(message, other), HasSubstr("not those that were sent"));
  EXPECT_THROW(unpack_labels({}), InputError);
  for (std::size_t i = 0; i < c.file.size(); i += 7) {
    std::vector<std::uint8_t> bad = c.file;
    bad[i] ^= 0x20u;
    EXPECT_THROW(unpack_labels(bad), InputError) << i;
  }
}

/// Spoils bytes under the checksum, which is then made good. What is read decodes or is refused.
void mutate(std::size_t rounds, bool two_part, std::uint64_t seed) {
  const TemporaryFolder folder;
  const Coded c = coded(folder, two_part);
  const LabelMessage whole = unpack_labels(c.file);
  const Dataset inputs = read_for(whole.shape, folder.write("bare.csv", csv(false)), {}).data;
  const RandomStream random(seed, "spoil");
  std::size_t read = 0;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    std::vector<std::uint8_t> bad(c.file.begin(), c.file.end() - 4);
    const std::size_t changes = 1 + random.below(5 * i, 3);
    for (std::size_t k = 0; k < changes; ++k)
      bad[8 + random.below(5 * i + 1 + k, bad.size() - 8)] =
          static_cast<std::uint8_t>(random.bits(5 * i + 4) >> (8 * k));
    if (i % 11 == 0) bad.resize(8 + random.below(i, bad.size() - 8));
    const auto sum =
        static_cast<std::uint32_t>(::crc32(0, bad.data(), static_cast<uInt>(bad.size())));
    for (int k = 0; k < 4; ++k) bad.push_back(static_cast<std::uint8_t>(sum >> (8 * k)));
    try {
      const LabelMessage m = unpack_labels(bad);
      ++read;
      // Training under spoiled options may take long; a code of two parts trains nothing.
      if (m.two_part && two_part) {
        EXPECT_EQ(decode_labels(m, inputs), c.labels);
      }
    } catch (const InputError&) {
    }
  }
  EXPECT_GT(read, 0u);
}

TEST(LabelMessage, SpoiledFilesAreRefusedOrReadRight) {
  mutate(2000, true, 1);
  mutate(500, false, 2);
}
TEST(LabelMessageSlow, TwentyThousandSpoiledFilesAreRefusedOrReadRight) {
  mutate(20000, true, 3);
  mutate(20000, false, 4);
}

}  // namespace
}  // namespace carnot::learn
