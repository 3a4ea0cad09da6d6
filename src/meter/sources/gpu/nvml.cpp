// SPDX-License-Identifier: Apache-2.0
//
// NVIDIA accelerators through NVML. Each board is asked once at the start what it answers (a
// virtual GPU has no energy counter whatever its model, so only calling tells) and then costs one
// library call a poll: the energy counter, or where there is none the power sensor.

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/meter/counters/source.hpp"

#include "meter/counters/pinned_file.hpp"
#include "meter/sources/gpu/nvml_library.hpp"
#include "meter/sources/gpu/nvml_use.hpp"
#include "meter/sources/sensor_read.hpp"

namespace carnot::meter {
namespace {

using nvml::FieldValue;

// The only accuracy NVIDIA states for its power sensors (NVML reference, nvmlDeviceGetPowerUsage).
constexpr Gain kGain{0.95, 1.05};
// Counter and sensors change about every 100 ms (arXiv 2312.02741 of 2023; ml.energy, 2025).
constexpr Duration kUpdatePeriod = Duration::nanoseconds(100'000'000);
constexpr Energy kMillijoule = 1e-3 * joule;
constexpr Power kMilliwatt = 1e-3 * watt;

bool names(std::string_view name, std::span<const std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [name](std::string_view word) {
    return name.find(word) != std::string_view::npos;
  });
}

// Boards whose sensor looks 25 of every 100 ms (arXiv 2312.02741 for A100 and H100; the H200 and
// the GH200 carry the H100's chip and are assumed alike).
bool samples_a_quarter(std::string_view name) {
  constexpr std::array<std::string_view, 5> kWords = {"A100", "A800", "H100", "H800", "H200"};
  return names(name, kWords);
}

// How one board is read.
enum class Way { Energy, Fields, Usage };

struct Board {
  nvml::Device handle = nullptr;
  Way way = Way::Energy;
  std::array<FieldValue, 2> fields{};  // Fields: what is asked; the second is the memory's power
  int field_count = 0;
  PollStatus gone = PollStatus::Ok;  // Ended or Broken: not asked again
  int error = 0;
};

PollStatus status_of(int code) noexcept {
  switch (code) {
    case nvml::kSuccess:
      return PollStatus::Ok;
    case nvml::kGpuNotFound:
      return PollStatus::Ended;
    case nvml::kGpuIsLost:  // fell off the bus
    case nvml::kResetRequired:
    case nvml::kUninitialized:
    case nvml::kInvalidArgument:
    case nvml::kNotSupported:
    case nvml::kNoPermission:
    case nvml::kDriverNotLoaded:
    case nvml::kFunctionNotFound:
      return PollStatus::Broken;
    default:
      return PollStatus::Retry;
  }
}

class NvmlSource final : public Source {
 public:
  NvmlSource(std::unique_ptr<NvmlLibrary> library, std::vector<Domain> domains,
             std::vector<Board> boards, NvmlUse use, Clock& clock)
      : clock_(clock),
        library_(std::move(library)),
        domains_(std::move(domains)),
        boards_(std::move(boards)),
        use_(std::move(use)) {}

  std::string_view name() const noexcept override { return "nvml"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }

  void poll(std::span<Reading> readings) noexcept override {
    std::size_t at = 0;
    for (Board& board : boards_) {
      const std::size_t count = board.field_count == 2 ? 2 : 1;
      poll(board, readings.subspan(at, count));
      at += count;
    }
  }

  void device_use(std::vector<DeviceUse>& into) noexcept override { use_.append(*library_, into); }

 private:
  void poll(Board& board, std::span<Reading> readings) noexcept {
    Reading none;
    none.status = board.gone;
    none.gain = kGain;
    none.at = clock_.now();
    none.error = board.error;
    std::fill(readings.begin(), readings.end(), none);
    if (board.gone != PollStatus::Ok) return;
    int code = nvml::kSuccess;
    unsigned long long energy = 0;
    unsigned power = 0;
    switch (board.way) {
      case Way::Energy:
        code = library_->total_energy(board.handle, &energy);
        set(readings[0], code, energy, 0);
        break;
      case Way::Usage:
        code = library_->power_usage(board.handle, &power);
        set(readings[0], code, 0, power);
        break;
      case Way::Fields:
        code = library_->field_values(board.handle, board.field_count, board.fields.data());
        for (std::size_t i = 0; i < readings.size(); ++i) {
          const FieldValue& field = board.fields[i];
          const std::uint64_t value = field.whole();
          set(readings[i], code != nvml::kSuccess ? code : field.code,
              field.field == nvml::kTotalEnergy ? value : 0,
              field.field == nvml::kTotalEnergy ? 0 : value);
        }
        if (code == nvml::kSuccess) code = board.fields[0].code;
        break;
    }
    const Stamp after = clock_.now();
    for (Reading& reading : readings) reading.at = middle(reading.at, after);
    const PollStatus status = status_of(code);
    if (status == PollStatus::Ended || status == PollStatus::Broken) {
      board.gone = status;
      board.error = code;
    }
  }

  static void set(Reading& reading, int code, std::uint64_t millijoules,
                  std::uint64_t milliwatts) noexcept {
    reading.status = status_of(code);
    reading.error = code;
    if (code != nvml::kSuccess) return;
    reading.raw = millijoules;
    reading.power = static_cast<double>(milliwatts) * kMilliwatt;
  }

  Clock& clock_;
  std::unique_ptr<NvmlLibrary> library_;
  std::vector<Domain> domains_;
  std::vector<Board> boards_;
  NvmlUse use_;
};

// What one board answers at the start.
class Probe {
 public:
  Probe(const NvmlLibrary& library, nvml::Device handle) : library_(library), handle_(handle) {
    std::array<char, 128> text{};
    if (library.name(handle, text.data(), text.size()) == nvml::kSuccess) name_ = text.data();
    text = {};
    if (library.uuid(handle, text.data(), text.size()) == nvml::kSuccess) uuid_ = text.data();
    if (library.field_values != nullptr && library.field_values(handle, kAsked, asked_.data()) != 0)
      for (FieldValue& field : asked_) field.code = nvml::kNotSupported;
    unsigned long long energy = 0;
    // A counter that stands at nothing is one that is not kept.
    has_counter_ = library.total_energy != nullptr &&
                   library.total_energy(handle, &energy) == nvml::kSuccess && energy > 0;
    unsigned milliwatts = 0;
    usage_code_ = library.power_usage != nullptr ? library.power_usage(handle, &milliwatts)
                                                 : static_cast<int>(nvml::kFunctionNotFound);
    if (library.power_limit != nullptr &&
        library.power_limit(handle, &milliwatts) == nvml::kSuccess && milliwatts > 0)
      limit_ = static_cast<double>(milliwatts) * kMilliwatt;
  }

  const std::string& board_name() const { return name_; }
  int usage_code() const { return usage_code_; }

  /// Appends the board's domains. False: it tells neither energy nor power.
  bool describe(int device, std::vector<Domain>& domains, Board& board) const {
    board.handle = handle_;
    Domain domain;
    domain.id = "nvml/" + (uuid_.empty() ? std::to_string(device) : uuid_);
    domain.label = name_;
    domain.source = "nvml";
    domain.kind = DomainKind::Gpu;
    domain.device = device;
    domain.is_counter = has_counter_;
    domain.counter.unit = kMillijoule;
    domain.counter.update_period = kUpdatePeriod;
    domain.counter.gain = kGain;
    domain.gauge.update_period = kUpdatePeriod;
    domain.gauge.duty = samples_a_quarter(name_) ? 0.25 : 1.0;
    domain.gauge.gain = kGain;
    // A board passes its limit for milliseconds, not for a whole period of the counter.
    if (limit_ > 0.0 * watt) domain.counter.power_cap = domain.gauge.power_cap = 2.0 * limit_;
    if (!choose(domain, board)) return false;
    const std::string id = domain.id;
    domains.push_back(std::move(domain));
    if (board.field_count == 2) {
      Domain memory = domains.back();
      memory.id = id + "/memory";
      memory.label += " memory";
      memory.kind = DomainKind::GpuMemory;
      memory.parent = id;
      memory.is_counter = false;
      memory.gauge.window = Duration::seconds(1);
      domains.push_back(std::move(memory));
    }
    return true;
  }

 private:
  enum Asked { Energy, Instant, Average, ModuleInstant, ModuleAverage, MemoryAverage, kAsked };

  bool answered(Asked what) const {
    return library_.field_values != nullptr && asked_[what].code == nvml::kSuccess;
  }

  void ask(Board& board, Asked what) const {
    board.way = Way::Fields;
    board.fields[0] = asked_[what];
    board.field_count = 1;
    if (answered(MemoryAverage)) {
      board.fields[1] = asked_[MemoryAverage];
      board.field_count = 2;
    }
  }

  bool choose(Domain& domain, Board& board) const {
    if (has_counter_) {
      board.way = Way::Energy;
      // Counter and memory power come in one call where both are fields.
      if (answered(MemoryAverage) && answered(Energy) && asked_[Energy].whole() > 0)
        ask(board, Energy);
      return true;
    }
    for (const auto& [what, is_mean, is_module] :
         {std::tuple(Instant, false, false), std::tuple(Average, true, false),
          std::tuple(ModuleInstant, false, true), std::tuple(ModuleAverage, true, true)}) {
      if (!answered(what)) continue;
      ask(board, what);
      if (is_mean) domain.gauge.window = Duration::seconds(1);
      if (is_module) {
        domain.kind = DomainKind::Module;
        domain.gauge.power_cap = max(domain.gauge.power_cap, 2000.0 * watt);
      }
      return true;
    }
    if (usage_code_ != nvml::kSuccess) return false;
    board.way = Way::Usage;
    // A mean over one second from Ampere on, GA100 (A100, A800, A30) apart (NVML reference).
    unsigned architecture = 0;
    constexpr std::array<std::string_view, 3> kGa100 = {"A100", "A800", "A30"};
    if (library_.architecture != nullptr &&
        library_.architecture(handle_, &architecture) == nvml::kSuccess &&
        architecture >= nvml::kArchitectureAmpere && !names(name_, kGa100))
      domain.gauge.window = Duration::seconds(1);
    return true;
  }

  const NvmlLibrary& library_;
  nvml::Device handle_;
  std::string name_, uuid_;
  std::array<FieldValue, kAsked> asked_{
      {{.field = nvml::kTotalEnergy, .scope = nvml::kScopeGpu},
       {.field = nvml::kPowerInstant, .scope = nvml::kScopeGpu},
       {.field = nvml::kPowerAverage, .scope = nvml::kScopeGpu},
       {.field = nvml::kPowerInstant, .scope = nvml::kScopeModule},
       {.field = nvml::kPowerAverage, .scope = nvml::kScopeModule},
       {.field = nvml::kPowerAverage, .scope = nvml::kScopeMemory}}};
  bool has_counter_ = false;
  int usage_code_ = 0;
  Power limit_;
};

}  // namespace

namespace {

/// NVIDIA's boards on the PCI bus, if all of them sleep; else 0.
std::size_t sleeping_boards(const std::string& sysfs_root) {
  std::size_t asleep = 0;
  std::error_code none;
  const std::filesystem::path root = std::filesystem::path(sysfs_root) / "bus/pci/devices";
  for (std::filesystem::directory_iterator it(root, none), end; it != end; it.increment(none)) {
    const auto text = [&](const char* file) { return first_line((it->path() / file).string()); };
    if (text("vendor") != "0x10de" || !text("class").starts_with("0x03")) continue;
    if (text("power/runtime_status") != "suspended") return 0;
    ++asleep;
  }
  return asleep;
}

}  // namespace

std::unique_ptr<Source> open_nvml(const SourceOptions& options, std::vector<Note>& notes) {
  if (options.nvml == "none") return nullptr;
  if (const std::size_t asleep = sleeping_boards(options.sysfs_root); asleep > 0) {
    notes.push_back({"NVML",
                     fmt::format("{} NVIDIA boards sleep (power/runtime_status): not opened, which "
                                 "would wake them; asleep they draw next to nothing",
                                 asleep),
                     ""});
    return nullptr;
  }
  std::string error;
  bool found = false;
  auto library =
      NvmlLibrary::load(options.nvml.empty() ? "libnvidia-ml.so.1" : options.nvml, error, found);
  if (!library) {
    // A machine without the library is most machines; a library that was named is meant.
    if (!found && !options.nvml.empty())
      throw InputError(fmt::format("NVML library {}: {}", options.nvml, error));
    if (found) notes.push_back({"NVML", error, ""});
    return nullptr;
  }
  unsigned count = 0;
  if (const int code = library->device_count(&count); code != nvml::kSuccess) {
    notes.push_back({"NVML", library->words(code), ""});
    return nullptr;
  }
  std::vector<Domain> domains;
  std::vector<Board> boards;
  NvmlUse use;
  for (unsigned i = 0; i < count; ++i) {
    const int device = static_cast<int>(i);
    nvml::Device handle = nullptr;
    if (const int code = library->device_handle(i, &handle); code != nvml::kSuccess) {
      notes.push_back({"NVML", fmt::format("GPU {}: {}", i, library->words(code)), ""});
      continue;
    }
    const Probe probe(*library, handle);
    Board board;
    if (!probe.describe(device, domains, board)) {
      notes.push_back({"NVML",
                       fmt::format("GPU {} ({}) tells neither energy nor power: {}", i,
                                   probe.board_name(), library->words(probe.usage_code())),
                       ""});
      continue;
    }
    boards.push_back(board);
    const std::size_t main = domains.size() - (board.field_count == 2 ? 2 : 1);
    if (domains[main].kind == DomainKind::Module)
      notes.push_back({"NVML",
                       fmt::format("GPU {} ({}) tells the power of its whole module, processor "
                                   "included",
                                   i, probe.board_name()),
                       ""});
    unsigned mode = 0, pending = 0;
    if (library->mig_mode != nullptr &&
        library->mig_mode(handle, &mode, &pending) == nvml::kSuccess && mode == 1) {
      notes.push_back({"NVML",
                       fmt::format("GPU {} ({}) is divided (MIG): energy is known of the whole "
                                   "board only, use by process is not",
                                   i, probe.board_name()),
                       ""});
      use.add_divided(device);
    } else {
      use.add(handle, device);
    }
  }
  if (domains.empty()) return nullptr;
  return std::make_unique<NvmlSource>(std::move(library), std::move(domains), std::move(boards),
                                      std::move(use), *options.clock);
}

}  // namespace carnot::meter
