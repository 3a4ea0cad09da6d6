// SPDX-License-Identifier: Apache-2.0
//
// Hardware monitoring chips: <sysfs>/class/hwmon/hwmonN. Each value is one pread of a file kept
// open. A power sensor with its own mean over a window is read as that; energy counters are taken
// before gauges of the same sensor; voltage times current only on chips made to measure a supply.

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "carnot/meter/counters/source.hpp"

#include "meter/counters/pinned_file.hpp"
#include "meter/counters/plain_text.hpp"
#include "meter/sources/hwmon_attributes.hpp"
#include "meter/sources/sensor_read.hpp"

namespace carnot::meter {
namespace {

namespace fs = std::filesystem;
using Class = HwmonAttribute::Class;

// No chip states its error; supply monitors and voltage regulators are specified to a few percent.
constexpr Gain kAssumedGain{0.95, 1.05};
constexpr Energy kMicrojoule = 1e-6 * joule;
constexpr Power kMicrowatt = 1e-6 * watt;
constexpr Duration kUnknownPeriod = Duration::nanoseconds(100'000'000);
constexpr Duration kMillisecond = Duration::nanoseconds(1'000'000);
constexpr Power kLargestMachine = 20'000.0 * watt;
constexpr std::size_t kMostSensors = 256;  // each keeps a file open, of 1024 a process may have

// One summand of a sensor: a power or energy file, or voltage times current.
struct Term {
  PinnedFile file, current;

  bool read(std::int64_t& value, int& error) noexcept {
    if (!read_one(file, value, error)) return false;
    if (!current.is_open()) return true;
    std::int64_t milliamperes = 0;
    if (!read_one(current, milliamperes, error)) return false;
    value = hwmon_product(value, milliamperes);
    return true;
  }

 private:
  static bool read_one(PinnedFile& from, std::int64_t& value, int& error) noexcept {
    std::array<char, 40> buffer;
    const std::string_view text = from.read(buffer);
    error = from.error();
    if (error == 0 && !parse_decimal(text, value)) error = EBADMSG;
    return error == 0;
  }
};

struct Sensor {
  PinnedFile sleep;      // of a board: power/runtime_status; reading the sensor would wake it
  std::string chip_key;  // sensors of one chip, or of all ACPI meters, may contain one another
  HwmonMeaning meaning;
  std::vector<Term> terms;
};

bool is_asleep(PinnedFile& status) noexcept {
  std::array<char, 32> buffer;
  return status.is_open() && status.read(buffer).starts_with("suspended");
}

class HwmonSource final : public Source {
 public:
  HwmonSource(std::vector<Domain> domains, std::vector<Sensor> sensors)
      : domains_(std::move(domains)), sensors_(std::move(sensors)) {}

  std::string_view name() const noexcept override { return "hwmon"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }

  void poll(std::span<Reading> readings) noexcept override {
    for (std::size_t i = 0; i < sensors_.size(); ++i) {
      const Stamp before = Stamp::now();
      Reading reading;
      if (is_asleep(sensors_[i].sleep)) {
        reading.at = before;
        reading.status = domains_[i].is_counter ? PollStatus::Retry : PollStatus::Ok;
        reading.error = ENODATA;
        readings[i] = reading;
        continue;
      }
      std::int64_t sum = 0;
      bool good = true;
      for (Term& term : sensors_[i].terms) {
        std::int64_t value = 0;
        good = term.read(value, reading.error);
        if (good && __builtin_add_overflow(sum, value, &sum)) {
          reading.error = EBADMSG;
          good = false;
        }
        if (!good) break;
      }
      reading.at = middle(before, Stamp::now());
      reading.status = good ? PollStatus::Ok : sensor_status(reading.error);
      if (good && domains_[i].is_counter) {
        reading.raw = static_cast<std::uint64_t>(sum);
        if (sum < 0) reading.status = PollStatus::Retry;
      } else if (good) {
        // A supply gives no energy back: what is read below zero is the sensor's offset.
        reading.power = static_cast<double>(std::max<std::int64_t>(sum, 0)) * kMicrowatt;
        reading.gain = domains_[i].gauge.gain;
      }
      readings[i] = reading;
    }
  }

 private:
  std::vector<Domain> domains_;
  std::vector<Sensor> sensors_;
};

struct Chip {
  fs::path folder;      // with the attributes
  std::string name;     // "amdgpu"
  std::string address;  // of the device: "0000:03:00.0"; else "hwmonN"
  std::vector<std::string> files;

  bool has(const std::string& file) const {
    return std::binary_search(files.begin(), files.end(), file);
  }
  std::string text(const std::string& file) const {
    return has(file) ? first_line(folder / file) : std::string();
  }
};

std::vector<std::string> file_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (fs::directory_iterator it(folder, ignored), end; it != end; it.increment(ignored))
    names.push_back(it->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

bool measures(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const std::string& file) { return parse_hwmon_attribute(file); });
}

std::vector<Chip> find_chips(const std::string& sysfs_root) {
  const fs::path root = fs::path(sysfs_root) / "class/hwmon";
  std::vector<Chip> chips;
  for (const std::string& entry : file_names(root)) {
    Chip chip{.folder = root / entry, .name = {}, .address = entry, .files = {}};
    std::error_code none;
    const fs::path device = fs::canonical(chip.folder / "device", none);
    if (!none) chip.address = device.filename().string();
    chip.files = file_names(chip.folder);
    chip.name = chip.text("name");
    // Drivers of the first interface keep their files with the device.
    if (!measures(chip.files)) {
      chip.folder /= "device";
      chip.files = file_names(chip.folder);
      if (chip.name.empty()) chip.name = chip.text("name");
    }
    if (measures(chip.files)) chips.push_back(std::move(chip));
  }
  std::sort(chips.begin(), chips.end(), [](const Chip& a, const Chip& b) {
    return std::tie(a.name, a.address) < std::tie(b.name, b.address);
  });
  return chips;
}

// Collects the sensors of all chips, then tells which contain which.
class Collector {
 public:
  explicit Collector(std::vector<Note>& notes) : notes_(notes) {}

  void add(const Chip& chip) {
    const std::size_t first = domains_.size();
    for (const std::string& file : chip.files) {
      const auto attribute = parse_hwmon_attribute(file);
      if (attribute && attribute->of == Class::Energy && attribute->item == "input")
        add_sensor(chip, *attribute, file, "energy");
    }
    for (const std::string& file : chip.files) {
      const auto attribute = parse_hwmon_attribute(file);
      if (!attribute || attribute->of != Class::Power) continue;
      const std::string number = std::to_string(attribute->index);
      const bool mean = chip.has("power" + number + "_average");
      if (attribute->item != (mean ? "average" : "input")) continue;
      if (chip.has("energy" + number + "_input") && domains_.size() > first) continue;
      add_sensor(chip, *attribute, file, "power");
    }
    if (domains_.size() > first || !is_power_monitor(chip.name)) return;
    for (const std::string& file : chip.files) {
      const auto attribute = parse_hwmon_attribute(file);
      if (attribute && attribute->of == Class::Voltage && attribute->item == "input" &&
          chip.has(fmt::format("curr{}_input", attribute->index)))
        add_sensor(chip, *attribute, file, "in");
    }
  }

  std::unique_ptr<Source> finish() {
    for (const std::string& file : unreadable_)
      notes_.push_back({"hwmon", file + " is not readable by this user", "sudo chmod a+r " + file});
    if (left_out_ > 0)
      notes_.push_back(
          {"hwmon",
           fmt::format("{} sensors beyond the first {} are not read", left_out_, kMostSensors),
           ""});
    keep_one_whole();
    for (std::size_t i = 0; i < domains_.size(); ++i) find_parent(i);
    if (domains_.empty()) return nullptr;
    return std::make_unique<HwmonSource>(std::move(domains_), std::move(sensors_));
  }

 private:
  void add_sensor(const Chip& chip, const HwmonAttribute& attribute, const std::string& file,
                  const std::string& word) {
    const std::string number = std::to_string(attribute.index);
    if (chip.text(word + number + "_enable") == "0") return;
    if (terms_ == kMostSensors) {
      ++left_out_;
      return;
    }
    std::string label = chip.text(word + number + "_label");
    if (label.empty()) label = chip.text(word + number + "_oem_info");
    HwmonMeaning meaning = hwmon_meaning(chip.name, label);
    // On a chip with graphics inside the processor (it shows the northbridge's voltage) the sensor
    // sees the whole processor, which other sources count.
    if (meaning.kind == DomainKind::Gpu && chip.text("in1_label") == "vddnb") meaning = {};

    // The input of a regulator on a board (12 V) is not the machine's, a supply's (mains, 48 V) is.
    std::int64_t input_mv = 0;
    if (meaning.kind == DomainKind::Node && label.starts_with("pin") &&
        parse_decimal(chip.text("in1_input"), input_mv) && chip.text("in1_label") == "vin" &&
        input_mv > 0 && input_mv < 30'000)
      meaning = {};

    Term term{PinnedFile((chip.folder / file).string()), {}};
    const bool product = attribute.of == Class::Voltage;
    if (product)
      term.current = PinnedFile((chip.folder / fmt::format("curr{}_input", number)).string());
    for (const int error : {term.file.error(), term.current.error()})
      if (error == EACCES || error == EPERM) {
        unreadable_.push_back((chip.folder / file).string());
        return;
      }
    if (!term.file.is_open() || (product && !term.current.is_open())) return;
    PinnedFile sleep;
    if (meaning.kind == DomainKind::Gpu)
      sleep = PinnedFile((chip.folder / "device/power/runtime_status").string());
    std::int64_t value = 0;
    int error = 0;
    if (!is_asleep(sleep) && !term.read(value, error) &&
        (sensor_status(error) != PollStatus::Retry || error == EBADMSG))
      return;

    ++terms_;
    const std::string chip_key = chip.name == "power_meter" ? chip.name : chip.address;
    if (meaning.piece)
      for (std::size_t i = 0; i < sensors_.size(); ++i)
        if (sensors_[i].chip_key == chip_key && domains_[i].kind == meaning.kind) {
          sensors_[i].terms.push_back(std::move(term));
          domains_[i].label += " + " + label;
          return;
        }

    Domain domain;
    domain.id = fmt::format("hwmon/{}-{}/{}{}", chip.name, chip.address, word, number);
    domain.label = label.empty() ? chip.name : label;
    domain.source = "hwmon";
    domain.kind = meaning.kind;
    domain.boundary = meaning.boundary;
    domain.socket = meaning.socket;
    domain.core = meaning.core;
    if (meaning.kind == DomainKind::Gpu) {
      domain.device = gpus_++;
      if (chip.name == "amdgpu") domain.same_as = "amd-smi/" + chip.address;
    }
    domain.is_counter = attribute.of == Class::Energy;
    if (domain.is_counter) {
      domain.counter.unit = kMicrojoule;
      domain.counter.update_period = chip.name == "amd_energy" ? kMillisecond : kUnknownPeriod;
      domain.counter.gain = kAssumedGain;
    } else {
      std::int64_t milliseconds = 0;
      if (attribute.item == "average" &&
          parse_decimal(chip.text(fmt::format("power{}_average_interval", number)), milliseconds) &&
          milliseconds > 0 && milliseconds < 3'600'000)
        domain.gauge.window = kMillisecond * milliseconds;
      domain.gauge.update_period = std::max(kUnknownPeriod, domain.gauge.window);
      if (meaning.kind == DomainKind::Node) domain.gauge.power_cap = kLargestMachine;
      domain.gauge.gain = kAssumedGain;
    }
    domains_.push_back(std::move(domain));
    sensors_.push_back({std::move(sleep), chip_key, meaning, {}});
    sensors_.back().terms.push_back(std::move(term));
  }

  // Of several wholes of one chip one counts: the total, else the system's, else the first.
  void keep_one_whole() {
    const auto rank = [&](std::size_t i) {
      std::string label = domains_[i].label;
      std::transform(label.begin(), label.end(), label.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (label.find("total") != std::string::npos) return 0;
      return label.find("system") != std::string::npos ? 1 : 2;
    };
    for (std::size_t i = 0; i < domains_.size(); ++i) {
      if (domains_[i].kind != DomainKind::Node || sensors_[i].chip_key == "power_meter") continue;
      for (std::size_t j = 0; j < domains_.size(); ++j) {
        if (j == i || domains_[j].kind != DomainKind::Node ||
            sensors_[j].chip_key != sensors_[i].chip_key)
          continue;
        if (rank(j) > rank(i) || (rank(j) == rank(i) && j > i)) domains_[j].kind = DomainKind::Rail;
      }
    }
  }

  void find_parent(std::size_t i) {
    // Jetson AGX Orin: the memory's rail is fed by the 5 V input beside it.
    if (domains_[i].label.starts_with("VDDQ_"))
      for (const Domain& other : domains_)
        if (other.label == "VIN_SYS_5V0") domains_[i].parent = other.id;
    if (!domains_[i].parent.empty() || !sensors_[i].meaning.inside) return;
    for (std::size_t j = 0; j < domains_.size(); ++j)
      if (j != i && sensors_[j].chip_key == sensors_[i].chip_key &&
          domains_[j].kind == *sensors_[i].meaning.inside &&
          domains_[j].socket == domains_[i].socket) {
        domains_[i].parent = domains_[j].id;
        return;
      }
  }

  std::vector<Note>& notes_;
  std::vector<Domain> domains_;
  std::vector<Sensor> sensors_;
  std::vector<std::string> unreadable_;
  std::size_t terms_ = 0, left_out_ = 0;
  int gpus_ = 0;
};

}  // namespace

std::unique_ptr<Source> open_hwmon(const SourceOptions& options, std::vector<Note>& notes) {
  Collector collector(notes);
  for (const Chip& chip : find_chips(options.sysfs_root)) collector.add(chip);
  return collector.finish();
}

}  // namespace carnot::meter
