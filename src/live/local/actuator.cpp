// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/local/actuator.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/error.hpp"

#include "live/local/actuators.hpp"

namespace carnot::live {

namespace {

using Make = std::unique_ptr<Actuator> (*)(const ActuatorSite&, ActuatorInfo&);
struct Entry {
  const char* name;
  ActuatorKind kind;
  bool whole_machine;
  Make make;
};
constexpr std::array<Entry, 6> kEntries = {
    Entry{"freezer", ActuatorKind::Switch, false, make_freezer},
    Entry{"signals", ActuatorKind::Switch, false, make_signals},
    Entry{"quota", ActuatorKind::Rate, false, make_quota},
    Entry{"cpufreq", ActuatorKind::Clock, true, make_cpufreq},
    Entry{"rapl", ActuatorKind::Power, true, make_rapl},
    Entry{"gpu", ActuatorKind::Power, true, make_gpu}};

ActuatorInfo info_of(const Entry& entry) {
  ActuatorInfo info;
  info.name = entry.name;
  info.kind = entry.kind;
  info.whole_machine = entry.whole_machine;
  return info;
}

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kEntries) names.emplace_back(entry.name);
  return names;
}

void check_names(const std::vector<std::string>& wanted) {
  for (const std::string& name : wanted) {
    const std::vector<std::string> known = known_names();
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string near = nearest(name, known);
    throw InputError(fmt::format("no actuator `{}`; {}", name,
                                 near.empty() ? fmt::format("there are {}", fmt::join(known, ", "))
                                              : fmt::format("did you mean `{}`?", near)));
  }
}

}  // namespace

void Actuator::changed(int error, const std::string& what) noexcept {
  if (error == 0) {
    ++changes_;
    return;
  }
  ++failures_;
  try {
    last_failure_ = fmt::format("{}: {}", what, std::strerror(error));
  } catch (const std::exception&) {
  }
}

std::vector<ActuatorInfo> list_actuators(const ActuatorOptions& options) {
  std::vector<ActuatorInfo> all;
  for (const Entry& entry : kEntries) {
    all.push_back(info_of(entry));
    entry.make({options, nullptr, nullptr}, all.back());
  }
  return all;
}

Actuators open_actuators(const ActuatorOptions& options, meter::Job* job, Restorer& restorer) {
  check_names(options.wanted);
  Actuators actuators;
  const auto wanted = [&](std::string_view name) {
    if (!options.wanted.empty())
      return std::find(options.wanted.begin(), options.wanted.end(), name) != options.wanted.end();
    return job != nullptr && (name == "freezer" || name == "signals") && actuators.used.empty();
  };
  for (const Entry& entry : kEntries) {
    ActuatorInfo info = info_of(entry);
    const bool use = wanted(entry.name) && (job != nullptr || entry.whole_machine);
    auto made = entry.make({options, job, use ? &restorer : nullptr}, info);
    actuators.all.push_back(info);
    if (!use) continue;
    if (made != nullptr) {
      actuators.used.push_back(std::move(made));
    } else if (!options.wanted.empty()) {
      throw DeviceError(fmt::format("{}: not available: {}{}", info.name, info.why,
                                    info.remedy.empty() ? "" : "; needs " + info.remedy));
    }
  }
  if (actuators.used.empty() && job != nullptr)
    throw DeviceError("nothing can be used here to keep the work within a profile");
  return actuators;
}

}  // namespace carnot::live
