// SPDX-License-Identifier: Apache-2.0
#include "http.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "carnot/base/error.hpp"

#include "base/testing_files.hpp"

namespace carnot::app {
namespace {

using ::testing::HasSubstr;
using Headers = std::vector<std::pair<std::string, std::string>>;

HttpRequest get(std::string target, Headers headers, std::string method = "GET") {
  return {std::move(method), std::move(target), "", std::move(headers)};
}

/// 200: it may pass.
unsigned status_of(const HttpRequest& request, const HttpAccess& access = {},
                   std::string_view local = "127.0.0.1") {
  HttpResponse refusal;
  if (may_pass(request, access, local, refusal)) return 200;
  EXPECT_EQ(refusal.type, "application/problem+json");
  EXPECT_THAT(refusal.body, HasSubstr("\"status\":" + std::to_string(refusal.status)));
  return refusal.status;
}

TEST(HttpAccess, OnlyHostsThatAreOursAreAnswered) {
  const HttpAccess named{{"node7", "node7.example.org"}, ""};
  for (const char* host : {"127.0.0.1", "127.0.0.1:9187", "localhost", "LocalHost:1", "localhost.",
                           "node7", "NODE7.example.org:9187"})
    EXPECT_EQ(status_of(get("/", {{"host", host}}), named), 200U) << host;
  for (const char* host : {"evil.example", "evil.example:9187", "127.0.0.2",
                           "localhost.evil.example", "evil-localhost", "node70", "[::1]:9187"})
    EXPECT_EQ(status_of(get("/", {{"host", host}}), named), 421U) << host;
  EXPECT_EQ(status_of(get("/", {{"host", "[::1]:9187"}}), {}, "::1"), 200U);
  EXPECT_EQ(status_of(get("/", {{"host", "10.0.0.5:9187"}}), {}, "10.0.0.5"), 200U);
  for (const char* host : {"", ":80", "[::1", "localhost:80x", "localhost:80:90"})
    EXPECT_EQ(status_of(get("/", {{"host", host}})), 400U) << host;
  EXPECT_EQ(status_of(get("/", {})), 400U);
  EXPECT_EQ(status_of(get("/", {{"host", "localhost"}, {"host", "localhost"}})), 400U);
}

TEST(HttpAccess, WhatOtherSitesStartIsRefused) {
  const std::pair<std::string, std::string> host{"host", "localhost:9187"};
  EXPECT_EQ(status_of(get("/", {host, {"sec-fetch-site", "same-origin"}})), 200U);
  EXPECT_EQ(status_of(get("/", {host, {"sec-fetch-site", "none"}})), 200U);
  EXPECT_EQ(status_of(get("/", {host, {"sec-fetch-site", "cross-site"}})), 403U);
  EXPECT_EQ(status_of(get("/", {host, {"sec-fetch-site", "same-site"}})), 403U);
  EXPECT_EQ(status_of(get("/", {host,
                                {"sec-fetch-site", "cross-site"},
                                {"sec-fetch-mode", "navigate"},
                                {"sec-fetch-dest", "document"}})),
            200U);
  EXPECT_EQ(status_of(get("/", {host,
                                {"sec-fetch-site", "cross-site"},
                                {"sec-fetch-mode", "navigate"},
                                {"sec-fetch-dest", "iframe"}})),
            403U);
  EXPECT_EQ(status_of(get("/", {host, {"origin", "http://localhost:9187"}})), 200U);
  EXPECT_EQ(status_of(get("/", {host, {"origin", "http://localhost:1"}})), 403U);
  EXPECT_EQ(status_of(get("/", {host, {"origin", "http://evil.example"}})), 403U);
  EXPECT_EQ(status_of(get("/", {host, {"origin", "null"}})), 403U);
}

TEST(HttpAccess, ChangesNeedATokenAndWithOneReadingDoesToo) {
  const std::pair<std::string, std::string> host{"host", "localhost"};
  const HttpAccess locked{{}, "0123456789abcdef"};
  EXPECT_EQ(status_of(get("/", {host}, "POST")), 401U);
  EXPECT_EQ(status_of(get("/", {host}, "DELETE")), 401U);
  EXPECT_EQ(status_of(get("/", {host}), locked), 401U);
  const auto with = [&](const char* value) {
    return get("/", {host, {"authorization", value}}, "POST");
  };
  EXPECT_EQ(status_of(with("Bearer 0123456789abcdef"), locked), 200U);
  EXPECT_EQ(status_of(with("bearer 0123456789abcdef"), locked), 200U);
  for (const char* wrong :
       {"Bearer 0123456789abcdeg", "Bearer 0123456789abcde", "Bearer ", "Bearer",
        "0123456789abcdef", "Basic 0123456789abcdef", "Bearer 0123456789abcdef "})
    EXPECT_EQ(status_of(with(wrong), locked), 401U) << wrong;
  EXPECT_EQ(status_of(with("Bearer 0123456789abcdef")), 401U) << "no token is set";
  HttpResponse refusal;
  EXPECT_FALSE(may_pass(get("/", {host}), locked, "::1", refusal));
  EXPECT_EQ(refusal.headers.at(0).first, "WWW-Authenticate");
}

TEST(HttpAccess, ATokenForChangesAloneLeavesReadingFree) {
  const std::pair<std::string, std::string> host{"host", "localhost"};
  const HttpAccess access{{}, "0123456789abcdef", true};
  EXPECT_EQ(status_of(get("/", {host}), access), 200U);
  EXPECT_EQ(status_of(get("/", {host}, "POST"), access), 401U);
  EXPECT_EQ(
      status_of(get("/", {host, {"authorization", "Bearer 0123456789abcdef"}}, "POST"), access),
      200U);
  EXPECT_EQ(status_of(get("/",
                          {host,
                           {"authorization", "Bearer 0123456789abcdef"},
                           {"origin", "http://evil.example"}},
                          "POST"),
                      access),
            403U);
  EXPECT_NE(random_token(), random_token());
  EXPECT_EQ(random_token().size(), 32U);
}

TEST(HttpAccess, PathsThatLeadElsewhereAreNotFound) {
  for (const char* target :
       {"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/metrics/../", "//", "//evil.example/",
        "/..%2f..%2fetc", "/.git/config", "/\\..\\..", "/%00", "/metrics;x", "metrics",
        "http://evil.example/", "/a b", "/\x01", "/\xc3\xa9", "", "*"})
    EXPECT_EQ(status_of(get(target, {{"host", "localhost"}})), 404U) << target;
  EXPECT_EQ(status_of(get("/metrics?name=%2e%2e", {{"host", "localhost"}})), 200U);
}

TEST(HttpAccess, ATokenFileIsItsOwnersAlone) {
  const TemporaryFolder folder;
  const std::string path = folder.write("token", "0123456789abcdef\nmore\n");
  ::chmod(path.c_str(), 0644);
  EXPECT_THROW(read_token(path), InputError);
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(read_token(path), "0123456789abcdef");
  for (const char* bad : {"", "short", "0123456789 abcdef", "0123456789abcde\x01"}) {
    const std::string file = folder.write("bad", bad);
    ::chmod(file.c_str(), 0600);
    EXPECT_THROW(read_token(file), InputError) << bad;
  }
  EXPECT_THROW(read_token(folder / "none"), InputFileError);
}

}  // namespace
}  // namespace carnot::app
