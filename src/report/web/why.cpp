// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/web/why.hpp"

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "report/explain/words.hpp"
#include "report/web/figure.hpp"

namespace carnot::report {

namespace {

constexpr int kDeepest = 64;

void word_figure(Json& figure) {
  if (!figure.is_object() || !figure.contains("value")) return;
  add_words(figure,
            spent_range(number_at(figure, "value", "energy"), number_at(figure, "low", "energy"),
                        number_at(figure, "high", "energy")));
}

void word_node(Json& node, double whole, int depth) {
  const std::string what = "tree";
  if (!node.is_object() || depth > kDeepest) throw InputError("tree: nodes of an explanation");
  const double joules = number_at(node, "energy_j", what);
  add_words(node,
            spent_range(joules, number_at(node, "low_j", what), number_at(node, "high_j", what)));
  node["share_text"] = whole > 0 ? fmt::format("{:.3g} %", 100 * joules / whole) : std::string();
  node["floor_text"] = spent_text(number_at(node, "floor_j", what));
  node["limit_text"] = spent_text(number_at(node, "limit_j", what));
  if (node.contains("count")) {
    node["count_text"] =
        count_text(number_at(node, "count", what)) + " " + text_at(node, "unit", what);
    node["coefficient_text"] = spent_text(number_at(node, "coefficient_j", what));
  }
  if (!node.contains("children")) return;
  if (!node["children"].is_array()) throw InputError("tree: children: a list");
  for (Json& child : node["children"]) word_node(child, whole, depth + 1);
}

}  // namespace

bool is_explanation(const std::string& text) {
  return text.find("\"carnot.explain/1\"") < 200 && text.find('{') < 20;
}

std::string why_json(const std::string& text, const std::string& id, const std::string& name) {
  Json json = parse_object(text, name);
  if (text_at(json, "schema", name) != "carnot.explain/1")
    throw InputError(name + ": schema: carnot.explain/1");
  for (const char* key : {"accelerators_j", "machine_j", "energy_j"})
    if (json.contains(key)) word_figure(json[key]);
  if (json.contains("energy_j") && json["energy_j"].is_object()) {
    // The document has the number alone; its bounds are those of the whole.
    const double units = number_at(json, "units", name);
    Json each = json["energy_j"];
    for (const char* key : {"value", "low", "high"})
      each[key] = number_or_null(number_at(each, key, name) / units);
    word_figure(each);
    json["energy_j_per_unit"] = std::move(each);
  }
  if (json.contains("phases") && json["phases"].is_array())
    for (Json& phase : json["phases"]) {
      if (!phase.is_object()) continue;
      if (phase.contains("energy_j")) word_figure(phase["energy_j"]);
      const Json time = part_at(phase, "time_s", name, false);
      phase["time_text"] = lasting_text(number_at(time, "value", name));
    }
  if (json.contains("components") && json["components"].is_array())
    for (Json& c : json["components"])
      if (c.is_object() && c.contains("energy_j") && c["energy_j"].is_number())
        c["text"] = spent_text(c["energy_j"].get<double>());
  Json& tree = json["tree"];
  word_node(tree, number_at(tree, "energy_j", name), 0);
  json["id"] = id;
  json["name"] = name;
  return dumped(json);
}

}  // namespace carnot::report
