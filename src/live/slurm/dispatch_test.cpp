// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/slurm/dispatch.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

#include "live/slurm/journal.hpp"
#include "live/slurm/testing_fake_slurm.hpp"

namespace carnot::live {
namespace {

namespace fs = std::filesystem;
using testing::FakeClock;
using testing::FakeJob;
using testing::FakeSlurm;
using testing::FakeWork;

struct Killed {};

/// Hands a cluster that outlives the dispatcher to it.
class Borrowed final : public SlurmCluster {
 public:
  explicit Borrowed(FakeSlurm& of) : of_(of) {}
  void begin(const std::vector<std::string>& words, Duration timeout) override {
    of_.begin(words, timeout);
  }
  std::optional<SlurmOutcome> poll() override { return of_.poll(); }
  bool has(const std::string& program) override { return of_.has(program); }

 private:
  FakeSlurm& of_;
};

/// Three sites of four nodes, twelve jobs.
class World {
 public:
  explicit World(std::uint64_t seed, std::string policy = "no-wait", std::size_t sites = 3,
                 std::string more = {}) {
    static int number = 0;
    folder_ = fs::temp_directory_path() / fmt::format("carnot-dispatch-{}-{}", getpid(), ++number);
    fs::create_directories(folder_);
    RandomStream random(seed, "dispatch test");
    std::string jobs = "id,arrival_s,runtime_s,nodes,deadline_s\n";
    for (int j = 0; j < 12; ++j) {
      const int runtime =
          60 + static_cast<int>(random.below(3 * static_cast<std::uint64_t>(j), 900));
      const int arrival = 40 * j;
      const int wide = 1 + static_cast<int>(random.below(3 * static_cast<std::uint64_t>(j) + 1, 3));
      jobs += fmt::format("j{},{},{},{},{}\n", j, arrival, runtime, wide, arrival + 20 * runtime);
      work.length[fmt::format("j{}", j)] = Duration::seconds(runtime);
    }
    write("jobs.csv", jobs);
    std::string price = "time,price [EUR/MWh]\n";
    for (int h = -800; h < 400; ++h)
      price += fmt::format(
          "{},{}\n", (clock.now + Duration::seconds(600 * h)).iso8601(),
          20 + static_cast<int>(random.below(1000 + static_cast<std::uint64_t>(h + 800), 100)));
    write("price.csv", price);
    std::string text = fmt::format(
        "[dispatch]\nrun = \"test\"\nstate = \"state\"\npolicy = \"{}\"\nstep = \"10 min\"\n"
        "max_wait = \"1 h\"\nlease = \"600 s\"\nexit_when_done = true\n{}\n"
        "[jobs]\nfile = \"jobs.csv\"\ncommand = [\"work\", \"{{id}}\"]\n",
        policy, more);
    for (std::size_t s = 0; s < sites; ++s) {
      text += fmt::format(
          "[[site]]\nname = \"s{}\"\nnode_power = \"400 W\"\nidle_power = \"100 W\"\n"
          "partitions = [\"green\"]\ncarbon = {{ file = \"price.csv\", unit = \"g/kWh\", ahead = "
          "false }}\nprice = {{ file = \"price.csv\", ahead = false }}\n",
          s);
      slurm.push_back(std::make_unique<FakeSlurm>("n", 4, clock, work, seed * 10 + s));
    }
    write("config.toml", text);
  }
  ~World() { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  std::string path(const std::string& name) const { return folder_ / name; }

  std::unique_ptr<Dispatcher> dispatcher(DispatchTask task = DispatchTask::Run,
                                         std::function<void(const char*)> fault = {}) {
    DispatchRun run;
    run.task = task;
    run.allow_root = true;
    run.fault = std::move(fault);
    run.print = [this](const std::string& words) { printed += words; };
    run.say = [this](const std::string& words) { said += words + "\n"; };
    std::vector<std::unique_ptr<SlurmCluster>> clusters;
    for (auto& s : slurm) clusters.push_back(std::make_unique<Borrowed>(*s));
    return std::make_unique<Dispatcher>(read_dispatch_config(path("config.toml")),
                                        std::move(clusters), clock, std::move(run));
  }
  /// Until it is done or so much time is over. True: done.
  bool run(Dispatcher& d, Duration most, const std::function<void()>& each = {}) {
    const Instant end = clock.now + most;
    while (clock.now < end) {
      if (!d.step()) return true;
      clock.wait(d.pause());
      for (auto& s : slurm) s->pass();
      if (each) each();
    }
    return false;
  }
  void expect_all_once() {
    for (const auto& [name, length] : work.length)
      EXPECT_EQ(work.finished[name], 1) << name << "\n" << said;
    EXPECT_EQ(work.violations, std::vector<std::string>{}) << said;
  }
  std::uint64_t changes() const {
    std::uint64_t n = 0;
    for (const auto& s : slurm) n += s->changes.size();
    return n;
  }

  FakeClock clock;
  FakeWork work;
  std::vector<std::unique_ptr<FakeSlurm>> slurm;
  std::string printed, said;

 private:
  fs::path folder_;
};

constexpr Duration kDay = Duration::seconds(86400);

TEST(Dispatch, EveryJobOfAListRunsOnce) {
  for (const char* policy : {"no-wait", "wait-awhile", "price-greedy", "carnot"}) {
    SCOPED_TRACE(policy);
    World w(7, policy);
    const auto d = w.dispatcher();
    EXPECT_TRUE(w.run(*d, kDay)) << w.said;
    w.expect_all_once();
    EXPECT_EQ(d->summary().result.finished, 12u);
    EXPECT_LT(d->summary().result.flows.balance_residual, 1e-9);
  }
}

// One query for all jobs and interval; quick ones only for five seconds after an order.
TEST(Dispatch, LooksSeldomWhereNothingHappens) {
  World w(7, "no-wait", 1);
  const auto d = w.dispatcher();
  w.run(*d, Duration::seconds(2000));
  const std::uint64_t before = w.slurm[0]->asked, changes = w.changes();
  w.run(*d, Duration::seconds(1000));
  EXPECT_LE(w.slurm[0]->asked - before, 1000u / 5 + 22 * (w.changes() - changes + 1));
}

TEST(DispatchSlow, KilledAnywhereNothingIsLostOrDoubled) {
  int kills = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    World w(seed, seed % 3 == 0 ? "carnot" : seed % 3 == 1 ? "wait-awhile" : "no-wait");
    RandomStream random(seed, "kills");
    for (auto& s : w.slurm) s->timeout_chance = seed % 2 == 0 ? 0.1 : 0.0;
    w.slurm[0]->submit_foreign("theirs", 2, Duration::seconds(5000));
    bool done = false;
    for (int life = 0; life < 40 && !done; ++life) {
      std::uint64_t left = 1 + random.below(static_cast<std::uint64_t>(life), 40);
      if (life >= 12) left = 1'000'000;
      try {
        const auto d = w.dispatcher(DispatchTask::Run, [&](const char*) {
          if (--left == 0) throw Killed();
        });
        done = w.run(*d, kDay);
        ASSERT_TRUE(done) << w.said;
      } catch (const Killed&) {
        ++kills;
        // What was begun is carried out or not; nobody waits for its outcome.
        w.clock.now = w.clock.now + Duration::seconds(11);
        for (auto& s : w.slurm) {
          s->poll();
          s->pass();
        }
      }
    }
    w.expect_all_once();
    for (const auto& s : w.slurm)
      for (const auto& c : s->changes)
        for (const std::string& word : c) EXPECT_NE(word, "theirs");
  }
  EXPECT_GT(kills, 300);
}

TEST(Dispatch, AnUnchangedClusterGetsNoOrder) {
  World w(3, "wait-awhile");
  {
    const auto d = w.dispatcher();
    w.run(*d, Duration::seconds(700));
  }
  {  // what was about to be ordered when it was stopped
    const auto d = w.dispatcher(DispatchTask::Once);
    EXPECT_TRUE(w.run(*d, Duration::seconds(20)));
  }
  const std::uint64_t before = w.changes();
  for (int i = 0; i < 3; ++i) {
    const auto d = w.dispatcher(DispatchTask::Once);
    EXPECT_TRUE(w.run(*d, Duration::seconds(20)));
  }
  EXPECT_EQ(w.changes(), before) << w.said;
}

TEST(Dispatch, GoneForGoodAllThatWaitsStartsWithinTheLease) {
  World w(5, "wait-awhile");
  {
    const auto d = w.dispatcher();
    w.run(*d, Duration::seconds(700));
  }
  const Instant gone = w.clock.now;
  while (w.clock.now < gone + Duration::seconds(601)) {
    w.clock.wait(Duration::seconds(1));
    for (auto& s : w.slurm) s->pass();
  }
  for (const auto& s : w.slurm)
    for (const FakeJob& j : s->jobs()) {
      EXPECT_LE(j.begins, w.clock.now) << j.name;
      EXPECT_FALSE(j.reason.starts_with("JobHeld"));
      EXPECT_NE(j.state, "SUSPENDED");
    }
}

TEST(Dispatch, LettingGoTwiceIsLettingGoOnce) {
  World w(5, "wait-awhile");
  {
    const auto d = w.dispatcher();
    w.run(*d, Duration::seconds(700));
  }
  {
    const auto d = w.dispatcher(DispatchTask::Release);
    EXPECT_TRUE(w.run(*d, Duration::seconds(60)));
  }
  const std::uint64_t after = w.changes();
  for (const auto& s : w.slurm)
    for (const FakeJob& j : s->jobs())
      EXPECT_TRUE(j.state != "PENDING" || j.begins <= w.clock.now) << j.name;
  const auto d = w.dispatcher(DispatchTask::Release);
  EXPECT_TRUE(w.run(*d, Duration::seconds(60)));
  EXPECT_EQ(w.changes(), after);
}

TEST(Dispatch, ADryRunPrintsWhatARealOneOrders) {
  World w(9, "no-wait");
  {
    const auto d = w.dispatcher(DispatchTask::DryRun);
    EXPECT_TRUE(w.run(*d, Duration::seconds(60)));
  }
  EXPECT_EQ(w.changes(), 0u);
  EXPECT_FALSE(fs::exists(w.path("state/journal.jsonl")));
  EXPECT_NE(w.printed.find("sbatch --parsable --job-name carnot.test-dryrun.j0.1"),
            std::string::npos)
      << w.printed;
  EXPECT_NE(w.printed.find("# starts under policy no-wait"), std::string::npos) << w.printed;
  const auto lines = std::count(w.printed.begin(), w.printed.end(), '\n') / 2;
  const auto d = w.dispatcher(DispatchTask::Once);
  EXPECT_TRUE(w.run(*d, Duration::seconds(60)));
  EXPECT_EQ(w.changes(), static_cast<std::uint64_t>(lines));
}

TEST(Dispatch, AHungControllerHoldsUpNoOther) {
  World w(11);
  const auto d = w.dispatcher();
  w.run(*d, Duration::seconds(100));
  w.slurm[0]->hung = true;
  const auto others = [&] { return w.slurm[1]->changes.size() + w.slurm[2]->changes.size(); };
  const std::size_t before = others();
  w.run(*d, Duration::seconds(200));
  EXPECT_GT(others(), before);
  w.slurm[0]->hung = false;
  EXPECT_TRUE(w.run(*d, kDay)) << w.said;
  w.expect_all_once();
}

TEST(Dispatch, AFailedLaunchIsLetGoAndANodeThatFailsEveryOneIsNot) {
  World w(12);
  const auto d = w.dispatcher();
  w.run(*d, Duration::seconds(100));
  const auto running = [&]() -> FakeJob* {
    for (FakeJob& j : w.slurm[0]->jobs())
      if (j.state == "RUNNING" && j.own) return &j;
    return nullptr;
  };
  const auto releases = [&] {
    std::size_t n = 0;
    for (const auto& c : w.slurm[0]->changes) n += c.size() > 1 && c[1] == "release" ? 1u : 0u;
    return n;
  };
  ASSERT_NE(running(), nullptr);
  const std::string id = running()->id;
  w.slurm[0]->fail_launch(*running());
  w.run(*d, Duration::seconds(60));
  EXPECT_EQ(releases(), 1u) << w.said;
  // Again and again: after the third time it waits to be tried anew, and no order is wasted on it.
  for (int again = 0; again < 6; ++again) {
    for (FakeJob& j : w.slurm[0]->jobs())
      if (j.id == id && j.state == "RUNNING") w.slurm[0]->fail_launch(j);
    w.run(*d, Duration::seconds(40));
  }
  EXPECT_LE(releases(), 4u) << w.said;
  EXPECT_TRUE(w.run(*d, kDay)) << w.said;
  w.expect_all_once();
}

TEST(Dispatch, AfterLostStateANumberGivenAgainIsNotTouched) {
  World w(13, "wait-awhile");
  const auto d = w.dispatcher();
  w.run(*d, Duration::seconds(205));
  // The last forty seconds are lost, and a number of ours is given to somebody else.
  w.slurm[0]->lose_last(Duration::seconds(150));
  const FakeJob& theirs = w.slurm[0]->submit_foreign("theirs", 1, Duration::seconds(30'000));
  const std::string id = theirs.id;
  EXPECT_TRUE(w.run(*d, kDay)) << w.said;
  w.expect_all_once();
  const FakeJob* still = w.slurm[0]->find(id);
  ASSERT_NE(still, nullptr);
  EXPECT_EQ(still->name, "theirs");
  for (const auto& c : w.slurm[0]->changes)
    for (const std::string& word : c) EXPECT_NE(word, "theirs");
}

TEST(DispatchSlow, ForeignJobsAreNeverTouched) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    World w(seed, "carnot", 2);
    RandomStream random(seed, "foreign");
    std::uint64_t at = 0;
    int left = 15;
    const auto d = w.dispatcher();
    const auto meddle = [&] {
      if (left == 0 || random.uniform(at++) > 0.02) return;
      --left;
      FakeSlurm& s = *w.slurm[random.below(at++, 2)];
      const int nodes = 1 + static_cast<int>(random.below(at++, 3));
      const auto seconds = 30 + static_cast<std::int64_t>(random.below(at++, 300));
      FakeJob& j =
          s.submit_foreign(fmt::format("theirs-{}", at), nodes, Duration::seconds(seconds));
      if (random.uniform(at++) < 0.2) j.reason = "JobHeldUser";
      if (random.uniform(at++) < 0.2) j.name = "carnot";
    };
    EXPECT_TRUE(w.run(*d, kDay, meddle)) << w.said;
    w.expect_all_once();
    for (const auto& s : w.slurm)
      for (const auto& c : s->changes) {
        const bool ours = std::any_of(c.begin(), c.end(), [](const std::string& word) {
          return word.starts_with("carnot.test-");
        });
        EXPECT_TRUE(ours) << fmt::format("{}", fmt::join(c, " "));
      }
  }
}

TEST(Dispatch, JobsOfAPartitionInItsCareAreToldWhenToStart) {
  World w(15, "wait-awhile", 1);
  w.write("jobs.csv", "id,arrival_s,runtime_s,nodes\nj0,0,60,1\n");
  const auto d = w.dispatcher();
  w.work.length = {{"j0", Duration::seconds(60)}};
  FakeJob& held = w.slurm[0]->submit_foreign("held", 1, Duration::seconds(50), "green");
  held.reason = "JobHeldUser";
  w.slurm[0]->jobs().back().begins = Instant();
  w.run(*d, Duration::seconds(3));
  FakeJob& job = w.slurm[0]->submit_foreign("mine", 1, Duration::seconds(400), "green");
  job.begins = w.clock.now + Duration::seconds(500);  // as a submission policy does
  const std::string id = job.id;
  w.run(*d, Duration::seconds(4 * 3600));
  bool told = false;
  for (const auto& c : w.slurm[0]->changes) {
    told = told || (c.size() > 3 && c[3] == "mine");
    EXPECT_FALSE(c.size() > 3 && c[3] == "held");
  }
  EXPECT_TRUE(told) << w.said;
  EXPECT_NE(w.said.find("COMPLETED"), std::string::npos) << w.said;
}

TEST(Dispatch, ACallForPowerStopsAllAndNothingStartsUntilItEnds) {
  World w(17, "no-wait", 2, "calls = \"calls.csv\"");
  const auto d = w.dispatcher();
  w.run(*d, Duration::seconds(130));
  std::string calls = "at_utc,site,length_s,power_kw,direction\n";
  for (const char* s : {"s0", "s1"})
    calls += fmt::format("{},{},120,1000,down\n", w.clock.now.iso8601(), s);
  w.write("calls.csv", calls);
  FakeJob& theirs = w.slurm[0]->submit_foreign("theirs", 1, Duration::seconds(50));
  (void)theirs;
  const Instant called = w.clock.now;
  w.run(*d, Duration::seconds(3));
  const auto running = [&] {
    int n = 0;
    for (const auto& s : w.slurm)
      for (const FakeJob& j : s->jobs()) n += j.state == "RUNNING" && j.own;
    return n;
  };
  EXPECT_EQ(running(), 0) << w.said;
  w.run(*d, Duration::seconds(100), [&] { EXPECT_EQ(running(), 0); });
  EXPECT_LT((w.clock.now - called).time().in(second), 120);
  w.run(*d, Duration::seconds(60));
  EXPECT_GT(running(), 0) << w.said;
  EXPECT_TRUE(w.run(*d, kDay)) << w.said;
  w.expect_all_once();
  for (const auto& s : w.slurm)
    for (const FakeJob& j : s->jobs()) EXPECT_NE(j.reason, "JobHeldAdmin");
}

TEST(Dispatch, WithoutDataJobsRun) {
  World w(19, "wait-awhile", 1, "run_without_data_after = \"20 min\"");
  fs::remove(w.path("price.csv"));
  const auto d = w.dispatcher();
  w.run(*d, Duration::seconds(20 * 60 + 120));
  EXPECT_NE(w.said.find("jobs run"), std::string::npos) << w.said;
  EXPECT_TRUE(w.run(*d, Duration::seconds(3 * 3600))) << w.said;
  w.expect_all_once();
}

TEST(Dispatch, ClocksThatAreOffOrSetMakeNoBurst) {
  World w(21, "wait-awhile", 1);
  w.slurm[0]->clock_off = Duration::seconds(-120);
  const auto d = w.dispatcher();
  w.run(*d, Duration::seconds(900));
  const std::size_t before = w.slurm[0]->changes.size();
  w.clock.set_by = Duration::seconds(3600);
  w.run(*d, Duration::seconds(60));
  EXPECT_LE(w.slurm[0]->changes.size(), before + 6);
  w.clock.set_by = Duration::seconds(-3600);
  w.run(*d, Duration::seconds(60));
  EXPECT_TRUE(w.run(*d, kDay)) << w.said;
  w.expect_all_once();
}

TEST(Dispatch, TheJournalGivesTheSameBookAgain) {
  World w(23, "carnot");
  std::string log;
  double energy = 0.0;
  {
    const auto d = w.dispatcher();
    w.run(*d, Duration::seconds(1500));
    log = d->event_log();
    energy = d->summary().result.flows.facility.in(joule);
  }
  const auto again = w.dispatcher();
  const std::string replayed = again->event_log();
  EXPECT_TRUE(log.starts_with(replayed));
  EXPECT_GT(replayed.size(), 200u);
  EXPECT_LE(log.size() - replayed.size(), 200u);  // what was not yet on the disk
  EXPECT_GT(energy, 0.0);
}

TEST(Dispatch, SaysWhy) {
  World w(25);
  {
    const auto d = w.dispatcher();
    w.run(*d, Duration::seconds(300));
  }
  const DispatchConfig config = read_dispatch_config(w.path("config.toml"));
  const std::string words = why_words(config, "j0");
  EXPECT_NE(words.find("j0 was handed to Slurm: starts under policy no-wait"), std::string::npos)
      << words;
  EXPECT_NE(words.find("EUR/MWh"), std::string::npos);
  EXPECT_THROW(why_words(config, "nobody"), InputError);
}

TEST(DispatchConfig, SaysAllThatIsWrong) {
  try {
    parse_dispatch_config(
        "[dispatch]\npolicie = \"carnot\"\nlease = \"1 W\"\nspeed = 10\n[[site]]\nname = \"a b\"\n"
        "price = \"60 g/kWh\"\n[jobs]\nfile = \"x.csv\"\n",
        "c.toml");
    FAIL();
  } catch (const InputError& error) {
    const std::string words = error.what();
    for (const char* part :
         {"c.toml:2: dispatch.policie: ", "did you mean `policy`?", "c.toml:3: dispatch.lease: ",
          "site.price: ", "site.carbon: ", "site.name: ", "jobs.command: ", "dispatch.start: "})
      EXPECT_NE(words.find(part), std::string::npos) << part << "\n" << words;
  }
}

TEST(DispatchJournal, CutsALineThatWasNotFinished) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("carnot-journal-{}", getpid());
  fs::create_directories(folder);
  std::ofstream(folder / "journal.jsonl") << "{\"a\":1}\n{\"b\":";
  {
    DispatchJournal journal(folder, false);
    EXPECT_EQ(journal.past().size(), 1u);
    EXPECT_THROW(DispatchJournal(folder, false), InputError);  // one at a time
    journal.write({{"c", 3}});
    journal.commit();
  }
  EXPECT_EQ(read_file(folder / "journal.jsonl"), "{\"a\":1}\n{\"c\":3}\n");
  std::ofstream(folder / "journal.jsonl") << "{\"a\":1}\nnonsense\n{\"b\":2}\n";
  EXPECT_THROW(DispatchJournal(folder, false), InputError);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace carnot::live
