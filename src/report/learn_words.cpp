// SPDX-License-Identifier: Apache-2.0
#include "report/learn_words.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

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
  if (!std::isfinite(value)) return "n/a";
  if (value == 0.0) return fmt::format("0 {}", unit);
  for (const Prefix& p : kPrefixes)
    if (std::abs(value) >= p.from * 0.99995)
      return fmt::format("{:.4g} {}{}", value / p.from, p.name, unit);
  return fmt::format("{:.3g} {}", value, unit);
}
}  // namespace

std::string knobs_text(const run::ExperimentPoint& p) {
  return fmt::format("{}{}, {:.3g} epochs, seed {}", p.precision,
                     p.hidden > 0 ? fmt::format(", {} hidden", p.hidden) : "", p.epochs, p.seed);
}

std::string quality_range(const run::ExperimentPoint& p) {
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

std::string finding(const run::ExperimentResult& result) {
  const run::ExperimentPoint& p = result.points[result.best];
  const double net = p.lengths.learned_net;
  return fmt::format(
      "Best run: {}: {} {} for {} (modelled, chip), {}. {}", knobs_text(p),
      p.quality.metric == "r2" ? "R2" : p.quality.metric, quality_range(p),
      joules_text(p.energy.value().in(joule)), p.stopped,
      net > 0.0 ? fmt::format("It learned {} of {} net of the model's own {}.", bits_text(net),
                              bits_text(p.lengths.uniform), bits_text(p.lengths.model))
                : fmt::format("Net of the model's own {} nothing was learned.",
                              bits_text(p.lengths.model)));
}

std::string k_star_sentence(const run::ExperimentResult& result) {
  const run::StructurePoint& s = result.structure[result.k_star_structure];
  return fmt::format(
      "k* = {} (run {}, {} bits a coefficient), leaving {} of labels; beyond it a model bit saves "
      "less than a data bit.",
      bits_text(s.model_bits), s.point + 1, s.width, bits_text(s.data_bits));
}

}  // namespace carnot::report
