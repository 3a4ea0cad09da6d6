// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// GET over HTTP and HTTPS with libcurl, loaded when it is first needed: linking it would cost
/// every start of the measuring program milliseconds, and nearly none of them talks to a network.
/// Its C ABI has been stable since soname 4 (2006); the dozen functions used are declared in the
/// source. One thread at a time.

#include <atomic>
#include <memory>
#include <string>

#include "carnot/base/instant.hpp"

#include "meter/sources/gpu/dynamic_library.hpp"

namespace carnot::meter {

struct HttpReply {
  long status = 0;  ///< 0: there was none
  std::string body;
  std::string error;     ///< in words; empty: there was an answer, whatever its status
  std::string redirect;  ///< the whole address that a redirect names; empty: none
};

/// Server certificates are verified against the system's authorities, or those of the file that the
/// environment variable SSL_CERT_FILE names. No proxy is asked; redirects are not followed, so that
/// a password goes nowhere else.
class HttpClient {
 public:
  /// Null with `error` in words where there is no libcurl.
  static std::unique_ptr<HttpClient> load(std::string& error);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Basic authentication; empty user: none.
  void login(const std::string& user, const std::string& password);
  /// Returns within `timeout`, and soon after `stop` is set. A body above a megabyte is an error.
  HttpReply get(const std::string& url, Duration timeout, const std::atomic<bool>& stop);

 private:
  struct Curl;
  HttpClient();

  DynamicLibrary library_;
  std::unique_ptr<Curl> curl_;
  void* easy_ = nullptr;
  void* multi_ = nullptr;
};

}  // namespace carnot::meter
