// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The HTTP API under /api/v1 (docs/formats/api.md): live samples, sensors, journals, plans,
/// simulations, explanations, and jobs. What it shows comes from the measurement that goes on and
/// from files that the command line named.
///
/// `begin`, `take` and `replay` are for the thread that measures; all else for the server's.

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "carnot/ledger/entry/entry.hpp"
#include "carnot/meter/meter.hpp"
#include "carnot/report/web/live.hpp"
#include "carnot/report/web/runs.hpp"

#include "../server.hpp"
#include "jobs.hpp"
#include "library.hpp"
#include "what_if.hpp"

namespace carnot::app {

struct ApiOptions {
  std::vector<std::string> files;        ///< journals, plans, simulations, explanations; folders
  std::vector<std::string> models;       ///< that `carnot explain` takes
  std::vector<std::string> simulations;  ///< flags of `carnot simulate`
  model::AccountOptions account;
  std::string program;  ///< carnot itself, for jobs
  JobLimits jobs;
  std::size_t live_kept = 1024;                           ///< events of the live feed
  std::uint64_t largest_file = std::uint64_t{256} << 20;  ///< that is read
};

class Api {
 public:
  /// \throws InputError, InputFileError for files that are not there; IoError
  explicit Api(ApiOptions options);
  /// To be added to a server's; this outlives the server.
  std::vector<Route> routes();

  /// A journal that is gone on with.
  void replay(const std::vector<ledger::Entry>& entries);
  /// A measurement begins: another one than was replayed.
  void begin(const ledger::MeasurementBegin& begin) { live_.begin(begin); }
  void take(const ledger::MeasurementSample& sample, std::span<const meter::ProcessUse> processes,
            const meter::Meter& meter);

 private:
  using Answer = HttpResponse (Api::*)(const HttpRequest&);
  Route get(const char* path, Answer answer, bool slow = true);
  Route post(const char* path, Answer answer, bool slow = true);

  HttpResponse sensors(const HttpRequest& request);
  HttpResponse runs(const HttpRequest& request);
  HttpResponse run(const HttpRequest& request);
  HttpResponse series(const HttpRequest& request);
  HttpResponse compare(const HttpRequest& request);
  HttpResponse plans(const HttpRequest& request);
  HttpResponse plan(const HttpRequest& request);
  HttpResponse simulations(const HttpRequest& request);
  HttpResponse simulation(const HttpRequest& request);
  HttpResponse explanations(const HttpRequest& request);
  HttpResponse explanation(const HttpRequest& request);
  HttpResponse what_if(const HttpRequest& request);
  HttpResponse start_job(const HttpRequest& request);
  HttpResponse query(const HttpRequest& request);
  HttpResponse jobs(const HttpRequest& request);
  HttpResponse job(const HttpRequest& request);
  HttpResponse job_result(const HttpRequest& request);
  HttpResponse job_problem(const HttpRequest& request);
  HttpResponse cancel_job(const HttpRequest& request);

  HttpResponse listing(FileKind kind);
  std::string text_of(const LibraryFile& file) const;
  std::vector<ledger::Entry> entries_of(const LibraryFile& file) const;
  /// Summarised once for each state of the file.
  std::shared_ptr<const report::RunDocument> document(const LibraryFile& file);
  struct Row {
    LibraryFile file;
    std::shared_ptr<const report::RunDocument> document;
    std::size_t lane = 0;
  };
  std::optional<Row> row(const std::string& id);
  HttpResponse accepted(const std::string& id) const;

  ApiOptions options_;
  Library library_;
  WhatIf what_if_;
  JobRunner jobs_;
  EventFeed feed_;
  report::LiveEvents live_;

  std::mutex sensors_mutex_;
  std::string sensors_;

  struct Cached {
    std::int64_t modified_ns = 0;
    std::uint64_t bytes = 0;
    std::shared_ptr<const report::RunDocument> document;
  };
  std::map<std::string, Cached> cache_;  ///< of the slow thread alone
};

}  // namespace carnot::app
