// SPDX-License-Identifier: Apache-2.0
// Any bytes as a recording of readings, and as the lines after a sound beginning. Only InputError
// may escape, and what was accepted is written again as the same text.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/error.hpp"

#include "meter/recording/recording.hpp"

namespace {

using carnot::Duration;
using namespace carnot::meter;

void require(bool condition) {
  if (!condition) std::abort();
}

// A source that only has a description.
class Described final : public carnot::meter::Source {
 public:
  explicit Described(const carnot::meter::RecordedSource& of) : of_(of) {}
  std::string_view name() const noexcept override { return of_.name; }
  const std::vector<carnot::meter::Domain>& domains() const noexcept override {
    return of_.domains;
  }
  Duration shortest_interval() const noexcept override { return of_.shortest_interval; }
  void poll(std::span<carnot::meter::Reading>) noexcept override {}

 private:
  const carnot::meter::RecordedSource& of_;
};

std::vector<std::string> sorted_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos;
       text.remove_prefix(end + 1))
    lines.emplace_back(text.substr(0, end));
  std::sort(lines.begin(), lines.end());
  return lines;
}

void try_recording(std::string_view text) {
  std::vector<carnot::meter::RecordedSource> sources;
  try {
    sources = carnot::meter::parse_recording(text, "fuzz");
  } catch (const carnot::InputError&) {
    return;
  }
  // Lines of different sources may come in any order; each line comes back as it was.
  std::string again(carnot::meter::kRecordingHeader);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const carnot::meter::RecordedSource& s = sources[i];
    again += carnot::meter::describe_source(i, Described(s));
    const std::size_t n = s.domains.size();
    for (std::size_t at = 0; n > 0 && at < s.readings.size(); at += n)
      carnot::meter::append_poll(i, std::span(s.readings).subspan(at, n), again);
    for (const carnot::meter::RecordedSource::Use& use : s.uses)
      carnot::meter::append_use(i, use.use, again);
  }
  require(sorted_lines(again) == sorted_lines(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_recording(text);
  try_recording(std::string(carnot::meter::kRecordingHeader) + std::string(text));
  return 0;
}
