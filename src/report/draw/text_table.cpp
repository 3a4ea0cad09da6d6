// SPDX-License-Identifier: Apache-2.0
#include "report/draw/text_table.hpp"

namespace carnot::report {

std::string strong(const std::string& text, bool colour) {
  return colour ? "\x1b[1m" + text + "\x1b[0m" : text;
}

std::string soft(const std::string& text, bool colour) {
  return colour ? "\x1b[2m" + text + "\x1b[0m" : text;
}

std::string text_table(std::vector<Column> table, const std::vector<std::string>& markers,
                       std::size_t room, bool colour) {
  const std::vector<std::string> lines = table_lines(table, room, markers);
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i)
    out += (i < 2                    ? soft(lines[i], colour)
            : markers[i - 2] == "> " ? strong(lines[i], colour)
                                     : lines[i]) +
           "\n";
  return out;
}

}  // namespace carnot::report
