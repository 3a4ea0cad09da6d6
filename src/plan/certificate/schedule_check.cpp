// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "plan/certificate/jobs.hpp"
#include "plan/certificate/terms.hpp"

namespace carnot::plan {

namespace {

/// Follows one schedule.
class Follow {
 public:
  Follow(const Problem& problem, std::size_t job, const Assignment& assignment,
         const JobSchedule& schedule, std::vector<std::string>& wrong)
      : problem_(problem),
        jobs_(problem.jobs),
        job_(job),
        a_(assignment),
        c_(schedule),
        out_(wrong) {}

  /// Whether the schedule can be followed at all.
  bool readable(const JobTerms& terms) const {
    const std::size_t before = out_.size();
    if (a_.mode >= jobs_.mode_end(job_) - jobs_.mode_begin(job_))
      wrong(fmt::format("no mode {}", a_.mode));
    if (a_.slots.empty()) wrong("runs in no slot");
    if (!c_.sites.empty() && (c_.sites.size() != a_.slots.size() || c_.sites[0] != a_.site))
      wrong("not one site a slot, that of the job first");
    if (!c_.levels.empty() && c_.levels.size() != a_.slots.size()) wrong("not one level a slot");
    if (out_.size() > before) return false;
    for (std::size_t i = 0; i < a_.slots.size(); ++i) {
      const std::int32_t t = a_.slots[i];
      if (i > 0 && t <= a_.slots[i - 1]) wrong(fmt::format("slot {} is not after the last", t));
      if (t < jobs_.release(job_) || t >= jobs_.deadline(job_))
        wrong(
            fmt::format("slot {} outside [{}, {})", t, jobs_.release(job_), jobs_.deadline(job_)));
      if (site(i) >= problem_.sites.size())
        wrong(fmt::format("no site {}", site(i)));
      else if (!may_run_at(jobs_, job_, site(i)))
        wrong(fmt::format("site {} is not allowed", site(i)));
      if (level(i) > 0 && (terms.levels.empty() || level(i) > terms.levels[a_.mode].size()))
        wrong(fmt::format("no level {}", level(i)));
    }
    return out_.size() == before;
  }

  OwnCost follow(const JobTerms& terms, std::int32_t stoppable_by, std::span<double> load,
                 std::span<double> stoppable) const {
    const PlanMode& mode = jobs_.mode(jobs_.mode_begin(job_) + a_.mode);
    const Carriage way = carriage(problem_, terms);
    const std::int32_t need = mode.slots * terms.speed_parts;
    const bool stops = a_.slots.back() < stoppable_by;
    OwnCost own;
    own.quality = mode.quality_eur;
    own.move = jobs_.move_eur(job_, a_.site);
    own.late = terms.late_eur_per_slot * std::max(0, a_.slots.back() + 1 - terms.due);
    std::int32_t done = 0, done_before_run = 0, length = 0, to_read = 0;
    for (std::size_t i = 0; i < a_.slots.size(); ++i) {
      const std::int32_t t = a_.slots[i];
      const std::uint32_t from = i == 0 ? jobs_.origin(job_) : site(i - 1);
      const bool elsewhere = from != site(i);
      if (elsewhere && from != kNone && terms.data_gb > 0) {
        const std::int32_t earliest = i == 0 ? jobs_.release(job_) : a_.slots[i - 1] + 1;
        if (t - way.slots < earliest)
          wrong(fmt::format("slot {}: its data needs {} slots to get to site {}", t, way.slots,
                            site(i)));
        own.move += egress_eur(problem_, terms, from);
        for (std::int32_t u = std::max(earliest, t - way.slots); u < t; ++u)
          for (const std::uint32_t end : {from, site(i)}) load[cell(end, u)] += way.end_kw;
      }
      if (i > 0 && (elsewhere || t > a_.slots[i - 1] + 1)) {
        if (!terms.preemptible) wrong(fmt::format("slot {}: it may not be interrupted", t));
        if (elsewhere && !terms.movable) wrong(fmt::format("slot {}: it may not move", t));
        if (length < terms.min_run_slots)
          wrong(fmt::format("slot {}: the run before ended after {} slots", t, length));
        if (done == done_before_run) wrong(fmt::format("slot {}: the run before did no work", t));
        done_before_run = done;
        if (elsewhere) own.move += terms.each_move_eur;
        own.restart += terms.restart_eur;
        to_read = terms.restart_slots;
        length = 0;
      }
      ++length;
      double kw = mode.power_kw;
      if (done >= need) wrong(fmt::format("slot {}: its work is done", t));
      if (to_read > 0) {
        --to_read;
        if (level(i) != 0) wrong(fmt::format("slot {}: a restart is at level 0", t));
      } else if (level(i) == 0) {
        done += terms.speed_parts;
      } else {
        const PlanLevel& x = terms.levels[a_.mode][level(i) - 1];
        done += x.parts;
        kw = x.power_kw;
      }
      load[cell(site(i), t)] += kw;
      if (stops && !stoppable.empty()) stoppable[cell(site(i), t)] += kw;
    }
    if (done < need) wrong(fmt::format("{} of {} parts of its work are done", done, need));
    return own;
  }

 private:
  std::uint32_t site(std::size_t i) const { return c_.sites.empty() ? a_.site : c_.sites[i]; }
  std::uint32_t level(std::size_t i) const { return c_.levels.empty() ? 0 : c_.levels[i]; }
  std::size_t cell(std::uint32_t site, std::int32_t t) const {
    return site * static_cast<std::size_t>(problem_.slots) + static_cast<std::size_t>(t);
  }
  void wrong(std::string_view what) const {
    out_.push_back(fmt::format("job {}: {}", jobs_.id(job_), what));
  }

  const Problem& problem_;
  const PlanJobs& jobs_;
  std::size_t job_;
  const Assignment& a_;
  const JobSchedule& c_;
  std::vector<std::string>& out_;
};

}  // namespace

OwnCost check_schedule(const Problem& problem, std::size_t job, const Assignment& assignment,
                       const JobSchedule& schedule, const JobPrices& offer,
                       std::span<double> load_kw, std::span<double> stoppable_kw,
                       std::vector<std::string>& wrong) {
  OwnCost own;
  if (assignment.site == kNone) {
    own.drop = problem.jobs.value(job);
    if (!assignment.slots.empty() || !schedule.sites.empty() || !schedule.levels.empty())
      wrong.push_back(fmt::format("job {}: dropped, yet it has slots", problem.jobs.id(job)));
    return own;
  }
  const JobTerms* given = problem.terms_of(job);
  const JobTerms terms = given == nullptr ? JobTerms() : *given;
  const Follow follow(problem, job, assignment, schedule, wrong);
  if (!follow.readable(terms)) return own;
  return follow.follow(terms, stoppable_end(problem, job, terms, offer), load_kw, stoppable_kw);
}

}  // namespace carnot::plan
