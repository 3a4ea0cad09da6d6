// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace carnot::app {

/// Where what measured commands print on standard output goes, until `restore`.
enum class Aside { Nowhere, StandardError, Dropped };

/// Where a document is all there is on standard output, what commands print goes aside.
class CommandOutput {
 public:
  explicit CommandOutput(Aside aside);  ///< \throws IoError
  ~CommandOutput() { restore(); }
  CommandOutput(const CommandOutput&) = delete;
  CommandOutput& operator=(const CommandOutput&) = delete;
  void restore();

 private:
  int saved_ = -1;
};

}  // namespace carnot::app
