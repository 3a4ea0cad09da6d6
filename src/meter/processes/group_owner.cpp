// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/processes/group_owner.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "carnot/base/input/cells.hpp"

namespace carnot::meter {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// Ids of containers are 64 hexadecimal digits; some runtimes cut them to 12 and more.
bool is_id(std::string_view text) {
  return text.size() >= 12 && text.size() <= 64 && std::all_of(text.begin(), text.end(), is_hex);
}

bool cut_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool cut_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

/// `\x2d` as systemd writes characters that mean something in names of units.
std::string unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    unsigned value = 0;
    if (text.size() >= 4 && text[0] == '\\' && text[1] == 'x' && is_hex(text[2]) &&
        is_hex(text[3])) {
      for (const char c : text.substr(2, 2))
        value = value * 16 + static_cast<unsigned>(is_digit(c) ? c - '0' : c - 'a' + 10);
      if (value >= 0x20 && value != 0x7f) {
        out += static_cast<char>(value);
        text.remove_prefix(4);
        continue;
      }
    }
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

/// 8-4-4-4-12 hexadecimal digits; systemd's slices have `_` for the hyphens. Static pods have 32
/// digits and no hyphen. Empty: neither.
std::string pod_uid(std::string_view text) {
  std::string uid(text);
  std::replace(uid.begin(), uid.end(), '_', '-');
  if (uid.size() == 32 && std::all_of(uid.begin(), uid.end(), is_hex)) return uid;
  if (uid.size() != 36) return {};
  for (std::size_t i = 0; i < uid.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? uid[i] != '-' : !is_hex(uid[i])) return {};
  }
  return uid;
}

void take_slurm(std::string_view part, GroupOwner& owner) {
  std::string_view rest = part;
  if (cut_prefix(rest, "job_") && all_digits(rest)) {
    owner.slurm_job = rest;
    owner.slurm_step.clear();
  } else if (rest = part; !owner.slurm_job.empty() && cut_prefix(rest, "step_") && !rest.empty()) {
    owner.slurm_step = rest;
  }
}

bool take_pod(std::string_view part, GroupOwner& owner) {
  std::string_view rest = part;
  if (cut_suffix(rest, ".slice")) {
    const std::size_t at = rest.rfind("-pod");
    if (!rest.starts_with("kubepods") || at == std::string_view::npos) return false;
    rest.remove_prefix(at + 4);
  } else if (!cut_prefix(rest, "pod")) {
    return false;
  }
  std::string uid = pod_uid(rest);
  if (uid.empty()) return false;
  owner.pod = std::move(uid);
  return true;
}

/// `RUNTIME-ID`, bare or as a scope.
bool take_container(std::string_view part, GroupOwner& owner) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kRuntimes = {
      {{"docker-", "docker"},
       {"libpod-", "podman"},
       {"crio-", "cri-o"},
       {"cri-containerd-", "containerd"},
       {"nerdctl-", "containerd"},
       {"buildkit-", "containerd"}}};
  cut_suffix(part, ".scope");
  for (const auto& [prefix, runtime] : kRuntimes) {
    std::string_view id = part;
    if (!cut_prefix(id, prefix) || !is_id(id)) continue;
    owner.container = id;
    owner.runtime = runtime;
    return true;
  }
  return false;
}

bool take_machine(std::string_view part, GroupOwner& owner) {
  const auto is = [&](std::string_view name, std::string_view runtime) {
    if (name.empty()) return false;
    owner.container = unescaped(name);
    owner.runtime = runtime;
    return true;
  };
  std::string_view rest = part;
  if (cut_prefix(rest, "lxc.payload.")) return is(rest, "lxc");
  rest = part;
  if (cut_prefix(rest, "machine-") && cut_suffix(rest, ".scope")) {
    // libvirt's virtual machines are called so too, qemu and a number before the name.
    return !rest.starts_with("qemu\\x2d") && is(rest, "nspawn");
  }
  rest = part;
  return cut_prefix(rest, "systemd-nspawn@") && cut_suffix(rest, ".service") && is(rest, "nspawn");
}

}  // namespace

GroupOwner group_owner(std::string_view path) {
  GroupOwner owner;
  bool slurm = false;
  std::string_view before;
  while (!path.empty()) {
    const std::string_view part = cut_cell(path, '/');
    if (part.empty()) continue;
    // A step may run containers of its own: both are said.
    slurm = slurm || part.ends_with("slurmstepd.scope") || part == "slurm" ||
            part.starts_with("slurm_");
    if (slurm) take_slurm(part, owner);
    const bool in_pods = before.starts_with("pod") || !owner.pod.empty();
    std::string_view service = part;
    if (take_pod(part, owner) || take_container(part, owner) || take_machine(part, owner)) {
      owner.service.clear();
    } else if ((before == "docker" || before == "ecs" || in_pods) && is_id(part)) {
      owner.container = part;
      if (before == "docker") owner.runtime = "docker";
      owner.service.clear();
    } else if ((before == "lxc" || before == "lxc.payload") && owner.container.empty()) {
      owner.container = part;
      owner.runtime = "lxc";
      owner.service.clear();
    } else if (owner.container.empty() && owner.pod.empty() && cut_suffix(service, ".service") &&
               !service.empty()) {
      owner.service = unescaped(service);
    }
    before = part;
  }
  return owner;
}

}  // namespace carnot::meter
