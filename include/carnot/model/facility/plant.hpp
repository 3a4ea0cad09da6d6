// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A hall's power conversion, fans, pumps, chillers and heat rejection, an hour at a time, from
/// outside air and IT power: PUE as a result, not an input.
///
///     conversion   UPS: R (a0 + a1 x + a2 x^2), x = IT / R;  distribution: b IT
///     air side     q_air = (1 - l) IT + conversion + lights + fans       fan heat returns to the
///     load
///                  fans = f R max(x_least, q / q_rated)^3
///     source       T_src = T_wetbulb + approach (tower), T_drybulb + approach (dry cooler)
///     economiser   e = clamp((T_return - T_src - exchanger) / range, 0, 1)   the share for free
///     chiller      P = (1 - e) q / COP,  COP = eta T_cold / max(lift, T_src + condenser - T_cold)
///     rejection    fans: r x heat rejected;  water: heat / h_fg (1 + 1 / (C - 1))
///     PUE          total / IT        ISO/IEC 30134-2;   WUE  litres / IT kWh     ISO/IEC 30134-9
///     ERE          (total - reused) / IT                The Green Grid 2010
///
/// `l` of the IT heat goes into a warm-water loop, whose own supply temperature makes the chiller
/// rare. Heat may be handed to a neighbour while it is cold outside, by a heat pump if the
/// neighbour asks for more than the loop has. All electricity leaves as heat:
///
///     rejected + delivered = total                                            to 1e-9, tested
///
/// Forms and ranges after Lei & Masanet, Energy 201 (2020) 117556 (approaches, part loads); eta 0.4
/// to 0.6 of Carnot; supply 18 to 27 degC is ASHRAE class A1's recommended range. Defaults are
/// assumptions. A year is integrated hour by hour: PUE is not linear in temperature, so that the
/// PUE at the mean temperature is another number (`pue_at_mean`).
///
/// Pure functions, thread-safe.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/model/facility/moist_air.hpp"

namespace carnot::model {

enum class HeatRejection {
  Tower,    ///< evaporates water: goes by the wet bulb
  Dry,      ///< goes by the dry bulb, takes no water
  Chiller,  ///< dry, and never without the compressor: no economiser
};
/// "tower", "dry", "chiller". \throws InputError with what is allowed
HeatRejection heat_rejection(std::string_view name);
std::string_view name(HeatRejection rejection) noexcept;

struct HeatReuse {
  double share = 0;  ///< of the loop's heat, [0, 1], while it is wanted
  Temperature wanted = from_celsius(65);
  Temperature wanted_below = from_celsius(15);  ///< outside, dry bulb
  double pump_efficiency = 0.5;                 ///< of Carnot
};

struct PlantOptions {
  HeatRejection rejection = HeatRejection::Tower;
  Power rated_it = 1 * megawatt;
  Temperature supply = from_celsius(24);  ///< air to the servers
  double air_handler_k = 6;               ///< chilled water below supply air; 5 to 8
  double exchanger_k = 1.5;               ///< economiser; 1 to 2
  double tower_k = 4, dry_k = 8;          ///< water above outside air; tower 3 to 5
  double water_range_k = 6;               ///< warmed by, on its way through the hall
  double chiller_efficiency = 0.5;        ///< of Carnot
  double condenser_k = 2, least_lift_k = 10;
  double ups_fixed = 0.01, ups_linear = 0.02, ups_square = 0.01;  ///< shares of rated IT
  double distribution = 0.01;                                     ///< share of IT
  double fan_share = 0.04;        ///< air handlers at rated load, over the air-cooled IT power
  double least_flow = 0.3;        ///< of the fans
  double pump_share = 0.01;       ///< of the heat carried
  double rejection_share = 0.01;  ///< fans of towers and coolers, of the heat rejected; dry: twice
  double misc_share = 0.005;      ///< lights, controls: of rated IT
  double liquid_share = 0;        ///< of the IT heat, [0, 1]
  Temperature liquid_supply = from_celsius(40);
  double liquid_range_k = 8;
  double cycles_of_concentration = 4;  ///< of the tower's water, > 1
  HeatReuse reuse;
};
/// \throws InputError naming every field out of range
void validate(const PlantOptions& options);

/// The same plant with approaches, efficiencies and fans at the good or the poor end of what is
/// published: an interval for whatever is computed of it. Supply, shares and rejection stay.
PlantOptions good_plant(PlantOptions options);
PlantOptions poor_plant(PlantOptions options);

/// Mean powers of an hour.
struct PlantHour {
  Power it, conversion, fans, pumps, compressors, rejection_fans, misc, heat_pump, total;
  Power rejected;         ///< heat to the outside air
  Power delivered;        ///< heat to the neighbour
  Power exergy;           ///< of the delivered, against outside air
  double free_share = 0;  ///< of the heat, without compressor
  double water_l_per_s = 0;
  double cop = 0;  ///< of the air side's chiller; 0: it stands still
  double pue = 0;  ///< infinite at no IT power
};
/// \throws InputError for options or IT power out of range (0 ... rated)
PlantHour plant_hour(const PlantOptions& options, const OutsideAir& air, Power it);

struct PlantYear {
  PlantHour mean;  ///< means over all hours (free_share weighted by heat)
  Energy it, total, delivered, exergy;
  double pue = 0, ere = 0, wue_l_per_kwh = 0, reuse_factor = 0;  ///< reuse: delivered over total
  double pue_at_mean = 0;                ///< of the mean weather and load, for comparison
  double best_hour = 0, worst_hour = 0;  ///< PUE
  double free_hours = 0, mixed_hours = 0, mechanical_hours = 0;  ///< no, part, all by compressor
  double entropy_w_per_k = 0;  ///< produced, mean: heat over the temperature it leaves at
};
/// \param it  one value for all hours, or one each. \throws InputError as above, or for no hour
PlantYear plant_year(const PlantOptions& options, std::span<const OutsideAir> hours,
                     std::span<const Power> it);

}  // namespace carnot::model
