// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Expressions of Octave as MATPOWER cases use them: literals, arithmetic, comparisons, indices and
/// a few functions. Nothing else can be reached from them, and how much they compute is limited.

#include <map>
#include <string>
#include <vector>

#include "grid/network/octave_text.hpp"
#include "grid/network/octave_value.hpp"

namespace carnot::grid {

using OctaveVariables = std::map<std::string, OctaveValue, std::less<>>;

class OctaveExpression {
 public:
  OctaveExpression(OctaveText& text, const OctaveVariables& variables)
      : text_(text), variables_(variables) {}

  /// From where the text is at, to the first thing that does not belong to it.
  /// \throws NotUnderstood; InputError for brackets and strings that are not closed
  OctaveValue value();

  struct Index {
    bool all = false;  ///< `:`
    OctaveValue places{};
  };
  /// Between parentheses, from the opening one. \param of  what is indexed: the meaning of `end`
  std::vector<Index> indices(const OctaveValue& of);
  /// `mpc.bus`, spaces around points left out.
  std::string name();

 private:
  OctaveValue alternatives();
  OctaveValue conditions();
  OctaveValue comparison();
  OctaveValue range();
  OctaveValue sum();
  OctaveValue product();
  OctaveValue sign();
  OctaveValue power();
  OctaveValue transposed();
  OctaveValue primary();
  OctaveValue called_or_indexed();
  OctaveValue number();
  OctaveValue matrix();
  OctaveValue cell();
  OctaveValue indexed(const OctaveValue& of);
  bool plain_number(double& value);
  bool take_operator(std::string_view symbol);
  OctaveValue counted(OctaveValue value);

  OctaveText& text_;
  const OctaveVariables& variables_;
  bool in_matrix_ = false;                ///< blanks part elements
  int depth_ = 0;                         ///< of brackets and signs
  std::size_t computed_ = 0;              ///< elements so far
  const OctaveValue* indexed_ = nullptr;  ///< what `end` is of
  std::size_t position_ = 0, positions_ = 1;
};

}  // namespace carnot::grid
