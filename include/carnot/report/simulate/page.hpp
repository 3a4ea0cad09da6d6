// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The page of a simulation, from its document alone (docs/formats/simulate.md): policies side by
/// side, the best rival and the bound beside every saving. Pure functions; thread-safe.

#include <string>

namespace carnot::report {

/// True if the text of a JSON document begins like a carnot.simulate/1.
bool is_simulation(const std::string& text);

/// \param text  the document
/// \param path  where it stands, for messages
/// \throws InputError naming what is missing or of another kind
std::string simulate_page_html(const std::string& text, const std::string& path);
/// The page's sentences.
std::string simulate_page_terminal(const std::string& text, const std::string& path, int width,
                                   bool colour);

}  // namespace carnot::report
