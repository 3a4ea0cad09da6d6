// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/labels/prequential.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/shuffle.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/network/train_in_pieces.hpp"
#include "carnot/learn/saved/saved_model.hpp"

#include "learn/codes/arithmetic_coder.hpp"
#include "learn/labels/experts.hpp"

namespace carnot::learn {

namespace {

constexpr std::size_t kSteps = 9 + 2;  // experts, for the counts

void check(const Dataset& data, const PrequentialOptions& o) {
  Problems problems;
  const auto need = [&problems](bool good, const char* field, const char* allowed) {
    if (!good) problems.add(Place{}, field, allowed);
  };
  need(!data.is_regression(), "task", "classes: numbers have no code of their labels here");
  need(data.rows >= 2, "data", "two rows or more");
  need(o.first >= 2, "first", "2 rows or more");
  need(std::isfinite(o.growth) && o.growth >= 1.01 && o.growth <= 100.0, "growth", "1.01 to 100");
  need(o.members >= 1 && o.members <= 64, "members", "1 to 64");
  if (o.shifts) {
    const auto side =
        static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(data.columns))));
    need(data.unsigned_features && side * side == data.columns, "shifts",
         "square images of pixels");
  }
  problems.throw_if_any();
}

/// Rows told before each training: first, ..., n / g.
std::vector<std::size_t> schedule(std::size_t rows, const PrequentialOptions& o) {
  std::vector<std::size_t> at;
  for (double t = static_cast<double>(rows) / o.growth; t >= static_cast<double>(o.first);
       t /= o.growth)
    at.push_back(static_cast<std::size_t>(t));
  if (at.empty() && o.first < rows) at.push_back(o.first);
  std::reverse(at.begin(), at.end());
  at.erase(std::unique(at.begin(), at.end()), at.end());
  return at;
}

Dataset like(const Dataset& data) {
  Dataset out;
  out.name = data.name;
  out.columns = data.columns;
  out.classes = data.classes;
  out.class_names = data.class_names;
  out.unsigned_features = data.unsigned_features;
  out.encoding = data.encoding;
  return out;
}

void append(Dataset& to, const Dataset& data, std::size_t row) {
  const float* from = data.features.data() + row * data.columns;
  to.features.insert(to.features.end(), from, from + data.columns);
  ++to.rows;
}

/// A row moved by a pixel into one of eight directions; nothing comes in from outside.
void append_shifted(Dataset& to, const Dataset& data, std::size_t row, std::uint64_t which) {
  const auto side =
      static_cast<std::ptrdiff_t>(std::lround(std::sqrt(static_cast<double>(data.columns))));
  const std::uint64_t direction = which % 8 < 4 ? which % 8 : which % 8 + 1;  // 4: stays
  const std::ptrdiff_t down = static_cast<std::ptrdiff_t>(direction / 3) - 1;
  const std::ptrdiff_t right = static_cast<std::ptrdiff_t>(direction % 3) - 1;
  const float* from = data.features.data() + row * data.columns;
  for (std::ptrdiff_t y = 0; y < side; ++y)
    for (std::ptrdiff_t x = 0; x < side; ++x) {
      const std::ptrdiff_t sy = y - down, sx = x - right;
      const bool inside = sy >= 0 && sy < side && sx >= 0 && sx < side;
      to.features.push_back(inside ? from[sy * side + sx] : 0.0f);
    }
  ++to.rows;
}

/// Sends or receives labels, as the case may be.
class Telling {
 public:
  Telling(const Dataset& data, const PrequentialOptions& options)
      : data_(data),
        options_(options),
        order_(data.rows),
        labels_(data.rows),
        experts_(data.classes) {
    check(data, options);
    std::iota(order_.begin(), order_.end(), 0u);
    const RandomStream random(options.seed, "prequential order");
    shuffle(order_, random);
  }

  PrequentialCode send(ArithmeticEncoder& encoder) {
    run([&](std::uint32_t row, const std::vector<std::uint64_t>& f, std::uint64_t total) {
      const std::uint32_t label = data_.labels[row];
      std::uint64_t low = 0;
      for (std::size_t c = 0; c < label; ++c) low += f[c];
      encoder.encode(low, f[label], total);
      return label;
    });
    return std::move(code_);
  }

  std::vector<std::uint32_t> receive(ArithmeticDecoder& decoder) {
    run([&](std::uint32_t, const std::vector<std::uint64_t>& f, std::uint64_t total) {
      const std::uint64_t target = decoder.target(total);
      std::uint64_t low = 0;
      std::uint32_t label = 0;
      while (low + f[label] <= target) low += f[label++];
      decoder.consume(low, f[label], total);
      return label;
    });
    return std::move(labels_);
  }

 private:
  template <class Tell>
  void run(const Tell& tell) {
    const std::vector<std::size_t> trainings = schedule(data_.rows, options_);
    std::vector<SavedModel> present, before;
    std::size_t told = 0;
    for (std::size_t b = 0; b <= trainings.size(); ++b) {
      const std::size_t until = b < trainings.size() ? trainings[b] : data_.rows;
      PrequentialBlock& block = code_.blocks.emplace_back();
      block.first = told;
      block.rows = until - told;
      if (b > 0) {
        std::vector<SavedModel> trained = train(told, block.counters);
        if (!trained.empty()) {
          before = std::move(present);
          present = std::move(trained);
        }
      }
      tell_block(told, until, present, before, block, tell);
      told = until;
      code_.bits += block.bits;
      code_.uniform += block.counts_bits;
      code_.counters += block.counters;
    }
  }

  /// Learners on the first rows of the order; none where these have one class alone.
  std::vector<SavedModel> train(std::size_t rows, Counters& counters) {
    std::vector<SavedModel> models;
    const std::uint32_t one = labels_[order_[0]];
    if (std::all_of(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(rows),
                    [&](std::uint32_t r) { return labels_[r] == one; }))
      return models;
    for (int m = 0; m < options_.members; ++m) {
      const Dataset seen = rehearsal(rows, static_cast<std::uint64_t>(m));
      LearnerOptions o = options_.learner;
      const TrainingDefaults fits =
          o.model == "cnn" ? defaults_for(o, seen) : training_defaults(seen);
      if (o.batch == 0) o.batch = fits.batch;
      if (o.epochs == 0.0) o.epochs = fits.epochs;
      if (o.learning_rate == 0.0) o.learning_rate = fits.learning_rate;
      o.batch = std::min(o.batch, seen.rows);
      o.seed = RandomStream(options_.seed, "members").bits(static_cast<std::uint64_t>(m)) >> 1;
      const bool trees = o.model == "gbdt" || o.model == "forest";
      const std::unique_ptr<Learner> learner =
          trees ? std::unique_ptr<Learner>(make_tree_learner(options_.tree, o, seen))
                : make_any_learner(o, seen);
      train_in_pieces(*learner, learner->total_steps(), options_.precision, options_.stop);
      counters += learner->counters();
      if (!learner->diverged()) models.push_back(saved_model(*learner, o, seen, 32));
    }
    return models;
  }

  Dataset rehearsal(std::size_t rows, std::uint64_t member) const {
    Dataset seen = like(data_);
    seen.features.reserve(rows * data_.columns * (options_.shifts ? 2 : 1));
    const RandomStream random = RandomStream(options_.seed, "shifts").child(member);
    for (std::size_t i = 0; i < rows; ++i) {
      append(seen, data_, order_[i]);
      seen.labels.push_back(labels_[order_[i]]);
      if (!options_.shifts) continue;
      append_shifted(seen, data_, order_[i], random.bits(i));
      seen.labels.push_back(labels_[order_[i]]);
    }
    return seen;
  }

  template <class Tell>
  void tell_block(std::size_t from, std::size_t until, const std::vector<SavedModel>& present,
                  const std::vector<SavedModel>& before, PrequentialBlock& block,
                  const Tell& tell) {
    constexpr std::size_t kRows = 1024;
    const std::size_t classes = data_.classes;
    for (std::size_t begin = from; begin < until; begin += kRows) {
      options_.stop.throw_if_requested();
      if (options_.progress) options_.progress(begin, data_.rows);
      const std::size_t end = std::min(begin + kRows, until);
      Dataset next = like(data_);
      for (std::size_t i = begin; i < end; ++i) append(next, data_, order_[i]);
      const std::vector<float> now = mean(present, next, block.counters);
      const std::vector<float> old = mean(before, next, block.counters);
      for (std::size_t i = begin; i < end; ++i) {
        const auto of = [&](const std::vector<float>& p) {
          return p.empty() ? std::span<const float>()
                           : std::span<const float>(p).subspan((i - begin) * classes, classes);
        };
        const std::vector<std::uint64_t> f = frequencies(experts_.mix(of(now), of(old)));
        const std::uint64_t total = std::accumulate(f.begin(), f.end(), std::uint64_t{0});
        const std::uint32_t label = tell(order_[i], f, total);
        block.bits -= std::log2(static_cast<double>(f[label]) / static_cast<double>(total));
        block.counts_bits += experts_.counts_bits(label);
        experts_.learn(label);
        labels_[order_[i]] = label;
      }
    }
    block.temperature = experts_.temperature();
    const std::uint64_t cells = static_cast<std::uint64_t>(until - from) * classes * kSteps;
    block.counters.at(OperationKind::Special) += 2 * cells;
    block.counters.at(OperationKind::F32Elementwise) += 3 * cells;
  }

  /// Mean of what the models say, [rows x classes]; empty without models.
  std::vector<float> mean(const std::vector<SavedModel>& models, const Dataset& rows,
                          Counters& counters) const {
    std::vector<float> sum;
    for (const SavedModel& model : models) {
      const Predictions p = predict(model, rows);
      counters += p.counters;
      if (sum.empty()) sum.assign(p.values.size(), 0.0f);
      for (std::size_t i = 0; i < sum.size(); ++i)
        sum[i] += p.values[i] / static_cast<float>(models.size());
    }
    return sum;
  }

  const Dataset& data_;
  const PrequentialOptions& options_;
  std::vector<std::uint32_t> order_, labels_;
  LabelExperts experts_;
  PrequentialCode code_;
};

}  // namespace

PrequentialCode prequential_encode(const Dataset& data, const PrequentialOptions& options) {
  ArithmeticEncoder encoder;
  PrequentialCode code = Telling(data, options).send(encoder);
  code.message = encoder.finish();
  return code;
}

std::vector<std::uint32_t> prequential_decode(const Dataset& inputs,
                                              std::span<const std::uint8_t> message,
                                              const PrequentialOptions& options) {
  ArithmeticDecoder decoder(message);
  return Telling(inputs, options).receive(decoder);
}

}  // namespace carnot::learn
