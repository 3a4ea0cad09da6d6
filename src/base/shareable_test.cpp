// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/shareable.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace carnot {
namespace {

/// Of the right shape and worth nothing.
std::string made(const std::string& prefix, std::size_t letters) {
  std::string out = prefix;
  for (std::size_t i = 0; i < letters; ++i) out += "aB3dE6gH9jK2mN5"[i % 15];
  return out;
}

std::vector<std::string> secrets() {
  std::vector<std::string> out;
  for (const char* prefix :
       {"AKIA",     "ASIA",          "AIza",        "ya29.",     "ghp_",   "gho_",   "ghu_",
        "ghs_",     "ghr_",          "github_pat_", "glpat-",    "xoxb-",  "xoxp-",  "sk-",
        "sk-proj-", "sk-ant-api03-", "sk_live_",    "rk_live_",  "hf_",    "npm_",   "pypi-",
        "dop_v1_",  "SG.",           "hvs.",        "dckr_pat_", "NRAK-",  "shpat_", "eyJ",
        "lin_api_", "whsec_",        "nvapi-",      "gsk_",      "tskey-", "r8_",    "dapi"})
    out.push_back(made(prefix, 36));
  out.push_back("0123456789abcdef0123456789abcdef");
  out.push_back("-----BEGIN RSA PRIVATE KEY-----");
  return out;
}

TEST(Shareable, KeysOfServicesAreHiddenWhereverTheyStand) {
  for (const std::string& secret : secrets()) {
    for (const std::string& word :
         {secret, "X=" + secret, "--option=" + secret, "a:" + secret, "--set=x.y=" + secret,
          "https://u:" + secret + "@example.org/x", "https://example.org/hook/" + secret,
          "https://example.org/x?key=" + secret, "Authorization: Bearer " + secret}) {
      EXPECT_EQ(shareable_word(word).find(secret), std::string::npos) << word;
    }
    const std::vector<std::string> words{"carnot", "run", secret};
    EXPECT_EQ(shareable_words(words)[2], "[hidden]") << secret;
  }
}

TEST(Shareable, NamesTellWhatIsSecretWhateverItLooksLike) {
  for (const char* name :
       {"API_TOKEN", "--token", "--redfish-password", "DB_PASSWORD", "secret", "apiKey", "api-key",
        "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "--auth", "cookie", "SSH_PRIVATE_KEY", "JWT"}) {
    EXPECT_EQ(shareable_word(std::string(name) + "=hunter2"), std::string(name) + "=[hidden]");
  }
  EXPECT_EQ(shareable_words(std::vector<std::string>{"x", "--password", "hunter2", "y"}),
            (std::vector<std::string>{"x", "--password", "[hidden]", "y"}));
  EXPECT_EQ(shareable_word("Cookie: hunter2"), "Cookie: [hidden]");
}

TEST(Shareable, OrdinaryWordsStay) {
  for (const char* word : {"carnot",
                           "plan",
                           "--json",
                           "problem.json",
                           "examples/ridge.toml",
                           "--policy",
                           "fixed:int8,adaptive",
                           "--set",
                           "work.minimum_quality=0.9",
                           "10 s",
                           "--seed=20",
                           "DE",
                           "disaster.csv",
                           "task-force",
                           "author=me",
                           "monkey.json",
                           "0.25",
                           "--interval",
                           "-o",
                           "2026-11-30T12:00:00Z",
                           "https://bmc/redfish/v1",
                           "scores.csv",
                           "/"}) {
    EXPECT_EQ(shareable_word(word), word);
  }
}

TEST(Shareable, FoldersOfThisMachineStayHere) {
  EXPECT_EQ(shareable_word("/home/ada/private/run.toml"), "run.toml");
  EXPECT_EQ(shareable_word("--out=/home/ada/x.journal"), "--out=x.journal");
  EXPECT_EQ(shareable_word("~/x/y.csv"), "y.csv");
  EXPECT_EQ(shareable_word("/srv/data/"), "data");
  EXPECT_EQ(shareable_word("file:///home/ada/x"), "x");
}

TEST(Shareable, ProgramsOfOthersAreNamedAndTheirArgumentsCounted) {
  EXPECT_EQ(shareable_program(std::vector<std::string>{"true"}), "true");
  EXPECT_EQ(shareable_program(std::vector<std::string>{"/opt/x/train", "a"}), "train (1 argument)");
  EXPECT_EQ(shareable_program(std::vector<std::string>{"env", "API_TOKEN=s3cr3t", "python3"}),
            "env (2 arguments)");
}

RC_GTEST_PROP(Shareable, AnyTextIsTakenAndWhatWasHiddenStaysHidden, (const std::string& word)) {
  const std::string once = shareable_word(word);
  RC_ASSERT(shareable_word("PASSWORD=" + word + "x") == "PASSWORD=[hidden]");
  RC_ASSERT(once.size() <= word.size() + 16 * (1 + static_cast<std::size_t>(
                                                       std::count(word.begin(), word.end(), '='))));
}

}  // namespace
}  // namespace carnot
