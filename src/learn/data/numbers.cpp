// SPDX-License-Identifier: Apache-2.0
#include "learn/data/numbers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "learn/data/dates.hpp"

namespace carnot::learn {

namespace {

constexpr double kGreatestMagnitude = 1e30;  // squares and sums of these stay finite in double
constexpr std::size_t kEvidenceRows = 2000;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

CellKind judged(double value) noexcept {
  return std::isfinite(value) && std::abs(value) <= kGreatestMagnitude ? CellKind::Number
                                                                       : CellKind::NotFinite;
}

std::string_view without_blanks(std::string_view text) noexcept {
  const auto cut = [&](bool front) {
    for (const std::string_view blank : {" ", "\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89"}) {
      if (front ? !text.starts_with(blank) : !text.ends_with(blank)) continue;
      front ? text.remove_prefix(blank.size()) : text.remove_suffix(blank.size());
      return true;
    }
    return false;
  };
  while (cut(true)) {
  }
  while (cut(false)) {
  }
  return text;
}

/// Bytes of a group mark at the front of `text`; 0 if none stands there.
std::size_t group_mark(std::string_view text, char group) noexcept {
  if (text.empty() || group == '\0') return 0;
  if (text.front() == group) return 1;
  if (group == ' ')
    for (const std::string_view blank : {"\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89"})
      if (text.starts_with(blank)) return blank.size();
  if (group == '\'' && text.starts_with("\xE2\x80\x99")) return 3;
  return 0;
}

/// The cell as from_chars takes it, if it is a number with this decimal sign and these groups.
std::optional<std::string> normalised(std::string_view cell, char decimal, char group) {
  std::string out;
  if (cell.starts_with("\xE2\x88\x92")) {  // the true minus sign
    out += '-';
    cell.remove_prefix(3);
  } else if (!cell.empty() && (cell.front() == '+' || cell.front() == '-')) {
    if (cell.front() == '-') out += '-';
    cell.remove_prefix(1);
  }
  std::size_t digits = 0;
  const auto take_digits = [&](std::size_t most) {
    std::size_t taken = 0;
    while (!cell.empty() && is_digit(cell.front()) && taken < most) {
      out += cell.front();
      cell.remove_prefix(1);
      ++taken;
    }
    return taken;
  };
  digits = take_digits(cell.size());
  if (digits >= 1 && digits <= 3)
    while (const std::size_t mark = group_mark(cell, group)) {
      cell.remove_prefix(mark);
      if (take_digits(3) != 3 || (!cell.empty() && is_digit(cell.front()))) return std::nullopt;
    }
  if (!cell.empty() && cell.front() == decimal) {
    out += '.';
    cell.remove_prefix(1);
    digits += take_digits(cell.size());
  }
  if (digits == 0) return std::nullopt;
  if (!cell.empty() && (cell.front() == 'e' || cell.front() == 'E')) {
    out += 'e';
    cell.remove_prefix(1);
    if (!cell.empty() && (cell.front() == '+' || cell.front() == '-')) {
      out += cell.front();
      cell.remove_prefix(1);
    }
    if (take_digits(cell.size()) == 0) return std::nullopt;
  }
  if (!cell.empty()) return std::nullopt;
  return out;
}

constexpr std::array<std::string_view, 13> kAffixes = {"$",
                                                       "\xE2\x82\xAC" /* euro */,
                                                       "\xC2\xA3" /* pound */,
                                                       "\xC2\xA5" /* yen */,
                                                       "%",
                                                       "\xE2\x80\xB0" /* per mille */,
                                                       "EUR",
                                                       "USD",
                                                       "GBP",
                                                       "CHF",
                                                       "JPY",
                                                       "SEK",
                                                       "NOK"};

std::string_view affix_of(std::string_view cell) noexcept {
  if (!cell.empty() && (cell.front() == '-' || cell.front() == '+')) cell.remove_prefix(1);
  for (const std::string_view affix : kAffixes)
    if (cell.size() > affix.size() && (cell.starts_with(affix) || cell.ends_with(affix)))
      return affix;
  return {};
}

/// The number inside `$ -5`, `-$5` and `5 %`; nothing if the affix is not there.
std::optional<std::string> without_affix(std::string_view cell, std::string_view affix) {
  std::string sign;
  if (!cell.empty() && (cell.front() == '-' || cell.front() == '+')) {
    sign = cell.front();
    cell.remove_prefix(1);
  }
  if (cell.starts_with(affix))
    cell.remove_prefix(affix.size());
  else if (cell.ends_with(affix))
    cell.remove_suffix(affix.size());
  else
    return std::nullopt;
  return sign + std::string(without_blanks(cell));
}

bool reads(std::string_view cell, const NumberStyle& style) {
  double ignored = 0.0;
  const CellKind kind = read_styled(cell, style, ignored);
  return kind == CellKind::Number || kind == CellKind::NotFinite;
}

NumberStyle with(char decimal, char group, std::string_view affix = {}) {
  return {decimal, group, std::string(affix), DateOrder::None};
}

/// `1,234` or `1,234,567`: groups of three, the first not beginning with 0.
bool grouped_by(std::string_view cell, char group) {
  if (!cell.empty() && (cell.front() == '-' || cell.front() == '+')) cell.remove_prefix(1);
  if (cell.empty() || cell.front() == '0' || cell.find(group) == std::string_view::npos)
    return false;
  return normalised(cell, '\0', group).has_value();
}

}  // namespace

bool is_missing(std::string_view cell) noexcept {
  return cell.empty() || cell == "?" || cell == "NA";
}

bool is_missing_word(std::string_view cell) noexcept {
  if (is_missing(cell)) return true;
  constexpr std::array<std::string_view, 31> kWords = {
      "na",   "n/a",  "n.a.",    "n.a",     "#n/a",    "#na",  "nan",    "-nan",
      "+nan", "null", "none",    "nil",     "-",       "--",   "---",    ".",
      "..",   "...",  "missing", "<na>",    "nat",     "\\n",  "(null)", "n.d.",
      "nd",   "n/e",  "#ref!",   "#value!", "#div/0!", "k.a.", "n.v."};
  if (cell.size() > 8) return false;
  char lower[8];
  for (std::size_t i = 0; i < cell.size(); ++i)
    lower[i] = cell[i] >= 'A' && cell[i] <= 'Z' ? static_cast<char>(cell[i] + 32) : cell[i];
  return std::find(kWords.begin(), kWords.end(), std::string_view(lower, cell.size())) !=
         kWords.end();
}

CellKind read_cell(std::string_view cell, double& value) noexcept {
  if (is_missing_word(cell)) return CellKind::Missing;
  if (cell.front() == '+' && cell.size() > 1 && cell[1] != '-') cell.remove_prefix(1);
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (end != cell.data() + cell.size()) return CellKind::Text;
  if (error == std::errc::result_out_of_range) return CellKind::NotFinite;
  if (error != std::errc()) return CellKind::Text;
  return judged(value);
}

std::string describe_style(const NumberStyle& style) {
  switch (style.dates) {
    case DateOrder::None:
      break;
    case DateOrder::YearFirst:
      return "dates as seconds";
    case DateOrder::DayFirst:
      return "dates, day first, as seconds";
    case DateOrder::MonthFirst:
      return "dates, month first, as seconds";
  }
  std::string text;
  const auto say = [&](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
  if (style.decimal == ',') say("decimal commas");
  if (style.group != '\0')
    say(style.group == ' ' ? "groups of three apart by blanks"
                           : fmt::format("groups of three apart by `{}`", style.group));
  if (!style.affix.empty()) say(fmt::format("sign `{}`", style.affix));
  return text;
}

CellKind read_styled(std::string_view cell, const NumberStyle& style, double& value) {
  if (style.is_plain()) return read_cell(cell, value);
  if (is_missing_word(cell)) return CellKind::Missing;
  if (style.dates != DateOrder::None) {
    const std::optional<double> seconds = read_date(cell, style.dates);
    if (!seconds) return CellKind::Text;
    value = *seconds;
    return CellKind::Number;
  }
  std::optional<std::string> number;
  if (style.affix.empty()) {
    number = normalised(cell, style.decimal, style.group);
  } else if (const auto inside = without_affix(cell, style.affix)) {
    number = normalised(*inside, style.decimal, style.group);
  }
  return number ? read_cell(*number, value) : CellKind::Text;
}

MissingWords::MissingWords(const std::vector<std::string>& words) : words_(words) {
  for (const std::string& word : words) {
    double value = 0.0;
    if (read_cell(word, value) == CellKind::Number) numbers_.push_back(value);
  }
}

bool MissingWords::holds(std::string_view cell) const noexcept {
  if (words_.empty()) return false;
  if (std::find(words_.begin(), words_.end(), cell) != words_.end()) return true;
  double value = 0.0;
  return !numbers_.empty() && read_cell(cell, value) == CellKind::Number &&
         std::find(numbers_.begin(), numbers_.end(), value) != numbers_.end();
}

ColumnReader::ColumnReader(const Table& table, const MissingWords& missing)
    : table_(table), missing_(missing) {
  const std::size_t cells = std::min(table.rows, kEvidenceRows) * table.columns;
  for (std::size_t i = 0; i < cells; ++i) {
    const std::string_view cell = table.cells[i];
    if (cell.find(',') != std::string_view::npos)
      decimal_commas_ =
          decimal_commas_ ||
          ((reads(cell, with(',', '\0')) || reads(cell, with(',', '.'))) && !grouped_by(cell, ','));
    else if (!decimal_points_ && cell.find('.') != std::string_view::npos)
      decimal_points_ = reads(cell, with('.', '\0')) && !grouped_by(cell, '.');
  }
}

NumberStyle ColumnReader::style(std::size_t column) const {
  std::size_t there = 0;
  std::size_t plain = 0;
  std::size_t pointed = 0;
  std::size_t thousands = 0;
  std::vector<std::string_view> others;
  for (std::size_t r = 0; r < table_.rows; ++r) {
    const std::string_view cell = table_.cell(r, column);
    if (is_missing_word(cell) || missing_.holds(cell)) continue;
    ++there;
    if (reads(cell, {})) {
      ++plain;
      if (cell.find('.') != std::string_view::npos) {
        ++pointed;
        thousands += grouped_by(cell, '.') ? 1u : 0u;
      }
    } else {
      others.push_back(cell);
    }
  }
  if (others.empty()) {
    // `1.234` among columns with decimal commas is a thousand and some.
    const bool groups = pointed > 0 && pointed == thousands && decimal_commas_ && !decimal_points_;
    return groups ? with(',', '.') : NumberStyle{};
  }
  NumberStyle best;
  std::size_t most = plain;
  const auto offer = [&](const NumberStyle& candidate) {
    // A sample first: most columns of text are refused by it.
    std::size_t read = 0;
    for (std::size_t i = 0; i < others.size(); ++i) {
      if (reads(others[i], candidate)) ++read;
      if (i == 200 && read < 100) return;
    }
    for (std::size_t r = 0; plain > 0 && r < table_.rows; ++r) {
      const std::string_view cell = table_.cell(r, column);
      if (!is_missing_word(cell) && !missing_.holds(cell) && reads(cell, {}) &&
          reads(cell, candidate))
        ++read;
    }
    if (read > most && 2 * read >= there) {
      most = read;
      best = candidate;
    }
  };
  const std::string_view affix = affix_of(others.front());
  const bool comma_first = decimal_commas_ || (!decimal_points_ && table_.separator == ';');
  for (const bool comma : {comma_first, !comma_first}) {
    const char decimal = comma ? ',' : '.';
    if (comma || !affix.empty()) offer(with(decimal, '\0', affix));
    for (const char group : {comma ? '.' : ',', ' ', '\''}) offer(with(decimal, group, affix));
  }
  if (most < there)
    if (const DateOrder order = date_order(others); order != DateOrder::None) {
      NumberStyle dates;
      dates.dates = order;
      offer(dates);
    }
  return best;
}

Cells ColumnReader::cells(std::size_t column, const NumberStyle& style) const {
  Cells cells;
  cells.values.resize(table_.rows);
  cells.kinds.resize(table_.rows);
  for (std::size_t r = 0; r < table_.rows; ++r) {
    const std::string_view cell = table_.cell(r, column);
    cells.kinds[r] =
        missing_.holds(cell) ? CellKind::Missing : read_styled(cell, style, cells.values[r]);
  }
  return cells;
}

bool ColumnReader::missing_category(std::string_view cell) const noexcept {
  return is_missing(cell) || missing_.holds(cell);
}

}  // namespace carnot::learn
