// SPDX-License-Identifier: Apache-2.0
#include "report/measure/process_shares.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "carnot/base/sum.hpp"
#include "carnot/meter/attribution/attribution.hpp"

#include "report/draw/text_columns.hpp"

namespace carnot::report {

namespace {

constexpr double kSecond = 1e-9;
constexpr std::int64_t kTickNs = 10'000'000;  // start_ticks of /proc: 100 a second

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

class Divider {
 public:
  Divider(const ledger::MeasurementView& view, const std::vector<double>& until_j,
          const std::vector<double>& cpu_until_s)
      : view_(view), until_j_(until_j), cpu_until_s_(cpu_until_s) {
    const std::string& method = view.begin->job_method;
    attached_ = method.empty() || method == "pid" || method == "cgroup";
  }

  void take(const ledger::MeasurementProcess& p) {
    const std::size_t at = std::max(to_, nearest_sample(view_, p.boottime_ns));
    if (at != to_) close(at);
    const auto [known, met] = places_.try_emplace({p.pid, p.start_ticks}, rows_.size());
    if (met) {
      rows_.push_back({p.pid, printable(p.name), 0, Energy{}});
      energies_.emplace_back();
      last_cpu_ns_.push_back(began_before(p) ? p.cpu_ns : 0);
    }
    const std::size_t row = known->second;
    const double cpu_s =
        kSecond * static_cast<double>(std::max<std::int64_t>(0, p.cpu_ns - last_cpu_ns_[row]));
    last_cpu_ns_[row] = std::max(last_cpu_ns_[row], p.cpu_ns);
    rows_[row].cpu_s += cpu_s;
    if (!p.name.empty()) rows_[row].name = printable(p.name);  // exec renames
    if (cpu_s > 0) {
      touched_.push_back(row);
      weights_.push_back(cpu_s);
    }
  }

  ProcessShares finish() {
    close(view_.samples.size() - 1);
    close(view_.samples.size() - 1);  // the tail that no look came after
    ProcessShares out;
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i].energy = energies_[i].value();
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const auto& a, const auto& b) { return a.energy > b.energy; });
    out.rows = std::move(rows_);
    out.unseen_j = unseen_.value().in(joule);
    out.unseen_cpu_s = unseen_cpu_.value();
    out.waiting_j = waiting_.value();
    return out;
  }

 private:
  /// Its CPU time before the measurement is not ours.
  bool began_before(const ledger::MeasurementProcess& p) const {
    return attached_ &&
           static_cast<std::int64_t>(p.start_ticks) < view_.begin->boottime_ns / kTickNs;
  }

  /// Divides the span up to the look that has ended; the next one happens at sample `next`.
  void close(std::size_t next) {
    const double energy = until_j_[to_] - until_j_[from_];
    const double cpu = cpu_until_s_[to_] - cpu_until_s_[from_];
    Sum<double> seen;
    for (const double w : weights_) seen += w;
    const double unseen = std::max(0.0, cpu - seen.value());
    if (seen.value() + unseen > 0) {
      weights_.push_back(unseen);
      parts_.assign(weights_.size(), Energy{});
      meter::divide(energy * joule, weights_, parts_);
      for (std::size_t i = 0; i < touched_.size(); ++i) energies_[touched_[i]] += parts_[i];
      unseen_ += parts_.back();
      unseen_cpu_ += unseen;
    } else {
      waiting_ += energy;
    }
    touched_.clear();
    weights_.clear();
    from_ = to_;
    to_ = next;
  }

  const ledger::MeasurementView& view_;
  const std::vector<double>&until_j_, &cpu_until_s_;
  bool attached_ = false;
  std::size_t from_ = 0, to_ = 0;  ///< samples: the span being collected
  std::map<std::pair<std::int32_t, std::uint64_t>, std::size_t> places_;
  std::vector<MeasuredProcess> rows_;
  std::vector<Sum<Energy>> energies_;
  std::vector<std::int64_t> last_cpu_ns_;
  std::vector<std::size_t> touched_;
  std::vector<double> weights_;
  std::vector<Energy> parts_;
  Sum<Energy> unseen_;
  Sum<double> unseen_cpu_, waiting_;
};

}  // namespace

ProcessShares process_shares(const ledger::MeasurementView& view,
                             const std::vector<double>& until_j,
                             const std::vector<double>& cpu_until_s) {
  if (view.samples.empty()) return {};
  Divider divider(view, until_j, cpu_until_s);
  for (const ledger::MeasurementProcess* process : view.processes) divider.take(*process);
  return divider.finish();
}

}  // namespace carnot::report
