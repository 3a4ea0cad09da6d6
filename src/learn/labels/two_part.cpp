// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/labels/two_part.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include <fmt/format.h>
#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/learn/codes/code_length.hpp"

#include "learn/codes/arithmetic_coder.hpp"
#include "learn/labels/integer_code.hpp"
#include "learn/labels/integer_network.hpp"
#include "learn/labels/sparse_training.hpp"

namespace carnot::learn {

namespace {

// Message: "cL1", then 64-bit-register code of: Elias deltas of rows, inputs + 1, hidden + 1,
// classes, bytes of coefficients + 1; four bits of pool; 6 bits a step; 16 bits of CRC-32 of the
// inputs. Then bytes of coefficients, labels, and the CRC-32 of the labels.
constexpr char kMagic[] = "cL1";
constexpr std::size_t kMagicSize = 3, kChecksum = 4;
constexpr std::uint64_t kMostHidden = 16384, kMostClasses = 16384;
constexpr std::uint64_t kMostCoefficients = std::uint64_t{1} << 24;

std::uint32_t checksum(const void* data, std::size_t bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, static_cast<const unsigned char*>(data), bytes));
}

std::uint64_t checksum(const IntegerInputs& inputs) {
  return checksum(inputs.values.data(), inputs.values.size() * sizeof(std::int16_t)) & 0xFFFFu;
}

std::uint32_t checksum(const std::vector<std::uint32_t>& labels) {
  return checksum(labels.data(), labels.size() * sizeof(std::uint32_t));
}

void check(const Dataset& data, const TwoPartOptions& o) {
  Problems problems;
  const auto need = [&problems](bool good, const char* field, const char* allowed) {
    if (!good) problems.add(Place{}, field, allowed);
  };
  need(!data.is_regression(), "task", "classes: numbers have no code of their labels here");
  need(data.rows >= 1 && data.columns >= 1, "data", "at least one row and one column");
  need(data.classes >= 1 && data.classes <= kMostClasses, "data", "1 to 16384 classes");
  need(o.hidden <= kMostHidden, "hidden", "0 to 16384 units");
  need(o.price >= 0.0 && o.price <= 1e6, "price", "0 to 1e6 bits");
  need(o.step > 1e-6 && o.step <= 1.0, "step", "1e-6 to 1");
  need(o.epochs >= 0.0 && o.epochs <= 1e6, "epochs", "0 to 1e6");
  need(o.learning_rate > 0.0 && o.learning_rate <= 10.0, "learning_rate", "in (0, 10]");
  problems.throw_if_any();
}

TwoPartOptions fitted(const TwoPartOptions& options, const Dataset& data) {
  constexpr double kSettled = 16384.0;
  TwoPartOptions o = options;
  if (o.epochs == 0.0)
    o.epochs = 40.0 * std::clamp(kSettled / static_cast<double>(data.rows), 1.0, 10.0);
  if (o.batch == 0) o.batch = std::clamp<std::size_t>(data.rows / 64, 16, 128);
  return o;
}

void put(std::vector<std::uint8_t>& bytes, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void judge(const IntegerNetwork& network, const Dataset& held_out, TwoPartCode& code) {
  const IntegerInputs inputs = integer_inputs(held_out, code.pool);
  for (std::size_t r = 0; r < held_out.rows; ++r) {
    const std::vector<std::uint64_t> f = class_frequencies(network, inputs, r);
    const auto total = static_cast<double>(std::accumulate(f.begin(), f.end(), std::uint64_t{0}));
    const std::uint32_t label = held_out.labels[r];
    code.held_out_bits -= std::log2(static_cast<double>(f[label]) / total);
    const bool right =
        std::max_element(f.begin(), f.end()) - f.begin() == static_cast<std::ptrdiff_t>(label);
    code.held_out_accuracy += right ? 1.0 : 0.0;
  }
  code.held_out_bits /= static_cast<double>(held_out.rows);
  code.held_out_accuracy /= static_cast<double>(held_out.rows);
}

[[noreturn]] void damaged() {
  throw InputError(describe({}, "coded labels", "a whole message of two parts"));
}

}  // namespace

Counters two_part_counters(const Dataset& data, const TwoPartOptions& options) {
  check(data, options);
  const TwoPartOptions o = fitted(options, data);
  const auto pool = static_cast<std::size_t>(o.pool > 0 ? o.pool : fitting_pool(data));
  const std::size_t inputs = data.columns / (pool * pool);
  Counters counters = sparse_training_counters(data.rows, inputs, data.classes, o);
  const std::uint64_t coefficients = o.hidden > 0
                                         ? o.hidden * (inputs + 1) + data.classes * (o.hidden + 1)
                                         : data.classes * (inputs + 1);
  // Telling the labels: integers of up to 8 bits and sums of more.
  counters.at(OperationKind::Int8Mac) += 4 * coefficients * data.rows;
  counters.at(OperationKind::Special) += 2 * data.rows * data.classes;
  return counters;
}

TwoPartCode two_part_encode(const Dataset& data, const TwoPartOptions& given) {
  check(data, given);
  const TwoPartOptions options = fitted(given, data);
  TwoPartCode code;
  code.pool = options.pool > 0 ? options.pool : fitting_pool(data);
  code.uniform = uniform_length(data);
  const IntegerInputs inputs = integer_inputs(data, code.pool);
  const IntegerNetwork network = train_sparse(inputs, data.labels, data.classes, options);
  code.coefficients = network.first.size() + network.second.size();
  for (const auto* layer : {&network.first, &network.second})
    code.nonzero += static_cast<std::size_t>(
        std::count_if(layer->begin(), layer->end(), [](std::int32_t q) { return q != 0; }));

  BitEncoder coefficients;
  encode_coefficients(network, inputs.side, coefficients);
  const std::vector<std::uint8_t> model = coefficients.finish();
  ArithmeticEncoder header;
  header.encode_integer(data.rows);
  header.encode_integer(inputs.columns + 1);
  header.encode_integer(network.hidden + 1);
  header.encode_integer(network.classes);
  header.encode_integer(model.size() + 1);
  header.encode_bits(static_cast<std::uint64_t>(code.pool), 4);
  header.encode_bits(static_cast<std::uint64_t>(network.first_step), 6);
  header.encode_bits(static_cast<std::uint64_t>(network.second_step), 6);
  header.encode_bits(checksum(inputs), 16);
  const std::vector<std::uint8_t> front = header.finish();

  ArithmeticEncoder labels;
  std::size_t right = 0;
  for (std::size_t r = 0; r < data.rows; ++r) {
    if (r % 1024 == 0) options.stop.throw_if_requested();
    const std::vector<std::uint64_t> f = class_frequencies(network, inputs, r);
    const std::uint32_t label = data.labels[r];
    const std::uint64_t low = std::accumulate(f.begin(), f.begin() + label, std::uint64_t{0});
    const std::uint64_t total = std::accumulate(f.begin() + label, f.end(), low);
    labels.encode(low, f[label], total);
    code.data_bits -= std::log2(static_cast<double>(f[label]) / static_cast<double>(total));
    right += std::max_element(f.begin(), f.end()) - f.begin() == static_cast<std::ptrdiff_t>(label);
  }
  code.accuracy = static_cast<double>(right) / static_cast<double>(data.rows);
  code.counters = two_part_counters(data, options);
  if (options.held_out != nullptr && options.held_out->rows > 0)
    judge(network, *options.held_out, code);

  code.message.assign(kMagic, kMagic + kMagicSize);
  code.message.push_back(static_cast<std::uint8_t>(front.size()));
  code.message.insert(code.message.end(), front.begin(), front.end());
  code.message.insert(code.message.end(), model.begin(), model.end());
  code.model_bits = 8.0 * static_cast<double>(code.message.size());
  const std::vector<std::uint8_t> told = labels.finish();
  code.message.insert(code.message.end(), told.begin(), told.end());
  put(code.message, checksum(data.labels));
  code.total_bits = 8.0 * static_cast<double>(code.message.size());
  return code;
}

std::vector<std::uint32_t> two_part_decode(const Dataset& data,
                                           std::span<const std::uint8_t> message) {
  if (message.size() < kMagicSize + 1 + kChecksum ||
      std::memcmp(message.data(), kMagic, kMagicSize) != 0)
    throw InputError(describe({}, "coded labels", "a message that two_part_encode wrote"));
  const std::size_t front = message[kMagicSize];
  if (kMagicSize + 1 + front + kChecksum > message.size()) damaged();
  ArithmeticDecoder header(message.subspan(kMagicSize + 1, front));
  IntegerNetwork network;
  const std::uint64_t rows = header.decode_integer();
  network.inputs = header.decode_integer() - 1;
  network.hidden = header.decode_integer() - 1;
  network.classes = header.decode_integer();
  const std::uint64_t bytes = header.decode_integer() - 1;
  const auto pool = static_cast<int>(header.decode_bits(4));
  network.first_step = static_cast<int>(header.decode_bits(6));
  network.second_step = static_cast<int>(header.decode_bits(6));
  const std::uint64_t of_inputs = header.decode_bits(16);
  if (network.hidden > kMostHidden || network.classes > kMostClasses || network.first_step > 40 ||
      network.second_step > 40 || bytes > message.size() - kMagicSize - 1 - front - kChecksum)
    damaged();
  const auto others = [] {
    throw InputError(describe({}, "inputs", "the rows whose labels were coded"));
  };
  if (rows != data.rows || pool < 1) others();
  const IntegerInputs inputs = integer_inputs(data, pool);
  if (inputs.columns != network.inputs || checksum(inputs) != of_inputs) others();
  const std::uint64_t width = network.hidden > 0 ? network.hidden : network.inputs;
  // A coefficient takes no fewer than some 2^-9 bits.
  const std::uint64_t most = std::min(kMostCoefficients, (bytes + 8) << 12);
  if (network.hidden * (network.inputs + 1) + network.classes * (width + 1) > most) damaged();
  network.first.assign(network.hidden * (network.inputs + 1), 0);
  network.second.assign(network.classes * (width + 1), 0);
  BitDecoder coefficients(message.subspan(kMagicSize + 1 + front, bytes));
  decode_coefficients(network, inputs.side, coefficients);

  const std::size_t begin = kMagicSize + 1 + front + bytes;
  ArithmeticDecoder decoder(message.subspan(begin, message.size() - kChecksum - begin));
  std::vector<std::uint32_t> labels;
  labels.reserve(data.rows);
  for (std::size_t r = 0; r < data.rows; ++r) {
    const std::vector<std::uint64_t> f = class_frequencies(network, inputs, r);
    const std::uint64_t total = std::accumulate(f.begin(), f.end(), std::uint64_t{0});
    const std::uint64_t target = decoder.target(total);
    std::uint64_t low = 0;
    std::uint32_t label = 0;
    while (low + f[label] <= target) low += f[label++];
    decoder.consume(low, f[label], total);
    labels.push_back(label);
  }
  std::vector<std::uint8_t> sum;
  put(sum, checksum(labels));
  if (!std::equal(sum.begin(), sum.end(), message.end() - static_cast<std::ptrdiff_t>(kChecksum)))
    damaged();
  return labels;
}

}  // namespace carnot::learn
