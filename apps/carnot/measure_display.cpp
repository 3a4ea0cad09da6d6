// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "measure_command.hpp"

namespace carnot::app {

namespace {

constexpr std::int64_t kRedrawEvery_ns = 200'000'000;
constexpr int kFewLines = 24;  // where the terminal does not say

int terminal_height(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) return size.ws_row;
  return kFewLines;
}

}  // namespace

LiveDisplay::LiveDisplay(bool wanted) : on_(wanted && is_terminal(STDERR_FILENO)) {}

LiveDisplay::~LiveDisplay() {
  if (lines_ == 0) return;
  std::fputs(fmt::format("\033[{}A\r\033[J", lines_).c_str(), stderr);
  std::fflush(stderr);
}

void LiveDisplay::draw(const measure::MeasureView& view) {
  if (!on_) return;
  if (!begun_) tracker_.begin(view.begin);
  begun_ = true;
  tracker_.sample(view.sample);
  tracker_.processes(view.processes);
  if (view.sample.monotonic_ns - drawn_ns_ < kRedrawEvery_ns) return;
  drawn_ns_ = view.sample.monotonic_ns;
  const std::string picture = report::live_view(tracker_.state(), terminal_width(STDERR_FILENO) - 1,
                                                terminal_height(STDERR_FILENO) - 1, true);
  std::string out = lines_ > 0 ? fmt::format("\033[{}A\r\033[J", lines_) : std::string();
  out += picture;
  if (!out.ends_with('\n')) out += '\n';
  lines_ = static_cast<int>(std::count(picture.begin(), picture.end(), '\n')) +
           (picture.ends_with('\n') ? 0 : 1);
  std::fwrite(out.data(), 1, out.size(), stderr);
  std::fflush(stderr);
}

}  // namespace carnot::app
