// SPDX-License-Identifier: Apache-2.0
// RAPL through the perf PMU `power`: the kernel unwraps the registers, one read a package.
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "meter/counters/pinned_file.hpp"
#include "meter/counters/plain_text.hpp"
#include "meter/sources/rapl/perf_calls.hpp"
#include "meter/sources/rapl/powercap_zones.hpp"
#include "meter/sources/sensor_read.hpp"

namespace carnot::meter {

namespace {

constexpr std::array<std::string_view, 5> kEvents = {"energy-pkg", "energy-cores", "energy-gpu",
                                                     "energy-ram", "energy-psys"};
constexpr std::size_t kMostEvents = kEvents.size();

class SystemPerfCalls final : public PerfCalls {
 public:
  int open(std::uint32_t type, std::uint64_t config, int cpu, int leader) noexcept override {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = type;
    attributes.config = config;
    attributes.read_format = PERF_FORMAT_GROUP;
    const long fd =
        ::syscall(SYS_perf_event_open, &attributes, -1, cpu, leader, PERF_FLAG_FD_CLOEXEC);
    return fd < 0 ? -errno : static_cast<int>(fd);
  }
  int read(int fd, std::span<std::uint64_t> words) noexcept override {
    const ssize_t n = ::read(fd, words.data(), words.size_bytes());
    return n < 0 ? -errno : static_cast<int>(n / static_cast<ssize_t>(sizeof words[0]));
  }
  void close(int fd) noexcept override { ::close(fd); }
};

struct Event {
  std::string name;
  DomainKind kind = DomainKind::Package;
  std::uint64_t config = 0;
  double scale_j = 0.0;
};

// Counters that are read together.
struct Group {
  std::vector<int> fds;   // the first leads
  std::size_t first = 0;  // domain of the first
};

// Raw counts are shifted right until 2^64 of them last for decades: the kernel shows 2^-32 J, no
// register counts finer than 2^-24 J.
struct Scale {
  double unit_j = 0.0;
  int shift = 0;
};
Scale widened(double scale_j) noexcept {
  Scale scale{scale_j, 0};
  while (scale.unit_j < 0x1p-24 && scale.shift < 40) {
    scale.unit_j *= 2.0;
    ++scale.shift;
  }
  return scale;
}

class PerfSource final : public Source {
 public:
  explicit PerfSource(std::shared_ptr<PerfCalls> calls) : calls_(std::move(calls)) {}
  ~PerfSource() override {
    for (const Group& group : groups_)
      for (const int fd : group.fds) calls_->close(fd);
  }

  /// \return 0, or the errno
  int add(const Domain& domain, std::uint32_t type, const Event& event, int cpu, bool new_cpu) {
    int leader = new_cpu || groups_.empty() ? -1 : groups_.back().fds.front();
    int fd = calls_->open(type, event.config, cpu, leader);
    if (fd < 0 && leader >= 0) {  // a kernel that does not group these: on its own
      leader = -1;
      fd = calls_->open(type, event.config, cpu, leader);
    }
    if (fd < 0) return -fd;
    if (leader < 0) groups_.push_back({{}, domains_.size()});
    groups_.back().fds.push_back(fd);
    domains_.push_back(domain);
    shifts_.push_back(widened(event.scale_j).shift);
    return 0;
  }

  std::string_view name() const noexcept override { return "perf"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }

  void poll(std::span<Reading> readings) noexcept override {
    Stamp before = Stamp::now();
    for (const Group& group : groups_) {
      std::array<std::uint64_t, 1 + kMostEvents> words{};
      const std::size_t size = group.fds.size();
      const int n = calls_->read(group.fds.front(), std::span(words).first(1 + size));
      const Stamp after = Stamp::now();
      int error = n < 0 ? -n : 0;
      if (n >= 0 && (static_cast<std::size_t>(n) != 1 + size || words[0] != size)) error = EIO;
      for (std::size_t k = 0; k < size; ++k) {
        Reading& reading = readings[group.first + k];
        reading = {};
        reading.error = error;
        reading.status = sensor_status(error);
        reading.at = middle(before, after);
        if (error == 0) reading.raw = words[1 + k] >> shifts_[group.first + k];
      }
      before = after;
    }
  }

 private:
  std::shared_ptr<PerfCalls> calls_;
  std::vector<Domain> domains_;
  std::vector<int> shifts_;
  std::vector<Group> groups_;
};

bool parse_scale(const std::string& text, double& scale) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), scale);
  return error == std::errc{} && end == text.data() + text.size() && std::isfinite(scale) &&
         scale > 0x1p-60 && scale <= 1.0;
}

std::vector<Event> find_events(const std::string& folder, std::vector<Note>& notes) {
  std::vector<Event> events;
  for (const std::string_view name : kEvents) {
    const std::string path = fmt::format("{}/events/{}", folder, name);
    const std::string code_text = first_line(path);
    if (code_text.empty()) continue;
    Event event;
    event.name = name;
    event.kind = *parse_event_name(name);
    const auto code = parse_event_code(code_text);
    if (!code || first_line(path + ".unit") != "Joules" ||
        !parse_scale(first_line(path + ".scale"), event.scale_j)) {
      notes.push_back({"perf power PMU",
                       fmt::format("{} is not described as an energy in joules: not read", name),
                       ""});
      continue;
    }
    event.config = *code;
    events.push_back(std::move(event));
  }
  return events;
}

// Events that powercap, where it is there, does not know are phantoms: kernels before 5.17 listed
// Intel's on AMD, and they count nothing.
void drop_phantoms(std::vector<Event>& events, const std::string& sysfs_root,
                   std::vector<Note>& notes) {
  const std::vector<Zone> zones = powercap_zones(sysfs_root);
  if (zones.empty()) return;
  std::erase_if(events, [&](const Event& event) {
    for (const Zone& zone : zones)
      if (zone.counts.kind == event.kind) return false;
    notes.push_back({"perf power PMU",
                     fmt::format("{} is listed but powercap has no such zone: not read, it counts "
                                 "nothing on some kernels",
                                 event.name),
                     ""});
    return true;
  });
}

Domain describe(const Event& event, int cpu, const CpuTopology& topology, const CpuModel& model,
                bool by_die) {
  Domain domain;
  domain.id = fmt::format("perf/{}:{}", event.name, cpu);
  domain.label = event.name;
  domain.source = "perf";
  domain.kind = event.kind;
  domain.socket = topology.socket_of(cpu);
  domain.die = by_die ? topology.die_of(cpu) : -1;
  const Scale scale = widened(event.scale_j);
  domain.counter.unit = scale.unit_j * joule;
  domain.counter.modulus = scale.shift == 0 ? 0 : std::uint64_t{1} << (64 - scale.shift);
  const double fixed = fixed_unit_j(event.kind, model);
  domain.counter.step = static_cast<std::uint64_t>(
      std::max(1.0, std::round((fixed > 0 ? fixed : 0x1p-14) / scale.unit_j)));
  domain.counter.gain = rapl_gain(event.kind, model.is_amd());
  domain.counter.power_cap = rapl_power_cap(event.kind);
  return domain;
}

// Some packages have several cpus in the mask: then counters are per die.
bool is_by_die(const std::vector<int>& cpus, const CpuTopology& topology) {
  for (std::size_t i = 0; i < cpus.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (topology.socket_of(cpus[i]) >= 0 &&
          topology.socket_of(cpus[i]) == topology.socket_of(cpus[j]))
        return true;
  return false;
}

void tell_refused(int error, const SourceOptions& options, std::vector<Note>& notes) {
  if (error != EACCES && error != EPERM) {
    notes.push_back({"perf power PMU",
                     fmt::format("perf_event_open: {}", std::generic_category().message(error)),
                     ""});
    return;
  }
  const std::string level = first_line(options.procfs_root + "/sys/kernel/perf_event_paranoid");
  notes.push_back(
      {"perf power PMU",
       fmt::format("counting all processes needs kernel.perf_event_paranoid <= 0 (it is {}) or "
                   "CAP_PERFMON",
                   level.empty() ? "not readable" : level),
       "sudo sysctl kernel.perf_event_paranoid=0"});
}

}  // namespace

std::unique_ptr<Source> open_perf(const SourceOptions& options, std::vector<Note>& notes,
                                  std::shared_ptr<PerfCalls> calls) {
  const std::string folder = options.sysfs_root + "/bus/event_source/devices/power";
  std::uint64_t type = 0;
  const std::vector<int> cpus = parse_cpu_list(first_line(folder + "/cpumask"));
  if (!parse_decimal(first_line(folder + "/type"), type) || type > ~std::uint32_t{0} ||
      cpus.empty())
    return nullptr;
  std::vector<Event> events = find_events(folder, notes);
  drop_phantoms(events, options.sysfs_root, notes);
  const CpuTopology topology(options.sysfs_root);
  const CpuModel model = cpu_model(options.procfs_root);
  const bool by_die = is_by_die(cpus, topology);
  auto source = std::make_unique<PerfSource>(std::move(calls));
  int refused = 0;
  for (const int cpu : cpus) {
    bool new_cpu = true;
    Domain package;
    for (const Event& event : events) {
      Domain domain = describe(event, cpu, topology, model, by_die);
      if (event.kind == DomainKind::Package) {
        package = domain;
        for (const Domain& other : source->domains())
          if (model.is_amd() && other.kind == domain.kind && domain.same_as.empty() &&
              other.socket == domain.socket && domain.socket >= 0)
            domain.same_as = other.id;
      } else if (event.kind != DomainKind::Platform) {
        domain.parent = package.id;
      }
      const int error = source->add(domain, static_cast<std::uint32_t>(type), event, cpu, new_cpu);
      if (error == 0) {
        new_cpu = false;
      } else {
        refused = error;
        if (event.kind == DomainKind::Package) package = {};
      }
    }
  }
  if (refused != 0) tell_refused(refused, options, notes);
  if (source->domains().empty()) return nullptr;
  return source;
}

std::unique_ptr<Source> open_perf(const SourceOptions& options, std::vector<Note>& notes) {
  // A description outside /sys is of another machine: this kernel's counters are not its.
  if (options.sysfs_root != SourceOptions{}.sysfs_root) return nullptr;
  return open_perf(options, notes, std::make_shared<SystemPerfCalls>());
}

}  // namespace carnot::meter
