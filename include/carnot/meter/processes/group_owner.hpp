// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Whose a control group is, as far as its path says: the conventions of Slurm, Kubernetes,
/// container runtimes and systemd, in control groups of version 1 and 2. Nothing is asked of any
/// daemon, so a pod is its uid and a container its id; names that people gave them are not in the
/// path.
///
///     Slurm       .../[NODE_]slurmstepd.scope/job_12/step_0/... /slurm[_NODE]/uid_1000/job_12/...
///     Kubernetes  /kubepods[/burstable|/besteffort]/podUID/ID
///                 /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_I_D.slice/RUNTIME-ID.scope
///     Docker      /docker/ID   /system.slice/docker-ID.scope
///     Podman      .../libpod-ID.scope   /libpod_parent/libpod-ID
///     others      crio-ID, cri-containerd-ID, nerdctl-ID, buildkit-ID; /lxc/NAME,
///     /lxc.payload.NAME,
///                 /lxc.payload/NAME; machine.slice/machine-NAME.scope, systemd-nspawn@NAME.service
///     systemd     .../NAME.service, the innermost
///
/// Sources: Slurm's cgroup/v1 and cgroup/v2 plug-ins (22.05), Kubernetes' kubelet cgroup manager,
/// systemd's systemd.slice(5) and escaping rules (`\x2d` is a hyphen). Pure, safe in any thread.

#include <string>
#include <string_view>

namespace carnot::meter {

/// Empty: the path does not say.
struct GroupOwner {
  std::string slurm_job;   ///< "12"
  std::string slurm_step;  ///< "0", "batch", "extern", "interactive"
  std::string pod;         ///< uid with hyphens, as the API shows it
  std::string container;   ///< id of a runtime, or the name of a machine (LXC, nspawn)
  std::string runtime;     ///< "docker", "podman", "cri-o", "containerd", "lxc", "nspawn"; or empty
  std::string service;     ///< unit of systemd without ".service", outside of containers

  bool operator==(const GroupOwner&) const = default;
};

/// \param path  below the mount point, "/system.slice/docker-ab12....scope"
GroupOwner group_owner(std::string_view path);

}  // namespace carnot::meter
