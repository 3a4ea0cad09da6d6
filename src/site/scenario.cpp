// SPDX-License-Identifier: Apache-2.0
#include "carnot/site/scenario.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/text.hpp"

#include "site/scenario_source.hpp"
#include "site/scenario_tables.hpp"

namespace carnot::site {

namespace {

constexpr std::string_view kOverrideFile = "--set";

// Dimensions a generator parameter may have; the unit tells which.
double parse_parameter(const std::string& text) {
  try {
    return parse_number(text);
  } catch (const InputError&) {
  }
  constexpr Dimension kDimensions[] = {
      Time::kDimension,        Speed::kDimension,           Power::kDimension,
      Energy::kDimension,      Temperature::kDimension,     EnergyPrice::kDimension,
      Length::kDimension,      CarbonIntensity::kDimension, CarbonPrice::kDimension,
      DelayPrice::kDimension,  Carbon::kDimension,          Money::kDimension,
      Information::kDimension, Operations::kDimension};
  for (const Dimension& dimension : kDimensions) {
    try {
      return detail::parse_quantity(text, dimension);
    } catch (const InputError&) {
    }
  }
  throw InputError(
      fmt::format("a number, or a quantity such as \"9 m/s\" or \"20 MW\", found `{}`", text));
}

class ScenarioReader {
 public:
  ScenarioReader(const std::string& text, const std::string& name) {
    tables_.scenario.file = name;
    tables_.scenario.text = text;
  }

  Scenario read(const std::vector<std::string>& overrides) {
    FlatScenario flat = flatten(scenario().text, scenario().file, tables_, problems_);
    if (flat.assignments.empty() && flat.sections.empty()) ordered_problems().throw_if_any();
    assignments_ = std::move(flat.assignments);
    for (const auto& [section, place] : flat.sections) {
      tables_given_.insert(section);
      scenario().places[section] = place;
    }
    for (const std::string& override_text : overrides) add_override(override_text);
    assign_all();
    check_required();
    finish();
    ordered_problems().throw_if_any();
    return std::move(scenario());
  }

 private:
  Scenario& scenario() noexcept { return tables_.scenario; }
  bool was_given(std::string_view path) { return scenario().places.contains(path); }
  void problem(std::string_view path, std::string_view allowed) {
    problems_.add(scenario().place(path), path, allowed);
  }

  // ---- The command line ----

  void add_override(const std::string& text) {
    const Place place{std::string(kOverrideFile), 0};
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      problems_.add(place, text, "write section.key=value, such as work.epochs=2");
      return;
    }
    const std::string path = text.substr(0, equals);
    std::string value = text.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    const std::size_t dot = path.rfind('.');
    const std::string section = dot == std::string::npos ? "" : path.substr(0, dot);
    const std::string key = dot == std::string::npos ? path : path.substr(dot + 1);
    if (tables_.find(section) == nullptr ||
        (tables_.record(section, key) == nullptr && !section.starts_with("signals."))) {
      std::vector<std::string> known;
      for (const auto& s : tables_.sections())
        for (const std::string& k : s.table->keys()) known.push_back(joined(s.name, k));
      const std::string near = nearest(path, known);
      problems_.add(
          place, path,
          near.empty() ? "unknown key" : fmt::format("unknown key; did you mean `{}`?", near));
      return;
    }
    // The last word counts; a constant replaces a table and the other way round.
    std::erase_if(assignments_, [&](const Assignment& a) {
      return a.path() == path || (section == "signals" && a.section == path) || a.path() == section;
    });
    if (section == "signals") tables_given_.erase(path);
    if (section.starts_with("signals.")) tables_given_.insert(section);
    if (section == "work" && key.starts_with("deadline"))
      std::erase_if(assignments_, [](const Assignment& a) {
        return a.section == "work" && a.key.starts_with("deadline");
      });
    assignments_.push_back({section, key, value, Written::Override, place});
  }

  // ---- Values ----

  void assign_all() {
    // A signal's kind decides what its other keys mean.
    for (const Assignment& a : assignments_)
      if (a.section.starts_with("signals.") && a.key == "kind") kind_text_[a.section] = a.text;
    // TOML tables iterate by name; people read from top to bottom, overrides last.
    std::stable_sort(
        assignments_.begin(), assignments_.end(), [](const Assignment& a, const Assignment& b) {
          const auto line = [](const Assignment& x) {
            return x.place.line == 0 ? std::numeric_limits<std::size_t>::max() : x.place.line;
          };
          return line(a) < line(b);
        });
    for (const Assignment& a : assignments_) {
      scenario().places[a.path()] = a.place;
      if (is_parameter(a)) {
        assign_parameter(a);
      } else if (fits(a)) {
        const std::size_t before = problems_.lines().size();
        tables_.find(a.section)->set(a.place, a.key, a.text, problems_);
        if (problems_.lines().size() != before) refused_.insert(a.path());
      } else {
        refused_.insert(a.path());
      }
    }
  }

  // Whether `a` is written as its record wants it; reports if not. Unknown keys pass: the table
  // knows how to report them.
  bool fits(const Assignment& a) {
    const OptionRecord* record = tables_.record(a.section, a.key);
    if (record == nullptr || a.written == Written::Override) return true;
    std::string_view wanted;
    bool ok = false;
    if (record->kind == "number") {
      wanted = "a plain number, without quotes";
      ok = a.written == Written::Integer || a.written == Written::Real;
    } else if (record->kind == "integer") {
      wanted = "a whole number, without quotes";
      ok = a.written == Written::Integer;
    } else if (record->kind == "yes or no") {
      wanted = "true or false";
      ok = a.written == Written::Boolean || a.written == Written::Text;
    } else if (record->kind == "text") {
      wanted = a.section == "signals" ? "a quantity in quotes, or an inline table with its kind"
                                      : "text in quotes";
      const bool instant = a.section == "work" && (a.key == "start" || a.key == "deadline");
      const bool bare_zero =
          a.text == "0" && (a.section == "signals" || a.key == "value" || a.key == "export_limit");
      ok = a.written == Written::Text || (instant && a.written == Written::Date) || bare_zero;
    } else {
      // Numbers go through: the parser of quantities says which unit is missing.
      ok =
          a.written == Written::Text || a.written == Written::Integer || a.written == Written::Real;
      if (!ok) {
        problems_.add(a.place, a.path(),
                      fmt::format("{}, in quotes, not {}", record->kind, describe(a.written)));
        return false;
      }
    }
    if (!ok)
      problems_.add(a.place, a.path(), fmt::format("{}, not {}", wanted, describe(a.written)));
    return ok;
  }

  bool is_parameter(const Assignment& a) {
    if (!a.section.starts_with("signals.") || tables_.record(a.section, a.key) != nullptr)
      return false;
    const auto kind = kind_text_.find(a.section);
    return kind != kind_text_.end() && kind->second == to_text(SignalKind::Generated);
  }

  void assign_parameter(const Assignment& a) {
    const bool ok = a.written == Written::Text || a.written == Written::Integer ||
                    a.written == Written::Real || a.written == Written::Override;
    if (!ok) {
      problems_.add(a.place, a.path(),
                    fmt::format("a number, or a quantity in quotes such as \"9 m/s\", not {}",
                                describe(a.written)));
      return;
    }
    try {
      SignalOptions& signal = signal_of(a.section);
      signal.parameters[a.key] = parse_parameter(a.text);
      signal.parameter_notes[a.key] = {a.text, a.place};
    } catch (const InputError& error) {
      problems_.add(a.place, a.path(), error.what());
    }
  }

  SignalOptions& signal_of(std::string_view section) {
    for (const SignalSpec& spec : signal_specs())
      if (section.substr(section.find('.') + 1) == spec.key) return scenario().*spec.member;
    throw InternalError(fmt::format("no signal is called {}", section));
  }

  void check_required() {
    for (const auto& section : tables_.sections()) {
      if (section.name.starts_with("signals.")) continue;  // depends on the kind: finish_signal
      for (const OptionRecord& record : section.table->records()) {
        const std::string path = joined(section.name, record.key);
        const bool given = was_given(path) || is_table(path);
        if (record.required && !given)
          problems_.add(scenario().place(section.name), path,
                        fmt::format("required: {}", record.description));
      }
    }
  }

  bool is_table(std::string_view section) const { return tables_given_.contains(section); }

  // ---- What one record alone cannot tell ----

  void finish() {
    Scenario& s = scenario();
    s.seed = static_cast<std::uint64_t>(tables_.seed);
    if (s.name.empty()) s.name = std::filesystem::path(s.file).stem().string();
    finish_slot();
    finish_site();
    for (std::size_t i = 0; i < tables_.signals.size(); ++i)
      finish_signal(signal_specs()[i], tables_.signals[i]);
    finish_work();
    s.objective.place = s.place("objective");
    std::stringstream names(tables_.policies);
    for (std::string name; std::getline(names, name, ',');) {
      const std::size_t first = name.find_first_not_of(' ');
      if (first == std::string::npos) continue;
      s.policies.push_back(name.substr(first, name.find_last_not_of(' ') - first + 1));
    }
    if (s.policies == std::vector<std::string>{"all"}) s.policies.clear();
  }

  void finish_slot() {
    if (refused_.contains("slot")) return;
    const Duration slot = Duration::from(tables_.slot);
    constexpr std::int64_t kSecond = 1'000'000'000;
    if (slot.nanoseconds() % kSecond != 0 || 3600 % (slot.nanoseconds() / kSecond) != 0) {
      problem("slot", fmt::format("whole seconds that divide an hour, such as 5 min, found `{}`",
                                  format(tables_.slot)));
    }
    scenario().slot = slot;
  }

  void finish_site() {
    SiteOptions& site = scenario().site;
    if (tables_.export_limit != "none") {
      try {
        site.export_limit = parse_as<Power>(tables_.export_limit);
        if (site.export_limit < Power{}) problem("site.export_limit", "a power >= 0 W, or none");
      } catch (const InputError& error) {
        problem("site.export_limit", error.what());
      }
    }
    site.computing_uses = tables_.computing_uses == to_text(ComputingUses::AllOwn)
                              ? ComputingUses::AllOwn
                              : ComputingUses::Curtailed;
    const HallOptions& hall = site.hall;
    const std::string peak = format(hall.node_peak);
    if (!refused_.contains("site.hall.node_peak")) {
      if (hall.node_idle > hall.node_peak)
        problem("site.hall.node_idle", fmt::format("at most node_peak, {}", peak));
      if (hall.node_suspended > hall.node_peak)
        problem("site.hall.node_suspended", fmt::format("at most node_peak, {}", peak));
    }
    const BatteryOptions& battery = site.battery;
    if (battery.capacity > Energy{}) {
      if (battery.charge_limit == Power{} && !refused_.contains("site.battery.charge_limit"))
        problem("site.battery.charge_limit", "a power > 0 W where there is a capacity");
      if (battery.discharge_limit == Power{} && !refused_.contains("site.battery.discharge_limit"))
        problem("site.battery.discharge_limit", "a power > 0 W where there is a capacity");
    }
  }

  /// How the file of a signal is written.
  void finish_csv(const std::string& section, SignalOptions& signal, const SignalDraft& draft) {
    CsvOptions& csv = signal.csv;
    csv.column = signal.column;
    csv.unit = signal.unit;
    csv.times = draft.times == "auto" ? TimeMark::Recognise : time_mark(draft.times);
    csv.decimal = draft.decimal == "auto" ? '\0' : draft.decimal.front();
    csv.skip_rows = static_cast<int>(draft.skip_rows);
    csv.gaps = gap_policy(draft.gaps);
    csv.longest_gap = Duration::from(draft.longest_gap);
    csv.repeats = repeat_policy(draft.repeats);
    csv.negative = negative_policy(draft.negative);
    if (csv.time_format.empty() || csv.time_format.find('%') != std::string::npos) return;
    problem(section + ".time_format", "a format such as %d.%m.%Y %H:%M");
  }

  void finish_signal(const SignalSpec& spec, const SignalDraft& draft) {
    const std::string section = "signals." + std::string(spec.key);
    SignalOptions& signal = scenario().*spec.member;
    signal.place = scenario().place(section);
    if (!is_table(section)) {
      constant(spec, section, draft.constant);
      return;
    }
    if (!was_given(section + ".kind")) {
      problem(section, "an inline table with its kind, such as { kind = \"generated\" }");
      return;
    }
    const std::optional<SignalKind> kind = kind_named(draft.kind);
    if (refused_.contains(section + ".kind") || !kind) return;
    signal.kind = *kind;
    signal.source =
        draft.source == to_text(PowerSource::Solar) ? PowerSource::Solar : PowerSource::Wind;
    signal.align = draft.align == to_text(SignalAlignment::Calendar) ? SignalAlignment::Calendar
                                                                     : SignalAlignment::Instant;
    check_kind_keys(section, signal.kind);
    if (signal.kind == SignalKind::Constant && was_given(section + ".value"))
      constant(spec, section + ".value", draft.value);
    if (!signal.unit.empty()) check_unit(spec, section, signal.unit);
    finish_csv(section, signal, draft);
    const std::vector<std::string> series = {"planned", "curtailed", "delivered"};
    if (signal.kind == SignalKind::GbCurtailment && !signal.column.empty() &&
        std::find(series.begin(), series.end(), signal.column) == series.end())
      problem(section + ".column", fmt::format("one of {}", fmt::join(series, ", ")));
  }

  void constant(const SignalSpec& spec, const std::string& path, const std::string& text) {
    if (text.empty() && !was_given(path)) return;  // required and missing: said already
    if (refused_.contains(path)) return;
    try {
      SignalOptions& signal = scenario().*spec.member;
      signal.constant = detail::parse_quantity(text, spec.dimension);
      if (signal.constant < spec.low) problem(path, fmt::format("must be >= 0, found `{}`", text));
    } catch (const InputError& error) {
      problem(path, error.what());
    }
  }

  void check_kind_keys(const std::string& section, SignalKind kind) {
    const KindSpec& spec = spec_of(kind);
    const std::string_view kind_name = to_text(kind);
    for (const std::string_view key : spec.required) {
      const std::string path = joined(section, key);
      if (!was_given(path))
        problem(path, fmt::format("required by kind = \"{}\": text in quotes", kind_name));
    }
    for (const Assignment& a : assignments_) {
      if (a.section != section || a.key == "kind" || tables_.record(section, a.key) == nullptr)
        continue;
      const auto names = [&a](const std::vector<std::string_view>& keys) {
        return std::find(keys.begin(), keys.end(), a.key) != keys.end();
      };
      if (!names(spec.required) && !names(spec.optional))
        problem(a.path(), fmt::format("has no meaning for kind = \"{}\"", kind_name));
    }
  }

  // The reader of the file converts; here the dimension must be right.
  void check_unit(const SignalSpec& spec, const std::string& section, const std::string& unit) {
    try {
      check_csv_unit(unit, spec.dimension);
    } catch (const InputError& error) {
      problem(section + ".unit", error.what());
    }
  }

  void finish_work() {
    WorkOptions& work = scenario().work;
    work.place = scenario().place("work");
    // Far enough from the ends of Instant's range for any deadline and any look ahead.
    static const Instant earliest = Instant::from_date(1900, 1, 1);
    static const Instant latest = Instant::from_date(2100, 1, 1);
    const auto instant = [&](const std::string& path, const std::string& text) {
      std::optional<Instant> result;
      if (!was_given(path) || refused_.contains(path)) return result;
      try {
        const Instant read = Instant::parse(text);
        if (read < earliest || read >= latest) {
          problem(path, "a year from 1900 to 2099");
        } else {
          result = read;
        }
      } catch (const InputError& error) {
        problem(path, error.what());
      }
      return result;
    };
    const std::optional<Instant> start = instant("work.start", tables_.start);
    const std::optional<Instant> deadline = instant("work.deadline", tables_.deadline);
    if (start) work.start = *start;
    if (was_given("work.deadline") && was_given("work.deadline_after"))
      problem("work.deadline", "either deadline or deadline_after");
    if (start && deadline) {
      // Division by a power of ten is exact for whole seconds, multiplication is not.
      work.deadline_after = static_cast<double>((*deadline - *start).nanoseconds()) / 1e9 * second;
      if (*deadline <= *start)
        problem("work.deadline", fmt::format("an instant after the start, {}", start->iso8601()));
    }
    if (!work.test_labels.empty() && work.test_data.empty())
      problem("work.test_labels", "only together with test_data");
  }

  // In the order of the file, the command line last; each problem on one line. Problems of the
  // command line read `--set key: ...`, not `--set: key: ...`.
  Problems ordered_problems() {
    const std::string on_command_line = fmt::format("{}: ", kOverrideFile);
    const std::string in_file = scenario().file + ":";
    std::vector<std::pair<std::size_t, std::string>> lines;
    for (std::string line : problems_.lines()) {
      std::replace_if(
          line.begin(), line.end(), [](unsigned char c) { return c < 32; }, ' ');
      std::size_t number = 0;
      if (line.starts_with(on_command_line)) {
        number = std::numeric_limits<std::size_t>::max();
        line.erase(kOverrideFile.size(), 1);
      } else if (line.starts_with(in_file)) {
        for (std::size_t i = in_file.size(); i < line.size() && line[i] >= '0' && line[i] <= '9';
             ++i)
          number = 10 * number + static_cast<std::size_t>(line[i] - '0');
      }
      lines.emplace_back(number, std::move(line));
    }
    std::stable_sort(lines.begin(), lines.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    Problems result;
    for (const auto& [number, line] : lines) result.add({}, "", line);
    return result;
  }

  ScenarioTables tables_;
  std::vector<Assignment> assignments_;
  std::map<std::string, std::string> kind_text_;     // by section
  std::set<std::string, std::less<>> tables_given_;  // sections there, even if empty
  std::set<std::string, std::less<>> refused_;       // paths with a problem already
  Problems problems_;
};

}  // namespace

Place Scenario::place(std::string_view key) const {
  for (std::string_view path = key; !path.empty();) {
    const auto found = places.find(path);
    if (found != places.end()) return found->second;
    const std::size_t dot = path.rfind('.');
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
  }
  return {file, 0};
}

Scenario parse_scenario(const std::string& text, const std::string& name,
                        const std::vector<std::string>& overrides) {
  return ScenarioReader(text, name).read(overrides);
}

Scenario read_scenario(const std::string& path, const std::vector<std::string>& overrides) {
  if (std::filesystem::is_directory(path)) throw InputFileError(path, "read", EISDIR);
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw InputFileError(path, "open", errno == 0 ? EIO : errno);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  if (in.bad() || bytes.bad()) throw InputFileError(path, "read", errno == 0 ? EIO : errno);
  return parse_scenario(bytes.str(), path, overrides);
}

}  // namespace carnot::site
