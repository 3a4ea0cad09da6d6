// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How things fail. Outcomes (infeasible, deadline missed, sample lost) are values in result types,
/// never exceptions. Failures throw one of three `Error` kinds. Our own bugs throw `InternalError`
/// from `CARNOT_CHECK`, which is always on. The library never prints, exits, aborts or takes
/// signals.
///
/// Messages about foreign text read `file:line: field: what is allowed`; `Problems` collects many
/// before throwing once, so that a user mends a file in one go. `Problems` is not thread-safe.

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::inline base {

/// A failure that is not our bug: base of the three kinds. The command line maps them to exit
/// codes.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Bad input: the message says where, what, and what is allowed. Exit code 3.
class InputError : public Error {
 public:
  using Error::Error;
};

/// A device, sensor or cluster failed or is missing. Exit code 4.
class DeviceError : public Error {
 public:
  using Error::Error;
};

/// A file or a connection failed: message = path, operation, system's words. Exit code 4.
class IoError : public Error {
 public:
  /// `path: operation: strerror(error_number)`
  IoError(std::string_view path, std::string_view operation, int error_number);
  using Error::Error;
};

/// A file named as input is missing or cannot be read: the user's to mend, unlike a full disk or a
/// lost connection. Exit code 3.
class InputFileError : public IoError {
 public:
  using IoError::IoError;
};

/// Our bug. Exit code 70.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Where a piece of foreign text stands.
struct Place {
  std::string file;      ///< as the user named it; empty: no file
  std::size_t line = 0;  ///< 1-based; 0: the whole file
};

/// `file:line: field: allowed`, empty parts left out.
std::string describe(const Place& place, std::string_view field, std::string_view allowed);

/// Collects problems of one input and throws them together.
class Problems {
 public:
  void add(const Place& place, std::string_view field, std::string_view allowed);
  bool empty() const noexcept { return lines_.empty(); }
  const std::vector<std::string>& lines() const noexcept { return lines_; }
  /// \throws InputError with one problem a line, in the order added, if there is any
  void throw_if_any() const;

 private:
  std::vector<std::string> lines_;
};

/// The candidate nearest to `word` by edit distance (transpositions count one), if near enough to
/// be meant: distance <= max(1, length / 3). Empty if none. For "unknown key `x`; did you mean
/// `y`?".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

namespace detail {
[[noreturn]] void check_failed(const char* condition, const char* file, int line,
                               std::string_view message);
}

}  // namespace carnot::inline base

/// Throws InternalError when an assumption of ours fails; `message` is anything convertible to
/// std::string_view and is evaluated only then.
#define CARNOT_CHECK(condition, message)                                               \
  do {                                                                                 \
    if (!(condition)) [[unlikely]]                                                     \
      ::carnot::base::detail::check_failed(#condition, __FILE__, __LINE__, (message)); \
  } while (false)
