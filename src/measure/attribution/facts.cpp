// SPDX-License-Identifier: Apache-2.0
#include "measure/attribution/facts.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/ledger/store/measurement_view.hpp"
#include "carnot/measure/attribution/measurement.hpp"

namespace carnot::measure {

namespace {

const std::string kWhat = "facts of the measurement";

using Json = nlohmann::ordered_json;

Json facts_of(const std::string& text) {
  if (text.empty()) return Json::object();
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) throw InputError(kWhat + ": a JSON object is needed");
  return json;
}

/// What stands at `key`; null where nothing does.
Json value_at(const Json& object, const char* key) {
  return object.is_object() ? object.value(key, Json()) : Json();
}

[[noreturn]] void refuse(const char* key, const char* needed) {
  throw InputError(fmt::format("{}: {}: {} is needed", kWhat, key, needed));
}

double number_at(const Json& object, const char* key) {
  const Json value = value_at(object, key);
  if (value.is_null()) return kNaN;
  if (!value.is_number()) refuse(key, "a number");
  return value.get<double>();
}

std::string text_at(const Json& object, const char* key) {
  const Json value = value_at(object, key);
  if (value.is_null()) return {};
  if (!value.is_string()) refuse(key, "a text");
  return value.get<std::string>();
}

Json object_at(const Json& object, const char* key) {
  Json value = value_at(object, key);
  if (value.is_null()) return Json::object();
  if (!value.is_object()) refuse(key, "an object");
  return value;
}

Json list_at(const Json& object, const char* key) {
  Json value = value_at(object, key);
  if (value.is_null()) return Json::array();
  if (!value.is_array()) refuse(key, "a list");
  return value;
}

std::optional<double> optional_at(const Json& object, const char* key) {
  const double value = number_at(object, key);
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> recorded_notes(const std::string& facts_json) {
  std::vector<std::pair<std::string, std::string>> notes;
  const Json facts = facts_of(facts_json);
  for (const Json& note : list_at(facts, "notes")) {
    const std::string what = text_at(note, "what"), why = text_at(note, "why");
    if (what.empty() && why.empty()) throw InputError(kWhat + ": notes: what and why are needed");
    notes.emplace_back(what.empty() || why.empty() ? what + why : what + ": " + why,
                       text_at(note, "remedy"));
  }
  return notes;
}

std::map<std::string, std::string> recorded_reasons(const std::string& facts_json) {
  std::map<std::string, std::string> reasons;
  const Json recorded = object_at(facts_of(facts_json), "reasons");
  for (const auto& [id, reason] : recorded.items()) {
    if (reason.is_string()) reasons[id] = reason.get<std::string>();
  }
  return reasons;
}

std::optional<meter::StaticPower> recorded_static_power(const std::string& facts_json,
                                                        const char* key) {
  const Json recorded = object_at(facts_of(facts_json), key);
  if (recorded.empty()) return std::nullopt;
  const double value = number_at(recorded, "value"), low = number_at(recorded, "low"),
               high = number_at(recorded, "high");
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
  const Json accounting = object_at(facts, "accounting");
  model::AccountOptions o;
  o.location = text_at(accounting, "location");
  o.pue = optional_at(accounting, "pue");
  o.carbon_g_per_kwh = optional_at(accounting, "carbon_g_per_kwh");
  o.carbon_trace = text_at(accounting, "carbon_trace");
  o.price_eur_per_kwh = optional_at(accounting, "price_eur_per_kwh");
  o.machine = text_at(accounting, "machine");
  o.machine_share = optional_at(accounting, "machine_share").value_or(1.0);
  o.functional_units = optional_at(accounting, "functional_units");
  o.functional_unit = text_at(accounting, "functional_unit");
  return o;
}

}  // namespace carnot::measure
