// SPDX-License-Identifier: Apache-2.0
#include "live/slurm/dispatch_book.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/control/registry.hpp"
#include "carnot/plan/problem/plan_file.hpp"

namespace carnot::live {

using control::JobIndex;
using control::JobPhase;
using control::Signal;
using control::SiteIndex;

namespace {

constexpr std::int64_t kHistory = 720;  // steps before the beginning that forecasts learn from
constexpr std::size_t kRoom = 2000;     // steps
constexpr Duration kNobodyKnows = Duration::seconds(1'000'000'000);  // length of a job

class PlanPolicy final : public control::Policy {
 public:
  PlanPolicy(std::map<std::string, std::vector<control::PlannedRun>> runs)
      : runs_(std::move(runs)) {}
  void names(const std::vector<std::string>* names) { names_ = names; }
  std::string_view name() const noexcept override { return "plan"; }
  void arrived(const control::World& world, JobIndex job) override {
    const auto of = runs_.find((*names_)[job]);
    const bool late = of == runs_.end() || of->second.back().to <= world.view.now();
    if (late) return world.commands.submit(job, world.view.request(job).origin);
    world.commands.plan(job, of->second);
  }

 private:
  std::map<std::string, std::vector<control::PlannedRun>> runs_;
  const std::vector<std::string>* names_ = nullptr;
};

std::size_t index(Signal s) { return static_cast<std::size_t>(s); }

std::vector<std::string> names_of(const DispatchConfig& config) {
  std::vector<std::string> names;
  for (const DispatchSite& site : config.sites) names.push_back(site.name);
  return names;
}

std::unique_ptr<control::Policy> make_plan_policy(const std::string& path, Instant start,
                                                  const std::vector<std::string>& sites) {
  const plan::PlanFile file = plan::read_plan(path);
  if (!file.violations.empty()) throw InputError(path + ": " + file.violations.front());
  const plan::Problem& problem = file.problem;
  std::vector<SiteIndex> site_of;
  for (const auto& site : problem.sites) {
    const auto at = std::find(sites.begin(), sites.end(), site.name);
    if (at == sites.end())
      throw InputError(fmt::format("{}: site `{}`: none of the sites dispatched to has that name",
                                   path, site.name));
    site_of.emplace_back(at - sites.begin());
  }
  const Duration slot = Duration::from(problem.slot_s * second);
  std::map<std::string, std::vector<control::PlannedRun>> runs;
  for (std::size_t j = 0; j < file.plan.jobs.size(); ++j) {
    const plan::Assignment& a = file.plan.jobs[j];
    if (a.site == plan::kNone || a.slots.empty()) continue;
    const auto schedule = file.plan.schedules.find(static_cast<std::uint32_t>(j));
    std::vector<control::PlannedRun>& of = runs[std::string(problem.jobs.id(j))];
    for (std::size_t i = 0; i < a.slots.size(); ++i) {
      const bool moves = schedule != file.plan.schedules.end() && !schedule->second.sites.empty();
      const SiteIndex site = site_of[moves ? schedule->second.sites[i] : a.site];
      const Instant from = start + slot * a.slots[i];
      if (!of.empty() && of.back().to == from && of.back().site == site)
        of.back().to = from + slot;
      else
        of.push_back({from, from + slot, site, 0});
    }
  }
  return std::make_unique<PlanPolicy>(std::move(runs));
}

}  // namespace

DispatchBook::DispatchBook(const DispatchConfig& config, Instant begin,
                           const std::vector<std::int32_t>& nodes)
    : config_(config), begin_(begin) {
  scenario_.step = Duration::from(config.step);
  const Instant epoch;
  const std::int64_t first = (begin - epoch) / scenario_.step - kHistory;
  scenario_.series_start = epoch + scenario_.step * first;
  for (std::size_t s = 0; s < config.sites.size(); ++s) {
    simulate::FleetSite& site = scenario_.sites.emplace_back(config.sites[s].site);
    site.hall.nodes = nodes[s];
    site.price.resize(kRoom);
    site.carbon.resize(kRoom);
    site.outside.assign(kRoom, from_celsius(15.0));
    if (config.sites[s].own.given()) site.own.resize(kRoom);
  }
  ahead_.resize(config.sites.size());
  known_.resize(config.sites.size());
  seen_.resize(config.sites.size());
  if (!config.jobs.modes.empty()) workload_.mode_sets.push_back(config.jobs.modes);
  options_.begin = begin;
  if (!config.plan.empty()) {
    policy_ = make_plan_policy(config.plan, config.plan_start_given ? config.plan_start : begin,
                               names_of(config));
    static_cast<PlanPolicy&>(*policy_).names(&names_);
  } else {
    control::FleetPolicyOptions options;
    options.max_wait = Duration::from(config.max_wait);
    options.carbon_price_eur_per_t = config.carbon_price_eur_per_t;
    policy_ = control::make_policy(config.policy, options);
  }
  book_ = std::make_unique<simulate::FleetBook>(scenario_, workload_, options_, *policy_, *this);
  book_->watch([this](const simulate::FleetEvent& e) { log_.add(e); });
}

void DispatchBook::extend(Instant now) {
  const auto need = static_cast<std::size_t>(step_of(now)) + 10;
  for (simulate::FleetSite& site : scenario_.sites) {
    if (site.price.size() >= need) continue;
    site.price.resize(need + kRoom, site.price.back());
    site.carbon.resize(need + kRoom, site.carbon.back());
    site.outside.resize(need + kRoom, site.outside.back());
    if (!site.own.empty()) site.own.resize(need + kRoom, site.own.back());
  }
}

void DispatchBook::advance(Instant to) {
  extend(to);
  book_->advance(to);
}

bool DispatchBook::over(JobIndex job) const {
  const JobPhase phase = status(job).phase;
  return phase == JobPhase::Finished || phase == JobPhase::Dropped;
}

void DispatchBook::apply(const Json& r) {
  const std::string what = r.at("in");
  if (what == "begin") return book_->begin();
  const Instant t = Instant::from_unix_nanoseconds(r.at("t"));
  if (t > book_->now()) advance(t);
  const auto job = [&] {
    const auto j = r.at("job").get<std::uint32_t>();
    if (j >= names_.size()) throw InputError("journal: a job that never arrived");
    return JobIndex(j);
  };
  const auto site = [&] {
    const auto s = r.at("site").get<std::uint32_t>();
    if (s >= scenario_.sites.size()) throw InputError("journal: a site that is not there");
    return SiteIndex(s);
  };
  if (what == "arrived") {
    arrive(r);
  } else if (what == "started") {
    book_->started(job());
  } else if (what == "ended") {
    book_->ended(job());
  } else if (what == "cancelled") {
    book_->cancelled(job());
  } else if (what == "stopped") {
    const std::string cause = r.at("cause");
    book_->stopped(job(), cause == "ordered" ? simulate::StopCause::Ordered
                          : cause == "lost"  ? simulate::StopCause::Lost
                                             : simulate::StopCause::Refused);
  } else if (what == "retry") {
    book_->retry(job());
  } else if (what == "took") {
    book_->took(job(), site());
  } else if (what == "keeps") {
    stoppable_[job()] = false;
    book_->keeps_running(job());
  } else if (what == "nodes") {
    book_->set_nodes_up(site(), r.at("nodes"));
  } else if (what == "call") {
    ++calls_;
    book_->call({site(), Instant::from_unix_nanoseconds(r.at("at")),
                 Duration::nanoseconds(r.at("length")), r.at("power_w").get<double>() * watt,
                 r.at("down").get<bool>()});
    advance(book_->now());
  } else if (what == "run_all") {
    book_->run_all(site());
  } else if (what == "series") {
    set_series(site(), static_cast<Signal>(r.at("signal").get<int>()), r.at("first"),
               r.at("values"));
  } else if (what == "ahead") {
    Ahead& a = ahead_[site()].at(r.at("signal").get<std::size_t>());
    a.first = r.at("first");
    a.values = r.at("values").get<std::vector<double>>();
  } else {
    throw InputError(fmt::format("journal: `{}` is no report", what));
  }
}

void DispatchBook::arrive(const Json& r) {
  JobRequest job;
  job.arrival = Duration::nanoseconds(r.at("arrival"));
  job.estimate = Duration::nanoseconds(r.at("estimate"));
  job.allowed = Duration::nanoseconds(r.at("allowed"));
  job.nodes = r.at("nodes");
  job.power_mw = r.at("power_mw");
  job.origin = r.at("origin");
  job.stoppable = r.at("stoppable");
  const bool own = r.at("own");
  job.modes = own && workload_.mode_sets.size() > 1 ? 1 : 0;
  workload_.jobs.push_back(job);
  workload_.length.push_back(kNobodyKnows);
  names_.push_back(r.at("name"));
  pinned_.push_back(!own);
  stoppable_.push_back(job.stoppable);
  book_->arrived();
}

SiteIndex DispatchBook::place(JobIndex job, SiteIndex wanted) const {
  return pinned_[job] ? SiteIndex(workload_.jobs[job].origin) : wanted;
}

double DispatchBook::series(SiteIndex s, Signal signal, std::int64_t step) const {
  const simulate::FleetSite& site = scenario_.sites[s];
  const auto i = std::min(static_cast<std::size_t>(step), site.price.size() - 1);
  switch (signal) {
    case Signal::Price:
      return site.price[i].base();
    case Signal::Carbon:
      return site.carbon[i].base();
    case Signal::Temperature:
      return site.outside[i].base();
    default:
      return site.own.empty() ? 0.0 : site.own[i].base();
  }
}

void DispatchBook::set(SiteIndex s, Signal signal, std::size_t i, double value) {
  simulate::FleetSite& site = scenario_.sites[s];
  switch (signal) {
    case Signal::Price:
      site.price[i] = EnergyPrice::from_base(value);
      break;
    case Signal::Carbon:
      site.carbon[i] = CarbonIntensity::from_base(value);
      break;
    case Signal::Temperature:
      site.outside[i] = Temperature::from_base(value);
      break;
    default:
      if (!site.own.empty()) site.own[i] = Power::from_base(value);
  }
}

// From the last value on it is thought to stay; before the first one known, to have been the same.
void DispatchBook::set_series(SiteIndex site, Signal signal, std::int64_t first,
                              const std::vector<double>& values) {
  if (first < 0 || values.empty()) throw InputError("journal: a series without values");
  const std::size_t size = scenario_.sites[site].price.size();
  auto i = static_cast<std::size_t>(first);
  bool& known = known_[site].at(index(signal));
  for (std::size_t k = 0; !known && k < i && k < size; ++k) set(site, signal, k, values.front());
  known = true;
  for (const double value : values)
    if (i < size) set(site, signal, i++, value);
  for (; i < size; ++i) set(site, signal, i, values.back());
  book_->signals_changed();
}

const std::vector<double>& DispatchBook::ahead(SiteIndex site, Signal signal,
                                               std::int64_t* first) const {
  const Ahead& a = ahead_[site].at(index(signal));
  *first = a.first;
  return a.values;
}

std::optional<std::string> DispatchBook::least_ahead(SiteIndex site) const {
  const std::optional<Seen>& seen = seen_[site];
  if (!seen) return std::nullopt;
  const bool price = seen->signal == Signal::Price || seen->signal == Signal::ItPrice;
  return fmt::format("{:.2f} {} at {}",
                     price ? EnergyPrice::from_base(seen->value).in(euro_per_megawatt_hour)
                           : CarbonIntensity::from_base(seen->value).in(gram_per_kilowatt_hour),
                     price ? "EUR/MWh" : "g/kWh", seen->at.iso8601());
}

ForecastView DispatchBook::forecast(SiteIndex site, Signal signal, const ForecastView& made) {
  const Signal base = signal == Signal::ItPrice    ? Signal::Price
                      : signal == Signal::ItCarbon ? Signal::Carbon
                      : signal == Signal::OwnPower ? Signal::TotalPower
                                                   : signal;
  const Ahead& a = ahead_[site].at(index(base));
  const auto note = [&](const ForecastView& shown) {
    if ((base != Signal::Price && base != Signal::Carbon) || shown.mean.empty()) return;
    const auto end = shown.mean.begin() + std::min<std::ptrdiff_t>(24, std::ssize(shown.mean));
    const auto least = std::min_element(shown.mean.begin(), end);
    seen_[site] = Seen{signal, *least, shown.start + shown.step * (least - shown.mean.begin())};
  };
  if (a.values.empty() || made.empty() || made.step != scenario_.step) {
    note(made);
    return made;
  }
  mean_.assign(made.mean.begin(), made.mean.end());
  const control::SiteState& state = view().sites()[site];
  const bool it = signal == Signal::ItPrice || signal == Signal::ItCarbon;
  const std::int64_t start = step_of(made.start);
  for (std::size_t i = 1; i < mean_.size(); ++i) {  // the first step is known
    const std::int64_t k = start + static_cast<std::int64_t>(i) - a.first;
    if (k < 0 || k >= static_cast<std::int64_t>(a.values.size())) continue;
    double value = a.values[static_cast<std::size_t>(k)];
    if (it) value *= state.pue;
    if (signal == Signal::OwnPower) value = state.available(Power::from_base(value)).base();
    mean_[i] = value;
  }
  ForecastView shown = made;
  shown.mean = mean_;
  shown.sum = {};
  note(shown);
  return shown;
}

}  // namespace carnot::live
