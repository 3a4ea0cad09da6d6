// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Events for any number of listeners (server-sent events, HTML standard section 9.2). The feed
/// keeps the last so many; a listener is nothing but the number of the event it wants next, so
/// slow ones cost no memory: who falls behind the oldest that is kept is told how many it missed.
///
/// An event has an id of the publisher's choice, by which a listener that was cut off says what it
/// had last. Ids that mean the same event in every process that may publish it (a sample's number
/// in its measurement, say) let it go on across a restart, nothing doubled and nothing left out.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace carnot::app {

/// Thread-safe.
class EventFeed {
 public:
  explicit EventFeed(std::size_t kept = 256) : kept_(kept) {}

  /// \param name  of the event; one word
  /// \param data  one line, such as JSON
  /// \param id    one word, not used before; empty: its number
  void publish(std::string_view name, std::string_view data, std::string id = {});

  /// The number that the next event will have; the first has 1.
  std::uint64_t next() const;
  /// The number of the event after the one of this id. Of an id that is not kept: the oldest kept,
  /// and whoever had that id is told that something may be missing (`missed`).
  std::uint64_t after(std::string_view id, bool& missed) const;
  std::uint64_t oldest() const;
  struct Batch {
    std::shared_ptr<const std::string> text;  ///< on the wire; null: nothing new
    std::uint64_t next = 0;                   ///< to ask for after it
  };
  /// The event `wanted` or, if that is kept no longer, word of what was missed.
  Batch take(std::uint64_t wanted) const;

  /// Called by each publish(), on its thread; must neither block nor ask the feed. Empty: nobody.
  void on_publish(std::function<void()> wake);

 private:
  std::size_t kept_;
  std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::uint64_t first_ = 1;  ///< number of the oldest kept
  struct Event {
    std::string id;
    std::shared_ptr<const std::string> text;
  };
  std::deque<Event> events_;
};

}  // namespace carnot::app
