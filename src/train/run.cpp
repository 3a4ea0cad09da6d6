// SPDX-License-Identifier: Apache-2.0
#include "carnot/train/run.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <limits>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/state_bytes.hpp"
#include "carnot/base/version.hpp"
#include "carnot/control/registry.hpp"
#include "carnot/control/training/foresight.hpp"
#include "carnot/control/training/most_quality.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/ledger/journal/journal.hpp"
#include "carnot/ledger/store/measurement_view.hpp"
#include "carnot/train/environment.hpp"
#include "carnot/train/hall_job.hpp"
#include "carnot/train/training_world.hpp"

#include "train/results.hpp"

namespace carnot::train {

namespace {

constexpr double kCheckpointShare = 0.25;      // of the schedule between checkpoints
constexpr std::size_t kCheckpointSlots = 288;  // and at the latest after so many slots

/// Where entries go: memory always, the journal if there is one.
class Sink {
 public:
  explicit Sink(std::optional<ledger::JournalWriter> journal,
                std::vector<ledger::Entry> entries = {})
      : journal_(std::move(journal)), entries_(std::move(entries)) {}
  void add(const ledger::Entry& entry) {
    if (journal_) journal_->append(entry);
    if (const auto* checkpoint = std::get_if<ledger::Checkpoint>(&entry)) {
      entries_.push_back(ledger::Checkpoint{checkpoint->steps, {}});
    } else {
      entries_.push_back(entry);
    }
  }
  void sync() {
    if (journal_) journal_->sync();
  }
  std::vector<ledger::Entry>& entries() { return entries_; }

 private:
  std::optional<ledger::JournalWriter> journal_;
  std::vector<ledger::Entry> entries_;
};

double thread_cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Everything that the lanes of a run share.
struct Shared {
  const site::Scenario& scenario;
  const RunOptions& options;
  learn::Split split;
  learn::EnergyTable table;
  Environment environment;
  Job job;
  std::vector<std::string> policies;
  StopToken stop;

  std::unique_ptr<learn::Learner> learner() const {
    learn::LearnerOptions o;
    o.model = scenario.work.learner;
    o.hidden = static_cast<std::size_t>(scenario.work.hidden);
    o.batch = static_cast<std::size_t>(scenario.work.batch);
    o.epochs = scenario.work.epochs;
    o.learning_rate = scenario.work.learning_rate;
    o.optimiser = scenario.work.optimiser;
    o.weight_decay = scenario.work.weight_decay;
    o.momentum = o.optimiser == "adam" ? 0.0 : scenario.work.momentum;
    o.transformer = {scenario.work.objective, static_cast<std::size_t>(scenario.work.layers),
                     static_cast<std::size_t>(scenario.work.heads),
                     static_cast<std::size_t>(scenario.work.width),
                     static_cast<std::size_t>(scenario.work.context)};
    o.seed =
        scenario.work.seed > 0 ? static_cast<std::uint64_t>(scenario.work.seed) : scenario.seed;
    o.threads = options.threads;
    return learn::make_any_learner(o, split.train);
  }
};

/// A file that lies in the scenario's folder and not in the data directory is meant; whatever else
/// `name` is (a set's name, a column, a path from here) stays as it is.
std::string beside(const site::Scenario& scenario, const RunOptions& options,
                   const std::string& name) {
  namespace fs = std::filesystem;
  if (name.empty() || fs::path(name).is_absolute()) return name;
  std::error_code ignored;
  if (!options.data_dir.empty() && fs::is_regular_file(fs::path(options.data_dir) / name, ignored))
    return name;
  const fs::path near = fs::path(scenario.file).parent_path() / name;
  return fs::is_regular_file(near, ignored) ? near.string() : name;
}

/// Formats that policies name become modes: `fixed:d4w4g8`, `switch:int4>d8w4g8@0.7`.
void add_named_precisions(const std::vector<std::string>& policies,
                          std::vector<std::string>& precisions) {
  for (const std::string& policy : policies) {
    const std::string schedule =
        policy.starts_with("hindsight:") ? policy.substr(policy.find(':') + 1) : policy;
    const bool fixed = schedule.starts_with("fixed:"), switched = schedule.starts_with("switch:");
    if (!fixed && !switched) continue;
    std::string rest = schedule.substr(schedule.find(':') + 1);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('>'), rest.size());
      std::string name = rest.substr(0, std::min(rest.find('@'), end));
      rest.erase(0, end + 1);
      try {
        name = learn::Precision::parse(name).name;
      } catch (const InputError&) {
        continue;  // a width, or a mistake that making the policy will name
      }
      const auto same = [&](const std::string& other) {
        return learn::Precision::parse(other).name == name;
      };
      if (std::none_of(precisions.begin(), precisions.end(), same)) precisions.push_back(name);
    }
  }
}

Shared prepare(const site::Scenario& scenario, const RunOptions& options) {
  learn::DatasetOptions data;
  data.path = beside(scenario, options, scenario.work.data);
  data.labels = beside(scenario, options, scenario.work.labels);
  data.test_path = beside(scenario, options, scenario.work.test_data);
  data.test_labels = beside(scenario, options, scenario.work.test_labels);
  data.task = scenario.work.learner == "linear" ? "regression" : "auto";
  data.seed = scenario.seed;
  data.data_dir = options.data_dir;
  Shared shared{
      scenario,
      options,
      learn::load_for(scenario.work.learner, data),
      learn::EnergyTable::choose(beside(scenario, options, scenario.energy_table), scenario.chip),
      load_environment(scenario, options.data_dir),
      {},
      {},
      {}};
  if (options.interrupted) shared.stop = StopToken(options.interrupted);
  const auto learner = shared.learner();
  shared.policies = !options.policies.empty()    ? options.policies
                    : !scenario.policies.empty() ? scenario.policies
                                                 : std::vector<std::string>{"all"};
  std::vector<std::string> precisions =
      options.precisions.empty() ? default_precisions() : options.precisions;
  add_named_precisions(shared.policies, precisions);
  shared.job = make_job(*learner, shared.table, scenario, precisions);
  if (std::count(shared.policies.begin(), shared.policies.end(), "all") > 0)
    shared.policies = scenario.objective.most_quality()
                          ? control::quality_policy_names(shared.job.modes)
                          : control::policy_names(shared.job.modes);
  // The oracle replays what the others cannot know: last. Each policy once.
  const bool most_quality = scenario.objective.most_quality();
  const bool oracle = !most_quality && std::erase(shared.policies, "oracle") > 0;
  Problems problems;
  std::vector<std::string> names;  // as the policies call themselves, each once
  for (const std::string& name : shared.policies) {
    try {
      const auto policy = control::make_policy(
          name, control::JobPolicyOptions{shared.job.modes, scenario.objective});
      if (std::find(names.begin(), names.end(), policy->name()) == names.end())
        names.emplace_back(policy->name());
    } catch (const InputError& error) {
      problems.add(options.policies.empty() ? scenario.place("policies") : Place{}, "",
                   error.what());
    }
  }
  problems.throw_if_any();
  shared.policies = std::move(names);
  if (oracle) shared.policies.push_back("oracle");
  if (shared.policies.empty()) problems.add(scenario.place("policies"), "policies", "at least one");
  const learn::Certificate certificate(scenario.work.minimum_quality);
  const std::uint64_t rows = shared.split.test.rows;
  const bool floor = !most_quality || scenario.work.minimum_quality > 0.0;
  if (floor && !shared.split.train.is_regression() && !certificate.reachable(rows))
    problems.add(scenario.place("work.minimum_quality"), "work.minimum_quality",
                 fmt::format("{} cannot be certified with {} held-out rows even if all were right; "
                             "at most {:.4f}",
                             scenario.work.minimum_quality, rows, certificate.highest(rows)));
  if (floor && shared.split.train.is_regression() && certificate.needed(rows, true) > 1.0)
    problems.add(scenario.place("work.minimum_quality"), "work.minimum_quality",
                 fmt::format("an R2 of {} cannot be certified with {} held-out rows even if every "
                             "prediction were exact; at most {:.4f}",
                             scenario.work.minimum_quality, rows, certificate.highest_r2(rows)));
  problems.throw_if_any();
  shared.stop.throw_if_requested();
  return shared;
}

/// Stages of training as a lane went through them: from which step on which bits.
std::vector<control::Stage> stages_of(const std::vector<ledger::Entry>& lane, const Job& job) {
  std::vector<control::Stage> stages;
  std::uint64_t before = 0;
  for (const ledger::Entry& entry : lane) {
    const auto* slot = std::get_if<ledger::SlotEntry>(&entry);
    if (slot == nullptr || slot->steps == before) continue;
    for (const site::Mode& mode : job.modes)
      if (mode.name == slot->mode &&
          (stages.empty() ||
           job.modes[static_cast<std::size_t>(stages.back().mode)].name != mode.name))
        stages.push_back(
            {static_cast<double>(before), mode.bits, static_cast<int>(&mode - job.modes.data())});
    before = slot->steps;
  }
  if (stages.empty())
    stages.push_back({0.0, job.modes.back().bits, static_cast<int>(job.modes.size()) - 1});
  stages.front().from_step = 0.0;
  return stages;
}

/// Steps after which a lane looked at held-out rows, and its last step.
std::pair<std::vector<double>, double> looks_of(const std::vector<ledger::Entry>& lane) {
  std::vector<double> looks;
  double last = 0.0;
  for (const ledger::Entry& entry : lane) {
    if (const auto* slot = std::get_if<ledger::SlotEntry>(&entry))
      last = std::max(last, static_cast<double>(slot->steps));
    const auto* look = std::get_if<ledger::Evaluation>(&entry);
    // Points of the curve have no interval.
    if (look != nullptr && (look->certified || look->low != look->value))
      looks.push_back(static_cast<double>(look->steps));
  }
  return {looks, last};
}

/// Dynamic energy of a lane's training steps.
Energy dynamic_energy(const std::vector<ledger::Entry>& lane, const Job& job) {
  Energy sum;
  std::uint64_t before = 0;
  for (const ledger::Entry& entry : lane) {
    const auto* slot = std::get_if<ledger::SlotEntry>(&entry);
    if (slot == nullptr) continue;
    for (std::size_t m = 0; m < job.modes.size(); ++m)
      if (job.modes[m].name == slot->mode)
        sum += static_cast<double>(slot->steps - before) * job.step_energy[m];
    before = slot->steps;
  }
  return sum;
}

/// A learner, and the world it trains in, for one lane.
class LaneStand {
 public:
  LaneStand(const Shared& shared, const std::vector<site::Weather>* weather, EntrySink sink)
      : learner_(shared.learner()), environment_(shared.environment) {
    if (weather != nullptr) environment_.weather = *weather;
    if (shared.options.speed > 0) {
      clock_ = std::make_unique<WallClock>(environment_.start, shared.options.speed, shared.stop);
    } else {
      clock_ = std::make_unique<VirtualClock>();
    }
    auto world =
        std::make_unique<TrainingWorld>(shared.scenario, environment_, shared.job, *learner_,
                                        shared.split.test, shared.table, *clock_, std::move(sink));
    world->stop_at(shared.stop);
    world_ = std::move(world);
  }
  LaneWorld& world() { return *world_; }
  learn::Learner& learner() { return *learner_; }

 private:
  std::unique_ptr<learn::Learner> learner_;
  Environment environment_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<LaneWorld> world_;
};

/// One policy's way through a world.
class Lane {
 public:
  Lane(std::string name, std::unique_ptr<control::Policy> policy, LaneWorld& world, Duration slot)
      : name_(std::move(name)), policy_(std::move(policy)), world_(world), slot_(slot) {}

  std::vector<std::uint8_t> save() const {
    StateWriter w;
    policy_->save(w);
    w.sequence(world_.save());
    return w.take();
  }
  void restore(const std::vector<std::uint8_t>& state) {
    StateReader r(state);
    policy_->restore(r);
    world_.restore(r.sequence<std::uint8_t>());
    r.end();
  }

  /// \param at_slot  called at each slot start; false interrupts
  /// \throws Stopped
  bool run(const std::function<bool(Lane&)>& at_slot) {
    const double cpu = thread_cpu_seconds();
    Instant next = world_.now();
    while (!world_.over()) {
      if (world_.now() >= next) {
        if (at_slot && !at_slot(*this)) return false;
        next = world_.now() + slot_;
      }
      world_.step(*policy_);
    }
    cpu_seconds_ += thread_cpu_seconds() - cpu;
    return true;
  }

  const LaneWorld& world() const { return world_; }
  double cpu_seconds() const { return cpu_seconds_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::unique_ptr<control::Policy> policy_;
  LaneWorld& world_;
  Duration slot_;
  double cpu_seconds_ = 0.0;
};

/// The stages training asks for when power is no object: what `adaptive` does under endless wind.
std::vector<control::Stage> probe_stages(const Shared& shared) {
  std::vector<site::Weather> endless = shared.environment.weather;
  for (site::Weather& weather : endless) {
    weather.total = 1e15 * watt;
    weather.export_limit = Power{};
  }
  std::vector<ledger::Entry> entries;
  LaneStand stand(shared, &endless, [&](const ledger::Entry& entry) { entries.push_back(entry); });
  Lane lane("probe",
            control::make_policy(
                "adaptive", control::JobPolicyOptions{shared.job.modes, shared.scenario.objective}),
            stand.world(), shared.environment.slot);
  lane.run([&](Lane&) {
    shared.stop.throw_if_requested();
    return true;
  });
  return stages_of(entries, shared.job);
}

/// \param steps  of the job, which may end before its schedule does
control::OracleSolution solve(const Shared& shared, std::vector<control::Stage> stages,
                              const learn::Learner& learner, double steps) {
  control::OracleProblem problem;
  problem.site = shared.scenario.site;
  problem.battery_energy =
      shared.scenario.site.battery.initial_charge * shared.scenario.site.battery.capacity;
  problem.weather = shared.environment.weather;
  problem.slot = shared.environment.slot.time();
  problem.modes = shared.job.modes;
  problem.objective = shared.scenario.objective;
  problem.stop = shared.stop;
  // The certificate's evaluation belongs to the job: so many steps' worth of energy at its end.
  const auto last = static_cast<std::size_t>(std::max(stages.back().mode, 0));
  const learn::Counters evaluation =
      learner.evaluation_counters(shared.split.test.rows, shared.job.precisions[last]);
  problem.steps_total =
      steps + shared.table.energy(evaluation).value() / shared.job.step_energy[last];
  problem.stages = std::move(stages);
  return control::solve_oracle(problem, shared.environment.start);
}

/// Drives all lanes from where `entries` (already in the ledger) leave off.
class Driver {
 public:
  Driver(const Shared& shared, Sink& sink) : shared_(shared), sink_(sink) {}

  /// \param first   lanes before it are done  \param state  checkpoint of lane `first`, or null
  /// Returns false if interrupted.
  bool run(std::size_t first, const std::vector<std::uint8_t>* state) {
    try {
      return run_lanes(first, state);
    } catch (const Stopped&) {
      sink_.sync();
      return false;
    }
  }

 private:
  bool run_lanes(std::size_t first, const std::vector<std::uint8_t>* state) {
    const std::unique_ptr<learn::Learner> learner = shared_.learner();
    const auto all = static_cast<double>(learner->total_steps());
    feasible_ =
        shared_.scenario.objective.most_quality() ||
        solve(
            shared_,
            {{0.0, shared_.job.modes.back().bits, static_cast<int>(shared_.job.modes.size()) - 1}},
            *learner, all)
            .feasible;
    for (std::size_t i = first; i < shared_.policies.size(); ++i) {
      if (!lane(i, i == first ? state : nullptr)) return false;
    }
    if (!oracle_ && std::count(shared_.policies.begin(), shared_.policies.end(), "oracle") > 0)
      prepare_oracle();
    sink_.add(ledger::RunEnd{
        comparison_json(sink_.entries(), oracle_, shared_.scenario.objective.most_quality())});
    sink_.sync();
    return true;
  }

  /// The bound is about wind, not about precision: it takes the least-energy precision schedule
  /// that any lane is known to have reached the target with.
  void prepare_oracle() {
    std::vector<ledger::Entry> lane;
    Energy least = Energy::from_base(kInfinity);
    for (const ledger::Entry& entry : sink_.entries()) {
      if (std::holds_alternative<ledger::LaneBegin>(entry)) lane.clear();
      lane.push_back(entry);
      const auto* end = std::get_if<ledger::LaneEnd>(&entry);
      if (end == nullptr || end->policy == "oracle") continue;
      if (end->outcome != "target-reached" && !stages_.empty()) continue;
      std::vector<control::Stage> stages = stages_of(lane, shared_.job);
      auto [looks, last] = looks_of(lane);
      const Energy energy = end->outcome == "target-reached"
                                ? dynamic_energy(lane, shared_.job)
                                : Energy::from_base(std::numeric_limits<double>::max());
      if (energy < least) {
        least = energy;
        stages_ = std::move(stages);
        looks_ = std::move(looks);
        steps_ = end->outcome == "target-reached" ? last : 0.0;
      }
    }
    if (stages_.empty()) stages_ = probe_stages(shared_);
    const std::unique_ptr<learn::Learner> learner = shared_.learner();
    if (steps_ <= 0.0) {
      steps_ = static_cast<double>(learner->total_steps());
      looks_.clear();
    }
    oracle_ = solve(shared_, stages_, *learner, steps_);
  }

  std::unique_ptr<control::Policy> policy(const std::string& name) {
    if (shared_.scenario.objective.most_quality() && name.starts_with("hindsight:"))
      return hindsight(name.substr(name.find(':') + 1));
    if (name != "oracle")
      return control::make_policy(
          name, control::JobPolicyOptions{shared_.job.modes, shared_.scenario.objective});
    prepare_oracle();
    return control::make_replay("oracle", oracle_->decisions, stages_, looks_);
  }

  std::unique_ptr<control::Policy> hindsight(const std::string& schedule) {
    const std::unique_ptr<learn::Learner> learner = shared_.learner();
    const site::Scenario& scenario = shared_.scenario;
    std::vector<Energy> looks;
    for (const learn::Precision& p : shared_.job.precisions)
      looks.push_back(
          shared_.job.trainings *
          shared_.table.energy(learner->look_counters(shared_.split.test.rows, p)).value());
    control::QualityTruth truth{
        scenario.site,
        scenario.site.battery.initial_charge * scenario.site.battery.capacity,
        shared_.environment.weather,
        shared_.environment.slot.time(),
        scenario.objective.purchases,
        looks};
    if (truth.purchases <= Energy{}) truth.site.import_limit = Power{};
    return control::make_hindsight(schedule, shared_.job.modes, truth);
  }

  bool lane(std::size_t index, const std::vector<std::uint8_t>* state) {
    const std::string& name = shared_.policies[index];
    if (state == nullptr && !begun_already(index)) sink_.add(ledger::LaneBegin{name});
    std::unique_ptr<control::Policy> policy = this->policy(name);
    LaneStand stand(shared_, nullptr, [this](const ledger::Entry& e) { sink_.add(e); });
    Lane lane(name, std::move(policy), stand.world(), shared_.environment.slot);
    std::uint64_t checkpoint_steps = 0;
    if (state != nullptr) {
      lane.restore(*state);
      checkpoint_steps = lane.world().progress().steps_done;
    }
    std::size_t slots = 0;
    const std::uint64_t every = std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(kCheckpointShare *
                                      static_cast<double>(stand.learner().total_steps())));
    const bool ended = lane.run([&](Lane& l) {
      report_progress(index, l);
      if (shared_.stop.requested()) return false;
      const std::uint64_t steps = l.world().progress().steps_done;
      if (steps - checkpoint_steps >= every || ++slots >= kCheckpointSlots) {
        sink_.add(ledger::Checkpoint{steps, l.save()});
        sink_.sync();
        checkpoint_steps = steps;
        slots = 0;
      }
      return true;
    });
    if (!ended) return false;
    LaneFacts facts;
    facts.policy = name;
    facts.feasible = feasible_;
    facts.most_quality = shared_.scenario.objective.most_quality();
    facts.training_cpu_seconds = lane.cpu_seconds();
    sink_.add(lane_end(facts, shared_.job, shared_.table, stand.learner(), shared_.split,
                       lane.world().outcome(), lane_entries()));
    sink_.sync();
    return true;
  }

  /// Entries from the last LaneBegin on.
  std::vector<ledger::Entry> lane_entries() const {
    const std::vector<ledger::Entry>& all = sink_.entries();
    std::size_t from = all.size();
    while (from > 0 && !std::holds_alternative<ledger::LaneBegin>(all[from - 1])) --from;
    return {all.begin() + static_cast<std::ptrdiff_t>(from - 1), all.end()};
  }

  bool begun_already(std::size_t index) const {
    std::size_t begun = 0;
    for (const ledger::Entry& entry : sink_.entries())
      begun += std::holds_alternative<ledger::LaneBegin>(entry);
    return begun > index;
  }

  void report_progress(std::size_t index, Lane& lane) {
    if (!shared_.options.progress) return;
    const LaneProgress progress = lane.world().progress();
    RunProgress p;
    p.policy = lane.name();
    p.lane = index;
    p.lanes = shared_.policies.size();
    p.share_done = progress.share_done;
    p.now = progress.now;
    p.energy = progress.energy;
    p.own = progress.own;
    p.own_power = progress.own_power;
    p.throttle = progress.throttle;
    p.mode = progress.mode;
    shared_.options.progress(p);
  }

  const Shared& shared_;
  Sink& sink_;
  bool feasible_ = true;
  std::vector<control::Stage> stages_;
  std::vector<double> looks_;  ///< steps at which the oracle looks
  double steps_ = 0.0;         ///< with which it ends
  std::optional<control::OracleSolution> oracle_;
};

RunSummary summary_of(std::vector<ledger::Entry> entries) {
  RunSummary summary;
  std::size_t lanes = 0, reached = 0;
  bool oracle_reached = false;
  for (const ledger::Entry& entry : entries) {
    if (const auto* end = std::get_if<ledger::LaneEnd>(&entry)) {
      const bool target = end->outcome == "target-reached";
      if (end->policy == "oracle") {
        oracle_reached = target;
        continue;
      }
      ++lanes;
      reached += target;
    }
    summary.complete = summary.complete || std::holds_alternative<ledger::RunEnd>(entry);
  }
  if (lanes == 0) {  // the oracle alone speaks for itself
    summary.any_target_reached = summary.all_targets_reached = oracle_reached;
  } else {
    summary.any_target_reached = reached > 0;
    summary.all_targets_reached = reached == lanes;
  }
  summary.entries = std::move(entries);
  return summary;
}

}  // namespace

RunSummary run_scenario(const site::Scenario& scenario, const RunOptions& options) {
  const Shared shared = prepare(scenario, options);
  std::optional<ledger::JournalWriter> journal;
  if (!options.journal.empty()) {
    std::error_code ignored;
    if (options.replace_journal && std::filesystem::is_regular_file(options.journal, ignored))
      std::filesystem::remove(options.journal, ignored);
    journal = ledger::JournalWriter::create(options.journal);
  }
  Sink sink(std::move(journal));
  ledger::RunBegin begin;
  begin.carnot_version = std::string(kVersion);
  begin.command = options.command;
  begin.scenario_name = scenario.name;
  begin.scenario_text = scenario.text;
  begin.seed = scenario.seed;
  begin.started = Instant::now();
  begin.facts_json = facts_json(shared.policies, options, scenario, shared.environment, shared.job,
                                shared.table, *shared.learner(), shared.split);
  sink.add(begin);
  sink.sync();
  Driver(shared, sink).run(0, nullptr);
  return summary_of(std::move(sink.entries()));
}

RunSummary resume_run(const std::string& path, const RunOptions& options) {
  if (!options.policies.empty())
    throw InputError("policies: an interrupted run keeps the policies it was started with");
  ledger::JournalContents contents;
  ledger::JournalWriter writer = ledger::JournalWriter::resume(path, contents);
  std::vector<ledger::Entry>& entries = contents.entries;
  if (ledger::is_measurement(entries))
    throw InputError(path + ": this is a measurement, not a run: carnot measure --resume goes on");
  if (entries.empty() || !std::holds_alternative<ledger::RunBegin>(entries.front()))
    throw InputError(path + ": nothing to resume: the run was interrupted before it began");
  const ledger::RunBegin begin = std::get<ledger::RunBegin>(entries.front());
  if (std::holds_alternative<ledger::RunEnd>(entries.back())) return summary_of(std::move(entries));

  // Lanes done, and how much of the one under way is worth keeping.
  std::size_t done = 0, keep = 1;
  bool open = false;
  const std::vector<std::uint8_t>* state = nullptr;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (std::holds_alternative<ledger::LaneBegin>(entries[i])) {
      open = true;
      state = nullptr;
      keep = i + 1;
    } else if (const auto* checkpoint = std::get_if<ledger::Checkpoint>(&entries[i])) {
      state = &checkpoint->state;
      keep = i + 1;
    } else if (std::holds_alternative<ledger::LaneEnd>(entries[i])) {
      open = false;
      state = nullptr;
      ++done;
      keep = i + 1;
    }
  }
  std::optional<std::vector<std::uint8_t>> kept_state;
  if (open && state != nullptr) kept_state = *state;
  if (keep < entries.size()) writer.truncate(contents.offsets[keep]);
  entries.resize(keep);
  for (ledger::Entry& entry : entries)
    if (auto* checkpoint = std::get_if<ledger::Checkpoint>(&entry)) checkpoint->state.clear();

  const nlohmann::json facts = nlohmann::json::parse(begin.facts_json);
  site::Scenario scenario =
      site::parse_scenario(begin.scenario_text, begin.scenario_name,
                           facts.at("overrides").get<std::vector<std::string>>());
  scenario.seed = begin.seed;
  scenario.file = facts.at("scenario_file").get<std::string>();
  RunOptions again = options;
  again.policies = facts.at("policies").get<std::vector<std::string>>();
  again.precisions = facts.at("precisions").get<std::vector<std::string>>();
  if (again.data_dir.empty()) again.data_dir = facts.at("data_dir").get<std::string>();
  const Shared shared = prepare(scenario, again);
  Sink sink(std::move(writer), std::move(entries));
  Driver(shared, sink).run(done, kept_state ? &*kept_state : nullptr);
  return summary_of(std::move(sink.entries()));
}

}  // namespace carnot::train
