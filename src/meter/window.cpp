// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <utility>

#include <unistd.h>

#include "carnot/meter/meter.hpp"

#include "meter/meter_state.hpp"
#include "meter/thread_windows.hpp"

namespace carnot::meter {

namespace {

/// Windows of this process: how many are open, and how many were ever started. A child after fork
/// goes on with its copy; windows of threads it does not have only make it say `overlapped` more
/// often.
std::atomic<std::int64_t> open_windows{0};
std::atomic<std::int64_t> started_windows{0};

/// Up and down of a figure around zero.
struct Band {
  double down = 0, up = 0;
  void widen(double deviation) {
    down = std::max(down, -deviation);
    up = std::max(up, deviation);
  }
};

/// How far the job's part moves when busy time and static power do, relative to the part itself.
struct Doubt {
  Band ticks, static_power;
};

Energy job(const Split& s) { return s.job_static + s.job_dynamic; }

}  // namespace

struct Window::Implementation {
  Meter* meter;
  std::string label;
  std::shared_ptr<ThreadWindows> thread;
  OpenWindow state;
  Snapshot start, now;
  std::int64_t started_before = 0;
  bool others_at_start = false;
  std::optional<WindowResult> stopped;

  Implementation(Meter& m, std::string l, Scope scope, StaticPolicy policy)
      : meter(&m), label(std::move(l)), thread(ThreadWindows::of_this_thread(m)) {
    state.scope = scope;
    state.policy = policy;
    others_at_start = open_windows.fetch_add(1) > 0;
    started_before = started_windows.fetch_add(1) + 1;
    try {
      thread->open(state, start);
    } catch (...) {
      open_windows.fetch_sub(1);
      throw;
    }
  }
  ~Implementation() {
    if (stopped) return;
    thread->abandon(state);
    open_windows.fetch_sub(1);
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  WindowResult summary() const;
  Energy part_of(Energy total, Duration length) const;
  CpuUse cpu_use(double busy_s) const;
  Doubt doubt(const Energy& total) const;
  Estimate<Energy> shared(const Energy& value, const EnergyBetween& machine) const;
};

CpuUse Window::Implementation::cpu_use(double busy_s) const {
  const double length = static_cast<double>(now.at.monotonic_ns - start.at.monotonic_ns) * 1e-9;
  return {std::max(1, now.machine.cpus) * length, busy_s, state.cpu_s};
}

/// This scope's part of an energy of the processors.
Energy Window::Implementation::part_of(Energy total, Duration length) const {
  const double busy = busy_seconds(start, now, state.cpu_s);
  return job(split(total, meter->static_power().watts(), length, cpu_use(busy), state.policy));
}

Doubt Window::Implementation::doubt(const Energy& total) const {
  const StaticPower learned = meter->static_power();
  const Estimate<Power> idle = learned.value();
  const Duration length = Duration::nanoseconds(now.at.monotonic_ns - start.at.monotonic_ns);
  const double busy = busy_seconds(start, now, state.cpu_s);
  const auto part = [&](Power static_power, double busy_s) {
    return job(split(total, static_power, length, cpu_use(busy_s), state.policy));
  };
  Doubt result;
  const Energy centre = part(idle.value(), busy);
  if (centre <= Energy{}) return result;
  const BusyBounds bounds = busy_bounds(start, now, state.cpu_s);
  for (const double b : {bounds.low, bounds.high})
    result.ticks.widen(part(idle.value(), b) / centre - 1);
  for (const Power p : {idle.low(), idle.high()})
    result.static_power.widen(part(p, busy) / centre - 1);
  return result;
}

/// `value` of the machine's total with its errors in proportion, and those of the splitting.
Estimate<Energy> Window::Implementation::shared(const Energy& value,
                                                const EnergyBetween& machine) const {
  const Estimate<Energy>& total = machine.total;
  const auto exactly = [&](Energy e) {
    return Estimate<Energy>::exact(e, total.origin(), total.boundary(), total.sources());
  };
  // Where no counter moved, what may have passed is shared as it would have been.
  double proportion = 0;
  if (total.value() > Energy{}) {
    proportion = value / total.value();
  } else if (total.high() > Energy{}) {
    proportion = part_of(total.high(), machine.length) / total.high();
  }
  const Estimate<Energy> errors = proportion * (total - exactly(total.value()));
  Estimate<Energy> result = exactly(value) + errors;

  const Doubt relative = doubt(total.value());
  const double of_own = state.own.value > Energy{} ? value / state.own.value : 0.0;
  struct Part {
    const char* cause;
    Energy down, up;
  };
  const Part parts[] = {
      {"attribution: clock ticks", relative.ticks.down * value, relative.ticks.up * value},
      {"attribution: static power", relative.static_power.down * value,
       relative.static_power.up * value},
      {"attribution: accelerators", of_own * (state.own.value - state.own.low),
       of_own * (state.own.high - state.own.value)},
  };
  // Downward errors together end at zero.
  const double base = -errors.low().in(joule);
  double squares = 0;
  for (const Part& p : parts) squares += std::pow(p.down.in(joule), 2);
  const double most = (1 - 1e-10) * value.in(joule);  // rounding must not take it below
  const double room = std::max(0.0, most * most - base * base);
  const double kept = squares > room ? std::sqrt(room / squares) * (1 - 1e-12) : 1.0;
  for (const Part& p : parts) {
    if (p.down == Energy{} && p.up == Energy{}) continue;
    result = result + Estimate<Energy>(Energy{}, -kept * p.down, p.up, total.origin(),
                                       total.boundary(), p.cause, {});
  }
  return result;
}

WindowResult Window::Implementation::summary() const {
  WindowResult r;
  r.label = label;
  r.machine = meter->energy(start, now);
  Energy own = state.own.value, exclusive = state.exclusive;
  // No sensor moved in all this time, so no slice has any of it: the model's figure is divided.
  if (const auto model = standing(meter->channels(), start, now);
      model && now.channels[model->channel].energy <= start.channels[model->channel].energy) {
    const Energy part = part_of(model->value, r.machine.length);
    if (own <= Energy{}) exclusive = part;
    own += part;
  }
  r.own = shared(own, r.machine);
  r.exclusive = shared(exclusive, r.machine);
  r.length = r.machine.length;
  r.cpu_s = state.cpu_s;
  r.overlapped = others_at_start || started_windows.load() > started_before;
  return r;
}

Window::Window(Meter& meter, std::string label, Scope scope, StaticPolicy policy)
    : implementation_(std::make_unique<Implementation>(meter, std::move(label), scope, policy)) {}
Window::Window(Window&&) noexcept = default;
Window& Window::operator=(Window&&) noexcept = default;
Window::~Window() = default;

WindowResult Window::stop() {
  Implementation& w = *implementation_;
  if (!w.stopped) {
    w.thread->close(w.state, w.now);
    w.stopped = w.summary();
    open_windows.fetch_sub(1);
  }
  return *w.stopped;
}

WindowResult Window::so_far() const {
  Implementation& w = *implementation_;
  if (w.stopped) return *w.stopped;
  w.thread->look(w.now);
  return w.summary();
}

}  // namespace carnot::meter
