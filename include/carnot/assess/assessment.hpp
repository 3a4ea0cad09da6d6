// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// An organisation assessed from a folder of what it has: start here. Evidence
/// (evidence/evidence.hpp) becomes activities (activity/activity.hpp), a footprint
/// (footprint/footprint.hpp), actions (actions/actions.hpp) and views by standard
/// (standards/standards.hpp). Same folder and options, same answer. Not thread-safe.

#include <functional>
#include <optional>
#include <string>

#include "carnot/assess/actions/actions.hpp"
#include "carnot/assess/actions/data_value.hpp"
#include "carnot/assess/activity/activity.hpp"
#include "carnot/assess/evidence/folder.hpp"
#include "carnot/assess/footprint/footprint.hpp"
#include "carnot/assess/standards/standards.hpp"

namespace carnot::assess {

struct AssessOptions {
  FootprintOptions footprint;
  ActionOptions actions;
  StandardOptions standards;
};

struct Assessment {
  AssessOptions options;
  Evidence evidence;
  ActivityGraph graph;
  Footprint footprint;
  ActionPlan actions;
  std::vector<DataItem> data;
  Standards standards;
};

/// \throws InputFileError for a folder that cannot be listed, InputError for options
Assessment assess(const std::string& folder, const AssessOptions& options,
                  const std::function<void(const std::string&)>& progress = {});

}  // namespace carnot::assess
