// SPDX-License-Identifier: Apache-2.0
//
// A meter outside of the machine, at its plug: a file that something appends lines to (a logger, a
// bridge of MQTT or Modbus), or an address that answers with its power (Shelly, Tasmota,
// HomeWizard). A thread asks once a second; a file that nobody writes to any more says nothing.

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/meter/counters/source.hpp"

#include "meter/counters/background_reader.hpp"
#include "meter/sources/bmc/http_client.hpp"
#include "meter/sources/external/external_power.hpp"
#include "meter/sources/sensor_read.hpp"

namespace carnot::meter {
namespace {

constexpr Duration kInterval = Duration::seconds(1);
constexpr Duration kTimeout = Duration::seconds(3);
/// Loggers and plugs report every second to half minute; after this a file is stale.
constexpr std::int64_t kStale_s = 60;
/// Plugs for households are specified to 1 to 2 %, and less well below a few watts. Assumed.
constexpr Gain kAssumedGain{0.97, 1.03};

struct Answer {
  std::string text, header, error;
};

/// The first line and the last whole one.
Answer read_file_end(const std::string& path) {
  Answer answer;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) {
    answer.error = fmt::format("{}: {}", path, std::strerror(errno));
    if (fd >= 0) ::close(fd);
    return answer;
  }
  std::array<char, 8192> buffer;
  const auto read_at = [&](off_t from) {
    const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), from);
    return std::string_view(buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  };
  const std::string_view head = read_at(0);
  answer.header = head.substr(0, std::min(head.find('\n'), head.size()));
  const auto size = static_cast<off_t>(buffer.size());
  answer.text = last_line(read_at(status.st_size > size ? status.st_size - size : 0));
  if (::time(nullptr) - status.st_mtime > kStale_s) {
    answer.error = fmt::format("{}: nobody has written to it for {} s", path,
                               ::time(nullptr) - status.st_mtime);
  } else if (answer.text.empty()) {
    answer.error = path + ": no whole line yet";
  }
  ::close(fd);
  return answer;
}

bool is_address(const std::string& from) {
  return from.starts_with("http://") || from.starts_with("https://");
}

class ExternalSource final : public Source {
 public:
  ExternalSource(Domain domain, Reading first, BackgroundReader::Read read)
      : domains_{std::move(domain)}, reader_({first}, kInterval, kInterval * 10, std::move(read)) {}

  std::string_view name() const noexcept override { return "external"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }
  void poll(std::span<Reading> readings) noexcept override { reader_.newest(readings); }

 private:
  std::vector<Domain> domains_;
  BackgroundReader reader_;
};

}  // namespace

std::unique_ptr<Source> open_external(const SourceOptions& options, std::vector<Note>& notes) {
  const std::string& from = options.external;
  if (from.empty()) return nullptr;
  std::shared_ptr<HttpClient> client;
  if (is_address(from)) {
    std::string error;
    client = HttpClient::load(error);
    if (!client) {
      notes.push_back({"external meter", error, "sudo apt install libcurl4"});
      return nullptr;
    }
  } else if (from.find("://") != std::string::npos) {
    throw InputError("external: a file or an address of http:// or https://, found `" + from +
                     "`; a bridge such as mosquitto_sub can append to a file");
  }
  const auto ask = [client, from](Reading& reading, std::string& why,
                                  const std::atomic<bool>& stop) {
    Answer answer;
    if (client) {
      const HttpReply reply = client->get(from, kTimeout, stop);
      answer.text = reply.body;
      answer.error = !reply.error.empty()  ? reply.error
                     : reply.status != 200 ? fmt::format("HTTP status {}", reply.status)
                                           : "";
    } else {
      answer = read_file_end(from);
    }
    reading = Reading{};
    reading.gain = kAssumedGain;
    reading.at = Stamp::now();
    const auto watts =
        answer.error.empty() ? external_watts(answer.text, answer.header) : std::nullopt;
    reading.status = watts ? PollStatus::Ok : PollStatus::Retry;
    reading.error = watts ? 0 : ENODATA;
    reading.power = watts.value_or(0.0) * watt;
    why = watts ? "" : answer.error.empty() ? "there is no power in its answer" : answer.error;
  };
  Domain domain;
  domain.id = "external/plug";
  domain.label = "external meter";
  domain.source = "external";
  domain.kind = DomainKind::Node;
  domain.boundary = Boundary::Node;
  domain.is_counter = false;
  domain.gauge.update_period = kInterval;
  domain.gauge.longest_hold = kInterval * 60;
  domain.gauge.power_cap = 1.0 * megawatt;
  domain.gauge.gain = kAssumedGain;
  Reading first;
  std::string why;
  const std::atomic<bool> go_on{false};
  ask(first, why, go_on);
  if (!why.empty()) notes.push_back({"external meter", why, ""});
  return std::make_unique<ExternalSource>(
      std::move(domain), first, [ask](std::span<Reading> readings, const std::atomic<bool>& stop) {
        std::string ignored;
        ask(readings[0], ignored, stop);
      });
}

}  // namespace carnot::meter
