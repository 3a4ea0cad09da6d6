// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/version.hpp"

static_assert(carnot::kVersion == CARNOT_PROJECT_VERSION,
              "include/carnot/base/version.hpp and project(VERSION) in CMakeLists.txt differ");
