// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "account_options.hpp"
#include "command.hpp"
#include "measure_options.hpp"

#ifdef CARNOT_HAVE_BOOST
#include <filesystem>
#include <mutex>

#include <unistd.h>

#include "carnot/base/version.hpp"
#include "carnot/ledger/journal/journal.hpp"
#include "carnot/ledger/store/measurement_view.hpp"
#include "carnot/live/export/export_queue.hpp"
#include "carnot/measure/attribution/measurement.hpp"
#include "carnot/measure/measure.hpp"
#include "carnot/meter/processes/control_groups.hpp"
#include "carnot/report/measure/metrics.hpp"
#include "carnot/report/measure/metrics_export.hpp"

#include "../server/api/api.hpp"
#include "../server/assets.hpp"
#include "../server/server.hpp"
#endif

namespace carnot::app {

namespace {

struct ServeCommand {
  bool metrics = false;
  std::string listen = "127.0.0.1:9187", out, token_file, host;
  std::vector<std::string> allowed_hosts, runs, plans, models, simulations;
  int job_seconds = 120, job_memory_mb = 4096;
  int interval_ms = 1000, group_depth = 2;
  std::size_t most_processes = 50, most_groups = 100;
  std::string remote_write, otlp, export_token_file;
  int export_seconds = 15;
  model::AccountOptions account;
  meter::SourceOptions sources;
};

#ifdef CARNOT_HAVE_BOOST

ServerAddress address_of(const ServeCommand& c) {
  try {
    return parse_server_address(c.listen);
  } catch (const InputError& e) {
    throw UsageError(fmt::format("--listen: {}", e.what()));
  }
}

/// \throws UsageError for an address that others reach without a token
HttpAccess access_of(const ServeCommand& c, const ServerAddress& address) {
  HttpAccess access;
  if (!c.token_file.empty()) access.token = read_token(c.token_file);
  for (std::string name : c.allowed_hosts) {
    for (char& letter : name) letter = static_cast<char>(std::tolower(letter));
    access.hosts.push_back(std::move(name));
  }
  if (is_loopback(address)) {
    // Whoever has an account here may look, as with any other local page; what starts work needs
    // the token that only the user has seen.
    if (access.token.empty() && !c.metrics) {
      access.token = random_token();
      access.reading_is_free = true;
    }
    return access;
  }
  if (access.token.empty())
    throw UsageError(
        "--listen: others can reach this address, so --token-file FILE is needed, with a token of "
        "at least 16 characters (`openssl rand -hex 32`) and mode 600");
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) == 0) access.hosts.emplace_back(name);
  return access;
}

/// What the sampling thread and the server share.
class Exporter {
 public:
  explicit Exporter(measure::MetricsCollector collector) : collector_(std::move(collector)) {}

  void take(const measure::MeasureView& view, const ServeCommand& c) {
    const auto groups = meter::control_group_use("/sys/fs/cgroup", c.group_depth, c.most_groups);
    const std::lock_guard lock(mutex_);
    if (!begun_) collector_.begin(view.begin);
    begun_ = true;
    collector_.sample(view.sample);
    collector_.processes(view.processes, Instant::now());
    collector_.groups(groups, Instant::now());
  }
  /// The journal that is gone on with has been replayed: its beginning is known.
  void begun() { begun_ = true; }
  std::string text() const { return report::openmetrics(state()); }
  measure::MetricsState state() const {
    const std::lock_guard lock(mutex_);
    return collector_.state();
  }

 private:
  mutable std::mutex mutex_;
  measure::MetricsCollector collector_;
  bool begun_ = false;
};

/// A measurement that came to its end is moved aside, and its totals are gone on from.
std::string set_aside(const std::string& journal) {
  for (int n = 1;; ++n) {
    const std::string name = fmt::format("{}.{}", journal, n);
    if (std::filesystem::exists(name)) continue;
    std::filesystem::rename(journal, name);
    return name;
  }
}

std::unique_ptr<Api> api_of(const ServeCommand& c) {
  if (c.metrics) {
    if (!c.runs.empty() || !c.plans.empty() || !c.models.empty() || !c.simulations.empty())
      throw UsageError(
          "--metrics serves metrics alone: without --runs, --plan, --model, --simulate");
    return nullptr;
  }
  ApiOptions options;
  options.files = c.runs;
  options.files.insert(options.files.end(), c.plans.begin(), c.plans.end());
  options.models = c.models;
  options.simulations = c.simulations;
  options.account = c.account;
  std::error_code error;
  options.program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  options.jobs.seconds = c.job_seconds;
  options.jobs.memory_b = static_cast<std::uint64_t>(c.job_memory_mb) << 20;
  return std::make_unique<Api>(std::move(options));
}

/// "http://127.0.0.1:9187"
std::string origin_of(const ServerAddress& address, int port) {
  const bool numbered = address.host.find(':') != std::string::npos;
  return fmt::format("http://{}:{}", numbered ? fmt::format("[{}]", address.host) : address.host,
                     port);
}

std::string this_host() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unnamed";
}

/// Sends the figures of /metrics wherever they are asked for.
std::vector<std::unique_ptr<live::ExportThread>> export_threads(const ServeCommand& c,
                                                                const Exporter& exporter,
                                                                const Common& common) {
  if (c.remote_write.empty() && c.otlp.empty()) {
    if (!c.export_token_file.empty())
      throw UsageError("--export-token-file: is for --remote-write or --otlp");
    return {};
  }
  if (!live::can_post())
    throw DeviceError(
        "this carnot was built without libcurl, which sends figures; install "
        "libcurl4-openssl-dev and build again");
  live::ExportTarget target;
  if (!c.export_token_file.empty())
    target.headers.emplace_back("Authorization", "Bearer " + read_token(c.export_token_file));
  const auto say_it = [&common](const std::string& words) { say(common, words); };
  const Duration interval = Duration::seconds(c.export_seconds);
  std::vector<std::unique_ptr<live::ExportThread>> out;
  const auto add = [&](const char* option, const std::string& url,
                       std::vector<std::pair<std::string, std::string>> headers, auto make) {
    if (url.empty()) return;
    try {
      live::check_export_url(url);
    } catch (const InputError& error) {
      throw UsageError(fmt::format("{}: {}", option, error.what()));
    }
    live::ExportTarget one = target;
    one.url = url;
    one.headers.insert(one.headers.end(), headers.begin(), headers.end());
    out.push_back(
        std::make_unique<live::ExportThread>(std::move(one), interval, std::move(make), say_it));
  };
  const std::string host = this_host();
  add("--remote-write", c.remote_write,
      {{"Content-Type", "application/x-protobuf"},
       {"Content-Encoding", "snappy"},
       {"X-Prometheus-Remote-Write-Version", "0.1.0"},
       {"User-Agent", fmt::format("carnot/{}", kVersion)}},
      [&exporter, host] {
        return report::remote_write_request(report::metric_families(exporter.state()),
                                            {{"job", "carnot"}, {"instance", host}},
                                            Instant::now());
      });
  add("--otlp", c.otlp,
      {{"Content-Type", "application/x-protobuf"},
       {"User-Agent", fmt::format("carnot/{}", kVersion)}},
      [&exporter, host] {
        return report::otlp_request(report::metric_families(exporter.state()),
                                    {{"service.name", "carnot"}, {"host.name", host}}, kVersion,
                                    Instant::now());
      });
  return out;
}

int execute(const ServeCommand& c, const Common& common) {
  const ServerAddress address = address_of(c);
  const HttpAccess access = access_of(c, address);
  const std::unique_ptr<Api> api = api_of(c);
  watch_for_interrupt();
  measure::MetricsOptions shown{c.most_processes, "", 0};
  if (!c.account.location.empty() || c.account.carbon_g_per_kwh) {
    const auto account = model::account(
        Estimate<Energy>::exact(1.0 * kilowatt_hour, Origin::Assumed, Boundary::Node),
        Instant::now(), Duration::seconds(1), std::nullopt, c.account);
    shown.location = c.account.location.empty() ? "stated" : account.grid.code;
    shown.carbon_g_per_kwh = account.operational.value().in(gram);
  }
  measure::MetricsCollector collector(shown);
  bool go_on = false;
  if (!c.out.empty() && std::filesystem::exists(c.out)) {
    const ledger::JournalContents before = ledger::read_journal(c.out);
    if (!ledger::is_measurement(before.entries))
      throw InputError(c.out + ": not the journal of a measurement");
    collector.replay(before.entries);
    if (api) api->replay(before.entries);
    go_on = !std::holds_alternative<ledger::MeasurementEnd>(before.entries.back());
    if (!go_on) {
      const measure::MetricsState totals = collector.state();
      collector = measure::MetricsCollector(shown);
      collector.restore(totals);
      say(common, fmt::format("going on from the totals of {}", set_aside(c.out)));
    }
  }

  Exporter exporter(std::move(collector));
  if (go_on) exporter.begun();
  measure::MeasureOptions options;
  options.meter = meter_options(c.sources, c.host);
  options.job.procfs_root = c.sources.procfs_root;
  options.interval = Duration::nanoseconds(std::int64_t{c.interval_ms} * 1'000'000);
  options.journal = c.out;
  options.command_line = common.command_line;
  options.facts_json = measure::account_facts(c.account);
  options.keep_entries = false;
  measure::MeasureHooks hooks;
  const bool anew = !go_on;
  bool first = true;
  hooks.on_sample = [&](const measure::MeasureView& view) {
    exporter.take(view, c);
    if (!api) return;
    if (first && anew) api->begin(view.begin);
    first = false;
    api->take(view.sample, view.processes, view.meter);
  };
  hooks.stop = [] { return interrupted(); };
  const auto metrics = [&exporter](const HttpRequest&) {
    return HttpResponse{200, std::string(report::kOpenMetricsType), exporter.text(), {}};
  };
  const auto index = [](const HttpRequest&) {
    return HttpResponse{200,
                        "text/html; charset=utf-8",
                        "<!doctype html><title>carnot</title><a href=\"/metrics\">metrics</a>\n",
                        {}};
  };
  const auto healthy = [](const HttpRequest&) {
    return HttpResponse{200, "text/plain; charset=utf-8", "ok\n", {}};
  };
  std::vector<Route> routes{{"GET", "/metrics", metrics}, {"GET", "/healthz", healthy}};
  if (api) {
    for (auto more : {api->routes(), asset_routes()})
      routes.insert(routes.end(), more.begin(), more.end());
  } else {
    routes.push_back({"GET", "/", index});
  }
  const Server server(address, access, {}, std::move(routes));
  const std::string origin = origin_of(address, server.port());
  say(common, fmt::format("metrics: {}/metrics", origin));
  // Of a token in a file the reader has the file; what stands on a screen is seen by others.
  if (api)
    say(common, fmt::format("dashboard: {}/{}", origin,
                            access.reading_is_free ? "#token=" + access.token : ""));
  const auto exports = export_threads(c, exporter, common);
  const measure::MeasureResult result =
      go_on ? measure::resume_measurement(c.out, options, hooks) : measure::measure(options, hooks);
  for (const meter::Note& note : result.notes)
    say(common, fmt::format("{}: {}{}", note.what, note.why,
                            note.remedy.empty() ? "" : "; " + note.remedy));
  return kOk;
}

#else

int execute(const ServeCommand&, const Common&) {
  throw DeviceError(
      "this carnot was built without Boost.Beast; install libboost-dev and build again");
}

#endif

}  // namespace

void add_serve(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<ServeCommand>();
  CLI::App* command = app.add_subcommand(
      "serve", "Measure the machine and show it: a dashboard, an API, metrics for Prometheus");
  command->add_flag("--metrics", c->metrics, "OpenMetrics at /metrics alone, no dashboard");
  command->add_option("--runs", c->runs,
                      "Journals, simulations and explanations to show; folders of them");
  command->add_option("--plan", c->plans, "Plans of `carnot plan` to show");
  command->add_option("--model", c->models, "Models whose energy the page may explain");
  command->add_option("--simulate", c->simulations,
                      "Flags of `carnot simulate` whose variants the page may compute");
  command->add_option("--job-seconds", c->job_seconds, "Most that a job may take (default: 120)")
      ->check(CLI::Range(1, 86'400));
  command->add_option("--job-memory", c->job_memory_mb, "MB that it may take (default: 4096)")
      ->check(CLI::Range(64, 1'000'000));
  command->add_option("--listen", c->listen, "HOST:PORT (default: 127.0.0.1:9187; port 0: any)");
  command->add_option("--out,-o", c->out,
                      "Write the measurement's journal here; an old one there is gone on from");
  command->add_option("--interval", c->interval_ms, "Milliseconds between samples (default: 1000)")
      ->check(CLI::Range(10, 3'600'000));
  command->add_option("--top", c->most_processes, "Processes with a row of their own (default: 50)")
      ->check(CLI::Range(0, 10'000));
  command->add_option("--cgroup-depth", c->group_depth, "Levels of control groups (default: 2)")
      ->check(CLI::Range(0, 16));
  command->add_option("--token-file", c->token_file,
                      "File with the token that readers send; needed unless --listen is loopback");
  command->add_option("--remote-write", c->remote_write,
                      "Also send the figures to a Prometheus that receives remote write: its URL");
  command->add_option("--otlp", c->otlp,
                      "Also send them by OTLP over HTTP: such as http://localhost:4318/v1/metrics");
  command->add_option("--export-interval", c->export_seconds, "Seconds between (default: 15)")
      ->check(CLI::Range(1, 86'400));
  command->add_option("--export-token-file", c->export_token_file,
                      "File (mode 600) with the bearer token that the receivers ask for");
  command->add_option("--allow-host", c->allowed_hosts, "Also answer to this name");
  add_source_flags(*command, c->sources, c->host);
  add_account_options(*command, c->account);
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
