// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/processes/group_owner.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace carnot::meter {
namespace {

const std::string kId = "4f1c2ad0b1c3" + std::string(52, 'e');
const std::string kUid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
const std::string kUnderlined = "0a1b2c3d_4e5f_6071_8293_a4b5c6d7e8f9";

GroupOwner slurm(std::string job, std::string step = "") {
  GroupOwner o;
  o.slurm_job = std::move(job);
  o.slurm_step = std::move(step);
  return o;
}

GroupOwner container(std::string id, std::string runtime, std::string pod = "") {
  GroupOwner o;
  o.container = std::move(id);
  o.runtime = std::move(runtime);
  o.pod = std::move(pod);
  return o;
}

GroupOwner service(std::string name) {
  GroupOwner o;
  o.service = std::move(name);
  return o;
}

TEST(GroupOwner, SlurmOfBothVersions) {
  EXPECT_EQ(group_owner("/system.slice/slurmstepd.scope/job_12"), slurm("12"));
  EXPECT_EQ(group_owner("/system.slice/slurmstepd.scope/job_12/step_0/user/task_3"),
            slurm("12", "0"));
  EXPECT_EQ(group_owner("/system.slice/node7_slurmstepd.scope/job_12/step_batch/slurm"),
            slurm("12", "batch"));
  EXPECT_EQ(group_owner("/slurm/uid_1000/job_345/step_extern/task_0"), slurm("345", "extern"));
  EXPECT_EQ(group_owner("/slurm_node7/uid_1000/job_345"), slurm("345"));
  // A folder of that name elsewhere is nobody's job; nor is one without a number.
  EXPECT_EQ(group_owner("/user.slice/job_12/step_0"), GroupOwner{});
  EXPECT_EQ(group_owner("/slurm/uid_1000/job_x"), GroupOwner{});
}

TEST(GroupOwner, KubernetesByEitherDriver) {
  EXPECT_EQ(group_owner("/kubepods/burstable/pod" + kUid + "/" + kId), container(kId, "", kUid));
  EXPECT_EQ(group_owner("/kubepods/pod" + kUid), container("", "", kUid));
  EXPECT_EQ(group_owner("/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" +
                        kUnderlined + ".slice/cri-containerd-" + kId + ".scope"),
            container(kId, "containerd", kUid));
  EXPECT_EQ(group_owner("/kubepods.slice/kubepods-pod" + kUnderlined + ".slice/crio-" + kId +
                        ".scope/container"),
            container(kId, "cri-o", kUid));
  // kind and minikube put the pods of their nodes below a container of the host's.
  EXPECT_EQ(
      group_owner("/docker/" + std::string(64, 'a') + "/kubelet.slice/kubelet-kubepods.slice/" +
                  "kubepods-pod" + kUnderlined + ".slice/cri-containerd-" + kId + ".scope"),
      container(kId, "containerd", kUid));
  // A static pod's uid is a hash.
  EXPECT_EQ(group_owner("/kubepods/burstable/pod" + std::string(32, 'b')).pod,
            std::string(32, 'b'));
  EXPECT_EQ(group_owner("/kubepods/burstable/podium"), GroupOwner{});
}

TEST(GroupOwner, Containers) {
  EXPECT_EQ(group_owner("/docker/" + kId), container(kId, "docker"));
  EXPECT_EQ(group_owner("/system.slice/docker-" + kId + ".scope"), container(kId, "docker"));
  EXPECT_EQ(group_owner("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId +
                        ".scope/container"),
            container(kId, "podman"));
  EXPECT_EQ(group_owner("/lxc/web/init.scope"), container("web", "lxc"));
  EXPECT_EQ(group_owner("/lxc.payload.web/system.slice/cron.service"), container("web", "lxc"));
  EXPECT_EQ(group_owner("/machine.slice/machine-de\\x2dbian.scope"),
            container("de-bian", "nspawn"));
  EXPECT_EQ(group_owner("/machine.slice/systemd-nspawn@web.service/payload"),
            container("web", "nspawn"));
  EXPECT_EQ(group_owner("/machine.slice/machine-qemu\\x2d3\\x2dweb.scope"), GroupOwner{});
  // Not an id, not a container.
  EXPECT_EQ(group_owner("/docker/buildx"), GroupOwner{});
  EXPECT_EQ(group_owner("/system.slice/docker-proxy.scope"), GroupOwner{});
}

TEST(GroupOwner, ServicesAreTheInnermostOutsideOfContainers) {
  EXPECT_EQ(group_owner("/system.slice/nginx.service"), service("nginx"));
  EXPECT_EQ(group_owner("/system.slice/system-getty.slice/getty@tty1.service"),
            service("getty@tty1"));
  EXPECT_EQ(group_owner("/user.slice/user-1000.slice/user@1000.service/app.slice/jupyter.service"),
            service("jupyter"));
  EXPECT_EQ(group_owner("/system.slice/slurmstepd.scope/job_7/step_0").service, "");
  EXPECT_EQ(group_owner("/"), GroupOwner{});
  EXPECT_EQ(group_owner(""), GroupOwner{});
  EXPECT_EQ(group_owner("/init.scope"), GroupOwner{});
}

RC_GTEST_PROP(GroupOwner, AnyPathIsAnswered, (std::string noise)) {
  const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "slurm", "job_1", "step_", "pod", "pod" + kUid, kId, "docker", "lxc", "libpod-", ".service",
      "x.service", "machine-.scope", "lxc.payload.", "\\x", "\\x2", "\\x2d.service"));
  std::string path = noise;
  for (const std::string& part : parts) path += "/" + part;
  const GroupOwner owner = group_owner(path);
  RC_ASSERT(owner.slurm_step.empty() || !owner.slurm_job.empty());
  RC_ASSERT(owner.service.empty() || owner.container.empty());
  RC_ASSERT(owner.pod.empty() || owner.pod.size() == 32 || owner.pod.size() == 36);
}

}  // namespace
}  // namespace carnot::meter
