// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The keys of a configuration file that say how a CSV is to be read: `column`, `time_column`,
/// `unit`, `zone`, `time_format`, `gaps`, `negative`, `repeats`.
///
///     CsvKeys keys(options, "hold", "last");
///     keys.declare(table);      // then the table is read
///     keys.apply();             // words become policies
///
/// Holds on to the options: keep them alive and in place until apply(). One thread.

#include <string>
#include <utility>

#include "carnot/base/option.hpp"
#include "carnot/trace/readers/read.hpp"

namespace carnot::inline trace {

class CsvKeys {
 public:
  /// \param gaps, repeats  where the file says nothing
  CsvKeys(CsvOptions& options, std::string gaps, std::string repeats)
      : options_(options), gaps_(std::move(gaps)), repeats_(std::move(repeats)) {}
  void declare(OptionTable& table);
  void apply();

 private:
  CsvOptions& options_;
  std::string gaps_, negative_ = "refuse", repeats_;
};

}  // namespace carnot::inline trace
