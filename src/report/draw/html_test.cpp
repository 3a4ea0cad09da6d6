// SPDX-License-Identifier: Apache-2.0
#include "report/draw/html.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/draw/testing_markup.hpp"

namespace carnot::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string chapters(int count) {
  std::string body = html::heading(1, "Title");
  for (int i = 1; i <= count; ++i) body += html::heading(2, "Part <" + std::to_string(i) + ">");
  return html::page("Title", body);
}

TEST(Html, LongPagesListTheirChapters) {
  EXPECT_THAT(chapters(3), Not(HasSubstr("<nav")));
  const std::string page = chapters(4);
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("<li><a href=\"#c4\">Part &lt;4&gt;</a></li>"));
  EXPECT_THAT(page, HasSubstr("<h2 id=\"c4\">Part &lt;4&gt;</h2>"));
  EXPECT_LT(page.find("</nav>"), page.find("<h2 id=\"c1\">"));
}

TEST(Html, APageHoldsItsData) {
  // The test vectors of RFC 4648, section 10.
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, packed] : vectors)
    EXPECT_THAT(html::data_link("data", "a.json", plain),
                HasSubstr(std::string("base64,") + packed + "\">data</a>"));
  EXPECT_THAT(html::data_link("d", "a.json", std::string("\0\xff\xfe", 3)), HasSubstr(",AP/+\""));
}

}  // namespace
}  // namespace carnot::report
