// SPDX-License-Identifier: Apache-2.0
#include "learn/trees/objective.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/learn/kernels/kernels.hpp"

#include "learn/kernels/elementwise.hpp"
#include "learn/trees/grower.hpp"

namespace carnot::learn {

namespace {

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CARNOT_WIDE [[gnu::target_clones("default", "avx2", "avx512f")]]
#else
#define CARNOT_WIDE
#endif

constexpr std::size_t kBlock = 8192;
constexpr std::uint64_t kRoundingStream = 0x74726565u;

CARNOT_WIDE
void logistic(const float* scores, const std::uint32_t* labels, std::size_t n, Gradient* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const float s = scores[i];
    const float e = exp_nonpositive(s > 0.0f ? -s : s);
    const float q = 1.0f / (1.0f + e);
    const float p = s > 0.0f ? q : e * q;
    out[i].g = p - static_cast<float>(static_cast<std::int32_t>(labels[i]));
    out[i].h = e * q * q;
  }
}

CARNOT_WIDE
void squared(const float* scores, const float* targets, std::size_t n, Gradient* out) {
  for (std::size_t i = 0; i < n; ++i) {
    out[i].g = scores[i] - targets[i];
    out[i].h = 1.0f;
  }
}

CARNOT_WIDE
void greatest(const Gradient* v, std::size_t n, float& g, float& h) {
  float most_g = 0.0f, most_h = 0.0f;
  for (std::size_t i = 0; i < n; ++i) {
    const float a = v[i].g < 0.0f ? -v[i].g : v[i].g;
    most_g = a > most_g ? a : most_g;
    most_h = v[i].h > most_h ? v[i].h : most_h;
  }
  g = most_g;
  h = most_h;
}

CARNOT_WIDE
void round_block(const Gradient* v, std::size_t first, std::size_t n, float per_g, float per_h,
                 RoundingKey key, std::uint32_t mask, std::uint32_t nearest, std::int16_t* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t word =
        (rounding_word(key, static_cast<std::uint32_t>(first + i)) & mask) | nearest;
    // Positive before it is cut: |g| per_g is below 2^8.
    const float g = v[i].g * per_g + 512.0f;
    const float h = v[i].h * per_h;
    const std::int32_t whole_g =
        static_cast<std::int32_t>(
            g + (static_cast<float>(static_cast<std::int32_t>(word & 0xffffu)) + 0.5f) * 0x1p-16f) -
        512;
    const auto whole_h = static_cast<std::int32_t>(
        h + (static_cast<float>(static_cast<std::int32_t>(word >> 16)) + 0.5f) * 0x1p-16f);
    out[i] = static_cast<std::int16_t>(whole_g * 256 + whole_h);
  }
}

#undef CARNOT_WIDE

}  // namespace

std::vector<float> base_scores(const Dataset& data, std::span<const std::uint32_t> rows) {
  const auto n = static_cast<double>(rows.size());
  if (data.is_regression()) {
    double sum = 0.0;
    for (const std::uint32_t r : rows) sum += static_cast<double>(data.targets[r]);
    return {static_cast<float>(sum / n)};
  }
  std::vector<double> counts(data.classes, 0.5);
  for (const std::uint32_t r : rows) counts[data.labels[r]] += 1.0;
  if (data.classes == 2) return {static_cast<float>(std::log(counts[1] / counts[0]))};
  std::vector<float> base;
  for (const double c : counts) base.push_back(static_cast<float>(std::log(c / n)));
  return base;
}

void softmax_rows(const std::vector<float>& scores, std::size_t outputs, Workers& workers,
                  std::vector<float>& out) {
  out.resize(scores.size());
  in_blocks(workers, scores.size() / outputs, kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      const float* s = scores.data() + r * outputs;
      float* p = out.data() + r * outputs;
      const float most = *std::max_element(s, s + outputs);
      float sum = 0.0f;
      for (std::size_t k = 0; k < outputs; ++k) sum += p[k] = exp_nonpositive(s[k] - most);
      const float per = 1.0f / sum;
      for (std::size_t k = 0; k < outputs; ++k) p[k] *= per;
    }
  });
}

void differentiate(const Dataset& data, const std::vector<float>& scores,
                   const std::vector<float>& softmax, std::size_t outputs, std::size_t output,
                   Workers& workers, Gradients& out) {
  out.exact.resize(data.rows);
  in_blocks(workers, data.rows, kBlock, [&](std::size_t begin, std::size_t end) {
    Gradient* to = out.exact.data() + begin;
    if (data.is_regression()) {
      squared(scores.data() + begin, data.targets.data() + begin, end - begin, to);
      return;
    }
    if (outputs == 1) {
      logistic(scores.data() + begin, data.labels.data() + begin, end - begin, to);
      return;
    }
    const float factor = static_cast<float>(outputs) / static_cast<float>(outputs - 1);
    for (std::size_t r = begin; r < end; ++r) {
      const float p = softmax[r * outputs + output];
      to[r - begin] = {p - (data.labels[r] == output ? 1.0f : 0.0f), factor * p * (1.0f - p)};
    }
  });
}

void round_gradients(int bits, bool at_random, std::uint64_t seed, std::uint64_t tree,
                     Workers& workers, Gradients& gradients) {
  gradients.bits = bits;
  if (!gradients.is_integer()) return;
  CARNOT_CHECK(bits >= 2 && bits <= 8, "integer gradients have 2 to 8 bits");
  const std::size_t n = gradients.exact.size();
  gradients.levels = (1 << bits) - 2;
  const std::size_t blocks = (n + kBlock - 1) / kBlock;
  std::vector<Gradient> most(blocks);
  in_blocks(workers, n, kBlock, [&](std::size_t begin, std::size_t end) {
    Gradient& m = most[begin / kBlock];
    greatest(gradients.exact.data() + begin, end - begin, m.g, m.h);
  });
  Gradient all{0.0f, 0.0f};
  for (const Gradient& m : most) all = {std::max(all.g, m.g), std::max(all.h, m.h)};
  const auto half = static_cast<float>(gradients.levels / 2);
  const auto whole = static_cast<float>(gradients.levels);
  const float per_g = all.g > 0.0f ? half / all.g : 0.0f;
  const float per_h = all.h > 0.0f ? whole / all.h : 0.0f;
  gradients.g_scale = per_g > 0.0f ? 1.0 / static_cast<double>(per_g) : 0.0;
  gradients.h_scale = per_h > 0.0f ? 1.0 / static_cast<double>(per_h) : 0.0;
  gradients.rounded.resize(n);
  const RoundingKey key = rounding_key(seed, kRoundingStream, tree);
  in_blocks(workers, n, kBlock, [&](std::size_t begin, std::size_t end) {
    round_block(gradients.exact.data() + begin, begin, end - begin, per_g, per_h, key,
                at_random ? ~0u : 0u, at_random ? 0u : 0x7fff7fffu,
                gradients.rounded.data() + begin);
  });
}

double loss_sum(const Dataset& data, const std::vector<float>& scores, std::size_t outputs,
                std::span<const std::uint32_t> rows) {
  double sum = 0.0;
  for (const std::uint32_t r : rows) {
    if (data.is_regression()) {
      const double e = static_cast<double>(scores[r]) - static_cast<double>(data.targets[r]);
      sum += 0.5 * e * e;
    } else if (outputs == 1) {
      const double s = static_cast<double>(scores[r]);
      const double toward = data.labels[r] == 1 ? s : -s;  // ln(1 + e^-toward)
      const double e = static_cast<double>(exp_nonpositive(static_cast<float>(-std::abs(toward))));
      sum += natural_log(1.0 + e) + (toward < 0.0 ? -toward : 0.0);
    } else {
      const float* s = scores.data() + r * outputs;
      const float most = *std::max_element(s, s + outputs);
      double total = 0.0;
      for (std::size_t k = 0; k < outputs; ++k)
        total += static_cast<double>(exp_nonpositive(s[k] - most));
      sum += natural_log(total) + static_cast<double>(most - s[data.labels[r]]);
    }
  }
  return sum;
}

}  // namespace carnot::learn
