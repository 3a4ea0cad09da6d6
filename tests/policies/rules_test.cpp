// SPDX-License-Identifier: Apache-2.0
// Each policy in the real simulator, against plain loops over minutes.
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"

#include "policies_testing.hpp"

namespace carnot::train::testing {
namespace {

constexpr std::uint64_t kSeeds = 12;

TEST(Policies, LowestSlotStartsInTheStepOfLeastCarbon) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const World world = random_world(seed, 2, 30, true);
    const Played played = world.play("lowest-slot:future");
    for (std::size_t j = 0; j < world.workload.size(); ++j) {
      const std::int64_t arrival = arrival_of(world, j);
      std::int64_t best = arrival;
      for (std::int64_t m = arrival; m <= arrival + slack_of(world, j); ++m)
        if (world.carbon(world.workload.jobs[j].origin, m) <
            world.carbon(world.workload.jobs[j].origin, best))
          best = m;
      EXPECT_EQ(minute_of(played.started(index(j))), best) << seed << " job " << j;
    }
  }
}

TEST(Policies, LowestWindowAndCarbonTimeStartWhereTheirScoreIsBest) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const World world = random_world(seed, 2, 30, true);
    const Played window = world.play("lowest-window:future");
    const Played rate = world.play("carbon-time:future");
    for (std::size_t j = 0; j < world.workload.size(); ++j) {
      const std::int64_t arrival = arrival_of(world, j), length = length_of(world, j);
      std::int64_t least_at = arrival, most_at = arrival;
      const double at_once = carbon_from(world, j, arrival);
      double least = at_once, most = 0;
      for (std::int64_t m = arrival; m <= arrival + slack_of(world, j); m += 60) {
        const double sum = carbon_from(world, j, m);
        if (sum < least - 1e-9) {
          least = sum;
          least_at = m;
        }
        const double saved = (at_once - sum) / static_cast<double>(m - arrival + length);
        if (saved > most + 1e-9) {
          most = saved;
          most_at = m;
        }
      }
      EXPECT_EQ(minute_of(window.started(index(j))), least_at) << seed << " job " << j;
      EXPECT_EQ(minute_of(rate.started(index(j))), most_at) << seed << " job " << j;
    }
  }
}

TEST(Policies, WaitAwhileUsesTheMinutesOfLeastCarbon) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    World world = random_world(seed, 2, 30, true);
    world.workload.jobs[7].stoppable = false;
    const Played played = world.play("wait-awhile:oracle");
    for (std::size_t j = 0; j < world.workload.size(); ++j) {
      const std::int64_t arrival = arrival_of(world, j), length = length_of(world, j);
      std::vector<double> minute;
      for (std::int64_t m = arrival; m < arrival + slack_of(world, j) + length; ++m)
        minute.push_back(world.carbon(world.workload.jobs[j].origin, m));
      double want = kInfinity;
      if (world.workload.jobs[j].stoppable) {
        std::sort(minute.begin(), minute.end());
        want = std::accumulate(minute.begin(), minute.begin() + length, 0.0);
      } else {
        for (std::int64_t m = arrival; m <= arrival + slack_of(world, j); ++m)
          want = std::min(want, carbon_from(world, j, m));
        EXPECT_EQ(played.held.at(index(j)).size(), 1U);
      }
      double got = 0;
      for (const Held& held : played.held.at(index(j)))
        for (std::int64_t m = minute_of(held.from); m < minute_of(held.to); ++m)
          got += world.carbon(held.site, m);
      EXPECT_NEAR(got, want, 1e-9 * want) << seed << " job " << j;
    }
  }
}

// The rule minute by minute, as GAIA states it.
TEST(Policies, EcovisorPausesAboveItsThresholdUntilItsPatienceEnds) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const World world = random_world(seed, 2, 30, true);
    const Played played = world.play("ecovisor:future");
    for (std::size_t j = 0; j < world.workload.size(); ++j) {
      const std::uint32_t site = world.workload.jobs[j].origin;
      const std::int64_t arrival = arrival_of(world, j);
      std::vector<double> day;
      for (std::int64_t m = arrival; m < arrival + 24 * 60; ++m)
        day.push_back(world.carbon(site, m));
      std::sort(day.begin(), day.end());
      const double threshold = day[static_cast<std::size_t>(0.3 * 24 * 60)];
      std::vector<std::int64_t> want, got;
      std::int64_t patience = slack_of(world, j), left = length_of(world, j);
      for (std::int64_t m = arrival; left > 0; ++m) {
        if (world.carbon(site, m) < threshold || patience <= 0) {
          want.push_back(m);
          --left;
        } else {
          --patience;
        }
      }
      for (const Held& held : played.held.at(index(j)))
        for (std::int64_t m = minute_of(held.from); m < minute_of(held.to); ++m) got.push_back(m);
      EXPECT_EQ(got, want) << seed << " job " << j;
    }
  }
}

// Linear programming duality: with a price on work, each hour on its own takes the mode that earns
// most; the price at which the hours do the work shows the optimum.
double elastic_optimum(const World& world, std::size_t j) {
  const std::vector<JobMode>& modes = world.workload.mode_sets[world.workload.jobs[j].modes];
  const std::int64_t arrival = arrival_of(world, j);
  const std::int64_t end = arrival + slack_of(world, j) + length_of(world, j);
  const auto dual = [&](double price) {
    double value = price * static_cast<double>(length_of(world, j));
    for (std::int64_t m = arrival; m < end; ++m) {
      double best = 0;  // standing still
      for (const JobMode& mode : modes)
        best = std::min(
            best, world.carbon(world.workload.jobs[j].origin, m) * mode.nodes * mode.power_share -
                      price * mode.speed);
      value += best;
    }
    return value;
  };
  double low = 0, high = 1e5;  // the dual is concave in the price
  for (int i = 0; i < 200; ++i) {
    const double a = low + (high - low) / 3, b = high - (high - low) / 3;
    (dual(a) < dual(b) ? low : high) = dual(a) < dual(b) ? a : b;
  }
  return dual(low);
}

TEST(Policies, CarbonScalerReachesTheOptimumOfAnElasticJob) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    World world = random_world(seed, 2, 20, true);
    // Throughput of an n-body code on 1 to 7 nodes falls off; the fourth mode is worth nothing.
    world.workload.mode_sets.push_back(
        {{1, 1.0, 1.0}, {2, 1.97, 1.02}, {3, 2.9, 1.05}, {4, 2.95, 1.1}, {5, 4.3, 1.05}});
    for (JobRequest& job : world.workload.jobs) job.modes = 1;
    const Played played = world.play("carbonscaler:oracle");
    EXPECT_EQ(played.result.finished, world.workload.size());
    for (std::size_t j = 0; j < world.workload.size(); ++j) {
      double got = 0;
      for (const Held& held : played.held.at(index(j))) {
        const std::vector<JobMode>& modes = world.workload.mode_sets[1];
        const auto mode = std::find_if(modes.begin(), modes.end(),
                                       [&](const JobMode& m) { return m.nodes == held.nodes; });
        for (Instant at = held.from; at < held.to;) {
          const Instant next = std::min(held.to, kBegin + minutes(minute_of(at) + 1));
          got += world.carbon(held.site, minute_of(at)) * mode->nodes * mode->power_share *
                 (next - at).time().in(minute);
          at = next;
        }
      }
      const double want = elastic_optimum(world, j);
      EXPECT_NEAR(got, want, 1e-6 * want) << seed << " job " << j;
      EXPECT_LE(played.ended(index(j)), kBegin + world.workload.jobs[j].arrival +
                                            world.workload.jobs[j].allowed + minutes(1));
    }
  }
}

TEST(Policies, GeographicRulesTakeTheirBestSiteWithRoom) {
  World world;
  world.scenario.series_start = world.options.begin = kBegin;
  world.add_site(4, {50, 10}, {100, 300});
  world.add_site(6, {20, 40}, {500, 200});
  world.add_site(2, {30, 30}, {10, 400});
  for (const std::int64_t arrival : {0, 1, 2, 60, 61}) world.add_job(arrival, 600, 2, -1, 0);
  const auto sites = [&](const std::string& policy) {
    const Played played = world.play(policy);
    std::vector<control::SiteIndex> where;
    for (control::JobIndex j = 0; j < 5; ++j) where.push_back(played.held.at(j).front().site);
    return where;
  };
  using Sites = std::vector<control::SiteIndex>;
  EXPECT_EQ(sites("lowest-carbon"), (Sites{2, 0, 0, 1, 1}));
  EXPECT_EQ(sites("lowest-price"), (Sites{1, 1, 1, 0, 0}));
  EXPECT_EQ(sites("most-available"), (Sites{1, 0, 1, 0, 1}));
  EXPECT_EQ(sites("round-robin"), (Sites{0, 1, 2, 0, 1}));
}

TEST(Policies, GreedyRulesTakeTheBestSiteAndWindowForEachJob) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const World world = random_world(seed, 3, 20, true);
    for (const bool by_price : {true, false}) {
      const Played played = world.play(by_price ? "price-greedy:oracle" : "carbon-greedy:oracle");
      const auto sum = [&](control::SiteIndex s, std::int64_t from, std::int64_t to) {
        double total = 0;
        for (std::int64_t m = from; m < to; ++m)
          total += by_price ? world.price(s, m) : world.carbon(s, m);
        return total;
      };
      for (std::size_t j = 0; j < world.workload.size(); ++j) {
        double want = kInfinity;
        for (control::SiteIndex s = 0; s < 3; ++s)
          for (std::int64_t m = arrival_of(world, j);
               m <= arrival_of(world, j) + slack_of(world, j); ++m)
            want = std::min(want, sum(s, m, m + length_of(world, j)));
        ASSERT_EQ(played.held.at(index(j)).size(), 1U);
        const Held held = played.held.at(index(j)).front();
        EXPECT_NEAR(sum(held.site, minute_of(held.from), minute_of(held.to)), want, 1e-7) << j;
      }
    }
  }
}

TEST(Policies, EasyFillsHolesThatDelayNobody) {
  World world;
  world.scenario.series_start = world.options.begin = kBegin;
  world.add_site(4, {50}, {100});
  world.add_job(0, 600, 3, -1);   // A runs 0-600 on three of four nodes
  world.add_job(1, 300, 4, -1);   // B wants all: from 600
  world.add_job(2, 480, 1, -1);   // C fits before B
  world.add_job(3, 1200, 1, -1);  // D would delay B
  world.add_job(4, 110, 1, -1);   // E fits behind C
  const Played easy = world.play("easy"), fcfs = world.play("no-wait");
  const auto starts = [](const Played& played) {
    std::vector<std::int64_t> at;
    for (control::JobIndex j = 0; j < 5; ++j) at.push_back(minute_of(played.started(j)));
    return at;
  };
  using Minutes = std::vector<std::int64_t>;
  EXPECT_EQ(starts(easy), (Minutes{0, 600, 2, 900, 482}));
  EXPECT_EQ(starts(fcfs), (Minutes{0, 600, 900, 900, 900}));
}

// Who is first in line is promised the time at which the nodes suffice if all that run end as
// said; with true lengths nobody starts after the promise.
TEST(Policies, EasyNeverDelaysTheFirstInLine) {
  std::size_t promised = 0, jumped = 0;
  for (std::uint64_t seed = 1; seed <= 4 * kSeeds; ++seed) {
    World world = random_world(seed, 1, 60, false);
    for (JobRequest& job : world.workload.jobs)
      job.arrival =
          Duration::nanoseconds(job.arrival.nanoseconds() / 4 / 60'000'000'000 * 60'000'000'000);
    const Played played = world.play("easy");
    EXPECT_EQ(played.result.finished, world.workload.size());
    std::vector<Instant> start, end;
    for (control::JobIndex j = 0; j < world.workload.size(); ++j) {
      start.push_back(played.started(j));
      end.push_back(played.ended(j));
    }
    for (std::size_t head = 0; head < start.size(); ++head) {
      // First in line from when all earlier ones have started.
      Instant since = kBegin + world.workload.jobs[head].arrival;
      for (std::size_t i = 0; i < head; ++i) since = std::max(since, start[i]);
      for (std::size_t i = head + 1; i < start.size(); ++i) jumped += start[i] < start[head];
      if (start[head] <= since) continue;
      std::vector<std::pair<Instant, std::int32_t>> ends;
      std::int32_t free = 8;
      for (std::size_t i = 0; i < start.size(); ++i)
        if (i != head && start[i] <= since && end[i] > since) {
          ends.emplace_back(end[i], world.workload.jobs[i].nodes);
          free -= world.workload.jobs[i].nodes;
        }
      std::sort(ends.begin(), ends.end());
      Instant promise = since;
      for (std::size_t i = 0; free < world.workload.jobs[head].nodes; ++i) {
        free += ends[i].second;
        promise = ends[i].first;
      }
      ++promised;
      EXPECT_LE(start[head], promise) << seed << " job " << head;
    }
  }
  EXPECT_GT(promised, 50U);
  EXPECT_GT(jumped, 50U);
}

TEST(Policies, StrandedWorksOnCheapPowerUntilItMustNotWait) {
  std::size_t cheap = 0, forced = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const World world = random_world(seed, 3, 40, true);
    const Played played = world.play("stranded");
    EXPECT_EQ(played.result.finished, world.workload.size());
    for (std::size_t j = 0; j < world.workload.size(); ++j) {
      std::int64_t done = 0;
      for (const Held& held : played.held.at(index(j)))
        for (std::int64_t m = minute_of(held.from); m < minute_of(held.to); ++m, ++done) {
          if (world.price(held.site, m) < 5.0) {
            ++cheap;
            continue;
          }
          ++forced;
          const std::int64_t latest = arrival_of(world, j) + slack_of(world, j) + done;
          EXPECT_GE(m, latest) << seed << " job " << j;
          EXPECT_EQ(held.site, world.workload.jobs[j].origin);
        }
      EXPECT_LE(minute_of(played.ended(index(j))),
                arrival_of(world, j) + slack_of(world, j) + length_of(world, j));
    }
  }
  EXPECT_GT(cheap, 1000U);
  EXPECT_GT(forced, 1000U);
}

// --- carnot's own ---

/// What no plan can beat: each job in its cheapest minutes, at one site that suits it best or, for
/// who moves jobs that have begun, wherever each minute is cheapest.
double bound_eur(const World& world, bool moving) {
  double total = 0;
  const auto sites = static_cast<control::SiteIndex>(world.scenario.sites.size());
  for (std::size_t j = 0; j < world.workload.size(); ++j) {
    const std::int64_t begin = arrival_of(world, j), length = length_of(world, j);
    std::vector<std::vector<double>> minute(moving ? 1U : std::uint32_t{sites});
    for (std::int64_t m = begin; m < begin + slack_of(world, j) + length; ++m) {
      double least = kInfinity;
      for (control::SiteIndex s = 0; s < sites; ++s) {
        const double cost =
            world.price(s, m) + 1e-3 * world.rules.carbon_price_eur_per_t * world.carbon(s, m);
        least = std::min(least, cost);
        if (!moving) minute[s].push_back(cost);
      }
      if (moving) minute[0].push_back(least);
    }
    double least = kInfinity;
    for (std::vector<double>& site : minute) {
      std::sort(site.begin(), site.end());
      least = std::min(least, std::accumulate(site.begin(), site.begin() + length, 0.0));
    }
    total += least / 60 * 1e-3 * world.workload.jobs[j].nodes;  // 1 kW a node
  }
  return total;
}
double cost_eur(const World& world, const Played& played) {
  return played.result.flows.cost.in(euro) +
         world.rules.carbon_price_eur_per_t * played.result.flows.carbon.in(tonne);
}

TEST(Policies, NoneBeatsTheBoundAndCarnotReachesItWhereThereIsRoom) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    World world = random_world(seed, 3, 25, true);
    world.rules.carbon_price_eur_per_t = seed % 2 == 0 ? 0.0 : 150.0;
    const double bound = bound_eur(world, false), below = bound_eur(world, true);
    for (const std::string& name : control::policy_names()) {
      const Played played = world.play(name + ":oracle");
      const double least = name == "stranded" ? below : bound;
      EXPECT_GE(cost_eur(world, played), least - 1e-9 * std::abs(least)) << name;
    }
    EXPECT_NEAR(cost_eur(world, world.play("carnot:oracle")), bound, 1e-6 * std::abs(bound));
    EXPECT_GT(cost_eur(world, world.play("carnot")), bound + 1e-6 * std::abs(bound));
  }
}

TEST(Policies, CarnotMakesRoomForWhoCannotWait) {
  World world;
  world.scenario.series_start = world.options.begin = kBegin;
  world.add_site(1, {99, 98, 97, 1, 5, 99, 99, 99}, {0, 0, 0, 0, 0, 0, 0, 0});
  world.add_job(10, 60, 1, 6 * 60);  // may use hour 3 or 4
  world.add_job(20, 60, 1, 160);     // must be done by hour 4
  const Played played = world.play("carnot:oracle");
  EXPECT_EQ(minute_of(played.started(0)), 4 * 60);
  EXPECT_EQ(minute_of(played.started(1)), 3 * 60);
  EXPECT_EQ(played.result.late, 0U);
}

TEST(Policies, CarnotPromisesNodesOnce) {
  World world;
  world.scenario.series_start = world.options.begin = kBegin;
  world.add_site(1, {10}, {0});
  world.add_site(1, {50}, {0});
  world.add_job(10, 90, 1, 5);
  world.add_job(12, 90, 1, 5);
  const Played played = world.play("carnot");
  EXPECT_EQ(played.held.at(0).front().site, 0U);
  EXPECT_EQ(played.held.at(1).front().site, 1U);
  EXPECT_EQ(played.result.late, 0U);
}

// Where not all can be in time, who is late delays nobody else.
TEST(Policies, CarnotLetsWhoIsLateAnywayGoLast) {
  World world;
  world.scenario.series_start = world.options.begin = kBegin;
  world.add_site(1, {10}, {0});
  world.add_job(0, 60, 1, 200);   // waits for nothing: 0 to 60
  world.add_job(30, 60, 1, 30);   // after it: 60 to 120
  world.add_job(40, 60, 1, 10);   // cannot be in time
  world.add_job(50, 60, 1, 130);  // can, if the third lets it
  const Played played = world.play("carnot");
  EXPECT_EQ(played.result.finished, 4U);
  EXPECT_EQ(played.result.late, 1U);
}

TEST(Policies, CarnotSharesOwnPower) {
  World world;
  world.scenario.series_start = world.options.begin = kBegin;
  world.add_site(10, {50, 50, 50, 50, 50, 50, 50, 50}, {0, 0, 0, 0, 0, 0, 0, 0});
  for (const double kw : {0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0})
    world.scenario.sites[0].own.push_back(kw * kilowatt);
  for (int j = 0; j < 3; ++j) world.add_job(10 + j, 60, 1, 9 * 60);  // 1 kW each
  const Played played = world.play("carnot:oracle");
  EXPECT_NEAR(played.result.flows.cost.in(euro), 0.0, 1e-9);
  EXPECT_NEAR(played.result.flows.own_used.in(kilowatt_hour), 3.0, 1e-9);
}

TEST(Policies, CarnotIsInTimeWhereStartsStopsAndMovesTakeTime) {
  std::uint64_t moves = 0, suspensions = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    World world = random_world(seed, 3, 30, true);
    for (JobRequest& job : world.workload.jobs) job.allowed = job.allowed + minutes(3);
    world.options.start_delay = minutes(2);
    world.options.stop_delay = minutes(1);
    world.options.move_delay = minutes(10);
    const Played played = world.play("carnot:oracle");
    EXPECT_EQ(played.result.late, 0U) << seed;
    moves += played.result.moves;
    suspensions += played.result.suspensions;
  }
  EXPECT_GT(moves, 50U);
  EXPECT_GT(suspensions, 50U);
}

TEST(Policies, CarnotWeighsWhatAMoveCosts) {
  World world;
  world.scenario.series_start = world.options.begin = kBegin;
  world.add_site(10, {50, 50}, {0, 0});
  world.add_site(10, {20, 20}, {0, 0});
  world.add_job(0, 60, 1, 0);  // 0.03 EUR cheaper at the other site
  world.add_job(0, 60, 1, 0);
  world.workload.jobs[1].estimate = minutes(60);
  world.rules.move_cost = [](const JobRequest& job, control::SiteIndex site) {
    return (site == job.origin ? 0.0 : 0.029) * euro;
  };
  EXPECT_EQ(world.play("carnot:oracle").held.at(0).front().site, 1U);
  world.rules.move_cost = [](const JobRequest& job, control::SiteIndex site) {
    return (site == job.origin ? 0.0 : 0.031) * euro;
  };
  EXPECT_EQ(world.play("carnot:oracle").held.at(0).front().site, 0U);
}

}  // namespace
}  // namespace carnot::train::testing
