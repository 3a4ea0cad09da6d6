// SPDX-License-Identifier: Apache-2.0
// A MATPOWER case, version 2 (R. D. Zimmerman, C. E. Murillo-Sanchez, MATPOWER User's Manual,
// appendix B): columns are told by their position.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numbers>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/grid/network/network.hpp"

#include "grid/network/matpower_syntax.hpp"

namespace carnot::grid {

namespace {

using Fields = std::map<std::string, OctaveValue>;
using Row = OctaveValue::Row;

constexpr double kRadianPerDegree = std::numbers::pi / 180.0;

class Reader {
 public:
  Reader(const Fields& fields, const std::string& name)
      : fields_(fields),
        name_(name),
        places_{.buses = {name}, .branches = {name}, .dc_lines = {name}, .generators = {name}} {}

  Grid read() {
    read_header();
    read_buses();
    read_generators();
    for (const Row& row : matrix("branch", 11)) read_branch(row);
    read_dc_lines();
    problems_.throw_if_any();
    grid_.name = std::filesystem::path(name_).stem().string();
    if (self_loops_ > 0)
      grid_.notes.push_back(
          fmt::format("{} from a bus to itself left out: nothing flows there",
                      self_loops_ == 1 ? "1 branch" : fmt::format("{} branches", self_loops_)));
    validate(grid_, places_);
    note_references();
    try {
      costs_.throw_if_any();
    } catch (const InputError& error) {
      grid_.cost_fault = error.what();
    }
    return std::move(grid_);
  }

 private:
  void refuse(const Row& row, std::string_view field, std::string_view allowed) {
    problems_.add({name_, row.line}, field, allowed);
  }

  const OctaveValue* find(const std::string& field) const {
    const auto there = fields_.find(field);
    return there == fields_.end() ? nullptr : &there->second;
  }

  /// Rows with at least so many columns; the others are reported and left out.
  std::vector<Row> optional_matrix(const std::string& field, std::size_t columns) {
    return rows_of(field, columns, problems_);
  }

  std::vector<Row> rows_of(const std::string& field, std::size_t columns, Problems& problems) {
    const OctaveValue* value = find(field);
    if (value == nullptr) return {};
    if (!value->fault.empty() || value->is_string || value->is_cell) {
      problems.add({name_, value->line}, field,
                   value->fault.empty() ? "a matrix of numbers" : value->fault);
      return {};
    }
    std::vector<Row> rows;
    for (const Row& row : value->rows) {
      if (row.numbers.size() < columns)
        problems.add({name_, row.line}, field,
                     fmt::format("at least {} columns, found {}", columns, row.numbers.size()));
      else
        rows.push_back(row);
    }
    return rows;
  }

  std::vector<Row> matrix(const std::string& field, std::size_t columns) {
    if (find(field) == nullptr) {
      // A whole case that a function gives, `mpc = loadcase(...)`.
      const OctaveValue* whole = find("mpc");
      problems_.add({name_, whole == nullptr ? 0 : whole->line}, field,
                    whole == nullptr || whole->fault.empty() ? fmt::format("a matrix mpc.{}", field)
                                                             : whole->fault);
    }
    return optional_matrix(field, columns);
  }

  void read_header() {
    const OctaveValue* version = find("version");
    if (version != nullptr && version->text != "2" &&
        (!version->is_number() || version->rows.front().numbers.front() != 2.0))
      problems_.add({name_, version->line}, "version", "'2'");
    const std::vector<Row> base = matrix("baseMVA", 1);
    if (!base.empty()) grid_.base_mva = base.front().numbers.front();
  }

  void read_buses() {
    for (const Row& row : matrix("bus", 13)) {
      const double id = row.numbers[0], type = row.numbers[1];
      if (!(id == std::floor(id)) || !(std::abs(id) < 1e15)) {
        refuse(row, "bus: bus_i", "a whole number");
        continue;
      }
      const auto number = static_cast<std::int64_t>(id);
      if (!(type == 1.0 || type == 2.0 || type == 3.0 || type == 4.0)) {
        refuse(row, "bus: type", "1 (load), 2 (generator), 3 (reference) or 4 (isolated)");
        continue;
      }
      if (!known_.insert(number).second) {
        refuse(row, "bus: bus_i", fmt::format("each bus once; {} is there twice", number));
        continue;
      }
      if (type == 4.0) continue;
      index_[number] = grid_.buses.size();
      const double area = row.numbers[6];
      places_.buses.lines.push_back(row.line);
      grid_.buses.push_back({number, row.numbers[2], row.numbers[4], type == 3.0,
                             std::abs(area) < 1e9 ? static_cast<int>(area) : 1});
    }
  }

  /// The index of a bus; none if it is isolated (the element is then out) or unknown (said).
  std::optional<std::size_t> bus_of(const Row& row, std::size_t column, std::string_view field) {
    const double id = row.numbers[column];
    const bool whole = id == std::floor(id) && std::abs(id) < 1e15;
    const std::int64_t number = whole ? static_cast<std::int64_t>(id) : 0;
    if (!whole || !known_.contains(number)) {
      refuse(row, field, fmt::format("a bus of mpc.bus; there is no bus {:g}", id));
      return {};
    }
    const auto there = index_.find(number);
    if (there == index_.end()) return {};
    return there->second;
  }

  void read_generators() {
    const std::vector<Row> generators = matrix("gen", 10);
    const std::vector<Row> costs = costs_of("gencost", generators.size(), "generator");
    const OctaveValue *names = find("gen_name"), *fuels = find("genfuel");
    for (std::size_t g = 0; g < generators.size(); ++g) {
      const Row& row = generators[g];
      const std::optional<std::size_t> bus = bus_of(row, 0, "gen: bus");
      if (!bus || !(row.numbers[7] > 0.0)) continue;
      GridGenerator generator{
          .name = cell(names, g),
          .bus = *bus,
          .minimum_mw = row.numbers[9],
          .maximum_mw = row.numbers[8],
          .setpoint_mw = row.numbers[1],
          .cost = costs.empty() ? GeneratorCost{} : cost_of(costs[g], "gencost"),
          .weather_driven = cell(fuels, g) == "wind" || cell(fuels, g) == "solar"};
      grid_.generators.push_back(std::move(generator));
      places_.generators.lines.push_back(row.line);
    }
  }

  /// One row, or two with reactive costs, for each; none if that is not so, which an optimum will
  /// not forgive and a flow will.
  std::vector<Row> costs_of(const std::string& field, std::size_t elements, const char* each) {
    if (find(field) == nullptr) {
      if (elements > 0)
        costs_.add({name_, 0}, field,
                   fmt::format("a matrix mpc.{}: an optimum needs costs, a flow does not", field));
      return {};
    }
    std::vector<Row> costs = rows_of(field, 5, costs_);
    if (costs.size() == elements || costs.size() == 2 * elements) return costs;
    costs_.add({name_, find(field)->line}, field,
               fmt::format("one row a {} ({}), or two with reactive costs; found {}", each,
                           elements, costs.size()));
    return {};
  }

  static std::string cell(const OctaveValue* value, std::size_t row) {
    if (value == nullptr || row >= value->rows.size() || value->rows[row].strings.empty())
      return {};
    return value->rows[row].strings.front();
  }

  GeneratorCost cost_of(const Row& row, const std::string& field) {
    const std::vector<double>& n = row.numbers;
    const double model = n[0], count = n[3];
    if (model != 1.0 && model != 2.0) {
      costs_.add({name_, row.line}, field + ": model", "1 (straight lines) or 2 (polynomial)");
      return {};
    }
    const double least = model == 1.0 ? 2.0 : 1.0,
                 wanted = 4.0 + (model == 1.0 ? 2.0 : 1.0) * count;
    if (!(count >= least) || !(count == std::floor(count)) ||
        !(wanted <= static_cast<double>(n.size()))) {
      costs_.add({name_, row.line}, field + ": n",
                 "as many costs as the row gives; two points of a curve at least");
      return {};
    }
    const std::span<const double> given(n.data() + 4, static_cast<std::size_t>(wanted) - 4);
    if (!std::all_of(given.begin(), given.end(), [](double v) { return std::isfinite(v); })) {
      costs_.add({name_, row.line}, field, "finite numbers");
      return {};
    }
    return model == 1.0 ? curve(row, field, given) : polynomial(row, field, given);
  }

  GeneratorCost curve(const Row& row, const std::string& field, std::span<const double> given) {
    GeneratorCost cost;
    for (std::size_t k = 0; k + 1 < given.size(); k += 2) {
      if (k > 0 && !(given[k] > cost.points.back().output_mw)) {
        costs_.add({name_, row.line}, field, "points in increasing order of output");
        return {};
      }
      cost.points.push_back({given[k], given[k + 1]});
    }
    return cost;
  }

  GeneratorCost polynomial(const Row& row, const std::string& field,
                           std::span<const double> given) {
    GeneratorCost cost;
    double* const terms[] = {&cost.c0_per_h, &cost.c1_per_mwh, &cost.c2_per_mw2h};
    for (std::size_t k = 0; k < given.size(); ++k) {
      const std::size_t power = given.size() - 1 - k;
      if (power < 3)
        *terms[power] = given[k];
      else if (given[k] != 0.0)
        costs_.add({name_, row.line}, field, "a polynomial of degree 2 at most");
    }
    if (cost.c2_per_mw2h < 0.0) costs_.add({name_, row.line}, field, "a square term of at least 0");
    return cost;
  }

  void read_branch(const Row& row) {
    const std::vector<double>& n = row.numbers;
    const std::optional<std::size_t> from = bus_of(row, 0, "branch: fbus");
    const std::optional<std::size_t> to = bus_of(row, 1, "branch: tbus");
    if (!from || !to || n[10] == 0.0) return;
    if (*from == *to) {
      ++self_loops_;
      return;
    }
    GridBranch branch{.from = *from,
                      .to = *to,
                      .resistance_pu = n[2],
                      .reactance_pu = n[3],
                      .tap = n[8] == 0.0 ? 1.0 : n[8],
                      .shift_rad = n[9] * kRadianPerDegree,
                      .limit_mw = n[5] == 0.0 ? kInfinity : n[5]};
    // Both zero, or a full turn, is no limit.
    if (n.size() >= 13 && (n[11] != 0.0 || n[12] != 0.0)) {
      if (n[11] > -360.0) branch.angle_min_rad = n[11] * kRadianPerDegree;
      if (n[12] < 360.0) branch.angle_max_rad = n[12] * kRadianPerDegree;
    }
    grid_.branches.push_back(branch);
    places_.branches.lines.push_back(row.line);
  }

  void read_dc_lines() {
    const std::vector<Row> rows = optional_matrix("dcline", 17);
    const std::vector<Row> costs = find("dclinecost") == nullptr
                                       ? std::vector<Row>{}
                                       : costs_of("dclinecost", rows.size(), "direct-current line");
    for (std::size_t d = 0; d < rows.size(); ++d) {
      const std::vector<double>& n = rows[d].numbers;
      const std::optional<std::size_t> from = bus_of(rows[d], 0, "dcline: fbus");
      const std::optional<std::size_t> to = bus_of(rows[d], 1, "dcline: tbus");
      if (!from || !to || n[2] == 0.0) continue;
      grid_.dc_lines.push_back({*from, *to, n[9], n[10], n[3], n[15], n[16],
                                costs.empty() ? GeneratorCost{} : cost_of(costs[d], "dclinecost")});
      places_.dc_lines.lines.push_back(rows[d].line);
    }
  }

  /// Says where an island's reference is not what the file says.
  void note_references() {
    const std::vector<bool> chosen = reference_buses(grid_);
    std::size_t made = 0, passed = 0;
    std::int64_t first_made = 0, first_passed = 0;
    for (std::size_t b = 0; b < chosen.size(); ++b) {
      const GridBus& bus = grid_.buses[b];
      if (chosen[b] && !bus.reference && made++ == 0) first_made = bus.id;
      if (!chosen[b] && bus.reference && passed++ == 0) first_passed = bus.id;
    }
    if (made > 0)
      grid_.notes.push_back(
          fmt::format("{} without a reference bus (type 3): bus {}{} has the angle 0",
                      made == 1 ? "1 island" : fmt::format("{} islands", made), first_made,
                      made == 1 ? "" : fmt::format(" and {} others", made - 1)));
    if (passed > 0)
      grid_.notes.push_back(
          fmt::format("an island has one reference bus, its first: bus {}{} is none", first_passed,
                      passed == 1 ? "" : fmt::format(" and {} others", passed - 1)));
  }

  const Fields& fields_;
  const std::string& name_;
  Problems problems_, costs_;
  std::size_t self_loops_ = 0;
  GridPlaces places_;
  Grid grid_;
  std::set<std::int64_t> known_;
  std::map<std::int64_t, std::size_t> index_;  ///< of those in service
};

}  // namespace

Grid parse_matpower(std::string_view text, const std::string& name) {
  return Reader(parse_octave(text, name), name).read();
}

Grid read_matpower(const std::string& path) { return parse_matpower(read_input(path), path); }

}  // namespace carnot::grid
