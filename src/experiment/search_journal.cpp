// SPDX-License-Identifier: Apache-2.0
#include "experiment/search_journal.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/state_bytes.hpp"
#include "carnot/base/version.hpp"
#include "carnot/learn/search/search_space.hpp"

namespace carnot::experiment {

namespace {

constexpr std::uint32_t kTrialVersion = 1;

std::vector<std::uint8_t> pack(const SearchTrial& t, const learn::SavedModel* model) {
  StateWriter out;
  out.value(kTrialVersion);
  out.sequence(t.values);
  for (const double x : {t.share, t.loss, t.held_out, t.model_bits, t.data_bits}) out.value(x);
  out.text(t.why);
  out.text(t.stopped);
  out.text(t.validation.metric);
  out.value(t.validation.value);
  out.value(t.validation.trials);
  out.value(t.validation.successes);
  out.value(t.validation.bits_per_label);
  out.value(t.examples);
  for (const std::uint64_t n : t.counters.operations) out.value(n);
  for (const std::uint64_t n : t.counters.bytes) out.value(n);
  out.sequence(model != nullptr ? learn::pack_model(*model) : std::vector<std::uint8_t>{});
  return out.take();
}

SearchTrial unpack(const std::vector<std::uint8_t>& state, std::vector<std::uint8_t>& model) {
  StateReader in(state);
  if (in.value<std::uint32_t>() != kTrialVersion)
    throw InputError("search journal: trials of another version");
  SearchTrial t;
  t.values = in.sequence<double>();
  for (double* x : {&t.share, &t.loss, &t.held_out, &t.model_bits, &t.data_bits})
    *x = in.value<double>();
  t.why = in.text();
  t.stopped = in.text();
  t.validation.metric = in.text();
  t.validation.value = in.value<double>();
  t.validation.trials = in.value<std::uint64_t>();
  t.validation.successes = in.value<std::uint64_t>();
  t.validation.bits_per_label = in.value<double>();
  t.examples = in.value<std::uint64_t>();
  for (std::uint64_t& n : t.counters.operations) n = in.value<std::uint64_t>();
  for (std::uint64_t& n : t.counters.bytes) n = in.value<std::uint64_t>();
  model = in.sequence<std::uint8_t>();
  in.end();
  return t;
}

double operations(const learn::Counters& c) {
  double all = 0.0;
  for (const std::uint64_t n : c.operations) all += static_cast<double>(n);
  return all;
}

double bytes(const learn::Counters& c) {
  double all = 0.0;
  for (const std::uint64_t n : c.bytes) all += static_cast<double>(n);
  return all;
}

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

SearchJournal::SearchJournal(const SearchOptions& options, const std::string& facts,
                             const learn::EnergyTable& table)
    : table_(table), path_(options.journal) {
  if (options.resume && std::filesystem::exists(path_)) {
    ledger::JournalContents contents;
    writer_ = ledger::JournalWriter::resume(path_, contents);
    if (!contents.entries.empty()) {
      read(contents, facts);
      return;
    }
  } else {
    writer_ = ledger::JournalWriter::create(path_);
  }
  ledger::RunBegin begin;
  begin.carnot_version = kVersion;
  begin.command = options.experiment.command;
  begin.scenario_name = "search";
  begin.seed = options.experiment.learner.seed;
  begin.started = Instant::now();
  begin.facts_json = facts;
  writer_->append(begin);
}

void SearchJournal::read(const ledger::JournalContents& contents, const std::string& facts) {
  const auto* begin = std::get_if<ledger::RunBegin>(&contents.entries.front());
  if (begin == nullptr || begin->facts_json != facts)
    throw InputError(describe(
        {path_, 0}, "journal",
        "one of the same search: data, learner, ranges, methods, seed and chip; this is another"));
  std::size_t sound = 0;  // entries up to the last whole trial
  for (std::size_t i = 0; i < contents.entries.size(); ++i) {
    const ledger::Entry& entry = contents.entries[i];
    if (const auto* lane = std::get_if<ledger::LaneBegin>(&entry)) begun_.push_back(lane->policy);
    if (const auto* slot = std::get_if<ledger::SlotEntry>(&entry)) clock_ = clock_ + slot->length;
    if (const auto* lane = std::get_if<ledger::LaneEnd>(&entry)) ended_.push_back(lane->policy);
    if (std::holds_alternative<ledger::RunEnd>(entry)) complete_ = true;
    if (const auto* state = std::get_if<ledger::Checkpoint>(&entry)) {
      if (begun_.empty()) throw InputError(path_ + ": journal: a trial before its method");
      Recorded r;
      r.method = begun_.back();
      r.trial = unpack(state->state, r.model);
      r.trial.energy = table_.energy(r.trial.counters);
      recorded_.push_back(std::move(r));
    }
    if (!std::holds_alternative<ledger::SlotEntry>(entry)) sound = i + 1;
  }
  // A slot whose trial was not written any more: the trial is done again.
  if (sound < contents.entries.size()) writer_->truncate(contents.offsets[sound]);
}

bool SearchJournal::recall(const std::string& method, SearchTrial& trial,
                           std::optional<learn::SavedModel>& model) {
  if (next_ >= recorded_.size()) return false;
  Recorded& r = recorded_[next_];
  if (r.method != method || r.trial.values != trial.values || r.trial.share != trial.share)
    throw InputError(
        describe({path_, 0}, "journal",
                 fmt::format("trials in the order of the search; trial {} is another", next_ + 1)));
  ++next_;
  trial = r.trial;
  if (!r.model.empty()) model = learn::unpack_model(r.model);
  return true;
}

void SearchJournal::begin_lane(const std::string& method) {
  if (among(begun_, method)) return;
  writer_->append(ledger::LaneBegin{method});
  begun_.push_back(method);
}

void SearchJournal::record(const std::string& method, const SearchTrial& trial,
                           const learn::SavedModel* model) {
  begin_lane(method);
  ledger::SlotEntry slot;
  slot.start = Instant::from_unix_nanoseconds(clock_.nanoseconds());
  slot.length = Duration::from(table_.time(trial.counters));
  clock_ = clock_ + slot.length;
  slot.grid = slot.facility = trial.energy.value();
  slot.mode = trial.why;
  slot.throttle = trial.share;
  slot.steps = trial.examples;
  slot.operations = operations(trial.counters) * operation;
  slot.bytes_moved = bytes(trial.counters) * byte;
  slot.loss = trial.loss;
  slot.noise_share = kNaN;
  writer_->append(slot);
  writer_->append(ledger::Checkpoint{trial.examples, pack(trial, model)});
  writer_->sync();
}

void SearchJournal::end_lane(const SearchLane& lane) {
  begin_lane(lane.method);
  if (among(ended_, lane.method)) return;
  ended_.push_back(lane.method);
  nlohmann::json result{{"trials", lane.trials.size()},
                        {"spent_j", lane.spent.in(joule)},
                        {"to_best_j", lane.to_best.in(joule)}};
  if (lane.best) result["best"] = *lane.best;
  writer_->append(ledger::LaneEnd{lane.method, "ended", lane.stopped, result.dump()});
}

void SearchJournal::end() {
  if (!complete_) writer_->append(ledger::RunEnd{"{}"});
  complete_ = true;
  writer_->sync();
}

}  // namespace carnot::experiment
