// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/local/local.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"

namespace carnot::live {

namespace {

double own_cpu_s() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

/// CPU time of a group out of one file kept open: what a tick can afford.
class GroupClock {
 public:
  explicit GroupClock(const std::string& group) {
    if (group.empty()) return;
    for (const char* file : {"/cpu.stat", "/cpuacct.usage"}) {
      fd_ = ::open((group + file).c_str(), O_RDONLY | O_CLOEXEC);
      in_us_ = std::string_view(file) == "/cpu.stat";
      if (double none = 0; read(none)) return;
      if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
  }
  GroupClock(const GroupClock&) = delete;
  GroupClock& operator=(const GroupClock&) = delete;
  ~GroupClock() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool read(double& seconds) const {
    if (fd_ < 0) return false;
    char text[256];
    const ssize_t n = ::pread(fd_, text, sizeof text, 0);
    if (n <= 0) return false;
    std::string_view rest(text, static_cast<std::size_t>(n));
    constexpr std::string_view kKey = "usage_usec ";
    if (in_us_) {
      if (!rest.starts_with(kKey)) return false;
      rest.remove_prefix(kKey.size());
    }
    double value = 0;
    std::size_t digits = 0;
    for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits)
      value = 10 * value + (rest[digits] - '0');
    seconds = value * (in_us_ ? 1e-6 : 1e-9);
    return digits > 0;
  }

 private:
  int fd_ = -1;
  bool in_us_ = false;
};

class LocalWork final : public FollowedWork {
 public:
  LocalWork(meter::Job& job, const LocalOptions& options)
      : job_(job),
        until_last_(options.until_last),
        whole_machine_(options.whole_machine),
        machine_(options.actuators.procfs_root, options.actuators.sysfs_root),
        group_(job.method() == meter::JobMethod::Cgroup ? "" : job.cgroup()) {
    group_.read(before_s_);
    crowded();
  }
  double cpu_s() override {
    if (whole_machine_) return 1e-9 * static_cast<double>(machine_.read().busy_ns);
    double now = 0;
    if (!group_.read(now)) return looked_s_ = 1e-9 * static_cast<double>(job_.sample().cpu_ns);
    return looked_s_ = now - before_s_;
  }
  bool ended() override {
    if (!job_.ended()) return false;
    if (!until_last_) return true;
    if (++looks_ % 16 != 1) return false;
    return living(job_) == 0;
  }
  int wait_fd() const override { return until_last_ ? -1 : job_.wait_fd(); }
  bool crowded() override {
    const meter::MachineUse now = machine_.read();
    const auto busy = static_cast<double>(now.busy_ns - last_.busy_ns);
    const auto idle = static_cast<double>(now.idle_ns - last_.idle_ns);
    last_ = now;
    const double own_ns = 1e9 * (looked_s_ - own_before_s_), all = busy + idle;
    own_before_s_ = looked_s_;
    return all > 0 && idle < 0.05 * all && busy - own_ns > 0.05 * all;
  }
  static std::size_t living(meter::Job& job) {
    const auto processes = job.processes();
    return static_cast<std::size_t>(std::count_if(
        processes.begin(), processes.end(), [](const auto& process) { return process.alive; }));
  }

 private:
  meter::Job& job_;
  bool until_last_, whole_machine_;
  meter::MachineMeter machine_;
  GroupClock group_;
  double before_s_ = 0, looked_s_ = 0, own_before_s_ = 0;
  meter::MachineUse last_;
  unsigned looks_ = 0;
};

/// Whether `pid` is this process or one above it.
bool is_above_us(int pid) {
  for (int at = ::getpid(); at > 0;) {
    if (at == pid) return true;
    std::ifstream file(fmt::format("/proc/{}/stat", at));
    std::string stat;
    std::getline(file, stat);
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos || name_end + 4 > stat.size()) return false;
    at = std::atoi(stat.c_str() + name_end + 4);  // after ") S "
  }
  return false;
}

/// Watts of one busy CPU by the power model.
Estimate<Power> model_per_cpu(const LocalOptions& options) {
  const meter::HostFacts facts =
      meter::read_host_facts(options.actuators.sysfs_root, options.actuators.procfs_root);
  const double cpus = std::max(
      1,
      meter::MachineMeter(options.actuators.procfs_root, options.actuators.sysfs_root).read().cpus);
  return (1.0 / cpus) *
         (meter::estimate_wall_power(facts, 1.0) - meter::estimate_wall_power(facts, 0.0));
}

bool is_measured(const meter::Meter& meter) {
  return std::any_of(meter.channels().begin(), meter.channels().end(), [](const auto& channel) {
    return channel.role == meter::Role::Counted && channel.domain.kind != meter::DomainKind::Model;
  });
}

std::string names_of(const meter::Meter& meter) {
  std::string names;
  for (const meter::Channel& channel : meter.channels()) {
    if (channel.role != meter::Role::Counted) continue;
    names += (names.empty() ? "" : ", ") + channel.domain.id;
  }
  return names;
}

/// The meter's counted channels, read anew by each call.
std::function<SensorReading()> reader_of(std::shared_ptr<meter::Meter> meter) {
  auto now = std::make_shared<meter::Snapshot>();
  return [meter = std::move(meter), now] {
    meter->sample(*now);
    SensorReading reading;
    for (std::size_t i = 0; i < now->channels.size(); ++i) {
      const meter::Role role = meter->channels()[i].role;
      if (role != meter::Role::Counted && role != meter::Role::StandIn) continue;
      reading.energy += now->channels[i].energy;
      reading.low += now->channels[i].low;
      reading.high += now->channels[i].high;
    }
    reading.busy_cpu_s = 1e-9 * static_cast<double>(now->machine.busy_ns);
    reading.rest = meter->static_power().watts();
    return reading;
  };
}

std::unique_ptr<WorkEnergy> energy_of(const LocalOptions& options, Origin& origin) {
  if (options.watts_per_cpu) {
    if (options.whole_machine)
      throw InputError("watts of a CPU are those of a job; the whole machine has power at rest");
    if (!(*options.watts_per_cpu > Power{})) throw InputError("watts of a CPU: above 0 W");
    origin = Origin::Assumed;
    return energy_of_cpu_time(
        Estimate<Power>::exact(*options.watts_per_cpu, origin, Boundary::Node, {"as stated"}),
        fmt::format("{} a busy CPU, as stated, times CPU time", format(*options.watts_per_cpu)));
  }
  auto meter = std::make_shared<meter::Meter>(meter::Meter::open(options.meter));
  const bool measured = is_measured(*meter);
  const Estimate<Power> per_cpu = model_per_cpu(options);
  if (measured || options.whole_machine) {
    SensorOptions sensor;
    sensor.whole_machine = options.whole_machine;
    sensor.per_cpu = per_cpu.value();
    origin = sensor.origin = meter->origin();
    sensor.boundary = meter->boundary();
    sensor.words = fmt::format("{} by {}{}", name(origin), names_of(*meter),
                               options.whole_machine ? "" : ", the job's part by CPU time");
    return energy_by_sensor(reader_of(std::move(meter)), sensor);
  }
  origin = Origin::Modelled;
  return energy_of_cpu_time(
      per_cpu, fmt::format("modelled: {} a busy CPU (90 % of such machines: {} to {}) times CPU "
                           "time; no sensor can be read here",
                           format(per_cpu.value()), format(per_cpu.low()), format(per_cpu.high())));
}

}  // namespace

LocalResult follow_local(const LocalOptions& options, const LocalHooks& hooks) {
  if (options.job.command.empty() == (options.job.pid <= 0))
    throw InputError("a command or a process, one of them");
  if (options.job.pid > 0 && is_above_us(options.job.pid))
    throw InputError(fmt::format(
        "pid {}: carnot runs below it and would stop itself; allowed: a process that did not start "
        "carnot",
        options.job.pid));
  LocalResult result;
  const PowerProfile profile =
      PowerProfile::read(options.profile, options.profile_options, Instant::now());
  const std::unique_ptr<WorkEnergy> energy = energy_of(options, result.begin.origin);
  // Before the command: it must not hold what is the command's.
  Restorer restorer;
  meter::Job job = meter::Job::open(options.job);
  Actuators actuators = open_actuators(options.actuators, &job, restorer);

  result.begin.pid = job.pid();
  result.begin.restorer_pid = restorer.pid();
  result.begin.actuators = actuators.all;
  for (const auto& actuator : actuators.used) result.begin.used.push_back(actuator->info().name);
  result.begin.energy_words = energy->words();
  result.begin.profile_words = profile.words();
  if (hooks.begin) hooks.begin(result.begin);

  LocalWork work(job, options);
  const double own_before = own_cpu_s();
  job.release();
  result.totals = follow(work, profile, *energy, actuators.used, meter::Clock::machine(),
                         options.follow, hooks.follow);
  result.own_cpu_s = own_cpu_s() - own_before;
  result.used = energy->total();
  result.per_cpu = energy->per_cpu();
  for (const auto& actuator : actuators.used)
    result.actuators.push_back({actuator->info().name, actuator->info().how,
                                actuator->last_failure(), actuator->changes(),
                                actuator->failures()});
  result.not_restored = restorer.restore();
  if (job.ended()) {
    result.outcome = job.outcome();
    result.exit_code = job.exit_code();
    result.left_running = LocalWork::living(job);
    job.finish();
  }
  return result;
}

}  // namespace carnot::live
