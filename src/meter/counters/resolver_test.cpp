// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/counters/resolver.hpp"

#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"

#include "meter/testing/testing.hpp"

namespace carnot::meter {
namespace {

using testing::counter_domain;
using testing::gauge_domain;

Domain in_socket(Domain d, int socket, int die = -1) {
  d.socket = socket;
  d.die = die;
  return d;
}
Domain of_device(Domain d, int device) {
  d.device = device;
  return d;
}
Domain within(Domain d, const std::string& parent) {
  d.parent = parent;
  return d;
}
Domain at_node(Domain d) {
  d.boundary = Boundary::Node;
  return d;
}

// Roles as text: "powercap/a counted", "powercap/b part of powercap/a", ...
std::map<std::string, std::string> roles(const std::vector<Domain>& domains,
                                         const Resolution& resolution) {
  std::map<std::string, std::string> all;
  for (std::size_t i = 0; i < domains.size(); ++i) {
    const Resolution::Entry& e = resolution.entries[i];
    EXPECT_FALSE(e.reason.empty()) << domains[i].id;
    all[domains[i].id] = std::string(name(e.role)) + (e.of.empty() ? "" : " of " + e.of);
  }
  return all;
}
std::map<std::string, std::string> roles(const std::vector<Domain>& domains) {
  return roles(domains, resolve(domains));
}
using Roles = std::map<std::string, std::string>;

TEST(Resolver, PackagesAndMemoryCountPartsDoNot) {
  const std::vector<Domain> domains = {
      counter_domain("powercap/p0", DomainKind::Package, 0),
      within(counter_domain("powercap/c0", DomainKind::Core, 0), "powercap/p0"),
      within(counter_domain("powercap/u0", DomainKind::Uncore, 0), "powercap/p0"),
      within(counter_domain("powercap/d0", DomainKind::Dram, 0), "powercap/p0"),
      counter_domain("powercap/psys", DomainKind::Platform)};
  EXPECT_EQ(roles(domains), (Roles{{"powercap/p0", "counted"},
                                   {"powercap/c0", "part of powercap/p0"},
                                   {"powercap/u0", "part of powercap/p0"},
                                   {"powercap/d0", "counted"},
                                   {"powercap/psys", "beside"}}));
  EXPECT_EQ(resolve(domains).boundary, Boundary::Chip);
  EXPECT_EQ(resolve(domains).origin, Origin::Measured);
}

TEST(Resolver, OneRegisterThroughFourInterfaces) {
  const std::vector<Domain> domains = {
      counter_domain("hwmon/p0", DomainKind::Package, 0),
      counter_domain("msr/p0", DomainKind::Package, 0),
      counter_domain("powercap/p0", DomainKind::Package, 0),
      counter_domain("powercap/d0", DomainKind::Dram, 0),
      within(counter_domain("powercap/c0", DomainKind::Core, 0), "powercap/p0"),
      counter_domain("perf/p0", DomainKind::Package, 0),
      counter_domain("perf/p1", DomainKind::Package, 1),
      counter_domain("powercap/p2", DomainKind::Package, 2)};
  EXPECT_EQ(roles(domains), (Roles{{"powercap/p2", "counted"},
                                   {"hwmon/p0", "duplicate of perf/p0"},
                                   {"msr/p0", "duplicate of perf/p0"},
                                   {"powercap/p0", "duplicate of perf/p0"},
                                   {"powercap/d0", "counted"},
                                   {"powercap/c0", "part of perf/p0"},
                                   {"perf/p0", "counted"},
                                   {"perf/p1", "counted"}}));
}

TEST(Resolver, SocketsNobodyNamesMatchInOrder) {
  const std::vector<Domain> domains = {counter_domain("perf/a", DomainKind::Package),
                                       counter_domain("perf/b", DomainKind::Package),
                                       counter_domain("powercap/a", DomainKind::Package, 0),
                                       counter_domain("powercap/b", DomainKind::Package, 1)};
  EXPECT_EQ(roles(domains)["powercap/a"], "duplicate of perf/a");
  EXPECT_EQ(roles(domains)["powercap/b"], "duplicate of perf/b");
}

TEST(Resolver, DiesCountEachUnlessAPackageIsCounted) {
  std::vector<Domain> domains = {
      in_socket(counter_domain("powercap/a", DomainKind::Package), 0, 0),
      in_socket(counter_domain("powercap/b", DomainKind::Package), 0, 1)};
  EXPECT_EQ(roles(domains), (Roles{{"powercap/a", "counted"}, {"powercap/b", "counted"}}));
  domains.push_back(counter_domain("perf/p", DomainKind::Package, 0));
  EXPECT_EQ(roles(domains), (Roles{{"powercap/a", "duplicate of perf/p"},
                                   {"powercap/b", "duplicate of perf/p"},
                                   {"perf/p", "counted"}}));
}

TEST(Resolver, KnownMirrorsCountOnce) {
  std::vector<Domain> domains = {counter_domain("powercap/a", DomainKind::Package, 0),
                                 counter_domain("powercap/b", DomainKind::Package, 0)};
  domains[1].same_as = "powercap/a";
  EXPECT_EQ(roles(domains)["powercap/b"], "duplicate of powercap/a");
  domains[1].same_as = "nothing there";
  EXPECT_EQ(roles(domains)["powercap/b"], "counted");
}

TEST(Resolver, AcceleratorsCountTheirMemoryDoesNot) {
  const std::vector<Domain> domains = {
      counter_domain("powercap/p0", DomainKind::Package, 0),
      of_device(counter_domain("nvml/0", DomainKind::Gpu), 0),
      of_device(counter_domain("nvml/0/memory", DomainKind::GpuMemory), 0),
      of_device(counter_domain("nvml/1", DomainKind::Gpu), 1),
      of_device(counter_domain("nvml/1/memory", DomainKind::GpuMemory), 1),
      of_device(gauge_domain("amd-smi/0", DomainKind::Gpu), 0),
      of_device(gauge_domain("hwmon/amdgpu0", DomainKind::Gpu), 0),
      of_device(gauge_domain("hwmon/amdgpu1", DomainKind::Gpu), 1)};
  EXPECT_EQ(roles(domains), (Roles{{"powercap/p0", "counted"},
                                   {"nvml/0", "counted"},
                                   {"nvml/0/memory", "part of nvml/0"},
                                   {"nvml/1", "counted"},
                                   {"nvml/1/memory", "part of nvml/1"},
                                   {"amd-smi/0", "counted"},
                                   {"hwmon/amdgpu0", "duplicate of amd-smi/0"},
                                   {"hwmon/amdgpu1", "counted"}}));
}

TEST(Resolver, AModuleContainsItsProcessorMemoryAndAccelerator) {
  const std::vector<Domain> domains = {
      in_socket(gauge_domain("hwmon/cpu0", DomainKind::Package), 0),
      of_device(counter_domain("nvml/0", DomainKind::Gpu), 0),
      of_device(counter_domain("nvml/module0", DomainKind::Module), 0),
      counter_domain("powercap/d0", DomainKind::Dram, 0)};
  EXPECT_EQ(roles(domains), (Roles{{"hwmon/cpu0", "part of nvml/module0"},
                                   {"nvml/0", "part of nvml/module0"},
                                   {"nvml/module0", "counted"},
                                   {"powercap/d0", "part of nvml/module0"}}));
}

TEST(Resolver, TheNodesMeterCountsWhereNoProcessorDoes) {
  std::vector<Domain> domains = {at_node(gauge_domain("hwmon/power_meter", DomainKind::Node)),
                                 at_node(gauge_domain("redfish/psu1", DomainKind::Node)),
                                 at_node(gauge_domain("redfish/psu2", DomainKind::Node)),
                                 of_device(counter_domain("nvml/0", DomainKind::Gpu), 0),
                                 at_node(gauge_domain("battery/BAT0", DomainKind::Battery))};
  const Resolution resolution = resolve(domains);
  EXPECT_EQ(roles(domains, resolution), (Roles{{"hwmon/power_meter", "beside"},
                                               {"redfish/psu1", "counted"},
                                               {"redfish/psu2", "counted"},
                                               {"nvml/0", "part of redfish/psu1"},
                                               {"battery/BAT0", "beside"}}));
  EXPECT_EQ(resolution.boundary, Boundary::Node);
  domains.push_back(counter_domain("perf/p0", DomainKind::Package, 0));
  EXPECT_EQ(resolve(domains).boundary, Boundary::Chip);
  EXPECT_EQ(roles(domains)["redfish/psu1"], "beside");
  EXPECT_EQ(roles(domains)["nvml/0"], "counted");
}

TEST(Resolver, WithoutAProcessorCounterItSaysSo) {
  const std::vector<Domain> domains = {of_device(counter_domain("nvml/0", DomainKind::Gpu), 0)};
  const Resolution resolution = resolve(domains);
  EXPECT_EQ(resolution.entries[0].role, Role::Counted);
  ASSERT_EQ(resolution.notes.size(), 1u);
  EXPECT_THAT(resolution.notes[0].why, ::testing::HasSubstr("no processor counter"));
}

TEST(Resolver, TheModelCountsOnlyAlone) {
  Domain model = at_node(gauge_domain("model/machine", DomainKind::Model));
  model.origin = Origin::Modelled;
  EXPECT_EQ(resolve(std::vector<Domain>{model}).origin, Origin::Modelled);
  EXPECT_EQ(roles({model}), (Roles{{"model/machine", "counted"}}));
  const Domain rail = gauge_domain("hwmon/in1", DomainKind::Rail);
  EXPECT_EQ(roles({model, rail})["model/machine"], "stand-in");
  EXPECT_EQ(resolve(std::vector<Domain>{model, rail}).origin, Origin::Measured);
  EXPECT_TRUE(resolve(std::vector<Domain>{}).entries.empty());
}

TEST(Resolver, ABoardDoesNotDropTheProcessors) {
  Domain model = at_node(gauge_domain("model/machine", DomainKind::Model));
  model.origin = Origin::Modelled;
  const Domain board = of_device(counter_domain("nvml/0", DomainKind::Gpu), 0);
  const std::vector<Domain> domains = {board, model};
  EXPECT_EQ(roles(domains), (Roles{{"nvml/0", "counted"}, {"model/machine", "counted"}}));
  EXPECT_EQ(resolve(domains).origin, Origin::Modelled);
  EXPECT_EQ(resolve(domains).boundary, Boundary::Node);
}

TEST(Resolver, WhatIsSilentIsPassedOver) {
  Domain model = at_node(gauge_domain("model/machine", DomainKind::Model));
  Domain stuck = counter_domain("powercap/p0", DomainKind::Package, 0);
  stuck.silent = "says nothing";
  const Domain node = at_node(gauge_domain("ipmi/dcmi", DomainKind::Node));
  EXPECT_EQ(
      roles({stuck, node, model}),
      (Roles{{"powercap/p0", "beside"}, {"ipmi/dcmi", "counted"}, {"model/machine", "stand-in"}}));
  Domain perf = counter_domain("perf/p0", DomainKind::Package, 0);
  perf.silent = "says nothing";
  const Domain powercap = counter_domain("powercap/p0", DomainKind::Package, 0);
  EXPECT_EQ(roles({perf, powercap})["powercap/p0"], "counted");
}

// Any domains: roles are consistent, and nothing that contains or repeats a counted one is counted.
RC_GTEST_PROP(Resolver, IsConsistentForAnyDomains, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(0, 12);
  std::vector<Domain> domains;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string source = *rc::gen::element<std::string>(
        "perf", "powercap", "msr", "hwmon", "nvml", "amd-smi", "redfish", "ipmi", "battery");
    Domain d = counter_domain(source + "/" + std::to_string(i),
                              static_cast<DomainKind>(*rc::gen::inRange(0, 12)));
    d.socket = *rc::gen::inRange(-1, 3);
    d.die = *rc::gen::inRange(-1, 2);
    d.device = *rc::gen::inRange(-1, 2);
    if (i > 0 && *rc::gen::arbitrary<bool>())
      d.parent = domains[*rc::gen::inRange<std::size_t>(0, i)].id;
    if (i > 0 && *rc::gen::inRange(0, 6) == 0)
      d.same_as = domains[*rc::gen::inRange<std::size_t>(0, i)].id;
    domains.push_back(d);
  }
  const Resolution resolution = resolve(domains);
  RC_ASSERT(resolution.entries.size() == count);
  bool any = false;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& e = resolution.entries[i];
    RC_ASSERT(!e.reason.empty());
    any = any || e.role == Role::Counted;
    if (e.role == Role::Counted) RC_ASSERT(domains[i].kind != DomainKind::GpuMemory);
    if (e.role == Role::Part || e.role == Role::Duplicate) {
      const auto of = std::find_if(domains.begin(), domains.end(),
                                   [&](const Domain& d) { return d.id == e.of; });
      RC_ASSERT(of != domains.end());
      const auto& whole = resolution.entries[static_cast<std::size_t>(of - domains.begin())];
      if (e.role == Role::Part) RC_ASSERT(whole.role == Role::Counted);
      RC_ASSERT(of->id != domains[i].id);
    }
  }
  const bool has_package = std::any_of(domains.begin(), domains.end(), [](const Domain& d) {
    return d.kind == DomainKind::Package && d.same_as.empty();
  });
  if (has_package) RC_ASSERT(any);
}

// Two packages of one socket; `b` reads `lag` of an update behind at times.
std::vector<std::vector<double>> deltas_of(bool mirrored, int readings) {
  const RandomStream random(5, "deltas");
  std::vector<std::vector<double>> deltas;
  double early = 0.0;
  for (int i = 0; i < readings; ++i) {
    const auto n = static_cast<std::uint64_t>(i);
    const double a = std::round((50.0 + 10.0 * random.uniform(n)) / 0x1p-14) * 0x1p-14;
    const double other = std::round((50.0 + 10.0 * random.uniform(1000 + n)) / 0x1p-14) * 0x1p-14;
    const double late = i % 5 == 2 ? 0.06 : 0.0;  // a read on the other side of an update
    deltas.push_back({a, mirrored ? a - late + early : other});
    early = late;
  }
  return deltas;
}

TEST(ResolverObserve, EqualCountersAreOne) {
  const std::vector<Domain> domains = {
      in_socket(counter_domain("powercap/a", DomainKind::Package), 0, 0),
      in_socket(counter_domain("powercap/b", DomainKind::Package), 0, 1)};
  const Resolution first = resolve(domains);
  EXPECT_EQ(roles(domains, observe(domains, first, deltas_of(true, 10)))["powercap/b"],
            "duplicate of powercap/a");
  EXPECT_EQ(roles(domains, observe(domains, first, deltas_of(true, 3)))["powercap/b"],
            "duplicate of powercap/a");
  EXPECT_EQ(roles(domains, observe(domains, first, deltas_of(true, 2)))["powercap/b"], "counted");
  EXPECT_EQ(roles(domains, observe(domains, first, deltas_of(false, 10)))["powercap/b"], "counted");
}

TEST(ResolverObserve, EvidenceThatProvesNothingChangesNothing) {
  const std::vector<Domain> domains = {
      in_socket(counter_domain("powercap/a", DomainKind::Package), 0, 0),
      in_socket(counter_domain("powercap/b", DomainKind::Package), 0, 1)};
  const Resolution first = resolve(domains);
  const double nan = kNaN;
  const std::vector<std::vector<std::vector<double>>> evidence = {
      {{0, 0}, {0, 0}, {0, 0}, {0, 0}},          // nothing spent
      {{5, 5}, {5, 5}, {5, 5}, {5, 5}},          // one value
      {{5, nan}, {6, nan}, {7, nan}, {8, nan}},  // not read
      {{5, 5}, {6, 6}, {7, 7}, {8, 9}},          // one that differs
  };
  for (const auto& deltas : evidence)
    EXPECT_EQ(observe(domains, first, deltas).entries[1].role, Role::Counted);
  // Sockets are different hardware however alike they look.
  std::vector<Domain> sockets = domains;
  sockets[1].socket = 1;
  EXPECT_EQ(observe(sockets, resolve(sockets), deltas_of(true, 10)).entries[1].role, Role::Counted);
  // So are a package and memory.
  std::vector<Domain> kinds = domains;
  kinds[1].kind = DomainKind::Dram;
  EXPECT_EQ(observe(kinds, resolve(kinds), deltas_of(true, 10)).entries[1].role, Role::Counted);
}

}  // namespace
}  // namespace carnot::meter
