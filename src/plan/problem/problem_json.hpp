// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Parts of problem.json as its readers want them: what is wrong goes to `Findings`, with the line
/// where the site or job begins, and something allowed is given in its place.

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "plan/problem/problem_read.hpp"

namespace carnot::plan {

using Json = nlohmann::json;

/// A document and where its parts begin.
struct Document {
  Json root;
  std::map<std::string, std::size_t> key_line;                 // of the top
  std::map<std::string, std::vector<std::size_t>> entry_line;  // of objects in its arrays

  std::size_t line_of(const std::string& key) const;
  std::size_t line_of(const std::string& key, std::size_t entry) const;
};

/// \throws InputError if the text is no JSON object
Document parse_document(std::string_view text, const std::string& path, const StopToken& stop);

/// One object of the document. A key that is absent or null is not there.
class Fields {
 public:
  /// \param object  outlives this
  /// \param name    such as `jobs[3]`; empty: the document itself
  Fields(const Json& object, Place place, std::string name, Findings& findings)
      : object_(&object), place_(std::move(place)), name_(std::move(name)), findings_(&findings) {}

  const Json* find(const char* key) const;  ///< nullptr: not there
  /// An object inside this one. \param name  such as `modes[0]`
  Fields part(const Json& object, std::string_view name) const;
  std::string name(std::string_view key) const;
  void wrong(std::string_view key, std::string_view what) const;

  /// Each key of the object is one of these, or is said to be unknown.
  void only(std::initializer_list<const char*> known) const;

  double number(const char* key, double low, double high,
                std::optional<double> otherwise = {}) const;
  std::int64_t whole(const char* key, std::int64_t low, std::int64_t high,
                     std::optional<std::int64_t> otherwise = {}) const;
  bool flag(const char* key, bool otherwise) const;
  /// One number a slot, each `low` to 1e12. \param open  null, there or in an entry, is infinite
  std::vector<double> series(const char* key, std::int32_t slots, double low,
                             bool open = false) const;
  /// Distinct texts; none if not there.
  std::vector<std::string> texts(const char* key) const;

 private:
  const Json* object_;
  Place place_;
  std::string name_;
  Findings* findings_;
};

}  // namespace carnot::plan
