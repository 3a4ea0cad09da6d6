// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/option.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/units.hpp"

namespace carnot::inline base {

namespace {

/// `low <= x <= high` with whichever side is finite; empty if neither.
std::string range_text(bool has_low, const std::string& low, bool has_high,
                       const std::string& high) {
  if (has_low && has_high) return fmt::format("{} <= x <= {}", low, high);
  if (has_low) return "x >= " + low;
  if (has_high) return "x <= " + high;
  return "";
}

/// The fewest digits that read back as the same figure, such as a user would write.
std::string quantity_text(double base, const Dimension& dimension) {
  for (int digits = 1; digits < 17; ++digits) {
    std::string text = detail::format_quantity(base, dimension, digits);
    if (std::abs(detail::parse_quantity(text, dimension) - base) <= 2e-16 * std::abs(base))
      return text;
  }
  return detail::format_quantity(base, dimension, 17);
}

/// A Markdown table cell: `|` and line ends would break the row.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result;
}

}  // namespace

OptionTable& OptionTable::add(OptionRecord record) {
  CARNOT_CHECK(std::none_of(records_.begin(), records_.end(),
                            [&](const OptionRecord& r) { return r.key == record.key; }),
               fmt::format("option {}.{} is declared twice", name_, record.key));
  records_.push_back(std::move(record));
  return *this;
}

OptionTable& OptionTable::quantity_record(std::string key, const Dimension& dimension,
                                          double default_base, double low, double high,
                                          std::function<void(double)> store,
                                          std::string description, std::string source) {
  OptionRecord r;
  r.key = std::move(key);
  const std::string noun = detail::noun_of(dimension);
  r.kind =
      fmt::format("{} such as {}", noun.substr(noun.find(' ') + 1), detail::example_of(dimension));
  r.default_text = quantity_text(default_base, dimension);
  const bool has_low = low != -kInfinity;
  const bool has_high = high != kInfinity;
  r.allowed = range_text(has_low, has_low ? quantity_text(low, dimension) : "", has_high,
                         has_high ? quantity_text(high, dimension) : "");
  r.description = std::move(description);
  r.source = std::move(source);
  r.assign = [dimension, low, high, store = std::move(store),
              allowed = r.allowed](std::string_view text) {
    const double value = detail::parse_quantity(text, dimension);
    if (value < low || value > high)
      throw InputError(fmt::format("must satisfy {}, found `{}`", allowed, text));
    store(value);
  };
  return add(std::move(r));
}

OptionTable& OptionTable::real(std::string key, double* field, double low, double high,
                               std::string description, std::string source) {
  OptionRecord r;
  r.key = std::move(key);
  r.kind = "number";
  r.default_text = shortest(*field);
  r.allowed = range_text(low != -kInfinity, shortest(low), high != kInfinity, shortest(high));
  r.description = std::move(description);
  r.source = std::move(source);
  r.assign = [field, low, high, allowed = r.allowed](std::string_view text) {
    const double value = parse_number(text);
    if (value < low || value > high)
      throw InputError(fmt::format("must satisfy {}, found `{}`", allowed, text));
    *field = value;
  };
  return add(std::move(r));
}

OptionTable& OptionTable::integer(std::string key, std::int64_t* field, std::int64_t low,
                                  std::int64_t high, std::string description, std::string source) {
  using Limits = std::numeric_limits<std::int64_t>;
  OptionRecord r;
  r.key = std::move(key);
  r.kind = "integer";
  r.default_text = fmt::format("{}", *field);
  r.allowed = range_text(low != Limits::min(), fmt::format("{}", low), high != Limits::max(),
                         fmt::format("{}", high));
  r.description = std::move(description);
  r.source = std::move(source);
  r.assign = [field, low, high, allowed = r.allowed](std::string_view text) {
    const std::int64_t value = parse_integer(text);
    if (value < low || value > high)
      throw InputError(fmt::format("must satisfy {}, found `{}`", allowed, text));
    *field = value;
  };
  return add(std::move(r));
}

OptionTable& OptionTable::boolean(std::string key, bool* field, std::string description,
                                  std::string source) {
  OptionRecord r;
  r.key = std::move(key);
  r.kind = "yes or no";
  r.default_text = *field ? "yes" : "no";
  r.allowed = "yes, no, true, false";
  r.description = std::move(description);
  r.source = std::move(source);
  r.assign = [field](std::string_view text) {
    if (text == "yes" || text == "true") {
      *field = true;
    } else if (text == "no" || text == "false") {
      *field = false;
    } else {
      throw InputError(fmt::format("must be yes or no, found `{}`", text));
    }
  };
  return add(std::move(r));
}

OptionTable& OptionTable::text(std::string key, std::string* field, std::string description,
                               std::string source) {
  OptionRecord r;
  r.key = std::move(key);
  r.kind = "text";
  r.default_text = *field;
  r.description = std::move(description);
  r.source = std::move(source);
  r.assign = [field](std::string_view value) { *field = value; };
  return add(std::move(r));
}

OptionTable& OptionTable::choice(std::string key, std::string* field,
                                 std::vector<std::string> choices, std::string description,
                                 std::string source) {
  OptionRecord r;
  r.key = std::move(key);
  r.kind = "text";
  r.default_text = *field;
  r.allowed = fmt::format("one of {}", fmt::join(choices, ", "));
  r.description = std::move(description);
  r.source = std::move(source);
  r.assign = [field, choices = std::move(choices), allowed = r.allowed](std::string_view value) {
    if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
      const std::string near = nearest(value, choices);
      throw InputError(fmt::format("must be {}, found `{}`{}", allowed, value,
                                   near.empty() ? "" : "; did you mean `" + near + "`?"));
    }
    *field = value;
  };
  return add(std::move(r));
}

OptionTable& OptionTable::required() {
  CARNOT_CHECK(!records_.empty(), "required() follows the option it marks");
  records_.back().required = true;
  return *this;
}

std::string OptionTable::field_name(std::string_view key) const {
  return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
}

void OptionTable::set(const Place& place, std::string_view key, std::string_view value,
                      Problems& problems) {
  const auto record = std::find_if(records_.begin(), records_.end(),
                                   [key](const OptionRecord& r) { return r.key == key; });
  if (record == records_.end()) {
    const std::string near = nearest(key, keys());
    problems.add(place, field_name(key),
                 near.empty() ? fmt::format("unknown key; known are {}", fmt::join(keys(), ", "))
                              : fmt::format("unknown key; did you mean `{}`?", near));
    return;
  }
  if (record->seen) {
    problems.add(place, field_name(key), "given twice; allowed once");
    return;
  }
  record->seen = true;  // a value that is wrong is not also missing
  try {
    record->assign(value);
  } catch (const InputError& error) {
    problems.add(place, field_name(key), error.what());
  }
}

void OptionTable::check_required(const Place& place, Problems& problems) const {
  for (const OptionRecord& r : records_)
    if (r.required && !r.seen)
      problems.add(place, field_name(r.key), fmt::format("required: {}", r.kind));
}

std::vector<std::string> OptionTable::keys() const {
  std::vector<std::string> result;
  result.reserve(records_.size());
  for (const OptionRecord& r : records_) result.push_back(r.key);
  return result;
}

std::string OptionTable::reference() const {
  std::string page =
      "| key | kind | default | allowed | meaning | source |\n"
      "|---|---|---|---|---|---|\n";
  for (const OptionRecord& r : records_)
    page += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", r.key, cell(r.kind),
                        r.required ? "required" : cell(r.default_text), cell(r.allowed),
                        cell(r.description), cell(r.source));
  return page;
}

}  // namespace carnot::inline base
