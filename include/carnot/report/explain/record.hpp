// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A record explained: what was measured (a journal of `carnot measure`) or accounted (one of
/// `carnot run`), beside what a model of the same work gives. The two stand side by side with their
/// difference; they are never merged, and no modelled joule enters a recorded total.
///
///     measurement   total: the job's joules, by what the meter saw. Modelled: an explanation of a
///                   model (carnot/model/explain) times how often it ran, of the boundary that the
///                   meter had: accelerators, or the node
///     run           total: a policy's facility joules in the ledger. Modelled: counted operations
///                   x the run's own table of energies x trainings in lockstep, which stand against
///                   the joules "switched by the work"
///
/// carnot.explain-run/1 (docs/formats/explain.md). Pure functions; thread-safe.

#include <cstddef>
#include <string>
#include <vector>

#include "carnot/measure/attribution/measurement.hpp"
#include "carnot/model/explain/explain.hpp"
#include "carnot/report/run/result.hpp"

namespace carnot::report {

struct RecordPart {
  std::string name;
  double joules = 0, low = 0, high = 0;
  std::string origin;
};

struct RecordExplained {
  std::string subject;  ///< "job", "machine", or a policy
  double total = 0, low = 0, high = 0;
  std::string origin, boundary;      ///< of the total
  std::vector<RecordPart> recorded;  ///< sums to the total
  std::string compared;              ///< what of the record the model stands against
  double compared_joules = 0, compared_low = 0, compared_high = 0;
  std::vector<RecordPart> modelled;  ///< empty: nothing to model it from
  double modelled_joules = 0, modelled_low = 0, modelled_high = 0;
};

struct RecordReport {
  std::string command, kind;  ///< kind: "measurement", "run"
  std::vector<RecordExplained> subjects;
  std::vector<std::string> remarks;
};

/// \param of     the work that was measured; none: only what the meter saw
/// \param times  how often `of` ran, > 0. \throws InputError
RecordReport explain_record(const measure::Measurement& measurement, const model::Explanation* of,
                            double times);
/// \throws InputError for facts that do not read
RecordReport explain_record(const RunResult& run);

std::string record_terminal(const RecordReport& report, std::size_t width, bool colour);
std::string record_json(const RecordReport& report);

}  // namespace carnot::report
