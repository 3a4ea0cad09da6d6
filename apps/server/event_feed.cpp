// SPDX-License-Identifier: Apache-2.0
#include "event_feed.hpp"

#include <utility>

#include <fmt/format.h>

namespace carnot::app {

void EventFeed::publish(std::string_view name, std::string_view data) {
  const std::lock_guard lock(mutex_);
  events_.push_back(std::make_shared<const std::string>(
      fmt::format("id: {}\nevent: {}\ndata: {}\n\n", first_ + events_.size(), name, data)));
  if (events_.size() > kept_) {
    events_.pop_front();
    ++first_;
  }
  if (wake_) wake_();
}

void EventFeed::on_publish(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

std::uint64_t EventFeed::next() const {
  const std::lock_guard lock(mutex_);
  return first_ + events_.size();
}

EventFeed::Batch EventFeed::take(std::uint64_t wanted) const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t next = first_ + events_.size();
  if (wanted >= next) return {nullptr, next};
  if (wanted < first_)
    return {std::make_shared<const std::string>(fmt::format(
                "id: {}\nevent: missed\ndata: {{\"events\":{}}}\n\n", first_ - 1, first_ - wanted)),
            first_};
  return {events_[static_cast<std::size_t>(wanted - first_)], wanted + 1};
}

}  // namespace carnot::app
