// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <functional>
#include <string_view>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "report/draw/svg.hpp"
#include "report/draw/text_columns.hpp"
#include "report/web/run_rows.hpp"

namespace carnot::report {

namespace {

using Rename = std::function<std::string(const std::string&)>;

EstimateCore renamed(const EstimateCore& core, const Rename& rename) {
  EstimateCore out(core.value(), core.value(), core.value(), core.origin(), core.boundary(), "",
                   core.sources());
  for (const EstimateCore::Cause& cause : core.causes()) {
    // A cause that moves the figure down when it goes up is the negative of one that does not.
    const double sign = cause.up < 0 || cause.down > 0 ? -1.0 : 1.0;
    const EstimateCore part(0, std::min(0.0, sign * cause.down), std::max(0.0, sign * cause.up),
                            core.origin(), core.boundary(), rename(cause.name), {});
    out = EstimateCore::sum(out, EstimateCore::scaled(part, sign));
  }
  return out;
}

/// Who shares an error of this name.
enum class Shared { ByAll, ByTheMachine, ByNobody };
Shared shared(const std::string& cause) {
  // Where the place is not known two machines need not be at the same one.
  const bool unplaced = cause.ends_with(":WORLD") || cause.ends_with(":World");
  if ((cause.starts_with("grid:") || cause.starts_with("price:")) && !unplaced)
    return Shared::ByAll;
  for (const std::string_view prefix : {"gain:", "grid:", "price:", "pue"})
    if (cause.starts_with(prefix)) return Shared::ByTheMachine;
  return Shared::ByNobody;
}

Rename rename_for(const ComparedRow& row) {
  const std::string own = row_id(row), boot = row.document->boot;
  return [own, boot](const std::string& cause) {
    const Shared by = shared(cause);
    if (by == Shared::ByAll) return cause;
    return (by == Shared::ByTheMachine && !boot.empty() ? boot : own) + " " + cause;
  };
}

struct Compared {
  const char* key;
  std::function<EstimateCore(const ComparedRow&)> of;
  std::function<std::string(const EstimateCore&)> words;
};

const LaneResult& lane_of(const ComparedRow& row) { return row.document->run->lanes[row.lane]; }

std::vector<Compared> quantities() {
  return {{"energy_j",
           [](const ComparedRow& r) {
             return r.document->measurement ? r.document->measurement->energy.core()
                                            : lane_of(r).energy.core();
           },
           [](const EstimateCore& c) { return interval_in_words(Estimate<Energy>(c)); }},
          {"carbon_g",
           [](const ComparedRow& r) {
             return r.document->measurement ? r.document->measurement->account.operational.core()
                                            : lane_of(r).carbon.core();
           },
           [](const EstimateCore& c) { return interval_in_words(Estimate<Carbon>(c)); }},
          {"cost_eur",
           [](const ComparedRow& r) {
             return r.document->measurement ? r.document->measurement->account.cost.core()
                                            : lane_of(r).cost.core();
           },
           [](const EstimateCore& c) { return interval_in_words(Estimate<Money>(c)); }}};
}

/// "+12.3 %", or "× 4,200" where percent would be hard to read.
std::string ratio_words(double ratio) {
  return ratio > 10 ? "× " + figure_text(ratio) : fmt::format("{:+.1f} %", 100 * (ratio - 1));
}

Json difference(const ComparedRow& row, const ComparedRow& base, const Compared& quantity) {
  if (quantity.key == std::string_view("cost_eur") &&
      row.document->measurement.has_value() != base.document->measurement.has_value())
    return {{"quantity", quantity.key},
            {"verdict", "cannot be compared"},
            {"difference", nullptr},
            {"why", "a run's cost is what its policy weighs: own power, exports and delay, too"}};
  const EstimateCore a = renamed(quantity.of(base), rename_for(base));
  const EstimateCore b = renamed(quantity.of(row), rename_for(row));
  Json out{{"quantity", quantity.key}, {"verdict", "cannot be compared"}, {"difference", nullptr}};
  if (a.boundary() != b.boundary() && a.boundary() != Boundary::None &&
      b.boundary() != Boundary::None) {
    out["why"] = fmt::format("one is of the {}, the other of the {}", name(b.boundary()),
                             name(a.boundary()));
    return out;
  }
  const Estimate<double> apart(EstimateCore::sum(b, EstimateCore::scaled(a, -1)));
  Json figure = json_figure(apart);
  add_words(figure, quantity.words(apart.core()));
  out["verdict"] = apart.low() > 0                                     ? "more"
                   : apart.high() < 0                                  ? "less"
                   : apart.value() == 0 && apart.low() == apart.high() ? "equal"
                                                                       : "not told apart";
  out["difference"] = std::move(figure);
  std::size_t shared = 0;
  for (const auto& cause : b.causes())
    for (const auto& other : a.causes()) shared += cause.name == other.name ? 1 : 0;
  out["shared_causes"] = shared;
  out["share_text"] = a.value() > 0 ? ratio_words(b.value() / a.value()) : std::string();
  return out;
}

/// Rows that no other beats in both energy and quality; all of one metric.
void mark_front(Json& rows) {
  for (Json& row : rows) {
    row["pareto"] = false;
    if (row.value("quality", Json()).is_null()) continue;
    const Json& q = row["quality"];
    bool beaten = false;
    for (const Json& other : rows) {
      const Json& p = other.value("quality", Json());
      if (p.is_null() || p["metric"] != q["metric"]) continue;
      const double sign = q["less_is_better"].get<bool>() ? -1 : 1;
      const double better = sign * (p["value"].get<double>() - q["value"].get<double>());
      const double less =
          row["energy_j"]["value"].get<double>() - other["energy_j"]["value"].get<double>();
      beaten = beaten || (better >= 0 && less >= 0 && (better > 0 || less > 0));
    }
    row["pareto"] = !beaten;
  }
}

}  // namespace

std::string compare_json(const std::vector<ComparedRow>& rows) {
  if (rows.size() < 2) throw InputError("ids: two or more, separated by commas");
  for (const ComparedRow& row : rows) {
    if (!row.document->problem.empty()) throw InputError("ids: " + row.document->problem);
    if (row.document->run && row.lane >= row.document->run->lanes.size())
      throw InputError("ids: no such policy in this run");
  }
  Json shown = Json::array(), differences = Json::array();
  for (const ComparedRow& row : rows) shown.push_back(row_json(row));
  mark_front(shown);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    Json of_row = Json::array();
    for (const Compared& quantity : quantities())
      of_row.push_back(difference(rows[i], rows[0], quantity));
    differences.push_back({{"id", row_id(rows[i])}, {"differences", std::move(of_row)}});
  }
  return dumped({{"base", row_id(rows[0])},
                 {"rows", std::move(shown)},
                 {"differences", std::move(differences)}});
}

}  // namespace carnot::report
