// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <exception>

#include "carnot/base/file.hpp"

namespace carnot::app {

namespace {
thread_local const Session* g_session = nullptr;
}

const Session* session() noexcept { return g_session; }

SessionScope::SessionScope(const Session& session) noexcept : before_(g_session) {
  g_session = &session;
}

SessionScope::~SessionScope() { g_session = before_; }

void offer_page(const std::string& path, const std::function<std::string()>& make) {
  const bool wanted = g_session != nullptr && g_session->attach;
  if (path.empty() && !wanted) return;
  std::string page;
  try {
    page = make();
  } catch (const std::exception&) {
    if (!path.empty()) throw;
    return;  // nobody asked for it
  }
  if (!path.empty()) write_file(path, page);
  if (wanted) g_session->attach("page", std::move(page));
}

}  // namespace carnot::app
