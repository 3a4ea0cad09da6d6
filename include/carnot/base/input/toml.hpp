// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A TOML file as a tree of values that know their lines. The parser is compiled in one place; its
/// types stay there. Pure functions; values are plain data.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/base/option.hpp"

namespace carnot::inline base {

struct TomlValue {
  enum class Kind : std::uint8_t { Text, Number, Boolean, Date, List, Table };
  Kind kind = Kind::Table;
  bool is_real = false;      ///< of a number: written with a point, an exponent, or as inf or nan
  std::size_t line = 0;      ///< of the value, from 1; 0: the whole file
  std::size_t key_line = 0;  ///< of its key in a table, or of the header `[key]`; else 0
  std::string text;  ///< of a scalar: a text as it is, `yes` or `no`, a number in its shortest form
  std::vector<TomlValue> items;                           ///< of a list
  std::vector<std::pair<std::string, TomlValue>> fields;  ///< of a table, in order of names

  bool is_scalar() const noexcept { return kind < Kind::Date; }
  /// The field of a table; null: not there.
  const TomlValue* find(std::string_view key) const noexcept;
};

/// \param name  of the file, for messages
/// \throws InputError `name:line: ...: not TOML: ...`
TomlValue parse_toml(const std::string& text, const std::string& name);
/// The same; what is wrong goes to `problems`, and the table is empty then.
TomlValue parse_toml(const std::string& text, const std::string& name, Problems& problems);

/// Scalars of a table into options, except what `others` takes by returning true.
void set_options(const TomlValue& table, const std::string& file, OptionTable& options,
                 Problems& problems,
                 const std::function<bool(const std::string&, const TomlValue&)>& others = {});

}  // namespace carnot::inline base
