// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/saved/saved_model.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>
#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/trees/tree_learner.hpp"

#include "base/testing_files.hpp"

namespace carnot::learn {
namespace {

/// Ages with gaps, a category of words, a category of many levels, decimal commas.
std::string people(std::size_t rows, std::uint64_t seed, bool labels) {
  const RandomStream random(seed, "people");
  const std::vector<std::string> towns{"Ulm", "Bonn", "Kiel", "\"Halle, Saale\""};
  std::string out = std::string("age;town;code;height") + (labels ? ";class" : "") + "\n";
  for (std::size_t r = 0; r < rows; ++r) {
    const auto age = random.below(5 * r, 70), town = random.below(5 * r + 1, 4),
               code = random.below(5 * r + 2, 90);
    out += (random.uniform(5 * r + 3) < 0.1 ? "?" : std::to_string(age)) + ";" + towns[town] +
           ";k" + std::to_string(code) + ";1," + std::to_string(50 + random.below(5 * r + 4, 49));
    if (labels) out += age + 20 * (town % 2) > 40 ? ";old" : ";young";
    out += "\n";
  }
  return out;
}

Split load(const std::string& path, const char* task = "auto") {
  DatasetOptions options;
  options.path = path;
  options.labels = "class";
  options.task = task;
  return load_split(options);
}

SavedModel trained(const char* learner_name, const Split& split, int width = 32) {
  LearnerOptions options;
  options.model = learner_name;
  options.batch = 16;
  options.hidden = 5;
  if (options.model == "gbdt" || options.model == "forest") {
    TreeOptions trees;
    trees.trees = 10;
    const auto learner = make_tree_learner(trees, options, split.train);
    learner->train(10, Precision::parse("f32"));
    return saved_model(*learner, options, split.train, width);
  }
  const auto learner = make_learner(options, split.train);
  learner->train(100, Precision::parse("f32"));
  return saved_model(*learner, options, split.train, width);
}

TEST(SavedModel, EveryLearnerComesBackAndPredictsAsBefore) {
  const TemporaryFolder folder;
  const std::string file = folder.write("people.csv", people(400, 1, true));
  const Split split = load(file);
  for (const char* learner : {"mlp", "softmax", "logistic", "gbdt", "forest"})
    for (const int width : {4, 32}) {
      const SavedModel model = trained(learner, split, width);
      const std::vector<std::uint8_t> bytes = pack_model(model);
      const SavedModel back = unpack_model(bytes);
      EXPECT_EQ(pack_model(back), bytes) << learner;
      EXPECT_EQ(predict(back, split.test).values, predict(model, split.test).values) << learner;
      EXPECT_EQ(*back.encoding, *split.train.encoding);
      EXPECT_EQ(back.shape.class_names, split.train.class_names);
    }
  EXPECT_LT(pack_model(trained("mlp", split, 4)).size(), pack_model(trained("mlp", split)).size());
  EXPECT_THROW(trained("gbdt", split, 16), InputError);
  EXPECT_THROW(trained("mlp", split, 1), InputError);
}

TEST(SavedModel, WhatTheFileReadsIsWhatTrainingRead) {
  // The held-out rows from a file of their own are the same features either way.
  const TemporaryFolder folder;
  DatasetOptions options;
  options.path = folder.write("train.csv", people(500, 2, true));
  options.test_path = folder.write("test.csv", people(120, 3, true));
  options.labels = "class";
  const Split split = load_split(options);
  const SavedModel model = trained("gbdt", split);
  const EncodedTable table = read_for(model, options.test_path, "");
  EXPECT_EQ(table.data.features, split.test.features);
  EXPECT_EQ(table.data.missing, split.test.missing);
  EXPECT_EQ(table.data.labels, split.test.labels);
  const Predictions predictions = predict(model, table.data);
  const Quality quality = quality_of(predictions, table);
  EXPECT_EQ(quality.trials, 120u);
  EXPECT_GT(quality.value, 0.85);
  EXPECT_GT(predictions.counters.at(OperationKind::F32Elementwise), 0u);
}

TEST(SavedModel, ColumnsComeInAnyOrderAndMissingOnesAreNamed) {
  const TemporaryFolder folder;
  const Split split = load(folder.write("train.csv", people(300, 4, true)));
  const SavedModel model = trained("softmax", split);
  const std::string straight = folder.write("a.csv", "age;town;code;height\n30;Ulm;k1;1,70\n");
  const std::string turned =
      folder.write("b.csv", "height;extra;code;age;town\n1,70;x;k1;30;Ulm\n1,80;y;k2;;Bonn\n");
  const EncodedTable a = read_for(model, straight, ""), b = read_for(model, turned, "");
  EXPECT_TRUE(a.has_label.empty());
  EXPECT_EQ(
      std::vector<float>(b.data.features.begin(),
                         b.data.features.begin() + static_cast<std::ptrdiff_t>(a.data.columns)),
      a.data.features);
  EXPECT_EQ(b.data.missing.size(), 1u);
  try {
    read_for(model, folder.write("c.csv", "age;height\n30;1,7\n31;1,8\n"), "");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("missing are: town, code"), std::string::npos)
        << error.what();
  }
  try {
    read_for(model, folder.write("d.csv", "age;town;code;height\n30;Ulm;k1;tall\n"), "");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("d.csv:2: height"), std::string::npos) << error.what();
  }
}

TEST(SavedModel, UnknownLevelsAndLabelsAreCountedNotRefused) {
  const TemporaryFolder folder;
  const Split split = load(folder.write("train.csv", people(2500, 5, true)));
  for (const char* learner : {"mlp", "gbdt", "forest"}) {
    const SavedModel model = trained(learner, split);
    const EncodedTable table =
        read_for(model,
                 folder.write("new.csv",
                              "age;town;code;height;class\n30;Rom;k1;1,7;old\n30;Ulm;zz;1,7;new\n"),
                 "");
    EXPECT_EQ(table.unknown, (std::vector<std::string>{"1 in town", "1 in code"}));
    EXPECT_EQ(table.has_label, (std::vector<std::uint8_t>{1, 0}));
    const Predictions predictions = predict(model, table.data);
    EXPECT_EQ(quality_of(predictions, table).trials, 1u);
    for (const float p : predictions.values) EXPECT_TRUE(std::isfinite(p));
  }
}

TEST(SavedModel, NumbersComeBackInTheirOwnUnit) {
  const TemporaryFolder folder;
  std::string text = "x,z,class\n";
  for (int i = 0; i < 200; ++i)
    text += std::to_string(i) + ",0," + std::to_string(1000.5 + 3.0 * i) + "\n";
  const Split split = load(folder.write("line.csv", text), "regression");
  for (const char* learner : {"linear", "gbdt", "forest"}) {
    const SavedModel model = trained(learner, split);
    const EncodedTable table = read_for(model, folder.write("new.csv", "x,z\n50,0\n150,0\n"), "");
    const Predictions predictions = predict(unpack_model(pack_model(model)), table.data);
    ASSERT_EQ(predictions.targets.size(), 2u);
    EXPECT_GT(predictions.targets[0], 1000.0) << learner;
    EXPECT_LT(predictions.targets[0], predictions.targets[1]) << learner;
  }
}

TEST(SavedModel, FilesWithoutNamesGoByPosition) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 120; ++i)
    text += std::to_string(i % 10) + "," + std::to_string(i % 7) + "," + (i % 10 > 4 ? "1" : "0") +
            "\n";
  DatasetOptions options;
  options.path = folder.write("plain.csv", text);
  options.labels = "3";
  const Split split = load_split(options);
  const SavedModel model = trained("gbdt", split);
  const EncodedTable with = read_for(model, folder.write("with.csv", "9,1,1\n0,2,0\n"), "");
  const EncodedTable without = read_for(model, folder.write("without.csv", "9,1\n0,2\n"), "");
  EXPECT_EQ(with.data.features, without.data.features);
  EXPECT_EQ(quality_of(predict(model, with.data), with).trials, 2u);
  EXPECT_TRUE(without.has_label.empty());
}

TEST(SavedModel, ModelsOfImagesReadImages) {
  const Dataset digits = embedded_digits();
  LearnerOptions options;
  options.model = "softmax";
  const auto learner = make_learner(options, digits);
  learner->train(200, Precision::parse("f32"));
  const SavedModel model = unpack_model(pack_model(saved_model(*learner, options, digits, 8)));
  const EncodedTable table = read_for(model, "digits", "");
  EXPECT_GT(quality_of(predict(model, table.data), table).value, 0.9);
  const TemporaryFolder folder;
  EXPECT_THROW(read_for(model, folder.write("x.csv", "a,b\n1,2\n"), ""), InputError);
}

TEST(SavedModel, OtherFilesAreRefusedInWords) {
  const TemporaryFolder folder;
  const Split split = load(folder.write("train.csv", people(200, 6, true)));
  const SavedModel model = trained("gbdt", split);
  const std::string file = folder / "model";
  save_model(model, file);
  EXPECT_EQ(pack_model(load_model(file)), pack_model(model));
  const auto says = [&](std::vector<std::uint8_t> bytes, const char* words) {
    try {
      unpack_model(bytes);
      ADD_FAILURE() << words;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  std::vector<std::uint8_t> bytes = pack_model(model);
  says({}, "not a file that `carnot learn --save` wrote");
  bytes[0] = 'x';
  says(bytes, "not a file");
  bytes = pack_model(model);
  bytes[8] = 9;
  says(bytes, "format 9; this program reads format 1");
  bytes = pack_model(model);
  bytes[bytes.size() / 2] ^= 1;
  says(bytes, "damaged");
  EXPECT_THROW(load_model(folder / "none"), InputFileError);
}

/// Spoils the bytes under the checksum, which is then made good: what reads them must hold alone.
void mutate(std::size_t count, std::uint64_t seed) {
  const TemporaryFolder folder;
  const Split split = load(folder.write("train.csv", people(120, 7, true)));
  const EncodedTable rows = [&] {
    return read_for(trained("gbdt", split), folder.write("new.csv", people(3, 8, false)), "");
  }();
  std::vector<std::vector<std::uint8_t>> models;
  for (const char* learner : {"mlp", "logistic", "gbdt", "forest"})
    models.push_back(pack_model(trained(learner, split, 4)));
  const RandomStream random(seed, "mutations");
  std::uint64_t at = 0;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::uint8_t> bytes = models[i % models.size()];
    bytes.resize(bytes.size() - 4);
    const std::uint64_t changes = 1 + random.below(at++, 4);
    for (std::uint64_t c = 0; c < changes; ++c) {
      const auto where = 12 + static_cast<std::size_t>(random.below(at++, bytes.size() - 12));
      switch (random.below(at++, 5)) {
        case 0:
          bytes[where] ^= static_cast<std::uint8_t>(1u << random.below(at++, 8));
          break;
        case 1:
          bytes[where] = static_cast<std::uint8_t>(random.below(at++, 256));
          break;
        case 2:
          bytes[where] = random.below(at++, 2) == 0 ? 0 : 0xff;
          break;
        case 3:
          bytes.resize(where + 1);
          break;
        default:
          bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(where), bytes[where]);
      }
      if (bytes.size() < 14) break;
    }
    const auto sum =
        static_cast<std::uint32_t>(::crc32(0, bytes.data(), static_cast<uInt>(bytes.size())));
    for (int k = 0; k < 4; ++k) bytes.push_back(static_cast<std::uint8_t>(sum >> (8 * k)));
    try {
      const SavedModel model = unpack_model(bytes);
      // What is taken must be usable.
      if (model.shape.columns == rows.data.columns) predict(model, rows.data);
      if (model.encoding) check_encoding(*model.encoding);
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, count / 4);
}

TEST(SavedModel, ConvolutionalNetworksComeBackAndSpoiledOnesNeverCrash) {
  const Dataset digits = few_rows(embedded_digits(), 150);
  LearnerOptions o;
  o.model = "cnn";
  o.optimiser = "adam";
  o.hidden = 6;
  o.batch = 10;
  o.epochs = 2;
  o.learning_rate = 0.01;
  o.convolution = {{3, 4}, 8, 8};
  const auto learner = make_any_learner(o, digits);
  learner->train(learner->total_steps(), Precision::parse("int8"));
  const SavedModel model = saved_model(*learner, o, digits, 6);
  const std::vector<std::uint8_t> bytes = pack_model(model);
  const SavedModel back = unpack_model(bytes);
  EXPECT_EQ(pack_model(back), bytes);
  EXPECT_EQ(back.convolution, o.convolution);
  EXPECT_EQ(predict(back, digits).values, predict(model, digits).values);
  const Dataset few = few_rows(digits, 2);
  const RandomStream random(3, "spoil");
  std::size_t refused = 0;
  for (std::uint64_t i = 0; i < 600; ++i) {
    std::vector<std::uint8_t> spoilt(bytes.begin(), bytes.end() - 4);
    spoilt[12 + random.below(2 * i, spoilt.size() - 12)] =
        static_cast<std::uint8_t>(random.below(2 * i + 1, 256));
    const auto sum =
        static_cast<std::uint32_t>(::crc32(0, spoilt.data(), static_cast<uInt>(spoilt.size())));
    for (int k = 0; k < 4; ++k) spoilt.push_back(static_cast<std::uint8_t>(sum >> (8 * k)));
    try {
      const SavedModel read = unpack_model(spoilt);
      if (read.shape.columns == few.columns) predict(read, few);
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 100u);
}

TEST(SavedModel, SpoiledFilesNeverCrash) { mutate(1500, 1); }
TEST(SavedModelSlow, AHundredThousandSpoiledFilesNeverCrash) { mutate(100000, 2); }

}  // namespace
}  // namespace carnot::learn
