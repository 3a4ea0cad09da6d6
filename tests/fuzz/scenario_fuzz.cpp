// SPDX-License-Identifier: Apache-2.0
// The scenario reader over any bytes. The first line may be overrides, as `#! key=value|key=value`,
// so that the command line is fuzzed along. Whatever is accepted must make a site.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/site/scenario.hpp"
#include "carnot/site/site.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  std::vector<std::string> overrides;
  if (text.starts_with("#! ")) {
    std::string one;
    for (std::size_t i = 3; i < text.size() && text[i] != '\n'; ++i) {
      if (text[i] == '|') {
        overrides.push_back(one);
        one.clear();
      } else {
        one += text[i];
      }
    }
    overrides.push_back(one);
  }
  try {
    const carnot::site::Scenario scenario =
        carnot::site::parse_scenario(text, "fuzz.toml", overrides);
    const carnot::site::SiteSimulator site(scenario.site);
    if (scenario.slot <= carnot::Duration{}) throw carnot::InternalError("a slot has a length");
    if (carnot::site::parse_scenario(text, "fuzz.toml", overrides).places.size() !=
        scenario.places.size())
      throw carnot::InternalError("reading twice gives the same");
  } catch (const carnot::InputError&) {
  }
  return 0;
}
