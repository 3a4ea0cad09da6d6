// SPDX-License-Identifier: Apache-2.0
#include "sites_command.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "carnot/live/sites/sites_run.hpp"
#include "carnot/report/live/sites.hpp"

namespace carnot::app {

void add_sites_flags(CLI::App& command, SitesCommand& sites) {
  command.add_option("--sites", sites.file,
                     "One model trained at several sites, when their power is clean: a file as in "
                     "docs/formats/sites.md");
  command
      .add_option("--starts", sites.starts,
                  "With --sites: the same task from so many starts, without training")
      ->check(CLI::Range(1, 100000));
  command.add_option("--every", sites.every_hours, "Hours between starts (default 24)")
      ->check(CLI::Range(0.01, 8784.0));
}

int run_sites(const SitesCommand& c, const Common& common, const std::vector<std::string>& policies,
              const std::string& data_dir) {
  const StopToken stop = stop_on_interrupt();
  report::SitesReport report;
  report.command = common.command_line;
  report.every = c.every_hours * hour;
  live::SitesConfig config = live::read_sites_config(c.file);
  config.data.data_dir = data_dir;
  bool good = true;
  if (c.starts > 0) {
    report.run.config = config;
    report.starts = live::run_from_starts(config, policies, static_cast<std::size_t>(c.starts),
                                          report.every, stop);
    good = std::any_of(report.starts.begin(), report.starts.end(),
                       [](const live::StartsResult& r) { return r.late < r.starts; });
  } else {
    report.run = live::run_at_sites(config, policies, stop);
    good = std::any_of(report.run.policies.begin(), report.run.policies.end(),
                       [&](const live::SitesPolicyResult& p) {
                         return p.schedule.finished && (config.replicas.floor <= 0 || !p.training ||
                                                        p.training->certified);
                       });
  }
  print(common.json ? report::sites_json(report)
                    : report::sites_terminal(report, terminal_width(STDOUT_FILENO),
                                             is_terminal(STDOUT_FILENO)));
  return good ? kOk : kOutcomeSaysNo;
}

}  // namespace carnot::app
