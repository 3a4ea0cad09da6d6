// SPDX-License-Identifier: Apache-2.0
#include "plan/problem/problem_json.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

namespace {

/// Characters of a text that count the lines gone by.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  CountingIterator(const char* at, std::size_t* line) : at_(at), line_(line) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *line_ += *at_ == '\n';
    ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* line_;
};

}  // namespace

Document parse_document(std::string_view text, const std::string& path, const StopToken& token) {
  SparseStop stop(token);
  Document document;
  std::size_t line = 1;
  std::string key;
  const auto note = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    stop.throw_if_requested();
    if (depth == 1 && event == Json::parse_event_t::key) {
      key = parsed.get<std::string>();
      document.key_line[key] = line;
    } else if (depth == 2 && event == Json::parse_event_t::object_start) {
      document.entry_line[key].push_back(line);
    }
    return true;
  };
  try {
    document.root = Json::parse(CountingIterator(text.data(), &line),
                                CountingIterator(text.data() + text.size(), &line), note);
  } catch (const Json::exception& error) {
    throw InputError(describe({path, line}, "", fmt::format("JSON; {}", error.what())));
  }
  if (!document.root.is_object()) throw InputError(describe({path, 1}, "", "a JSON object"));
  return document;
}

std::size_t Document::line_of(const std::string& key) const {
  const auto at = key_line.find(key);
  return at == key_line.end() ? 1 : at->second;
}

std::size_t Document::line_of(const std::string& key, std::size_t entry) const {
  const auto at = entry_line.find(key);
  return at == entry_line.end() || entry >= at->second.size() ? line_of(key) : at->second[entry];
}

const Json* Fields::find(const char* key) const {
  const auto at = object_->find(key);
  return at == object_->end() || at->is_null() ? nullptr : &*at;
}

Fields Fields::part(const Json& object, std::string_view name_in_this) const {
  return Fields(object, place_, name(name_in_this), *findings_);
}

std::string Fields::name(std::string_view key) const {
  if (name_.empty() || key.empty()) return name_ + std::string(key);
  return fmt::format("{}.{}", name_, key);
}

void Fields::wrong(std::string_view key, std::string_view what) const {
  findings_->add(place_, name(key), what);
}

void Fields::only(std::initializer_list<const char*> known) const {
  if (!object_->is_object()) return;
  for (const auto& item : object_->items()) {
    const std::string& key = item.key();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = nearest(key.substr(0, 64), {known.begin(), known.end()});
    wrong(key.substr(0, 64), near.empty()
                                 ? fmt::format("unknown key; allowed: {}", fmt::join(known, ", "))
                                 : fmt::format("unknown key; did you mean `{}`?", near));
  }
}

double Fields::number(const char* key, double low, double high,
                      std::optional<double> otherwise) const {
  const Json* at = find(key);
  if (at == nullptr && otherwise) return *otherwise;
  if (at != nullptr && at->is_number()) {
    const double x = at->get<double>();
    if (x >= low && x <= high) return x;
  }
  wrong(key, fmt::format("a number, {} to {}", low, high));
  return low;
}

std::int64_t Fields::whole(const char* key, std::int64_t low, std::int64_t high,
                           std::optional<std::int64_t> otherwise) const {
  const Json* at = find(key);
  if (at == nullptr && otherwise) return *otherwise;
  if (at != nullptr && at->is_number_integer() && at->get<double>() >= -1e18 &&
      at->get<double>() <= 1e18) {
    const auto x = at->get<std::int64_t>();
    if (x >= low && x <= high) return x;
  }
  wrong(key, fmt::format("a whole number, {} to {}", low, high));
  return low;
}

bool Fields::flag(const char* key, bool otherwise) const {
  const Json* at = find(key);
  if (at == nullptr) return otherwise;
  if (at->is_boolean()) return at->get<bool>();
  wrong(key, "true or false");
  return otherwise;
}

std::vector<double> Fields::series(const char* key, std::int32_t slots, double low,
                                   bool open) const {
  const auto length = static_cast<std::size_t>(slots);
  const Json* at = find(key);
  if (open && at == nullptr) return std::vector<double>(length, kInfinity);
  if (at == nullptr || !at->is_array() || at->size() != length) {
    const bool list = at != nullptr && at->is_array();
    wrong(key, fmt::format("{} numbers, one a slot{}", length,
                           list ? fmt::format(", not {}", at->size()) : std::string()));
    return std::vector<double>(length, 1.0);
  }
  std::vector<double> out;
  for (std::size_t t = 0; t < length; ++t) {
    const Json& x = (*at)[t];
    if (open && x.is_null()) {
      out.push_back(kInfinity);
    } else if (x.is_number() && x.get<double>() >= low && x.get<double>() <= 1e12) {
      out.push_back(x.get<double>());
    } else {
      wrong(fmt::format("{}[{}]", key, t), fmt::format("a number, {} to 1e12", low));
      out.push_back(1.0);
    }
  }
  return out;
}

std::vector<std::string> Fields::texts(const char* key) const {
  const Json* at = find(key);
  std::vector<std::string> out;
  if (at == nullptr) return out;
  const auto is_text = [](const Json& x) {
    return x.is_string() && !x.get_ref<const std::string&>().empty();
  };
  if (at->is_array() && std::all_of(at->begin(), at->end(), is_text))
    for (const Json& x : *at) out.push_back(x);
  else
    wrong(key, "a list of texts, none of them empty");
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace carnot::plan
