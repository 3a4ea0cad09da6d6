// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "carnot/report/result.hpp"

#include "report/sample_run.hpp"

namespace carnot::report {
namespace {

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  ASSERT_TRUE(file.good()) << path;
}

/// Writes sample reports where CARNOT_SAMPLE_OUT says, for looking at them.
TEST(SamplePage, IsWrittenOnRequest) {
  const char* folder = std::getenv("CARNOT_SAMPLE_OUT");
  if (folder == nullptr) {
    GTEST_SKIP() << "set CARNOT_SAMPLE_OUT=/some/folder to have sample reports written there";
  }
  const std::string base = folder;
  const RunResult result = summarise(sample::run());
  write(base + "/sample.html", to_html(result));
  write(base + "/sample.json", to_json(result));
  for (const int width : {60, 80, 120, 200}) {
    write(base + "/sample" + std::to_string(width) + ".txt", to_terminal(result, width, false));
  }
  sample::Options options;
  options.interrupted = true;
  write(base + "/interrupted.html", to_html(summarise(sample::run(options))));
  options = {};
  options.farm_w = 4e7;
  options.export_w = 3.2e7;
  write(base + "/large_farm.html", to_html(summarise(sample::run(options))));
}

}  // namespace
}  // namespace carnot::report
