// SPDX-License-Identifier: Apache-2.0
// A fixture tree that lives: counters that run at known power, and the truth on demand.
#include <charconv>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include "plant.hpp"

namespace {

using carnot::harness::now_ns;
using carnot::harness::Plant;
using carnot::harness::topologies;
using carnot::harness::Topology;

constexpr const char* kUsage = R"(usage: meter_tree TOPOLOGY ROOT [--period-us N] [--script FILE]
       meter_tree --list

Makes the tree of TOPOLOGY under ROOT, an empty folder that stands for /sys (best on tmpfs), and
counts energy into its files every N microseconds (default 1000), all power off at first. Reads
commands, one a line, from standard input and answers each with one line of JSON: the truth after
the command, or {"error": ...}. Ends with its input.

  truth                 joules since the beginning, and the time on CLOCK_MONOTONIC
  power FACTOR          1: every zone draws its power; 0: none
  watts ZONE W          what this zone draws at factor 1
  wrap ZONE SECONDS     its counter will turn then, at its present power
  reset ZONE            its counter begins again at zero
  fail ZONE, mend ZONE  reading gives EIO; works again
  remove ZONE           its folder is gone
  mode ZONE FILE OCTAL  chmod of a file beside its counter

FILE holds commands to be given by themselves: SECONDS-AFTER-START COMMAND, one a line, in order.
With the right to it the program runs under SCHED_FIFO, so that counters move on time on a busy
machine.
)";

double number(const std::string& word) {
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size())
    throw std::invalid_argument("'" + word + "' is no number");
  return value;
}

/// Does one command; the answer.
std::string answer(Plant& plant, const std::string& line) {
  std::istringstream words(line);
  std::vector<std::string> w;
  for (std::string word; words >> word;) w.push_back(word);
  try {
    if (w.empty()) throw std::invalid_argument("no command");
    const auto is = [&w](const char* name, std::size_t arguments) {
      return w[0] == name && w.size() == arguments + 1;
    };
    if (is("truth", 0))
      plant.tick();
    else if (is("power", 1))
      plant.power(number(w[1]));
    else if (is("watts", 2))
      plant.watts(w[1], number(w[2]));
    else if (is("wrap", 2))
      plant.wrap(w[1], number(w[2]));
    else if (is("reset", 1))
      plant.reset(w[1]);
    else if (is("fail", 1))
      plant.fail(w[1]);
    else if (is("mend", 1))
      plant.mend(w[1]);
    else if (is("remove", 1))
      plant.remove(w[1]);
    else if (is("mode", 3))
      plant.mode(w[1], w[2], static_cast<unsigned>(std::stoul(w[3], nullptr, 8)));
    else
      throw std::invalid_argument("what is '" + line + "'?");
    return plant.truth_json();
  } catch (const std::exception& error) {
    return std::string("{\"error\": \"") + error.what() + "\"}";
  }
}

using Script = std::vector<std::pair<double, std::string>>;

Script read_script(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::invalid_argument("cannot read " + path);
  Script script;
  double seconds = 0;
  for (std::string command; in >> seconds && std::getline(in >> std::ws, command);)
    script.emplace_back(seconds, command);
  if (!in.eof()) throw std::invalid_argument(path + ": wants SECONDS COMMAND on each line");
  return script;
}

void run(Plant& plant, std::int64_t period_ns, const Script& script) {
  const std::int64_t begin = now_ns();
  std::int64_t next = begin;
  auto scripted = script.begin();
  std::string pending;
  for (;;) {
    const std::int64_t now = now_ns();
    if (now >= next) {
      plant.tick();
      next += period_ns * ((now - next) / period_ns + 1);  // periods missed are not made up for
    }
    while (scripted != script.end() && static_cast<double>(now - begin) * 1e-9 >= scripted->first) {
      std::cout << answer(plant, scripted->second) << std::endl;
      ++scripted;
    }
    pollfd in{STDIN_FILENO, POLLIN, 0};
    const std::int64_t left = std::max<std::int64_t>(next - now_ns(), 0);
    const timespec wait{left / 1'000'000'000, left % 1'000'000'000};
    if (ppoll(&in, 1, &wait, nullptr) <= 0) continue;
    char bytes[4096];
    const ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got <= 0) return;
    pending.append(bytes, static_cast<std::size_t>(got));
    for (std::size_t end; (end = pending.find('\n')) != std::string::npos;) {
      std::cout << answer(plant, pending.substr(0, end)) << std::endl;
      pending.erase(0, end + 1);
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 1 && words[0] == "--list") {
    for (const Topology& topology : topologies()) std::cout << topology.name << '\n';
    return 0;
  }
  std::int64_t period_us = 1000;
  Script script;
  std::vector<std::string> places;
  for (std::size_t k = 0; k < words.size(); ++k) {
    if (words[k] == "--period-us" && k + 1 < words.size())
      period_us = static_cast<std::int64_t>(number(words[++k]));
    else if (words[k] == "--script" && k + 1 < words.size())
      script = read_script(words[++k]);
    else
      places.push_back(words[k]);
  }
  const Topology* wanted = nullptr;
  for (const Topology& topology : topologies())
    if (!places.empty() && topology.name == places[0]) wanted = &topology;
  if (places.size() != 2 || wanted == nullptr || period_us <= 0) {
    std::cerr << kUsage;
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  Plant plant(*wanted, places[1]);
  sched_param priority{};
  priority.sched_priority = 10;
  sched_setscheduler(0, SCHED_FIFO, &priority);  // a wish
  std::cout << plant.truth_json() << std::endl;
  run(plant, period_us * 1000, script);
  return 0;
} catch (const std::exception& error) {
  std::cerr << "meter_tree: " << error.what() << '\n';
  return 3;
}
