// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A learner: trains step by step, in a precision that may change between steps, and counts what it
/// does. Training is real; only energy is modelled (precision.hpp).
///
/// Mini-batch stochastic gradient descent, with momentum, or Adam, on softmax cross-entropy
/// (classification, logistic for two classes) or squared error (regression); cosine learning-rate
/// schedule lr(s) = lr/2 (1 + cos(pi s / total)) with a linear warm-up over the first 2 % of steps.
/// Models: linear (no hidden layer) and a perceptron with one hidden ReLU layer, He initialisation.
///
/// Determinism: the result is a function of (data, options, the precision of each step); the same
/// for any thread count; for integer precisions the same to the bit for every instruction set. A
/// learner belongs to one thread at a time. Copying is explicit through save/restore.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/knobs/precision.hpp"

namespace carnot::learn {

/// Of the model "transformer" (transformer.hpp).
struct TransformerOptions {
  std::string objective = "causal";  ///< causal: the next symbol; masked: hidden ones (BERT)
  std::size_t layers = 2;
  std::size_t heads = 4;
  std::size_t width = 128;    ///< of a symbol's vector; a multiple of 16 and of the heads
  std::size_t context = 128;  ///< symbols seen at once
  bool operator==(const TransformerOptions&) const = default;
};

/// Of the model "cnn" (convolution.hpp).
struct ConvolutionOptions {
  std::vector<std::size_t> channels = {16, 32};  ///< of each convolution, the first one first
  std::size_t height = 0, width = 0;             ///< of an image; 0: it is square
  bool operator==(const ConvolutionOptions&) const = default;
};

struct LearnerOptions {
  std::string model = "mlp";  ///< linear | logistic | softmax | mlp | cnn | transformer
  std::size_t hidden = 64;
  std::size_t batch = 64;
  double epochs = 8.0;
  double learning_rate = 0.3;
  double momentum = 0.0;  ///< velocities are kept in f32 (4 bytes a coefficient) when > 0
  /// "sgd" or "adam" (Kingma & Ba, ICLR 2015; b1 = 0.9, b2 = 0.99, epsilon = 1e-8, with bias
  /// correction). Adam's two moments of a coefficient are binary32 in f32; in the other precisions
  /// bfloat16, rounded at random (their mean is right); of biases always binary32. Counted, saved.
  std::string optimiser = "sgd";
  double weight_decay = 0.0;  ///< of adam, decoupled (AdamW): each step takes rate x this away
  std::uint64_t seed = 1;
  int threads = 1;
  TransformerOptions transformer;
  ConvolutionOptions convolution;
};

/// Rounding noise of one precision against the minibatch's own, measured on one minibatch.
/// With g the exact gradient, g_q the rounded one, V the minibatch gradient's variance, lr the
/// learning rate:
///   gradient = |g_q - g|^2 / V, worst layer
///   update   = (lr^2 |g_q - g|^2 + (1 - mu)^2 variance of rounding the coefficients' update)
///              / (<lr^2> V), worst layer,
///              <lr^2> the schedule's mean square learning rate, mu the momentum: what enters the
///              velocity acts 1 / (1 - mu) times over, an update is rounded once; the update's
///              rounding is that of lr (g + mu v), v the velocity now. With Adam mu is b1 and each
///              gradient counts by what it moves its coefficient, 1 / (sqrt(second moment) + eps)
struct NoiseShare {
  Precision precision;
  double gradient = 0.0;
  double update = 0.0;
  double signal = 1e9;  ///< |g| / |g_q - g|, worst layer; 1e9 where nothing is rounded
};

/// Quality on held-out data.
struct Quality {
  std::string metric;           ///< "accuracy" or "r2"
  double value = 0.0;           ///< never below -1e9, which also stands for no number at all
  std::uint64_t trials = 0;     ///< held-out rows
  std::uint64_t successes = 0;  ///< correct ones (accuracy only)
  double bits_per_label = 0.0;  ///< mean negative log2-likelihood (classification); NaN else
};

/// Which step stands where on the cosine of the learning rate. At first the phase is step / steps.
/// Fitted anew at a step it goes on from the phase it has there, evenly, to 1 at the new last step:
/// no step's rate jumps, and the end is cooled however often the number of steps is changed.
struct Schedule {
  std::uint64_t steps = 1;      ///< in all
  std::uint64_t from_step = 0;  ///< when it was fitted last
  double from_phase = 0.0;      ///< of the cosine, there

  /// 0: the greatest rate; 1: none.
  double phase(std::uint64_t step) const noexcept {
    if (steps <= from_step) return 1.0;
    return from_phase + (1.0 - from_phase) * (static_cast<double>(step - from_step) /
                                              static_cast<double>(steps - from_step));
  }
  /// As fitted at `step` to `total` steps, > step.
  Schedule fitted(std::uint64_t step, std::uint64_t total) const noexcept {
    return {total, step, phase(step)};
  }
};

class Learner {
 public:
  virtual ~Learner() = default;

  virtual std::uint64_t total_steps() const noexcept = 0;  ///< of the whole schedule
  virtual std::uint64_t steps_done() const noexcept = 0;

  /// Does `steps` steps in `precision` (fewer if the schedule ends); a change of precision
  /// re-quantises what must be and is counted. Returns the steps done.
  virtual std::uint64_t train(std::uint64_t steps, const Precision& precision) = 0;

  /// Share of the schedule's summed learning rate that is still ahead, 1 at the start, 0 at the
  /// end.
  virtual double remaining_learning() const noexcept = 0;
  /// Exponentially smoothed training loss, bits per label (classification) or mean squared error.
  virtual double smoothed_loss() const noexcept = 0;
  /// Quality as training itself sees it, smoothed over the last thousand rows or so, each before it
  /// was learned from: accuracy, or 1 - squared error over the targets' variance. From the second
  /// epoch on it is hopeful. NaN: not known.
  virtual double training_quality() const noexcept {
    return std::numeric_limits<double>::quiet_NaN();
  }
  /// The training came to nothing: a loss that is no number, or one that rose above ten times what
  /// it was at first (and what knowing no more than the labels' frequencies costs) and ended no
  /// better than that. What it learned is then of no use, whatever the precision.
  virtual bool diverged() const noexcept { return false; }
  /// Sum over all training labels, first time each was met, of -log2 p before it was trained on:
  /// the prequential code of the first pass (bits; grows during the first epoch only).
  virtual double prequential_bits() const noexcept = 0;
  virtual std::uint64_t prequential_labels() const noexcept = 0;

  /// Measures noise shares at the present point for each candidate, on the next minibatch, without
  /// training. Counted (it costs real operations). Does not disturb the sequence of training.
  virtual std::vector<NoiseShare> noise_shares(const std::vector<Precision>& candidates) = 0;

  /// Held-out quality of the model that training in `precision` delivers
  /// (Precision::delivered). Counted.
  virtual Quality evaluate(const Dataset& held_out, const Precision& precision) = 0;

  /// Counts so far: training, switching, noise measurement, evaluation, since construction.
  virtual const Counters& counters() const noexcept = 0;
  /// Closed form: what one step in `precision` counts, and what switching between two counts. What
  /// depends on the numbers themselves (an integer row that outgrows its grid) comes on top.
  virtual Counters step_counters(const Precision& precision) const = 0;
  virtual Counters switch_counters(const Precision& from, const Precision& to) const = 0;
  /// What making the copy of `rows` rows of data at the width of `precision` counts: the training
  /// data when a switch first needs it, a held-out set when it is first evaluated at that width.
  /// Zero for a learner that needs no copies.
  virtual Counters copy_counters(std::size_t /*rows*/, const Precision& /*precision*/) const {
    return {};
  }
  /// Evaluation from the present precision, copy_counters of a first time apart.
  virtual Counters evaluation_counters(std::size_t rows, const Precision& precision) const = 0;
  /// Both: a look at rows held out that have no copy yet at the width of the delivered model.
  Counters look_counters(std::size_t rows, const Precision& precision) const {
    Counters look = evaluation_counters(rows, precision);
    look += copy_counters(rows, precision.delivered());
    return look;
  }
  virtual Counters noise_counters(const std::vector<Precision>& candidates) const = 0;

  /// Everything needed to go on exactly (weights, momenta, step, counters, smoothers); versioned.
  virtual std::vector<std::uint8_t> save() const = 0;
  /// \throws InputError if the bytes are no state of a learner of these options and data
  virtual void restore(const std::vector<std::uint8_t>& state) = 0;

  /// Takes on coefficients, shaped as parameters(), and goes on at `step` of the schedule: a
  /// replica of a training that other replicas carried on. What is remembered of gradients
  /// (velocities) stays. \throws InputError if shapes do not fit, one is no number, `step` is
  /// beyond the schedule, or
  ///         learners of this kind cannot
  virtual void adopt(const std::vector<std::vector<float>>& parameters, std::uint64_t step);

  virtual Schedule schedule() const { return {total_steps(), 0, 0.0}; }
  /// Goes on with that one. Not part of `save`: who changes it keeps it beside. `restore` needs one
  /// of enough steps, the one kept is set after it.
  /// \throws InputError unless from_step <= steps done <= steps, from_phase is in [0, 1], and
  ///         learners of this kind can
  virtual void set_schedule(const Schedule& schedule);

  /// All coefficients in f32, layer by layer, for code lengths and tests. One that is no number
  /// reads as 0: see `diverged`.
  virtual std::vector<std::vector<float>> parameters() const = 0;
};

/// \param train  must outlive the learner
/// \throws InputError if options and data do not fit (one class only, batch > rows, ...)
std::unique_ptr<Learner> make_learner(const LearnerOptions& options, const Dataset& train);

/// Which instruction set the kernels use: "scalar", "avx2", "avx512-vnni"; chosen at run time, or
/// forced by the environment variable CARNOT_ISA or `set_instruction_set` (tests).
std::string instruction_set();
void set_instruction_set(const std::string& name);  ///< \throws InputError unless supported here

}  // namespace carnot::learn
