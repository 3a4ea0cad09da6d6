// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a row of a bill pays for: time of a machine, an amount of a service, or nothing that draws
/// power. Decided from words and units alone, never from money. Pure functions.

#include <string>
#include <string_view>

#include "carnot/assess/evidence/evidence.hpp"
#include "carnot/assess/machines/machines.hpp"

namespace carnot::assess {

/// The columns that say what a row is for; the same for every kind of bill.
struct BillWords {
  std::string_view provider, service, description, usage_type, instance_type, meter, unit;
  std::string_view category;  ///< usage, tax, credit, purchase ..., as the bill says
  std::string_view resource_type, commitment;
};

struct BillClass {
  enum class Use { Settled, Machine, Host, UnknownMachine, Amount } use = Use::Settled;
  Outcome outcome = Outcome::Unknown;     ///< Settled
  std::string reason;                     ///< Settled: in words
  const CloudMachine* machine = nullptr;  ///< Machine, Host
  std::string type;                       ///< as stated
  double hours_per_unit = 0;              ///< Machine, Host, UnknownMachine
  std::string what;                       ///< Amount: row of data/assess_factors.csv
  double amount_per_unit = 0;             ///< Amount
  bool on_host = false;                   ///< an instance on a dedicated host
};

BillClass classify(const BillWords& words);

/// Hours in a unit of time ("Hours", "Hrs", "Seconds", "1 Hour"); 0: it is none.
double hours_of_unit(std::string_view unit);

}  // namespace carnot::assess
