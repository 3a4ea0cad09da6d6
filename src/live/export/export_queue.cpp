// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/export/export_queue.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::live {

void ExportQueue::add(std::string body) {
  bodies_.push_back(std::move(body));
  for (; bodies_.size() > most_waiting_; ++given_up_) bodies_.pop_front();
}

const std::string* ExportQueue::due(Duration now) const {
  return bodies_.empty() || now < not_before_ ? nullptr : &bodies_.front();
}

void ExportQueue::answered(const ExportReply& reply, Duration now) {
  if (bodies_.empty()) return;
  if (reply.status / 100 == 2) {
    bodies_.pop_front();
    ++sent_;
    trouble_.clear();
    pause_ = Duration();
    return;
  }
  const std::string words = reply.words.substr(0, 200);
  trouble_ = reply.status == 0 ? words : fmt::format("{} {}", reply.status, words);
  if (reply.status == 0 || reply.status == 429 || reply.status / 100 == 5) {
    pause_ = pause_ == Duration() ? Duration::seconds(1)
                                  : std::min(pause_ + pause_, Duration::seconds(60));
    not_before_ = now + pause_;
    return;
  }
  bodies_.pop_front();
  ++given_up_;
}

void check_export_url(const std::string& url) {
  const std::size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  if (scheme == 0 || url.size() == scheme)
    throw InputError(
        fmt::format("an address such as https://host/path, not `{}`", url.substr(0, 80)));
  const std::string authority = url.substr(scheme, url.find_first_of("/?#", scheme) - scheme);
  if (authority.find('@') != std::string::npos)
    throw InputError("no user and password in an address, where others see them: a token's file");
}

}  // namespace carnot::live
