// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Journals as the HTTP API shows them: rows of a table, one document, a drawing's series, and
/// differences with intervals. docs/formats/api.md. Pure, thread-safe.
///
/// A measurement is one row; a run is one row for each policy, `ID.0`, `ID.1`, ...
///
/// A difference is of estimates with named causes (base/estimate.hpp). Causes that two rows share
/// cancel: the table of grid carbon always, a sensor's gain if both measured on one machine between
/// two starts of it. All that lies in one measurement alone (its ends, what it did not see) and all
/// that a run's rows do not take apart counts as independent, which is wider.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "carnot/ledger/entry/entry.hpp"
#include "carnot/measure/attribution/measurement.hpp"
#include "carnot/report/run/result.hpp"

namespace carnot::report {

/// A journal, summarised. Neither measurement nor run: `problem` says why.
struct RunDocument {
  std::string id, name, problem;
  std::string boot;  ///< of a measurement: the machine, since its last start
  std::optional<measure::Measurement> measurement;
  std::optional<RunResult> run;
};
/// Never throws for what the entries hold.
RunDocument run_document(std::string id, std::string name,
                         const std::vector<ledger::Entry>& entries);

/// \param next  cursor of the next page; empty: this is the last
std::string runs_json(const std::vector<const RunDocument*>& documents, const std::string& next);
/// Its rows and, under `document`, the carnot.measure/1 or carnot.run/1.
std::string run_json(const RunDocument& document);

/// Power over time in at most `most` points; each joule is in exactly one point.
/// \param lane  of a run
std::string run_series_json(const RunDocument& document, std::size_t lane,
                            const std::vector<ledger::Entry>& entries, std::size_t most);

/// A row: a measurement, or a lane of a run.
struct ComparedRow {
  const RunDocument* document = nullptr;
  std::size_t lane = 0;
};
/// Each row against the first. \throws InputError for fewer than two
std::string compare_json(const std::vector<ComparedRow>& rows);

}  // namespace carnot::report
