// SPDX-License-Identifier: Apache-2.0
// Whether a management controller is who it says: a real TLS server with a certificate of its own
// making, which nobody trusts until it is named.
#include <cstdlib>
#include <string>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing_files.hpp"
#include "meter/sources/bmc/redfish_power.hpp"
#include "meter/testing/testing_job.hpp"

namespace carnot::meter {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

std::uint16_t free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  ::bind(probe, reinterpret_cast<sockaddr*>(&address), length);
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(probe);
  return ntohs(address.sin_port);
}

bool answers(std::uint16_t port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(port);
  const int result = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::close(probe);
  return result == 0;
}

TEST(RedfishTls, ACertificateIsTrustedOnlyWhenItIsNamed) {
  const TemporaryFolder folder;
  const std::string certificate = folder / "certificate.pem", key = folder / "key.pem";
  const std::string make =
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
      "-addext subjectAltName=DNS:localhost -keyout " +
      key + " -out " + certificate + " 2>/dev/null";
  if (std::system(make.c_str()) != 0) GTEST_SKIP() << "no openssl program to make a certificate";
  write_text(folder / "redfish/v1/Chassis", R"({"Members":[{"@odata.id":"/c/x"}]})");
  write_text(folder / "c/x", R"({"Id":"x","Power":{"@odata.id":"/c/Power"}})");
  write_text(folder / "c/Power", R"({"PowerControl":[{"PowerConsumedWatts":344}]})");
  const std::uint16_t port = free_port();
  const std::string accept = "127.0.0.1:" + std::to_string(port);
  const pid_t server = ::fork();
  if (server == 0) {
    if (::chdir(folder.path().c_str()) != 0) ::_exit(1);
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) ::dup2(nowhere, fd);
    ::execlp("openssl", "openssl", "s_server", "-accept", accept.c_str(), "-cert",
             certificate.c_str(), "-key", key.c_str(), "-WWW", "-quiet", nullptr);
    ::_exit(1);
  }
  ASSERT_TRUE(eventually([&] { return answers(port); }));

  SourceOptions options;
  options.redfish = "https://localhost:" + std::to_string(port);
  std::vector<Note> notes;
  ::unsetenv("SSL_CERT_FILE");
  EXPECT_EQ(open_redfish(options, notes), nullptr);
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_THAT(notes[0].why, HasSubstr("certificate"));

  ::setenv("SSL_CERT_FILE", certificate.c_str(), 1);
  const auto source = open_redfish(options, notes);
  EXPECT_NE(source, nullptr) << notes.back().why;
  // A name that the certificate does not hold.
  options.redfish = "https://127.0.0.1:" + std::to_string(port);
  EXPECT_EQ(open_redfish(options, notes), nullptr);
  ::unsetenv("SSL_CERT_FILE");
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
}

}  // namespace
}  // namespace carnot::meter
