// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The HTTP server of `carnot serve`: HTTP/1.1 over Boost.Beast, one thread, everything bounded.
///
///     Server server({"127.0.0.1", 9187}, access, {}, {{"GET", "/metrics", answer}});
///     server.port();     // serves until it goes out of scope
///
/// A connection has `header` time to say what it wants, however slowly it says it, `write` time to
/// take the answer, and room for `header_bytes` and `body_bytes`. When all `connections` are taken
/// a newcomer takes the place of whoever has been asking longest, so that clients who never finish
/// asking keep nobody out. Routes answer on the server's thread: they must be quick, and what they
/// read must be safe to read from there; those marked `slow` answer one after the other on a second
/// thread, a bounded queue of them. TLS is a proxy's affair (docs/how-to/prometheus.md).

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "event_feed.hpp"
#include "http.hpp"

namespace carnot::app {

struct ServerLimits {
  std::size_t connections = 2048;  ///< less if the process may open fewer files
  std::size_t listeners = 1536;    ///< of feeds; more are told 503
  std::size_t header_bytes = 16'384, body_bytes = 1 << 20;
  std::size_t slow_waiting = 32;  ///< requests to slow routes; more are told 503
  std::chrono::milliseconds header{5'000}, idle{15'000}, body{10'000}, write{10'000};
  std::chrono::milliseconds heartbeat{15'000};  ///< of a feed without events
};

struct ServerAddress {
  std::string host;  ///< a name or a number
  int port = 0;      ///< 0: any
};
/// "HOST:PORT", "[::1]:80". \throws InputError
ServerAddress parse_server_address(const std::string& text);
/// Whether only this machine can reach it. \throws IoError if the name means nothing here
bool is_loopback(const ServerAddress& address);

struct Route {
  std::string method;  ///< HEAD comes with GET
  std::string path;    ///< `{}` stands for one part of any name: "/runs/{}/series"
  /// May throw: of an InputError the client is told the words and 400, of anything else 500 and
  /// nothing else.
  std::function<HttpResponse(const HttpRequest&)> answer;
  EventFeed* feed = nullptr;  ///< instead of an answer; outlives the server
  bool slow = false;          ///< takes more than a few milliseconds
  bool is_public = false;     ///< needs no token: says nothing about this machine
};

class Server {
 public:
  /// Listens from here on. \throws IoError
  Server(const ServerAddress& address, HttpAccess access, ServerLimits limits,
         std::vector<Route> routes);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Cuts all connections.
  ~Server();
  int port() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace carnot::app
