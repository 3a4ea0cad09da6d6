// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A measurement's figures in words, shared by the terminal, the live view and the page, so that
/// all say the same. Every energy carries its interval and its origin. Pure functions.

#include <string>
#include <vector>

#include "carnot/report/measure/measurement.hpp"

namespace carnot::report {

/// "12.3 kJ": mJ, J, kJ below 1 kWh, then Wh multiples.
std::string joules_in_words(double joules, int digits = 3);
std::string watts_in_words(double watts, int digits = 3);  ///< mW, W, kW, MW
std::string seconds_in_words(double seconds);              ///< "820 ms", "12.3 s", "3 min 4 s", ...
std::string bytes_in_words(double bytes);                  ///< "12.3 MB"
std::string grams_in_words(double grams);                  ///< "1.2 mg", "340 g"
std::string euros_in_words(double euros);                  ///< "0.12 ct", "1.2 EUR"

// "12.3 kJ (10.1 … 15.2)", in the unit of the value.
std::string interval_in_words(const Estimate<Energy>& energy);
std::string interval_in_words(const Estimate<Power>& power);
std::string interval_in_words(const Estimate<Carbon>& carbon);
std::string interval_in_words(const Estimate<Money>& money);

/// "measured by powercap", "modelled by power model".
std::string origin_in_words(const Estimate<Energy>& energy);
/// What was measured: the job's words, or "the machine".
std::string subject(const measure::Measurement& m);
/// "finished", "failed, exit code 3", "killed, exit code 137", "cut short".
std::string outcome_in_words(const measure::Measurement& m);
/// "Germany, 363 g/kWh (300 … 420)"; "location not stated, so the world, ...".
std::string place_in_words(const measure::Measurement& m);
/// Rows worth showing: the `most` largest processes and every row that is no process, the rest as
/// one row "N more processes".
std::vector<measure::MeasuredProcess> top_processes(const measure::Measurement& m,
                                                    std::size_t most);
/// Gaps of the same channel and reason together: "package-0, 1.2 s in 3 gaps: it was not readable".
std::vector<std::string> gaps_in_words(const measure::Measurement& m);

}  // namespace carnot::report
