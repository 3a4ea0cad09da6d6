// SPDX-License-Identifier: Apache-2.0
#include "assess/evidence/cells.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"

namespace carnot::assess {

namespace {

constexpr std::int64_t kLatest = 4294967295;         // 2106
constexpr std::int64_t kEarliest = 631152000;        // 1990
constexpr double kMilliseconds = 100'000'000'000.0;  // beyond: not a count of seconds

std::optional<double> plain_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

bool digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int two(std::string_view text, std::size_t at) {
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

std::optional<std::uint32_t> checked(std::int64_t seconds) {
  if (seconds < kEarliest || seconds > kLatest) return std::nullopt;
  return static_cast<std::uint32_t>(seconds);
}

}  // namespace

std::optional<double> number_of(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (const auto value = plain_number(text)) return value;
  const std::size_t commas = static_cast<std::size_t>(std::count(text.begin(), text.end(), ','));
  if (commas == 0 || text.size() > 64) return std::nullopt;
  std::string other;
  const bool has_point = text.find('.') != std::string_view::npos;
  const std::size_t after = text.size() - text.rfind(',') - 1;
  const bool thousands =
      has_point || commas > 1 || (after == 3 && text.find(',') <= 3 && !text.starts_with("0,"));
  for (const char c : text)
    if (c != ',')
      other += c;
    else if (!thousands)
      other += '.';
  return plain_number(other);
}

std::optional<std::uint32_t> seconds_of(std::string_view text) {
  if (text.size() < 4 || text.size() > 40) return std::nullopt;
  if (text.size() > 10 || text.find('-') != std::string_view::npos) {
    if (text.size() >= 10 && text[4] == '-') {
      std::string_view t = text;
      if (t.ends_with(" UTC")) t.remove_suffix(4);
      try {
        return checked(Instant::parse(t, true).unix_nanoseconds() / 1'000'000'000);
      } catch (const InputError&) {
        return std::nullopt;
      }
    }
  }
  // month/day/year
  if (const auto a = text.find('/'); a == 1 || a == 2) {
    const auto b = text.find('/', a + 1);
    if (b == std::string_view::npos) return std::nullopt;
    const std::string_view month = text.substr(0, a), day = text.substr(a + 1, b - a - 1);
    const std::string_view year = text.substr(b + 1, 4),
                           rest = text.substr(std::min(text.size(), b + 5));
    if (!digits(month) || !digits(day) || !digits(year) || year.size() != 4 || !rest.empty())
      return std::nullopt;
    std::string iso(year);
    for (const std::string_view part : {month, day}) {
      iso += '-';
      if (part.size() == 1) iso += '0';
      iso += part;
    }
    return seconds_of(iso);
  }
  if (text.size() == 8 && digits(text)) {  // 20240918
    std::string iso(text.substr(0, 4));
    iso += '-';
    iso += text.substr(4, 2);
    iso += '-';
    iso += text.substr(6, 2);
    return two(text, 4) <= 12 ? seconds_of(iso) : std::nullopt;
  }
  if (const auto count = plain_number(text)) {
    const double seconds = *count >= kMilliseconds ? *count / 1000 : *count;
    if (seconds < static_cast<double>(kEarliest) || seconds > static_cast<double>(kLatest))
      return std::nullopt;
    return static_cast<std::uint32_t>(seconds);
  }
  return std::nullopt;
}

std::optional<std::uint32_t> TimeReader::read(std::string_view text) {
  if (text == last_) return value_;
  last_ = text;
  value_ = seconds_of(text);
  return value_;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool holds(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

}  // namespace carnot::assess
