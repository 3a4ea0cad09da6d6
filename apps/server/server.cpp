// SPDX-License-Identifier: Apache-2.0
#include "server.hpp"

#include <algorithm>
#include <csignal>
#include <list>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"

namespace carnot::app {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Parser = http::request_parser<http::string_body>;

/// Files that this process needs besides its connections.
constexpr std::size_t kOtherFiles = 256;
constexpr std::size_t kWrittenAtOnce = 64 * 1024;

auto into(ErrorCode& error) { return asio::redirect_error(asio::use_awaitable, error); }

IoError refused(const ServerAddress& address, const char* what, const ErrorCode& error) {
  return IoError(fmt::format("{}:{}", address.host, address.port), what, error.value());
}

std::vector<tcp::endpoint> endpoints_of(const ServerAddress& address) {
  asio::io_context context;
  tcp::resolver resolver(context);
  ErrorCode error;
  const auto found = resolver.resolve(address.host, std::to_string(address.port), error);
  if (error || found.empty())
    throw IoError(address.host, fmt::format("look up: {}", error.message()).c_str(), 0);
  std::vector<tcp::endpoint> out;
  for (const auto& entry : found) out.push_back(entry.endpoint());
  return out;
}

struct Connection : std::enable_shared_from_this<Connection> {
  explicit Connection(tcp::socket socket) : stream(std::move(socket)), wake(stream.get_executor()) {
    ErrorCode error;
    const auto local = stream.socket().local_endpoint(error);
    if (error) return;
    auto address = local.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
      address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    local_address = address.to_string();
  }
  void cut() {
    ErrorCode ignored;
    stream.socket().close(ignored);
    wake.cancel();
  }

  beast::tcp_stream stream;
  asio::steady_timer wake;  ///< of a listener
  std::string local_address;
  bool asking = true, listening = false;
};

std::string text(beast::string_view view) { return {view.data(), view.size()}; }
beast::string_view view(std::string_view text) { return {text.data(), text.size()}; }

/// \param message  its header, the body may still be on its way
HttpRequest request_of(const Parser::value_type& message) {
  HttpRequest out;
  out.method = text(message.method_string());
  out.target = text(message.target());
  for (const auto& field : message) {
    std::string name = text(field.name_string());
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    out.headers.emplace_back(std::move(name), text(field.value()));
  }
  return out;
}

/// Whether a path is of a route's form; `parts` receives what stands for each `{}`.
bool matches(std::string_view form, std::string_view path, std::vector<std::string>& parts) {
  parts.clear();
  while (true) {
    const std::string_view want = form.substr(0, form.find('/')),
                           have = path.substr(0, path.find('/'));
    if (want == "{}") {
      if (have.empty()) return false;
      parts.emplace_back(have);
    } else if (want != have) {
      return false;
    }
    const bool ends = want.size() == form.size();
    if (ends || have.size() == path.size()) return ends && have.size() == path.size();
    form.remove_prefix(want.size() + 1);
    path.remove_prefix(have.size() + 1);
  }
}

/// What every answer says: nothing here is to be kept, embedded elsewhere or guessed at.
template <class Message>
void set_common(Message& message) {
  message.set(http::field::cache_control, "no-store");
  message.set("Content-Security-Policy",
              "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
              "frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
  message.set("Cross-Origin-Resource-Policy", "same-origin");
  message.set("Referrer-Policy", "no-referrer");
  message.set("X-Content-Type-Options", "nosniff");
}

}  // namespace

struct Server::State {
  State(const ServerAddress& address, HttpAccess who, ServerLimits bounds, std::vector<Route> known)
      : access(std::move(who)), limits(bounds), routes(std::move(known)), acceptor(context) {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY) {
      const auto most = static_cast<std::size_t>(files.rlim_cur);
      limits.connections =
          std::min(limits.connections, most > 2 * kOtherFiles ? most - kOtherFiles : most / 2);
    }
    limits.listeners = std::min(limits.listeners, limits.connections * 3 / 4);
    listen(address);
    for (const Route& route : routes) {
      if (route.feed != nullptr)
        route.feed->on_publish([this] { asio::post(context, [this] { wake_listeners(); }); });
    }
    asio::co_spawn(context, accept(), asio::detached);
    // Signals are the program's own affair: its other threads get them.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = std::thread([this] { run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~State() {
    for (const Route& route : routes)
      if (route.feed != nullptr) route.feed->on_publish({});
    context.stop();
    thread.join();
    slow.stop();
    slow.join();
  }

  void listen(const ServerAddress& address) {
    const tcp::endpoint endpoint = endpoints_of(address).front();
    ErrorCode error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) throw refused(address, "listen", error);
    port = acceptor.local_endpoint().port();
  }

  void run() {
    while (!context.stopped()) {
      try {
        context.run();
      } catch (const std::exception&) {
        // Out of memory in one connection: the others go on.
      }
    }
  }

  asio::awaitable<void> accept() {
    asio::steady_timer pause(context);
    while (true) {
      ErrorCode error;
      tcp::socket socket = co_await acceptor.async_accept(into(error));
      if (error == asio::error::operation_aborted) co_return;
      if (error) {  // out of files, or gone again
        pause.expires_after(std::chrono::milliseconds(50));
        co_await pause.async_wait(into(error));
        continue;
      }
      if (connections.size() >= limits.connections && !make_room()) continue;
      const auto place =
          connections.insert(connections.end(), std::make_shared<Connection>(std::move(socket)));
      asio::co_spawn(context, serve(*place),
                     [this, place](const std::exception_ptr&) { connections.erase(place); });
    }
  }

  /// Cuts whoever has been asking longest.
  bool make_room() {
    for (const auto& connection : connections) {
      if (!connection->asking || !connection->stream.socket().is_open()) continue;
      connection->cut();
      return true;
    }
    return false;
  }

  void wake_listeners() {
    for (const auto& connection : connections)
      if (connection->listening) connection->wake.cancel();
  }

  asio::awaitable<void> serve(std::shared_ptr<Connection> connection) {
    beast::tcp_stream& stream = connection->stream;
    beast::flat_buffer buffer(limits.header_bytes + limits.body_bytes);
    auto patience = limits.header;
    while (true) {
      Parser parser;
      parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
      parser.body_limit(limits.body_bytes);
      ErrorCode error;
      HttpResponse response;
      connection->asking = true;
      stream.expires_after(patience);
      co_await http::async_read_header(stream, buffer, parser, into(error));
      connection->asking = false;
      patience = limits.idle;
      if (error) {
        const bool theirs =
            error.category() == http::make_error_code(http::error::bad_method).category() &&
            error != http::error::end_of_stream && error != http::error::partial_message;
        if (!theirs) co_return;
        response = error == http::error::header_limit
                       ? problem(431, fmt::format("at most {} bytes", limits.header_bytes))
                   : error == http::error::body_limit ? too_large()
                                                      : problem(400, "a request of HTTP/1.1");
        co_await answer(*connection, false, false, response);
        co_return;
      }
      const bool keep = parser.keep_alive();
      const bool head_only = parser.get().method() == http::verb::head;
      HttpRequest request = request_of(parser.get());
      const bool is_public = std::any_of(routes.begin(), routes.end(), [&](const Route& known) {
        return known.is_public && matches(known.path, request.path(), request.parts);
      });
      if (!may_pass(request, access, connection->local_address, response, is_public)) {
        co_await answer(*connection, head_only, false, response);
        co_return;
      }
      if (!parser.is_done()) {
        stream.expires_after(limits.body);
        co_await http::async_read(stream, buffer, parser, into(error));
        if (error == http::error::body_limit) {
          response = too_large();
          co_await answer(*connection, head_only, false, response);
        }
        if (error) co_return;
      }
      request.body = std::move(parser.get().body());
      const Route* known = find(request, response);
      if (known != nullptr && known->feed != nullptr) {
        if (listeners < limits.listeners) {
          co_await follow(*connection, *known->feed, request);
          co_return;
        }
        response = problem(503, "too many listeners");
      } else if (known != nullptr && known->slow) {
        if (waiting < limits.slow_waiting) {
          auto answered = std::make_shared<HttpResponse>();
          co_await answer_slowly(*connection, *known, request, answered);
          if (!connection->stream.socket().is_open()) co_return;
          response = std::move(*answered);
        } else {
          response = problem(503, "too many questions at once");
        }
      } else if (known != nullptr) {
        response = answer_of(*known, request);
      }
      const bool goes_on = co_await answer(*connection, head_only, keep, response);
      if (!goes_on) co_return;
    }
  }

  HttpResponse too_large() const {
    return problem(413, fmt::format("at most {} bytes", limits.body_bytes));
  }

  /// The route that is asked for; nullptr: `refusal` says why not.
  const Route* find(HttpRequest& request, HttpResponse& refusal) const {
    std::string allowed;
    for (const Route& known : routes) {
      if (!matches(known.path, request.path(), request.parts)) continue;
      const bool fits = known.method == request.method ||
                        (known.method == "GET" && request.method == "HEAD" && !known.feed);
      if (fits) return &known;
      allowed += (allowed.empty() ? "" : ", ") + known.method;
      if (known.method == "GET" && !known.feed) allowed += ", HEAD";
    }
    refusal = problem(404, "no such page");
    if (allowed.empty()) return nullptr;
    refusal = problem(405, fmt::format("allowed here: {}", allowed));
    refusal.headers.emplace_back("Allow", allowed);
    return nullptr;
  }

  static HttpResponse answer_of(const Route& route, const HttpRequest& request) {
    try {
      return route.answer(request);
    } catch (const InputError& e) {
      return problem(400, e.what());
    } catch (const std::exception&) {
      return problem(500, "this is our bug, please report it");
    }
  }

  /// On the second thread; the first goes on meanwhile.
  asio::awaitable<void> answer_slowly(Connection& connection, const Route& route,
                                      HttpRequest request, std::shared_ptr<HttpResponse> into_it) {
    auto done = std::make_shared<bool>(false);
    std::shared_ptr<Connection> kept = connection.shared_from_this();
    ++waiting;
    connection.wake.expires_at(asio::steady_timer::time_point::max());
    asio::post(slow, [this, &route, request = std::move(request), into_it, done, kept] {
      *into_it = answer_of(route, request);
      asio::post(context, [this, done, kept] {
        --waiting;
        *done = true;
        kept->wake.cancel();
      });
    });
    while (!*done && connection.stream.socket().is_open()) {
      ErrorCode woken;
      co_await connection.wake.async_wait(into(woken));
    }
  }

  /// \return whether the connection goes on
  asio::awaitable<bool> answer(Connection& connection, bool head_only, bool keep,
                               const HttpResponse& response) {
    http::response<http::string_body> message;
    message.version(11);
    message.result(response.status);
    message.reason(view(reason(response.status)));
    set_common(message);
    message.set(http::field::content_type, response.type);
    for (const auto& [name, value] : response.headers) message.set(view(name), view(value));
    message.keep_alive(keep);
    message.content_length(response.body.size());
    if (!head_only) message.body() = response.body;
    ErrorCode error;
    connection.stream.expires_after(limits.write);
    http::response_serializer<http::string_body> serializer(message);
    if (head_only)
      co_await http::async_write_header(connection.stream, serializer, into(error));
    else
      co_await http::async_write(connection.stream, serializer, into(error));
    if (!error && !keep) co_await hang_up(connection);
    co_return !error && keep;
  }

  /// Closes so that what was answered arrives: what the client still sends is read and dropped, for
  /// a while.
  asio::awaitable<void> hang_up(Connection& connection) {
    ErrorCode error;
    connection.stream.socket().shutdown(tcp::socket::shutdown_send, error);
    connection.asking = true;
    connection.stream.expires_after(std::min(limits.header, std::chrono::milliseconds(2000)));
    char dropped[4096];
    while (!error) co_await connection.stream.async_read_some(asio::buffer(dropped), into(error));
  }

  asio::awaitable<void> follow(Connection& connection, EventFeed& feed,
                               const HttpRequest& request) {
    struct Listening {
      State& state;
      Connection& connection;
      Listening(State& s, Connection& c) : state(s), connection(c) {
        connection.listening = true;
        ++state.listeners;
      }
      Listening(const Listening&) = delete;
      Listening& operator=(const Listening&) = delete;
      ~Listening() {
        connection.listening = false;
        --state.listeners;
      }
    } const listening(*this, connection);
    std::uint64_t wanted = feed.next();
    bool missed = false;
    if (const std::string_view last = request.header("last-event-id"); !last.empty())
      wanted = feed.after(last, missed);
    else if (request.query("from") == "oldest")
      wanted = feed.oldest();
    http::response<http::empty_body> head(http::status::ok, 11);
    set_common(head);
    head.set(http::field::content_type, "text/event-stream");
    head.set(http::field::connection, "close");
    http::response_serializer<http::empty_body> serializer(head);
    ErrorCode error;
    connection.stream.expires_after(limits.write);
    co_await http::async_write_header(connection.stream, serializer, into(error));
    while (!error) {
      std::string text = missed ? "event: missed\ndata: {\"events\":null}\n\n" : "";
      missed = false;
      while (text.size() < kWrittenAtOnce) {
        const EventFeed::Batch batch = feed.take(wanted);
        wanted = batch.next;
        if (batch.text == nullptr) break;
        text += *batch.text;
      }
      if (text.empty()) {
        connection.wake.expires_after(limits.heartbeat);
        ErrorCode woken;
        co_await connection.wake.async_wait(into(woken));
        if (!connection.stream.socket().is_open()) co_return;
        if (woken) continue;  // an event
        text = ":\n\n";
      }
      connection.stream.expires_after(limits.write);
      co_await asio::async_write(connection.stream, asio::buffer(text), into(error));
    }
  }

  HttpAccess access;
  ServerLimits limits;
  std::vector<Route> routes;
  int port = 0;
  asio::io_context context{1};
  tcp::acceptor acceptor;
  std::list<std::shared_ptr<Connection>> connections;
  std::size_t listeners = 0, waiting = 0;
  asio::thread_pool slow{1};
  std::thread thread;
};

ServerAddress parse_server_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  try {
    if (colon != std::string::npos && colon > 0) {
      const long long port = parse_integer(text.substr(colon + 1));
      std::string host = text.substr(0, colon);
      if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
      if (port >= 0 && port <= 65535) return {host, static_cast<int>(port)};
    }
  } catch (const InputError&) {
    // said below
  }
  throw InputError(fmt::format("HOST:PORT is wanted, such as 127.0.0.1:9187, found `{}`", text));
}

bool is_loopback(const ServerAddress& address) {
  const std::vector<tcp::endpoint> all = endpoints_of(address);
  return std::all_of(all.begin(), all.end(),
                     [](const tcp::endpoint& e) { return e.address().is_loopback(); });
}

Server::Server(const ServerAddress& address, HttpAccess access, ServerLimits limits,
               std::vector<Route> routes)
    : state_(std::make_unique<State>(address, std::move(access), limits, std::move(routes))) {}

Server::~Server() = default;

int Server::port() const noexcept { return state_->port; }

}  // namespace carnot::app
