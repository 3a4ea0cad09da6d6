// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/version.hpp"
#include "carnot/meter/meter.hpp"

#include "measure_command.hpp"

namespace carnot::app {

namespace {

using Json = nlohmann::ordered_json;

std::string as_json(const meter::Meter& meter, const Common& common) {
  Json domains = Json::array(), notes = Json::array();
  for (const meter::Channel& c : meter.channels()) {
    domains.push_back({{"domain", c.domain.id},
                       {"label", c.domain.label},
                       {"source", c.domain.source},
                       {"kind", std::string(name(c.domain.kind))},
                       {"role", std::string(name(c.role))},
                       {"of", c.of},
                       {"reason", c.reason},
                       {"origin", std::string(name(c.domain.origin))},
                       {"boundary", std::string(name(c.domain.boundary))}});
  }
  for (const meter::Note& note : meter.notes())
    notes.push_back({{"what", note.what}, {"why", note.why}, {"remedy", note.remedy}});
  return Json{{"schema", "carnot.sensors/1"},
              {"carnot", std::string(kVersion)},
              {"command", common.command_line},
              {"origin", std::string(name(meter.origin()))},
              {"boundary", std::string(name(meter.boundary()))},
              {"domains", std::move(domains)},
              {"notes", std::move(notes)}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::string as_text(const meter::Meter& meter) {
  std::string text = fmt::format("Energy of this machine is {}, {} boundary.\n\n",
                                 name(meter.origin()), name(meter.boundary()));
  std::size_t id_width = 6, label_width = 5;
  for (const meter::Channel& c : meter.channels()) {
    id_width = std::max(id_width, c.domain.id.size());
    label_width = std::max(label_width, c.domain.label.size());
  }
  text += fmt::format("  {:<{}}  {:<{}}  {:<10} {:<9}\n", "domain", id_width, "label", label_width,
                      "kind", "role");
  for (const meter::Channel& c : meter.channels()) {
    text += fmt::format("  {:<{}}  {:<{}}  {:<10} {:<9} {}\n", c.domain.id, id_width,
                        c.domain.label, label_width, name(c.domain.kind), name(c.role), c.reason);
  }
  for (const meter::Note& note : meter.notes()) {
    text += fmt::format("\n{}: {}\n", note.what, note.why);
    if (!note.remedy.empty()) text += fmt::format("  {}\n", note.remedy);
  }
  return text;
}

}  // namespace

int list_sensors(const MeasureCommand& c, const Common& common) {
  meter::MeterOptions options;
  options.sources = c.sources;
  options.host = parse_host_facts(c.host);
  const meter::Meter meter = meter::Meter::open(options);
  print(common.json ? as_json(meter, common) : as_text(meter));
  return kOk;
}

}  // namespace carnot::app
