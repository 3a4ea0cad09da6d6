// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/view.hpp"

#include <string>

#include "carnot/base/error.hpp"

namespace carnot::control {

void View::refuse(JobIndex job) {
  throw InternalError("a policy asks for job " + std::to_string(job) +
                      ", which has not arrived: it sees none but those that have");
}

void View::refuse(SiteIndex site) {
  throw InternalError("a policy asks for site " + std::to_string(site) + ", which is not there");
}

}  // namespace carnot::control
