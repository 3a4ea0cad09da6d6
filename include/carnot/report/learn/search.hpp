// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot learn search` shows: a document (JSON: docs/formats/search.md), a table for a
/// terminal, a page. Functions of values; safe from any thread.

#include <string>

#include "carnot/experiment/search.hpp"

namespace carnot::report {

std::string search_json(const experiment::SearchResult& result);
std::string search_terminal(const experiment::SearchResult& result, int width, bool colour);
std::string search_html(const experiment::SearchResult& result);

}  // namespace carnot::report
