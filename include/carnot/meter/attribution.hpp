// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Who spent it: splits of measured energy that conserve.
///
/// Over an interval of length d the machine spends E = E_static + E_dynamic with
/// E_static = min(E, P_static * d). P_static is learned as the intercept at zero load of the lower
/// envelope of (busy share, power) samples; it does not shrink when the machine is full (a static
/// watt is spent however busy the cores are). Dynamic energy is divided by CPU time (weighted by
/// frequency where it can be read); busy time of nobody we can name is a row of its own
/// ("unattributed"); static energy is divided by the stated policy. Always
///
///     sum of rows = E   exactly (the last row is the compensated remainder)     0 <= row <= E
///
/// Why linear in busy time: SPECpower shapes leave 7.3 % (research of 2026 over 609 servers), a
/// fixed TDP share 32 %. Values; no allocation after construction; one thread at a time.

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

/// Learns static power from (busy share, power) samples of unequal length.
class StaticPower {
 public:
  /// \param busy   share of CPU time busy in the interval, [0, 1]; clipped
  /// \param power  mean over the interval
  void add(double busy, Power power, Duration length) noexcept;
  bool known() const noexcept;  ///< enough spread of load to see the intercept
  /// Static power and its 90 % interval; before `known`, [0, least power seen] with value
  /// as the published idle share of servers (0.22 of full load, SPECpower 2019+) would have it,
  /// Origin::Assumed.
  /// \param boundary  of the samples
  Estimate<Power> value(Boundary boundary = Boundary::Node) const;
  /// The value alone, without allocation.
  Power watts() const noexcept;
  std::uint64_t samples() const noexcept { return samples_; }

 private:
  /// Sums over consecutive samples, enough for a weighted line through them.
  struct Block {
    double length = 0, weight = 0, u = 0, uu = 0, p = 0, up = 0, pp = 0;
    std::uint64_t samples = 0;
    void add(const Block& other) noexcept;
  };
  struct Line {
    double intercept = 0, variance = 0;
  };
  static constexpr std::size_t kBlocks = 16;
  static Line fit(const Block& all) noexcept;
  Line learned() const noexcept;
  void next_block() noexcept;

  std::array<Block, kBlocks> blocks_{};
  std::size_t filled_ = 1;           // blocks in use, oldest first
  std::uint64_t block_samples_ = 1;  // of a full block
  double least_ = 0;                 // power ever seen
  std::uint64_t samples_ = 0;
};

/// CPU time of one interval.
struct CpuUse {
  double capacity_s = 0;  ///< CPUs x length
  double busy_s = 0;      ///< user + nice + system + irq + softirq (+ steal: not ours)
  double job_s = 0;       ///< of the measured job; may exceed busy_s by clock ticks: clipped
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

/// Divides `energy` in proportion to `weights` (>= 0); the rows sum to `energy` exactly as doubles
/// added in order with `carnot::Sum`. All weights zero: the last row takes all.
void divide(Energy energy, std::span<const double> weights, std::span<Energy> rows) noexcept;

}  // namespace carnot::meter
