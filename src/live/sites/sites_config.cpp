// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/base/input/toml.hpp"
#include "carnot/base/option.hpp"
#include "carnot/live/sites/sites_run.hpp"
#include "carnot/trace/readers/csv_keys.hpp"
#include "carnot/trace/readers/read.hpp"

namespace carnot::live {

namespace {

/// Two and three sites reached floors at 2^0.54 to 2^0.83 and 3^0.12 to 3^0.89 times the speed of
/// one (docs/bars.md); a joule too many is dearer than an hour.
constexpr double kParallelToAFloor = 0.5;

class Reader {
 public:
  Reader(const std::string& text, const std::string& name)
      : root_(parse_toml(text, name)), file_(name) {
    config_.file = name;
    const auto slash = name.rfind('/');
    folder_ = slash == std::string::npos ? "" : name.substr(0, slash + 1);
  }

  SitesConfig read() {
    for (const auto& [key, value] : root_.fields) {
      if (key != "training" && key != "job" && key != "averaging" && key != "link" && key != "site")
        problems_.add(place(value), key, "one of [training], [job], [averaging], [link], [[site]]");
      else if (key != "site" && value.kind != TomlValue::Kind::Table)
        problems_.add(place(value), key, "a table: [" + key + "]");
    }
    static const TomlValue kNone;
    const auto table = [&](const char* key) {
      const TomlValue* t = root_.find(key);
      return t != nullptr ? t : &kNone;
    };
    read_training(*table("training"));
    config_.trains = root_.find("job") != nullptr;
    if (config_.trains) read_job(*table("job"));
    read_averaging(*table("averaging"));
    read_link(*table("link"));
    problems_.throw_if_any();
    const TomlValue* sites = root_.find("site");
    if (sites == nullptr || sites->items.empty())
      problems_.add({file_, 0}, "site", "one or more: [[site]]");
    else
      for (const TomlValue& site : sites->items) read_site(site);
    problems_.throw_if_any();
    if (config_.policies.empty()) config_.policies = site_policies(config_.sites);
    config_.task.parallel = parallel_ > 0                  ? parallel_
                            : config_.replicas.floor > 0.0 ? kParallelToAFloor
                                                           : 1.0;
    return std::move(config_);
  }

 private:
  Place place(const TomlValue& value) const { return {file_, value.line}; }

  void read_training(const TomlValue& table) {
    SitesTask& t = config_.task;
    bool started = false;
    OptionTable o("training");
    o.quantity("deadline", &t.deadline, 1.0 * second, 3660.0 * 86400.0 * second, "").required();
    o.quantity("work", &t.work, 1.0 * second, 3660.0 * 86400.0 * second, "at one site").required();
    o.quantity("slot", &t.slot, 1.0 * second, 86400.0 * second, "between decisions");
    o.real("parallel", &parallel_, 0.01, 1, "k sites at once work as k^parallel of one");
    o.quantity("threshold", &t.threshold, CarbonIntensity{}, {},
               "below it power counts as curtailed");
    set_options(table, file_, o, problems_, [&](const std::string& key, const TomlValue& value) {
      if (key == "start") {
        started = true;
        try {
          t.start = Instant::parse(value.text);
        } catch (const InputError& error) {
          problems_.add(place(value), "training.start", error.what());
        }
        return true;
      }
      if (key != "policies") return false;
      for (const TomlValue& item : value.items) config_.policies.push_back(item.text);
      if (value.items.empty())
        problems_.add(place(value), "training.policies", "a list of texts, such as [\"carnot\"]");
      return true;
    });
    o.check_required(place(table), problems_);
    if (!started)
      problems_.add(place(table), "training.start", "a text such as \"2023-01-10T00:00Z\"");
  }

  void read_job(const TomlValue& table) {
    ReplicaOptions& r = config_.replicas;
    learn::LearnerOptions& l = r.learner;
    std::int64_t hidden = static_cast<std::int64_t>(l.hidden),
                 batch = static_cast<std::int64_t>(l.batch), seed = 1,
                 looks = static_cast<std::int64_t>(r.looks);
    OptionTable o("job");
    o.text("data", &config_.data.path, "digits, mnist, or a table's file").required();
    o.text("labels", &config_.data.labels, "label column, or IDX labels");
    o.choice("model", &l.model, {"linear", "logistic", "softmax", "mlp"}, "");
    o.integer("hidden", &hidden, 1, 65536, "units");
    o.integer("batch", &batch, 1, 1 << 20, "rows of a step");
    o.real("epochs", &l.epochs, 0.01, 1e5, "of the whole schedule");
    o.real("learning_rate", &l.learning_rate, 1e-6, 100, "greatest of the schedule");
    o.real("momentum", &l.momentum, 0, 0.999, "of a replica's steps");
    o.text("precision", &r.precision, "f32, bf16, int8, int4 ...");
    o.real("floor", &r.floor, -10, 1, "quality to certify; 0: none");
    o.integer("looks", &looks, 1, 1000, "at rows held out");
    o.integer("seed", &seed, 0, std::numeric_limits<std::int64_t>::max(), "");
    set_options(table, file_, o, problems_);
    o.check_required(place(table), problems_);
    l.hidden = static_cast<std::size_t>(hidden);
    l.batch = static_cast<std::size_t>(batch);
    l.seed = config_.data.seed = static_cast<std::uint64_t>(seed);
    r.looks = static_cast<std::uint64_t>(looks);
    try {
      learn::Precision::parse(r.precision);
    } catch (const InputError& error) {
      problems_.add(place(table), "job.precision", error.what());
    }
    const std::string beside = folder_ + config_.data.path;
    if (!config_.data.path.empty() && std::filesystem::exists(beside)) config_.data.path = beside;
  }

  void read_averaging(const TomlValue& table) {
    AveragingOptions& a = config_.replicas.averaging;
    std::int64_t bits = a.bits;
    OptionTable o("averaging");
    o.integer("bits", &bits, 2, 32, "of a value of a pseudo-gradient: 32, 8, 4 or 2");
    o.real("share", &a.share, 1e-6, 1, "of the elements that are sent");
    o.real("rate", &a.rate, 1e-3, 10, "of the outer step");
    o.real("momentum", &a.momentum, 0, 0.999, "of the outer step");
    set_options(table, file_, o, problems_);
    a.bits = static_cast<int>(bits);
    try {
      check(a);
    } catch (const InputError& error) {
      problems_.add(place(table), "", error.what());
    }
  }

  void read_link(const TomlValue& table) {
    OptionTable o("link");
    o.quantity("rate", &config_.link_rate, bit / second * 0.0, {}, "of each site's link");
    o.quantity("energy", &config_.transfer, joule / bit * 0.0, {}, "of the network, both ends");
    set_options(table, file_, o, problems_);
  }

  void read_site(const TomlValue& table) {
    if (table.kind != TomlValue::Kind::Table) {
      problems_.add(place(table), "site", "tables: [[site]]");
      return;
    }
    std::string name;
    TrainingSite plain{"", TraceCore(config_.task.start, Duration::seconds(1), {0.0})};
    const TomlValue* carbon = nullptr;
    OptionTable o("site");
    o.text("name", &name, "").required();
    o.quantity("training_power", &plain.training_power, Power{}, {}, "while it trains");
    o.quantity("idle_power", &plain.idle_power, Power{}, {}, "while it makes ready");
    o.quantity("provisioning", &plain.provisioning, Time{}, {}, "from the call to the first step");
    o.real("speed", &plain.speed, 1e-6, 1e6, "over a site of speed 1");
    set_options(table, file_, o, problems_, [&](const std::string& key, const TomlValue& value) {
      if (key == "carbon") carbon = &value;
      return key == "carbon";
    });
    o.check_required(place(table), problems_);
    plain.name = name;
    if (carbon == nullptr) {
      problems_.add(place(table), "site.carbon",
                    "a text such as \"300 g/kWh\", or { file = ..., column = ... }");
      return;
    }
    std::string source;
    if (auto trace = read_carbon(*carbon, source)) {
      plain.carbon = std::move(*trace);
      config_.sites.push_back(std::move(plain));
      config_.carbon_sources.push_back(source);
    }
  }

  std::optional<TraceCore> read_carbon(const TomlValue& value, std::string& source) {
    try {
      if (value.kind == TomlValue::Kind::Text) {
        const double constant = parse_as<CarbonIntensity>(value.text).base();
        source = value.text;
        // Long enough for any deadline and any row of starts.
        const Duration decade = Duration::seconds(3660LL * 86400);
        return TraceCore({config_.task.start - decade, config_.task.start + decade + decade},
                         {constant});
      }
      if (value.kind != TomlValue::Kind::Table) {
        problems_.add(place(value), "site.carbon",
                      "a text such as \"300 g/kWh\", or { file = ..., column = ... }");
        return std::nullopt;
      }
      std::string file;
      double scale = 1;
      CsvOptions csv;
      OptionTable o("site.carbon");
      o.text("file", &file, "a CSV").required();
      CsvKeys keys(csv, "refuse", "refuse");
      keys.declare(o);
      o.real("scale", &scale, -1e9, 1e9, "");
      set_options(value, file_, o, problems_);
      o.check_required(place(value), problems_);
      if (file.empty()) return std::nullopt;
      keys.apply();
      csv.trim_ends = true;
      if (file.front() != '/') file = folder_ + file;
      auto got = read_csv<CarbonIntensity>(file, csv);
      source = got.provenance;
      const TraceCore& core = got.trace.core();
      if (scale == 1) return core;
      std::vector<double> mean(core.mean().begin(), core.mean().end());
      for (double& m : mean) m *= scale;
      std::vector<Instant> edges;
      for (std::size_t i = 0; i <= core.size(); ++i) edges.push_back(core.edge(i));
      return TraceCore(std::move(edges), std::move(mean));
    } catch (const Error& error) {  // of the text, or a file that cannot be opened
      problems_.add(place(value), "site.carbon", error.what());
      return std::nullopt;
    }
  }

  TomlValue root_;
  std::string file_, folder_;
  SitesConfig config_;
  double parallel_ = 0;  // 0: not said
  Problems problems_;
};

}  // namespace

SitesConfig read_sites_config(const std::string& path) {
  const std::string text = read_input(path);
  return Reader(text, path).read();
}

}  // namespace carnot::live
