// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Who spent it: splits of measured energy that conserve.
///
/// Over an interval of length d the machine spends E = E_static + E_dynamic with
/// E_static = min(E, P_static * d). P_static is learned as the intercept at zero load of power over
/// busy share; it does not shrink when the machine is full (a static watt is spent however busy the
/// cores are). Dynamic energy is divided by CPU time; busy time of nobody we can name is a row of
/// its own ("unattributed"); static energy is divided by the stated policy. Always
///
///     sum of rows = E   exactly, in plain doubles and any order     0 <= row <= E
///
/// because every row is a whole number of units in the last place of E.
///
/// Why linear in busy time: SPECpower shapes leave 7.3 % (609 servers of 2004-2022, mean absolute
/// error with idle and full power known), a fixed TDP share 32 %. Values; no allocation after
/// construction; one thread at a time.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "carnot/base/estimate.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"

namespace carnot::meter {

/// Who pays for static energy.
enum class StaticPolicy {
  Capacity,  ///< job's share of all CPU time there is (busy or not); the rest is "idle machine"
  Busy,      ///< job's share of busy CPU time; nobody busy: "idle machine"
  Whole,     ///< the job pays for the machine: it was reserved for it
  None,      ///< the job pays dynamic energy alone
};
std::string_view name(StaticPolicy policy) noexcept;      ///< "capacity", ...
StaticPolicy parse_static_policy(std::string_view text);  ///< \throws InputError

/// Learns static power from (busy share, power) samples of unequal length: a slightly bent line
/// through them, samples near zero load and of low power (their noise is relative) counting most.
/// As far as the load did not vary, the published slope of servers stands in, and no bend. The
/// interval is the wider of the line's own and a delete-a-block jackknife over 8 to 16 blocks of
/// time, so that loads and frequencies that last, and drift, widen it. What is older than two to
/// four hours is forgotten.
class StaticPower {
 public:
  StaticPower() = default;
  /// Known from elsewhere (the power model's at no load), with its 90 % bounds: nothing is learned
  /// any more, and the value is Origin::Modelled.
  static StaticPower given(Power value, Power low, Power high) noexcept;
  bool is_given() const noexcept { return given_; }
  /// \param busy   share of CPU time busy in the interval, [0, 1]; clipped
  /// \param power  mean over the interval; not above zero: left out
  void add(double busy, Power power, Duration length) noexcept;
  /// Given, or at least 8 samples and a 90 % interval within a quarter of the value: enough spread
  /// of load, or a load near zero.
  bool known() const noexcept;
  /// Static power and its 90 % interval, Origin::Modelled (a fit to measurements); before `known`,
  /// [0, least power seen] with value as the published idle share of servers (0.22 of full load,
  /// SPECpower 2019+) would have it, Origin::Assumed. \param boundary  of the samples
  Estimate<Power> value(Boundary boundary = Boundary::Node) const;
  /// The value alone, without allocation.
  Power watts() const noexcept;
  std::uint64_t samples() const noexcept { return samples_; }

 private:
  /// Sums over consecutive samples, enough for a weighted fit of power to (1, u, u^2 - u).
  struct Block {
    double length = 0, pp = 0;
    double blur = 0;                   // what the clock's ticks add to the spread of busy shares
    std::array<double, 6> products{};  // of the three, each pair once
    std::array<double, 3> p{};         // of each with power
    std::uint64_t samples = 0;
    void add(const Block& other) noexcept;
  };
  struct Line {
    double intercept = 0, variance = 0;
  };
  static constexpr std::size_t kBlocks = 16;
  static Line fit(const Block& all) noexcept;
  Block all() const noexcept;
  Line learned() const noexcept;
  void next_block() noexcept;

  std::array<Block, kBlocks> blocks_{};
  std::size_t filled_ = 1;           // blocks in use, oldest first
  std::uint64_t block_samples_ = 1;  // of a full block
  double least_ = 0;                 // power ever seen
  std::uint64_t samples_ = 0;
  bool given_ = false;
  Power value_, low_, high_;  // if given
};

/// CPU time of one interval.
struct CpuUse {
  double capacity_s = 0;  ///< CPUs x length
  double busy_s = 0;      ///< user + nice + system + irq + softirq (+ steal: not ours)
  double job_s = 0;       ///< of the measured job; where it exceeds busy_s (10 ms ticks) it is the
                          ///< machine's busy time, up to the capacity
};

/// One interval's energy, split. job + others + idle + unattributed = total.
struct Split {
  Energy total;
  Energy static_energy, dynamic_energy;  ///< sum to total
  Energy job_static, job_dynamic;        ///< the job's parts
  Energy others;                         ///< other processes, dynamic and their static share
  Energy idle;                           ///< static energy of nobody
  Energy unattributed;                   ///< dynamic energy no busy time explains
};
Split split(Energy total, Power static_power, Duration length, const CpuUse& use,
            StaticPolicy policy) noexcept;

/// Divides `energy` in proportion to `weights` (>= 0; others count as 0); the rows sum to `energy`
/// exactly, the heaviest takes what rounding leaves. All weights zero: the last row takes all.
void divide(Energy energy, std::span<const double> weights, std::span<Energy> rows) noexcept;

}  // namespace carnot::meter
