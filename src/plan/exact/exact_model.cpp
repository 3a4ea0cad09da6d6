// SPDX-License-Identifier: Apache-2.0
#include "plan/exact/exact_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/plan/exact/exact.hpp"

#include "plan/problem/room.hpp"
#include "plan/supply/packing.hpp"

namespace carnot::plan {

namespace {

/// Jobs that differ in nothing but their id.
std::vector<std::vector<std::uint32_t>> groups_of(const Problem& problem) {
  const PlanJobs& jobs = problem.jobs;
  std::map<std::vector<double>, std::vector<std::uint32_t>> alike;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    std::vector<double> key{static_cast<double>(jobs.release(j)),
                            static_cast<double>(jobs.deadline(j)), jobs.value(j)};
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i) {
      const PlanMode& mode = jobs.mode(i);
      key.insert(key.end(), {static_cast<double>(mode.slots), mode.power_kw, mode.quality_eur});
    }
    const std::vector<std::uint32_t>* allowed = jobs.sites(j);
    for (std::uint32_t s = 0; s < problem.sites.size(); ++s)
      key.push_back(allowed == nullptr || std::binary_search(allowed->begin(), allowed->end(), s)
                        ? jobs.move_eur(j, s)
                        : kInfinity);
    alike[key].push_back(static_cast<std::uint32_t>(j));
  }
  std::vector<std::vector<std::uint32_t>> out;
  for (auto& [key, members] : alike) out.push_back(std::move(members));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

void check_exact_size(const Problem& problem) {
  if (problem.extended())
    throw InputError(
        "terms beyond the contract problem: neither --solver exact nor --require-all knows them");
  const PlanJobs& jobs = problem.jobs;
  std::size_t size = 0;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const std::size_t sites =
        jobs.sites(j) == nullptr ? problem.sites.size() : jobs.sites(j)->size();
    size += sites * (jobs.mode_end(j) - jobs.mode_begin(j)) *
            static_cast<std::size_t>(jobs.deadline(j) - jobs.release(j));
  }
  if (size > kMostExact)
    throw InputError(
        fmt::format("too large for --solver exact: {} site-slots of {} jobs' modes, at most {}; "
                    "--solver large has no such limit and proves its gap",
                    size, jobs.size(), kMostExact));
}

ExactModel::ExactModel(const Problem& problem, const std::vector<Supply>& supply,
                       const std::vector<double>& price, double keep)
    : problem_(problem),
      slots_(static_cast<std::size_t>(problem.slots)),
      groups_(groups_of(problem)) {
  const PlanJobs& jobs = problem.jobs;
  const double h = problem.slot_h();
  for (const Supply& x : supply) {
    const int first = program_.add_column(0.0, x.first, x.first_price * h);
    const int second = program_.add_column(0.0, x.most - x.first, x.second_price * h);
    const std::array drawn{solve::Term{first, -1.0}, solve::Term{second, -1.0}};
    // Where taking power is paid for, no more is taken than jobs draw.
    const double least = x.first_price < 0.0 ? 0.0 : -kInfinity;
    cell_row_.push_back(program_.add_row(least, 0.0, drawn));
  }
  std::vector<std::tuple<double, Block, double>> options;
  std::vector<double> sorted;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const std::uint32_t job = groups_[g].front();
    const auto count = static_cast<double>(groups_[g].size());
    constant_ += jobs.value(job) * count;
    group_row_.push_back(program_.add_row(-kInfinity, count, {}));
    options.clear();
    double least = 0.0;
    for (std::uint32_t s = 0; s < problem.sites.size(); ++s) {
      const std::vector<std::uint32_t>* allowed = jobs.sites(job);
      if (allowed != nullptr && !std::binary_search(allowed->begin(), allowed->end(), s)) continue;
      const double* from = &price[s * slots_];
      for (std::size_t i = jobs.mode_begin(job); i < jobs.mode_end(job); ++i) {
        const PlanMode& mode = jobs.mode(i);
        sorted.clear();
        for (std::int32_t t = jobs.release(job); t < jobs.deadline(job); ++t)
          if (mode.power_kw <= room_kw(problem, s, static_cast<std::size_t>(t)))
            sorted.push_back(from[t]);
        if (std::ssize(sorted) < mode.slots) continue;
        std::sort(sorted.begin(), sorted.end());
        const double cost = mode.quality_eur + jobs.move_eur(job, s) - jobs.value(job);
        double energy = 0.0;
        for (std::int32_t n = 0; n < mode.slots; ++n) energy += sorted[static_cast<std::size_t>(n)];
        const double reduced = cost + energy * mode.power_kw * h;
        least = std::min(least, reduced);
        Block block;
        block.group = g;
        block.site = s;
        block.mode = static_cast<std::uint32_t>(i - jobs.mode_begin(job));
        options.emplace_back(reduced, std::move(block), cost);
      }
    }
    for (auto& [reduced, block, cost] : options) {
      if (reduced - least > keep) continue;
      add_block(std::move(block), cost, price, keep - (reduced - least));
    }
  }
}

void ExactModel::add_block(Block block, double cost, const std::vector<double>& price,
                           double keep) {
  const PlanJobs& jobs = problem_.jobs;
  const std::uint32_t job = groups_[block.group].front();
  const PlanMode& mode = jobs.mode(jobs.mode_begin(job) + block.mode);
  const double weight = mode.power_kw * problem_.slot_h();
  const std::size_t base = block.site * slots_;
  std::vector<std::pair<double, std::int32_t>> ranked;
  for (std::int32_t t = jobs.release(job); t < jobs.deadline(job); ++t)
    if (mode.power_kw <= room_kw(problem_, block.site, static_cast<std::size_t>(t)))
      ranked.emplace_back(price[base + static_cast<std::size_t>(t)], t);
  std::sort(ranked.begin(), ranked.end());
  const auto k = static_cast<std::size_t>(mode.slots);
  const double last_in = ranked[k - 1].first,
               first_out = k < ranked.size() ? ranked[k].first : kInfinity;
  std::vector<std::int32_t> open;
  for (std::size_t n = 0; n < ranked.size(); ++n) {
    const auto& [at, t] = ranked[n];
    if (n < k && (first_out - at) * weight > keep)
      block.sure.push_back(t);
    else if (n < k || (at - last_in) * weight <= keep)
      open.push_back(t);
  }
  if (open.size() + block.sure.size() == k) {
    block.sure.insert(block.sure.end(), open.begin(), open.end());
    open.clear();
  }
  const auto count = static_cast<double>(groups_[block.group].size());
  const auto cell = [&](std::int32_t t) { return cell_row_[base + static_cast<std::size_t>(t)]; };
  std::vector<solve::Share> shares{{group_row_[block.group], 1.0}};
  for (const std::int32_t t : block.sure) shares.push_back({cell(t), mode.power_kw});
  block.column = program_.add_column(0.0, count, cost, shares);
  whole_.push_back(block.column);
  std::vector<solve::Term> sum{{block.column, -static_cast<double>(k - block.sure.size())}};
  for (const std::int32_t t : open) {
    const int x =
        program_.add_column(0.0, count, 0.0, std::array{solve::Share{cell(t), mode.power_kw}});
    whole_.push_back(x);
    sum.push_back({x, 1.0});
    program_.add_row(-kInfinity, 0.0,
                     std::array{solve::Term{x, 1.0}, solve::Term{block.column, -1.0}});
    block.open.emplace_back(t, x);
  }
  if (!open.empty()) program_.add_row(0.0, 0.0, sum);
  blocks_.push_back(std::move(block));
}

void ExactModel::pack(const std::vector<Supply>& supply, const std::vector<PackingPrice>& packing) {
  const PlanJobs& jobs = problem_.jobs;
  std::vector<std::vector<solve::Term>> terms(packing.size());
  std::vector<PackingRow> rows;
  std::map<std::size_t, std::vector<std::size_t>> at;  // cell: rows
  for (const PackingPrice& of : packing) {
    const std::size_t cell = of.site * slots_ + of.slot;
    at[cell].push_back(rows.size());
    const double kw = limit_kw(problem_, supply, of.limit, cell);
    const PackingRow& row = rows.emplace_back(of.limit, kw, of.divisor_kw);
    // Columns of supply come first, two a cell.
    if (row.per_kw() > 0)
      terms[rows.size() - 1].push_back({static_cast<int>(2 * cell + 1), -row.per_kw()});
  }
  for (const Block& block : blocks_) {
    const double power =
        jobs.mode(jobs.mode_begin(groups_[block.group].front()) + block.mode).power_kw;
    const auto draws = [&](std::int32_t t, int column) {
      const auto found = at.find(block.site * slots_ + static_cast<std::size_t>(t));
      if (found == at.end()) return;
      for (const std::size_t r : found->second) terms[r].push_back({column, rows[r].share(power)});
    };
    for (const std::int32_t t : block.sure) draws(t, block.column);
    for (const auto& [t, column] : block.open) draws(t, column);
  }
  for (std::size_t r = 0; r < rows.size(); ++r)
    program_.add_row(-kInfinity, rows[r].most(), terms[r]);
}

std::vector<double> ExactModel::prices() const {
  std::vector<double> out;
  for (const int row : cell_row_)
    out.push_back(std::max(0.0, -program_.price(row) / problem_.slot_h()));
  return out;
}

std::vector<Assignment> ExactModel::plan(const std::vector<double>& values) const {
  const auto whole = [&](int column) {
    return static_cast<std::size_t>(std::llround(values[static_cast<std::size_t>(column)]));
  };
  std::vector<Assignment> out(problem_.jobs.size());
  std::vector<std::size_t> next(groups_.size());
  for (const Block& block : blocks_) {
    const std::size_t count = whole(block.column);
    if (count == 0) continue;
    const std::vector<std::uint32_t>& members = groups_[block.group];
    std::size_t& from = next[block.group];
    CARNOT_CHECK(from + count <= members.size(), "more jobs run than there are");
    for (std::size_t n = 0; n < count; ++n) {
      Assignment& a = out[members[from + n]];
      a.site = block.site;
      a.mode = block.mode;
      a.slots = block.sure;
    }
    // Dealt round: no slot has more than `count`, so nobody gets one twice, and all get as many.
    std::size_t turn = 0;
    for (const auto& [slot, column] : block.open)
      for (std::size_t n = whole(column); n > 0; --n)
        out[members[from + turn++ % count]].slots.push_back(slot);
    for (std::size_t n = 0; n < count; ++n) {
      std::vector<std::int32_t>& slots = out[members[from + n]].slots;
      std::sort(slots.begin(), slots.end());
    }
    from += count;
  }
  return out;
}

}  // namespace carnot::plan
