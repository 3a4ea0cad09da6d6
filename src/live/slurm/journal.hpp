// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a run of `dispatch` did and saw, a JSON object a line, so that whoever takes over after it
/// was killed knows all of it: reports to the book, and an intent before each command and its
/// outcome after it. `commit` returns once all lines are on the disk. A last line that was cut off
/// is cut away; any other that does not read is an error. One thread; a lock keeps a second process
/// from the same folder.

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace carnot::live {

using Json = nlohmann::ordered_json;

class DispatchJournal {
 public:
  /// Opens or makes it. \param read_only  nothing is written, nothing locked
  /// \throws IoError; InputError if another process holds it or a line does not read
  DispatchJournal(const std::string& folder, bool read_only);
  ~DispatchJournal();
  DispatchJournal(const DispatchJournal&) = delete;
  DispatchJournal& operator=(const DispatchJournal&) = delete;

  /// What stood in it when it was opened.
  const std::vector<Json>& past() const noexcept { return past_; }
  void forget_past() { past_ = {}; }
  void write(const Json& line);
  void commit();
  /// A line of the audit, for people: not read again by a run.
  void audit(const Json& line);
  bool read_only() const noexcept { return read_only_; }

  /// Of tests: called before and after whatever reaches the disk.
  std::function<void(const char*)> fault;

 private:
  void put(int fd, const std::string& path, const std::string& bytes);

  std::string path_, audit_path_;
  bool read_only_;
  int fd_ = -1, audit_ = -1;
  std::string waiting_;
  std::vector<Json> past_;
};

/// All lines of a journal or audit. \throws InputFileError, InputError
std::vector<Json> read_json_lines(const std::string& path, bool cut_last);

}  // namespace carnot::live
