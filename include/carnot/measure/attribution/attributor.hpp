// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Who spent a measurement's energy, step by step and look by look.
///
///     Attributor          divides the steps of a SampleSplitter among job, others and nobody
///     ProcessDivider      divides the job's energy between two looks by the CPU time of processes
///     RunningAttribution  both, fed as samples and looks come, learning power at rest as it goes
///
/// A summary knows all samples before it divides the first, so it learns power at rest from all of
/// them and then runs Attributor and ProcessDivider over the same steps. Where power at rest was
/// known from the beginning, both ways give each process the same joules to the last bit.
/// Without a job the whole machine is measured: processes then share its dynamic energy, and
/// accelerators are nobody's. Values; one thread at a time.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/ledger/entry/measurement_entry.hpp"
#include "carnot/measure/attribution/sample_splitter.hpp"
#include "carnot/meter/attribution/attribution.hpp"
#include "carnot/meter/processes/processes.hpp"

namespace carnot::measure {

/// What one interval gave; the cumulative figures are as of its end.
struct IntervalShare {
  double job_j = 0;            ///< the job's; everything counted if there is no job
  double job_until_j = 0;      ///< cumulative
  double divided_until_j = 0;  ///< what processes share, cumulative
  double cpu_until_s = 0;      ///< CPU time it was spent by, cumulative
};

/// Sums over steps. Of a job: job + others + idle + accelerators + unattributed = counted.
class Attributor {
 public:
  /// \throws InputError for a static policy of no such name
  explicit Attributor(const ledger::MeasurementBegin& begin);

  /// Adds a step. \return one share an interval, valid until the next call
  std::span<const IntervalShare> add(const Step& step, Power static_power);

  double job_j() const noexcept { return job_.value(); }
  double static_j() const noexcept { return static_.value(); }    ///< of the host
  double dynamic_j() const noexcept { return dynamic_.value(); }  ///< of the host
  double others_j() const noexcept { return others_.value(); }    ///< other processes
  double idle_j() const noexcept { return idle_.value(); }        ///< static energy of nobody
  double accelerator_j() const noexcept { return accelerator_.value(); }  ///< not the job's
  double unattributed_j() const noexcept { return unattributed_.value(); }
  /// As of the last interval; zeros before.
  const IntervalShare& last() const noexcept { return last_; }

 private:
  bool whole_machine_;
  meter::StaticPolicy policy_;
  Sum<double> job_, divided_, cpu_, static_, dynamic_, others_, idle_, accelerator_, unattributed_;
  IntervalShare last_;
  std::vector<IntervalShare> shares_;
};

/// One process in a look, and what it spent since the look before.
struct ProcessPart {
  std::size_t process = 0;  ///< number of the process, by when it was first seen
  double cpu_s = 0;
  Energy energy;
};

/// Divides the energy of each span between two looks at the processes by their CPU time in it
/// (meter::divide). CPU time that no process shows is "unseen": processes that came and went
/// between two looks. All parts + unseen + waiting = energy that was divided.
class ProcessDivider {
 public:
  explicit ProcessDivider(const ledger::MeasurementBegin& begin);

  /// One process of the look that is being taken. \return its number
  std::size_t see(int pid, std::uint64_t start_ticks, std::int64_t cpu_ns);
  /// Ends the look. \param energy_j, cpu_s  of the span since the look before
  /// \return a part for each `see`, in that order, valid until the next call
  std::span<const ProcessPart> divide(double energy_j, double cpu_s);
  /// The next look only sets clocks: what was used until then is nobody's.
  void begin_again() noexcept { sets_clocks_ = true; }
  /// Forgets the processes that the last look did not show.
  void forget_absent();

  double unseen_j() const noexcept { return unseen_.value().in(joule); }
  double unseen_cpu_s() const noexcept { return unseen_cpu_.value(); }
  double waiting_j() const noexcept { return waiting_.value(); }  ///< nobody used the CPU

 private:
  struct Key {
    int pid = 0;
    std::uint64_t start_ticks = 0;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Known {
    std::size_t number = 0;
    std::int64_t cpu_ns = 0;
    std::uint64_t look = 0;
  };
  bool attached_;  ///< processes may be older than the measurement
  std::int64_t began_ns_;
  bool sets_clocks_ = false;
  std::uint64_t look_ = 1;
  std::size_t met_ = 0;
  std::unordered_map<Key, Known, Hash> known_;
  std::vector<ProcessPart> parts_;
  bool ended_ = false;  ///< parts_ are of a look that has ended
  std::vector<std::size_t> touched_;
  std::vector<double> weights_;
  std::vector<Energy> divided_;
  Sum<Energy> unseen_;
  Sum<double> unseen_cpu_, waiting_;
};

/// A measurement's attribution while it goes on. Power at rest is what the facts of its beginning
/// say or, without, what was learned so far. A look inside a step waits until the step has ended
/// (at most 100 ms), for then it is known what the step's intervals gave.
class RunningAttribution {
 public:
  /// \throws InputError for a static policy of no such name, or facts of another form
  explicit RunningAttribution(const ledger::MeasurementBegin& begin);

  /// Takes the next sample. \return the shares of the step that it ends; empty: it ends none.
  /// `settle` follows. \throws InputError as SampleSplitter
  std::span<const IntervalShare> sample(const ledger::MeasurementSample& now);
  using TakeParts =
      std::function<void(std::span<const meter::ProcessUse>, std::span<const ProcessPart>)>;
  /// Hands over the looks that waited for the step that has ended.
  void settle(const TakeParts& take);
  /// All processes there are, as of the sample last taken, those that ended once more. The same
  /// look again does nothing.
  void look(std::span<const meter::ProcessUse> now, const TakeParts& take);
  /// The next look only sets clocks.
  void begin_again() noexcept { divider_.begin_again(); }

  const Attributor& attributor() const noexcept { return attributor_; }
  const meter::StaticPower& static_power() const noexcept;
  /// Accelerators' energy of all steps, whosever.
  double accelerator_j() const noexcept { return accelerator_.value(); }

 private:
  struct Waiting {
    std::size_t interval = 0;  ///< of the open step, that the look came after; from 1
    std::vector<meter::ProcessUse> look;
  };
  void divide(std::span<const meter::ProcessUse> now, const IntervalShare& until,
              const TakeParts& take);

  SampleSplitter splitter_;
  Attributor attributor_;
  ProcessDivider divider_;
  meter::StaticPower static_power_;
  std::optional<meter::StaticPower> stand_in_power_;  ///< at rest, until any is learned
  bool stood_in_ = false;
  Sum<double> accelerator_;
  double divided_until_j_ = 0, cpu_until_s_ = 0;  ///< as of the last look
  std::optional<std::uint64_t> look_hash_;
  std::vector<Waiting> waiting_;
  std::vector<IntervalShare> ended_;  ///< shares of the step that ended last
};

}  // namespace carnot::measure
