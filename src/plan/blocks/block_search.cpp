// SPDX-License-Identifier: Apache-2.0
#include "plan/blocks/block_search.hpp"

#include <algorithm>

#include "carnot/base/random.hpp"

#include "plan/search/contract_search.hpp"

namespace carnot::plan {

namespace {

constexpr double kKept = 1e-12;  // more than sums of one block's powers lose, relative

/// A supply's share.
Supply part_of(const Supply& all, double share) {
  Supply out = all;
  out.first *= share;
  out.most *= share;
  return out;
}

}  // namespace

Supply above(const Supply& all, double others, double own, bool handed) {
  Supply out = all;
  const double kept = own * (1 + kKept);
  out.most = handed ? std::max(all.most - others, kept) : kept;
  out.first = std::clamp(all.first - others, 0.0, out.most);
  return out;
}

BlockSearch::BlockSearch(JobBlocks::Parts& parts, Ranks& ranks, const PowerUnits& units,
                         const std::vector<Supply>& supply, const std::vector<double>& price,
                         int threads, std::uint64_t seed)
    : parts_(parts),
      ranks_(ranks),
      units_(units),
      supply_(supply),
      price_(price),
      threads_(threads),
      seed_(seed),
      loads_(parts.own.size()) {
  std::vector<std::int64_t> reach(2 * parts.all_blocks);
  for (std::size_t b = 0; b < parts.own.size(); ++b) {
    reach[2 * (parts.first + b)] = parts.own[b].from;
    reach[2 * (parts.first + b) + 1] = parts.own[b].to;
  }
  ranks.sum(reach);
  for (std::size_t b = 0; b < parts.all_blocks; ++b) {
    from_.push_back(static_cast<std::int32_t>(reach[2 * b]));
    to_.push_back(static_cast<std::int32_t>(reach[2 * b + 1]));
  }
}

void BlockSearch::place_in_shares(const std::function<bool()>& go_on) {
  const std::size_t cells = supply_.size();
  const auto slots = static_cast<std::size_t>(parts_.frame.slots);
  std::vector<std::int64_t> drawn(cells);
  for (const Block& block : parts_.own)
    for (std::size_t i = 0; i < block.mean.size(); ++i) drawn[i] += units_.whole(block.mean[i]);
  ranks_.sum(drawn);
  std::vector<double> reaching(slots);  // blocks at each slot, for cells that nobody drew from
  for (std::size_t b = 0; b < from_.size(); ++b)
    for (std::int32_t t = from_[b]; t < to_[b]; ++t) ++reaching[static_cast<std::size_t>(t)];
  for_all(parts_.own.size(), threads_, [&](std::size_t b) {
    Block& block = parts_.own[b];
    std::vector<Supply> share;
    share.reserve(cells);
    for (std::size_t i = 0; i < cells; ++i) {
      const auto t = static_cast<std::int32_t>(i % slots);
      double of = 0;
      if (drawn[i] > 0 && !block.mean.empty())
        of = units_.kw(units_.whole(block.mean[i])) / units_.kw(drawn[i]);
      else if (drawn[i] == 0 && t >= block.from && t < block.to)
        of = 1.0 / reaching[i % slots];
      share.push_back(part_of(supply_[i], of * (1 - kKept)));
    }
    ContractSearch search(block.problem, share, *block.classes, price_, 1);
    search.insert_all(go_on);
    search.sweep(sweep_view(0.3), go_on);
    block.plan = search.assignments();
    block.mean = {};
  });
}

void BlockSearch::add_up() {
  const auto slots = static_cast<std::size_t>(parts_.frame.slots);
  all_.assign(supply_.size(), 0);
  for_all(parts_.own.size(), threads_, [&](std::size_t b) {
    const Block& block = parts_.own[b];
    const PlanJobs& jobs = block.problem.jobs;
    std::vector<double> kw(supply_.size());
    for (std::size_t j = 0; j < block.plan.size(); ++j) {
      const Assignment& a = block.plan[j];
      if (a.site == kNone) continue;
      const double power = jobs.mode(jobs.mode_begin(j) + a.mode).power_kw;
      for (const std::int32_t t : a.slots)
        kw[a.site * slots + static_cast<std::size_t>(t)] += power;
    }
    loads_[b].resize(kw.size());
    for (std::size_t i = 0; i < kw.size(); ++i) loads_[b][i] = units_.whole(kw[i]);
  });
  for (const auto& load : loads_)
    for (std::size_t i = 0; i < load.size(); ++i) all_[i] += load[i];
  ranks_.sum(all_);
}

std::vector<std::uint32_t> BlockSearch::hand_out(int number) const {
  const auto slots = static_cast<std::size_t>(parts_.frame.slots);
  const RandomStream random =
      RandomStream(seed_, "plan-blocks").child(static_cast<std::uint64_t>(number));
  std::vector<std::vector<std::uint32_t>> reaching(slots);
  for (std::uint32_t b = 0; b < from_.size(); ++b)
    for (std::int32_t t = from_[b]; t < to_[b]; ++t)
      reaching[static_cast<std::size_t>(t)].push_back(b);
  std::vector<std::uint32_t> out(supply_.size(), kNone);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (const auto& blocks = reaching[i % slots]; !blocks.empty())
      out[i] = blocks[random.below(i, blocks.size())];
  return out;
}

void BlockSearch::round(int number, double done, const std::function<bool()>& go_on) {
  add_up();
  const std::vector<std::uint32_t> handed = hand_out(number);
  // Every block's powers are rounded to a unit: by so much may what is left be less.
  const double rounding = static_cast<double>(parts_.all_blocks + 1) * units_.unit();
  for_all(parts_.own.size(), threads_, [&](std::size_t b) {
    Block& block = parts_.own[b];
    std::vector<Supply> supply;
    supply.reserve(supply_.size());
    for (std::size_t i = 0; i < supply_.size(); ++i)
      supply.push_back(above(supply_[i], units_.kw(all_[i] - loads_[b][i]) + rounding,
                             units_.kw(loads_[b][i]) + units_.unit(),
                             handed[i] == parts_.first + b));
    ContractSearch search(block.problem, supply, *block.classes, price_, 1);
    for (std::size_t j = 0; j < block.plan.size(); ++j)
      if (block.plan[j].site != kNone) search.keep(j, block.plan[j]);
    search.insert_all(go_on);
    search.sweep(sweep_view(done), go_on);
    block.plan = search.assignments();
  });
}

}  // namespace carnot::plan
