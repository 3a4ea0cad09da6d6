// SPDX-License-Identifier: Apache-2.0
#include "meter/background_reader.hpp"

#include <algorithm>
#include <chrono>

#include <unistd.h>

namespace carnot::meter {

BackgroundReader::BackgroundReader(std::vector<Reading> first, Duration interval, Duration stale,
                                   Read read)
    : interval_(interval),
      stale_(stale),
      read_(std::move(read)),
      pid_(::getpid()),
      readings_(std::move(first)),
      thread_([this] { run(); }) {}

BackgroundReader::~BackgroundReader() {
  if (::getpid() != pid_) {  // the thread stayed with the parent
    thread_.detach();
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void BackgroundReader::newest(std::span<Reading> readings) noexcept {
  if (::getpid() != pid_) {  // the lock may have been held at the fork
    std::fill(readings.begin(), readings.end(), Reading{});
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    std::copy(readings_.begin(), readings_.end(), readings.begin());
  }
  const std::int64_t now_ns = Stamp::now().boottime_ns;
  for (Reading& reading : readings)
    if (reading.status == PollStatus::Ok && now_ns - reading.at.boottime_ns > stale_.nanoseconds())
      reading.status = PollStatus::Retry;
}

void BackgroundReader::run() {
  std::vector<Reading> latest = readings_;
  const auto final = [](const Reading& reading) {
    return reading.status == PollStatus::Ended || reading.status == PollStatus::Broken;
  };
  std::unique_lock lock(mutex_);
  while (!stop_ && !std::all_of(latest.begin(), latest.end(), final)) {
    wake_.wait_for(lock, std::chrono::nanoseconds(interval_.nanoseconds()),
                   [this] { return stop_.load(); });
    if (stop_) return;
    lock.unlock();
    read_(latest, stop_);
    lock.lock();
    // A failed look leaves the last good reading until it is stale.
    for (std::size_t i = 0; i < latest.size(); ++i)
      if (latest[i].status != PollStatus::Retry || readings_[i].status != PollStatus::Ok)
        readings_[i] = latest[i];
  }
}

}  // namespace carnot::meter
