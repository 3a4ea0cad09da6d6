// SPDX-License-Identifier: Apache-2.0
#include "assess/evidence/node_list.hpp"

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"

namespace carnot::assess {

namespace {

constexpr std::size_t kMostNames = 100'000;

void expand(const std::string& head, std::string_view rest, std::vector<std::string>& out) {
  const auto open = rest.find('[');
  if (open == std::string_view::npos) {
    if (rest.find(']') != std::string_view::npos) throw InputError("a bracket that nothing opens");
    out.push_back(head + std::string(rest));
    if (out.size() > kMostNames) throw InputError("at most 100,000 names");
    return;
  }
  const auto close = rest.find(']', open);
  if (close == std::string_view::npos) throw InputError("a bracket that does not close");
  std::string_view inside = rest.substr(open + 1, close - open - 1);
  const std::string begin = head + std::string(rest.substr(0, open));
  for (;;) {
    const auto comma = inside.find(',');
    const std::string_view one = inside.substr(0, comma);
    const auto dash = one.find('-');
    const std::string_view low = one.substr(0, dash);
    const std::string_view high = dash == std::string_view::npos ? low : one.substr(dash + 1);
    if (low.empty() || high.empty() || low.size() > 9 || high.size() > 9 ||
        low.find_first_not_of("0123456789") != std::string_view::npos ||
        high.find_first_not_of("0123456789") != std::string_view::npos)
      throw InputError("numbers in brackets");
    const long long from = parse_integer(low), to = parse_integer(high);
    if (to < from || to - from > static_cast<long long>(kMostNames))
      throw InputError("a range that goes up");
    for (long long n = from; n <= to; ++n)
      expand(begin + fmt::format("{:0{}}", n, low.size()), rest.substr(close + 1), out);
    if (comma == std::string_view::npos) break;
    inside.remove_prefix(comma + 1);
  }
}

}  // namespace

std::vector<std::string> expand_node_list(std::string_view text) {
  std::vector<std::string> out;
  if (text.empty() || text == "None assigned" || text == "None" || text == "(null)") return out;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    if (depth < 0 || depth > 1) throw InputError("brackets in pairs");
    if (c != ',' || (depth != 0 && i < text.size())) continue;
    const std::string_view one = text.substr(begin, i - begin);
    if (one.empty()) throw InputError("names between commas");
    expand("", one, out);
    begin = i + 1;
  }
  return out;
}

}  // namespace carnot::assess
