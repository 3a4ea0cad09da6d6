// SPDX-License-Identifier: Apache-2.0
#include <deque>
#include <map>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/simulate/event_log.hpp"
#include "carnot/simulate/simulate.hpp"

#include "simulate/testing_simulate.hpp"

namespace carnot::simulate {
namespace {

using control::JobIndex;
using control::JobPhase;
using testing::Chaos;
using testing::Draws;
using testing::FleetChoice;

/// Every figure but the time it took.
void expect_same(const FleetResult& a, const FleetResult& b) {
  const FleetFlows &f = a.flows, &g = b.flows;
  EXPECT_EQ(f.it, g.it);
  EXPECT_EQ(f.idle, g.idle);
  EXPECT_EQ(f.facility, g.facility);
  EXPECT_EQ(f.own_total, g.own_total);
  EXPECT_EQ(f.own_used, g.own_used);
  EXPECT_EQ(f.exported, g.exported);
  EXPECT_EQ(f.curtailed, g.curtailed);
  EXPECT_EQ(f.charged_own, g.charged_own);
  EXPECT_EQ(f.charged_grid, g.charged_grid);
  EXPECT_EQ(f.discharged, g.discharged);
  EXPECT_EQ(f.battery_end, g.battery_end);
  EXPECT_EQ(f.grid, g.grid);
  EXPECT_EQ(f.carbon, g.carbon);
  EXPECT_EQ(f.cost, g.cost);
  EXPECT_EQ(f.node_time, g.node_time);
  EXPECT_EQ(f.call_asked, g.call_asked);
  EXPECT_EQ(f.call_short, g.call_short);
  EXPECT_EQ(f.peak, g.peak);
  EXPECT_EQ(a.finished, b.finished);
  EXPECT_EQ(a.late, b.late);
  EXPECT_EQ(a.starts, b.starts);
  EXPECT_EQ(a.suspensions, b.suspensions);
  EXPECT_EQ(a.moves, b.moves);
  EXPECT_EQ(a.failures, b.failures);
  EXPECT_EQ(a.kills, b.kills);
  EXPECT_EQ(a.work_lost, b.work_lost);
  EXPECT_EQ(a.wait_mean, b.wait_mean);
  EXPECT_EQ(a.wait_99, b.wait_99);
  EXPECT_EQ(a.end, b.end);
  EXPECT_EQ(a.events, b.events);
}

// --- against a plain simulator: second by second, whole state looked at each time ---

/// Sends job j to a site of its own choosing, in a mode.
struct Sent {
  std::uint32_t site;
  std::uint8_t mode;
};

class SendTo final : public control::Policy {
 public:
  explicit SendTo(std::vector<Sent> to) : to_(std::move(to)) {}
  std::string_view name() const noexcept override { return "send-to"; }
  void arrived(const control::World& world, JobIndex job) override {
    world.commands.submit(job, to_[job].site, to_[job].mode);
  }

 private:
  std::vector<Sent> to_;
};

struct Plain {
  std::vector<std::int64_t> start, end;  // s since begin
  Energy facility, own_used, grid;
  Carbon carbon;
  Money cost;
};

Plain plain_simulation(const FleetScenario& fleet, const Workload& w, const FleetOptions& o,
                       const std::vector<Sent>& to) {
  const auto whole = [](Duration d) { return d / Duration::seconds(1); };
  const std::size_t n = w.size();
  Plain out;
  out.start.assign(n, -1);
  out.end.assign(n, -1);
  std::vector<std::deque<std::size_t>> line(fleet.sites.size());
  const auto mode = [&](std::size_t j) { return w.mode_sets[w.jobs[j].modes][to[j].mode]; };
  const auto nodes = [&](std::size_t j) {
    return mode(j).nodes > 0 ? mode(j).nodes : w.jobs[j].nodes;
  };
  std::size_t done = 0;
  for (std::int64_t t = 0;; ++t) {
    // Who is through gives its nodes back, then who has moved joins the line, then who arrives.
    for (std::size_t j = 0; j < n; ++j)
      if (out.end[j] == t) ++done;
    if (done == n) return out;
    for (const bool moved : {true, false})
      for (std::size_t j = 0; j < n; ++j) {
        const bool moves = to[j].site != w.jobs[j].origin && o.move_delay > Duration{};
        const std::int64_t joins = whole(w.jobs[j].arrival) + (moves ? whole(o.move_delay) : 0);
        if (moves == moved && joins == t) line[to[j].site].push_back(j);
      }
    for (std::size_t s = 0; s < fleet.sites.size(); ++s) {
      const FleetSite& site = fleet.sites[s];
      double busy = 0, it = 0;
      for (std::size_t j = 0; j < n; ++j)
        if (out.start[j] >= 0 && out.end[j] > t && to[j].site == s) busy += nodes(j);
      while (!line[s].empty() && busy + nodes(line[s].front()) <= site.hall.nodes) {
        const std::size_t j = line[s].front();
        line[s].pop_front();
        out.start[j] = t;
        // Whole seconds: the test uses speed 1 where it compares ends.
        std::int64_t work = whole(w.length[j]), wall = whole(o.start_delay);
        for (std::int64_t since_save = 0; work > 0; ++wall) {
          --work;
          if (++since_save == whole(o.save_every) && work > 0) {
            wall += whole(o.save_time);
            since_save = 0;
          }
        }
        out.end[j] = t + wall;
        busy += nodes(j);
      }
      for (std::size_t j = 0; j < n; ++j)
        if (out.start[j] >= 0 && out.end[j] > t && to[j].site == s) {
          const double own =
              w.jobs[j].power_mw >= 0 ? 1e-3 * w.jobs[j].power_mw : site.hall.node_peak.in(watt);
          it += nodes(j) * 1e-3 * std::round(1e3 * own * mode(j).power_share);
        }
      it += (site.hall.nodes - busy) * site.hall.node_idle.in(watt);
      const std::int64_t since = t + whole(o.begin - fleet.series_start);
      const auto i = static_cast<std::size_t>(since / whole(fleet.step)) % site.price.size();
      const Power facility = site.hall.facility_power(it * watt, site.outside[i]);
      const Power total = site.own.empty() ? Power{} : max(Power{}, site.own[i]);
      const Power own = min(facility, site.computing_uses == site::ComputingUses::AllOwn
                                          ? total
                                          : max(Power{}, total - site.export_limit));
      out.facility += facility * second;
      out.own_used += own * second;
      out.grid += (facility - own) * second;
      out.carbon += (facility - own) * second * site.carbon[i];
      out.cost += (facility - own) * second * site.price[i];
    }
  }
}

TEST(Simulate, EqualsAPlainSimulatorSecondBySecond) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Draws draw(seed);
    FleetChoice choice;
    choice.jobs = 30;
    choice.battery = false;
    const FleetScenario fleet = testing::random_fleet(draw, choice);
    const Workload w = testing::random_jobs(draw, choice);
    FleetOptions o = testing::random_options(draw, fleet);
    o.failures = {};
    o.calls.clear();
    std::vector<Sent> to;
    for (std::size_t j = 0; j < w.size(); ++j)
      to.push_back({static_cast<std::uint32_t>(draw.below(choice.sites)), 0});
    SendTo scheduler(to);
    FleetSimulation simulation(fleet, w, o, scheduler);
    std::map<JobIndex, std::int64_t> started, ended;
    simulation.watch([&](const FleetEvent& e) {
      const std::int64_t t = (e.at - o.begin) / Duration::seconds(1);
      if (e.kind == FleetEventKind::Started) started[e.job] = t;
      if (e.kind == FleetEventKind::Finished) ended[e.job] = t;
    });
    while (simulation.step()) {
    }
    const FleetResult r = simulation.result();
    const Plain plain = plain_simulation(fleet, w, o, to);
    SCOPED_TRACE(seed);
    EXPECT_EQ(r.finished, w.size());
    for (JobIndex j = 0; j < w.size(); ++j) {
      EXPECT_EQ(started[j], plain.start[j]) << j;
      EXPECT_EQ(ended[j], plain.end[j]) << j;
    }
    EXPECT_NEAR(r.flows.facility / plain.facility, 1.0, 1e-11);
    EXPECT_NEAR(r.flows.own_used / (plain.own_used + joule), 1.0, 1e-4);
    EXPECT_NEAR((r.flows.own_used - plain.own_used) / plain.facility, 0.0, 1e-11);
    EXPECT_NEAR((r.flows.grid - plain.grid) / plain.facility, 0.0, 1e-11);
    EXPECT_NEAR((r.flows.carbon - plain.carbon).in(gram), 0.0, 1e-8 * plain.carbon.in(gram));
    EXPECT_NEAR((r.flows.cost - plain.cost) / (plain.facility * euro_per_kilowatt_hour), 0, 1e-11);
  }
}

// --- what must hold whatever a scheduler does ---

/// Looks at everything a scheduler can see and compares it with what must be.
void check_state(const control::View& fleet, const FleetScenario& scenario) {
  std::vector<JobIndex> waiting;
  for (JobIndex j = fleet.first_waiting(); j != JobIndex::none(); j = fleet.next_waiting(j))
    waiting.push_back(j);
  ASSERT_TRUE(std::is_sorted(waiting.begin(), waiting.end()));
  std::size_t waits = 0;
  for (JobIndex j = 0; j < fleet.jobs(); ++j) {
    waits += fleet.status(j).phase == JobPhase::Waiting;
    ASSERT_TRUE(!fleet.status(j).in_line || fleet.status(j).phase == JobPhase::Waiting);
    ASSERT_GE(fleet.done(j), fleet.status(j).done);
    if (fleet.status(j).phase == JobPhase::Waiting) {
      ASSERT_EQ(fleet.done(j), fleet.status(j).done);  // who stopped has saved all
    }
  }
  ASSERT_EQ(waits, waiting.size());
  for (control::SiteIndex s = 0; s < fleet.sites().size(); ++s) {
    const control::SiteState& site = fleet.sites()[s];
    std::int32_t held = 0, due = 0;
    std::uint32_t running = 0;
    Power it = site.nodes_free * site.node_idle +
               (site.nodes - site.nodes_up) * scenario.sites[s].hall.node_suspended;
    for (JobIndex j = fleet.first_running(s); j != JobIndex::none();
         j = fleet.next_running(j), ++running) {
      const JobPhase phase = fleet.status(j).phase;
      ASSERT_TRUE(phase == JobPhase::Starting || phase == JobPhase::Running ||
                  phase == JobPhase::Stopping);
      ASSERT_EQ(fleet.status(j).site, s);
      const std::uint8_t mode = fleet.status(j).mode;
      held += fleet.nodes(j, mode);
      it += fleet.nodes(j, mode) * fleet.node_power(j, s, mode);
    }
    for (const JobIndex j : waiting)
      if (fleet.status(j).in_line && fleet.status(j).site == s) due += 1;
    ASSERT_EQ(site.running, running);
    ASSERT_EQ(site.nodes_free + held, site.nodes_up);
    ASSERT_GE(site.nodes_free, 0);
    ASSERT_LE(site.nodes_up, site.nodes);
    ASSERT_EQ(due > 0, site.nodes_due > 0);
    ASSERT_NEAR(site.it.in(watt), it.in(watt), 1e-6);
    ASSERT_EQ(site.facility, scenario.sites[s].hall.facility_power(site.it, site.outside));
  }
}

/// Passes everything on and looks at the state each time.
class Watched final : public control::Policy {
 public:
  Watched(control::Policy& inner, const FleetScenario& scenario)
      : inner_(inner), scenario_(scenario) {}
  std::string_view name() const noexcept override { return inner_.name(); }
  void begin(const control::World& f) override { inner_.begin(f), look(f); }
  void arrived(const control::World& f, JobIndex j) override {
    look(f), inner_.arrived(f, j), look(f);
  }
  void finished(const control::World& f, JobIndex j) override {
    look(f), inner_.finished(f, j), look(f);
  }
  void tick(const control::World& f) override { look(f), inner_.tick(f), look(f); }
  void failed(const control::World& f, JobIndex j) override {
    look(f), inner_.failed(f, j), look(f);
  }
  void reserve_called(const control::World& f, const control::ReserveCall& c) override {
    look(f), inner_.reserve_called(f, c), look(f);
  }
  void reserve_ended(const control::World& f, const control::ReserveCall& c) override {
    inner_.reserve_ended(f, c), look(f);
  }
  std::uint64_t looks = 0;

 private:
  void look(const control::World& world) {
    ++looks;
    check_state(world.view, scenario_);
  }
  control::Policy& inner_;
  const FleetScenario& scenario_;
};

struct Case {
  FleetScenario fleet;
  Workload jobs;
  FleetOptions options;
};

Case random_case(std::uint64_t seed) {
  Draws draw(seed);
  FleetChoice choice;
  Case c;
  c.fleet = testing::random_fleet(draw, choice);
  c.jobs = testing::random_jobs(draw, choice);
  c.options = testing::random_options(draw, c.fleet);
  return c;
}

TEST(Simulate, KeepsItsBooksWhateverASchedulerDoes) {
  std::uint64_t kills = 0, suspensions = 0, moves = 0, asked = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    const Case c = random_case(seed);
    Chaos chaos(seed);
    Watched watched(chaos, c.fleet);
    FleetSimulation simulation(c.fleet, c.jobs, c.options, watched);
    FleetLog log;
    simulation.watch([&](const FleetEvent& e) { log.add(e); });
    std::uint64_t steps = 0;
    while (simulation.step() && ++steps < 100'000) {
    }
    ASSERT_LT(steps, 100'000u);
    ASSERT_FALSE(::testing::Test::HasFatalFailure());
    const FleetResult r = simulation.result();
    EXPECT_LE(r.flows.balance_residual, 1e-9);
    EXPECT_GE(r.finished + r.jobs / 4, r.jobs);  // some are dropped
    EXPECT_GE(watched.looks, c.jobs.size());

    // The log alone gives the same joules to the last bit, and the joules of jobs and idle nodes
    // add up to all.
    log.close(r);
    const FleetReplay again = replay(log.text(), "log", c.fleet, c.jobs, c.options);
    EXPECT_TRUE(again.violations.empty()) << again.violations.front();
    kills += r.kills;
    suspensions += r.suspensions;
    moves += r.moves;
    asked += r.flows.call_asked > Energy{};
  }
  // The cases are worth their name.
  EXPECT_GT(kills, 50u);
  EXPECT_GT(suspensions, 1000u);
  EXPECT_GT(moves, 1000u);
  EXPECT_GT(asked, 50u);
}

TEST(Simulate, JobsDoTheirWorkOnce) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Case c = random_case(seed);
    c.options.save_every = c.options.save_time = Duration{};  // saving is no work
    Chaos chaos(seed, false);
    FleetSimulation simulation(c.fleet, c.jobs, c.options, chaos);
    // Node x time in Running, by its speed, less what failures took: the lengths of the jobs.
    struct Held {
      Instant since;
      double speed = 0, done = 0;
      bool works = false;
    };
    std::vector<Held> held(c.jobs.size());
    simulation.watch([&](const FleetEvent& e) {
      if (e.job == JobIndex::none()) return;
      Held& h = held[e.job];
      const auto book = [&] {
        if (h.works) h.done += h.speed * std::max(0.0, (e.at - h.since).time().in(second));
      };
      const auto speed = [&] { return c.jobs.mode_sets[c.jobs.jobs[e.job].modes][e.mode].speed; };
      switch (e.kind) {
        case FleetEventKind::Started:
          h.works = true;
          h.since = e.at + c.options.start_delay;
          h.speed = speed();
          break;
        case FleetEventKind::Resized:
          book();
          h.since = std::max(h.since, e.at);
          h.speed = speed();
          break;
        case FleetEventKind::Stopping:
        case FleetEventKind::Stopped:
        case FleetEventKind::Finished:
          book();
          h.works = false;
          break;
        case FleetEventKind::Killed:
          book();
          h.works = false;
          h.done = -1e9;  // what was lost is in `work_lost`; such jobs are not compared
          break;
        default:
          break;
      }
    });
    while (simulation.step()) {
    }
    EXPECT_EQ(simulation.finished(), c.jobs.size());
    for (std::size_t j = 0; j < c.jobs.size(); ++j) {
      if (held[j].done < -1e8) continue;
      EXPECT_NEAR(held[j].done, c.jobs.length[j].time().in(second), 1e-6) << j;
    }
  }
}

TEST(Simulate, ResumedFromAnyEventItEndsWithTheSameBits) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    const Case c = random_case(seed);
    Chaos chaos(seed);
    const FleetResult whole = simulate(c.fleet, c.jobs, c.options, chaos);
    Draws draw(seed, 10'000);
    for (int round = 0; round < 6; ++round) {
      Chaos first(seed);
      FleetSimulation interrupted(c.fleet, c.jobs, c.options, first);
      FleetLog log;
      interrupted.watch([&](const FleetEvent& e) { log.add(e); });
      for (std::uint64_t steps = draw.below(whole.events + 1); steps-- > 0;) interrupted.step();
      (void)interrupted.result();  // looking changes nothing
      const std::vector<std::uint8_t> state = interrupted.save();
      Chaos second(seed);
      FleetSimulation resumed(c.fleet, c.jobs, c.options, second);
      resumed.watch([&](const FleetEvent& e) { log.add(e); });
      resumed.restore(state);
      while (resumed.step()) {
      }
      expect_same(whole, resumed.result());
      log.close(resumed.result());
      EXPECT_TRUE(replay(log.text(), "log", c.fleet, c.jobs, c.options).violations.empty());
    }
  }
}

TEST(Simulate, RefusesStatesThatAreNotItsOwn) {
  const Case c = random_case(1);
  Chaos chaos(1);
  FleetSimulation simulation(c.fleet, c.jobs, c.options, chaos);
  for (int i = 0; i < 30; ++i) simulation.step();
  const std::vector<std::uint8_t> state = simulation.save();
  for (std::size_t cut : {std::size_t{0}, std::size_t{7}, state.size() / 2, state.size() - 1}) {
    std::vector<std::uint8_t> part(state.begin(), state.begin() + static_cast<std::ptrdiff_t>(cut));
    EXPECT_THROW(simulation.restore(part), InputError) << cut;
  }
  FleetOptions other = c.options;
  other.seed += 1;
  Chaos again(1);
  FleetSimulation stranger(c.fleet, c.jobs, other, again);
  EXPECT_THROW(stranger.restore(state), InputError);
}

}  // namespace
}  // namespace carnot::simulate
