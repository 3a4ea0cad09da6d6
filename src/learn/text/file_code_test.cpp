// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/text/file_code.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

#include "learn/text/bit_coder.hpp"
#include "learn/text/logistic.hpp"

namespace carnot::learn {
namespace {

using Bytes = std::vector<std::uint8_t>;

ByteSource from(const Bytes& bytes, std::size_t& at) {
  at = 0;
  return [&bytes, &at](std::span<std::uint8_t> to) {
    const std::size_t n = std::min(to.size(), bytes.size() - at);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), n, to.begin());
    at += n;
    return n;
  };
}

FileCodeOptions small(int table_bits = 8) {
  FileCodeOptions o;
  o.predictor.table_bits = table_bits;
  o.predictor.contexts = parse_contexts("o1,o2,word,match");
  return o;
}

Bytes encoded(const Bytes& plain, const FileCodeOptions& options,
              FileCodeResult* result = nullptr) {
  Bytes out;
  std::size_t at = 0;
  const FileCodeResult r = encode_file(
      from(plain, at),
      [&](std::span<const std::uint8_t> b) { out.insert(out.end(), b.begin(), b.end()); }, options);
  EXPECT_EQ(r.coded_bytes, out.size());
  EXPECT_EQ(r.plain_bytes, plain.size());
  if (result != nullptr) *result = r;
  return out;
}

Bytes decoded(const Bytes& message, FileCodeResult* result = nullptr) {
  Bytes out;
  std::size_t at = 0;
  const FileCodeResult r = decode_file(
      from(message, at),
      [&](std::span<const std::uint8_t> b) { out.insert(out.end(), b.begin(), b.end()); }, {});
  if (result != nullptr) *result = r;
  return out;
}

Bytes noise(std::size_t count, std::uint64_t seed = 7) {
  const RandomStream random(seed, "noise");
  Bytes out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>(random.bits(i));
  return out;
}

/// Sentences of a small grammar: something to learn at several lengths.
Bytes sentences(std::size_t count) {
  const char* const words[] = {"the wind ", "a farm ", "turns ",   "slowly ", "and ",
                               "power ",    "flows ",  "north.\n", "when ",   "prices fall "};
  const RandomStream random(3, "words");
  std::string text;
  for (std::uint64_t i = 0; text.size() < count; ++i) text += words[random.below(i, 10)];
  text.resize(count);
  return {text.begin(), text.end()};
}

TEST(FileCode, AnyFileComesBack) {
  std::vector<Bytes> files = {
      {}, {0}, {255}, Bytes(3, 10), Bytes(70000, 0), noise(5000), sentences(20000)};
  Bytes mixed = sentences(6000);
  const Bytes random = noise(150000);
  mixed.insert(mixed.end(), random.begin(), random.end());
  mixed.insert(mixed.end(), files.back().begin(), files.back().end());
  files.push_back(mixed);
  for (const Bytes& plain : files) {
    FileCodeResult there, back;
    const Bytes message = encoded(plain, small(), &there);
    EXPECT_EQ(decoded(message, &back), plain) << plain.size();
    EXPECT_EQ(there.counters, back.counters);
    EXPECT_EQ(there.blocks, back.blocks);
    EXPECT_EQ(back.coded_bytes, message.size());
    EXPECT_LE(message.size(), plain.size() + 41 + 17 * (1 + plain.size() / 4096));
  }
}

RC_GTEST_PROP(FileCode, AnyBytesUnderAnyKnobsComeBack, ()) {
  const auto plain = *rc::gen::container<Bytes>(rc::gen::inRange<std::uint8_t>(0, 8));
  FileCodeOptions o;
  o.predictor.table_bits = *rc::gen::inRange(8, 11);
  o.predictor.weight_bits = *rc::gen::inRange(4, 21);
  o.predictor.counter_bits = *rc::gen::inRange(6, 17);
  o.predictor.contexts = *rc::gen::inRange<std::uint32_t>(0, 4096);
  RC_ASSERT(decoded(encoded(plain, o)) == plain);
}

TEST(FileCode, WhatIsSentIsTheSumOfTheSurprises) {
  const Bytes plain = sentences(12000);
  FileCodeOptions o = small(10);
  o.predictor.contexts = parse_contexts("all");
  BytePredictor predictor(o.predictor);
  double bits = 0.0;
  for (const std::uint8_t byte : plain)
    for (int i = 7; i >= 0; --i) {
      const bool one = (byte >> i & 1) != 0;
      const double p = predictor.chance() / 65536.0;
      ASSERT_GT(p, 0.0);
      ASSERT_LT(p, 1.0);
      bits -= std::log2(one ? p : 1.0 - p);
      predictor.learn(one);
    }
  FileCodeResult r;
  encoded(plain, o, &r);
  EXPECT_NEAR(8.0 * static_cast<double>(r.coded_bytes), bits,
              0.002 * bits + 8 * (24 + 17 * 3 + 17));
  EXPECT_LT(r.bits_per_byte(),
            1.0);  // ten words of some seven letters: 3.3 bits a word, 0.48 a letter
}

TEST(FileCode, LearnsNothingFromNoiseAndStopsTrying) {
  const Bytes plain = noise(std::size_t{1} << 20);
  FileCodeResult stops, goes_on;
  encoded(plain, small(), &stops);
  FileCodeOptions always = small();
  always.always_learn = true;
  always.predictor.contexts = 1;
  encoded(Bytes(plain.begin(), plain.begin() + 70000), always, &goes_on);
  EXPECT_LE(stops.bits_learned(), 0.0);
  EXPECT_GT(stops.bits_learned(), -8.0 * 0.001 * static_cast<double>(plain.size()));
  EXPECT_LE(stops.learned_bytes * 20, plain.size());  // at most 5 % of the joules of learning
  EXPECT_EQ(goes_on.learned_bytes, 70000u);
  EXPECT_LE(goes_on.bits_learned(), 0.0);
}

TEST(FileCode, MoreContextsAndBitsShortenTheCode) {
  const Bytes plain = sentences(12000);
  const auto length = [&](std::string_view contexts, int weight_bits, int counter_bits) {
    FileCodeOptions o = small(12);
    o.predictor.contexts = parse_contexts(contexts);
    o.predictor.weight_bits = weight_bits;
    o.predictor.counter_bits = counter_bits;
    return encoded(plain, o).size();
  };
  EXPECT_GT(length("none", 20, 16), length("o1", 20, 16));
  EXPECT_GT(length("o1", 20, 16), length("o1,o2,o3,o4", 20, 16));
  EXPECT_GT(length("all", 4, 16), length("all", 12, 16));
}

TEST(FileCode, FewBitsOfACounterCostBitsOfTheCode) {
  const RandomStream random(5, "skewed");
  Bytes plain(20000);
  for (std::size_t i = 0; i < plain.size(); ++i)
    plain[i] =
        static_cast<std::uint8_t>(std::min(random.below(2 * i, 40), random.below(2 * i + 1, 40)));
  FileCodeOptions fine = small(), coarse = small();
  fine.predictor.contexts = coarse.predictor.contexts = 0;
  coarse.predictor.counter_bits = 6;
  EXPECT_LT(encoded(plain, fine).size(), encoded(plain, coarse).size());
}

TEST(FileCode, CountsAreClosedFormAndFallWithEachKnob) {
  PredictorOptions all;
  const auto joules = [](const PredictorOptions& o) {
    return EnergyTable::embedded().energy(BytePredictor::counters_of_byte(o)).value();
  };
  PredictorOptions narrow = all, few = all, coarse = all, near = all;
  narrow.weight_bits = 8;
  coarse.counter_bits = 8;
  few.contexts = parse_contexts("o1,o2");
  near.table_bits = 10;
  EXPECT_LT(joules(few), joules(all));
  EXPECT_LT(joules(near), joules(all));
  const auto macs = [](const PredictorOptions& o) {
    return BytePredictor::counters_of_byte(o).at(OperationKind::Int8Mac);
  };
  EXPECT_LT(macs(narrow), macs(all));
  EXPECT_LT(macs(coarse), macs(all));
  // 3 inputs of 12 contexts, 2 of match, a constant, to 40: 5 sets, the last of 8 weights.
  EXPECT_EQ(macs(all), 8u * ((5 * 40 + 8) * (2 * 3 + 4) + (2 * 12 + 1) * 2 * 2 + 3 * 6));
  FileCodeResult r;
  encoded(sentences(5000), small(), &r);
  Counters expected = BytePredictor::counters_of_byte(small().predictor) * 5000;
  expected.at(MemoryLevel::Dram) += 10000;
  EXPECT_EQ(r.counters, expected);
}

TEST(FileCode, DamageIsFoundAndNothingWrongIsHandedOn) {
  const Bytes plain = sentences(9000);  // three blocks
  const Bytes message = encoded(plain, small());
  const RandomStream random(11, "damage");
  std::size_t draw = 0;
  for (int i = 0; i < 200; ++i) {
    Bytes bad = message;
    const std::uint64_t kind = random.below(draw++, 4);
    const std::size_t at = random.below(draw++, bad.size());
    if (kind == 0) {
      bad.resize(at);
    } else if (kind == 1) {
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1u << random.below(draw++, 8)));
    } else if (kind == 2) {
      bad.insert(bad.begin() + static_cast<std::ptrdiff_t>(at),
                 static_cast<std::uint8_t>(random.bits(draw++)));
    } else {
      bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(at));
    }
    Bytes out;
    std::size_t read = 0;
    try {
      decode_file(
          from(bad, read),
          [&](std::span<const std::uint8_t> b) { out.insert(out.end(), b.begin(), b.end()); }, {});
      EXPECT_EQ(bad, message) << "accepted, kind " << kind << " at " << at;
    } catch (const InputError&) {
    }
    ASSERT_LE(out.size(), plain.size());
    EXPECT_TRUE(std::equal(out.begin(), out.end(), plain.begin()));
  }
}

/// Puts right the checksums of header and blocks, as far as the lengths hold.
void mend(Bytes& m) {
  const auto put = [&](std::size_t at, std::uint32_t v) {
    for (std::size_t i = 0; i < 4; ++i) m[at + i] = static_cast<std::uint8_t>(v >> (8 * i));
  };
  const auto get = [&](std::size_t at) {
    return m[at] | m[at + 1] << 8 | m[at + 2] << 16 | static_cast<std::uint32_t>(m[at + 3]) << 24;
  };
  if (m.size() < 24) return;
  auto chain = static_cast<std::uint32_t>(crc32(0, m.data(), 20));
  put(20, chain);
  std::size_t at = 24;
  while (at < m.size()) {
    const std::size_t body = m[at] == 0            ? 13
                             : at + 13 <= m.size() ? 13 + std::size_t{get(at + 5)}
                                                   : m.size();
    if (body > m.size() || at + body + 4 > m.size()) return;
    chain = static_cast<std::uint32_t>(crc32(chain, m.data() + at, static_cast<unsigned>(body)));
    put(at + body, chain);
    if (m[at] == 0) return;
    at += body + 4;
  }
}

// 20,000 spoilt messages under mended checksums: refused or the right bytes, never a crash.
TEST(FileCodeSlow, HostileMessagesAreRefused) {
  const Bytes plain(24, 'a');
  FileCodeOptions one = small();
  one.predictor.contexts = 0;
  const Bytes message = encoded(plain, one);
  const RandomStream random(13, "hostile");
  std::uint64_t draw = 0;
  std::size_t accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    Bytes bad = message;
    for (std::uint64_t n = 1 + random.below(draw++, 3); n > 0; --n) {
      const std::size_t at = random.below(draw++, bad.size());
      // Large tables and blocks of 256 KiB each time are slow, not wrong.
      if ((at >= 12 && at <= 16) || at == 27 || at == 28) continue;
      bad[at] = static_cast<std::uint8_t>(random.bits(draw++));
    }
    if (random.below(draw++, 8) == 0) bad.resize(random.below(draw++, bad.size()));
    mend(bad);
    Bytes out;
    std::size_t read = 0;
    try {
      decode_file(
          from(bad, read),
          [&](std::span<const std::uint8_t> b) { out.insert(out.end(), b.begin(), b.end()); }, {});
      ++accepted;
      EXPECT_EQ(out, plain);
    } catch (const InputError&) {
    }
  }
  EXPECT_LT(accepted,
            10000u);  // bytes drawn as they were, or knobs that a stored file does not need
}

TEST(FileCode, SaysWhatIsWrong) {
  const auto said = [](const Bytes& m) {
    try {
      decoded(m);
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  const Bytes message = encoded(sentences(100), small());
  EXPECT_THAT(said({}), testing::HasSubstr("carnot encode"));
  EXPECT_THAT(said(Bytes(100, 'x')), testing::HasSubstr("carnot encode"));
  Bytes other = message;
  other[8] = 9;
  EXPECT_THAT(said(other), testing::HasSubstr("format 1, found 9"));
  Bytes longer = message;
  longer.push_back(0);
  EXPECT_THAT(said(longer), testing::HasSubstr("follow its end"));
  EXPECT_THAT(said(Bytes(message.begin(), message.end() - 1)), testing::HasSubstr("cut short"));
}

TEST(FileCode, StopsWhenAsked) {
  FileCodeOptions o = small();
  int asked = 0;
  o.stop = StopToken([&] { return ++asked > 3; });
  std::size_t at = 0;
  const Bytes plain = sentences(20000);
  EXPECT_THROW(encode_file(
                   from(plain, at), [](auto) {}, o),
               Stopped);
}

TEST(Predictor, KnobsOutOfRangeAndUnknownContextsAreRefused) {
  PredictorOptions o;
  o.table_bits = 21;
  EXPECT_THROW(BytePredictor{o}, InputError);
  o = {};
  o.contexts = 1u << 20;
  EXPECT_THROW(BytePredictor{o}, InputError);
  EXPECT_THROW(parse_contexts("o1,o9"), InputError);
  EXPECT_THROW(parse_contexts(""), InputError);
  EXPECT_EQ(parse_contexts(context_names(0b101)), 0b101u);
  EXPECT_EQ(parse_contexts(context_names(0)), 0u);
  EXPECT_EQ(context_names(parse_contexts("all")).substr(0, 5), "o1,o2");
}

TEST(Logistic, TablesAreTheLogisticFunction) {
  const Logistic& t = Logistic::tables();
  for (int x = -kMostOdds; x <= kMostOdds; ++x)
    EXPECT_NEAR(t.squash(x), 65536.0 / (1.0 + std::exp(-x / 256.0)), 1.0) << x;
  for (std::uint32_t p = 64; p < 65536 - 64; p += 16)
    EXPECT_NEAR(t.squash(t.stretch(p)), p + 8, 8 + 70) << p;
  EXPECT_EQ(t.squash(-10000), t.squash(-kMostOdds));
}

RC_GTEST_PROP(BitCoder, BitsComeBackAtTheirPrice, ()) {
  const auto chances =
      *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange<std::uint32_t>(1, 65536));
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const RandomStream random(seed, "bits");
  BitEncoder encoder;
  std::vector<bool> bits;
  double price = 0.0;
  for (std::size_t i = 0; i < chances.size(); ++i) {
    const double p = chances[i] / 65536.0;
    bits.push_back(random.uniform(i) < p);
    price -= std::log2(bits.back() ? p : 1.0 - p);
    encoder.encode(bits.back(), chances[i]);
  }
  const Bytes bytes = encoder.finish();
  RC_ASSERT(static_cast<double>(8 * bytes.size()) <= price + 24.0);
  BitDecoder decoder(bytes);
  for (std::size_t i = 0; i < chances.size(); ++i) RC_ASSERT(decoder.decode(chances[i]) == bits[i]);
}

}  // namespace
}  // namespace carnot::learn
