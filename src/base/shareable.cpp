// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/shareable.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

namespace carnot::inline base {

namespace {

constexpr std::string_view kHidden = "[hidden]";

/// How keys begin that say whose they are, and the least letters that then follow.
struct KeyPrefix {
  std::string_view prefix;
  std::size_t least;
};
constexpr std::array kKeyPrefixes = {
    KeyPrefix{"AKIA", 12},       KeyPrefix{"ASIA", 12},      KeyPrefix{"AGPA", 12},
    KeyPrefix{"AIDA", 12},       KeyPrefix{"AROA", 12},      KeyPrefix{"AIza", 20},
    KeyPrefix{"ya29.", 10},      KeyPrefix{"ghp_", 16},      KeyPrefix{"gho_", 16},
    KeyPrefix{"ghu_", 16},       KeyPrefix{"ghs_", 16},      KeyPrefix{"ghr_", 16},
    KeyPrefix{"github_pat_", 8}, KeyPrefix{"glpat-", 8},     KeyPrefix{"gldt-", 8},
    KeyPrefix{"xoxa-", 6},       KeyPrefix{"xoxb-", 6},      KeyPrefix{"xoxp-", 6},
    KeyPrefix{"xoxr-", 6},       KeyPrefix{"xoxs-", 6},      KeyPrefix{"xapp-", 6},
    KeyPrefix{"sk-", 16},        KeyPrefix{"sk_live_", 8},   KeyPrefix{"sk_test_", 8},
    KeyPrefix{"rk_live_", 8},    KeyPrefix{"pk_live_", 8},   KeyPrefix{"whsec_", 8},
    KeyPrefix{"hf_", 16},        KeyPrefix{"npm_", 16},      KeyPrefix{"pypi-", 16},
    KeyPrefix{"dop_v1_", 8},     KeyPrefix{"SG.", 16},       KeyPrefix{"hvs.", 8},
    KeyPrefix{"hvb.", 8},        KeyPrefix{"s.", 24},        KeyPrefix{"dckr_pat_", 8},
    KeyPrefix{"NRAK-", 8},       KeyPrefix{"shpat_", 8},     KeyPrefix{"shpss_", 8},
    KeyPrefix{"EAAC", 24},       KeyPrefix{"dapi", 28},      KeyPrefix{"lin_api_", 8},
    KeyPrefix{"key-", 20},       KeyPrefix{"rubygems_", 16}, KeyPrefix{"sq0atp-", 8},
    KeyPrefix{"PMAK-", 16},      KeyPrefix{"tskey-", 8},     KeyPrefix{"wandb_", 16},
    KeyPrefix{"r8_", 20},        KeyPrefix{"nvapi-", 12},    KeyPrefix{"gsk_", 16},
    KeyPrefix{"xai-", 16},       KeyPrefix{"AccountKey", 8}, KeyPrefix{"-----BEGIN", 0},
    KeyPrefix{"figd_", 12},      KeyPrefix{"vercel_", 12},   KeyPrefix{"glc_", 12},
    KeyPrefix{"sbp_", 12},       KeyPrefix{"eyJ", 20},
};

/// Parts of names whose values nobody should read.
constexpr std::array<std::string_view, 22> kSecretNames = {
    "token",      "secret", "password",   "passwd", "passphrase",        "pwd",    "apikey",
    "api_key",    "auth",   "credential", "bearer", "private_key",       "cookie", "session_id",
    "access_key", "sas",    "signature",  "dsn",    "connection_string", "jwt",    "accountkey",
    "netrc"};

bool is_alphanumeric(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

/// Lower case, `-` as `_`.
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name)
    out += c == '-' || c == '.' || c == ' '
               ? '_'
               : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool names_a_secret(std::string_view name) {
  const std::string text = plain(name);
  return std::any_of(kSecretNames.begin(), kSecretNames.end(),
                     [&](std::string_view part) {
                       const std::size_t at = text.find(part);
                       if (at == std::string::npos) return false;
                       // Short ones only as words of their own: `sas`, not `disaster`.
                       if (part.size() > 4) return true;
                       const std::size_t end = at + part.size();
                       return (at == 0 || !is_alphanumeric(text[at - 1])) &&
                              (end == text.size() || !is_alphanumeric(text[end]));
                     }) ||
         text == "key" || text.ends_with("_key");
}

bool has_key_prefix(std::string_view word) {
  for (const KeyPrefix& key : kKeyPrefixes) {
    for (std::size_t at = word.find(key.prefix); at != std::string_view::npos;
         at = word.find(key.prefix, at + 1)) {
      if (at > 0 && is_alphanumeric(word[at - 1]) && key.prefix != "AccountKey") continue;
      std::size_t end = at + key.prefix.size();
      while (end < word.size() && (is_alphanumeric(word[end]) ||
                                   std::string_view("_-.=+/").find(word[end]) != word.npos))
        ++end;
      if (end - at - key.prefix.size() >= key.least) return true;
    }
  }
  return false;
}

/// 32 letters and digits or more in one piece, of both kinds: nobody types that.
bool has_random_run(std::string_view word) {
  std::size_t run = 0, letters = 0, digits = 0;
  for (const char c : word) {
    if (!is_alphanumeric(c) && c != '+' && c != '=') {
      run = letters = digits = 0;
      continue;
    }
    ++run;
    (std::isdigit(static_cast<unsigned char>(c)) != 0 ? digits : letters) += 1;
    if (run >= 32 && digits >= 4 && letters >= 4) return true;
  }
  return false;
}

std::string last_component(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

bool is_home_path(std::string_view text) { return text.starts_with("~/"); }

std::string shareable_url(std::string_view url, std::size_t scheme) {
  std::string_view rest = url.substr(scheme + 3);
  const std::size_t end = rest.find_first_of("/?#");
  std::string_view host = rest.substr(0, end);
  if (const std::size_t at = host.rfind('@'); at != std::string_view::npos)
    host = host.substr(at + 1);
  std::string_view path = end == std::string_view::npos ? "" : rest.substr(end);
  path = path.substr(0, path.find_first_of("?#"));
  return fmt::format("{}://{}{}", url.substr(0, scheme), host,
                     has_key_prefix(path) || has_random_run(path) ? "/" + std::string(kHidden)
                                                                  : std::string(path));
}

}  // namespace

std::string shareable_word(std::string_view word) {
  const std::size_t equals = word.find('=');
  const std::size_t scheme = word.find("://");
  if (equals != std::string_view::npos && (scheme == std::string_view::npos || equals < scheme)) {
    const std::string_view name = word.substr(0, equals), value = word.substr(equals + 1);
    if (!value.empty() && names_a_secret(name)) return fmt::format("{}={}", name, kHidden);
    if (has_key_prefix(name) || has_random_run(name)) return std::string(kHidden);
    return fmt::format("{}={}", name, shareable_word(value));
  }
  if (scheme == 4 && word.starts_with("file")) return last_component(word);
  if (scheme != std::string_view::npos && scheme > 0 && word.find(' ') == std::string_view::npos)
    return shareable_url(word, scheme);
  if (has_key_prefix(word) || has_random_run(word)) return std::string(kHidden);
  // "Authorization: Bearer x", "password: x"
  if (const std::size_t colon = word.find(':'); colon != std::string_view::npos &&
                                                colon + 1 < word.size() &&
                                                names_a_secret(word.substr(0, colon)))
    return fmt::format("{}: {}", word.substr(0, colon), kHidden);
  if (word.size() > 1 && (word.starts_with('/') || is_home_path(word))) return last_component(word);
  return std::string(word);
}

std::vector<std::string> shareable_words(std::span<const std::string> words) {
  std::vector<std::string> out;
  bool hide = false;
  for (const std::string& word : words) {
    out.push_back(hide ? std::string(kHidden) : shareable_word(word));
    hide = word.starts_with('-') && word.find('=') == std::string::npos && names_a_secret(word);
  }
  return out;
}

std::string shareable_program(std::span<const std::string> words) {
  if (words.empty()) return "";
  const std::string name = shareable_word(last_component(words.front()));
  const std::size_t arguments = words.size() - 1;
  if (arguments == 0) return name;
  return fmt::format("{} ({} argument{})", name, arguments, arguments == 1 ? "" : "s");
}

}  // namespace carnot::inline base
