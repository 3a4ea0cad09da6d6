// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/text.hpp"
#include "carnot/base/version.hpp"
#include "carnot/plan/blocks/blocks.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/exact/exact.hpp"
#include "carnot/plan/exact/infeasible_subset.hpp"
#include "carnot/plan/problem/plan_file.hpp"
#include "carnot/plan/search/extended.hpp"
#include "carnot/solve/integer_program.hpp"
#include "carnot/solve/linear_program.hpp"

#include "command.hpp"
#include "plan_pareto.hpp"
#include "session.hpp"

namespace carnot::app {

namespace {

struct PlanCommand {
  std::string problem, solver, out, generate, check, data;
  plan::PlannerOptions options;
  bool require_all = false;
  int pareto = 0;              // carbon prices of a front; 0: one plan
  std::size_t block_jobs = 0;  // of the solver blocks
};

/// `jobs=1000,sites=10,...`
plan::GenerateOptions generate_options(const PlanCommand& c) {
  plan::GenerateOptions o;
  o.data_dir = c.data;
  std::string_view rest = c.generate;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const std::size_t at = part.find('=');
    const std::string_view key = part.substr(0, at);
    const std::string_view value = at == std::string_view::npos ? "" : part.substr(at + 1);
    const auto whole = [&](std::int64_t& to) {
      try {
        to = parse_integer(value);
      } catch (const InputError&) {
        throw UsageError(fmt::format("--generate: {}: a whole number, not `{}`", key, value));
      }
    };
    std::int64_t seed = 0;
    if (key == "jobs")
      whole(o.jobs);
    else if (key == "sites")
      whole(o.sites);
    else if (key == "slots")
      whole(o.slots);
    else if (key == "modes")
      whole(o.modes);
    else if (key == "seed")
      whole(seed), o.seed = static_cast<std::uint64_t>(seed);
    else
      throw UsageError(fmt::format("--generate: jobs, sites, slots, modes or seed, not `{}`", key));
  }
  return o;
}

int generate(const PlanCommand& c, const Common& common) {
  if (c.out.empty()) throw UsageError("--generate needs --out DIR");
  const StopToken stop = stop_on_interrupt();
  const plan::Problem problem = plan::generate_problem(generate_options(c), stop);
  plan::write_problem(problem, c.out, stop);
  const std::string path = (std::filesystem::path(c.out) / "problem.json").string();
  if (common.json)
    print(nlohmann::ordered_json{{"schema", "carnot.plan-generate/1"},
                                 {"carnot", std::string(kVersion)},
                                 {"command", common.command_line},
                                 {"problem", path}}
              .dump(2) +
          "\n");
  else
    print(fmt::format("{}: {} jobs, {} sites, {} slots of 1 h\n", path, problem.jobs.size(),
                      problem.sites.size(), problem.slots));
  return kOk;
}

/// \param optimal  by branch and cut, whatever prices alone prove
std::string summary(const plan::PlanTotals& t, bool optimal = false) {
  return fmt::format(
      "objective {:.6g} EUR, {}bound {:.6g} EUR{}, {}; {} dropped\n"
      "energy {} (modelled), of it {} own that would be curtailed; {} CO2e\n",
      t.objective_eur, optimal ? "optimal (gap 0) by branch and cut; " : "", t.bound_eur,
      optimal ? " by prices alone" : "", plan::gap_words(t.objective_eur, t.bound_eur), t.dropped,
      format(t.energy_j * joule), format(t.free_energy_j * joule), format(t.carbon_g * gram));
}

int check(const PlanCommand& c, const Common& common) {
  const plan::Certificate certificate = plan::check_plan(c.check, c.problem, stop_on_interrupt());
  const plan::PlanTotals& t = certificate.totals;
  if (common.json) {
    print(nlohmann::ordered_json{{"schema", "carnot.plan-check/1"},
                                 {"carnot", std::string(kVersion)},
                                 {"command", common.command_line},
                                 {"holds", certificate.holds()},
                                 {"violation_count", certificate.violation_count},
                                 {"violations", certificate.violations},
                                 {"objective_eur", t.objective_eur},
                                 {"bound_eur", t.bound_eur},
                                 {"gap", t.gap},
                                 {"dropped", t.dropped},
                                 {"energy_j", t.energy_j},
                                 {"free_energy_j", t.free_energy_j},
                                 {"grid_energy_j", t.grid_energy_j},
                                 {"carbon_g", t.carbon_g}}
              .dump(2) +
          "\n");
  } else {
    for (const std::string& words : certificate.violations) print("violated: " + words + "\n");
    if (certificate.violation_count > certificate.violations.size())
      print(fmt::format("and {} more\n",
                        certificate.violation_count - certificate.violations.size()));
    print(fmt::format("{}: {}\n{}", c.check, certificate.holds() ? "holds" : "does not hold",
                      summary(t)));
  }
  return certificate.holds() ? kOk : kOutcomeSaysNo;
}

/// Not every job can run, or nobody knows.
int refuse(const plan::RequiredPlan& required, const plan::Problem& problem, const PlanCommand& c,
           const Common& common, const Instant& started) {
  const bool proven = required.clash.has_value();
  const plan::Clash clash = required.clash.value_or(plan::Clash());
  const std::string words = proven
                                ? clash.words
                                : "no plan that runs every job was found, nor a proof that there "
                                  "is none; more time may tell";
  if (common.json) {
    nlohmann::ordered_json jobs = nlohmann::ordered_json::array(), limits = jobs;
    for (const std::uint32_t j : clash.jobs) jobs.push_back(problem.jobs.id(j));
    for (const plan::PowerLimit& limit : clash.limits)
      limits.push_back(
          {{"site", limit.site}, {"name", problem.sites[limit.site].name}, {"slot", limit.slot}});
    print(nlohmann::ordered_json{{"schema", "carnot.plan/1"},
                                 {"carnot", std::string(kVersion)},
                                 {"seed", c.options.seed},
                                 {"started", started.iso8601()},
                                 {"command", common.command_line},
                                 {"problem", c.problem},
                                 {"solver", c.solver},
                                 {"outcome", proven ? "infeasible" : "unknown"},
                                 {"words", words},
                                 {"clash",
                                  {{"jobs", jobs},
                                   {"limits", limits},
                                   {"members", clash.members},
                                   {"irreducible", clash.irreducible},
                                   {"smallest", clash.smallest}}}}
              .dump(2) +
          "\n");
  } else {
    print(words + "\n");
    for (const std::string& member : clash.members) print("  " + member + "\n");
    if (proven)
      print(clash.smallest ? "Without any one of these the rest can run; nothing smaller clashes.\n"
            : clash.irreducible
                ? "Without any one of these the rest can run.\n"
                : "Stopped before it was known whether fewer of them clash, too.\n");
  }
  return interrupted() ? kInterrupted : kOutcomeSaysNo;
}

/// Limits of sites or goals that no plan keeps, or none that was found.
int refuse(const plan::ExtendedPlan& rich, const PlanCommand& c, const Common& common,
           const Instant& started) {
  const std::string words =
      fmt::format("{}: {}", rich.proven ? "no plan keeps" : "no plan found keeps",
                  fmt::join(rich.broken, "; "));
  if (common.json)
    print(nlohmann::ordered_json{{"schema", "carnot.plan/1"},
                                 {"carnot", std::string(kVersion)},
                                 {"seed", c.options.seed},
                                 {"started", started.iso8601()},
                                 {"command", common.command_line},
                                 {"problem", c.problem},
                                 {"solver", rich.plan.solver},
                                 {"outcome", rich.proven ? "infeasible" : "unknown"},
                                 {"words", words},
                                 {"broken", rich.broken}}
              .dump(2) +
          "\n");
  else
    print(words + "\n");
  return interrupted() ? kInterrupted : kOutcomeSaysNo;
}

/// Where the plan goes, and the file of its assignments beside it.
struct PlanPaths {
  std::filesystem::path out, rows;
};
PlanPaths paths(const PlanCommand& c) {
  PlanPaths to;
  to.out = c.out.empty() ? "plan.json" : c.out;
  to.rows = to.out;
  to.rows.replace_extension(".csv");
  return to;
}

plan::PlanNotes notes_of(const PlanCommand& c, const Common& common, const Instant& started,
                         const PlanPaths& to) {
  plan::PlanNotes notes;
  notes.command = common.command_line;
  notes.started = started.iso8601();
  notes.seed = c.options.seed;
  notes.problem = std::filesystem::absolute(c.problem)
                      .lexically_proximate(std::filesystem::absolute(to.out).parent_path())
                      .string();
  notes.assignments = to.rows.filename().string();
  return notes;
}

/// How far a plan is, redrawn in place.
std::function<bool(const plan::PlanProgress&)> drawn_on(ProgressLine& line) {
  return [&line](const plan::PlanProgress& p) {
    line.draw([&](int width) {
      const std::string bound =
          fmt::format("{:3.0f} %  bound {:.6g} EUR", 100 * p.share_done, p.bound_eur);
      const std::string rest = std::isfinite(p.objective_eur)
                                   ? fmt::format("  plan {:.6g} EUR  {}", p.objective_eur,
                                                 plan::gap_words(p.objective_eur, p.bound_eur))
                                   : std::string();
      return (bound + rest).substr(0, static_cast<std::size_t>(std::max(width, 1)));
    });
    return !interrupted();
  };
}

/// In blocks, over as many ranks as there are.
int solve_in_blocks(const PlanCommand& c, const Common& common) {
  const Instant started = Instant::now();
  OneRank one;
  Ranks& ranks = common.ranks != nullptr ? *common.ranks : one;
  const bool speaks = ranks.rank() == 0;
  plan::BlockOptions options;
  options.threads = c.options.threads > 0 ? c.options.threads : ranks.size() > 1 ? 1 : 0;
  options.iterations = c.options.iterations;
  options.seed = c.options.seed;
  options.block_jobs = c.block_jobs;
  options.time_limit_s = c.options.time_limit_s;
  options.stop = stop_on_interrupt();
  ProgressLine line(common);
  if (speaks) options.progress = drawn_on(line);
  plan::JobBlocks blocks(c.problem, ranks, options);
  const plan::Plan plan = plan::plan_blocks(blocks, ranks, options);
  line.clear();
  const PlanPaths to = paths(c);
  plan::write_assignments(blocks, ranks, to.rows.string());
  if (!speaks) return interrupted() ? kInterrupted : kOk;
  plan::PlanNotes notes = notes_of(c, common, started, to);
  notes.jobs = blocks.jobs();
  write_file(to.out, plan::plan_json(plan, plan.totals, blocks.frame(), notes),
             Directories::Create);
  if (common.json) {
    notes.problem = c.problem;
    notes.assignments = to.rows.string();
    print(plan::plan_json(plan, plan.totals, blocks.frame(), notes));
  } else {
    const std::string status =
        plan.status.empty() ? "" : fmt::format("{}: the best there was then\n", plan.status);
    print(summary(plan.totals) + status +
          fmt::format("{} blocks on {}; {:.1f} s; {}\n", blocks.blocks(),
                      ranks.size() == 1 ? "1 rank" : fmt::format("{} ranks", ranks.size()),
                      plan.seconds, to.out.string()));
  }
  return interrupted() ? kInterrupted : kOk;
}

int front(const PlanCommand& c, const Common& common) {
  if (c.problem.empty()) throw UsageError("--pareto: a PROBLEM.json");
  if (c.require_all) throw UsageError("--require-all: not with --pareto");
  if (!c.solver.empty()) throw UsageError("--solver: not with --pareto");
  plan::ParetoOptions options;
  options.carbon_prices = c.pareto;
  options.planner = c.options;
  return pareto(c.problem, options, c.out, common);
}

int solve(const PlanCommand& c, const Common& common) {
  if (c.problem.empty()) throw UsageError("plan: a PROBLEM.json, --generate or --check");
  if (c.solver == "blocks") {
    if (c.require_all) throw UsageError("--require-all: not with the solver blocks");
    if (c.out.empty() && session() != nullptr)
      throw UsageError("--solver blocks: --out, its ranks write files");
    return solve_in_blocks(c, common);
  }
  const Instant started = Instant::now();
  plan::PlannerOptions options = c.options;
  options.stop = stop_on_interrupt();
  const StopToken in_time = options.stop.limited(options.time_limit_s);
  const double began = options.stop.now();
  const plan::Problem problem = plan::read_problem(c.problem, in_time);
  if (options.time_limit_s > 0)
    options.time_limit_s = std::max(1e-3, options.time_limit_s - (options.stop.now() - began));
  ProgressLine line(common);
  options.progress = drawn_on(line);
  const bool columns = problem.extended() || c.solver == "columns";
  if (columns && !c.solver.empty() && c.solver != "columns")
    throw UsageError(fmt::format(
        "--solver {}: this problem asks for more than the contract's; columns", c.solver));
  if (columns && c.require_all) throw UsageError("--require-all: not with the solver columns");
  const bool small = c.solver.empty() && solve::has_linear_solver() &&
                     solve::has_integer_solver() && plan::small_enough(problem);
  const auto solved = [&](const plan::Problem& of) {
    return c.solver == "exact" || small
               ? plan::plan_exact(of, {options.seed, options.time_limit_s, options.progress,
                                       options.stop, small ? plan::kSmallNodes : 0})
               : plan::plan_large(of, options);
  };
  plan::ExtendedPlan rich;
  if (c.require_all) {
    plan::RequiredPlan required = plan::plan_required(problem, solved, in_time);
    if (!required.all_run) {
      line.clear();
      return refuse(required, problem, c, common, started);
    }
    rich.plan = std::move(required.plan);
  } else if (columns) {
    rich = plan::plan_extended(problem, options);
  } else {
    rich.plan = solved(problem);
  }
  const plan::Plan& plan = rich.plan;
  line.clear();
  if (!rich.broken.empty()) return refuse(rich, c, common, started);
  const plan::PlanTotals& totals = plan.totals;

  const PlanPaths to = paths(c);
  plan::PlanNotes notes = notes_of(c, common, started, to);
  if (c.out.empty() && session() != nullptr) {
    if (session()->attach) session()->attach("assignments", plan::assignments_csv(plan, problem));
  } else {
    write_file(to.rows, plan::assignments_csv(plan, problem), Directories::Create);
    write_file(to.out, plan::plan_json(plan, totals, problem, notes), Directories::Create);
  }
  if (common.json) {
    notes.problem = c.problem;
    notes.assignments = to.rows.string();
    print(plan::plan_json(plan, totals, problem, notes));
  } else {
    const bool optimal = plan.status == "optimal";
    const std::string status =
        plan.status.empty() || optimal ? ""
        : plan.solver == "exact"
            ? fmt::format("{}; no plan costs less than {:.6g} EUR, says the solver\n", plan.status,
                          plan.solver_bound_eur)
            : fmt::format("{}: the best there was then\n", plan.status);
    print(summary(totals, optimal) + status +
          fmt::format("{}; {:.1f} s; {}\n", plan.solver, plan.seconds, to.out.string()));
  }
  return interrupted() ? kInterrupted : kOk;
}

}  // namespace

void add_plan(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<PlanCommand>();
  CLI::App* command = app.add_subcommand(
      "plan", "Which job runs where, when and in which mode, with a proven bound");
  command->add_option("problem", c->problem, "problem.json; docs/formats/plan.md");
  command
      ->add_option("--solver", c->solver,
                   "exact (default for few jobs), large (default for many), columns (default for "
                   "problems beyond the contract) or blocks (default for several ranks; for "
                   "millions of jobs)")
      ->check(CLI::IsMember({"blocks", "columns", "exact", "large"}));
  command->add_option("--out", c->out,
                      "The plan (default: plan.json; its assignments beside it in .csv); the "
                      "folder of --generate");
  CLI::Option* generate_option = command->add_option(
      "--generate", c->generate, "Make a random problem: jobs=J,sites=S,slots=T,modes=M,seed=N");
  command->add_option("--data", c->data, "Folder of hourly site tables for --generate")
      ->needs(generate_option);
  command
      ->add_option("--check", c->check,
                   "Recompute a plan from its files; exit 1 if it does not hold")
      ->excludes(generate_option);
  command->add_option("--seed", c->options.seed, "Of the search (default: 1)");
  command->add_option("--threads", c->options.threads, "Default: all CPUs; the plan is the same")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option("--time-limit", c->options.time_limit_s,
                   "Seconds; ends with the best there is, then not reproducible")
      ->check(CLI::Validator(positive_number, ""));
  command
      ->add_option("--pareto", c->pareto,
                   "What less carbon and better quality cost: plans at so many carbon prices")
      ->check(CLI::Range(2, 1000))
      ->excludes(generate_option);
  command->add_flag("--require-all", c->require_all,
                    "No job may be dropped; if that cannot be, says why and exits with 1");
  command->add_option("--iterations", c->options.iterations, "Of the prices (default: by size)")
      ->check(CLI::Range(1, 1'000'000));
  command
      ->add_option("--block-jobs", c->block_jobs,
                   "Jobs of a block of the solver blocks (default: 15 for each site and slot, at "
                   "least 20,000)")
      ->check(CLI::Range(1, 1'000'000'000));
  command->fallthrough();
  command->callback([c, &common, &action] {
    action = [c, &common] {
      if (common.ranks != nullptr && common.ranks->size() > 1) {
        if (!c->generate.empty() || !c->check.empty() || c->pareto > 0 ||
            (!c->solver.empty() && c->solver != "blocks"))
          throw UsageError("over several ranks: a PROBLEM.json and the solver blocks");
        c->solver = "blocks";
      }
      return !c->generate.empty() ? generate(*c, common)
             : !c->check.empty()  ? check(*c, common)
             : c->pareto > 0      ? front(*c, common)
                                  : solve(*c, common);
    };
  });
}

}  // namespace carnot::app
