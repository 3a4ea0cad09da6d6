// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Explanations (carnot.explain/1) as the HTTP API shows them: the tree with words beside its
/// figures, and each leaf's constant with its source. docs/formats/api.md. Pure, thread-safe.

#include <string>

namespace carnot::report {

/// True if the text of a JSON document begins like a carnot.explain/1.
bool is_explanation(const std::string& text);

/// \throws InputError for a text that is no carnot.explain/1
std::string why_json(const std::string& text, const std::string& id, const std::string& name);

}  // namespace carnot::report
