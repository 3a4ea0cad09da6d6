// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <initializer_list>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/text.hpp"
#include "carnot/model/workload/trees.hpp"

namespace carnot::model {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostNodes = std::size_t{1} << 30;

[[noreturn]] void refuse(const std::string& file, std::string_view key, std::string_view allowed) {
  throw InputError(fmt::format("{}: {}: {}", file, key, allowed));
}

// Keeps the nodes marked, in their order.
void keep(DecisionTree& tree, const std::vector<bool>& wanted) {
  std::vector<std::int32_t> moved(wanted.size(), -1);
  std::int32_t next = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i]) moved[i] = next++;
  }
  DecisionTree made;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i]) continue;
    const bool leaf = tree.left[i] < 0;
    made.left.push_back(leaf ? -1 : moved[static_cast<std::size_t>(tree.left[i])]);
    made.right.push_back(leaf ? -1 : moved[static_cast<std::size_t>(tree.right[i])]);
    made.feature.push_back(tree.feature[i]);
    made.threshold.push_back(tree.threshold[i]);
    if (!tree.cover.empty()) made.cover.push_back(tree.cover[i]);
    if (!tree.missing_left.empty()) made.missing_left.push_back(tree.missing_left[i]);
  }
  tree = std::move(made);
}

// Each node but the root has one parent, and all hang on the root. `pruned`: those that do not are
// remains of pruning and go.
void check(DecisionTree& tree, const TreeEnsemble& ensemble, const std::string& file,
           const std::string& place, bool pruned = false) {
  const std::size_t n = tree.left.size();
  if (n == 0 || n > kMostNodes) refuse(file, place, "1 or more nodes are needed");
  if (tree.right.size() != n || tree.feature.size() != n || tree.threshold.size() != n ||
      (!tree.cover.empty() && tree.cover.size() != n) ||
      (!tree.missing_left.empty() && tree.missing_left.size() != n)) {
    refuse(file, place, "its arrays are not of one length");
  }
  std::vector<bool> seen(n, false);
  std::vector<std::size_t> open{0};
  seen[0] = true;
  std::size_t reached = 0;
  while (!open.empty()) {
    const std::size_t at = open.back();
    open.pop_back();
    ++reached;
    if ((tree.left[at] < 0) != (tree.right[at] < 0)) {
      refuse(file, place, fmt::format("node {} has one child; 0 or 2 are allowed", at));
    }
    if (tree.left[at] < 0) continue;
    if (tree.feature[at] < 0 || static_cast<std::uint64_t>(tree.feature[at]) >= ensemble.features) {
      refuse(
          file, place,
          fmt::format("node {} splits feature {} of {}", at, tree.feature[at], ensemble.features));
    }
    for (const std::int32_t child : {tree.left[at], tree.right[at]}) {
      const auto next = static_cast<std::size_t>(child);
      if (next >= n || seen[next]) {
        refuse(
            file, place,
            fmt::format("node {} has child {}, which is outside or has another parent", at, child));
      }
      seen[next] = true;
      open.push_back(next);
    }
  }
  if (reached != n && pruned) {
    keep(tree, seen);
  } else if (reached != n) {
    refuse(file, place, fmt::format("{} of {} nodes hang on the root", reached, n));
  }
  for (const double each : tree.cover) {
    if (!(each >= 0) || std::isinf(each)) refuse(file, place, "cover is a number, 0 or more");
  }
}

const Json& member(const Json& object, const char* key, const std::string& file,
                   const std::string& place) {
  if (!object.is_object()) refuse(file, place, "an object is needed");
  const auto found = object.find(key);
  if (found == object.end()) refuse(file, place.empty() ? key : place + "." + key, "needed");
  return *found;
}

std::vector<double> reals(const Json& list, const std::string& file, const std::string& place) {
  if (!list.is_array()) refuse(file, place, "a list of numbers is needed");
  std::vector<double> made;
  made.reserve(list.size());
  for (const Json& each : list) {
    if (each.is_boolean()) {
      made.push_back(each.get<bool>() ? 1 : 0);
    } else if (each.is_number()) {
      made.push_back(each.get<double>());
    } else {
      refuse(file, place, "a list of numbers is needed");
    }
  }
  return made;
}

std::vector<std::int32_t> indices(const Json& list, const std::string& file,
                                  const std::string& place) {
  std::vector<std::int32_t> made;
  for (const double each : reals(list, file, place)) {
    if (!(each >= -2147483648.0 && each <= 2147483647.0) || each != std::floor(each)) {
      refuse(file, place, "whole numbers are needed");
    }
    made.push_back(static_cast<std::int32_t>(each));
  }
  return made;
}

// XGBoost writes numbers of its parameters as texts.
std::uint64_t parameter(const Json& object, const char* key, const std::string& file,
                        const std::string& place) {
  const Json& value = member(object, key, file, place);
  const std::string name = place + "." + key;
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (!value.is_string()) refuse(file, name, "a whole number is needed");
  const std::string text = value.get<std::string>();
  std::uint64_t made = 0;
  if (!read_whole(std::string_view(text), made)) {
    refuse(file, name, "a whole number is needed");
  }
  return made;
}

TreeEnsemble read_xgboost(const Json& root, const std::string& file) {
  TreeEnsemble ensemble;
  ensemble.format = "xgboost";
  ensemble.strict = ensemble.single = true;
  const Json& learner = member(root, "learner", file, "");
  const Json* booster = &member(learner, "gradient_booster", file, "learner");
  if (booster->is_object() && booster->contains("gbtree")) booster = &(*booster)["gbtree"];  // dart
  const Json& parameters = member(learner, "learner_model_param", file, "learner");
  ensemble.features = parameter(parameters, "num_feature", file, "learner_model_param");
  ensemble.outputs =
      std::max<std::uint64_t>(1, parameter(parameters, "num_class", file, "learner_model_param"));
  const Json& model = member(*booster, "model", file, "gradient_booster (trees are needed)");
  const Json& trees = member(model, "trees", file, "gradient_booster.model");
  if (!trees.is_array()) refuse(file, "trees", "a list is needed");
  for (std::size_t i = 0; i < trees.size(); ++i) {
    const std::string place = fmt::format("trees[{}]", i);
    const auto at = [&](const char* key) -> const Json& {
      return member(trees[i], key, file, place);
    };
    DecisionTree tree;
    tree.left = indices(at("left_children"), file, place + ".left_children");
    tree.right = indices(at("right_children"), file, place + ".right_children");
    tree.feature = indices(at("split_indices"), file, place + ".split_indices");
    tree.threshold = reals(at("split_conditions"), file, place + ".split_conditions");
    // Written in few digits; compared in 32 bits.
    for (double& each : tree.threshold) each = static_cast<double>(static_cast<float>(each));
    tree.cover = reals(at("sum_hessian"), file, place + ".sum_hessian");
    for (const double each : reals(at("default_left"), file, place + ".default_left")) {
      tree.missing_left.push_back(each != 0);
    }
    const auto sets = trees[i].find("categories_nodes");
    if (sets != trees[i].end() && !sets->empty()) ensemble.categorical = true;
    check(tree, ensemble, file, place, true);
    ensemble.trees.push_back(std::move(tree));
  }
  return ensemble;
}

TreeEnsemble read_own(const Json& root, const std::string& file) {
  TreeEnsemble ensemble;
  ensemble.format = "carnot.trees/1";
  ensemble.features = parameter(root, "features", file, "root");
  ensemble.outputs = root.contains("outputs") ? parameter(root, "outputs", file, "root") : 1;
  const Json& trees = member(root, "trees", file, "");
  if (!trees.is_array()) refuse(file, "trees", "a list is needed");
  for (std::size_t i = 0; i < trees.size(); ++i) {
    const std::string place = fmt::format("trees[{}]", i);
    DecisionTree tree;
    tree.left = indices(member(trees[i], "left", file, place), file, place + ".left");
    tree.right = indices(member(trees[i], "right", file, place), file, place + ".right");
    tree.feature = indices(member(trees[i], "feature", file, place), file, place + ".feature");
    tree.threshold = reals(member(trees[i], "threshold", file, place), file, place + ".threshold");
    if (trees[i].contains("samples")) {
      tree.cover = reals(trees[i]["samples"], file, place + ".samples");
    }
    check(tree, ensemble, file, place);
    ensemble.trees.push_back(std::move(tree));
  }
  return ensemble;
}

// ---- LightGBM: blocks of `key=value` lines, each from `Tree=N` to an empty line
struct Block {
  std::size_t line = 0;
  std::map<std::string_view, std::pair<std::string_view, std::size_t>> values;
};

std::vector<double> list(const Block& block, const char* key, std::size_t size,
                         const std::string& file, bool needed = true) {
  std::vector<double> made;
  const auto found = block.values.find(key);
  if (found == block.values.end()) {
    if (!needed || size == 0) return made;
    throw InputError(describe({file, block.line}, key, "needed"));
  }
  const auto [text, line] = found->second;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) {
      double value = 0;
      if (!read_whole(text.substr(begin, end - begin), value)) {
        throw InputError(describe({file, line}, key, "numbers are needed"));
      }
      made.push_back(value);
    }
    begin = end + 1;
  }
  if (made.size() != size) {
    throw InputError(describe({file, line}, key,
                              fmt::format("{} numbers are needed, not {}", size, made.size())));
  }
  return made;
}

std::int32_t whole(double value, const Block& block, const std::string& file) {
  if (!(std::fabs(value) < 2147483647.0) || value != std::floor(value)) {
    throw InputError(describe({file, block.line}, "tree", "whole numbers are needed"));
  }
  return static_cast<std::int32_t>(value);
}

DecisionTree lightgbm_tree(const Block& block, TreeEnsemble& ensemble, const std::string& file) {
  const double leaves = list(block, "num_leaves", 1, file)[0];
  if (!(leaves >= 1 && leaves < 1e9) || leaves != std::floor(leaves)) {
    throw InputError(describe({file, block.line}, "num_leaves", "1 or more is needed"));
  }
  const auto k = static_cast<std::size_t>(leaves);
  const std::size_t inner = k - 1;
  const auto left = list(block, "left_child", inner, file);
  const auto right = list(block, "right_child", inner, file);
  const auto feature = list(block, "split_feature", inner, file);
  const auto threshold = list(block, "threshold", inner, file);
  const auto decision = list(block, "decision_type", inner, file);
  const auto inner_count = list(block, "internal_count", inner, file, false);
  const auto leaf_count = list(block, "leaf_count", inner == 0 ? 0 : k, file, false);
  DecisionTree tree;
  // Inner nodes first, then leaves; a negative child -1 - i is leaf i.
  const auto place = [&](double child) {
    const std::int32_t at = whole(child, block, file);
    return at >= 0 ? at : static_cast<std::int32_t>(inner) + (-1 - at);
  };
  for (std::size_t i = 0; i < inner; ++i) {
    tree.left.push_back(place(left[i]));
    tree.right.push_back(place(right[i]));
    tree.feature.push_back(whole(feature[i], block, file));
    tree.threshold.push_back(threshold[i]);
    const std::int32_t flags = whole(decision[i], block, file);
    if ((flags & 1) != 0) ensemble.categorical = true;
    tree.missing_left.push_back((flags & 2) != 0);
  }
  tree.left.resize(inner + k, -1);
  tree.right.resize(inner + k, -1);
  tree.feature.resize(inner + k, -1);
  tree.threshold.resize(inner + k, 0);
  tree.missing_left.resize(inner + k, false);
  if (inner != 0 && inner_count.size() == inner && leaf_count.size() == k) {
    tree.cover = inner_count;
    tree.cover.insert(tree.cover.end(), leaf_count.begin(), leaf_count.end());
  } else if (inner == 0) {
    tree.cover = {1};
  }
  check(tree, ensemble, file, fmt::format("tree at line {}", block.line));
  return tree;
}

TreeEnsemble read_lightgbm(std::string_view text, const std::string& file) {
  TreeEnsemble ensemble;
  ensemble.format = "lightgbm";
  std::vector<Block> blocks;
  Block head;
  Block* now = &head;
  std::size_t line = 0, begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view row = text.substr(begin, end - begin);
    if (!row.empty() && row.back() == '\r') row.remove_suffix(1);
    begin = end + 1;
    ++line;
    if (row == "end of trees") break;
    const std::size_t equals = row.find('=');
    if (equals == std::string_view::npos) continue;
    if (row.starts_with("Tree=")) {
      blocks.emplace_back().line = line;
      now = &blocks.back();
    }
    now->values[row.substr(0, equals)] = {row.substr(equals + 1), line};
  }
  head.line = 1;
  const double last = list(head, "max_feature_idx", 1, file)[0];
  if (!(last >= 0 && last < 2e9)) {
    throw InputError(describe({file, 1}, "max_feature_idx", "0 or more is needed"));
  }
  ensemble.features = static_cast<std::uint64_t>(last) + 1;
  if (head.values.contains("num_class")) {
    const double classes = list(head, "num_class", 1, file)[0];
    if (classes >= 1 && classes < 1e9) ensemble.outputs = static_cast<std::uint64_t>(classes);
  }
  for (const Block& each : blocks) ensemble.trees.push_back(lightgbm_tree(each, ensemble, file));
  return ensemble;
}

}  // namespace

TreeEnsemble parse_trees(std::string_view text, const std::string& file) {
  TreeEnsemble ensemble;
  if (text.starts_with("tree\n") || text.starts_with("tree\r\n")) {
    ensemble = read_lightgbm(text, file);
  } else {
    const Json root = Json::parse(text, nullptr, false);
    if (root.is_discarded() || !root.is_object()) {
      throw InputError(
          fmt::format("{}: XGBoost's JSON, LightGBM's text (first line `tree`) or "
                      "carnot.trees/1 is needed",
                      file));
    }
    const auto format = root.find("format");
    ensemble = format != root.end() && *format == "carnot.trees/1" ? read_own(root, file)
                                                                   : read_xgboost(root, file);
  }
  ensemble.name = file;
  if (ensemble.trees.empty()) refuse(file, "trees", "at least one is needed");
  return ensemble;
}

TreeEnsemble read_trees(const std::filesystem::path& path) {
  try {
    return parse_trees(read_file(path), path.string());
  } catch (const IoError& problem) {
    throw InputFileError(problem.what());
  }
}

}  // namespace carnot::model
