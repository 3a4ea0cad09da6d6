// SPDX-License-Identifier: Apache-2.0
// The learner as bytes. Layout, little-endian: magic, identity of options and data, scalars,
// coefficients in their present format, FNV-1a of all that went before.
#include <bit>
#include <cmath>
#include <cstring>

#include "carnot/base/error.hpp"

#include "learn/network/schedule.hpp"
#include "learn/network/sgd_learner.hpp"

static_assert(std::endian::native == std::endian::little, "state files are little-endian");

namespace carnot::learn {

namespace {

constexpr char kMagic[8] = {'c', 'a', 'r', 'n', 'o', 't', 'L', '3'};

std::uint64_t hash_of(const std::uint8_t* bytes, std::size_t size) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return hash;
}

class Writer {
 public:
  void bytes(const void* from, std::size_t size) {
    const auto* p = static_cast<const std::uint8_t*>(from);
    out_.insert(out_.end(), p, p + size);
  }
  template <class T>
  void value(T v) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes(&v, sizeof v);
  }
  void floats(const std::vector<float>& v) {
    value<std::uint64_t>(v.size());
    bytes(v.data(), v.size() * sizeof(float));
  }
  std::vector<std::uint8_t> finish() {
    value(hash_of(out_.data(), out_.size()));
    return std::move(out_);
  }

 private:
  std::vector<std::uint8_t> out_;
};

class Reader {
 public:
  Reader(const std::uint8_t* from, std::size_t size) : from_(from), left_(size) {}
  void bytes(void* to, std::size_t size) {
    if (size > left_) throw InputError("learner state: ends too early");
    if (size != 0) std::memcpy(to, from_, size);
    from_ += size;
    left_ -= size;
  }
  template <class T>
  T value() {
    T v;
    bytes(&v, sizeof v);
    return v;
  }
  /// As many floats as `like` has, all finite.
  void floats(std::vector<float>& like) {
    if (value<std::uint64_t>() != like.size()) {
      throw InputError("learner state: a row count is not that of the model");
    }
    bytes(like.data(), like.size() * sizeof(float));
    for (const float x : like) check(std::isfinite(x), "a coefficient is not finite");
  }
  static void check(bool good, const char* what) {
    if (!good) throw InputError(std::string("learner state: ") + what);
  }
  std::size_t left() const noexcept { return left_; }

 private:
  const std::uint8_t* from_;
  std::size_t left_;
};

}  // namespace

std::uint64_t SgdLearner::identity() const noexcept {
  std::uint64_t hash = fingerprint_;
  const auto mix = [&hash](std::uint64_t v) {
    hash = (hash ^ v) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 31;
  };
  for (const char c : options_.model) mix(static_cast<unsigned char>(c));
  mix(options_.hidden);
  mix(options_.batch);
  mix(std::bit_cast<std::uint64_t>(options_.epochs));
  mix(std::bit_cast<std::uint64_t>(options_.learning_rate));
  mix(std::bit_cast<std::uint64_t>(options_.momentum));
  mix(std::bit_cast<std::uint64_t>(options_.weight_decay));
  for (const char c : options_.optimiser) mix(static_cast<unsigned char>(c));
  mix(options_.seed);
  return hash;
}

std::vector<std::uint8_t> SgdLearner::save() const {
  Writer out;
  out.bytes(kMagic, sizeof kMagic);
  out.value(identity());
  out.value(steps_);
  out.value(smoothed_loss_);
  out.value(training_quality_);
  out.value(first_loss_);
  out.value(greatest_loss_);
  out.value(prequential_nats_);
  out.value(prequential_labels_);
  out.value(counters_);
  const Precision& p = network_.precision();
  out.value<std::uint64_t>(p.name.size());
  out.bytes(p.name.data(), p.name.size());
  out.value<std::uint64_t>(charged_copies_.size());
  for (const int bits : charged_copies_) out.value<std::int32_t>(bits);
  out.value<std::uint64_t>(charged_held_out_.size());
  for (const auto& [print, bits] : charged_held_out_) {
    out.value(print);
    out.value<std::int32_t>(bits);
  }
  for (const Layer& layer : network_.layers()) {
    out.value<std::uint64_t>(layer.master.size());
    out.bytes(layer.master.data(), layer.master.size());
    out.floats(layer.scale);
    out.floats(layer.bias);
    out.floats(layer.bias_velocity);
    out.floats(layer.velocity);
    out.bytes(layer.first.data(), layer.first.size());
    out.bytes(layer.second.data(), layer.second.size());
    out.floats(layer.bias_first);
    out.floats(layer.bias_second);
  }
  return out.finish();
}

void SgdLearner::restore(const std::vector<std::uint8_t>& state) {
  Reader::check(
      state.size() >= sizeof kMagic + 8 && std::memcmp(state.data(), kMagic, sizeof kMagic) == 0,
      "these bytes are no state of a learner, or of another version");
  const std::size_t body = state.size() - 8;
  std::uint64_t sum = 0;
  std::memcpy(&sum, state.data() + body, 8);
  Reader::check(sum == hash_of(state.data(), body), "damaged (checksum)");
  Reader in(state.data() + sizeof kMagic, body - sizeof kMagic);
  Reader::check(in.value<std::uint64_t>() == identity(), "belongs to other options or other data");
  const auto steps = in.value<std::uint64_t>();
  Reader::check(steps <= schedule_.steps, "step beyond the schedule");
  const auto smoothed = in.value<double>();
  const auto training_quality = in.value<double>();
  const auto first_loss = in.value<double>();
  const auto greatest_loss = in.value<double>();
  const auto prequential = in.value<double>();
  const auto labels = in.value<std::uint64_t>();
  const auto counters = in.value<Counters>();
  const auto length = in.value<std::uint64_t>();
  Reader::check(length <= 16, "precision");
  std::string name(length, '\0');
  in.bytes(name.data(), length);
  const Precision precision = Precision::parse(name);
  std::set<int> copies;
  const auto copy_count = in.value<std::uint64_t>();
  Reader::check(copy_count <= 8, "more copies than widths");
  for (std::uint64_t i = 0; i < copy_count; ++i) copies.insert(in.value<std::int32_t>());
  std::set<std::pair<std::uint64_t, int>> held_out;
  const auto held_out_count = in.value<std::uint64_t>();
  for (std::uint64_t i = 0; i < held_out_count; ++i) {
    const auto print = in.value<std::uint64_t>();
    held_out.emplace(print, in.value<std::int32_t>());
  }
  std::vector<Layer> layers = network_.layers();
  const std::size_t element =
      precision.is_integer() ? static_cast<std::size_t>(precision.master) / 8 : sizeof(float);
  for (Layer& layer : layers) {
    const std::size_t size = layer.rows * layer.stride * element;
    Reader::check(in.value<std::uint64_t>() == size, "size of a layer");
    layer.master = AlignedBytes(size);
    in.bytes(layer.master.data(), size);
    layer.scale.assign(precision.is_integer() ? layer.rows : 0, 0.0f);
    in.floats(layer.scale);
    in.floats(layer.bias);
    in.floats(layer.bias_velocity);
    in.floats(layer.velocity);
    if (network_.optimiser().adam) {
      const std::size_t n = layer.rows * layer.stride;
      for (AlignedBytes* moments : {&layer.first, &layer.second}) {
        *moments = AlignedBytes(n * moment_bytes(precision));
        in.bytes(moments->data(), moments->size());
        for (std::size_t i = 0; i < n; ++i)
          Reader::check(std::isfinite(moment(*moments, i, precision)), "a moment is not finite");
      }
    }
    in.floats(layer.bias_first);
    in.floats(layer.bias_second);
  }
  Reader::check(in.left() == 0, "longer than it should be");

  // All is well: only now does anything change.
  network_.layers() = std::move(layers);
  network_.assume_precision(precision);
  data_.make(precision.data);
  steps_ = steps;
  smoothed_loss_ = smoothed;
  training_quality_ = training_quality;
  first_loss_ = first_loss;
  greatest_loss_ = greatest_loss;
  prequential_nats_ = prequential;
  prequential_labels_ = labels;
  counters_ = counters;
  charged_copies_ = std::move(copies);
  charged_held_out_ = std::move(held_out);
}

void Learner::adopt(const std::vector<std::vector<float>>& /*parameters*/, std::uint64_t /*step*/) {
  throw InputError("adopt: this kind of learner cannot take on coefficients of another");
}

void Learner::set_schedule(const Schedule& /*schedule*/) {
  throw InputError("schedule: this kind of learner keeps the one it was made with");
}

void check_schedule(const Schedule& schedule, std::uint64_t done) {
  if (schedule.from_step > done || schedule.steps < done || schedule.steps == 0)
    throw InputError("schedule: from a step that is done, to one that is not");
  if (!(schedule.from_phase >= 0.0 && schedule.from_phase <= 1.0))
    throw InputError("schedule: a phase from 0 to 1");
}

void SgdLearner::set_schedule(const Schedule& schedule) {
  check_schedule(schedule, steps_);
  schedule_ = schedule;
}

void SgdLearner::adopt(const std::vector<std::vector<float>>& parameters, std::uint64_t step) {
  if (step > schedule_.steps) throw InputError("adopt: a step within the schedule");
  const std::vector<Layer>& shape = network_.layers();
  if (parameters.size() != 2 * shape.size())
    throw InputError("adopt: weights and biases of each layer");
  for (std::size_t l = 0; l < shape.size(); ++l) {
    if (parameters[2 * l].size() != shape[l].weights() ||
        parameters[2 * l + 1].size() != shape[l].outputs)
      throw InputError("adopt: layers of this model's shapes");
    for (const auto* tensor : {&parameters[2 * l], &parameters[2 * l + 1]})
      for (const float x : *tensor)
        if (!std::isfinite(x)) throw InputError("adopt: a coefficient is no number");
  }
  // Floats take them as they are; the next step rounds them to its format, and counts that.
  network_.set_precision(Precision::parse("f32"), {}, nullptr);
  for (std::size_t l = 0; l < shape.size(); ++l) {
    Layer& layer = network_.layers()[l];
    auto* weights = reinterpret_cast<float*>(layer.master.data());
    for (std::size_t j = 0; j < layer.outputs; ++j)
      for (std::size_t k = 0; k < layer.inputs; ++k)
        weights[j * layer.stride + k] = parameters[2 * l][j * layer.inputs + k];
    for (std::size_t j = 0; j < layer.outputs; ++j) layer.bias[j] = parameters[2 * l + 1][j];
  }
  steps_ = step;
}

}  // namespace carnot::learn
