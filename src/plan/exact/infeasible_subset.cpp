// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/exact/infeasible_subset.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/solve/integer_program.hpp"

#include "plan/exact/exact_model.hpp"
#include "plan/exact/infeasible_subset_words.hpp"
#include "plan/supply/supply.hpp"

namespace carnot::plan {

namespace {

constexpr double kFit = 1e-9;         // relative, as in the certificate
constexpr int kMostQuestions = 4000;  // asked of CBC to find a smaller contradiction

using Limits = std::vector<double>;  // [site x slots + slot] IT kW; infinite: none

/// Adds the whole-number rows of one job that can run in limited slots only. False: nowhere.
class FitModel {
 public:
  FitModel(const Problem& problem, const Limits& limits, const StopToken& stop = {})
      : problem_(problem), limits_(limits), stop_(stop), row_(limits.size(), -1) {}

  bool add(std::uint32_t job) {
    const PlanJobs& jobs = problem_.jobs;
    std::vector<Option> options;
    for (const std::uint32_t s : sites_of(problem_, job))
      for (const std::uint64_t i : needed_modes(jobs, job)) {
        Option option;
        const PlanMode& mode = jobs.mode(i);
        option.need = mode.slots;
        option.power = mode.power_kw;
        for (std::int32_t t = jobs.release(job); t < jobs.deadline(job); ++t) {
          const std::size_t cell = cell_of(problem_, {s, t});
          if (std::isinf(limits_[cell]))
            --option.need;
          else if (mode.power_kw <= limits_[cell] * (1 + kFit))
            option.cells.push_back(cell);
        }
        if (option.need <= 0) return true;  // beside all limits
        if (std::ssize(option.cells) >= option.need) options.push_back(std::move(option));
      }
    if (options.empty()) return false;
    std::vector<solve::Term> one;
    for (const Option& option : options) one.push_back({take(option), 1.0});
    program_.add_row(1.0, 1.0, one);
    return true;
  }

  bool feasible() {
    if (program_.columns() == 0) return true;
    solve::IntegerOptions options;
    options.stop = stop_;
    const solve::IntegerAnswer answer = solve::solve_integer(program_, whole_, options);
    if (!answer.found && !answer.proven) stop_.throw_if_requested();
    return answer.found;
  }

 private:
  struct Option {
    std::int32_t need = 0;
    double power = 0;
    std::vector<std::size_t> cells;
  };

  int take(const Option& option) {
    const int z = program_.add_column(0.0, 1.0, 0.0);
    whole_.push_back(z);
    std::vector<solve::Term> sum{{z, -static_cast<double>(option.need)}};
    for (const std::size_t cell : option.cells) {
      if (row_[cell] < 0) row_[cell] = program_.add_row(-kInfinity, 1.0, {});
      // A job without power has no share in a limit of none.
      const double share = option.power > 0.0 ? option.power / limits_[cell] : 0.0;
      const int x = program_.add_column(0.0, 1.0, 0.0, std::array{solve::Share{row_[cell], share}});
      whole_.push_back(x);
      sum.push_back({x, 1.0});
      program_.add_row(-kInfinity, 0.0, std::array{solve::Term{x, 1.0}, solve::Term{z, -1.0}});
    }
    program_.add_row(0.0, 0.0, sum);
    return z;
  }

  const Problem& problem_;
  const Limits& limits_;
  StopToken stop_;
  solve::LinearProgram program_;
  std::vector<int> row_, whole_;
};

/// Jobs and limits that may be part of a contradiction, numbered: jobs first.
class Members {
 public:
  Members(const Problem& problem, const StopToken& stop) : problem_(problem), stop_(stop) {
    for (const Supply& x : supplies(problem)) most_.push_back(x.most);
    for (std::uint32_t j = 0; j < problem.jobs.size(); ++j) jobs_.push_back(j);
    // A job that fits where nothing can get tight is out; then less gets tight.
    for (std::size_t before = 0; before != jobs_.size();) {
      before = jobs_.size();
      const Limits tight = tight_limits();
      std::erase_if(jobs_, [&](std::uint32_t j) { return fits_beside(j, tight); });
    }
    const Limits tight = tight_limits();
    for (std::uint32_t s = 0; s < problem.sites.size(); ++s)
      for (std::int32_t t = 0; t < problem.slots; ++t)
        if (std::isfinite(tight[cell_of(problem, {s, t})])) limits_.push_back({s, t});
  }

  std::size_t size() const noexcept { return jobs_.size() + limits_.size(); }

  /// \throws Stopped
  bool feasible(const std::vector<std::size_t>& members) {
    ++questions;
    stop_.throw_if_requested();
    const bool all_met = can_be_met(members);
    if (!all_met && (least_.empty() || members.size() < least_.size())) least_ = members;
    return all_met;
  }
  /// The fewest members that contradict each other, of all sets asked about; empty: none did.
  const std::vector<std::size_t>& least() const noexcept { return least_; }

  Clash clash(std::vector<std::size_t> members) const {
    std::sort(members.begin(), members.end());
    Clash out;
    for (const std::size_t i : members)
      if (i < jobs_.size())
        out.jobs.push_back(jobs_[i]);
      else
        out.limits.push_back(limits_[i - jobs_.size()]);
    return out;
  }

  int questions = 0;

 private:
  bool can_be_met(const std::vector<std::size_t>& members) const {
    std::vector<std::uint32_t> jobs;
    Limits limits(most_.size(), kInfinity);
    for (const std::size_t i : members)
      if (i < jobs_.size()) {
        jobs.push_back(jobs_[i]);
      } else {
        const std::size_t cell = cell_of(problem_, limits_[i - jobs_.size()]);
        limits[cell] = most_[cell];
      }
    FitModel model(problem_, limits, stop_);
    for (const std::uint32_t j : jobs)
      if (!model.add(j)) return false;
    return model.feasible();
  }
  /// Limits that the jobs still in question could pass, were all of them there at once.
  Limits tight_limits() const {
    Limits most(most_.size());
    for (const std::uint32_t j : jobs_) {
      const auto [least, greatest] = powers(problem_.jobs, j);
      for (const std::uint32_t s : sites_of(problem_, j))
        for (std::int32_t t = problem_.jobs.release(j); t < problem_.jobs.deadline(j); ++t)
          most[cell_of(problem_, {s, t})] += greatest;
    }
    for (std::size_t i = 0; i < most.size(); ++i)
      most[i] = most[i] > most_[i] * (1 + kFit) ? most_[i] : kInfinity;
    return most;
  }
  bool fits_beside(std::uint32_t job, const Limits& tight) const {
    const PlanJobs& jobs = problem_.jobs;
    for (const std::uint32_t s : sites_of(problem_, job)) {
      std::int32_t room = 0;
      for (std::int32_t t = jobs.release(job); t < jobs.deadline(job); ++t)
        room += std::isinf(tight[cell_of(problem_, {s, t})]);
      for (const std::uint64_t i : needed_modes(jobs, job))
        if (jobs.mode(i).slots <= room) return true;
    }
    return false;
  }

  const Problem& problem_;
  StopToken stop_;
  std::vector<std::size_t> least_;
  Limits most_;
  std::vector<std::uint32_t> jobs_;
  std::vector<PowerLimit> limits_;
};

using Set = std::vector<std::size_t>;

Set joined(const Set& a, const Set& b) {
  Set out = a;
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

/// Junker's QuickXplain (AAAI 2004): an irreducible part of `among` that contradicts `given`.
Set explain(Members& members, const Set& given, bool grown, const Set& among) {
  if (grown && !members.feasible(given)) return {};
  if (among.size() == 1) return among;
  const auto half = among.begin() + static_cast<std::ptrdiff_t>(among.size() / 2);
  const Set first(among.begin(), half), second(half, among.end());
  const Set of_second = explain(members, joined(given, first), true, second);
  const Set of_first = explain(members, joined(given, of_second), !of_second.empty(), first);
  return joined(of_first, of_second);
}

/// The fewest members of which each of `sets` has one.
Set hitting(const std::vector<Set>& sets, std::size_t size, const StopToken& stop) {
  solve::LinearProgram program;
  std::vector<int> whole;
  for (std::size_t i = 0; i < size; ++i) whole.push_back(program.add_column(0.0, 1.0, 1.0));
  for (const Set& set : sets) {
    std::vector<solve::Term> terms;
    for (const std::size_t i : set) terms.push_back({static_cast<int>(i), 1.0});
    program.add_row(1.0, kInfinity, terms);
  }
  solve::IntegerOptions options;
  options.stop = stop;
  const solve::IntegerAnswer answer = solve::solve_integer(program, whole, options);
  if (!answer.proven) stop.throw_if_requested();
  CARNOT_CHECK(answer.found && answer.proven, "a hitting set");
  Set out;
  for (std::size_t i = 0; i < size; ++i)
    if (answer.values[i] > 0.5) out.push_back(i);
  return out;
}

/// What a greatest possible set around `possible` leaves out.
Set left_out(Members& members, Set possible) {
  Set out;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (std::find(possible.begin(), possible.end(), i) != possible.end()) continue;
    possible.push_back(i);
    if (members.feasible(possible)) continue;
    possible.pop_back();
    out.push_back(i);
  }
  return out;
}

}  // namespace

bool all_fit(const Problem& problem, const std::vector<std::uint32_t>& jobs,
             const std::vector<PowerLimit>& limits) {
  const std::vector<Supply> supply = supplies(problem);
  Limits most(supply.size(), kInfinity);
  for (const PowerLimit& limit : limits) {
    const std::size_t cell = cell_of(problem, limit);
    most[cell] = supply[cell].most;
  }
  FitModel model(problem, most);
  return std::all_of(jobs.begin(), jobs.end(), [&](std::uint32_t j) { return model.add(j); }) &&
         model.feasible();
}

std::optional<Clash> find_clash(const Problem& problem, const StopToken& stop) {
  check_exact_size(problem);
  Members members(problem, stop);
  Set all(members.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  if (all.empty() || members.feasible(all)) return std::nullopt;
  Set best;
  bool smallest = false;
  try {
    best = explain(members, {}, false, all);
    std::reverse(all.begin(), all.end());
    if (const Set other = explain(members, {}, false, all); other.size() < best.size())
      best = other;
    std::vector<Set> sets;
    while (members.questions < kMostQuestions) {
      const Set candidate = hitting(sets, members.size(), stop);
      smallest = candidate.size() == best.size() || !members.feasible(candidate);
      if (smallest) {
        if (candidate.size() < best.size()) best = candidate;
        break;
      }
      sets.push_back(left_out(members, candidate));
    }
  } catch (const Stopped&) {
  }
  const bool irreducible = !best.empty();
  Clash clash = members.clash(irreducible ? best : members.least());
  clash.smallest = smallest;
  clash.irreducible = irreducible;
  put_in_words(problem, clash);
  return clash;
}

}  // namespace carnot::plan
