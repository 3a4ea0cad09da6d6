// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The book of a dispatched fleet with all that it is fed: each report is a JSON object that is
/// applied now and written to the journal, so that a later run comes to the same book by applying
/// the same objects again. One thread.

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "carnot/live/slurm/dispatch_config.hpp"
#include "carnot/simulate/event_log.hpp"
#include "carnot/simulate/fleet_book.hpp"

#include "live/slurm/journal.hpp"
#include "live/slurm/live_signal.hpp"

namespace carnot::live {

class DispatchBook final : public simulate::FleetHands {
 public:
  /// \param nodes  [site]
  DispatchBook(const DispatchConfig& config, Instant begin, const std::vector<std::int32_t>& nodes);

  /// Applies what `Json` says at its time `t`. \throws InputError if it is none of ours
  void apply(const Json& report);
  void advance(Instant to);

  const simulate::FleetBook& book() const noexcept { return *book_; }
  const control::View& view() const noexcept { return book_->view(); }
  const control::JobStatus& status(control::JobIndex job) const { return view().status(job); }
  const control::Policy& policy() const noexcept { return *policy_; }
  std::size_t jobs() const noexcept { return names_.size(); }
  const std::string& name(control::JobIndex job) const { return names_[job]; }
  bool over(control::JobIndex job) const;
  std::size_t calls() const noexcept { return calls_; }
  Instant begin() const noexcept { return begin_; }
  simulate::FleetLog& log() noexcept { return log_; }

  // Series.
  std::int64_t step_of(Instant at) const { return (at - scenario_.series_start) / scenario_.step; }
  Instant edge(std::int64_t step) const { return scenario_.series_start + scenario_.step * step; }
  Duration step() const noexcept { return scenario_.step; }
  double series(control::SiteIndex site, control::Signal signal, std::int64_t step) const;
  const std::vector<double>& ahead(control::SiteIndex site, control::Signal signal,
                                   std::int64_t* first) const;

  /// The least value of the forecast that the policy asked for last, in words; none: it asked for
  /// none. (Asking for one here would change what the policy is told.)
  std::optional<std::string> least_ahead(control::SiteIndex site) const;

  // FleetHands.
  control::SiteIndex place(control::JobIndex job, control::SiteIndex wanted) const override;
  bool may_stop(control::JobIndex job) const override { return stoppable_[job]; }
  ForecastView forecast(control::SiteIndex site, control::Signal signal,
                        const ForecastView& made) override;

 private:
  struct Ahead {
    std::int64_t first = 0;
    std::vector<double> values;
  };
  void arrive(const Json& report);
  void set_series(control::SiteIndex site, control::Signal signal, std::int64_t first,
                  const std::vector<double>& values);
  void set(control::SiteIndex site, control::Signal signal, std::size_t i, double value);
  void extend(Instant now);

  const DispatchConfig& config_;
  Instant begin_;
  simulate::FleetScenario scenario_;
  Workload workload_;
  simulate::FleetOptions options_;
  std::unique_ptr<control::Policy> policy_;
  std::unique_ptr<simulate::FleetBook> book_;
  simulate::FleetLog log_;
  std::vector<std::string> names_;
  std::vector<bool> pinned_, stoppable_;
  std::vector<std::array<Ahead, control::kSignals>> ahead_;
  std::vector<std::array<bool, control::kSignals>> known_;
  struct Seen {
    control::Signal signal;
    double value;
    Instant at;
  };
  std::vector<std::optional<Seen>> seen_;  // [site]
  std::vector<double> mean_;               // what `forecast` returned last
  std::size_t calls_ = 0;
};

}  // namespace carnot::live
