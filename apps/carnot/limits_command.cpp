// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/base/text.hpp"
#include "carnot/base/version.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

struct Limits {
  std::string temperature = "300 K";
  double bits = 1.0;
};

int execute(const Limits& c, const Common& common) {
  Temperature temperature;
  try {
    temperature = parse_as<Temperature>(c.temperature);
  } catch (const InputError& error) {
    throw InputError(fmt::format("--temperature: {}", error.what()));
  }
  if (temperature <= Temperature{}) throw InputError("--temperature: above 0 K");
  const Energy least = landauer_bound(temperature) * (c.bits * bit);
  if (common.json) {
    print(nlohmann::ordered_json{{"schema", "carnot.limits/1"},
                                 {"carnot", std::string(kVersion)},
                                 {"command", common.command_line},
                                 {"temperature_k", temperature.in(kelvin)},
                                 {"bits", c.bits},
                                 {"landauer_j", least.in(joule)},
                                 {"landauer_ev", least.in(electronvolt)}}
              .dump(2) +
          "\n");
  } else {
    print(fmt::format(
        "Erasing {:g} bit at {:g} K costs at least k_B T ln 2 x bits = {:.6g} J = {:.6g} eV\n"
        "(Landauer 1961; Boltzmann's constant exact, SI 2019)\n",
        c.bits, temperature.in(kelvin), least.in(joule), least.in(electronvolt)));
  }
  return kOk;
}

}  // namespace

void add_limits(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<Limits>();
  CLI::App* command = app.add_subcommand("limits", "What physics asks at least");
  command->add_option("--temperature,-T", c->temperature,
                      "Temperature, such as '300 K' or '20 degC'");
  command->add_option("--bits", c->bits, "Bits erased")->check(CLI::Validator(positive_number, ""));
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
