// SPDX-License-Identifier: Apache-2.0
#include "carnot/solve/integer_program.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "solve/clp_stop.hpp"

#ifdef CARNOT_HAVE_CBC
#include <CbcEventHandler.hpp>
#include <CbcHeuristic.hpp>
#include <CbcHeuristicFPump.hpp>
#include <CbcHeuristicRINS.hpp>
#include <CbcModel.hpp>
#include <CglFlowCover.hpp>
#include <CglGomory.hpp>
#include <CglKnapsackCover.hpp>
#include <CglMixedIntegerRounding2.hpp>
#include <CglPreProcess.hpp>
#include <CglProbing.hpp>
#include <OsiClpSolverInterface.hpp>
#endif

namespace carnot::solve {

#ifdef CARNOT_HAVE_CBC

namespace {

constexpr double kWhole = 1e-6;  // by which CBC's whole numbers may be off
constexpr double kTolerance = 1e-9;
constexpr int kPasses = 5;       // of preprocessing
constexpr double kGraceS = 1.0;  // for a plan that was found to be told in the columns asked for

/// What is known of a search and who may end it; outlives CBC's copies of the handler.
struct Watch {
  StopToken stop;
  const std::function<bool(double)>& progress;
  const CbcModel* model = nullptr;
  bool ended = false;         // by `progress`
  double bound = -kInfinity;  // before anything was cut short
};

class Handler : public CbcEventHandler {
 public:
  explicit Handler(Watch& watch) : watch_(&watch) {}
  CbcAction event(CbcEvent) override {
    if (watch_->stop.requested()) return stop;
    // Heuristics have searches of their own, whose bounds are not ours.
    if (model_ == watch_->model) watch_->bound = model_->getBestPossibleObjValue();
    watch_->ended = watch_->ended || (watch_->progress && !watch_->progress(watch_->bound));
    return watch_->ended ? stop : noAction;
  }
  CbcEventHandler* clone() const override { return new Handler(*this); }

 private:
  Watch* watch_;
};

/// Ends between two pivots like `ClpStop`, and once stopped does not begin either: presolving alone
/// can take seconds.
class StoppableClp : public OsiClpSolverInterface {
 public:
  explicit StoppableClp(const StopToken& stop) : stop_(&stop) {
    const ClpStop ends_pivots(stop);
    getModelPtr()->passInEventHandler(&ends_pivots);
  }
  OsiSolverInterface* clone(bool copy = true) const override {
    return copy ? new StoppableClp(*this) : new StoppableClp(*stop_);
  }
  void initialSolve() override {
    if (goes_on()) OsiClpSolverInterface::initialSolve();
  }
  void resolve() override {
    if (goes_on()) OsiClpSolverInterface::resolve();
  }

 private:
  bool goes_on() {
    if (!stop_->requested()) return true;
    getModelPtr()->setProblemStatus(ClpStop::kStatus);
    return false;
  }

  const StopToken* stop_;
};

void load(const LinearProgram& program, std::span<const int> integers, OsiClpSolverInterface& to) {
  const auto columns = static_cast<int>(program.columns());
  std::vector<int> row, column;
  std::vector<double> element, lower, upper, least, most;
  for (const LinearProgram::Entry& entry : program.entries()) {
    row.push_back(entry.row);
    column.push_back(entry.column);
    element.push_back(entry.coefficient);
  }
  const auto split = [](const std::vector<LinearProgram::Bounds>& of, std::vector<double>& low,
                        std::vector<double>& high) {
    for (const LinearProgram::Bounds& bounds : of) {
      low.push_back(std::max(bounds.lower, -COIN_DBL_MAX));
      high.push_back(std::min(bounds.upper, COIN_DBL_MAX));
    }
  };
  split(program.column_bounds(), lower, upper);
  split(program.row_bounds(), least, most);
  CoinPackedMatrix matrix(true, row.data(), column.data(), element.data(),
                          static_cast<CoinBigIndex>(element.size()));
  matrix.setDimensions(static_cast<int>(program.rows()), columns);
  to.loadProblem(matrix, lower.data(), upper.data(), program.costs().data(), least.data(),
                 most.data());
  for (const int j : integers) to.setInteger(j);
}

/// Cuts and heuristics as CBC's own driver has them for models of this kind.
void equip(CbcModel& model) {
  CglProbing probing;
  probing.setUsingObjective(1);
  probing.setMaxPass(1);
  probing.setMaxPassRoot(1);
  probing.setMaxProbe(10);
  probing.setMaxLook(10);
  probing.setRowCuts(3);
  model.addCutGenerator(&probing, -1, "probing");
  CglGomory gomory;
  gomory.setLimit(300);
  model.addCutGenerator(&gomory, -1, "gomory");
  CglKnapsackCover knapsack;
  model.addCutGenerator(&knapsack, -1, "knapsack");
  CglMixedIntegerRounding2 rounding_cuts(1, true, 1);
  model.addCutGenerator(&rounding_cuts, -1, "rounding");
  CglFlowCover flow;
  model.addCutGenerator(&flow, -1, "flow");
  CbcRounding rounding(model);
  model.addHeuristic(&rounding);
  CbcHeuristicFPump pump(model);
  pump.setMaximumPasses(20);
  model.addHeuristic(&pump);
  CbcHeuristicRINS neighbours(model);
  neighbours.setHowOften(100);
  model.addHeuristic(&neighbours);
}

}  // namespace

bool has_integer_solver() noexcept { return true; }

IntegerAnswer solve_integer(const LinearProgram& program, std::span<const int> integers,
                            const IntegerOptions& options) {
  Watch watch{options.stop, options.progress};
  StoppableClp whole(watch.stop);
  load(program, integers, whole);
  whole.messageHandler()->setLogLevel(0);
  whole.setDblParam(OsiPrimalTolerance, kTolerance);
  whole.setDblParam(OsiDualTolerance, kTolerance);
  IntegerAnswer answer;
  const double infinite = kInfinity;
  CglPreProcess process;
  process.messageHandler()->setLogLevel(0);
  OsiSolverInterface* reduced = process.preProcess(whole, false, kPasses);
  if (watch.stop.requested()) return answer;
  if (reduced == nullptr) {
    answer.proven = true;
    answer.bound = infinite;
    return answer;
  }
  reduced->setHintParam(OsiDoReducePrint, true, OsiHintTry);
  // Where nothing is left to decide, telling it in the columns asked for crashes now and then
  // (CglPreProcess 0.60): then without.
  const bool is_reduced = reduced->getNumCols() > 0;
  CbcModel model(is_reduced ? *reduced : whole);
  model.setLogLevel(0);
  model.messageHandler()->setLogLevel(0);
  model.solver()->messageHandler()->setLogLevel(0);
  model.setIntegerTolerance(kWhole);
  model.setAllowableGap(0.0);
  model.setAllowableFractionGap(0.0);
  if (options.cutoff < infinite) model.setCutoff(options.cutoff);
  equip(model);
  watch.model = &model;
  const Handler handler(watch);
  model.passInEventHandler(&handler);
  model.initialSolve();
  if (watch.stop.requested()) return answer;
  if (!model.solver()->isProvenOptimal()) {
    answer.proven = model.solver()->isProvenPrimalInfeasible();
    if (answer.proven) answer.bound = infinite;
    return answer;
  }
  model.branchAndBound();
  // A node whose programme was cut short passes for infeasible: nothing said since then counts.
  const bool whole_search = !watch.stop.requested();
  answer.proven = whole_search && (model.isProvenOptimal() || model.isProvenInfeasible());
  answer.bound = whole_search ? model.getBestPossibleObjValue() : watch.bound;
  if (model.bestSolution() == nullptr) {
    if (answer.proven) answer.bound = infinite;
    return answer;
  }
  if (!whole_search) watch.stop = StopToken().within(kGraceS);
  if (is_reduced) process.postProcess(*model.solver());
  if (!whole_search && watch.stop.requested()) return answer;
  const double* const values = is_reduced ? whole.getColSolution() : model.bestSolution();
  answer.values.assign(values, values + program.columns());
  for (const int j : integers) {
    double& value = answer.values[static_cast<std::size_t>(j)];
    if (std::abs(value - std::round(value)) <= kWhole) value = std::round(value);
  }
  for (std::size_t j = 0; j < answer.values.size(); ++j)
    answer.objective += program.costs()[j] * answer.values[j];
  answer.violation = program.violation(answer.values);
  answer.found = true;
  return answer;
}

#else

bool has_integer_solver() noexcept { return false; }

IntegerAnswer solve_integer(const LinearProgram&, std::span<const int>, const IntegerOptions&) {
  throw DeviceError(
      "this build has no solver for whole numbers: install coinor-libcbc-dev, configure and build "
      "again");
}

#endif

}  // namespace carnot::solve
