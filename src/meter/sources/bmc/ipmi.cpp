// SPDX-License-Identifier: Apache-2.0
//
// The machine's management controller, asked through the kernel's IPMI device. An answer takes
// milliseconds to seconds, so a thread asks. Whole watts; most controllers renew them once a second
// or less often, few say how exact they are.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/ipmi.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "meter/counters/background_reader.hpp"
#include "meter/sources/bmc/ipmi_power.hpp"
#include "meter/sources/sensor_read.hpp"

namespace carnot::meter {
namespace {

constexpr std::uint8_t kGroup = 0xDC;
constexpr Duration kInterval = Duration::seconds(2);
constexpr int kTimeoutMs = 5000;
constexpr int kSliceMs = 100;  // longest wait before `stop` is looked at
// Of the supplies' own telemetry; controllers do not state one.
constexpr Gain kAssumedGain{0.95, 1.05};

// Codes that another try may mend: busy, time out, a state that passes (IPMI 2.0, table 5-2).
bool passes(int completion_code) noexcept {
  constexpr std::array<int, 7> kCodes = {0xC0, 0xC3, 0xC4, 0xCE, 0xCF, 0xD5, 0xFF};
  return std::find(kCodes.begin(), kCodes.end(), completion_code) != kCodes.end();
}

Reading read_power(const IpmiExchange& exchange, const std::atomic<bool>& stop,
                   bool* active = nullptr) {
  constexpr std::array<std::uint8_t, 4> kRequest = {kGroup, 0x01, 0x00, 0x00};  // present power
  std::vector<std::uint8_t> answer;
  Reading reading;
  reading.gain = kAssumedGain;
  const Stamp before = Stamp::now();
  reading.error = exchange(kRequest, answer, stop);
  reading.at = middle(before, Stamp::now());
  if (reading.error != 0) {
    reading.status = sensor_status(reading.error);
    return reading;
  }
  const DcmiPower power = parse_dcmi_power(answer);
  reading.status = power.status;
  if (active != nullptr) *active = power.active;
  reading.error = power.completion_code;
  reading.power = static_cast<double>(power.present_w) * watt;
  return reading;
}

class IpmiSource final : public Source {
 public:
  IpmiSource(IpmiExchange exchange, Reading first, Duration interval)
      : reader_({first}, interval, interval * 5,
                [exchange = std::move(exchange)](std::span<Reading> readings,
                                                 const std::atomic<bool>& stop) {
                  readings[0] = read_power(exchange, stop);
                }) {
    Domain domain;
    domain.id = "ipmi/dcmi";
    domain.label = "management controller";
    domain.source = "ipmi";
    domain.kind = DomainKind::Node;
    domain.boundary = Boundary::Node;
    domain.is_counter = false;
    domain.gauge.update_period = kInterval;
    domain.gauge.longest_hold = Duration::seconds(30);
    domain.gauge.power_cap = 65535.0 * watt;
    domain.gauge.gain = kAssumedGain;
    domains_.push_back(std::move(domain));
  }

  std::string_view name() const noexcept override { return "ipmi"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }
  void poll(std::span<Reading> readings) noexcept override { reader_.newest(readings); }

 private:
  std::vector<Domain> domains_;
  BackgroundReader reader_;
};

// The kernel's device; closed with the last copy of the exchange that holds it.
class IpmiDevice {
 public:
  explicit IpmiDevice(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {}
  ~IpmiDevice() {
    if (fd_ >= 0) ::close(fd_);
  }
  IpmiDevice(const IpmiDevice&) = delete;
  IpmiDevice& operator=(const IpmiDevice&) = delete;
  bool is_open() const noexcept { return fd_ >= 0; }

  int exchange(std::span<const std::uint8_t> request, std::vector<std::uint8_t>& answer,
               const std::atomic<bool>& stop) {
    ipmi_system_interface_addr to{};
    to.addr_type = IPMI_SYSTEM_INTERFACE_ADDR_TYPE;
    to.channel = IPMI_BMC_CHANNEL;
    std::vector<std::uint8_t> data(request.begin(), request.end());
    ipmi_req send{};
    send.addr = reinterpret_cast<unsigned char*>(&to);
    send.addr_len = sizeof to;
    send.msgid = ++message_;
    send.msg.netfn = kDcmiNetworkFunction;
    send.msg.cmd = kDcmiPowerReading;
    send.msg.data_len = static_cast<unsigned short>(data.size());
    send.msg.data = data.data();
    if (::ioctl(fd_, IPMICTL_SEND_COMMAND, &send) != 0) return errno;
    for (int waited = 0; waited < kTimeoutMs && !stop; waited += kSliceMs) {
      pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
      if (const int n = ::poll(&ready, 1, kSliceMs); n < 0 && errno != EINTR) return errno;
      if ((ready.revents & POLLIN) == 0) continue;
      answer.resize(IPMI_MAX_MSG_LENGTH);
      ipmi_addr from{};
      ipmi_recv receive{};
      receive.addr = reinterpret_cast<unsigned char*>(&from);
      receive.addr_len = sizeof from;
      receive.msg.data = answer.data();
      receive.msg.data_len = static_cast<unsigned short>(answer.size());
      if (::ioctl(fd_, IPMICTL_RECEIVE_MSG_TRUNC, &receive) != 0 && errno != EMSGSIZE) return errno;
      answer.resize(std::min<std::size_t>(receive.msg.data_len, answer.size()));
      // What answers an earlier request that took too long is not ours.
      if (receive.msgid == message_) return 0;
    }
    return ETIMEDOUT;
  }

 private:
  int fd_;
  long message_ = 0;
};

}  // namespace

DcmiPower parse_dcmi_power(std::span<const std::uint8_t> answer) noexcept {
  DcmiPower power;
  if (answer.empty()) return power;
  power.completion_code = answer[0];
  if (power.completion_code != 0) {
    power.status = passes(power.completion_code) ? PollStatus::Retry : PollStatus::Broken;
    return power;
  }
  constexpr std::size_t kLength = 19;
  if (answer.size() < kLength || answer[1] != kGroup) return power;
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) value = value << 8 | answer[at + i];
    return value;
  };
  power.present_w = static_cast<std::uint16_t>(number(2, 2));
  power.least_w = static_cast<std::uint16_t>(number(4, 2));
  power.greatest_w = static_cast<std::uint16_t>(number(6, 2));
  power.mean_w = static_cast<std::uint16_t>(number(8, 2));
  power.time_s = number(10, 4);
  power.period_ms = number(14, 4);
  // Controllers without a sensor answer with nothing; a machine that answers draws something. Some
  // never set the bit that says the measurement is on.
  power.active = (answer[18] & 0x40) != 0;
  if (power.present_w > 0) power.status = PollStatus::Ok;
  return power;
}

std::unique_ptr<Source> make_ipmi_source(IpmiExchange exchange, Duration interval,
                                         std::vector<Note>& notes) {
  const std::atomic<bool> go_on{false};
  bool active = true;
  const Reading first = read_power(exchange, go_on, &active);
  if (first.status == PollStatus::Broken || first.status == PollStatus::Ended) {
    notes.push_back(
        {"IPMI",
         fmt::format("the management controller gives no power reading (code {:#x})", first.error),
         ""});
    return nullptr;
  }
  if (first.status == PollStatus::Ok && !active)
    notes.push_back(
        {"IPMI",
         "the management controller says its power measurement is not active, and tells "
         "a power all the same: it is used",
         ""});
  return std::make_unique<IpmiSource>(std::move(exchange), first, interval);
}

std::unique_ptr<Source> open_ipmi(const SourceOptions& options, std::vector<Note>& notes) {
  if (!options.ipmi) return nullptr;
  const std::string path = options.dev_root + "/ipmi0";
  const auto device = std::make_shared<IpmiDevice>(path);
  if (!device->is_open()) {
    const int error = errno;
    notes.push_back(
        {"IPMI", path + ": " + std::strerror(error),
         error == EACCES ? "sudo chmod a+rw " + path : "sudo modprobe ipmi_si ipmi_devintf"});
    return nullptr;
  }
  return make_ipmi_source(
      [device](std::span<const std::uint8_t> request, std::vector<std::uint8_t>& answer,
               const std::atomic<bool>& stop) { return device->exchange(request, answer, stop); },
      kInterval, notes);
}

}  // namespace carnot::meter
