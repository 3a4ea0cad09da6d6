// SPDX-License-Identifier: Apache-2.0
#include "event_feed.hpp"

#include <utility>

#include <fmt/format.h>

namespace carnot::app {

void EventFeed::publish(std::string_view name, std::string_view data, std::string id) {
  const std::lock_guard lock(mutex_);
  if (id.empty()) id = std::to_string(first_ + events_.size());
  auto text = std::make_shared<const std::string>(
      fmt::format("id: {}\nevent: {}\ndata: {}\n\n", id, name, data));
  events_.push_back({std::move(id), std::move(text)});
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

std::uint64_t EventFeed::oldest() const {
  const std::lock_guard lock(mutex_);
  return first_;
}

std::uint64_t EventFeed::after(std::string_view id, bool& missed) const {
  const std::lock_guard lock(mutex_);
  // Who comes back had one of the last.
  for (std::size_t i = events_.size(); i-- > 0;)
    if (events_[i].id == id) return first_ + i + 1;
  missed = true;
  return first_;
}

EventFeed::Batch EventFeed::take(std::uint64_t wanted) const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t next = first_ + events_.size();
  if (wanted >= next) return {nullptr, next};
  if (wanted < first_)
    return {std::make_shared<const std::string>(
                fmt::format("event: missed\ndata: {{\"events\":{}}}\n\n", first_ - wanted)),
            first_};
  return {events_[static_cast<std::size_t>(wanted - first_)].text, wanted + 1};
}

}  // namespace carnot::app
