// SPDX-License-Identifier: Apache-2.0
#include "report/explain/words.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/sum.hpp"

#include "report/draw/svg.hpp"
#include "report/draw/text_columns.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

struct Step {
  const char* name;
  double size;
};

Step step_of(double joules) {
  static constexpr Step kSteps[] = {{"fJ", 1e-15},  {"pJ", 1e-12},   {"nJ", 1e-9},   {"uJ", 1e-6},
                                    {"mJ", 1e-3},   {"J", 1},        {"kJ", 1e3},    {"kWh", 3.6e6},
                                    {"MWh", 3.6e9}, {"GWh", 3.6e12}, {"TWh", 3.6e15}};
  Step best = kSteps[0];
  for (const Step& step : kSteps)
    if (std::abs(joules) >= step.size * 0.9995) best = step;
  return joules == 0 ? kSteps[5] : best;
}

/// "16,384"
std::string whole_text(double count) {
  std::string text = fmt::format("{:.0f}", count);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

}  // namespace

std::string spent_text(double joules, int digits) {
  const Step step = step_of(joules);
  return figure_text(joules / step.size, digits) + " " + step.name;
}

std::string spent_range(double joules, double low, double high) {
  const Step step = step_of(joules);
  return fmt::format("{} {} ({} … {})", figure_text(joules / step.size, 3), step.name,
                     figure_text(low / step.size, 2), figure_text(high / step.size, 2));
}

std::string mass_text(double grams) {
  static constexpr Step kSteps[] = {{"ng", 1e-9}, {"ug", 1e-6}, {"mg", 1e-3},
                                    {"g", 1},     {"kg", 1e3},  {"t", 1e6}};
  Step best = kSteps[0];
  for (const Step& step : kSteps)
    if (std::abs(grams) >= step.size * 0.9995) best = step;
  if (grams == 0) best = kSteps[3];
  return figure_text(grams / best.size, 3) + " " + best.name;
}

std::string lasting_text(double seconds) {
  if (!std::isfinite(seconds)) return "n/a";
  if (seconds != 0 && seconds < 1e-3) return figure_text(seconds * 1e6, 3) + " us";
  if (seconds < 1) return figure_text(seconds * 1e3, 3) + " ms";
  return time_text(seconds, 3);
}

std::string count_text(double count) {
  static constexpr Step kSteps[] = {{"", 1},      {" k", 1e3},  {" M", 1e6}, {" G", 1e9},
                                    {" T", 1e12}, {" P", 1e15}, {" E", 1e18}};
  if (std::abs(count) < 1e5)
    return count == std::floor(count) ? whole_text(count) : figure_text(count, 3);
  Step best = kSteps[0];
  for (const Step& step : kSteps)
    if (std::abs(count) >= step.size * 0.9995) best = step;
  return figure_text(count / best.size, 3) + best.name;
}

std::string explain_subject(const model::Explanation& e) {
  std::string out = printable(e.model) + " on ";
  if (e.devices > 1) out += fmt::format("{} x ", e.devices);
  out += e.chip_name;
  if (e.kind != "trees") out += ", " + e.format;
  if (e.devices > 1) {
    std::string split;
    const auto add = [&split](const char* name, std::uint64_t degree) {
      if (degree > 1) split += (split.empty() ? "" : ", ") + fmt::format("{} {}", name, degree);
    };
    add("tensor", e.split.tensor);
    add("pipeline", e.split.pipeline);
    add("data", e.split.data);
    add("expert", e.split.expert);
    out += " (" + split + ")";
  }
  return out;
}

std::vector<std::string> explain_answer(const ExplainReport& report) {
  const model::Explanation& e = report.explanation;
  const double whole = e.whole.value().in(joule);
  std::vector<std::string> out;
  const double each = whole / std::max(e.units, 1e-300);
  const std::string least = e.unknown.empty() ? "" : "at least ";
  out.push_back(
      fmt::format("{}{} a {}: {} for {} in {}; 90 %: {:.2f} to {:.2f} times that. {}, {} boundary.",
                  least, spent_text(each), e.unit, spent_text(whole), count_text(e.units),
                  lasting_text(e.time.value().in(second)), e.whole.low().in(joule) / whole,
                  e.whole.high().in(joule) / whole,
                  e.whole.origin() == Origin::Assumed ? "Modelled, in part assumed" : "Modelled",
                  name(e.whole.boundary())));
  const auto& tree = e.tree;
  const auto shares = fold_components(tree, tree.root());
  if (!shares.empty() && whole > 0) {
    const auto& first = shares.front();
    out.push_back(fmt::format(
        "Most goes to {} ({}). Published circuits would take {} of the whole; physics asks {} "
        "(k_B T ln 2 a bit at {:g} K), no saving to be had.",
        first.name, fmt::format("{:.0f} %", 100 * first.joules / whole),
        fmt::format("{:.2g} %", 100 * tree.node(0).floor_joules / whole),
        spent_text(tree.node(0).limit_joules, 2), tree.temperature().in(kelvin)));
  }
  return out;
}

std::vector<std::string> explain_sources(const ExplainReport& report) {
  const model::Explanation& e = report.explanation;
  std::vector<std::string> out;
  out.push_back(
      "Estimate: modelled from exact counts; kernels fitted to measured ones, host and cooling as "
      "stated. Floor: published energies of one operation and one byte, scaled to the chip's "
      "process. Interval: 90 %.");
  for (const std::string& note : e.notes) out.push_back("Note: " + printable(note) + ".");
  for (const std::string& remark : e.remarks) out.push_back("Remark: " + printable(remark) + ".");
  return out;
}

std::vector<std::string> explain_footprint(const ExplainReport& report) {
  std::vector<std::string> out;
  if (!report.account) return out;
  const model::Account& a = *report.account;
  out.push_back(fmt::format(
      "Carbon: {} ({} to {}) at {} g/kWh, {}{}.", mass_text(a.operational.value().in(gram)),
      mass_text(a.operational.low().in(gram)), mass_text(a.operational.high().in(gram)),
      figure_text(a.grid.intensity.value().in(gram_per_kilowatt_hour)), printable(a.grid.name),
      a.grid.year > 0 ? fmt::format(" {}", a.grid.year) : ""));
  out.push_back(fmt::format("Embodied share: {} ({} to {}), {}.",
                            mass_text(a.embodied.value().in(gram)),
                            mass_text(a.embodied.low().in(gram)),
                            mass_text(a.embodied.high().in(gram)), name(a.embodied.origin())));
  out.push_back(fmt::format("Cost: {} EUR ({} to {}), {}.", figure_text(a.cost.value().in(euro)),
                            figure_text(a.cost.low().in(euro), 2),
                            figure_text(a.cost.high().in(euro), 2), printable(a.price_source)));
  if (!a.pue_known) out.push_back("PUE not stated: cooling and power conversion are not counted.");
  return out;
}

namespace {

std::string federated_words(const model::FederatedTraining& f) {
  const auto share = [&](const Estimate<Energy>& part) {
    return fmt::format("{:.0f} %", 100 * part.value().in(joule) / f.total.value().in(joule));
  };
  return fmt::format(
      "Federated instead, on {}: {}, {:.2g} x the data centre's; carbon {} ({} to {}), {:.2g} x; "
      "computing {}, waiting {}, network {}; {} a round, {} sent.",
      f.device,
      spent_range(f.total.value().in(joule), f.total.low().in(joule), f.total.high().in(joule)),
      f.energy_over, mass_text(f.carbon.value().in(gram)), mass_text(f.carbon.low().in(gram)),
      mass_text(f.carbon.high().in(gram)), f.carbon_over, share(f.compute), share(f.wait),
      share(f.network), lasting_text(f.round.in(second)), count_text(f.sent_bytes) + "B");
}

}  // namespace

std::vector<std::string> lifecycle_words(const ExplainReport& report) {
  std::vector<std::string> out;
  if (!report.lifecycle) return out;
  const model::LifeCycle& l = *report.lifecycle;
  out.push_back(fmt::format(
      "Life cycle: {}; carbon {} ({} to {}) at {} g/kWh, {}; making the machines {} ({} to {}); "
      "water on site {} m3 ({} to {}).",
      spent_range(l.energy.value().in(joule), l.energy.low().in(joule), l.energy.high().in(joule)),
      mass_text(l.operational.value().in(gram)), mass_text(l.operational.low().in(gram)),
      mass_text(l.operational.high().in(gram)),
      figure_text(l.grid.intensity.value().in(gram_per_kilowatt_hour)), printable(l.grid.name),
      mass_text(l.embodied.value().in(gram)), mass_text(l.embodied.low().in(gram)),
      mass_text(l.embodied.high().in(gram)), figure_text(l.water_l.value() / 1000),
      figure_text(l.water_l.low() / 1000), figure_text(l.water_l.high() / 1000)));
  if (l.exact_flops > 0)
    out.push_back(fmt::format(
        "Training: {} FLOP exactly counted, {} by the rule 6 N D; learning itself would need "
        "2 N D k_B T = {} at least.",
        figure_text(l.exact_flops), figure_text(l.six_nd), spent_text(l.learning_bound.in(joule))));
  if (l.break_even_answers > 0)
    out.push_back(fmt::format("Break-even: {} answers cost what making the model did.",
                              count_text(l.break_even_answers)));
  if (!l.consumer_unit.empty())
    out.push_back(fmt::format("SCI for AI, consumer: {} a {} ({} to {}).",
                              mass_text(l.consumer.value().in(gram)), l.consumer_unit,
                              mass_text(l.consumer.low().in(gram)),
                              mass_text(l.consumer.high().in(gram))));
  if (!l.provider_unit.empty())
    out.push_back(fmt::format("SCI for AI, provider: {} a 10^18 FLOP ({} to {}).",
                              mass_text(1e18 * l.provider.value().in(gram)),
                              mass_text(1e18 * l.provider.low().in(gram)),
                              mass_text(1e18 * l.provider.high().in(gram))));
  for (const std::string& remark : l.remarks) out.push_back("Remark: " + printable(remark) + ".");
  if (report.federated) out.push_back(federated_words(*report.federated));
  return out;
}

std::vector<ShownChild> shown_children(const model::EnergyTree& tree, model::EnergyTree::Index at,
                                       std::size_t most) {
  std::vector<model::EnergyTree::Index> children = tree.children(at);
  std::stable_sort(children.begin(), children.end(), [&](std::size_t a, std::size_t b) {
    return tree.node(a).joules > tree.node(b).joules;
  });
  // "… 1 more" would be no shorter than what it stands for.
  const std::size_t shown = children.size() <= most + 1 ? children.size() : most;
  std::vector<ShownChild> out;
  ShownChild rest;
  rest.count = children.size() - shown;
  Sum<> joules, floor, limit;
  for (std::size_t i = 0; i < children.size(); ++i) {
    const auto& node = tree.node(children[i]);
    if (i < shown) {
      out.push_back({children[i], 1, node.joules, node.floor_joules, node.limit_joules});
    } else {
      joules += node.joules;
      floor += node.floor_joules;
      limit += node.limit_joules;
    }
  }
  if (rest.count > 0) {
    rest.joules = joules.value();
    rest.floor_joules = floor.value();
    rest.limit_joules = limit.value();
    out.push_back(rest);
  }
  return out;
}

}  // namespace carnot::report
