// SPDX-License-Identifier: Apache-2.0
#include "live/slurm/live_signal.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

#include <fmt/format.h>
#include <sys/stat.h>
#ifdef CARNOT_HAVE_CURL
#include <curl/curl.h>
#endif

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

namespace carnot::live {

#ifdef CARNOT_HAVE_CURL

namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;

std::size_t take_bytes(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& text = *static_cast<std::string*>(into);
  if (text.size() + size * count > kMostBytes) return 0;
  text.append(bytes, size * count);
  return size * count;
}

}  // namespace

std::string fetch_page(const std::string& url, Duration timeout) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw IoError(std::string("libcurl: ") + curl_easy_strerror(started));
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (curl == nullptr) throw IoError("libcurl: no handle");
  std::string text;
  const long ms = static_cast<long>(std::max<std::int64_t>(1, timeout.nanoseconds() / 1'000'000));
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, ms);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &text);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) throw IoError(fmt::format("{}: {}", url, curl_easy_strerror(code)));
  return text;
}

#else

std::string fetch_page(const std::string& url, Duration) {
  throw IoError(url + ": this build cannot fetch: it was made without libcurl");
}

#endif

LiveSignal::LiveSignal(LiveSignalOptions options, Dimension dimension, PageFetcher fetch)
    : options_(std::move(options)), dimension_(dimension), fetch_(std::move(fetch)) {}

void LiveSignal::take(const std::string& text, const std::string& name) {
  try {
    known_ =
        reading::parse_csv(text, name, options_.csv, dimension_).core.affine(options_.scale, 0);
    trouble_.clear();
  } catch (const InputError& error) {
    // A line that is being written: what stands before it counts.
    const std::size_t cut = text.find_last_of('\n', text.empty() ? 0 : text.size() - 1);
    if (cut != std::string::npos && cut + 1 < text.size())
      return take(text.substr(0, cut + 1), name);
    trouble_ = error.what();
  }
}

void LiveSignal::look(Duration real, bool wait_for_page) {
  if (options_.constant) return;
  if (page_.valid()) {
    if (!wait_for_page && page_.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
      return;
    try {
      take(page_.get(), options_.url);
    } catch (const IoError& error) {
      trouble_ = error.what();
    }
  }
  if (next_ && real < *next_) return;
  next_ = real + options_.refresh;
  if (!options_.url.empty()) {
    page_ = std::async(std::launch::async,
                       [fetch = fetch_, url = options_.url, timeout = options_.timeout] {
                         return fetch(url, timeout);
                       });
    if (wait_for_page) look(real, true);
    return;
  }
  struct stat s {};
  const std::string stamp =
      stat(options_.file.c_str(), &s) == 0
          ? fmt::format("{} {} {}.{}", s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec)
          : std::string();
  if (!stamp.empty() && stamp == last_text_stamp_) return;
  try {
    take(read_file(options_.file), options_.file);
    last_text_stamp_ = stamp;
  } catch (const IoError& error) {
    trouble_ = error.what();
  }
}

std::optional<double> LiveSignal::value(Instant from, Duration step, Instant now) const {
  if (options_.constant) return options_.constant;
  if (!known_) return std::nullopt;
  Instant a = std::max(from, known_->begin()), b = std::min(from + step, known_->end());
  if (a >= b) return std::nullopt;
  // Of the intervals that begin later than now nothing is known yet.
  if (b > now) {
    const Instant at = std::clamp(now, known_->begin(), known_->end() - Duration::nanoseconds(1));
    b = std::min(b, known_->edge(known_->index_at(at) + 1));
  }
  if (a >= b) return std::nullopt;
  return known_->mean_over(a, b);
}

std::optional<Duration> LiveSignal::age(Instant now) const {
  if (options_.constant) return Duration{};
  if (!known_) return std::nullopt;
  return std::max(Duration{}, now - known_->end());
}

std::vector<double> LiveSignal::ahead(Instant from, Duration step, std::size_t most) const {
  std::vector<double> values;
  if (options_.constant || !known_ || !options_.ahead || from < known_->begin()) return values;
  const std::int64_t steps =
      std::min<std::int64_t>(static_cast<std::int64_t>(most), (known_->end() - from) / step);
  if (steps <= 0) return values;
  values.resize(static_cast<std::size_t>(steps));
  known_->means_over(from, step, values);
  return values;
}

}  // namespace carnot::live
