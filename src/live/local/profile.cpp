// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/local/profile.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"

namespace carnot::live {

namespace {

constexpr std::array<std::string_view, 4> kEnds = {"release", "repeat", "hold", "stop"};

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Power power_of(std::string_view text) {
  const Power power = parse_as<Power>(text);
  if (power < Power{}) throw InputError(fmt::format("`{}`: a power from 0 W on", text));
  return power;
}

/// `2 W for 5 s, 6 W for 5 s`, equal steps of the greatest common length.
Trace<Power> steps_of(std::string_view text) {
  std::vector<Instant> edges{Instant{}};
  std::vector<double> watts;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view step = text.substr(0, comma);
    const std::size_t word = step.find(" for ");
    if (word == std::string_view::npos)
      throw InputError(fmt::format("`{}`: a step, such as `2 W for 5 s`", step));
    const Time length = parse_as<Time>(without_blanks(step.substr(word + 5)));
    if (!(length >= 1e-3 * second && length < 1e9 * second))
      throw InputError(fmt::format("`{}`: a length of at least 1 ms", step));
    watts.push_back(power_of(without_blanks(step.substr(0, word))).in(watt));
    edges.push_back(edges.back() + Duration::from(length));
    if (comma == text.size()) break;
    text.remove_prefix(comma + 1);
  }
  return Trace<Power>(TraceCore(std::move(edges), std::move(watts)));
}

/// Each mean mapped, on the same intervals.
template <class Map>
Trace<Power> mapped(const TraceCore& core, Map map) {
  std::vector<Instant> edges;
  std::vector<double> watts;
  for (std::size_t i = 0; i <= core.size(); ++i) edges.push_back(core.edge(i));
  for (const double value : core.mean()) watts.push_back(map(value));
  return Trace<Power>(TraceCore(std::move(edges), std::move(watts)));
}

template <class Q>
Trace<Power> share_of_cap(const std::string& path, const ProfileOptions& options, double full,
                          double none, std::string& words) {
  TraceFile<Q> file = read_csv<Q>(path, options.csv);
  words = file.provenance;
  const double cap = options.cap->in(watt);
  return mapped(file.trace.core(), [&](double value) {
    return cap * std::clamp((none - value) / (none - full), 0.0, 1.0);
  });
}

Trace<Power> priced(const std::string& path, const ProfileOptions& options, std::string& words) {
  if (options.full_at.empty() != options.none_at.empty())
    throw InputError("full-at and none-at: both or neither");
  if (options.full_at.empty()) {
    TraceFile<double> file = read_csv<double>(path, options.csv);
    words = file.provenance;
    for (const double share : file.trace.core().mean()) {
      if (share < 0.0 || share > 1.0)
        throw InputError(fmt::format(
            "{}: a share of the cap, from 0 to 1, found {}; of prices or carbon intensities say "
            "full-at and none-at, such as '20 EUR/MWh'",
            path, share));
    }
    return mapped(file.trace.core(), [&](double share) { return options.cap->in(watt)*share; });
  }
  const auto limits = [&]<class Q>(Q) -> std::optional<std::pair<double, double>> {
    try {
      return std::pair(parse_as<Q>(options.full_at).base(), parse_as<Q>(options.none_at).base());
    } catch (const InputError&) {
      return std::nullopt;
    }
  };
  const auto price = limits(EnergyPrice{}), carbon = limits(CarbonIntensity{});
  if (!price && !carbon)
    throw InputError(
        fmt::format("full-at `{}`, none-at `{}`: two prices such as '20 EUR/MWh' or two carbon "
                    "intensities such as '100 g/kWh'",
                    options.full_at, options.none_at));
  const auto& [full, none] = price ? *price : *carbon;
  if (!(none > full)) throw InputError("none-at: above full-at");
  return price ? share_of_cap<EnergyPrice>(path, options, full, none, words)
               : share_of_cap<CarbonIntensity>(path, options, full, none, words);
}

Trace<Power> of_file(const std::string& path, const ProfileOptions& options, std::string& words) {
  if (options.cap) {
    if (options.peak) throw InputError("peak: for files of power; with a cap there is none");
    return priced(path, options, words);
  }
  if (!options.full_at.empty() || !options.none_at.empty())
    throw InputError("full-at and none-at: shares of a cap, which is needed then");
  TraceFile<Power> file = read_csv<Power>(path, options.csv);
  words = file.provenance;
  if (!options.peak) return std::move(file.trace);
  const auto means = file.trace.core().mean();
  const double most = *std::max_element(means.begin(), means.end());
  if (!(most > 0.0)) throw InputError(path + ": peak: a file with some power in it");
  return Trace<Power>(file.trace.core().affine(options.peak->in(watt) / most, 0.0));
}

}  // namespace

ProfileEnd profile_end(std::string_view name) {
  for (std::size_t i = 0; i < kEnds.size(); ++i) {
    if (name == kEnds[i]) return static_cast<ProfileEnd>(i);
  }
  throw InputError(fmt::format("`{}`: release, repeat, hold or stop", name));
}

std::string_view name(ProfileEnd end) noexcept { return kEnds[static_cast<std::size_t>(end)]; }

PowerProfile PowerProfile::read(const std::string& text, const ProfileOptions& options,
                                Instant start) {
  if (!(options.speed > 0.0 && options.speed <= 1e9))
    throw InputError("speed: a number above 0, at most 1e9");
  std::error_code none;
  if (!std::filesystem::exists(text, none)) {
    const bool steps = text.find(" for ") != std::string::npos;
    if (!steps && text.find_first_of("0123456789") != 0)
      throw InputFileError(text +
                           ": no such file; allowed: a file, a power such as `35 W`, or "
                           "steps such as `2 W for 5 s, 6 W for 5 s`");
    if (options.calendar || options.begin_at || options.peak || options.cap)
      throw InputError("calendar, begin-at, peak, cap: for files; `" + text + "` is none");
    if (steps)
      return {steps_of(text), options.end.value_or(ProfileEnd::Repeat), options.speed, {}, text};
    return {Trace<Power>(TraceCore(Instant{}, Duration::seconds(1), {power_of(text).in(watt)})),
            ProfileEnd::Hold,
            1.0,
            {},
            text};
  }
  std::string words;
  Trace<Power> trace = of_file(text, options, words);
  const ProfileEnd end = options.end.value_or(ProfileEnd::Release);
  if (options.calendar && (options.begin_at || options.speed != 1.0))
    throw InputError("calendar: without begin-at and speed");
  const Instant first = options.calendar   ? start
                        : options.begin_at ? *options.begin_at
                                           : trace.begin();
  if (first < trace.begin() || first >= trace.end())
    throw InputError(fmt::format("{}: holds {} to {}; {} lies outside", text,
                                 trace.begin().iso8601(), trace.end().iso8601(), first.iso8601()));
  const Duration offset = first - trace.begin();
  return {std::move(trace), end, options.speed, offset, std::move(words)};
}

PowerProfile::PowerProfile(Trace<Power> trace, ProfileEnd end, double speed, Duration offset,
                           std::string words)
    : trace_(std::move(trace)),
      end_(end),
      speed_(speed),
      offset_(offset),
      words_(std::move(words)) {
  for (const double value : trace_.core().mean()) {
    if (value < 0.0) throw InputError("a profile: power from 0 W on");
    peak_ = max(peak_, value * watt);
  }
}

std::optional<Power> PowerProfile::at(Duration since_start) const {
  const Duration length = trace_.end() - trace_.begin();
  const double position = offset_.time().in(second) + speed_ * since_start.time().in(second);
  Duration into = Duration::from(position * second);
  if (into < Duration{}) into = Duration{};
  if (into >= length) {
    switch (end_) {
      case ProfileEnd::Release:
        return std::nullopt;
      case ProfileEnd::Stop:
        return Power{};
      case ProfileEnd::Hold:
        return trace_[trace_.size() - 1];
      case ProfileEnd::Repeat:
        into = into - length * (into / length);
    }
  }
  return trace_.at(trace_.begin() + into);
}

Energy PowerProfile::before(Duration since_start) const {
  const Duration length = trace_.end() - trace_.begin();
  const double position = offset_.time().in(second) + speed_ * since_start.time().in(second);
  const Duration into = Duration::from(position * second);
  if (into <= Duration{}) return {};
  const auto part = [&](Duration to) {
    return trace_.integral(trace_.begin(), trace_.begin() + to);
  };
  if (into < length) return part(into);
  const Energy whole = part(length);
  if (end_ == ProfileEnd::Hold) return whole + trace_[trace_.size() - 1] * (into - length).time();
  if (end_ != ProfileEnd::Repeat) return whole;
  const std::int64_t rounds = into / length;
  return static_cast<double>(rounds) * whole + part(into - length * rounds);
}

Energy PowerProfile::between(Duration a, Duration b) const {
  return max(Energy{}, (before(b) - before(a)) / speed_);
}

}  // namespace carnot::live
