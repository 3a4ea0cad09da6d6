// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One model trained by replicas at several sites. The replicas are real learners with an order of
/// rows each; in a round the sites that have power take steps of their own from the common
/// coefficients, then their pseudo-gradients meet (averaging.hpp). The schedule (learning rate,
/// length) goes on by the sum of all steps: a round of k sites of n steps each is worth k n. Sites
/// may come and go between rounds; one that comes takes on the common coefficients.
///
/// Everything is counted: steps by site, bytes of messages up, and down to each site that begins or
/// goes on the messages since it was there last, or the common coefficients (32 bits) where these
/// are fewer bytes or it never was. Quality is that of the common coefficients on
/// rows never trained on; it is certified as in certificate.hpp. Deterministic; one thread at a
/// time.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "carnot/learn/codes/certificate.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/live/sites/averaging.hpp"

namespace carnot::live {

struct ReplicaOptions {
  learn::LearnerOptions learner;
  std::string precision = "f32";  ///< of the steps within a round
  AveragingOptions averaging;
  double floor = 0.0;        ///< quality to certify; 0: none
  std::uint64_t looks = 20;  ///< at most so many checks over the schedule; each costs confidence
};

class ReplicaTraining {
 public:
  /// \param split  must outlive this. \throws InputError as make_learner and check()
  ReplicaTraining(const ReplicaOptions& options, const learn::Split& split, std::size_t sites);
  ~ReplicaTraining();
  ReplicaTraining(ReplicaTraining&&) noexcept;
  ReplicaTraining& operator=(ReplicaTraining&&) noexcept;

  std::uint64_t total_steps() const noexcept;
  std::uint64_t steps_done() const noexcept;  ///< of all sites
  bool finished() const noexcept;             ///< the schedule ended or the floor is certified

  struct Round {
    std::uint64_t steps = 0;       ///< taken, of all sites
    std::uint64_t bytes_up = 0;    ///< pseudo-gradients
    std::uint64_t bytes_down = 0;  ///< what brings those who take part up to date
  };
  /// \param steps  by site, 0: not there. Fewer are taken where the schedule ends
  Round round(const std::vector<std::uint64_t>& steps);

  /// Looks at the held-out rows if a look is due (or `now`), spending confidence.
  void look(bool now);
  learn::Quality quality();  ///< on the held-out rows, without a look
  bool certified() const noexcept;
  double lower_bound() const noexcept;  ///< of the last look
  /// Bytes of one set of coefficients in 32 bits: what averaging after each step would move, up and
  /// down, for each site and step.
  std::uint64_t synchronous_bytes() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace carnot::live
