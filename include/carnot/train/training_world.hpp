// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A world where learning is real and the site is simulated on a virtual (or paced) clock. It has
/// one site and one job, which has arrived when it begins and holds the hall's nodes until it ends;
/// the policy ticks at each slot and whenever the steps of its decision are done, and commands by
/// `follow`.
///
/// Steps of training done in a segment follow from the site's flows; the learner then really does
/// them. What training costs beside its steps (measuring noise, switching precision and the first
/// copy of the data in its width, held-out evaluation) is dynamic energy as well. **Nothing is done
/// before it is paid**: at every instant
///
///     dynamic energy drawn >= trainings x energy of all that was counted,
///
/// so work that is asked for waits, as power of the mode of the moment, and what is not paid when
/// the deadline comes is void: not done, not counted, not certified. Only an integer row that
/// outgrows its grid has no price beforehand: a step is paid as if every row did. Where most
/// quality is asked for, one look is kept back from the first step on. The minimum quality is
/// certified on held-out rows before the job may end: at the end of the schedule or, with
/// `stop_when_certified`, at looks every 1/16 of it from a quarter on. Reporting needs an
/// evaluation on the training rows (code lengths); it is not part of the job.

#include <cstdint>
#include <memory>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/site/scenario.hpp"
#include "carnot/site/site.hpp"
#include "carnot/trace/forecast.hpp"
#include "carnot/train/clock.hpp"
#include "carnot/train/environment.hpp"
#include "carnot/train/hall_job.hpp"
#include "carnot/train/world.hpp"

namespace carnot::train {

class TrainingWorld final : public LaneWorld {
 public:
  /// Everything referred to must outlive the world.
  TrainingWorld(const site::Scenario& scenario, const Environment& environment, const Job& job,
                learn::Learner& learner, const learn::Dataset& held_out,
                const learn::EnergyTable& table, Clock& clock, EntrySink sink);
  ~TrainingWorld() override;

  /// Leaves out the points of the quality curve, which only reports look at.
  void omit_quality_curve();
  /// `step` then asks now and then. What it was doing is lost with the world; what the sink was
  /// told stands.
  void stop_at(StopToken stop);

  bool over() const override;
  Instant now() const override;
  /// \throws Stopped, in the middle of a step: only what was saved before is of use then
  bool step(control::Policy& policy) override;
  LaneProgress progress() const override;
  LaneOutcome outcome() const override;
  std::vector<std::uint8_t> save() const override;
  void restore(const std::vector<std::uint8_t>& state) override;

  /// What a policy would see now.
  const control::View& view();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace carnot::train
