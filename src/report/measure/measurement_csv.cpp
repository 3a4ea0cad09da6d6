// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "carnot/base/text.hpp"
#include "carnot/report/measure/measurement.hpp"

#include "report/draw/csv_cell.hpp"

namespace carnot::report {

std::string measurement_csv(const measure::Measurement& m) {
  const measure::MeasuredSeries& s = m.series;
  std::string out = "at_s,length_s,machine_w,static_w,job_w,busy_share,job_cpus,frequency_hz";
  for (const measure::MeasuredDomain& d : m.domains)
    out += "," + csv_cell(d.id + " (" + d.role + ")_w");
  out += "\n";
  for (std::size_t i = 0; i < s.at_s.size(); ++i) {
    out += fmt::format("{},{},{},{},{},{},{},{}", shortest(s.at_s[i]), shortest(s.length_s[i]),
                       shortest(s.machine_w[i]), shortest(s.static_w[i]), shortest(s.job_w[i]),
                       shortest(s.busy_share[i]), shortest(s.job_cpus[i]),
                       shortest(s.frequency_hz[i]));
    for (const std::vector<double>& domain : s.by_domain_w) out += "," + shortest(domain[i]);
    out += "\n";
  }
  return out;
}

}  // namespace carnot::report
