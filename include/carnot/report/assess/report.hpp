// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// An assessment for people and for programs: terminal, carnot.assess/1 (docs/formats/assess.md),
/// page. The same figures in all three. Pages name files below the folder, never where it lies, and
/// no identifiers of accounts. Pure functions; thread-safe.

#include <cstddef>
#include <string>

#include "carnot/assess/assessment.hpp"

namespace carnot::report {

struct AssessView {
  std::size_t width = 80;
  bool colour = false;
};

std::string assess_terminal(const assess::Assessment& assessment, const AssessView& view);
/// carnot.assess/1, two blanks a level, a line feed at the end.
std::string assess_json(const assess::Assessment& assessment, const std::string& command);
/// A page that loads nothing; chapters: assess, hardware and cloud, models and algorithms, policy.
/// It holds the document under a link.
std::string assess_html(const assess::Assessment& assessment, const std::string& command = {});

}  // namespace carnot::report
