// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: whether a page is well-formed, needs nothing from outside and can be read aloud.

#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carnot::report {

/// The page without the links that lead nowhere else: to its own chapters and to the data it holds.
inline std::string without_own_links(std::string page) {
  for (const std::string start : {" href=\"#", " href=\"data:application/json;base64,"})
    for (std::size_t at; (at = page.find(start)) != std::string::npos;)
      page.erase(at, page.find('"', at + start.size()) + 1 - at);
  return page;
}

/// A strict reader of the HTML we write: every element is closed in order, attributes are quoted,
/// `<`, `>` and bare `&` do not stand in text, ids are unique. Empty: well-formed.
inline std::string fault_of(const std::string& page) {
  const std::string text = without_own_links(page);  // long ones are too much for std::regex
  const std::set<std::string> kVoid = {"meta", "input", "br"};
  std::vector<std::string> open;
  std::set<std::string> ids;
  std::size_t i = text.find('\n') + 1;  // after the doctype
  const std::regex attribute(R"re(\s+([a-zA-Z0-9:-]+)(="([^"<>]*)")?)re");
  while (i < text.size()) {
    if (text[i] == '&') {
      static const std::regex entity("&(amp|lt|gt|quot|#39);");
      const std::string ahead = text.substr(i, 7);
      if (!std::regex_search(ahead, entity, std::regex_constants::match_continuous)) {
        return "bare & at " + text.substr(i, 20);
      }
    }
    if (text[i] == '>') return "bare > before " + text.substr(i, 20);
    if (text[i] != '<') {
      ++i;
      continue;
    }
    const std::size_t end = text.find('>', i);
    if (end == std::string::npos) return "tag never ends";
    std::string tag = text.substr(i + 1, end - i - 1);
    i = end + 1;
    if (tag.starts_with("/")) {
      if (open.empty() || open.back() != tag.substr(1)) return "unexpected </" + tag.substr(1);
      open.pop_back();
      continue;
    }
    const bool closed = tag.ends_with("/");
    if (closed) tag.pop_back();
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    std::string rest = tag.substr(name.size());
    for (std::smatch m; !rest.empty(); rest = m.suffix()) {
      if (!std::regex_search(rest, m, attribute, std::regex_constants::match_continuous)) {
        return "bad attributes in <" + tag.substr(0, 200);
      }
      if (m[1] == "id" && !ids.insert(m[3]).second) return "id twice: " + m[3].str();
    }
    if (closed || kVoid.contains(name)) continue;
    if (name == "style") {
      i = text.find("</style>", i) + 8;
      continue;
    }
    open.push_back(name);
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

/// What must hold for every page.
inline void expect_sound(const std::string& page) {
  EXPECT_EQ(fault_of(page), "");
  std::string rest = without_own_links(page);
  EXPECT_FALSE(std::regex_search(rest, std::regex(R"(\b(nan|NaN|inf)\b)")));
  rest = std::regex_replace(rest, std::regex("http://www.w3.org/2000/svg"), "");
  for (const char* outside : {"http:", "https:", "//", "url(", "@import", "<script", "<link",
                              "<img", "<iframe", "src=", "href="}) {
    EXPECT_THAT(rest, testing::Not(testing::HasSubstr(outside)));
  }
  // Every picture can be read aloud.
  std::size_t svgs = 0, described = 0;
  for (std::size_t at = page.find("<svg "); at != std::string::npos;
       at = page.find("<svg ", at + 1)) {
    ++svgs;
    const std::string head = page.substr(at, 2000);
    described +=
        head.find("<title>") != std::string::npos && head.find("<desc>") != std::string::npos;
  }
  EXPECT_EQ(svgs, described);
}

}  // namespace carnot::report
