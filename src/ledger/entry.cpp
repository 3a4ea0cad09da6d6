// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/entry.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "ledger/codec.hpp"

namespace carnot {
namespace {

using detail::load_little;
using detail::store_little;

constexpr std::uint8_t kVersion = 1;  // high half of the tag byte; the low half is the kind
constexpr std::uint64_t kQuietNan = 0x7ff8000000000000u;

static_assert(std::numeric_limits<double>::is_iec559);

// Each entry's fields are listed once, in file order; encoder, decoder and checker visit the same
// list and so cannot drift apart. `E` is the entry, const or not.
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
  } else {
    static_assert(std::is_same_v<T, RunEnd>);
    visit("result_json", e.result_json);
  }
}

// Kind n (1-based) is the nth alternative of `Entry`: their order is part of the format.
constexpr std::size_t kKinds = std::variant_size_v<Entry>;
constexpr const char* kKindNames[kKinds] = {"RunBegin",   "LaneBegin", "SlotEntry", "Evaluation",
                                            "Checkpoint", "LaneEnd",   "RunEnd"};

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
    put(name, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), kMaxText);
  }
  void operator()(const char* name, const std::vector<std::uint8_t>& state) {
    put(name, state.data(), state.size(), kMaxState);
  }
  void operator()(const char*, std::uint64_t value) { integer(value); }
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
      block(value, kMaxText);
    } else if constexpr (std::is_same_v<T, std::vector<std::uint8_t>>) {
      block(value, kMaxState);
    } else if constexpr (std::is_same_v<T, bool>) {
      const auto byte = integer<std::uint8_t>();
      if (byte > 1) fail("a truth value is 0 or 1");
      set(value, byte == 1);
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
      set(value, integer<std::uint64_t>());
    } else if constexpr (std::is_same_v<T, double>) {
      set(value, number());
    } else if constexpr (std::is_same_v<T, Instant>) {
      set(value, Instant::from_unix_nanoseconds(signed_integer()));
    } else if constexpr (std::is_same_v<T, Duration>) {
      set(value, Duration::nanoseconds(signed_integer()));
    } else {
      set(value, T::from_base(number()));
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
  if (!std::isfinite(made + used)) return std::numeric_limits<double>::infinity();
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

}  // namespace carnot
