// SPDX-License-Identifier: Apache-2.0
// `sacct -P`: a line a job, and lines of its steps ("123.batch", "123.0") below it.
#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "assess/evidence/cells.hpp"
#include "assess/evidence/node_list.hpp"
#include "assess/evidence/readers.hpp"

namespace carnot::assess {

namespace {

/// Seconds of "[d-]hh:mm:ss", "mm:ss", "mm:ss.mmm"; negative: cannot be read.
double elapsed_of(std::string_view text) {
  double days = 0;
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    const auto whole = number_of(text.substr(0, dash));
    if (!whole || *whole < 0) return -1;
    days = *whole;
    text.remove_prefix(dash + 1);
  }
  double seconds = 0;
  int parts = 0;
  while (true) {
    const auto colon = text.find(':');
    const auto part = number_of(text.substr(0, colon));
    if (!part || *part < 0 || ++parts > 3) return -1;
    seconds = seconds * 60 + *part;
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
  }
  return parts >= 2 || days > 0 ? days * 86400 + (parts >= 2 ? seconds : seconds * 3600) : -1;
}

/// A count with Slurm's suffix: "12.3K", "4M"; empty: none.
std::optional<double> suffixed(std::string_view text) {
  double factor = 1;
  if (!text.empty()) {
    constexpr std::string_view kSuffixes = "KMGTP";
    const auto at = kSuffixes.find(text.back());
    if (at != std::string_view::npos) {
      factor = std::pow(1000.0, static_cast<double>(at + 1));
      text.remove_suffix(1);
    }
  }
  const auto value = number_of(text);
  return value ? std::optional<double>(*value * factor) : std::nullopt;
}

/// "cpu=64,gres/gpu=8,gres/gpu:a100=8,mem=500G": the number behind `key=`; 0: none.
double tres_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view one = text.substr(0, comma);
    if (one.starts_with(key) && one.size() > key.size() && one[key.size()] == '=')
      return suffixed(one.substr(key.size() + 1)).value_or(0);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return 0;
}

/// Accelerators of "gres/gpu=8", "gres/gpu:a100=4,gres/gpu:v100=2" or "gpu:8".
double gpus_of(std::string_view tres, std::string_view gres) {
  if (const double all = tres_of(tres, "gres/gpu"); all > 0) return all;
  double sum = 0;
  std::string_view rest = tres;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view one = rest.substr(0, comma);
    if (one.starts_with("gres/gpu:"))
      if (const auto eq = one.find('='); eq != std::string_view::npos)
        sum += suffixed(one.substr(eq + 1)).value_or(0);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (sum > 0) return sum;
  if (const auto at = gres.find("gpu"); at != std::string_view::npos) {
    const auto digits = gres.find_last_of(":=");
    if (digits != std::string_view::npos) return suffixed(gres.substr(digits + 1)).value_or(0);
  }
  return 0;
}

/// "energy_j=1234.5" of carnot's own remark on a job.
std::optional<double> remarked_energy(std::string_view text) {
  const auto at = text.find("energy_j=");
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view value = text.substr(at + 9);
  return number_of(value.substr(0, value.find_first_of(" ,;\"")));
}

class SacctReader {
 public:
  SacctReader(CsvStream& t, Evidence& e, std::uint16_t file) : t_(t), e_(e), file_(file) {
    id_ = t.find({"jobidraw", "jobid"});
    shown_id_ = t.find({"jobid", "jobidraw"});
    state_ = t.find({"state"});
    start_ = t.find({"start"});
    end_ = t.find({"end"});
    raw_ = t.find({"elapsedraw"});
    elapsed_ = t.find({"elapsed"});
    nodes_ = t.find({"nodelist"});
    count_ = t.find({"nnodes", "allocnodes"});
    cpus_ = t.find({"alloccpus", "ncpus"});
    cpu_time_ = t.find({"totalcpu"});
    tres_ = t.find({"alloctres"});
    gres_ = t.find({"allocgres", "reqgres"});
    energy_raw_ = t.find({"consumedenergyraw"});
    energy_ = t.find({"consumedenergy"});
    remark_ = t.find({"admincomment"});
    cluster_ = t.find({"cluster"});
    partition_ = t.find({"partition"});
  }

  void read() {
    for (;;) {
      const CsvStream::State state = t_.next();
      if (state == CsvStream::State::End) break;
      ++e_.files[file_].rows;
      if (state == CsvStream::State::Broken) {
        refuse("row", fmt::format("{} fields, as in the header", t_.header().size()));
        continue;
      }
      row();
    }
  }

 private:
  void refuse(std::string_view field, std::string_view allowed) {
    e_.problem(file_, t_.line(), field, allowed);
    e_.settle(file_, Outcome::Unknown, "a row that cannot be read", t_.line());
  }

  double seconds() {
    if (const auto raw = number_of(t_.field(raw_)); raw && *raw >= 0) return *raw;
    return elapsed_of(t_.field(elapsed_));
  }

  void row() {
    const std::string_view id = t_.field(shown_id_);
    if (id.empty()) return refuse("JobID", "an id such as 123, 123_4 or 123.batch");
    // Steps share the joules and the time of their allocation.
    if (id.find('.') != std::string_view::npos)
      return e_.settle(file_, Outcome::Duplicate, "a step of an allocation that has its own row",
                       t_.line());
    const std::string_view state = t_.field(state_);
    const auto from = from_.read(t_.field(start_));
    const auto stop = to_.read(t_.field(end_));
    double length = seconds();
    if (length < 0 && from && stop && *stop >= *from) length = static_cast<double>(*stop - *from);
    if (holds(state, "pending") || (length <= 0 && !from))
      return e_.settle(file_, Outcome::NoEnergy, "a job that never ran", t_.line());
    if (length == 0) return e_.settle(file_, Outcome::NoEnergy, "a job of no time", t_.line());
    if (length < 0)
      return refuse("Elapsed", "[days-]hh:mm:ss, ElapsedRaw in seconds, or Start and End");
    if (!from && !stop) return refuse("Start", "a time such as 2024-09-18T22:00:00");
    const auto whole =
        static_cast<std::uint32_t>(std::max(1.0, std::round(std::min(length, 3.0e8))));
    const std::uint32_t begin = from ? *from : (*stop > whole ? *stop - whole : 0);
    // One run of a job, as often as it stands in the folder, is one; a requeued job ran again.
    const std::string key = fmt::format("{}|{}|{}|{}", std::string(t_.field(cluster_)),
                                        std::string(t_.field(id_)), begin, whole);
    if (!e_.first_time("job\x1f" + key))
      return e_.settle(file_, Outcome::Duplicate, "a job that has another row", t_.line());

    std::vector<std::string> nodes;
    try {
      nodes = expand_node_list(t_.field(nodes_));
    } catch (const InputError& error) {
      return refuse("NodeList", "such as node[01-04,07]");
    }
    double count = number_of(t_.field(count_)).value_or(0);
    if (!nodes.empty()) count = static_cast<double>(nodes.size());
    count = std::max(1.0, std::min(count, 1e5));
    // AllocTRES and AllocCPUS are of the whole job, on all its nodes.
    double cpus = number_of(t_.field(cpus_)).value_or(0);
    if (!(cpus > 0)) cpus = tres_of(t_.field(tres_), "cpu");
    const double gpus = gpus_of(t_.field(tres_), t_.field(gres_));
    if (!(cpus > 0) && !(gpus > 0))
      return refuse("AllocCPUS", "a number above 0, or AllocTRES with cpu=");
    if (const std::string_view used = t_.field(cpu_time_); !used.empty() && cpus > 0) {
      const double busy = elapsed_of(used);
      if (busy > 1.02 * cpus * length + 1)
        e_.problem(file_, t_.line(), "TotalCPU", "at most Elapsed x AllocCPUS; not used");
    }
    std::optional<double> joules = remarked_energy(t_.field(remark_));
    if (!joules || !(*joules > 0)) joules = number_of(t_.field(energy_raw_));
    if (!joules || !(*joules > 0)) joules = suffixed(t_.field(energy_));
    const double most = (cpus * 40 + gpus * 1600 + count * 3000) * length;  // watts no node exceeds
    if (joules && (*joules < 0 || *joules > most)) {
      e_.problem(file_, t_.line(), "ConsumedEnergy",
                 fmt::format("0 to {:.3g} J for what was allocated; not used", most));
      joules.reset();
    }
    if (joules && *joules > 0 && *joules < 15 * gpus * length) {
      e_.problem(file_, t_.line(), "ConsumedEnergy",
                 "at least what idle accelerators draw: it is of processors alone; not used");
      joules.reset();
    }
    covers(e_.files[file_], begin, begin + whole);
    const bool has_energy = joules && *joules > 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(nodes.empty() ? 1 : nodes.size()); ++i) {
      std::uint32_t machine = 0;
      const double here = nodes.empty() ? 1 : count;
      if (nodes.empty())
        machine = e_.pool(fmt::format("slurm\x1f{}\x1f{}\x1f{}", std::string(t_.field(cluster_)),
                                      std::string(t_.field(partition_)), std::string(id)));
      else
        machine = e_.host(nodes[i]);
      ClaimRow claim;
      claim.machine = machine;
      claim.row = static_cast<std::uint32_t>(t_.line());
      claim.from = begin;
      claim.length = whole;
      claim.file = file_;
      claim.kind = has_energy ? EvidenceKind::Jobs : EvidenceKind::JobModel;
      claim.share = static_cast<float>(cpus / here);
      claim.devices = static_cast<float>(gpus / here);
      claim.amount = has_energy ? *joules / here : static_cast<double>(whole);
      e_.claims.push_back(claim);
    }
  }

  CsvStream& t_;
  Evidence& e_;
  std::uint16_t file_;
  int id_, shown_id_, state_, start_, end_, raw_, elapsed_, nodes_, count_, cpus_, cpu_time_, tres_,
      gres_;
  int energy_raw_, energy_, remark_, cluster_, partition_;
  TimeReader from_, to_;
};

}  // namespace

bool is_sacct(const CsvStream& t) {
  return t.find({"jobid", "jobidraw"}) >= 0 &&
         t.find({"elapsed", "elapsedraw", "nodelist", "alloccpus", "alloctres",
                 "consumedenergyraw"}) >= 0;
}

void read_sacct(CsvStream& t, Evidence& e, std::uint16_t file) { SacctReader(t, e, file).read(); }

}  // namespace carnot::assess
