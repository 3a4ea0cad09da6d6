// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/training/job_policy.hpp"

#include "carnot/base/error.hpp"

namespace carnot::control {

Observation observe(const View& view, JobIndex job) {
  const LearningState* learning = view.learning(job);
  CARNOT_CHECK(learning != nullptr, "an observation is of a job that learns");
  const JobRequest& request = view.request(job);
  const SiteIndex site = view.status(job).site;
  Observation o;
  o.now = view.now();
  o.slot = view.slot();
  o.start = view.arrival(job);
  o.deadline = o.start + request.allowed;
  o.site = view.sites()[site];
  o.learning = *learning;
  o.total_forecast = view.forecast(site, Signal::TotalPower);
  o.price_forecast = view.forecast(site, Signal::Price);
  o.carbon_forecast = view.forecast(site, Signal::Carbon);
  return o;
}

void JobPolicy::tick(const World& world) {
  for (JobIndex job = 0; job < world.view.jobs(); ++job)
    if (world.view.learning(job) != nullptr)
      world.commands.follow(job, decide(observe(world.view, job)));
}

}  // namespace carnot::control
