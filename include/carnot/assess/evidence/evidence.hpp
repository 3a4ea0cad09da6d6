// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What an organisation's files say, before it is decided whom to believe.
///
/// A file is rows. A row claims machine time or joules of one machine (`ClaimRow`), an amount of a
/// service (`ServiceAmount`: gigabytes stored, tokens), or is settled at once with a reason. In the
/// end each row has exactly one outcome and its money stands under that outcome, so that
///
///     rows  = estimated + no energy + duplicate + unknown
///     money = the same sum, per currency, to the last digits of a double
///
/// Machines are found again across files by their identity: the provider's resource id, or the name
/// of a host that one resource alone bears. Built by one thread; values to read from many.

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/sum.hpp"

namespace carnot::assess {

enum class Outcome : std::uint8_t { Estimated, NoEnergy, Duplicate, Unknown };
inline constexpr std::size_t kOutcomes = 4;
std::string_view name(Outcome outcome) noexcept;  ///< "estimated", "no energy", ...

/// Where a claim is from, the most trusted first.
enum class EvidenceKind : std::uint8_t {
  Meter,      ///< joules of the whole machine
  Jobs,       ///< joules of a job, as the batch system or carnot counted them
  Telemetry,  ///< joules of accelerators, or of a run by its own tracker
  JobModel,   ///< a job's allocation, times a model of power
  Bill,       ///< hours paid for, times a model
  Inventory,  ///< a list of servers, times a model
};
inline constexpr std::size_t kEvidenceKinds = 6;
std::string_view name(EvidenceKind kind) noexcept;  ///< "meter", "job energy", ...

inline constexpr std::uint32_t kNone = 0xffffffffu;

/// One row's claim on one machine over [from, from + length), seconds of UTC since 1970.
struct ClaimRow {
  std::uint32_t machine = 0, row = 0;
  std::uint32_t from = 0, length = 0;
  double amount = 0;  ///< joules of energy kinds, else (machine-)seconds; spread evenly
  double money = 0;
  float share = 1;    ///< of the machine that it speaks of; of jobs: processors, the share follows
  float devices = 0;  ///< accelerators that it speaks of
  std::uint16_t file = 0;
  std::uint16_t currency = 0;  ///< of `money`, into `currencies`
  std::uint16_t device = 0;    ///< which accelerator, as a hash; 0: not told apart
  EvidenceKind kind = EvidenceKind::Bill;
};

/// A machine, or (pool) any number of equal ones that the file does not tell apart.
struct Machine {
  std::uint32_t alias = kNone;  ///< the machine that this one turned out to be
  std::uint32_t type = kNone;   ///< instance type as stated; into `texts`
  std::uint32_t region = kNone, location = kNone, label = kNone, account = kNone;
  std::uint32_t rack = kNone;
  float vcpus = 0, memory_gib = 0, accelerators = 0, accelerator_w = 0, pue = 0;
  float server_w = 0, server_low_w = 0, server_high_w = 0;  ///< without accelerators; 0: not known
  std::uint8_t provider = 0;                                ///< into kProviders; 0: own
  bool pool = false;
  bool host_of_others = false;  ///< a dedicated host: instances on it are not counted again
  bool on_host = false;         ///< an instance on such a host
  bool unplaced = false;        ///< a run whose file does not say on which machine it ran
};

inline constexpr std::array<std::string_view, 6> kProviders = {"own", "aws", "azure",
                                                               "gcp", "oci", "cloud"};

/// What is bought as an amount and not as machine time. Ids of data/assess_factors.csv, or
/// "input:MODEL", "cached:MODEL", "output:MODEL", "reasoning:MODEL" for tokens.
struct ServiceAmount {
  std::uint16_t file = 0;
  std::uint32_t what = 0;  ///< into `texts`
  std::uint8_t provider = 0;
  std::uint32_t region = kNone;
  std::uint32_t account = kNone;
  double amount = 0;  ///< TBh, GB, vCPU-hours, GB-hours, tokens
  std::uint64_t rows = 0;
  std::map<std::uint16_t, Sum<>> money;  ///< by currency
  std::uint32_t first = 0xffffffffu, last = 0;
  bool duplicate = false;
};

/// Rows with one outcome and one reason.
struct Settled {
  Outcome outcome = Outcome::Unknown;
  std::string reason;
  std::uint64_t rows = 0;
  std::size_t first_line = 0;
  std::map<std::uint16_t, Sum<>> money;
};

struct EvidenceFile {
  std::string name;    ///< below the folder
  std::string format;  ///< "FOCUS bill", "sacct" ...; empty: not understood
  std::string remark;  ///< why it was passed over
  std::uint64_t rows = 0;
  std::map<std::string, Settled, std::less<>> settled;  ///< by reason
  std::vector<std::string> problems;                    ///< `file:line: field: allowed`, at most 50
  std::uint64_t problem_count = 0;
  std::uint32_t first = 0xffffffffu, last = 0;  ///< time covered
  /// Filled when outcomes are known.
  std::array<std::uint64_t, kOutcomes> outcome_rows{};
  std::map<std::string, std::array<Sum<>, kOutcomes>> money;  ///< by currency
};

/// A machine type that no catalogue row describes: never taken for another.
struct UnknownMachine {
  std::string type;
  double hours = 0;
  std::uint64_t rows = 0;
  std::vector<std::string> nearest;  ///< names, to be confirmed by the reader
};

/// Rows that state a building's or site's own metering.
struct FacilityReading {
  std::string meter;
  double joules = 0;
  std::uint32_t first = 0xffffffffu, last = 0;
};

/// A figure of a hall as its operator states it, by its symbol in Regulation (EU) 2024/1364.
struct HallFigure {
  double value = 0;
  std::string place;  ///< file:line
};

class Evidence {
 public:
  std::vector<EvidenceFile> files;
  std::vector<Machine> machines;
  std::deque<ClaimRow> claims;
  std::vector<ServiceAmount> amounts;
  std::vector<std::string> texts;
  std::vector<std::string> currencies = {""};
  std::vector<UnknownMachine> unknown_machines;
  std::vector<FacilityReading> facility;
  std::map<std::string, HallFigure> hall;  ///< "EDC", "EIT" ...
  std::vector<std::string> remarks;

  std::uint32_t text(std::string_view words);  ///< index of the words, new or known
  const std::string& text_of(std::uint32_t index) const;
  std::uint16_t currency(std::string_view code);  ///< index; 0: none

  /// A machine by the provider's id. The id's last part and `names` are names of it besides.
  std::uint32_t resource(std::uint8_t provider, std::string_view id);
  /// A machine by the name of its host. \param cluster  empty: not told
  std::uint32_t host(std::string_view name);
  /// Equal machines not told apart, one entry a key.
  std::uint32_t pool(std::string_view key);
  /// Says that the machine bears this name; a name borne by two tells nothing.
  void named(std::uint32_t machine, std::string_view name);
  /// Hosts become the resources that alone bear their name. Call once, after the last file.
  void join_names();
  std::uint32_t resolved(std::uint32_t machine) const;

  /// True the first time that a key is asked about: a job or run that stands in several files.
  bool first_time(std::string_view key);

  void settle(std::uint16_t file, Outcome outcome, std::string_view reason, std::size_t line,
              std::uint16_t currency = 0, double money = 0);
  ServiceAmount& amount(std::uint16_t file, std::string_view what, std::uint8_t provider,
                        std::uint32_t region, std::uint32_t account);
  void problem(std::uint16_t file, std::size_t line, std::string_view field,
               std::string_view allowed);

 private:
  std::uint32_t made(std::unordered_map<std::uint64_t, std::uint32_t>& table, std::uint64_t key);

  std::unordered_map<std::string, std::uint32_t> text_index_;
  std::unordered_map<std::uint64_t, std::uint32_t> resources_, hosts_, pools_;
  struct Bearer {
    std::uint32_t machine = kNone;
    bool many = false;
  };
  std::unordered_map<std::uint64_t, Bearer> bearers_;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> host_names_;
  std::map<std::array<std::uint64_t, 5>, std::size_t> amount_index_;
  std::unordered_set<std::uint64_t> met_;
};

/// "gpu01" of "GPU01.cluster.example:9100" and of ".../virtualMachines/gpu01"; addresses stay
/// whole.
std::string host_word(std::string_view name);

}  // namespace carnot::assess
