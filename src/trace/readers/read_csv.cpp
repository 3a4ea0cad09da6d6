// SPDX-License-Identifier: Apache-2.0
// The general CSV reader: which column, which unit.
#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "carnot/base/text.hpp"

#include "trace/readers/csv_layout.hpp"
#include "trace/readers/csv_unit.hpp"

namespace carnot::inline trace {

GapPolicy gap_policy(std::string_view name) {
  if (name == "refuse") return GapPolicy::Refuse;
  if (name == "hold") return GapPolicy::Hold;
  if (name == "linear") return GapPolicy::Linear;
  throw InputError(describe({}, "gaps", fmt::format("refuse, hold or linear, found `{}`", name)));
}

NegativePolicy negative_policy(std::string_view name) {
  if (name == "refuse") return NegativePolicy::Refuse;
  if (name == "zero") return NegativePolicy::Zero;
  if (name == "allow") return NegativePolicy::Allow;
  throw InputError(
      describe({}, "negative", fmt::format("refuse, zero or allow, found `{}`", name)));
}

RepeatPolicy repeat_policy(std::string_view name) {
  if (name == "refuse") return RepeatPolicy::Refuse;
  if (name == "first") return RepeatPolicy::First;
  if (name == "last") return RepeatPolicy::Last;
  if (name == "mean") return RepeatPolicy::Mean;
  throw InputError(
      describe({}, "repeats", fmt::format("refuse, first, last or mean, found `{}`", name)));
}

TimeMark time_mark(std::string_view name) {
  if (name.empty()) return TimeMark::Recognise;
  if (name == "starts") return TimeMark::Starts;
  if (name == "ends") return TimeMark::Ends;
  throw InputError(describe({}, "times", fmt::format("starts or ends, found `{}`", name)));
}

void check_csv_unit(std::string_view unit, const Dimension& dimension) {
  csv::unit_conversion(unit, dimension, kEuroPerDollar2023);
}

namespace reading {

namespace {

// Lower case, blanks and line breaks as one blank.
std::string plain_words(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

class ColumnChoice {
 public:
  ColumnChoice(const std::string& file, const csv::Layout& layout, const CsvOptions& options,
               const Dimension& dimension)
      : file_(file), layout_(layout), options_(options), dimension_(dimension) {}

  std::size_t choose() const {
    if (options_.column.empty()) return only_one();
    if (const std::optional<std::size_t> number = by_number()) return *number;
    using Spelling = std::function<bool(std::size_t)>;
    const std::string& wanted = options_.column;
    const std::string plain = plain_words(wanted);
    for (const Spelling& is :
         {Spelling([&](std::size_t c) { return names()[c] == wanted; }),
          Spelling([&](std::size_t c) { return full_name(c) == wanted; }),
          Spelling([&](std::size_t c) { return csv::split_unit(names()[c]).name == wanted; }),
          Spelling([&](std::size_t c) {
            return plain_words(names()[c]) == plain || plain_words(full_name(c)) == plain ||
                   plain_words(csv::split_unit(names()[c]).name) == plain;
          }),
          Spelling([&](std::size_t c) {
            return plain_words(names()[c].substr(0, names()[c].find_first_of("[("))) == plain;
          })}) {
      std::vector<std::size_t> found;
      for (std::size_t c = 0; c < names().size(); ++c)
        if (is(c)) found.push_back(c);
      if (found.size() == 1) return found.front();
      if (found.size() > 1) throw several(found);
    }
    return csv::find_column(layout_.header, file_, wanted);
  }

  /// The unit of the column, as it stands somewhere; empty: nowhere.
  std::string unit(std::size_t c) const {
    if (!options_.unit.empty()) return options_.unit;
    if (const auto found = csv::unit_in_header(names()[c], dimension_, options_.euro_per_dollar))
      return *found;
    if (!layout_.below.empty())
      if (const auto found = csv::unit_in_header("[" + layout_.below[c] + "]", dimension_,
                                                 options_.euro_per_dollar))
        return *found;
    if (!layout_.units.empty() && !layout_.units[c].empty()) return layout_.units[c];
    return dimension_ == kDimensionless ? std::string() : csv::split_unit(names()[c]).unit;
  }

 private:
  const std::vector<std::string>& names() const { return layout_.header.names; }
  std::string full_name(std::size_t c) const {
    return layout_.below.empty() || layout_.below[c].empty() ? names()[c]
                                                             : names()[c] + " " + layout_.below[c];
  }
  std::optional<std::size_t> by_number() const {
    const std::string& wanted = options_.column;
    if (wanted.size() < 2 || wanted.front() != '#' ||
        wanted.find_first_not_of("0123456789", 1) != std::string::npos || wanted.size() > 7)
      return std::nullopt;
    const auto number = static_cast<std::size_t>(parse_integer(std::string_view(wanted).substr(1)));
    if (number < 1 || number > names().size())
      throw InputError(describe({file_, layout_.header.line}, "column",
                                fmt::format("`#1` to `#{}`, found `{}`", names().size(), wanted)));
    return number - 1;
  }

  std::size_t only_one() const {
    std::vector<std::size_t> values, fitting;
    for (std::size_t c = 0; c < names().size(); ++c) {
      if (layout_.is_time(c)) continue;
      values.push_back(c);
      if (dimension_ != kDimensionless &&
          csv::unit_in_header(names()[c], dimension_, options_.euro_per_dollar))
        fitting.push_back(c);
    }
    if (values.size() == 1) return values.front();
    if (fitting.size() == 1) return fitting.front();
    throw InputError(describe({file_, layout_.header.line}, "",
                              fmt::format("one column beside the time, or the option `column`; "
                                          "there are {} columns",
                                          names().size())));
  }

  InputError several(const std::vector<std::size_t>& found) const {
    std::string text = "a name that one column has; take";
    for (const std::size_t c : found)
      text += fmt::format("{} `#{}` ({})",
                          c == found.front()  ? ""
                          : c == found.back() ? " or"
                                              : ",",
                          c + 1, full_name(c));
    return InputError(describe({file_, layout_.header.line}, options_.column, text));
  }

  const std::string& file_;
  const csv::Layout& layout_;
  const CsvOptions& options_;
  const Dimension& dimension_;
};

csv::Rules rules_of(const CsvOptions& options, const Dimension& dimension, bool ends) {
  csv::Rules rules;
  rules.gaps = options.gaps;
  rules.ends = ends;
  rules.trim_ends = options.trim_ends;
  rules.longest_gap = options.longest_gap;
  rules.needed_from = options.needed_from;
  rules.needed_to = options.needed_to;
  const bool signed_by_nature = dimension == EnergyPrice::kDimension || dimension == kDimensionless;
  rules.negative = signed_by_nature ? NegativePolicy::Allow : options.negative;
  return rules;
}

CoreFile read(const std::function<input::Lines()>& open, const CsvOptions& options,
              const Dimension& dimension) {
  csv::Layout layout;
  {
    input::Lines first = open();
    layout = csv::find_layout(first, options);
  }
  input::Lines lines = open();
  const std::string& file = lines.name();
  const ColumnChoice choice(file, layout, options, dimension);
  const std::size_t column = choice.choose();
  const std::string& name = layout.header.names[column];
  if (layout.is_time(column)) {
    throw InputError(
        describe({file, layout.header.line}, name, "a column other than the one of times"));
  }
  const std::string unit = choice.unit(column);
  if (unit.empty() && dimension != kDimensionless) {
    throw InputError(describe({file, layout.header.line}, name,
                              "a unit in the header, such as `wind_mw` or `price [EUR/MWh]`, or "
                              "the option `unit`"));
  }
  csv::UnitConversion conversion;
  try {
    conversion = csv::unit_conversion(unit, dimension, options.euro_per_dollar);
  } catch (const InputError& error) {
    throw InputError(describe({file, layout.header.line}, name, error.what()));
  }
  std::string_view skipped;
  while (lines.number() < layout.header.line && lines.next(skipped)) {
  }
  csv::Series series =
      csv::read_series(lines, layout.header, layout.time, {column}, layout.form, options.repeats);
  std::vector<double> hours;
  layout.said += csv::regularise(series, layout.ends, conversion.is_energy ? &hours : nullptr);
  std::vector<double> value = std::move(series.value[0]);
  for (std::size_t i = 0; i < hours.size(); ++i) value[i] /= hours[i];
  csv::Assembled assembled =
      csv::assemble(file, series, name, std::move(value), conversion.conversion,
                    rules_of(options, dimension, layout.ends));
  std::string provenance = csv::describe_source(file, name, unit, assembled, options.gaps) +
                           conversion.note + layout.said;
  return {std::move(assembled.core), std::move(assembled.filled), std::move(provenance)};
}

}  // namespace

CoreFile read_csv(const std::string& path, const CsvOptions& options, const Dimension& dimension) {
  return read([&path] { return input::Lines::of_file(path); }, options, dimension);
}

CoreFile parse_csv(std::string_view text, const std::string& name, const CsvOptions& options,
                   const Dimension& dimension) {
  return read([&] { return input::Lines::of_text(text, name); }, options, dimension);
}

}  // namespace reading

}  // namespace carnot::inline trace
