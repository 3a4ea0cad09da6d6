// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/sites/sites_run.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

namespace carnot::live {
namespace {

using testing::HasSubstr;

learn::LearnerOptions small_mlp() {
  learn::LearnerOptions o;
  o.model = "mlp";
  o.hidden = 32;
  o.batch = 32;
  o.epochs = 12;
  o.learning_rate = 0.2;
  o.seed = 3;
  return o;
}

const learn::Split& digits() {
  static const learn::Split split = [] {
    learn::DatasetOptions o;
    o.path = "digits";
    return learn::load_split(o);
  }();
  return split;
}

std::vector<std::vector<float>> parameters_after(learn::Learner& learner, std::uint64_t steps) {
  learner.train(steps, learn::Precision::parse("f32"));
  return learner.parameters();
}

TEST(ReplicaTraining, AdoptingOnesOwnCoefficientsChangesNothing) {
  for (const char* precision : {"f32", "bf16"}) {
    const auto p = learn::Precision::parse(precision);
    auto whole = learn::make_learner(small_mlp(), digits().train);
    auto cut = learn::make_learner(small_mlp(), digits().train);
    whole->train(50, p);
    cut->train(20, p);
    cut->adopt(cut->parameters(), 20);
    cut->train(30, p);
    EXPECT_EQ(whole->parameters(), cut->parameters()) << precision;
  }
  auto learner = learn::make_learner(small_mlp(), digits().train);
  auto wrong = learner->parameters();
  wrong.front().pop_back();
  EXPECT_THROW(learner->adopt(wrong, 0), InputError);
  auto nan = learner->parameters();
  nan.front().front() = std::nanf("");
  EXPECT_THROW(learner->adopt(nan, 0), InputError);
  EXPECT_THROW(learner->adopt(learner->parameters(), learner->total_steps() + 1), InputError);
}

TEST(ReplicaTraining, OneSiteWithWholeMessagesIsPlainTraining) {
  ReplicaOptions o;
  o.learner = small_mlp();
  o.averaging.bits = 32;
  ReplicaTraining replicas(o, digits(), 1);
  auto plain = learn::make_learner(o.learner, digits().train);
  // w - (w - w') is w' but for the last bit of a float.
  const auto common = parameters_after(*plain, 60);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(replicas.round({20}).steps, 20u);
  learn::Quality a = replicas.quality();
  learn::Quality b = plain->evaluate(digits().test, learn::Precision::parse("f32"));
  EXPECT_NEAR(a.bits_per_label, b.bits_per_label, 1e-3);
}

TEST(ReplicaTraining, SitesComeAndGoAndTheScheduleEndsExactly) {
  ReplicaOptions o;
  o.learner = small_mlp();
  ReplicaTraining r(o, digits(), 3);
  const std::uint64_t total = r.total_steps();
  std::uint64_t taken = 0;
  for (int i = 0; !r.finished(); ++i) {
    const std::vector<std::uint64_t> steps = {i % 2 == 0 ? 17u : 0u, i % 3 == 0 ? 5u : 11u,
                                              i < 4 ? 0u : 23u};
    taken += r.round(steps).steps;
    ASSERT_LT(i, 1000);
  }
  EXPECT_EQ(taken, total);
  EXPECT_EQ(r.steps_done(), total);
  EXPECT_EQ(r.round({10, 10, 10}).steps, 0u);
  EXPECT_GT(r.quality().value, 0.9);
}

/// Three sites at a rate of the default size, in long rounds: plain sums of their pseudo-gradients
/// end at 81 %.
TEST(ReplicaTraining, ThreeSitesDoNotOvershootTogether) {
  ReplicaOptions o;
  o.learner = small_mlp();
  o.learner.hidden = 64;
  o.learner.batch = 64;
  o.learner.epochs = 60;
  o.learner.learning_rate = 0.3;
  ReplicaTraining r(o, digits(), 3);
  while (!r.finished()) r.round({20, 20, 20});
  EXPECT_GT(r.quality().value, 0.95);
}

/// The claim of the averaging: k sites with 4 bits do the work of one in as many steps.
TEST(ReplicaTraining, ThreeSitesLearnAsMuchFromAsManySteps) {
  double one = 0, three = 0, three_2 = 0;
  std::uint64_t sent = 0, synchronous = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    for (const int kind : {0, 1, 2}) {
      ReplicaOptions o;
      o.learner = small_mlp();
      o.learner.epochs = 40;
      o.learner.seed = seed;
      o.averaging.bits = kind == 2 ? 2 : 4;
      ReplicaTraining r(o, digits(), kind == 0 ? 1 : 3);
      while (!r.finished()) {
        const auto round = r.round(kind == 0 ? std::vector<std::uint64_t>{30}
                                             : std::vector<std::uint64_t>{10, 10, 10});
        if (kind != 1) continue;
        sent += round.bytes_up + round.bytes_down;
        synchronous += round.steps * r.synchronous_bytes();
      }
      (kind == 0 ? one : kind == 1 ? three : three_2) += r.quality().value / 5;
    }
  }
  EXPECT_GT(three, one - 0.01);
  EXPECT_GT(three_2, one - 0.015);
  EXPECT_LT(static_cast<double>(sent), 0.015 * static_cast<double>(synchronous));
}

// A training that moves from one site to the next is looked at by what the present one sees of its
// rows: what a site saw long ago must not put off the certificate.
TEST(ReplicaTraining, AMovedTrainingIsCertifiedWithinAsManySteps) {
  const auto steps = [](bool moves) {
    ReplicaOptions o;
    o.learner = small_mlp();
    o.learner.hidden = 64;
    o.learner.epochs = 60;
    o.learner.learning_rate = 0.3;
    o.floor = 0.85;
    o.looks = 100;
    ReplicaTraining r(o, digits(), 2);
    for (int round = 0; !r.finished(); ++round) {
      const bool second = moves && round >= 4;
      r.round({second ? 0u : 20u, second ? 20u : 0u});
      r.look(false);
    }
    EXPECT_TRUE(r.certified());
    return static_cast<double>(r.steps_done());
  };
  EXPECT_LT(steps(true), 1.2 * steps(false));
}

TEST(ReplicaTraining, SameBytesTwice) {
  const auto run = [] {
    ReplicaOptions o;
    o.learner = small_mlp();
    o.precision = "int8";
    o.floor = 0.8;
    ReplicaTraining r(o, digits(), 2);
    while (!r.finished()) {
      r.round({9, 13});
      r.look(false);
    }
    return std::pair(r.steps_done(), r.quality().bits_per_label);
  };
  EXPECT_EQ(run(), run());
}

class Files : public testing::Test {
 protected:
  Files() {
    std::string name = (std::filesystem::temp_directory_path() / "carnot-sites-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Files() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    write_file(folder_ + "/" + name, text);
    return folder_ + "/" + name;
  }
  std::string folder_;
};

TEST_F(Files, AFileIsReadRunAndTold) {
  std::string csv = "time_utc,a [g/kWh],b [kg/MWh]\n";
  for (int h = 0; h < 48; ++h)
    csv += "2026-01-" + std::string(h < 24 ? "01" : "02") + "T" + (h % 24 < 10 ? "0" : "") +
           std::to_string(h % 24) + ":00Z," + std::to_string(h % 24 < 12 ? 50 : 400) + "," +
           std::to_string(h % 24 < 12 ? 300 : 80) + "\n";
  write("carbon.csv", csv);
  const auto path =
      write("sites.toml",
            "[training]\nstart = \"2026-01-01T00:00Z\"\ndeadline = \"40 h\"\nwork = "
            "\"20 h\"\nslot = \"30 min\"\n"
            "[job]\ndata = \"digits\"\nhidden = 32\nepochs = 30\nfloor = 0.85\n"
            "[averaging]\nbits = 2\nshare = 0.5\n[link]\nrate = \"1 MB/s\"\n"
            "[[site]]\nname = \"a\"\ncarbon = { file = \"carbon.csv\", column = \"a\" }\n"
            "[[site]]\nname = \"b\"\ncarbon = { file = \"carbon.csv\", column = \"b\" }\n"
            "speed = 0.5\n[[site]]\nname = \"c\"\ncarbon = \"300 g/kWh\"\n");
  const SitesConfig config = read_sites_config(path);
  EXPECT_EQ(config.sites.size(), 3u);
  EXPECT_NEAR(config.link_rate.base(), 8e6, 1);
  EXPECT_NEAR(config.sites[1].carbon.mean()[0],
              CarbonIntensity(300.0 * gram_per_kilowatt_hour).base(), 1e-12);
  const SitesRun run = run_at_sites(config, {"cheapest", "carnot"});
  ASSERT_EQ(run.policies.size(), 2u);
  for (const SitesPolicyResult& p : run.policies) {
    ASSERT_TRUE(p.training);
    EXPECT_TRUE(p.training->certified) << p.schedule.policy;
    EXPECT_GE(p.training->lower_bound, 0.85);
    EXPECT_GE(p.schedule.carbon.in(gram), p.bound.carbon.in(gram));
    EXPECT_EQ(p.training->steps > 0, p.training->bytes_up > 0);
    // Ends early, as soon as the floor is certified: less work than the whole schedule.
    EXPECT_GT(p.schedule.work_left.in(hour), 0);
  }
  const auto starts = run_from_starts(config, {"carnot"}, 4, 1.0 * hour);
  EXPECT_EQ(starts.front().starts, 4u);
  EXPECT_GE(starts.front().median, 1);
}

TEST_F(Files, BadFilesAreNamedByLineAndField) {
  const auto thrown = [&](const std::string& text) -> std::string {
    try {
      read_sites_config(write("bad.toml", text));
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  const std::string head =
      "[training]\nstart = \"2026-01-01T00:00Z\"\ndeadline = \"4 h\"\nwork = \"2 h\"\n";
  EXPECT_THAT(thrown(head), HasSubstr("site: one or more"));
  EXPECT_THAT(thrown(head + "[[site]]\nname = \"a\"\n"), HasSubstr("bad.toml:5: site.carbon"));
  EXPECT_THAT(thrown(head + "[[site]]\nnam = \"a\"\ncarbon = \"1 g/kWh\"\n"),
              HasSubstr("did you mean `name`?"));
  EXPECT_THAT(thrown(head + "[[site]]\nname = \"a\"\ncarbon = \"1 kW\"\n"),
              HasSubstr("bad.toml:7"));
  EXPECT_THAT(thrown(head + "[averaging]\nbits = 3\n"), HasSubstr("averaging.bits: 32, 8, 4 or 2"));
  EXPECT_THAT(thrown(head + "[jobs]\n"), HasSubstr("one of [training]"));
  EXPECT_THAT(thrown("[training]\nstart = \"soon\"\n"), HasSubstr("bad.toml:2: training.start"));
  EXPECT_THAT(thrown("[training\n"), HasSubstr("not TOML"));
  EXPECT_THAT(thrown(head + "[[site]]\nname = \"a\"\ncarbon = { file = \"none.csv\" }\n"),
              HasSubstr("none.csv"));
  EXPECT_THROW(read_sites_config(folder_ + "/nowhere.toml"), InputFileError);
}

}  // namespace
}  // namespace carnot::live
