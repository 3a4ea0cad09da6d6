// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/kernel/kernel_energy.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"

#include "model/footprint/table.hpp"
#include "model/kernel/kernel_corrections.hpp"

namespace carnot::model {

namespace {

/// Order of the columns of the table.
enum Parameter : std::size_t {
  Launch,
  ComputeEfficiency,
  ComputeSlope,
  MemoryEfficiency,
  Wave,
  FewCompute,
  FewMemory,
  CacheGain,
  CacheShare,
  Chain,
  Overlap,
  ExponentialEfficiency,
  PowerCompute,
  PowerSlope,
  PowerMemory,
  PowerExponential,
  PowerActive,
  PowerFew,
  Static,
};

constexpr std::string_view kHeader =
    "class,format,framework,card,launch,compute,compute_slope,memory,wave,few_compute,few_memory,"
    "cache_gain,cache_share,chain,overlap,exponential,power_compute,power_slope,power_memory,"
    "power_exponential,power_active,power_few,static";
constexpr double kStaticPerArea = 0.153;           // W/mm2
constexpr double kExponentialsPerClock = 16;       // of a multiprocessor
constexpr double kShortestCall = 3e-6;             // s, floor of the corrections' roofline
constexpr double kTwinWidens = 1.1;                // either way, of an interval
constexpr double kCapSharpness = 6, kCap = 0.985;  // of the dynamic power

/// Of the same build: die, multiprocessors, clock and cache within 15 %, process and peak alike.
bool is_kin(const Chip& a, const Chip& b) {
  const auto within = [&](std::string_view property, double factor) {
    const auto *x = a.find(property), *y = b.find(property);
    return x != nullptr && y != nullptr && x->value <= factor * y->value &&
           y->value <= factor * x->value;
  };
  return within("die", 1.15) && within("units", 1.15) && within("clock", 1.15) &&
         within("l2", 1.15) && within("bf16", 1.25) && within("process", 1);
}

KernelPoint formula(const KernelModel::Row& row, const KernelWork& work, const KernelSheet& s,
                    double limit) {
  const std::vector<double>& q = *row.coefficients;
  const auto within = [&q](Parameter p, double high) { return std::clamp(q[p], 0.0, high); };
  const double narrow = std::log2(16 / work.bits);
  const double peak = work.bits >= 16 ? s.compute16 : work.bits >= 8 ? s.compute8 : s.compute4;
  const double first = work.flops / peak;
  const double second = work.flops16 / s.compute16 + work.flops8 / s.compute8;
  const double exponentials = work.exponentials / (s.units * s.clock * kExponentialsPerClock);
  const double waves = std::max(work.blocks / s.units, 1e-6);
  const double fill = waves < 1 ? 1 : waves / std::ceil(waves);
  const double few = std::min(1.0, waves);
  // Powers of one are common and exact: most kernels fill the card.
  const double spread = (few < 1 ? std::pow(few, -within(FewCompute, 1)) : 1) *
                        (fill < 1 ? std::pow(fill, -within(Wave, 1)) : 1);

  const double compute = (first * std::exp(-q[ComputeEfficiency] - q[ComputeSlope] * narrow) +
                          second * std::exp(-q[ComputeEfficiency])) *
                         spread;
  const double exponential = exponentials * std::exp(-q[ExponentialEfficiency]) * spread;
  const double filled = work.bytes / s.cache / std::exp(q[CacheShare]);
  const double share = 1 / (1 + filled * filled * filled);
  const double moved = work.bytes / s.bandwidth * (1 - share + share * std::exp(-q[CacheGain]));
  const double memory =
      moved * std::exp(-q[MemoryEfficiency]) * (few < 1 ? std::pow(few, -within(FewMemory, 1)) : 1);
  const double chain = work.chain * std::exp(q[Chain]);

  const double p = 1 + std::exp(q[Overlap]);
  const double top = std::max({compute, exponential, memory, chain, 1e-12});
  double sum = 0;
  for (const double part : {compute, exponential, memory, chain})
    sum += part == top ? 1 : part > 0 ? std::pow(part / top, p) : 0;
  const double seconds = std::exp(q[Launch]) + top * std::pow(sum, 1 / p);

  const double still = std::min(kStaticPerArea * s.area * std::exp(q[Static]), 0.6 * limit);
  const double arithmetic =
      std::exp(q[PowerCompute]) * (first * std::exp(q[PowerSlope] * narrow) + second);
  const double traffic = std::exp(q[PowerMemory]) * moved;
  const double softmax = std::exp(q[PowerExponential]) * exponentials;
  const double awake =
      std::exp(q[PowerActive]) * (few < 1 ? std::pow(few, within(PowerFew, 1.5)) : 1);
  double demand = (arithmetic + traffic + softmax) / seconds + awake;
  const double whole = demand;
  // Demands are shares of the dynamic power of the card that was measured: its watts stay, the cap
  // is this card's.
  const double reference = row.reference_watts > 0 ? row.reference_watts : limit;
  demand = std::max(demand * (reference - still) / (limit - still), 1e-9);
  const double capped = std::pow(std::pow(demand, -kCapSharpness) + std::pow(kCap, -kCapSharpness),
                                 -1 / kCapSharpness);
  KernelPoint point;
  point.seconds = seconds;
  point.launch_seconds = std::exp(q[Launch]);
  point.watts = still + (limit - still) * capped;
  point.static_watts = still;
  point.cached = share;
  if (whole > 0) {
    point.compute = arithmetic / seconds / whole;
    point.exponential = softmax / seconds / whole;
    point.memory = traffic / seconds / whole;
  }
  point.active = std::max(0.0, 1 - point.compute - point.exponential - point.memory);
  if (row.trees != nullptr) {
    const double roof =
        std::max({first + second, exponentials, work.bytes / s.bandwidth, kShortestCall});
    const auto log = [](double v) { return std::log(std::max(v, 1e-12)); };
    const KernelTrees::Features at = {log(first),
                                      log(second),
                                      log(exponentials),
                                      log(work.bytes / s.bandwidth),
                                      log(work.bytes / s.cache),
                                      log(work.blocks / s.units),
                                      log(work.chain),
                                      narrow,
                                      fill,
                                      std::log(seconds),
                                      std::log(point.watts / reference),
                                      std::log(seconds / roof),
                                      row.codes[0],
                                      row.codes[1],
                                      row.codes[2]};
    const double longer = std::exp(row.trees->sum(row.trees->time, at));
    point.seconds *= longer;
    point.launch_seconds *= longer;
    point.watts = std::min(limit, point.watts * std::exp(row.trees->sum(row.trees->power, at)));
    point.static_watts = std::min(still, point.watts);
  }
  return point;
}

double number(TableReader& table, std::string_view field, std::string_view text) {
  double value = 0;
  if (!read_whole(text, value) || !(std::abs(value) <= 100)) {
    table.add(field, "a number from -100 to 100, found `" + std::string(text.substr(0, 40)) + "`");
    return 0;
  }
  return value;
}

}  // namespace

KernelSheet kernel_sheet(const Chip& chip) {
  KernelSheet s;
  const auto* bf16 = chip.find("bf16");
  s.compute16 = (bf16 != nullptr ? bf16->value : chip.at("fp16").value) * 1e12;
  const auto* fp8 = chip.find("fp8");
  s.compute8 = fp8 != nullptr ? fp8->value * 1e12 : s.compute16;
  const auto* fp4 = chip.find("fp4");
  s.compute4 = fp4 != nullptr ? fp4->value * 1e12 : s.compute8;
  s.bandwidth = chip.at("bandwidth").value * 1e9;
  s.cache = chip.at("l2").value * 1e6;
  s.units = chip.at("units").value;
  s.clock = chip.at("clock").value * 1e9;
  s.area = chip.at("die").value;
  return s;
}

KernelModel KernelModel::parse(std::string_view csv, const std::string& file) {
  KernelModel model;
  TableReader table(file, kHeader, false);
  table.read(csv, [&](const std::vector<std::string_view>& cells) {
    if (cells.size() == 6 && cells[1] == "interval") {
      const Interval found{number(table, "low", cells[4]), number(table, "high", cells[5])};
      if (found.low > found.high) table.add("high", "at least low");
      if (cells[2] != "known" && cells[2] != "unknown") {
        table.add("framework", "known or unknown for an interval");
        return;
      }
      (cells[2] == "known" ? model.known_ : model.unknown_)[std::string(cells[0])] = found;
      return;
    }
    if (cells.size() != 4 + kParameters) {
      table.add("row", std::to_string(4 + kParameters) + " cells, or 6 of an interval; found " +
                           std::to_string(cells.size()));
      return;
    }
    std::string key(cells[0]);
    for (std::size_t i = 1; i < 4; ++i) key += "|" + std::string(cells[i]);
    if (cells[3] != "*") model.cards_.emplace(cells[3]);
    Coefficients values;
    for (std::size_t i = 4; i < cells.size(); ++i) values.push_back(number(table, key, cells[i]));
    if (!model.rows_.emplace(key, std::move(values)).second) table.add(key, "one row");
  });
  if (model.rows_.empty()) throw InputError(describe({file, 0}, "rows", "at least one"));
  return model;
}

const KernelModel& KernelModel::embedded() {
  static const KernelModel model = [] {
    KernelModel whole = parse(kKernelModelTable, "data/kernel_model.csv");
    whole.correct(kKernelCorrectionsTable, "data/kernel_model_corrections.csv");
    return whole;
  }();
  return model;
}

void KernelModel::correct(std::string_view csv, const std::string& file) {
  trees_ = std::make_shared<const std::map<std::string, KernelTrees, std::less<>>>(
      parse_kernel_trees(csv, file));
}

std::string KernelModel::kin_of(const Chip& chip) const {
  if (cards_.contains(chip.id)) return chip.id;
  for (const Chip& other : ChipCatalogue::embedded().chips()) {
    if (cards_.contains(other.id) && is_kin(chip, other)) return other.id;
  }
  return chip.id;
}

KernelModel::Interval KernelModel::interval(std::string_view kernel, bool known) const {
  const auto& table = known ? known_ : unknown_;
  auto found = table.find(kernel);
  if (found == table.end()) found = unknown_.find("*");
  // Nothing measured at all: a factor of four either way, said to be an assumption by its width.
  return found == unknown_.end() ? Interval{-std::log(4.0), std::log(4.0)} : found->second;
}

KernelModel::Point KernelModel::evaluate(const KernelWork& work, const Chip& chip,
                                         std::string_view row, double limit_watts) const {
  const auto found = rows_.find(row);
  if (found == rows_.end()) {
    std::vector<std::string> known;
    for (const auto& entry : rows_) known.push_back(entry.first);
    unknown("kernel model row", row, known, "a row of the table");
  }
  Row bare;
  bare.coefficients = &found->second;
  return formula(bare, work, kernel_sheet(chip), limit_watts);
}

KernelModel::Row KernelModel::find(KernelClass kind, std::string_view format,
                                   std::string_view framework, const Chip& chip) const {
  const std::string kernel(name(kind));
  const std::string maker = framework.empty() ? "*" : std::string(framework);
  const std::string twin = kin_of(chip);
  const std::array<std::string, 5> wanted = {
      kernel + "|" + std::string(format) + "|" + maker + "|" + chip.id,
      kernel + "|" + std::string(format) + "|" + maker + "|" + twin,
      kernel + "|" + std::string(format) + "|" + maker + "|*",
      kernel + "|" + std::string(format) + "|*|*", kernel + "|*|*|*"};
  Row out;
  auto found = rows_.end();
  for (std::size_t i = 0; i < wanted.size() && found == rows_.end(); ++i) {
    found = rows_.find(wanted[i]);
    out.card_known = i == 0 && found != rows_.end();
    out.name = wanted[i];
    if (found == rows_.end() || i > 1) continue;
    if (i == 1) out.twin = twin;
    out.reference_watts = ChipCatalogue::embedded().chip(twin).at("tdp").value;
    correct(out, kernel, {std::string(format), maker, twin});
  }
  if (found == rows_.end()) {
    // No kernel of the class was measured: products stand in for it.
    found = rows_.find("gemm|*|*|*");
    out.class_known = false;
    out.name = "gemm|*|*|*";
    if (found == rows_.end()) found = rows_.begin();
  }
  out.coefficients = &found->second;
  const bool twin_known = !out.twin.empty();
  const Interval bounds = interval(out.class_known ? kernel : "", out.card_known || twin_known);
  const double wider = twin_known ? std::log(kTwinWidens) : 0;
  // The interval may lie to one side of the point, if the class is predicted with a bias.
  out.low = std::min(bounds.low - wider, 0.0);
  out.high = std::max(bounds.high + wider, 0.0);
  return out;
}

void KernelModel::correct(Row& row, const std::string& kernel,
                          const std::array<std::string, 3>& names) const {
  if (!trees_) return;
  const auto found = trees_->find(kernel);
  if (found == trees_->end()) return;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto code = found->second.codes[i].find(names[i]);
    if (code == found->second.codes[i].end()) return;
    row.codes[i] = code->second;
  }
  row.trees = &found->second;
}

KernelPoint KernelModel::evaluate(const KernelWork& work, const KernelSheet& sheet, const Row& row,
                                  double limit_watts) {
  CARNOT_CHECK(row.coefficients != nullptr, "a row that was found");
  return formula(row, work, sheet, limit_watts);
}

KernelPrediction KernelModel::predict(const KernelWork& work, const Chip& chip,
                                      std::string_view framework, Power power_limit) const {
  const double limit = power_limit == Power{} ? chip.at("tdp").value : power_limit.in(watt);
  if (!(limit > 0)) throw InputError(describe({}, "power_limit", "above 0 W"));
  const KernelSheet sheet = kernel_sheet(chip);
  const std::string kernel(name(work.kernel));
  const Row row = find(work.kernel, work.format, framework, chip);
  const Point point = formula(row, work, sheet, limit);
  KernelPrediction out;
  out.card_known = row.card_known;
  out.twin = row.twin;
  out.class_known = row.class_known;
  out.coefficients = row.name;
  const double least = std::exp(row.low), most = std::exp(row.high);
  const std::string cause = "kernel:" + kernel;
  const std::vector<std::string> sources = {"aiconfigurator-2026", "data/kernel_model.csv"};
  const double joules = point.seconds * point.watts;
  out.energy = {joules * joule,   least * joules * joule, most * joules * joule,
                Origin::Modelled, Boundary::Chip,         cause,
                sources};
  // Of the error of joules, time takes all; power stays between the static part and the limit.
  out.time = {point.seconds * second,
              least * point.seconds * second,
              most * point.seconds * second,
              Origin::Modelled,
              Boundary::None,
              cause,
              sources};
  const double low_watts =
      std::min(point.watts, std::max(least * point.watts, 0.5 * kStaticPerArea * sheet.area));
  const double high_watts = std::max(point.watts, std::min(most * point.watts, 1.05 * limit));
  out.power = {point.watts * watt,
               low_watts * watt,
               high_watts * watt,
               Origin::Modelled,
               Boundary::Chip,
               cause,
               sources};
  return out;
}

}  // namespace carnot::model
