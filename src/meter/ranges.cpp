// SPDX-License-Identifier: Apache-2.0
// Ranges for what no sensor sees. Published coefficients differ by an order of magnitude, so the
// value is the geometric mean of the ends and the ends are the range; data/power_model.md lists who
// published what.
#include <cmath>
#include <string>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/meter/power_model/power_model.hpp"

namespace carnot::meter {

namespace {

void require_amount(double amount, const char* what) {
  if (!(std::isfinite(amount) && amount >= 0)) {
    throw InputError(std::string(what) + ": a finite number >= 0, found " + shortest(amount));
  }
}

template <class Q>
Estimate<Q> between(Q low, Q high, Origin origin, Boundary boundary, const char* cause,
                    std::vector<std::string> sources) {
  return {std::sqrt(low / Q::from_base(1) * (high / Q::from_base(1))) * Q::from_base(1),
          low,
          high,
          origin,
          boundary,
          cause,
          std::move(sources)};
}

}  // namespace

Estimate<Power> memory_power(double gigabytes) {
  require_amount(gigabytes, "gigabytes of memory");
  return between(0.05 * gigabytes * watt, 0.39 * gigabytes * watt, Origin::Modelled, Boundary::Chip,
                 "memory-power",
                 {"Tailpipe 2024 (37 machines): 0.05 W/GB", "BoaviztAPI: 0.284 W/GB",
                  "Green Algorithms: 0.3725 W/GB", "Cloud Carbon Footprint: 0.392 W/GB"});
}

Estimate<Energy> disk_energy(double bytes) {
  require_amount(bytes, "bytes");
  // A disk of 5 to 12 W active that moves 0.15 to 7 GB/s: 0.7 to 80 J/GB.
  return between(0.7e-9 * bytes * joule, 80e-9 * bytes * joule, Origin::Assumed, Boundary::Chip,
                 "disk-energy",
                 {"5 to 12 W while moving 0.15 (hard disk) to 7 GB/s (NVMe), data sheets"});
}

Estimate<Energy> network_energy(double bytes) {
  require_amount(bytes, "bytes");
  // 0.001 kWh/GB inside data centres (Cloud Carbon Footprint); 0.06 kWh/GB across the internet,
  // fixed line, 2015 (Aslan et al. 2018), halving every two years since.
  return between(0.001e-9 * bytes * kilowatt_hour, 0.06e-9 * bytes * kilowatt_hour,
                 Origin::Modelled, Boundary::Facility, "network-energy",
                 {"Cloud Carbon Footprint: 0.001 kWh/GB",
                  "Aslan et al., J. Ind. Ecol. 22 (2018): 0.06 kWh/GB in 2015"});
}

}  // namespace carnot::meter
