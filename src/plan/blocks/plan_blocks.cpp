// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <thread>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/plan/blocks/blocks.hpp"

#include "plan/blocks/block_pricing.hpp"
#include "plan/blocks/block_search.hpp"
#include "plan/certificate/parts.hpp"
#include "plan/prices/dual_ascent.hpp"

namespace carnot::plan {

namespace {

constexpr int kIterations = 300, kRemembered = 30;
constexpr double kDualShare = 0.5;  // of the work, and of a time limit

class BlockPlanner {
 public:
  BlockPlanner(JobBlocks& blocks, Ranks& ranks, const BlockOptions& options)
      : parts_(blocks.parts()),
        ranks_(ranks),
        options_(options),
        began_(options.stop.now()),
        supply_(supplies(parts_.frame)),
        threads_(options.threads > 0
                     ? options.threads
                     : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))),
        draw_(draw()),
        units_(greatest_kw_) {
    state_.bound_eur = -kInfinity;
    state_.objective_eur = kInfinity;
  }

  Plan run() {
    Plan plan;
    plan.solver = "blocks";
    plan.price = prices();
    if (!stopped_) search(plan.price);
    for (Block& block : parts_.own) block.plan.resize(block.problem.jobs.size());
    if (stopped_) plan.status = in_time(1.0) ? "stopped" : "time-limit";
    certify(plan);
    plan.seconds = options_.stop.now() - began_;
    return plan;
  }

 private:
  bool in_time(double share) const {
    return options_.time_limit_s <= 0 ||
           options_.stop.now() - began_ < share * options_.time_limit_s;
  }
  StopToken until(double share) const {
    if (options_.time_limit_s <= 0) return options_.stop;
    return options_.stop.within(share * options_.time_limit_s - (options_.stop.now() - began_));
  }
  /// False once this rank is to stop.
  bool go_on(double share) {
    state_.share_done = std::max(state_.share_done, share);
    state_.seconds = options_.stop.now() - began_;
    if (options_.progress && !options_.progress(state_)) told_ = true;
    return !told_;
  }

  /// Also what PowerUnits wants: all jobs at once in their hungriest modes.
  JobsDraw draw() {
    const std::size_t blocks = parts_.all_blocks;
    std::vector<std::int64_t> sums(3 * blocks);
    for (std::size_t b = 0; b < parts_.own.size(); ++b) {
      const PlanJobs& jobs = parts_.own[b].problem.jobs;
      const JobsDraw of = draw_of(jobs);
      double most = 0;
      for (std::size_t j = 0; j < jobs.size(); ++j) {
        double power = 0;
        for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
          power = std::max(power, jobs.mode(i).power_kw);
        most += power;
      }
      sums[parts_.first + b] = to_bits(of.work);
      sums[blocks + parts_.first + b] = to_bits(of.greatest);
      sums[2 * blocks + parts_.first + b] = to_bits(most);
    }
    ranks_.sum(sums);
    JobsDraw out;
    for (std::size_t b = 0; b < blocks; ++b) {
      out.work += from_bits(sums[b]);
      out.greatest = std::max(out.greatest, from_bits(sums[blocks + b]));
      greatest_kw_ += from_bits(sums[2 * blocks + b]);
    }
    return out;
  }

  std::vector<double> prices() {
    for_all(parts_.own.size(), threads_, [&](std::size_t b) {
      Block& block = parts_.own[b];
      block.classes = std::make_unique<WindowClasses>(block.problem);
      block.pricing = std::make_unique<ClassPricing>(block.problem, *block.classes, 1);
    });
    BlockPricing pricing(parts_, ranks_, units_, StopToken([this, token = until(kDualShare)] {
                           return told_ || token.requested();
                         }));
    DualOptions dual;
    dual.threads = threads_;
    dual.iterations = options_.iterations > 0 ? options_.iterations : kIterations;
    dual.progress = [&](const DualResult& best) {
      state_.bound_eur = best.bound;
      if (best.iterations >= dual.iterations - kRemembered) pricing.remember();
      go_on(kDualShare * best.iterations / dual.iterations);
      return true;  // all ranks end at once, by the sum of the next answer
    };
    if (dual.iterations <= kRemembered) pricing.remember();
    const DualResult best = maximise_dual(parts_.frame.slot_h(), draw_, supply_, pricing, {}, dual);
    for (Block& block : parts_.own) block.pricing.reset();
    stopped_ = ranks_.any(told_ || options_.stop.requested());
    return best.price;
  }

  void search(const std::vector<double>& price) {
    const StopToken stop = until(1.0);
    const auto asked = [&] { return !told_ && !stop.requested(); };
    BlockSearch search(parts_, ranks_, units_, supply_, price, threads_, options_.seed);
    search.place_in_shares(asked);
    const int rounds = std::max(options_.rounds, 0);
    for (int n = 1; n <= rounds; ++n) {
      const double done = static_cast<double>(n) / rounds;
      go_on(kDualShare + (1 - kDualShare) * done);
      stopped_ = ranks_.any(!asked());
      if (stopped_) return;
      search.round(n, done, asked);
    }
    stopped_ = ranks_.any(!asked());
  }

  /// Sums over blocks what each costs, draws, breaks and must cost at least.
  void certify(Plan& plan) {
    const std::size_t cells = supply_.size(), blocks = parts_.all_blocks;
    // Units of each site-slot; then of each block: cost, sum and magnitude of the bound; then jobs
    // dropped, and things wrong.
    std::vector<std::int64_t> sums(cells + 3 * blocks + 2);
    std::vector<std::string> wrong(parts_.own.size());
    std::mutex adding;
    for_all(parts_.own.size(), threads_, [&](std::size_t b) {
      Problem problem = parts_.frame;
      std::swap(problem.jobs, parts_.own[b].problem.jobs);
      Plan of;
      std::swap(of.jobs, parts_.own[b].plan);
      const JobsPart part = certify_jobs(problem, of, {});
      BoundSum bound;
      add_jobs_bound(problem, plan.price, {}, bound);
      std::swap(of.jobs, parts_.own[b].plan);
      std::swap(problem.jobs, parts_.own[b].problem.jobs);
      for (const std::string& words : part.violations.words) wrong[b] += words + "\n";
      const std::lock_guard lock(adding);
      for (std::size_t i = 0; i < cells; ++i) sums[i] += units_.whole(part.load[i]);
      std::int64_t* own = &sums[cells + 3 * (parts_.first + b)];
      own[0] = to_bits(part.cost.value());
      own[1] = to_bits(bound.sum.value());
      own[2] = to_bits(bound.magnitude.value());
      sums[cells + 3 * blocks] += static_cast<std::int64_t>(part.dropped);
      sums[cells + 3 * blocks + 1] += static_cast<std::int64_t>(part.violations.count);
    });
    for (const std::string& words : wrong) CARNOT_CHECK(words.empty(), words);
    ranks_.sum(sums);
    JobsPart all;
    BoundSum bound;
    for (std::size_t i = 0; i < cells; ++i) all.load.push_back(units_.kw(sums[i]));
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::int64_t* of = &sums[cells + 3 * b];
      all.cost += from_bits(of[0]);
      bound.sum += from_bits(of[1]);
      bound.magnitude += from_bits(of[2]);
    }
    all.dropped = static_cast<std::size_t>(sums[cells + 3 * blocks]);
    all.violations.count = static_cast<std::size_t>(sums[cells + 3 * blocks + 1]);
    add_sites_bound(parts_.frame, plan.price, bound);
    const Certificate certificate = certify_sites_of(parts_.frame, all, bound.value());
    CARNOT_CHECK(certificate.holds(), certificate.violations.empty()
                                          ? "a job of another rank"
                                          : certificate.violations.front());
    plan.totals = certificate.totals;
    plan.objective_eur = plan.totals.objective_eur;
    plan.bound_eur = plan.totals.bound_eur;
    state_.objective_eur = plan.objective_eur;
    state_.bound_eur = plan.bound_eur;
    go_on(1.0);
  }

  JobBlocks::Parts& parts_;
  Ranks& ranks_;
  const BlockOptions& options_;
  double began_;
  std::vector<Supply> supply_;
  int threads_;
  double greatest_kw_ = 0;
  JobsDraw draw_;
  PowerUnits units_;
  PlanProgress state_;
  bool told_ = false;     // this rank, by whoever watches
  bool stopped_ = false;  // all of them
};

}  // namespace

Plan plan_blocks(JobBlocks& blocks, Ranks& ranks, const BlockOptions& options) {
  return BlockPlanner(blocks, ranks, options).run();
}

}  // namespace carnot::plan
