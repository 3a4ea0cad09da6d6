// SPDX-License-Identifier: Apache-2.0
#include "meter/testing/testing.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace carnot::meter::testing {

namespace {

// Watts for nanoseconds are nanojoules; a thousandth of that keeps milliwatts exact.
detail::Uint128 picojoules(Power power, std::int64_t ns) {
  const double milliwatts = std::round(power.base() * 1e3);
  return static_cast<detail::Uint128>(milliwatts) * static_cast<detail::Uint128>(ns);
}

}  // namespace

Domain counter_domain(const std::string& id, DomainKind kind, int socket) {
  Domain d;
  d.id = id;
  d.label = id;
  d.source = id.substr(0, id.find('/'));
  d.kind = kind;
  d.socket = socket;
  d.counter.unit = 0x1p-14 * joule;
  d.counter.modulus = std::uint64_t{1} << 32;
  return d;
}

Domain package_domain(const std::string& id, int socket) {
  return counter_domain(id, DomainKind::Package, socket);
}

Domain gauge_domain(const std::string& id, DomainKind kind) {
  Domain d = counter_domain(id, kind);
  d.is_counter = false;
  return d;
}

std::size_t FakeSource::add(const Domain& domain, Power power, std::uint64_t start, double gain) {
  domains_.push_back(domain);
  Sensor sensor;
  sensor.power = power;
  sensor.start = start;
  sensor.gain = gain;
  sensors_.push_back(sensor);
  return sensors_.size() - 1;
}

void FakeSource::pass(Duration awake, Duration asleep) {
  const std::int64_t begin = now_.monotonic_ns, end = begin + awake.nanoseconds();
  for (std::size_t i = 0; i < sensors_.size(); ++i) {
    Sensor& s = sensors_[i];
    const Power shown = s.gain * s.power;
    const std::int64_t period =
        std::max<std::int64_t>(1, domains_[i].counter.update_period.nanoseconds());
    const std::int64_t edge = end / period * period;
    if (edge > begin) s.shown_pj = s.gross_pj + picojoules(shown, edge - begin);
    s.gross_pj += picojoules(shown, end - begin);
    s.spent_pj += picojoules(s.power, end - begin);
  }
  now_.monotonic_ns = end;
  now_.boottime_ns += awake.nanoseconds() + asleep.nanoseconds();
}

void FakeSource::fail(std::size_t domain, PollStatus status, int times, int error) {
  sensors_.at(domain).failing = status;
  sensors_.at(domain).failures = times;
  sensors_.at(domain).error = error;
}

void FakeSource::reset(std::size_t domain) {
  Sensor& s = sensors_.at(domain);
  s.start = 0;
  s.shown_pj = s.gross_pj = 0;
}

void FakeSource::vanish(std::size_t domain) { sensors_.at(domain).gone = true; }

Energy FakeSource::truth(std::size_t domain) const {
  return static_cast<double>(sensors_.at(domain).spent_pj) * picojoule;
}

std::uint64_t FakeSource::raw(std::size_t domain) const noexcept {
  const Sensor& s = sensors_[domain];
  const CounterSpec& spec = domains_[domain].counter;
  const long double counts = static_cast<long double>(s.shown_pj) * 1e-12L / spec.unit.base();
  const std::uint64_t raw = s.start + static_cast<std::uint64_t>(counts) / spec.step * spec.step;
  return spec.modulus == 0 ? raw : raw % spec.modulus;
}

void FakeSource::poll(std::span<Reading> readings) noexcept {
  ++polls_;
  for (std::size_t i = 0; i < sensors_.size(); ++i) {
    Sensor& s = sensors_[i];
    Reading& r = readings[i];
    r = {};
    r.at = now_;
    r.gain = domains_[i].gauge.gain;
    if (s.gone) {
      r.status = PollStatus::Ended;
    } else if (s.failures > 0) {
      --s.failures;
      r.status = s.failing;
      r.error = s.error;
    } else {
      r.status = PollStatus::Ok;
      if (domains_[i].is_counter) {
        r.raw = raw(i);
      } else {
        r.power = s.gain * s.power;
      }
    }
  }
}

namespace {

void check_domains(const std::vector<Domain>& domains, std::vector<std::string>& broken) {
  std::set<std::string> ids;
  for (const Domain& d : domains) {
    if (d.id.empty() || !ids.insert(d.id).second) broken.push_back("id `" + d.id + "`: not unique");
    if (d.source.empty()) broken.push_back(d.id + ": names no source");
    if (d.is_counter) {
      try {
        Counter counter(d.counter);
      } catch (const std::exception& problem) {
        broken.push_back(d.id + ": " + problem.what());
      }
    }
    const Gain& gain = d.is_counter ? d.counter.gain : d.gauge.gain;
    if (!(gain.low <= 1.0 && gain.high >= 1.0 && gain.low >= 0.0))
      broken.push_back(d.id + ": gain does not hold the shown value");
    if (d.boundary == Boundary::None) broken.push_back(d.id + ": energy has a boundary");
  }
  for (const Domain& d : domains)
    if (!d.parent.empty() && (!ids.contains(d.parent) || d.parent == d.id))
      broken.push_back(d.id + ": its parent `" + d.parent + "` is none of the source's");
}

void check_readings(const Source& source, const std::vector<Reading>& readings,
                    const std::vector<Reading>& before, std::vector<std::string>& broken) {
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const Domain& d = source.domains()[i];
    const Reading& r = readings[i];
    if (r.error == -77) broken.push_back(d.id + ": its reading was not written");
    if (r.status != PollStatus::Ok) continue;
    if (r.at.monotonic_ns <= 0) broken.push_back(d.id + ": a good reading without a time");
    if (r.at.monotonic_ns < before[i].at.monotonic_ns && before[i].status == PollStatus::Ok)
      broken.push_back(d.id + ": time goes back");
    if (d.is_counter && d.counter.modulus_known && d.counter.modulus != 0 &&
        r.raw >= d.counter.modulus)
      broken.push_back(d.id + ": reads at or above its modulus");
    if (!d.is_counter && !(r.power >= Power{} && is_finite(r.power)))
      broken.push_back(d.id + ": no power");
  }
}

}  // namespace

std::vector<std::string> check_source_contract(Source& source, std::uint64_t (*allocations)()) {
  std::vector<std::string> broken;
  if (source.name().empty()) broken.push_back("the source has no name");
  const std::vector<Domain> domains = source.domains();
  check_domains(domains, broken);
  std::vector<Reading> readings(domains.size()), before(domains.size());
  for (int poll = 0; poll < 5; ++poll) {
    for (Reading& r : readings) r.error = -77;
    const std::uint64_t allocated = allocations != nullptr ? allocations() : 0;
    source.poll(readings);
    if (allocations != nullptr && allocations() != allocated)
      broken.push_back("poll " + std::to_string(poll) + " allocates");
    check_readings(source, readings, before, broken);
    before = readings;
  }
  const std::vector<Domain>& after = source.domains();
  if (after.size() != domains.size() ||
      !std::equal(after.begin(), after.end(), domains.begin(),
                  [](const Domain& a, const Domain& b) { return a.id == b.id; }))
    broken.push_back("its domains changed");
  return broken;
}

}  // namespace carnot::meter::testing
