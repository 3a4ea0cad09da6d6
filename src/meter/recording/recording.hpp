// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Recordings of readings: docs/formats/meter-recording.md. What is parsed and written again is the
/// same text.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/meter/counters/source.hpp"

namespace carnot::meter {

/// All that one source answered.
struct RecordedSource {
  struct Use {
    std::size_t after = 0;  ///< polls made before
    DeviceUse use;
  };
  std::string name;
  Duration shortest_interval;
  std::vector<Domain> domains;
  std::vector<Reading> readings;  ///< poll by poll, one for each domain
  std::vector<Use> uses;          ///< in order
};

/// \param file  for messages. A last line without an end is a torn one and is left out.
/// \throws InputError `file:line: field: what is allowed`
std::vector<RecordedSource> parse_recording(std::string_view text, const std::string& file);

inline constexpr std::string_view kRecordingHeader = "carnot-meter-recording/1\n";
/// The lines that introduce a source.
std::string describe_source(std::size_t index, const Source& source);
/// Appends `poll` and `use` lines without allocating beyond the capacity of `to`.
void append_poll(std::size_t index, std::span<const Reading> readings, std::string& to);
void append_use(std::size_t index, const DeviceUse& use, std::string& to);

/// The same sources, each copying every reading to the file. Where writing fails (a full disk)
/// recording stops after a whole line and measuring goes on.
/// \throws IoError if the file cannot be made
std::vector<std::unique_ptr<Source>> recorded(std::vector<std::unique_ptr<Source>> sources,
                                              const std::string& file);

}  // namespace carnot::meter
