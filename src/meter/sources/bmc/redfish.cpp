// SPDX-License-Identifier: Apache-2.0
//
// Management controllers over Redfish. At the start each chassis is searched for what tells its
// power (the metrics of its power supplies; else the older Power resource); then a thread asks for
// just those, every few seconds, and a poll returns the newest answer.

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "meter/counters/background_reader.hpp"
#include "meter/sources/bmc/http_client.hpp"
#include "meter/sources/bmc/redfish_power.hpp"
#include "meter/sources/sensor_read.hpp"

namespace carnot::meter {
namespace {

// Power supplies' telemetry over PMBus is specified to a few percent; services state nothing.
constexpr Gain kAssumedGain{0.95, 1.05};
constexpr std::size_t kMostChassis = 64, kMostSupplies = 32, kMostMoved = 1024;
constexpr int kMostRedirects = 3;

// The service, asked with one connection.
class Service {
 public:
  Service(std::unique_ptr<HttpClient> client, std::string root, Duration timeout)
      : client_(std::move(client)), root_(std::move(root)), timeout_(timeout) {}

  /// Follows redirects within the service: some want a slash at the end. Empty with `error` in
  /// words and `status` of HTTP (0: no answer).
  std::optional<RedfishResource> get(const std::string& path, const std::atomic<bool>& stop) {
    const auto known = moved_.find(path);
    std::string where = known == moved_.end() ? path : known->second;
    HttpReply reply = client_->get(root_ + where, timeout_, stop);
    for (int hops = 0; hops < kMostRedirects && is_redirect(reply.status); ++hops) {
      if (!reply.redirect.starts_with(root_ + "/")) break;  // a password goes nowhere else
      where = reply.redirect.substr(root_.size());
      reply = client_->get(root_ + where, timeout_, stop);
      if (reply.status == 200 && moved_.size() < kMostMoved) moved_[path] = where;
    }
    status = reply.status;
    error = reply.error;
    if (!error.empty()) return std::nullopt;
    if (is_redirect(status)) {
      error = fmt::format("{}: HTTP status {} leads elsewhere ({}), which is not followed", path,
                          status, reply.redirect.substr(0, 200));
      return std::nullopt;
    }
    if (status != 200) {
      error = fmt::format("{}: HTTP status {}", path, status);
      return std::nullopt;
    }
    auto resource = parse_redfish_power(reply.body);
    if (!resource) error = path + ": the answer is no JSON object";
    return resource;
  }

  long status = 0;
  std::string error;

 private:
  static bool is_redirect(long status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  }

  std::unique_ptr<HttpClient> client_;
  std::string root_;
  Duration timeout_;
  std::map<std::string, std::string> moved_;  // where redirects led, to ask once only
};

// One chassis: the resources whose powers add up to it.
struct Chassis {
  RedfishResource resource;
  std::vector<std::string> paths;
  std::vector<Chassis> siblings;  // machines behind the same controller: one of all is this one
};

// In this order: the chassis' own figure in the older resource, its successor, and the sum of its
// supplies, which several machines may share.
std::vector<std::string> find_power(Service& service, const RedfishResource& chassis,
                                    RedfishResource& told) {
  const std::atomic<bool> go_on{false};
  const auto follow = [&](const std::string& path) -> RedfishResource {
    if (path.empty()) return {};
    return service.get(path, go_on).value_or(RedfishResource{});
  };
  std::vector<std::string> paths;
  for (const std::string& path : {chassis.power, chassis.environment}) {
    told = follow(path);
    // What the older resource has beside its own figure is worse than the successor.
    const bool own = told.watts && told.from.empty();
    if (own || (told.watts && follow(chassis.environment).watts == std::nullopt)) return {path};
  }
  told = {};
  const RedfishResource supplies = follow(follow(chassis.power_subsystem).power_supplies);
  for (const std::string& supply : supplies.members) {
    if (paths.size() == kMostSupplies) break;
    const std::string metrics = follow(supply).metrics;
    if (follow(metrics).watts) paths.push_back(metrics);
  }
  return paths;
}

// A chassis inside another that tells its power is part of that power.
void keep_outermost(std::vector<Chassis>& all) {
  const std::vector<Chassis> found = all;
  std::erase_if(all, [&](const Chassis& chassis) {
    return std::any_of(found.begin(), found.end(), [&](const Chassis& other) {
      return other.resource.path != chassis.resource.path &&
             other.resource.path == chassis.resource.contained_by;
    });
  });
}

// A password that is refused is not tried again: services lock accounts.
bool refused(long status) { return status == 401 || status == 403; }

// One of several machines is meant and nobody says which: the mean, and the range of all.
void take_one_of(const std::vector<double>& watts, Reading& reading) {
  const auto [least, most] = std::minmax_element(watts.begin(), watts.end());
  double mean = 0;
  for (const double each : watts) mean += each / static_cast<double>(watts.size());
  reading.power = mean * watt;
  reading.gain = {kAssumedGain.low * *least / mean, kAssumedGain.high * *most / mean};
}

Reading read_chassis(Service& service, const Chassis& chassis, const std::atomic<bool>& stop) {
  Reading reading;
  reading.gain = kAssumedGain;
  const Stamp before = Stamp::now();
  reading.status = PollStatus::Ok;
  for (const std::string& path : chassis.paths) {
    const auto resource = service.get(path, stop);
    if (!resource || !resource->watts) {
      reading.status = refused(service.status) ? PollStatus::Broken : PollStatus::Retry;
      reading.error = static_cast<int>(service.status);
      break;
    }
    reading.power += *resource->watts * watt;
    reading.gain.low = std::min(reading.gain.low, kAssumedGain.low * resource->least);
    reading.gain.high = std::max(reading.gain.high, kAssumedGain.high * resource->most);
    if (!resource->nodes.empty()) take_one_of(resource->nodes, reading);
  }
  if (reading.status == PollStatus::Ok && reading.power == Power{}) {
    reading.status = PollStatus::Retry;  // nothing that answers draws nothing
    reading.error = ENODATA;
  }
  reading.at = middle(before, Stamp::now());
  return reading;
}

Reading read_machine(Service& service, const Chassis& chassis, const std::atomic<bool>& stop) {
  Reading reading = read_chassis(service, chassis, stop);
  if (chassis.siblings.empty()) return reading;
  std::vector<double> watts;
  if (reading.status == PollStatus::Ok) watts.push_back(reading.power.in(watt));
  for (const Chassis& sibling : chassis.siblings) {
    const Reading other = read_chassis(service, sibling, stop);
    if (other.status == PollStatus::Ok) watts.push_back(other.power.in(watt));
  }
  if (watts.empty()) return reading;
  reading.status = PollStatus::Ok;
  reading.error = 0;
  take_one_of(watts, reading);
  return reading;
}

// Chassis of different computers become one reading with a range; those of one stay apart.
void join_siblings(std::vector<Chassis>& all, std::size_t systems, std::vector<Note>& notes) {
  const auto other_machine = [&](const Chassis& a, const Chassis& b) {
    const auto &x = a.resource.systems, &y = b.resource.systems;
    if (x.empty() || y.empty()) return x.empty() && y.empty() && systems > 1;
    return std::none_of(x.begin(), x.end(), [&](const std::string& one) {
      return std::find(y.begin(), y.end(), one) != y.end();
    });
  };
  if (all.size() < 2) return;
  for (std::size_t i = 1; i < all.size(); ++i)
    if (!other_machine(all[0], all[i])) return;
  Chassis joined = all.front();
  joined.siblings.assign(all.begin() + 1, all.end());
  notes.push_back({"Redfish",
                   fmt::format("{} machines are behind this controller and none is known to be "
                               "this one: the range is that of all of them",
                               all.size()),
                   ""});
  all = {std::move(joined)};
}

class RedfishSource final : public Source {
 public:
  RedfishSource(std::vector<Domain> domains, std::vector<Reading> first, Duration interval,
                BackgroundReader::Read read)
      : domains_(std::move(domains)),
        reader_(std::move(first), interval, interval * 4, std::move(read)) {}

  std::string_view name() const noexcept override { return "redfish"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }
  void poll(std::span<Reading> readings) noexcept override { reader_.newest(readings); }

 private:
  std::vector<Domain> domains_;
  BackgroundReader reader_;
};

std::vector<Domain> describe(const std::vector<Chassis>& all, Duration interval) {
  std::vector<Domain> domains;
  for (const Chassis& chassis : all) {
    Domain domain;
    domain.id = "redfish" + chassis.resource.path;
    domain.label = chassis.resource.id.empty() ? chassis.resource.path : chassis.resource.id;
    domain.source = "redfish";
    domain.kind = DomainKind::Node;
    domain.boundary = Boundary::Node;
    domain.is_counter = false;
    domain.gauge.update_period = interval;
    domain.gauge.longest_hold = interval * 6;
    domain.gauge.power_cap = 1.0 * megawatt;
    domain.gauge.gain = kAssumedGain;
    domains.push_back(std::move(domain));
  }
  return domains;
}

std::string service_root(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  const bool secure = url.starts_with("https://");
  const std::size_t scheme = secure ? 8 : 7;
  if ((!secure && !url.starts_with("http://")) || url.size() == scheme ||
      url.find_first_of(" \t\r\n@?#") != std::string::npos ||
      url.find('/', scheme) != std::string::npos)
    throw InputError(
        "redfish: expected the address of a service such as https://bmc.example, found `" + url +
        "`");
  return url;
}

}  // namespace

std::unique_ptr<Source> open_redfish(const SourceOptions& options, const RedfishTiming& timing,
                                     std::vector<Note>& notes) {
  if (options.redfish.empty()) return nullptr;
  const std::string root = service_root(options.redfish);
  std::string error;
  auto client = HttpClient::load(error);
  if (!client) {
    notes.push_back({"Redfish", error, "sudo apt install libcurl4"});
    return nullptr;
  }
  client->login(options.redfish_user, options.redfish_password);
  if (!options.redfish_user.empty() && root.starts_with("http://"))
    notes.push_back({"Redfish", "the password goes over the network unencrypted: use https", ""});
  const auto service = std::make_shared<Service>(std::move(client), root, timing.timeout);
  const std::atomic<bool> go_on{false};
  const auto collection = service->get("/redfish/v1/Chassis", go_on);
  if (!collection) {
    notes.push_back({"Redfish", root + ": " + service->error, ""});
    return nullptr;
  }
  const auto all = std::make_shared<std::vector<Chassis>>();
  std::vector<Reading> first;
  for (const std::string& member : collection->members) {
    if (all->size() == kMostChassis) break;
    auto resource = service->get(member, go_on);
    if (!resource) continue;
    resource->path = member;
    RedfishResource told;
    Chassis chassis{*resource, find_power(*service, *resource, told), {}};
    if (chassis.paths.empty()) continue;
    if (!told.from.empty())
      notes.push_back(
          {"Redfish", fmt::format("{} tells its power only as {}", member, told.from), ""});
    if (!told.nodes.empty())
      notes.push_back({"Redfish",
                       fmt::format("{} machines share {} and none is known to be this one: the "
                                   "range is that of all of them",
                                   told.nodes.size(), member),
                       ""});
    all->push_back(std::move(chassis));
  }
  keep_outermost(*all);
  if (all->size() > 1) {
    const auto systems = service->get("/redfish/v1/Systems", go_on);
    join_siblings(*all, systems ? systems->members.size() : 0, notes);
  }
  for (const Chassis& chassis : *all) first.push_back(read_machine(*service, chassis, go_on));
  if (all->empty()) {
    notes.push_back({"Redfish", root + ": no chassis tells its power (0 W is no reading)", ""});
    return nullptr;
  }
  return std::make_unique<RedfishSource>(
      describe(*all, timing.interval), std::move(first), timing.interval,
      [service, all](std::span<Reading> readings, const std::atomic<bool>& stop) {
        for (std::size_t i = 0; i < readings.size() && !stop; ++i)
          if (readings[i].status != PollStatus::Broken)
            readings[i] = read_machine(*service, (*all)[i], stop);
      });
}

std::unique_ptr<Source> open_redfish(const SourceOptions& options, std::vector<Note>& notes) {
  return open_redfish(options, RedfishTiming{}, notes);
}

}  // namespace carnot::meter
