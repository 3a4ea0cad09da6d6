// SPDX-License-Identifier: Apache-2.0
#include "assets.hpp"

#include <string>

#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/report/web/fleet.hpp"

namespace carnot::app {

namespace {

std::string inflated(std::span<const unsigned char> gzip) {
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  CARNOT_CHECK(inflateInit2(&stream, kGzip) == Z_OK, "zlib has memory for a window");
  stream.next_in = const_cast<unsigned char*>(gzip.data());
  stream.avail_in = static_cast<unsigned>(gzip.size());
  std::string out;
  char buffer[16384];
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<unsigned char*>(buffer);
    stream.avail_out = sizeof buffer;
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer, sizeof buffer - stream.avail_out);
  }
  inflateEnd(&stream);
  CARNOT_CHECK(state == Z_STREAM_END, "an embedded file is whole");
  return out;
}

/// Scripts, styles and pictures from here alone, connections to here alone.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

HttpResponse answer(const Asset& asset, const HttpRequest& request) {
  HttpResponse out{200, std::string(asset.type), "", {}};
  out.headers.emplace_back("Content-Security-Policy", kPolicy);
  out.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  out.headers.emplace_back("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
  out.headers.emplace_back("Vary", "Accept-Encoding");
  if (request.header("accept-encoding").find("gzip") != std::string_view::npos) {
    out.headers.emplace_back("Content-Encoding", "gzip");
    out.body.assign(reinterpret_cast<const char*>(asset.gzip.data()), asset.gzip.size());
  } else {
    out.body = inflated(asset.gzip);
  }
  return out;
}

}  // namespace

std::vector<Route> asset_routes() {
  std::vector<Route> out;
  for (const Asset& asset : embedded_assets()) {
    const std::string path(asset.path);
    const auto give = [&asset](const HttpRequest& r) { return answer(asset, r); };
    const std::string at = path == "/index.html"     ? "/"
                           : path == "/openapi.json" ? "/api/v1/openapi.json"
                                                     : path;
    out.push_back({"GET", at, give, nullptr, false, true});
  }
  const auto land = [](const HttpRequest&) {
    return HttpResponse{200, "text/csv; charset=utf-8", report::land_csv(), {}};
  };
  out.push_back({"GET", "/land.csv", land, nullptr, false, true});
  return out;
}

}  // namespace carnot::app
