// SPDX-License-Identifier: Apache-2.0
// First come, first served at the site a job was sent to: what the others are measured against.
#include <utility>

#include "control/fleet/rule_base.hpp"

namespace carnot::control {

namespace {

class NoWait final : public Rule {
 public:
  using Rule::Rule;
  void arrived(const World& world, JobIndex job) override {
    world.commands.submit(job, world.view.request(job).origin);
  }
};

}  // namespace

std::unique_ptr<Policy> make_no_wait(std::string name, Knowledge knowledge,
                                     const FleetPolicyOptions& options) {
  return make_rule<NoWait>(std::move(name), knowledge, options);
}

}  // namespace carnot::control
