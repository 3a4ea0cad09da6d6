// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One record per option feeds the parser, the bounds check, `--help` and the reference page.
/// A module declares a table over its plain options struct:
///
///     OptionTable table("site.battery");
///     table.quantity("capacity", &b.capacity, 0.0 * joule, {}, "usable energy", "Site eq. 3");
///     table.real("round_trip", &b.round_trip, 0.0, 1.0, "energy out over energy in");
///
/// then `table.set(place, key, text, problems)` parses and checks one assignment,
/// `table.reference()` prints the page and `table.keys()` serves "did you mean". Defaults are the
/// values the fields hold when the record is declared. Tables point into the options struct: keep
/// it alive and in place. Not thread-safe.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/base/text.hpp"

namespace carnot::inline base {

/// What is known about one option, as text.
struct OptionRecord {
  std::string key;   ///< snake_case, without the table's name
  std::string kind;  ///< "number", "integer", "text", "yes or no", "power such as 5 MW", ...
  std::string default_text;  ///< as a user would write it
  std::string allowed;       ///< "0 <= x <= 1", "one of a, b, c"
  std::string description;   ///< one sentence
  std::string source;        ///< equation, paper or standard; may be empty
  bool required = false;
  bool seen = false;  ///< set by `OptionTable::set`
  std::function<void(std::string_view)>
      assign;  ///< parses, checks, stores; throws InputError(allowed)
};

class OptionTable {
 public:
  explicit OptionTable(std::string name) : name_(std::move(name)) {}

  // clang-tidy 14 sees no moves in a template: NOLINTBEGIN(performance-unnecessary-value-param)
  /// A dimensioned quantity in [low, high] (either may be absent).
  template <Dimension D>
  OptionTable& quantity(std::string key, Quantity<D>* field,
                        std::type_identity_t<std::optional<Quantity<D>>> low,
                        std::type_identity_t<std::optional<Quantity<D>>> high,
                        std::string description, std::string source = "") {
    return quantity_record(
        std::move(key), D, field->base(), low ? low->base() : -kInfinity,
        high ? high->base() : kInfinity, [field](double v) { *field = Quantity<D>::from_base(v); },
        std::move(description), std::move(source));
  }
  // NOLINTEND(performance-unnecessary-value-param)
  /// A plain number in [low, high].
  OptionTable& real(std::string key, double* field, double low, double high,
                    std::string description, std::string source = "");
  OptionTable& integer(std::string key, std::int64_t* field, std::int64_t low, std::int64_t high,
                       std::string description, std::string source = "");
  OptionTable& boolean(std::string key, bool* field, std::string description,
                       std::string source = "");
  /// Free text.
  OptionTable& text(std::string key, std::string* field, std::string description,
                    std::string source = "");
  /// One of a list.
  OptionTable& choice(std::string key, std::string* field, std::vector<std::string> choices,
                      std::string description, std::string source = "");
  /// Marks the record declared last as required.
  OptionTable& required();

  /// Parses and stores one assignment; whatever is wrong is added to `problems` as
  /// `file:line: name.key: what is allowed` (unknown keys with the nearest known one; a key twice).
  void set(const Place& place, std::string_view key, std::string_view value, Problems& problems);
  /// Adds a problem for each required key not seen.
  void check_required(const Place& place, Problems& problems) const;

  const std::string& name() const noexcept { return name_; }
  const std::vector<OptionRecord>& records() const noexcept { return records_; }
  std::vector<std::string> keys() const;
  /// Markdown table: key, kind, default, allowed, meaning, source.
  std::string reference() const;

 private:
  OptionTable& quantity_record(std::string key, const Dimension& dimension, double default_base,
                               double low, double high, std::function<void(double)> store,
                               std::string description, std::string source);
  OptionTable& add(OptionRecord record);
  std::string field_name(std::string_view key) const;
  std::string name_;
  std::vector<OptionRecord> records_;
};

}  // namespace carnot::inline base
