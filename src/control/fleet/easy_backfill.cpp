// SPDX-License-Identifier: Apache-2.0
// EASY backfilling (Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995): first come, first
// served at the site a job was sent to, but a later job may go ahead if it does not delay the first
// that waits.
#include <algorithm>
#include <deque>

#include "control/fleet/rule_base.hpp"

namespace carnot::control {

namespace {

class Easy final : public Rule {
 public:
  using Rule::Rule;

  void begin(FleetControl& fleet) override { lines_.resize(fleet.sites().size()); }
  void arrived(FleetControl& fleet, JobIndex job) override {
    const SiteIndex site = fleet.request(job).origin;
    fleet.submit(job, site);
    lines_[site].push_back(job);
    serve(fleet, site);
  }
  void finished(FleetControl& fleet, JobIndex job) override {
    serve(fleet, fleet.status(job).site);
  }
  void failed(FleetControl& fleet, JobIndex job) override {
    const SiteIndex site = fleet.status(job).site;
    lines_[site].push_front(job);
    serve(fleet, site);
  }
  void capacity_changed(FleetControl& fleet, SiteIndex site) override { serve(fleet, site); }

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

  void serve(FleetControl& fleet, SiteIndex site) {
    std::deque<JobIndex>& line = lines_[site];
    const SiteState& state = fleet.sites()[site];
    std::erase_if(line, [&](JobIndex job) { return !fleet.status(job).in_line; });
    while (!line.empty() && fleet.start(line.front(), site)) line.pop_front();
    if (line.empty() || state.nodes_free == 0) return;

    // When the head can start if all goes as estimated, and what is left over then.
    std::vector<std::pair<Instant, std::int32_t>> ends;
    for (JobIndex job = fleet.first_running(site); job != kNowhere; job = fleet.next_running(job))
      ends.emplace_back(fleet.expected_end(job), fleet.nodes(job, fleet.status(job).mode));
    std::sort(ends.begin(), ends.end());
    std::int32_t free = state.nodes_free;
    const std::int32_t wanted = fleet.nodes(line.front(), 0);
    std::size_t i = 0;
    while (i < ends.size() && free < wanted) free += ends[i++].second;
    if (free < wanted) return;  // nodes are broken: no telling
    const Instant shadow = ends[i - 1].first;
    while (i < ends.size() && ends[i].first == shadow) free += ends[i++].second;
    std::int32_t spare = free - wanted;

    for (auto job = line.begin() + 1; job != line.end() && state.nodes_free > 0;) {
      const std::int32_t nodes = fleet.nodes(*job, 0);
      const Duration left = fleet.request(*job).estimate - fleet.done(*job);
      const bool ends_before = fleet.now() + left <= shadow;
      if ((ends_before || nodes <= spare) && fleet.start(*job, site)) {
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

std::unique_ptr<Scheduler> make_easy(std::string name, Knowledge knowledge,
                                     const SchedulerOptions& options) {
  return make_rule<Easy>(std::move(name), knowledge, options);
}

}  // namespace carnot::control
