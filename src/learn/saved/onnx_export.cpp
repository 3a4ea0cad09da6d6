// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/saved/onnx_export.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/learn/convolution/convolution.hpp"
#include "carnot/learn/data/text.hpp"

#include "learn/saved/onnx_parts.hpp"

namespace carnot::learn {

namespace {

using Names = OnnxWriter::Names;
using Sizes = OnnxWriter::Sizes;
constexpr std::int64_t kToFloat = 1;

std::int64_t signed_size(std::size_t n) { return static_cast<std::int64_t>(n); }

/// ["a", "b"] as JSON.
std::string json_names(const std::vector<std::string>& names) {
  std::string out = "[";
  for (const std::string& name : names) {
    out += out.size() > 1 ? ", \"" : "\"";
    for (const char c : name) {
      if (c == '"' || c == '\\')
        out += fmt::format("\\{}", c);
      else if (static_cast<unsigned char>(c) < 0x20)
        out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      else
        out += c;
    }
    out += '"';
  }
  return out + "]";
}

// ---- a perceptron

/// y = x W' + b as Gemm. \param order  of the inputs in x, or empty: as in W
std::string dense(OnnxWriter& out, const std::string& x, const std::vector<float>& weights,
                  const std::vector<float>& bias, std::size_t which,
                  const std::vector<std::size_t>& order) {
  const std::size_t outputs = bias.size(), inputs = weights.size() / outputs;
  std::vector<float> w = weights;
  if (!order.empty())
    for (std::size_t j = 0; j < outputs; ++j)
      for (std::size_t k = 0; k < inputs; ++k) w[j * inputs + k] = weights[j * inputs + order[k]];
  const Names operands = {
      x,
      out.constant(fmt::format("weights_{}", which), w,
                   {signed_size(outputs), signed_size(inputs)}),
      out.constant(fmt::format("biases_{}", which), bias, {signed_size(outputs)})};
  return out.node("Gemm", operands, fmt::format("dense_{}", which),
                  OnnxAttributes().integer("transB", 1));
}

/// The features of a table, and where each stands in the order of the encoding.
std::string table_features(OnnxWriter& out, const SavedModel& model, const OnnxColumns& columns,
                           std::vector<std::size_t>& order) {
  Names parts;
  const auto& all = model.encoding->columns;
  for (const std::size_t c : columns.numbers) order.push_back(all[c].first);
  if (!columns.numbers.empty()) parts.push_back(onnx_numbers(out, model, columns, true));
  const std::string across = columns.categories.empty()
                                 ? ""
                                 : out.constant("across", std::vector<std::int64_t>{-1, 1}, {2});
  for (std::size_t i = 0; i < columns.categories.size(); ++i) {
    const ColumnEncoding& column = all[columns.categories[i]];
    const std::string texts = onnx_category(out, i);
    for (std::size_t l = 0; l < column.features(); ++l) order.push_back(column.first + l);
    if (column.kind == ColumnEncoding::Kind::OneHot) {
      parts.push_back(out.node(
          "OneHotEncoder", {texts}, fmt::format("one_hot_{}", i),
          OnnxAttributes().texts("cats_strings", column.levels).integer("zeros", 1), kOnnxMl));
      continue;
    }
    std::vector<float> ranks;
    for (std::size_t l = 0; l < column.levels.size(); ++l)
      ranks.push_back(static_cast<float>((static_cast<double>(l) - column.mean) / column.scale));
    const std::string rank = out.node("LabelEncoder", {texts}, fmt::format("rank_{}", i),
                                      OnnxAttributes()
                                          .texts("keys_strings", column.levels)
                                          .reals("values_floats", ranks)
                                          .real("default_float", 0.0f),
                                      kOnnxMl);
    parts.push_back(out.node("Reshape", {rank, across}, fmt::format("ranks_{}", i)));
  }
  return parts.size() == 1
             ? parts.front()
             : out.node("Concat", parts, "features", OnnxAttributes().integer("axis", 1));
}

std::string perceptron(OnnxWriter& out, const SavedModel& model, const OnnxColumns& columns) {
  std::vector<std::size_t> order;
  std::string x = model.encoding ? table_features(out, model, columns, order) : "pixels";
  for (std::size_t l = 0; l < model.parameters.size(); l += 2) {
    x = dense(out, x, model.parameters[l], model.parameters[l + 1], l / 2,
              l == 0 ? order : std::vector<std::size_t>{});
    if (l + 2 < model.parameters.size()) x = out.node("Relu", {x}, fmt::format("units_{}", l / 2));
  }
  return x;
}

// ---- a convolutional network

std::string convolutions(OnnxWriter& out, const SavedModel& model) {
  const ConvolutionOptions& o = model.convolution;
  const auto [height, width, colours] = image_size(o, model.shape.columns);
  std::string x = out.node(
      "Reshape",
      {"pixels", out.constant("image_sizes",
                              std::vector<std::int64_t>{-1, signed_size(height), signed_size(width),
                                                        signed_size(colours)},
                              {4})},
      "images");
  x = out.node("Transpose", {x}, "planes", OnnxAttributes().integers("perm", {0, 3, 1, 2}));
  std::size_t inputs = colours, at = 0;
  for (std::size_t s = 0; s < o.channels.size(); ++s, at += 2) {
    const std::size_t n = o.channels[s];
    // Ours: row, column, channel before; theirs: channel before, row, column.
    std::vector<float> w;
    w.reserve(model.parameters[at].size());
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t c = 0; c < inputs; ++c)
        for (std::size_t place = 0; place < 9; ++place)
          w.push_back(model.parameters[at][(j * 9 + place) * inputs + c]);
    const Names operands = {
        x,
        out.constant(fmt::format("filters_{}", s), w, {signed_size(n), signed_size(inputs), 3, 3}),
        out.constant(fmt::format("filter_biases_{}", s), model.parameters[at + 1],
                     {signed_size(n)})};
    x = out.node("Conv", operands, fmt::format("convolved_{}", s),
                 OnnxAttributes().integers("kernel_shape", {3, 3}).integers("pads", {1, 1, 1, 1}));
    x = out.node("Relu", {x}, fmt::format("channels_{}", s));
    x = out.node("MaxPool", {x}, fmt::format("pooled_{}", s),
                 OnnxAttributes().integers("kernel_shape", {2, 2}).integers("strides", {2, 2}));
    inputs = n;
  }
  x = out.node("Transpose", {x}, "side_by_side", OnnxAttributes().integers("perm", {0, 2, 3, 1}));
  x = out.node("Flatten", {x}, "flat", OnnxAttributes().integer("axis", 1));
  x = dense(out, x, model.parameters[at], model.parameters[at + 1], 0, {});
  x = out.node("Relu", {x}, "units_0");
  return dense(out, x, model.parameters[at + 2], model.parameters[at + 3], 1, {});
}

// ---- from scores on

/// Of classes: probabilities and the word of the likeliest; of numbers the target's own unit.
void finish_rows(OnnxWriter& out, const SavedModel& model, std::string scores) {
  if (model.shape.classes == 0) {
    const std::string wide =
        out.node("Cast", {scores}, "scores_wide", OnnxAttributes().integer("to", 11));
    const std::string scale =
        out.constant("target_scale", std::vector<double>{model.shape.target_scale}, {});
    const std::string mean =
        out.constant("target_mean", std::vector<double>{model.shape.target_mean}, {});
    out.node("Add", {out.node("Mul", {wide, scale}, "scaled"), mean}, "prediction");
    out.output("prediction", OnnxType::Double, {"rows", std::size_t{1}});
    return;
  }
  const std::size_t classes = model.shape.classes;
  if (model.is_trees() && model.trees.average) {
    // One more tree that knows nothing.
    const auto n = static_cast<float>(model.trees.trees.size());
    const float even = 1.0f / static_cast<float>(classes);
    const std::string share = out.constant("share", std::vector<float>{n / (n + 1.0f)}, {});
    const std::string rest = out.constant("rest", std::vector<float>{even / (n + 1.0f)}, {});
    out.node("Add", {out.node("Mul", {scores, share}, "shared"), rest}, "probabilities");
  } else if (model.is_trees() ? model.trees.outputs == 1 : model.learner == "logistic") {
    const std::string one = out.constant("one", std::vector<float>{1.0f}, {});
    const std::string more = out.node("Sigmoid", {scores}, "second");
    out.node("Concat", {out.node("Sub", {one, more}, "first"), more}, "probabilities",
             OnnxAttributes().integer("axis", 1));
  } else {
    out.node("Softmax", {scores}, "probabilities", OnnxAttributes().integer("axis", 1));
  }
  out.output("probabilities", OnnxType::Float, {"rows", classes});
  std::vector<std::int64_t> keys;
  for (std::size_t k = 0; k < classes; ++k) keys.push_back(signed_size(k));
  const std::string likeliest =
      out.node("ArgMax", {"probabilities"}, "likeliest",
               OnnxAttributes().integer("axis", 1).integer("keepdims", 0));
  out.node("LabelEncoder", {likeliest}, "label",
           OnnxAttributes()
               .integers("keys_int64s", keys)
               .texts("values_strings", model.shape.class_names)
               .text("default_string", ""),
           kOnnxMl);
  out.output("label", OnnxType::Text, {"rows"});
}

// ---- a transformer

class TransformerGraph {
 public:
  TransformerGraph(OnnxWriter& out, const SavedModel& model)
      : out_(out), model_(model), options_(model.transformer) {}

  void write() {
    const std::size_t d = options_.width, classes = model_.shape.classes;
    out_.input("bytes", OnnxType::Int64, {"texts", "length"});
    // 256: what stands before a text; 257: a hidden byte.
    std::vector<std::int64_t> symbols(258, signed_size(classes - 1));
    for (std::uint32_t s = 0; s < classes; ++s) {
      const int byte = byte_of_symbol(model_.shape, s);
      if (byte >= 0) symbols[static_cast<std::size_t>(byte)] = s;
    }
    symbols[256] = signed_size(classes);
    symbols[257] = signed_size(classes + 1);
    const std::string symbol =
        out_.node("Gather", {out_.constant("symbol_of_byte", symbols, {258}), "bytes"}, "symbols");
    const std::string said =
        out_.node("Gather", {matrix("symbol_vectors", classes + 2, d), symbol}, "symbol_vector");
    length_ = out_.node("Slice",
                        {out_.node("Shape", {"bytes"}, "sizes"), longs("one", {1}),
                         longs("two", {2}), longs("zero", {0})},
                        "length_of");
    const std::string place = out_.node("Slice",
                                        {matrix("place_vectors", options_.context, d),
                                         longs("zero", {}), length_, longs("zero", {})},
                                        "places");
    std::string x = out_.node("Add", {said, place}, "vectors");
    if (options_.objective == "causal") {
      std::vector<float> mask(options_.context * options_.context, 0.0f);
      for (std::size_t i = 0; i < options_.context; ++i)
        for (std::size_t j = i + 1; j < options_.context; ++j)
          mask[i * options_.context + j] = -1e30f;
      const std::string whole = out_.constant(
          "ahead", mask, {signed_size(options_.context), signed_size(options_.context)});
      const std::string both =
          out_.node("Concat", {length_, length_}, "window", OnnxAttributes().integer("axis", 0));
      mask_ =
          out_.node("Slice", {whole, longs("corner", {0, 0}), both, longs("axes", {0, 1})}, "mask");
    }
    for (std::size_t l = 0; l < options_.layers; ++l) x = block(x, l);
    const std::string last = normalised(x, "last");
    linear(last, "logits", d, classes);
    out_.output("logits", OnnxType::Float, {"texts", "length", classes});
  }

 private:
  std::string longs(const char* name, const std::vector<std::int64_t>& values) {
    if (values.empty() || !once(name)) return name;
    return out_.constant(name, values, {signed_size(values.size())});
  }
  bool once(const std::string& name) {
    if (std::find(made_.begin(), made_.end(), name) != made_.end()) return false;
    made_.push_back(name);
    return true;
  }

  std::string matrix(const std::string& name, std::size_t rows, std::size_t columns) {
    return out_.constant(name, model_.parameters[at_++], {signed_size(rows), signed_size(columns)});
  }

  std::string normalised(const std::string& x, const std::string& name) {
    const Sizes size = {signed_size(options_.width)};
    const std::string gain = out_.constant(name + ".gain", model_.parameters[at_], size);
    const std::string bias = out_.constant(name + ".bias", model_.parameters[at_ + 1], size);
    at_ += 2;
    return out_.node("LayerNormalization", {x, gain, bias}, name + ".normal",
                     OnnxAttributes().integer("axis", -1).real("epsilon", 1e-5f));
  }

  std::string linear(const std::string& x, const std::string& name, std::size_t inputs,
                     std::size_t outputs) {
    const std::vector<float>& w = model_.parameters[at_];
    std::vector<float> turned(w.size());
    for (std::size_t j = 0; j < outputs; ++j)
      for (std::size_t k = 0; k < inputs; ++k) turned[k * outputs + j] = w[j * inputs + k];
    const std::string weights =
        out_.constant(name + ".weights", turned, {signed_size(inputs), signed_size(outputs)});
    const std::string biases =
        out_.constant(name + ".biases", model_.parameters[at_ + 1], {signed_size(outputs)});
    at_ += 2;
    return out_.node("Add", {out_.node("MatMul", {x, weights}, name + ".product"), biases}, name);
  }

  std::string block(const std::string& x, std::size_t l) {
    const std::size_t d = options_.width, heads = options_.heads, each = d / heads;
    const std::string name = fmt::format("block_{}", l);
    const std::string mixed = linear(normalised(x, name + ".before"), name + ".mixed", d, 3 * d);
    const std::string thirds = longs("thirds", {signed_size(d), signed_size(d), signed_size(d)});
    const Names parts = {name + ".queries", name + ".keys", name + ".values"};
    out_.node_of_many("Split", {mixed, thirds}, parts, OnnxAttributes().integer("axis", -1));
    const std::string apart = longs("apart", {0, 0, signed_size(heads), signed_size(each)});
    const auto turned = [&](const std::string& of, const std::vector<std::int64_t>& order) {
      return out_.node("Transpose", {out_.node("Reshape", {of, apart}, of + ".apart")},
                       of + ".heads", OnnxAttributes().integers("perm", order));
    };
    const std::string q = turned(parts[0], {0, 2, 1, 3}), k = turned(parts[1], {0, 2, 3, 1}),
                      v = turned(parts[2], {0, 2, 1, 3});
    if (once("root"))
      out_.constant("root", std::vector<float>{1.0f / std::sqrt(static_cast<float>(each))}, {});
    std::string scores = out_.node("Mul", {out_.node("MatMul", {q, k}, name + ".products"), "root"},
                                   name + ".scores");
    if (!mask_.empty()) scores = out_.node("Add", {scores, mask_}, name + ".masked");
    const std::string shares =
        out_.node("Softmax", {scores}, name + ".shares", OnnxAttributes().integer("axis", -1));
    const std::string seen =
        out_.node("Transpose", {out_.node("MatMul", {shares, v}, name + ".seen")}, name + ".turned",
                  OnnxAttributes().integers("perm", {0, 2, 1, 3}));
    const std::string joined =
        out_.node("Reshape", {seen, longs("together", {0, 0, signed_size(d)})}, name + ".together");
    const std::string half =
        out_.node("Add", {x, linear(joined, name + ".attended", d, d)}, name + ".half");
    const std::string inner =
        out_.node("Relu", {linear(normalised(half, name + ".between"), name + ".up", d, 4 * d)},
                  name + ".units");
    return out_.node("Add", {half, linear(inner, name + ".down", 4 * d, d)}, name + ".out");
  }

  OnnxWriter& out_;
  const SavedModel& model_;
  const TransformerOptions& options_;
  std::size_t at_ = 0;
  std::string length_, mask_;
  Names made_;
};

}  // namespace

OnnxColumns onnx_inputs(OnnxWriter& out, const SavedModel& model) {
  OnnxColumns columns;
  if (!model.encoding) {
    out.input("pixels", OnnxType::Float, {"rows", model.shape.columns});
    return columns;
  }
  std::vector<std::string> numbers, categories;
  for (std::size_t c = 0; c < model.encoding->columns.size(); ++c) {
    const ColumnEncoding& column = model.encoding->columns[c];
    const bool number = column.kind == ColumnEncoding::Kind::Number;
    (number ? columns.numbers : columns.categories).push_back(c);
    (number ? numbers : categories).push_back(column.name);
  }
  if (!numbers.empty()) out.input("numbers", OnnxType::Double, {"rows", numbers.size()});
  if (!categories.empty()) out.input("categories", OnnxType::Text, {"rows", categories.size()});
  out.property("numbers", json_names(numbers));
  out.property("categories", json_names(categories));
  return columns;
}

std::string onnx_category(OnnxWriter& out, std::size_t i) {
  const std::string at =
      out.constant(fmt::format("column_{}", i), std::vector<std::int64_t>{signed_size(i)}, {});
  return out.node("Gather", {"categories", at}, fmt::format("category_{}", i),
                  OnnxAttributes().integer("axis", 1));
}

std::string onnx_numbers(OnnxWriter& out, const SavedModel& model, const OnnxColumns& columns,
                         bool fill) {
  std::vector<double> mean, scale;
  for (const std::size_t c : columns.numbers) {
    mean.push_back(model.encoding->columns[c].mean);
    scale.push_back(model.encoding->columns[c].scale);
  }
  const Sizes size = {signed_size(mean.size())};
  const std::string centred =
      out.node("Sub", {"numbers", out.constant("means", mean, size)}, "centred");
  const std::string ratio =
      out.node("Div", {centred, out.constant("scales", scale, size)}, "ratios");
  const std::string narrow =
      out.node("Cast", {ratio}, "standardised", OnnxAttributes().integer("to", kToFloat));
  if (!fill) return narrow;
  const std::string zero = out.constant("nought", std::vector<float>{0.0f}, {});
  return out.node("Where", {out.node("IsNaN", {narrow}, "missing"), zero, narrow}, "filled");
}

std::string to_onnx(const SavedModel& model) {
  OnnxWriter out;
  out.property("learner", model.learner);
  out.property("precision", model.precision);
  out.property("trained_on", model.trained_on);
  std::string about = fmt::format("A {} trained by carnot on {} ({} rows, {}).", model.learner,
                                  model.trained_on, model.train_rows, model.precision);
  if (model.width != 32) about += fmt::format(" Its numbers were rounded to {} bits.", model.width);
  if (model.is_text()) {
    out.property("bytes", "0 to 255; 256 stands before a text, 257 for a hidden byte");
    out.property("symbols", json_names(model.shape.class_names));
    TransformerGraph(out, model).write();
    return out.finish(model.learner, about);
  }
  const OnnxColumns columns = onnx_inputs(out, model);
  if (model.encoding) {
    out.property("label_column", model.encoding->label);
    out.property("missing", "not a number among numbers, \"(missing)\" among categories");
  }
  finish_rows(out, model,
              model.is_trees()         ? onnx_tree_scores(out, model, columns)
              : model.is_convolution() ? convolutions(out, model)
                                       : perceptron(out, model, columns));
  return out.finish(model.learner, about);
}

}  // namespace carnot::learn
