// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot dispatch` is told: sites (each a Slurm cluster), where power, price and carbon come
/// from, the policy, the jobs. docs/formats/dispatch.md is the format's page. Values; reading is a
/// pure function of the file; thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/simulate/simulate.hpp"
#include "carnot/trace/readers/read.hpp"

namespace carnot::live {

/// A signal of a site: a constant, a file that grows, or a page that is fetched. Files and pages
/// are CSV as docs/formats/trace-csv.md says.
struct LiveSignalOptions {
  std::optional<double> constant;  ///< base units
  std::string file, url;           ///< one of them, or neither
  CsvOptions csv;
  double scale = 1.0;
  Duration refresh = Duration::seconds(60);  ///< looked at anew so often, real time
  Duration timeout = Duration::seconds(10);  ///< of a page
  bool ahead = true;  ///< rows later than now are a forecast; false: they are not looked at
  bool given() const noexcept { return constant || !file.empty() || !url.empty(); }
};

struct DispatchSite {
  std::string name;
  std::string slurm_conf;               ///< empty: as the environment says
  simulate::FleetSite site;             ///< hall; `nodes` 0: as many as `sinfo` shows
  std::vector<std::string> partitions;  ///< whose jobs are in carnot's care; none: only its own
  std::string submit_partition;         ///< of its own jobs; empty: the cluster's default
  LiveSignalOptions price, carbon, temperature, own;
  bool joules = true;  ///< into `sacct`, where there is accounting
};

/// Jobs of a list, submitted by carnot itself.
struct DispatchJobs {
  std::string file;                  ///< CSV as `simulate --jobs`; empty: none
  std::vector<std::string> command;  ///< script and its words; `{column}` stands for a cell
  std::vector<std::string> options;  ///< further words of `sbatch`
  double limit_factor = 0.0;         ///< time limit over the estimate; 0: the cluster's
  std::vector<JobMode> modes;        ///< ways to run each of them; none: one
  std::string mode_folder;           ///< where a job's mode file lies; empty: none
};

struct DispatchConfig {
  std::string file;
  std::string run = "carnot";  ///< name of the run, part of each token: letters, digits, - and _
  std::string state = "carnot-dispatch";  ///< folder of journal and audit
  std::string policy = "carnot";
  std::string plan;    ///< of `carnot plan`, instead of a policy
  Instant plan_start;  ///< of its first slot; default: when the run begins
  bool plan_start_given = false;
  Time max_wait = 24.0 * hour;
  double carbon_price_eur_per_t = 0.0;
  Time step = 1.0 * hour;
  Time interval = 5.0 * second;  ///< between looks at a cluster
  Time lease = 1.0 * hour;  ///< jobs that wait start by themselves so long after carnot is gone
  Time timeout = 10.0 * second;  ///< of a command
  Time run_without_data_after = 30.0 * minute;
  Time start_patience = 60.0 * second;
  Time longest_suspension = 15.0 * minute;
  double commands_per_second = 20.0;
  double speed = 1.0;            ///< of a rehearsal: site seconds in a real one
  std::optional<Instant> start;  ///< of a rehearsal: the site's time when it begins
  std::string calls;             ///< CSV of reserve calls that grows; empty: none
  std::string metrics;           ///< Prometheus text, written anew at each look; empty: none
  bool exit_when_done = false;
  DispatchJobs jobs;
  std::vector<DispatchSite> sites;
};

/// Paths in it count from its folder. \throws InputFileError; InputError with every problem
DispatchConfig read_dispatch_config(const std::string& path);
DispatchConfig parse_dispatch_config(const std::string& text, const std::string& name);

}  // namespace carnot::live
