// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#ifdef CARNOT_HAVE_CURL
#include <curl/curl.h>
#endif

#include "carnot/live/export/export_queue.hpp"

namespace carnot::live {

namespace {

Duration steady_now() {
  return Duration::nanoseconds(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

#ifdef CARNOT_HAVE_CURL
constexpr std::size_t kMostWords = 2000;

std::size_t take_words(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& text = *static_cast<std::string*>(into);
  if (text.size() < kMostWords) text.append(bytes, std::min(size * count, kMostWords));
  return size * count;
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}
#endif

}  // namespace

#ifdef CARNOT_HAVE_CURL

bool can_post() noexcept { return true; }

ExportReply post(const ExportTarget& target, const std::string& body, Duration timeout) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) return {0, std::string("libcurl: ") + curl_easy_strerror(started)};
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (curl == nullptr) return {0, "libcurl: no handle"};
  curl_slist* list = nullptr;
  for (const auto& [name, value] : target.headers)
    list = curl_slist_append(list, (name + ": " + value).c_str());
  list = curl_slist_append(list, "Expect:");
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(list, curl_slist_free_all);
  ExportReply reply;
  const long ms = static_cast<long>(std::max<std::int64_t>(1, timeout.nanoseconds() / 1'000'000));
  curl_easy_setopt(curl.get(), CURLOPT_URL, target.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POST, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, ms);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take_words);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &reply.words);
  const CURLcode code = curl_easy_perform(curl.get());
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK) return {0, curl_easy_strerror(code)};
  reply.status = static_cast<int>(status);
  reply.words = one_line(std::move(reply.words));
  return reply;
}

#else

bool can_post() noexcept { return false; }

ExportReply post(const ExportTarget&, const std::string&, Duration) {
  return {0, "this build cannot send: it was made without libcurl"};
}

#endif

struct ExportThread::State {
  ExportTarget target;
  Duration interval;
  std::function<std::string()> make;
  std::function<void(const std::string&)> say;
  std::mutex mutex;
  std::condition_variable changed;
  bool ends = false;
  std::thread thread;

  void run() {
    ExportQueue queue;
    std::string told;
    Duration next = steady_now();
    while (true) {
      const bool last = wait_until(next, queue);
      Duration now = steady_now();
      if (now >= next || last) {
        queue.add(make());
        while (next <= now) next = next + interval;
      }
      const Duration limit = last ? Duration::seconds(2) : Duration::seconds(10);
      while (const std::string* body = queue.due(steady_now())) {
        queue.answered(post(target, *body, limit), steady_now());
        if (last && steady_now() - now > limit) break;
      }
      if (queue.trouble() != told) {
        told = queue.trouble();
        say(told.empty() ? fmt::format("{}: takes figures again", target.url)
                         : fmt::format("{}: {}", target.url, told));
      }
      if (last) return;
    }
  }

  /// True once it is to end. Wakes for what waits too.
  bool wait_until(Duration next, const ExportQueue& queue) {
    std::unique_lock lock(mutex);
    while (!ends) {
      const Duration now = steady_now();
      if (now >= next || queue.due(now) != nullptr) return false;
      const Duration pause =
          std::min(next - now, queue.waiting() > 0 ? Duration::seconds(1) : next - now);
      changed.wait_for(lock, std::chrono::nanoseconds(pause.nanoseconds()));
    }
    return true;
  }
};

ExportThread::ExportThread(ExportTarget target, Duration interval,
                           std::function<std::string()> make,
                           std::function<void(const std::string&)> say)
    : state_(std::make_unique<State>()) {
  state_->target = std::move(target);
  state_->interval = interval;
  state_->make = std::move(make);
  state_->say = std::move(say);
  // Signals are the program's own affair: its other threads get them.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  state_->thread = std::thread([state = state_.get()] { state->run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ExportThread::~ExportThread() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ends = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

}  // namespace carnot::live
