// SPDX-License-Identifier: Apache-2.0
// Time, memory and proven gap of plans in blocks, of problems made by `carnot plan --generate`.
// Arguments: PROBLEM.json [threads [iterations [rounds [jobs of a block]]]].
#include "carnot/plan/blocks/blocks.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>

#include "carnot/base/text.hpp"

int main(int argc, char** argv) {
  using namespace carnot;
  if (argc < 2) return 2;
  const auto number = [&](int i, std::int64_t otherwise) {
    return argc > i ? parse_integer(argv[i]) : otherwise;
  };
  plan::BlockOptions options;
  options.threads = static_cast<int>(number(2, 0));
  options.iterations = static_cast<int>(number(3, 0));
  options.rounds = static_cast<int>(number(4, options.rounds));
  options.block_jobs = static_cast<std::size_t>(number(5, 0));
  OneRank one;
  const StopToken clock([] { return false; });
  const double began = clock.now();
  plan::JobBlocks blocks(argv[1], one, options);
  const double read = clock.now() - began;
  const plan::Plan plan = plan::plan_blocks(blocks, one, options);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  fmt::print(
      "{{\"bench\":\"plan_blocks\",\"jobs\":{},\"sites\":{},\"slots\":{},\"blocks\":{},"
      "\"read_s\":{:.2f},\"plan_s\":{:.2f},\"cpu_s\":{:.2f},\"peak_rss_mb\":{},"
      "\"objective_eur\":{},\"bound_eur\":{},\"gap\":{:.6f},\"dropped\":{}}}\n",
      blocks.jobs(), blocks.frame().sites.size(), blocks.frame().slots, blocks.blocks(), read,
      plan.seconds, seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss / 1024,
      plan.objective_eur, plan.bound_eur, plan.gap(), plan.totals.dropped);
}
