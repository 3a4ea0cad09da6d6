// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/text/file_code.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

#include <fmt/format.h>
#include <zlib.h>

#include "carnot/base/error.hpp"

#include "learn/text/bit_coder.hpp"

namespace carnot::learn {

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kMagic = 8;
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kHeader = kMagic + 4 + 4 + 4 + 4;
constexpr std::size_t kFront = 1 + 4 + 4 + 4;  // of a block: kind, plain, coded, CRC of the plain
constexpr std::size_t kBlock = std::size_t{1} << 18;
constexpr std::size_t kProbe = std::size_t{1} << 12;
constexpr std::size_t kUnread = std::size_t{1} << 17;
constexpr std::size_t kLook = 1024;  // bytes between two looks at the stop token
constexpr std::size_t kCurve = 60;

enum Kind : std::uint8_t { kEnd = 0, kCoded = 1, kStored = 2, kSkipped = 3 };

void put(Bytes& bytes, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

std::uint64_t get(std::span<const std::uint8_t> bytes, std::size_t at, int count) {
  std::uint64_t value = 0;
  for (int i = count - 1; i >= 0; --i) value = value << 8 | bytes[at + static_cast<std::size_t>(i)];
  return value;
}

std::uint32_t crc(std::uint32_t before, std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(
      crc32(before, bytes.data(), static_cast<unsigned>(bytes.size())));
}

[[noreturn]] void damaged(std::string_view what) {
  throw InputError(describe({}, "coded file", fmt::format("a whole message, {}", what)));
}

std::unique_ptr<BytePredictor> make_predictor(const PredictorOptions& options) {
  try {
    return std::make_unique<BytePredictor>(options);
  } catch (const std::bad_alloc&) {
    throw DeviceError(fmt::format("the predictor needs {} MiB of memory: fewer table bits",
                                  predictor_memory(options) >> 20));
  }
}

/// What encoding and decoding share: the tally and who is told of it.
class Coding {
 public:
  Coding(const PredictorOptions& predictor, const FileCodeOptions& options)
      : options_(options), of_byte_(BytePredictor::counters_of_byte(predictor)) {
    result.predictor = predictor;
  }
  void look(std::size_t in_block, std::uint64_t coded) {
    options_.stop.throw_if_requested();
    if (options_.progress)
      options_.progress({result.plain_bytes + in_block, result.coded_bytes + coded});
  }
  void end_block(std::size_t plain, bool learned) {
    result.plain_bytes += plain;
    ++result.blocks;
    if (learned) {
      result.learned_bytes += plain;
      result.counters += of_byte_ * plain;
    }
    result.counters.at(MemoryLevel::Dram) += 2 * plain;  // in and out
    if (result.blocks % every_ != 0) return;
    record();
    if (result.curve.size() < kCurve) return;
    for (std::size_t i = 0; 2 * i + 1 < result.curve.size(); ++i)
      result.curve[i] = result.curve[2 * i + 1];
    result.curve.resize(result.curve.size() / 2);
    every_ *= 2;
  }
  void end() {
    if (result.plain_bytes > 0 &&
        (result.curve.empty() || result.curve.back().plain_bytes != result.plain_bytes))
      record();
    if (!result.curve.empty()) result.curve.back().coded_bytes = result.coded_bytes;
  }

  FileCodeResult result;

 private:
  void record() {
    result.curve.push_back({result.plain_bytes, result.coded_bytes, result.counters});
  }
  const FileCodeOptions& options_;
  Counters of_byte_;
  std::uint64_t every_ = 1;
};

}  // namespace

double FileCodeResult::bits_per_byte() const noexcept {
  return plain_bytes > 0 ? 8.0 * static_cast<double>(coded_bytes) / static_cast<double>(plain_bytes)
                         : 0.0;
}

double FileCodeResult::bits_learned() const noexcept {
  return 8.0 * (static_cast<double>(plain_bytes) - static_cast<double>(coded_bytes));
}

FileCodeResult encode_file(const ByteSource& source, const ByteSink& sink,
                           const FileCodeOptions& options) {
  const std::unique_ptr<BytePredictor> predictor = make_predictor(options.predictor);
  Coding coding(options.predictor, options);
  std::uint32_t chain = 0;
  const auto send = [&](const Bytes& bytes) {
    sink(bytes);
    coding.result.coded_bytes += bytes.size();
  };
  Bytes header(kFileCodeMagic, kFileCodeMagic + kMagic);
  put(header, kFormat, 4);
  put(header, options.predictor.contexts, 4);
  put(header, static_cast<std::uint64_t>(options.predictor.table_bits), 1);
  put(header, static_cast<std::uint64_t>(options.predictor.weight_bits), 1);
  put(header, static_cast<std::uint64_t>(options.predictor.counter_bits), 1);
  put(header, 0, 1);
  chain = crc(0, header);
  put(header, chain, 4);
  send(header);

  Bytes plain(kBlock);
  std::uint32_t all = 0;
  std::size_t size = kProbe;
  bool skip = false;
  while (true) {
    const std::size_t count = source(std::span(plain).first(size));
    if (count == 0) break;
    const auto block = std::span<const std::uint8_t>(plain).first(count);
    Kind kind = kSkipped;
    Bytes coded;
    if (!skip) {
      BitEncoder encoder;
      for (std::size_t i = 0; i < count; ++i) {
        if (i % kLook == 0) coding.look(i, encoder.size());
        for (int bit = 7; bit >= 0; --bit) {
          const bool one = (block[i] >> bit & 1) != 0;
          encoder.encode(one, predictor->chance());
          predictor->learn(one);
        }
      }
      coded = encoder.finish();
      kind = coded.size() < count ? kCoded : kStored;
    }
    const auto payload = kind == kCoded ? std::span<const std::uint8_t>(coded) : block;
    Bytes message;
    message.reserve(kFront + payload.size() + 4);
    put(message, kind, 1);
    put(message, count, 4);
    put(message, payload.size(), 4);
    put(message, crc(0, block), 4);
    message.insert(message.end(), payload.begin(), payload.end());
    chain = crc(chain, message);
    put(message, chain, 4);
    send(message);
    all = crc(all, block);
    coding.end_block(count, kind != kSkipped);
    // Asleep after a block that taught nothing; a short look after that.
    skip = kind == kStored && !options.always_learn;
    size = skip ? kUnread : kind == kSkipped ? kProbe : kBlock;
    coding.look(0, 0);
  }
  Bytes end;
  put(end, kEnd, 1);
  put(end, coding.result.plain_bytes, 8);
  put(end, all, 4);
  put(end, crc(chain, end), 4);
  send(end);
  coding.end();
  return coding.result;
}

FileCodeResult decode_file(const ByteSource& source, const ByteSink& sink,
                           const FileCodeOptions& options) {
  std::uint64_t read = 0;
  const auto want = [&](std::span<std::uint8_t> bytes) {
    if (source(bytes) != bytes.size()) damaged("but it is cut short");
    read += bytes.size();
  };
  Bytes header(kHeader);
  const std::size_t had = source(header);
  if (had < kMagic || std::memcmp(header.data(), kFileCodeMagic, kMagic) != 0)
    throw InputError(describe({}, "coded file", "one that `carnot encode` wrote"));
  if (had < kMagic + 4) damaged("but it is cut short");
  if (const std::uint64_t format = get(header, kMagic, 4); format != kFormat)
    throw InputError(
        describe({}, "coded file", fmt::format("format {}, found {}", kFormat, format)));
  if (had < kHeader) damaged("but it is cut short");
  read = kHeader;
  std::uint32_t chain = crc(0, std::span(header).first(kHeader - 4));
  if (get(header, kHeader - 4, 4) != chain) damaged("but its header is damaged");
  PredictorOptions knobs;
  knobs.contexts = static_cast<std::uint32_t>(get(header, 12, 4));
  knobs.table_bits = header[16];
  knobs.weight_bits = header[17];
  knobs.counter_bits = header[18];
  if (header[19] != 0) damaged("but its header is damaged");
  check(knobs);
  std::unique_ptr<BytePredictor> predictor;  // once a whole block asks for it
  Coding coding(knobs, options);
  coding.result.coded_bytes = kHeader;

  std::uint32_t all = 0;
  while (true) {
    Bytes message(1);
    want(message);
    if (message[0] == kEnd) {
      message.resize(1 + 8 + 4 + 4);
      want(std::span(message).subspan(1));
      if (get(message, 13, 4) != crc(chain, std::span(message).first(13)) ||
          get(message, 1, 8) != coding.result.plain_bytes || get(message, 9, 4) != all)
        damaged("but its end is damaged");
      break;
    }
    message.resize(kFront);
    want(std::span(message).subspan(1));
    const std::uint8_t kind = message[0];
    const std::uint64_t plain_size = get(message, 1, 4);
    const std::uint64_t coded_size = get(message, 5, 4);
    if (kind > kSkipped || plain_size == 0 || plain_size > kBlock ||
        (kind == kCoded ? coded_size >= plain_size : coded_size != plain_size))
      damaged(fmt::format("but block {} is damaged", coding.result.blocks + 1));
    message.resize(kFront + coded_size + 4);
    want(std::span(message).subspan(kFront));
    chain = crc(chain, std::span(message).first(kFront + coded_size));
    if (get(message, kFront + coded_size, 4) != chain)
      damaged(fmt::format("but block {} is damaged", coding.result.blocks + 1));
    const auto payload = std::span<const std::uint8_t>(message).subspan(kFront, coded_size);
    if (kind != kSkipped && !predictor) predictor = make_predictor(knobs);
    Bytes plain;
    if (kind == kCoded) {
      plain.resize(plain_size);
      BitDecoder decoder(payload);
      for (std::size_t i = 0; i < plain_size; ++i) {
        if (i % kLook == 0) coding.look(i, coded_size * i / plain_size);
        unsigned byte = 0;
        for (int bit = 0; bit < 8; ++bit) {
          const bool one = decoder.decode(predictor->chance());
          predictor->learn(one);
          byte = 2 * byte + (one ? 1u : 0u);
        }
        plain[i] = static_cast<std::uint8_t>(byte);
      }
    } else {
      plain.assign(payload.begin(), payload.end());
      for (std::size_t i = 0; kind == kStored && i < plain.size(); ++i) {
        if (i % kLook == 0) coding.look(i, i);
        for (int bit = 7; bit >= 0; --bit) predictor->learn((plain[i] >> bit & 1) != 0);
      }
    }
    if (get(message, 9, 4) != crc(0, plain))
      damaged(fmt::format("but block {} is damaged", coding.result.blocks + 1));
    sink(plain);
    all = crc(all, plain);
    coding.result.coded_bytes = read;
    coding.end_block(plain.size(), kind != kSkipped);
    coding.look(0, 0);
  }
  coding.result.coded_bytes = read;
  std::uint8_t more = 0;
  if (source(std::span(&more, 1)) != 0) damaged("but bytes follow its end");
  coding.end();
  return coding.result;
}

}  // namespace carnot::learn
