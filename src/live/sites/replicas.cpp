// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/sites/replicas.hpp"

#include <algorithm>
#include <optional>

#include "carnot/base/error.hpp"

namespace carnot::live {

struct ReplicaTraining::State {
  State(const ReplicaOptions& o, const learn::Split& s, Tensors start)
      : options(o),
        split(&s),
        precision(learn::Precision::parse(o.precision)),
        outer(std::move(start), o.averaging),
        certificate(o.floor > 0 ? o.floor : 1.0) {}

  ReplicaOptions options;
  const learn::Split* split;
  learn::Precision precision;
  std::vector<std::unique_ptr<learn::Learner>> replicas;
  std::vector<PseudoGradientCoder> coders;
  OuterStep outer;
  /// Bytes that bring a site from version `has` of the common coefficients to the present one.
  std::uint64_t catch_up(const std::optional<std::size_t>& has, std::uint64_t whole) const {
    if (!has) return whole;
    std::uint64_t sum = 0;
    for (std::size_t v = *has; v < messages.size() && sum < whole; ++v) sum += messages[v];
    return std::min(sum, whole);
  }
  std::vector<std::uint64_t> messages;             // bytes down, of each version to the next
  std::vector<std::optional<std::size_t>> having;  // the version of each site; none: it never was
  learn::Certificate certificate;
  std::uint64_t total = 0, done = 0, next_look = 0;
  bool certified = false;
  double lower_bound = 0;
};

ReplicaTraining::ReplicaTraining(ReplicaTraining&&) noexcept = default;
ReplicaTraining& ReplicaTraining::operator=(ReplicaTraining&&) noexcept = default;
ReplicaTraining::~ReplicaTraining() = default;

ReplicaTraining::ReplicaTraining(const ReplicaOptions& options, const learn::Split& split,
                                 std::size_t sites) {
  if (sites == 0) throw InputError(describe({}, "site", "one or more"));
  check(options.averaging);
  std::vector<std::unique_ptr<learn::Learner>> replicas;
  for (std::size_t i = 0; i < sites; ++i) {
    learn::LearnerOptions own = options.learner;
    own.seed += 7919 * i;  // an order of rows of its own
    replicas.push_back(learn::make_learner(own, split.train));
  }
  state_ = std::make_unique<State>(options, split, replicas.front()->parameters());
  state_->replicas = std::move(replicas);
  state_->having.resize(sites);
  state_->coders.assign(sites, PseudoGradientCoder(options.averaging));
  state_->total = state_->replicas.front()->total_steps();
  state_->next_look = state_->total / 4;
}

std::uint64_t ReplicaTraining::total_steps() const noexcept { return state_->total; }
std::uint64_t ReplicaTraining::steps_done() const noexcept { return state_->done; }
bool ReplicaTraining::finished() const noexcept {
  return state_->certified || state_->done >= state_->total;
}
bool ReplicaTraining::certified() const noexcept { return state_->certified; }
double ReplicaTraining::lower_bound() const noexcept { return state_->lower_bound; }

ReplicaTraining::Round ReplicaTraining::round(const std::vector<std::uint64_t>& steps) {
  State& s = *state_;
  if (steps.size() != s.replicas.size()) throw InputError("round: steps of each site");
  Round out;
  std::vector<Tensors> parts;
  std::uint64_t left = s.total - s.done;
  // Each begins at the schedule's present step: together they reach `done + sum`.
  std::uint64_t asked = 0;
  for (const std::uint64_t n : steps) asked += n;
  for (std::size_t i = 0; i < steps.size() && left > 0; ++i) {
    // Where the schedule ends within the round, each takes its share of what is left.
    const std::uint64_t n =
        asked <= s.total - s.done
            ? steps[i]
            : std::min(left, (steps[i] * (s.total - s.done) + asked - 1) / asked);
    if (n == 0) continue;
    learn::Learner& replica = *s.replicas[i];
    replica.adopt(s.outer.coefficients(), s.done);
    const std::uint64_t taken = replica.train(n, s.precision);
    if (taken == 0) continue;
    Tensors delta = replica.parameters();
    for (std::size_t t = 0; t < delta.size(); ++t)
      for (std::size_t k = 0; k < delta[t].size(); ++k)
        delta[t][k] = s.outer.coefficients()[t][k] - delta[t][k];
    const auto message = s.coders[i].encode(delta);
    out.bytes_up += message.size();
    out.bytes_down += s.catch_up(s.having[i], synchronous_bytes() / 2);
    s.having[i] = s.messages.size();
    parts.push_back(decode_pseudo_gradient(message, s.outer.coefficients(), s.options.averaging));
    out.steps += taken;
    left -= std::min(left, taken);
  }
  if (!parts.empty()) {
    s.outer.merge(std::move(parts));
    s.messages.push_back(s.outer.publish().size());
  }
  s.done = std::min(s.total, s.done + out.steps);
  return out;
}

learn::Quality ReplicaTraining::quality() {
  State& s = *state_;
  s.replicas.front()->adopt(s.outer.coefficients(), std::min(s.done, s.total));
  return s.replicas.front()->evaluate(s.split->test, s.precision);
}

void ReplicaTraining::look(bool now) {
  State& s = *state_;
  if (!(s.options.floor > 0) || s.certified) return;
  if (!now && s.done < s.next_look) return;
  s.next_look = s.done + std::max<std::uint64_t>(1, s.total * 3 / (4 * s.options.looks));
  // The rows held out must not choose when they are looked at: what training saw of its own rows
  // may. It is hopeful, so where it is too low a look would be lost.
  if (!now && s.done < s.total) {
    double hope = 0;
    for (const auto& replica : s.replicas) hope = std::max(hope, replica->training_quality());
    const std::uint64_t rows = s.split->test.rows;
    if (hope < s.certificate.needed(rows, s.split->test.is_regression())) return;
  }
  const learn::Quality seen = quality();
  const learn::CertificateResult result = s.certificate.look(seen);
  s.certified = result.certified;
  s.lower_bound = result.lower_bound;
}

std::uint64_t ReplicaTraining::synchronous_bytes() const noexcept {
  std::uint64_t floats = 0;
  for (const auto& tensor : state_->outer.coefficients()) floats += tensor.size();
  return 2 * 4 * floats;
}

}  // namespace carnot::live
