// SPDX-License-Identifier: Apache-2.0
#include "carnot/train/environment.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/trace/readers/read.hpp"
#include "carnot/trace/weather/generate.hpp"

namespace carnot::train {

namespace {

namespace fs = std::filesystem;

constexpr Duration kHistory = Duration::seconds(30 * 86400);

/// A signal over time: the history before the start and the job's slots, in base units.
struct Series {
  std::vector<double> history;  // slots before the start, ending at it; may be empty
  std::vector<double> slots;    // from the start to the deadline
  std::string source;
};

class Loader {
 public:
  Loader(const site::Scenario& scenario, const std::string& data_dir)
      : scenario_(scenario),
        data_dir_(data_dir),
        start_(scenario.work.start),
        slot_(scenario.slot),
        // A deadline inside a slot: the job must be done before that slot.
        slots_(static_cast<std::size_t>(std::max(
            0.0,
            std::floor(scenario.work.deadline_after.in(second) / scenario.slot.time().in(second) +
                       1e-9)))),
        past_(static_cast<std::size_t>(kHistory / scenario.slot)) {}

  Environment load() {
    if (slots_ == 0) {
      const Place at = scenario_.place("work.deadline_after");
      problems_.add(
          at, "work.deadline_after",
          fmt::format("at least one slot, {}, after the start", format(scenario_.slot.time())));
      problems_.throw_if_any();
    }
    Environment e;
    e.start = start_;
    e.slot = slot_;
    const Series power = read(scenario_.power, "power",
                              [&](const site::SignalOptions& s) { return generate_power(s); });
    const Series temperature =
        read(scenario_.temperature, "temperature", [&](const site::SignalOptions& s) {
          return generated<TemperatureOptions>(s, [&](const TemperatureOptions& o) {
            return generate_temperature(o, grid(), scenario_.seed).core();
          });
        });
    const auto price_maker = [&](const site::SignalOptions& s) {
      return generated<PriceOptions>(s, [&](const PriceOptions& o) {
        return generate_price(o, grid(), scenario_.seed).core();
      });
    };
    const Series price = read(scenario_.price, "price", price_maker);
    const Series export_price = read(scenario_.export_price, "export_price", price_maker);
    const Series carbon = read(scenario_.carbon, "carbon", [&](const site::SignalOptions& s) {
      return generated<CarbonOptions>(s, [&](const CarbonOptions& o) {
        return generate_carbon(o, grid(), scenario_.seed).core();
      });
    });
    if (!scenario_.power.forecast_file.empty()) read_forecast(e);
    problems_.throw_if_any();

    e.weather.resize(slots_);
    for (std::size_t i = 0; i < slots_; ++i) {
      site::Weather& w = e.weather[i];
      w.total = Power::from_base(std::max(0.0, power.slots[i]));
      w.outside = Temperature::from_base(temperature.slots[i]);
      w.price = EnergyPrice::from_base(price.slots[i]);
      w.export_price = EnergyPrice::from_base(export_price.slots[i]);
      w.carbon = CarbonIntensity::from_base(carbon.slots[i]);
    }
    e.power_history = history(power);
    e.price_history = history(price);
    e.carbon_history = history(carbon);
    // Installed capacity as far as it is known beforehand: never from the truth ahead.
    double capacity = 0.0;
    if (e.power_history)
      for (const double v : e.power_history->mean()) capacity = std::max(capacity, v);
    if (e.power_forecast)
      for (const double v : e.power_forecast->mean()) capacity = std::max(capacity, v);
    e.capacity = (capacity > 0.0 ? capacity : 1e9) * watt;
    e.notes = {{"power", power.source},
               {"price", price.source},
               {"export_price", export_price.source},
               {"carbon", carbon.source},
               {"temperature", temperature.source}};
    if (e.power_forecast) e.notes.push_back({"power forecast", forecast_source_});
    return e;
  }

 private:
  using Maker = std::function<TraceCore(const site::SignalOptions&)>;

  TimeGrid grid() const {
    return {start_ - slot_ * static_cast<std::int64_t>(past_), slot_, past_ + slots_};
  }

  template <class Options, class Make>
  TraceCore generated(const site::SignalOptions& signal, const Make& make) {
    Options options;
    Problems bad;
    OptionTable table = option_table(&options);
    for (const auto& [key, note] : signal.parameter_notes)
      table.set(note.place, key, note.text, bad);
    bad.throw_if_any();
    return make(options);
  }

  TraceCore generate_power(const site::SignalOptions& signal) {
    if (signal.source == site::PowerSource::Solar)
      return generated<SolarOptions>(signal, [&](const SolarOptions& o) {
        return generate_solar(o, grid(), scenario_.seed).core();
      });
    return generated<WindOptions>(signal, [&](const WindOptions& o) {
      return generate_wind(o, grid(), scenario_.seed).core();
    });
  }

  /// Whatever is wrong with one signal is kept, so that all of them are reported together.
  Series read(const site::SignalOptions& signal, const std::string& name, const Maker& make) {
    Series series;
    series.slots.assign(slots_, 0.0);
    try {
      fill(signal, name, make, series);
    } catch (const InputError& error) {
      const std::string text = error.what();
      problems_.add(text.find(':') != std::string::npos ? Place{} : signal.place,
                    text.find(':') != std::string::npos ? "" : "signals." + name, text);
    } catch (const InputFileError& error) {
      problems_.add(signal.place, "signals." + name, error.what());
    }
    return series;
  }

  void fill(const site::SignalOptions& signal, const std::string& name, const Maker& make,
            Series& series) {
    if (signal.kind == site::SignalKind::Constant) {
      series.history.assign(past_, signal.constant * signal.scale);
      series.slots.assign(slots_, signal.constant * signal.scale);
      series.source = "constant, from the scenario";
      return;
    }
    if (signal.kind == site::SignalKind::Generated) {
      const TraceCore all = make(signal);
      for (std::size_t i = 0; i < past_; ++i)
        series.history.push_back(all.mean()[i] * signal.scale);
      for (std::size_t i = 0; i < slots_; ++i)
        series.slots[i] = all.mean()[past_ + i] * signal.scale;
      series.source = fmt::format("generated from seed {} (docs/weather.md)", scenario_.seed);
      return;
    }
    auto [trace, source] = open(signal, name);
    series.source = source;
    for (std::size_t i = 0; i < slots_; ++i)
      series.slots[i] =
          sample(trace, signal, name, start_ + slot_ * static_cast<std::int64_t>(i)) * signal.scale;
    for (std::size_t back = 1; back <= past_; ++back) {
      const Instant at = mapped(trace, signal, start_ - slot_ * static_cast<std::int64_t>(back));
      if (at < trace.begin() || at + slot_ > trace.end()) break;
      series.history.push_back(trace.mean_over(at, at + slot_) * signal.scale);
    }
    std::reverse(series.history.begin(), series.history.end());
  }

  /// The instant of the file that stands for `at`.
  static Instant mapped(const TraceCore& trace, const site::SignalOptions& signal, Instant at) {
    if (signal.align == site::SignalAlignment::Instant) return at;
    // Same month, day and time of day in the file's year: that of its middle.
    const Instant middle =
        trace.begin() + Duration::nanoseconds((trace.end() - trace.begin()).nanoseconds() / 2);
    const int year = middle.calendar().year;
    const Instant::Calendar c = at.calendar();
    const Duration into_day = at - Instant::from_date(c.year, c.month, c.day_of_month);
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int day = c.month == 2 && c.day_of_month == 29 && !leap ? 28 : c.day_of_month;
    return Instant::from_date(year, c.month, day) + into_day;
  }

  double sample(const TraceCore& trace, const site::SignalOptions& signal, const std::string& name,
                Instant at) const {
    const Instant from = mapped(trace, signal, at);
    if (from < trace.begin() || from + slot_ > trace.end())
      throw InputError(
          describe(signal.place, "signals." + name,
                   fmt::format("a file that covers the job, {} to {}, slot {} among it; it covers "
                               "{} to {}",
                               start_.iso8601(),
                               (start_ + slot_ * static_cast<std::int64_t>(slots_)).iso8601(),
                               from.iso8601(), trace.begin().iso8601(), trace.end().iso8601())));
    return trace.mean_over(from, from + slot_);
  }

  std::string resolve(const std::string& path) const {
    if (path.empty() || fs::path(path).is_absolute()) return path;
    if (!data_dir_.empty() && fs::exists(fs::path(data_dir_) / path))
      return (fs::path(data_dir_) / path).string();
    const fs::path beside = fs::path(scenario_.file).parent_path() / path;
    if (fs::exists(beside)) return beside.string();
    return data_dir_.empty() ? beside.string() : (fs::path(data_dir_) / path).string();
  }

  std::pair<TraceCore, std::string> open(const site::SignalOptions& signal,
                                         const std::string& name) {
    const auto file = [&](const std::string& usual) {
      return resolve(signal.file.empty() ? usual : signal.file);
    };
    const auto result = [](const auto& read) {
      return std::pair<TraceCore, std::string>(read.trace.core(), read.provenance);
    };
    const std::string rts = "rts-gmlc/RTS_Data/timeseries_data_files/";
    switch (signal.kind) {
      case site::SignalKind::Csv: {
        CsvOptions options = signal.csv;
        if (signal.align == site::SignalAlignment::Instant) {
          options.needed_from = start_;
          options.needed_to = start_ + slot_ * static_cast<std::int64_t>(slots_);
        }
        if (name == "power") return result(read_csv<Power>(file(""), options));
        if (name == "temperature") return result(read_csv<Temperature>(file(""), options));
        if (name == "carbon") return result(read_csv<CarbonIntensity>(file(""), options));
        return result(read_csv<EnergyPrice>(file(""), options));
      }
      case site::SignalKind::RtsGmlc:
        only_for(name, "power", signal);
        return result(read_rts_gmlc(
            file(rts + (signal.source == site::PowerSource::Solar ? "PV/DAY_AHEAD_pv.csv"
                                                                  : "WIND/REAL_TIME_wind.csv")),
            signal.column));
      case site::SignalKind::Sites2023:
        if (name == "temperature")
          return result(
              read_sites_temperature(file("sites-2023-hourly/temperature_c.csv"), signal.column));
        if (name == "carbon")
          return result(read_sites_carbon(file("sites-2023-hourly/carbon_direct_g_per_kwh.csv"),
                                          signal.column));
        if (name == "power") only_for(name, "price, carbon or temperature", signal);
        return result(
            read_sites_price(file("sites-2023-hourly/price_usd_per_mwh.csv"), signal.column));
      case site::SignalKind::Eia: {
        const std::string path = file(
            fmt::format("eia-fuelmix-2022/data/CarbonIntensity/{}_NG_&_avgCI.csv", signal.column));
        if (name == "power")
          return result(
              read_eia_power(path, signal.source == site::PowerSource::Solar ? "SUN" : "WND"));
        only_for(name, "carbon", signal);
        return result(read_eia_carbon(path));
      }
      case site::SignalKind::GbCurtailment: {
        only_for(name, "power", signal);
        const GbSeries series = signal.column == "planned"     ? GbSeries::Planned
                                : signal.column == "delivered" ? GbSeries::Delivered
                                                               : GbSeries::Curtailed;
        return result(
            read_gb_curtailment(file("gb-curtailment-2025-10/derived/gb_wind_15min.csv"), series));
      }
      case site::SignalKind::Constant:
      case site::SignalKind::Generated:
        break;
    }
    throw InternalError("a signal without a file was opened");
  }

  static void only_for(const std::string& name, const std::string& allowed,
                       const site::SignalOptions& signal) {
    if (allowed != name)
      throw InputError(describe(signal.place, "signals." + name,
                                fmt::format("kind `{}` has no such column; it serves {}",
                                            site::to_text(signal.kind), allowed)));
  }

  void read_forecast(Environment& e) {
    try {
      const std::string path = resolve(scenario_.power.forecast_file);
      TraceFile<Power> file = scenario_.power.kind == site::SignalKind::RtsGmlc
                                  ? read_rts_gmlc(path, scenario_.power.column)
                                  : read_csv<Power>(path, scenario_.power.csv);
      e.power_forecast = aligned(file.trace.core()).affine(scenario_.power.scale, 0.0);
      forecast_source_ = file.provenance;
    } catch (const InputError& error) {
      problems_.add({}, "", error.what());
    } catch (const InputFileError& error) {
      problems_.add(scenario_.power.place, "signals.power.forecast_file", error.what());
    }
  }

  /// The document in the scenario's time: slot by slot where its year is another one.
  TraceCore aligned(const TraceCore& document) const {
    if (scenario_.power.align == site::SignalAlignment::Instant) return document;
    std::vector<double> means;
    Instant at = start_;
    for (const Instant end = at + slot_ * static_cast<std::int64_t>(slots_); at < end;
         at = at + slot_)
      means.push_back(sample(document, scenario_.power, "power", at));
    return TraceCore(start_, slot_, std::move(means));
  }

  std::optional<TraceCore> history(const Series& series) const {
    if (series.history.empty()) return std::nullopt;
    return TraceCore(start_ - slot_ * static_cast<std::int64_t>(series.history.size()), slot_,
                     series.history);
  }

  const site::Scenario& scenario_;
  std::string data_dir_;
  Instant start_;
  Duration slot_;
  std::size_t slots_, past_;
  Problems problems_;
  std::string forecast_source_;
};

}  // namespace

Environment load_environment(const site::Scenario& scenario, const std::string& data_dir) {
  return Loader(scenario, data_dir).load();
}

}  // namespace carnot::train
