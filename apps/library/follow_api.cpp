// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "carnot/base/text.hpp"
#include "carnot/learn/codes/certificate.hpp"
#include "carnot/live/c_api.h"
#include "carnot/live/local/step_follower.hpp"

#include "guarded.hpp"

using namespace carnot;
using namespace carnot::library;

struct carnot_follow {
  Energy told;  // by the slower source; the follower's sensor reads it
  std::unique_ptr<live::StepFollower> follower;
};

namespace {

live::PowerProfile profile_of(const carnot_follow_options& o) {
  live::ProfileOptions p;
  const auto given = [](const char* text) { return text != nullptr && *text != '\0'; };
  if (given(o.peak)) p.peak = parse_as<Power>(o.peak);
  if (given(o.cap)) p.cap = parse_as<Power>(o.cap);
  if (given(o.begin_at)) p.begin_at = Instant::parse(o.begin_at);
  if (given(o.then)) p.end = live::profile_end(o.then);
  if (given(o.gaps)) p.csv.gaps = gap_policy(o.gaps);
  p.full_at = text(o.full_at);
  p.none_at = text(o.none_at);
  p.csv.column = text(o.column);
  p.csv.unit = text(o.unit);
  p.csv.zone = text(o.zone);
  if (o.speed != 0) p.speed = o.speed;
  p.calendar = o.calendar != 0;
  return live::PowerProfile::read(text(o.profile), p, Instant::now());
}

}  // namespace

carnot_status carnot_follow_open(const carnot_follow_options* options, carnot_follow** out) {
  return guarded([&] {
    need(options, "options");
    need(out, "out");
    const carnot_follow_options o = known_part(options);
    need(o.profile, "profile");
    if (!(o.watts_per_cpu > 0) || !std::isfinite(o.watts_per_cpu))
      throw InputError("watts_per_cpu: allowed: above 0");
    live::StepFollowerOptions steps;
    if (o.modes != 0) steps.modes = o.modes;
    if (o.burst_s > 0) steps.bucket.burst = o.burst_s * second;
    if (o.checkpoint_after_s != 0) steps.checkpoint_after = o.checkpoint_after_s * second;
    if (o.longest_wait_s > 0) steps.longest_wait = o.longest_wait_s * second;
    auto follow = std::make_unique<carnot_follow>();
    std::unique_ptr<live::WorkEnergy> energy;
    if (o.sensor != 0) {
      live::SensorOptions sensor;
      sensor.whole_machine = true;  // what is told is the work's own
      sensor.per_cpu = o.watts_per_cpu * watt;
      energy = live::energy_by_sensor(
          [raw = follow.get()] {
            live::SensorReading reading;
            reading.energy = reading.low = reading.high = raw->told;
            return reading;
          },
          sensor);
    } else {
      energy = live::energy_of_cpu_time(
          Estimate<Power>::exact(o.watts_per_cpu * watt, Origin::Assumed, Boundary::Node),
          "as stated");
    }
    follow->follower =
        std::make_unique<live::StepFollower>(profile_of(o), std::move(energy), steps);
    *out = follow.release();
  });
}

void carnot_follow_close(carnot_follow* follow) { delete follow; }

carnot_status carnot_follow_next(carnot_follow* follow, double now_s, double cpu_s, double told_j,
                                 int32_t stepped, carnot_step_decision* out) {
  return guarded([&] {
    need(follow, "follow");
    need(out, "out");
    if (!(now_s >= 0 && now_s < 1e9) || !(cpu_s >= 0 && cpu_s < 1e15))
      throw InputError("now_s, cpu_s: allowed: from 0 on");
    if (told_j >= 0) follow->told = max(follow->told, told_j * joule);
    const live::StepDecision d =
        follow->follower->next(Duration::from(now_s * second), cpu_s, stepped != 0);
    *out = {d.wait.in(second), d.offered.in(watt), d.mode, d.checkpoint ? 1 : 0, d.over ? 1 : 0};
  });
}

carnot_status carnot_follow_report(const carnot_follow* follow, carnot_follow_totals* out) {
  return guarded([&] {
    need(follow, "follow");
    const live::StepTotals t = follow->follower->totals();
    carnot_follow_totals r{};
    r.offered_j = t.offered.in(joule);
    r.used_j = t.used.in(joule);
    r.could_not_use_j = t.could_not_use.in(joule);
    r.left_j = t.left.in(joule);
    r.above_j = t.above.in(joule);
    r.free_used_j = t.free_used.in(joule);
    r.followed_s = t.followed_s;
    r.waited_s = t.waited_s;
    r.worst_over_w = t.worst_over.in(watt);
    r.per_cpu_w = follow->follower->energy().per_cpu().in(watt);
    for (std::size_t i = 0; i < t.steps.size(); ++i) r.steps[i] = t.steps[i];
    give(r, out);
  });
}

const char* carnot_follow_words(const carnot_follow* follow) {
  return follow != nullptr ? follow->follower->profile().words().c_str() : "";
}

carnot_status carnot_certify_accuracy(uint64_t successes, uint64_t trials, double floor,
                                      double alpha, uint64_t looks_before,
                                      carnot_certificate* out) {
  return guarded([&] {
    need(out, "out");
    if (successes > trials) throw InputError("successes: allowed: at most as many as trials");
    learn::Certificate certificate(floor, alpha == 0 ? 0.05 : alpha);
    certificate.restore({looks_before});
    learn::Quality quality;
    quality.metric = "accuracy";
    quality.successes = successes;
    quality.trials = trials;
    if (trials > 0) quality.value = static_cast<double>(successes) / static_cast<double>(trials);
    const learn::CertificateResult r = certificate.look(quality);
    *out = {r.lower_bound, r.upper_bound, r.alpha, r.certified ? 1 : 0};
  });
}
