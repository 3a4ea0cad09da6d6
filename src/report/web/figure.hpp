// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Figures as the documents of the HTTP API carry them: those of every document, and beside the
/// number the words that the page shows, so that a page never rounds or converts anything itself.
/// Private to the .cpp that write JSON.

#include <string>

#include "report/draw/json_figure.hpp"
#include "report/measure/measurement_words.hpp"

namespace carnot::report {

/// "1.2 J (0.3 … 2)" -> "1.2 J" and "0.3 … 2 J"; a figure without an interval has no range.
inline void add_words(Json& figure, const std::string& words) {
  const std::size_t open = words.find(" (");
  const std::string text = words.substr(0, open);
  figure["text"] = text;
  figure["range"] = open == std::string::npos
                        ? std::string()
                        : words.substr(open + 2, words.size() - open - 3) +
                              text.substr(std::min(text.size(), text.rfind(' ')));
}

/// A figure with `text` and `range`.
template <class Q>
Json worded_figure(const Estimate<Q>& estimate) {
  Json out = json_figure(estimate);
  add_words(out, interval_in_words(estimate));
  return out;
}

inline std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace carnot::report
