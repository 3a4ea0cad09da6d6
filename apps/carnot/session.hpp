// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A command inside another program. On the command line a command speaks to the process: standard
/// output, standard error, signals. Inside an interpreter there may be several at once, and none of
/// these is theirs; then a `Session` takes their place for the thread that runs the command.
///
///     Session session;
///     session.out = [&](std::string_view text) { document += text; };
///     const SessionScope scope(session);           // of this thread, until it ends
///     run_words({"plan", "problem.json", "--json"}, ...);
///
/// Functions of a session are called from any thread that works for the command.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace carnot::app {

struct Session {
  std::function<void(std::string_view)> out;       ///< what would be on standard output
  std::function<void(std::string_view)> said;      ///< a message
  std::function<void(std::string_view)> progress;  ///< how far it is, at most ten times a second
  std::function<bool()> stop;                      ///< true: end early
  /// A file that the command line would write by itself, by what it is: "assignments".
  std::function<void(std::string_view what, std::string text)> attach;
};

/// The session of this thread, or null: the process itself.
const Session* session() noexcept;

/// Makes a session the thread's while it lives; the session must outlive it.
class SessionScope {
 public:
  explicit SessionScope(const Session& session) noexcept;
  ~SessionScope();
  SessionScope(const SessionScope&) = delete;
  SessionScope& operator=(const SessionScope&) = delete;

 private:
  const Session* before_;
};

/// A page of the command: written where a file was asked for, and handed to the session.
void offer_page(const std::string& path, const std::function<std::string()>& make);

}  // namespace carnot::app
