// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"

#include "model/explain/phases.hpp"

namespace carnot::model {

namespace {

constexpr std::size_t kMostPoints = 10'000'000;

const std::vector<std::string>& keys() {
  static const std::vector<std::string> all = {
      "on",      "format", "cache_format", "framework", "batch",
      "context", "tokens", "chips",        "tensor",    "pipeline",
      "data",    "expert", "power_limit",  "phase",     "recompute"};
  return all;
}

std::uint64_t whole(const std::string& key, const std::string& value) {
  try {
    if (const long long n = parse_integer(value); n >= 1) return static_cast<std::uint64_t>(n);
  } catch (const InputError&) {
  }
  throw InputError(fmt::format("{}: a whole number from 1 on, not `{}`", key, value.substr(0, 40)));
}

/// What of the options the machine depends on; the rest is the plan's.
std::string machine_key(const ExplainOptions& o) {
  return o.chip + "|" + o.format + "|" + o.cache_format + "|" + o.framework + "|" +
         shortest(o.power_limit.in(watt));
}

bool of_machine_alone(const std::string& key) {
  return key == "on" || key == "framework" || key == "power_limit";
}

/// Points of one thread, in any order; remembers machines, and the last plan.
class Worker {
 public:
  Worker(const ModelSource& model, const ChipCatalogue& catalogue, const ExplainOptions& options,
         const std::vector<SweepAxis>& axes)
      : model_(model), catalogue_(catalogue), options_(options), axes_(axes) {
    // Machines run fastest, so that one plan serves all of them.
    for (const bool machines : {true, false})
      for (std::size_t a = axes.size(); a-- > 0;)
        if (of_machine_alone(axes[a].key) == machines) order_.push_back(a);
    for (std::size_t a = axes.size(), stride = 1; a-- > 0; stride *= axes[a].values.size())
      strides_.insert(strides_.begin(), stride);
  }

  /// The `turn`th point as they are worked through; its place among all goes to `number`.
  SweepPoint at(std::size_t turn, std::size_t& number) {
    ExplainOptions o = options_;
    std::size_t plan = turn, rest = turn;
    number = 0;
    // In the order of the axes, as set_option() counts on.
    which_.assign(axes_.size(), 0);
    for (const std::size_t a : order_) {
      const std::size_t size = axes_[a].values.size();
      which_[a] = rest % size;
      rest /= size;
      number += which_[a] * strides_[a];
      if (of_machine_alone(axes_[a].key)) plan = rest;
    }
    for (std::size_t a = 0; a < axes_.size(); ++a)
      set_option(o, axes_[a].key, axes_[a].values[which_[a]]);
    SweepPoint out;
    try {
      std::unique_ptr<OperatorModel>& machine = machines_[machine_key(o)];
      if (!machine)
        machine = std::make_unique<OperatorModel>(
            explain_chip(model_, catalogue_, o), explain_format(o.format),
            explain_format(o.cache_format), o.framework, o.power_limit);
      if (!plan_ || plan != plan_number_) {
        plan_.reset();
        plan_ = std::make_unique<ExplainPlan>(explain_plan(model_, o));
        plan_number_ = plan;
      }
      out.point = point_of(*machine, *plan_, o);
    } catch (const InputError& error) {
      out.refused = error.what();
    }
    return out;
  }

 private:
  const ModelSource& model_;
  const ChipCatalogue& catalogue_;
  const ExplainOptions& options_;
  const std::vector<SweepAxis>& axes_;
  std::vector<std::size_t> order_, strides_, which_;
  std::map<std::string, std::unique_ptr<OperatorModel>> machines_;
  std::unique_ptr<ExplainPlan> plan_;
  std::size_t plan_number_ = 0;
};

}  // namespace

void set_option(ExplainOptions& o, const std::string& key, const std::string& value) {
  const auto split = [&]() -> ExplainSplit& {
    if (!o.split) {
      o.split = ExplainSplit{};
      o.chips = 0;
    }
    return *o.split;
  };
  if (key == "on") {
    o.chip = value;
  } else if (key == "format") {
    o.format = value;
  } else if (key == "cache_format") {
    o.cache_format = value;
  } else if (key == "framework") {
    o.framework = value;
  } else if (key == "batch") {
    o.batch = whole(key, value);
  } else if (key == "context") {
    o.context = whole(key, value);
  } else if (key == "tokens") {
    o.tokens = whole(key, value);
  } else if (key == "chips") {
    o.chips = whole(key, value);
    o.split.reset();
  } else if (key == "tensor") {
    split().tensor = whole(key, value);
  } else if (key == "pipeline") {
    split().pipeline = whole(key, value);
  } else if (key == "data") {
    split().data = whole(key, value);
  } else if (key == "expert") {
    split().expert = whole(key, value);
  } else if (key == "power_limit") {
    o.power_limit = parse_as<Power>(value);
  } else if (key == "phase") {
    o.phase = explain_phase(value);
  } else if (key == "recompute") {
    if (value == "none")
      o.recompute = Recompute::None;
    else if (value == "selective")
      o.recompute = Recompute::Selective;
    else if (value == "full")
      o.recompute = Recompute::Full;
    else
      throw InputError("recompute: none, selective or full");
  } else {
    const std::string near = nearest(key.substr(0, 40), keys());
    throw InputError(fmt::format("`{}` is no key of a sweep; {}", key.substr(0, 40),
                                 near.empty()
                                     ? fmt::format("there are on, format, batch, context ...")
                                     : fmt::format("did you mean `{}`?", near)));
  }
}

std::vector<SweepPoint> explain_sweep(const ModelSource& model, const ChipCatalogue& catalogue,
                                      const ExplainOptions& options,
                                      const std::vector<SweepAxis>& axes, unsigned threads,
                                      const std::function<bool()>& keep_going) {
  std::size_t points = 1;
  for (const SweepAxis& axis : axes) {
    if (axis.values.empty()) throw InputError(axis.key + ": a value or more");
    for (const std::string& value : axis.values) {
      ExplainOptions tried = options;
      set_option(tried, axis.key, value);  // refuses before the work begins
    }
    if (axis.values.size() > kMostPoints / points)
      throw InputError("what-if: at most 10 million combinations");
    points *= axis.values.size();
  }
  // Whole runs of neighbours, so that a plan serves all machines that differ in nothing else.
  constexpr std::size_t kChunk = 256;
  std::vector<SweepPoint> out(points);
  std::vector<char> tried(points, 0);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
  std::vector<std::exception_ptr> failed(std::max(1u, threads));
  std::vector<std::thread> pool;
  const auto work = [&](std::size_t self) {
    try {
      Worker worker(model, catalogue, options, axes);
      while (!stopped) {
        const std::size_t from = next.fetch_add(kChunk);
        if (from >= points) return;
        for (std::size_t i = from; i < std::min(points, from + kChunk); ++i) {
          std::size_t number = 0;
          SweepPoint made = worker.at(i, number);
          out[number] = std::move(made);
          tried[number] = 1;
        }
        if (self == 0 && keep_going && !keep_going()) stopped = true;
      }
    } catch (...) {
      failed[self] = std::current_exception();
      stopped = true;
    }
  };
  for (std::size_t t = 1; t < failed.size(); ++t) pool.emplace_back(work, t);
  work(0);
  for (std::thread& each : pool) each.join();
  for (const std::exception_ptr& each : failed)
    if (each) std::rethrow_exception(each);
  for (std::size_t i = 0; stopped && i < points; ++i)
    if (tried[i] == 0) out[i].refused = "not tried: stopped";
  return out;
}

}  // namespace carnot::model
