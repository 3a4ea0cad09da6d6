// SPDX-License-Identifier: Apache-2.0
#include "command_output.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

namespace carnot::app {

CommandOutput::CommandOutput(bool aside) {
  if (!aside) return;
  saved_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (saved_ < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
    throw IoError("standard output", "redirect", errno);
}

void CommandOutput::restore() {
  if (saved_ < 0) return;
  ::dup2(saved_, STDOUT_FILENO);
  ::close(saved_);
  saved_ = -1;
}

}  // namespace carnot::app
