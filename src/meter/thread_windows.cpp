// SPDX-License-Identifier: Apache-2.0
#include "meter/thread_windows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include <pthread.h>
#include <unistd.h>

#include "carnot/meter/processes/processes.hpp"

#include "meter/processes/descendants.hpp"

namespace carnot::meter {

namespace {

constexpr double kTickSeconds = 0.01;
/// From here on the kernel's ticks tell the busy share.
constexpr double kEnoughSeconds = 0.1;

double seconds_of(clockid_t clock, double otherwise) {
  timespec t{};
  if (::clock_gettime(clock, &t) != 0) return otherwise;
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double length_s(const Snapshot& a, const Snapshot& b) {
  return static_cast<double>(b.at.monotonic_ns - a.at.monotonic_ns) * 1e-9;
}

double capacity_s(const Snapshot& a, const Snapshot& b) {
  return std::max(1, b.machine.cpus) * length_s(a, b);
}

double ticked_s(const Snapshot& a, const Snapshot& b) {
  return static_cast<double>(b.machine.busy_ns - a.machine.busy_ns) * 1e-9;
}

bool is_accelerator(const Channel& channel) { return channel.domain.kind == DomainKind::Gpu; }

/// Whether processes have the numbers here that libraries of accelerators know them by.
bool numbered_as_the_host() {
  constexpr std::string_view kFirstNamespace = "pid:[4026531836]";  // linux/proc_ns.h
  char link[64];
  const ssize_t size = ::readlink("/proc/self/ns/pid", link, sizeof link);
  return size > 0 && std::string_view(link, static_cast<std::size_t>(size)) == kFirstNamespace;
}

/// This process's share of an accelerator's energy, with what is not known of it.
struct DeviceShare {
  double value = 0, low = 0, high = 0;
};

DeviceShare device_share(const std::vector<DeviceUse>& use, int device, StaticPolicy policy,
                         const std::vector<int>& descendants) {
  if (policy == StaticPolicy::Whole) return {1, 1, 1};
  double own = 0, all = 0, foreign = 0;
  for (const DeviceUse& u : use) {
    if (u.device != device) continue;
    all += u.busy_share;
    if (u.pid == ::getpid() ||
        std::find(descendants.begin(), descendants.end(), u.pid) != descendants.end()) {
      own += u.busy_share;
    } else if (is_foreign(u.pid, "/proc")) {
      foreign += u.busy_share;
    }
  }
  // Whom nobody here knows may be this process under the host's number.
  if (all > 0 && numbered_as_the_host())
    return {own / all, own / all, own > 0 ? own / all : foreign / all};
  // Nobody was seen to be busy, or whoever was cannot be told from us.
  return all > 0 ? DeviceShare{1, 0, 1} : DeviceShare{0, 0, 1};
}

}  // namespace

Share& Share::operator+=(const Share& other) {
  value += other.value;
  low += other.low;
  high += other.high;
  return *this;
}

double busy_seconds(const Snapshot& a, const Snapshot& b, double own_s) {
  const double capacity = capacity_s(a, b);
  const bool enough = length_s(a, b) >= kEnoughSeconds || b.busy_share < 0;
  const double busy = enough ? ticked_s(a, b) : b.busy_share * capacity;
  return std::clamp(std::max(busy, own_s), 0.0, std::max(capacity, own_s));
}

BusyBounds busy_bounds(const Snapshot& a, const Snapshot& b, double own_s) {
  const double capacity = std::max(capacity_s(a, b), own_s);
  if (length_s(a, b) < kEnoughSeconds) return {own_s, capacity};
  const double error = kTickSeconds * std::sqrt(2.0 * std::max(1, b.machine.cpus));
  const double busy = busy_seconds(a, b, own_s);
  return {std::max(own_s, busy - error), std::min(capacity, busy + error)};
}

std::shared_ptr<ThreadWindows> ThreadWindows::of_this_thread(Meter& meter) {
  thread_local std::vector<std::shared_ptr<ThreadWindows>> mine;
  // Those that nothing but this list holds have no window open.
  std::erase_if(mine, [&](const auto& t) { return t->meter_ != &meter && t.use_count() == 1; });
  for (const auto& t : mine)
    if (t->meter_ == &meter) return t;
  clockid_t clock = CLOCK_THREAD_CPUTIME_ID;
  ::pthread_getcpuclockid(::pthread_self(), &clock);
  mine.push_back(std::shared_ptr<ThreadWindows>(new ThreadWindows(meter, clock)));
  return mine.back();
}

CpuTimes ThreadWindows::cpu_times() {
  // A thread that has ended has no clock any more; it used nothing since.
  CpuTimes now{seconds_of(clock_, cpu_.thread_s),
               seconds_of(CLOCK_PROCESS_CPUTIME_ID, cpu_.process_s), 0.0};
  DescendantUse started = descendant_use();
  now.family_s = now.process_s + started.cpu_s;
  descendants_ = std::move(started.pids);
  return now;
}

Share ThreadWindows::share(Scope scope, StaticPolicy policy, const CpuTimes& used) const {
  Energy shared;
  Share accelerators;
  std::vector<DeviceUse> use;
  bool asked = false;
  const double of_process =
      scope == Scope::Process
          ? 1.0
          : (used.process_s > 0 ? std::min(1.0, used.thread_s / used.process_s) : 0.0);
  for (std::size_t i = 0; i < meter_->channels().size(); ++i) {
    const Channel& channel = meter_->channels()[i];
    if (channel.role != Role::Counted && channel.role != Role::StandIn) continue;
    const Energy spent = max(Energy{}, next_.channels[i].energy - last_.channels[i].energy);
    if (!is_accelerator(channel)) {
      shared += spent;
      continue;
    }
    if (!asked) use = meter_->device_use();
    asked = true;
    const DeviceShare part = device_share(use, channel.domain.device, policy, descendants_);
    accelerators += {of_process * part.value * spent, of_process * part.low * spent,
                     of_process * part.high * spent};
  }
  const double own_s = scope == Scope::Process ? used.family_s : used.thread_s;
  const CpuUse cpu{capacity_s(last_, next_), busy_seconds(last_, next_, own_s), own_s};
  const Duration length = Duration::nanoseconds(next_.at.monotonic_ns - last_.at.monotonic_ns);
  const Split parts = split(shared, meter_->static_power().watts(), length, cpu, policy);
  const Energy own = parts.job_static + parts.job_dynamic;
  accelerators += {own, own, own};
  return accelerators;
}

void ThreadWindows::end_slice() {
  meter_->sample(next_);
  if (pid_ != ::getpid()) {  // a child after fork: its clocks began at zero
    pid_ = ::getpid();
    cpu_ = {};
    clock_ = CLOCK_THREAD_CPUTIME_ID;
    ::pthread_getcpuclockid(::pthread_self(), &clock_);
  }
  const CpuTimes now = cpu_times();
  if (!open_.empty()) {
    const CpuTimes used{std::max(0.0, now.thread_s - cpu_.thread_s),
                        std::max(0.0, now.process_s - cpu_.process_s),
                        std::max(0.0, now.family_s - cpu_.family_s)};
    std::array<std::optional<Share>, 8> known;  // by scope and policy
    Energy taken;
    for (auto window = open_.rbegin(); window != open_.rend(); ++window) {
      OpenWindow& w = **window;
      std::optional<Share>& of_kind =
          known[4 * static_cast<std::size_t>(w.scope) + static_cast<std::size_t>(w.policy)];
      if (!of_kind) of_kind = share(w.scope, w.policy, used);
      const Share& slice = *of_kind;
      w.own += slice;
      w.cpu_s += w.scope == Scope::Process ? used.family_s : used.thread_s;
      w.exclusive += max(Energy{}, slice.value - taken);
      taken = max(taken, slice.value);
    }
  }
  cpu_ = now;
  std::swap(last_, next_);
}

void ThreadWindows::open(OpenWindow& window, Snapshot& at) {
  const std::scoped_lock lock(mutex_);
  if (open_.empty()) pid_ = ::getpid();
  end_slice();
  open_.push_back(&window);
  at = last_;
}

void ThreadWindows::close(OpenWindow& window, Snapshot& at) {
  const std::scoped_lock lock(mutex_);
  end_slice();
  std::erase(open_, &window);
  at = last_;
}

void ThreadWindows::look(Snapshot& at) {
  const std::scoped_lock lock(mutex_);
  end_slice();
  at = last_;
}

void ThreadWindows::abandon(OpenWindow& window) {
  const std::scoped_lock lock(mutex_);
  std::erase(open_, &window);
}

}  // namespace carnot::meter
