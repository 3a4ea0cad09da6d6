// SPDX-License-Identifier: Apache-2.0
// The schedule around the network: windows, what is asked of them, evaluation.
#include <algorithm>
#include <cmath>
#include <limits>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/data/text.hpp"
#include "carnot/learn/transformer/transformer.hpp"

#include "learn/layers/layered_learner.hpp"
#include "learn/transformer/scoring.hpp"

namespace carnot::learn {

namespace {

constexpr LayeredKind kTransformer = {0x31545274u, "of a transformer of this version", "windows",
                                      "windows", 20000.0};

void check(const LearnerOptions& o, const Dataset& data) {
  check_transformer(o.transformer);
  Problems problems;
  const auto need = [&problems](bool good, const char* field, const char* allowed) {
    if (!good) problems.add(Place{}, field, allowed);
  };
  need(is_text(data), "train", "a text");
  need(data.labels.size() == data.rows, "train", "a symbol a row");
  need(data.classes >= 2 && data.classes <= 257, "train", "2 to 257 symbols");
  need(std::all_of(data.labels.begin(), data.labels.end(),
                   [&](std::uint32_t label) { return label < data.classes; }),
       "train", "symbols below their number");
  need(data.rows <= std::numeric_limits<std::uint32_t>::max(), "train", "fewer than 2^32 symbols");
  need(data.rows >= o.transformer.context, "context", "no longer than the training text");
  need(o.batch >= 1 && o.batch <= 4096, "batch", "1 to 4096 windows");
  need(o.batch * o.transformer.context <= std::size_t{1} << 16, "batch",
       "at most 2^16 symbols: windows times context");
  need(std::isfinite(o.epochs) && o.epochs > 0.0 && o.epochs <= 1e6, "epochs", "in (0, 1e6]");
  need(std::isfinite(o.learning_rate) && o.learning_rate > 0.0 && o.learning_rate <= 1.0,
       "learning_rate", "in (0, 1]");
  need(o.weight_decay >= 0.0 && o.weight_decay <= 1.0, "weight_decay", "in [0, 1]");
  problems.throw_if_any();
}

struct TextMinibatch {
  std::vector<std::uint32_t> inputs;
  std::vector<std::int32_t> targets;  ///< -1: not asked
};

class TransformerLearner final : public LayeredLearner<Transformer, TextMinibatch> {
 public:
  TransformerLearner(const LearnerOptions& options, const Dataset& train)
      : LayeredLearner(
            kTransformer, options, train,
            {shape_of(options.transformer, train.classes), options.weight_decay, options.seed},
            train.rows / options.transformer.context) {}

  Quality evaluate(const Dataset& held_out, const Precision& trained) override {
    if (!is_text(held_out) || held_out.classes != data_.classes || held_out.rows == 0)
      throw InputError("held-out data: a text in the symbols of the training text");
    const TextScore found = in_precision(trained.delivered(), [&](Transformer& network) {
      return score(network, held_out, &counters_);
    });
    return accuracy(found.right, found.symbols, found.bits_per_symbol());
  }

 private:
  bool causal() const noexcept { return network_.shape().causal; }

  Counters pass(const Precision& p, std::size_t windows, bool update) const override {
    const TransformerShape& shape = network_.shape();
    Counters c = transformer_forward_counters(shape, p, windows, shape.context);
    c += transformer_loss_counters(shape, windows * shape.context);
    c += transformer_backward_counters(shape, p, windows, shape.context,
                                       options_.weight_decay > 0.0, update);
    return c;
  }
  Counters conversion(const Precision& from, const Precision& to) const override {
    return transformer_conversion_counters(network_.shape(), from, to);
  }
  Counters scoring(const Precision& p, std::size_t rows) const override {
    return scoring_counters(network_.shape(), p, rows);
  }

  /// Windows begin elsewhere in each pass but the first, which meets each symbol once.
  std::uint64_t shift(std::uint64_t epoch) const {
    return epoch == 0 ? 0
                      : RandomStream(options_.seed, kTransformer.order_stream)
                            .child(epoch)
                            .below(0, data_.rows);
  }

  void gather(std::uint64_t step, std::size_t windows, std::size_t from,
              TextMinibatch& out) override {
    const std::size_t length = network_.shape().context, classes = data_.classes;
    out.inputs.assign(windows * length, 0);
    out.targets.assign(windows * length, -1);
    std::vector<std::uint32_t> symbols(length);
    for (std::size_t w = 0; w < windows; ++w) {
      const std::uint64_t at = step * options_.batch + from + w;
      const std::size_t first = shift(at / examples_) + example(at) * length;
      for (std::size_t i = 0; i < length; ++i) symbols[i] = data_.labels[(first + i) % data_.rows];
      std::uint32_t* in = out.inputs.data() + w * length;
      std::int32_t* target = out.targets.data() + w * length;
      if (causal()) {
        in[0] = static_cast<std::uint32_t>(classes + kStartSymbol);
        std::copy_n(symbols.begin(), length - 1, in + 1);
        for (std::size_t i = 0; i < length; ++i) target[i] = static_cast<std::int32_t>(symbols[i]);
        continue;
      }
      std::copy(symbols.begin(), symbols.end(), in);
      const RandomStream stream = RandomStream(options_.seed, "masks").child(at);
      for (const std::uint32_t i : draw_places(options_.seed, at, length)) {
        target[i] = static_cast<std::int32_t>(symbols[i]);
        const std::uint64_t kind = stream.below(2 * i, 10);
        if (kind == 0) in[i] = static_cast<std::uint32_t>(stream.below(2 * i + 1, classes));
        if (kind >= 2) in[i] = static_cast<std::uint32_t>(classes + kHiddenSymbol);
      }
    }
  }

  std::size_t answer(Transformer& network, const TextMinibatch& minibatch,
                     std::vector<double>& nats) override {
    network.forward(minibatch.inputs, network.shape().context, &counters_);
    return network.differentiate(minibatch.targets, nats, &counters_);
  }
  std::size_t asked(const TextMinibatch& minibatch) const override {
    return static_cast<std::size_t>(std::count_if(minibatch.targets.begin(),
                                                  minibatch.targets.end(),
                                                  [](std::int32_t target) { return target >= 0; }));
  }
  bool is_prequential(std::size_t i) const override {
    return causal() && steps_done() * options_.batch + i / network_.shape().context < examples_;
  }

  std::vector<std::uint64_t> shape_identity() const override {
    const TransformerOptions& t = options_.transformer;
    return {t.layers,  t.heads,        t.width,
            t.context, options_.batch, t.objective == "causal" ? 1u : 2u};
  }
};

}  // namespace

std::unique_ptr<Learner> make_transformer(const LearnerOptions& options, const Dataset& train) {
  check(options, train);
  return std::make_unique<TransformerLearner>(options, train);
}

}  // namespace carnot::learn
