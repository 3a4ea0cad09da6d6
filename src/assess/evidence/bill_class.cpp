// SPDX-License-Identifier: Apache-2.0
#include "assess/evidence/bill_class.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "carnot/base/input/csv_stream.hpp"

#include "assess/evidence/cells.hpp"

namespace carnot::assess {

namespace {

constexpr double kHoursOfMonth = 730;  // what clouds call a month of storage

BillClass settled(Outcome outcome, std::string reason) {
  BillClass out;
  out.outcome = outcome;
  out.reason = std::move(reason);
  return out;
}

BillClass amount(std::string what, double per_unit) {
  BillClass out;
  out.use = BillClass::Use::Amount;
  out.what = std::move(what);
  out.amount_per_unit = per_unit;
  return out;
}

bool any_of(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](auto part) { return holds(text, part); });
}

/// Gigabytes in a unit; 0: none.
double gigabytes_of(const std::string& unit) {
  if (unit == "gb" || unit == "gib" || unit == "gigabyte" || unit == "gibibyte" || unit == "1gb")
    return 1;
  if (unit == "tb" || unit == "tib" || unit == "1tb" || unit == "tebibyte") return 1000;
  if (unit == "mb" || unit == "mib") return 1e-3;
  if (unit == "bytes" || unit == "byte") return 1e-9;
  return 0;
}

/// Gigabyte-months in a unit; 0: none.
double gigabyte_months_of(const std::string& unit) {
  for (const std::string_view one :
       {"gbmo", "gbmonth", "gbmonths", "gibibytemonth", "gibmonth", "1gbmonth", "gigabytemonth",
        "gbmonthsnapshot", "gbmonthdatastored"})
    if (unit == one) return 1;
  if (unit == "tbmonth" || unit == "tbmonths" || unit == "1tbmonth") return 1000;
  if (unit == "gbhours" || unit == "gbhour") return 1 / kHoursOfMonth;
  return 0;
}

BillClass storage(std::string_view text, double gigabyte_months) {
  // Copies as the providers state them (data/assess_factors.md).
  const bool many =
      any_of(text, {"snapshot", "s3", "simple storage", "backup", "blob", "log", "file system",
                    "registry", "object", "archive", "glacier", "data stored"});
  const bool disks =
      many || any_of(text, {"magnetic", "hdd", "throughput optimized", "sc1", "st1", "cold"});
  const double copies = many ? 3 : 2;
  return amount(disks ? "storage.hdd" : "storage.ssd",
                gigabyte_months * kHoursOfMonth * copies / 1000);
}

/// The part of a category that decides; empty: ordinary use.
std::string_view no_use(std::string_view category) {
  constexpr std::array<std::array<std::string_view, 2>, 14> kKinds = {{
      {"tax", "a tax"},
      {"credit", "a credit: money alone"},
      {"refund", "a refund: money alone"},
      {"rounding", "rounding: money alone"},
      {"adjustment", "an adjustment: money alone"},
      {"discount", "a discount: money alone"},
      {"negation", "takes back the price of use covered by a savings plan"},
      {"purchase", "a purchase of a commitment: its use has rows of its own"},
      {"rifee", "a fee of a reservation: its use has rows of its own"},
      {"recurringfee", "a fee of a savings plan: its use has rows of its own"},
      {"upfrontfee", "a fee of a savings plan: its use has rows of its own"},
      {"unused", "a commitment that was not used"},
      {"fee", "a fee"},
      {"support", "support"},
  }};
  const std::string folded = folded_name(category);
  // AWS calls use under a reservation "DiscountedUsage".
  if (folded.ends_with("usage")) return {};
  for (const auto& kind : kKinds)
    if (folded.find(kind[0]) != std::string::npos) return kind[1];
  return {};
}

/// A word that looks like a machine's name, for naming what is not known: "x9.24xlarge".
std::string type_like(std::string_view text) {
  std::string word;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ' ';
    const bool inside = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    if (inside) {
      word += c;
      continue;
    }
    const auto dot = word.find('.');
    const bool sized =
        dot != std::string::npos && dot > 1 && dot + 1 < word.size() &&
        any_of(word.substr(dot), {"large", "micro", "small", "medium", "metal", "nano"});
    const bool azure = word.starts_with("Standard_") || word.starts_with("standard_");
    if (sized || azure) return word;
    word.clear();
  }
  return "";
}

BillClass compute(const BillWords& w, std::string_view text, double hours) {
  BillClass out;
  out.hours_per_unit = hours;
  const CloudMachine* found = nullptr;
  if (!w.instance_type.empty()) {
    found = cloud_machine(w.instance_type);
    out.type = w.instance_type;
  }
  for (const std::string_view words : {w.meter, w.usage_type, w.description})
    if (found == nullptr && out.type.empty()) found = cloud_machine_in(words);
  const bool host =
      any_of(text, {"dedicated host", "dedicated-host", "hostusage", "dedicated_host"});
  out.on_host =
      holds(text, "hostboxusage") || (host && found != nullptr && !holds(w.resource_type, "host"));
  if (host && !out.on_host) {
    // The host of a family is the family's bare machine.
    std::string family;
    for (const CloudMachine& one : cloud_machines()) {
      const auto dot = one.name.find('.');
      if (dot == std::string::npos) continue;
      const std::string name = one.name.substr(0, dot);
      if (name.size() <= family.size()) continue;
      const auto at = lower_case(text).find(name);
      const auto edge = [&](std::size_t i) {
        return i >= text.size() ||
               !((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9'));
      };
      if (at != std::string::npos && (at == 0 || edge(at - 1)) && edge(at + name.size()))
        family = name;
    }
    for (const CloudMachine& one : cloud_machines())
      if (!family.empty() && one.name.starts_with(family + ".") &&
          (out.machine == nullptr || one.vcpus > out.machine->vcpus))
        out.machine = &one;
    out.use = out.machine != nullptr ? BillClass::Use::Host : BillClass::Use::UnknownMachine;
    out.type = family.empty() ? "dedicated host" : family + " dedicated host";
    return out;
  }
  if (found != nullptr) {
    if (any_of(text, {"multi-az"})) out.hours_per_unit *= 2;  // a database and its stand-by
    out.use = BillClass::Use::Machine;
    out.machine = found;
    out.type = found->name;
    return out;
  }
  if (out.type.empty())
    for (const std::string_view words : {w.meter, w.usage_type, w.description})
      if (out.type.empty()) out.type = type_like(words);
  if (out.type.empty())
    return settled(Outcome::Unknown, fmt::format("hours of `{}`: no published power of one",
                                                 std::string(w.service).substr(0, 60)));
  out.use = BillClass::Use::UnknownMachine;
  return out;
}

}  // namespace

double hours_of_unit(std::string_view unit) {
  const std::string u = folded_name(unit);
  for (const std::string_view hour : {"hours", "hour", "hrs", "hr", "h", "1hour", "1hours", "1hr",
                                      "instancehours", "instancehour", "computehours"})
    if (u == hour) return 1;
  for (const std::string_view one : {"seconds", "second", "sec", "s", "1second"})
    if (u == one) return 1.0 / 3600;
  if (u == "minutes" || u == "minute" || u == "min") return 1.0 / 60;
  return 0;
}

BillClass classify(const BillWords& w) {
  if (const auto why = no_use(w.category); !why.empty())
    return settled(Outcome::NoEnergy, std::string(why));
  if (holds(w.commitment, "unused"))
    return settled(Outcome::NoEnergy, "a commitment that was not used");
  std::string text;
  for (const std::string_view part :
       {w.service, w.description, w.usage_type, w.meter, w.resource_type}) {
    text += part;
    text += ' ';
  }
  const std::string unit = folded_name(w.unit);
  const double hours = hours_of_unit(w.unit);

  if (any_of(text, {"mbps per", "ebsoptimized", "ebs-optimized"}))
    return settled(Outcome::NoEnergy, "a fee on an instance that has its own row");
  if (any_of(text, {"marketplace", "software usage", "license", "licence", "extended support"}))
    return settled(Outcome::NoEnergy, "software on a machine that has its own row");
  if (any_of(text, {"elastic mapreduce", "elasticmapreduce"}))
    return settled(Outcome::NoEnergy, "a fee on machines that have their own rows");
  if (any_of(text, {"ipv4", "ip address", "elastic ip", "idleaddress"}))
    return settled(Outcome::NoEnergy, "an address: no machine");
  if (any_of(unit, {"iopsmo", "mibpsmo", "gibpsmo", "gibsecondmonth", "mibsecondmonth"}) ||
      any_of(text, {"provisioned iops", "provisioned mibps", "performance units"}))
    return settled(Outcome::NoEnergy, "the speed of a volume that is counted by its size");

  if (const double gb = gigabytes_of(unit); gb > 0) {
    if (any_of(text, {"data processed", "processed by nat", "lcu"}))
      return settled(Outcome::NoEnergy, "the same bytes as their transfer");
    if (any_of(text, {"data transfer from", "transfer in to", "aws-in-bytes"}))
      return settled(Outcome::NoEnergy, "received here: counted where it was sent");
    if (any_of(text, {"transfer", "bandwidth", "bytes", "egress", "internet", "cloudfront", "cdn"}))
      return amount("network.data", gb);
    return settled(Outcome::Unknown, "gigabytes that are neither stored nor sent");
  }
  if (any_of(text, {"fargate"})) {
    if (any_of(text, {"vcpu"}) && (hours > 0 || holds(unit, "hour")))
      return amount("vcpu", hours > 0 ? hours : 1);
    if (any_of(text, {"memory", "gb-hours"}) && (hours > 0 || holds(unit, "hour")))
      return amount("memory.data", hours > 0 ? hours : 1);
  }
  if (unit == "lambdagbsecond" || unit == "lambdagbseconds" || unit == "gbseconds" ||
      (holds(text, "lambda") && hours > 0 && hours < 0.01))
    return amount("vcpu", 1 / 3600.0 / factor("vcpu.serverless_gb").value());
  if (holds(unit, "ocpu"))  // a core: two threads of x86, one of Arm
    return amount("vcpu", holds(text, "a1") ? 1 : 2);
  if ((unit == "gigabyteperhour" || unit == "gbhours" || unit == "gibibytehour") &&
      any_of(text, {"memory", " ram "}))
    return amount("memory.data", 1);
  if (w.provider == "gcp" && hours > 0) {
    if (any_of(text, {"gpu"})) {
      const double rating = accelerator_rating(w.description);
      if (rating > 0) return amount(fmt::format("accelerator:{:g}", rating), hours);
    }
    if (any_of(text, {"instance core", " core running"})) return amount("vcpu", hours);
  }
  if (const double months = gigabyte_months_of(unit); months > 0) return storage(text, months);
  if (hours > 0) {
    if (any_of(text, {"nat gateway", "loadbalancer", "load balancer", "vpn", "endpoint",
                      "eks cluster", "kubernetes service", "gateway hour"}))
      return settled(Outcome::Unknown,
                     "hours of a shared service: no published power of one customer's part");
    return compute(w, text, hours);
  }
  if (holds(unit, "token"))
    return settled(Outcome::Unknown, "tokens without a model: a usage export by model says more");
  if (unit.empty()) return settled(Outcome::Unknown, "no unit");
  return settled(Outcome::Unknown,
                 fmt::format("no published energy of `{}`", std::string(w.unit).substr(0, 40)));
}

}  // namespace carnot::assess
