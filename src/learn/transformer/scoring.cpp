// SPDX-License-Identifier: Apache-2.0
#include "learn/transformer/scoring.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

namespace carnot::learn {

namespace {

constexpr double kLn2 = 0.69314718055994530942;

/// Where a window begins, and which of its places are its own to say.
struct Window {
  std::size_t first = 0, from = 0, to = 0;
};

std::vector<Window> windows_of(bool causal, std::size_t rows, std::size_t context) {
  const std::size_t length = std::min(context, rows), step = causal ? (length + 1) / 2 : length;
  std::vector<Window> all{{0, 0, length}};
  for (std::size_t done = length; done < rows;) {
    const std::size_t end = std::min(done + step, rows), first = end - length;
    all.push_back({first, done - first, length});
    done = end;
  }
  return all;
}

}  // namespace

TransformerShape shape_of(const TransformerOptions& o, std::size_t classes) {
  return {o.layers, o.heads, o.width, o.context, classes, o.objective == "causal"};
}

std::size_t hidden_places(std::size_t length) noexcept {
  return std::max<std::size_t>(1, (15 * length + 50) / 100);
}

std::vector<std::uint32_t> draw_places(std::uint64_t seed, std::uint64_t which,
                                       std::size_t length) {
  const RandomStream random = RandomStream(seed, "hidden").child(which);
  std::vector<std::uint32_t> places(length);
  std::iota(places.begin(), places.end(), 0u);
  const std::size_t n = hidden_places(length);
  for (std::size_t i = 0; i < n; ++i) std::swap(places[i], places[i + random.below(i, length - i)]);
  places.resize(n);
  return places;
}

std::size_t scoring_windows(bool causal, std::size_t rows, std::size_t context) noexcept {
  const std::size_t length = std::min(context, rows), step = causal ? (length + 1) / 2 : length;
  return rows <= length ? 1 : 1 + (rows - length + step - 1) / step;
}

TextScore score(Transformer& network, const Dataset& text, Counters* count) {
  const TransformerShape& shape = network.shape();
  const std::size_t length = std::min(shape.context, text.rows);
  const std::vector<Window> windows = windows_of(shape.causal, text.rows, shape.context);
  TextScore out;
  std::vector<std::uint32_t> inputs;
  std::vector<std::int32_t> targets;
  std::vector<double> nats;
  double sum = 0.0;
  for (std::size_t begin = 0; begin < windows.size(); begin += kScoringBatch) {
    const std::size_t n = std::min(kScoringBatch, windows.size() - begin);
    inputs.assign(n * length, 0);
    targets.assign(n * length, -1);
    for (std::size_t w = 0; w < n; ++w) {
      const Window& window = windows[begin + w];
      std::uint32_t* in = inputs.data() + w * length;
      std::int32_t* target = targets.data() + w * length;
      const std::uint32_t* symbols = text.labels.data() + window.first;
      if (shape.causal) {
        in[0] = static_cast<std::uint32_t>(shape.classes + kStartSymbol);
        std::copy_n(symbols, length - 1, in + 1);
        for (std::size_t i = window.from; i < window.to; ++i)
          target[i] = static_cast<std::int32_t>(symbols[i]);
        continue;
      }
      std::copy_n(symbols, length, in);
      for (const std::uint32_t i : draw_places(kScoringSeed, begin + w, length)) {
        in[i] = static_cast<std::uint32_t>(shape.classes + kHiddenSymbol);
        if (i >= window.from) target[i] = static_cast<std::int32_t>(symbols[i]);
      }
    }
    network.forward(inputs, length, count);
    out.right += network.differentiate(targets, nats, count);
    for (std::size_t i = 0; i < nats.size(); ++i) {
      sum += nats[i];
      out.symbols += targets[i] >= 0 ? 1 : 0;
    }
  }
  out.bits = sum / kLn2;
  return out;
}

Counters scoring_counters(const TransformerShape& shape, const Precision& precision,
                          std::size_t rows) {
  const std::size_t length = std::min(shape.context, rows);
  const std::size_t windows = scoring_windows(shape.causal, rows, shape.context);
  const auto batch = [&](std::size_t n) {
    Counters c = transformer_forward_counters(shape, precision, n, length);
    c += transformer_loss_counters(shape, n * length);
    return c;
  };
  Counters c = batch(kScoringBatch) * (windows / kScoringBatch);
  if (windows % kScoringBatch != 0) c += batch(windows % kScoringBatch);
  return c;
}

void check_transformer(const TransformerOptions& o) {
  Problems problems;
  const auto need = [&problems](bool good, const char* field, const char* allowed) {
    if (!good) problems.add(Place{}, field, allowed);
  };
  need(o.objective == "causal" || o.objective == "masked", "objective", "causal or masked");
  need(o.layers >= 1 && o.layers <= 64, "layers", "1 to 64");
  need(o.heads >= 1 && o.heads <= 256, "heads", "1 to 256");
  need(o.width >= 16 && o.width <= 4096 && o.width % 16 == 0, "width",
       "a multiple of 16, 16 to 4096");
  need(o.heads == 0 || o.width % o.heads == 0, "width", "a multiple of the heads");
  need(o.context >= 2 && o.context <= 4096, "context", "2 to 4096 symbols");
  problems.throw_if_any();
}

std::string shape_text(const TransformerOptions& o) {
  return fmt::format("{} transformer: {} layer{}, {} head{}, width {}, context {}", o.objective,
                     o.layers, o.layers == 1 ? "" : "s", o.heads, o.heads == 1 ? "" : "s", o.width,
                     o.context);
}

std::vector<std::size_t> transformer_rows(const TransformerOptions& options, std::size_t classes) {
  return Transformer::parameter_rows(shape_of(options, classes));
}

std::vector<std::size_t> transformer_sizes(const TransformerOptions& options, std::size_t classes) {
  return Transformer::parameter_sizes(shape_of(options, classes));
}

TextScore score_text(const TransformerOptions& options,
                     const std::vector<std::vector<float>>& parameters, const Dataset& text) {
  check_transformer(options);
  if (text.rows < 1) throw InputError("text: one symbol or more");
  Transformer network(shape_of(options, text.classes), 0.0, 1);
  network.take_parameters(parameters);
  Counters counters;
  TextScore out = score(network, text, &counters);
  out.counters = counters;
  return out;
}

std::vector<std::uint32_t> fill_text(const TransformerOptions& options,
                                     const std::vector<std::vector<float>>& parameters,
                                     const Dataset& text, const std::vector<std::size_t>& hidden,
                                     Counters* counters) {
  check_transformer(options);
  if (options.objective != "masked")
    throw InputError("fill: a transformer with the masked objective");
  Transformer network(shape_of(options, text.classes), 0.0, 1);
  network.take_parameters(parameters);
  const std::size_t length = std::min(options.context, text.rows);
  std::vector<std::uint32_t> symbols = text.labels;
  for (const std::size_t place : hidden)
    symbols.at(place) = static_cast<std::uint32_t>(text.classes + kHiddenSymbol);
  std::vector<std::uint32_t> out, inputs;
  for (std::size_t begin = 0; begin < hidden.size(); begin += kScoringBatch) {
    const std::size_t n = std::min(kScoringBatch, hidden.size() - begin);
    inputs.clear();
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < n; ++i) {
      // The place in the middle of its window, as far as the text allows.
      const std::size_t place = hidden[begin + i];
      const std::size_t first =
          std::min(place > length / 2 ? place - length / 2 : 0, text.rows - length);
      inputs.insert(inputs.end(), symbols.begin() + static_cast<std::ptrdiff_t>(first),
                    symbols.begin() + static_cast<std::ptrdiff_t>(first + length));
      at.push_back(i * length + place - first);
    }
    const float* logits = network.forward(inputs, length, counters);
    for (const std::size_t row : at) {
      const float* z = logits + row * network.logit_stride();
      // "(other)", the last symbol, is no byte.
      out.push_back(static_cast<std::uint32_t>(std::max_element(z, z + text.classes - 1) - z));
    }
  }
  return out;
}

}  // namespace carnot::learn
