// SPDX-License-Identifier: Apache-2.0
// EASY backfilling (Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995): first come, first
// served at the site a job was sent to, but a later job may go ahead if it does not delay the first
// that waits.
#include <algorithm>
#include <deque>
#include <limits>

#include "control/fleet/rule_base.hpp"

namespace carnot::control {

namespace {

class Easy final : public Rule {
 public:
  using Rule::Rule;

  void begin(const World& world) override { lines_.resize(world.view.sites().size()); }
  void arrived(const World& world, JobIndex job) override {
    const SiteIndex site = world.view.request(job).origin;
    world.commands.submit(job, site);
    lines_[site].push_back(job);
    serve(world, site);
  }
  void finished(const World& world, JobIndex job) override {
    serve(world, world.view.status(job).site);
  }
  void failed(const World& world, JobIndex job) override {
    const SiteIndex site = world.view.status(job).site;
    lines_[site].push_front(job);
    serve(world, site);
  }
  void site_changed(const World& world, SiteIndex site) override { serve(world, site); }

 private:
  void save_state(StateWriter& state) const override {
    state.value(lines_.size());
    for (const std::deque<JobIndex>& line : lines_)
      state.sequence(std::vector<JobIndex>(line.begin(), line.end()));
  }
  void restore_state(StateReader& state) override {
    lines_.clear();
    for (auto n = state.value<std::size_t>(); n > 0; --n) {
      const std::vector<JobIndex> line = state.sequence<JobIndex>();
      lines_.emplace_back(line.begin(), line.end());
    }
  }

  void serve(const World& world, SiteIndex site) {
    std::deque<JobIndex>& line = lines_[site];
    const SiteState& state = world.view.sites()[site];
    std::erase_if(line, [&](JobIndex job) { return !world.view.status(job).in_line; });
    while (!line.empty() && world.commands.start(line.front(), site)) line.pop_front();
    if (line.empty() || state.nodes_free == 0) return;

    // When the head can start if all goes as estimated, and what is left over then.
    std::vector<std::pair<Instant, std::int32_t>> ends;
    for (JobIndex job = world.view.first_running(site); job != JobIndex::none();
         job = world.view.next_running(job))
      ends.emplace_back(world.view.expected_end(job),
                        world.view.nodes(job, world.view.status(job).mode));
    std::sort(ends.begin(), ends.end());
    std::int32_t free = state.nodes_free;
    const std::int32_t wanted = world.view.nodes(line.front(), 0);
    std::size_t i = 0;
    while (i < ends.size() && free < wanted) free += ends[i++].second;
    if (free < wanted) return;  // nodes are broken: no telling
    // Nodes there are, but soon to be closed: nobody knows here for how long, and who is let in by
    // the fleet is done before.
    const Instant shadow =
        i > 0 ? ends[i - 1].first
              : Instant::from_unix_nanoseconds(std::numeric_limits<std::int64_t>::max());
    while (i < ends.size() && ends[i].first == shadow) free += ends[i++].second;
    std::int32_t spare = free - wanted;

    for (auto job = line.begin() + 1; job != line.end() && state.nodes_free > 0;) {
      const std::int32_t nodes = world.view.nodes(*job, 0);
      const Duration left = world.view.request(*job).estimate - world.view.done(*job);
      const bool ends_before = world.view.now() + left <= shadow;
      if ((ends_before || nodes <= spare) && world.commands.start(*job, site)) {
        if (!ends_before) spare -= nodes;
        job = line.erase(job);
      } else {
        ++job;
      }
    }
  }

  std::vector<std::deque<JobIndex>> lines_;
};

}  // namespace

std::unique_ptr<Policy> make_easy(std::string name, Knowledge knowledge,
                                  const FleetPolicyOptions& options) {
  return make_rule<Easy>(std::move(name), knowledge, options);
}

}  // namespace carnot::control
