// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

#include "meter/sources/bmc/redfish_power.hpp"
#include "meter/testing/testing.hpp"
#include "meter/testing/testing_allocations.hpp"
#include "meter/testing/testing_job.hpp"
#include "meter/testing/testing_threads.hpp"

namespace carnot::meter {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A service on the loopback: fixed answers by path, one request a connection.
class Server {
 public:
  Server() : listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    CARNOT_CHECK(::bind(listening_, reinterpret_cast<sockaddr*>(&address), length) == 0, "bind");
    CARNOT_CHECK(::listen(listening_, 16) == 0, "listen");
    ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &length);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { run(); });
  }
  ~Server() {
    stop_ = true;
    thread_.join();
    ::close(listening_);
  }

  const std::string& url() const { return url_; }
  void answer(const std::string& path, const std::string& body, int status = 200) {
    const std::scoped_lock lock(mutex_);
    answers_[path] = {status, body};
  }
  /// Without a slash at the end every path leads to the one with it, as iLO 4 does.
  void want_slash() { slash_ = true; }
  void lead(const std::string& path, const std::string& where) {
    const std::scoped_lock lock(mutex_);
    leads_[path] = where;
  }
  void status(int every) {
    const std::scoped_lock lock(mutex_);
    every_status_ = every;
  }
  void hang() { hang_ = true; }  // takes requests and says nothing
  std::vector<std::string> requests() {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }

 private:
  void run() {
    while (!stop_) {
      pollfd ready{.fd = listening_, .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, 5) <= 0) continue;
      const int client = ::accept(listening_, nullptr, nullptr);
      if (client < 0) continue;
      std::string request;
      char bytes[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(client, bytes, sizeof bytes, 0);
        if (n <= 0) break;
        request.append(bytes, static_cast<std::size_t>(n));
      }
      while (hang_ && !stop_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      const std::string reply = reply_to(request);
      if (::send(client, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) stop_ = true;
      ::close(client);
    }
  }
  std::string reply_to(const std::string& request) {
    const std::scoped_lock lock(mutex_);
    requests_.push_back(request);
    const std::size_t start = request.find(' ') + 1;
    std::string path = request.substr(start, request.find(' ', start) - start);
    const auto lead = leads_.find(path);
    if (lead != leads_.end() || (slash_ && !path.ends_with('/')))
      return "HTTP/1.1 308 X\r\nContent-Length: 0\r\nConnection: close\r\nLocation: " +
             (lead != leads_.end() ? lead->second : path + "/") + "\r\n\r\n";
    if (slash_) path.pop_back();
    const auto found = answers_.find(path);
    int status = found == answers_.end() ? 404 : found->second.first;
    if (every_status_ != 0) status = every_status_;
    const std::string body = found == answers_.end() ? "" : found->second.second;
    return "HTTP/1.1 " + std::to_string(status) +
           " X\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nConnection: close\r\n\r\n" + body;
  }

  int listening_;
  std::string url_;
  std::mutex mutex_;
  std::map<std::string, std::pair<int, std::string>> answers_;
  std::vector<std::string> requests_;
  std::map<std::string, std::string> leads_;
  std::atomic<bool> slash_{false};
  int every_status_ = 0;
  std::atomic<bool> stop_{false}, hang_{false};
  std::thread thread_;
};

std::string link(const std::string& path) { return R"({"@odata.id":")" + path + R"("})"; }

class Redfish : public ::testing::Test {
 protected:
  // A chassis with two power supplies and, beside them, the older resource.
  void serve_modern() {
    server_.answer("/redfish/v1/Chassis", R"({"Members":[)" + link("/redfish/v1/Chassis/1") + "]}");
    server_.answer("/redfish/v1/Chassis/1", R"({"Id":"1","PowerSubsystem":)" + link("/c/1/ps") +
                                                R"(,"Power":)" + link("/c/1/Power") + "}");
    server_.answer("/c/1/ps", R"({"PowerSupplies":)" + link("/c/1/psus") + "}");
    server_.answer("/c/1/psus", R"({"Members":[)" + link("/psu/a") + "," + link("/psu/b") + "]}");
    server_.answer("/psu/a", R"({"Metrics":)" + link("/psu/a/m") + "}");
    server_.answer("/psu/b", R"({"Metrics":)" + link("/psu/b/m") + "}");
    supply("a", "250.5");
    supply("b", "49.5");
    server_.answer("/c/1/Power", R"({"PowerControl":[{"PowerConsumedWatts":999}]})");
  }
  void supply(const std::string& name, const std::string& watts) {
    server_.answer("/psu/" + name + "/m", R"({"InputPowerWatts":{"Reading":)" + watts + "}}");
  }
  void serve_old() {
    server_.answer("/redfish/v1/Chassis", R"({"Members":[)" + link("/c/x") + "]}");
    server_.answer("/c/x", R"({"Id":"x","Power":)" + link("/c/x/Power") + "}");
    server_.answer("/c/x/Power",
                   R"({"PowerControl":[{"PowerConsumedWatts":null},{"PowerConsumedWatts":344}]})");
  }
  void open(const std::string& user = "", const std::string& password = "") {
    SourceOptions options;
    options.redfish = server_.url() + "/";
    options.redfish_user = user;
    options.redfish_password = password;
    source_ = open_redfish(options, timing_, notes_);
    if (source_ != nullptr) {
      EXPECT_THAT(testing::check_source_contract(*source_, testing::allocations), IsEmpty());
    }
  }
  Reading poll() {
    std::vector<Reading> readings(source_->domains().size());
    source_->poll(readings);
    return readings[0];
  }
  Reading poll_until(auto&& wanted) {
    Reading reading;
    EXPECT_TRUE(eventually([&] { return wanted(reading = poll()); })) << "never came";
    return reading;
  }

  Server server_;
  RedfishTiming timing_{.interval = Duration::nanoseconds(5'000'000),
                        .timeout = Duration::seconds(5)};
  std::vector<Note> notes_;
  std::unique_ptr<Source> source_;
};

TEST(RedfishJson, ResourcesAreReadAndTheRestIsLeftOut) {
  const auto resource = parse_redfish_power(
      R"({"@odata.id":"/x","Id":"7","Members":[{"@odata.id":"/a"},{"@odata.id":"//evil/b"},
      {"@odata.id":"http://evil/"},{"@odata.id":3},7],"Links":{"ContainedBy":{"@odata.id":"/up"}},
      "PowerControl":[{"PowerConsumedWatts":-4},{"PowerConsumedWatts":12.5}]})");
  ASSERT_TRUE(resource);
  EXPECT_EQ(resource->path, "/x");
  EXPECT_EQ(resource->id, "7");
  EXPECT_THAT(resource->members, ElementsAre("/a"));
  EXPECT_EQ(resource->contained_by, "/up");
  EXPECT_EQ(resource->watts, 12.5);
}

TEST(RedfishJson, WhatIsNoObjectIsNothing) {
  for (const char* text : {"", "null", "[]", "7", "{", "{\"a\":}", "\"text\""})
    EXPECT_FALSE(parse_redfish_power(text)) << text;
  EXPECT_FALSE(parse_redfish_power(std::string(100'000, '[')));
  EXPECT_EQ(parse_redfish_power(R"({"InputPowerWatts":{"Reading":1e300}})")->watts, std::nullopt);
  EXPECT_EQ(parse_redfish_power(R"({"InputPowerWatts":7})")->watts, std::nullopt);
}

// A sled's supplies are shared with its neighbours: what is its own goes first.
TEST_F(Redfish, TheChassisOwnFigureGoesBeforeItsSupplies) {
  serve_modern();
  open();
  ASSERT_NE(source_, nullptr);
  EXPECT_EQ(poll().power, 999.0 * watt);
}

TEST_F(Redfish, SuppliesAddUp) {
  serve_modern();
  server_.answer("/c/1/Power", R"({"PowerControl":[{"PowerConsumedWatts":0}]})");
  open();
  ASSERT_NE(source_, nullptr);
  ASSERT_THAT(source_->domains(), SizeIs(1));
  EXPECT_EQ(source_->domains()[0].id, "redfish/redfish/v1/Chassis/1");
  EXPECT_EQ(source_->domains()[0].kind, DomainKind::Node);
  EXPECT_EQ(poll().power, 300.0 * watt);
  supply("b", "149.5");
  const Reading reading = poll_until(
      [](const Reading& r) { return r.status == PollStatus::Ok && r.power == 400.0 * watt; });
  EXPECT_LE(reading.at.monotonic_ns, Stamp::now().monotonic_ns);
}

TEST_F(Redfish, OlderServicesTellTheFirstControlThatHasANumber) {
  serve_old();
  open();
  ASSERT_NE(source_, nullptr);
  EXPECT_EQ(poll().power, 344.0 * watt);
}

TEST_F(Redfish, RedirectsWithinTheServiceAreFollowed) {
  serve_old();
  server_.want_slash();
  open();
  ASSERT_NE(source_, nullptr);
  EXPECT_EQ(poll().power, 344.0 * watt);
}

TEST_F(Redfish, RedirectsElsewhereAreNot) {
  serve_old();
  server_.lead("/redfish/v1/Chassis", "http://127.0.0.1:1/redfish/v1/Chassis");
  open("user", "secret");
  EXPECT_EQ(source_, nullptr);
  ASSERT_FALSE(notes_.empty());
  EXPECT_THAT(notes_.back().why, HasSubstr("not followed"));
}

TEST_F(Redfish, EnvironmentMetricsTellTheChassis) {
  serve_old();
  server_.answer("/c/x", R"({"Id":"x","EnvironmentMetrics":)" + link("/c/x/env") + "}");
  server_.answer("/c/x/env",
                 R"({"PowerWatts":{"Reading":231.5},"PowerLimitWatts":{"SetPoint":0}})");
  open();
  ASSERT_NE(source_, nullptr);
  EXPECT_EQ(poll().power, 231.5 * watt);
}

TEST_F(Redfish, MakersFieldsAndOutputsAreTakenWithANote) {
  serve_old();
  server_.answer("/c/x/Power",
                 R"({"PowerControl":[{"Name":"x"}],"Oem":{"ts_fujitsu":{"ChassisPowerConsumption":
                 {"CurrentPowerConsumptionW":151}}}})");
  open();
  ASSERT_NE(source_, nullptr);
  EXPECT_EQ(poll().power, 151.0 * watt);
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0].why, HasSubstr("maker's own field"));
  server_.answer("/c/x/Power", R"({"PowerSupplies":[{"LastPowerOutputWatts":210},
                 {"LastPowerOutputWatts":220,"PowerInputWatts":750,"PowerCapacityWatts":750}]})");
  open();
  ASSERT_NE(source_, nullptr);
  EXPECT_EQ(poll().power, 430.0 * watt);
  EXPECT_GE(430.0 * poll().gain.high, 480.0);  // what they lose is in the range
}

TEST_F(Redfish, ZeroWattsAreNoReading) {
  serve_old();
  server_.answer("/c/x/Power", R"({"PowerControl":[{"PowerConsumedWatts":0}]})");
  open();
  EXPECT_EQ(source_, nullptr);
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0].why, HasSubstr("0 W is no reading"));
}

TEST_F(Redfish, OneOfSeveralMachinesIsARange) {
  serve_old();
  server_.answer("/redfish/v1/Chassis",
                 R"({"Members":[)" + link("/c/x") + "," + link("/c/y") + "]}");
  for (const std::string name : {"x", "y"})
    server_.answer("/c/" + name, R"({"Id":")" + name + R"(","Links":{"ComputerSystems":[)" +
                                     link("/s/" + name) + R"(]},"Power":)" +
                                     link("/c/" + name + "/Power") + "}");
  server_.answer("/c/y/Power", R"({"PowerControl":[{"PowerConsumedWatts":100}]})");
  open();
  ASSERT_NE(source_, nullptr);
  ASSERT_THAT(source_->domains(), SizeIs(1));
  const Reading reading = poll();
  EXPECT_EQ(reading.power, 222.0 * watt);
  EXPECT_LE(reading.power * reading.gain.low, 100.0 * watt);
  EXPECT_GE(reading.power * reading.gain.high, 344.0 * watt);
}

TEST_F(Redfish, OnlyWhatTellsThePowerIsAskedAgain) {
  serve_old();
  open();
  const std::size_t before = server_.requests().size();
  while (server_.requests().size() < before + 3) std::this_thread::yield();
  const std::vector<std::string> requests = server_.requests();
  for (std::size_t i = before; i < requests.size(); ++i)
    EXPECT_THAT(requests[i], HasSubstr("GET /c/x/Power "));
}

TEST_F(Redfish, AChassisInsideAnotherIsPartOfItsPower) {
  serve_old();
  server_.answer("/redfish/v1/Chassis",
                 R"({"Members":[)" + link("/c/x") + "," + link("/c/y") + "]}");
  server_.answer("/c/y", R"({"Id":"y","Links":{"ContainedBy":)" + link("/c/x") + R"(},"Power":)" +
                             link("/c/y/Power") + "}");
  server_.answer("/c/y/Power", R"({"PowerControl":[{"PowerConsumedWatts":44}]})");
  open();
  ASSERT_THAT(source_->domains(), SizeIs(1));
  EXPECT_EQ(source_->domains()[0].label, "x");
}

TEST_F(Redfish, PasswordsAreSentAndRefusalsAreNotTriedAgain) {
  serve_old();
  const std::size_t threads = threads_of_this_process();
  open("user", "secret");
  ASSERT_NE(source_, nullptr);
  EXPECT_THAT(server_.requests(), Contains(HasSubstr("Authorization: Basic dXNlcjpzZWNyZXQ=")));
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0].why, HasSubstr("unencrypted"));
  server_.status(401);
  poll_until([](const Reading& reading) { return reading.status == PollStatus::Broken; });
  // Nor asked for anything: the thread that would has ended.
  EXPECT_TRUE(eventually([&] { return threads_of_this_process() == threads; }));
}

TEST_F(Redfish, AServiceThatFailsIsStaleThenGoodAgain) {
  serve_old();
  open();
  server_.status(503);
  poll_until([](const Reading& reading) { return reading.status == PollStatus::Retry; });
  server_.status(0);
  poll_until([](const Reading& reading) { return reading.status == PollStatus::Ok; });
}

TEST_F(Redfish, AServiceThatHangsHoldsUpNeitherPollsNorTheEnd) {
  serve_old();
  timing_.timeout = Duration::seconds(3600);
  open();
  server_.hang();
  poll_until([](const Reading& reading) { return reading.status == PollStatus::Retry; });
  source_.reset();  // returns, an hour before the request would
}

TEST_F(Redfish, NobodyThereAndNothingToldAreNotes) {
  open();
  EXPECT_EQ(source_, nullptr);
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0].why, HasSubstr("404"));
  server_.answer("/redfish/v1/Chassis", R"({"Members":[]})");
  open();
  EXPECT_EQ(source_, nullptr);
  EXPECT_THAT(notes_[1].why, HasSubstr("no chassis"));
  SourceOptions options;
  options.redfish = "http://127.0.0.1:1";
  EXPECT_EQ(open_redfish(options, notes_), nullptr);
  EXPECT_THAT(notes_[2].why, HasSubstr("127.0.0.1"));
}

TEST(RedfishAddress, IsAServiceAndNothingElse) {
  std::vector<Note> notes;
  SourceOptions options;
  EXPECT_EQ(open_redfish(options, notes), nullptr);  // not asked for
  for (const char* address : {"bmc", "https://", "ftp://bmc", "https://bmc/redfish", "file:///etc",
                              "https://user:word@bmc", "https://b mc", "https://bmc?x"}) {
    options.redfish = address;
    EXPECT_THROW(open_redfish(options, notes), InputError) << address;
  }
  EXPECT_THAT(notes, IsEmpty());
}

}  // namespace
}  // namespace carnot::meter
