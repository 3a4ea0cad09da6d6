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

/// Appends `row` if its numbers are allowed, else says what is not.
void check_and_add(JobRow& row, const Place& place, Problem& problem, Findings& findings);

/// \param text  of problem.json
/// \param path  where it stands: for messages, and for the CSV that `jobs` may name
/// \throws InputError, InputFileError; Stopped
Problem parse_problem(std::string_view text, const std::string& path, const StopToken& stop = {});

/// Appends the jobs of a CSV to a problem whose sites are known. One job a line.
void parse_jobs_csv(std::istream& in, const std::string& path, Problem& problem, Findings& findings,
                    const StopToken& stop = {});

/// Jobs whose id came before, as (first, again), at most 50.
std::vector<std::pair<std::size_t, std::size_t>> repeated_ids(const PlanJobs& jobs);

}  // namespace carnot::plan
