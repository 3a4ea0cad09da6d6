// SPDX-License-Identifier: Apache-2.0
#include "command_output.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

namespace carnot::app {

CommandOutput::CommandOutput(Aside aside) {
  if (aside == Aside::Nowhere) return;
  saved_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  const int to = aside == Aside::Dropped ? ::open("/dev/null", O_WRONLY | O_CLOEXEC)
                                         : ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  const bool done = saved_ >= 0 && to >= 0 && ::dup2(to, STDOUT_FILENO) >= 0;
  const int error = errno;
  if (to >= 0) ::close(to);
  if (!done) throw IoError("standard output", "redirect", error);
}

void CommandOutput::restore() {
  if (saved_ < 0) return;
  ::dup2(saved_, STDOUT_FILENO);
  ::close(saved_);
  saved_ = -1;
}

}  // namespace carnot::app
