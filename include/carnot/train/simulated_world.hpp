// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A world where learning is real and the site is simulated on a virtual (or paced) clock.
///
/// Steps of training done in a segment follow from the site's flows; the learner then really does
/// them. What training costs beside its steps (measuring noise, switching precision, held-out
/// evaluation) is charged as a debt of dynamic energy that is worked off, in the mode of the
/// moment, before further steps count. The minimum quality is certified on held-out rows before the
/// job may end: at the end of the schedule or, with `stop_when_certified`, at looks every 1/16 of
/// it from a quarter on. Reporting needs an evaluation on the training rows (code lengths); it is
/// not part of the job.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "carnot/learn/codes/certificate.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/site/scenario.hpp"
#include "carnot/site/site.hpp"
#include "carnot/trace/forecast.hpp"
#include "carnot/train/clock.hpp"
#include "carnot/train/environment.hpp"
#include "carnot/train/hall_job.hpp"
#include "carnot/train/world.hpp"

namespace carnot::train {

/// How a lane ended.
struct LaneOutcome {
  bool schedule_done = false;
  bool deadline_passed = false;  ///< before the job had ended
  bool certified = false;
  bool evaluated = false;
  learn::Counters instrument;  ///< of evaluations made for reports alone, part of no joule
  learn::Quality quality;
  learn::CertificateResult certificate;
  Time duration;        ///< from the start to the end of the job, or to the deadline
  std::string stopped;  ///< in words
};

class SimulatedWorld final : public World {
 public:
  /// Everything referred to must outlive the world.
  SimulatedWorld(const site::Scenario& scenario, const Environment& environment, const Job& job,
                 learn::Learner& learner, const learn::Dataset& held_out,
                 const learn::EnergyTable& table, Clock& clock, EntrySink sink);
  ~SimulatedWorld() override;

  /// Leaves out the points of the quality curve, which only reports look at.
  void omit_quality_curve();

  bool over() const override;
  control::Observation observe() override;
  void act(const control::Decision& decision) override;

  LaneOutcome outcome() const;
  Instant now() const noexcept;
  double share_done() const noexcept;     ///< of the schedule
  Energy energy_so_far() const noexcept;  ///< facility
  Energy own_so_far() const noexcept;
  Power own_power_now() const noexcept;  ///< total of the last segment
  double throttle_now() const noexcept;
  const std::string& mode_now() const noexcept;  ///< "" while paused
  std::uint64_t steps_done() const noexcept;

  /// Everything to go on exactly, the learner's state included (policy state is the caller's).
  std::vector<std::uint8_t> save() const;
  /// \throws InputError if the bytes are no state of this world
  void restore(const std::vector<std::uint8_t>& state);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace carnot::train
