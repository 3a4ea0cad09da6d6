// SPDX-License-Identifier: Apache-2.0
// signals: SIGSTOP and SIGCONT.
#include <algorithm>
#include <cerrno>
#include <csignal>

#include <sys/types.h>
#include <unistd.h>

#include "live/local/actuators.hpp"

namespace carnot::live {

namespace {

/// Stops parents before their children, and looks again until nobody new is found: a process that
/// forks while it is being stopped leaves a child that is met in the next pass. Who was stopped
/// already stays so afterwards: that was not ours.
class Signals final : public Actuator {
 public:
  Signals(ActuatorInfo info, meter::Job& job, Restorer& restorer)
      : Actuator(std::move(info)), job_(job), restorer_(restorer) {}

  void apply(const Order& order) noexcept override {
    if (order.run) {
      if (!stopped_.empty()) resume();
      return;
    }
    try {
      stop();
    } catch (const std::exception&) {
      changed(ENOMEM, "signals");
    }
  }

 private:
  static constexpr int kMostPasses = 20;

  void resume() noexcept {
    // Children first: their parents find them running.
    for (auto process = stopped_.rbegin(); process != stopped_.rend(); ++process) {
      if (is_alive(*process)) ::kill(process->pid, SIGCONT);
    }
    stopped_.clear();
    looked_ = false;
    restorer_.remember_stopped(stopped_);
    changed(0, "");
  }

  void stop() {
    // Once all are stopped none of them forks: what may come is a process handed in from outside.
    if (looked_ && ++quiet_ % 16 != 0) return;
    const bool first = stopped_.empty();
    bool found = true;
    for (int pass = 0; found && pass < kMostPasses; ++pass) {
      found = false;
      for (const meter::ProcessUse& process : job_.processes()) {
        const ProcessId id{process.pid, process.start_ticks};
        // A tree that we are part of must not take us along.
        if (process.pid == ::getpid() || process.pid == restorer_.pid()) continue;
        if (!process.alive || std::find(stopped_.begin(), stopped_.end(), id) != stopped_.end())
          continue;
        char state = 0;
        if (!is_alive(id, &state) || state == 'T' || state == 't') continue;
        stopped_.push_back(id);
        restorer_.remember_stopped(stopped_);
        if (::kill(process.pid, SIGSTOP) == 0) {
          found = true;
        } else {
          stopped_.pop_back();
          if (errno != ESRCH) changed(errno, "SIGSTOP to process " + std::to_string(process.pid));
        }
      }
    }
    looked_ = true;
    if (first && !stopped_.empty()) changed(0, "");
  }

  meter::Job& job_;
  Restorer& restorer_;
  std::vector<ProcessId> stopped_;
  bool looked_ = false;
  unsigned quiet_ = 0;
};

}  // namespace

std::unique_ptr<Actuator> make_signals(const ActuatorSite& site, ActuatorInfo& info) {
  info.available = true;
  info.how = "SIGSTOP and SIGCONT to every process of the tree";
  if (site.restorer == nullptr || site.job == nullptr) return nullptr;
  return std::make_unique<Signals>(info, *site.job, *site.restorer);
}

}  // namespace carnot::live
