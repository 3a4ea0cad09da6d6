// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "carnot/learn/network/learner.hpp"

#include "learn/network/data_copies.hpp"
#include "learn/network/network.hpp"

namespace carnot::learn {

/// Mini-batch SGD around a Network.
class SgdLearner final : public Learner {
 public:
  SgdLearner(const LearnerOptions& options, const Dataset& train);

  std::uint64_t total_steps() const noexcept override { return schedule_.steps; }
  Schedule schedule() const override { return schedule_; }
  void set_schedule(const Schedule& schedule) override;
  std::uint64_t steps_done() const noexcept override { return steps_; }
  std::uint64_t train(std::uint64_t steps, const Precision& precision) override;
  double smoothed_loss() const noexcept override { return smoothed_loss_; }
  double remaining_learning() const noexcept override;
  double training_quality() const noexcept override { return training_quality_; }
  bool diverged() const noexcept override;
  double prequential_bits() const noexcept override;
  std::uint64_t prequential_labels() const noexcept override { return prequential_labels_; }
  std::vector<NoiseShare> noise_shares(const std::vector<Precision>& candidates) override;
  Quality evaluate(const Dataset& held_out, const Precision& precision) override;
  const Counters& counters() const noexcept override { return counters_; }
  Counters step_counters(const Precision& precision) const override;
  Counters switch_counters(const Precision& from, const Precision& to) const override;
  Counters copy_counters(std::size_t rows, const Precision& precision) const override;
  Counters evaluation_counters(std::size_t rows, const Precision& precision) const override;
  Counters noise_counters(const std::vector<Precision>& candidates) const override;
  std::vector<std::uint8_t> save() const override;
  void restore(const std::vector<std::uint8_t>& state) override;
  std::vector<std::vector<float>> parameters() const override;
  void adopt(const std::vector<std::vector<float>>& parameters, std::uint64_t step) override;

 private:
  static constexpr std::uint64_t kSwitchStream = 0x73776974u;

  double rate(std::uint64_t step) const noexcept;
  void order_epoch(std::uint64_t epoch);
  void next_rows(std::uint64_t step);  // fills rows_
  void use(const Precision& precision);
  void capture(Network& network, const Batch& batch, std::uint64_t key,
               std::vector<std::vector<float>>& gradient);
  std::uint64_t identity() const noexcept;

  LearnerOptions options_;
  DataCopies data_;
  std::uint64_t fingerprint_;
  Network network_;
  Schedule schedule_;
  std::uint64_t steps_ = 0;
  double smoothed_loss_ = 0.0, prequential_nats_ = 0.0;
  double idle_loss_ = 0.0;  ///< of the labels' frequencies (or mean) alone, bits or squared error
  double training_quality_ = std::numeric_limits<double>::quiet_NaN();
  double first_loss_ = 0.0, greatest_loss_ = 0.0;  ///< of a minibatch
  std::uint64_t prequential_labels_ = 0;
  Counters counters_;
  std::set<int> charged_copies_;
  std::set<std::pair<std::uint64_t, int>> charged_held_out_;

  std::vector<std::uint32_t> order_;  // of one epoch
  std::uint64_t order_epoch_ = 0;
  std::vector<std::uint32_t> rows_;  // of step rows_step_
  std::uint64_t rows_step_ = 0;
  Batch batch_;
  std::vector<double> nats_;
  std::unique_ptr<DataCopies> held_out_;
  std::uint64_t held_out_print_ = 0;
};

}  // namespace carnot::learn
