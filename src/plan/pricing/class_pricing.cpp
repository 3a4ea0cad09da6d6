// SPDX-License-Identifier: Apache-2.0
#include "plan/pricing/class_pricing.hpp"

#include <algorithm>

#include "carnot/base/sum.hpp"

namespace carnot::plan {

namespace {

constexpr double kJobWork = 2.0;

/// Lays power on the k cheapest of `length` slots; those that cost exactly the dearest of them
/// share what the cheaper ones leave.
void lay(const double* price, double* load, std::size_t length, double threshold, std::int32_t k,
         double power) {
  std::int64_t cheaper = 0, equal = 0;
  for (std::size_t t = 0; t < length; ++t) {
    cheaper += price[t] < threshold;
    equal += price[t] == threshold;
  }
  const double shared = power * static_cast<double>(k - cheaper) /
                        static_cast<double>(std::max<std::int64_t>(equal, 1));
  for (std::size_t t = 0; t < length; ++t)
    load[t] += price[t] < threshold ? power : price[t] == threshold ? shared : 0.0;
}

}  // namespace

ClassPricing::ClassPricing(const Problem& problem, const WindowClasses& table, std::size_t parts)
    : problem_(problem), table_(table), stride_(padded(table.sites())) {
  const PlanJobs& jobs = problem.jobs;
  std::size_t start = 0;
  for (std::size_t w = 0; w < table.windows().size(); ++w) {
    window_start_.push_back(start);
    start += table.jobs_in(w);
  }
  window_start_.push_back(start);
  std::vector<std::size_t> at = window_start_;
  std::vector<std::uint32_t> order(jobs.size());
  for (std::size_t j = 0; j < jobs.size(); ++j)
    order[at[table.window_of(j)]++] = static_cast<std::uint32_t>(j);
  jobs_.reserve(jobs.size() + 1);
  modes_.reserve(jobs.size() == 0 ? 0 : jobs.mode_end(jobs.size() - 1));
  for (const std::uint32_t j : order) {
    jobs_.push_back({jobs.value(j), jobs.move_flat(j), jobs.origin(j), j, modes_.size()});
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
      modes_.push_back(
          {jobs.mode(i).power_kw * problem.slot_h(), jobs.mode(i).quality_eur, table.class_of(i)});
  }
  jobs_.push_back({0, 0, kNone, kNone, modes_.size()});
  parts_ = table.parts(parts, kJobWork);
  answers_.resize(parts_.size() - 1);
}

// The jobs of a window choose; what they draw is added to rows.power. Returns their cost.
double ClassPricing::choose(const Window& window, std::size_t w, Rows& rows) const {
  const std::size_t sites = table_.sites();
  for (std::uint32_t c = window.first; c < window.last; ++c)
    rows.cheapest[c - rows.base] =
        static_cast<std::uint32_t>(least(&rows.cost[(c - rows.base) * stride_], sites));
  Sum<double> sum;
  for (std::size_t n = window_start_[w]; n < window_start_[w + 1]; ++n) {
    const Job& job = jobs_[n];
    double best = job.value;
    std::uint32_t best_site = kNone;
    const Mode* best_mode = nullptr;
    const std::vector<std::uint32_t>* allowed = problem_.jobs.sites(job.job);
    const std::vector<double>* moves = problem_.jobs.move_row(job.job);
    for (std::uint64_t i = job.mode; i < jobs_[n + 1].mode; ++i) {
      const Mode& mode = modes_[i];
      const double* row = &rows.cost[(mode.klass - rows.base) * stride_];
      const auto offer = [&](std::uint32_t s, double move) {
        const double cost = mode.quality + move + mode.weight * row[s];
        if (cost < best) best = cost, best_site = s, best_mode = &mode;
      };
      const auto move_to = [&](std::uint32_t s) {
        return moves != nullptr ? (*moves)[s] : s == job.origin ? 0.0 : job.move;
      };
      if (allowed != nullptr) {
        for (const std::uint32_t s : *allowed) offer(s, move_to(s));
      } else if (moves != nullptr) {
        for (std::uint32_t s = 0; s < sites; ++s) offer(s, (*moves)[s]);
      } else {
        // Away from home all sites cost the same to reach: only the cheapest matters.
        const std::uint32_t away = rows.cheapest[mode.klass - rows.base];
        offer(away, move_to(away));
        if (job.origin != kNone) offer(job.origin, 0.0);
      }
    }
    sum += best;
    if (best_mode == nullptr) continue;
    double& power = rows.power[(best_mode->klass - rows.base) * stride_ + best_site];
    if (power == 0) rows.drawn.emplace_back(best_mode->klass - rows.base, best_site);
    power += best_mode->weight;
  }
  return sum.value();
}

void ClassPricing::part(std::size_t p, const std::vector<double>& price, Part& out) const {
  const std::vector<Window>& windows = table_.windows();
  const std::size_t first = parts_[p], last = parts_[p + 1], slots = table_.slots();
  out.from = static_cast<std::size_t>(windows[first].release);
  out.to = 0;
  for (std::size_t w = first; w < last; ++w)
    out.to = std::max(out.to, static_cast<std::size_t>(windows[w].deadline));
  const std::size_t width = out.to - out.from;
  out.load.assign(width * table_.sites(), 0.0);
  Sum<double> cost;
  Rows& rows = out.rows;
  for_each_release(windows, first, last, [&](std::size_t from, std::size_t to) {
    rows.base = windows[from].first;
    const std::size_t classes = windows[to - 1].last - rows.base;
    rows.cost.resize(classes * stride_);
    rows.threshold.resize(classes * stride_);
    rows.power.resize(classes * stride_, 0.0);
    rows.cheapest.resize(classes);
    for (std::size_t tile = 0; tile < stride_ / kTile; ++tile) {
      RowRequest request;
      request.tile = &tiles_[tile * slots * kTile];
      request.window = &windows[from];
      request.windows = to - from;
      request.slots = table_.class_slots().data();
      request.cost = &rows.cost[tile * kTile];
      request.threshold = &rows.threshold[tile * kTile];
      request.stride = stride_;
      price_rows(request, rows.scratch);
    }
    for (std::size_t w = from; w < to; ++w) {
      rows.drawn.clear();
      cost += choose(windows[w], w, rows);
      const auto release = static_cast<std::size_t>(windows[w].release);
      const auto length = static_cast<std::size_t>(windows[w].deadline) - release;
      for (const auto& [c, s] : rows.drawn) {
        double& power = rows.power[c * stride_ + s];
        lay(&price[s * slots + release], &out.load[s * width + release - out.from], length,
            rows.threshold[c * stride_ + s], table_.class_slots()[rows.base + c], power);
        power = 0;
      }
    }
  });
  out.cost = cost.value();
}

double ClassPricing::respond(const std::vector<double>& price, int threads,
                             std::vector<double>& demand) {
  const std::size_t sites = table_.sites(), slots = table_.slots();
  tile_prices(price, sites, slots, tiles_);
  for_all(answers_.size(), threads, [&](std::size_t p) { part(p, price, answers_[p]); });
  demand.assign(sites * slots, 0.0);
  Sum<double> cost;
  const double per_hour = 1.0 / problem_.slot_h();
  for (const Part& x : answers_) {
    cost += x.cost;
    for (std::size_t s = 0; s < sites; ++s)
      for (std::size_t t = x.from; t < x.to; ++t)
        demand[s * slots + t] += per_hour * x.load[s * (x.to - x.from) + t - x.from];
  }
  return cost.value();
}

}  // namespace carnot::plan
