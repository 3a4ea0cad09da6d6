// SPDX-License-Identifier: Apache-2.0
#include "report/measure/measurement_facts.hpp"

#include "carnot/ledger/store/measurement_view.hpp"
#include "carnot/report/measure/measurement.hpp"

#include "report/draw/json_reading.hpp"

namespace carnot::report {

namespace {

const std::string kWhat = "facts of the measurement";

Json facts_of(const std::string& text) {
  return text.empty() ? Json::object() : parse_object(text, kWhat);
}

std::optional<double> optional_at(const Json& object, const char* key) {
  const double value = number_at(object, key, kWhat);
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> recorded_notes(const std::string& facts_json) {
  std::vector<std::pair<std::string, std::string>> notes;
  const Json facts = facts_of(facts_json);
  for (const Json& note : part_at(facts, "notes", kWhat, true)) {
    const std::string what = text_at(note, "what", kWhat), why = text_at(note, "why", kWhat);
    if (what.empty() && why.empty()) throw InputError(kWhat + ": notes: what and why are needed");
    notes.emplace_back(what.empty() || why.empty() ? what + why : what + ": " + why,
                       text_at(note, "remedy", kWhat));
  }
  return notes;
}

std::map<std::string, std::string> recorded_reasons(const std::string& facts_json) {
  std::map<std::string, std::string> reasons;
  const Json recorded = part_at(facts_of(facts_json), "reasons", kWhat, false);
  for (const auto& [id, reason] : recorded.items()) {
    if (reason.is_string()) reasons[id] = reason.get<std::string>();
  }
  return reasons;
}

std::optional<meter::StaticPower> recorded_static_power(const std::string& facts_json,
                                                        const char* key) {
  const Json recorded = part_at(facts_of(facts_json), key, kWhat, false);
  if (recorded.empty()) return std::nullopt;
  const double value = number_at(recorded, "value", kWhat), low = number_at(recorded, "low", kWhat),
               high = number_at(recorded, "high", kWhat);
  if (!(0 <= low && low <= value && value <= high && std::isfinite(high)))
    throw InputError(kWhat + ": static_power_w: 0 <= low <= value <= high is wanted");
  return meter::StaticPower::given(value * watt, low * watt, high * watt);
}

std::string account_facts(const model::AccountOptions& o) {
  Json accounting = Json::object();
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) accounting[key] = value;
  };
  const auto number = [&](const char* key, const std::optional<double>& value) {
    if (value) accounting[key] = *value;
  };
  text("location", o.location);
  number("pue", o.pue);
  number("carbon_g_per_kwh", o.carbon_g_per_kwh);
  text("carbon_trace", o.carbon_trace);
  number("price_eur_per_kwh", o.price_eur_per_kwh);
  text("machine", o.machine);
  if (o.machine_share != 1.0) accounting["machine_share"] = o.machine_share;
  number("functional_units", o.functional_units);
  text("functional_unit", o.functional_unit);
  return Json{{"accounting", accounting}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

model::AccountOptions recorded_account_options(const std::vector<ledger::Entry>& entries) {
  const ledger::MeasurementView view = ledger::view_measurement(entries);
  const Json facts = facts_of(view.begin->facts_json);
  const Json accounting = part_at(facts, "accounting", kWhat, false);
  model::AccountOptions o;
  o.location = text_at(accounting, "location", kWhat);
  o.pue = optional_at(accounting, "pue");
  o.carbon_g_per_kwh = optional_at(accounting, "carbon_g_per_kwh");
  o.carbon_trace = text_at(accounting, "carbon_trace", kWhat);
  o.price_eur_per_kwh = optional_at(accounting, "price_eur_per_kwh");
  o.machine = text_at(accounting, "machine", kWhat);
  o.machine_share = optional_at(accounting, "machine_share").value_or(1.0);
  o.functional_units = optional_at(accounting, "functional_units");
  o.functional_unit = text_at(accounting, "functional_unit", kWhat);
  return o;
}

}  // namespace carnot::report
