// SPDX-License-Identifier: Apache-2.0
// Lists of servers: what there is, where, since when. It names machines for other evidence, and
// claims their time where nothing better does.
#include <algorithm>
#include <cmath>

#include "carnot/assess/machines/machines.hpp"
#include "carnot/base/error.hpp"

#include "assess/evidence/cells.hpp"
#include "assess/evidence/readers.hpp"

namespace carnot::assess {

bool is_servers(const CsvStream& t) {
  return t.find({"hostname", "host", "server", "servername", "machine", "name"}) >= 0 &&
         t.find({"instancetype", "cpus", "cores", "threads", "vcpus", "gpus", "gpucount",
                 "gpumodel", "gpu", "tdpw", "memorygb", "powerw", "resourceid", "rack",
                 "cpumodel"}) >= 0;
}

void read_servers(CsvStream& t, Evidence& e, std::uint16_t file) {
  const int name = t.find({"hostname", "host", "server", "servername", "machine", "name"});
  const int resource = t.find({"resourceid", "instanceid", "cloudid"});
  const int provider = t.find({"provider", "cloud"});
  const int type = t.find({"instancetype", "type", "model"});
  const int place = t.find({"location", "country", "grid"}), region = t.find({"region"});
  const int from = t.find({"from", "start", "since", "commissioned"});
  const int to = t.find({"to", "end", "until", "decommissioned"});
  const int hours = t.find({"hours", "hoursrun"});
  WholeRows rows(t, e, file);
  while (rows.next()) {
    const std::string_view host = t.field(name);
    if (host.empty()) {
      rows.refuse(t.header()[static_cast<std::size_t>(name)], "a name");
      continue;
    }
    std::string bad;
    const auto number = [&](std::initializer_list<std::string_view> names, double most) {
      const int column = t.find(names);
      if (t.field(column).empty()) return 0.0;
      const auto value = number_of(t.field(column));
      if (!value || *value < 0 || *value > most) {
        bad = t.header()[static_cast<std::size_t>(column)];
        return 0.0;
      }
      return *value;
    };
    const double threads = number({"threads", "vcpus"}, 1e4),
                 cores = number({"cores", "cpucores"}, 1e4);
    const double chips = number({"cpus", "sockets", "chips"}, 64),
                 tdp = number({"tdpw", "cputdpw"}, 2000);
    const double memory = number({"memorygb", "memorygib", "ramgb"}, 1e5),
                 year = number({"year"}, 2100);
    const double gpus = number({"gpus", "gpucount"}, 1e3),
                 watts = number({"powerw", "meanpowerw"}, 1e5);
    const double pue = number({"pue"}, 10), count = number({"count", "quantity"}, 1e6);
    const double use = number({"utilisation", "utilization"}, 100);
    if (pue != 0 && pue < 1) bad = "pue";
    if (!bad.empty()) {
      rows.refuse(bad, bad == "pue" ? "1 ... 10" : "a number, 0 or more, of a machine");
      continue;
    }
    const CloudMachine* known = cloud_machine(t.field(type));
    std::uint32_t machine = e.host(host);
    if (const std::string_view id = t.field(resource); !id.empty()) {
      const std::string_view cloud = t.field(provider);
      std::uint8_t which = 5;
      if (holds(cloud, "aws") || holds(cloud, "amazon") || id.starts_with("i-") ||
          id.starts_with("arn:"))
        which = 1;
      if (holds(cloud, "azure") || id.starts_with("/subscriptions")) which = 2;
      if (holds(cloud, "gcp") || holds(cloud, "google")) which = 3;
      if (holds(cloud, "oci") || holds(cloud, "oracle")) which = 4;
      machine = e.resource(which, id);
      e.named(machine, host);
    }
    Machine& m = e.machines[machine];
    if (known != nullptr) {
      m.type = e.text(known->name);
      m.vcpus = static_cast<float>(known->vcpus);
      m.memory_gib = static_cast<float>(known->memory_gib);
      m.accelerators = static_cast<float>(known->accelerators);
      m.accelerator_w = static_cast<float>(known->accelerator_w);
    } else if (const std::string_view words = t.field(type); !words.empty() && m.type == kNone) {
      m.type = e.text(words);
    }
    m.label = e.text(host_word(host));
    if (const auto words = t.field(place); !words.empty()) m.location = e.text(words);
    if (const auto words = t.field(region); !words.empty()) m.region = e.text(words);
    if (const auto words = t.field(t.find({"rack"})); !words.empty())
      m.rack = e.text(host_word(words));
    if (pue >= 1) m.pue = static_cast<float>(pue);
    if (known == nullptr) {
      if (gpus > 0) {
        m.accelerators = static_cast<float>(gpus);
        m.accelerator_w = static_cast<float>(
            accelerator_rating(t.field(t.find({"gpumodel", "gpu", "accelerator"}))));
        if (!(m.accelerator_w > 0))
          e.problem(file, t.line(), "gpu_model", "an accelerator's name, such as A100 or L40S");
      }
      const double cpu_threads = threads > 0 ? threads : 2 * cores;
      m.vcpus = static_cast<float>(cpu_threads > 0 ? cpu_threads : m.vcpus);
      m.memory_gib = static_cast<float>(memory > 0 ? memory : m.memory_gib);
      ServerFacts facts;
      facts.threads = threads;
      facts.cores = cores;
      facts.chips = chips;
      facts.tdp_w = tdp;
      facts.memory_gb = memory;
      facts.year = year >= 2004 ? year : 0;
      try {
        const auto power =
            server_power(facts, use > 0 ? std::optional(use > 1 ? use / 100 : use) : std::nullopt);
        m.server_w = static_cast<float>(power.value().in(watt));
        m.server_low_w = static_cast<float>(power.low().in(watt));
        m.server_high_w = static_cast<float>(power.high().in(watt));
      } catch (const Error&) {
        e.problem(file, t.line(), "server",
                  "facts of one machine; the range of all servers is taken");
      }
    }
    if (watts > 0) {  // a mean that somebody states
      m.server_w = static_cast<float>(watts);
      m.server_low_w = static_cast<float>(0.75 * watts);
      m.server_high_w = static_cast<float>(1.25 * watts);
    }
    const auto begin = seconds_of(t.field(from)), end = seconds_of(t.field(to));
    const auto ran = number_of(t.field(hours));
    ClaimRow claim;
    claim.machine = machine;
    claim.row = static_cast<std::uint32_t>(t.line());
    claim.file = file;
    claim.kind = EvidenceKind::Inventory;
    claim.share = static_cast<float>(std::max(1.0, count));
    // Without dates: the time that the folder's other evidence covers, set when all is read.
    claim.from = begin.value_or(0);
    claim.length = begin && end && *end > *begin ? *end - *begin : 0;
    claim.amount = ran && *ran > 0 ? -*ran * 3600 : 0;
    e.claims.push_back(claim);
  }
}

}  // namespace carnot::assess
