// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/sites/averaging.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::live {

namespace {

constexpr std::string_view kNoMessage =
    "pseudo-gradient: these bytes are no message of such tensors";

/// Values of `bits` bits, the first in the low bits of a byte.
class BitWriter {
 public:
  BitWriter(std::vector<std::uint8_t>& out, int bits) : out_(out), bits_(bits) {}
  void put(std::uint32_t value) {
    if (used_ == 0) out_.push_back(0);
    out_.back() = static_cast<std::uint8_t>(out_.back() | (value << used_));
    used_ = (used_ + bits_) % 8;
  }

 private:
  std::vector<std::uint8_t>& out_;
  int bits_, used_ = 0;
};

class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) throw InputError(std::string(kNoMessage));
    const std::uint8_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  float real() {
    std::uint32_t word = 0;
    for (int i = 0; i < 4; ++i) word |= static_cast<std::uint32_t>(byte()) << (8 * i);
    const float value = std::bit_cast<float>(word);
    if (!std::isfinite(value)) throw InputError(std::string(kNoMessage));
    return value;
  }
  std::size_t number() {
    std::size_t value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      const std::uint8_t b = byte();
      value |= static_cast<std::size_t>(b & 0x7Fu) << shift;
      if ((b & 0x80u) == 0) return value;
    }
    throw InputError(std::string(kNoMessage));
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

void put_real(std::vector<std::uint8_t>& out, float value) {
  const auto word = std::bit_cast<std::uint32_t>(value);
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<std::uint8_t>(word >> (8 * i)));
}

void put_number(std::vector<std::uint8_t>& out, std::size_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80u));
  out.push_back(static_cast<std::uint8_t>(value));
}

std::size_t kept_of(std::size_t size, double share) {
  return share >= 1
             ? size
             : std::min(size,
                        static_cast<std::size_t>(std::ceil(share * static_cast<double>(size))));
}

/// Levels on either side of nought: 2 bits know -1, 0, 1.
int levels(int bits) { return (1 << (bits - 1)) - 1; }

/// Positions of the elements that are sent, in order.
std::vector<std::size_t> greatest(const std::vector<float>& values, std::size_t kept) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (kept < values.size()) {
    // By size, then by position: the same on every machine.
    std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                     [&](std::size_t a, std::size_t b) {
                       const float x = std::abs(values[a]), y = std::abs(values[b]);
                       return x != y ? x > y : a < b;
                     });
    order.resize(kept);
    std::sort(order.begin(), order.end());
  }
  return order;
}

/// Scale between the levels: the one of a few shares of the greatest element that rounds with the
/// least squared error, so that one great element does not silence the rest.
float best_scale(const std::vector<float>& values, const std::vector<std::size_t>& sent, int bits) {
  float most = 0;
  for (const std::size_t i : sent) most = std::max(most, std::abs(values[i]));
  const auto top = static_cast<float>(levels(bits));
  float best = most / top;
  double least = -1;
  for (int part = 8; part >= 2; --part) {
    const float scale = most / top * static_cast<float>(part) / 8.0f;
    if (!(scale > 0)) break;
    double error = 0;
    for (const std::size_t i : sent) {
      const float q = std::clamp(std::nearbyint(values[i] / scale), -top, top) * scale;
      error += static_cast<double>(values[i] - q) * static_cast<double>(values[i] - q);
    }
    if (least < 0 || error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

}  // namespace

void check(const AveragingOptions& o) {
  if (o.bits != 32 && o.bits != 8 && o.bits != 4 && o.bits != 2)
    throw InputError(describe({}, "averaging.bits", "32, 8, 4 or 2"));
  if (!(o.share > 0 && o.share <= 1))
    throw InputError(describe({}, "averaging.share", "above 0, at most 1"));
  if (!(o.rate > 0 && o.rate <= 10))
    throw InputError(describe({}, "averaging.rate", "above 0, at most 10"));
  if (!(o.momentum >= 0 && o.momentum < 1))
    throw InputError(describe({}, "averaging.momentum", "at least 0, below 1"));
}

PseudoGradientCoder::PseudoGradientCoder(const AveragingOptions& options) : options_(options) {
  check(options_);
}

std::vector<std::uint8_t> PseudoGradientCoder::encode(const Tensors& delta) {
  if (left_over_.empty())
    for (const auto& tensor : delta) left_over_.emplace_back(tensor.size(), 0.0f);
  if (left_over_.size() != delta.size())
    throw InputError("pseudo-gradient: as many tensors as before");
  std::vector<std::uint8_t> out;
  for (std::size_t t = 0; t < delta.size(); ++t) {
    auto& values = left_over_[t];  // becomes what is to be said, then what is left of it
    if (values.size() != delta[t].size())
      throw InputError(
          fmt::format("pseudo-gradient: tensor {} of {} elements as before", t, values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] += delta[t][i];
      if (!std::isfinite(values[i]))
        throw InputError(
            fmt::format("pseudo-gradient: tensor {} has an element that is no number", t));
    }
    const auto sent = greatest(values, kept_of(values.size(), options_.share));
    const float scale = options_.bits == 32 ? 1.0f : best_scale(values, sent, options_.bits);
    if (options_.bits != 32) put_real(out, scale);
    if (options_.share < 1) {
      std::size_t next = 0;
      for (const std::size_t i : sent) {
        put_number(out, i - next);
        next = i + 1;
      }
    }
    BitWriter bits(out, options_.bits);
    const int top = options_.bits == 32 ? 0 : levels(options_.bits);
    for (const std::size_t i : sent) {
      if (options_.bits == 32) {
        put_real(out, values[i]);
        values[i] = 0;
        continue;
      }
      const int level =
          scale > 0 ? std::clamp(static_cast<int>(std::nearbyint(values[i] / scale)), -top, top)
                    : 0;
      bits.put(static_cast<std::uint32_t>(level + top));
      values[i] -= static_cast<float>(level) * scale;
    }
  }
  return out;
}

Tensors decode_pseudo_gradient(std::span<const std::uint8_t> message, const Tensors& like,
                               const AveragingOptions& options) {
  check(options);
  Reader in(message);
  Tensors out;
  for (const auto& shape : like) {
    auto& values = out.emplace_back(shape.size(), 0.0f);
    const std::size_t kept = kept_of(shape.size(), options.share);
    const float scale = options.bits == 32 ? 1.0f : in.real();
    if (!std::isfinite(scale * 256.0f)) throw InputError(std::string(kNoMessage));
    std::vector<std::size_t> sent(kept);
    std::size_t next = 0;
    for (std::size_t& i : sent) {
      const std::size_t gap = options.share < 1 ? in.number() : 0;
      if (gap >= values.size() - std::min(next, values.size()))
        throw InputError(std::string(kNoMessage));
      i = next + gap;
      next = i + 1;
    }
    const int top = options.bits == 32 ? 0 : levels(options.bits);
    const unsigned mask = options.bits == 32 ? 0 : (1u << options.bits) - 1;
    unsigned word = 0;
    int left = 0;
    for (const std::size_t i : sent) {
      if (options.bits == 32) {
        values[i] = in.real();
        continue;
      }
      if (left == 0) {
        word = in.byte();
        left = 8;
      }
      const int level = static_cast<int>(word & mask) - top;
      if (level > top) throw InputError(std::string(kNoMessage));
      word >>= options.bits;
      left -= options.bits;
      values[i] = static_cast<float>(level) * scale;
    }
  }
  if (!in.empty()) throw InputError(std::string(kNoMessage));
  return out;
}

OuterStep::OuterStep(Tensors start, const AveragingOptions& options)
    : options_(options),
      coefficients_(std::move(start)),
      published_(coefficients_),
      down_(options) {
  check(options_);
  for (const auto& tensor : coefficients_) velocity_.emplace_back(tensor.size(), 0.0f);
}

namespace {

/// a becomes S(a, b).
void add_up(std::vector<float>& a, const std::vector<float>& b) {
  double aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  const double of_a = aa > 0 ? 1 - ab / (2 * aa) : 1, of_b = bb > 0 ? 1 - ab / (2 * bb) : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    a[i] = static_cast<float>(of_a * static_cast<double>(a[i]) + of_b * static_cast<double>(b[i]));
}

}  // namespace

std::vector<std::uint8_t> OuterStep::publish() {
  Tensors moved = published_;
  for (std::size_t t = 0; t < moved.size(); ++t)
    for (std::size_t i = 0; i < moved[t].size(); ++i) moved[t][i] -= coefficients_[t][i];
  const std::vector<std::uint8_t> message = down_.encode(moved);
  const Tensors said = decode_pseudo_gradient(message, moved, options_);
  for (std::size_t t = 0; t < said.size(); ++t)
    for (std::size_t i = 0; i < said[t].size(); ++i) published_[t][i] -= said[t][i];
  coefficients_ = published_;
  return message;
}

void OuterStep::merge(std::vector<Tensors> parts) {
  for (const Tensors& part : parts) {
    if (part.size() != coefficients_.size()) throw InputError("outer step: tensors as many");
    for (std::size_t t = 0; t < coefficients_.size(); ++t)
      if (part[t].size() != coefficients_[t].size())
        throw InputError("outer step: tensors of the same shapes");
  }
  if (parts.empty()) return;
  const double mu = options_.momentum;
  for (std::size_t t = 0; t < coefficients_.size(); ++t) {
    // Neighbours first, then the sums of neighbours: no replica weighs more than another.
    for (std::size_t gap = 1; gap < parts.size(); gap *= 2)
      for (std::size_t i = 0; i + gap < parts.size(); i += 2 * gap)
        add_up(parts[i][t], parts[i + gap][t]);
    for (std::size_t i = 0; i < coefficients_[t].size(); ++i) {
      const double g = static_cast<double>(parts.front()[t][i]);
      double step = g;
      if (mu > 0) {
        const double v = mu * static_cast<double>(velocity_[t][i]) + g;
        velocity_[t][i] = static_cast<float>(v);
        step = g + mu * v;
      }
      coefficients_[t][i] =
          static_cast<float>(static_cast<double>(coefficients_[t][i]) - options_.rate * step);
    }
  }
}

}  // namespace carnot::live
