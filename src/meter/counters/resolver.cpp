// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/counters/resolver.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace carnot::meter {

namespace {

using Index = std::size_t;

bool is_processor(DomainKind kind) {
  return kind == DomainKind::Package || kind == DomainKind::Core || kind == DomainKind::Uncore ||
         kind == DomainKind::Dram || kind == DomainKind::Platform;
}

// Of several interfaces to one register or meter, the lowest is read.
int rank_of(const Domain& d) {
  constexpr std::string_view kProcessor[] = {"perf", "powercap", "msr", "hwmon"};
  constexpr std::string_view kAccelerator[] = {"nvml", "amd-smi", "hwmon"};
  constexpr std::string_view kNode[] = {"redfish", "ipmi", "hwmon"};
  const auto place = [&](auto& words) {
    return static_cast<int>(std::find(std::begin(words), std::end(words), d.source) -
                            std::begin(words));
  };
  if (is_processor(d.kind)) return place(kProcessor);
  return d.kind == DomainKind::Node ? place(kNode) : place(kAccelerator);
}

class Resolver {
 public:
  explicit Resolver(std::span<const Domain> domains) : domains_(domains) {
    result_.entries.resize(domains.size());
    decided_.resize(domains.size());
  }

  Resolution run() {
    for (Index i = 0; i < domains_.size(); ++i) find_same_register(i);
    for (Index i = 0; i < domains_.size(); ++i) find_better_interface(i);
    set_silent_aside();
    if (has(DomainKind::Package) || has(DomainKind::Module)) {
      count_chips();
    } else if (has(DomainKind::Node)) {
      count_nodes();
    } else if (has(DomainKind::Gpu) || has(DomainKind::Dram)) {
      count_accelerators();
    } else {
      count_first_of(
          {DomainKind::Platform, DomainKind::Battery, DomainKind::Rail, DomainKind::Model});
    }
    for (Index i = 0; i < domains_.size(); ++i)
      if (!decided_[i]) place_rest(i);
    sum_up();
    return std::move(result_);
  }

 private:
  bool has(DomainKind kind) const { return first(kind).has_value(); }

  /// The first undecided or counted domain of a kind, preferably of `socket`.
  std::optional<Index> first(DomainKind kind, int socket = -1) const {
    std::optional<Index> any;
    for (Index i = 0; i < domains_.size(); ++i) {
      if (domains_[i].kind != kind) continue;
      if (decided_[i] && result_.entries[i].role != Role::Counted) continue;
      if (socket >= 0 && domains_[i].socket == socket) return i;
      if (!any) any = i;
    }
    return any;
  }

  void decide(Index i, Role role, std::string of, std::string reason) {
    result_.entries[i] = {role, std::move(of), std::move(reason)};
    decided_[i] = true;
  }

  std::optional<Index> find(const std::string& id) const {
    for (Index i = 0; i < domains_.size(); ++i)
      if (domains_[i].id == id) return i;
    return std::nullopt;
  }

  /// Which of its source and kind this is, counted from 0.
  Index ordinal(Index i) const {
    return static_cast<Index>(std::count_if(
        domains_.begin(), domains_.begin() + static_cast<std::ptrdiff_t>(i), [&](const Domain& d) {
          return d.kind == domains_[i].kind && d.source == domains_[i].source;
        }));
  }

  bool same_thing(Index a, Index b) const {
    const Domain& x = domains_[a];
    const Domain& y = domains_[b];
    if (is_processor(x.kind) && x.socket >= 0 && y.socket >= 0)
      return x.socket == y.socket && x.core == y.core && (x.die == y.die || x.die < 0 || y.die < 0);
    return ordinal(a) == ordinal(b);
  }

  void find_same_register(Index i) {
    const Domain& d = domains_[i];
    const auto same = find(d.same_as);
    if (same && *same < i && domains_[*same].kind == d.kind &&
        (domains_[*same].silent.empty() || !d.silent.empty()))
      decide(i, Role::Duplicate, d.same_as, "reads the same register as " + d.same_as);
  }

  void find_better_interface(Index i) {
    if (decided_[i]) return;
    const Domain& d = domains_[i];
    const bool repeats = is_processor(d.kind) || d.kind == DomainKind::Gpu ||
                         d.kind == DomainKind::GpuMemory || d.kind == DomainKind::Module;
    if (!repeats || is_nvidia_beside_amd(d)) return;
    std::optional<Index> better;
    for (Index j = 0; j < domains_.size(); ++j) {
      if (domains_[j].kind != d.kind || domains_[j].source == d.source) continue;
      if (!domains_[j].same_as.empty() && decided_[j]) continue;  // what it repeats is looked at
      if (!domains_[j].silent.empty() && d.silent.empty()) continue;
      if (is_nvidia_beside_amd(domains_[j]) || rank_of(domains_[j]) >= rank_of(d)) continue;
      if (!same_thing(i, j)) continue;
      if (!better || rank_of(domains_[j]) < rank_of(domains_[*better])) better = j;
    }
    if (better)
      decide(i, Role::Duplicate, domains_[*better].id,
             fmt::format("{} reads the same {} through another interface", domains_[*better].id,
                         carnot::meter::name(d.kind)));
  }

  /// NVIDIA's boards have one interface; AMD's two, of which neither shows NVIDIA's.
  static bool is_nvidia_beside_amd(const Domain& d) {
    return d.kind != DomainKind::Module && !is_processor(d.kind) && d.source == "nvml";
  }

  void count(DomainKind kind, const std::string& reason) {
    for (Index i = 0; i < domains_.size(); ++i)
      if (!decided_[i] && domains_[i].kind == kind) decide(i, Role::Counted, "", reason);
  }

  void count_chips() {
    count(DomainKind::Module, "one module of processor and accelerator");
    for (Index i = 0; i < domains_.size(); ++i)
      if (!decided_[i]) place_in_module(i);
    count(DomainKind::Package, "one processor package or die");
    count(DomainKind::Dram, "memory is not inside package");
    count(DomainKind::Gpu, "one accelerator board");
  }

  void place_in_module(Index i) {
    const Domain& d = domains_[i];
    if (d.kind != DomainKind::Package && d.kind != DomainKind::Dram && d.kind != DomainKind::Gpu)
      return;
    for (Index j = 0; j < domains_.size(); ++j) {
      const Domain& m = domains_[j];
      if (m.kind != DomainKind::Module || result_.entries[j].role != Role::Counted) continue;
      const bool is_here = d.kind == DomainKind::Gpu
                               ? d.device < 0 || m.device < 0 || d.device == m.device
                               : d.socket < 0 || m.socket < 0 || d.socket == m.socket;
      if (!is_here) continue;
      decide(i, Role::Part, m.id, "inside the module");
      return;
    }
  }

  /// What was found silent counts only where nothing else speaks, and no model can.
  void set_silent_aside() {
    const bool any_speaks = std::any_of(domains_.begin(), domains_.end(), [](const Domain& d) {
      return d.silent.empty() && d.kind != DomainKind::Gpu && d.kind != DomainKind::GpuMemory &&
             d.kind != DomainKind::Dram;
    });
    for (Index i = 0; any_speaks && i < domains_.size(); ++i)
      if (!decided_[i] && !domains_[i].silent.empty())
        decide(i, Role::Beside, "", domains_[i].silent);
  }

  /// Boards, and for the processors beside them the model.
  void count_accelerators() {
    const auto model = first(DomainKind::Model);
    if (!model) {
      result_.notes.push_back({"sum",
                               "no processor counter: the sum is that of accelerators and memory "
                               "alone",
                               ""});
    } else {
      decide(*model, Role::Counted, "", "no sensor sees the processors");
      for (Index i = 0; i < domains_.size(); ++i)
        if (!decided_[i] && domains_[i].kind == DomainKind::Dram)
          decide(i, Role::Part, domains_[*model].id, "memory is inside what is modelled");
    }
    count_chips();
  }

  void count_nodes() {
    int best = 99;
    for (const Domain& d : domains_)
      if (d.kind == DomainKind::Node) best = std::min(best, rank_of(d));
    for (Index i = 0; i < domains_.size(); ++i)
      if (!decided_[i] && domains_[i].kind == DomainKind::Node && rank_of(domains_[i]) == best)
        decide(i, Role::Counted, "", "the machine's own meter; there is no processor counter");
  }

  void count_first_of(std::initializer_list<DomainKind> kinds) {
    for (const DomainKind kind : kinds) {
      const auto one = first(kind);
      if (!one) continue;
      for (Index i = 0; i < domains_.size(); ++i)
        if (!decided_[i] && domains_[i].kind == kind &&
            domains_[i].boundary == domains_[*one].boundary) {
          const auto around = find(domains_[i].parent);
          if (around && domains_[*around].kind == kind && *around != i) {
            decide(i, Role::Part, domains_[*around].id, "fed by " + domains_[*around].label);
            continue;
          }
          decide(i, Role::Counted, "", "the best there is on this machine");
        }
      if (kind == DomainKind::Rail)
        result_.notes.push_back({"sum", "supply rails of unknown scope are all there is", ""});
      return;
    }
  }

  /// The counted domain that contains `i`, through its parent or by place.
  std::optional<Index> container(Index i, DomainKind kind) const {
    std::string id = domains_[i].parent;
    for (Index steps = 0; steps < domains_.size() && !id.empty(); ++steps) {
      const auto at = find(id);
      if (!at) break;
      const Resolution::Entry& entry = result_.entries[*at];
      if (decided_[*at] && entry.role == Role::Counted) return at;
      id = decided_[*at] && !entry.of.empty() ? entry.of : domains_[*at].parent;
    }
    std::optional<Index> any;
    for (Index j = 0; j < domains_.size(); ++j) {
      if (!decided_[j] || result_.entries[j].role != Role::Counted) continue;
      const Domain& c = domains_[j];
      if (c.kind != kind && c.kind != DomainKind::Module && c.kind != DomainKind::Node) continue;
      const bool is_near =
          kind == DomainKind::Gpu ? c.device == domains_[i].device : c.socket == domains_[i].socket;
      if (is_near) return j;
      if (!any) any = j;
    }
    return any;
  }

  void place_rest(Index i) {
    const Domain& d = domains_[i];
    const auto inside = [&](DomainKind kind) {
      if (const auto at = container(i, kind)) {
        decide(i, Role::Part, domains_[*at].id,
               fmt::format("inside {}", carnot::meter::name(domains_[*at].kind)));
      } else {
        decide(i, Role::Beside, "", "what contains it is not measured");
      }
    };
    switch (d.kind) {
      case DomainKind::Core:
      case DomainKind::Uncore:
        return inside(DomainKind::Package);
      case DomainKind::GpuMemory:
        return inside(DomainKind::Gpu);
      case DomainKind::Dram:
      case DomainKind::Gpu:
        return inside(DomainKind::Node);
      case DomainKind::Platform:
        return decide(i, Role::Beside, "",
                      "contains the packages; what else differs between machines");
      case DomainKind::Node:
      case DomainKind::Battery:
        return decide(i, Role::Beside, "", "contains the whole machine, at another boundary");
      case DomainKind::Model:
        return decide(i, Role::StandIn, "", "counts while no sensor of the processors speaks");
      default:
        return decide(i, Role::Beside, "", "overlaps what is counted in a way nobody documents");
    }
  }

  void sum_up() {
    bool any = false;
    for (Index i = 0; i < domains_.size(); ++i) {
      if (result_.entries[i].role != Role::Counted) continue;
      // Of unlike boundaries the wider: a board beside a machine that is modelled.
      result_.boundary =
          any ? std::max(result_.boundary, domains_[i].boundary) : domains_[i].boundary;
      result_.origin = any ? worst(result_.origin, domains_[i].origin) : domains_[i].origin;
      any = true;
    }
  }

  std::span<const Domain> domains_;
  Resolution result_;
  std::vector<char> decided_;
};

// Energy of one step of the sensor, below which two readings are equal.
double quantum(const Domain& d) {
  return d.is_counter ? 1.5 * static_cast<double>(d.counter.step) * d.counter.unit.base() : 0.0;
}

bool may_mirror(const Domain& a, const Domain& b) {
  if (a.kind != b.kind || !a.is_counter || !b.is_counter) return false;
  return a.socket < 0 || b.socket < 0 || a.socket == b.socket;
}

// Two readings of one register may fall on different sides of an update, which the next reading
// makes good: so most deltas are equal, and what differs does not add up.
bool mirrors(const Domain& a, const Domain& b, Index i, Index j,
             std::span<const std::vector<double>> deltas) {
  const double step = std::max(quantum(a), quantum(b));
  int readings = 0, equal = 0, different_values = 0;
  double ahead = 0.0, greatest = 0.0, last = 0.0;
  for (const std::vector<double>& row : deltas) {
    if (!std::isfinite(row[i]) || !std::isfinite(row[j])) continue;
    ++readings;
    const double difference = row[i] - row[j];
    equal += std::abs(difference) <= step;
    ahead += difference;
    greatest = std::max({greatest, row[i], row[j]});
    if (std::abs(ahead) > step + 0.02 * greatest) return false;
    if (row[i] > 0 && row[j] > 0 && std::abs(row[i] - last) > step) {
      ++different_values;
      last = row[i];
    }
  }
  return readings >= 3 && different_values >= 2 && 2 * equal > readings;
}

}  // namespace

Resolution resolve(std::span<const Domain> domains) { return Resolver(domains).run(); }

Resolution observe(std::span<const Domain> domains, const Resolution& resolution,
                   std::span<const std::vector<double>> deltas) {
  Resolution refined = resolution;
  for (Index j = 0; j < domains.size(); ++j) {
    for (Index i = 0; i < j; ++i) {
      if (refined.entries[i].role != Role::Counted || refined.entries[j].role != Role::Counted ||
          !may_mirror(domains[i], domains[j]) || !mirrors(domains[i], domains[j], i, j, deltas))
        continue;
      refined.entries[j] = {
          Role::Duplicate, domains[i].id,
          fmt::format("counted the same as {} in {} readings", domains[i].id, deltas.size())};
      refined.notes.push_back(
          {domains[j].source,
           fmt::format("{} mirrors {}: counted once", domains[j].id, domains[i].id), ""});
      for (Resolution::Entry& part : refined.entries)
        if (part.role == Role::Part && part.of == domains[j].id) part.of = domains[i].id;
    }
  }
  return refined;
}

}  // namespace carnot::meter
