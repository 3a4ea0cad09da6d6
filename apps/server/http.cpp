// SPDX-License-Identifier: Apache-2.0
#include "http.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/random.h>
#include <sys/stat.h>

#include "carnot/base/error.hpp"

namespace carnot::app {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// "Example.org:80" -> "example.org", "[::1]:80" -> "::1"; empty: no host.
std::string host_name(std::string_view authority) {
  std::string_view port;
  std::string_view name = authority;
  if (name.starts_with('[')) {
    const std::size_t end = name.find(']');
    if (end == std::string_view::npos) return "";
    port = name.substr(end + 1);
    name = name.substr(1, end - 1);
  } else if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
    port = name.substr(colon);
    name = name.substr(0, colon);
  }
  if (!port.empty() && (port[0] != ':' || port.find_first_not_of("0123456789", 1) != port.npos))
    return "";
  if (name.ends_with('.')) name.remove_suffix(1);
  return lower(name);
}

bool same_bytes(std::string_view a, std::string_view b) noexcept {
  // Takes as long whatever differs; lengths are no secret.
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i] ^ b[i]));
  return difference == 0;
}

bool is_reading(std::string_view method) noexcept { return method == "GET" || method == "HEAD"; }

/// Whether the browser that sends it says that another site made it do so.
bool from_another_site(const HttpRequest& request) {
  const std::string_view site = request.header("sec-fetch-site");
  // A link followed to a page shows it to the user alone; what else another site starts, it reads.
  const bool shown = is_reading(request.method) && request.header("sec-fetch-mode") == "navigate" &&
                     request.header("sec-fetch-dest") == "document";
  if (!site.empty() && site != "same-origin" && site != "none" && !shown) return true;
  const std::string_view origin = request.header("origin");
  if (origin.empty()) return false;
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return true;  // `null` too
  return lower(origin.substr(scheme + 3)) != lower(request.header("host"));
}

/// Of a query's value. Nothing if it is badly encoded.
std::optional<std::string> decoded(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = digit(text[i + 1]), low = digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(16 * high + low);
    i += 2;
  }
  return out;
}

/// Paths that name anything but the routes of this server are not looked at further.
bool is_plain(std::string_view target) {
  if (!target.starts_with('/')) return false;
  for (const char c : target) {
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) > '~') return false;
  }
  const std::string_view path = target.substr(0, target.find('?'));
  return path.find_first_of("%\\;") == std::string_view::npos &&
         path.find("//") == std::string_view::npos && path.find("/.") == std::string_view::npos;
}

}  // namespace

std::string_view HttpRequest::path() const noexcept {
  return std::string_view(target).substr(0, target.find('?'));
}

std::optional<std::string> HttpRequest::query(std::string_view name) const {
  std::string_view rest(target);
  const std::size_t mark = rest.find('?');
  if (mark == rest.npos) return std::nullopt;
  rest.remove_prefix(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    return equals == pair.npos ? std::string() : decoded(pair.substr(equals + 1));
  }
  return std::nullopt;
}

std::string_view HttpRequest::header(std::string_view lower_case_name) const noexcept {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

std::size_t HttpRequest::count(std::string_view lower_case_name) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(headers.begin(), headers.end(),
                    [&](const auto& entry) { return entry.first == lower_case_name; }));
}

std::string_view reason(unsigned status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

HttpResponse problem(unsigned status, std::string_view detail) {
  nlohmann::ordered_json body{
      {"type", "about:blank"}, {"title", reason(status)}, {"status", status}, {"detail", detail}};
  if (detail.find('\n') != detail.npos) {
    nlohmann::ordered_json errors = nlohmann::ordered_json::array();
    for (std::string_view rest = detail; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      if (!line.empty()) errors.push_back({{"detail", line}});
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
    body["detail"] = detail.substr(0, detail.find('\n'));
    body["errors"] = std::move(errors);
  }
  HttpResponse response{
      status,
      "application/problem+json",
      body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n",
      {}};
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"carnot\"");
  return response;
}

bool may_pass(const HttpRequest& request, const HttpAccess& access, std::string_view local_address,
              HttpResponse& refusal, bool is_public) {
  const auto refuse = [&](unsigned status, std::string_view detail) {
    refusal = problem(status, detail);
    return false;
  };
  if (request.count("host") != 1) return refuse(400, "Host: exactly one");
  const std::string host = host_name(request.header("host"));
  if (host.empty()) return refuse(400, "Host: NAME or NAME:PORT");
  if (host != "localhost" && host != local_address &&
      std::find(access.hosts.begin(), access.hosts.end(), host) == access.hosts.end())
    return refuse(421, "this server does not answer to that name; --allow-host NAME lets it");
  if (from_another_site(request)) return refuse(403, "requests that other sites make are refused");
  const bool reads_freely =
      is_reading(request.method) && (is_public || access.token.empty() || access.reading_is_free);
  if (!reads_freely) {
    const std::string_view given = request.header("authorization");
    constexpr std::string_view kScheme = "bearer ";
    const bool is_bearer =
        given.size() > kScheme.size() && lower(given.substr(0, kScheme.size())) == kScheme;
    if (access.token.empty())
      return refuse(401, "without --token-file this server only answers GET and HEAD");
    if (!is_bearer || !same_bytes(given.substr(kScheme.size()), access.token))
      return refuse(401, access.reading_is_free
                             ? "Authorization: Bearer TOKEN, with the token that stands after "
                               "#token= in the address printed at the start"
                             : "Authorization: Bearer TOKEN, with the token of --token-file");
  }
  if (!is_plain(request.target)) return refuse(404, "no such page");
  return true;
}

std::string read_token(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw InputFileError(path, "open", errno);
  if ((status.st_mode & 077) != 0)
    throw InputError(
        fmt::format("{}: a token that only its owner can read; chmod 600 mends it", path));
  std::ifstream file(path);
  std::string token;
  std::getline(file, token);
  if (!token.empty() && token.back() == '\r') token.pop_back();
  const bool visible =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!visible || token.size() < 16 || token.size() > 1024)
    throw InputError(fmt::format(
        "{}:1: token: 16 to 1024 visible ASCII characters, such as from `openssl rand -hex 32`",
        path));
  return token;
}

std::string random_token() {
  unsigned char bytes[16];
  if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes))
    throw IoError("random numbers of the system", "read", errno);
  std::string out;
  for (const unsigned char b : bytes) out += fmt::format("{:02x}", b);
  return out;
}

}  // namespace carnot::app
