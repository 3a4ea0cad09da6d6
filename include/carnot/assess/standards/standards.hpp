// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The assessment as standards ask for it. A field that is not known is not there, with the reason;
/// it is never 0. What cannot be is refused by name.
///
///     SCI = (O + M) / R                 ISO/IEC 21031:2024; O = E I, I location-based
///     PUE = EDC / EIT   WUE = WIN / EIT   ERF = EREUSE / EDC   REF = ERES-TOT / EDC
///                                       Delegated Regulation (EU) 2024/1364
///     ESRS E1                           energy mix, gross scopes (EU) 2023/2772
///     GHG Protocol                      scopes by role
///     model documentation               Regulation (EU) 2024/1689, Annex XI: energy of training
///
/// Refused: PUE below 1 (EIT above EDC), ERF above 1, REF above 1, functional units of two kinds in
/// one SCI, market-based intensity in SCI. Offsets are stated apart and never subtracted. Symbols,
/// fields and thresholds are as the texts of 2024 had them: check against the text in force.
///
/// Pure, thread-safe.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "carnot/assess/activity/activity.hpp"
#include "carnot/assess/evidence/evidence.hpp"
#include "carnot/assess/footprint/footprint.hpp"

namespace carnot::assess {

struct StandardOptions {
  std::vector<std::pair<double, std::string>> functional_units;  ///< R and what it counts
  std::optional<double> market_g_per_kwh;  ///< contracts; for ESRS E1 and GHG alone, refused in SCI
  std::optional<double> offsets_t;         ///< stated apart
  std::optional<double> revenue_meur;
};

struct StandardField {
  std::string id, words;
  std::optional<double> value, low, high;
  std::string unit, text;             ///< text: where the field is words
  std::string reason;                 ///< why there is no value; empty: there is one
  std::vector<std::string> evidence;  ///< files and activities that it rests on
};

struct Standard {
  std::string id, title, version;
  std::vector<StandardField> fields;
  std::vector<std::string> refused;  ///< what cannot be, by name
};

using Standards = std::vector<Standard>;

Standards standards(const Evidence& evidence, const ActivityGraph& graph,
                    const Footprint& footprint, const FootprintOptions& where,
                    const StandardOptions& options);

}  // namespace carnot::assess
