// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/dispatch/optimal_power_flow.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/solve/linear_program.hpp"

#include "grid/dispatch/flow_limits.hpp"

namespace carnot::grid {

namespace {

constexpr int kMostRounds = 200;
/// Of losses, so that nothing is lost for nothing where energy costs nothing.
constexpr double kLossPrice = 1e-6;
constexpr double kFeasible = 1e-6;  ///< relative

double sum(const std::vector<double>& values) {
  double total = 0.0;
  for (const double value : values) total += value;
  return total;
}

double square_loss(double resistance_pu, double base_mva, double flow_mw) {
  return resistance_pu * flow_mw * flow_mw / base_mva;
}

}  // namespace

struct OptimalPowerFlow::Impl {
  Impl(const Grid& grid_of, OpfOptions options_of);

  Grid grid;
  const OpfOptions options;
  solve::LinearProgram program;
  std::vector<BranchLine> lines;
  // Columns and rows; -1: none. Of what is priced generators come first, then direct-current lines.
  struct Priced {
    int power = -1, curve = -1;
    const GeneratorCost* cost = nullptr;
  };
  std::vector<Priced> priced;
  std::vector<int> angle, output, dc, shed, loss;
  std::vector<int> joined;  ///< flow of a branch without reactance
  std::vector<int> balance, limit;
  std::string contradiction;   ///< limits that nothing can keep
  std::size_t hulls = 0;       ///< costs that are not convex
  std::size_t first_rows = 0;  ///< before any refinement

  void add_columns();
  void add_balances();
  void add_limit(std::size_t branch);
  int add_priced(const GeneratorCost& cost, double minimum_mw, double maximum_mw);
  void add_curve(const Priced& of, double minimum_mw, double maximum_mw);
  void add_cost_tangent(const Priced& of, double power_mw);
  void add_loss_tangent(std::size_t branch, double flow_mw);
  void apply(const GridState& state);
  std::array<solve::Term, 2> unshifted_flow(std::size_t branch, double factor) const;
  double flow_of(std::size_t branch) const;
  /// Adds tangents where the programme is below the truth. \returns false if nowhere by much
  bool refine(double demand_mw);
  void report(const GridState& state, const solve::ProgramAnswer& answer, OpfResult& result) const;
};

OptimalPowerFlow::Impl::Impl(const Grid& grid_of, OpfOptions options_of)
    : grid(grid_of), options(options_of) {
  if (!grid.cost_fault.empty()) throw InputError(grid.cost_fault);
  validate(grid, grid.name.empty() ? "grid" : grid.name);
  if (!options.dc_links)
    for (GridDcLine& line : grid.dc_lines) line = {.from = line.from, .to = line.to};
  for (const GridBranch& branch : grid.branches)
    lines.push_back(branch_line(branch, grid.base_mva, options.branch_model));
  add_columns();
  add_balances();
  for (std::size_t l = 0; l < grid.branches.size(); ++l) add_limit(l);
  for (std::size_t g = 0; g < grid.generators.size(); ++g)
    add_curve(priced[g], grid.generators[g].minimum_mw, grid.generators[g].maximum_mw);
  for (std::size_t d = 0; d < grid.dc_lines.size(); ++d)
    add_curve(priced[grid.generators.size() + d], grid.dc_lines[d].minimum_mw,
              grid.dc_lines[d].maximum_mw);
  first_rows = program.rows();
}

int OptimalPowerFlow::Impl::add_priced(const GeneratorCost& cost, double minimum_mw,
                                       double maximum_mw) {
  const bool curved = !cost.points.empty() || cost.c2_per_mw2h > 0.0;
  const int power = program.add_column(minimum_mw, maximum_mw, curved ? 0.0 : cost.c1_per_mwh);
  priced.push_back({power, curved ? program.add_column(-kInfinity, kInfinity, 1.0) : -1, &cost});
  return power;
}

void OptimalPowerFlow::Impl::add_curve(const Priced& of, double minimum_mw, double maximum_mw) {
  if (of.cost->hull_differs()) ++hulls;
  if (of.curve < 0) return;
  for (const GeneratorCost::Line& line : of.cost->hull())
    program.add_row(
        line.intercept_per_h, kInfinity,
        std::array{solve::Term{of.curve, 1.0}, solve::Term{of.power, -line.slope_per_mwh}});
  if (!of.cost->points.empty()) return;
  // A range without end: tangents where they may be of use, and at each solution.
  double most = 1.0;
  for (const GridBus& bus : grid.buses) most += std::abs(bus.demand_mw);
  const double low = std::clamp(minimum_mw, -most, most), high = std::clamp(maximum_mw, low, most);
  const bool ends = std::isfinite(minimum_mw) && std::isfinite(maximum_mw);
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0})
    add_cost_tangent(of,
                     ends ? std::lerp(minimum_mw, maximum_mw, share) : std::lerp(low, high, share));
}

void OptimalPowerFlow::Impl::add_columns() {
  for (const bool reference : reference_buses(grid)) {
    const double bound = reference ? 0.0 : kInfinity;
    angle.push_back(program.add_column(-bound, bound, 0.0));
  }
  for (const GridGenerator& generator : grid.generators) {
    const GeneratorCost& cost = generator.cost;
    if (!(cost.c2_per_mw2h >= 0.0))
      throw InputError(fmt::format("generator {} at bus {}: cost: a square term of at least 0",
                                   generator.name, grid.buses[generator.bus].id));
    output.push_back(add_priced(cost, generator.minimum_mw, generator.maximum_mw));
  }
  for (const GridDcLine& line : grid.dc_lines)
    dc.push_back(add_priced(line.cost, line.minimum_mw, line.maximum_mw));
  for (const BranchLine& line : lines)
    joined.push_back(line.joins ? program.add_column(-kInfinity, kInfinity, 0.0) : -1);
  const bool sheds = std::isfinite(options.shed_price_per_mwh);
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    shed.push_back(sheds ? program.add_column(0.0, 0.0, options.shed_price_per_mwh) : -1);
  for (const GridBranch& branch : grid.branches)
    loss.push_back(options.losses && branch.resistance_pu > 0.0
                       ? program.add_column(0.0, kInfinity, kLossPrice)
                       : -1);
}

/// Angles are in units of 1 / base_mva radian: coefficients near one.
std::array<solve::Term, 2> OptimalPowerFlow::Impl::unshifted_flow(std::size_t branch,
                                                                  double factor) const {
  const GridBranch& b = grid.branches[branch];
  if (joined[branch] >= 0)
    return {solve::Term{joined[branch], factor}, solve::Term{joined[branch], 0.0}};
  const double k = factor * lines[branch].mw_per_rad / grid.base_mva;
  return {solve::Term{angle[b.from], k}, solve::Term{angle[b.to], -k}};
}

void OptimalPowerFlow::Impl::add_balances() {
  std::vector<std::vector<solve::Term>> terms(grid.buses.size());
  for (std::size_t g = 0; g < grid.generators.size(); ++g)
    terms[grid.generators[g].bus].push_back({output[g], 1.0});
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    const GridBranch& branch = grid.branches[l];
    for (const solve::Term& term : unshifted_flow(l, 1.0)) {
      terms[branch.from].push_back({term.column, -term.coefficient});
      terms[branch.to].push_back(term);
    }
    if (loss[l] < 0) continue;
    terms[branch.from].push_back({loss[l], -0.5});
    terms[branch.to].push_back({loss[l], -0.5});
  }
  for (std::size_t d = 0; d < grid.dc_lines.size(); ++d) {
    terms[grid.dc_lines[d].from].push_back({dc[d], -1.0});
    terms[grid.dc_lines[d].to].push_back({dc[d], 1.0 - grid.dc_lines[d].loss_share});
  }
  for (std::size_t b = 0; b < grid.buses.size(); ++b) {
    if (shed[b] >= 0) terms[b].push_back({shed[b], 1.0});
    balance.push_back(program.add_row(0.0, 0.0, terms[b]));
  }
}

void OptimalPowerFlow::Impl::add_limit(std::size_t l) {
  const GridBranch& branch = grid.branches[l];
  const BranchLine& line = lines[l];
  const FlowLimits limits = flow_limits(branch, line);
  const double lower = limits.lower_mw + line.shift_mw, upper = limits.upper_mw + line.shift_mw;
  if (!(lower <= upper))
    contradiction = fmt::format("branch {} from bus {} to {}: no flow keeps all its limits", l + 1,
                                grid.buses[branch.from].id, grid.buses[branch.to].id);
  if (line.joins) {
    const double apart = line.shift_rad * grid.base_mva;
    program.add_row(
        apart, apart,
        std::array{solve::Term{angle[branch.from], 1.0}, solve::Term{angle[branch.to], -1.0}});
  }
  const bool limited = std::isfinite(lower) || std::isfinite(upper);
  limit.push_back(limited ? program.add_row(lower, upper, unshifted_flow(l, 1.0)) : -1);
}

void OptimalPowerFlow::Impl::add_cost_tangent(const Priced& of, double power_mw) {
  const double slope = of.cost->c1_per_mwh + 2.0 * of.cost->c2_per_mw2h * power_mw;
  program.add_row(of.cost->per_h(power_mw) - slope * power_mw, kInfinity,
                  std::array{solve::Term{of.curve, 1.0}, solve::Term{of.power, -slope}});
}

void OptimalPowerFlow::Impl::add_loss_tangent(std::size_t l, double flow_mw) {
  const double slope = 2.0 * grid.branches[l].resistance_pu * flow_mw / grid.base_mva;
  const auto [from, to] = unshifted_flow(l, -slope);
  const double at_zero = square_loss(grid.branches[l].resistance_pu, grid.base_mva, flow_mw);
  program.add_row(-at_zero - slope * lines[l].shift_mw, kInfinity,
                  std::array{solve::Term{loss[l], 1.0}, from, to});
}

void OptimalPowerFlow::Impl::apply(const GridState& state) {
  std::vector<double> drawn(grid.buses.size());
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    drawn[b] = state.demand_mw[b] + grid.buses[b].shunt_mw;
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    drawn[grid.branches[l].from] -= lines[l].shift_mw;
    drawn[grid.branches[l].to] += lines[l].shift_mw;
  }
  for (const GridDcLine& line : grid.dc_lines) drawn[line.to] += line.loss_mw;
  for (std::size_t b = 0; b < grid.buses.size(); ++b) {
    program.set_row(balance[b], drawn[b], drawn[b]);
    if (shed[b] >= 0) program.set_column(shed[b], 0.0, std::max(0.0, state.demand_mw[b]));
  }
  for (std::size_t g = 0; g < grid.generators.size(); ++g)
    program.set_column(output[g], state.minimum_mw[g], state.maximum_mw[g]);
}

double OptimalPowerFlow::Impl::flow_of(std::size_t branch) const {
  double flow = -lines[branch].shift_mw;
  for (const solve::Term& term : unshifted_flow(branch, 1.0))
    flow += term.coefficient * program.value(term.column);
  return flow;
}

bool OptimalPowerFlow::Impl::refine(double demand_mw) {
  struct Gap {
    std::size_t index = 0;
    double size = 0.0;
  };
  std::vector<Gap> costs, losses;
  double total_cost = 0.0, cost_gap = 0.0, loss_gap = 0.0;
  for (std::size_t p = 0; p < priced.size(); ++p) {
    const double cost = priced[p].cost->per_h(program.value(priced[p].power));
    total_cost += cost;
    if (priced[p].curve < 0 || !priced[p].cost->points.empty()) continue;
    const double gap = cost - program.value(priced[p].curve);
    costs.push_back({p, gap});
    cost_gap += std::max(0.0, gap);
  }
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    if (loss[l] < 0) continue;
    const double gap = square_loss(grid.branches[l].resistance_pu, grid.base_mva, flow_of(l)) -
                       program.value(loss[l]);
    losses.push_back({l, gap});
    loss_gap += std::max(0.0, gap);
  }
  const double cost_allowed = options.relative_gap * std::max(1e-3, std::abs(total_cost));
  const double loss_allowed = options.relative_gap * std::max(1.0, demand_mw);
  const auto much = [](const Gap& gap, double allowed, std::size_t of) {
    return gap.size > 0.5 * allowed / static_cast<double>(of);
  };
  if (cost_gap > cost_allowed)
    for (const Gap& gap : costs)
      if (much(gap, cost_allowed, costs.size()))
        add_cost_tangent(priced[gap.index], program.value(priced[gap.index].power));
  if (loss_gap > loss_allowed)
    for (const Gap& gap : losses)
      if (much(gap, loss_allowed, losses.size())) add_loss_tangent(gap.index, flow_of(gap.index));
  return cost_gap > cost_allowed || loss_gap > loss_allowed;
}

void OptimalPowerFlow::Impl::report(const GridState& state, const solve::ProgramAnswer& answer,
                                    OpfResult& r) const {
  r.bound_per_h = answer.bound;
  r.hulls = hulls;
  for (const Priced& each : priced)
    if (each.curve < 0) r.bound_per_h += each.cost->c0_per_h;
  for (std::size_t g = 0; g < grid.generators.size(); ++g) {
    const GridGenerator& generator = grid.generators[g];
    r.output_mw.push_back(program.value(output[g]));
    r.cost_per_h += generator.cost.per_h(r.output_mw.back());
    if (!generator.weather_driven) continue;
    r.available_mw += state.maximum_mw[g];
    r.curtailed_mw += std::max(0.0, state.maximum_mw[g] - r.output_mw.back());
  }
  if (options.losses)  // the price above is none of the grid's
    r.bound_per_h -= kLossPrice * std::max(0.0, sum(state.maximum_mw));
  for (std::size_t d = 0; d < grid.dc_lines.size(); ++d) {
    r.dc_flow_mw.push_back(program.value(dc[d]));
    r.cost_per_h += grid.dc_lines[d].cost.per_h(r.dc_flow_mw.back());
    r.losses_mw += grid.dc_lines[d].loss_mw + grid.dc_lines[d].loss_share * r.dc_flow_mw.back();
  }
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    const GridBranch& branch = grid.branches[l];
    const double flow = flow_of(l);
    r.flow_mw.push_back(flow);
    r.loss_mw.push_back(loss[l] < 0 ? 0.0 : program.value(loss[l]));
    if (loss[l] >= 0)
      r.excess_loss_mw +=
          std::max(0.0, r.loss_mw.back() - square_loss(branch.resistance_pu, grid.base_mva, flow));
    r.congestion_price.push_back(limit[l] < 0 ? 0.0 : std::abs(program.price(limit[l])));
    const double difference =
        (program.value(angle[branch.from]) - program.value(angle[branch.to])) / grid.base_mva;
    const auto reaches = [](double value, double bound) {
      return std::isfinite(bound) && value >= bound - kFeasible * std::max(1.0, std::abs(bound));
    };
    const bool turned = !lines[l].joins && (reaches(difference, branch.angle_max_rad) ||
                                            reaches(-difference, -branch.angle_min_rad));
    if (turned || reaches(std::abs(flow), branch.limit_mw)) r.congested.push_back(l);
  }
  r.losses_mw += sum(r.loss_mw);
  for (std::size_t b = 0; b < grid.buses.size(); ++b) {
    r.angle_rad.push_back(program.value(angle[b]) / grid.base_mva);
    r.shed_mw.push_back(shed[b] < 0 ? 0.0 : program.value(shed[b]));
    r.price_per_mwh.push_back(program.price(balance[b]));
    r.demand_mw += state.demand_mw[b] + grid.buses[b].shunt_mw;
  }
  const double shed_mw = sum(r.shed_mw);
  if (shed_mw > 0.0) r.cost_per_h += options.shed_price_per_mwh * shed_mw;
  r.generation_mw = sum(r.output_mw);
  r.residual_mw = answer.violation;
}

OptimalPowerFlow::OptimalPowerFlow(const Grid& grid, OpfOptions options)
    : impl_(std::make_unique<Impl>(grid, options)) {}
OptimalPowerFlow::~OptimalPowerFlow() = default;
OptimalPowerFlow::OptimalPowerFlow(OptimalPowerFlow&&) noexcept = default;
OptimalPowerFlow& OptimalPowerFlow::operator=(OptimalPowerFlow&&) noexcept = default;

OpfResult OptimalPowerFlow::solve(const GridState& state) {
  const Grid& grid = impl_->grid;
  if (state.demand_mw.size() != grid.buses.size() ||
      state.minimum_mw.size() != grid.generators.size() ||
      state.maximum_mw.size() != grid.generators.size())
    throw InputError("state: one demand a bus, one minimum and one maximum a generator");
  for (std::size_t g = 0; g < grid.generators.size(); ++g)
    if (!(state.minimum_mw[g] <= state.maximum_mw[g]))
      throw InputError(fmt::format("generator {} at bus {}: minimum {} MW, at most its maximum {}",
                                   grid.generators[g].name, grid.buses[grid.generators[g].bus].id,
                                   state.minimum_mw[g], state.maximum_mw[g]));
  if (!impl_->contradiction.empty()) {
    OpfResult none;
    none.status = OpfStatus::Infeasible;
    none.why = impl_->contradiction;
    return none;
  }
  // Tangents of hours long gone slow every later one down.
  impl_->program.drop_slack_rows(impl_->first_rows);
  impl_->apply(state);
  OpfResult result;
  const double demand_mw = std::abs(sum(state.demand_mw));
  solve::ProgramAnswer answer;
  do {
    answer = impl_->program.solve(impl_->options.stop);
    ++result.rounds;
  } while (answer.status == solve::ProgramStatus::Optimal && result.rounds < kMostRounds &&
           impl_->refine(demand_mw));
  if (answer.status == solve::ProgramStatus::Stopped) throw Stopped();
  if (answer.status == solve::ProgramStatus::Infeasible) {
    result.status = OpfStatus::Infeasible;
    result.why = "no dispatch meets the demand within the limits of generators and branches";
    return result;
  }
  result.why = solve::fault_of(answer, std::max(1.0, demand_mw));
  if (!result.why.empty()) return result;
  result.status = OpfStatus::Optimal;
  impl_->report(state, answer, result);
  return result;
}

std::vector<double> OptimalPowerFlow::sensitivity(std::span<const double> weight_per_mwh) const {
  CARNOT_CHECK(weight_per_mwh.size() == impl_->output.size(), "a weight for each generator");
  std::vector<double> weights(impl_->program.columns(), 0.0);
  for (std::size_t g = 0; g < weight_per_mwh.size(); ++g)
    weights[static_cast<std::size_t>(impl_->output[g])] = weight_per_mwh[g];
  const std::vector<double> of_row = impl_->program.sensitivity(weights);
  std::vector<double> of_bus;
  for (const int row : impl_->balance) of_bus.push_back(of_row[static_cast<std::size_t>(row)]);
  return of_bus;
}

std::vector<std::string> left_out(const Grid& grid, const OpfOptions& options) {
  std::vector<std::string> out;
  const auto taps = std::count_if(grid.branches.begin(), grid.branches.end(),
                                  [](const GridBranch& branch) { return branch.tap != 1.0; });
  const auto shifts =
      std::count_if(grid.branches.begin(), grid.branches.end(),
                    [](const GridBranch& branch) { return branch.shift_rad != 0.0; });
  if (options.branch_model == BranchModel::ResistanceKept && taps + shifts > 0)
    out.push_back(
        fmt::format("{} and {} are left out, as in PGLib-OPF's optima; --branches tap counts them",
                    taps == 1 ? "1 tap" : fmt::format("{} taps", taps),
                    shifts == 1 ? "1 phase shifter" : fmt::format("{} phase shifters", shifts)));
  if (!options.dc_links && !grid.dc_lines.empty())
    out.push_back(fmt::format("{} idle; --dc-links dispatches {}",
                              grid.dc_lines.size() == 1 ? "1 direct-current line is"
                                                        : fmt::format("{} direct-current lines are",
                                                                      grid.dc_lines.size()),
                              grid.dc_lines.size() == 1 ? "it" : "them"));
  return out;
}

OpfResult dc_opf(const Grid& grid, const OpfOptions& options) {
  return OptimalPowerFlow(grid, options).solve(state_of(grid));
}

}  // namespace carnot::grid
