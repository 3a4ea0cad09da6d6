// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/entry/entry.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "ledger/entry/codec.hpp"
#include "ledger/testing_entries.hpp"

namespace carnot::ledger {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

Entry decode_bytes(const Bytes& bytes) { return decode(bytes.data(), bytes.size()); }

// NaN aside, equality is that of the entries; `encoded` is compared too since it sees NaN and -0.
void expect_round_trip(const Entry& entry) {
  const Bytes bytes = encode(entry);
  const Entry back = decode_bytes(bytes);
  RC_ASSERT(back.index() == entry.index());
  RC_ASSERT(encode(back) == bytes);
  RC_ASSERT(detail::decodable(bytes));
}

RC_GTEST_PROP(Entry, OfEveryKindComesBackFromItsBytes, ()) {
  for (std::size_t kind = 0; kind < std::variant_size_v<Entry>; ++kind)
    expect_round_trip(testing::any_entry(kind));
}

TEST(Entry, ComesBackFieldByField) {
  for (const Entry& entry : testing::small_measurement())
    EXPECT_EQ(decode_bytes(encode(entry)), entry);
  for (Entry entry : testing::small_run()) {
    if (auto* slot = std::get_if<SlotEntry>(&entry)) {
      const Entry back = decode_bytes(encode(entry));
      if (std::isnan(slot->loss)) {
        EXPECT_TRUE(std::isnan(std::get<SlotEntry>(back).loss));
      }
      slot->loss = 1.5;  // == needs numbers
      slot->noise_share = -0.25;
    }
    EXPECT_EQ(decode_bytes(encode(entry)), entry);
  }
}

TEST(Entry, KeepsInfinitiesSignsAndSubnormals) {
  Evaluation e;
  e.value = -kInfinity;
  e.low = -0.0;
  e.high = std::numeric_limits<double>::denorm_min();
  const auto back = std::get<Evaluation>(decode_bytes(encode(e)));
  EXPECT_EQ(back.value, e.value);
  EXPECT_TRUE(std::signbit(back.low));
  EXPECT_EQ(back.high, e.high);
}

TEST(Entry, HasOneFormOfNan) {
  Evaluation one, other;
  one.value = std::bit_cast<double>(0xfff8000000000123u);
  other.value = kNaN;
  EXPECT_EQ(encode(one), encode(other));
  Bytes bytes = encode(other);
  bytes[1 + 8 + 8 + 4] ^= 1;  // a payload bit of `value`'s NaN
  EXPECT_THAT(testing::thrown<InputError>([&] { decode_bytes(bytes); }),
              HasSubstr("Evaluation: value: NaN has one form"));
  MeasurementSample sample;
  sample.channels.resize(1);
  sample.channels[0].gain_high = std::bit_cast<float>(0xffc00001u);
  bytes = encode(sample);
  EXPECT_EQ((Bytes{bytes.end() - 4, bytes.end()}), (Bytes{0, 0, 0xc0, 0x7f}));
  bytes.back() = 0xff;
  EXPECT_THAT(testing::thrown<InputError>([&] { decode_bytes(bytes); }),
              HasSubstr("MeasurementSample: gain_high: NaN has one form"));
}

// The format's promise to other readers: these bytes, by hand from docs/formats/journal.md.
TEST(Entry, HasTheDocumentedBytes) {
  EXPECT_EQ(encode(LaneBegin{"ab"}), (Bytes{0x12, 2, 0, 0, 0, 'a', 'b'}));
  EXPECT_EQ(encode(Checkpoint{0x0102, {9}}), (Bytes{0x15, 2, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9}));
  EXPECT_EQ(encode(RunEnd{}), (Bytes{0x17, 0, 0, 0, 0}));
  Evaluation e;
  e.at = Instant::from_unix_nanoseconds(-2);
  e.value = 1.0;
  e.certified = true;
  const Bytes expected = {0x14, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,  // at
                          0,    0,    0,    0,    0,    0,    0,    0,           // steps
                          0,    0,    0,    0,                                   // metric
                          0,    0,    0,    0,    0,    0,    0xf0, 0x3f,        // value
                          0,    0,    0,    0,    0,    0,    0,    0,           // low
                          0,    0,    0,    0,    0,    0,    0,    0,           // high
                          1};                                                    // certified
  EXPECT_EQ(encode(e), expected);
  EXPECT_EQ(encode(MeasurementGap{-2, 1, "c", ""}),
            (Bytes{0x1b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,  // from
                   1,    0,    0,    0,    0,    0,    0,    0,           // to
                   1,    0,    0,    0,    'c',  0,    0,    0,    0}));
  // Fixed part and channels of a sample: what docs/formats/journal.md promises.
  MeasurementSample sample;
  EXPECT_EQ(encode(sample).size(), 1u + 12 * 8 + 4);
  sample.channels.resize(3);
  EXPECT_EQ(encode(sample).size(), 1u + 12 * 8 + 4 + 3 * 42);
}

TEST(Entry, LargeTextsAndStatesFitUpToTheirLimit) {
  const LaneBegin full{std::string(kMaxText, 'x')};
  EXPECT_EQ(std::get<LaneBegin>(decode_bytes(encode(full))), full);
  EXPECT_THAT(testing::thrown<InputError>([&] { encode(LaneBegin{full.policy + 'x'}); }),
              HasSubstr("LaneBegin: policy: at most 16777216 bytes fit, these are 16777217"));
}

TEST(Entry, ListsFitUpToTheirLimit) {
  MeasurementSample sample;
  sample.channels.resize(kMaxChannels);
  EXPECT_EQ(std::get<MeasurementSample>(decode_bytes(encode(sample))), sample);
  sample.channels.resize(kMaxChannels + 1);
  EXPECT_THAT(testing::thrown<InputError>([&] { encode(sample); }),
              HasSubstr("MeasurementSample: channels: at most 4096 fit, these are 4097"));
  MeasurementBegin begin;
  begin.channels.resize(1);
  begin.channels[0].label = std::string(kMaxChannelText + 1, 'x');
  EXPECT_THAT(testing::thrown<InputError>([&] { encode(begin); }),
              HasSubstr("MeasurementBegin: label: at most 4096 bytes fit, these are 4097"));
  sample.channels.clear();
  Bytes bytes = encode(sample);
  bytes[bytes.size() - 3] = 0x10;  // 4096 channels stated, none there
  EXPECT_THAT(testing::thrown<InputError>([&] { decode_bytes(bytes); }),
              HasSubstr("total: the bytes end inside this field"));
  bytes[bytes.size() - 4] = 1;
  EXPECT_THAT(testing::thrown<InputError>([&] { decode_bytes(bytes); }),
              HasSubstr("channels: the stated count is over the limit"));
}

TEST(Entry, AFailedEncodingLeavesTheBufferAsItWas) {
  Bytes buffer = {1, 2, 3};
  const LaneEnd end{"p", "infeasible", std::string(kMaxText + 1, 'x'), ""};
  EXPECT_THROW(detail::encode_onto(end, buffer), InputError);
  EXPECT_EQ(buffer, (Bytes{1, 2, 3}));
}

TEST(Decode, RefusesEveryStrictPrefixAndEveryExtension) {
  std::vector<Entry> entries = testing::small_run();
  for (Entry& entry : testing::small_measurement()) entries.push_back(std::move(entry));
  for (const Entry& entry : entries) {
    Bytes bytes = encode(entry);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      EXPECT_THROW(decode(bytes.data(), n), InputError) << entry.index() << " cut to " << n;
      EXPECT_FALSE(detail::decodable(std::span(bytes).first(n)));
    }
    bytes.push_back(0);
    EXPECT_THAT(testing::thrown<InputError>([&] { decode_bytes(bytes); }),
                HasSubstr("bytes follow the last field"));
    EXPECT_FALSE(detail::decodable(bytes));
  }
}

TEST(Decode, NamesWhatIsWrong) {
  const auto words = [](const Bytes& bytes) {
    return testing::thrown<InputError>([&] { decode_bytes(bytes); });
  };
  EXPECT_THAT(words({}), HasSubstr("no bytes"));
  EXPECT_THAT(words({0x27}), HasSubstr("tag 0x27: this version knows 0x11 to 0x1d"));
  EXPECT_THAT(words({0x1e}), HasSubstr("tag 0x1e"));
  EXPECT_THAT(words({0x12, 2, 0, 0, 0, 'a'}), HasSubstr("policy: the bytes end inside"));
  EXPECT_THAT(words({0x12, 255, 255, 255, 255}), HasSubstr("policy: the stated length is over"));
  Bytes truth = encode(Evaluation{});
  truth.back() = 2;
  EXPECT_THAT(words(truth), HasSubstr("certified: a truth value is 0 or 1"));
}

// Whatever is accepted is the encoding of what it became; nothing else escapes than InputError.
RC_GTEST_PROP(Decode, AcceptsOnlyEncodings, ()) {
  Bytes bytes =
      encode(testing::any_entry(*rc::gen::inRange<std::size_t>(0, std::variant_size_v<Entry>)));
  const auto changes = *rc::gen::container<std::vector<std::pair<std::uint32_t, std::uint8_t>>>(
      rc::gen::arbitrary<std::pair<std::uint32_t, std::uint8_t>>());
  for (const auto& [where, what] : changes) bytes[where % bytes.size()] = what;
  bool accepted = true;
  try {
    RC_ASSERT(encode(decode_bytes(bytes)) == bytes);
  } catch (const InputError&) {
    accepted = false;
  }
  RC_ASSERT(detail::decodable(bytes) == accepted);
}

TEST(Balance, HoldsForBalancedSlotsAndNotForALostJoule) {
  const RandomStream random(7, "balance");
  for (std::uint64_t i = 0; i < 200; ++i) {
    SlotEntry s = testing::balanced_slot(random, i);
    EXPECT_LE(balance_residual(s), 1e-15);
    const Energy lost = 1e-6 * s.facility;
    for (Energy SlotEntry::*part :
         {&SlotEntry::total, &SlotEntry::exported, &SlotEntry::own_used, &SlotEntry::charged,
          &SlotEntry::discharged, &SlotEntry::grid, &SlotEntry::curtailed, &SlotEntry::facility}) {
      SlotEntry broken = s;
      broken.*part += lost;
      EXPECT_GT(balance_residual(broken), kBalanceTolerance);
      broken.*part = kNaN * joule;
      EXPECT_GT(balance_residual(broken), kBalanceTolerance);
      broken.*part = kInfinity * joule;
      EXPECT_GT(balance_residual(broken), kBalanceTolerance);
    }
  }
  EXPECT_EQ(balance_residual(SlotEntry{}), 0.0);
}

TEST(Balance, IsRelativeToTheLargestEnergy) {
  SlotEntry s;
  s.grid = 10.0 * joule;
  s.facility = 8.0 * joule;
  EXPECT_DOUBLE_EQ(balance_residual(s), 0.2);
  s.total = 1000.0 * joule;
  s.curtailed = 1000.0 * joule;
  EXPECT_DOUBLE_EQ(balance_residual(s), 0.002);
}

}  // namespace
}  // namespace carnot::ledger
