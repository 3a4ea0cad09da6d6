// SPDX-License-Identifier: Apache-2.0
// carnot facility
#include <algorithm>
#include <array>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/report/facility/facility.hpp"

#include "command.hpp"
#include "facility_options.hpp"

namespace carnot::app {

namespace {

struct HallCommand {
  FacilityCommand hall;
  std::string rated = "1 MW", reuse, reuse_at, utilisation = "0.7";
  std::string wind, rotor, exported, curtailed, used, bits;
};

template <class Q>
Q quantity_option(const std::string& text, const char* option) {
  try {
    return parse_as<Q>(text);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", option, error.what()));
  }
}

report::FacilityNode node_of(double utilisation, Temperature inlet) {
  const model::ServerOptions server;
  report::FacilityNode node;
  node.utilisation = utilisation;
  node.inlet = inlet;
  node.best = model::best_fan_speed(server, utilisation, inlet);
  node.slow = model::server_at(server, utilisation, inlet, server.fan.least_speed);
  node.full = model::server_at(server, utilisation, inlet, 1);
  return node;
}

report::FacilitySite site_of(const HallCommand& c, const report::FacilityReport& r) {
  if (c.wind.empty() || c.rotor.empty())
    throw UsageError("--wind and --rotor: both, for the entropy of a site");
  report::FacilitySite s;
  s.powers.wind = model::wind_power(quantity_option<Speed>(c.wind, "--wind"),
                                    quantity_option<Length>(c.rotor, "--rotor"));
  s.powers.other =
      c.used.empty() ? r.rows.front().year.mean.total : quantity_option<Power>(c.used, "--used");
  if (!c.exported.empty()) s.powers.exported = quantity_option<Power>(c.exported, "--exported");
  if (!c.curtailed.empty()) s.powers.curtailed = quantity_option<Power>(c.curtailed, "--curtailed");
  s.surroundings = from_celsius(15);
  if (!c.bits.empty()) {
    try {
      s.bits_per_second = parse_number(c.bits);
    } catch (const InputError& error) {
      throw InputError(fmt::format("--bits-per-second: {}", error.what()));
    }
  }
  s.entropy = model::site_entropy(s.powers, s.surroundings, s.bits_per_second);
  return s;
}

int execute(const HallCommand& c, const Common& common) {
  report::FacilityReport r;
  r.command = common.command_line;
  r.plant = plant_options(c.hall);
  r.plant.rated_it = quantity_option<Power>(c.rated, "--rated");
  if (!c.reuse.empty()) r.plant.reuse.share = share_option(c.reuse, "--reuse");
  if (!c.reuse_at.empty())
    r.plant.reuse.wanted = quantity_option<Temperature>(c.reuse_at, "--reuse-at");
  model::validate(r.plant);
  const double load = share_option(c.hall.load, "--load");
  if (!(load > 0)) throw UsageError("--load: above 0");
  r.it = load * r.plant.rated_it;
  const std::array<Power, 1> it = {r.it};
  for (const model::Climate& climate : facility_climates(c.hall))
    r.rows.push_back({climate.name, climate.source, climate.hours.size(),
                      model::plant_year(r.plant, climate.hours, it),
                      model::plant_year(good_plant(r.plant), climate.hours, it),
                      model::plant_year(poor_plant(r.plant), climate.hours, it)});
  r.node = node_of(share_option(c.utilisation, "--utilisation"), r.plant.supply);
  if (!(c.wind + c.rotor + c.exported + c.curtailed + c.used + c.bits).empty())
    r.site = site_of(c, r);
  print(common.json
            ? report::facility_json(r)
            : report::facility_terminal(
                  r, static_cast<std::size_t>(std::max(60, terminal_width(1))), is_terminal(1)));
  return kOk;
}

}  // namespace

void add_facility(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<HallCommand>();
  CLI::App* command = app.add_subcommand(
      "facility", "What cooling and power conversion of a hall take, hour by hour, and why");
  add_facility_options(*command, c->hall);
  command->add_option("--rated", c->rated, "IT power of the hall; default '1 MW'");
  command->add_option("--reuse", c->reuse,
                      "Share of the loop's heat that a neighbour takes while it is cold");
  command->add_option("--reuse-at", c->reuse_at, "How warm it is wanted; default '65 degC'");
  command->add_option("--utilisation", c->utilisation, "Of the node whose fans are shown; 0.7");
  command->add_option("--wind", c->wind, "Entropy of the site: wind speed, such as '11 m/s'");
  command->add_option("--rotor", c->rotor, "Diameter, such as '120 m'");
  command->add_option("--exported", c->exported, "P_prod: power fed to the grid");
  command->add_option("--curtailed", c->curtailed, "P_curt: power that nobody took");
  command->add_option("--used", c->used, "P_other: power used on site; default: the hall's");
  command->add_option("--bits-per-second", c->bits,
                      "S(p0) - S(p1): entropy that the computing takes out of its data");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
