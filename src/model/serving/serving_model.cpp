// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/serving/serving_model.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"

#include "model/footprint/table.hpp"

namespace carnot::model {

namespace {

/// Order of kNames.
enum Parameter : std::size_t {
  Memory,
  Compute,
  ExpertMemory,
  ExpertCompute,
  Narrow,
  Cache,
  Prefill,
  State,
  Logit,
  Layer,
  ExpertLayer,
  StateLayer,
  BlockLayer,
  Exchange,
  ExchangeChips,
  Link,
  Step,
  Sequence,
  Spread,
  Byte,
  Flop,
  Static,
  Active,
  ActiveLayer,
  ActiveExpert,
  ActiveLogit,
  ActiveExchange,
  ActiveHost,
  Prompt,
  ServerStep,
  ServerSequence,
};
constexpr std::array<std::string_view, ServingModel::kParameters> kNames = {
    "memory",        "compute",      "expert_memory",   "expert_compute",
    "narrow",        "cache",        "prefill",         "state",
    "logit",         "layer",        "expert_layer",    "state_layer",
    "block_layer",   "exchange",     "exchange_chips",  "link",
    "step",          "sequence",     "spread",          "byte",
    "flop",          "static",       "active",          "active_layer",
    "active_expert", "active_logit", "active_exchange", "active_host",
    "prompt",        "server_step",  "server_sequence"};

constexpr std::string_view kHeader = "kind,name,value,low,high";
constexpr double kCap = 0.97, kSharpness = 6;  // of the power above static
constexpr double kReferenceChips = 4;          // where an all-reduce takes its base latency
constexpr double kBlockChips = 8;
// Expected largest of n normal values, 0.564 log2(n)^0.83: within 2 % from 2 to 16.
constexpr double kLargest = 0.564, kLargestPower = 0.83;

/// The measured cards stood in different servers; any other chip is taken between them.
double server(const Chip& chip) {
  return chip.id == "h100-sxm" ? -0.5 : chip.id == "b200" ? 0.5 : 0.0;
}
bool is_known(const Chip& chip) { return server(chip) != 0; }

double number(TableReader& table, std::string_view field, std::string_view text) {
  double value = 0;
  if (!read_whole(text, value) || !std::isfinite(value)) {
    table.add(field, "a number, found `" + std::string(text.substr(0, 40)) + "`");
    return 0;
  }
  return value;
}

}  // namespace

ServingModel ServingModel::parse(std::string_view csv, const std::string& file) {
  ServingModel model;
  TableReader table(file, kHeader, false);
  std::array<bool, kParameters> seen{};
  table.read(csv, [&](const std::vector<std::string_view>& cells) {
    if (cells.size() != 5) {
      table.add("row", "5 cells, found " + std::to_string(cells.size()));
    } else if (cells[0] == "parameter") {
      const auto at = static_cast<std::size_t>(std::find(kNames.begin(), kNames.end(), cells[1]) -
                                               kNames.begin());
      if (at == kNames.size() || seen[at]) {
        table.add("name", "each parameter once, found `" + std::string(cells[1]) + "`");
        return;
      }
      seen[at] = true;
      model.values_[at] = number(table, cells[1], cells[2]);
      if (!(model.values_[at] > 0)) table.add(cells[1], "above 0");
    } else if (cells[0] == "interval") {
      const Interval found{number(table, "low", cells[3]), number(table, "high", cells[4])};
      if (found.low > 0 || found.high < 0) table.add("low", "low <= 0 <= high");
      model.intervals_[std::string(cells[1])] = found;
    } else {
      table.add("kind", "parameter or interval");
    }
  });
  for (std::size_t i = 0; i < kParameters; ++i) {
    if (!seen[i]) throw InputError(describe({file, 0}, kNames[i], "one row"));
  }
  for (const char* what : {"seconds", "watts", "joules"}) {
    for (const char* of :
         {".dense.known", ".dense.unknown", ".experts.known", ".experts.unknown"}) {
      const std::string name = std::string(what) + of;
      if (!model.intervals_.contains(name)) throw InputError(describe({file, 0}, name, "one row"));
    }
  }
  return model;
}

const ServingModel& ServingModel::embedded() {
  static const ServingModel model = parse(kServingModelTable, "data/serving_model.csv");
  return model;
}

const ServingModel::Interval& ServingModel::interval(std::string_view what, bool experts,
                                                     bool known) const {
  return intervals_
      .find(std::string(what) + (experts ? ".experts" : ".dense") + (known ? ".known" : ".unknown"))
      ->second;
}

ServingPrediction ServingModel::predict(const ServingWork& w, const Chip& chip) const {
  const auto& q = values_;
  const double n = w.chips;
  const double band = chip.at("bandwidth").value * 1e9;
  const auto* bf16 = chip.find("bf16");
  const double wide = (bf16 != nullptr ? bf16->value : chip.at("fp16").value) * 1e12;
  const auto* fp8 = chip.find("fp8");
  const bool eight = w.bits == 8;
  const double own = eight && fp8 != nullptr ? fp8->value * 1e12 : wide;
  const double peak = eight ? own * q[Narrow] : wide;
  const double clocks = chip.at("units").value * chip.at("clock").value * 1e9;
  const double tdp = chip.at("tdp").value;
  const double link = n > 1 ? chip.at("link").value * 1e9 : 1;

  // Experts met by the batch, and by the chip that meets most.
  const double many = std::max(w.experts, 1.0), over = w.expert_parallel ? n : 1;
  const double met =
      w.experts > 0 ? 1 - std::pow(1 - w.chosen / many, std::pow(w.batch, q[Spread])) : 0;
  const double local = std::max(many / over, 1.0), mean = local * met;
  const double most = std::min(mean + std::sqrt(std::max(mean * (1 - met), 0.0)) * kLargest *
                                          std::pow(std::log2(std::max(over, 1.0)), kLargestPower),
                               local);
  const double uneven = mean > 0 ? most / std::max(mean, 1e-9) : 1;
  const double touched = w.expert_bytes * many * met;

  const double weights =
      std::hypot(w.dense_bytes / (n * band * q[Memory]),
                 (w.linear_flops / peak + w.head_flops / wide) / (n * q[Compute]));
  const double expert = std::hypot(touched / (n * band * q[ExpertMemory]),
                                   w.expert_flops / (n * peak * q[ExpertCompute]));
  const double cache = w.cache_bytes / (n * band * q[Cache]);
  const double state = w.state_bytes * q[State] / (n * clocks);
  const double logit = w.logits * q[Logit] / clocks;
  const double prefill = w.prefill_flops / (n * peak * q[Prefill]);
  const double sent = (w.batch + w.prefill_tokens) * w.hidden * 2 * 2 * (n - 1) / n;
  const double exchange =
      w.exchanges *
      (q[Exchange] * std::pow(n / kReferenceChips, q[ExchangeChips]) + sent / (link / 2 * q[Link]));
  const double layer = w.layers * q[Layer] + w.state_layers * q[StateLayer];
  const double expert_layer = w.expert_layers * q[ExpertLayer] +
                              w.block_layers * q[BlockLayer] * std::sqrt(kBlockChips / n);
  const double host = q[Step] * std::pow(q[ServerStep], server(chip)) +
                      w.batch * q[Sequence] * std::pow(q[ServerSequence], server(chip));

  const double still = std::min(q[Static] * chip.at("die").value, 0.4 * tdp);
  const double free = tdp - still;
  const double joule_byte = q[Byte] / n, joule_wide = free * q[Flop] / (n * wide);
  const double joule_own = free * q[Flop] / (n * own);
  ServingPrediction out;
  out.card_known = is_known(chip);
  out.parts = {
      {"weights", weights,
       joule_byte * w.dense_bytes + joule_own * w.linear_flops + joule_wide * w.head_flops +
           free * q[Active] * weights},
      {"experts", expert * uneven,
       joule_byte * touched + joule_own * w.expert_flops + free * q[ActiveExpert] * expert},
      {"cache", cache,
       joule_byte * w.cache_bytes + joule_wide * w.attention_flops + free * q[Active] * cache},
      {"state", state, joule_byte * w.state_bytes + free * q[Active] * state},
      {"logits", logit, free * q[ActiveLogit] * logit},
      {"prefill", prefill, joule_own * w.prefill_flops + free * q[Active] * prefill},
      {"exchange", exchange, free * q[ActiveExchange] * exchange},
      {"layers", layer, free * q[ActiveLayer] * layer},
      {"expert layers", expert_layer, free * q[ActiveExpert] * expert_layer},
      {"host", host, free * q[ActiveHost] * host}};
  double seconds = 0, dynamic = 0;
  for (const ServingPart& part : out.parts) {
    seconds += part.seconds;
    dynamic += part.joules;
  }
  const double demand = dynamic / (free * seconds);
  const double capped =
      std::pow(std::pow(demand, -kSharpness) + std::pow(kCap, -kSharpness), -1 / kSharpness);
  const double watts = still + free * capped;
  // At the limit every part is slowed alike, so that each gives up the same share.
  for (ServingPart& part : out.parts) part.joules *= capped / demand;
  out.parts.push_back({"static", 0, still * seconds});

  const bool experts = w.experts > 0;
  const std::vector<std::string> sources = {"data/serving_model.csv", "ml-energy-v3"};
  const auto estimate = [&](auto value, std::string_view what, Boundary boundary) {
    const Interval& seen = interval(what, experts, true);
    double low = seen.low, high = seen.high;
    if (!out.card_known) {
      const Interval& new_card = interval(what, experts, false);
      low = std::min(low, new_card.low);
      high = std::max(high, new_card.high);
    }
    return Estimate(value, std::exp(low) * value, std::exp(high) * value, Origin::Modelled,
                    boundary, "serving:" + std::string(what), sources);
  };
  out.token_time = estimate(seconds * second, "seconds", Boundary::None);
  out.chip_power = estimate(watts * watt, "watts", Boundary::Chip);
  out.token_energy = estimate(watts * n * seconds / w.batch * joule, "joules", Boundary::Chip);
  return out;
}

}  // namespace carnot::model
