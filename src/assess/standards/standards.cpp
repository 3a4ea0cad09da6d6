// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/standards/standards.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

namespace carnot::assess {

namespace {

StandardField missing(std::string id, std::string words, std::string unit, std::string reason) {
  StandardField f;
  f.id = std::move(id);
  f.words = std::move(words);
  f.unit = std::move(unit);
  f.reason = "N/A: " + std::move(reason);
  return f;
}

StandardField plain(std::string id, std::string words, double value, std::string unit,
                    std::vector<std::string> evidence) {
  StandardField f;
  f.id = std::move(id);
  f.words = std::move(words);
  f.value = value;
  f.unit = std::move(unit);
  f.evidence = std::move(evidence);
  return f;
}

template <class Q>
StandardField figure(std::string id, std::string words, const Estimate<Q>& e, Q unit,
                     std::string unit_name, std::vector<std::string> evidence) {
  StandardField f = plain(std::move(id), std::move(words), e.value().in(unit), std::move(unit_name),
                          std::move(evidence));
  f.low = e.low().in(unit);
  f.high = e.high().in(unit);
  return f;
}

StandardField words(std::string id, std::string title, std::string text) {
  StandardField f;
  f.id = std::move(id);
  f.words = std::move(title);
  f.text = std::move(text);
  return f;
}

std::vector<std::string> files_of(const ActivityGraph& graph) {
  std::set<std::string> names;
  for (const Activity& a : graph.activities) names.insert(a.files.begin(), a.files.end());
  return {names.begin(), names.end()};
}

std::vector<std::string> files_of_own(const ActivityGraph& graph, bool own) {
  std::set<std::string> names;
  for (const Activity& a : graph.activities)
    if (a.cloud != own) names.insert(a.files.begin(), a.files.end());
  return {names.begin(), names.end()};
}

std::string kinds(const ActivityGraph& graph) {
  std::set<std::string> groups;
  for (const Activity& a : graph.activities) groups.insert(std::string(name(a.group)));
  std::string out;
  for (const std::string& group : groups) out += (out.empty() ? "" : ", ") + group;
  return out.empty() ? "nothing" : out;
}

Standard sci(const ActivityGraph& graph, const Footprint& f, const StandardOptions& options) {
  Standard s{"sci", "Software carbon intensity", "ISO/IEC 21031:2024", {}, {}};
  const auto files = files_of(graph);
  if (options.market_g_per_kwh)
    s.refused.emplace_back("market-based intensity: SCI takes I of the place alone; not used here");
  std::set<std::string> units;
  double r = 0;
  for (const auto& [count, unit] : options.functional_units) {
    units.insert(unit);
    r += count;
  }
  s.fields.push_back(
      words("boundary", "Software boundary: in",
            kinds(graph) + ", with shared and idle hardware as far as it is paid for or listed"));
  s.fields.push_back(words(
      "boundary_out", "Software boundary: out",
      "devices of users, offices, making of storage and networks, machines not in the catalogue"));
  s.fields.push_back(figure("E", "Energy, facility", f.facility, kilowatt_hour, "kWh", files));
  const double kwh = f.facility.value().in(kilowatt_hour);
  s.fields.push_back(kwh > 0 ? plain("I", "Mean intensity, location-based, yearly average",
                                     f.operational.value().in(gram) / kwh, "gCO2e/kWh", files)
                             : missing("I", "Mean intensity", "gCO2e/kWh", "no energy"));
  s.fields.push_back(
      figure("O", "Operational emissions, O = E I", f.operational, gram, "gCO2e", files));
  s.fields.push_back(figure("M", "Embodied emissions, M = TE (TiR/EL) (RR/ToR)", f.embodied, gram,
                            "gCO2e", files));
  s.fields.push_back(words("method", "Method",
                           "machine time merged over all evidence; energy by the best of it; see "
                           "the conversions of the footprint"));
  if (units.size() > 1) {
    std::string list;
    for (const std::string& unit : units) list += (list.empty() ? "" : ", ") + unit;
    s.refused.push_back("mixed R: " + list + "; a score is of one functional unit");
    s.fields.push_back(
        missing("SCI", "SCI = (O + M) / R", "gCO2e", "functional units of two kinds"));
  } else if (!(r > 0)) {
    s.fields.push_back(missing("R", "Functional units", "", "none was given (--functional-units)"));
    s.fields.push_back(missing("SCI", "SCI = (O + M) / R", "gCO2e", "no functional unit"));
  } else {
    s.fields.push_back(plain("R", "Functional units", r, *units.begin(), {}));
    const auto score = (1 / r) * (f.operational + f.embodied);
    s.fields.push_back(
        figure("SCI", "SCI = (O + M) / R", score, gram, "gCO2e/" + *units.begin(), files));
  }
  s.fields.push_back(missing("baseline", "Baseline by the same method", "gCO2e",
                             "no earlier assessment was given"));
  return s;
}

constexpr std::array<const char*, kScopes> kScopeIds = {"scope2", "scope3_1", "scope3_2",
                                                        "scope3_8"};

Standard ghg(const ActivityGraph& graph, const Footprint& f, const FootprintOptions& where,
             const StandardOptions& options) {
  Standard s{
      "ghg", "GHG Protocol, by role", "Corporate Standard 2004, Scope 2 Guidance 2015", {}, {}};
  s.fields.push_back(words("role", "Role", std::string(name(where.role))));
  s.fields.push_back(
      missing("scope1", "Scope 1", "tCO2e", "fuels burnt on site are in none of the files"));
  for (std::size_t i = 0; i < kScopes; ++i)
    s.fields.push_back(figure(
        kScopeIds[i], std::string(name(static_cast<Scope>(i))) + (i == 0 ? ", location-based" : ""),
        f.scopes[i], tonne, "tCO2e", files_of(graph)));
  if (options.market_g_per_kwh) {
    double kwh = 0;
    for (std::size_t i = 0; i < graph.activities.size(); ++i)
      if (!graph.activities[i].cloud && where.role != Role::CloudUser)
        kwh += f.parts[i].facility.value().in(kilowatt_hour);
    s.fields.push_back(plain("scope2_market", "scope 2, market-based",
                             kwh * *options.market_g_per_kwh / 1e6, "tCO2e",
                             files_of_own(graph, true)));
  } else {
    s.fields.push_back(missing("scope2_market", "scope 2, market-based", "tCO2e",
                               "no contract was given (--market-based)"));
  }
  s.fields.push_back(
      missing("hourly", "Matching by the hour", "1", "no hourly intensity was given"));
  s.fields.push_back(
      options.offsets_t
          ? plain("offsets", "Offsets, apart, not subtracted", *options.offsets_t, "tCO2e", {})
          : missing("offsets", "Offsets, apart, not subtracted", "tCO2e", "none was stated"));
  return s;
}

Standard eed(const Evidence& e, const ActivityGraph& graph) {
  Standard s{"eed", "Data centre indicators", "Delegated Regulation (EU) 2024/1364", {}, {}};
  struct Input {
    const char* id;
    const char* words;
    const char* unit;
  };
  constexpr Input kInputs[] = {{"PDIT", "Installed power of information technology", "kW"},
                               {"SDC", "Floor area", "m2"},
                               {"EDC", "Energy of the data centre", "kWh"},
                               {"EIT", "Energy of information technology", "kWh"},
                               {"WIN", "Water in", "m3"},
                               {"WIN-POT", "Drinking water in", "m3"},
                               {"EREUSE", "Heat used again", "kWh"},
                               {"TWH", "Temperature of waste heat", "degC"},
                               {"TIN", "Temperature of air in", "degC"},
                               {"CDD", "Cooling degree days", "degreedays"},
                               {"ERES-TOT", "Renewable energy in all", "kWh"},
                               {"ERES-GOO", "Of guarantees of origin", "kWh"},
                               {"ERES-PPA", "Of power purchase agreements", "kWh"},
                               {"ERES-OS", "Made on site", "kWh"},
                               {"CSERV", "Capacity of servers", "1"},
                               {"CSTOR", "Capacity of storage", "PB"}};
  std::map<std::string, HallFigure> known = e.hall;
  double metered = 0;
  std::vector<std::string> files;
  for (const Activity& a : graph.activities)
    if (!a.cloud && a.joules[0] > 0) {
      metered += a.joules[0];
      files.insert(files.end(), a.files.begin(), a.files.end());
    }
  if (!known.contains("EDC") && !e.facility.empty()) {
    double joules = 0;
    std::string meters;
    for (const FacilityReading& one : e.facility) {
      joules += one.joules;
      meters += (meters.empty() ? "meter " : ", ") + one.meter;
    }
    known["EDC"] = {joules / 3.6e6, meters};
  }
  // The machines' own meters are the hall's EIT only where the hall's meter stands beside them.
  if (!known.contains("EIT") && known.contains("EDC") && metered > 0 && !e.facility.empty())
    known["EIT"] = {metered / 3.6e6, "meters of machines"};
  for (const Input& input : kInputs) {
    const auto at = known.find(input.id);
    if (at != known.end())
      s.fields.push_back(
          plain(input.id, input.words, at->second.value, input.unit, {at->second.place}));
    else
      s.fields.push_back(
          missing(input.id, input.words, input.unit, "in no file (symbol, value, unit)"));
  }
  struct Indicator {
    const char* id;
    const char* words;
    const char* above;
    const char* below;
    const char* unit;
    double factor;
    double least, most;
    const char* why;
  };
  constexpr Indicator kIndicators[] = {
      {"PUE", "Power usage effectiveness, EDC / EIT", "EDC", "EIT", "1", 1, 1, 1e9,
       "PUE below 1: EIT above EDC cannot be"},
      {"WUE", "Water usage effectiveness, WIN / EIT", "WIN", "EIT", "L/kWh", 1000, 0, 1e9, ""},
      {"ERF", "Energy reuse factor, EREUSE / EDC", "EREUSE", "EDC", "1", 1, 0, 1,
       "ERF above 1: more heat used again than energy came in"},
      {"REF", "Renewable energy factor, ERES-TOT / EDC", "ERES-TOT", "EDC", "1", 1, 0, 1,
       "REF above 1: more renewable energy than energy"}};
  for (const Indicator& one : kIndicators) {
    const auto above = known.find(one.above), below = known.find(one.below);
    if (above == known.end() || below == known.end() || !(below->second.value > 0)) {
      s.fields.push_back(
          missing(one.id, one.words, one.unit,
                  fmt::format("{} is not known", above == known.end() ? one.above : one.below)));
      continue;
    }
    const double value = one.factor * above->second.value / below->second.value;
    if (value < one.least || value > one.most) {
      s.refused.push_back(fmt::format("{} ({} {:g}, {} {:g}; {}, {})", one.why, one.above,
                                      above->second.value, one.below, below->second.value,
                                      above->second.place, below->second.place));
      s.fields.push_back(missing(one.id, one.words, one.unit, std::string(one.why)));
      continue;
    }
    s.fields.push_back(
        plain(one.id, one.words, value, one.unit, {above->second.place, below->second.place}));
  }
  return s;
}

Standard esrs(const ActivityGraph& graph, const Footprint& f, const FootprintOptions& where,
              const StandardOptions& options) {
  Standard s{"esrs-e1",
             "ESRS E1, climate change",
             "Delegated Regulation (EU) 2023/2772, E1-5 and E1-6",
             {},
             {}};
  Estimate<Energy> own = Estimate<Energy>::exact(Energy{}, Origin::Measured, Boundary::Facility);
  for (std::size_t i = 0; i < graph.activities.size(); ++i)
    if (!graph.activities[i].cloud && where.role != Role::CloudUser)
      own = own + f.parts[i].facility;
  const auto own_files = files_of_own(graph, true);
  if (own.value() > Energy{})
    s.fields.push_back(figure("E1-5.37", "Energy of own operations: electricity bought", own,
                              megawatt_hour, "MWh", own_files));
  else
    s.fields.push_back(missing("E1-5.37", "Energy of own operations: electricity bought", "MWh",
                               "no machine of one's own in the files"));
  s.fields.push_back(
      missing("E1-5.37a", "Of fossil sources", "MWh", "the mix of what was bought is in no file"));
  s.fields.push_back(missing("E1-5.37c", "Of renewable sources", "MWh",
                             "the mix of what was bought is in no file"));
  s.fields.push_back(
      missing("E1-6.48", "Gross scope 1", "tCO2e", "fuels burnt on site are in none of the files"));
  s.fields.push_back(
      figure("E1-6.49a", "Gross scope 2, location-based", f.scopes[0], tonne, "tCO2e", own_files));
  if (options.market_g_per_kwh)
    s.fields.push_back(plain("E1-6.49b", "Gross scope 2, market-based",
                             own.value().in(kilowatt_hour) * *options.market_g_per_kwh / 1e6,
                             "tCO2e", own_files));
  else
    s.fields.push_back(missing("E1-6.49b", "Gross scope 2, market-based", "tCO2e",
                               "no contract was given (--market-based)"));
  for (std::size_t i = 1; i < kScopes; ++i)
    s.fields.push_back(figure(fmt::format("E1-6.51.{}", i),
                              "Gross " + std::string(name(static_cast<Scope>(i))), f.scopes[i],
                              tonne, "tCO2e", files_of(graph)));
  s.fields.push_back(figure("E1-6.44", "Total of what is known, location-based", f.total, tonne,
                            "tCO2e", files_of(graph)));
  if (options.revenue_meur && *options.revenue_meur > 0)
    s.fields.push_back(plain("E1-6.53", "Total over revenue",
                             f.total.value().in(tonne) / *options.revenue_meur, "tCO2e/MEUR", {}));
  else
    s.fields.push_back(
        missing("E1-6.53", "Total over revenue", "tCO2e/MEUR", "no revenue was given (--revenue)"));
  s.fields.push_back(options.offsets_t ? plain("E1-7.59", "Carbon credits, apart, not subtracted",
                                               *options.offsets_t, "tCO2e", {})
                                       : missing("E1-7.59", "Carbon credits, apart, not subtracted",
                                                 "tCO2e", "none was stated"));
  return s;
}

Standard model_form(const ActivityGraph& graph, const Footprint& f) {
  Standard s{"ai-act",
             "Model documentation form, energy",
             "Regulation (EU) 2024/1689, Annex XI 2 (e)",
             {},
             {}};
  Estimate<Energy> boards = Estimate<Energy>::exact(Energy{}, Origin::Measured, Boundary::Facility);
  std::vector<std::string> files;
  for (std::size_t i = 0; i < graph.activities.size(); ++i)
    if (graph.activities[i].group == ActivityGroup::Accelerators) {
      boards = boards + f.parts[i].facility;
      files.insert(files.end(), graph.activities[i].files.begin(), graph.activities[i].files.end());
    }
  s.fields.push_back(missing("training_energy", "Energy of training", "MWh",
                             "which jobs trained the model is in no file; all accelerated work is "
                             "the field below, an upper bound"));
  if (boards.value() > Energy{})
    s.fields.push_back(figure("accelerated_energy", "Energy of all accelerated work, facility",
                              boards, megawatt_hour, "MWh", files));
  else
    s.fields.push_back(missing("accelerated_energy", "Energy of all accelerated work", "MWh",
                               "no accelerated machine in the files"));
  s.fields.push_back(missing("training_compute", "Compute of training", "FLOP",
                             "counted by `carnot explain` from the model's shape, not from bills"));
  s.fields.push_back(missing("inference_compute",
                             "Compute of inference, a stated task on stated hardware", "FLOP",
                             "counted by `carnot explain`"));
  s.fields.push_back(
      words("method", "Method",
            "boundary: chips, hosts and halls (PUE); energy by the best evidence; 90 % intervals"));
  return s;
}

}  // namespace

Standards standards(const Evidence& evidence, const ActivityGraph& graph, const Footprint& f,
                    const FootprintOptions& where, const StandardOptions& options) {
  return {sci(graph, f, options), ghg(graph, f, where, options), eed(evidence, graph),
          esrs(graph, f, where, options), model_form(graph, f)};
}

}  // namespace carnot::assess
