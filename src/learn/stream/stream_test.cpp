// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/stream/stream.hpp"

#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/random.hpp"

#include "base/testing_files.hpp"
#include "learn/stream/stream_rows.hpp"
#include "learn/stream/text_pieces.hpp"

namespace carnot::learn {
namespace {

using ::testing::HasSubstr;

/// Numbers, a category, quoted line ends; two classes, or a number to predict.
std::string csv(std::size_t rows, bool classes = true) {
  const RandomStream random(6, "stream");
  std::string out = "a,b,kind,label\n";
  for (std::size_t r = 0; r < rows; ++r) {
    const double a = 10.0 + 3.0 * random.normal(4 * r), b = random.normal(4 * r + 1);
    const bool red = random.uniform(4 * r + 2) < 0.5;
    const double y = (a - 10.0) / 3.0 + (red ? b : -b) + 0.2 * random.normal(4 * r + 3);
    out += std::to_string(a) + "," + (r % 17 == 3 ? "" : std::to_string(b)) +
           (red ? ",\"re\nd\"," : ",green,");
    out += classes ? (y > 0.0 ? "yes\n" : "no\n") : std::to_string(y) + "\n";
  }
  return out;
}

StreamOptions options_of(const std::string& path, const char* model = "mlp") {
  StreamOptions o;
  o.data.path = path;
  o.learner.model = model;
  o.learner.hidden = 6;
  o.learner.batch = 16;
  o.learner.epochs = 3;
  o.learner.learning_rate = model == std::string("linear") ? 0.05 : 0.3;
  o.piece_bytes = 20000;
  o.block_rows = 256;
  return o;
}

std::string thrown(const StreamOptions& o) {
  try {
    learn_stream(o);
  } catch (const InputError& error) {
    return error.what();
  }
  return "(nothing)";
}

TEST(TextPieces, AreTheFileCutBehindRecords) {
  const TemporaryFolder folder;
  const std::string text = csv(200);
  const std::string path = folder.write("t.csv", text);
  for (const std::size_t size : {200u, 1000u, 100000u}) {
    TextPieces pieces(path, size);
    std::string all;
    std::vector<std::uint64_t> at = {0};
    for (std::string piece = pieces.next(); !piece.empty(); piece = pieces.next()) {
      EXPECT_EQ(piece.back(), '\n');
      EXPECT_EQ(std::count(piece.begin(), piece.end(), '"') % 2, 0);
      all += piece;
      at.push_back(pieces.offset());
    }
    EXPECT_EQ(all, text);
    pieces.seek(at[at.size() / 2]);
    EXPECT_TRUE(std::string_view(text).substr(at[at.size() / 2]).starts_with(pieces.next()));
  }
  TextPieces small(folder.write("long.csv", std::string(5000, 'x') + "\n"), 100);
  EXPECT_THROW(small.next(), InputError);
  EXPECT_THROW(TextPieces(folder / "none.csv", 100), InputFileError);
}

TEST(Stream, PiecesOfAnySizeAndMemoryGiveTheSameModel) {
  const TemporaryFolder folder;
  for (const bool classes : {true, false}) {
    StreamOptions o =
        options_of(folder.write("t.csv", csv(3000, classes)), classes ? "mlp" : "linear");
    const StreamResult once = learn_stream(o);
    // The same rows, gathered in memory with the same encoding.
    StreamRows rows(o);
    rows.look();
    Dataset all = rows.like();
    while (all.rows < rows.train_rows()) rows.fill(all);
    ASSERT_EQ(all.rows, once.train_rows);
    EXPECT_EQ(learn_in_blocks(o.learner, all, o.block_rows), once.model.parameters);
    EXPECT_GT(once.quality.value, classes ? 0.8 : 0.4);
    EXPECT_EQ(once.train_rows + once.held_out_rows, 3000u);
    EXPECT_EQ(once.blocks,
              static_cast<std::uint64_t>(3.0 * static_cast<double>(once.train_rows) / 256));
  }
}

TEST(Stream, ScalesAreThoseOfAllTrainingRows) {
  const TemporaryFolder folder;
  const StreamOptions o = options_of(folder.write("t.csv", csv(3000)));
  StreamRows rows(o);
  rows.look();
  Dataset all = rows.like();
  while (all.rows < rows.train_rows()) rows.fill(all);
  double mean = 0.0, squares = 0.0;
  const auto n = static_cast<double>(all.rows);
  for (std::size_t r = 0; r < all.rows; ++r)
    mean += static_cast<double>(all.features[r * all.columns]) / n;
  for (std::size_t r = 0; r < all.rows; ++r)
    squares += std::pow(static_cast<double>(all.features[r * all.columns]) - mean, 2) / n;
  EXPECT_NEAR(mean, 0.0, 1e-6);
  EXPECT_NEAR(squares, 1.0, 1e-6);
}

TEST(Stream, PackedFilesGiveTheSameModel) {
  const TemporaryFolder folder;
  const std::string text = csv(2000);
  std::filesystem::create_directory(folder / "z");
  const std::string plain = folder.write("t.csv", text), packed = folder / "z/t.csv";
  gzFile file = gzopen(packed.c_str(), "wb");
  ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())),
            static_cast<int>(text.size()));
  gzclose(file);
  StreamOptions a = options_of(plain), b = options_of(packed);
  a.most_held_out = b.most_held_out =
      1;  // the share of rows held out follows the bytes of the file
  a.data.test_share = b.data.test_share = 1e-9;
  EXPECT_EQ(learn_stream(a).model.parameters, learn_stream(b).model.parameters);
}

TEST(Stream, GoesOnFromACheckpointAsIfItHadNotStopped) {
  const TemporaryFolder folder;
  StreamOptions o = options_of(folder.write("t.csv", csv(3000)));
  const StreamResult whole = learn_stream(o);
  o.checkpoint = folder / "check";
  o.checkpoint_blocks = 5;
  StreamResult last;
  int stops = 0;
  for (int asked = 12; !last.resumed || last.blocks != whole.blocks; asked += 4) {
    int left = asked;
    o.stop = StopToken([&left] { return --left < 0; });
    try {
      last = learn_stream(o);
    } catch (const Stopped&) {
      ASSERT_LT(++stops, 100);
    }
  }
  EXPECT_GT(stops, 1);
  EXPECT_EQ(last.model.parameters, whole.model.parameters);
  EXPECT_EQ(last.quality.value, whole.quality.value);
  EXPECT_TRUE(last.counters == whole.counters);
  EXPECT_EQ(pack_model(last.model), pack_model(whole.model));

  o.stop = StopToken();
  o.learner.seed = 2;
  EXPECT_THAT(thrown(o), HasSubstr("another training"));
  const std::string bytes = read_file(o.checkpoint);
  for (const std::size_t cut :
       {std::size_t{0}, std::size_t{3}, bytes.size() / 2, bytes.size() - 1}) {
    write_file(o.checkpoint, bytes.substr(0, cut));
    EXPECT_THAT(thrown(o), HasSubstr("damaged")) << cut;
  }
}

TEST(Stream, RefusesWhatItCannotLearnSo) {
  const TemporaryFolder folder;
  StreamOptions o = options_of(folder.write("t.csv", csv(1000)));
  o.learner.optimiser = "adam";
  EXPECT_THAT(thrown(o), HasSubstr("sgd without momentum"));
  o = options_of(o.data.path, "gbdt");
  EXPECT_THAT(thrown(o), HasSubstr("mlp, linear, logistic or softmax"));
  std::string sorted = "a,label\n";
  for (int r = 0; r < 3000; ++r)
    sorted += std::to_string(r % 7) + (r < 40     ? (r % 2 ? ",x\n" : ",y\n")
                                       : r < 1500 ? ",x\n"
                                                  : ",y\n");
  EXPECT_THAT(thrown(options_of(folder.write("sorted.csv", sorted))), HasSubstr("shuffle"));
  std::string late = csv(3000) + "1,1,green,perhaps\n";
  EXPECT_THAT(thrown(options_of(folder.write("late.csv", late))), HasSubstr("row 3001"));
  EXPECT_THAT(thrown(options_of(folder.write("empty.csv", ""))), HasSubstr("at least one"));
}

}  // namespace
}  // namespace carnot::learn
