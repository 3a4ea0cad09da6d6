// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/saved/saved_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/base/state_bytes.hpp"
#include "carnot/learn/codes/code_length.hpp"
#include "carnot/learn/codes/model_forward.hpp"
#include "carnot/learn/convolution/convolution.hpp"
#include "carnot/learn/data/text.hpp"
#include "carnot/learn/transformer/transformer.hpp"
#include "carnot/learn/trees/tree_code.hpp"
#include "carnot/learn/trees/tree_learner.hpp"

#include "learn/codes/model_code.hpp"
#include "learn/network/accounting.hpp"

namespace carnot::learn {

namespace {

constexpr std::array<char, 8> kMagic = {'c', 'a', 'r', 'n', 'o', 't', 'M', '\n'};
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kHead = kMagic.size() + sizeof(std::uint32_t);
constexpr std::size_t kMostFeatures = std::size_t{1} << 24;
constexpr std::size_t kBlockRows = 4096;

const std::array<std::string, 8> kLearners = {"mlp",  "softmax", "logistic", "linear",
                                              "gbdt", "forest",  "cnn",      "transformer"};

void require(bool good, std::string_view what) {
  if (!good) throw InputError(fmt::format("model: {}", what));
}

std::uint32_t checksum(std::span<const std::uint8_t> bytes) {
  uLong sum = ::crc32(0, nullptr, 0);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t n = std::min<std::size_t>(bytes.size() - at, std::size_t{1} << 30);
    sum = ::crc32(sum, bytes.data() + at, static_cast<uInt>(n));
    at += n;
  }
  return static_cast<std::uint32_t>(sum);
}

void put_texts(StateWriter& out, const std::vector<std::string>& texts) {
  out.value<std::uint64_t>(texts.size());
  for (const std::string& t : texts) out.text(t);
}

std::vector<std::string> get_texts(StateReader& in) {
  std::vector<std::string> out;
  const auto n = in.value<std::uint64_t>();
  for (std::uint64_t i = 0; i < n; ++i) out.push_back(in.text());
  return out;
}

void put_written(StateWriter& out, const WrittenNumbers& w) {
  out.value(w.decimal);
  out.value(w.group);
  out.text(w.affix);
  out.value(w.dates);
}

WrittenNumbers get_written(StateReader& in) {
  WrittenNumbers w;
  w.decimal = in.value<char>();
  w.group = in.value<char>();
  w.affix = in.text();
  w.dates = in.value<std::uint8_t>();
  return w;
}

void put_encoding(StateWriter& out, const TableEncoding& e) {
  out.value<std::uint64_t>(e.columns.size());
  for (const ColumnEncoding& c : e.columns) {
    out.text(c.name);
    out.value<std::uint8_t>(static_cast<std::uint8_t>(c.kind));
    out.value(c.mean);
    out.value(c.scale);
    put_written(out, c.written);
    put_texts(out, c.levels);
  }
  out.text(e.label);
  put_texts(out, e.label_words);
  out.value<std::uint8_t>(e.label_numbers);
  put_written(out, e.label_written);
  put_texts(out, e.missing);
  out.value<std::uint8_t>(e.has_header);
  out.value<std::uint64_t>(e.file_columns);
}

TableEncoding get_encoding(StateReader& in) {
  TableEncoding e;
  const auto n = in.value<std::uint64_t>();
  std::size_t first = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    ColumnEncoding c;
    c.name = in.text();
    const auto kind = in.value<std::uint8_t>();
    require(kind <= 2, "a known kind of column");
    c.kind = static_cast<ColumnEncoding::Kind>(kind);
    c.mean = in.value<double>();
    c.scale = in.value<double>();
    c.written = get_written(in);
    c.levels = get_texts(in);
    c.first = first;
    first += c.features();
    e.columns.push_back(std::move(c));
  }
  e.label = in.text();
  e.label_words = get_texts(in);
  e.label_numbers = in.value<std::uint8_t>() != 0;
  e.label_written = get_written(in);
  e.missing = get_texts(in);
  e.has_header = in.value<std::uint8_t>() != 0;
  e.file_columns = in.value<std::uint64_t>();
  check_encoding(e);
  return e;
}

/// Bins of features; which columns they are follows from the encoding.
void put_features(StateWriter& out, const std::vector<TreeFeature>& features) {
  for (const TreeFeature& f : features) {
    out.value<std::uint8_t>(static_cast<std::uint8_t>(f.bins));
    out.value<std::uint8_t>(f.met_missing);
    if (f.categorical())
      out.sequence(f.level_bins);
    else
      out.sequence(f.edges);
  }
}

void get_features(StateReader& in, std::vector<TreeFeature>& features) {
  for (TreeFeature& f : features) {
    f.bins = in.value<std::uint8_t>();
    f.met_missing = in.value<std::uint8_t>() != 0;
    if (f.categorical())
      f.level_bins = in.sequence<std::uint8_t>();
    else
      f.edges = in.sequence<float>();
  }
}

std::size_t outputs_of(const SavedModel& m) {
  if (m.shape.classes == 0 || m.learner == "logistic") return 1;
  return m.shape.classes;
}

NetworkShape network_shape(const SavedModel& m) {
  NetworkShape shape;
  shape.widths.push_back(m.shape.columns);
  for (std::size_t l = 1; l < m.parameters.size(); l += 2)
    shape.widths.push_back(m.parameters[l].size());
  shape.loss = m.shape.classes == 0      ? Loss::Squared
               : m.learner == "logistic" ? Loss::Logistic
                                         : Loss::Softmax;
  shape.unsigned_inputs = m.shape.unsigned_features;
  return shape;
}

void check_network(const SavedModel& m) {
  require(!m.parameters.empty() && m.parameters.size() % 2 == 0 && m.parameters.size() <= 64,
          "weights and biases of each layer");
  std::size_t width = m.shape.columns;
  for (std::size_t l = 0; l < m.parameters.size(); l += 2) {
    const std::size_t outputs = m.parameters[l + 1].size();
    require(outputs > 0 && m.parameters[l].size() / outputs == width &&
                m.parameters[l].size() % outputs == 0,
            "layers that fit each other");
    width = outputs;
    for (const std::size_t i : {l, l + 1})
      for (const float w : m.parameters[i]) require(std::isfinite(w), "finite coefficients");
  }
  require(width == outputs_of(m), "as many outputs as classes");
}

std::vector<std::size_t> rows_of(const SavedModel& m) {
  if (m.is_convolution()) return convolution_rows(m.parameters);
  return m.is_text() ? transformer_rows(m.transformer, m.shape.classes)
                     : parameter_rows(m.parameters, m.shape.columns, outputs_of(m));
}

void put_transformer(StateWriter& out, const TransformerOptions& t) {
  out.text(t.objective);
  for (const std::size_t n : {t.layers, t.heads, t.width, t.context}) out.value<std::uint64_t>(n);
}

TransformerOptions get_transformer(StateReader& in) {
  TransformerOptions t;
  t.objective = in.text();
  for (std::size_t* n : {&t.layers, &t.heads, &t.width, &t.context}) *n = in.value<std::uint64_t>();
  check_transformer(t);
  return t;
}

void put_convolution(StateWriter& out, const ConvolutionOptions& o) {
  out.value<std::uint64_t>(o.height);
  out.value<std::uint64_t>(o.width);
  out.value<std::uint64_t>(o.channels.size());
  for (const std::size_t n : o.channels) out.value<std::uint64_t>(n);
}

ConvolutionOptions get_convolution(StateReader& in, std::size_t pixels) {
  ConvolutionOptions o;
  o.height = in.value<std::uint64_t>();
  o.width = in.value<std::uint64_t>();
  const auto n = in.value<std::uint64_t>();
  require(n >= 1 && n <= 8, "1 to 8 convolutions");
  o.channels.clear();
  for (std::uint64_t i = 0; i < n; ++i) o.channels.push_back(in.value<std::uint64_t>());
  check_convolution(o, pixels);
  return o;
}

void check_images_model(const SavedModel& m) {
  require(m.shape.classes >= 2 && m.encoding == nullptr && m.shape.unsigned_features,
          "classes of images");
  for (const std::vector<float>& entry : m.parameters)
    for (const float w : entry) require(std::isfinite(w), "finite coefficients");
  Dataset none;
  none.columns = m.shape.columns;
  none.classes = m.shape.classes;
  convolution_forward(m.convolution, m.parameters, none, 0, 0);  // refuses another shape
}

void check_text_model(const SavedModel& m) {
  const std::vector<std::size_t> sizes = transformer_sizes(m.transformer, m.shape.classes);
  require(m.parameters.size() == sizes.size(), "the matrices of its transformer");
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    require(m.parameters[i].size() == sizes[i], "the matrices of its transformer");
    for (const float w : m.parameters[i]) require(std::isfinite(w), "finite coefficients");
  }
  text_like(m.shape, "", "model");  // its symbols are named as they must be
}

void put_payload(StateWriter& out, const SavedModel& m) {
  out.text(m.learner);
  out.text(m.precision);
  out.text(m.trained_on);
  out.value(m.train_rows);
  out.value<std::uint64_t>(m.shape.columns);
  out.value<std::uint64_t>(m.shape.classes);
  put_texts(out, m.shape.class_names);
  out.value<std::uint8_t>(m.shape.unsigned_features);
  out.value(m.shape.target_mean);
  out.value(m.shape.target_scale);
  out.text(m.quality.metric);
  out.value(m.quality.value);
  out.value(m.quality.trials);
  out.value<std::uint8_t>(m.encoding != nullptr);
  if (m.encoding) put_encoding(out, *m.encoding);
  out.value<std::uint8_t>(static_cast<std::uint8_t>(m.width));
  if (m.is_trees()) {
    put_features(out, m.trees.features);
    out.sequence(encode_trees(m.trees, m.width));
  } else {
    if (m.is_text()) put_transformer(out, m.transformer);
    if (m.is_convolution()) put_convolution(out, m.convolution);
    out.sequence(encode_model(quantise_model(m.parameters, rows_of(m), m.width)));
  }
}

SavedModel get_payload(StateReader& in) {
  SavedModel m;
  m.learner = in.text();
  require(std::find(kLearners.begin(), kLearners.end(), m.learner) != kLearners.end(),
          "a known learner");
  m.precision = in.text();
  m.trained_on = in.text();
  m.train_rows = in.value<std::uint64_t>();
  m.shape.columns = in.value<std::uint64_t>();
  m.shape.classes = in.value<std::uint64_t>();
  require(
      m.is_text() ? m.shape.columns == 0 : m.shape.columns >= 1 && m.shape.columns <= kMostFeatures,
      "1 to 2^24 features, of a text none");
  m.shape.class_names = get_texts(in);
  require(m.shape.classes != 1 && m.shape.classes == m.shape.class_names.size() &&
              m.shape.classes <= 65536,
          "a name for each class");
  m.shape.unsigned_features = in.value<std::uint8_t>() != 0;
  m.shape.target_mean = in.value<double>();
  m.shape.target_scale = in.value<double>();
  require(std::isfinite(m.shape.target_mean) && std::isfinite(m.shape.target_scale) &&
              m.shape.target_scale > 0.0,
          "a finite target");
  m.quality.metric = in.text();
  m.quality.value = in.value<double>();
  m.quality.trials = in.value<std::uint64_t>();
  if (in.value<std::uint8_t>() != 0) {
    auto encoding = std::make_shared<TableEncoding>(get_encoding(in));
    require(encoding->features() == m.shape.columns, "as many features as the columns make");
    require(m.shape.classes == 0 || encoding->label_words.size() == m.shape.classes,
            "a word for each class");
    m.encoding = std::move(encoding);
    m.shape.encoding = m.encoding;
  }
  m.width = in.value<std::uint8_t>();
  if (m.is_trees()) {
    m.trees.columns = m.shape.columns;
    m.trees.classes = m.shape.classes;
    m.trees.average = m.learner == "forest";
    m.trees.outputs = m.trees.average       ? std::max<std::size_t>(m.shape.classes, 1)
                      : m.shape.classes > 2 ? m.shape.classes
                                            : 1;
    m.trees.base.assign(m.trees.outputs, 0.0f);
    m.trees.features = tree_features(m.shape);
    get_features(in, m.trees.features);
    check_model(m.trees);
    decode_trees(in.sequence<std::uint8_t>(), m.trees);
  } else if (m.is_text()) {
    require(m.shape.classes >= 2 && m.shape.classes <= 257 && m.encoding == nullptr,
            "the symbols of a text");
    m.transformer = get_transformer(in);
    m.parameters = coefficients(decode_model(in.sequence<std::uint8_t>()));
    check_text_model(m);
  } else if (m.is_convolution()) {
    m.convolution = get_convolution(in, m.shape.columns);
    m.parameters = coefficients(decode_model(in.sequence<std::uint8_t>()));
    check_images_model(m);
  } else {
    require(m.learner != "logistic" || m.shape.classes == 2, "two classes of a logistic model");
    m.parameters = coefficients(decode_model(in.sequence<std::uint8_t>()));
    check_network(m);
  }
  in.end();
  return m;
}

}  // namespace

SavedModel saved_model(const Learner& learner, const LearnerOptions& options, const Dataset& train,
                       int width) {
  SavedModel m;
  m.learner = options.model;
  if (width != 32 && (m.is_trees() || width != 16) && (width < 2 || width > 12))
    throw InputError(
        describe({}, "save-bits",
                 fmt::format("2 to 12{} or 32, found {}", m.is_trees() ? "" : ", 16", width)));
  m.trained_on = train.name.empty() ? train.source : train.name;  // no paths
  m.train_rows = train.rows;
  m.width = width;
  m.shape.columns = train.columns;
  m.shape.classes = train.classes;
  m.shape.class_names = train.class_names;
  m.shape.unsigned_features = train.unsigned_features;
  m.shape.target_mean = train.target_mean;
  m.shape.target_scale = train.target_scale;
  m.shape.encoding = m.encoding = train.encoding;
  if (const auto* trees = dynamic_cast<const TreeLearner*>(&learner)) {
    m.trees = trees->model();
    const auto leaves = rounded_leaves(m.trees, width);
    for (std::size_t t = 0; t < leaves.size(); ++t) m.trees.trees[t].values = leaves[t];
  } else {
    m.transformer = options.transformer;
    m.convolution = options.convolution;
    m.parameters = learner.parameters();
    m.parameters = rounded(m.parameters, rows_of(m), width);
  }
  return m;
}

std::vector<std::uint8_t> pack_model(const SavedModel& model) {
  StateWriter out;
  for (const char c : kMagic) out.value(c);
  out.value(kFormat);
  put_payload(out, model);
  std::vector<std::uint8_t> bytes = out.take();
  const std::uint32_t sum = checksum(bytes);
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(sum >> (8 * i)));
  return bytes;
}

SavedModel unpack_model(std::span<const std::uint8_t> bytes) {
  require(bytes.size() >= kHead + 4 &&
              std::equal(kMagic.begin(), kMagic.end(), bytes.begin(),
                         [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }),
          "not a file that `carnot learn --save` wrote");
  std::uint32_t format = 0, sum = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    format |= std::uint32_t{bytes[kMagic.size() + i]} << (8 * i);
    sum |= std::uint32_t{bytes[bytes.size() - 4 + i]} << (8 * i);
  }
  require(format == kFormat,
          fmt::format("format {}; this program reads format {}", format, kFormat));
  require(checksum(bytes.first(bytes.size() - 4)) == sum,
          "damaged: the checksum is not that of its bytes");
  const std::vector<std::uint8_t> payload(bytes.begin() + kHead, bytes.end() - 4);
  StateReader in(payload);
  return get_payload(in);
}

void save_model(const SavedModel& model, const std::string& path) {
  const std::vector<std::uint8_t> bytes = pack_model(model);
  write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

SavedModel load_model(const std::string& path) {
  const std::string bytes = read_input(path);
  try {
    return unpack_model({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", path, error.what()));
  }
}

Predictions predict(const SavedModel& model, const Dataset& data) {
  if (model.is_text()) throw InputError("predict: a model of tables or images, not of text");
  if (data.columns != model.shape.columns)
    throw InputError(describe({}, "data",
                              fmt::format("{} features as the model was trained on, found {}",
                                          model.shape.columns, data.columns)));
  Predictions out;
  if (model.is_trees()) {
    out.values = probabilities(model.trees,
                               scores(model.trees, data, model.trees.trees.size(), &out.counters),
                               model.trees.trees.size());
    out.counters.at(OperationKind::Special) +=
        data.classes == 0 ? 0 : data.rows * (model.trees.outputs + 1);
  } else if (model.is_convolution()) {
    out.values = convolution_forward(model.convolution, model.parameters, data, 0, data.rows);
    out.counters = convolution_predict_counters(
        model.convolution, data.columns,
        model.parameters[2 * model.convolution.channels.size() + 1].size(), data.classes,
        data.rows);
  } else {
    for (std::size_t begin = 0; begin < data.rows; begin += kBlockRows) {
      const std::size_t n = std::min(kBlockRows, data.rows - begin);
      const std::vector<float> block = forward(model.parameters, data, begin, n);
      out.values.insert(out.values.end(), block.begin(), block.end());
    }
    const NetworkShape shape = network_shape(model);
    out.counters = forward_counters(shape, Precision::parse("f32"), data.rows);
    if (model.shape.classes > 0)
      out.counters.at(OperationKind::Special) += data.rows * (shape.widths.back() + 1);
  }
  if (model.shape.classes == 0) {
    for (float& v : out.values) {
      out.targets.push_back(static_cast<double>(v) * model.shape.target_scale +
                            model.shape.target_mean);
      v = static_cast<float>(out.targets.back());
    }
    return out;
  }
  const std::size_t classes = model.shape.classes;
  for (std::size_t r = 0; r < data.rows; ++r) {
    const float* row = out.values.data() + r * classes;
    out.classes.push_back(static_cast<std::uint32_t>(std::max_element(row, row + classes) - row));
  }
  return out;
}

EncodedTable read_for(const SavedModel& model, const std::string& path, const std::string& labels) {
  if (model.encoding) return encode_table(*model.encoding, model.shape, path);
  return read_images(model.shape, path, labels);
}

Quality quality_of(const Predictions& predictions, const EncodedTable& table) {
  const Dataset& data = table.data;
  Quality q;
  q.metric = data.classes > 0 ? "accuracy" : "r2";
  q.bits_per_label = std::numeric_limits<double>::quiet_NaN();
  double mean = 0.0, bits = 0.0;
  for (std::size_t r = 0; r < data.rows; ++r) {
    if (table.has_label.empty() || table.has_label[r] == 0) continue;
    ++q.trials;
    if (data.classes == 0) {
      mean += static_cast<double>(data.targets[r]);
      continue;
    }
    q.successes += predictions.classes[r] == data.labels[r] ? 1 : 0;
    bits -= std::log2(std::clamp(
        static_cast<double>(predictions.values[r * data.classes + data.labels[r]]), 0x1p-26, 1.0));
  }
  if (q.trials == 0) return q;
  const auto n = static_cast<double>(q.trials);
  if (data.classes > 0) {
    q.value = static_cast<double>(q.successes) / n;
    q.bits_per_label = bits / n;
    return q;
  }
  mean /= n;
  double squares = 0.0, spread = 0.0;
  for (std::size_t r = 0; r < data.rows; ++r) {
    if (table.has_label[r] == 0) continue;
    const double t = static_cast<double>(data.targets[r]);
    const double p = (predictions.targets[r] - data.target_mean) / data.target_scale;
    squares += (p - t) * (p - t);
    spread += (t - mean) * (t - mean);
  }
  q.value = spread > 0.0 ? 1.0 - squares / spread : 0.0;
  return q;
}

}  // namespace carnot::learn
