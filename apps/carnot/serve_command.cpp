// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "account_options.hpp"
#include "command.hpp"

#ifdef CARNOT_HAVE_HTTPLIB
#include <filesystem>
#include <mutex>
#include <thread>

#include <httplib.h>

#include "carnot/base/text.hpp"
#include "carnot/ledger/journal/journal.hpp"
#include "carnot/ledger/store/measurement_view.hpp"
#include "carnot/measure/attribution/measurement.hpp"
#include "carnot/measure/measure.hpp"
#include "carnot/meter/processes/control_groups.hpp"
#include "carnot/report/measure/metrics.hpp"
#endif

namespace carnot::app {

namespace {

struct ServeCommand {
  bool metrics = false;
  std::string listen = "127.0.0.1:9187", out;
  int interval_ms = 1000, group_depth = 2;
  std::size_t most_processes = 50, most_groups = 100;
  model::AccountOptions account;
  meter::SourceOptions sources;
};

#ifdef CARNOT_HAVE_HTTPLIB

struct Address {
  std::string host;
  int port = 0;
};

Address parse_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  try {
    if (colon != std::string::npos && colon > 0) {
      const long long port = parse_integer(text.substr(colon + 1));
      std::string host = text.substr(0, colon);
      if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
      if (port >= 0 && port <= 65535) return {host, static_cast<int>(port)};
    }
  } catch (const InputError&) {
    // said below
  }
  throw UsageError("--listen: HOST:PORT is wanted, such as 127.0.0.1:9187, found `" + text + "`");
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
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return openmetrics(collector_.state());
  }

 private:
  mutable std::mutex mutex_;
  measure::MetricsCollector collector_;
  bool begun_ = false;
};

/// A server on its own threads from construction to destruction.
class Server {
 public:
  Server(const Address& address, const Exporter& exporter) {
    server_.Get("/metrics", [&exporter](const httplib::Request&, httplib::Response& response) {
      response.set_content(exporter.text(), std::string(report::kOpenMetricsType));
    });
    server_.Get("/", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("<a href=\"/metrics\">metrics</a>\n", "text/html");
    });
    port_ = address.port == 0 ? server_.bind_to_any_port(address.host)
            : server_.bind_to_port(address.host, address.port) ? address.port
                                                               : -1;
    if (port_ < 0) throw IoError(fmt::format("{}:{}", address.host, address.port), "listen", errno);
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    server_.stop();
    thread_.join();
  }
  int port() const { return port_; }

 private:
  httplib::Server server_;
  int port_ = -1;
  std::thread thread_;
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

int execute(const ServeCommand& c, const Common& common) {
  if (!c.metrics) throw UsageError("say what to serve: --metrics");
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
  options.meter.sources = c.sources;
  options.job.procfs_root = c.sources.procfs_root;
  options.interval = Duration::nanoseconds(std::int64_t{c.interval_ms} * 1'000'000);
  options.journal = c.out;
  options.command_line = common.command_line;
  options.facts_json = measure::account_facts(c.account);
  options.keep_entries = false;
  measure::MeasureHooks hooks;
  hooks.on_sample = [&](const measure::MeasureView& view) { exporter.take(view, c); };
  hooks.stop = [] { return interrupted(); };
  const Address address = parse_address(c.listen);
  const Server server(address, exporter);
  say(common, fmt::format("metrics: http://{}:{}/metrics", address.host, server.port()));
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
      "this carnot was built without cpp-httplib; install libcpp-httplib-dev and "
      "build again");
}

#endif

}  // namespace

void add_serve(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<ServeCommand>();
  CLI::App* command =
      app.add_subcommand("serve", "Measure the machine and serve it to Prometheus until stopped");
  command->add_flag("--metrics", c->metrics, "Serve OpenMetrics at /metrics");
  command->add_option("--listen", c->listen, "HOST:PORT (default: 127.0.0.1:9187; port 0: any)");
  command->add_option("--out,-o", c->out,
                      "Write the measurement's journal here; an old one there is gone on from");
  command->add_option("--interval", c->interval_ms, "Milliseconds between samples (default: 1000)")
      ->check(CLI::Range(10, 3'600'000));
  command->add_option("--top", c->most_processes, "Processes with a row of their own (default: 50)")
      ->check(CLI::Range(0, 10'000));
  command->add_option("--cgroup-depth", c->group_depth, "Levels of control groups (default: 2)")
      ->check(CLI::Range(0, 16));
  command->add_option("--sysfs-root", c->sources.sysfs_root, "Stands for /sys");
  command->add_option("--procfs-root", c->sources.procfs_root, "Stands for /proc");
  command->add_option("--nvml", c->sources.nvml, "Library to load in place of libnvidia-ml.so.1");
  add_account_options(*command, c->account);
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
