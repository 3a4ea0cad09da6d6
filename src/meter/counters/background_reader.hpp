// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A slow device (a BMC) read by a thread of its own, so that who asks never waits for it.

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "carnot/meter/counters/source.hpp"

namespace carnot::meter {

/// Keeps the newest readings of a device. The thread ends with the object; after a fork the child
/// has none and every reading there is Retry.
class BackgroundReader {
 public:
  /// Reads all domains, returns soon once `stop` is set. Broken and Ended are final: when no domain
  /// is left that is neither, it is not called again.
  using Read = std::function<void(std::span<Reading>, const std::atomic<bool>& stop)>;

  /// \param first     what was read already
  /// \param interval  from the end of one look to the beginning of the next
  /// \param stale     age from which a reading is Retry instead of Ok
  /// \param clock     by which readings age; the thread itself waits by the machine's
  BackgroundReader(std::vector<Reading> first, Duration interval, Duration stale, Read read,
                   Clock& clock = Clock::machine());
  ~BackgroundReader();
  BackgroundReader(const BackgroundReader&) = delete;
  BackgroundReader& operator=(const BackgroundReader&) = delete;

  /// Copies the newest readings, which are of gauges: each holds until now, or is stale. Waits for
  /// nobody.
  void newest(std::span<Reading> readings) noexcept;

 private:
  struct Shared;  // with the thread
  static void run(Shared& shared);

  Clock& clock_;
  const Duration stale_;
  const int pid_;
  std::unique_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace carnot::meter
