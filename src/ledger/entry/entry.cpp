// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/entry/entry.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <iterator>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "ledger/entry/codec.hpp"

namespace carnot::ledger {
namespace {

using detail::load_little;
using detail::store_little;

constexpr std::uint8_t kVersion = 1;  // high half of the tag byte; the low half is the kind
constexpr std::uint64_t kQuietNan = 0x7ff8000000000000u;
constexpr std::uint32_t kQuietNanSingle = 0x7fc00000u;

static_assert(std::numeric_limits<double>::is_iec559);

// Each entry's fields are listed once, in file order; encoder, decoder and checker visit the same
// list and so cannot drift apart. `E` is the entry, or an element of a list in one, const or not.
template <class Visitor, class E>
void visit_measurement(Visitor& visit, E& e) {
  using T = std::remove_const_t<E>;
  if constexpr (std::is_same_v<T, MeasurementBegin>) {
    visit("carnot_version", e.carnot_version);
    visit("command", e.command);
    visit("job", e.job);
    visit("job_method", e.job_method);
    visit("static_policy", e.static_policy);
    visit("boot_id", e.boot_id);
    visit("started", e.started);
    visit("monotonic_ns", e.monotonic_ns);
    visit("boottime_ns", e.boottime_ns);
    visit("pid", e.pid);
    visit("pid_start_ticks", e.pid_start_ticks);
    visit("cgroup", e.cgroup);
    visit("facts_json", e.facts_json);
    visit("channels", e.channels);
  } else if constexpr (std::is_same_v<T, MeasurementChannel>) {
    visit("id", e.id);
    visit("label", e.label);
    visit("source", e.source);
    visit("kind", e.kind);
    visit("role", e.role);
    visit("of", e.of);
    visit("origin", e.origin);
    visit("boundary", e.boundary);
    visit("socket", e.socket);
    visit("device", e.device);
    visit("is_counter", e.is_counter);
    visit("unit_j", e.unit_j);
    visit("gain_low", e.gain_low);
    visit("gain_high", e.gain_high);
    visit("step", e.step);
    visit("update_period_ns", e.update_period_ns);
    visit("power_cap_w", e.power_cap_w);
  } else if constexpr (std::is_same_v<T, MeasurementSample>) {
    visit("monotonic_ns", e.monotonic_ns);
    visit("boottime_ns", e.boottime_ns);
    visit("machine_busy_ns", e.machine_busy_ns);
    visit("machine_idle_ns", e.machine_idle_ns);
    visit("machine_steal_ns", e.machine_steal_ns);
    visit("job_cpu_ns", e.job_cpu_ns);
    visit("meter_cpu_ns", e.meter_cpu_ns);
    visit("job_disk_read_b", e.job_disk_read_b);
    visit("job_disk_write_b", e.job_disk_write_b);
    visit("job_peak_rss_b", e.job_peak_rss_b);
    visit("machine_net_b", e.machine_net_b);
    visit("frequency_hz", e.frequency_hz);
    visit("channels", e.channels);
  } else if constexpr (std::is_same_v<T, MeasurementSample::Channel>) {
    visit("total", e.total);
    visit("raw", e.raw);
    visit("unobserved_ns", e.unobserved_ns);
    visit("share", e.share);
    visit("status", e.status);
    visit("step", e.step);
    visit("gain_low", e.gain_low);
    visit("gain_high", e.gain_high);
  } else if constexpr (std::is_same_v<T, MeasurementProcess>) {
    visit("boottime_ns", e.boottime_ns);
    visit("pid", e.pid);
    visit("start_ticks", e.start_ticks);
    visit("name", e.name);
    visit("cpu_ns", e.cpu_ns);
    visit("alive", e.alive);
  } else if constexpr (std::is_same_v<T, MeasurementGap>) {
    visit("from_boottime_ns", e.from_boottime_ns);
    visit("to_boottime_ns", e.to_boottime_ns);
    visit("channel", e.channel);
    visit("why", e.why);
  } else if constexpr (std::is_same_v<T, MeasurementWindow>) {
    visit("from_boottime_ns", e.from_boottime_ns);
    visit("to_boottime_ns", e.to_boottime_ns);
    visit("label", e.label);
  } else {
    static_assert(std::is_same_v<T, MeasurementEnd>);
    visit("monotonic_ns", e.monotonic_ns);
    visit("boottime_ns", e.boottime_ns);
    visit("outcome", e.outcome);
    visit("exit_code", e.exit_code);
  }
}

template <class Visitor, class E>
void visit_fields(Visitor& visit, E& e) {
  using T = std::remove_const_t<E>;
  if constexpr (std::is_same_v<T, RunBegin>) {
    visit("carnot_version", e.carnot_version);
    visit("command", e.command);
    visit("scenario_name", e.scenario_name);
    visit("scenario_text", e.scenario_text);
    visit("seed", e.seed);
    visit("started", e.started);
    visit("facts_json", e.facts_json);
  } else if constexpr (std::is_same_v<T, LaneBegin>) {
    visit("policy", e.policy);
  } else if constexpr (std::is_same_v<T, SlotEntry>) {
    visit("start", e.start);
    visit("length", e.length);
    visit("total", e.total);
    visit("exported", e.exported);
    visit("own_used", e.own_used);
    visit("charged", e.charged);
    visit("discharged", e.discharged);
    visit("grid", e.grid);
    visit("curtailed", e.curtailed);
    visit("facility", e.facility);
    visit("battery_charge", e.battery_charge);
    visit("battery_loss", e.battery_loss);
    visit("carbon", e.carbon);
    visit("cost", e.cost);
    visit("mode", e.mode);
    visit("throttle", e.throttle);
    visit("steps", e.steps);
    visit("operations", e.operations);
    visit("bytes_moved", e.bytes_moved);
    visit("loss", e.loss);
    visit("noise_share", e.noise_share);
    visit("cap_violation", e.cap_violation);
  } else if constexpr (std::is_same_v<T, Evaluation>) {
    visit("at", e.at);
    visit("steps", e.steps);
    visit("metric", e.metric);
    visit("value", e.value);
    visit("low", e.low);
    visit("high", e.high);
    visit("certified", e.certified);
  } else if constexpr (std::is_same_v<T, Checkpoint>) {
    visit("steps", e.steps);
    visit("state", e.state);
  } else if constexpr (std::is_same_v<T, LaneEnd>) {
    visit("policy", e.policy);
    visit("outcome", e.outcome);
    visit("stopped", e.stopped);
    visit("result_json", e.result_json);
  } else if constexpr (std::is_same_v<T, RunEnd>) {
    visit("result_json", e.result_json);
  } else {
    visit_measurement(visit, e);
  }
}

// Kind n (1-based) is the nth alternative of `Entry`: their order is part of the format.
constexpr std::size_t kKinds = std::variant_size_v<Entry>;
constexpr const char* kKindNames[] = {"RunBegin",
                                      "LaneBegin",
                                      "SlotEntry",
                                      "Evaluation",
                                      "Checkpoint",
                                      "LaneEnd",
                                      "RunEnd",
                                      "MeasurementBegin",
                                      "MeasurementSample",
                                      "MeasurementProcess",
                                      "MeasurementGap",
                                      "MeasurementWindow",
                                      "MeasurementEnd"};
static_assert(std::size(kKindNames) == kKinds && kKinds < 16);

constexpr std::uint8_t tag_of(std::size_t index) noexcept {
  return static_cast<std::uint8_t>(kVersion << 4 | (index + 1));
}

/// Calls `with(integral_constant<index>)` for the alternative the tag names; false if none.
template <class With, std::size_t... I>
bool for_kind(std::uint8_t tag, With&& with, std::index_sequence<I...> = {}) {
  if constexpr (sizeof...(I) == 0) {
    return for_kind(tag, with, std::make_index_sequence<kKinds>());
  } else {
    return ((tag == tag_of(I) ? (with(std::integral_constant<std::size_t, I>()), true) : false) ||
            ...);
  }
}

class Encoder {
 public:
  Encoder(const char* kind, std::vector<std::uint8_t>& out) : kind_(kind), out_(out) {}

  void operator()(const char* name, const std::string& text) {
    put(name, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), text_limit_);
  }
  void operator()(const char* name, const std::vector<std::uint8_t>& state) {
    put(name, state.data(), state.size(), kMaxState);
  }
  template <class Element>
  void operator()(const char* name, const std::vector<Element>& list) {
    if (list.size() > kMaxChannels)
      throw InputError(fmt::format("ledger entry {}: {}: at most {} fit, these are {}", kind_, name,
                                   kMaxChannels, list.size()));
    integer(static_cast<std::uint32_t>(list.size()));
    text_limit_ = kMaxChannelText;
    for (const Element& element : list) visit_fields(*this, element);
    text_limit_ = kMaxText;
  }
  template <std::integral Integer>
  void operator()(const char*, Integer value) {
    integer(static_cast<std::make_unsigned_t<Integer>>(value));
  }
  void operator()(const char*, float value) {
    integer(std::isnan(value) ? kQuietNanSingle : std::bit_cast<std::uint32_t>(value));
  }
  void operator()(const char*, double value) {
    integer(std::isnan(value) ? kQuietNan : std::bit_cast<std::uint64_t>(value));
  }
  void operator()(const char*, bool value) { out_.push_back(value ? 1 : 0); }
  void operator()(const char*, Instant at) {
    integer(static_cast<std::uint64_t>(at.unix_nanoseconds()));
  }
  void operator()(const char*, Duration d) { integer(static_cast<std::uint64_t>(d.nanoseconds())); }
  template <Dimension D>
  void operator()(const char* name, Quantity<D> q) {
    (*this)(name, q.base());
  }

 private:
  template <class Unsigned>
  void integer(Unsigned value) {
    std::uint8_t bytes[sizeof(Unsigned)];
    store_little(value, bytes);
    out_.insert(out_.end(), bytes, bytes + sizeof bytes);
  }
  void put(const char* name, const std::uint8_t* data, std::size_t size, std::size_t limit) {
    if (size > limit)
      throw InputError(fmt::format("ledger entry {}: {}: at most {} bytes fit, these are {}", kind_,
                                   name, limit, size));
    integer(static_cast<std::uint32_t>(size));
    out_.insert(out_.end(), data, data + size);
  }

  const char* kind_;
  std::vector<std::uint8_t>& out_;
  std::size_t text_limit_ = kMaxText;
};

/// Walks the bytes of an entry. `Build` fills the fields visited; without it they are only judged.
/// After the first fault nothing more is read: `fault` says what, `field` where.
template <bool Build>
class Decoder {
 public:
  explicit Decoder(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  const char* fault = nullptr;
  const char* field = "";
  std::size_t position() const noexcept { return position_; }

  void operator()(const char* name, auto& value) {
    using T = std::remove_cvref_t<decltype(value)>;
    if (fault) return;
    field = name;
    if constexpr (std::is_same_v<T, std::string>) {
      block(value, text_limit_);
    } else if constexpr (std::is_same_v<T, std::vector<std::uint8_t>>) {
      block(value, kMaxState);
    } else if constexpr (std::is_same_v<T, bool>) {
      const auto byte = integer<std::uint8_t>();
      if (byte > 1) fail("a truth value is 0 or 1");
      set(value, byte == 1);
    } else if constexpr (std::is_integral_v<T>) {
      set(value, static_cast<T>(integer<std::make_unsigned_t<T>>()));
    } else if constexpr (std::is_same_v<T, float>) {
      const auto bits = integer<std::uint32_t>();
      if (std::isnan(std::bit_cast<float>(bits)) && bits != kQuietNanSingle)
        fail("NaN has one form, 7fc00000");
      set(value, std::bit_cast<float>(bits));
    } else if constexpr (std::is_same_v<T, double>) {
      set(value, number());
    } else if constexpr (std::is_same_v<T, Instant>) {
      set(value, Instant::from_unix_nanoseconds(signed_integer()));
    } else if constexpr (std::is_same_v<T, Duration>) {
      set(value, Duration::nanoseconds(signed_integer()));
    } else if constexpr (requires { T::from_base(0.0); }) {
      set(value, T::from_base(number()));
    } else {
      list(value);
    }
  }

  void finish() {
    if (fault) return;
    field = "end";
    if (position_ != bytes_.size()) fail("bytes follow the last field");
  }

 private:
  void fail(const char* what) {
    if (!fault) fault = what;
  }
  void set(auto& to, const auto& value) {
    if constexpr (Build) to = value;
  }
  bool has(std::size_t size) {
    if (bytes_.size() - position_ >= size) return true;
    fail("the bytes end inside this field");
    return false;
  }
  template <class Unsigned>
  Unsigned integer() {
    if (fault || !has(sizeof(Unsigned))) return 0;
    const auto value = load_little<Unsigned>(bytes_.data() + position_);
    position_ += sizeof(Unsigned);
    return value;
  }
  std::int64_t signed_integer() { return static_cast<std::int64_t>(integer<std::uint64_t>()); }
  double number() {
    const auto bits = integer<std::uint64_t>();
    const auto value = std::bit_cast<double>(bits);
    if (std::isnan(value) && bits != kQuietNan) fail("NaN has one form, 7ff8000000000000");
    return value;
  }
  /// A count and that many elements. Elements are made one by one as bytes are found for them.
  void list(auto& to) {
    using Element = typename std::remove_cvref_t<decltype(to)>::value_type;
    const std::size_t count = integer<std::uint32_t>();
    if (count > kMaxChannels) return fail("the stated count is over the limit");
    text_limit_ = kMaxChannelText;
    for (std::size_t i = 0; i < count && !fault; ++i) {
      if constexpr (Build) {
        visit_fields(*this, to.emplace_back());
      } else {
        static const Element pattern{};
        visit_fields(*this, pattern);
      }
    }
    text_limit_ = kMaxText;
  }
  void block(auto& to, std::size_t limit) {
    const std::size_t size = integer<std::uint32_t>();
    if (fault) return;
    if (size > limit) return fail("the stated length is over the limit");
    if (!has(size)) return;
    if constexpr (Build) {
      using Element = typename std::remove_reference_t<decltype(to)>::value_type;
      const auto* data = reinterpret_cast<const Element*>(bytes_.data() + position_);
      to.assign(data, data + size);
    }
    position_ += size;
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 1;  // behind the tag
  std::size_t text_limit_ = kMaxText;
};

}  // namespace

double balance_residual(const SlotEntry& s) noexcept {
  const double own = s.own_used.base();
  double largest = std::abs(own);
  for (const Energy e :
       {s.total, s.exported, s.charged, s.curtailed, s.discharged, s.grid, s.facility})
    largest = std::max(largest, std::abs(e.base()));
  const double made =
      s.total.base() - (s.exported.base() + own + s.charged.base()) - s.curtailed.base();
  const double used = s.facility.base() - (own + s.discharged.base() + s.grid.base());
  const double worst = std::max(std::abs(made), std::abs(used));
  // std::max may drop a NaN; a sum of both cannot.
  if (!std::isfinite(made + used)) return kInfinity;
  return worst == 0.0 ? 0.0 : worst / largest;
}

void detail::encode_onto(const Entry& entry, std::vector<std::uint8_t>& out) {
  const std::size_t before = out.size();
  out.push_back(tag_of(entry.index()));
  Encoder encoder(kKindNames[entry.index()], out);
  try {
    std::visit([&](const auto& e) { visit_fields(encoder, e); }, entry);
  } catch (...) {
    out.resize(before);
    throw;
  }
}

bool detail::decodable(std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.empty()) return false;
  bool good = false;
  for_kind(bytes[0], [&](auto index) {
    static const std::variant_alternative_t<index(), Entry> pattern{};
    Decoder<false> decoder(bytes);
    visit_fields(decoder, pattern);
    decoder.finish();
    good = !decoder.fault;
  });
  return good;
}

std::vector<std::uint8_t> encode(const Entry& entry) {
  std::vector<std::uint8_t> bytes;
  detail::encode_onto(entry, bytes);
  return bytes;
}

Entry decode(const std::uint8_t* data, std::size_t size) {
  if (size == 0) throw InputError("ledger entry: no bytes");
  Entry entry;
  const bool known = for_kind(data[0], [&](auto index) {
    auto& alternative = entry.emplace<index()>();
    Decoder<true> decoder({data, size});
    visit_fields(decoder, alternative);
    decoder.finish();
    if (decoder.fault)
      throw InputError(fmt::format("ledger entry {}: {}: {} (byte {} of {})", kKindNames[index()],
                                   decoder.field, decoder.fault, decoder.position(), size));
  });
  if (!known)
    throw InputError(fmt::format("ledger entry: tag {:#04x}: this version knows {:#04x} to {:#04x}",
                                 data[0], tag_of(0), tag_of(kKinds - 1)));
  return entry;
}

}  // namespace carnot::ledger
