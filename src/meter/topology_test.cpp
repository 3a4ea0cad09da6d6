// SPDX-License-Identifier: Apache-2.0
// Bar: over every topology, through find_sources, resolve, observe and Counter, the total is within
// 0.1 % of the truth, each joule once.
#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "carnot/meter/counters/resolver.hpp"

#include "base/testing_files.hpp"
#include "meter/testing/testing_perf.hpp"

namespace carnot::meter {
namespace {

using testing::SensorTree;
using testing::Topology;

struct Sum {
  Energy total;
  int counted = 0;
  int domains = 0;
};

Sum measure(SensorTree& tree, std::vector<std::unique_ptr<Source>> sources, double seconds,
            double every) {
  std::vector<Domain> domains;
  for (const auto& s : sources)
    domains.insert(domains.end(), s->domains().begin(), s->domains().end());
  std::vector<Counter> counters;
  for (const Domain& d : domains) counters.emplace_back(d.counter);
  std::vector<Reading> readings(domains.size());
  std::vector<std::vector<double>> deltas;
  std::int64_t now = 0;
  for (double t = 0.0; t <= seconds; t += every) {
    std::size_t first = 0;
    for (const auto& s : sources) {
      s->poll(std::span(readings).subspan(first, s->domains().size()));
      first += s->domains().size();
    }
    std::vector<double> row;
    for (std::size_t i = 0; i < domains.size(); ++i) {
      EXPECT_EQ(readings[i].status, PollStatus::Ok) << domains[i].id;
      const Step step = counters[i].advance(readings[i].raw, {now, now});
      row.push_back(static_cast<double>(step.raw) * domains[i].counter.unit.in(joule));
    }
    if (t > 0) deltas.push_back(row);
    if (t + every > seconds) break;
    // Load varies: mirrors are told by what they share.
    for (const auto& r : tree.registers())
      tree.set_power(r.id, r.power * (deltas.size() % 2 == 0 ? 1.25 : 0.8));
    tree.advance(every);
    now += static_cast<std::int64_t>(every * 1e9);
  }
  Sum sum;
  const Resolution resolution = observe(domains, resolve(domains), deltas);
  for (std::size_t i = 0; i < domains.size(); ++i) {
    if (resolution.entries[i].role != Role::Counted) continue;
    sum.total += counters[i].total();
    ++sum.counted;
  }
  sum.domains = static_cast<int>(domains.size());
  return sum;
}

SourceOptions options_of(const SensorTree& tree) {
  SourceOptions options;
  options.sysfs_root = tree.sysfs_root();
  options.procfs_root = tree.procfs_root();
  options.dev_root = tree.dev_root();
  options.nvml = options.amd_smi = "none";
  return options;
}

int counted_in(const SensorTree& tree) {
  int n = 0;
  for (const auto& r : tree.registers()) n += r.counted;
  return n;
}

class Topologies : public ::testing::TestWithParam<Topology> {};

// Long enough for every register to turn.
TEST_P(Topologies, EachJouleOnce) {
  const TemporaryFolder folder;
  SensorTree tree(folder.path(), GetParam(), 300.0);
  std::vector<std::unique_ptr<Source>> sources;
  std::vector<Note> notes;
  if (GetParam() == Topology::PerfSubset) {
    auto perf = open_perf(
        options_of(tree), notes,
        std::make_shared<testing::FakePerf>(
            tree, std::map<std::pair<std::uint64_t, int>, std::string>{{{2, 0}, "package-0"}}));
    ASSERT_NE(perf, nullptr);
    sources.push_back(std::move(perf));
  }
  Found found = find_sources(options_of(tree));
  for (auto& s : found.sources) sources.push_back(std::move(s));
  if (GetParam() == Topology::Empty) {
    EXPECT_TRUE(sources.empty());
    EXPECT_EQ(found.notes.size(), 1u);  // and a word about it
    return;
  }
  const Sum sum = measure(tree, std::move(sources), 200.0, 5.0);
  const double truth = tree.true_total().in(joule);
  EXPECT_GT(truth, 1000.0);
  EXPECT_NEAR(sum.total.in(joule), truth, 1e-3 * truth);
  EXPECT_EQ(sum.counted, counted_in(tree));
  EXPECT_GE(sum.domains, sum.counted);
}

INSTANTIATE_TEST_SUITE_P(All, Topologies, ::testing::ValuesIn(testing::all_topologies()),
                         [](const auto& trial) {
                           std::string word(testing::name(trial.param));
                           std::erase(word, '-');
                           return word;
                         });

TEST(SensorTree, ShowsWhatHardwareShows) {
  const TemporaryFolder folder;
  SensorTree tree(folder.path(), Topology::OneSocket, 10.0);
  EXPECT_EQ(tree.counts("package-0"), 0x1'0000'0000u - 10u * 16'384u);
  tree.advance(1.0);  // 60 W
  EXPECT_EQ(tree.counts("package-0"), 50u * 16'384u);
  EXPECT_DOUBLE_EQ(tree.true_total().in(joule), 60.0);
  tree.reset("package-0");
  EXPECT_EQ(tree.counts("package-0"), 0u);
  EXPECT_DOUBLE_EQ(tree.true_total().in(joule), 60.0);
  std::set<std::string> names;
  for (const Topology t : testing::all_topologies()) names.insert(std::string(testing::name(t)));
  EXPECT_EQ(names.size(), testing::all_topologies().size());
}

}  // namespace
}  // namespace carnot::meter
