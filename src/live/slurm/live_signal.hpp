// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A signal as it grows: what its file or page said last, on the steps of the book. A file that
/// cannot be read, is cut short in the middle of a line or not there, or a page that does not
/// answer in time, leaves what was known in its place; `age` tells how old that is. Belongs to one
/// thread; pages are fetched by another, and never waited for.

#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/live/slurm/dispatch_config.hpp"
#include "carnot/trace/trace.hpp"

namespace carnot::live {

/// The text of a page. \throws IoError
using PageFetcher = std::function<std::string(const std::string& url, Duration timeout)>;
/// By libcurl; http and https, five redirects, at most 64 MiB.
std::string fetch_page(const std::string& url, Duration timeout);

class LiveSignal {
 public:
  LiveSignal(LiveSignalOptions options, Dimension dimension, PageFetcher fetch);

  /// Looks again if it is time. \param real  a clock that is never set
  void look(Duration real, bool wait_for_page = false);
  /// Mean over what is known of [from, from + step) by `now`; none: nothing.
  std::optional<double> value(Instant from, Duration step, Instant now) const;
  /// How old the newest value is at `now`; zero for constants. None: there never was one.
  std::optional<Duration> age(Instant now) const;
  /// Steps wholly known later than `now`, from `from` on, as far as there are any.
  std::vector<double> ahead(Instant from, Duration step, std::size_t most) const;
  const std::string& trouble() const noexcept { return trouble_; }  ///< of the last look; or empty
  const LiveSignalOptions& options() const noexcept { return options_; }

 private:
  void take(const std::string& text, const std::string& name);

  LiveSignalOptions options_;
  Dimension dimension_;
  PageFetcher fetch_;
  std::optional<TraceCore> known_;
  std::optional<Duration> next_;
  std::string trouble_, last_text_stamp_;
  std::future<std::string> page_;
};

}  // namespace carnot::live
