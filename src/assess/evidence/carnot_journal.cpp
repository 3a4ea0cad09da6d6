// SPDX-License-Identifier: Apache-2.0
// carnot's own journals: a measurement is evidence of a machine, a simulated run of none.
#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/ledger/journal/journal.hpp"
#include "carnot/ledger/store/measurement_view.hpp"
#include "carnot/measure/attribution/measurement.hpp"

#include "assess/evidence/readers.hpp"

namespace carnot::assess {

void read_carnot_journal(const std::string& path, Evidence& e, std::uint16_t file) {
  const ledger::JournalContents contents = ledger::read_journal(path, ledger::KeepStates::None);
  EvidenceFile& f = e.files[file];
  f.rows = 1;
  if (contents.corrupt || contents.torn_bytes > 0)
    f.problems.push_back(f.name + ": " + contents.message);
  if (!ledger::is_measurement(contents.entries)) {
    e.settle(file, Outcome::NoEnergy, "a run on a simulated site: no machine of the organisation",
             1);
    return;
  }
  try {
    const auto recorded = measure::recorded_account_options(contents.entries);
    auto options = recorded;
    options.carbon_trace.clear();  // read again when grams are counted, not here
    const measure::Measurement m = measure::summarise_measurement(contents.entries, options);
    const auto* begin = std::get_if<ledger::MeasurementBegin>(&contents.entries.front());
    const double joules = m.machine_energy.value().in(joule);
    const auto seconds = static_cast<std::uint32_t>(std::max(1.0, std::round(m.duration_s)));
    if (begin == nullptr || !(joules >= 0) || m.samples < 2) {
      e.settle(file, Outcome::Unknown, "a measurement of no length", 1);
      return;
    }
    ClaimRow claim;
    claim.row = 1;
    claim.from = static_cast<std::uint32_t>(
        std::max<std::int64_t>(0, begin->started.unix_nanoseconds() / 1'000'000'000));
    claim.length = seconds;
    claim.amount = joules;
    claim.share = 0;
    claim.file = file;
    claim.kind = m.machine_energy.origin() == Origin::Measured ? EvidenceKind::Jobs
                                                               : EvidenceKind::Telemetry;
    claim.machine = e.pool("run\x1f" + f.name);
    Machine& machine = e.machines[claim.machine];
    machine.label = e.text("measurement " + f.name);
    machine.location = e.text(recorded.location);
    if (recorded.pue) machine.pue = static_cast<float>(*recorded.pue);
    machine.unplaced = true;
    covers(f, claim.from, claim.from + claim.length);
    e.claims.push_back(claim);
  } catch (const Error& error) {
    e.settle(file, Outcome::Unknown, "a measurement that cannot be summed", 1);
    e.problem(file, 0, "journal", error.what());
  }
}

}  // namespace carnot::assess
