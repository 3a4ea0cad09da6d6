// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/report/explain/report.hpp"

#include "report/draw/testing_markup.hpp"
#include "report/draw/testing_schema.hpp"
#include "report/draw/text_columns.hpp"
#include "report/explain/words.hpp"

namespace carnot::report {
namespace {

using Json = nlohmann::ordered_json;

ExplainReport small(bool life = true) {
  const model::ModelSource source = model::parse_transformer_config(
      R"({"model_type": "mixtral", "hidden_size": 1024, "intermediate_size": 2048,
          "num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 2,
          "vocab_size": 32000, "num_local_experts": 8, "num_experts_per_tok": 2})",
      "m<b>&.json");
  model::LifeCycleOptions o;
  o.training_tokens = 1e9;
  o.answers = 1e6;
  o.answering.chips = 2;
  o.answering.pue = 1.2;
  o.answering.name = "m<b>&\x1b[31m";
  o.answering.format = "fp8_block";
  o.training.batch = 8;
  ExplainReport r;
  r.command = "carnot explain m.json";
  r.explanation = explain(source, model::ChipCatalogue::embedded(), o.answering);
  if (life) r.lifecycle = life_cycle(source, model::ChipCatalogue::embedded(), o);
  r.account = model::account(r.explanation.machine, Instant(), Duration::seconds(3), std::nullopt,
                             model::AccountOptions{});
  return r;
}

TEST(ExplainReport, DocumentFitsItsSchema) {
  for (const bool life : {true, false}) {
    EXPECT_THAT(
        schema_problems(std::string(CARNOT_SOURCE_DIR) + "/docs/formats/explain.schema.json",
                        explain_json(small(life))),
        testing::IsEmpty());
  }
}

// Children sum to their parents in the document too, as a reader of it would add them.
TEST(ExplainReport, DocumentConserves) {
  const Json document = Json::parse(explain_json(small()));
  std::size_t leaves = 0;
  const std::function<double(const Json&)> sum = [&](const Json& node) -> double {
    const double own = node["energy_j"];
    if (!node.contains("children")) {
      ++leaves;
      EXPECT_NEAR(node["count"].get<double>() * node["coefficient_j"].get<double>() +
                      node["static_w"].get<double>() * node["owned_s"].get<double>(),
                  own, 1e-12 * own);
      EXPECT_LE(node["limit_j"].get<double>(), own);
      return own;
    }
    double all = 0;
    for (const Json& child : node["children"]) all += sum(child);
    EXPECT_NEAR(all, own, 1e-12 * own) << node["name"];
    return own;
  };
  sum(document["tree"]);
  sum(document["lifecycle"]["tree"]);
  EXPECT_GT(leaves, 100u);
  EXPECT_NEAR(document["tree"]["energy_j"].get<double>(),
              document["energy_j"]["value"].get<double>(), 0);
  // Of the machine: 10/12 of what the building takes.
  EXPECT_NEAR(document["machine_j"]["value"].get<double>() * 1.2,
              document["energy_j"]["value"].get<double>(), 1e-9);
}

TEST(ExplainReport, TerminalFitsItsWidth) {
  const ExplainReport r = small();
  for (const std::size_t width : {60, 80, 120}) {
    for (const std::size_t depth : {1, 2, 4}) {
      ExplainView view;
      view.width = width;
      view.depth = depth;
      view.rows = 3;
      std::istringstream lines(explain_terminal(r, view));
      std::string line;
      while (std::getline(lines, line)) {
        EXPECT_LE(columns(line), width) << line;
        EXPECT_EQ(line.find('\x1b'), std::string::npos);
      }
    }
  }
  ExplainView view;
  const std::string text = explain_terminal(r, view);
  EXPECT_THAT(text, testing::HasSubstr("… "));
  EXPECT_THAT(text, testing::HasSubstr("Life cycle: "));
  EXPECT_THAT(text, testing::HasSubstr("90 %"));
}

// What is not shown alone is shown as a sum: rows add up to their parent.
TEST(ExplainReport, RowsAddUp) {
  const ExplainReport r = small();
  const auto& tree = r.explanation.tree;
  for (std::size_t i = 0; i < tree.nodes().size(); ++i) {
    if (tree.node(i).leaf != model::EnergyTree::kNone) continue;
    for (const std::size_t most : {1, 2, 6}) {
      double sum = 0;
      std::size_t count = 0;
      for (const ShownChild& child : shown_children(tree, i, most)) {
        sum += child.joules;
        count += child.count;
      }
      EXPECT_NEAR(sum, tree.node(i).joules, 1e-12 * sum);
      EXPECT_EQ(count, tree.children(i).size());
    }
  }
}

TEST(ExplainReport, PageIsSound) {
  expect_sound(explain_html(small()));
  expect_sound(explain_html(small(false)));
}

TEST(ExplainReport, SameBytesEachTime) {
  EXPECT_EQ(explain_html(small()), explain_html(small()));
  EXPECT_EQ(explain_json(small()), explain_json(small()));
  EXPECT_EQ(explain_terminal(small(), {}), explain_terminal(small(), {}));
}

TEST(ExplainReport, FiguresInWords) {
  EXPECT_EQ(spent_text(0), "0 J");
  EXPECT_EQ(spent_text(2.87e-21), "2.87×10⁻⁶ fJ");
  EXPECT_EQ(spent_text(1.5e-9), "1.50 nJ");
  EXPECT_EQ(spent_text(999), "999 J");
  EXPECT_EQ(spent_text(3.6e9), "1.00 MWh");
  EXPECT_EQ(mass_text(1.2e-7), "120 ng");
  EXPECT_EQ(mass_text(5e6), "5.00 t");
  EXPECT_EQ(lasting_text(2e-5), "20.0 us");
  EXPECT_EQ(count_text(8.03e9), "8.03 G");
  EXPECT_EQ(count_text(2048), "2,048");
}

}  // namespace
}  // namespace carnot::report
