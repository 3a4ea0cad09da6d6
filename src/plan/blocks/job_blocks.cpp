// SPDX-License-Identifier: Apache-2.0
#include "plan/blocks/job_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/hash.hpp"
#include "carnot/base/input/input_file.hpp"

#include "plan/problem/problem_read.hpp"

namespace carnot::plan {

namespace {

constexpr std::size_t kMostWindows = 4'000'000;
constexpr std::size_t kJobsOfACell = 15, kLeastJobs = 20'000;  // of a block

/// The first pass: how many jobs have which window.
class Counting final : public RowChoice {
 public:
  void begin(const Problem& frame, const std::string&) override { windows.emplace(frame.slots); }
  PlanJobs* take(std::string_view, std::int64_t release, std::int64_t deadline,
                 std::size_t) override {
    windows->count(static_cast<std::int32_t>(release), static_cast<std::int32_t>(deadline));
    return nullptr;
  }
  bool read_unclear() override { return false; }
  std::optional<WindowBlocks> windows;  // none: the problem has its jobs in its own file
};

/// Which id stands in which line, by two hashes of it.
struct SeenId {
  std::uint64_t a, b;
  std::uint32_t line;
  auto operator<=>(const SeenId&) const = default;
};

/// The second pass: the jobs of a rank's blocks; and a share of all ids, to see which is there
/// again.
class Choosing final : public RowChoice {
 public:
  Choosing(const WindowBlocks& windows, std::size_t first, std::vector<Block>& own, int rank,
           int ranks)
      : windows_(windows), first_(first), own_(own), rank_(rank), ranks_(ranks) {
    seen_.reserve(windows.jobs() / static_cast<std::size_t>(ranks) + 1024);
  }
  void begin(const Problem&, const std::string& path) override { path_ = path; }
  PlanJobs* take(std::string_view id, std::int64_t release, std::int64_t deadline,
                 std::size_t line) override {
    const std::uint64_t hash = fnv1a(id);
    if (hash % static_cast<std::uint64_t>(ranks_) == static_cast<std::uint64_t>(rank_))
      seen_.push_back({hash, std::hash<std::string_view>{}(id), static_cast<std::uint32_t>(line)});
    const std::size_t block =
        windows_.block_of(static_cast<std::int32_t>(release), static_cast<std::int32_t>(deadline));
    if (block < first_ || block >= first_ + own_.size()) return nullptr;
    return &own_[block - first_].problem.jobs;
  }
  bool read_unclear() override { return rank_ == 0; }

  /// \throws InputError naming the lines, if an id of those looked at stands in two
  void throw_repeated() {
    std::sort(seen_.begin(), seen_.end());
    Findings findings;
    for (std::size_t i = 1; i < seen_.size(); ++i)
      if (seen_[i].a == seen_[i - 1].a && seen_[i].b == seen_[i - 1].b)
        findings.add({path_, seen_[i].line}, "id",
                     fmt::format("it stands in line {} already", seen_[i - 1].line));
    findings.throw_if_any();
  }

 private:
  const WindowBlocks& windows_;
  std::size_t first_;
  std::vector<Block>& own_;
  int rank_, ranks_;
  std::string path_;
  std::vector<SeenId> seen_;
};

/// Jobs that stood in the problem's own file, into the rank's blocks.
void copy_jobs(const PlanJobs& from, const WindowBlocks& windows, std::size_t first,
               std::vector<Block>& own) {
  const std::vector<std::uint32_t> everywhere;
  const std::vector<double> flat;
  for (std::size_t j = 0; j < from.size(); ++j) {
    const std::size_t block = windows.block_of(from.release(j), from.deadline(j));
    if (block < first || block >= first + own.size()) continue;
    std::vector<PlanMode> modes;
    for (std::size_t i = from.mode_begin(j); i < from.mode_end(j); ++i)
      modes.push_back(from.mode(i));
    own[block - first].problem.jobs.add(from.id(j), from.release(j), from.deadline(j),
                                        from.value(j), modes, from.origin(j), from.move_flat(j),
                                        from.sites(j) == nullptr ? everywhere : *from.sites(j),
                                        from.move_row(j) == nullptr ? flat : *from.move_row(j));
  }
}

/// Which slots the windows of a block's jobs reach.
void reach(Block& block) {
  const PlanJobs& jobs = block.problem.jobs;
  block.from = block.problem.slots;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    block.from = std::min(block.from, jobs.release(j));
    block.to = std::max(block.to, jobs.deadline(j));
  }
}

/// A rank's part [first, last) of n.
std::pair<std::size_t, std::size_t> part_of(std::size_t n, const Ranks& ranks) {
  const auto size = static_cast<std::size_t>(ranks.size()),
             rank = static_cast<std::size_t>(ranks.rank());
  return {n * rank / size, n * (rank + 1) / size};
}

/// Runs `work` on every rank; if it failed on any, all throw: the first rank that failed decides
/// how, and rank 0 has the words of all.
void together(Ranks& ranks, const std::function<void()>& work) {
  std::string words;
  bool bad_input = false, stopped = false;
  std::exception_ptr other;
  try {
    work();
  } catch (const Stopped&) {
    stopped = true;
  } catch (const InputFileError&) {
    other = std::current_exception();
  } catch (const InputError& error) {
    bad_input = true;
    words = error.what();
  } catch (const Error&) {
    other = std::current_exception();
  }
  const bool any_input = ranks.any(bad_input), any_stopped = ranks.any(stopped),
             any_other = ranks.any(other != nullptr);
  if (other != nullptr) std::rethrow_exception(other);
  if (any_other) throw DeviceError("another rank could not go on; its message says why");
  if (any_input) {
    std::string all;
    for (const std::string& said : ranks.gather(words))
      if (!said.empty() && all.find(said) == std::string::npos)
        all += (all.empty() ? "" : "\n") + said;
    throw InputError(all);  // at other ranks without words: rank 0 says them
  }
  if (any_stopped) throw Stopped();
}

}  // namespace

WindowBlocks::WindowBlocks(std::int32_t slots) {
  const auto n = static_cast<std::size_t>(slots);
  const std::size_t most = std::max<std::size_t>(kMostWindows / n, 1);
  step_ = (n + most - 1) / most;
  width_ = (n + step_ - 1) / step_;
  jobs_.resize(n * width_);
}

void WindowBlocks::cut(std::size_t block_jobs) {
  for (const std::size_t n : jobs_) all_ += n;
  const std::size_t blocks = std::max<std::size_t>((all_ + block_jobs / 2) / block_jobs, 1);
  block_.resize(jobs_.size());
  block_jobs_.assign(1, 0);
  std::size_t before = 0;
  for (std::size_t w = 0; w < jobs_.size(); ++w) {
    if (jobs_[w] == 0) continue;
    // A new block where the middle of the window lies beyond the end of this one.
    if (block_jobs_.back() > 0 && block_jobs_.size() < blocks &&
        (2 * before + jobs_[w]) * blocks > 2 * all_ * block_jobs_.size())
      block_jobs_.push_back(0);
    block_[w] = static_cast<std::uint32_t>(block_jobs_.size() - 1);
    block_jobs_.back() += jobs_[w];
    before += jobs_[w];
  }
}

PowerUnits::PowerUnits(double greatest_kw) {
  constexpr int kFinest = 32, kBits = 61;
  const int whole = greatest_kw >= 1 ? std::ilogb(greatest_kw) + 1 : 0;
  unit_ = std::ldexp(1.0, -std::min(kFinest, kBits - whole));
}

std::int64_t PowerUnits::whole(double kw) const { return std::llround(kw / unit_); }

JobBlocks::JobBlocks(const std::string& path, Ranks& ranks, const BlockOptions& options)
    : parts_(std::make_unique<Parts>()) {
  std::string text;
  Problem problem;
  Counting counting;
  together(ranks, [&] {
    text = read_input(path);
    problem = parse_problem(text, path, options.stop, &counting);
    if (problem.extended())
      throw InputError(describe({path, 0}, "",
                                "jobs and sites of the contract alone, where jobs "
                                "are planned in blocks"));
  });
  const bool inside = !counting.windows.has_value();
  if (inside) {
    counting.begin(problem, path);
    for (std::size_t j = 0; j < problem.jobs.size(); ++j)
      counting.take({}, problem.jobs.release(j), problem.jobs.deadline(j), 0);
  }
  WindowBlocks& windows = *counting.windows;
  const std::size_t cells = problem.sites.size() * static_cast<std::size_t>(problem.slots);
  windows.cut(options.block_jobs > 0 ? options.block_jobs
                                     : std::max(kJobsOfACell * cells, kLeastJobs));

  Parts& parts = *parts_;
  parts.all_jobs = windows.jobs();
  parts.all_blocks = windows.blocks();
  const auto [first, last] = part_of(windows.blocks(), ranks);
  parts.first = first;
  parts.own.resize(last - first);
  for (std::size_t b = first; b < last; ++b) {
    Problem& of = parts.own[b - first].problem;
    of.slot_s = problem.slot_s;
    of.slots = problem.slots;
    of.sites.resize(problem.sites.size());
    of.jobs.reserve(windows.jobs_of(b), windows.jobs_of(b));
  }
  together(ranks, [&] {
    if (inside) return copy_jobs(problem.jobs, windows, first, parts.own);
    Choosing choosing(windows, first, parts.own, ranks.rank(), ranks.size());
    parse_problem(text, path, options.stop, &choosing);
    choosing.throw_repeated();
  });
  parts.frame = std::move(problem);
  parts.frame.jobs = {};
  for (Block& block : parts.own) reach(block);
}

JobBlocks::~JobBlocks() = default;
JobBlocks::JobBlocks(JobBlocks&&) noexcept = default;
const Problem& JobBlocks::frame() const noexcept { return parts_->frame; }
std::size_t JobBlocks::jobs() const noexcept { return parts_->all_jobs; }
std::size_t JobBlocks::blocks() const noexcept { return parts_->all_blocks; }
std::size_t JobBlocks::own_jobs() const noexcept {
  std::size_t n = 0;
  for (const Block& block : parts_->own) n += block.problem.jobs.size();
  return n;
}

}  // namespace carnot::plan
