// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/text/predictor.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/error.hpp"

#include "learn/text/context_table.hpp"
#include "learn/text/logistic.hpp"
#include "learn/text/mixer.hpp"

namespace carnot::learn {

namespace {

constexpr std::array<const char*, 12> kNames = {"o1", "o2",   "o3",    "o4",   "o5",   "o6",
                                                "o8", "word", "words", "skip", "line", "match"};
constexpr std::uint32_t kAll = (1u << kNames.size()) - 1;
constexpr std::size_t kMatch = 11;
constexpr std::size_t kPerContext = 3;  // inputs of a context
constexpr std::size_t kSets = 5;        // sets of weights mixed
constexpr int kWeightBits = 20, kCounterBits = 16;
constexpr std::size_t kMaps = 3;

std::size_t hashed_contexts(std::uint32_t contexts) noexcept {
  return static_cast<std::size_t>(std::popcount(contexts & ~(1u << kMatch)));
}

/// Order 0 is always there; match has two inputs, and one is constant.
std::size_t inputs_of(std::uint32_t contexts) noexcept {
  const std::size_t inputs =
      kPerContext * (hashed_contexts(contexts) + 1) + ((contexts >> kMatch & 1u) != 0 ? 2 : 0) + 1;
  return (inputs + 7) / 8 * 8;
}

std::uint32_t hash(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t h = a * 0x9E3779B1u ^ std::rotl(b * 0x85EBCA77u, 15);
  h = (h ^ (h >> 15)) * 0xC2B2AE3Du;
  return h ^ (h >> 13);
}

/// 65536 / (n + 1.6): how far a probability goes towards the n-th bit it meets.
struct Rates {
  std::array<std::int32_t, 256> of{};
  constexpr Rates() {
    for (std::size_t n = 0; n < of.size(); ++n)
      of[n] = static_cast<std::int32_t>(655360 / (10 * n + 16));
  }
};
constexpr Rates kRates;

}  // namespace

const std::vector<std::string>& predictor_contexts() {
  static const std::vector<std::string> kList(kNames.begin(), kNames.end());
  return kList;
}

std::uint32_t parse_contexts(std::string_view list) {
  if (list == "all") return kAll;
  if (list == "none") return 0;
  std::uint32_t contexts = 0;
  while (true) {
    const std::size_t comma = list.find(',');
    const auto* const at = std::find(kNames.begin(), kNames.end(), list.substr(0, comma));
    if (at == kNames.end())
      throw InputError(describe({}, "contexts",
                                fmt::format("all, none, or some of {}, found `{}`",
                                            fmt::join(kNames, ","), list.substr(0, comma))));
    contexts |= 1u << (at - kNames.begin());
    if (comma == std::string_view::npos) return contexts;
    list.remove_prefix(comma + 1);
  }
}

std::string context_names(std::uint32_t contexts) {
  if (contexts == 0) return "none";
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if ((contexts >> i & 1u) != 0) names.emplace_back(kNames[i]);
  return fmt::format("{}", fmt::join(names, ","));
}

int table_bits_for(std::uint64_t bytes) noexcept {
  return std::clamp(static_cast<int>(std::bit_width(bytes + bytes / 2)), 12, 19);
}

void check(const PredictorOptions& options) {
  const auto in = [](const char* name, int value, int low, int high) {
    if (value < low || value > high)
      throw InputError(describe({}, name, fmt::format("{} to {}, found {}", low, high, value)));
  };
  in("table bits", options.table_bits, 8, 20);
  in("weight bits", options.weight_bits, 4, kWeightBits);
  in("counter bits", options.counter_bits, 6, kCounterBits);
  if ((options.contexts & ~kAll) != 0)
    throw InputError(describe({}, "contexts", "those that have a name"));
}

std::uint64_t predictor_memory(const PredictorOptions& options) noexcept {
  return (hashed_contexts(options.contexts) + 1) * (std::uint64_t{32} << options.table_bits) +
         (std::uint64_t{1} << 22);
}

Counters BytePredictor::counters_of_byte(const PredictorOptions& options) noexcept {
  const std::uint64_t inputs = inputs_of(options.contexts);
  const std::uint64_t hashed = hashed_contexts(options.contexts);
  const std::uint64_t match = options.contexts >> kMatch & 1u;
  const auto bytes_of = [](int bits) { return static_cast<std::uint64_t>((bits + 7) / 8); };
  const std::uint64_t weight = bytes_of(options.weight_bits);
  const std::uint64_t counter = bytes_of(options.counter_bits);
  const std::uint64_t mixed = kSets * inputs + 8;  // weights touched a bit, those of the last mixer
  const std::uint64_t adapted = 2 * (hashed + 1) + match;  // probabilities moved a bit
  Counters bit;
  // Odds have 12 bits and errors 16: a dot product and a step; then moves and interpolations.
  bit.at(OperationKind::Int8Mac) =
      mixed * (2 * weight + 4) + adapted * 2 * counter + kMaps * (2 * 2 + 2);
  bit.at(OperationKind::Int32Add) = mixed + 4 * adapted + 8 * inputs;
  if (options.weight_bits < kWeightBits) bit.at(OperationKind::Rounding) += mixed;
  if (options.counter_bits < kCounterBits) bit.at(OperationKind::Rounding) += hashed + 1;
  bit.at(MemoryLevel::Cache) = mixed * weight * 2 + adapted * (counter + 2) * 2 + 2 * inputs * 4;
  Counters byte = bit * 8;
  const std::uint64_t lines = 3 * hashed * 64 * 2;
  const bool large = hashed * (std::uint64_t{32} << options.table_bits) > (1u << 20);
  byte.at(large ? MemoryLevel::Dram : MemoryLevel::Cache) += lines;
  byte.at(OperationKind::Int32Add) += 16 * hashed;
  return byte;
}

class BytePredictor::State {
 public:
  explicit State(const PredictorOptions& o)
      : contexts_(o.contexts),
        hashed_(hashed_contexts(o.contexts)),
        inputs_(inputs_of(o.contexts)),
        counter_mask_((1u << (kCounterBits - o.counter_bits)) - 1),
        x_(inputs_, 0),
        order0_(256),
        histories_((hashed_ + 1) * kHistories, 0),
        final_(8, 1, 65536 / static_cast<std::int32_t>(kSets), kWeightBits),
        map0_(256),
        map_bits_(std::clamp(o.table_bits, 8, 16)),
        map1_(std::size_t{1} << map_bits_),
        map2_(std::size_t{1} << map_bits_) {
    for (std::size_t i = 0; i < hashed_; ++i) tables_.emplace_back(o.table_bits);
    nodes_.assign(hashed_ + 1, nullptr);
    slots_.assign(hashed_, nullptr);
    hashes_.assign(hashed_, 0);
    const auto inputs = static_cast<std::int32_t>(hashed_ + 1);
    const std::int32_t first = std::max(6554, 65536 * 6 / 10 / inputs);
    for (const std::size_t sets : kSetSizes)
      mixers_.emplace_back(inputs_, sets, first, o.weight_bits);
    for (std::size_t c = 0; c <= hashed_; ++c)
      for (std::size_t h = 0; h < kHistories; ++h) histories_[c * kHistories + h] = at_first(h);
    if ((contexts_ >> kMatch & 1u) != 0) {
      buffer_.assign(std::size_t{1} << std::clamp(o.table_bits + 3, 16, 22), 0);
      places_.assign(std::size_t{1} << std::clamp(o.table_bits, 12, 18), 0);
    }
    begin_byte();
    predict();
  }

  std::uint32_t chance() const noexcept { return chance_; }

  void learn(bool bit) noexcept {
    // Fast at first: a file of some ten thousand bytes is over before small steps get anywhere.
    const auto aged = static_cast<std::int32_t>(std::min<std::uint64_t>(seen_, 1u << 20) >> 5);
    const std::int32_t rate = kRate + kEarlyRate * 256 / (256 + aged);
    for (Mixer& mixer : mixers_) mixer.learn(x_.data(), bit, rate);
    final_.learn(final_inputs_.data(), bit, kFinalRate);
    map0_.learn(bit);
    map1_.learn(bit);
    map2_.learn(bit);
    for (std::size_t c = 0; c <= hashed_; ++c) adapt(*nodes_[c], c, bit);
    learn_match(bit);
    ++bits_;
    partial_ = 2 * partial_ + (bit ? 1u : 0u);
    if (bits_ == 8) {
      end_byte(static_cast<std::uint8_t>(partial_));
      begin_byte();
    } else if (bits_ == 3 || bits_ == 6) {
      find_slots();
    } else {
      node_ = 2 * node_ + (bit ? 2u : 1u);
      choose_nodes();
    }
    predict();
  }

 private:
  static constexpr std::size_t kHistories = 1024;  // 256 histories, four ranges of counts
  static constexpr std::array<std::size_t, kSets> kSetSizes = {256, 256, 2048, 4096, 256};
  static constexpr std::int32_t kRate = 700, kEarlyRate = 4000, kFinalRate = 300;
  static constexpr std::uint32_t kShortestMatch = 6;
  static constexpr std::uint8_t kMostSeen = 250;

  /// What a history of bits lets expect before any was followed up: n1 and n0 with half a bit each.
  static std::uint32_t at_first(std::size_t index) noexcept {
    const std::uint32_t h = index & 255u;
    const int length = h < 1 ? 0 : static_cast<int>(std::bit_width(h)) - 1;
    const int ones = length > 0 ? std::popcount(h) - 1 : 0;
    const auto chance = static_cast<std::uint32_t>((65535 * (10 * ones + 4)) / (10 * length + 8));
    return chance << 16;  // 16 bits of chance, 16 of count
  }

  static std::size_t range(std::uint8_t count) noexcept {
    return count < 8 ? 0 : count < 24 ? 1 : count < 80 ? 2 : 3;
  }

  void adapt(Node& node, std::size_t c, bool bit) noexcept {
    std::uint32_t& history = histories_[c * kHistories + range(node.count) * 256 + node.history];
    const auto seen = static_cast<std::int32_t>(history & 0xFFFFu);
    std::int32_t chance = static_cast<std::int32_t>(history >> 16);
    chance += (((bit ? 65535 : 0) - chance) * 2) / (2 * seen + 3);
    history = static_cast<std::uint32_t>(std::clamp(chance, 16, 65519)) << 16 |
              static_cast<std::uint32_t>(std::min(seen + 1, 400));
    const std::int32_t old = node.chance;
    std::int32_t next =
        old +
        static_cast<std::int32_t>(
            (static_cast<std::int64_t>((bit ? 65535 : 0) - old) * kRates.of[node.count]) >> 16);
    if (counter_mask_ != 0) {
      rounded_ = rounded_ * 0x915F77F5u + 1;
      next = static_cast<std::int32_t>(
          (static_cast<std::uint32_t>(next) + ((rounded_ >> 12) & counter_mask_)) & ~counter_mask_);
    }
    node.chance = static_cast<std::uint16_t>(std::clamp(next, 16, 65519));
    if (node.count < kMostSeen) ++node.count;
    const std::uint32_t longer = node.history * 2u + (bit ? 1u : 0u);
    node.history = static_cast<std::uint8_t>(longer < 256 ? longer : 128u | (longer & 127u));
  }

  void predict() noexcept {
    const Logistic& tables = Logistic::tables();
    std::size_t known = 0;
    for (std::size_t c = 0; c <= hashed_; ++c) {
      const Node& node = *nodes_[c];
      std::int32_t* x = x_.data() + c * kPerContext;
      if (node.count == 0) {
        x[0] = x[1] = x[2] = 0;
        continue;
      }
      if (c > 0) ++known;
      const std::int32_t odds = tables.stretch(node.chance);
      const std::uint32_t followed =
          histories_[c * kHistories + range(node.count) * 256 + node.history] >> 16;
      x[0] = odds;
      x[1] = tables.stretch(followed);
      x[2] = (std::int32_t{node.chance} - 32768) >> 4;
    }
    std::int32_t* rest = x_.data() + kPerContext * (hashed_ + 1);
    const std::size_t length = predict_match(rest);
    *rest = 256;
    const std::uint32_t last = text_ & 255u;
    const std::array<std::size_t, kSets> sets = {
        partial_, last, length * 128 + known * 8 + bits_,
        (text_ >> 8 & 255u) >> 3 << 7 | (last >> 5) << 4 | std::min<std::size_t>(word_length_, 15),
        length > 0 ? 128 + expected_byte_ / 2u : std::min<std::size_t>(line_length_, 127)};
    for (std::size_t s = 0; s < kSets; ++s) final_inputs_[s] = mixers_[s].mix(x_.data(), sets[s]);
    final_inputs_[kSets] = 256;
    const std::int32_t odds = final_.mix(final_inputs_.data(), 0);
    const std::int32_t mixed = final_.chance();
    const std::int32_t a = map0_.refine(odds, partial_);
    const std::int32_t b = map1_.refine(odds, in_map(last * 256 + partial_));
    const std::int32_t c = map2_.refine(odds, hash(text_ & 0xFFFFu, partial_) >> (32 - map_bits_));
    chance_ =
        static_cast<std::uint32_t>(std::clamp((2 * mixed + a + 2 * b + 3 * c + 4) >> 3, 1, 65535));
  }

  /// 16 bits of context where the map has room for all of them, else their hash.
  std::size_t in_map(std::size_t context) const noexcept {
    return map_bits_ == 16 ? context
                           : hash(static_cast<std::uint32_t>(context), 7) >> (32 - map_bits_);
  }

  void begin_byte() noexcept {
    bits_ = 0;
    partial_ = 1;
    std::size_t at = 0;
    const auto context = [&](std::uint32_t index, std::uint32_t value) {
      if ((contexts_ >> index & 1u) != 0) hashes_[at++] = hash(value, index * 0x3C6EF372u + 1);
    };
    const std::uint32_t older = earlier_;
    context(0, text_ & 0xFFu);
    context(1, text_ & 0xFFFFu);
    context(2, text_ & 0xFFFFFFu);
    context(3, text_);
    context(4, hash(text_, older & 0xFFu));
    context(5, hash(text_, older & 0xFFFFu));
    context(6, hash(text_, older));
    context(7, hash(word_, text_ & 0xFFu));
    context(8, hash(word_, previous_word_ + 0x51ED270Bu));
    context(9, text_ & 0xFFFF00u);
    context(10, hash(hash(first_of_line_, above()), text_ & 0xFFu));
    find_slots();
  }

  /// The byte in the line before that stands above the next one.
  std::uint32_t above() const noexcept {
    return line_length_ < lines_[1 - line_].size() ? lines_[1 - line_][line_length_] : 0u;
  }

  void find_slots() noexcept {
    node_ = 0;
    for (std::size_t i = 0; i < hashed_; ++i)
      slots_[i] = &tables_[i].find(hash(hashes_[i] + bits_, partial_));
    choose_nodes();
  }

  void choose_nodes() noexcept {
    nodes_[0] = &order0_[partial_];
    for (std::size_t i = 0; i < hashed_; ++i) nodes_[i + 1] = &slots_[i]->nodes[node_];
  }

  void end_byte(std::uint8_t byte) noexcept {
    ++seen_;
    earlier_ = earlier_ << 8 | text_ >> 24;
    text_ = text_ << 8 | byte;
    const bool letter = (byte >= 'a' && byte <= 'z') || byte >= 128;
    const bool capital = byte >= 'A' && byte <= 'Z';
    if (letter || capital) {
      word_ = hash(word_ + 1, capital ? byte + 32u : byte);
      ++word_length_;
    } else if (word_ != 0) {
      previous_word_ = word_;
      word_ = 0;
      word_length_ = 0;
    }
    if (byte == '\n') {
      line_ = 1 - line_;
      lines_[line_].fill(0);
      line_length_ = 0;
      first_of_line_ = 0;
    } else {
      if (line_length_ == 0) first_of_line_ = byte;
      if (line_length_ < lines_[line_].size()) lines_[line_][line_length_] = byte;
      ++line_length_;
    }
    end_byte_of_match(byte);
  }

  // Match: where the last bytes stood before, and whether what followed follows again.
  void end_byte_of_match(std::uint8_t byte) noexcept {
    if (buffer_.empty()) return;
    const std::size_t wrap = buffer_.size() - 1;
    buffer_[written_++ & wrap] = byte;
    if (match_length_ > 0 && buffer_[match_ & wrap] == byte) {
      ++match_;
      match_length_ = std::min(match_length_ + 1, 65535u);
    } else {
      match_length_ = 0;
    }
    std::uint32_t& place =
        places_[hash(text_, earlier_ & 0xFFFFu) >> (32 - std::countr_zero(places_.size()))];
    if (match_length_ == 0 && place > 0) {
      match_ = place;
      while (match_length_ < 400 && match_length_ + 1 < match_ && written_ - match_ < wrap - 400 &&
             buffer_[(match_ - 1 - match_length_) & wrap] ==
                 buffer_[(written_ - 1 - match_length_) & wrap])
        ++match_length_;
      if (match_length_ < kShortestMatch) match_length_ = 0;
    }
    place = static_cast<std::uint32_t>(written_);
    expected_byte_ = match_length_ > 0 ? buffer_[match_ & wrap] : 0;
  }

  std::size_t match_bucket() const noexcept {
    if (match_length_ == 0) return 0;
    return match_length_ < 16 ? 1 + (match_length_ - kShortestMatch) / 2
                              : std::min<std::size_t>(6 + (match_length_ - 16) / 8, 15);
  }

  std::size_t predict_match(std::int32_t*& x) noexcept {
    if (buffer_.empty()) return 0;
    matching_ = match_length_ > 0 && (expected_byte_ | 256u) >> (8 - bits_) == partial_;
    x[0] = x[1] = 0;
    const std::size_t bucket = matching_ ? match_bucket() : 0;
    if (matching_) {
      expected_bit_ = (expected_byte_ >> (7 - bits_) & 1u) != 0;
      followed_ = std::min(match_length_, 31u) * 2 + (expected_bit_ ? 1 : 0);
      const std::uint32_t chance = matches_[followed_] >> 16;
      const std::int32_t odds = Logistic::tables().stretch(chance);
      x[0] = expected_bit_ ? odds : -odds;
      x[1] =
          (expected_bit_ ? 1 : -1) * static_cast<std::int32_t>(std::min(match_length_, 32u) * 16);
    }
    x += 2;
    return bucket;
  }

  void learn_match(bool bit) noexcept {
    if (buffer_.empty() || !matching_) return;
    std::uint32_t& m = matches_[followed_];
    const auto seen = static_cast<std::int32_t>(m & 0xFFFFu);
    std::int32_t chance = static_cast<std::int32_t>(m >> 16);
    chance += (((bit == expected_bit_ ? 65535 : 0) - chance) * 2) / (2 * seen + 3);
    m = static_cast<std::uint32_t>(std::clamp(chance, 16, 65519)) << 16 |
        static_cast<std::uint32_t>(std::min(seen + 1, 400));
    if (bit != expected_bit_) match_length_ = 0;
  }

  std::uint32_t contexts_;
  std::size_t hashed_, inputs_;
  std::uint32_t counter_mask_, rounded_ = 1;
  std::vector<std::int32_t> x_;
  std::vector<Node> order0_;
  std::vector<ContextTable> tables_;
  std::vector<Node*> nodes_;
  std::vector<Slot*> slots_;
  std::vector<std::uint32_t> hashes_;
  std::vector<std::uint32_t> histories_;
  std::vector<Mixer> mixers_;
  Mixer final_;
  std::array<std::int32_t, 8> final_inputs_{};
  AdaptiveMap map0_;
  int map_bits_;
  AdaptiveMap map1_, map2_;
  std::uint32_t chance_ = 32768;

  std::uint64_t seen_ = 0;  ///< bytes
  std::uint32_t text_ = 0, earlier_ = 0;
  std::uint32_t partial_ = 1, bits_ = 0;  ///< of the byte at hand, behind a leading 1; how many
  std::size_t node_ = 0;
  std::uint32_t word_ = 0, previous_word_ = 0;
  std::size_t word_length_ = 0, line_length_ = 0, line_ = 0;
  std::uint32_t first_of_line_ = 0;
  std::array<std::array<std::uint8_t, 128>, 2> lines_{};

  std::vector<std::uint8_t> buffer_;
  std::vector<std::uint32_t> places_;
  std::uint64_t written_ = 0, match_ = 0;
  std::uint32_t match_length_ = 0, expected_byte_ = 0;
  bool matching_ = false, expected_bit_ = false;
  std::size_t followed_ = 0;
  std::array<std::uint32_t, 64> matches_ = [] {
    std::array<std::uint32_t, 64> m{};
    m.fill(49152u << 16);
    return m;
  }();
};

BytePredictor::BytePredictor(const PredictorOptions& options) {
  check(options);
  state_ = std::make_unique<State>(options);
}
BytePredictor::~BytePredictor() = default;
std::uint32_t BytePredictor::chance() const noexcept { return state_->chance(); }
void BytePredictor::learn(bool bit) { state_->learn(bit); }

}  // namespace carnot::learn
