// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/evidence/evidence.hpp"

#include <algorithm>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/hash.hpp"

namespace carnot::assess {

namespace {

constexpr std::size_t kMostProblems = 50;

/// FNV-1a with a final mix; 64 bits tell ten million names apart but for a chance of 3 in a
/// million.
std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  std::uint64_t h = fnv1a(text, kFnvStart ^ (seed * 0x9e3779b97f4a7c15u));
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdu;
  return h ^ (h >> 33);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

std::string_view name(Outcome outcome) noexcept {
  constexpr std::array<std::string_view, kOutcomes> kNames = {"estimated", "no energy", "duplicate",
                                                              "unknown"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string_view name(EvidenceKind kind) noexcept {
  constexpr std::array<std::string_view, kEvidenceKinds> kNames = {
      "meter", "job energy", "telemetry", "job allocation", "bill", "server list"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string host_word(std::string_view name) {
  while (!name.empty() && (name.back() == ' ' || name.back() == '/')) name.remove_suffix(1);
  while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
  if (const auto slash = name.rfind('/'); slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  if (name.starts_with("arn:"))
    if (const auto colon = name.rfind(':'); colon != std::string_view::npos)
      name.remove_prefix(colon + 1);
  const bool address = !name.empty() && name.find_first_not_of("0123456789.:") == name.npos;
  // A port, but not the colons of an IPv6 address.
  if (const auto colon = name.rfind(':');
      colon != std::string_view::npos && name.find(':') == colon && colon + 1 < name.size() &&
      name.substr(colon + 1).find_first_not_of("0123456789") == std::string_view::npos)
    name = name.substr(0, colon);
  if (!address)
    if (const auto dot = name.find('.'); dot != std::string_view::npos && dot > 0)
      name = name.substr(0, dot);
  return lower(name);
}

std::uint32_t Evidence::text(std::string_view words) {
  if (words.empty()) return kNone;
  const auto found = text_index_.find(std::string(words));
  if (found != text_index_.end()) return found->second;
  texts.emplace_back(words);
  const auto index = static_cast<std::uint32_t>(texts.size() - 1);
  text_index_.emplace(texts.back(), index);
  return index;
}

const std::string& Evidence::text_of(std::uint32_t index) const {
  static const std::string kNothing;
  return index < texts.size() ? texts[index] : kNothing;
}

std::uint16_t Evidence::currency(std::string_view code) {
  const auto found = std::find(currencies.begin(), currencies.end(), code);
  if (found != currencies.end()) return static_cast<std::uint16_t>(found - currencies.begin());
  if (currencies.size() >= 1000) throw InputError("currency: at most 1,000 different ones");
  currencies.emplace_back(code);
  return static_cast<std::uint16_t>(currencies.size() - 1);
}

std::uint32_t Evidence::made(std::unordered_map<std::uint64_t, std::uint32_t>& table,
                             std::uint64_t key) {
  const auto [at, is_new] = table.try_emplace(key, static_cast<std::uint32_t>(machines.size()));
  if (is_new) machines.emplace_back();
  return at->second;
}

std::uint32_t Evidence::resource(std::uint8_t provider, std::string_view id) {
  const std::size_t before = machines.size();
  const std::uint32_t machine = made(resources_, hash_of(lower(id), provider));
  if (machines.size() != before) {
    machines[machine].provider = provider;
    named(machine, id);
  }
  return machine;
}

std::uint32_t Evidence::host(std::string_view name) {
  const std::string word = host_word(name);
  const std::uint64_t key = hash_of(word, 99);
  const std::size_t before = machines.size();
  const std::uint32_t machine = made(hosts_, key);
  if (machines.size() != before) {
    host_names_.emplace_back(machine, key);
    machines[machine].label = text(word);
  }
  return machine;
}

std::uint32_t Evidence::pool(std::string_view key) {
  const std::uint32_t machine = made(pools_, hash_of(key, 7));
  machines[machine].pool = true;
  return machine;
}

void Evidence::named(std::uint32_t machine, std::string_view name) {
  const std::string word = host_word(name);
  if (word.empty()) return;
  Bearer& bearer = bearers_[hash_of(word, 99)];
  if (bearer.machine == kNone) bearer.machine = machine;
  if (bearer.machine != machine) bearer.many = true;
}

void Evidence::join_names() {
  for (const auto& [machine, key] : host_names_) {
    const auto found = bearers_.find(key);
    if (found == bearers_.end() || found->second.many || found->second.machine == machine) continue;
    Machine& from = machines[machine];
    Machine& to = machines[found->second.machine];
    from.alias = found->second.machine;
    const auto take = [](auto& into, auto value, auto nothing) {
      if (into == nothing) into = value;
    };
    take(to.type, from.type, kNone);
    take(to.location, from.location, kNone);
    take(to.rack, from.rack, kNone);
    take(to.vcpus, from.vcpus, 0.0F);
    take(to.memory_gib, from.memory_gib, 0.0F);
    take(to.accelerators, from.accelerators, 0.0F);
    take(to.accelerator_w, from.accelerator_w, 0.0F);
    take(to.server_low_w, from.server_low_w, 0.0F);
    take(to.server_high_w, from.server_high_w, 0.0F);
    take(to.server_w, from.server_w, 0.0F);
    take(to.pue, from.pue, 0.0F);
    if (from.label != kNone) to.label = from.label;
  }
}

std::uint32_t Evidence::resolved(std::uint32_t machine) const {
  while (machines[machine].alias != kNone) machine = machines[machine].alias;
  return machine;
}

bool Evidence::first_time(std::string_view key) { return met_.insert(hash_of(key, 41)).second; }

void Evidence::settle(std::uint16_t file, Outcome outcome, std::string_view reason,
                      std::size_t line, std::uint16_t currency, double money) {
  auto& settled = files[file].settled;
  auto at = settled.find(reason);
  if (at == settled.end())
    at = settled.emplace(std::string(reason), Settled{outcome, std::string(reason), 0, line, {}})
             .first;
  CARNOT_CHECK(at->second.outcome == outcome, "one reason, one outcome");
  ++at->second.rows;
  if (currency != 0) at->second.money[currency] += money;
}

ServiceAmount& Evidence::amount(std::uint16_t file, std::string_view what, std::uint8_t provider,
                                std::uint32_t region, std::uint32_t account) {
  const std::uint32_t id = text(what);
  const std::array<std::uint64_t, 5> key = {file, id, provider, region, account};
  const auto [at, is_new] = amount_index_.try_emplace(key, amounts.size());
  if (is_new) {
    amounts.emplace_back();
    ServiceAmount& one = amounts.back();
    one.file = file;
    one.what = id;
    one.provider = provider;
    one.region = region;
    one.account = account;
  }
  return amounts[at->second];
}

void Evidence::problem(std::uint16_t file, std::size_t line, std::string_view field,
                       std::string_view allowed) {
  EvidenceFile& one = files[file];
  ++one.problem_count;
  if (one.problems.size() < kMostProblems)
    one.problems.push_back(describe({one.name, line}, field, allowed));
}

}  // namespace carnot::assess
