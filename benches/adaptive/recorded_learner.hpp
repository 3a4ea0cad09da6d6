// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A learner that trains only when it has to. What a real learner is after a sequence of (steps,
/// precision) does not depend on when the wind blew, so a bench over many starts asks the same
/// questions again and again. Segments are only noted down; a question (quality, noise, loss)
/// trains the real learner through the whole sequence once and is remembered. Counters are closed
/// forms, exact by test.

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/learn/network/learner.hpp"

namespace carnot::bench {

using Segments = std::vector<std::pair<std::string, std::uint64_t>>;  // precision, steps

/// Answers remembered for one (options, data): share it between lanes.
struct Memory {
  std::map<std::string, learn::Quality> quality;
  std::map<std::string, std::vector<learn::NoiseShare>> noise;
  std::map<std::string, double> loss, training_quality;
  std::size_t trainings = 0;  ///< times a real learner was run
  // The real learner last used and where it stands, so that a longer sequence goes on from it.
  std::unique_ptr<learn::Learner> learner;
  Segments at;
};

class RecordedLearner final : public learn::Learner {
 public:
  RecordedLearner(const learn::LearnerOptions& options, const learn::Dataset& train, Memory& memory,
                  bool loss_matters)
      : options_(options), train_(train), memory_(memory), loss_matters_(loss_matters) {
    if (!memory_.learner) memory_.learner = learn::make_learner(options_, train_);
    model_ = memory_.learner.get();
    total_ = model_->total_steps();
  }

  std::uint64_t total_steps() const noexcept override { return total_; }
  std::uint64_t steps_done() const noexcept override { return done_; }
  std::uint64_t train(std::uint64_t steps, const learn::Precision& p) override {
    steps = std::min(steps, total_ - done_);
    if (steps == 0) return 0;
    if (segments_.empty() || segments_.back().first != p.name) {
      if (!segments_.empty())
        counters_ += model_->switch_counters(learn::Precision::parse(segments_.back().first), p);
      else
        counters_ += model_->switch_counters(learn::Precision::parse("f32"), p);
      if (!copied_[p.data]) counters_ += model_->copy_counters(train_.rows, p);
      copied_[p.data] = true;
      segments_.emplace_back(p.name, 0);
    }
    segments_.back().second += steps;
    done_ += steps;
    counters_ += model_->step_counters(p) * steps;
    return steps;
  }
  double smoothed_loss() const noexcept override {
    return loss_matters_ ? const_cast<RecordedLearner*>(this)->loss() : kNaN;
  }
  double training_quality() const noexcept override {
    auto [it, fresh] = memory_.training_quality.try_emplace(key());
    if (fresh) it->second = const_cast<RecordedLearner*>(this)->real().training_quality();
    return it->second;
  }
  double remaining_learning() const noexcept override {
    const double f = static_cast<double>(done_) / static_cast<double>(total_);
    return std::clamp(1.0 - f - std::sin(3.14159265358979323846 * f) / 3.14159265358979323846, 0.0,
                      1.0);
  }
  double prequential_bits() const noexcept override { return 0.0; }
  std::uint64_t prequential_labels() const noexcept override { return 0; }
  std::vector<learn::NoiseShare> noise_shares(const std::vector<learn::Precision>& c) override {
    counters_ += model_->noise_counters(c);
    auto [it, fresh] = memory_.noise.try_emplace(key());
    if (fresh) it->second = real().noise_shares(c);
    return it->second;
  }
  learn::Quality evaluate(const learn::Dataset& data, const learn::Precision& p) override {
    counters_ += model_->evaluation_counters(data.rows, p);
    auto [it, fresh] = memory_.quality.try_emplace(key() + "?" + p.name);
    if (fresh) it->second = real().evaluate(data, p);
    return it->second;
  }
  const learn::Counters& counters() const noexcept override { return counters_; }
  learn::Counters step_counters(const learn::Precision& p) const override {
    return model_->step_counters(p);
  }
  learn::Counters switch_counters(const learn::Precision& a,
                                  const learn::Precision& b) const override {
    return model_->switch_counters(a, b);
  }
  learn::Counters copy_counters(std::size_t rows, const learn::Precision& p) const override {
    return model_->copy_counters(rows, p);
  }
  learn::Counters evaluation_counters(std::size_t rows, const learn::Precision& p) const override {
    return model_->evaluation_counters(rows, p);
  }
  learn::Counters noise_counters(const std::vector<learn::Precision>& c) const override {
    return model_->noise_counters(c);
  }
  std::vector<std::uint8_t> save() const override { throw InternalError("not saved in benches"); }
  void restore(const std::vector<std::uint8_t>&) override {
    throw InternalError("not restored in benches");
  }
  std::vector<std::vector<float>> parameters() const override { return {}; }

 private:
  std::string key() const {
    std::string k;
    for (const auto& [p, n] : segments_) k += fmt::format("{}*{} ", p, n);
    return k;
  }
  double loss() {
    auto [it, fresh] = memory_.loss.try_emplace(key());
    if (fresh) it->second = real().smoothed_loss();
    return it->second;
  }
  /// The real learner after exactly these segments.
  learn::Learner& real() {
    std::size_t same = 0;
    const Segments& at = memory_.at;
    bool prefix = at.size() <= segments_.size();
    for (; prefix && same < at.size(); ++same)
      prefix = at[same].first == segments_[same].first &&
               (at[same].second == segments_[same].second ||
                (same + 1 == at.size() && at[same].second < segments_[same].second));
    if (!prefix) {
      memory_.learner = learn::make_learner(options_, train_);
      memory_.at.clear();
      ++memory_.trainings;
    }
    model_ = memory_.learner.get();
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      const std::uint64_t done = i < memory_.at.size() ? memory_.at[i].second : 0;
      if (segments_[i].second > done)
        memory_.learner->train(segments_[i].second - done,
                               learn::Precision::parse(segments_[i].first));
    }
    memory_.at = segments_;
    return *memory_.learner;
  }

  learn::LearnerOptions options_;
  const learn::Dataset& train_;
  Memory& memory_;
  bool loss_matters_;
  learn::Learner* model_;
  std::uint64_t total_ = 0, done_ = 0;
  Segments segments_;
  std::map<int, bool> copied_;
  learn::Counters counters_;
};

}  // namespace carnot::bench
