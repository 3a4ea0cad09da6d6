// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/local/work_energy.hpp"

#include <algorithm>
#include <utility>

namespace carnot::live {

namespace {

class CpuTimeEnergy final : public WorkEnergy {
 public:
  CpuTimeEnergy(const Estimate<Power>& per_cpu, std::string words)
      : per_cpu_(per_cpu), words_(std::move(words)) {}
  Energy advance(const meter::Stamp&, double cpu_s) override {
    cpu_s_ += cpu_s;
    return cpu_s * second * per_cpu_.value();
  }
  Estimate<Energy> total() const override {
    return Estimate<Energy>(EstimateCore::scaled(per_cpu_.core(), cpu_s_));
  }
  Power per_cpu() const noexcept override { return per_cpu_.value(); }
  std::string words() const override { return words_; }

 private:
  Estimate<Power> per_cpu_;
  std::string words_;
  double cpu_s_ = 0;
};

constexpr Time kSpread = 1.0 * second;  // over which a correction is told

class SensorEnergy final : public WorkEnergy {
 public:
  SensorEnergy(std::function<SensorReading()> read, const SensorOptions& options)
      : read_(std::move(read)), options_(options), per_cpu_(options.per_cpu) {}

  Energy advance(const meter::Stamp& now, double cpu_s) override {
    if (!begun_) {
      begun_ = true;
      window_ = read_();
      window_from_ns_ = last_ns_ = now.monotonic_ns;
      due_ns_ = now.monotonic_ns;
    }
    const Time passed = seconds(now.monotonic_ns - last_ns_);
    last_ns_ = now.monotonic_ns;
    Energy taken = cpu_s * second * per_cpu_;
    if (options_.whole_machine) taken += window_.rest * passed;
    taken_ += taken;
    cpu_s_ += cpu_s;
    if (now.monotonic_ns >= due_ns_) {
      due_ns_ = now.monotonic_ns + Duration::from(options_.every).nanoseconds();
      owed_ += correction(now);
    }
    // A little at a time: a sensor's step at once would look like work that rushed or stood still.
    const Energy now_paid = std::min(1.0, passed / kSpread) * owed_;
    owed_ -= now_paid;
    return taken + now_paid;
  }

  Estimate<Energy> total() const override {
    const Energy all = told_ + taken_;
    const double down = told_ > Energy{} ? low_ / told_ : 0.5,
                 up = told_ > Energy{} ? high_ / told_ : 2.0;
    return {all,
            std::min(1.0, down) * all,
            std::max(1.0, up) * all,
            told_ > Energy{} ? options_.origin : Origin::Assumed,
            options_.boundary,
            "followed-work",
            {options_.words}};
  }
  Power per_cpu() const noexcept override { return per_cpu_; }
  std::string words() const override { return options_.words; }

 private:
  static Time seconds(std::int64_t ns) noexcept { return Duration::nanoseconds(ns).time(); }

  /// What the sensor says of the window beyond what was taken. Nothing if it has not moved.
  Energy correction(const meter::Stamp& now) {
    SensorReading reading = read_();
    const Energy moved = reading.energy - window_.energy;
    const Time length = seconds(now.monotonic_ns - window_from_ns_);
    if (moved <= Energy{} || length < 0.9 * options_.every) return {};
    Energy of_work = moved;
    double share = 1.0;
    if (!options_.whole_machine) {
      const double busy = std::max(reading.busy_cpu_s - window_.busy_cpu_s, cpu_s_);
      share = busy > 0 ? cpu_s_ / busy : 0.0;
      of_work = share * max(Energy{}, moved - reading.rest * length);
    }
    const Energy base = options_.whole_machine ? reading.rest * length : Energy{};
    if (cpu_s_ > 5e-3)
      per_cpu_ += 0.3 * (max(Power{}, (of_work - base) / (cpu_s_ * second)) - per_cpu_);
    const Energy more = of_work - taken_;
    told_ += of_work;
    const double part = of_work / moved;
    low_ += part * (reading.low - window_.low);
    high_ += part * (reading.high - window_.high);
    taken_ = Energy{};
    cpu_s_ = 0;
    window_ = reading;
    window_from_ns_ = now.monotonic_ns;
    return more;
  }

  std::function<SensorReading()> read_;
  SensorOptions options_;
  Power per_cpu_;
  SensorReading window_;  // at its beginning
  std::int64_t window_from_ns_ = 0, last_ns_ = 0, due_ns_ = 0;
  Energy owed_;               // of corrections, still to be told
  Energy taken_;              // in the window
  double cpu_s_ = 0;          // in the window
  Energy told_, low_, high_;  // before it
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<WorkEnergy> energy_of_cpu_time(const Estimate<Power>& per_cpu, std::string words) {
  return std::make_unique<CpuTimeEnergy>(per_cpu, std::move(words));
}

std::unique_ptr<WorkEnergy> energy_by_sensor(std::function<SensorReading()> read,
                                             const SensorOptions& options) {
  return std::make_unique<SensorEnergy>(std::move(read), options);
}

}  // namespace carnot::live
