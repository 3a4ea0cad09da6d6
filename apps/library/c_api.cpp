// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/c_api.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/version.hpp"
#include "carnot/meter/meter.hpp"
#include "carnot/model/footprint/accounting.hpp"

#include "guarded.hpp"

using namespace carnot;
using namespace carnot::library;

struct carnot_meter {
  meter::Meter meter;
};

struct carnot_window {
  meter::Window window;
  std::optional<meter::WindowResult> last;  // of the last look or end
};

namespace {

carnot_energy plain(const Estimate<Energy>& e) {
  return {e.value().in(joule), e.low().in(joule), e.high().in(joule),
          static_cast<std::int32_t>(e.origin()), static_cast<std::int32_t>(e.boundary())};
}

carnot_window_result plain(const meter::WindowResult& r) {
  carnot_window_result result{};
  result.machine = plain(r.machine.total);
  result.own = plain(r.own);
  result.exclusive = plain(r.exclusive);
  result.duration_s = r.length.time().in(second);
  result.asleep_s = r.machine.asleep.time().in(second);
  result.unobserved_s = r.machine.unobserved.time().in(second);
  result.cpu_s = r.cpu_s;
  result.overlapped = r.overlapped;
  return result;
}

meter::MeterOptions meter_options(const carnot_meter_options& given) {
  meter::MeterOptions options;
  const auto set = [](std::string& into, const char* from) {
    if (from) into = from;
  };
  meter::SourceOptions& sources = options.sources;
  set(sources.sysfs_root, given.sysfs_root);
  set(sources.procfs_root, given.procfs_root);
  set(sources.dev_root, given.dev_root);
  set(sources.nvml, given.nvml);
  set(sources.amd_smi, given.amd_smi);
  set(sources.redfish, given.redfish);
  set(sources.redfish_user, given.redfish_user);
  set(sources.redfish_password, given.redfish_password);
  set(sources.record_to, given.record_to);
  set(sources.replay_from, given.replay_from);
  sources.msr = given.msr != 0;
  sources.ipmi = given.ipmi != 0;
  options.model = given.no_model == 0;
  return options;
}

template <class Enum>
Enum choice(int given, int count, const char* what) {
  if (given < 0 || given >= count)
    throw InputError(std::string(what) + ": allowed: 0 to " + std::to_string(count - 1));
  return static_cast<Enum>(given);
}

void copy_text(const std::string& from, char* into, std::size_t size) {
  const std::size_t length = std::min(from.size(), size - 1);
  std::memcpy(into, from.data(), length);
  into[length] = '\0';
}

/// \param unit  base units in one of the figure's
void give_causes(const EstimateCore& figure, double unit, carnot_cause* out, size_t count,
                 size_t* causes) {
  const std::vector<EstimateCore::Cause>& all = figure.causes();
  if (out == nullptr && count > 0) throw InputError("out: must not be NULL");
  for (std::size_t i = 0; i < std::min(count, all.size()); ++i)
    out[i] = {all[i].name.c_str(), all[i].up / unit, all[i].down / unit};
  *causes = all.size();
}

/// What `energy` means, as the C interface is asked.
model::Account account_of(const carnot_energy* energy, double start_unix_s, double duration_s,
                          const carnot_account_options* options) {
  need(energy, "energy");
  if (!(duration_s >= 0) || !std::isfinite(duration_s) || !std::isfinite(start_unix_s))
    throw InputError("start_unix_s, duration_s: allowed: finite, a duration >= 0");
  const carnot_account_options given = known_part(options);
  model::AccountOptions wanted;
  wanted.location = text(given.location);
  wanted.machine = text(given.machine);
  if (given.pue != 0) wanted.pue = given.pue;
  if (given.carbon_g_per_kwh > 0) wanted.carbon_g_per_kwh = given.carbon_g_per_kwh;
  if (given.price_eur_per_kwh > 0) wanted.price_eur_per_kwh = given.price_eur_per_kwh;
  if (given.machine_share != 0) wanted.machine_share = given.machine_share;
  const Estimate<Energy> figure(
      energy->energy_j * joule, energy->low_j * joule, energy->high_j * joule,
      choice<Origin>(energy->origin, 4, "energy->origin"),
      choice<Boundary>(energy->boundary, 4, "energy->boundary"), "measurement", {});
  return model::account(figure, Instant{} + Duration::from(start_unix_s * second),
                        Duration::from(duration_s * second), std::nullopt, wanted);
}

}  // namespace

const char* carnot_version(void) {
  static const std::string version(kVersion);
  return version.c_str();
}

const char* carnot_last_error(void) { return last_error.c_str(); }

const char* carnot_origin_name(int32_t origin) {
  return origin < CARNOT_MEASURED || origin > CARNOT_ASSUMED
             ? "?"
             : carnot::name(static_cast<Origin>(origin)).data();
}

const char* carnot_boundary_name(int32_t boundary) {
  return boundary < CARNOT_CHIP || boundary > CARNOT_NO_BOUNDARY
             ? "?"
             : carnot::name(static_cast<Boundary>(boundary)).data();
}

carnot_status carnot_meter_open(const carnot_meter_options* options, carnot_meter** out) {
  return guarded([&] {
    need(out, "out");
    const carnot_meter_options given = known_part(options);
    auto made = std::make_unique<carnot_meter>(meter::Meter::open(meter_options(given)));
    if (given.keep_alive) made->meter.keep_alive();
    *out = made.release();
  });
}

void carnot_meter_close(carnot_meter* meter) { delete meter; }

size_t carnot_meter_channel_count(const carnot_meter* meter) {
  return meter ? meter->meter.channels().size() : 0;
}

carnot_status carnot_meter_channel(const carnot_meter* meter, size_t index, carnot_channel* out) {
  return guarded([&] {
    need(meter, "meter");
    need(out, "out");
    if (index >= meter->meter.channels().size()) throw InputError("index: beyond the channels");
    const meter::Channel& channel = meter->meter.channels()[index];
    const meter::Domain& domain = channel.domain;
    *out = {domain.id.c_str(),
            domain.label.c_str(),
            domain.source.c_str(),
            meter::name(domain.kind).data(),
            channel.of.c_str(),
            channel.reason.c_str(),
            static_cast<std::int32_t>(channel.role),
            static_cast<std::int32_t>(domain.origin),
            static_cast<std::int32_t>(domain.boundary),
            domain.socket,
            domain.device};
  });
}

size_t carnot_meter_note_count(const carnot_meter* meter) {
  return meter ? meter->meter.notes().size() : 0;
}

carnot_status carnot_meter_note(const carnot_meter* meter, size_t index, carnot_note* out) {
  return guarded([&] {
    need(meter, "meter");
    need(out, "out");
    if (index >= meter->meter.notes().size()) throw InputError("index: beyond the notes");
    const meter::Note& note = meter->meter.notes()[index];
    *out = {note.what.c_str(), note.why.c_str(), note.remedy.c_str()};
  });
}

int32_t carnot_meter_origin(const carnot_meter* meter) {
  return meter ? static_cast<int32_t>(meter->meter.origin()) : CARNOT_ASSUMED;
}

int32_t carnot_meter_boundary(const carnot_meter* meter) {
  return meter ? static_cast<int32_t>(meter->meter.boundary()) : CARNOT_NO_BOUNDARY;
}

carnot_status carnot_window_begin(carnot_meter* meter, const char* label, carnot_scope scope,
                                  carnot_static_policy policy, carnot_window** out) {
  return guarded([&] {
    need(meter, "meter");
    need(out, "out");
    *out = new carnot_window{
        meter::Window(meter->meter, text(label), choice<meter::Scope>(scope, 2, "scope"),
                      choice<meter::StaticPolicy>(policy, 4, "policy")),
        std::nullopt};
  });
}

carnot_status carnot_window_look(carnot_window* window, carnot_window_result* out) {
  return guarded([&] {
    need(window, "window");
    window->last = window->window.so_far();
    give(plain(*window->last), out);
  });
}

carnot_status carnot_window_end(carnot_window* window, carnot_window_result* out) {
  return guarded([&] {
    need(window, "window");
    window->last = window->window.stop();
    give(plain(*window->last), out);
  });
}

carnot_status carnot_window_channels(const carnot_window* window, carnot_energy* out,
                                     size_t count) {
  return guarded([&] {
    need(window, "window");
    need(out, "out");
    if (!window->last) throw InputError("window: was neither looked at nor ended");
    const auto& channels = window->last->machine.by_channel;
    for (std::size_t i = 0; i < std::min(count, channels.size()); ++i) out[i] = plain(channels[i]);
  });
}

carnot_status carnot_window_causes(const carnot_window* window, size_t figure, carnot_cause* out,
                                   size_t count, size_t* causes) {
  return guarded([&] {
    need(window, "window");
    need(causes, "causes");
    if (!window->last) throw InputError("window: was neither looked at nor ended");
    const meter::WindowResult& last = *window->last;
    const std::vector<Estimate<Energy>>& channels = last.machine.by_channel;
    if (figure >= CARNOT_CHANNEL + channels.size()) throw InputError("figure: beyond the channels");
    give_causes(figure == CARNOT_MACHINE     ? last.machine.total.core()
                : figure == CARNOT_OWN       ? last.own.core()
                : figure == CARNOT_EXCLUSIVE ? last.exclusive.core()
                                             : channels[figure - CARNOT_CHANNEL].core(),
                (1.0 * joule).base(), out, count, causes);
  });
}

void carnot_window_free(carnot_window* window) { delete window; }

carnot_status carnot_account(const carnot_energy* energy, double start_unix_s, double duration_s,
                             const carnot_account_options* options, carnot_account_result* out) {
  return guarded([&] {
    const model::Account account = account_of(energy, start_unix_s, duration_s, options);
    carnot_account_result result{};
    result.facility = plain(account.facility);
    result.carbon_g = account.operational.value().in(gram);
    result.carbon_low_g = account.operational.low().in(gram);
    result.carbon_high_g = account.operational.high().in(gram);
    result.carbon_origin = static_cast<std::int32_t>(account.operational.origin());
    result.embodied_g = account.embodied.value().in(gram);
    result.embodied_low_g = account.embodied.low().in(gram);
    result.embodied_high_g = account.embodied.high().in(gram);
    result.cost_eur = account.cost.value().in(euro);
    result.cost_low_eur = account.cost.low().in(euro);
    result.cost_high_eur = account.cost.high().in(euro);
    result.grid_g_per_kwh = account.grid.intensity.value().in(gram_per_kilowatt_hour);
    result.grid_year = account.grid.year;
    copy_text(account.grid.code, result.grid_code, sizeof result.grid_code);
    copy_text(account.grid.name, result.grid_name, sizeof result.grid_name);
    give(result, out);
  });
}

carnot_status carnot_account_causes(const carnot_energy* energy, double start_unix_s,
                                    double duration_s, const carnot_account_options* options,
                                    size_t figure, carnot_cause* out, size_t count,
                                    size_t* causes) {
  return guarded([&] {
    need(causes, "causes");
    thread_local model::Account account;  // holds the names
    account = account_of(energy, start_unix_s, duration_s, options);
    if (figure == CARNOT_ACCOUNT_FACILITY)
      give_causes(account.facility.core(), (1.0 * joule).base(), out, count, causes);
    else if (figure == CARNOT_ACCOUNT_CARBON)
      give_causes(account.operational.core(), (1.0 * gram).base(), out, count, causes);
    else if (figure == CARNOT_ACCOUNT_EMBODIED)
      give_causes(account.embodied.core(), (1.0 * gram).base(), out, count, causes);
    else if (figure == CARNOT_ACCOUNT_COST)
      give_causes(account.cost.core(), (1.0 * euro).base(), out, count, causes);
    else
      throw InputError("figure: a carnot_account_figure");
  });
}
