// SPDX-License-Identifier: Apache-2.0
#include "plan/search/extended_planner.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/solve/integer_program.hpp"

#include "plan/prices/dual_ascent.hpp"
#include "plan/prices/extended_columns.hpp"
#include "plan/pricing/every_run.hpp"
#include "plan/search/extended_search.hpp"

namespace carnot::plan {

namespace {

constexpr int kSettle = 3;  // times that jobs and sites adapt to each other
// A broken goal's multiplier is raised so often at most, by such a share, more each time.
constexpr int kFirmer = 40;
constexpr double kFirm = 0.01, kFirm2 = 1.3;
constexpr int kSweeps = 3;
constexpr int kAscent = 240,
              kKept = 16;  // iterations of the first prices; the last, whose runs are known
constexpr double kLastStep = 5e-4;
// Few enough for branch and cut to end in about a second: jobs, site-slots, runs of all and of one
// job, nodes.
constexpr std::size_t kFewJobs = 30, kFewCells = 500, kFewRuns = 2000, kFewRunsOfAJob = 1500;
constexpr int kFewNodes = 100;
constexpr int kMostCuts = 30;  // times that branch and cut is told what does not fit or costs more
constexpr double kProof = 1e-7;  // of a limit: by which proof must exceed rounding

double most(const Weights& w, const JobRun& run) { return std::abs(weighted(w.jobs, run.own)); }

/// Magnitude of what a measure may come to, for penalties.
double scale_of(const SiteModel& model, const Weights& objective) {
  const Problem& problem = model.problem();
  double sum = 1.0;
  for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
    JobRun run;
    run.own.drop = problem.jobs.value(j);
    sum += most(objective, run);
    double greatest = 0;
    for (std::size_t i = problem.jobs.mode_begin(j); i < problem.jobs.mode_end(j); ++i) {
      const PlanMode& mode = problem.jobs.mode(i);
      greatest = std::max(greatest, mode.slots * mode.power_kw * model.h());
      sum += std::abs(objective.jobs.quality * mode.quality_eur);
    }
    // A kWh as dear as a euro and as dirty as coal: only the magnitude matters.
    sum +=
        greatest * (objective.sites.money + 1000.0 * objective.sites.carbon + objective.sites.grid);
  }
  return sum;
}

/// One objective under given goals: from columns to whole jobs.
class Stage {
 public:
  Stage(const SiteModel& model, Measure measure, const std::vector<HeldGoal>& held,
        const PlannerOptions& options)
      : model_(model),
        problem_(model.problem()),
        objective_(weights_of(measure)),
        goals_(goal_rows(problem_, held)),
        options_(options),
        penalty_(10 * scale_of(model, objective_)),
        columns_(model, objective_, goals_, penalty_),
        sites_(model, objective_, goals_, penalty_),
        search_(model) {}

  struct Best {
    double objective = kInfinity;  // penalties included
    std::vector<JobRun> runs;
    std::vector<SiteFlows> flows;
    std::vector<std::pair<std::string, double>> broken;
  };

  /// Ends early where the options or `progress` say so. \throws Stopped if there is no plan then
  void run(const std::vector<std::vector<JobRun>>& known,
           const std::function<bool(double bound, double plan, double share)>& progress);

  /// Where jobs and their runs are few: the best choice among all of them, or among those known.
  void choose_whole();

  const Best& best() const noexcept { return best_; }
  bool has_plan() const { return !best_.runs.empty() || problem_.jobs.size() == 0; }
  /// By branch and cut over all runs that there are.
  bool proven() const noexcept { return proven_; }
  const ColumnAnswer& answer() const noexcept { return answer_; }
  const ExtendedColumns& columns() const noexcept { return columns_; }
  /// The best that is known.
  std::vector<double> row_prices() const {
    return answer_.row_prices.empty() ? columns_.rows().no_prices() : answer_.row_prices;
  }

 private:
  void improve(const std::vector<std::vector<JobRun>>& known,
               const std::function<bool(double bound, double plan, double share)>& progress);
  PricedWeights priced(const std::vector<double>& multipliers) const {
    return {problem_, objective_, goals_, multipliers};
  }
  /// Decides sites around the jobs in hand and remembers the best.
  void decide();
  bool cut_what_nodes_do_not_hold(const std::vector<JobRun>& runs);
  void first_plan();
  void whole_jobs(double trust);

  const SiteModel& model_;
  const Problem& problem_;
  Weights objective_;
  std::vector<GoalRow> goals_;
  const PlannerOptions& options_;
  double penalty_;
  ExtendedColumns columns_;
  SiteProgram sites_;
  ExtendedSearch search_;
  ColumnAnswer answer_;
  std::vector<double> multipliers_;  // of goals, for the search
  std::vector<SiteFlows> flows_;     // what the search sees
  Best best_;
  bool proven_ = false;
};

void Stage::choose_whole() {
  const std::size_t jobs = problem_.jobs.size();
  if (jobs == 0 || jobs > kFewJobs || model_.sites() * model_.slots() > kFewCells ||
      !solve::has_integer_solver())
    return;
  JobPrices offer;
  offer.hold_slots = problem_.reserve.hold_slots;
  offer.within_s = problem_.reserve.within_s;
  const auto fits = [&](const JobRun& run) {
    return std::all_of(run.pieces.begin(), run.pieces.end(), [&](const Piece& piece) {
      const auto t = static_cast<std::size_t>(piece.slot);
      const double most = problem_.sites[piece.site].capacity_kw[t];
      return model_.base(piece.site, t) + piece.power_kw <= most * (1.0 + kProof);
    });
  };
  bool all = true;
  std::vector<JobRun> runs;
  for (std::size_t j = 0; j < jobs; ++j) {
    columns_.add(j, best_.runs[j]);
    if (columns_.known_runs() > kFewRuns || !every_run(problem_, j, offer, kFewRunsOfAJob, runs)) {
      all = false;
      continue;
    }
    for (const JobRun& run : runs)
      if (fits(run)) columns_.add(j, run);
  }
  if (columns_.known_runs() > kFewRuns + kFewRunsOfAJob) return;
  const double least = kProof * std::max(1.0, std::abs(best_.objective));
  for (const RunRow& row : workflow_rows(problem_, search_.workflow(), columns_.known()))
    columns_.add_row(row.low, row.high, row.terms);
  ExtendedColumns::Whole whole;
  for (int n = 0; n < kMostCuts; ++n) {
    whole = columns_.whole(best_.objective - least, kFewNodes, options_.stop);
    if (!whole.found) break;
    if (!cut_what_nodes_do_not_hold(whole.runs)) {
      search_.set_runs(whole.runs);
      decide();
      // Where drawing power is paid for, knees cost the programme too little: the next best, then.
      if (best_.objective <= whole.objective + 5 * least) break;
      std::vector<ExtendedColumns::RunTerm> choice;
      for (std::size_t j = 0; j < jobs; ++j) choice.push_back({j, whole.chosen[j], 1.0});
      columns_.add_row(-kInfinity, static_cast<double>(jobs) - 1.0, choice);
    }
    whole.proven = false;
  }
  proven_ = all && whole.proven && best_.broken.empty();
}

/// Rows of sums let pass what no way of packing holds. \return whether there was such a cell
bool Stage::cut_what_nodes_do_not_hold(const std::vector<JobRun>& runs) {
  const PlanWorkflow& workflow = problem_.workflow;
  bool any = false;
  for (std::uint32_t s = 0; s < workflow.nodes.size(); ++s)
    for (std::int32_t t = 0; t < problem_.slots && !workflow.nodes[s].open.empty(); ++t) {
      const auto mode_in_cell = [&](const JobRun& run) {
        const Assignment& a = run.assignment;
        for (std::size_t i = 0; i < a.slots.size(); ++i)
          if (a.slots[i] == t && (run.schedule.sites.empty() ? a.site : run.schedule.sites[i]) == s)
            return a.mode;
        return kNone;
      };
      std::vector<const NodeNeed*> needs;
      std::vector<std::pair<std::uint32_t, std::uint32_t>> who;  // job and mode
      for (const auto& [j, of] : workflow.needs)
        if (const std::uint32_t mode = mode_in_cell(runs[j]); mode != kNone) {
          needs.push_back(&of[mode]);
          who.emplace_back(j, mode);
        }
      if (pack(workflow.nodes[s].node, workflow.nodes[s].open[static_cast<std::size_t>(t)], needs))
        continue;
      any = true;
      std::vector<ExtendedColumns::RunTerm> terms;
      for (const auto& [j, mode] : who)
        for (std::size_t k = 0; k < columns_.known()[j].size(); ++k)
          if (mode_in_cell(columns_.known()[j][k]) == mode) terms.push_back({j, k, 1.0});
      columns_.add_row(-kInfinity, static_cast<double>(who.size()) - 1.0, terms);
    }
  return any;
}

void Stage::decide() {
  const double objective = sites_.evaluate(search_.sums(), options_.stop);
  CARNOT_CHECK(objective < kInfinity || !best_.flows.empty(),
               "sites without jobs have a best answer");
  if (objective == kInfinity) return;
  flows_ = sites_.rows().flows();
  if (objective < best_.objective)
    best_ = {objective, search_.runs(), flows_, sites_.rows().broken()};
}

/// Greedily, seeing nothing but what is there: a plan to begin with.
void Stage::first_plan() {
  std::vector<JobRun> none;
  for (std::size_t j = 0; j < problem_.jobs.size(); ++j) {
    none.emplace_back();
    none.back().own.drop = problem_.jobs.value(j);
  }
  search_.set_runs(none);
  decide();
  multipliers_.assign(goals_.size(), 0.0);
  search_.look(priced(multipliers_), flows_);
  search_.sweep(0.0, options_.stop);
  decide();
}

void Stage::whole_jobs(double trust) {
  search_.look(priced(multipliers_), flows_);
  for (int n = 0; n < kSweeps; ++n)
    search_.sweep(trust * (1.0 - static_cast<double>(n) / kSweeps), options_.stop);
  decide();
}

void Stage::run(const std::vector<std::vector<JobRun>>& known,
                const std::function<bool(double, double, double)>& progress) {
  try {
    improve(known, progress);
  } catch (const Stopped&) {
    if (!has_plan()) throw;
  }
}

void Stage::improve(const std::vector<std::vector<JobRun>>& known,
                    const std::function<bool(double, double, double)>& progress) {
  first_plan();
  for (std::size_t j = 0; j < known.size(); ++j)
    for (const JobRun& run : known[j]) columns_.add(j, run);
  for (std::size_t j = 0; j < best_.runs.size(); ++j) columns_.add(j, best_.runs[j]);
  ColumnOptions columns;
  columns.threads = options_.threads > 0
                        ? options_.threads
                        : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (options_.iterations > 0) columns.rounds = options_.iterations;
  columns.stop = options_.stop;
  double first = -1;
  columns.progress = [&](const DantzigWolfe& so_far) {
    const double bound = so_far.bound, programme = so_far.programme;
    const double apart = std::log10(std::max(1e-6, (programme - bound) / std::abs(programme)));
    if (first < 0 && std::isfinite(bound)) first = std::max(0.1, apart + 3.3);
    const double share = first < 0 ? 0.0 : 0.7 * (1.0 - (apart + 3.3) / first);
    return progress(bound, best_.objective, std::clamp(share, 0.0, 0.7));
  };
  const auto know = [&](const std::vector<JobRun>& runs) {
    for (std::size_t j = 0; j < runs.size(); ++j) columns_.add(j, runs[j]);
  };
  const PricedWeights plain = priced(std::vector<double>(goals_.size()));
  JobPricing pricing(problem_, plain.jobs(), options_.stop);
  DualOptions ascent;
  ascent.threads = columns.threads;
  ascent.iterations = kAscent;
  ascent.last_step = kLastStep;
  ascent.least_price = -kInfinity;
  std::vector<JobRun> of_best;
  ascent.progress = [&](const DualResult& dual) {
    if (dual.best_iteration == dual.iterations) of_best = pricing.runs();
    const double share = static_cast<double>(dual.iterations - 1) / (kAscent - 1);
    if (!progress(-kInfinity, best_.objective, 0.2 * share)) return false;
    if (dual.iterations > kAscent - kKept) know(pricing.runs());
    return true;
  };
  const std::vector<double> price =
      maximise_dual(problem_, supplies(model_, plain, {}), pricing, {}, ascent).price;
  know(of_best);
  answer_ =
      columns_.solve(row_prices_at(model_, objective_, goals_, price, options_.stop), columns);
  if (!progress(answer_.bound, best_.objective, 0.7) || problem_.jobs.size() == 0) return;

  // Whole jobs, beginning with what the mixtures lean to and fearing their prices.
  multipliers_ = columns_.rows().goal_multipliers(answer_.row_prices);
  Plan prices;
  columns_.rows().multipliers(answer_.row_prices, prices);
  search_.set_guide(prices.price);
  search_.set_runs(columns_.greatest());
  flows_ = answer_.flows;
  whole_jobs(1.0);
  const std::int64_t rounds =
      options_.rounds >= 0 ? options_.rounds
                           : std::clamp<std::int64_t>(
                                 20 * static_cast<std::int64_t>(problem_.jobs.size()), 200, 6000);
  for (int n = 0; n < kSettle; ++n) {
    if (!progress(answer_.bound, best_.objective, 0.7 + 0.25 * n / kSettle)) return;
    search_.look(priced(multipliers_), flows_);
    search_.rebuild(static_cast<std::uint64_t>(rounds / kSettle), 0.0,
                    options_.seed + static_cast<std::uint64_t>(n), options_.stop);
    whole_jobs(0.0);
  }
  // Goals that whole jobs still break weigh more until they are kept.
  double firmer = kFirm;
  for (int n = 0; n < kFirmer; ++n) {
    if (!progress(answer_.bound, best_.objective, 0.95)) return;
    bool any = false;
    for (const auto& [words, share] : sites_.rows().broken())
      for (std::size_t k = 0; k < goals_.size(); ++k)
        if (words == goals_[k].words) {
          const double scale = goals_[k].limit == 0 ? 1.0 : std::abs(goals_[k].limit);
          multipliers_[k] = std::max((1 + firmer) * multipliers_[k], 1e-4 * penalty_ / scale);
          any = true;
        }
    if (!any) return;
    firmer *= kFirm2;
    whole_jobs(0.0);
  }
}

/// Limits alone: what no mixture of runs keeps, no plan does.
bool proven_infeasible(const SiteModel& model, const std::vector<HeldGoal>& held,
                       const PlannerOptions& options,
                       const std::vector<std::vector<JobRun>>& known) {
  const Weights nothing;
  ExtendedColumns columns(model, nothing, goal_rows(model.problem(), held), 1.0);
  for (std::size_t j = 0; j < known.size(); ++j)
    for (const JobRun& run : known[j]) columns.add(j, run);
  ColumnOptions search;
  search.gap = 0.5;
  if (options.iterations > 0) search.rounds = options.iterations;
  search.stop = options.stop;
  // Every plan that keeps the limits would cost nothing here.
  return columns.solve({}, search).bound > kProof;
}

/// A contract problem's plan has prices from zero up, and its sites follow from its jobs.
void as_contract(Plan& plan) {
  for (double& price : plan.price) price = std::max(price, 0.0);
  plan.flows.clear();
  plan.site_multipliers.clear();
  plan.goal_multipliers = {};
}

}  // namespace

ExtendedPlan plan_columns(const Problem& given_problem, const PlannerOptions& given,
                          std::vector<std::vector<JobRun>>& known) {
  const double began = given.stop.now();
  const auto seconds = [&] { return given.stop.now() - began; };
  PlannerOptions options = given;
  options.stop = given.stop.limited(given.time_limit_s);
  // Windows that predecessors leave: every plan is in them.
  const Problem narrow = given_problem.workflow.any() ? narrowed(given_problem) : Problem();
  const Problem& problem = given_problem.workflow.any() ? narrow : given_problem;
  const SiteModel model(problem);
  std::vector<Measure> order = problem.goals.order;
  std::erase(order, Measure::Cost);
  order.push_back(Measure::Cost);

  ExtendedPlan out;
  PlanProgress state;
  bool more = true, optimal = false;
  std::unique_ptr<Stage> stage;  // the last that found a plan
  for (std::size_t n = 0; n < order.size(); ++n) {
    auto next = std::make_unique<Stage>(model, order[n], out.plan.held, options);
    try {
      next->run(known, [&](double bound, double objective, double share) {
        state.bound_eur = bound;
        state.objective_eur = objective;
        state.share_done = (static_cast<double>(n) + share) / static_cast<double>(order.size());
        state.seconds = seconds();
        more = more && (!options.progress || options.progress(state));
        return more && !options.stop.requested();
      });
      if (more && !options.stop.requested()) next->choose_whole();
    } catch (const Stopped&) {
      if (!next->has_plan()) {
        if (stage == nullptr) throw;
        out.plan.held.pop_back();  // as the stage before knew it
        break;
      }
    }
    stage = std::move(next);
    known = stage->columns().known();
    const Stage::Best& best = stage->best();
    optimal = stage->proven() && order.size() == 1;
    if (!best.broken.empty() || !more || options.stop.requested()) break;
    if (n + 1 < order.size())
      out.plan.held.push_back({order[n], best.objective, stage->answer().bound});
  }
  const Stage::Best& best = stage->best();
  stage->columns().rows().multipliers(stage->row_prices(), out.plan);
  out.plan.flows = exact_flows(model, sums_of(problem, best.runs), best.flows);
  for (std::size_t j = 0; j < best.runs.size(); ++j) {
    out.plan.jobs.push_back(best.runs[j].assignment);
    const JobSchedule& schedule = best.runs[j].schedule;
    if (!schedule.sites.empty() || !schedule.levels.empty())
      out.plan.schedules[static_cast<std::uint32_t>(j)] = schedule;
  }
  for (const auto& [words, share] : best.broken)
    out.broken.push_back(fmt::format("{}: missed by {:.3g} %", words, 100 * share));
  if (!out.broken.empty()) out.proven = proven_infeasible(model, out.plan.held, options, known);
  if (!problem.extended()) as_contract(out.plan);
  const Certificate certificate = certify(given_problem, out.plan);
  CARNOT_CHECK(certificate.holds() || !out.broken.empty(), certificate.violations.front());
  out.plan.totals = certificate.totals;
  out.plan.objective_eur = certificate.totals.objective_eur;
  out.plan.bound_eur = certificate.totals.bound_eur;
  out.plan.solver = "columns";
  if (optimal) {
    out.plan.status = "optimal";
    out.plan.solver_bound_eur = out.plan.objective_eur;
  } else if (!more || given.stop.requested()) {
    out.plan.status = "stopped";
  } else if (options.stop.requested()) {
    out.plan.status = "time-limit";
  }
  out.plan.seconds = seconds();
  return out;
}

ExtendedPlan plan_extended(const Problem& problem, const PlannerOptions& options) {
  std::vector<std::vector<JobRun>> known;
  return plan_columns(problem, options, known);
}

}  // namespace carnot::plan
