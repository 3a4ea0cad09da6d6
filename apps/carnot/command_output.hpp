// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace carnot::app {

/// Where a document is all there is on standard output, what commands print goes to standard error.
class CommandOutput {
 public:
  explicit CommandOutput(bool aside);  ///< \throws IoError
  ~CommandOutput() { restore(); }
  CommandOutput(const CommandOutput&) = delete;
  CommandOutput& operator=(const CommandOutput&) = delete;
  void restore();

 private:
  int saved_ = -1;
};

}  // namespace carnot::app
