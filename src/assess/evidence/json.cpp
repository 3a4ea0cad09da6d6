// SPDX-License-Identifier: Apache-2.0
// Prometheus' answers to range queries (a row a series), and usage pages of model services (a row a
// result).
#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/assess/machines/machines.hpp"

#include "assess/evidence/cells.hpp"
#include "assess/evidence/readers.hpp"
#include "assess/evidence/table_json.hpp"
#include "assess/evidence/token_counts.hpp"

namespace carnot::assess {

namespace {

using Json = nlohmann::json;

/// What a metric's values are.
struct Metric {
  double unit = 0;       ///< joules or watts in one; 0: no energy
  bool counter = false;  ///< cumulative joules, else watts
  bool node = false;     ///< of the whole machine, else of accelerators
  bool known = true;
};

Metric metric_of(const std::string& name) {
  const auto is = [&](std::string_view word) { return name.find(word) != std::string::npos; };
  if (name == "DCGM_FI_DEV_POWER_USAGE" || name == "DCGM_FI_DEV_POWER_USAGE_INSTANT")
    return {1, false, false};
  if (name == "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION") return {1e-3, true, false};
  if (name == "nvidia_smi_power_draw_watts" || name == "nvidia_smi_power_draw_average_watts")
    return {1, false, false};
  if (is("gpu") && is("power") && is("milliwatts")) return {1e-3, false, false};
  if (is("gpu") && is("power") && is("watts")) return {1, false, false};
  if (is("gpu") && is("energy") && is("joules")) return {1, true, false};
  if (name == "ipmi_dcmi_power_consumption_watts" || (is("redfish") && is("watts")))
    return {1, false, true};
  if (is("kepler_node_platform") && is("joules")) return {1, true, true};
  if ((is("node_power") || is("chassis_power") || is("wall_power") || is("pdu_power")) &&
      is("watts"))
    return {1, false, true};
  if (is("util") || is("UTIL") || is("temp") || is("TEMP")) return {0, false, false};
  return {0, false, false, false};
}

double value_of(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return NAN;
  return number_of(value.get_ref<const std::string&>()).value_or(NAN);
}

std::string text_of(const Json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (const auto at = object.find(key); at != object.end() && at->is_string())
      if (auto text = at->get<std::string>(); !text.empty()) return text;
  return "";
}

class SeriesReader {
 public:
  SeriesReader(Evidence& e, std::uint16_t file) : e_(e), file_(file) {}

  void read(const Json& results) {
    for (const Json& series : results) {
      ++row_;
      ++e_.files[file_].rows;
      one(series);
    }
  }

 private:
  void settle(Outcome outcome, std::string_view reason) { e_.settle(file_, outcome, reason, row_); }

  void one(const Json& series) {
    if (!series.is_object() || !series.contains("values") || !series["values"].is_array())
      return refuse("values", "a list of [time, value]: a range query's, not an instant's");
    const Json labels = series.value("metric", Json::object());
    if (!labels.is_object()) return refuse("metric", "an object of labels");
    const std::string name = text_of(labels, {"__name__"});
    if (name.empty())
      return settle(Outcome::Unknown, "a series without a name: power or energy cannot be told");
    const Metric metric = metric_of(name);
    if (!metric.known)
      return settle(Outcome::Unknown, "a metric of no known meaning: " + name.substr(0, 60));
    if (metric.unit == 0)
      return settle(Outcome::NoEnergy, "a state, no energy: " + name.substr(0, 60));
    const std::string host = text_of(
        labels, {"Hostname", "hostname", "node", "nodename", "kubernetes_node", "instance"});
    if (host.empty()) return settle(Outcome::Unknown, "a series without a host");

    std::vector<std::pair<double, double>> points;
    for (const Json& point : series["values"]) {
      if (!point.is_array() || point.size() != 2 || !point[0].is_number()) continue;
      const double at = point[0].get<double>(), value = value_of(point[1]) * metric.unit;
      if (std::isfinite(value) && value >= 0 && at > 6.3e8 && at < 4.2e9 &&
          (points.empty() || at > points.back().first))
        points.emplace_back(at, value);
    }
    if (points.size() < 2) return settle(Outcome::Unknown, "fewer than two values");
    std::vector<double> steps;
    for (std::size_t i = 1; i < points.size(); ++i)
      steps.push_back(points[i].first - points[i - 1].first);
    std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2),
                     steps.end());
    const double usual = steps[steps.size() / 2];
    const std::string gpu =
        text_of(labels, {"UUID", "uuid", "gpu", "device", "index", "minor_number"});
    device_ = 0;
    for (const char c : gpu)
      device_ = static_cast<std::uint16_t>(device_ * 31 + static_cast<unsigned char>(c));
    if (!gpu.empty() && device_ == 0) device_ = 1;
    const std::uint32_t machine = e_.host(host);
    if (const std::string model = text_of(labels, {"modelName", "model", "gpu_model", "name"});
        !metric.node && e_.machines[machine].accelerator_w == 0)
      e_.machines[machine].accelerator_w = static_cast<float>(accelerator_rating(model));
    bool any = false;
    for (std::size_t i = 1; i < points.size(); ++i) {
      const double step = points[i].first - points[i - 1].first;
      if (step > 5 * usual) continue;  // nobody looked: not filled in
      double joules = points[i - 1].second * step;
      if (metric.counter) {
        joules = points[i].second - points[i - 1].second;
        if (joules < 0) continue;  // the counter began anew
      }
      if (joules > 2e4 * step) continue;  // beyond any machine: a fault of the sensor
      claim(machine, points[i - 1].first, points[i].first, joules, metric.node);
      any = true;
    }
    if (!any) settle(Outcome::Unknown, "no two values near enough to each other");
    open_ = false;
  }

  void refuse(std::string_view field, std::string_view allowed) {
    e_.problem(file_, row_, field, allowed);
    settle(Outcome::Unknown, "a series that cannot be read");
  }

  /// Steps of equal power are one claim.
  void claim(std::uint32_t machine, double from, double to, double joules, bool node) {
    const auto begin = static_cast<std::uint32_t>(std::llround(from));
    const auto end = static_cast<std::uint32_t>(std::llround(to));
    if (end <= begin) return;
    if (open_) {
      ClaimRow& last = e_.claims.back();
      const double before = last.amount / last.length, now = joules / (end - begin);
      if (last.from + last.length == begin &&
          std::abs(before - now) <= 1e-9 * std::max(before, now)) {
        last.amount += joules;
        last.length += end - begin;
        covers(e_.files[file_], begin, end);
        return;
      }
    }
    ClaimRow row;
    row.machine = machine;
    row.row = static_cast<std::uint32_t>(row_);
    row.from = begin;
    row.length = end - begin;
    row.amount = joules;
    row.share = 1;
    row.devices = node ? 0 : 1;
    row.file = file_;
    row.device = device_;
    row.kind = node ? EvidenceKind::Meter : EvidenceKind::Telemetry;
    covers(e_.files[file_], begin, end);
    e_.claims.push_back(row);
    open_ = true;
  }

  Evidence& e_;
  std::uint16_t file_;
  std::size_t row_ = 0;
  std::uint16_t device_ = 0;
  bool open_ = false;  ///< the last claim is of this series
};

std::uint32_t time_of(const Json& bucket) {
  for (const char* key : {"start_time", "starting_at", "date"})
    if (const auto at = bucket.find(key); at != bucket.end()) {
      if (at->is_number())
        return static_cast<std::uint32_t>(std::clamp(at->get<double>(), 0.0, 4.2e9));
      if (at->is_string()) return seconds_of(at->get_ref<const std::string&>()).value_or(kNone);
    }
  return kNone;
}

void read_usage(const Json& buckets, Evidence& e, std::uint16_t file) {
  std::size_t row = 0;
  for (const Json& bucket : buckets) {
    if (!bucket.is_object()) continue;
    const Json results = bucket.contains("results") ? bucket["results"] : Json::array({bucket});
    if (!results.is_array()) continue;
    for (const Json& r : results) {
      ++row;
      ++e.files[file].rows;
      if (!r.is_object()) {
        e.problem(file, row, "results", "objects");
        e.settle(file, Outcome::Unknown, "a result that cannot be read", row);
        continue;
      }
      const auto count = [&](std::initializer_list<const char*> keys) {
        for (const char* key : keys)
          if (const auto at = r.find(key); at != r.end() && at->is_number())
            return std::clamp(at->get<double>(), 0.0, 1e18);
        return 0.0;
      };
      TokenCounts c;
      c.line = row;
      const std::string model = text_of(r, {"model", "snapshot_id"});
      c.model = model.empty() ? "a model not named" : lower_case(model);
      c.cached_is_part = r.contains("input_cached_tokens") || r.contains("cached_tokens");
      c.input = count({"uncached_input_tokens", "input_tokens", "prompt_tokens"}) +
                count({"cache_creation_input_tokens"});
      c.cached = count({"input_cached_tokens", "cached_tokens", "cache_read_input_tokens"});
      if (c.cached_is_part && c.cached > c.input) c.cached_is_part = false;
      c.output = count({"output_tokens", "completion_tokens"});
      c.reasoning = count({"reasoning_tokens", "output_reasoning_tokens"});
      c.from = time_of(bucket);
      if (c.from != kNone) {
        c.to = c.from + 86400;
        covers(e.files[file], c.from, c.to);
      }
      add_tokens(e, file, c);
    }
  }
}

}  // namespace

bool read_json(const std::string& text, Evidence& e, std::uint16_t file) {
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    e.files[file].remark = "JSON that cannot be parsed";
    return false;
  }
  if (document.is_object() && document.contains("data")) {
    const Json& data = document["data"];
    if (data.is_object() && data.contains("result") && data["result"].is_array()) {
      e.files[file].format = "Prometheus";
      SeriesReader(e, file).read(data["result"]);
      return true;
    }
    if (data.is_array() && !data.empty() && data[0].is_object() && data[0].contains("results")) {
      e.files[file].format = "language model usage";
      read_usage(data, e, file);
      return true;
    }
  }
  const auto usage = [](const Json& row) {
    return row.is_object() && row.contains("model") &&
           (row.contains("input_tokens") || row.contains("prompt_tokens"));
  };
  if (document.is_array() && !document.empty() && usage(document[0])) {
    e.files[file].format = "language model usage";
    read_usage(document, e, file);
    return true;
  }
  return read_table_json(document, e, file);
}

}  // namespace carnot::assess
