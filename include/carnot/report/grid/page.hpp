// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Pages of grids, from their documents alone (docs/formats/grid.md): how loaded the wires are,
/// where wind and sun are used, exported and curtailed, and what placing computing on the grid by
/// several signals comes to. Pure functions; thread-safe.

#include <string>

namespace carnot::report {

/// True if the text of a JSON document begins like a carnot.grid/1 or a carnot.grid-place/1.
bool is_grid_document(const std::string& text);

/// \param text  the document
/// \param path  where it stands, for messages
/// \throws InputError naming what is missing or of another kind
std::string grid_page_html(const std::string& text, const std::string& path);
std::string grid_page_terminal(const std::string& text, const std::string& path, int width,
                               bool colour);

}  // namespace carnot::report
