// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/web/sensors.hpp"

#include "carnot/base/version.hpp"

#include "report/draw/text_columns.hpp"
#include "report/web/figure.hpp"

namespace carnot::report {

namespace {

/// Of meter::PollStatus, as a sample carries it.
const char* state_of(std::uint8_t status) {
  switch (status) {
    case 0:
      return "read";
    case 1:
      return "no answer just now";
    case 2:
      return "gone";
    default:
      return "broken";
  }
}

}  // namespace

std::string sensors_json(const meter::Meter& meter, const ledger::MeasurementSample& last) {
  Json domains = Json::array(), notes = Json::array();
  const auto& channels = meter.channels();
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const meter::Channel& channel = channels[c];
    const bool modelled = channel.domain.origin == Origin::Modelled;
    domains.push_back({{"domain", channel.domain.id},
                       {"label", printable(channel.domain.label)},
                       {"source", channel.domain.source},
                       {"kind", std::string(name(channel.domain.kind))},
                       {"role", std::string(name(channel.role))},
                       {"of", channel.of},
                       {"reason", printable(channel.reason)},
                       {"origin", std::string(name(channel.domain.origin))},
                       {"boundary", std::string(name(channel.domain.boundary))},
                       {"state", modelled                   ? "modelled"
                                 : c < last.channels.size() ? state_of(last.channels[c].status)
                                                            : "not asked yet"}});
  }
  for (const meter::Note& note : meter.notes())
    notes.push_back({{"what", printable(note.what)},
                     {"why", printable(note.why)},
                     {"remedy", printable(note.remedy)}});
  return dumped({{"schema", "carnot.sensors/1"},
                 {"carnot", std::string(kVersion)},
                 {"origin", std::string(name(meter.origin()))},
                 {"boundary", std::string(name(meter.boundary()))},
                 {"domains", std::move(domains)},
                 {"notes", std::move(notes)}});
}

}  // namespace carnot::report
