// SPDX-License-Identifier: Apache-2.0
// The text of recordings: reading and writing it.
#include "meter/recording/recording.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "carnot/base/error.hpp"

namespace carnot::meter {

namespace {

constexpr int kKinds = static_cast<int>(DomainKind::Model) + 1;

template <class Number>
void append(Number value, std::string& to) {
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  to.append(text.data(), end);
}

template <class... Fields>
void append_fields(std::string& to, const Fields&... fields) {
  const auto one = [&](const auto& field) {
    to += '\t';
    if constexpr (requires { std::string_view(field); }) {
      to += field;
    } else {
      append(field, to);
    }
  };
  (one(fields), ...);
}

// Text fields hold no tab and no line end.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string describe_domain(std::size_t index, const Domain& d) {
  std::string line = "domain";
  append_fields(line, index, escaped(d.id), escaped(d.label), escaped(d.source), name(d.kind),
                d.socket, d.die, d.core, d.device, escaped(d.parent), escaped(d.same_as),
                carnot::name(d.boundary), carnot::name(d.origin));
  if (d.is_counter) {
    const CounterSpec& c = d.counter;
    append_fields(line, "counter", c.unit.base(), c.modulus, c.modulus_known ? 1 : 0, c.step,
                  c.update_period.nanoseconds(), c.power_cap.base(), c.gain.low, c.gain.high);
  } else {
    const GaugeSpec& g = d.gauge;
    append_fields(line, "gauge", g.window.nanoseconds(), g.update_period.nanoseconds(), g.duty,
                  g.longest_hold.nanoseconds(), g.power_cap.base(), g.gain.low, g.gain.high);
  }
  return line + '\n';
}

// One line's fields, taken from the left.
class Fields {
 public:
  Fields(std::string_view line, const Place& place) : rest_(line), place_(place) {}

  std::string_view text(const char* what) {
    if (done_) refuse(what, "a field is missing");
    const std::size_t tab = rest_.find('\t');
    const std::string_view field = rest_.substr(0, tab);
    done_ = tab == std::string_view::npos;
    rest_.remove_prefix(done_ ? rest_.size() : tab + 1);
    return field;
  }

  template <class Number>
  Number number(const char* what) {
    const std::string_view field = text(what);
    Number value{};
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc{} || end != field.data() + field.size())
      refuse(what, "a number is needed");
    std::string again;  // one value has one text: what is read can be written again
    append(value, again);
    if (again != field) refuse(what, "the shortest form of a number is needed");
    return value;
  }

  template <class Number>
  Number number(const char* what, Number least, Number greatest) {
    const auto value = number<Number>(what);
    if (!(value >= least && value <= greatest)) refuse(what, "out of range");
    return value;
  }

  std::string words(const char* what) {
    const std::string_view field = text(what);
    std::string out;
    for (std::size_t i = 0; i < field.size(); ++i) {
      if (field[i] != '\\') {
        out += field[i];
        continue;
      }
      const char next = i + 1 < field.size() ? field[++i] : ' ';
      if (next != '\\' && next != 't' && next != 'n') refuse(what, "\\\\, \\t or \\n after \\");
      out += next == 't' ? '\t' : next == 'n' ? '\n' : '\\';
    }
    return out;
  }

  template <class Enum>
  Enum choice(const char* what, int count) {
    const std::string_view field = text(what);
    for (int i = 0; i < count; ++i)
      if (name(static_cast<Enum>(i)) == field) return static_cast<Enum>(i);
    refuse(what, "unknown word");
  }

  void end() {
    if (!done_) refuse("line", "no more fields are allowed");
  }

  [[noreturn]] void refuse(const char* what, const char* allowed) const {
    throw InputError(describe(place_, what, allowed));
  }

 private:
  std::string_view rest_;
  Place place_;
  bool done_ = false;
};

constexpr std::int64_t kLongest = 1'000'000'000'000'000'000;

Duration duration(Fields& fields, const char* what) {
  return Duration::nanoseconds(fields.number<std::int64_t>(what, 0, kLongest));
}

Gain gain(Fields& fields) {
  Gain g;
  g.low = fields.number<double>("gain", 0.0, 1e9);
  g.high = fields.number<double>("gain", g.low, 1e9);
  return g;
}

Domain parse_domain(Fields& fields) {
  Domain d;
  d.id = fields.words("id");
  d.label = fields.words("label");
  d.source = fields.words("source");
  d.kind = fields.choice<DomainKind>("kind", kKinds);
  d.socket = fields.number<int>("socket");
  d.die = fields.number<int>("die");
  d.core = fields.number<int>("core");
  d.device = fields.number<int>("device");
  d.parent = fields.words("parent");
  d.same_as = fields.words("same_as");
  d.boundary = fields.choice<Boundary>("boundary", 4);
  d.origin = fields.choice<Origin>("origin", 4);
  const std::string_view form = fields.text("form");
  d.is_counter = form == "counter";
  if (d.is_counter) {
    CounterSpec& c = d.counter;
    c.unit = fields.number<double>("unit_j", 1e-30, 1e9) * joule;
    c.modulus = fields.number<std::uint64_t>("modulus");
    c.modulus_known = fields.number<int>("modulus_known", 0, 1) == 1;
    c.step = fields.number<std::uint64_t>("step", 1, ~std::uint64_t{0});
    c.update_period = duration(fields, "update_period_ns");
    c.power_cap = fields.number<double>("power_cap_w", 1e-30, 1e12) * watt;
    c.gain = gain(fields);
    try {
      Counter usable(c);
    } catch (const InputError& problem) {
      fields.refuse("counter", problem.what());
    }
  } else if (form == "gauge") {
    GaugeSpec& g = d.gauge;
    g.window = duration(fields, "window_ns");
    g.update_period = duration(fields, "update_period_ns");
    g.duty = fields.number<double>("duty", 0.0, 1.0);
    g.longest_hold = duration(fields, "longest_hold_ns");
    g.power_cap = fields.number<double>("power_cap_w", 1e-30, 1e12) * watt;
    g.gain = gain(fields);
  } else {
    fields.refuse("form", "counter or gauge");
  }
  fields.end();
  return d;
}

Reading parse_reading(Fields& fields) {
  Reading r;
  r.status = fields.choice<PollStatus>("status", 4);
  r.raw = fields.number<std::uint64_t>("raw");
  r.power = fields.number<double>("power") * watt;
  r.gain.low = fields.number<double>("gain");
  r.gain.high = fields.number<double>("gain");
  r.at.monotonic_ns = fields.number<std::int64_t>("monotonic_ns", 0, kLongest);
  r.at.boottime_ns = fields.number<std::int64_t>("boottime_ns", 0, kLongest);
  r.error = fields.number<int>("error");
  return r;
}

}  // namespace

std::string describe_source(std::size_t index, const Source& source) {
  std::string lines = "source";
  append_fields(lines, index, escaped(source.name()), source.shortest_interval().nanoseconds());
  lines += '\n';
  for (const Domain& d : source.domains()) lines += describe_domain(index, d);
  return lines;
}

void append_poll(std::size_t index, std::span<const Reading> readings, std::string& to) {
  to += "poll";
  append_fields(to, index);
  for (const Reading& r : readings)
    append_fields(to, name(r.status), r.raw, r.power.base(), r.gain.low, r.gain.high,
                  r.at.monotonic_ns, r.at.boottime_ns, r.error);
  to += '\n';
}

void append_use(std::size_t index, const DeviceUse& use, std::string& to) {
  to += "use";
  append_fields(to, index, use.device, use.pid, use.busy_share, use.memory_b);
  to += '\n';
}

std::vector<RecordedSource> parse_recording(std::string_view text, const std::string& file) {
  Place place{file, 1};
  if (!text.starts_with(kRecordingHeader))
    throw InputError(describe(place, "header", "`carnot-meter-recording/1` is needed"));
  text.remove_prefix(kRecordingHeader.size());
  std::vector<RecordedSource> sources;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos;
       text.remove_prefix(end + 1)) {
    ++place.line;
    Fields fields(text.substr(0, end), place);
    const std::string_view word = fields.text("word");
    const auto index = fields.number<std::size_t>("source", 0, sources.size());
    if (word == "source") {
      if (index != sources.size()) fields.refuse("source", "sources are numbered in order");
      RecordedSource& s = sources.emplace_back();
      s.name = fields.words("name");
      s.shortest_interval = duration(fields, "shortest_interval_ns");
      fields.end();
      continue;
    }
    if (index >= sources.size()) fields.refuse("source", "its line comes first");
    RecordedSource& s = sources[index];
    if (word == "domain") {
      if (!s.readings.empty()) fields.refuse("domain", "domains come before the first poll");
      s.domains.push_back(parse_domain(fields));
    } else if (word == "poll") {
      if (s.domains.empty()) fields.refuse("poll", "its source has no domains");
      for (std::size_t i = 0; i < s.domains.size(); ++i)
        s.readings.push_back(parse_reading(fields));
      fields.end();
    } else if (word == "use") {
      RecordedSource::Use use;
      use.after = s.domains.empty() ? 0 : s.readings.size() / s.domains.size();
      use.use.device = fields.number<int>("device");
      use.use.pid = fields.number<int>("pid");
      use.use.busy_share = fields.number<double>("busy_share", 0.0, 1.0);
      use.use.memory_b = fields.number<std::uint64_t>("memory_b");
      fields.end();
      s.uses.push_back(use);
    } else {
      fields.refuse("word", "source, domain, poll or use");
    }
  }
  return sources;
}

}  // namespace carnot::meter
