// SPDX-License-Identifier: Apache-2.0
#include "server.hpp"

#include <future>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

namespace carnot::app {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A connection as a client holds it, without a library between.
class Client {
 public:
  explicit Client(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    EXPECT_TRUE(connected_);
    timeval patience{60, 0};  // only a failure takes it
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { ::close(fd_); }

  bool send(std::string_view text) const {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  /// Everything until the server closes.
  std::string rest() const {
    std::string out;
    char buffer[65536];
    for (ssize_t n; (n = ::recv(fd_, buffer, sizeof buffer, 0)) > 0;)
      out.append(buffer, static_cast<std::size_t>(n));
    return out;
  }
  /// Up to and with `end`; what came without it if the server closed first.
  std::string until(std::string_view end) const {
    std::string out;
    for (char c; !out.ends_with(end) && ::recv(fd_, &c, 1, 0) == 1;) out += c;
    return out;
  }
  void finish_sending() const { ::shutdown(fd_, SHUT_WR); }

 private:
  int fd_;
  bool connected_ = false;
};

std::string request(const std::string& first_line, const std::string& more = "") {
  return first_line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more + "\r\n";
}

std::vector<Route> routes(EventFeed* feed = nullptr) {
  std::vector<Route> out{
      {"GET", "/metrics",
       [](const HttpRequest&) {
         return HttpResponse{200, "text/plain", "figures\n", {}};
       }},
      {"POST", "/echo",
       [](const HttpRequest& r) {
         return HttpResponse{200, "text/plain", r.body, {}};
       }},
      {"GET", "/fails", [](const HttpRequest&) -> HttpResponse { throw std::runtime_error("x"); }}};
  if (feed != nullptr) out.push_back({"GET", "/live", {}, feed});
  return out;
}

class ServerTest : public ::testing::Test {
 protected:
  void serve(const ServerLimits& limits, HttpAccess access = {}) {
    server_ = std::make_unique<Server>(ServerAddress{"127.0.0.1", 0}, std::move(access), limits,
                                       routes(&feed_));
  }
  std::string ask(const std::string& text) const {
    const Client client(server_->port());
    EXPECT_TRUE(client.send(text));
    return client.rest();
  }

  EventFeed feed_{8};
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersWithBoundsAndHeadersThatKeepPagesApart) {
  serve({});
  const std::string answer = ask(request("GET /metrics"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nfigures\n"));
  for (const char* header :
       {"X-Content-Type-Options: nosniff", "Content-Security-Policy: default-src 'none'",
        "Cross-Origin-Resource-Policy: same-origin", "Cache-Control: no-store"})
    EXPECT_THAT(answer, HasSubstr(header));
  EXPECT_THAT(answer, Not(HasSubstr("Access-Control")));
  EXPECT_THAT(ask(request("HEAD /metrics")), HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(ask(request("HEAD /metrics")), Not(HasSubstr("figures")));
  EXPECT_THAT(ask(request("GET /metrics?x=1")), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(request("GET /none")), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask(request("GET /fails")), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(ask("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
              StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(ask(request("POST /echo", "Content-Length: 2\r\n") + "xy"),
              StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(ask("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(ServerTest, AConnectionServesOneRequestAfterTheOther) {
  serve({});
  const Client client(server_->port());
  const std::string kept = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ASSERT_TRUE(client.send(kept + kept));  // and both at once
  for (int i = 0; i < 2; ++i) EXPECT_THAT(client.until("figures\n"), StartsWith("HTTP/1.1 200"));
  ASSERT_TRUE(client.send(request("GET /metrics")));
  EXPECT_THAT(client.rest(), HasSubstr("figures\n"));
}

TEST_F(ServerTest, WithATokenChangesAreTakenUpToTheBodysBound) {
  ServerLimits limits;
  limits.body_bytes = 1000;
  serve(limits, {{}, "0123456789abcdef"});
  const std::string key = "Authorization: Bearer 0123456789abcdef\r\n";
  EXPECT_THAT(ask(request("POST /echo", key + "Content-Length: 2\r\n") + "xy"),
              HasSubstr("\r\n\r\nxy"));
  EXPECT_THAT(ask(request("POST /echo", key + "Content-Length: 1001\r\n")),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask(request("POST /echo", key + "Transfer-Encoding: chunked\r\n") + "400\r\n" +
                  std::string(1024, 'x') + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask(request("PUT /echo", key)), HasSubstr("Allow: POST\r\n"));
}

TEST_F(ServerTest, HeadersBeyondTheirBoundAreRefused) {
  serve({});
  EXPECT_THAT(ask(request("GET /" + std::string(20'000, 'a'))), StartsWith("HTTP/1.1 431"));
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  const Client client(server_->port());
  client.send(request("GET /metrics", many));  // may be cut off while it still sends
  EXPECT_THAT(client.until("\r\n"), StartsWith("HTTP/1.1 431"));
}

TEST_F(ServerTest, WhoeverNeverFinishesAskingIsCutAndKeepsNobodyOut) {
  ServerLimits limits;
  limits.connections = 64;
  limits.header = milliseconds(60'000);  // it is room that they are cut for
  serve(limits);
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(std::make_unique<Client>(server_->port()));
    slow.back()->send(i % 2 == 0 ? "GET /metrics HTTP/1.1\r\nHost: x\r\nX-a: " : "");
    EXPECT_THAT(ask(request("GET /metrics")), StartsWith("HTTP/1.1 200"));
  }
  EXPECT_EQ(slow.front()->rest(), "");  // the first was closed: this returns
}

TEST_F(ServerTest, TheDeadlineIsForTheWholeHeader) {
  ServerLimits limits;
  limits.header = milliseconds(50);
  serve(limits);
  const Client client(server_->port());
  client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-a: ");
  // Dripping on does not prolong it; how fast it ends is not looked at.
  while (client.send("a")) ::sched_yield();
}

TEST_F(ServerTest, ListenersHearEveryEventFromWhereTheyLeftOff) {
  serve({});
  feed_.publish("sample", "1");
  feed_.publish("sample", "2");
  const Client client(server_->port());
  client.send(request("GET /live", "Last-Event-ID: 1\r\n"));
  EXPECT_THAT(client.until("data: 2\n\n"), HasSubstr("Content-Type: text/event-stream"));
  feed_.publish("sample", "3");
  EXPECT_EQ(client.until("data: 3\n\n"), "id: 3\nevent: sample\ndata: 3\n\n");
  for (int i = 4; i < 20; ++i) feed_.publish("sample", std::to_string(i));
  EXPECT_THAT(client.until("data: 19\n\n"), HasSubstr("event: sample"));
  const Client late(server_->port());
  late.send(request("GET /live", "Last-Event-ID: 3\r\n"));
  EXPECT_THAT(late.until("data: 19\n\n"),
              HasSubstr("\r\n\r\nevent: missed\ndata: {\"events\":null}\n\nid: 12\n"));
  const Client whole(server_->port());
  whole.send(request("GET /live?from=oldest"));
  EXPECT_THAT(whole.until("data: 19\n\n"), HasSubstr("\r\n\r\nid: 12\n"));
  EXPECT_THAT(ask(request("HEAD /live")), StartsWith("HTTP/1.1 405"));
}

TEST_F(ServerTest, TooManyListenersAreTurnedAway) {
  ServerLimits limits;
  limits.listeners = 1;
  serve(limits);
  const Client first(server_->port());
  first.send(request("GET /live"));
  EXPECT_THAT(first.until("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(request("GET /live")), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(ask(request("GET /metrics")), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, EndsAtOnceWhateverItsClientsDo) {
  serve({});
  const Client idle(server_->port()), half(server_->port()), listener(server_->port());
  half.send("GET /");
  listener.send(request("GET /live"));
  listener.until("\r\n\r\n");
  server_.reset();
  EXPECT_EQ(idle.rest(), "");
  feed_.publish("sample", "after");  // nobody is woken
}

TEST(ServerAddress, IsReadAndTold) {
  EXPECT_EQ(parse_server_address("127.0.0.1:9187").port, 9187);
  EXPECT_EQ(parse_server_address("[::1]:0").host, "::1");
  for (const char* bad : {"", "9187", ":9187", "x:", "x:70000", "x:-1", "x:1x"})
    EXPECT_THROW(parse_server_address(bad), InputError) << bad;
  EXPECT_TRUE(is_loopback({"127.0.0.1", 0}));
  EXPECT_TRUE(is_loopback({"127.3.2.1", 0}));
  EXPECT_TRUE(is_loopback({"::1", 0}));
  EXPECT_FALSE(is_loopback({"0.0.0.0", 0}));
  EXPECT_FALSE(is_loopback({"::", 0}));
  EXPECT_THROW(is_loopback({"no such name", 0}), IoError);
}

TEST_F(ServerTest, PartsOfAPathAndQuestionsReachTheRoute) {
  const auto echo = [](const HttpRequest& r) {
    std::string body;
    for (const std::string& part : r.parts) body += "[" + part + "]";
    return HttpResponse{200, "text/plain", body + r.query("q").value_or("none"), {}};
  };
  const Server server({"127.0.0.1", 0}, {}, {},
                      {{"GET", "/runs/{}", echo},
                       {"GET", "/runs/{}/series/{}", echo, nullptr, true},
                       {"GET", "/", echo}});
  const auto body = [&](const std::string& target) {
    const Client client(server.port());
    client.send(request("GET " + target));
    const std::string answer = client.rest();
    return answer.substr(answer.find("\r\n\r\n") + 4);
  };
  EXPECT_EQ(body("/runs/7?q=a%20b+c%26"), "[7]a b c&");
  EXPECT_EQ(body("/runs/7/series/x?p=1&q="), "[7][x]");
  EXPECT_EQ(body("/?q=%zz"), "none");
  EXPECT_EQ(body("/?q=%2"), "none");
  for (const char* other : {"/runs", "/runs/", "/runs/7/", "/runs/7/series", "/run/7", "/x"})
    EXPECT_THAT(body(other), HasSubstr("no such page")) << other;
}

TEST_F(ServerTest, ASlowRouteKeepsNobodyElseWaiting) {
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  ServerLimits limits;
  limits.slow_waiting = 2;
  const auto slow = [gone](const HttpRequest&) {
    gone.wait();
    return HttpResponse{200, "text/plain", "slow\n", {}};
  };
  std::vector<Route> known = routes();
  known.push_back({"GET", "/slow", slow, nullptr, true});
  const Server server({"127.0.0.1", 0}, {}, limits, known);
  const Client first(server.port()), second(server.port()), third(server.port()),
      quick(server.port());
  first.send(request("GET /slow"));
  second.send(request("GET /slow"));
  // A third is refused as soon as both are in.
  std::string refused;
  while (refused.find("503") == refused.npos) {
    const Client ask(server.port());
    ask.send(request("HEAD /slow"));
    refused = ask.until("\r\n");
  }
  quick.send(request("GET /metrics"));
  EXPECT_THAT(quick.rest(), HasSubstr("figures\n"));
  go.set_value();
  EXPECT_THAT(first.rest(), HasSubstr("slow\n"));
  EXPECT_THAT(second.rest(), HasSubstr("slow\n"));
}

TEST_F(ServerTest, WhatIsPublicNeedsNoTokenAndBadInputIsSaid) {
  const auto bad = [](const HttpRequest&) -> HttpResponse {
    throw InputError("body:1: a: 1 to 9\nbody:2: b: a text");
  };
  std::vector<Route> known = routes();
  known.push_back({"GET", "/page", known[0].answer, nullptr, false, true});
  known.push_back({"POST", "/bad", bad});
  const Server server({"127.0.0.1", 0}, {{}, "0123456789abcdef"}, {}, known);
  const auto ask = [&](const std::string& text) {
    const Client client(server.port());
    client.send(text);
    return client.rest();
  };
  EXPECT_THAT(ask(request("GET /page")), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(request("POST /page")), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(ask(request("GET /metrics")), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(ask("GET /page HTTP/1.1\r\nHost: evil.example\r\n\r\n"), StartsWith("HTTP/1.1 421"));
  const std::string answer =
      ask(request("POST /bad", "Authorization: Bearer 0123456789abcdef\r\nContent-Length: 0\r\n"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer, HasSubstr("application/problem+json"));
  EXPECT_THAT(
      answer,
      HasSubstr(
          R"("detail":"body:1: a: 1 to 9","errors":[{"detail":"body:1: a: 1 to 9"},{"detail":"body:2: b: a text"}])"));
}

TEST(EventFeed, IdsOfThePublishersChoiceAreFoundAgain) {
  EventFeed feed(3);
  for (const char* id : {"a-1", "a-2", "a-3", "a-4"}) feed.publish("e", id, id);
  bool missed = false;
  EXPECT_EQ(feed.after("a-3", missed), 4U);
  EXPECT_EQ(feed.after("a-4", missed), 5U);
  EXPECT_FALSE(missed);
  EXPECT_EQ(feed.after("a-1", missed), 2U);
  EXPECT_TRUE(missed);
  EXPECT_EQ(*feed.take(2).text, "id: a-2\nevent: e\ndata: a-2\n\n");
}

TEST(EventFeed, TellsWhatWasMissed) {
  EventFeed feed(2);
  EXPECT_EQ(feed.next(), 1U);
  EXPECT_EQ(feed.take(1).text, nullptr);
  for (int i = 1; i <= 5; ++i) feed.publish("e", std::to_string(i));
  EXPECT_EQ(*feed.take(1).text, "event: missed\ndata: {\"events\":3}\n\n");
  EXPECT_EQ(feed.take(1).next, 4U);
  EXPECT_EQ(*feed.take(4).text, "id: 4\nevent: e\ndata: 4\n\n");
  EXPECT_EQ(feed.take(99).next, 6U) << "of a feed that began anew";
}

}  // namespace
}  // namespace carnot::app
