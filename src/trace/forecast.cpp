// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/forecast.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::inline trace {

namespace {

constexpr std::int64_t kHour = 3'600'000'000'000;
constexpr std::int64_t kDay = 24 * kHour;
constexpr double kUnbounded = 1e299;  // `high` from here on is no bound
// Leads, in hours, at which the coefficients are fitted; between them they are interpolated.
constexpr std::array<std::size_t, 7> kLeads{1, 2, 3, 6, 12, 24, 48};
constexpr std::size_t kRing = 64;  // hours kept: a power of two above the longest lead
constexpr double kFewest = 24.0;   // pairs of hours below which a lead is not fitted

std::int64_t floor_to(std::int64_t value, std::int64_t unit) noexcept {
  const std::int64_t rest = value % unit;
  return value - (rest < 0 ? rest + unit : rest);
}

void require(bool holds, const char* field, const char* allowed) {
  if (!holds) throw InputError(describe({}, field, allowed));
}

}  // namespace

double ForecastView::at(Instant when) const noexcept {
  const std::int64_t i = (when - start) / step;
  const auto last = static_cast<std::int64_t>(mean.size()) - 1;
  return mean[static_cast<std::size_t>(std::clamp<std::int64_t>(i, 0, last))];
}

double ForecastView::integral_to(Instant when) const noexcept {
  const auto last = static_cast<std::int64_t>(mean.size()) - 1;
  const auto i = static_cast<std::size_t>(std::clamp<std::int64_t>((when - start) / step, 0, last));
  const Instant edge = start + step * static_cast<std::int64_t>(i);
  double before = 0.0;
  if (!sum.empty()) {
    before = sum[i];
  } else {
    for (std::size_t k = 0; k < i; ++k) before += mean[k] * step.time().in(second);
  }
  return before + mean[i] * (when - edge).time().in(second);
}

double ForecastView::integral(Instant from, Instant to) const noexcept {
  return integral_to(to) - integral_to(from);
}

struct Forecaster::State {
  State(Options options, std::optional<TraceCore> reference);

  void observe(Instant from, Duration length, double mean);
  ForecastView forecast(Instant now);

 private:
  void close_hour();
  void learn(double x, double m);
  void estimate();  // once a day
  void estimate_climatology();
  void estimate_leads();
  double climatology_at(std::int64_t nanosecond) const noexcept;
  double reference_at(std::int64_t nanosecond) const;
  void fill_reference(Instant now);
  void fill_coefficients(std::int64_t first_lead);

 public:
  Options options;
  double rho = 0.0, s = 0.0;  // as used now

 private:
  std::optional<TraceCore> reference_;
  double forget_hour_ = 0.0, forget_day_ = 0.0;

  // The clock hour being filled, [hour_end_ - 1 h, hour_end_).
  std::int64_t hour_end_ = 0;
  double hour_sum_ = 0.0, hour_seconds_ = 0.0;
  bool hour_open_ = false;

  // Exponentially forgotten sums over closed hours.
  std::array<double, 24> by_hour_sum_{}, by_hour_weight_{};
  double sum_ = 0.0, square_ = 0.0, weight_ = 0.0;
  std::array<double, 24> climatology_{};
  bool has_climatology_ = false;
  std::int64_t hours_seen_ = 0;

  // Closed hours' x - m and m; `run_` counts how many follow each other without a hole.
  std::array<double, kRing> residual_{}, known_{};
  std::size_t count_ = 0, run_ = 0;
  double residual_square_ = 0.0, residual_weight_ = 0.0;

  // For one lead L: sums over pairs of hours of products of the residual then, r = x(t + L) -
  // m(t + L), the residual before, p = x(t) - m(t), and the change announced, d = m(t) - m(t + L).
  struct Lead {
    double rr = 0.0, rp = 0.0, pp = 0.0, rd = 0.0, pd = 0.0, dd = 0.0, weight = 0.0;
    double carry = 0.0, hold = 0.0, sd = 0.0;  // the fit: a, b and the spread left
  };
  std::array<Lead, kLeads.size()> leads_{};
  bool fitted_ = false;

  bool has_last_ = false;
  double last_ = 0.0;
  std::int64_t last_middle_ = 0, last_end_ = 0;

  bool made_ = false;
  Instant made_at_;
  std::vector<double> mean_, sd_, carry_, hold_;
  std::int64_t filled_lead_ = -1;  // what carry_, hold_ and sd_ were filled for
};

Forecaster::State::State(Options given, std::optional<TraceCore> reference)
    : options(given), reference_(std::move(reference)) {
  require(options.step > Duration{}, "step", "above 0 s");
  require(options.horizon >= 1 && options.horizon <= 1'000'000, "horizon", "1 <= steps <= 1000000");
  require(std::isfinite(options.low) && options.low < options.high, "low", "finite, below high");
  require(options.prior_rho_per_hour >= 0.0 && options.prior_rho_per_hour < 1.0,
          "prior_rho_per_hour", "0 <= x < 1");
  require(options.prior_sd >= 0.0 && std::isfinite(options.prior_sd), "prior_sd", "finite, >= 0");
  require(options.memory >= Duration::seconds(86400), "memory", "one day or more");
  require(options.refresh >= Duration{}, "refresh", "0 s or more");
  rho = options.prior_rho_per_hour;
  s = options.prior_sd;
  if (s == 0.0 && options.high < kUnbounded) s = (options.high - options.low) / 4.0;
  const double memory_hours = static_cast<double>(options.memory.nanoseconds()) / kHour;
  forget_hour_ = std::exp(-1.0 / memory_hours);
  forget_day_ = std::exp(-24.0 / memory_hours);
  mean_.resize(options.horizon);
  sd_.resize(options.horizon);
  carry_.resize(options.horizon);
  hold_.resize(options.horizon);
}

double Forecaster::State::climatology_at(std::int64_t nanosecond) const noexcept {
  if (has_climatology_) {
    const std::int64_t of_day = nanosecond - floor_to(nanosecond, kDay);
    return climatology_[static_cast<std::size_t>(of_day / kHour)];
  }
  if (has_last_) return last_;
  return options.high < kUnbounded ? 0.5 * (options.low + options.high) : options.low;
}

double Forecaster::State::reference_at(std::int64_t nanosecond) const {
  const Instant at = Instant::from_unix_nanoseconds(nanosecond);
  if (reference_ && reference_->begin() <= at && at < reference_->end()) return reference_->at(at);
  return climatology_at(nanosecond);
}

void Forecaster::State::observe(Instant from, Duration length, double mean) {
  if (!(length > Duration{})) {
    throw InputError(describe({}, "observed interval", "longer than 0 s"));
  }
  if (!std::isfinite(mean)) throw InputError(describe({}, "observed mean", "a finite number"));
  std::int64_t left = from.unix_nanoseconds();
  if (has_last_ && left < last_end_) {
    throw InputError(
        fmt::format("forecast: observations must come in time order; {} is before the "
                    "end of the last one, {}",
                    from.iso8601(), Instant::from_unix_nanoseconds(last_end_).iso8601()));
  }
  const std::int64_t end = left + length.nanoseconds();
  while (left < end) {
    if (!hour_open_ || left >= hour_end_) {
      if (hour_open_) close_hour();
      const std::int64_t hour_start = floor_to(left, kHour);
      // A hole breaks the chain of residuals one hour apart.
      if (hour_start != hour_end_) run_ = 0;
      hour_end_ = hour_start + kHour;
      hour_open_ = true;
    }
    const std::int64_t right = std::min(end, hour_end_);
    const double part = static_cast<double>(right - left) * 1e-9;
    hour_sum_ += mean * part;
    hour_seconds_ += part;
    left = right;
  }
  has_last_ = true;
  last_ = mean;
  last_end_ = end;
  last_middle_ = end - length.nanoseconds() / 2;
  // Close a full hour at once, so that a forecast made on the hour knows it.
  if (end == hour_end_) {
    close_hour();
    hour_open_ = false;
  }
}

void Forecaster::State::close_hour() {
  // An hour less than half seen would be a noisy witness.
  if (hour_seconds_ >= 1800.0) {
    const double x = hour_sum_ / hour_seconds_;
    const std::int64_t middle = hour_end_ - kHour / 2;
    if (has_climatology_ || reference_) learn(x, reference_at(middle));
    const std::int64_t of_day = middle - floor_to(middle, kDay);
    const auto h = static_cast<std::size_t>(of_day / kHour);
    by_hour_sum_[h] = forget_day_ * by_hour_sum_[h] + x;
    by_hour_weight_[h] = forget_day_ * by_hour_weight_[h] + 1.0;
    sum_ = forget_hour_ * sum_ + x;
    square_ = forget_hour_ * square_ + x * x;
    weight_ = forget_hour_ * weight_ + 1.0;
    if (++hours_seen_ % 24 == 0) estimate();
  } else {
    run_ = 0;
  }
  hour_sum_ = hour_seconds_ = 0.0;
}

void Forecaster::State::learn(double x, double m) {
  const double r = x - m;
  residual_square_ = forget_hour_ * residual_square_ + r * r;
  residual_weight_ = forget_hour_ * residual_weight_ + 1.0;
  for (std::size_t k = 0; k < kLeads.size() && kLeads[k] <= run_; ++k) {
    const std::size_t before = (count_ - kLeads[k]) % kRing;
    const double p = residual_[before];
    const double d = known_[before] - m;
    Lead& lead = leads_[k];
    const auto accumulate = [&](double& sum, double product) {
      sum = forget_hour_ * sum + product;
    };
    accumulate(lead.rr, r * r);
    accumulate(lead.rp, r * p);
    accumulate(lead.pp, p * p);
    accumulate(lead.rd, r * d);
    accumulate(lead.pd, p * d);
    accumulate(lead.dd, d * d);
    accumulate(lead.weight, 1.0);
  }
  residual_[count_ % kRing] = r;
  known_[count_ % kRing] = m;
  ++count_;
  ++run_;
}

void Forecaster::State::estimate() {
  estimate_climatology();
  if (hours_seen_ >= 48 && leads_[0].weight >= kFewest) {
    s = std::sqrt(residual_square_ / residual_weight_);
    estimate_leads();
    fitted_ = true;
  }
  filled_lead_ = -1;
}

// Hourly means are shrunk to the overall mean by empirical Bayes: w / (w + 2 v / t) with w days
// seen, v the variance around the hourly means and t the variance of the hourly means beyond what
// chance leaves. The 2 stands for days that resemble the day before (correlation of about a third).
void Forecaster::State::estimate_climatology() {
  const double mean = sum_ / weight_;
  double between = 0.0, days = 0.0, hours = 0.0;
  for (std::size_t h = 0; h < 24; ++h) {
    if (by_hour_weight_[h] <= 0.0) continue;
    const double difference = by_hour_sum_[h] / by_hour_weight_[h] - mean;
    between += difference * difference;
    days += by_hour_weight_[h];
    hours += 1.0;
  }
  between /= hours;
  days /= hours;
  const double within = std::max(0.0, square_ / weight_ - mean * mean - between);
  const double true_between = between - 2.0 * within / days;
  for (std::size_t h = 0; h < 24; ++h) {
    climatology_[h] = mean;
    if (true_between > 0.0 && by_hour_weight_[h] > 0.0) {
      const double prior_days = 2.0 * within / true_between;
      climatology_[h] = (by_hour_sum_[h] + prior_days * mean) / (by_hour_weight_[h] + prior_days);
    }
  }
  has_climatology_ = true;
}

// Least squares of r on p and d at each lead. A hundredth of pp is added to dd, so that a reference
// that hardly changes is not leant on; a millionth of x's square to both, so that rounding errors
// of a perfect reference are not fitted.
void Forecaster::State::estimate_leads() {
  double last_sd = 0.0;
  for (std::size_t k = 0; k < kLeads.size(); ++k) {
    Lead& lead = leads_[k];
    if (lead.weight >= kFewest) {
      const double ridge = 1e-6 * square_ / weight_ * lead.weight;
      const double pp = lead.pp + ridge;
      const double dd = lead.dd + 0.01 * lead.pp + ridge;
      const double determinant = pp * dd - lead.pd * lead.pd;
      lead.carry = lead.hold = 0.0;
      if (determinant > 0.0) {
        lead.hold = std::clamp((pp * lead.rd - lead.pd * lead.rp) / determinant, 0.0, 1.0);
        lead.carry = std::clamp((lead.rp - lead.hold * lead.pd) / pp, 0.0, 1.0);
      }
      const double square = lead.rr - 2.0 * (lead.carry * lead.rp + lead.hold * lead.rd) +
                            lead.carry * lead.carry * lead.pp + lead.hold * lead.hold * lead.dd +
                            2.0 * lead.carry * lead.hold * lead.pd;
      lead.sd = std::sqrt(std::max(0.0, square) / lead.weight);
    } else {
      // Too young a run for so long a lead: decay as from the first hour to the next.
      lead.carry = std::pow(leads_[0].carry, static_cast<double>(kLeads[k]));
      lead.hold = 0.0;
      lead.sd = s;
    }
    lead.sd = last_sd = std::max(lead.sd, last_sd);
  }
  rho = leads_[0].carry;
}

void Forecaster::State::fill_reference(Instant now) {
  const std::size_t n = options.horizon;
  const std::int64_t step = options.step.nanoseconds();
  const std::int64_t start = now.unix_nanoseconds();
  // Steps [first, last) lie inside the reference document.
  std::size_t first = n, last = n;
  if (reference_) {
    const std::int64_t begin = reference_->begin().unix_nanoseconds();
    const std::int64_t end = reference_->end().unix_nanoseconds();
    first = start >= begin ? 0 : static_cast<std::size_t>((begin - start + step - 1) / step);
    first = std::min(first, n);
    last = end > start ? std::min(n, static_cast<std::size_t>((end - start) / step)) : 0;
    last = std::max(last, first);
    if (first < last) {
      reference_->means_over(now + options.step * static_cast<std::int64_t>(first), options.step,
                             std::span(mean_).subspan(first, last - first));
    }
  }
  // Elsewhere the climatology, averaged over the hours that a long step covers.
  const std::int64_t pieces = std::max<std::int64_t>(1, (step + kHour - 1) / kHour);
  for (std::size_t k = 0; k < n; ++k) {
    if (k == first && last > first) k = last;
    if (k >= n) break;
    const std::int64_t left = start + step * static_cast<std::int64_t>(k);
    double sum = 0.0;
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      sum += climatology_at(left + (2 * piece + 1) * (step / (2 * pieces)));
    }
    mean_[k] = sum / static_cast<double>(pieces);
  }
}

void Forecaster::State::fill_coefficients(std::int64_t first_lead) {
  const double step = static_cast<double>(options.step.nanoseconds()) / kHour;
  double lead = static_cast<double>(first_lead) / kHour;
  std::size_t after = 0;  // the first fitted lead not below `lead`
  for (std::size_t k = 0; k < carry_.size(); ++k, lead += step) {
    if (!fitted_) {
      carry_[k] = std::pow(rho, lead);
      hold_[k] = 0.0;
      sd_[k] = s * std::sqrt(std::max(0.0, 1.0 - carry_[k] * carry_[k]));
      continue;
    }
    while (after < kLeads.size() && static_cast<double>(kLeads[after]) < lead) ++after;
    if (after == kLeads.size()) {
      carry_[k] = leads_.back().carry;
      hold_[k] = leads_.back().hold;
      sd_[k] = leads_.back().sd;
    } else if (after == 0) {
      // From the present, which is known, to the first hour; spread as of a random walk.
      carry_[k] = 1.0 - lead * (1.0 - leads_[0].carry);
      hold_[k] = 1.0 - lead * (1.0 - leads_[0].hold);
      sd_[k] = leads_[0].sd * std::sqrt(lead);
    } else {
      const Lead& left = leads_[after - 1];
      const Lead& right = leads_[after];
      const auto from = static_cast<double>(kLeads[after - 1]);
      const double share = (lead - from) / (static_cast<double>(kLeads[after]) - from);
      carry_[k] = left.carry + share * (right.carry - left.carry);
      hold_[k] = left.hold + share * (right.hold - left.hold);
      sd_[k] = left.sd + share * (right.sd - left.sd);
    }
  }
  filled_lead_ = first_lead;
}

ForecastView Forecaster::State::forecast(Instant now) {
  if (has_last_ && now.unix_nanoseconds() < last_end_) {
    throw InputError(fmt::format("forecast: {} is before the end of what was observed, {}",
                                 now.iso8601(),
                                 Instant::from_unix_nanoseconds(last_end_).iso8601()));
  }
  if (!made_ || now < made_at_ || now - made_at_ >= options.refresh) {
    fill_reference(now);
    double residual = 0.0, known = 0.0;
    std::int64_t lead = 0;
    if (has_last_) {
      known = reference_at(last_middle_);
      residual = last_ - known;
      lead = now.unix_nanoseconds() + options.step.nanoseconds() / 2 - last_middle_;
    }
    if (has_last_) {
      if (lead != filled_lead_) fill_coefficients(lead);
      for (std::size_t k = 0; k < mean_.size(); ++k) {
        mean_[k] += carry_[k] * residual + hold_[k] * (known - mean_[k]);
      }
    } else {
      std::fill(sd_.begin(), sd_.end(), s);
    }
    for (double& mean : mean_) mean = std::clamp(mean, options.low, options.high);
    made_ = true;
    made_at_ = now;
  }
  return {made_at_, options.step, mean_, sd_};
}

Forecaster::Forecaster(Options options, std::optional<TraceCore> history,
                       std::optional<TraceCore> reference)
    : state_(std::make_unique<State>(options, std::move(reference))) {
  if (!history) return;
  for (std::size_t i = 0; i < history->size(); ++i) {
    observe(history->edge(i), history->edge(i + 1) - history->edge(i), history->mean()[i]);
  }
}

Forecaster::Forecaster(Forecaster&&) noexcept = default;
Forecaster& Forecaster::operator=(Forecaster&&) noexcept = default;
Forecaster::~Forecaster() = default;

void Forecaster::observe(Instant from, Duration length, double mean) {
  state_->observe(from, length, mean);
}

ForecastView Forecaster::forecast(Instant now) { return state_->forecast(now); }
double Forecaster::rho_per_hour() const noexcept { return state_->rho; }
double Forecaster::residual_sd() const noexcept { return state_->s; }

}  // namespace carnot::inline trace
