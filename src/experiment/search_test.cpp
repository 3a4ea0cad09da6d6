// SPDX-License-Identifier: Apache-2.0
#include "carnot/experiment/search.hpp"

#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/ledger/journal/journal.hpp"

#include "base/testing_files.hpp"

namespace carnot::experiment {
namespace {

/// Two classes that a ring parts, with some labels wrong.
const learn::Split& rings() {
  static const learn::Split split = [] {
    const RandomStream random(7, "rings");
    learn::Split s;
    for (learn::Dataset* d : {&s.train, &s.test}) {
      d->rows = d == &s.train ? 1200 : 400;
      d->columns = 3;
      d->classes = 2;
      d->class_names = {"in", "out"};
      d->source = "rings";
      for (std::size_t r = 0; r < d->rows; ++r) {
        const RandomStream row = random.child(r + (d == &s.test ? 100000 : 0));
        for (std::uint64_t k = 0; k < 3; ++k)
          d->features.push_back(static_cast<float>(row.normal(k)));
        const bool out = std::hypot(row.normal(0), row.normal(1)) > 1.2;
        d->labels.push_back((out != (row.uniform(9) < 0.05)) ? 1 : 0);
      }
    }
    return s;
  }();
  return split;
}

SearchOptions options_of(const char* model = "gbdt") {
  SearchOptions o;
  o.experiment.learner.model = model;
  o.experiment.learner.learning_rate = 0.1;
  o.iterations = 6;
  o.space = learn::read_search_space(
      model == std::string("gbdt") ? "[trees]\nlow = 4\nhigh = 24\n[leaves]\nlow = 3\nhigh = 16\n"
                                   : "[hidden]\nlow = 2\nhigh = 16\n[epochs]\nlow = 1\nhigh = 4\n",
      "test", learn::default_search_space(model, 0.1));
  return o;
}

/// Everything that is not a wall clock.
std::string words(const SearchResult& r) {
  std::string out;
  for (const SearchLane& lane : r.lanes) {
    out += lane.method + " " + lane.stopped + "\n";
    for (const SearchTrial& t : lane.trials)
      out += r.space.text(t.values) + " " + std::to_string(t.share) + " " + t.why + " " +
             std::to_string(t.loss) + " " + std::to_string(t.energy.value().in(joule)*1e9) + "\n";
  }
  return out;
}

void expect_sums(const SearchResult& r) {
  for (const SearchLane& lane : r.lanes) {
    double joules = 0.0;
    learn::Counters counters;
    for (const SearchTrial& t : lane.trials) {
      joules += t.energy.value().in(joule);
      counters += t.counters;
      EXPECT_EQ(t.energy.origin(), Origin::Modelled);
      EXPECT_EQ(t.energy.boundary(), Boundary::Chip);
    }
    EXPECT_NEAR(lane.spent.in(joule), joules, 1e-12 * joules);
    // And joules are those of the counts alone.
    const double again = learn::EnergyTable::embedded().energy(counters).value().in(joule);
    EXPECT_NEAR(lane.spent.in(joule), again, 1e-9 * again);
  }
}

TEST(Search, TrialJoulesSumToTheTotalAndRivalsKeepToThem) {
  SearchOptions o = options_of();
  o.rivals = {"random", "grid", "bayes"};
  const SearchResult r = run_search(o, rings());
  ASSERT_EQ(r.lanes.size(), 4u);
  expect_sums(r);
  ASSERT_TRUE(r.lanes[0].best);
  for (std::size_t i = 1; i < 4; ++i)
    EXPECT_LE(r.lanes[i].spent, r.lanes[0].spent * (1.0 + 1e-12)) << r.lanes[i].method;
  const SearchTrial& best = r.lanes[0].trials[*r.lanes[0].best];
  EXPECT_EQ(best.share, 1.0);
  EXPECT_GT(best.held_out, 0.8);
  EXPECT_GT(best.model_bits, 0.0);
  EXPECT_LE(r.hindsight()->loss, best.loss);
  EXPECT_EQ(r.lanes[0].joules_to(best.loss), r.lanes[0].to_best.in(joule));
}

TEST(Search, StaysWithinItsBudgetToTheJoule) {
  SearchOptions o = options_of("mlp");
  const SearchResult whole = run_search(o, rings());
  o.experiment.budget = 0.4 * whole.lanes[0].spent;
  o.rivals = {"random"};
  const SearchResult r = run_search(o, rings());
  expect_sums(r);
  for (const SearchLane& lane : r.lanes) EXPECT_LE(lane.spent, o.experiment.budget);
  EXPECT_EQ(r.lanes[0].stopped, "joules spent");
  EXPECT_TRUE(std::isnan(r.lanes[0].trials.back().loss));
  const SearchTrial& cut = r.lanes[0].trials.back();
  EXPECT_EQ(cut.examples > 0, cut.energy.value() > Energy{});  // what was begun is paid for
}

TEST(Search, GivesTheSameTwiceAndGoesOnWhereItWasStopped) {
  const TemporaryFolder folder;
  SearchOptions o = options_of();
  o.rivals = {"random"};
  const SearchResult whole = run_search(o, rings());
  EXPECT_EQ(words(run_search(o, rings())), words(whole));

  learn::SavedModel model, resumed_model;
  o.journal = folder / "search.journal";
  o.resume = true;
  for (const int asked : {40, 400, 4000}) {  // stopped at several moments, then not any more
    int left = asked;
    o.experiment.stop = StopToken([&left] { return --left < 0; });
    const SearchResult part = run_search(o, rings(), &model);
    if (part.stopped) {
      EXPECT_LT(words(part).size(), words(whole).size());
    }
  }
  o.experiment.stop = StopToken();
  const SearchResult resumed = run_search(o, rings(), &resumed_model);
  EXPECT_EQ(words(resumed), words(whole));
  EXPECT_GT(resumed.resumed, 0u);
  run_search(options_of(), rings(), &model);
  EXPECT_EQ(learn::pack_model(resumed_model), learn::pack_model(model));

  // The ledger holds the joules of every trial.
  double joules = 0.0;
  std::size_t slots = 0;
  for (const ledger::Entry& entry : ledger::read_journal(o.journal).entries)
    if (const auto* slot = std::get_if<ledger::SlotEntry>(&entry)) {
      joules += slot->grid.in(joule);
      ++slots;
    }
  double spent = 0.0;
  std::size_t trials = 0;
  for (const SearchLane& lane : whole.lanes) {
    spent += lane.spent.in(joule);
    trials += lane.trials.size();
  }
  EXPECT_EQ(slots, trials);
  EXPECT_NEAR(joules, spent, 1e-12 * spent);

  o.experiment.learner.seed = 2;
  EXPECT_THROW(run_search(o, rings()), InputError);  // a journal of another search
}

TEST(Search, StopsByStructureOnceNothingIsGained) {
  SearchOptions o = options_of();
  o.patience = 2;
  o.slack = 0.5;  // nearly nothing counts as gain
  const SearchResult soon = run_search(o, rings());
  EXPECT_THAT(soon.lanes[0].stopped, ::testing::HasSubstr("structure"));
  o.patience = 0;
  const SearchResult later = run_search(o, rings());
  EXPECT_EQ(later.lanes[0].stopped, "converged on all rows");
  EXPECT_GT(later.lanes[0].spent, soon.lanes[0].spent);
}

TEST(Search, RefusesWhatItCannotSearch) {
  SearchOptions o = options_of();
  o.method = "luck";
  EXPECT_THROW(run_search(o, rings()), InputError);
  o = options_of();
  o.rivals = {"frugal"};
  EXPECT_THROW(run_search(o, rings()), InputError);
  o = options_of();
  o.validation = 0.0;
  EXPECT_THROW(run_search(o, rings()), InputError);
  o = options_of();
  o.experiment.learner.model = "transformer";
  o.space = {};
  EXPECT_THROW(run_search(o, rings()), InputError);
}

}  // namespace
}  // namespace carnot::experiment
