// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a client may change of the plans, models and simulations that the command line named, and
/// the job that computes the changed one. A change is a number or one of listed words; a client
/// names no file and no flag of its own. Thread-safe to read.

#include <string>
#include <vector>

#include "jobs.hpp"
#include "library.hpp"

namespace carnot::app {

/// Something that can be changed.
struct Slider {
  std::string key, label, unit;
  double low = 0, high = 1, step = 0.1, value = 0;  ///< `value`: as it is
  std::vector<std::string> choices;                 ///< not empty: one of these instead
  std::string chosen;
  bool absolute = false;  ///< replaces what is there, which is not known before it is read
};

/// Something whose changes can be computed.
struct WhatIfBase {
  std::string kind;  ///< "plan", "explain", "simulate"
  std::string id, name;
  std::vector<Slider> sliders;
};

class WhatIf {
 public:
  /// \param models       files and folders that `carnot explain` takes
  /// \param simulations  flags of `carnot simulate`, as one would type them
  /// \throws InputFileError for a model that is not there, InputError for flags
  WhatIf(std::vector<std::string> models, const std::vector<std::string>& simulations);

  std::vector<WhatIfBase> bases(Library& plans) const;
  /// The job that computes what `body` asks for: {"id", "set": {KEY: VALUE}, "time_limit_s"}.
  /// \throws InputError `body: field: what is allowed`, all problems at once; of an id there is
  /// not,
  ///         Missing
  JobRequest request(const std::string& kind, const std::string& body, Library& plans,
                     JobRunner& jobs) const;
  struct Missing {};

 private:
  struct Command {
    std::string id, name;
    std::vector<std::string> words, shown;
  };
  std::vector<Command> models_, simulations_;
};

/// Words as a shell would part them: blanks, quotes, backslashes. \throws InputError
std::vector<std::string> split_words(const std::string& text);

}  // namespace carnot::app
