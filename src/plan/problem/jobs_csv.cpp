// SPDX-License-Identifier: Apache-2.0
// One job a line, read in pieces: memory is that of the jobs, whatever the length of the file.
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/input/cells.hpp"

#include "plan/problem/problem_read.hpp"

namespace carnot::plan {

namespace {

enum class Column { Id, Release, Deadline, Value, Origin, Move, Sites, Slots, Power, Quality };
constexpr std::size_t kLongestLine = 1 << 20;

/// What each column of the header is; `mode` counts from 0.
struct Field {
  Column column = Column::Id;
  std::size_t mode = 0;
  std::string name;
};

/// Calls visit(part) for each part between separators.
template <class Visit>
void split(std::string_view line, char separator, Visit&& visit) {
  for (std::size_t at = 0;;) {
    const std::size_t end = line.find(separator, at);
    visit(line.substr(at, end == std::string_view::npos ? end : end - at));
    if (end == std::string_view::npos) return;
    at = end + 1;
  }
}

class Reader {
 public:
  Reader(const std::string& path, Problem& problem, Findings& findings, RowChoice* choice)
      : path_(path), problem_(problem), findings_(findings), choice_(choice) {}

  void line(std::string_view text) {
    ++line_;
    text = trimmed(text);
    if (line_ == 1 && text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
    if (fields_.empty()) {
      header(text);
    } else if (!text.empty()) {
      job(text);
    }
  }
  bool usable() const noexcept { return usable_; }
  std::size_t lines() const noexcept { return line_; }
  const std::vector<std::uint32_t>& line_of() const noexcept { return line_of_; }

 private:
  void wrong(std::string_view field, std::string_view what) {
    findings_.add({path_, line_}, field, what);
  }

  void header(std::string_view text) {
    split(text, ',', [&](std::string_view raw) {
      const std::string_view name = trimmed(raw);
      fields_.push_back(field_of(name));
      for (std::size_t i = 0; i + 1 < fields_.size(); ++i)
        if (fields_[i].name == name) wrong(name, "each column once");
    });
    for (const char* name : {"id", "release", "deadline", "value_eur"}) need(name);
    for (std::size_t m = 1; m <= std::max<std::size_t>(modes_, 1); ++m)
      for (const char* what : {"slots", "kw", "eur"}) need(fmt::format("m{}_{}", m, what));
    usable_ = findings_.empty();
  }

  void need(const std::string& name) {
    for (const Field& field : fields_)
      if (field.name == name) return;
    wrong(name, "the header must have this column");
  }

  Field field_of(std::string_view name) {
    constexpr std::pair<const char*, Column> kKnown[] = {
        {"id", Column::Id},           {"release", Column::Release}, {"deadline", Column::Deadline},
        {"value_eur", Column::Value}, {"origin", Column::Origin},   {"move_cost_eur", Column::Move},
        {"sites", Column::Sites}};
    for (const auto& [known, column] : kKnown)
      if (name == known) return {column, 0, std::string(name)};
    constexpr std::pair<const char*, Column> kOfModes[] = {
        {"slots", Column::Slots}, {"kw", Column::Power}, {"eur", Column::Quality}};
    const std::size_t bar = name.find('_');
    std::size_t mode = 0;
    if (name.size() > 3 && name[0] == 'm' && bar != std::string_view::npos &&
        read_whole(name.substr(1, bar - 1), mode) && mode >= 1 && mode <= 64)
      for (const auto& [known, column] : kOfModes)
        if (name.substr(bar + 1) == known) {
          modes_ = std::max(modes_, mode);
          return {column, mode - 1, std::string(name)};
        }
    wrong(name.empty() ? "header" : name,
          "not a column: id, release, deadline, value_eur, origin, move_cost_eur, sites, m1_slots, "
          "m1_kw, m1_eur, m2_slots, ...");
    return {Column::Id, 0, std::string(name)};
  }

  template <class Number>
  void number(std::string_view text, const Field& field, Number& out, bool& ok) {
    if (read_whole(text, out)) {
      if constexpr (std::is_floating_point_v<Number>) {
        if (std::isfinite(out)) return;
      } else {
        return;
      }
    }
    ok = false;
    wrong(field.name, fmt::format("a {}number, not `{}`",
                                  std::is_integral_v<Number> ? "whole " : "", text.substr(0, 40)));
  }

  void job(std::string_view text) {
    if (!usable_) return;
    PlanJobs* to = &problem_.jobs;
    if (choice_ != nullptr) {
      if (glance(text)) {
        to = choice_->take(seen_.id, seen_.release, seen_.deadline, line_);
        if (to == nullptr) return;
      } else if (!choice_->read_unclear()) {
        return;
      }
    }
    row_.origin = kNone;
    row_.move_flat = 0;
    row_.sites.clear();
    row_.modes.assign(modes_, {});
    given_.assign(modes_, 0);
    bool ok = true;
    std::size_t n = 0;
    split(text, ',', [&](std::string_view raw) {
      if (n < fields_.size()) cell(trimmed(raw), fields_[n], ok);
      ++n;
    });
    if (n != fields_.size()) {
      wrong("", fmt::format("{} values, as the header has, not {}", fields_.size(), n));
      return;
    }
    // A mode that a job has not is three empty cells.
    std::size_t kept = 0;
    for (std::size_t m = 0; m < modes_; ++m) {
      if (given_[m] != 0 && given_[m] != 3) {
        wrong(fmt::format("m{}_slots", m + 1), "slots, kw and eur of a mode: all three or none");
        ok = false;
      }
      if (given_[m] == 3) row_.modes[kept++] = row_.modes[m];
    }
    row_.modes.resize(kept);
    if (!ok) return;
    if (!check_job(row_, {path_, line_}, problem_, findings_)) return;
    add_job(row_, *to);
    if (choice_ == nullptr) line_of_.push_back(static_cast<std::uint32_t>(line_));
  }

  /// Reads id and window alone. \return whether they are there and the window is one
  bool glance(std::string_view text) {
    int found = 0;
    for (const Field& field : fields_) {
      const bool last = text.find(',') == std::string_view::npos;
      const std::string_view x = trimmed(cut_cell(text, ','));
      if (field.column == Column::Id)
        seen_.id = x, ++found;
      else if (field.column == Column::Release)
        found += read_whole(x, seen_.release);
      else if (field.column == Column::Deadline)
        found += read_whole(x, seen_.deadline);
      if (found == 3)
        return seen_.release >= 0 && seen_.release < seen_.deadline &&
               seen_.deadline <= problem_.slots;
      if (last) return false;
    }
    return false;
  }

  void cell(std::string_view x, const Field& field, bool& ok) {
    switch (field.column) {
      case Column::Id:
        row_.id = x;
        break;
      case Column::Release:
        number(x, field, row_.release, ok);
        break;
      case Column::Deadline:
        number(x, field, row_.deadline, ok);
        break;
      case Column::Value:
        number(x, field, row_.value, ok);
        break;
      case Column::Origin:
        if (!x.empty()) number(x, field, row_.origin, ok);
        break;
      case Column::Move:
        if (!x.empty()) number(x, field, row_.move_flat, ok);
        break;
      case Column::Sites:
        if (!x.empty())
          split(x, ';', [&](std::string_view site) {
            row_.sites.push_back(0);
            number(site, field, row_.sites.back(), ok);
          });
        break;
      case Column::Slots:
        of_mode(x, field, row_.modes[field.mode].slots, ok);
        break;
      case Column::Power:
        of_mode(x, field, row_.modes[field.mode].power_kw, ok);
        break;
      case Column::Quality:
        of_mode(x, field, row_.modes[field.mode].quality_eur, ok);
        break;
    }
  }

  template <class Number>
  void of_mode(std::string_view x, const Field& field, Number& out, bool& ok) {
    if (x.empty()) return;
    ++given_[field.mode];
    number(x, field, out, ok);
  }

  std::string path_;
  Problem& problem_;
  Findings& findings_;
  std::vector<Field> fields_;
  std::size_t modes_ = 0, line_ = 0;
  bool usable_ = false;
  RowChoice* choice_;
  struct {
    std::string_view id;
    std::int64_t release = 0, deadline = 0;
  } seen_;
  JobRow row_;
  std::vector<int> given_;
  std::vector<std::uint32_t> line_of_;  // [job]
};

}  // namespace

void parse_jobs_csv(std::istream& in, const std::string& path, Problem& problem, Findings& findings,
                    const StopToken& stop, RowChoice* choice) {
  if (choice != nullptr) choice->begin(problem, path);
  Reader reader(path, problem, findings, choice);
  std::string piece(1 << 20, '\0'), carried;
  while (in) {
    stop.throw_if_requested();
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    std::string_view rest(piece.data(), static_cast<std::size_t>(in.gcount()));
    for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      if (carried.empty()) {
        reader.line(rest.substr(0, end));
      } else {
        carried += rest.substr(0, end);
        reader.line(carried);
        carried.clear();
      }
      rest.remove_prefix(end + 1);
    }
    carried += rest;
    if (carried.size() > kLongestLine) {
      findings.add({path, reader.lines() + 1}, "", "a line of at most 1 MiB");
      return;
    }
  }
  if (in.bad()) throw InputFileError(path, "read", errno);
  if (!carried.empty()) reader.line(carried);
  if (reader.lines() == 0) findings.add({path, 1}, "", "a header line: id,release,deadline,...");
  if (choice != nullptr) return;
  for (const auto& [first, again] : repeated_ids(problem.jobs))
    findings.add({path, reader.line_of()[again]}, "id",
                 fmt::format("`{}` stands in line {} already", problem.jobs.id(again),
                             reader.line_of()[first]));
}

}  // namespace carnot::plan
