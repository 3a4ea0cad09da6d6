// SPDX-License-Identifier: Apache-2.0
#include "carnot/simulate/ensemble.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

#include "carnot/base/error.hpp"

namespace carnot::simulate {

namespace {

FleetOptions member_options(const FleetScenario& scenario, const FleetOptions& options,
                            std::size_t member, std::size_t members) {
  const Duration round =
      scenario.step * static_cast<std::int64_t>(scenario.sites.front().price.size());
  const Duration day = Duration::seconds(86400);
  const Duration shift = day * (round * static_cast<std::int64_t>(member) /
                                (day * static_cast<std::int64_t>(members)));
  FleetOptions o = options;
  o.begin = o.begin + shift;
  for (control::ReserveCall& call : o.calls) call.at = call.at + shift;
  for (Closure& closure : o.closures) {
    closure.from = closure.from + shift;
    closure.to = closure.to + shift;
  }
  return o;
}

}  // namespace

std::vector<FleetResult> simulate_ensemble(
    const FleetScenario& scenario, const Workload& workload, const FleetOptions& options,
    const std::function<std::unique_ptr<control::Policy>()>& make,
    const EnsembleOptions& ensemble) {
  if (ensemble.members < 1 || ensemble.members > 10'000)
    throw InputError("ensemble: 1 to 10000 members");
  std::vector<FleetResult> results(ensemble.members);
  std::vector<char> done(ensemble.members);
  std::atomic<std::size_t> next{0}, finished{0};
  std::atomic<bool> stopped{false};
  std::mutex one_at_a_time;
  std::exception_ptr failure;

  const auto work = [&] {
    try {
      for (std::size_t k = next++; k < ensemble.members && !stopped; k = next++) {
        const FleetOptions o = member_options(scenario, options, k, ensemble.members);
        const std::unique_ptr<control::Policy> scheduler = make();
        results[k] = simulate(scenario, workload, o, *scheduler, ensemble.stop);
        done[k] = 1;
        const std::lock_guard lock(one_at_a_time);
        if (ensemble.progress && !ensemble.progress(++finished)) stopped = true;
      }
    } catch (const Stopped&) {
      stopped = true;
    } catch (...) {
      const std::lock_guard lock(one_at_a_time);
      if (!failure) failure = std::current_exception();
      stopped = true;
    }
  };
  const auto threads = static_cast<std::size_t>(
      ensemble.threads > 0 ? ensemble.threads
                           : static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < std::min(threads, ensemble.members); ++i) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);

  std::vector<FleetResult> kept;
  for (std::size_t k = 0; k < results.size(); ++k)
    if (done[k]) kept.push_back(std::move(results[k]));
  return kept;
}

Spread spread(std::vector<double> values) {
  if (values.empty()) throw InputError("spread: at least one value");
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double q) {
    const double at = q * static_cast<double>(values.size() - 1);
    const auto i = static_cast<std::size_t>(at);
    const double above = values[std::min(i + 1, values.size() - 1)];
    return values[i] + (at - static_cast<double>(i)) * (above - values[i]);
  };
  return {std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size()),
          quantile(0.05), quantile(0.95)};
}

}  // namespace carnot::simulate
