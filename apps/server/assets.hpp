// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The dashboard's files, compiled in: what `web/` was built to, gzipped. They say nothing about
/// this machine, so they are handed out without a token.

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "server.hpp"

namespace carnot::app {

struct Asset {
  std::string_view path, type;
  std::span<const unsigned char> gzip;
};
/// Generated from web/dist.
std::span<const Asset> embedded_assets() noexcept;

/// A route for each, `/` for index.html, `/api/v1/openapi.json` for openapi.json, and `/land.csv`.
std::vector<Route> asset_routes();

}  // namespace carnot::app
