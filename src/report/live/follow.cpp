// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/live/follow.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "carnot/base/text.hpp"

namespace carnot::report {

namespace {

using nlohmann::ordered_json;

ordered_json json_of(const live::ActuatorInfo& info) {
  ordered_json j{
      {"name", info.name}, {"available", info.available}, {"whole_machine", info.whole_machine}};
  if (info.available) j["how"] = info.how;
  if (!info.available) j["why"] = info.why;
  if (!info.available && !info.remedy.empty()) j["remedy"] = info.remedy;
  return j;
}

ordered_json json_of(const std::vector<live::ActuatorInfo>& actuators) {
  ordered_json all = ordered_json::array();
  for (const live::ActuatorInfo& info : actuators) all.push_back(json_of(info));
  return all;
}

double share(Energy part, Energy whole) { return whole > Energy{} ? part / whole : 0.0; }

std::string percent(Energy part, Energy whole) {
  return fmt::format("{:.1f} %", 100 * share(part, whole));
}

}  // namespace

std::string actuators_terminal(const std::vector<live::ActuatorInfo>& actuators) {
  std::string text;
  for (const live::ActuatorInfo& info : actuators) {
    const std::string scope = info.whole_machine ? " (the whole machine)" : "";
    text += info.available ? fmt::format("{:8} yes: {}{}\n", info.name, info.how, scope)
                           : fmt::format("{:8} no: {}{}\n", info.name, info.why,
                                         info.remedy.empty() ? "" : "; needs " + info.remedy);
  }
  return text;
}

std::string actuators_json(const std::vector<live::ActuatorInfo>& actuators) {
  return ordered_json{{"format", "carnot.actuators/1"}, {"actuators", json_of(actuators)}}.dump(2) +
         "\n";
}

std::string follow_json(const live::LocalResult& r, const std::string& command_line) {
  const live::FollowTotals& t = r.totals;
  ordered_json j;
  j["format"] = "carnot.follow/1";
  j["command"] = command_line;
  j["profile"] = {{"source", r.begin.profile_words}, {"ended", t.profile_ended}};
  j["energy"] = {{"origin", std::string(name(r.used.origin()))},
                 {"boundary", std::string(name(r.used.boundary()))},
                 {"known_by", r.begin.energy_words},
                 {"used_j", r.used.value().in(joule)},
                 {"low_j", r.used.low().in(joule)},
                 {"high_j", r.used.high().in(joule)},
                 {"per_cpu_w", r.per_cpu.in(watt)}};
  j["offered_j"] = t.offered.in(joule);
  j["used_j"] = t.used.in(joule);
  j["could_not_use_j"] = t.could_not_use.in(joule);
  j["crowded_out_j"] = t.crowded_out.in(joule);
  j["left_j"] = t.left.in(joule);
  j["above_j"] = t.above.in(joule);
  j["used_after_profile_j"] = t.free_used.in(joule);
  j["worst_second"] = {{"over_w", t.worst_over.in(watt)}, {"at_s", t.worst_at_s}};
  j["rms_error_w"] = t.rms_error.in(watt);
  j["mean_target_w"] = t.mean_target.in(watt);
  j["followed_s"] = t.followed_s;
  j["stopped_s"] = t.stopped_s;
  j["after_profile_s"] = t.free_s;
  j["switches"] = t.switches;
  j["ticks"] = t.ticks;
  j["longest_tick_s"] = t.longest_tick_s;
  j["own_cpu_s"] = r.own_cpu_s;
  ordered_json used = ordered_json::array();
  for (const live::LocalActuatorUse& a : r.actuators) {
    ordered_json one{
        {"name", a.name}, {"how", a.how}, {"changes", a.changes}, {"failures", a.failures}};
    if (a.failures > 0) one["last_failure"] = a.last_failure;
    used.push_back(one);
  }
  j["used_actuators"] = used;
  j["actuators"] = json_of(r.begin.actuators);
  j["not_restored"] = r.not_restored;
  j["pid"] = r.begin.pid;
  j["outcome"] = std::string(meter::name(r.outcome));
  j["exit_code"] = r.exit_code;
  j["left_running"] = r.left_running;
  return j.dump(2) + "\n";
}

std::string follow_terminal(const live::LocalResult& r) {
  const live::FollowTotals& t = r.totals;
  std::string text;
  const auto row = [&](std::string_view label, const std::string& words) {
    text += fmt::format("{:<11}{}\n", label, words);
  };
  row("offered", fmt::format("{} in {}", format(t.offered), format(t.followed_s * second)));
  row("used", fmt::format("{} ({}), {}, {}; 90 %: {} to {}", format(t.used),
                          percent(t.used, t.offered), name(r.used.origin()),
                          name(r.used.boundary()), format(r.used.low()), format(r.used.high())));
  if (t.free_used > Energy{})
    row("after it", fmt::format("{} in {}, the profile was over", format(t.free_used),
                                format(t.free_s * second)));
  row("unused", fmt::format("{} ({}): other work had the CPUs {}, it took no more {}",
                            format(t.could_not_use), percent(t.could_not_use, t.offered),
                            format(t.crowded_out), format(t.could_not_use - t.crowded_out)));
  row("above", fmt::format("{} ({}); worst second {} over{}", format(t.above),
                           percent(t.above, t.offered), format(t.worst_over),
                           t.worst_over > Power{} ? fmt::format(", at {:.0f} s", t.worst_at_s)
                                                  : std::string{}));
  row("error", fmt::format("{} rms of seconds, of {} offered on average; {} left at the end",
                           format(t.rms_error), format(t.mean_target), format(t.left)));
  row("stopped", fmt::format("{} in all, {} switches; longest tick {:.0f} ms",
                             format(t.stopped_s * second), t.switches, 1e3 * t.longest_tick_s));
  for (const live::LocalActuatorUse& a : r.actuators) {
    row(a.name, fmt::format("{}: {} changes{}", a.how, a.changes,
                            a.failures > 0 ? fmt::format(", {} failed, the last: {}", a.failures,
                                                         a.last_failure)
                                           : std::string{}));
  }
  row("energy", r.begin.energy_words);
  row("carnot", fmt::format("{:.2f} s of CPU time of its own", r.own_cpu_s));
  if (r.left_running > 0)
    row("left",
        fmt::format("{} processes of the command live on, no longer followed", r.left_running));
  for (const std::string& failure : r.not_restored) row("RESTORE", failure);
  return text;
}

std::string follow_csv(const live::LocalResult& result) {
  std::string text = "at_s,length_s,offered_w,used_w,could_not_use_w,running_s,crowded\n";
  for (const live::FollowSecond& s : result.totals.seconds) {
    const Time length = s.length_s * second;
    text += fmt::format("{:.3f},{:.4f},{:.6g},{:.6g},{:.6g},{:.3f},{}\n", s.at_s, s.length_s,
                        (s.offered / length).in(watt), (s.used / length).in(watt),
                        (s.could_not_use / length).in(watt), s.running_s, s.crowded ? 1 : 0);
  }
  return text;
}

}  // namespace carnot::report
