// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/attribution/measurement.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/ledger/store/measurement_view.hpp"

#include "measure/testing/testing_measurement.hpp"

namespace carnot::measure {
namespace {

using testing::HasSubstr;

double rows_j(const Measurement& m) {
  Sum<double> sum;
  for (const MeasuredProcess& p : m.processes) sum += p.energy.in(joule);
  return sum.value();
}

const MeasuredProcess* row(const Measurement& m, const std::string& name) {
  for (const MeasuredProcess& p : m.processes) {
    if (p.name == name) return &p;
  }
  return nullptr;
}

/// What holds of every measurement, whatever its entries.
void expect_sound(const Measurement& m) {
  const double total = m.machine_energy.value().in(joule);
  EXPECT_NEAR(rows_j(m), total, 1e-9 * total);
  for (const MeasuredProcess& p : m.processes) {
    EXPECT_GE(p.energy.in(joule), 0) << p.name;
    EXPECT_LE(p.energy.in(joule), total * (1 + 1e-12)) << p.name;
  }
  ASSERT_FALSE(m.processes.empty());
  EXPECT_EQ(m.processes.back().name, "unattributed");
  EXPECT_NEAR((m.static_energy + m.dynamic_energy).in(joule), total, 1e-9 * total);
  EXPECT_LE(m.energy.value().in(joule), total * (1 + 1e-12));
  for (const Estimate<Energy>& e : {m.energy, m.machine_energy}) {
    EXPECT_GE(e.low().in(joule), -1e-9 * total);
    EXPECT_LE(e.low(), e.value());
    EXPECT_GE(e.high(), e.value());
  }
  if (m.duration_s > 0) {
    EXPECT_NEAR(m.power.value().in(watt)*m.duration_s, m.energy.value().in(joule), 1e-9 * total);
  }
  Sum<double> drawn;
  for (std::size_t i = 0; i < m.series.at_s.size(); ++i) {
    drawn += m.series.machine_w[i] * m.series.length_s[i];
  }
  EXPECT_LE(drawn.value(), total * (1 + 1e-9));
}

TEST(Measurement, SumsCountersPlainly) {
  const std::vector<ledger::Entry> entries = sample::measurement();
  const Measurement m = summarise_measurement(entries, {});
  expect_sound(m);
  // Plainly: last minus first total, times the unit.
  const auto& [begin, first, last] = sample::ends_of(entries);
  double machine = 0;
  ASSERT_EQ(m.domains.size(), begin.channels.size());
  for (std::size_t c = 0; c < begin.channels.size(); ++c) {
    const double joules = begin.channels[c].unit_j *
                          static_cast<double>(last.channels[c].total - first.channels[c].total);
    if (begin.channels[c].role == "counted") machine += joules;
    const auto domain = std::find_if(m.domains.begin(), m.domains.end(),
                                     [&](const auto& d) { return d.id == begin.channels[c].id; });
    ASSERT_NE(domain, m.domains.end());
    EXPECT_DOUBLE_EQ(domain->energy.value().in(joule), joules);
    EXPECT_EQ(domain->energy.origin(), Origin::Measured);
  }
  EXPECT_NEAR(m.machine_energy.value().in(joule), machine, 1e-9 * machine);
  EXPECT_EQ(m.domains.back().role, "beside") << "counted ones come first";
  EXPECT_DOUBLE_EQ(m.duration_s, 60.0);
  EXPECT_EQ(m.outcome, "finished");
  EXPECT_TRUE(m.complete);
}

TEST(Measurement, FindsThePlantedStaticPowerAndSplits) {
  sample::MeasurementOptions options;
  options.accelerator = false;
  const Measurement m = summarise_measurement(sample::measurement(options), {});
  // Planted: 40 W in the packages and 4 W in the memory that no load explains, 21 W a busy CPU
  // of the job, 20 W of the others, which are always 0.4 CPUs (0.4 W of memory never moves).
  EXPECT_NEAR(m.static_power.value().in(watt), 44, 3);
  EXPECT_NEAR(m.static_energy.in(joule), 60 * m.static_power.value().in(watt), 1e-6);
  const double job_dynamic = m.dynamic_energy.in(joule)*m.cpu_s / (m.cpu_s + 0.4 * 60);
  const double job_static = m.static_energy.in(joule)*m.cpu_s / (8 * 60);
  EXPECT_NEAR(m.energy.value().in(joule), job_dynamic + job_static, 0.02 * job_dynamic);
  ASSERT_NE(row(m, "other processes"), nullptr);
  ASSERT_NE(row(m, "idle machine"), nullptr);
}

TEST(Measurement, DividesTheJobByCpuTime) {
  sample::MeasurementOptions options;
  options.accelerator = false;
  const Measurement m = summarise_measurement(sample::measurement(options), {});
  const double job = m.energy.value().in(joule);
  EXPECT_NEAR(row(m, "python3")->energy.in(joule), 0.6 * job, 1e-3 * job);
  EXPECT_NEAR(row(m, "loader")->energy.in(joule), 0.3 * job, 1e-3 * job);
  EXPECT_NEAR(row(m, "writer")->energy.in(joule), 0.08 * job, 1e-3 * job);
  EXPECT_NEAR(row(m, "ended unseen")->energy.in(joule), 0.02 * job, 1e-3 * job);
  EXPECT_NEAR(row(m, "ended unseen")->cpu_s, 0.02 * m.cpu_s, 1e-6);
  EXPECT_EQ(row(m, "job, waiting"), nullptr);
}

TEST(Measurement, GivesTheJobItsShareOfAnAccelerator) {
  sample::MeasurementOptions options;
  const Measurement with = summarise_measurement(sample::measurement(options), {});
  options.accelerator = false;
  const Measurement without = summarise_measurement(sample::measurement(options), {});
  // 0.9 of (60 + 240 * 0.9) W from a fifth of the time to 0.85 of it, in steps of half a second.
  EXPECT_NEAR((with.energy.value() - without.energy.value()).in(joule), 0.9 * 276 * 0.65 * 60, 150);
  options.accelerator = true;
  options.static_policy = "whole";
  const Measurement whole = summarise_measurement(sample::measurement(options), {});
  EXPECT_EQ(row(whole, "accelerators, not the job's"), nullptr);
  expect_sound(whole);
}

TEST(Measurement, PoliciesForStaticEnergyAreOrdered) {
  std::map<std::string, double> job;
  for (const char* policy : {"none", "capacity", "busy", "whole"}) {
    sample::MeasurementOptions options;
    options.static_policy = policy;
    const Measurement m = summarise_measurement(sample::measurement(options), {});
    expect_sound(m);
    job[policy] = m.energy.value().in(joule);
  }
  EXPECT_LT(job["none"], job["capacity"]);
  EXPECT_LT(job["capacity"], job["busy"]);
  EXPECT_LT(job["busy"], job["whole"]);
}

TEST(Measurement, OfTheMachineHasNoJob) {
  sample::MeasurementOptions options;
  options.whole_machine = true;
  const Measurement m = summarise_measurement(sample::measurement(options), {});
  expect_sound(m);
  EXPECT_EQ(m.energy.value(), m.machine_energy.value());
  EXPECT_EQ(row(m, "other processes"), nullptr);
  EXPECT_NEAR(row(m, "idle machine")->energy.in(joule), m.static_energy.in(joule), 1e-6);
}

TEST(Measurement, KeepsGainSharedAndEndsApart) {
  const Measurement m = summarise_measurement(sample::measurement(), {});
  // Gains of 3 % (packages, memory) and 5 % (accelerator) do not average out over 120 intervals.
  for (const MeasuredDomain& d : m.domains) {
    const double half = (d.energy.high() - d.energy.value()).in(joule);
    const double gain = d.kind == "gpu" ? 0.05 : 0.03;
    EXPECT_GE(half, gain * d.energy.value().in(joule)*0.999) << d.id;
    EXPECT_LE(half, gain * d.energy.value().in(joule) + 40) << d.id;
  }
  // Half a second of the memory was not observed: upward, at up to its highest power.
  const auto dram = std::find_if(m.domains.begin(), m.domains.end(),
                                 [](const auto& d) { return d.kind == "dram"; });
  const auto causes = dram->energy.core().causes();
  const auto unobserved = std::find_if(causes.begin(), causes.end(), [](const auto& c) {
    return c.name.starts_with("unobserved:");
  });
  ASSERT_NE(unobserved, causes.end());
  EXPECT_NEAR(unobserved->up, 0.5 * 10, 0.5);
  EXPECT_EQ(unobserved->down, 0);
  EXPECT_EQ(m.gaps.size(), 1U);
  EXPECT_NEAR(m.gaps[0].from_s, 19.5, 1e-9);
}

TEST(Measurement, OfAModelSaysSo) {
  sample::MeasurementOptions options;
  options.modelled = true;
  const Measurement m = summarise_measurement(sample::measurement(options), {});
  expect_sound(m);
  EXPECT_EQ(m.energy.origin(), Origin::Modelled);
  EXPECT_EQ(m.machine_energy.boundary(), Boundary::Node);
  const double value = m.machine_energy.value().in(joule);
  EXPECT_NEAR(m.machine_energy.high().in(joule), 1.4 * value, 0.01 * value);
  EXPECT_NEAR(m.machine_energy.low().in(joule), 0.75 * value, 0.01 * value);
}

TEST(Measurement, TakesPowerAtRestThatWasKnownFromTheBeginning) {
  sample::MeasurementOptions options;
  options.modelled = true;
  options.facts_json = R"({"static_power_w":{"value":31.5,"low":20.25,"high":60}})";
  const Measurement m = summarise_measurement(sample::measurement(options), {});
  expect_sound(m);
  EXPECT_EQ(m.static_power.value(), 31.5 * watt);
  EXPECT_EQ(m.static_power.low(), 20.25 * watt);
  EXPECT_EQ(m.static_power.high(), 60.0 * watt);
  EXPECT_EQ(m.static_power.origin(), Origin::Modelled);
  EXPECT_EQ(m.static_power.boundary(), Boundary::Node);
  EXPECT_NEAR(m.static_energy.in(joule), 31.5 * m.duration_s, 1e-6 * m.duration_s);
  // Of two samples as of many: nothing has to be learned.
  options.samples = 2;
  EXPECT_EQ(summarise_measurement(sample::measurement(options), {}).static_power.value(),
            31.5 * watt);
  for (const char* wrong :
       {R"({"low":1,"high":2})", R"({"value":1,"low":2,"high":3})",
        R"({"value":-1,"low":-2,"high":3})", R"({"value":"1","low":1,"high":3})"}) {
    options.facts_json = std::string(R"({"static_power_w":)") + wrong + "}";
    EXPECT_THROW(summarise_measurement(sample::measurement(options), {}), InputError) << wrong;
  }
}

TEST(Measurement, WindowsAreParts) {
  const Measurement m = summarise_measurement(sample::measurement(), {});
  ASSERT_EQ(m.windows.size(), 2U);
  double sum = 0;
  for (const MeasuredWindow& w : m.windows) {
    EXPECT_LT(w.job_energy, w.machine_energy.value());
    EXPECT_GT(w.job_energy, Energy{});
    sum += w.machine_energy.value().in(joule);
  }
  EXPECT_LT(sum, m.machine_energy.value().in(joule));
  // A window between samples takes its share and is less certain.
  std::vector<ledger::Entry> entries = sample::measurement();
  const std::int64_t origin = std::get<ledger::MeasurementBegin>(entries.front()).boottime_ns;
  entries.insert(
      entries.end() - 1,
      {ledger::MeasurementWindow{origin + 20'000'000'000, origin + 20'250'000'000, "half"},
       ledger::MeasurementWindow{origin + 20'000'000'000, origin + 20'500'000'000, "whole"}});
  const Measurement split = summarise_measurement(entries, {});
  const MeasuredWindow &half = split.windows[2], &whole = split.windows[3];
  EXPECT_NEAR(half.machine_energy.value().in(joule), 0.5 * whole.machine_energy.value().in(joule),
              1e-9);
  const auto relative = [](const Estimate<Energy>& e) { return (e.high() - e.low()) / e.value(); };
  EXPECT_GT(relative(half.machine_energy), 2 * relative(whole.machine_energy));
}

TEST(Measurement, CutAnywhereIsAShorterOne) {
  const std::vector<ledger::Entry> all = sample::measurement();
  double last = 0;
  for (std::size_t n = 1; n <= all.size(); n += n < 12 ? 1 : 7) {
    const std::vector<ledger::Entry> some(all.begin(), all.begin() + static_cast<long>(n));
    const Measurement m = summarise_measurement(some, {});
    expect_sound(m);
    EXPECT_EQ(m.complete, n == all.size());
    const double joules = m.machine_energy.value().in(joule);
    EXPECT_GE(joules, last);
    last = joules;
  }
}

TEST(Measurement, SuspendIsTimeWithoutPower) {
  std::vector<ledger::Entry> entries = sample::measurement();
  bool late = false;
  std::size_t seen = 0;
  for (ledger::Entry& entry : entries) {
    if (auto* s = std::get_if<ledger::MeasurementSample>(&entry)) {
      late = late || ++seen > 60;
      if (late) s->boottime_ns += 600'000'000'000;
    }
    if (auto* e = std::get_if<ledger::MeasurementEnd>(&entry)) e->boottime_ns += 600'000'000'000;
  }
  const Measurement awake = summarise_measurement(sample::measurement(), {});
  const Measurement m = summarise_measurement(entries, {});
  expect_sound(m);
  EXPECT_EQ(m.machine_energy.value(), awake.machine_energy.value());
  EXPECT_NEAR(m.static_energy.in(joule), awake.static_energy.in(joule), 1e-6);
  EXPECT_DOUBLE_EQ(m.duration_s, 660.0);
}

TEST(Measurement, RefusesWhatCannotBe) {
  const auto broken = [](auto&& change) {
    std::vector<ledger::Entry> entries = sample::measurement();
    change(entries);
    try {
      summarise_measurement(entries, {});
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  const auto begin = [](std::vector<ledger::Entry>& e) -> ledger::MeasurementBegin& {
    return std::get<ledger::MeasurementBegin>(e.front());
  };
  EXPECT_THAT(broken([&](auto& e) { begin(e).channels[0].unit_j = -1; }), HasSubstr("unit_j"));
  EXPECT_THAT(broken([&](auto& e) { begin(e).channels[0].unit_j = NAN; }), HasSubstr("unit_j"));
  EXPECT_THAT(broken([&](auto& e) { begin(e).channels[0].gain_low = 2; }), HasSubstr("gain"));
  EXPECT_THAT(broken([&](auto& e) { begin(e).channels[0].origin = "guessed"; }),
              HasSubstr("origin"));
  EXPECT_THAT(broken([&](auto& e) { begin(e).static_policy = "thrift"; }), HasSubstr("thrift"));
  EXPECT_THAT(broken([&](auto& e) { begin(e).facts_json = "[]"; }), HasSubstr("facts"));
  EXPECT_THAT(broken([&](auto& e) { begin(e).facts_json = R"({"notes":[3]})"; }),
              HasSubstr("notes"));
  EXPECT_THAT(broken([&](auto& e) { e.erase(e.begin()); }), HasSubstr("MeasurementBegin"));
  EXPECT_THAT(broken([&](auto& e) {
                for (auto at = e.rbegin(); at != e.rend(); ++at) {
                  if (auto* s = std::get_if<ledger::MeasurementSample>(&*at)) {
                    s->channels[0].total = 0;
                    return;
                  }
                }
              }),
              HasSubstr("never go back"));
  EXPECT_FALSE(ledger::is_measurement({}));
  EXPECT_FALSE(ledger::is_measurement({ledger::RunBegin{}}));
  EXPECT_TRUE(ledger::is_measurement(sample::measurement()));
}

TEST(Measurement, AccountOptionsSurviveTheJournal) {
  model::AccountOptions options;
  options.location = "DE";
  options.pue = 1.25;
  options.price_eur_per_kwh = 0.31;
  options.machine_share = 0.5;
  options.functional_units = 3;
  options.functional_unit = "epoch";
  sample::MeasurementOptions sample_options;
  sample_options.facts_json = account_facts(options);
  const auto back = recorded_account_options(sample::measurement(sample_options));
  EXPECT_EQ(back.location, "DE");
  EXPECT_EQ(back.pue, 1.25);
  EXPECT_EQ(back.price_eur_per_kwh, 0.31);
  EXPECT_EQ(back.machine_share, 0.5);
  EXPECT_EQ(back.functional_units, 3);
  EXPECT_EQ(back.functional_unit, "epoch");
  EXPECT_FALSE(back.carbon_g_per_kwh.has_value());
  sample_options.facts_json.clear();
  EXPECT_EQ(recorded_account_options(sample::measurement(sample_options)).location, "");
}

TEST(Measurement, AJobIsNotSureOfNothingWhereNothingWasSeen) {
  std::vector<ledger::Entry> entries = sample::measurement({.accelerator = false});
  for (ledger::Entry& entry : entries) {
    auto* const s = std::get_if<ledger::MeasurementSample>(&entry);
    if (s == nullptr) continue;
    for (auto& channel : s->channels) {
      channel.total = 0;
      channel.unobserved_ns = s->monotonic_ns;
    }
  }
  const Measurement m = summarise_measurement(entries, {});
  EXPECT_EQ(m.machine_energy.value(), Energy{});
  ASSERT_GT(m.machine_energy.high(), 1.0 * joule);
  EXPECT_EQ(m.energy.value(), Energy{});
  EXPECT_GT(m.energy.high(), 0.01 * m.machine_energy.high());
  EXPECT_LT(m.energy.high(), m.machine_energy.high());
}

/// Any lawful stream of entries: clocks and totals never go back, all else is arbitrary.
std::vector<ledger::Entry> random_stream() {
  const auto in = [](std::int64_t low, std::int64_t high) {
    return *rc::gen::inRange<std::int64_t>(low, high);
  };
  ledger::MeasurementBegin begin =
      std::get<ledger::MeasurementBegin>(sample::measurement().front());
  begin.job_method = *rc::gen::element<std::string>("", "cgroup v2", "tree", "pid", "cgroup");
  begin.static_policy = *rc::gen::element<std::string>("capacity", "busy", "whole", "none");
  std::vector<ledger::Entry> entries{begin};
  ledger::MeasurementSample s;
  s.monotonic_ns = s.boottime_ns = begin.boottime_ns;
  s.channels.resize(begin.channels.size());
  std::map<int, std::int64_t> cpu;
  const std::int64_t steps = in(0, 30);
  for (std::int64_t i = 0; i < steps; ++i) {
    switch (in(0, 6)) {
      case 0:
        entries.emplace_back(ledger::MeasurementProcess{
            begin.boottime_ns + in(-1'000'000, 40'000'000'000), static_cast<std::int32_t>(in(1, 5)),
            static_cast<std::uint64_t>(in(0, 200'000)), "p", cpu[0] += in(0, 3'000'000'000),
            in(0, 2) == 0});
        break;
      case 1:
        entries.emplace_back(
            ledger::MeasurementGap{in(0, 1'000'000), in(0, 2'000'000), "x", "why"});
        break;
      case 2:
        entries.emplace_back(ledger::MeasurementWindow{begin.boottime_ns + in(-100, 20'000'000'000),
                                                       begin.boottime_ns + in(-100, 20'000'000'000),
                                                       "w"});
        break;
      default: {
        const std::int64_t length = in(0, 3) == 0 ? 0 : in(0, 2'000'000'000);
        s.monotonic_ns += length;
        s.boottime_ns += length + (in(0, 5) == 0 ? in(0, 9'000'000'000) : 0);
        s.machine_busy_ns += in(-10'000'000, 16'000'000'000);
        s.machine_idle_ns += in(-10'000'000, 16'000'000'000);
        s.machine_steal_ns += in(0, 10'000'000);
        s.job_cpu_ns += in(0, 8'000'000'000);
        for (auto& channel : s.channels) {
          channel.total += static_cast<std::uint64_t>(in(0, 3) == 0 ? 0 : in(0, 1'000'000'000));
          channel.unobserved_ns += in(0, 4) == 0 ? in(0, length + 1) : 0;
          channel.share = static_cast<double>(in(-5, 15)) / 10;
        }
        entries.emplace_back(s);
      }
    }
  }
  if (in(0, 2) == 0)
    entries.emplace_back(ledger::MeasurementEnd{s.monotonic_ns, s.boottime_ns, "killed", 137});
  return entries;
}

RC_GTEST_PROP(MeasurementProperty, AnyLawfulStreamConserves, ()) {
  const Measurement m = summarise_measurement(random_stream(), {});
  expect_sound(m);
  RC_ASSERT(!testing::Test::HasFailure());
}

}  // namespace
}  // namespace carnot::measure
