// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/labels/label_message.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/base/state_bytes.hpp"

namespace carnot::learn {

namespace {

constexpr std::array<char, 8> kMagic = {'c', 'a', 'r', 'n', 'o', 't', 'L', '\n'};
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kHead = kMagic.size() + sizeof(std::uint32_t), kChecksum = 4;
constexpr std::uint64_t kMostRows = std::uint64_t{1} << 32;

const std::array<std::string, 7> kLearners = {"mlp",    "softmax", "logistic", "gbdt",
                                              "forest", "cnn",     "linear"};

void require(bool good, std::string_view what) {
  if (!good) throw InputError(fmt::format("coded labels: {}", what));
}

std::uint32_t checksum(const void* data, std::size_t bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, static_cast<const unsigned char*>(data), static_cast<z_size_t>(bytes)));
}

std::uint32_t checksum(const std::vector<std::uint32_t>& labels) {
  return checksum(labels.data(), labels.size() * sizeof(std::uint32_t));
}

/// The same list writes and reads: `each` is told every number of the options in turn.
template <class Options, class Each>
void visit_numbers(Options& o, Each&& each) {
  each(o.learner.hidden, 1, 16384);
  each(o.learner.batch, 0, 65536);
  each(o.learner.epochs, 0.0, 1e4);
  each(o.learner.learning_rate, 0.0, 1e3);
  each(o.learner.momentum, 0.0, 1.0);
  each(o.learner.weight_decay, 0.0, 1.0);
  each(o.learner.convolution.height, 0, 65536);
  each(o.learner.convolution.width, 0, 65536);
  each(o.tree.trees, 0, 100000);
  each(o.tree.leaves, 0, 1 << 20);
  each(o.tree.depth, 0, 1 << 16);
  each(o.tree.bins, 2, 255);
  each(o.tree.learning_rate, 0.0, 1e3);
  each(o.tree.l2, 0.0, 1e12);
  each(o.tree.least_hessian, 0.0, 1e12);
  each(o.tree.least_rows, 0, 1 << 30);
  each(o.tree.subsample, 0.0, 1.0);
  each(o.tree.feature_share, 0.0, 1.0);
  each(o.tree.hold_out, 0.0, 1.0);
  each(o.tree.patience, 0, 1 << 20);
  each(o.tree.settled, 0.0, 1.0);
  each(o.first, 2, 1 << 30);
  each(o.growth, 1.01, 100.0);
  each(o.members, 1, 64);
}

void put_options(StateWriter& out, const PrequentialOptions& o) {
  out.text(o.learner.model);
  out.text(o.learner.optimiser);
  out.text(o.precision.name);
  visit_numbers(o, [&](const auto& field, double, double) {
    out.value(static_cast<double>(field));  // whole ones are far below 2^53
  });
  out.value<std::uint8_t>(o.shifts);
  out.value<std::uint8_t>(o.tree.refit_leaves);
  out.value<std::uint8_t>(o.tree.random_rounding);
  out.value(o.seed);
  out.value(o.learner.seed);
  std::vector<std::uint64_t> channels(o.learner.convolution.channels.begin(),
                                      o.learner.convolution.channels.end());
  out.sequence(channels);
}

PrequentialOptions get_options(StateReader& in) {
  PrequentialOptions o;
  o.learner.model = in.text();
  require(std::find(kLearners.begin(), kLearners.end(), o.learner.model) != kLearners.end(),
          "a known learner");
  o.learner.optimiser = in.text();
  require(o.learner.optimiser == "sgd" || o.learner.optimiser == "adam", "a known optimiser");
  const std::string precision = in.text();
  const bool trees = o.learner.model == "gbdt" || o.learner.model == "forest";
  if (trees && precision.size() == 2 && precision[0] == 'g' && precision[1] >= '2' &&
      precision[1] <= '8')
    o.precision = gradient_precision(precision[1] - '0');
  else
    o.precision = Precision::parse(precision);
  visit_numbers(o, [&](auto& field, double low, double high) {
    const auto x = in.value<double>();
    using T = std::remove_reference_t<decltype(field)>;
    require(x >= low && x <= high && (std::is_floating_point_v<T> || x == std::floor(x)),
            fmt::format("options in their range, found {:g}", x));
    field = static_cast<T>(x);
  });
  o.shifts = in.value<std::uint8_t>() != 0;
  o.tree.refit_leaves = in.value<std::uint8_t>() != 0;
  o.tree.random_rounding = in.value<std::uint8_t>() != 0;
  o.seed = in.value<std::uint64_t>();
  o.learner.seed = in.value<std::uint64_t>();
  const std::vector<std::uint64_t> channels = in.sequence<std::uint64_t>();
  require(channels.size() >= 1 && channels.size() <= 8 &&
              std::all_of(channels.begin(), channels.end(),
                          [](std::uint64_t n) { return n >= 1 && n <= 1024; }),
          "1 to 8 convolutions of 1 to 1024 channels");
  o.learner.convolution.channels.assign(channels.begin(), channels.end());
  return o;
}

}  // namespace

bool is_label_message(std::span<const std::uint8_t> bytes) noexcept {
  return bytes.size() >= kMagic.size() &&
         std::equal(kMagic.begin(), kMagic.end(), bytes.begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

SavedModel shape_of(const Dataset& data) {
  if (data.classes < 2)
    throw InputError(describe({}, "data", "two classes or more, for labels in a file"));
  SavedModel m;  // a softmax of zeros: a well-formed model that says nothing
  m.learner = "softmax";
  m.precision = "f32";
  m.width = 2;
  m.shape.columns = data.columns;
  m.shape.classes = data.classes;
  m.shape.class_names = data.class_names;
  m.shape.unsigned_features = data.unsigned_features;
  m.shape.encoding = m.encoding = data.encoding;
  m.parameters = {std::vector<float>(data.columns * data.classes, 0.0f),
                  std::vector<float>(data.classes, 0.0f)};
  return m;
}

LabelMessage label_message(const SavedModel& shape, const Dataset& data,
                           const std::vector<std::uint8_t>& code, bool two_part,
                           const PrequentialOptions& options) {
  LabelMessage m;
  m.two_part = two_part;
  m.shape = shape;
  m.options = options;
  m.rows = data.rows;
  m.labels_checksum = checksum(data.labels);
  m.code = code;
  return m;
}

std::vector<std::uint8_t> pack_labels(const LabelMessage& message) {
  StateWriter out;
  for (const char c : kMagic) out.value(c);
  out.value(kFormat);
  out.value<std::uint8_t>(message.two_part);
  out.value(message.rows);
  out.value(message.labels_checksum);
  out.sequence(pack_model(message.shape));
  if (!message.two_part) put_options(out, message.options);
  out.sequence(message.code);
  std::vector<std::uint8_t> bytes = out.take();
  const std::uint32_t sum = checksum(bytes.data(), bytes.size());
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(sum >> (8 * i)));
  return bytes;
}

LabelMessage unpack_labels(std::span<const std::uint8_t> bytes) {
  require(bytes.size() >= kHead + kChecksum && is_label_message(bytes),
          "a file that `carnot learn two-part` or `prequential` wrote with --message");
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kChecksum; ++i)
    sum |= std::uint32_t{bytes[bytes.size() - kChecksum + i]} << (8 * i);
  require(checksum(bytes.data(), bytes.size() - kChecksum) == sum,
          "damaged: the checksum is not that of its bytes");
  const std::vector<std::uint8_t> payload(
      bytes.begin() + static_cast<std::ptrdiff_t>(kMagic.size()),
      bytes.end() - static_cast<std::ptrdiff_t>(kChecksum));
  StateReader in(payload);
  const auto format = in.value<std::uint32_t>();
  require(format == kFormat,
          fmt::format("format {}; this program reads format {}", format, kFormat));
  LabelMessage m;
  const auto kind = in.value<std::uint8_t>();
  require(kind <= 1, "a known kind of code");
  m.two_part = kind == 1;
  m.rows = in.value<std::uint64_t>();
  require(m.rows >= 1 && m.rows <= kMostRows, "1 to 2^32 rows");
  m.labels_checksum = in.value<std::uint32_t>();
  m.shape = unpack_model(in.sequence<std::uint8_t>());
  require(m.shape.learner == "softmax" && m.shape.shape.classes >= 2, "the classes of its labels");
  if (!m.two_part) m.options = get_options(in);
  m.code = in.sequence<std::uint8_t>();
  in.end();
  return m;
}

std::vector<std::uint32_t> decode_labels(const LabelMessage& message, const Dataset& given,
                                         const StopToken& stop, int threads) {
  if (given.rows != message.rows || given.columns != message.shape.shape.columns)
    throw InputError(describe(
        {}, "inputs",
        fmt::format("the {} rows whose labels were coded, of {} features; found {} of {}",
                    message.rows, message.shape.shape.columns, given.rows, given.columns)));
  Dataset inputs = given;
  inputs.classes = message.shape.shape.classes;
  inputs.class_names = message.shape.shape.class_names;
  inputs.labels.assign(inputs.rows, 0);
  inputs.targets.clear();
  std::vector<std::uint32_t> labels;
  if (message.two_part) {
    labels = two_part_decode(inputs, message.code);
  } else {
    PrequentialOptions options = message.options;
    options.stop = stop;
    options.learner.threads = threads;
    labels = prequential_decode(inputs, message.code, options);
  }
  require(std::all_of(labels.begin(), labels.end(),
                      [&](std::uint32_t label) { return label < inputs.classes; }) &&
              checksum(labels) == message.labels_checksum,
          "other inputs, another kind of processor, or a damaged code: the labels are not those "
          "that were sent");
  return labels;
}

std::string label_lines(const LabelMessage& message, const std::vector<std::uint32_t>& labels) {
  const SavedModel& shape = message.shape;
  const bool table = shape.encoding != nullptr && !shape.encoding->label_words.empty();
  const std::vector<std::string>& words =
      table ? shape.encoding->label_words : shape.shape.class_names;
  std::string out;
  for (const std::uint32_t label : labels) out += words[label] + "\n";
  return out;
}

}  // namespace carnot::learn
