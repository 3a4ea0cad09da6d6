// SPDX-License-Identifier: Apache-2.0
#include "experiment/precision_schedule.hpp"

#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/experiment/experiment.hpp"
#include "carnot/learn/trees/tree_learner.hpp"

namespace carnot::experiment {

namespace {
learn::Precision gradients_of(const std::string& text) {
  if (text == "f32") return learn::gradient_precision(32);
  const double bits = parse_number(!text.empty() && text[0] == 'g' ? text.substr(1) : text);
  if (bits != std::floor(bits) || !(bits >= 2.0 && bits <= 32.0))
    throw InputError(
        describe({}, "bits", fmt::format("of trees' gradients 2 to 8, or 32, found `{}`", text)));
  return learn::gradient_precision(static_cast<int>(bits));
}
}  // namespace

learn::Precision precision_of(const std::string& word) {
  if (word == "32") return learn::Precision::parse("f32");
  if (word == "16") return learn::Precision::parse("bf16");
  if (word == "8" || word == "4" || word == "2") return learn::Precision::parse("int" + word);
  return learn::Precision::parse(word);
}

std::vector<PrecisionStage> parse_schedule(const std::string& text, bool of_trees) {
  std::vector<PrecisionStage> stages;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('>', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const std::size_t at = part.find('@');
    PrecisionStage stage;
    stage.precision =
        of_trees ? gradients_of(part.substr(0, at)) : precision_of(part.substr(0, at));
    if (at != std::string::npos) stage.from = parse_number(part.substr(at + 1));
    const bool in_order =
        stages.empty() ? stage.from == 0.0 : stage.from > stages.back().from && stage.from < 1.0;
    if (!in_order)
      throw InputError(describe({}, "bits",
                                fmt::format("stages such as 4>8@0.75, each later one with a share "
                                            "of the steps above the last and below 1; found `{}`",
                                            text)));
    stages.push_back(std::move(stage));
    begin = end + 1;
  }
  return stages;
}

std::uint64_t stage_start(const PrecisionStage& stage, std::uint64_t total_steps) noexcept {
  return static_cast<std::uint64_t>(std::llround(stage.from * static_cast<double>(total_steps)));
}

}  // namespace carnot::experiment
