// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Figures on their way to a receiver over HTTP that may be slow, away or full: what waits, when
/// the next try is, what is given up.
///
/// Bodies go out in the order they came, since receivers refuse samples older than what they have.
/// An answer of 2xx ends a body; none, 429 and 5xx are tried again after 1, 2, 4, ... 60 s; any
/// other refusal is final for that body, which would only be refused again. At most `most_waiting`
/// bodies wait, the oldest give way. Values; one thread. `ExportThread` runs it.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "carnot/base/instant.hpp"

namespace carnot::live {

struct ExportReply {
  int status = 0;     ///< of HTTP; 0: there was no answer
  std::string words;  ///< what was said, or why there was no answer
};

class ExportQueue {
 public:
  explicit ExportQueue(std::size_t most_waiting = 240) : most_waiting_(most_waiting) {}

  void add(std::string body);
  /// What is to be sent at `now`; null: nothing, or not yet. Valid until the next call.
  const std::string* due(Duration now) const;
  void answered(const ExportReply& reply, Duration now);

  std::size_t waiting() const noexcept { return bodies_.size(); }
  std::uint64_t sent() const noexcept { return sent_; }
  std::uint64_t given_up() const noexcept { return given_up_; }
  /// Why the last try failed; empty: it did not.
  const std::string& trouble() const noexcept { return trouble_; }

 private:
  std::deque<std::string> bodies_;
  std::size_t most_waiting_;
  std::uint64_t sent_ = 0, given_up_ = 0;
  Duration not_before_, pause_;
  std::string trouble_;
};

struct ExportTarget {
  std::string url;  ///< http or https, without user and password
  std::vector<std::pair<std::string, std::string>> headers;
};
/// \throws InputError for an address that is not one of HTTP, or holds a password
void check_export_url(const std::string& url);

/// One POST by libcurl, certificates verified, no redirect followed: what the headers hold goes to
/// this address alone. Never throws for the network. Without libcurl the reply says so.
ExportReply post(const ExportTarget& target, const std::string& body, Duration timeout);
/// Whether this build has libcurl.
bool can_post() noexcept;

/// Sends what `make` gives at every interval, on a thread of its own, until it goes out of scope;
/// then one last time, waiting at most two seconds. What it has to say (a trouble that is new, that
/// it is over) goes to `say`, from that thread.
class ExportThread {
 public:
  ExportThread(ExportTarget target, Duration interval, std::function<std::string()> make,
               std::function<void(const std::string&)> say);
  ~ExportThread();
  ExportThread(const ExportThread&) = delete;
  ExportThread& operator=(const ExportThread&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace carnot::live
