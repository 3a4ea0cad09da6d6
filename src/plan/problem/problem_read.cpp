// SPDX-License-Identifier: Apache-2.0
#include "plan/problem/problem_read.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>

#include <fmt/format.h>

#include "carnot/base/input/input_file.hpp"
#include "carnot/base/limits.hpp"

#include "plan/problem/problem_json.hpp"
#include "plan/problem/problem_read_sites.hpp"
#include "plan/problem/problem_read_terms.hpp"
#include "plan/problem/problem_read_workflow.hpp"

namespace carnot::plan {

namespace {

constexpr std::int64_t kMostSlots = 100'000, kMostSites = 100'000;

class Reader {
 public:
  Reader(std::string_view text, const std::string& path, const StopToken& stop, RowChoice* choice)
      : path_(path), stop_(stop), choice_(choice), document_(parse_document(text, path, stop)) {}

  Problem read() {
    if (document_.root.value("schema", Json()) != "carnot.problem/1")
      top("schema").wrong("schema", "\"carnot.problem/1\"");
    for (const auto& item : document_.root.items())
      Fields(Json{{item.key(), nullptr}}, {path_, document_.line_of(item.key())}, "", findings_)
          .only({"schema", "carnot", "seed", "started", "command", "slot_s", "slots",
                 "carbon_price_eur_per_t", "sites", "network", "reserve", "goals", "arrays",
                 "jobs"});
    problem_.slot_s = top("slot_s").number("slot_s", 1e-3, 1e9);
    problem_.slots = static_cast<std::int32_t>(top("slots").whole("slots", 1, kMostSlots));
    problem_.carbon_price_eur_per_t =
        top("carbon_price_eur_per_t").number("carbon_price_eur_per_t", -1e9, 1e9, 0.0);
    findings_.throw_if_any();
    read_sites();
    read_network(top("network"), problem_.network);
    read_reserve(top("reserve"), problem_.reserve);
    read_goals(top("goals"), problem_.goals);
    findings_.throw_if_any();  // jobs are measured against sites
    read_jobs();
    findings_.throw_if_any();
    read_links(top("arrays"), document_.root, texts_, problem_);
    findings_.throw_if_any();
    return std::move(problem_);
  }

 private:
  /// The document, where `key` stands in it.
  Fields top(const std::string& key) {
    return Fields(document_.root, {path_, document_.line_of(key)}, "", findings_);
  }
  /// The entry of a list at the top; nullopt, and said, if it is no object.
  std::optional<Fields> entry(const std::string& list, const Json& object, std::size_t i) {
    const Fields fields(object, {path_, document_.line_of(list, i)}, fmt::format("{}[{}]", list, i),
                        findings_);
    if (object.is_object()) return fields;
    fields.wrong("", "an object");
    return std::nullopt;
  }

  void read_sites() {
    const auto sites = document_.root.find("sites");
    if (sites == document_.root.end() || !sites->is_array() || sites->empty() ||
        sites->size() > static_cast<std::size_t>(kMostSites))
      return top("sites").wrong("sites", fmt::format("a list of 1 to {} sites", kMostSites));
    std::vector<SiteTerms> terms;
    bool any_terms = false;
    for (std::size_t s = 0; s < sites->size(); ++s) {
      const std::optional<Fields> in = entry("sites", (*sites)[s], s);
      if (!in) continue;
      in->only({"name",
                "capacity_kw",
                "pue",
                "free_kw",
                "price_eur_per_kwh",
                "carbon_g_per_kwh",
                "grid_limit_kw",
                "latitude",
                "longitude",
                "egress_eur_per_gb",
                "tags",
                "memory_gb",
                "battery",
                "export",
                "demand_charges",
                "base_kw",
                "idle_kw",
                "knees",
                "it_eur_per_kwh",
                "it_g_per_kwh",
                "reserve",
                "nodes",
                "cores_per_node",
                "memory_gb_per_node",
                "gpus_per_node",
                "closures"});
      PlanSite site;
      if (const Json* name = in->find("name"); name != nullptr && name->is_string())
        site.name = *name;
      else
        in->wrong("name", "text");
      const std::int32_t slots = problem_.slots;
      site.capacity_kw = in->series("capacity_kw", slots, 0.0);
      site.pue = in->series("pue", slots, 1.0);
      site.free_kw = in->series("free_kw", slots, 0.0);
      site.price_eur_per_kwh = in->series("price_eur_per_kwh", slots, -1e6);
      site.carbon_g_per_kwh = in->series("carbon_g_per_kwh", slots, -1e9);
      site.grid_limit_kw = in->series("grid_limit_kw", slots, 0.0, true);
      if (in->find("latitude") != nullptr || in->find("longitude") != nullptr) {
        site.latitude = in->number("latitude", -90, 90);
        site.longitude = in->number("longitude", -180, 180);
      }
      any_terms = read_site_terms(*in, slots, site.capacity_kw, terms.emplace_back()) || any_terms;
      read_nodes(*in, slots, terms.back().base_kw, site, problem_.workflow);
      problem_.sites.push_back(std::move(site));
      hosts_.push_back(read_host(*in, problem_.network));
    }
    if (any_terms) problem_.site_terms = std::move(terms);
  }

  void read_jobs() {
    const auto jobs = document_.root.find("jobs");
    if (jobs != document_.root.end() && jobs->is_string()) {
      const std::string path =
          (std::filesystem::path(path_).parent_path() / jobs->get<std::string>()).string();
      errno = 0;
      std::ifstream in(path, std::ios::binary);
      if (!in) throw InputFileError(path, "open", errno);
      return parse_jobs_csv(in, path, problem_, findings_, stop_, choice_);
    }
    if (jobs == document_.root.end() || !jobs->is_array())
      return top("jobs").wrong("jobs", "a list of jobs, or the path of a CSV");
    std::vector<std::size_t> at;
    for (std::size_t j = 0; j < jobs->size(); ++j) {
      stop_.throw_if_requested();
      const std::optional<Fields> in = entry("jobs", (*jobs)[j], j);
      if (in) read_job(*in, {path_, document_.line_of("jobs", j)});
      if (problem_.jobs.size() == at.size()) continue;
      at.push_back(j);
      if (in->find("after") != nullptr || in->find("array") != nullptr)
        texts_.jobs.push_back({static_cast<std::uint32_t>(at.size() - 1), *in});
    }
    for (const auto& [first, again] : repeated_ids(problem_.jobs))
      entry("jobs", (*jobs)[at[again]], at[again])
          ->wrong("id", fmt::format("`{}` is the id of jobs[{}] already", problem_.jobs.id(again),
                                    at[first]));
  }

  void read_job(const Fields& in, const Place& place) {
    const std::size_t before = findings_.count(), sites = problem_.sites.size();
    in.only({"id",
             "release",
             "deadline",
             "value_eur",
             "sites",
             "move_cost_eur",
             "modes",
             "needs",
             "memory_gb",
             "preemptible",
             "min_run_slots",
             "restart_eur",
             "restart_slots",
             "movable",
             "each_move_eur",
             "data_gb",
             "origin",
             "due",
             "late_eur_per_slot",
             "stop_s",
             "after",
             "array"});
    JobRow row;
    if (const Json* id = in.find("id"); id != nullptr && id->is_string())
      row.id = id->get_ref<const std::string&>();
    row.release = in.whole("release", 0, problem_.slots - 1);
    row.deadline = in.whole("deadline", 1, problem_.slots);
    row.value = in.number("value_eur", 0, 1e12);
    if (const Json* list = in.find("sites")) {
      if (!list->is_array() || list->empty())
        in.wrong("sites", "null, or a list of at least one site");
      else
        for (const Json& s : *list) {
          if (s.is_number_unsigned() && s.get<std::uint64_t>() < sites)
            row.sites.push_back(s.get<std::uint32_t>());
          else
            in.wrong("sites", fmt::format("sites, 0 to {}", sites - 1));
        }
    }
    if (const Json* move = in.find("move_cost_eur")) {
      if (!move->is_array() || move->size() != sites)
        in.wrong("move_cost_eur", fmt::format("null, or {} numbers, one a site", sites));
      else
        for (const Json& x : *move) row.move_row.push_back(x.is_number() ? x.get<double>() : kNaN);
    }
    const Json* modes = in.find("modes");
    if (modes == nullptr || !modes->is_array()) return in.wrong("modes", "a list");
    std::vector<Fields> mode_fields;
    for (std::size_t m = 0; m < modes->size(); ++m) {
      mode_fields.push_back(in.part((*modes)[m], fmt::format("modes[{}]", m)));
      const Fields& mode = mode_fields.back();
      if (!(*modes)[m].is_object()) return mode.wrong("", "an object");
      mode.only({"slots", "power_kw", "quality_cost_eur", "levels", "nodes", "cores_per_node",
                 "memory_gb_per_node", "gpus_per_node"});
      PlanMode x;
      // At higher speeds more work than slots fits into the window.
      const std::int64_t most = mode.find("levels") == nullptr ? problem_.slots : kMostSlots;
      x.slots = static_cast<std::int32_t>(mode.whole("slots", 1, most));
      x.power_kw = mode.number("power_kw", 0, 1e12);
      x.quality_eur = mode.number("quality_cost_eur", -1e12, 1e12);
      row.modes.push_back(x);
    }
    if (findings_.count() > before) return;
    read_terms(in, mode_fields, hosts_, row);
    row.needs = read_needs(mode_fields);
    if (findings_.count() != before || !check_job(row, place, problem_, findings_)) return;
    add_job(row, problem_.jobs);
    const auto j = static_cast<std::uint32_t>(problem_.jobs.size() - 1);
    if (row.terms != JobTerms()) problem_.terms[j] = row.terms;
    if (!row.needs.empty()) problem_.workflow.needs[j] = row.needs;
  }

  std::string path_;
  StopToken stop_;
  RowChoice* choice_;
  Document document_;
  Problem problem_;
  std::vector<Host> hosts_;  // [site]
  WorkflowTexts texts_;
  Findings findings_;
};

}  // namespace

Problem parse_problem(std::string_view text, const std::string& path, const StopToken& stop,
                      RowChoice* choice) {
  return Reader(text, path, stop, choice).read();
}

Problem read_problem(const std::string& path, const StopToken& stop) {
  const std::string text = read_input(path);
  return parse_problem(text, path, stop);
}

}  // namespace carnot::plan
