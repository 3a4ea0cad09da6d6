// SPDX-License-Identifier: Apache-2.0
#include "live/slurm/slurm_text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"

namespace carnot::live {

namespace {

constexpr char kField = '\x1f', kRecord = '\x1e';
constexpr std::array<std::string_view, 17> kFields{
    "JobArrayID", "JobID",      "State",    "NumNodes",  "Reason",    "StartTime",
    "SubmitTime", "RestartCnt", "Requeue",  "BatchFlag", "TimeLimit", "UserName",
    "Partition",  "NodeList",   "HetJobID", "Comment",   "Name"};
constexpr std::size_t kMostNodes = 1'000'000;

template <class I>
std::optional<I> whole(std::string_view text) {
  I value{};
  if (!read_whole(text, value)) return std::nullopt;
  return value;
}

bool is_job_id(std::string_view text) {
  const auto parts = plain_cells(text, '_');
  if (parts.size() > 2) return false;
  for (const std::string_view part : parts)
    if (!whole<std::uint32_t>(part)) return false;
  return true;
}

bool is_upper_word(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if ((c < 'A' || c > 'Z') && c != '_') return false;
  return true;
}

std::string text_of(std::string_view cell) {
  return cell == "(null)" || cell == "N/A" ? std::string() : std::string(cell);
}

}  // namespace

std::vector<std::string> squeue_words() {
  std::string format;
  for (const std::string_view field : kFields)
    format += fmt::format("{}:{}{}", field, field == "Name" ? kRecord : kField,
                          field == "Name" ? "" : ",");
  return {"squeue", "-h", "-a", "-r", "-t", "all", "-O", format};
}

SlurmJobs parse_jobs(std::string_view text) {
  SlurmJobs out;
  while (!text.empty()) {
    const std::size_t end = text.find(kRecord);
    if (end == std::string_view::npos) {
      if (text.find_first_not_of(" \n\r") != std::string_view::npos) ++out.not_understood;
      break;
    }
    const auto cell = plain_cells(text.substr(0, end), kField);
    text.remove_prefix(end + 1);
    if (text.starts_with('\n')) text.remove_prefix(1);
    SlurmJob job;
    const bool sound = [&] {
      if (cell.size() != kFields.size()) return false;
      if (!is_job_id(cell[0]) || !whole<std::uint32_t>(cell[1]) || !is_upper_word(cell[2]))
        return false;
      const auto nodes = whole<std::int32_t>(cell[3]);
      const auto restarts = whole<std::int32_t>(cell[7]);
      if (!nodes || *nodes < 0 || !restarts || (cell[8] != "0" && cell[8] != "1") ||
          (cell[9] != "0" && cell[9] != "1") || cell[11].empty())
        return false;
      job.nodes = *nodes;
      job.restarts = *restarts;
      return true;
    }();
    if (!sound) {
      ++out.not_understood;
      continue;
    }
    job.id = cell[0];
    job.raw = cell[1];
    job.state = cell[2];
    job.reason = text_of(cell[4]);
    job.begins = parse_slurm_time(cell[5]);
    job.submitted = parse_slurm_time(cell[6]);
    job.requeueable = cell[8] == "1";
    job.batch = cell[9] == "1";
    job.limit = parse_limit(cell[10]);
    job.user = cell[11];
    job.partition = cell[12];
    job.nodes_text = text_of(cell[13]);
    job.heterogeneous = !cell[14].empty() && cell[14] != "N/A" && cell[14] != "0";
    job.comment = text_of(cell[15]);
    job.name = cell[16];
    out.jobs.push_back(std::move(job));
  }
  return out;
}

std::optional<std::string> parse_submitted(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  const std::string_view id = text.substr(0, text.find(';'));
  if (!whole<std::uint32_t>(id)) return std::nullopt;
  return std::string(id);
}

std::optional<Instant> parse_controller_time(std::string_view text) {
  const std::size_t line = text.find("sdiag output at");
  if (line == std::string_view::npos) return std::nullopt;
  text = text.substr(line, text.find('\n', line) - line);
  const std::size_t open = text.rfind('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  const auto seconds = whole<std::int64_t>(text.substr(open + 1, close - open - 1));
  if (!seconds || *seconds < 0 || *seconds > 9'000'000'000) return std::nullopt;
  return Instant::from_unix_seconds(*seconds);
}

std::vector<std::string> sinfo_words() { return {"sinfo", "-h", "-a", "-o", "%T|%N"}; }

SlurmNodes parse_nodes(std::string_view text) {
  SlurmNodes out;
  for (std::string_view line : plain_cells(text, '\n')) {
    if (line.empty()) continue;
    const std::size_t bar = line.find('|');
    const auto names =
        bar == std::string_view::npos ? std::nullopt : expand_nodes(line.substr(bar + 1));
    std::string_view state = line.substr(0, std::min(bar, line.size()));
    bool unwell = false;  // does not answer, powered down or rebooting
    while (!state.empty() && (state.back() < 'a' || state.back() > 'z')) {
      unwell = unwell || state.back() == '*' || state.back() == '~' || state.back() == '#' ||
               state.back() == '%' || state.back() == '@' || state.back() == '!';
      state.remove_suffix(1);
    }
    if (!names || state.empty()) {
      ++out.not_understood;
      continue;
    }
    const bool idle =
        state == "idle" || state == "maint" || state == "reserved" || state == "planned";
    const bool busy =
        state == "allocated" || state == "mixed" || state == "completing" || state == "draining";
    std::set<std::string>& set = unwell ? out.down : idle ? out.idle : busy ? out.busy : out.down;
    set.insert(names->begin(), names->end());
  }
  // A node of several partitions stands in several lines, in one state.
  for (const std::string& name : out.busy) out.idle.erase(name);
  for (const std::string& name : out.down) {
    out.idle.erase(name);
    out.busy.erase(name);
  }
  return out;
}

std::optional<std::vector<std::string>> expand_nodes(std::string_view text) {
  std::vector<std::string> names;
  if (text.empty() || text == "(null)") return names;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t open = text.find_first_of("[,", at);
    if (open == std::string_view::npos) open = text.size();
    const std::string_view stem = text.substr(at, open - at);
    if (open == text.size() || text[open] == ',') {
      if (stem.empty() || stem.find(']') != std::string_view::npos) return std::nullopt;
      names.emplace_back(stem);
      at = open + 1;
      continue;
    }
    const std::size_t close = text.find(']', open);
    if (close == std::string_view::npos || stem.empty()) return std::nullopt;
    std::size_t next = close + 1;
    std::string_view tail;
    if (next < text.size() && text[next] != ',') {
      const std::size_t end = std::min(text.find(',', next), text.size());
      tail = text.substr(next, end - next);
      if (tail.find_first_of("[]") != std::string_view::npos) return std::nullopt;
      next = end;
    }
    for (const std::string_view range : plain_cells(text.substr(open + 1, close - open - 1), ',')) {
      const std::size_t dash = range.find('-');
      const std::string_view low = range.substr(0, std::min(dash, range.size()));
      const std::string_view high = dash == std::string_view::npos ? low : range.substr(dash + 1);
      const auto first = whole<std::uint64_t>(low), last = whole<std::uint64_t>(high);
      if (!first || !last || *last < *first || *last - *first >= kMostNodes ||
          names.size() + (*last - *first) >= kMostNodes)
        return std::nullopt;
      for (std::uint64_t n = *first; n <= *last; ++n)
        names.push_back(fmt::format("{}{:0{}}{}", stem, n, low.size(), tail));
    }
    at = next + 1;
  }
  return names;
}

std::vector<std::string> nodes_named(std::string_view text) {
  return expand_nodes(text).value_or(std::vector<std::string>());
}

std::optional<Instant> parse_slurm_time(std::string_view text) {
  if (text.size() != 19 || text[4] != '-' || text[10] != 'T') return std::nullopt;
  try {
    return Instant::parse(text, true);
  } catch (const InputError&) {
    return std::nullopt;
  }
}

std::string slurm_time(Instant at) {
  const std::int64_t ns = at.unix_nanoseconds();
  const std::int64_t seconds = ns / 1'000'000'000 + (ns % 1'000'000'000 > 0 ? 1 : 0);
  std::string text = Instant::from_unix_seconds(seconds).iso8601();
  if (!text.empty() && text.back() == 'Z') text.pop_back();
  return text;
}

std::optional<Duration> parse_limit(std::string_view text) {
  std::int64_t days = 0;
  const std::size_t dash = text.find('-');
  if (dash != std::string_view::npos) {
    const auto d = whole<std::int64_t>(text.substr(0, dash));
    if (!d || *d < 0 || *d > 36'500) return std::nullopt;
    days = *d;
    text.remove_prefix(dash + 1);
  }
  std::vector<std::int64_t> parts;
  for (const std::string_view part : plain_cells(text, ':')) {
    const auto n = whole<std::int64_t>(part);
    if (!n || *n < 0 || *n > 100'000'000) return std::nullopt;
    parts.push_back(*n);
  }
  std::int64_t seconds = days * 86400;
  if (parts.size() == 3)
    seconds += parts[0] * 3600 + parts[1] * 60 + parts[2];
  else if (parts.size() == 2)
    seconds +=
        dash == std::string_view::npos ? parts[0] * 60 + parts[1] : parts[0] * 3600 + parts[1] * 60;
  else if (parts.size() == 1)
    seconds += dash == std::string_view::npos ? parts[0] * 60 : parts[0] * 3600;
  else
    return std::nullopt;
  return Duration::seconds(seconds);
}

std::vector<std::string> parse_reservations(std::string_view text) {
  std::vector<std::string> names;
  constexpr std::string_view kKey = "ReservationName=";
  for (const std::string_view line : plain_cells(text, '\n'))
    if (line.starts_with(kKey)) {
      const std::string_view rest = line.substr(kKey.size());
      names.emplace_back(rest.substr(0, rest.find(' ')));
    }
  return names;
}

}  // namespace carnot::live
