// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/measure/metrics.hpp"

#include <cmath>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"

#include "measure/testing/testing_measurement.hpp"

namespace carnot::report {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Samples = std::map<std::string, double>;

/// The grammar of OpenMetrics 1.0.0 as far as the exposition uses it, read strictly: metadata
/// before samples, families whole and once, suffixes by type, no sample twice, `# EOF` at the end.
std::vector<std::string> problems_of(const std::string& text, Samples* samples = nullptr) {
  static const std::regex kMeta("# (TYPE|UNIT|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)");
  static const std::regex kSample(
      R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\[\\"n])*")(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\[\\"n])*")*\})? ([-+0-9.eE]+|NaN|[+-]Inf))");
  std::vector<std::string> problems;
  std::istringstream stream(text);
  std::set<std::string> families, seen;
  std::string family, type, line;
  bool ended = false;
  while (std::getline(stream, line)) {
    std::smatch m;
    if (ended) problems.push_back("after the end: " + line);
    if (line == "# EOF") {
      ended = true;
    } else if (std::regex_match(line, m, kMeta)) {
      if (m[2] != family) {
        family = m[2];
        type.clear();
        if (!families.insert(family).second) problems.push_back("family twice: " + family);
      }
      if (m[1] == "TYPE") type = m[3];
      if (m[1] == "UNIT" && !family.ends_with("_" + m[3].str())) {
        problems.push_back("unit is not the name's end: " + line);
      }
    } else if (std::regex_match(line, m, kSample)) {
      const std::string name = m[1], key = m[1].str() + m[2].str();
      if (!seen.insert(key).second) problems.push_back("sample twice: " + key);
      const bool fits = type == "counter" ? name == family + "_total" || name == family + "_created"
                        : type == "info"  ? name == family + "_info"
                                          : name == family;
      if (!fits) problems.push_back("suffix: " + line);
      if (type == "counter" && std::stod(m[m.size() - 1]) < 0)
        problems.push_back("negative: " + line);
      if (samples != nullptr) (*samples)[key] = std::stod(m[m.size() - 1]);
    } else {
      problems.push_back("no line of the format: " + line);
    }
  }
  if (!ended) problems.push_back("no # EOF");
  if (text.empty() || text.back() != '\n') problems.push_back("no line end at the end");
  return problems;
}

std::vector<ledger::Entry> machine(std::size_t samples = 61) {
  measure::sample::MeasurementOptions options;
  options.whole_machine = true;
  options.samples = samples;
  options.interval_ns = 1'000'000'000;
  return measure::sample::measurement(options);
}

/// Feeds a journal as `carnot serve` does, looking at the processes after every sample.
void feed(measure::MetricsCollector& collector, const std::vector<ledger::Entry>& entries,
          std::size_t from = 0, const std::function<void()>& after = {}) {
  std::vector<meter::ProcessUse> look;
  for (std::size_t i = from; i < entries.size(); ++i) {
    if (const auto* b = std::get_if<ledger::MeasurementBegin>(&entries[i])) collector.begin(*b);
    if (const auto* p = std::get_if<ledger::MeasurementProcess>(&entries[i])) {
      look.push_back({p->pid, 1, p->start_ticks, p->name, p->cpu_ns, 0, 0, true});
    }
    if (const auto* s = std::get_if<ledger::MeasurementSample>(&entries[i])) {
      collector.processes(look, Instant::from_unix_nanoseconds(s->boottime_ns));
      look.clear();
      collector.sample(*s);
      if (after) after();
    }
  }
}

Samples samples_of(const measure::MetricsCollector& collector) {
  Samples samples;
  EXPECT_THAT(problems_of(openmetrics(collector.state()), &samples), IsEmpty());
  return samples;
}

/// Counters of `now` that are below those of `before`; series that began anew are not the same.
std::vector<std::string> fallen(const Samples& before, const Samples& now) {
  std::vector<std::string> out;
  for (const auto& [key, value] : before) {
    const std::size_t at = key.find("_total");
    const auto found = now.find(key);
    if (at == std::string::npos || found == now.end()) continue;
    std::string created = key;
    created.replace(at, 6, "_created");
    if (now.at(created) != before.at(created)) continue;
    if (found->second < value) out.push_back(key);
  }
  return out;
}

TEST(OpenMetrics, IsOfTheFormat) {
  EXPECT_THAT(problems_of(openmetrics({})), IsEmpty());
  measure::MetricsCollector collector({2, "DE", 350});
  feed(collector, machine());
  collector.groups({{{"/system.slice", 5}, {"/user.slice", 6}}}, Instant::from_unix_seconds(9));
  EXPECT_THAT(problems_of(openmetrics(collector.state())), IsEmpty());
}

TEST(OpenMetrics, CheckSeesWhatIsWrong) {
  const std::string good = openmetrics({});
  EXPECT_THAT(problems_of(good.substr(0, good.size() - 6)), Not(IsEmpty()));
  EXPECT_THAT(problems_of(good + good), Not(IsEmpty()));
  EXPECT_THAT(problems_of("# TYPE a counter\na 1\n# EOF\n"), Not(IsEmpty()));
  EXPECT_THAT(problems_of("# TYPE a gauge\na{b=\"c\"d\"} 1\n# EOF\n"), Not(IsEmpty()));
  EXPECT_THAT(problems_of("# TYPE a gauge\na 1\na 1\n# EOF\n"), Not(IsEmpty()));
  EXPECT_THAT(problems_of("# TYPE a_s gauge\n# UNIT a_s joules\na_s 1\n# EOF\n"), Not(IsEmpty()));
}

// A restart only knows the machine's ticks: what is shown of processes waits for them.
TEST(OpenMetrics, ShowsNoMoreProcessTimeThanTheMachineHadTicks) {
  measure::MetricsState state;
  state.other_cpu_s = 0.0012;
  const auto other = [&] {
    Samples samples;
    EXPECT_THAT(problems_of(openmetrics(state), &samples), IsEmpty());
    for (const auto& [key, value] : samples)
      if (key.starts_with("carnot_process_cpu_seconds_total")) return value;
    return -1.0;
  };
  EXPECT_EQ(other(), 0.0);
  state.machine_cpu_s = 0.01;
  EXPECT_EQ(other(), 0.0012);
}

TEST(OpenMetrics, EscapesForeignNames) {
  measure::MetricsState state;
  state.processes.push_back({1, "a\"b\\c\nd\x1b\xff", 1, 1, Instant{}});
  const std::string text = openmetrics(state);
  EXPECT_THAT(problems_of(text), IsEmpty());
  EXPECT_THAT(text, HasSubstr(R"(name="a\"b\\c\nd??")"));
}

TEST(OpenMetrics, SaysWhereEveryJouleComesFrom) {
  measure::MetricsCollector collector({10, "", 0});
  feed(collector, machine());
  const std::string text = openmetrics(collector.state());
  EXPECT_THAT(text, HasSubstr(R"(domain="powercap/intel-rapl:2",label="psys",kind="platform",)"
                              R"(source="powercap",origin="measured",role="beside")"));
  EXPECT_THAT(text, Not(HasSubstr("carbon"))) << "no location, no carbon";
}

TEST(MetricsCollector, CountsWhatTheJournalCounts) {
  const std::vector<ledger::Entry> entries = machine();
  measure::MetricsCollector collector({10, "DE", 360});
  feed(collector, entries);
  const measure::MetricsState& state = collector.state();
  const auto& [begin, first, last] = measure::sample::ends_of(entries);
  double counted = 0;
  for (std::size_t c = 0; c < state.domains.size(); ++c) {
    const double joules = begin.channels[c].unit_j *
                          static_cast<double>(last.channels[c].total - first.channels[c].total);
    EXPECT_DOUBLE_EQ(state.domains[c].energy_j, joules);
    if (state.domains[c].role == "counted") counted += joules;
  }
  EXPECT_NEAR(state.static_j + state.dynamic_j, counted, 1e-9 * counted);
  EXPECT_NEAR(state.carbon_g, counted / 3.6e6 * 360, 1e-9 * counted);
  double rows = state.other_j;
  for (const auto& p : state.processes) rows += p.energy_j;
  EXPECT_LE(rows, state.dynamic_j * (1 + 1e-9));
  EXPECT_GT(rows, 0.9 * state.dynamic_j);
}

TEST(MetricsCollector, CountersNeverFall) {
  measure::MetricsCollector collector({1, "DE", 350});  // one row: processes are pushed out
  Samples before;
  feed(collector, machine(), 0, [&] {
    const Samples now = samples_of(collector);
    EXPECT_THAT(fallen(before, now), IsEmpty());
    before = now;
  });
  EXPECT_FALSE(before.empty());
}

TEST(MetricsCollector, CountersNeverFallAcrossARestart) {
  const std::vector<ledger::Entry> all = machine();
  for (const std::size_t cut : {2U, 9U, 40U}) {
    const std::vector<ledger::Entry> some(all.begin(), all.begin() + cut);
    measure::MetricsCollector first({10, "DE", 350});
    feed(first, some);
    const Samples before = samples_of(first);
    // Killed: the same measurement goes on.
    measure::MetricsCollector second({10, "DE", 350});
    second.replay(some);
    EXPECT_THAT(fallen(before, samples_of(second)), IsEmpty());
    feed(second, all, cut);
    EXPECT_THAT(fallen(before, samples_of(second)), IsEmpty());
    const auto energy = second.state().domains[0].energy_j;
    measure::MetricsCollector whole({10, "DE", 350});
    feed(whole, all);
    EXPECT_DOUBLE_EQ(energy, whole.state().domains[0].energy_j);
    // Ended: another measurement begins, with other counters and a domain less.
    measure::sample::MeasurementOptions options;
    options.whole_machine = true;
    options.accelerator = false;
    measure::MetricsCollector third({10, "DE", 350});
    third.restore(second.state());
    feed(third, measure::sample::measurement(options));
    EXPECT_THAT(fallen(samples_of(second), samples_of(third)), IsEmpty());
    EXPECT_GT(third.state().domains[0].energy_j, energy);
    EXPECT_EQ(third.state().created, first.state().created);
  }
}

// Groups are not in the journal: after a restart they count anew, and say since when.
TEST(MetricsCollector, GroupsSaySinceWhenTheyCount) {
  measure::MetricsCollector collector({});
  collector.groups({{{"/a", 5}}}, Instant::from_unix_seconds(100));
  collector.groups({{{"/a", 6}, {"/b", 7}}}, Instant::from_unix_seconds(200));
  ASSERT_EQ(collector.state().groups.size(), 2u);
  EXPECT_EQ(collector.state().groups[0].created, Instant::from_unix_seconds(100));
  EXPECT_EQ(collector.state().groups[1].created, Instant::from_unix_seconds(200));
  const std::string text = openmetrics(collector.state());
  EXPECT_THAT(text, HasSubstr("carnot_cgroup_energy_joules_created{cgroup=\"/a\"} 100"));
}

TEST(MetricsCollector, GroupsNameTheirJobsPodsAndContainers) {
  measure::MetricsCollector collector({});
  const std::string uid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", id(64, 'e');
  collector.groups({{{"/system.slice/slurmstepd.scope/job_12/step_0", 5},
                     {"/kubepods/burstable/pod" + uid + "/" + id, 6}}},
                   Instant::from_unix_seconds(100));
  const std::string text = openmetrics(collector.state());
  EXPECT_THAT(text, HasSubstr("job_12/step_0\",slurm_job=\"12\",slurm_step=\"0\"} "));
  EXPECT_THAT(text, HasSubstr("\",pod_uid=\"" + uid + "\",container=\"" + id + "\"} "));
}

TEST(MetricsCollector, RefusesASampleOfAnotherMeasurement) {
  measure::MetricsCollector collector({});
  collector.begin(std::get<ledger::MeasurementBegin>(machine().front()));
  EXPECT_THROW(collector.sample({}), InputError);
}

TEST(MetricsCollector, TakesPowerAtRestThatWasKnownFromTheBeginning) {
  measure::sample::MeasurementOptions options;
  options.whole_machine = options.modelled = true;
  options.facts_json = R"({"static_power_w":{"value":31.5,"low":20.25,"high":60}})";
  measure::MetricsCollector collector({2, "DE", 350});
  feed(collector, measure::sample::measurement(options));
  EXPECT_EQ(collector.state().static_w, 31.5);
  EXPECT_EQ(collector.state().static_origin, "modelled");
  EXPECT_NEAR(collector.state().static_j, 31.5 * 60, 31.5);
}

RC_GTEST_PROP(MetricsCollectorProperty, ManyProcessesConserveUnderTheCap, ()) {
  const auto cap = *rc::gen::inRange<std::size_t>(0, 4);
  measure::MetricsCollector collector({cap, "", 0});
  const std::vector<ledger::Entry> entries = machine(3);
  collector.begin(std::get<ledger::MeasurementBegin>(entries.front()));
  ledger::MeasurementSample s;
  s.channels.resize(std::get<ledger::MeasurementBegin>(entries.front()).channels.size());
  std::map<int, meter::ProcessUse> alive;
  Samples before;
  for (int step = 0; step < 12; ++step) {
    s.monotonic_ns += 1'000'000'000;
    s.boottime_ns = s.monotonic_ns;
    s.machine_idle_ns += 4'000'000'000;
    std::int64_t busy = *rc::gen::inRange(0, 1000) * 1'000'000LL;
    for (auto& channel : s.channels) channel.total += 50'000'000;
    std::vector<meter::ProcessUse> look;
    for (int i = 0; i < 6; ++i) {
      const int pid = *rc::gen::inRange(1, 9);
      meter::ProcessUse& p = alive[pid];
      if (*rc::gen::inRange(0, 6) == 0) p = {pid, 1, p.start_ticks + 1, "n", 0, 0, 0, true};
      p.pid = pid;
      p.alive = true;
      // Never the same look twice: that would be none.
      const std::int64_t used = *rc::gen::inRange(1, 500) * 1'000'000LL + step * 1'000'003LL;
      p.cpu_ns += used;
      busy += used;
    }
    // One that ended is seen once more.
    if (*rc::gen::inRange(0, 3) == 0) alive.begin()->second.alive = false;
    for (const auto& [pid, p] : alive) look.push_back(p);
    std::erase_if(alive, [](const auto& entry) { return !entry.second.alive; });
    s.machine_busy_ns += busy;
    collector.sample(s);
    collector.processes(look, Instant::from_unix_nanoseconds(s.boottime_ns));
    const measure::MetricsState& state = collector.state();
    RC_ASSERT(state.processes.size() <= cap);
    double rows = state.other_j;
    for (const auto& p : state.processes) rows += p.energy_j;
    RC_ASSERT(std::abs(rows - state.dynamic_j) <= 1e-9 * state.dynamic_j);
    const Samples now = samples_of(collector);
    RC_ASSERT(fallen(before, now).empty());
    before = now;
  }
}

}  // namespace
}  // namespace carnot::report
