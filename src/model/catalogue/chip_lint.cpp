// SPDX-License-Identifier: Apache-2.0
// Contradictions between the values of one chip.
#include <algorithm>
#include <array>
#include <cstdio>

#include "carnot/model/catalogue/chips.hpp"

namespace carnot::model {

namespace {

class Lint {
 public:
  Lint(const Chip& chip, std::vector<Finding>& findings) : chip_(chip), findings_(findings) {}

  void run() {
    powers();
    formats();
    density();
  }

 private:
  double low(std::string_view property) const {
    const auto* v = chip_.find(property);
    return v == nullptr ? 0 : v->low;
  }
  double high(std::string_view property) const {
    const auto* v = chip_.find(property);
    return v == nullptr ? 0 : v->high;
  }
  void report(std::string_view property, const std::string& message) {
    findings_.push_back({chip_.id, std::string(property), message});
  }
  static std::string number(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.4g", value);
    return text.data();
  }

  void powers() {
    for (const std::string_view property : {"idle", "active_floor"}) {
      if (low(property) > 0 && high("tdp") > 0 && low(property) >= 0.5 * high("tdp")) {
        report(property, number(low(property)) + " W is half of the TDP or more");
      }
    }
  }

  /// A format of half the width is about twice as fast; three times and more says that one of the
  /// two is counted with sparsity or on other units. Cards for games run 16-bit and 8-bit floating
  /// point at half rate when they accumulate in 32 bits, so integers may be four times as fast
  /// there, and 4-bit rates are held against the faster of the 8-bit ones.
  void formats() {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kHalves = {
        {{"tf32", "bf16"},
         {"fp16", "fp8"},
         {"bf16", "fp8"},
         {"fp16", "int8"},
         {"bf16", "int8"},
         {"fp8", "fp4"},
         {"int8", "int4"}}};
    for (const auto& [wide, narrow] : kHalves) {
      if (low(wide) <= 0 || high(narrow) <= 0) continue;
      const double least = low(narrow) / high(wide);
      const double most = high(narrow) / low(wide);
      if (most < 0.98) {
        report(narrow, "slower than " + std::string(wide) + ": one of them counts something else");
      } else if (least > (narrow == "int8" ? 4.1 : 3.05) &&
                 !(narrow == "fp4" && high("fp4") < 3.05 * low("int8"))) {
        report(narrow, number(least) + " times " + std::string(wide) +
                           ": counted with sparsity, or the other with a slower accumulator?");
      }
    }
    if (low("fp16") > 0 && low("bf16") > 0) {
      const double ratio = low("fp16") / high("bf16");
      if (ratio > 1.9) report("fp16", "twice bf16: sparsity, or accumulated in fp16?");
      if (high("fp16") / low("bf16") < 0.52) report("bf16", "twice fp16: counted with sparsity?");
    }
  }

  /// Bounds lie a little above the best chip of the catalogue at the process or an older one, in a
  /// dense 16-bit product: beyond them a rate was counted with sparsity, or the area is of another
  /// die.
  void density() {
    const double peak = std::max(low("bf16"), low("fp16"));
    const double process = low("process");
    if (peak > 0 && process > 0 && high("tdp") > 0) {
      const double best = process >= 12 ? 0.95 : process >= 7 ? 1.5 : process >= 5 ? 2.4 : 3.2;
      const double have = peak / high("tdp");
      if (have > best) {
        report("tdp", number(have) + " TFLOP/s per W at " + number(process) +
                          " nm, more than any chip reaches: sparse rate, or a wrong rating?");
      }
    }
    if (peak > 0 && process > 0 && low("die") > 0) {
      const double best = process >= 12 ? 0.3 : process >= 7 ? 0.7 : 1.9;
      const double have = peak / high("die");
      if (have > best) {
        report("die", number(have) + " TFLOP/s per mm2 at " + number(process) +
                          " nm, more than any chip reaches");
      }
    }
    if (low("memory") > 0 && low("bandwidth") > 0 && high("bandwidth") < 2 * low("memory") &&
        peak > 20) {
      report("bandwidth", "less than twice the memory a second: a unit of GB/s or of TB/s?");
    }
    // A multiprocessor does at most 8,192 dense 16-bit operations a clock, a CPU core 2,048.
    if (peak > 0 && low("units") > 0 && low("clock") > 0) {
      const double per_clock = peak * 1e3 / (high("units") * high("clock"));
      if (per_clock > 8400) {
        report("units", number(per_clock) + " operations a clock and unit, above 8192");
      }
    }
  }

  const Chip& chip_;
  std::vector<Finding>& findings_;
};

}  // namespace

std::vector<Finding> ChipCatalogue::lint() const {
  std::vector<Finding> findings;
  for (const auto& chip : chips_) Lint(chip, findings).run();
  return findings;
}

}  // namespace carnot::model
