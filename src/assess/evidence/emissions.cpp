// SPDX-License-Identifier: Apache-2.0
// CodeCarbon's emissions.csv as evidence. Rows of one run are its totals so far: the last counts.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "carnot/assess/machines/machines.hpp"
#include "carnot/base/quantity.hpp"

#include "assess/evidence/cells.hpp"
#include "assess/evidence/readers.hpp"

namespace carnot::assess {

bool is_emissions(const CsvStream& t) {
  return t.has("timestamp") && t.has("projectname") && t.has("duration") && t.has("emissions");
}

void read_emissions(CsvStream& t, Evidence& e, std::uint16_t file) {
  const int run = t.find({"runid"}), time = t.find({"timestamp"}), duration = t.find({"duration"});
  const int energy = t.find({"energyconsumed"}), pue = t.find({"pue"});
  const int country = t.find({"countryisocode", "countryname"}),
            host = t.find({"hostname", "host"});
  const int gpus = t.find({"gpucount"}), gpu = t.find({"gpumodel"}), cpus = t.find({"cpucount"});
  struct Run {
    ClaimRow claim;
    std::string place, gpu, host;
    float cpus = 0;
  };
  std::map<std::string, Run> runs;
  WholeRows rows(t, e, file);
  while (rows.next()) {
    const auto end = seconds_of(t.field(time));
    const auto length = number_of(t.field(duration));
    const auto kwh = number_of(t.field(energy));
    if (!end) {
      rows.refuse("timestamp", "such as 2024-09-18T22:00:00");
      continue;
    }
    if (!length || *length < 0 || *length > 3e8) {
      rows.refuse("duration", "seconds, 0 or more");
      continue;
    }
    if (!kwh || *kwh < 0 || *kwh > 1e9) {
      rows.refuse("energy_consumed", "kWh, 0 or more");
      continue;
    }
    Run one;
    const double over = std::max(1.0, number_of(t.field(pue)).value_or(1));
    one.claim.row = static_cast<std::uint32_t>(t.line());
    one.claim.length = static_cast<std::uint32_t>(std::max(1.0, std::round(*length)));
    one.claim.from = *end > one.claim.length ? *end - one.claim.length : 0;
    one.claim.amount = *kwh * kilowatt_hour.in(joule) / over;
    one.claim.file = file;
    one.claim.kind = EvidenceKind::Telemetry;
    one.claim.devices =
        static_cast<float>(std::clamp(number_of(t.field(gpus)).value_or(0), 0.0, 1e5));
    one.cpus = static_cast<float>(std::clamp(number_of(t.field(cpus)).value_or(0), 0.0, 1e5));
    one.place = t.field(country);
    one.gpu = t.field(gpu);
    one.host = t.field(host);
    covers(e.files[file], one.claim.from, one.claim.from + one.claim.length);
    const std::string id(t.field(run));
    const std::string key = id.empty() ? fmt::format("line {}", t.line()) : id;
    const auto found = runs.find(key);
    if (found != runs.end()) {
      e.settle(file, Outcome::Duplicate, "totals of a run that a later row goes on with",
               found->second.claim.row);
      found->second = std::move(one);
    } else {
      runs.emplace(key, std::move(one));
    }
  }
  for (auto& [id, one] : runs) {
    if (!e.first_time(fmt::format("run\x1f{}\x1f{}\x1f{}",
                                  id.starts_with("line ") ? e.files[file].name + id : id,
                                  one.claim.from, one.claim.amount))) {
      e.settle(file, Outcome::Duplicate, "a run that stands in another file too", one.claim.row);
      continue;
    }
    const bool known = !one.host.empty();
    const std::uint32_t machine =
        known ? e.host(one.host) : e.pool("run\x1f" + e.files[file].name + "\x1f" + id);
    Machine& m = e.machines[machine];
    if (m.location == kNone) m.location = e.text(one.place);
    if (!known) {
      m.label = e.text("run " + id.substr(0, 36));
      m.accelerators = one.claim.devices;
      // "4 x Tesla V100"
      m.accelerator_w = static_cast<float>(accelerator_rating(one.gpu));
      m.vcpus = one.cpus;
      m.unplaced = true;
    }
    one.claim.machine = machine;
    one.claim.share = one.cpus;
    e.claims.push_back(one.claim);
  }
}

}  // namespace carnot::assess
