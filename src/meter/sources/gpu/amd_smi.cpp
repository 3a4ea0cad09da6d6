// SPDX-License-Identifier: Apache-2.0
//
// AMD accelerators through AMD SMI. Energy counters of releases before ROCm 6.3 stand still or run
// at another rate than they say, so each is read twice at the start and believed only if it agrees
// with the power; else the power is integrated. Of a board with two dies the second reads nothing
// and the first reads both: they are one domain.

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <time.h>

#include "carnot/base/error.hpp"
#include "carnot/meter/counters/source.hpp"

#include "meter/sources/gpu/amd_smi_library.hpp"
#include "meter/sources/gpu/amd_smi_use.hpp"
#include "meter/sources/sensor_read.hpp"

namespace carnot::meter {
namespace {

using amd_smi::Handle;

// AMD states no accuracy; that of the telemetry of voltage regulators is assumed.
constexpr Gain kGain{0.95, 1.05};
constexpr Duration kEnergyPeriod = Duration::nanoseconds(1'000'000);
constexpr Duration kPowerPeriod = Duration::nanoseconds(100'000'000);
constexpr Duration kProbe = Duration::nanoseconds(100'000'000);

PollStatus status_of(std::uint32_t code) noexcept {
  switch (code) {
    case amd_smi::kSuccess:
      return PollStatus::Ok;
    case amd_smi::kNotFound:
      return PollStatus::Ended;
    case amd_smi::kInvalid:
    case amd_smi::kNotSupported:
    case amd_smi::kNotYetImplemented:
    case amd_smi::kNoPermission:
    case amd_smi::kNotInitialised:
    case amd_smi::kDriverNotLoaded:
      return PollStatus::Broken;
    default:
      return PollStatus::Retry;
  }
}

// One die, as it was found.
struct Die {
  Handle handle = nullptr;
  int socket = 0;
  int device = 0;
  std::string address;
  bool has_counter = false, has_power = false;
  std::uint64_t energy = 0, energy_ns = 0;
  float resolution_uj = 0;
  std::uint32_t power_w = 0;
  std::uint32_t code = 0;  // of the power
};

std::vector<Die> find_dies(const AmdSmiLibrary& smi) {
  std::vector<Die> dies;
  const auto handles = [](auto&& list) {
    std::uint32_t count = 0;
    std::vector<Handle> found;
    if (list(&count, nullptr) != amd_smi::kSuccess) return found;
    found.resize(count);
    if (count > 0 && list(&count, found.data()) != amd_smi::kSuccess) count = 0;
    found.resize(std::min<std::size_t>(count, found.size()));
    return found;
  };
  int socket = 0;
  for (const Handle owner : handles(smi.sockets)) {
    for (const Handle processor : handles([&](std::uint32_t*count, Handle*list) {
           return smi.processors(owner, count, list);
         })) {
      std::uint32_t type = 0;
      if (smi.processor_type(processor, &type) != amd_smi::kSuccess ||
          type != amd_smi::kProcessorGpu)
        continue;
      Die die;
      die.handle = processor;
      die.socket = socket;
      die.device = static_cast<int>(dies.size());
      std::uint64_t bdf = 0;
      die.address = std::to_string(die.device);
      if (smi.device_bdf != nullptr && smi.device_bdf(processor, &bdf) == amd_smi::kSuccess)
        die.address = fmt::format("{:04x}:{:02x}:{:02x}.{:x}", bdf >> 16, bdf >> 8 & 0xFF,
                                  bdf >> 3 & 0x1F, bdf & 0x7);
      dies.push_back(std::move(die));
    }
    ++socket;
  }
  return dies;
}

// Reads all dies, waits, reads the counters again. A counter is believed if it went on at a rate
// between a third and three times the power.
void probe(const AmdSmiLibrary& smi, std::vector<Die>& dies, Clock& clock) {
  const bool wide = smi.version() >= 25;
  for (Die& die : dies) {
    die.has_counter = smi.energy_count != nullptr &&
                      smi.energy_count(die.handle, &die.energy, &die.resolution_uj,
                                       &die.energy_ns) == amd_smi::kSuccess &&
                      die.resolution_uj > 0;
    amd_smi::PowerInfo info;
    info.fill(~0u);
    die.code = smi.power_info != nullptr ? smi.power_info(die.handle, &info)
                                         : static_cast<std::uint32_t>(amd_smi::kNotSupported);
    if (die.code != amd_smi::kSuccess) continue;
    const auto watts = amd_smi::watts(info, wide);
    die.has_power = watts.has_value();
    die.power_w = watts.value_or(0);
  }
  if (std::none_of(dies.begin(), dies.end(), [](const Die& die) { return die.has_counter; }))
    return;
  const std::int64_t start = clock.now().monotonic_ns;
  clock.wait(kProbe);
  for (Die& die : dies) {
    if (!die.has_counter) continue;
    std::uint64_t energy = 0, at_ns = 0;
    float resolution_uj = 0;
    const bool again =
        smi.energy_count(die.handle, &energy, &resolution_uj, &at_ns) == amd_smi::kSuccess;
    // The counter's own clock where it goes, for it is read at the same moment.
    const double seconds =
        1e-9 * (at_ns > die.energy_ns ? static_cast<double>(at_ns - die.energy_ns)
                                      : static_cast<double>(clock.now().monotonic_ns - start));
    const double joules = energy < die.energy
                              ? 0
                              : static_cast<double>(energy - die.energy) * die.resolution_uj * 1e-6;
    const double ratio = joules / (seconds * die.power_w);
    die.has_counter = again && joules > 0 &&
                      (!die.has_power || die.power_w == 0 || (ratio > 1.0 / 3.0 && ratio < 3.0));
  }
}

class AmdSmiSource final : public Source {
 public:
  AmdSmiSource(std::unique_ptr<AmdSmiLibrary> library, std::vector<Domain> domains,
               std::vector<Handle> boards, AmdSmiUse use, Clock& clock)
      : clock_(clock),
        library_(std::move(library)),
        domains_(std::move(domains)),
        boards_(std::move(boards)),
        gone_(boards_.size()),
        use_(std::move(use)),
        wide_(library_->version() >= 25) {}

  std::string_view name() const noexcept override { return "amd-smi"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }

  void poll(std::span<Reading> readings) noexcept override {
    for (std::size_t i = 0; i < boards_.size(); ++i) {
      Reading& reading = readings[i];
      const Stamp before = clock_.now();
      reading = gone_[i];
      reading.at = before;
      if (gone_[i].error != 0) continue;
      reading.gain = kGain;
      std::uint32_t code = 0;
      reading.status = PollStatus::Ok;
      if (domains_[i].is_counter) {
        float resolution = 0;
        std::uint64_t at_ns = 0;
        code = library_->energy_count(boards_[i], &reading.raw, &resolution, &at_ns);
        reading.status = status_of(code);
      } else {
        amd_smi::PowerInfo info;
        info.fill(~0u);
        code = library_->power_info(boards_[i], &info);
        const auto watts = amd_smi::watts(info, wide_);
        reading.status = status_of(code);
        if (reading.status == PollStatus::Ok && !watts) reading.status = PollStatus::Retry;
        reading.power = static_cast<double>(watts.value_or(0)) * watt;
      }
      reading.error = static_cast<int>(code);
      reading.at = middle(before, clock_.now());
      if (reading.status == PollStatus::Ended || reading.status == PollStatus::Broken)
        gone_[i] = reading;
    }
  }

  void device_use(std::vector<DeviceUse>& into) noexcept override { use_.append(*library_, into); }

 private:
  Clock& clock_;
  std::unique_ptr<AmdSmiLibrary> library_;
  std::vector<Domain> domains_;
  std::vector<Handle> boards_;
  std::vector<Reading> gone_;  // of boards that ended or broke: not asked again
  AmdSmiUse use_;
  bool wide_;
};

Domain describe(const Die& die) {
  Domain domain;
  domain.id = "amd-smi/" + die.address;
  domain.label = "AMD GPU " + std::to_string(die.device);
  domain.source = "amd-smi";
  domain.kind = DomainKind::Gpu;
  domain.device = die.device;
  domain.is_counter = die.has_counter;
  domain.gauge.update_period = kPowerPeriod;
  domain.gauge.gain = kGain;
  if (die.has_counter) {
    // 15.259 uJ is how a float shows 2^-16 J.
    const double unit_uj =
        std::abs(die.resolution_uj - 15.259) < 1e-3 ? 15.2587890625 : die.resolution_uj;
    domain.counter.unit = unit_uj * 1e-6 * joule;
    domain.counter.update_period = kEnergyPeriod;
    domain.counter.gain = kGain;
  }
  return domain;
}

std::unique_ptr<AmdSmiLibrary> load(const SourceOptions& options, std::vector<Note>& notes) {
  std::string error;
  bool found = false;
  if (!options.amd_smi.empty()) {
    auto library = AmdSmiLibrary::load(options.amd_smi, error, found);
    if (!found) throw InputError(fmt::format("AMD SMI library {}: {}", options.amd_smi, error));
    if (!library) notes.push_back({"AMD SMI", error, ""});
    return library;
  }
  for (const char* name : {"libamd_smi.so", "/opt/rocm/lib/libamd_smi.so"}) {
    auto library = AmdSmiLibrary::load(name, error, found);
    if (library) return library;
    if (!found) continue;  // most machines
    notes.push_back({"AMD SMI", error, ""});
    break;
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<Source> open_amd_smi(const SourceOptions& options, std::vector<Note>& notes) {
  if (options.amd_smi == "none") return nullptr;
  auto library = load(options, notes);
  if (!library) return nullptr;
  std::vector<Die> dies = find_dies(*library);
  probe(*library, dies, *options.clock);
  std::vector<Domain> domains;
  std::vector<Handle> boards;
  AmdSmiUse use(*options.clock);
  int first = -1, socket = -1;
  for (const Die& die : dies) {
    // No board at work or at rest draws nothing: it is a second die. What tells nothing at all is
    // one only where the library counts it to the same socket.
    const bool second =
        !die.has_counter && (die.has_power ? die.power_w == 0 : die.socket == socket);
    if (second && !domains.empty()) {
      domains.back().label += fmt::format(" and {}", die.device);
      use.add(die.handle, first);
      continue;
    }
    if (!die.has_counter && !die.has_power) {
      notes.push_back({"AMD SMI",
                       fmt::format("GPU {} tells neither energy nor power: {}", die.device,
                                   library->words(die.code)),
                       ""});
      continue;
    }
    domains.push_back(describe(die));
    boards.push_back(die.handle);
    use.add(die.handle, die.device);
    socket = die.socket;
    first = die.device;
  }
  if (domains.empty()) return nullptr;
  return std::make_unique<AmdSmiSource>(std::move(library), std::move(domains), std::move(boards),
                                        std::move(use), *options.clock);
}

}  // namespace carnot::meter
