// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/machines/machines.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>
#include <unordered_map>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/meter/power_model/power_model.hpp"
#include "carnot/model/footprint/positive.hpp"

#include "assess/machines/tables.hpp"

namespace carnot::assess {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

double number(const std::string& cell) { return cell.empty() ? 0 : parse_number(cell); }

/// Lower case, "standard_" and what managed services put before a name taken off.
std::string plain_name(std::string_view name) {
  std::string out = lower(name);
  for (const std::string_view prefix : {"standard_", "db.", "ml.", "cache.", "search."})
    if (out.starts_with(prefix)) {
      out = out.substr(prefix.size());
      break;
    }
  std::replace(out.begin(), out.end(), ' ', '_');
  return out;
}

const std::unordered_map<std::string, std::size_t>& machine_index() {
  static const auto index = [] {
    std::unordered_map<std::string, std::size_t> out;
    const auto& all = cloud_machines();
    for (std::size_t i = 0; i < all.size(); ++i) out.emplace(plain_name(all[i].name), i);
    return out;
  }();
  return index;
}

/// Power of a server or of a guest's share of one; the model is asked once for each set of facts.
Estimate<Power> modelled(const meter::HostFacts& facts, std::optional<double> utilisation) {
  using Key = std::tuple<double, double, double, double, double, double, double, double>;
  static std::map<Key, Estimate<Power>> known;
  static std::mutex mutex;
  const Key key = {facts.vcpus.value_or(-1),   facts.memory_gb.value_or(-1),
                   facts.threads.value_or(-1), facts.cores.value_or(-1),
                   facts.chips.value_or(-1),   facts.tdp_w.value_or(-1),
                   facts.year.value_or(-1),    utilisation.value_or(-1)};
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  const auto estimate = meter::estimate_wall_power(facts, utilisation);
  return known.emplace(key, estimate).first->second;
}

Estimate<Power> with_accelerators(const Estimate<Power>& host, double accelerators, double rating,
                                  std::optional<double> utilisation) {
  if (!(accelerators > 0) || !(rating > 0)) return host;
  const auto watts = Estimate<Power>::exact(accelerators * rating * watt, Origin::Published,
                                            Boundary::Node, {"rating"});
  Estimate<double> share(factor("accelerator.mean_share"));
  if (utilisation) {
    const Estimate<double> idle(factor("accelerator.idle_share"));
    const double u = std::clamp(*utilisation, 0.0, 1.0);
    const double mean = idle.value() + (0.9 - idle.value()) * u;
    share = Estimate<double>(mean, 0.8 * mean, std::min(1.0, 1.2 * mean), Origin::Modelled,
                             Boundary::None, "accelerator.share", {"utilisation"});
  }
  const Estimate<double> beside(factor("accelerator.host_share"));
  return host + watts * share + watts * beside;
}

}  // namespace

std::vector<std::vector<std::string>> table_rows(std::string_view table, std::size_t columns) {
  std::vector<std::vector<std::string>> rows;
  bool header = true;
  while (!table.empty()) {
    const auto end = table.find('\n');
    std::string_view line = table.substr(0, end);
    table = end == std::string_view::npos ? std::string_view{} : table.substr(end + 1);
    if (line.empty()) continue;
    if (header) {
      header = false;
      continue;
    }
    std::vector<std::string> cells;
    for (;;) {
      const auto comma = line.find(',');
      cells.emplace_back(line.substr(0, comma));
      if (comma == std::string_view::npos) break;
      line.remove_prefix(comma + 1);
    }
    CARNOT_CHECK(cells.size() == columns, "a table of data/ has a row of another width");
    rows.push_back(std::move(cells));
  }
  return rows;
}

const std::vector<CloudMachine>& cloud_machines() {
  static const std::vector<CloudMachine> all = [] {
    std::vector<CloudMachine> out;
    for (const auto& row : table_rows(kCloudInstancesTable, 10)) {
      CloudMachine one;
      one.name = row[0];
      one.provider = row[1];
      one.vcpus = number(row[2]);
      one.memory_gib = number(row[3]);
      one.accelerators = number(row[4]);
      one.accelerator = row[5];
      one.accelerator_w = number(row[6]);
      one.source = row[8];
      one.year = static_cast<int>(number(row[9]));
      out.push_back(std::move(one));
    }
    return out;
  }();
  return all;
}

const CloudMachine* cloud_machine(std::string_view name) {
  const auto& index = machine_index();
  const auto at = index.find(plain_name(name));
  return at == index.end() ? nullptr : &cloud_machines()[at->second];
}

const CloudMachine* cloud_machine_in(std::string_view words) {
  // Names are words of letters, digits, '.', '-' and '_'; Azure's have a blank before the version.
  const auto inside = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  std::size_t at = 0;
  std::string_view before;
  while (at < words.size()) {
    if (!inside(words[at])) {
      before = words[at] == ' ' ? before : std::string_view();
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < words.size() && inside(words[at])) ++at;
    std::string_view word = words.substr(begin, at - begin);
    while (!word.empty() && (word.back() == '.' || word.back() == '-')) word.remove_suffix(1);
    if (word.size() == 2 && (word[0] == 'v' || word[0] == 'V') && !before.empty()) {
      const auto* found = cloud_machine(std::string(before) + "_" + std::string(word));
      if (found != nullptr) return found;
    }
    const bool digit =
        std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digit && word.size() >= 4)
      if (const auto* found = cloud_machine(word)) return found;
    before = word;
  }
  return nullptr;
}

std::vector<std::string> nearest_machines(std::string_view name) {
  const std::string wanted = plain_name(name).substr(0, 64);
  std::vector<std::pair<std::size_t, std::string>> scored;
  for (const CloudMachine& one : cloud_machines()) {
    const std::string other = plain_name(one.name);
    // Shared beginning counts most (the family), then the shared end (the size).
    std::size_t front = 0, back = 0;
    while (front < wanted.size() && front < other.size() && wanted[front] == other[front]) ++front;
    while (back + front < wanted.size() && back + front < other.size() &&
           wanted[wanted.size() - 1 - back] == other[other.size() - 1 - back])
      ++back;
    const std::size_t apart = std::max(wanted.size(), other.size()) - front + (back == 0 ? 1 : 0);
    if (front >= 1) scored.emplace_back(2 * apart - std::min(apart, back), one.name);
  }
  std::sort(scored.begin(), scored.end());
  std::vector<std::string> out;
  for (std::size_t i = 0; i < scored.size() && i < 3; ++i) out.push_back(scored[i].second);
  return out;
}

Estimate<Power> machine_power(double vcpus, double memory_gib, double accelerators,
                              double accelerator_w, std::optional<double> utilisation) {
  meter::HostFacts facts;
  if (vcpus > 0) {
    // What clouds run is not known; that it is no desktop is (data/assess_factors.md).
    facts.vcpus = std::clamp(vcpus, 1.0, 4096.0);
    facts.threads = std::max(*facts.vcpus, factor("server.vcpus").value());
    facts.year = factor("server.year").value();
  }
  (void)memory_gib;  // of the guest, and the model knows hosts by theirs
  return with_accelerators(modelled(facts, utilisation), accelerators, accelerator_w, utilisation);
}

Estimate<Power> server_power(const ServerFacts& f, std::optional<double> utilisation) {
  meter::HostFacts facts;
  const auto set = [](std::optional<double>& into, double value) {
    if (value > 0) into = value;
  };
  set(facts.threads, f.threads);
  set(facts.cores, f.cores);
  set(facts.chips, f.chips);
  set(facts.tdp_w, f.tdp_w);
  set(facts.memory_gb, f.memory_gb);
  set(facts.year, f.year);
  return with_accelerators(modelled(facts, utilisation), f.accelerators, f.accelerator_w,
                           utilisation);
}

std::string region_grid(std::string_view provider, std::string_view region) {
  static const auto index = [] {
    std::unordered_map<std::string, std::string> out;
    for (const auto& row : table_rows(kCloudRegionsTable, 4))
      out.emplace(row[0] + "/" + row[1], row[2]);
    return out;
  }();
  std::string key = lower(region);
  key.erase(std::remove(key.begin(), key.end(), ' '), key.end());
  const std::string head = std::string(provider) + "/";
  if (const auto at = index.find(head + key); at != index.end()) return at->second;
  // A zone: "us-east-1a", "us-central1-a".
  if (key.size() > 2 && key.back() >= 'a' && key.back() <= 'z') {
    key.pop_back();
    if (key.back() == '-') key.pop_back();
    if (const auto at = index.find(head + key); at != index.end()) return at->second;
  }
  return "";
}

EstimateCore factor(std::string_view id) {
  static const auto index = [] {
    std::map<std::string, EstimateCore, std::less<>> out;
    for (const auto& row : table_rows(kAssessFactorsTable, 8)) {
      const double value = parse_number(row[1]);
      const double low = row[2].empty() ? value : parse_number(row[2]);
      const double high = row[3].empty() ? value : parse_number(row[3]);
      out.emplace(row[0], EstimateCore(value, low, high,
                                       row[5] == "assumed" ? Origin::Assumed : Origin::Published,
                                       Boundary::None, row[0], {row[7] + " " + row[6]}));
    }
    return out;
  }();
  const auto at = index.find(id);
  CARNOT_CHECK(at != index.end(), "data/assess_factors.csv lacks " + std::string(id));
  return at->second;
}

double accelerator_rating(std::string_view name) {
  static const auto rows = [] {
    std::vector<std::pair<std::string, double>> out;
    for (const auto& row : table_rows(kAcceleratorRatingsTable, 3))
      out.emplace_back(row[0], parse_number(row[1]));
    return out;
  }();
  std::string wanted = lower(name);
  for (const auto& [word, rating] : rows) {
    const auto at = wanted.find(word);
    if (at == std::string::npos) continue;
    const auto letter = [&](std::size_t i) {
      return i < wanted.size() &&
             ((wanted[i] >= 'a' && wanted[i] <= 'z') || (wanted[i] >= '0' && wanted[i] <= '9'));
    };
    // "l4" is not in "xl40", "t4" not in "t400".
    if ((at > 0 && letter(at - 1)) || letter(at + word.size())) continue;
    return rating;
  }
  return 0;
}

}  // namespace carnot::assess
