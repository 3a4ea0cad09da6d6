// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What goes over the wire, and who may ask: requests, answers, and the rules that every request
/// passes before a route sees it. Pure; thread-safe.
///
/// A page of some other site, open in a browser on this machine, can send requests to loopback
/// addresses. Three rules keep it out (Fetch Metadata, W3C working draft; RFC 9110 section 7.4):
/// the host it asks for must be one of ours, or its name could be bound anew to 127.0.0.1 (DNS
/// rebinding); a request that says it comes from another site is refused; and whatever changes
/// anything needs a token, as does everything once a token is set.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace carnot::app {

/// \invariant names of headers are lower-case
struct HttpRequest {
  std::string method, target, body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> parts = {};  ///< what stood for each `{}` of the route's path

  std::string_view path() const noexcept;  ///< target up to `?`
  /// The first value of `name` after `?`, decoded; nothing if it is not there or is badly encoded.
  std::optional<std::string> query(std::string_view name) const;
  /// The first of this name; empty if there is none.
  std::string_view header(std::string_view lower_case_name) const noexcept;
  std::size_t count(std::string_view lower_case_name) const noexcept;
};

struct HttpResponse {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// RFC 9457. \param detail  for people: what is allowed; of several lines each is one of `errors`
HttpResponse problem(unsigned status, std::string_view detail);
/// "Not Found"; "Unknown" for a code this server does not send.
std::string_view reason(unsigned status) noexcept;

/// Who may ask for what.
struct HttpAccess {
  /// Names it answers to besides `localhost` and the address a connection came in by; lower case,
  /// no port.
  std::vector<std::string> hosts;
  std::string token;             ///< empty: reading is free, and nothing can be changed
  bool reading_is_free = false;  ///< the token is for changes alone
};

/// \param local_address  numeric, that the connection came in by ("127.0.0.1", "::1")
/// \param refusal        receives the answer: 400, 401, 403, 404, 421
/// \param is_public      what is asked for says nothing about this machine: no token is needed
/// \return whether the request may go on
bool may_pass(const HttpRequest& request, const HttpAccess& access, std::string_view local_address,
              HttpResponse& refusal, bool is_public = false);

/// Reads a token: the first line, at least 16 visible characters.
/// \throws InputError   also for a file that others than its owner may read
/// \throws InputFileError
std::string read_token(const std::string& path);
/// 32 hexadecimal digits that nobody can guess. \throws IoError
std::string random_token();

}  // namespace carnot::app
