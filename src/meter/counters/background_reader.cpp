// SPDX-License-Identifier: Apache-2.0
#include "meter/counters/background_reader.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include <unistd.h>

namespace carnot::meter {

struct BackgroundReader::Shared {
  Duration interval;
  Read read;
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<Reading> readings;  // guarded
  std::atomic<bool> stop{false};
};

BackgroundReader::BackgroundReader(std::vector<Reading> first, Duration interval, Duration stale,
                                   Read read, Clock& clock)
    : clock_(clock), stale_(stale), pid_(::getpid()), shared_(std::make_unique<Shared>()) {
  shared_->interval = interval;
  shared_->read = std::move(read);
  shared_->readings = std::move(first);
  thread_ = std::thread([shared = shared_.get()] { run(*shared); });
}

BackgroundReader::~BackgroundReader() {
  if (::getpid() != pid_) {
    // A forked child: the thread stayed with the parent, as do the lock and the connection, which
    // can neither be waited for nor closed here.
    thread_.detach();
    (void)shared_.release();
    return;
  }
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->stop = true;
  }
  shared_->wake.notify_all();
  thread_.join();
}

void BackgroundReader::newest(std::span<Reading> readings) noexcept {
  if (::getpid() != pid_) {  // the lock may have been held at the fork
    std::fill(readings.begin(), readings.end(), Reading{});
    return;
  }
  {
    const std::scoped_lock lock(shared_->mutex);
    std::copy(shared_->readings.begin(), shared_->readings.end(), readings.begin());
  }
  const Stamp now = clock_.now();
  for (Reading& reading : readings) {
    if (reading.status != PollStatus::Ok) continue;
    if (now.boottime_ns - reading.at.boottime_ns > stale_.nanoseconds())
      reading.status = PollStatus::Retry;
    else
      reading.at = now;
  }
}

void BackgroundReader::run(Shared& shared) {
  std::unique_lock lock(shared.mutex);
  std::vector<Reading> latest = shared.readings;
  const auto final = [](const Reading& reading) {
    return reading.status == PollStatus::Ended || reading.status == PollStatus::Broken;
  };
  while (!shared.stop && !std::all_of(latest.begin(), latest.end(), final)) {
    shared.wake.wait_for(lock, std::chrono::nanoseconds(shared.interval.nanoseconds()),
                         [&shared] { return shared.stop.load(); });
    if (shared.stop) return;
    lock.unlock();
    shared.read(latest, shared.stop);
    lock.lock();
    // A failed look leaves the last good reading until it is stale.
    for (std::size_t i = 0; i < latest.size(); ++i)
      if (latest[i].status != PollStatus::Retry || shared.readings[i].status != PollStatus::Ok)
        shared.readings[i] = latest[i];
  }
}

}  // namespace carnot::meter
