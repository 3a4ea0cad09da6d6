// SPDX-License-Identifier: Apache-2.0
#include "report/learn/words.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "report/draw/text_columns.hpp"

namespace carnot::report {

namespace {
std::string scaled_text(double value, std::string_view unit) {
  struct Prefix {
    double from;
    const char* name;
  };
  constexpr std::array<Prefix, 8> kPrefixes{{{1e6, "M"},
                                             {1e3, "k"},
                                             {1.0, ""},
                                             {1e-3, "m"},
                                             {1e-6, "u"},
                                             {1e-9, "n"},
                                             {1e-12, "p"},
                                             {1e-15, "f"}}};
  constexpr double kRoundsUp = 0.9995;  // so that no value reads "1e+03"
  if (!std::isfinite(value)) return "n/a";
  if (value == 0.0) return fmt::format("0 {}", unit);
  for (const Prefix& p : kPrefixes)
    if (std::abs(value) >= p.from * kRoundsUp)
      return fmt::format("{:.3g} {}{}", value / p.from, p.name, unit);
  return fmt::format("{:.3g} {}", value, unit);
}

/// Said where a target was missed; `stopped` says it where one was certified.
std::string target_sentence(const experiment::ExperimentResult& result) {
  if (!std::isfinite(result.target) || result.points[result.best].certified) return {};
  return fmt::format(" The target of {:g} was not certified by any run.", result.target);
}

std::string bits_sentence(const learn::CodeLengths& l) {
  const std::string labels = bits_text(l.uniform) + " of training labels";
  if (l.learned_net > 0.0)
    return fmt::format("Of {} it learned {}, net of its own {}.", labels, bits_text(l.learned_net),
                       bits_text(l.model));
  if (l.data >= l.uniform) return fmt::format("It explains nothing of {}.", labels);
  return fmt::format("It explains {} of {}, but takes {} itself: net, nothing was learned.",
                     bits_text(l.uniform - l.data), labels, bits_text(l.model));
}
}  // namespace

std::string precision_text(const std::string& asked) {
  std::string out;
  for (std::size_t begin = 0; begin <= asked.size();) {
    const std::size_t end = std::min(asked.find('>', begin), asked.size());
    const std::string stage = asked.substr(begin, end - begin);
    const std::size_t at = std::min(stage.find('@'), stage.size());
    const std::string width = stage.substr(0, at);
    const char* family = width == "32"                                  ? "f"
                         : width == "16"                                ? "bf"
                         : width == "8" || width == "4" || width == "2" ? "int"
                                                                        : "";
    out += (begin > 0 ? ">" : "") + (family + stage);
    begin = end + 1;
  }
  return out;
}

std::string gradient_text(const std::string& asked) {
  if (asked == "32" || asked == "f32") return "f32";
  return fmt::format("{} bit gradients", asked[0] == 'g' ? asked.substr(1) : asked);
}

std::vector<std::string> run_names(const experiment::ExperimentResult& result) {
  const auto differ = [&](auto&& knob) {
    return std::any_of(result.points.begin(), result.points.end(),
                       [&](const auto& p) { return knob(p) != knob(result.points.front()); });
  };
  const bool hidden = differ([](const experiment::ExperimentPoint& p) { return p.hidden; });
  const bool epochs = differ([](const experiment::ExperimentPoint& p) { return p.epochs; });
  const bool seed = differ([](const experiment::ExperimentPoint& p) { return p.seed; });
  const auto trees = differ([](const experiment::ExperimentPoint& p) { return p.tree.trees; });
  const auto leaves = differ([](const experiment::ExperimentPoint& p) { return p.tree.leaves; });
  const auto depth = differ([](const experiment::ExperimentPoint& p) { return p.tree.depth; });
  const auto bins = differ([](const experiment::ExperimentPoint& p) { return p.tree.bins; });
  const bool of_trees = result.points.size() > 0 && result.points.front().tree.trees > 0;
  std::vector<std::string> out;
  for (const experiment::ExperimentPoint& p : result.points) {
    std::string name = of_trees ? gradient_text(p.precision) : precision_text(p.precision);
    if (hidden) name += fmt::format(", {} hidden", p.hidden);
    if (epochs) name += fmt::format(", {:.3g} epochs", p.epochs);
    if (trees) name += fmt::format(", {} trees", p.tree.trees);
    if (leaves) name += fmt::format(", {} leaves", p.tree.leaves);
    if (depth) name += fmt::format(", depth {}", p.tree.depth);
    if (bins) name += fmt::format(", {} bins", p.tree.bins);
    if (seed) name += fmt::format(", seed {}", p.seed);
    out.push_back(std::move(name));
  }
  return out;
}

std::string quality_range(const experiment::ExperimentPoint& p) {
  if (p.quality.metric == "accuracy")
    return fmt::format("{:.2f} % ({:.1f} to {:.1f})", 100.0 * p.quality.value,
                       100.0 * p.quality_low, 100.0 * p.quality_high);
  return fmt::format("{:.4f} ({:.3f} to {:.3f})", p.quality.value, p.quality_low, p.quality_high);
}

std::string joules_text(double joules) { return scaled_text(joules, "J"); }

std::string bits_text(double bits) {
  return std::isfinite(bits) && std::abs(bits) < 1000.0 ? fmt::format("{:.0f} bit", bits)
                                                        : scaled_text(bits, "bit");
}

namespace {

/// Where one class is most of the rows, accuracy alone says little.
std::string constant_sentence(const experiment::ExperimentResult& result) {
  constexpr double kMuch = 0.6;
  if (!(result.constant_accuracy >= kMuch)) return "";
  return fmt::format(" Saying `{}` of every row is right in {:.1f} %.",
                     printable(result.constant_class), 100.0 * result.constant_accuracy);
}

}  // namespace

std::string finding(const experiment::ExperimentResult& result) {
  const experiment::ExperimentPoint& p = result.points[result.best];
  const std::string best = run_names(result)[result.best];
  return fmt::format("{}: {} {} on held-out rows for {} (modelled, chip); {}.{}{} {}",
                     result.points.size() == 1
                         ? best
                         : fmt::format("Best of {} runs, {}", result.points.size(), best),
                     p.quality.metric == "r2" ? "R2" : p.quality.metric, quality_range(p),
                     joules_text(p.energy.value().in(joule)), p.stopped, constant_sentence(result),
                     target_sentence(result), bits_sentence(p.lengths));
}

std::string text_sentence(const experiment::ExperimentResult& result) {
  const std::vector<std::string> names = run_names(result);
  std::string out = "Bits a held-out ";
  out += result.masked ? "hidden character (no code of the text): " : "character: ";
  for (std::size_t i = 0; i < result.points.size(); ++i) {
    const experiment::ExperimentPoint& p = result.points[i];
    out += fmt::format("{}{} {:.3f} (perplexity {:.2f}, {:.1f} s)", i == 0 ? "" : "; ", names[i],
                       p.quality.bits_per_label, std::exp2(p.quality.bits_per_label), p.seconds);
  }
  return out + fmt::format(". Counts of characters alone: {:.3f}.",
                           result.points[result.best].lengths.uniform /
                               static_cast<double>(result.train_rows));
}

std::string k_star_sentence(const experiment::ExperimentResult& result) {
  const experiment::StructurePoint& s = result.structure[result.k_star_structure];
  if (s.width == 0)
    return fmt::format(
        "k* = 0: the empty model, which leaves {} of labels; no model here saves what it takes to "
        "state it.",
        bits_text(s.data_bits));
  if (s.trees > 0)
    return fmt::format(
        "k* = {} of model ({}: {} tree{}, leaves of {} bits), which leaves {} of labels; beyond it "
        "another bit of model saves less than a bit of labels. On held-out rows: {}.",
        bits_text(s.model_bits), run_names(result)[s.point], s.trees, s.trees == 1 ? "" : "s",
        s.width, bits_text(s.data_bits),
        result.task == "regression" ? fmt::format("R2 {:.4f}", s.held_out_quality)
                                    : fmt::format("{:.2f} %, {:.4f} bit a label",
                                                  100.0 * s.held_out_quality, s.held_out_bits));
  return fmt::format(
      "k* = {} of model ({}, coded at {} bits a coefficient), which leaves {} of labels; beyond "
      "it another bit of model saves less than a bit of labels.",
      bits_text(s.model_bits), run_names(result)[s.point], s.width, bits_text(s.data_bits));
}

}  // namespace carnot::report
