// SPDX-License-Identifier: Apache-2.0
// RAPL's registers themselves through /dev/cpu/N/msr, on request: needs CAP_SYS_RAWIO and root, and
// is no faster than perf.
#include <array>
#include <cerrno>
#include <cmath>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "meter/counters/pinned_file.hpp"
#include "meter/counters/rapl.hpp"
#include "meter/sources/sensor_read.hpp"

namespace carnot::meter {

namespace {

struct Register {
  DomainKind kind;
  std::uint32_t address;
  const char* label;
};
constexpr std::uint32_t kIntelUnit = 0x606, kAmdUnit = 0xC0010299;
constexpr std::array<Register, 5> kIntel = {{{DomainKind::Package, 0x611, "package"},
                                             {DomainKind::Core, 0x639, "core"},
                                             {DomainKind::Uncore, 0x641, "uncore"},
                                             {DomainKind::Dram, 0x619, "dram"},
                                             {DomainKind::Platform, 0x64D, "psys"}}};
// Its other register (0xC001029A) is that of one core and inside this.
constexpr std::array<Register, 1> kAmd = {{{DomainKind::Package, 0xC001029B, "package"}}};

/// \return 0 or an errno; a file that ends before the register is ENXIO
int read_register(int fd, std::uint32_t address, std::uint64_t& value) noexcept {
  ssize_t n = 0;
  do {
    n = ::pread(fd, &value, sizeof value, static_cast<off_t>(address));
  } while (n < 0 && errno == EINTR);
  if (n < 0) return errno;
  return n == static_cast<ssize_t>(sizeof value) ? 0 : ENXIO;
}

class MsrSource final : public Source {
 public:
  std::string_view name() const noexcept override { return "msr"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }

  void poll(std::span<Reading> readings) noexcept override {
    Stamp before = Stamp::now();
    for (std::size_t i = 0; i < domains_.size(); ++i) {
      Reading& reading = readings[i];
      reading = {};
      std::uint64_t value = 0;
      reading.error = read_register(files_[where_[i].file].fd(), where_[i].address, value);
      const Stamp after = Stamp::now();
      reading.raw = value & 0xffff'ffffu;
      reading.status = sensor_status(reading.error);
      reading.at = middle(before, after);
      before = after;
    }
  }

  std::size_t add(PinnedFile file) {
    files_.push_back(std::move(file));
    return files_.size() - 1;
  }
  void add(const Domain& domain, std::size_t file, std::uint32_t address) {
    domains_.push_back(domain);
    where_.push_back({file, address});
  }

 private:
  struct Where {
    std::size_t file;
    std::uint32_t address;
  };
  std::vector<Domain> domains_;
  std::vector<Where> where_;
  std::vector<PinnedFile> files_;
};

struct Reader {
  int cpu, socket, die;
};

// The first processor of each package; of each die on Cascade Lake-AP, whose registers are per die.
std::vector<Reader> readers(const CpuTopology& topology, const CpuModel& model) {
  const bool by_die = model.vendor == "GenuineIntel" && model.family == 6 && model.model == 85;
  std::set<std::pair<int, int>> seen;
  std::vector<Reader> found;
  for (const int cpu : topology.online()) {
    const Reader reader{cpu, topology.socket_of(cpu), by_die ? topology.die_of(cpu) : -1};
    if (seen.insert({reader.socket, reader.die}).second) found.push_back(reader);
  }
  return found;
}

void add_registers(MsrSource& source, std::size_t file, int fd, double unit_j, const Reader& reader,
                   const CpuModel& model) {
  const std::span<const Register> registers =
      model.is_amd() ? std::span<const Register>(kAmd) : std::span<const Register>(kIntel);
  std::string package;
  for (const Register& r : registers) {
    std::uint64_t value = 0;
    if (read_register(fd, r.address, value) != 0) continue;  // this processor has none
    Domain domain;
    domain.id = fmt::format("msr/{}:{}", r.label, reader.cpu);
    domain.label = fmt::format("{} (MSR {:#x})", r.label, r.address);
    domain.source = "msr";
    domain.kind = r.kind;
    domain.socket = reader.socket;
    domain.die = reader.die;
    if (r.kind == DomainKind::Package) {
      package = domain.id;
    } else if (r.kind != DomainKind::Platform) {
      domain.parent = package;
    }
    const double fixed = fixed_unit_j(r.kind, model);
    domain.counter.unit = (fixed > 0 ? fixed : unit_j) * joule;
    domain.counter.modulus = std::uint64_t{1} << 32;
    domain.counter.gain = rapl_gain(r.kind, model.is_amd());
    domain.counter.power_cap = rapl_power_cap(r.kind);
    source.add(domain, file, r.address);
  }
}

}  // namespace

std::unique_ptr<Source> open_msr(const SourceOptions& options, std::vector<Note>& notes) {
  if (!options.msr) return nullptr;
  const CpuModel model = cpu_model(options.procfs_root);
  if (model.vendor != "GenuineIntel" && !model.is_amd()) {
    notes.push_back({"MSR", "energy registers are known of Intel, AMD and Hygon only", ""});
    return nullptr;
  }
  const CpuTopology topology(options.sysfs_root);
  auto source = std::make_unique<MsrSource>();
  int refused = 0;
  for (const Reader& reader : readers(topology, model)) {
    PinnedFile file(fmt::format("{}/cpu/{}/msr", options.dev_root, reader.cpu));
    std::uint64_t units = 0;
    const int error = file.is_open()
                          ? read_register(file.fd(), model.is_amd() ? kAmdUnit : kIntelUnit, units)
                          : file.error();
    if (error != 0) {
      refused = error;
      continue;
    }
    const double unit_j = std::ldexp(1.0, -static_cast<int>((units >> 8) & 0x1f));
    const int fd = file.fd();
    const std::size_t index = source->add(std::move(file));
    add_registers(*source, index, fd, unit_j, reader, model);
  }
  if (refused != 0)
    notes.push_back(
        {"MSR",
         fmt::format("{}/cpu/N/msr: {}", options.dev_root,
                     std::generic_category().message(refused)),
         refused == ENOENT
             ? "sudo modprobe msr"
             : "sudo setcap cap_sys_rawio,cap_dac_read_search+ep \"$(command -v carnot)\""});
  if (source->domains().empty()) return nullptr;
  return source;
}

}  // namespace carnot::meter
