// SPDX-License-Identifier: Apache-2.0
// Usage of language models: a row a model and day. Input, cached, output and reasoning tokens are
// kept apart. What the columns hold differs by who wrote them:
//   cached_*            part of the input (OpenAI's way)     cache_read_*   beside it (Anthropic's)
//   reasoning tokens    part of the output
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "assess/evidence/cells.hpp"
#include "assess/evidence/readers.hpp"
#include "assess/evidence/token_counts.hpp"

namespace carnot::assess {

void add_tokens(Evidence& e, std::uint16_t file, const TokenCounts& c) {
  const std::uint32_t region = e.text(c.region);
  const std::uint32_t account = e.text(c.account);
  const double cached = std::max(0.0, c.cached);
  const double input = c.cached_is_part ? std::max(0.0, c.input - cached) : c.input;
  const double reasoning = std::clamp(c.reasoning, 0.0, c.output);
  const std::array<std::pair<const char*, double>, 4> kinds = {{{"input", input},
                                                                {"cached", cached},
                                                                {"output", c.output - reasoning},
                                                                {"reasoning", reasoning}}};
  bool row_counted = false;
  for (const auto& [kind, tokens] : kinds) {
    if (!(tokens > 0)) continue;
    ServiceAmount& amount = e.amount(file, fmt::format("{}:{}", kind, c.model), 5, region, account);
    amount.amount += tokens;
    amount.first = std::min(amount.first, c.from);
    amount.last = std::max(amount.last, c.to);
    if (row_counted) continue;
    row_counted = true;
    ++amount.rows;
    if (c.currency != 0) amount.money[c.currency] += c.money;
  }
  if (!row_counted) e.settle(file, Outcome::NoEnergy, "no tokens", c.line, c.currency, c.money);
}

bool is_tokens(const CsvStream& t) {
  return t.find({"model", "modelid", "modelname", "snapshotid"}) >= 0 &&
         t.find({"inputtokens", "prompttokens", "ncontexttokenstotal", "uncachedinputtokens",
                 "outputtokens", "completiontokens", "ngeneratedtokenstotal"}) >= 0;
}

void read_tokens(CsvStream& t, Evidence& e, std::uint16_t file) {
  const int model = t.find({"model", "modelid", "modelname", "snapshotid"});
  const int day =
      t.find({"date", "day", "timestamp", "time", "starttime", "startingat", "usagedate"});
  const int input =
      t.find({"inputtokens", "prompttokens", "ncontexttokenstotal", "uncachedinputtokens"});
  const bool uncached = t.find({"uncachedinputtokens"}) >= 0 && !t.has("inputtokens");
  const int part =
      t.find({"cachedtokens", "cachedinputtokens", "inputcachedtokens", "promptcachedtokens"});
  const int beside = t.find({"cachereadinputtokens", "cachereadtokens", "cachehittokens"});
  const int written =
      t.find({"cachecreationinputtokens", "cachewritetokens", "cachecreationtokens"});
  const int output = t.find({"outputtokens", "completiontokens", "ngeneratedtokenstotal"});
  const int reasoning = t.find({"reasoningtokens", "outputreasoningtokens", "thinkingtokens"});
  const int cost = t.find({"costeur", "costusd", "cost", "amount", "spend"});
  const int currency = t.find({"currency", "billingcurrency"});
  const int region = t.find({"region", "location"});
  const int account = t.find({"project", "projectid", "apikeyid", "workspaceid"});
  WholeRows rows(t, e, file);
  while (rows.next()) {
    TokenCounts c;
    c.line = t.line();
    c.model = lower_case(t.field(model));
    if (c.model.empty()) {
      rows.refuse("model", "a name");
      continue;
    }
    std::string bad;
    const auto count = [&](int column) {
      if (column < 0 || t.field(column).empty()) return 0.0;
      const auto value = number_of(t.field(column));
      if (!value || *value < 0 || *value > 1e18) {
        bad = t.header()[static_cast<std::size_t>(column)];
        return 0.0;
      }
      return *value;
    };
    c.input = count(input);
    c.cached_is_part = part >= 0 && beside < 0 && !uncached;
    c.cached = part >= 0 ? count(part) : count(beside);
    // Cached tokens above the input cannot be part of it.
    if (c.cached_is_part && c.cached > c.input) c.cached_is_part = false;
    c.input += count(written);
    c.output = count(output);
    c.reasoning = count(reasoning);
    const auto paid = cost >= 0 ? number_of(t.field(cost)) : std::nullopt;
    if (cost >= 0 && !t.field(cost).empty() && !paid)
      bad = t.header()[static_cast<std::size_t>(cost)];
    if (!bad.empty()) {
      rows.refuse(bad, "a count, 0 or more");
      continue;
    }
    if (c.reasoning > c.output)
      e.problem(file, t.line(), "reasoning tokens", "at most the output, of which they are part");
    if (paid) {
      std::string_view code = t.field(currency);
      if (code.empty()) {
        const std::string name = folded_name(t.header()[static_cast<std::size_t>(cost)]);
        code = name == "costeur" ? "EUR" : name == "costusd" ? "USD" : "?";
      }
      c.currency = e.currency(code.substr(0, 8));
      c.money = *paid;
    }
    if (const auto from = seconds_of(t.field(day))) {
      c.from = *from;
      c.to = *from + 86400;
      covers(e.files[file], c.from, c.to);
    } else if (day >= 0) {
      e.problem(file, t.line(), t.header()[static_cast<std::size_t>(day)],
                "a day such as 2024-09-18");
    }
    c.region = t.field(region);
    c.account = t.field(account);
    add_tokens(e, file, c);
  }
}

}  // namespace carnot::assess
