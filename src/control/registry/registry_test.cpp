// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/registry.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"

#include "control/training/testing_world.hpp"

namespace carnot::control {
namespace {

using ::testing::HasSubstr;

template <class Options>
std::string refusal(const std::string& name, const Options& options) {
  try {
    (void)make_policy(name, options);
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << name << " is made";
  return "";
}

TEST(Registry, NamesEveryPolicyOnce) {
  std::set<std::string_view> names;
  for (const PolicyInfo& info : policy_list()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.what.empty() || info.source.empty()) << info.name;
  }
  EXPECT_EQ(names.size(), 28U);
}

TEST(Registry, MakesPoliciesOfOneJob) {
  const auto modes = testing::modes();
  const JobPolicyOptions options{modes, {}};
  for (const std::string& name : policy_names(modes))
    if (name != "oracle") {
      EXPECT_EQ(make_policy(name, options)->name(), name);
      EXPECT_FALSE(make_policy(name, options)->knowledge().future) << name;
      EXPECT_FALSE(make_policy(name, options)->knowledge().lengths) << name;
    }
  EXPECT_EQ(make_policy("fixed:8", options)->name(), "fixed:int8");  // bits name a mode too
  EXPECT_EQ(policy_names(modes).back(), "oracle");
  EXPECT_THAT(refusal("adaptiv", options), HasSubstr("did you mean `adaptive`"));
  for (const char* name : {"fixed:int3", "", "oracle", "no-wait", "no-wait:oracle"})
    refusal(name, options);
  EXPECT_THAT(refusal("no-wait", options), HasSubstr("steers the jobs of a fleet"));
}

TEST(Registry, MakesPoliciesOfFleetsAndSaysWhatTheyKnow) {
  const FleetPolicyOptions options;
  for (const std::string& name : policy_names()) {
    const auto plain = make_policy(name, options);
    EXPECT_EQ(plain->name(), name);
    EXPECT_FALSE(plain->knowledge().future || plain->knowledge().lengths) << name;
    const auto oracle = make_policy(name + ":oracle", options);
    EXPECT_EQ(oracle->name(), name + ":oracle");
    EXPECT_TRUE(oracle->knowledge().future && oracle->knowledge().lengths) << name;
  }
  EXPECT_TRUE(make_policy("easy:lengths", options)->knowledge().lengths);
  EXPECT_FALSE(make_policy("easy:lengths", options)->knowledge().future);
  EXPECT_TRUE(make_policy("easy:future", options)->knowledge().future);
  EXPECT_THAT(refusal("wait-awile", options), HasSubstr("did you mean `wait-awhile`"));
  EXPECT_THAT(refusal("adaptive", options), HasSubstr("one job that learns"));
  EXPECT_THAT(refusal("fixed:int8", options), HasSubstr("one job that learns"));
  EXPECT_THAT(refusal("easy:", options), HasSubstr("behind the colon"));
  EXPECT_THAT(refusal("easy:all", options), HasSubstr("behind the colon"));
}

TEST(Registry, DamagedStateIsRefused) {
  const FleetPolicyOptions options;
  const auto restore = [&](const std::string& name, const std::vector<std::uint8_t>& bytes) {
    StateReader state(bytes);
    make_policy(name, options)->restore(state);
    state.end();
  };
  for (const std::string& name : policy_names()) {
    StateWriter state;
    make_policy(name, options)->save(state);
    std::vector<std::uint8_t> bytes = state.take();
    EXPECT_NO_THROW(restore(name, bytes)) << name;
    bytes.pop_back();
    EXPECT_THROW(restore(name, bytes), InputError) << name;
    bytes.resize(bytes.size() + 2);
    EXPECT_THROW(restore(name, bytes), InputError) << name;
  }
}

}  // namespace
}  // namespace carnot::control
