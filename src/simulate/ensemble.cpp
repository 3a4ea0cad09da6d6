// SPDX-License-Identifier: Apache-2.0
#include "carnot/simulate/ensemble.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>

#include "carnot/base/error.hpp"
#include "carnot/base/state_bytes.hpp"

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

/// Every field of a result, for whoever writes or reads it.
template <class Visit>
void each_field(FleetResult& r, Visit&& visit) {
  for (auto* count : {&r.jobs, &r.finished, &r.late, &r.failed, &r.cancelled, &r.starts,
                      &r.suspensions, &r.moves, &r.failures, &r.kills, &r.events})
    visit(*count);
  for (auto* time : {&r.work_lost, &r.wait_mean, &r.wait_50, &r.wait_90, &r.wait_99, &r.wait_max})
    visit(*time);
  visit(r.policy);
  visit(r.knowledge);
  visit(r.begin);
  visit(r.end);
  visit(r.flows);
  visit(r.seconds);
  visit(r.sites);
  for (FleetSiteResult& site : r.sites) {
    visit(site.name);
    visit(site.nodes);
    visit(site.finished);
    visit(site.flows);
  }
}

struct Writer {
  StateWriter to;
  void operator()(const std::string& text) { to.text(text); }
  void operator()(const std::vector<FleetSiteResult>& sites) {
    to.value<std::uint64_t>(sites.size());
  }
  template <class T>
  void operator()(const T& value) {
    to.value(value);
  }
};

struct FieldReader {
  StateReader& from;
  void operator()(std::string& text) { text = from.text(); }
  void operator()(std::vector<FleetSiteResult>& sites) {
    sites.resize(static_cast<std::size_t>(from.value<std::uint64_t>()));
  }
  template <class T>
  void operator()(T& value) {
    value = from.value<T>();
  }
};

/// Members of all ranks at rank 0; none elsewhere.
std::vector<FleetResult> gathered(Ranks& ranks, std::vector<FleetResult>& own,
                                  const std::vector<char>& done) {
  Writer writer;
  for (std::size_t k = 0; k < own.size(); ++k) {
    if (!done[k]) continue;
    writer(static_cast<std::uint64_t>(k));
    each_field(own[k], writer);
  }
  const std::vector<std::uint8_t> bytes = writer.to.take();
  std::vector<std::optional<FleetResult>> all(own.size());
  for (const std::string& text : ranks.gather({bytes.begin(), bytes.end()})) {
    const std::vector<std::uint8_t> of(text.begin(), text.end());
    StateReader reader(of);
    while (!reader.at_end())
      each_field(all.at(reader.value<std::uint64_t>()).emplace(), FieldReader{reader});
  }
  std::vector<FleetResult> out;
  for (std::optional<FleetResult>& member : all)
    if (member) out.push_back(std::move(*member));
  return out;
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
  const auto first = static_cast<std::size_t>(ensemble.ranks ? ensemble.ranks->rank() : 0);
  const auto stride = static_cast<std::size_t>(ensemble.ranks ? ensemble.ranks->size() : 1);
  std::atomic<std::size_t> next{first}, finished{0};
  std::atomic<bool> stopped{false};
  std::mutex one_at_a_time;
  std::exception_ptr failure;

  const auto work = [&] {
    try {
      for (std::size_t k = next.fetch_add(stride); k < ensemble.members && !stopped;
           k = next.fetch_add(stride)) {
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
  const bool others_failed = ensemble.ranks && ensemble.ranks->any(failure != nullptr);
  if (failure) std::rethrow_exception(failure);
  if (others_failed) throw DeviceError("another rank could not go on; its message says why");
  if (ensemble.ranks) return gathered(*ensemble.ranks, results, done);

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
