// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/commands.hpp"

#include <string>

#include "carnot/base/error.hpp"

namespace carnot::control {

namespace {

[[noreturn]] void cannot(const char* command) {
  throw InternalError(std::string("this world does not carry out `") + command + "`");
}

}  // namespace

void Commands::follow(JobIndex, const Decision&) { cannot("follow"); }
void Commands::submit(JobIndex, SiteIndex, std::uint8_t) { cannot("submit"); }
bool Commands::start(JobIndex, SiteIndex, std::uint8_t) { cannot("start"); }
void Commands::plan(JobIndex, std::span<const PlannedRun>) { cannot("plan"); }
void Commands::suspend(JobIndex) { cannot("suspend"); }
bool Commands::resize(JobIndex, std::uint8_t) { cannot("resize"); }
void Commands::drop(JobIndex) { cannot("drop"); }
void Commands::wake_at(Instant) { cannot("wake_at"); }
void Commands::command_battery(SiteIndex, BatteryCommand) { cannot("command_battery"); }

}  // namespace carnot::control
