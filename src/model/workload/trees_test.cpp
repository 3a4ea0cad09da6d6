// SPDX-License-Identifier: Apache-2.0
// Dumps of three libraries against the leaves that the libraries themselves name
// (tests/testdata/trees/make.py).
#include "carnot/model/workload/trees.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/input/unpack.hpp"
#include "carnot/base/limits.hpp"

#include "base/testing_thrown.hpp"

namespace carnot::model {
namespace {

struct Case {
  const char *library, *data;
};
class TreesReference : public testing::TestWithParam<Case> {};

TEST_P(TreesReference, ComparisonsAreThoseOfTheLibrary) {
  const std::string name = std::string(GetParam().library) + "-" + GetParam().data;
  const std::string path = CARNOT_SOURCE_DIR "/tests/testdata/trees/" + name + ".json.zip";
  const nlohmann::json all = nlohmann::json::parse(unzip(read_file(path), path));
  const TreeEnsemble ensemble = parse_trees(all["model"].get<std::string>(), name);
  std::uint64_t comparisons = 0;
  for (const auto& row : all["rows"]) {
    comparisons += walk_trees(ensemble, row.get<std::vector<double>>());
  }
  EXPECT_EQ(comparisons, all["comparisons"].get<std::uint64_t>());
  const TreeCounts counts = count_trees(ensemble);
  EXPECT_TRUE(counts.by_cover);
  EXPECT_LE(counts.comparisons, static_cast<double>(counts.most_comparisons));
  if (!all["training"].is_null()) {
    // Covers are rows of training: the expectation over them is the walk of them all.
    EXPECT_NEAR(counts.comparisons * all["samples"].get<double>(), all["training"].get<double>(),
                1e-6 * all["training"].get<double>());
  }
  const Workload workload = trees_workload(ensemble, 1000);
  EXPECT_EQ(workload.operators.at(0).kind, KernelKind::Tree);
  EXPECT_EQ(workload.weight_bytes, counts.nodes * 16);
  EXPECT_EQ(counts.nodes, 2 * counts.leaves - counts.trees);
}

INSTANTIATE_TEST_SUITE_P(
    Dumps, TreesReference,
    testing::Values(Case{"sklearn", "iris"}, Case{"sklearn", "wine"},
                    Case{"sklearn", "breast_cancer"}, Case{"sklearn", "diabetes"},
                    Case{"sklearn", "digits"}, Case{"xgboost", "iris"}, Case{"xgboost", "wine"},
                    Case{"xgboost", "breast_cancer"}, Case{"xgboost", "diabetes"},
                    Case{"xgboost", "digits"}, Case{"lightgbm", "iris"}, Case{"lightgbm", "wine"},
                    Case{"lightgbm", "breast_cancer"}, Case{"lightgbm", "diabetes"},
                    Case{"lightgbm", "digits"}),
    [](const auto& each) { return std::string(each.param.library) + "_" + each.param.data; });

const char* const kStump = R"({"format": "carnot.trees/1", "features": 2, "trees": [
  {"left": [1, -1, 3, -1, -1], "right": [2, -1, 4, -1, -1], "feature": [0, -2, 1, -2, -2],
   "threshold": [0.5, 0, 2, 0, 0], "samples": [10, 4, 6, 5, 1]}]})";

TEST(Trees, CoverWeighsTheDepths) {
  const TreeEnsemble ensemble = parse_trees(kStump, "stump");
  const TreeCounts counts = count_trees(ensemble);
  EXPECT_DOUBLE_EQ(counts.comparisons, 1 + 0.6);
  EXPECT_EQ(counts.most_comparisons, 2u);
  EXPECT_EQ(counts.nodes, 5u);
  EXPECT_EQ(counts.leaves, 3u);
  EXPECT_EQ(walk_trees(ensemble, std::vector<double>{0.5, 0}), 1u) << "<= goes left";
  EXPECT_EQ(walk_trees(ensemble, std::vector<double>{0.6, 0}), 2u);
  EXPECT_THROW(walk_trees(ensemble, std::vector<double>{0.6}), InputError);
  // 10 rows: 16 comparisons and 10 additions.
  EXPECT_EQ(trees_workload(ensemble, 10).operators[0].counts.other_ops, 26u);
}

TEST(Trees, WithoutCoverSplitsAreEven) {
  std::string text = kStump;
  text.erase(text.find(", \"samples\""), std::string(", \"samples\": [10, 4, 6, 5, 1]").size());
  const TreeEnsemble ensemble = parse_trees(text, "stump");
  EXPECT_DOUBLE_EQ(count_trees(ensemble).comparisons, 1.5);
  EXPECT_EQ(trees_workload(ensemble, 1).notes.back(),
            "no cover in the file: each split is taken evenly");
}

TEST(Trees, PrunedRemainsAreLeftOut) {
  // Nodes 3 and 4 were children of node 1 before it was pruned to a leaf.
  const TreeEnsemble ensemble = parse_trees(R"({"learner": {
    "learner_model_param": {"num_feature": "2", "num_class": "0"},
    "gradient_booster": {"model": {"trees": [{
      "left_children": [1, -1, -1, -1, -1], "right_children": [2, -1, -1, -1, -1],
      "split_indices": [0, 0, 0, 0, 0], "split_conditions": [0.5, 1, 2, 0, 0],
      "sum_hessian": [8, 3, 5, 1, 2], "default_left": [1, 0, 0, 0, 0]}]}}}})",
                                            "pruned");
  EXPECT_EQ(count_trees(ensemble).nodes, 3u);
  EXPECT_DOUBLE_EQ(count_trees(ensemble).comparisons, 1);
  const double nan = kNaN;
  EXPECT_EQ(walk_trees(ensemble, std::vector<double>{nan, 0}), 1u);
}

TEST(Trees, BrokenTreesAreRefused) {
  const auto said = [](std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    return thrown<InputError>([&] { parse_trees(text, "t.json"); });
  };
  EXPECT_EQ(said(kStump, "[1, -1, 3", "[0, -1, 3"),
            "t.json: trees[0]: node 0 has child 0, which is outside or has another parent");
  EXPECT_EQ(said(kStump, "[1, -1, 3", "[9, -1, 3"),
            "t.json: trees[0]: node 0 has child 9, which is outside or has another parent");
  EXPECT_EQ(said(kStump, "[1, -1, 3", "[-1, -1, 3"),
            "t.json: trees[0]: node 0 has one child; 0 or 2 are allowed");
  EXPECT_EQ(said(kStump, "\"feature\": [0", "\"feature\": [7"),
            "t.json: trees[0]: node 0 splits feature 7 of 2");
  EXPECT_EQ(said(kStump, "[0.5, 0, 2, 0, 0]", "[0.5]"),
            "t.json: trees[0]: its arrays are not of one length");
  EXPECT_EQ(said(kStump, "[10, 4, 6, 5, 1]", "[-1, 4, 6, 5, 1]"),
            "t.json: trees[0]: cover is a number, 0 or more");
  EXPECT_NE(thrown<InputError>([] { parse_trees("nonsense", "t"); }).find("XGBoost's JSON"),
            std::string::npos);
  EXPECT_EQ(thrown<InputError>([] { parse_trees("{}", "t"); }), "t: learner: needed");
  EXPECT_EQ(thrown<InputError>([] {
              parse_trees(
                  "tree\nmax_feature_idx=3\n\nTree=0\nnum_leaves=2\nsplit_feature=0\n"
                  "threshold=1\ndecision_type=2\nleft_child=-1\nright_child=x\n",
                  "m.txt");
            }),
            "m.txt:10: right_child: numbers are needed");
  EXPECT_THROW(read_trees("/nowhere"), InputFileError);
}

}  // namespace
}  // namespace carnot::model
