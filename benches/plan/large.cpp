// SPDX-License-Identifier: Apache-2.0
// Time, memory and proven gap of the large planner on generated problems over 168 hours with three
// modes. Arguments: JOBSxSITES ...; default 300x4 1000x6 20000x20 100000x22 1000000x100.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>

#include "carnot/base/text.hpp"
#include "carnot/plan/search/planner.hpp"

int main(int argc, char** argv) {
  using namespace carnot;
  std::vector<std::string> sizes(argv + 1, argv + argc);
  if (sizes.empty()) sizes = {"300x4", "1000x6", "20000x20", "100000x22", "1000000x100"};
  for (const std::string& size : sizes) {
    const std::size_t cross = size.find('x');
    plan::GenerateOptions generate;
    generate.jobs = carnot::parse_integer(size.substr(0, cross));
    generate.sites = carnot::parse_integer(size.substr(std::min(cross, size.size() - 1) + 1));
    const plan::Problem problem = plan::generate_problem(generate);
    const plan::Plan plan = plan::plan_large(problem);
    std::size_t dropped = 0;
    for (const plan::Assignment& a : plan.jobs) dropped += a.site == plan::kNone;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);  // peak memory of this and all smaller sizes before it
    fmt::print(
        "{{\"bench\":\"plan_large\",\"jobs\":{},\"sites\":{},\"slots\":168,\"modes\":3,"
        "\"seconds\":{:.2f},\"peak_rss_mb\":{},\"objective_eur\":{},\"bound_eur\":{},"
        "\"gap\":{:.6f},\"dropped\":{}}}\n",
        generate.jobs, generate.sites, plan.seconds, usage.ru_maxrss / 1024, plan.objective_eur,
        plan.bound_eur, plan.gap(), dropped);
  }
}
