// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The two readers behind read_problem, on text: what a fuzzer wants.

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/plan/problem/problem.hpp"

namespace carnot::plan {

/// Collects at most kMost problems and counts the rest.
class Findings {
 public:
  void add(const Place& place, std::string_view field, std::string_view allowed);
  bool empty() const noexcept { return count_ == 0; }
  std::size_t count() const noexcept { return count_; }
  /// \throws InputError if there is any
  void throw_if_any() const;

 private:
  static constexpr std::size_t kMost = 50;
  Problems problems_;
  std::size_t count_ = 0;
};

/// One job as read, before it is known to be right.
struct JobRow {
  std::string_view id;
  std::int64_t release = 0, deadline = 0;
  double value = 0, move_flat = 0;
  std::uint32_t origin = kNone;
  std::vector<PlanMode> modes;
  std::vector<std::uint32_t> sites;  ///< empty: all
  std::vector<double> move_row;      ///< empty: flat
  JobTerms terms;
  std::vector<NodeNeed> needs;  ///< [mode], or empty
};

/// Whether the numbers of `row` are allowed; what is not is said. Its sites are sorted.
bool check_job(JobRow& row, const Place& place, const Problem& problem, Findings& findings);
/// Appends a row that was checked, without its terms.
void add_job(const JobRow& row, PlanJobs& jobs);

/// Which rows of a CSV of jobs are read, and where they go, by what can be seen of a row at a
/// glance.
class RowChoice {
 public:
  virtual ~RowChoice() = default;
  /// Before the first row. \param frame  sites and slots \param path  of the CSV
  virtual void begin(const Problem& frame, const std::string& path) = 0;
  /// \param line  in the file, from 1
  /// \return where the job goes; nullptr: the rest of the row is passed over
  virtual PlanJobs* take(std::string_view id, std::int64_t release, std::int64_t deadline,
                         std::size_t line) = 0;
  /// Whether a row is read, to say what is wrong with it, whose window cannot be seen.
  virtual bool read_unclear() = 0;
};

/// \param text  of problem.json
/// \param path  where it stands: for messages, and for the CSV that `jobs` may name
/// \param choice  of jobs in a CSV; nullptr: all, into the problem
/// \throws InputError, InputFileError; Stopped
Problem parse_problem(std::string_view text, const std::string& path, const StopToken& stop = {},
                      RowChoice* choice = nullptr);

/// Appends the jobs of a CSV to a problem whose sites are known. One job a line. Who chooses among
/// them looks for repeated ids, too.
void parse_jobs_csv(std::istream& in, const std::string& path, Problem& problem, Findings& findings,
                    const StopToken& stop = {}, RowChoice* choice = nullptr);

/// Jobs whose id came before, as (first, again), at most 50.
std::vector<std::pair<std::size_t, std::size_t>> repeated_ids(const PlanJobs& jobs);

}  // namespace carnot::plan
