// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot learn tradeoff --knob` shows: a document (JSON: docs/formats/learn-views.md), a
/// table for a terminal, a page. Functions of values; safe from any thread.

#include <string>

#include "carnot/experiment/knob.hpp"

namespace carnot::report {

std::string knob_json(const experiment::KnobResult& result);
std::string knob_terminal(const experiment::KnobResult& result, int width, bool colour);
std::string knob_html(const experiment::KnobResult& result);

}  // namespace carnot::report
