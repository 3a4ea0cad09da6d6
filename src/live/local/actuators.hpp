// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The actuators one by one. Each `make_` returns null and says in `info` why it cannot be had.
/// With `look_only` nothing is changed and nothing made: `info` is all there is.

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "carnot/live/local/actuator.hpp"

namespace carnot::live {

struct ActuatorSite {
  const ActuatorOptions& options;
  meter::Job* job;
  Restorer* restorer;  // null: look only
};

std::unique_ptr<Actuator> make_freezer(const ActuatorSite& site, ActuatorInfo& info);
std::unique_ptr<Actuator> make_signals(const ActuatorSite& site, ActuatorInfo& info);
std::unique_ptr<Actuator> make_quota(const ActuatorSite& site, ActuatorInfo& info);
std::unique_ptr<Actuator> make_cpufreq(const ActuatorSite& site, ActuatorInfo& info);
std::unique_ptr<Actuator> make_rapl(const ActuatorSite& site, ActuatorInfo& info);
std::unique_ptr<Actuator> make_gpu(const ActuatorSite& site, ActuatorInfo& info);

/// The folder of this process in the v1 hierarchy of `controller`; empty: not mounted or not
/// visible.
std::string own_group_v1(const ActuatorOptions& options, const std::string& controller);
/// A new group below it with the job's processes in it, remembered to be dissolved; empty: not
/// permitted. \param why  in words then
std::string make_group_v1(const ActuatorSite& site, const std::string& own, std::string& why);
/// First line of a file without its end; empty: cannot be read.
std::string read_line(const std::string& path);
bool may_write(const std::string& path) noexcept;

}  // namespace carnot::live
