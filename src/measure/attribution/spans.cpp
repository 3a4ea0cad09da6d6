// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/attribution/spans.hpp"

#include <algorithm>

#include "carnot/ledger/store/measurement_view.hpp"

#include "measure/attribution/channel_energy.hpp"

namespace carnot::measure {

EnergySpans energy_spans(const std::vector<ledger::Entry>& entries, std::size_t most) {
  const ledger::MeasurementView view = ledger::view_measurement(entries);
  const MeasuredEnergy energy(view);
  EnergySpans out;
  for (std::size_t c = 0; c < energy.channels().size(); ++c) {
    const ledger::MeasurementChannel& channel = view.begin->channels[c];
    out.labels.push_back(channel.label.empty() ? channel.id : channel.label);
    out.roles.push_back(energy.channels()[c].counted() ? "counted" : channel.role);
  }
  const std::size_t intervals = energy.intervals();
  if (intervals == 0) return out;
  most = std::max<std::size_t>(most, 1);
  const std::size_t each = (intervals + most - 1) / most;
  const std::int64_t origin = view.samples.front()->boottime_ns;
  const auto seconds = [&](std::int64_t at_ns) {
    return 1e-9 * static_cast<double>(at_ns - origin);
  };
  for (std::size_t first = 0; first < intervals; first += each) {
    const std::size_t end = std::min(intervals, first + each);
    const std::int64_t from = view.samples[first]->boottime_ns, to = view.samples[end]->boottime_ns;
    EnergySpan span{seconds(from), seconds(to), 0, energy.between(from, to), {}};
    for (std::size_t i = first; i < end; ++i) span.awake_s += energy.awake_s(i);
    for (const ChannelEnergy& channel : energy.channels()) {
      double joules = 0;
      for (std::size_t i = first; i < end; ++i) joules += channel.joules(i);
      span.by_domain_j.push_back(joules);
    }
    if (span.awake_s > 0) out.spans.push_back(std::move(span));
  }
  return out;
}

}  // namespace carnot::measure
