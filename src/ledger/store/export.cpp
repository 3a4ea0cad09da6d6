// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>
#include <string_view>

#include "carnot/base/text.hpp"
#include "carnot/ledger/store/store.hpp"

#include "ledger/entry/slot_columns.hpp"
#include "ledger/journal/file.hpp"
#include "ledger/store/lanes.hpp"

namespace carnot::ledger {
namespace {

/// A CSV line under construction (RFC 4180, line feeds only).
class Line {
 public:
  explicit Line(std::string& out) : out_(out) {}

  void operator()(std::string_view cell) {
    separate();
    if (cell.find_first_of(",\"\r\n") == std::string_view::npos) {
      out_ += cell;
      return;
    }
    out_ += '"';
    for (const char c : cell) {
      if (c == '"') out_ += '"';
      out_ += c;
    }
    out_ += '"';
  }
  void operator()(const std::string& cell) { (*this)(std::string_view(cell)); }
  void operator()(std::uint64_t value) { (*this)(std::string_view(std::to_string(value))); }
  void operator()(bool value) { (*this)(std::string_view(value ? "1" : "0")); }
  void operator()(double value) {
    (*this)(std::string_view(std::isnan(value) ? std::string() : shortest(value)));
  }
  void operator()(Instant at) { (*this)(std::string_view(at.iso8601())); }
  void end() { out_ += '\n'; }

 private:
  void separate() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  std::string& out_;
  bool first_ = true;
};

}  // namespace

void export_csv(const std::vector<Entry>& entries, const std::string& path) {
  const detail::RunView run = detail::group(entries, false);
  std::string text;
  Line head(text);
  for (const char* name : {"lane", "policy", "slot"}) head(std::string_view(name));
  detail::for_each_column(SlotEntry{},
                          [&](const char* name, const auto&) { head(std::string_view(name)); });
  head.end();
  for (std::size_t lane = 0; lane < run.lanes.size(); ++lane) {
    const auto& view = run.lanes[lane];
    for (std::size_t slot = 0; slot < view.slots.size(); ++slot) {
      Line line(text);
      line(std::uint64_t{lane});
      line(view.begin->policy);
      line(std::uint64_t{slot});
      detail::for_each_column(*view.slots[slot],
                              [&](const char*, const auto& value) { line(value); });
      line.end();
    }
  }
  detail::write_atomically(path, text);
}

}  // namespace carnot::ledger
