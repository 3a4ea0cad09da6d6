// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/base/input/toml.hpp"
#include "carnot/base/option.hpp"
#include "carnot/base/text.hpp"
#include "carnot/live/slurm/dispatch_config.hpp"
#include "carnot/trace/readers/csv_keys.hpp"

namespace carnot::live {

namespace {

class ConfigReader {
 public:
  ConfigReader(const std::string& text, const std::string& name) : name_(name) {
    config_.file = name;
    const auto slash = name.rfind('/');
    folder_ = slash == std::string::npos ? "" : name.substr(0, slash + 1);
    root_ = parse_toml(text, name);
  }

  DispatchConfig read() {
    for (const auto& [key, value] : root_.fields)
      if (key != "dispatch" && key != "jobs" && key != "site")
        problems_.add(place(value), key, "one of [dispatch], [jobs], [[site]]");
    if (const TomlValue* t = root_.find("dispatch"); is_table(t)) read_dispatch(*t);
    if (const TomlValue* t = root_.find("jobs"); is_table(t)) read_jobs(*t);
    if (const TomlValue* sites = root_.find("site")) {
      for (const TomlValue& item : sites->items)
        if (is_table(&item))
          read_site(item);
        else
          problems_.add(place(item), "site", "tables: [[site]]");
    }
    check();
    problems_.throw_if_any();
    return std::move(config_);
  }

 private:
  Place place(const TomlValue& value) const { return {name_, value.line}; }
  static bool is_table(const TomlValue* value) {
    return value != nullptr && value->kind == TomlValue::Kind::Table;
  }
  std::string path(const std::string& p) const {
    return p.empty() || p.front() == '/' ? p : folder_ + p;
  }

  bool words(const std::string& field, const TomlValue& node, std::vector<std::string>& into) {
    if (node.kind != TomlValue::Kind::List) {
      problems_.add(place(node), field, "a list of texts, such as [\"work.sh\", \"{id}\"]");
      return true;
    }
    for (const TomlValue& item : node.items)
      if (item.kind == TomlValue::Kind::Text && !item.text.empty())
        into.push_back(item.text);
      else
        problems_.add(place(item), field, "texts");
    return true;
  }

  Instant instant(const std::string& field, const TomlValue& node) {
    try {
      if (node.kind == TomlValue::Kind::Text) return Instant::parse(node.text);
    } catch (const InputError& error) {
      problems_.add(place(node), field, error.what());
      return {};
    }
    problems_.add(place(node), field, "a text such as \"2026-06-01T00:00Z\"");
    return {};
  }

  void read_dispatch(const TomlValue& table) {
    DispatchConfig& c = config_;
    OptionTable o("dispatch");
    o.text("run", &c.run, "name of the run, part of each token");
    o.text("state", &c.state, "folder of journal and audit");
    o.text("policy", &c.policy, "a policy of fleets");
    o.text("plan", &c.plan, "a plan of `carnot plan`");
    o.quantity("max_wait", &c.max_wait, Time{}, {}, "longest delay of a start that is chosen");
    o.real("carbon_price_eur_per_t", &c.carbon_price_eur_per_t, 0.0, 1e6, "");
    o.quantity("step", &c.step, 1.0 * second, 86400.0 * second, "of series and forecasts");
    o.quantity("interval", &c.interval, 0.1 * second, 3600.0 * second, "between looks");
    o.quantity("lease", &c.lease, 5.0 * second, 7.0 * 86400.0 * second, "");
    o.quantity("timeout", &c.timeout, 0.1 * second, 600.0 * second, "of a command");
    o.quantity("run_without_data_after", &c.run_without_data_after, Time{}, {}, "");
    o.quantity("start_patience", &c.start_patience, 1.0 * second, {}, "");
    o.quantity("longest_suspension", &c.longest_suspension, Time{}, {}, "");
    o.real("commands_per_second", &c.commands_per_second, 0.1, 1000.0, "");
    o.real("speed", &c.speed, 1e-3, 1e5, "of a rehearsal");
    o.text("calls", &c.calls, "CSV of reserve calls");
    o.text("metrics", &c.metrics, "Prometheus text");
    o.boolean("exit_when_done", &c.exit_when_done, "");
    set_options(table, name_, o, problems_, [&](const std::string& key, const TomlValue& node) {
      if (key == "start") {
        c.start = instant("dispatch.start", node);
        return true;
      }
      if (key == "plan_start") {
        c.plan_start = instant("dispatch.plan_start", node);
        c.plan_start_given = true;
        return true;
      }
      return false;
    });
  }

  void read_jobs(const TomlValue& table) {
    DispatchJobs& j = config_.jobs;
    OptionTable o("jobs");
    o.text("file", &j.file, "CSV of jobs");
    o.real("limit_factor", &j.limit_factor, 0.0, 1000.0, "time limit over the estimate");
    o.text("mode_folder", &j.mode_folder, "where mode files lie");
    set_options(table, name_, o, problems_, [&](const std::string& key, const TomlValue& node) {
      if (key == "command") return words("jobs.command", node, j.command);
      if (key == "options") return words("jobs.options", node, j.options);
      if (key != "mode") return false;
      if (node.kind != TomlValue::Kind::List) {
        problems_.add(place(node), "jobs.mode", "tables: [[jobs.mode]]");
        return true;
      }
      for (const TomlValue& item : node.items) {
        if (!is_table(&item)) continue;
        JobMode mode;
        std::int64_t nodes = 0;
        OptionTable m("jobs.mode");
        m.integer("nodes", &nodes, 0, 1'000'000, "0: as many as the job asks for");
        m.real("speed", &mode.speed, 1e-6, 1e6, "work a second over the first mode's");
        m.real("power_share", &mode.power_share, 0.0, 1000.0, "of the job's power a node");
        set_options(item, name_, m, problems_);
        mode.nodes = static_cast<std::int32_t>(nodes);
        j.modes.push_back(mode);
      }
      return true;
    });
  }

  template <class Q>
  void read_signal(const std::string& field, const TomlValue& node, LiveSignalOptions& s) {
    if (node.kind == TomlValue::Kind::Text) {
      try {
        s.constant = parse_as<Q>(node.text).base();
      } catch (const InputError& error) {
        problems_.add(place(node), field, error.what());
      }
      return;
    }
    if (!is_table(&node)) {
      problems_.add(place(node), field, "a text with its unit, or { file = ..., column = ... }");
      return;
    }
    Time refresh = 60.0 * second, timeout = 10.0 * second, gap{};
    OptionTable o(field);
    o.text("file", &s.file, "a CSV that grows");
    o.text("url", &s.url, "a CSV that is fetched");
    CsvKeys keys(s.csv, "hold", "last");
    keys.declare(o);
    o.real("euro_per_dollar", &s.csv.euro_per_dollar, 0.01, 100.0, "");
    o.real("scale", &s.scale, -1e9, 1e9, "");
    o.quantity("refresh", &refresh, 0.1 * second, {}, "");
    o.quantity("timeout", &timeout, 0.1 * second, 300.0 * second, "");
    o.boolean("ahead", &s.ahead, "rows later than now are a forecast");
    set_options(node, name_, o, problems_);
    s.refresh = Duration::from(refresh);
    s.timeout = Duration::from(timeout);
    keys.apply();
    s.csv.trim_ends = true;
    s.file = path(s.file);
    if (s.file.empty() == s.url.empty()) problems_.add(place(node), field, "either file or url");
    if (!s.url.empty() && !s.url.starts_with("http://") && !s.url.starts_with("https://"))
      problems_.add(place(node), field + ".url", "http:// or https://");
    try {
      if (!s.csv.unit.empty()) check_csv_unit(s.csv.unit, Q::kDimension);
    } catch (const InputError& error) {
      problems_.add(place(node), field + ".unit", error.what());
    }
  }

  void read_site(const TomlValue& table) {
    DispatchSite& site = config_.sites.emplace_back();
    simulate::FleetSite& s = site.site;
    s.hall.node_suspended = Power{};
    s.battery.self_discharge_per_day = 0.0;
    std::int64_t nodes = 0;
    std::string uses = "all-own";
    OptionTable o("site");
    o.text("name", &site.name, "").required();
    o.text("slurm_conf", &site.slurm_conf, "");
    o.integer("nodes", &nodes, 0, 10'000'000, "0: as many as sinfo shows");
    o.quantity("node_power", &s.hall.node_peak, 1e-3 * watt, 2e6 * watt, "of a node at work");
    o.quantity("idle_power", &s.hall.node_idle, Power{}, 2e6 * watt, "of a free node");
    o.real("fixed_overhead", &s.hall.fixed_overhead, 0.0, 2.0, "");
    o.real("cooling_slope_per_k", &s.hall.cooling_slope_per_k, 0.0, 1.0, "");
    o.quantity("export_limit", &s.export_limit, Power{}, {}, "");
    o.choice("uses", &uses, {"all-own", "curtailed"}, "");
    o.text("submit_partition", &site.submit_partition, "");
    o.boolean("joules", &site.joules, "");
    set_options(table, name_, o, problems_, [&](const std::string& key, const TomlValue& node) {
      if (key == "partitions") return words("site.partitions", node, site.partitions);
      if (key == "price") return read_signal<EnergyPrice>("site.price", node, site.price), true;
      if (key == "carbon")
        return read_signal<CarbonIntensity>("site.carbon", node, site.carbon), true;
      if (key == "temperature")
        return read_signal<Temperature>("site.temperature", node, site.temperature), true;
      if (key == "own") return read_signal<Power>("site.own", node, site.own), true;
      return false;
    });
    o.check_required(place(table), problems_);
    s.name = site.name;
    s.hall.nodes = static_cast<double>(nodes);
    s.computing_uses =
        uses == "all-own" ? site::ComputingUses::AllOwn : site::ComputingUses::Curtailed;
    site.slurm_conf = path(site.slurm_conf);
    if (!site.price.given())
      problems_.add(place(table), "site.price", "of grid power, such as \"60 EUR/MWh\"");
    if (!site.carbon.given())
      problems_.add(place(table), "site.carbon", "of grid power, such as \"300 g/kWh\"");
    if (!site.temperature.given()) site.temperature.constant = from_celsius(15.0).base();
  }

  void check() {
    DispatchConfig& c = config_;
    const Place all{name_, 0};
    const auto is_name = [](const std::string& text) {
      return !text.empty() && text.size() <= 40 &&
             text.find_first_not_of(
                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                 "0123456789-_") == std::string::npos;
    };
    if (!is_name(c.run)) problems_.add(all, "dispatch.run", "1 to 40 letters, digits, - and _");
    if (c.sites.empty()) problems_.add(all, "site", "one or more: [[site]]");
    std::set<std::string> names;
    for (const DispatchSite& site : c.sites)
      if (!is_name(site.name) || !names.insert(site.name).second)
        problems_.add(all, "site.name", "distinct, of 1 to 40 letters, digits, - and _");
    if (!c.jobs.file.empty() && c.jobs.command.empty())
      problems_.add(all, "jobs.command", "what the jobs of the list run");
    if (!c.plan.empty() && c.jobs.file.empty())
      problems_.add(all, "jobs.file", "the jobs of the plan, by their `id`");
    if ((c.speed != 1.0) != c.start.has_value() && c.speed != 1.0)
      problems_.add(all, "dispatch.start", "the site's time when a rehearsal begins");
    c.state = path(c.state);
    c.plan = path(c.plan);
    c.calls = path(c.calls);
    c.metrics = path(c.metrics);
    c.jobs.file = path(c.jobs.file);
    c.jobs.mode_folder = path(c.jobs.mode_folder);
    if (!c.jobs.command.empty()) c.jobs.command.front() = path(c.jobs.command.front());
  }

  std::string name_, folder_;
  TomlValue root_;
  DispatchConfig config_;
  Problems problems_;
};

}  // namespace

DispatchConfig parse_dispatch_config(const std::string& text, const std::string& name) {
  return ConfigReader(text, name).read();
}

DispatchConfig read_dispatch_config(const std::string& path) {
  const std::string text = read_input(path);
  return parse_dispatch_config(text, path);
}

}  // namespace carnot::live
