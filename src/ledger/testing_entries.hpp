// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Entries for tests: one of each kind, random ones, and slots that balance.

#include <array>
#include <bit>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <rapidcheck.h>
#include <unistd.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/ledger/entry/entry.hpp"

#include "base/testing_files.hpp"

namespace carnot::ledger::testing {

/// A slot whose identities hold to rounding, drawn from `random` at `index`.
inline SlotEntry balanced_slot(const RandomStream& random, std::uint64_t index) {
  const RandomStream draw = random.child(index);
  const auto energy = [&](std::uint64_t i) { return draw.uniform(i) * 1e9 * joule; };
  SlotEntry s;
  s.start = Instant::from_unix_seconds(1'577'836'800 + 300 * static_cast<std::int64_t>(index));
  s.length = Duration::seconds(300);
  s.own_used = energy(0);
  s.exported = energy(1);
  s.charged = energy(2);
  s.curtailed = energy(3);
  s.total = s.exported + s.own_used + s.charged + s.curtailed;
  s.discharged = energy(4);
  s.grid = energy(5);
  s.facility = s.own_used + s.discharged + s.grid;
  s.battery_charge = energy(6);
  s.battery_loss = 0.1 * energy(7);
  s.carbon = draw.uniform(8) * 1e3 * gram;
  s.cost = (draw.uniform(9) - 0.5) * euro;  // exports may earn
  const std::array<std::string, 4> modes = {"", "int8/full", "bf16/cap 300 W", "fp32, \"fast\""};
  s.mode = modes[draw.below(10, modes.size())];
  s.throttle = draw.uniform(11);
  s.steps = 10 * (index + 1);
  s.operations = 1e15 * draw.uniform(12) * operation;
  s.bytes_moved = 1e12 * draw.uniform(13) * byte;
  s.loss = index == 0 ? kNaN : draw.uniform(14);
  s.noise_share = index % 3 == 0 ? kNaN : draw.uniform(15);
  s.cap_violation = draw.below(16, 10) == 0;
  return s;
}

/// A small run: two lanes, every kind of entry.
inline std::vector<Entry> small_run() {
  const RandomStream random(20, "small run");
  std::vector<Entry> entries;
  entries.push_back(RunBegin{"0.1.0", "carnot run site.toml", "site", "[site]\nname = \"ü\"\n",
                             0xffff'ffff'ffff'fffeu, Instant::from_unix_seconds(1'600'000'000),
                             R"({"modes":[]})"});
  for (const char* policy : {"always", "follow, \"sun\""}) {
    entries.push_back(LaneBegin{policy});
    for (std::uint64_t i = 0; i < 3; ++i) entries.push_back(balanced_slot(random, i));
    entries.push_back(Checkpoint{30, {0, 1, 2, 254, 255}});
    entries.push_back(
        Evaluation{Instant::from_unix_seconds(1'577'837'700), 30, "accuracy", 0.5, 0.4, 0.6, true});
    entries.push_back(LaneEnd{policy, "target-reached", "target met", "{}"});
  }
  entries.push_back(RunEnd{R"({"best":"always"})"});
  return entries;
}

/// A small measurement: two channels, every kind of entry.
inline std::vector<Entry> small_measurement() {
  MeasurementBegin begin;
  begin.carnot_version = "0.1.0";
  begin.command = "carnot measure -- make";
  begin.job = "make";
  begin.job_method = "tree";
  begin.static_policy = "capacity";
  begin.boot_id = "0f7f3a52-0000-4000-8000-000000000000";
  begin.started = Instant::from_unix_seconds(1'700'000'000);
  begin.monotonic_ns = 5'000'000'000;
  begin.boottime_ns = 6'000'000'000;
  begin.pid = 4711;
  begin.pid_start_ticks = 600;
  begin.facts_json = R"({"location":"FR"})";
  begin.channels.push_back({"powercap/intel-rapl:0", "package-0", "powercap", "package", "counted",
                            "", "measured", "chip", 0, -1, true, 1e-6, 0.95, 1.05, 61, 1'000'000,
                            2000.0});
  begin.channels.push_back({"hwmon/0:power1", "total, \"in\"", "hwmon", "node", "beside", "",
                            "measured", "node", -1, -1, false, 1e-6, 0.9, 1.1, 1, 100'000'000,
                            2000.0});
  std::vector<Entry> entries = {begin};
  for (int i = 0; i < 4; ++i) {
    MeasurementSample s;
    s.monotonic_ns = begin.monotonic_ns + i * 1'000'000'000ll;
    s.boottime_ns = begin.boottime_ns + i * 1'000'000'000ll;
    s.machine_busy_ns = 100'000'000'000ll + i * 1'500'000'000ll;
    s.machine_idle_ns = 900'000'000'000ll + i * 500'000'000ll;
    s.job_cpu_ns = i * 1'200'000'000ll;
    s.meter_cpu_ns = 1'000'000 + i * 20'000;
    s.job_peak_rss_b = 1u << 20;
    s.frequency_hz = 2.4e9;
    const auto count = static_cast<std::uint64_t>(i);
    s.channels = {{count * 70'000'000, 1'000 + count * 70'000'000, 0, 0.0, 0, 1, 1.0f, 1.0f},
                  {count * 120'000'000, 120'000'000, 0, 0.0, 0, 1, 1.0f, 1.0f}};
    entries.push_back(s);
    if (i == 1) {
      entries.push_back(MeasurementProcess{s.boottime_ns, 4711, 600, "make", 1'200'000'000, true});
      entries.push_back(MeasurementGap{s.boottime_ns, s.boottime_ns + 1'000, "hwmon/0:power1",
                                       "not readable for a while"});
    }
  }
  entries.push_back(MeasurementWindow{6'000'000'000, 7'000'000'000, "build"});
  entries.push_back(MeasurementEnd{8'000'000'000, 9'000'000'000, "failed", 2});
  return entries;
}

/// Any double, the awkward ones often.
inline rc::Gen<double> any_double() {
  return rc::gen::oneOf(
      rc::gen::map(rc::gen::arbitrary<std::uint64_t>(),
                   [](std::uint64_t bits) { return std::bit_cast<double>(bits); }),
      rc::gen::element(0.0, -0.0, 1.0, kNaN, -kNaN, std::numeric_limits<double>::signaling_NaN(),
                       kInfinity, -kInfinity, std::numeric_limits<double>::denorm_min(),
                       std::numeric_limits<double>::max()));
}

/// Text of any bytes: mostly short, at times empty or far beyond one page.
inline rc::Gen<std::string> any_text() {
  return rc::gen::oneOf(rc::gen::arbitrary<std::string>(), rc::gen::just(std::string()),
                        rc::gen::map(rc::gen::inRange(0, 20000), [](int n) {
                          return std::string(static_cast<std::size_t>(n), '\xff') + '\0';
                        }));
}

/// An entry of a measurement: `kind` 7 and above, with arbitrary fields.
inline Entry any_measurement_entry(std::size_t kind) {
  const auto text = [] { return *any_text(); };
  const auto number = [] { return *any_double(); };
  const auto single = [] { return std::bit_cast<float>(*rc::gen::arbitrary<std::uint32_t>()); };
  const auto whole = [] { return *rc::gen::arbitrary<std::uint64_t>(); };
  const auto wide = [] { return *rc::gen::arbitrary<std::int64_t>(); };
  const auto narrow = [] { return *rc::gen::arbitrary<std::int32_t>(); };
  const auto word = [] { return *rc::gen::arbitrary<std::string>(); };
  const auto truth = [] { return *rc::gen::arbitrary<bool>(); };
  const auto octet = [] { return *rc::gen::arbitrary<std::uint8_t>(); };
  const int channels = *rc::gen::inRange(0, 5);
  switch (kind) {
    case 7: {
      MeasurementBegin b{
          text(), text(), text(),   text(),  text(), text(), Instant::from_unix_nanoseconds(wide()),
          wide(), wide(), narrow(), whole(), text(), text(), {}};
      for (int i = 0; i < channels; ++i)
        b.channels.push_back({word(), word(), word(), word(), word(), word(), word(), word(),
                              narrow(), narrow(), truth(), number(), number(), number(), whole(),
                              wide(), number()});
      return b;
    }
    case 8: {
      MeasurementSample s{wide(),  wide(),  wide(),  wide(),  wide(),   wide(), wide(),
                          whole(), whole(), whole(), whole(), number(), {}};
      for (int i = 0; i < channels; ++i)
        s.channels.push_back(
            {whole(), whole(), wide(), number(), octet(), octet(), single(), single()});
      return s;
    }
    case 9:
      return MeasurementProcess{wide(), narrow(), whole(), text(), wide(), truth()};
    case 10:
      return MeasurementGap{wide(), wide(), text(), text()};
    case 11:
      return MeasurementWindow{wide(), wide(), text()};
    default:
      return MeasurementEnd{wide(), wide(), text(), narrow()};
  }
}

/// An entry of kind `kind` (its index in the variant) with arbitrary fields, balanced or not.
inline Entry any_entry(std::size_t kind) {
  const auto text = [] { return *any_text(); };
  const auto number = [] { return *any_double(); };
  const auto whole = [] { return *rc::gen::arbitrary<std::uint64_t>(); };
  const auto instant = [] {
    return Instant::from_unix_nanoseconds(*rc::gen::arbitrary<std::int64_t>());
  };
  switch (kind) {
    case 0:
      return RunBegin{text(), text(), text(), text(), whole(), instant(), text()};
    case 1:
      return LaneBegin{text()};
    case 2: {
      SlotEntry s;
      s.start = instant();
      s.length = Duration::nanoseconds(*rc::gen::arbitrary<std::int64_t>());
      for (Energy* e : {&s.total, &s.exported, &s.own_used, &s.charged, &s.discharged, &s.grid,
                        &s.curtailed, &s.facility, &s.battery_charge, &s.battery_loss})
        *e = number() * joule;
      s.carbon = number() * gram;
      s.cost = number() * euro;
      s.mode = text();
      s.throttle = number();
      s.steps = whole();
      s.operations = number() * operation;
      s.bytes_moved = Information::from_base(number());
      s.loss = number();
      s.noise_share = number();
      s.cap_violation = *rc::gen::arbitrary<bool>();
      return s;
    }
    case 3:
      return Evaluation{
          instant(), whole(), text(), number(), number(), number(), *rc::gen::arbitrary<bool>()};
    case 4:
      return Checkpoint{whole(), *rc::gen::arbitrary<std::vector<std::uint8_t>>()};
    case 5:
      return LaneEnd{text(), text(), text(), text()};
    case 6:
      return RunEnd{text()};
    default:
      return any_measurement_entry(kind);
  }
}

/// Encoded entries, for comparisons in which NaN equals NaN.
inline std::vector<std::vector<std::uint8_t>> encoded(const std::vector<Entry>& entries,
                                                      std::size_t count = std::size_t(-1)) {
  std::vector<std::vector<std::uint8_t>> all;
  for (const Entry& e : entries) {
    if (all.size() == count) break;
    all.push_back(encode(e));
  }
  return all;
}

inline std::vector<std::uint8_t> bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_bytes(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
}

/// What `call` throws as an `E`, in words; fails the caller's expectation by an odd text otherwise.
template <class E>
std::string thrown(auto&& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("(another exception: ") + error.what() + ")";
  }
  return "(nothing was thrown)";
}

}  // namespace carnot::ledger::testing
