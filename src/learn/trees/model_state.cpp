// SPDX-License-Identifier: Apache-2.0
#include "learn/trees/model_state.hpp"

namespace carnot::learn {

std::uint64_t state_identity(std::uint64_t id,
                             std::initializer_list<std::uint64_t> parts) noexcept {
  for (const std::uint64_t part : parts) id = (id ^ part) * 0x100000001B3u;
  return id;
}

void write_trees(StateWriter& out, const std::vector<Tree>& trees) {
  out.value<std::uint64_t>(trees.size());
  for (const Tree& tree : trees) {
    out.sequence(tree.nodes);
    out.sequence(tree.sets);
    out.sequence(tree.values);
    out.value(tree.output);
    out.value(tree.width);
  }
}

std::vector<Tree> read_trees(StateReader& in) {
  std::vector<Tree> trees;
  const auto count = in.value<std::uint64_t>();
  for (std::uint64_t i = 0; i < count; ++i) {
    Tree tree;
    tree.nodes = in.sequence<TreeNode>();
    tree.sets = in.sequence<std::array<std::uint64_t, 4>>();
    tree.values = in.sequence<float>();
    tree.output = in.value<std::uint32_t>();
    tree.width = in.value<std::uint32_t>();
    trees.push_back(std::move(tree));
  }
  return trees;
}

}  // namespace carnot::learn
