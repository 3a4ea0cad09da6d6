// SPDX-License-Identifier: Apache-2.0
// A sensor tree that lives: counters that run at known power, faults on command, and the truth.
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include "meter/testing/testing_tree.hpp"

namespace {

namespace testing = carnot::meter::testing;
using carnot::joule;
using carnot::watt;

constexpr const char* kUsage = R"(usage: meter_tree TOPOLOGY ROOT [--period-us N] [--script FILE]
       meter_tree --list

Makes the tree of TOPOLOGY under ROOT (best on tmpfs): ROOT/sys, ROOT/proc and ROOT/dev; and counts
energy into its files every N microseconds (default 1000), all power off at first. Reads commands,
one a line, from standard input and answers each with one line of JSON: the truth after the command,
or {"error": ...}. Ends with its input. A register is what a counter shows, such as package-0;
answers name them.

  truth                         joules since the beginning, and the time on CLOCK_MONOTONIC
  power FACTOR                  1: every register draws its power; 0: none
  watts REGISTER W              what this one draws at factor 1
  turn REGISTER JOULES          its counter wraps after so much more
  reset REGISTER                its counter begins again at zero
  fail REGISTER, mend REGISTER  reading it gives EIO; works again
  vanish REGISTER               its folder is gone
  mode PATH OCTAL               chmod of a file, relative to ROOT
  remove PATH                   a file is gone

FILE holds commands to be given by themselves: SECONDS-AFTER-START COMMAND, one a line, in order.
With the right to it the program runs under SCHED_FIFO, so that counters move on time on a busy
machine.
)";

/// More than any test spends, so that nothing turns by itself; less than a turn.
constexpr double kJoulesToWrap = 60'000.0;

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// A tree in real time.
class Plant {
 public:
  Plant(std::filesystem::path root, testing::Topology topology)
      : root_(std::move(root)), tree_(root_, topology, kJoulesToWrap), at_ns_(now_ns()) {
    for (const testing::Register& r : tree_.registers()) watts_.push_back(r.power / watt);
    power(0);
  }

  /// Integrates to now and shows the counters.
  void tick() {
    const std::int64_t now = now_ns();
    tree_.advance(static_cast<double>(now - at_ns_) * 1e-9);
    at_ns_ = now;
  }

  void power(double factor) {
    tick();
    factor_ = factor;
    for (std::size_t k = 0; k < watts_.size(); ++k)
      tree_.set_power(tree_.registers()[k].id, factor_ * watts_[k] * watt);
  }

  void watts(const std::string& id, double watts) {
    watts_[index_of(id)] = watts;
    power(factor_);
  }

  testing::SensorTree& tree() { return tree_; }
  const std::filesystem::path& root() const { return root_; }

  std::string truth_json() const {
    std::string registers;
    for (const testing::Register& r : tree_.registers())
      registers += fmt::format("{}\"{}\": {:.9f}", registers.empty() ? "" : ", ", r.id,
                               tree_.true_energy(r.id) / joule);
    return fmt::format("{{\"at_ns\": {}, \"joules\": {:.9f}, \"registers\": {{{}}}}}", at_ns_,
                       tree_.true_total() / joule, registers);
  }

 private:
  std::size_t index_of(const std::string& id) const {
    const auto& all = tree_.registers();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& r) { return r.id == id; });
    if (found == all.end()) throw std::invalid_argument("no register '" + id + "'");
    return static_cast<std::size_t>(found - all.begin());
  }

  std::filesystem::path root_;
  testing::SensorTree tree_;
  std::vector<double> watts_;  // of each register at factor 1
  double factor_ = 0;
  std::int64_t at_ns_;
};

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
    else if (is("turn", 2))
      plant.tree().turn_after(w[1], number(w[2]) * joule);
    else if (is("reset", 1))
      plant.tree().reset(w[1]);
    else if (is("fail", 1))
      plant.tree().fail(w[1]);
    else if (is("mend", 1))
      plant.tree().mend(w[1]);
    else if (is("vanish", 1))
      plant.tree().vanish(w[1]);
    else if (is("mode", 2))
      std::filesystem::permissions(
          plant.root() / w[1], static_cast<std::filesystem::perms>(std::stoi(w[2], nullptr, 8)));
    else if (is("remove", 1))
      std::filesystem::remove(plant.root() / w[1]);
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
    for (const testing::Topology topology : testing::all_topologies())
      std::cout << name(topology) << '\n';
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
  const auto& all = testing::all_topologies();
  const auto wanted = std::find_if(all.begin(), all.end(), [&](testing::Topology topology) {
    return !places.empty() && name(topology) == places[0];
  });
  if (places.size() != 2 || wanted == all.end() || period_us <= 0) {
    std::cerr << kUsage;
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  Plant plant(places[1], *wanted);
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
