// SPDX-License-Identifier: Apache-2.0
#include "measure/attribution/process_shares.hpp"

#include <algorithm>
#include <utility>

#include "carnot/base/sum.hpp"
#include "carnot/measure/attribution/attributor.hpp"

namespace carnot::measure {

namespace {

/// Index of the sample nearest in time.
std::size_t nearest_sample(const ledger::MeasurementView& view, std::int64_t at_ns) {
  const auto& samples = view.samples;
  const auto after =
      std::lower_bound(samples.begin(), samples.end(), at_ns,
                       [](const auto* s, std::int64_t t) { return s->boottime_ns < t; });
  if (after == samples.end()) return samples.size() - 1;
  const auto i = static_cast<std::size_t>(after - samples.begin());
  if (i == 0) return 0;
  return samples[i]->boottime_ns - at_ns < at_ns - samples[i - 1]->boottime_ns ? i : i - 1;
}

/// Gathers the processes of each look, which is as of the sample nearest to it.
class Looks {
 public:
  Looks(const ledger::MeasurementView& view, const std::vector<double>& until_j,
        const std::vector<double>& cpu_until_s)
      : view_(view), until_j_(until_j), cpu_until_s_(cpu_until_s), divider_(*view.begin) {}

  void take(const ledger::MeasurementProcess& p) {
    const std::size_t at = std::max(to_, nearest_sample(view_, p.boottime_ns));
    if (at != to_) close(at);
    const std::size_t row = divider_.see(p.pid, p.start_ticks, p.cpu_ns);
    if (row == rows_.size()) {
      rows_.push_back({p.pid, p.name, 0, Energy{}});
      energies_.emplace_back();
    }
    if (!p.name.empty()) rows_[row].name = p.name;  // exec renames
  }

  ProcessShares finish() {
    close(view_.samples.size() - 1);
    close(view_.samples.size() - 1);  // the tail that no look came after
    ProcessShares out;
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i].energy = energies_[i].value();
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const auto& a, const auto& b) { return a.energy > b.energy; });
    out.rows = std::move(rows_);
    out.unseen_j = divider_.unseen_j();
    out.unseen_cpu_s = divider_.unseen_cpu_s();
    out.waiting_j = divider_.waiting_j();
    return out;
  }

 private:
  /// Divides the span up to the look that has ended; the next one happens at sample `next`.
  void close(std::size_t next) {
    for (const ProcessPart& part : divider_.divide(until_j_[to_] - until_j_[from_],
                                                   cpu_until_s_[to_] - cpu_until_s_[from_])) {
      rows_[part.process].cpu_s += part.cpu_s;
      if (part.cpu_s > 0) energies_[part.process] += part.energy;
    }
    from_ = to_;
    to_ = next;
  }

  const ledger::MeasurementView& view_;
  const std::vector<double>&until_j_, &cpu_until_s_;
  ProcessDivider divider_;
  std::size_t from_ = 0, to_ = 0;  ///< samples: the span being collected
  std::vector<MeasuredProcess> rows_;
  std::vector<Sum<Energy>> energies_;
};

}  // namespace

ProcessShares process_shares(const ledger::MeasurementView& view,
                             const std::vector<double>& until_j,
                             const std::vector<double>& cpu_until_s) {
  if (view.samples.empty()) return {};
  Looks looks(view, until_j, cpu_until_s);
  for (const ledger::MeasurementProcess* process : view.processes) looks.take(*process);
  return looks.finish();
}

}  // namespace carnot::measure
