// SPDX-License-Identifier: Apache-2.0
// carnot catalogue list | show | diff | lint
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/version.hpp"
#include "carnot/model/circuit/technologies.hpp"
#include "carnot/model/explain/coefficients.hpp"
#include "carnot/model/footprint/accounting.hpp"

#include "command.hpp"
#include "explain_command.hpp"

namespace carnot::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<const char*, 5> kListed = {"bf16", "bandwidth", "memory", "tdp", "process"};

struct CatalogueCommand {
  std::vector<std::string> files, names;
  std::string kind = "chips";
};

/// One value of any kind of row.
Json value_json(const char* key, const std::string& id, double value, double low, double high,
                const std::string& unit, int year, const std::string& source) {
  Json row;
  row[key] = id;
  row["value"] = value;
  row["low"] = low;
  row["high"] = high;
  row["unit"] = unit;
  row["year"] = year;
  row["source"] = source;
  return row;
}

Json document(const Common& common, Json rows) {
  Json out;
  out["schema"] = "carnot.catalogue/1";
  out["carnot"] = std::string(kVersion);
  out["command"] = common.command_line;
  out["rows"] = std::move(rows);
  return out;
}

std::string number(double value) { return fmt::format("{:.6g}", value); }
std::string range(double value, double low, double high) {
  return low < value || high > value ? fmt::format("{} … {}", number(low), number(high)) : "";
}

std::string padded(const std::string& text, std::size_t width) {
  // "…" is one column of three bytes.
  std::size_t columns = 0;
  for (const char c : text) columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  return text + std::string(columns < width ? width - columns : 1, ' ');
}

/// A row of a table.
template <class... Words>
std::vector<std::string> cells(const Words&... words) {
  std::vector<std::string> out;
  out.reserve(sizeof...(words));
  (out.emplace_back(words), ...);
  return out;
}

/// Columns as wide as their cells.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (widths.size() <= c) widths.push_back(0);
      widths[c] = std::max(widths[c], row[c].size() + 2);
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line = "  ";
    for (std::size_t c = 0; c < row.size(); ++c)
      line += c + 1 < row.size() ? padded(row[c], widths[c]) : row[c];
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  return out;
}

constexpr const char* kKinds =
    "chips, energy, memories, links, networks, pue, technologies, training or grids";

/// Beginnings of the ids of a kind of energy_coefficients.csv; empty: all. Null: another table.
const std::vector<std::string_view>* prefixes_of(const std::string& kind) {
  static const std::map<std::string, std::vector<std::string_view>> known = {
      {"energy", {}},
      {"memories", {"memory."}},
      {"links", {"link.", "wire."}},
      {"networks", {"network.", "link.network"}},
      {"pue", {"pue.", "water."}}};
  const auto there = known.find(kind);
  return there == known.end() ? nullptr : &there->second;
}

int list(const CatalogueCommand& c, const Common& common) {
  Json rows = Json::array();
  std::vector<std::vector<std::string>> lines;
  if (c.kind == "chips") {
    lines.push_back(cells("chip", "name", "bf16 TFLOP/s", "GB/s", "GB", "W", "nm"));
    const model::ChipCatalogue catalogue = explain_catalogue(c.files);
    for (const model::Chip& chip : catalogue.chips()) {
      std::vector<std::string> line = cells(chip.id, chip.name);
      Json row;
      row["chip"] = chip.id;
      row["name"] = chip.name;
      row["vendor"] = chip.vendor;
      for (const char* property : kListed) {
        const model::ChipValue* v = chip.find(property);
        line.push_back(v != nullptr ? number(v->value) : "");
        row[property] = v != nullptr ? Json(v->value) : Json();
      }
      lines.push_back(std::move(line));
      rows.push_back(std::move(row));
    }
  } else if (const std::vector<std::string_view>* prefixes = prefixes_of(c.kind)) {
    lines.push_back(cells("id", "value", "range", "unit", "grade", "year", "source"));
    for (const model::EnergyCoefficient& k : model::CoefficientTable::embedded().rows()) {
      if (!prefixes->empty() &&
          std::none_of(prefixes->begin(), prefixes->end(),
                       [&](std::string_view prefix) { return k.id.starts_with(prefix); }))
        continue;
      lines.push_back(cells(k.id, number(k.value), range(k.value, k.low, k.high), k.unit,
                            std::string(name(k.grade)), std::to_string(k.year), k.source));
      Json row = value_json("id", k.id, k.value, k.low, k.high, k.unit, k.year, k.source);
      row["grade"] = name(k.grade);
      row["licence"] = k.licence;
      rows.push_back(std::move(row));
    }
  } else if (c.kind == "technologies") {
    lines.push_back(cells("id", "name", "J", "range", "of one", "at K", "grade", "year", "source"));
    for (const model::Technology& t : model::technologies()) {
      lines.push_back(cells(t.id, t.name, number(t.value), range(t.value, t.low, t.high), t.per,
                            number(t.temperature.in(kelvin)), std::string(name(t.grade)),
                            std::to_string(t.year), t.source));
      Json row = value_json("id", t.id, t.value, t.low, t.high, "J/" + t.per, t.year, t.source);
      row["name"] = t.name;
      row["temperature_k"] = t.temperature.in(kelvin);
      row["grade"] = name(t.grade);
      row["licence"] = t.licence;
      rows.push_back(std::move(row));
    }
  } else if (c.kind == "training") {
    lines.push_back(cells("id", "name", "MWh", "parameters", "tokens", "grade", "year", "source"));
    for (const model::PublishedTraining& t : model::training_runs()) {
      const double mwh = t.energy.in(megawatt_hour);
      lines.push_back(cells(t.id, t.name, number(mwh), number(t.parameters), number(t.tokens),
                            std::string(name(t.grade)), std::to_string(t.year), t.source));
      Json row = value_json("id", t.id, mwh, mwh, mwh, "MWh", t.year, t.source);
      row["name"] = t.name;
      row["parameters"] = t.parameters;
      row["tokens"] = t.tokens;
      row["grade"] = name(t.grade);
      row["licence"] = t.licence;
      rows.push_back(std::move(row));
    }
  } else if (c.kind == "grids") {
    lines.push_back(cells("code", "name", "g/kWh", "range", "year", "source"));
    for (const model::GridIntensity& g : model::grid_intensities()) {
      const double v = g.intensity.value().in(gram_per_kilowatt_hour);
      const double low = g.intensity.low().in(gram_per_kilowatt_hour);
      const double high = g.intensity.high().in(gram_per_kilowatt_hour);
      lines.push_back(
          {g.code, g.name, number(v), range(v, low, high), std::to_string(g.year), g.source});
      Json row = value_json("code", g.code, v, low, high, "g/kWh", g.year, g.source);
      row["name"] = g.name;
      rows.push_back(std::move(row));
    }
  } else {
    throw UsageError(fmt::format("--kind: {}, not `{}`", kKinds, c.kind.substr(0, 40)));
  }
  print(common.json ? document(common, std::move(rows)).dump(2) + "\n" : table(lines));
  return kOk;
}

int show(const CatalogueCommand& c, const Common& common) {
  const model::ChipCatalogue catalogue = explain_catalogue(c.files);
  const model::Chip& chip = catalogue.chip(c.names.front());
  Json rows = Json::array();
  std::vector<std::vector<std::string>> lines{
      cells("property", "value", "range", "unit", "grade", "year", "source")};
  for (const auto& [property, v] : chip.values) {
    lines.push_back(cells(property, number(v.value), range(v.value, v.low, v.high), v.unit,
                          std::string(name(v.grade)), std::to_string(v.year), v.source));
    Json row = value_json("property", property, v.value, v.low, v.high, v.unit, v.year, v.source);
    row["grade"] = name(v.grade);
    row["licence"] = v.licence;
    rows.push_back(std::move(row));
  }
  if (common.json) {
    Json out = document(common, std::move(rows));
    out["chip"] = chip.id;
    out["name"] = chip.name;
    out["vendor"] = chip.vendor;
    print(out.dump(2) + "\n");
  } else {
    print(fmt::format("{}: {}, {}\n\n{}", chip.id, chip.name, chip.vendor, table(lines)));
  }
  return kOk;
}

int diff(const CatalogueCommand& c, const Common& common) {
  const model::ChipCatalogue catalogue = explain_catalogue(c.files);
  const model::Chip& a = catalogue.chip(c.names.at(0));
  const model::Chip& b = catalogue.chip(c.names.at(1));
  std::set<std::string> properties;
  for (const auto& entry : a.values) properties.insert(entry.first);
  for (const auto& entry : b.values) properties.insert(entry.first);
  Json rows = Json::array();
  std::vector<std::vector<std::string>> lines{cells("property", a.id, b.id, "unit", "ratio")};
  for (const std::string& property : properties) {
    const model::ChipValue* left = a.find(property);
    const model::ChipValue* right = b.find(property);
    if (left != nullptr && right != nullptr && left->value == right->value) continue;
    const bool both = left != nullptr && right != nullptr;
    lines.push_back(
        {property, left != nullptr ? number(left->value) : "-",
         right != nullptr ? number(right->value) : "-", left != nullptr ? left->unit : right->unit,
         both && property != "released" ? fmt::format("{:.2f}", right->value / left->value) : ""});
    Json row;
    row["property"] = property;
    row["unit"] = left != nullptr ? left->unit : right->unit;
    row[a.id] = left != nullptr ? Json(left->value) : Json();
    row[b.id] = right != nullptr ? Json(right->value) : Json();
    row["ratio"] = both ? Json(right->value / left->value) : Json();
    rows.push_back(std::move(row));
  }
  print(common.json ? document(common, std::move(rows)).dump(2) + "\n" : table(lines));
  return kOk;
}

int lint(const CatalogueCommand& c, const Common& common) {
  std::vector<model::Finding> findings = explain_catalogue(c.files).lint();
  const std::vector<model::Finding> tables =
      lint_coefficients(model::CoefficientTable::embedded().rows());
  findings.insert(findings.end(), tables.begin(), tables.end());
  Json rows = Json::array();
  std::string text;
  for (const model::Finding& f : findings) {
    text += fmt::format("{}: {}: {}\n", f.chip, f.property, f.message);
    Json row;
    row["chip"] = f.chip;
    row["property"] = f.property;
    row["message"] = f.message;
    rows.push_back(std::move(row));
  }
  if (findings.empty()) text = "nothing contradicts itself\n";
  print(common.json ? document(common, std::move(rows)).dump(2) + "\n" : text);
  return findings.empty() ? kOk : kOutcomeSaysNo;
}

}  // namespace

void add_catalogue(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<CatalogueCommand>();
  CLI::App* command = app.add_subcommand(
      "catalogue", "Chips, energies and grids that explain stands on, with source and grade");
  command->require_subcommand(1);
  const auto add = [&](const char* word, const char* what,
                       int (*run)(const CatalogueCommand&, const Common&)) {
    CLI::App* sub = command->add_subcommand(word, what);
    sub->add_option("--add", c->files, "CSV or TOML of chips of your own; again for more");
    sub->fallthrough();
    sub->callback(
        [c, run, &common, &action] { action = [c, run, &common] { return run(*c, common); }; });
    return sub;
  };
  add("list", "All of a kind", list)
      ->add_option("--kind", c->kind, std::string("chips (default), ") + (kKinds + 7));
  add("show", "A chip's values", show)
      ->add_option("chip", c->names, "Id or name")
      ->required()
      ->expected(1);
  add("diff", "Where two chips differ", diff)
      ->add_option("chips", c->names, "Two ids or names")
      ->required()
      ->expected(2);
  add("lint", "What contradicts itself or physics; ends with 1 if anything does", lint);
  command->fallthrough();
}

}  // namespace carnot::app
