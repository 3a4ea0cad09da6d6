// SPDX-License-Identifier: Apache-2.0
// Readings of meters by the building's management (DCIM): a time, a meter, and power, energy of the
// interval, or a register that only goes up.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/quantity.hpp"

#include "assess/evidence/cells.hpp"
#include "assess/evidence/readers.hpp"

namespace carnot::assess {

namespace {

enum class Reading { Power, Energy, Register };

struct ValueColumn {
  int column = -1;
  Reading reading = Reading::Power;
  double unit = 1;  ///< watts or joules in one
};

ValueColumn value_column(const CsvStream& t) {
  struct Known {
    std::string_view name;
    Reading reading;
    double unit;
  };
  constexpr double kKwh = 3.6e6;
  constexpr std::array<Known, 22> kKnown = {{
      {"powerw", Reading::Power, 1},
      {"watts", Reading::Power, 1},
      {"poweravgw", Reading::Power, 1},
      {"meanpowerw", Reading::Power, 1},
      {"activepowerw", Reading::Power, 1},
      {"powerkw", Reading::Power, 1e3},
      {"kw", Reading::Power, 1e3},
      {"activepowerkw", Reading::Power, 1e3},
      {"energykwh", Reading::Energy, kKwh},
      {"kwh", Reading::Energy, kKwh},
      {"energywh", Reading::Energy, 3600},
      {"energyj", Reading::Energy, 1},
      {"energymwh", Reading::Energy, 3.6e9},
      {"intervalkwh", Reading::Energy, kKwh},
      {"registerkwh", Reading::Register, kKwh},
      {"readingkwh", Reading::Register, kKwh},
      {"totalkwh", Reading::Register, kKwh},
      {"meterkwh", Reading::Register, kKwh},
      {"cumulativekwh", Reading::Register, kKwh},
      {"counterkwh", Reading::Register, kKwh},
      {"registerwh", Reading::Register, 3600},
      {"totalwh", Reading::Register, 3600},
  }};
  for (const Known& one : kKnown)
    if (const int at = t.find({one.name}); at >= 0) return {at, one.reading, one.unit};
  return {};
}

int time_column(const CsvStream& t) {
  return t.find({"time", "timestamp", "timeutc", "datetime", "date", "start", "from"});
}

struct Point {
  std::uint32_t at = 0, row = 0, until = 0;
  double value = 0;
};

void add(Evidence& e, std::uint16_t file, const std::string& meter, bool facility,
         std::uint32_t row, std::uint32_t from, std::uint32_t to, double joules) {
  covers(e.files[file], from, to);
  if (facility) {
    auto at = std::find_if(e.facility.begin(), e.facility.end(),
                           [&](const FacilityReading& one) { return one.meter == meter; });
    if (at == e.facility.end()) {
      e.facility.push_back({meter, 0, kNone, 0});
      at = e.facility.end() - 1;
    }
    at->joules += joules;
    at->first = std::min(at->first, from);
    at->last = std::max(at->last, to);
    e.settle(file, Outcome::NoEnergy, "a meter of the whole building: it contains the machines",
             row);
    return;
  }
  ClaimRow claim;
  claim.machine = e.host(meter);
  claim.row = row;
  claim.from = from;
  claim.length = to - from;
  claim.amount = joules;
  claim.share = 1;
  claim.file = file;
  claim.kind = EvidenceKind::Meter;
  e.claims.push_back(claim);
}

bool of_building(std::string_view meter, std::string_view level) {
  for (const std::string_view word :
       {"facility", "building", "utility", "main", "site", "datacenter", "data center"})
    if (holds(level, word) ||
        (level.empty() &&
         (host_word(meter) == word || holds(meter, "utility") || holds(meter, "facility"))))
      return true;
  return false;
}

}  // namespace

bool is_readings(const CsvStream& t) {
  // A list of servers may state a power and since when.
  if (t.find({"cores", "threads", "gpus", "gpucount", "gpumodel", "memorygb", "instancetype",
              "cpumodel"}) >= 0)
    return false;
  return time_column(t) >= 0 && value_column(t).column >= 0 &&
         t.find({"meter", "meterid", "device", "deviceid", "outlet", "rack", "host", "hostname",
                 "name", "server", "pdu"}) >= 0;
}

void read_readings(CsvStream& t, Evidence& e, std::uint16_t file) {
  const ValueColumn value = value_column(t);
  const int time = time_column(t), end = t.find({"end", "to", "endtime"});
  const int meter = t.find({"host", "hostname", "server", "device", "deviceid", "meter", "meterid",
                            "outlet", "pdu", "rack", "name"});
  const int level = t.find({"level", "boundary", "kind", "type"});
  std::map<std::pair<std::string, bool>, std::vector<Point>> meters;
  WholeRows rows(t, e, file);
  while (rows.next()) {
    const auto at = seconds_of(t.field(time));
    const auto number = number_of(t.field(value.column));
    const std::string name(t.field(meter));
    if (!at) {
      rows.refuse(t.header()[static_cast<std::size_t>(time)],
                  "a time such as 2024-09-18T22:00:00Z");
      continue;
    }
    if (!number || *number < 0) {
      rows.refuse(t.header()[static_cast<std::size_t>(value.column)], "a number, 0 or more");
      continue;
    }
    if (name.empty()) {
      rows.refuse("meter", "a name");
      continue;
    }
    Point point{*at, static_cast<std::uint32_t>(t.line()), 0, *number * value.unit};
    if (const auto until = seconds_of(t.field(end)); until && *until > *at) point.until = *until;
    meters[{name, of_building(name, t.field(level))}].push_back(point);
  }
  for (auto& [key, points] : meters) {
    std::stable_sort(points.begin(), points.end(),
                     [](const Point& a, const Point& b) { return a.at < b.at; });
    // The usual step is how long a value holds that the next one does not end.
    std::vector<std::uint32_t> steps;
    for (std::size_t i = 1; i < points.size(); ++i)
      if (points[i].at > points[i - 1].at) steps.push_back(points[i].at - points[i - 1].at);
    std::sort(steps.begin(), steps.end());
    const std::uint32_t usual = steps.empty() ? 0 : steps[steps.size() / 2];
    // An "energy" that only rises, and by little beside what it is, is a register.
    Reading reading = value.reading;
    if (reading == Reading::Energy && points.size() >= 5) {
      bool rises = true;
      for (std::size_t i = 1; i < points.size(); ++i)
        rises = rises && points[i].value >= points[i - 1].value;
      const double gained = points.back().value - points.front().value;
      if (rises && points.front().value > 0 && gained > 0 &&
          gained / static_cast<double>(points.size() - 1) < 0.1 * points.front().value &&
          points.back().value > points.front().value) {
        reading = Reading::Register;
        e.remarks.push_back(
            fmt::format("{}: `{}` of {} only rises: taken as a register", e.files[file].name,
                        t.header()[static_cast<std::size_t>(value.column)], key.first));
      }
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
      const Point& p = points[i];
      if (i > 0 && p.at == points[i - 1].at) {
        e.settle(file, Outcome::Duplicate, "a second reading of one moment", p.row);
        continue;
      }
      std::size_t j = i + 1;
      while (j < points.size() && points[j].at == p.at) ++j;
      std::uint32_t until = p.until != 0 ? p.until : p.at + usual;
      if (p.until == 0 && j < points.size())
        until = std::min(until == p.at ? points[j].at : until, points[j].at);
      if (reading == Reading::Register) {
        if (j >= points.size()) {
          e.settle(file, Outcome::NoEnergy, "the last reading of a register: it ends an interval",
                   p.row);
          continue;
        }
        const double joules = points[j].value - p.value;
        if (joules < 0) {
          e.problem(file, points[j].row, "register", "not less than before; counted from there on");
          e.settle(file, Outcome::Unknown, "a register that went back", p.row);
          continue;
        }
        add(e, file, key.first, key.second, p.row, p.at, points[j].at, joules);
        continue;
      }
      if (until <= p.at) {
        e.settle(file, Outcome::Unknown, "one reading alone: how long it held is not said", p.row);
        continue;
      }
      add(e, file, key.first, key.second, p.row, p.at, until,
          reading == Reading::Power ? p.value * (until - p.at) : p.value);
    }
  }
}

}  // namespace carnot::assess
