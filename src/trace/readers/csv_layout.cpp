// SPDX-License-Identifier: Apache-2.0
#include "trace/readers/csv_layout.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::inline trace::csv {

namespace {

constexpr std::size_t kSample = 500;        // lines looked at
constexpr std::size_t kDeepestHeader = 40;  // line of the header, at most
constexpr std::size_t kHeaderLines = 3;     // it may have
constexpr std::size_t kFewRows = 8;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}
bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

struct Line {
  std::string text;
  std::size_t number;
};

struct Sample {
  std::vector<Line> lines;
  std::string comments;  // lines with # above the header
};

Sample take_sample(input::Lines& lines) {
  Sample sample;
  std::string_view line;
  bool first = true;
  while (sample.lines.size() < kSample && lines.next(line)) {
    if (first && line.substr(0, 3) == "\xEF\xBB\xBF") line.remove_prefix(3);
    first = false;
    if (sample.lines.empty() && !line.empty() && line.front() == '#') {
      sample.comments.append(line).append("\n");
      continue;
    }
    sample.lines.push_back({std::string(line), lines.number()});
  }
  return sample;
}

// The separator that splits the line most; a comma where none does.
char separator_of(std::string_view line) {
  std::size_t most = 1;
  char best = ',';
  for (const char candidate : {',', ';', '\t'}) {
    const std::size_t fields = split_line(line, candidate).size();
    if (fields > most) {
      most = fields;
      best = candidate;
    }
  }
  return best;
}

// ---- times

const Zone kUtc{true, 0, {}};

constexpr std::array<std::string_view, 26> kFormats{
    "%Y-%m-%d %H:%M",    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z",  "%Y-%m-%d %H:%M:%S %z",
    "%d.%m.%Y %H:%M",    "%d.%m.%Y %H:%M:%S", "%d.%m.%y %H:%M",       "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S", "%d/%m/%Y %H:%M",    "%d/%m/%Y %H:%M:%S",    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p", "%d-%m-%Y %H:%M",
    "%d-%m-%Y %H:%M:%S", "%m-%d-%Y %H:%M",    "%d %m %Y %H:%M",       "%d-%b-%Y %H:%M",
    "%d-%b-%Y %H:%M:%S", "%d %b %Y %H:%M",    "%Y%m%d %H:%M",         "%Y%m%d:%H%M",
    "%Y%m%dT%H%M%S",     "%Y%m%d %H%M"};
constexpr std::array<std::string_view, 11> kDates{"%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%Y/%m/%d",
                                                  "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y",
                                                  "%d-%b-%Y", "%d %b %Y", "%Y%m%d"};

// How evenly the times of a sample are spaced: the share of the difference that most have, 0 where
// one goes back. One row, or one day, says nothing.
double evenness(const std::vector<std::int64_t>& times) {
  std::map<std::int64_t, std::size_t> count;
  bool forward = true, backward = true;
  for (std::size_t i = 1; i < times.size(); ++i) {
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(times[i], times[i - 1], &difference)) return 0.0;
    forward = forward && difference >= 0;
    backward = backward && difference <= 0;
    ++count[difference];
  }
  if (!forward && !backward) return 0.0;
  std::size_t most = 0;
  for (const auto& [difference, n] : count) most = std::max(most, n);
  return times.size() < 2 ? 1.0 : static_cast<double>(most) / static_cast<double>(times.size() - 1);
}

struct FormatGuess {
  std::vector<std::string> fit;  // formats that read all cells, the most even ones
};

template <std::size_t N>
FormatGuess guess_format(const std::array<std::string_view, N>& formats,
                         const std::vector<std::string>& cells) {
  FormatGuess guess;
  double best = 0.0;
  for (const std::string_view format : formats) {
    std::vector<std::int64_t> times;
    for (const std::string& cell : cells) {
      const std::optional<ClockTime> time = match_time(format, cell);
      if (!time) break;
      times.push_back(time->local_ns - time->offset_ns.value_or(0));
    }
    if (times.size() != cells.size()) continue;
    const double even = evenness(times);
    if (even > best + 1e-9) guess.fit.clear();
    if (even >= best - 1e-9) guess.fit.emplace_back(format);
    best = std::max(best, even);
  }
  return guess;
}

bool all_iso(const std::vector<std::string>& cells) {
  TimeParser parser(kUtc);
  std::int64_t ns = 0;
  std::string why;
  return std::all_of(cells.begin(), cells.end(),
                     [&](const std::string& cell) { return parser.parse(cell, ns, why); });
}

bool all_whole(const std::vector<std::string>& cells, std::int64_t& least, std::int64_t& most) {
  least = std::numeric_limits<std::int64_t>::max();
  most = std::numeric_limits<std::int64_t>::min();
  for (std::string_view cell : cells) {
    if (cell.ends_with(".0")) cell.remove_suffix(2);
    std::int64_t value = 0;
    const auto [stop, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (problem != std::errc{} || stop != cell.data() + cell.size()) return false;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  return !cells.empty();
}

// `02:15`, alone in its cell.
bool all_clock(const std::vector<std::string>& cells) {
  return std::all_of(cells.begin(), cells.end(), [](const std::string& cell) {
    return match_time("%H:%M", cell) || match_time("%H:%M:%S", cell);
  });
}

// ---- one candidate for the header

class Candidate {
 public:
  Candidate(const Sample& sample, std::size_t header, std::size_t first_row, std::size_t most_rows,
            const CsvOptions& options)
      : sample_(sample), options_(options), most_rows_(most_rows) {
    const Line& line = sample.lines[header];
    layout_.header.separator = separator_of(line.text);
    layout_.header.line = sample.lines[first_row].number - 1;
    layout_.header.names = split_line(line.text, layout_.header.separator);
    for (std::size_t i = header + 1; i < first_row; ++i) {
      std::vector<std::string> more = split_line(sample.lines[i].text, layout_.header.separator);
      more.resize(names().size());
      if (layout_.below.empty()) layout_.below.resize(names().size());
      for (std::size_t c = 0; c < more.size(); ++c)
        layout_.below[c] += (layout_.below[c].empty() || more[c].empty() ? "" : " ") + more[c];
    }
    take_rows(first_row);
  }

  /// Whether the rows below it are a table's, with times; what they leave open is in `open`.
  bool fits(std::string& open) {
    if (rows_.empty() || names().size() < 2) return false;
    if (!same_width()) return false;
    if (!find_time(open) || header_is_row()) return false;
    find_decimal();
    return true;
  }

  Layout take() && { return std::move(layout_); }
  std::vector<std::string>& names() { return layout_.header.names; }

 private:
  void take_rows(std::size_t first) {
    for (std::size_t i = first; i < sample_.lines.size() && rows_.size() < most_rows_; ++i) {
      if (sample_.lines[i].text.empty()) break;
      rows_.push_back(split_line(sample_.lines[i].text, layout_.header.separator));
    }
  }

  // Rows as wide as the header, or all of them with one empty field more.
  bool same_width() {
    const std::size_t width = rows_.front().size();
    if (width == names().size()) return true;
    for (const auto& row : rows_)
      if (row.size() != names().size() + 1 || !row.back().empty()) return false;
    names().emplace_back();
    return true;
  }

  /// A file without a header.
  bool header_is_row() {
    TimeColumns time = layout_.time;
    time.zone = kUtc;
    std::vector<std::string_view> cells;
    for (const std::size_t c : time.columns) cells.emplace_back(names()[c]);
    std::int64_t ns = 0;
    std::string why;
    return RowTimes(time).parse(cells, ns, why);
  }

  std::vector<std::string> column(std::size_t c) const {
    std::vector<std::string> cells;
    for (const auto& row : rows_)
      if (row.size() == rows_.front().size() && c < row.size()) cells.push_back(row[c]);
    return cells;
  }

  bool find_time(std::string& open) {
    if (!options_.time_column.empty()) {
      for (std::size_t c = 0; c < names().size(); ++c)
        if (names()[c] == options_.time_column) return time_at(c, true, open);
      return false;
    }
    if (find_parts()) return true;
    for (const bool utc : {true, false})
      for (std::size_t c = 0; c < names().size(); ++c) {
        const std::string name = lower(names()[c]);
        if (utc && !has(name, "utc") && !has(name, "gmt")) continue;
        if (time_at(c, false, open)) return true;
      }
    return false;
  }

  /// Year, Month, Day, Hour and Minute by their names.
  bool find_parts() {
    constexpr std::array<std::array<std::string_view, 3>, 5> kParts{{{"year", "yyyy", "yr"},
                                                                     {"month", "mm", "mo"},
                                                                     {"day", "dd", "dy"},
                                                                     {"hour", "hh", "hr"},
                                                                     {"minute", "min", "mi"}}};
    std::vector<std::size_t> found;
    for (const auto& spellings : kParts) {
      std::size_t at = names().size();
      for (std::size_t c = names().size(); c-- > 0;)
        for (const std::string_view s : spellings)
          if (lower(names()[c]) == s) at = c;
      if (at == names().size()) break;
      found.push_back(at);
    }
    if (found.size() < 4) return false;  // Year, Month, Day, Period is another reader's
    std::int64_t low = 0, high = 0;
    for (const std::size_t c : found)
      if (!all_whole(column(c), low, high)) return false;
    layout_.time.kind = TimeColumns::Kind::Parts;
    layout_.time.columns = found;
    layout_.said += "; time from year, month, day, hour";
    return true;
  }

  bool time_at(std::size_t c, bool stated, std::string& open) {
    const std::vector<std::string> cells = column(c);
    if (cells.empty()) return false;
    layout_.time.first = c;
    layout_.time.columns = {c};
    if (!options_.time_format.empty()) return by_format(c, cells);
    const bool dates_only = all_iso(cells) && cells.front().size() == 10;
    if (all_iso(cells) && !(dates_only && with_clock(c, cells, open))) {
      layout_.time.kind = TimeColumns::Kind::Iso;
      return true;
    }
    if (dates_only) return true;  // settled by its clock column
    std::int64_t least = 0, most = 0;
    const std::string name = lower(names()[c]);
    const bool named = stated || c == 0 || has(name, "time") || has(name, "date") ||
                       has(name, "epoch") || has(name, "unix") || has(name, "stamp");
    if (named && all_whole(cells, least, most)) {
      const bool seconds = least > 100'000'000 && most < 10'000'000'000;
      const bool thousandths = least > 100'000'000'000 && most < 10'000'000'000'000;
      if (seconds || thousandths) {
        layout_.time.kind = TimeColumns::Kind::Epoch;
        layout_.time.unit_ns = seconds ? 1'000'000'000 : 1'000'000;
        layout_.time.zone = kUtc;
        layout_.said +=
            seconds ? "; time in seconds since 1970" : "; time in milliseconds since 1970";
        return true;
      }
    }
    if (settle(guess_format(kFormats, cells), c, open)) return true;
    if (!open.empty()) return false;
    return with_clock(c, cells, open);
  }

  bool settle(const FormatGuess& guess, std::size_t c, std::string& open) {
    if (guess.fit.empty()) return false;
    if (guess.fit.size() > 1) {
      open = fmt::format("{}: `time_format`: the file leaves open whether it is {}", names()[c],
                         fmt::join(guess.fit, " or "));
      return false;
    }
    layout_.time.kind = TimeColumns::Kind::Text;
    layout_.time.format = guess.fit.front();
    layout_.said += fmt::format("; time as {}", guess.fit.front());
    return true;
  }

  bool by_format(std::size_t c, const std::vector<std::string>& cells) {
    const bool alone = std::all_of(cells.begin(), cells.end(), [&](const std::string& cell) {
      return match_time(options_.time_format, cell).has_value();
    });
    layout_.time.kind = TimeColumns::Kind::Text;
    layout_.time.format = options_.time_format;
    if (alone) return true;
    if (c + 1 >= names().size()) return false;
    const std::vector<std::string> next = column(c + 1);
    for (std::size_t i = 0; i < cells.size(); ++i)
      if (!match_time(options_.time_format, cells[i] + " " + next[i])) return false;
    layout_.time.columns = {c, c + 1};
    return true;
  }

  /// A date, and beside it the time of day or the number of the hour.
  bool with_clock(std::size_t c, const std::vector<std::string>& dates, std::string& open) {
    for (std::size_t k = 0; k < names().size(); ++k) {
      if (k == c) continue;
      const std::string name = lower(names()[k]);
      const bool beside = k == c + 1;
      const bool period = has(name, "period");
      const bool hour =
          has(name, "hour") || name == "hr" || name == "he" || has(name, "_hr") || name == "stunde";
      if (!beside && !period && !hour) continue;
      const std::vector<std::string> cells = column(k);
      if (cells.size() != dates.size()) continue;
      std::int64_t least = 0, most = 0;
      if ((period || hour) && (all_whole(cells, least, most) || all_clock(cells))) {
        if (hour_number(c, k, name, dates, cells, period, open)) return true;
        if (!open.empty()) return false;
      }
      if (!beside || !all_clock(cells)) continue;
      std::vector<std::string> joined;
      for (std::size_t i = 0; i < cells.size(); ++i) joined.push_back(dates[i] + " " + cells[i]);
      const FormatGuess guess = guess_format(kFormats, joined);
      if (!settle(guess, c, open)) return false;
      layout_.time.columns = {c, k};
      return true;
    }
    return false;
  }

  bool hour_number(std::size_t c, std::size_t k, const std::string& name,
                   const std::vector<std::string>& dates, const std::vector<std::string>& cells,
                   bool period, std::string& open) {
    const FormatGuess guess = guess_format(kDates, dates);
    if (guess.fit.empty()) return false;
    std::int64_t least = std::numeric_limits<std::int64_t>::max(), most = 0;
    for (const std::string& cell : cells) {
      std::int64_t value = 0;
      std::from_chars(cell.data(), cell.data() + cell.size(), value);
      least = std::min(least, value);
      most = std::max(most, value);
    }
    if (!period && least == 0 && all_clock(cells)) return false;  // an ordinary time of day
    const bool ending = has(name, "end") || name == "he";
    if (!settle(guess, c, open)) return false;
    layout_.time.kind = TimeColumns::Kind::Hour;
    layout_.time.columns = {c, k};
    layout_.time.from_one = period || ending || least >= 1;
    std::int64_t periods = 24;
    for (const std::int64_t usual : {288, 144, 96, 48, 24})
      if (period && most <= usual + usual / 24) periods = usual;
    layout_.time.unit_ns = 86'400'000'000'000 / periods;
    layout_.said += fmt::format("; time from a date and the number of the {}, from {}",
                                periods == 24 ? "hour" : "period", layout_.time.from_one ? 1 : 0);
    return true;
  }

  /// A comma is the decimal sign if cells say so and none says otherwise.
  void find_decimal() {
    if (options_.decimal != 0) {
      layout_.form.decimal = options_.decimal;
      return;
    }
    bool comma = false, point = false;
    for (const auto& row : rows_) look_for_decimal(row, comma, point);
    if (!comma || point) return;
    layout_.form.decimal = ',';
    layout_.said += "; decimal comma";
  }

  static void look_for_decimal(const std::vector<std::string>& row, bool& comma, bool& point) {
    for (const std::string& cell : row) {
      if (cell.empty() || cell.find_first_not_of("0123456789.,+-eE ") != std::string::npos)
        continue;
      const std::size_t c = cell.rfind(','), p = cell.rfind('.');
      const auto behind = [&cell](std::size_t at) { return cell.size() - at - 1; };
      if (c != std::string::npos && p != std::string::npos) {
        (c > p ? comma : point) = true;
      } else if (c != std::string::npos) {
        // 1,234 may be a thousand; 12,5 and 0,123 cannot.
        comma |= behind(c) != 3 || cell.find_first_of("123456789") > c || c > 3;
      } else if (p != std::string::npos && cell.find('.') == p) {
        point |= behind(p) != 3 || cell.find_first_of("123456789") > p || p > 3;
      }
    }
  }

  const Sample& sample_;
  const CsvOptions& options_;
  std::size_t most_rows_;
  Layout layout_;
  std::vector<std::vector<std::string>> rows_;
};

// ---- zones

// A zone that the file itself states.
class ZoneSearch {
 public:
  ZoneSearch(const Sample& sample, Layout& layout) : sample_(sample), layout_(layout) {}

  void run() {
    if (layout_.time.zone.stated) return;
    std::string names;
    for (const std::size_t c : layout_.time.columns) names += lower(layout_.header.names[c]) + " ";
    for (const std::size_t c : layout_.time.columns)
      if (!layout_.below.empty()) names += lower(layout_.below[c]) + " ";
    const std::string comments = lower(sample_.comments);
    if (has(names, "utc") || has(names, "gmt")) return state("UTC", "its header");
    if (has(names, "cet/cest")) return state("Europe/Brussels", "its header (CET/CEST)");
    if (has(comments, "time in utc") || has(comments, "timezone: utc") ||
        has(comments, "time zone: utc") || has(comments, "(utc)"))
      return state("UTC", "its comments");
    if (offset_of_preamble()) return;
    if (has(names, "datum von") && smard()) return state("Europe/Berlin", "its publisher, SMARD");
    if (has(names, "settlement") && has(names, "period"))
      return state("Europe/London", "its settlement periods");
  }

 private:
  void state(const char* zone, const char* by) {
    layout_.time.zone = parse_zone(zone);
    layout_.said += fmt::format("; zone {} as of {}", zone, by);
  }

  bool smard() const {
    for (const std::string& name : layout_.header.names)
      if (has(name, "Aufl\xC3\xB6sung") || has(lower(name), "mwh]")) return true;
    return false;
  }

  // Lines above the header that hold names and values: `Time Zone` or `Data Timezone` in hours.
  bool offset_of_preamble() {
    for (std::size_t i = 0; i + 1 < sample_.lines.size(); ++i) {
      if (sample_.lines[i].number >= layout_.header.line) break;
      const auto row = split_line(sample_.lines[i].text, layout_.header.separator);
      const auto next = split_line(sample_.lines[i + 1].text, layout_.header.separator);
      for (std::size_t c = 0; c < row.size(); ++c) {
        const std::string name = lower(row[c]);
        if (name != "time zone" && name != "data timezone" && name != "data time zone" &&
            name != "timezone" && name != "utc offset")
          continue;
        for (const std::string& text : {c + 1 < row.size() ? row[c + 1] : std::string(),
                                        c < next.size() ? next[c] : std::string()}) {
          double hours = 0;
          if (text.empty() || !parse_cell(text, {}, hours) || std::isnan(hours) ||
              std::abs(hours) > 14)
            continue;
          layout_.time.zone = {true, static_cast<std::int64_t>(std::llround(hours * 3600e9)), {}};
          layout_.said += fmt::format("; zone {:+g} h as of its first lines", hours);
          return true;
        }
      }
    }
    return false;
  }

  const Sample& sample_;
  Layout& layout_;
};

// "# Units: time in UTC, electricity in kW"
void take_units(const Sample& sample, Layout& layout) {
  if (!has(lower(sample.comments), "unit")) return;
  layout.units.resize(layout.header.names.size());
  for (std::size_t c = 0; c < layout.units.size(); ++c) {
    const std::string phrase = layout.header.names[c] + " in ";
    std::size_t at = sample.comments.find(phrase);
    while (at != std::string::npos && at > 0 && sample.comments[at - 1] != ' ')
      at = sample.comments.find(phrase, at + 1);
    if (layout.header.names[c].empty() || at == std::string::npos) continue;
    const std::size_t from = at + phrase.size();
    layout.units[c] =
        sample.comments.substr(from, sample.comments.find_first_of(",;\n", from) - from);
  }
}

// Times that the header says mark ends.
bool says_ends(const Layout& layout) {
  for (const std::size_t c : layout.time.columns) {
    const std::string name = lower(layout.header.names[c]);
    for (const std::string_view words :
         {"end of hour", "hour ending", "hour_ending", "hourending", "interval end", "interval_end",
          "period end", "period_end", "time_end", "end_time", "interval ending"})
      if (has(name, words)) return true;
  }
  return false;
}

Layout finished(Layout layout, const Sample& sample, const CsvOptions& options) {
  if (!options.zone.empty()) {
    layout.time.zone = parse_zone(options.zone);
  } else {
    ZoneSearch(sample, layout).run();
  }
  take_units(sample, layout);
  layout.ends = options.times == TimeMark::Ends ||
                (options.times == TimeMark::Recognise && says_ends(layout));
  // The number of an hour names it, whatever the header says of its end.
  if (layout.time.kind == TimeColumns::Kind::Hour) layout.ends = false;
  if (options.times == TimeMark::Recognise && layout.ends)
    layout.said += "; times mark the ends of intervals";
  return layout;
}

/// The first line from `from` to `to` below which there is a table with times. `open` gets what a
/// table leaves open.
std::optional<Layout> search(const Sample& sample, const std::string& file, std::size_t from,
                             std::size_t to, std::size_t most_rows, const CsvOptions& options,
                             std::string& open) {
  for (std::size_t h = from; h < to; ++h) {
    for (std::size_t r = h + 1; r <= h + kHeaderLines && r < sample.lines.size(); ++r) {
      Candidate candidate(sample, h, r, most_rows, options);
      std::string left_open;
      if (!candidate.fits(left_open)) {
        if (open.empty() && !left_open.empty())
          open = describe({file, sample.lines[h].number}, "", left_open);
        continue;
      }
      Layout layout = finished(std::move(candidate).take(), sample, options);
      if (h > from) layout.said += fmt::format("; header in line {}", sample.lines[h].number);
      return layout;
    }
  }
  return std::nullopt;
}

}  // namespace

Layout find_layout(input::Lines& lines, const CsvOptions& options) {
  const Sample sample = take_sample(lines);
  const std::string& file = lines.name();
  if (sample.lines.empty())
    throw InputError(describe({file, 0}, "", "a header line and rows; the file is empty"));
  std::size_t from = 0, to = std::min(sample.lines.size(), kDeepestHeader);
  if (options.skip_rows >= 0) {
    while (from < sample.lines.size() &&
           sample.lines[from].number <= static_cast<std::size_t>(options.skip_rows))
      ++from;
    if (from == sample.lines.size())
      throw InputError(
          describe({file, 0}, "skip_rows",
                   fmt::format("fewer lines than the file has, found {}", options.skip_rows)));
    to = from + 1;
  }
  std::string open;
  // All rows of the sample tell most; if one of them is wrong, the first ones alone.
  for (const std::size_t most_rows : {kSample, kFewRows})
    if (std::optional<Layout> layout = search(sample, file, from, to, most_rows, options, open))
      return *std::move(layout);
  if (!open.empty()) throw InputError(open);
  // Whatever is wrong is told by the rows, read as the plain form.
  Layout plain;
  const Line& line = sample.lines[from];
  if (line.text.find_first_not_of(" \t") == std::string::npos)
    throw InputError(describe({file, line.number}, "", "a header line with names"));
  plain.header.separator = separator_of(line.text);
  plain.header.line = line.number;
  plain.header.names = split_line(line.text, plain.header.separator);
  std::int64_t ns = 0;
  std::string why;
  TimeParser parser(kUtc);
  if (parser.parse(plain.header.names.front(), ns, why))
    throw InputError(describe({file, line.number}, "",
                              "a header line with names above the rows; this is a row"));
  // Where no row begins with a time there is none to be told row by row.
  const std::size_t time_at =
      options.time_column.empty() ? 0 : find_column(plain.header, file, options.time_column);
  std::size_t rows = 0, times = 0;
  for (std::size_t i = from + 1; i < sample.lines.size() && rows < kFewRows; ++i, ++rows) {
    const std::vector<std::string> cells = split_line(sample.lines[i].text, plain.header.separator);
    times += time_at < cells.size() && parser.parse(cells[time_at], ns, why) ? 1 : 0;
  }
  if (rows >= 3 && times == 0 && options.time_format.empty())
    throw InputError(describe({file, line.number}, "",
                              "a column of times, such as `2020-01-01T00:05Z`; there is none that "
                              "is recognised (`time_column` and `time_format` say where and how)"));
  plain.time.zone = parse_zone(options.zone);
  plain.ends = options.times == TimeMark::Ends;
  if (options.decimal != 0) plain.form.decimal = options.decimal;
  plain.time.first = time_at;
  plain.time.columns = {time_at};
  return plain;
}

}  // namespace carnot::inline trace::csv
