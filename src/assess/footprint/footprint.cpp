// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/footprint/footprint.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/assess/machines/machines.hpp"
#include "carnot/base/error.hpp"
#include "carnot/model/footprint/accounting.hpp"
#include "carnot/model/footprint/positive.hpp"

namespace carnot::assess {

namespace {

template <class Q>
Estimate<Q> nothing(Boundary boundary = Boundary::None) {
  return Estimate<Q>::exact(Q{}, Origin::Measured, boundary);
}

Estimate<double> pue_of(const Activity& a, const FootprintOptions& options, bool& stated) {
  stated = a.pue >= 1 || (!a.cloud && options.pue);
  if (stated) {
    const double pue = a.pue >= 1 ? a.pue : *options.pue;
    return Estimate<double>::exact(pue, Origin::Assumed, Boundary::None, {"stated"});
  }
  if (!a.cloud) return Estimate<double>(factor("pue.own"));
  const std::string id = "pue." + a.provider;
  return Estimate<double>(factor(
      a.provider == "aws" || a.provider == "azure" || a.provider == "gcp" ? id : "pue.cloud"));
}

/// Making, by the time that machines were ours.
Estimate<Carbon> embodied_of(const Activity& a) {
  const auto server = model::embodied("server");
  const auto board = Estimate<Carbon>(EstimateCore::scaled(factor("accelerator.embodied"), 1000));
  const double server_h = server.lifetime.in(hour), board_h = 4 * 365.25 * 24;
  const auto per_vcpu = Estimate<double>::exact(1, Origin::Assumed, Boundary::None) /
                        Estimate<double>(factor("server.vcpus"));
  Estimate<Carbon> total = nothing<Carbon>();
  const auto add = [&](const Estimate<Carbon>& part) { total = total + model::positive(part); };
  switch (a.group) {
    case ActivityGroup::Machines:
    case ActivityGroup::Accelerators:
      if (a.machine_hours > 0) {
        const double hours = a.machine_hours / server_h;
        if (a.cloud && a.vcpus > 0)
          add((hours * a.vcpus) * (server.total * per_vcpu));
        else
          add(hours * server.total);
      }
      if (a.accelerator_hours > 0) add((a.accelerator_hours / board_h) * board);
      break;
    case ActivityGroup::Serverless:
      if (a.unit == "vCPU h") add((a.amount / server_h) * (server.total * per_vcpu));
      break;
    case ActivityGroup::Models: {
      const double hours =
          a.energy.value().in(joule) / factor("model.accelerator_w").value() / 3600;
      add((hours / board_h) * board);
      break;
    }
    case ActivityGroup::Storage:
    case ActivityGroup::Network:
      break;
  }
  return total;
}

template <class Q>
Estimate<Q> kept_positive(const Estimate<Q>& sum) {
  return model::positive(sum);
}

}  // namespace

std::string_view name(Role role) noexcept {
  return role == Role::Owner ? "owner" : role == Role::Tenant ? "tenant" : "cloud-user";
}

Role role_named(std::string_view text) {
  for (const Role role : {Role::Owner, Role::Tenant, Role::CloudUser})
    if (text == name(role)) return role;
  throw InputError("role: owner, tenant or cloud-user, not `" + std::string(text.substr(0, 40)) +
                   "`");
}

std::string_view name(Scope scope) noexcept {
  constexpr std::array<std::string_view, kScopes> kNames = {
      "scope 2", "scope 3, category 1", "scope 3, category 2", "scope 3, category 8"};
  return kNames[static_cast<std::size_t>(scope)];
}

ActivityFootprint footprint_of(const Activity& a, const FootprintOptions& options) {
  if (options.pue && !(*options.pue >= 1 && *options.pue <= 10)) throw InputError("pue: 1 ... 10");
  ActivityFootprint f;
  f.pue = pue_of(a, options, f.pue_stated);
  f.facility = model::positive((f.pue * a.energy).at(Boundary::Facility));
  const auto grid = model::grid_intensity(a.place);
  f.grid = grid.code;
  f.grid_name = grid.name;
  f.intensity = grid.intensity;
  f.operational = model::positive(f.facility * grid.intensity).at(Boundary::None);
  f.embodied = embodied_of(a);
  for (auto& scope : f.scopes) scope = nothing<Carbon>();
  const auto into = [&](Scope scope, const Estimate<Carbon>& grams) {
    auto& sum = f.scopes[static_cast<std::size_t>(scope)];
    sum = sum + grams;
  };
  if (a.cloud || options.role == Role::CloudUser) {
    into(Scope::Bought, f.operational);
    into(Scope::Bought, f.embodied);
    return f;
  }
  into(Scope::Capital, f.embodied);
  if (options.role == Role::Owner) {
    into(Scope::Scope2, f.operational);
  } else {
    // The machines' own part; what the hall adds is the rest, so that both sum to the whole.
    const double share = 1 / f.pue.value();
    into(Scope::Scope2, share * f.operational);
    into(Scope::Leased, (1 - share) * f.operational);
  }
  return f;
}

Footprint footprint(const std::vector<Activity>& activities, const FootprintOptions& options) {
  Footprint f;
  f.node = nothing<Energy>(Boundary::Node);
  f.facility = nothing<Energy>(Boundary::Facility);
  f.operational = f.embodied = nothing<Carbon>();
  for (auto& scope : f.scopes) scope = nothing<Carbon>();
  bool world = false, own = false;
  for (const Activity& a : activities) {
    ActivityFootprint one = footprint_of(a, options);
    f.node = f.node + a.energy;
    f.facility = f.facility + one.facility;
    f.operational = f.operational + one.operational;
    f.embodied = f.embodied + one.embodied;
    for (std::size_t s = 0; s < kScopes; ++s) f.scopes[s] = f.scopes[s] + one.scopes[s];
    world = world || a.place.empty();
    own = own || (!a.cloud && !one.pue_stated);
    f.parts.push_back(std::move(one));
  }
  f.total = kept_positive(f.operational + f.embodied);
  f.node = kept_positive(f.node);
  f.facility = kept_positive(f.facility);
  f.operational = kept_positive(f.operational);
  f.embodied = kept_positive(f.embodied);
  for (auto& scope : f.scopes) scope = kept_positive(scope);
  if (world)
    f.remarks.emplace_back(
        "a place is not known for all: the world's range of carbon intensity there");
  if (own) f.remarks.emplace_back("PUE of own halls is not stated: the range of ordinary halls");
  f.remarks.emplace_back(
      "not counted: fuels burnt on site, losses of the grid and making of fuels, making of storage "
      "and networks");
  return f;
}

std::vector<CauseShare> variance_shares(const EstimateCore& figure) {
  std::vector<CauseShare> out;
  double sum = 0;
  for (const auto& cause : figure.causes()) {
    const double half = (std::abs(cause.up) + std::abs(cause.down)) / 2;
    out.push_back({cause.name, half * half});
    sum += half * half;
  }
  for (CauseShare& one : out) one.share = sum > 0 ? one.share / sum : 0;
  std::stable_sort(out.begin(), out.end(),
                   [](const CauseShare& a, const CauseShare& b) { return a.share > b.share; });
  return out;
}

}  // namespace carnot::assess
