// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

#include "session.hpp"

namespace carnot::app {

namespace {
std::atomic<bool> g_interrupted{false};  // set in a handler, asked by any thread
static_assert(std::atomic<bool>::is_always_lock_free);

constexpr int kLineWidth = 200;
/// For programs that start carnot and want to know how far it is: CARNOT_PROGRESS=lines.
bool said_by_lines() {
  const char* how = std::getenv("CARNOT_PROGRESS");
  return how != nullptr && std::string_view(how) == "lines";
}

void on_interrupt(int) {
  if (g_interrupted.exchange(true)) _exit(kInterrupted);
}
}  // namespace

void print(std::string_view text) {
  if (session() != nullptr) {
    if (session()->out) session()->out(text);
    return;
  }
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    const int error = errno;
    if (error != EPIPE) throw IoError("standard output", "write", error);
  }
}

void say(const Common& common, std::string_view text) {
  if (common.quiet) return;
  if (session() != nullptr) {
    if (session()->said) session()->said(text);
    return;
  }
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fputc('\n', stderr);
}

bool is_terminal(int fd) { return isatty(fd) == 1; }

int terminal_width(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

ProgressLine::ProgressLine(const Common& common)
    : told_(session() != nullptr ? session()->progress : nullptr),
      lines_(session() != nullptr || said_by_lines()),
      enabled_(session() != nullptr ? told_ != nullptr
                                    : lines_ || (!common.quiet && is_terminal(STDERR_FILENO))),
      began_(std::chrono::steady_clock::now()),
      last_(began_) {}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::draw(const std::function<std::string(int)>& make) {
  using namespace std::chrono_literals;
  const auto now = std::chrono::steady_clock::now();
  if (!enabled_ || (!lines_ && now - began_ < 2s) || now - last_ < 100ms) return;
  last_ = now;
  if (told_) {
    told_(make(kLineWidth));
    return;
  }
  if (lines_) {
    const std::string line = make(kLineWidth) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
    return;
  }
  drawn_ = true;
  const std::string line = "\r\033[K" + make(terminal_width(STDERR_FILENO) - 1);
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (!drawn_) return;
  drawn_ = false;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

std::string positive_number(const std::string& text) {
  try {
    std::size_t end = 0;
    const double value = std::stod(text, &end);
    if (end == text.size() && std::isfinite(value) && value > 0.0) return "";
  } catch (const std::exception&) {
  }
  return "a number above 0, found `" + text + "`";
}

std::string whole_number(const std::string& text) {
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) return "";
  return "a whole number from 0 on, found `" + text + "`";
}

bool interrupted() {
  if (session() != nullptr) return session()->stop && session()->stop();
  return g_interrupted.load(std::memory_order_relaxed);
}

std::function<bool()> interrupt_question() {
  // Threads that work for this one have no session of their own.
  if (session() != nullptr) return session()->stop ? session()->stop : [] { return false; };
  return interrupted;
}

void watch_for_interrupt() {
  if (session() != nullptr) return;  // signals are somebody else's
  // On a stack of its own: matrix kernels that oneDNN generates keep things far below the stack
  // pointer, where a handler's frame would be written over them.
  static std::array<char, 1 << 16> stack;
  stack_t other{};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  sigaltstack(&other, nullptr);
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

StopToken stop_on_interrupt() {
  watch_for_interrupt();
  return StopToken(interrupt_question());
}

}  // namespace carnot::app
