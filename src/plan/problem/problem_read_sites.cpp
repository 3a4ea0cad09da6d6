// SPDX-License-Identifier: Apache-2.0
#include "plan/problem/problem_read_sites.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

namespace {

constexpr double kMost = 1e12;

/// An object inside; its fields, or none if it is not there or none.
std::optional<Fields> object(const Fields& in, const char* key) {
  const Json* found = in.find(key);
  if (found == nullptr) return {};
  if (!found->is_object()) {
    in.wrong(key, "an object");
    return {};
  }
  return in.part(*found, key);
}

/// Objects of a list inside; none if it is not there.
std::vector<Fields> objects(const Fields& in, const char* key) {
  std::vector<Fields> out;
  const Json* list = in.find(key);
  if (list == nullptr) return out;
  const bool right =
      list->is_array() && list->size() <= 1000 &&
      std::all_of(list->begin(), list->end(), [](const Json& x) { return x.is_object(); });
  if (!right) {
    in.wrong(key, "a list of at most 1000 objects");
    return out;
  }
  for (std::size_t k = 0; k < list->size(); ++k)
    out.push_back(in.part((*list)[k], fmt::format("{}[{}]", key, k)));
  return out;
}

std::vector<double> series(const Fields& in, const char* key, std::int32_t slots, double low) {
  return in.find(key) == nullptr ? std::vector<double>() : in.series(key, slots, low);
}

void read_battery(const Fields& in, PlanBattery& battery) {
  in.only({"capacity_kwh", "charge_kw", "discharge_kw", "charge_efficiency", "discharge_efficiency",
           "start_kwh", "end_kwh", "wear_eur_per_kwh"});
  battery.capacity_kwh = in.number("capacity_kwh", 1e-9, kMost);
  battery.charge_kw = in.number("charge_kw", 1e-9, kMost);
  battery.discharge_kw = in.number("discharge_kw", 1e-9, kMost);
  battery.charge_efficiency = in.number("charge_efficiency", 1e-3, 1, 1.0);
  battery.discharge_efficiency = in.number("discharge_efficiency", 1e-3, 1, 1.0);
  battery.start_kwh = in.number("start_kwh", 0, battery.capacity_kwh, 0.0);
  battery.end_kwh = in.number("end_kwh", 0, battery.capacity_kwh, 0.0);
  battery.wear_eur_per_kwh = in.number("wear_eur_per_kwh", 0, 1e6, 0.0);
}

}  // namespace

bool read_site_terms(const Fields& site, std::int32_t slots, const std::vector<double>& capacity_kw,
                     SiteTerms& terms) {
  bool any = false;
  if (const auto in = object(site, "battery")) {
    read_battery(*in, terms.battery);
    any = true;
  }
  if (const auto in = object(site, "export")) {
    in->only({"limit_kw", "price_eur_per_kwh"});
    terms.export_kw = in->series("limit_kw", slots, 0);
    terms.export_eur_per_kwh = in->series("price_eur_per_kwh", slots, -1e6);
    any = true;
  }
  for (const Fields& in : objects(site, "demand_charges")) {
    in.only({"eur_per_kw", "from", "to"});
    DemandCharge charge;
    charge.eur_per_kw = in.number("eur_per_kw", 0, 1e6);
    charge.from = static_cast<std::int32_t>(in.whole("from", 0, slots - 1, 0));
    charge.to = static_cast<std::int32_t>(in.whole("to", charge.from + 1, slots, slots));
    terms.demand_charges.push_back(charge);
    any = true;
  }
  terms.base_kw = series(site, "base_kw", slots, 0);
  for (std::size_t t = 0; t < terms.base_kw.size() && t < capacity_kw.size(); ++t)
    if (terms.base_kw[t] > capacity_kw[t]) {
      site.wrong(fmt::format("base_kw[{}]", t),
                 fmt::format("at most the capacity, {} kW", capacity_kw[t]));
      break;
    }
  terms.idle_kw = site.number("idle_kw", 0, kMost, 0.0);
  double last = 0;
  for (const Fields& in : objects(site, "knees")) {
    in.only({"from_kw", "extra"});
    FacilityKnee knee;
    knee.from_kw = in.number("from_kw", last, kMost);
    knee.extra = in.number("extra", 0, 1000);
    last = knee.from_kw;
    terms.knees.push_back(knee);
  }
  terms.it_eur_per_kwh = site.number("it_eur_per_kwh", 0, 1e6, 0.0);
  terms.it_g_per_kwh = site.number("it_g_per_kwh", 0, 1e9, 0.0);
  if (const auto in = object(site, "reserve")) {
    in->only({"committed_kw", "offer_kw", "offer_eur_per_kw"});
    terms.committed_kw = series(*in, "committed_kw", slots, 0);
    terms.offer_kw = series(*in, "offer_kw", slots, 0);
    terms.offer_eur_per_kw = series(*in, "offer_eur_per_kw", slots, 0);
    if (terms.offer_kw.empty() != terms.offer_eur_per_kw.empty())
      in->wrong("offer_kw", "together with offer_eur_per_kw");
    any = true;
  }
  return any || !terms.base_kw.empty() || terms.idle_kw > 0 || !terms.knees.empty() ||
         terms.it_eur_per_kwh > 0 || terms.it_g_per_kwh > 0;
}

void read_reserve(const Fields& root, PlanReserve& reserve) {
  const auto in = object(root, "reserve");
  if (!in) return;
  in->only({"hold_slots", "within_s"});
  reserve.hold_slots = static_cast<std::int32_t>(in->whole("hold_slots", 1, 1000, 1));
  reserve.within_s = in->number("within_s", 0, 1e9, reserve.within_s);
}

void read_goals(const Fields& root, PlanGoals& goals) {
  const auto in = object(root, "goals");
  if (!in) return;
  in->only({"carbon_cap_g", "energy_budget_kwh", "quality_cap_eur", "own_share",
            "own_share_each_slot", "order"});
  goals.carbon_cap_g = in->number("carbon_cap_g", 0, 1e15, kInfinity);
  goals.energy_budget_kwh = in->number("energy_budget_kwh", 0, 1e15, kInfinity);
  goals.quality_cap_eur = in->number("quality_cap_eur", -kMost, kMost, kInfinity);
  goals.own_share = in->number("own_share", 0, 1, 0.0);
  goals.own_share_each_slot = in->flag("own_share_each_slot", false);
  const Json* order = in->find("order");
  if (order == nullptr) return;
  constexpr Measure kAll[] = {Measure::Cost,    Measure::Late,   Measure::Dropped,
                              Measure::Quality, Measure::Carbon, Measure::Energy};
  bool right = order->is_array();
  for (std::size_t k = 0; right && k < order->size(); ++k) {
    const auto* at = std::find_if(std::begin(kAll), std::end(kAll), [&](Measure m) {
      return (*order)[k].is_string() && (*order)[k].get<std::string>() == to_text(m);
    });
    right = at != std::end(kAll) &&
            std::find(goals.order.begin(), goals.order.end(), *at) == goals.order.end() &&
            (*at != Measure::Cost || k + 1 == order->size());
    if (right) goals.order.push_back(*at);
  }
  if (!right)
    in->wrong("order",
              "distinct ones of late, dropped, quality, carbon, energy; then cost, or not");
}

}  // namespace carnot::plan
