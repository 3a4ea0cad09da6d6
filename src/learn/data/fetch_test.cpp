// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/data/fetch.hpp"

#include <atomic>
#include <csignal>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/input_file.hpp"

#include "base/testing_files.hpp"
#include "learn/data/testing_files.hpp"

namespace carnot::learn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_files::Folder;
using testing_files::gzip;

/// What the server below does with a request.
struct Reply {
  std::string body;
  int status = 200;
  bool ranges = true;
  std::size_t cut_after = std::string::npos;  ///< of the body bytes sent in this reply
};

/// A web server on 127.0.0.1 that answers one request at a time, as told by a function.
class Server {
 public:
  using Handler = std::function<Reply(const std::string& path, int nth)>;
  explicit Server(Handler handler) : handler_(std::move(handler)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no local socket");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    stopping_ = true;
    ::shutdown(socket_, SHUT_RDWR);
    ::close(socket_);
    thread_.join();
  }
  std::string url(const std::string& folder) const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/" + folder;
  }
  std::vector<std::string> requests() const {
    const std::lock_guard<std::mutex> guard(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!stopping_) {
      const int client = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      answer(client);
      ::shutdown(client, SHUT_RDWR);
      ::close(client);
    }
  }

  void answer(int client) {
    std::string request;
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t n = ::recv(client, buffer, sizeof buffer, 0);
      if (n <= 0) return;
      request.append(buffer, static_cast<std::size_t>(n));
    }
    const std::size_t begin = request.find(' ') + 1;
    const std::string path = request.substr(begin, request.find(' ', begin) - begin);
    std::size_t from = 0;
    const std::size_t range = request.find("Range: bytes=");
    if (range != std::string::npos) from = std::stoul(request.substr(range + 13));
    int nth = 0;
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      requests_.push_back(path + (from > 0 ? "@" + std::to_string(from) : ""));
      nth = ++seen_[path];
    }
    Reply reply = handler_(path, nth);
    std::string head;
    std::string body = reply.body;
    if (reply.status != 200) {
      head = "HTTP/1.1 " + std::to_string(reply.status) + " No\r\n";
      body = "a page that is no data";
    } else if (from > 0 && reply.ranges && from >= body.size()) {
      head = "HTTP/1.1 416 Range Not Satisfiable\r\n";
      body.clear();
    } else if (from > 0 && reply.ranges) {
      head = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(from) + "-" +
             std::to_string(body.size() - 1) + "/" + std::to_string(body.size()) + "\r\n";
      body = body.substr(from);
    } else {
      head = "HTTP/1.1 200 OK\r\n";
    }
    head += "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n";
    const std::string all = head + body.substr(0, std::min(body.size(), reply.cut_after));
    for (std::size_t sent = 0; sent < all.size();) {
      const ssize_t n = ::send(client, all.data() + sent, all.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<std::size_t>(n);
    }
  }

  Handler handler_;
  int socket_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::map<std::string, int> seen_;
  std::thread thread_;
};

/// Bytes that hardly compress, so that parts of them mean something.
std::string noise(std::size_t size) {
  std::string out;
  std::uint64_t x = 88172645463325252u;
  while (out.size() < size) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    out += static_cast<char>(x);
  }
  return out;
}

class Fetch : public ::testing::Test {
 protected:
  Fetch() {
    ::unsetenv("CARNOT_MIRRORS");
    set_.name = "toy";
    set_.files = {{"a.gz", sha256_hex(content_.data(), content_.size()), content_.size(), 0}};
    options_.directory = folder_.path();
    options_.timeout_s = 5.0;
  }
  std::string target() const { return folder_.path("toy/a.gz"); }
  std::string fetch_error() {
    try {
      fetch(set_, options_);
    } catch (const IoError& error) {
      return error.what();
    }
    return "";
  }
  std::vector<std::string> files_there() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path("toy")))
      out.push_back(entry.path().filename().string());
    return out;
  }

  Folder folder_;
  std::string content_ = noise(200000);
  std::string packed_ = gzip(content_);
  RemoteSet set_;
  FetchOptions options_;
};

TEST(Sha256, ReproducesThePublishedVector) {
  // FIPS 180-4 example: "abc".
  EXPECT_EQ(sha256_hex("abc", 3),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(Fetch, GetsAFileOnceAndReportsProgress) {
  const Server server([&](const std::string&, int) { return Reply{packed_}; });
  set_.mirrors = {server.url("m")};  // the missing slash is added
  std::uint64_t most = 0;
  options_.progress = [&](const FetchProgress& p) {
    most = std::max(most, p.bytes);
    return true;
  };
  const FetchResult first = fetch(set_, options_);
  EXPECT_EQ(read_input(target()), content_);
  EXPECT_EQ(most, packed_.size());
  EXPECT_EQ(first.files[0].mirror, server.url("m/"));
  EXPECT_THAT(files_there(), ElementsAre("a.gz"));
  const FetchResult second = fetch(set_, options_);
  EXPECT_EQ(second.files[0].mirror, "");
  EXPECT_THAT(server.requests(), ElementsAre("/m/a.gz"));
  options_.offline = true;
  EXPECT_EQ(fetch(set_, options_).files.size(), 1u) << "offline is fine with what is there";
}

TEST_F(Fetch, GoesOnWhereItWasCut) {
  const Server server([&](const std::string&, int nth) {
    Reply r{packed_};
    if (nth == 1) r.cut_after = 70000;
    return r;
  });
  set_.mirrors = {server.url("m/")};
  EXPECT_THAT(fetch_error(), HasSubstr("not to be had from any of 1 mirrors"));
  const FetchResult result = fetch(set_, options_);
  EXPECT_EQ(read_input(target()), content_);
  EXPECT_EQ(result.files[0].resumed_from, 70000u);
  EXPECT_THAT(server.requests(), ElementsAre("/m/a.gz", "/m/a.gz@70000"));
  EXPECT_THAT(files_there(), ElementsAre("a.gz"));
}

TEST_F(Fetch, StartsAgainWhereRangesAreUnknown) {
  const Server server([&](const std::string&, int nth) {
    Reply r{packed_};
    r.ranges = false;
    if (nth == 1) r.cut_after = 70000;
    return r;
  });
  set_.mirrors = {server.url("m/")};
  EXPECT_NE(fetch_error(), "");
  const FetchResult result = fetch(set_, options_);
  EXPECT_EQ(read_input(target()), content_);
  EXPECT_EQ(result.files[0].resumed_from, 0u);
}

TEST_F(Fetch, FinishesAPartThatWasComplete) {
  const Server server([&](const std::string&, int) { return Reply{packed_}; });
  set_.mirrors = {server.url("m/")};
  fetch(set_, options_);
  // As if the last run had died between the last byte and the rename.
  const std::string mirror = server.url("m/");
  const std::string part =
      target() + "." + sha256_hex(mirror.data(), mirror.size()).substr(0, 8) + ".part";
  std::filesystem::rename(target(), part);
  fetch(set_, options_);
  EXPECT_EQ(read_input(target()), content_);
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST_F(Fetch, APartOfOtherBytesIsThrownAway) {
  const Server server([&](const std::string&, int nth) {
    Reply r{nth == 1 ? noise(packed_.size() + 999).substr(999) : packed_};
    if (nth == 1) r.cut_after = 70000;
    return r;
  });
  set_.mirrors = {server.url("m/")};
  EXPECT_NE(fetch_error(), "");
  fetch(set_, options_);
  EXPECT_EQ(read_input(target()), content_);
  EXPECT_EQ(server.requests().size(), 3u) << "cut, resumed and wrong, whole";
}

TEST_F(Fetch, WrongContentIsDeletedAndTheNextMirrorTried) {
  std::string other = content_;
  other[5] ^= 1;
  const Server server([&](const std::string& path, int) {
    if (path.starts_with("/none")) return Reply{"", 404};
    if (path.starts_with("/bad")) return Reply{gzip(other)};
    if (path.starts_with("/page")) return Reply{"<html>please log in</html>"};
    return Reply{packed_};
  });
  set_.mirrors = {server.url("none/"), server.url("bad/"), server.url("page/"), server.url("ok/")};
  const FetchResult result = fetch(set_, options_);
  EXPECT_EQ(result.files[0].mirror, server.url("ok/"));
  ASSERT_EQ(result.notes.size(), 3u);
  EXPECT_THAT(result.notes[0], HasSubstr("404"));
  EXPECT_THAT(result.notes[1], HasSubstr("SHA-256 of the content is"));
  EXPECT_THAT(result.notes[2], HasSubstr("bytes of content"));
  EXPECT_THAT(files_there(), ElementsAre("a.gz"));
}

TEST_F(Fetch, AnyPackingOfTheRightContentWillDo) {
  const Server server([&](const std::string&, int) { return Reply{content_}; });
  set_.mirrors = {server.url("plain/")};
  fetch(set_, options_);
  EXPECT_EQ(read_input(target()), content_);
}

TEST_F(Fetch, ReplacesAFileThatIsWrong) {
  const Server server([&](const std::string&, int) { return Reply{packed_}; });
  set_.mirrors = {server.url("m/")};
  std::filesystem::create_directories(folder_.path("toy"));
  folder_.write("toy/a.gz", packed_.substr(0, 100));
  const FetchResult result = fetch(set_, options_);
  EXPECT_THAT(result.notes[0], HasSubstr("truncated"));
  EXPECT_EQ(read_input(target()), content_);
}

TEST_F(Fetch, OfflineSaysWhatIsMissing) {
  options_.offline = true;
  const std::string text = fetch_error();
  EXPECT_THAT(text, HasSubstr("toy/a.gz"));
  EXPECT_THAT(text, HasSubstr("fetching is off"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path("toy")));
}

TEST_F(Fetch, NobodyThereIsSaidForEachMirror) {
  set_.mirrors = {"http://127.0.0.1:1/", "file:///nonexistent-folder/"};
  const std::string text = fetch_error();
  EXPECT_THAT(text, HasSubstr("any of 2 mirrors"));
  EXPECT_THAT(text, HasSubstr("http://127.0.0.1:1/a.gz: "));
  EXPECT_THAT(text, HasSubstr("file:///nonexistent-folder/a.gz: "));
}

TEST_F(Fetch, StopsWhenAskedAndKeepsThePart) {
  const Server server([&](const std::string&, int) { return Reply{packed_}; });
  set_.mirrors = {server.url("m/")};
  options_.progress = [](const FetchProgress& p) { return p.bytes == 0; };
  EXPECT_TRUE(fetch(set_, options_).stopped);
  EXPECT_FALSE(file_exists(target()));
  options_.progress = nullptr;
  EXPECT_FALSE(fetch(set_, options_).stopped);
  EXPECT_EQ(read_input(target()), content_);
}

TEST_F(Fetch, AFullDiskIsAnErrorOfThePlaceNotOfTheMirror) {
  const Server server([&](const std::string&, int) { return Reply{packed_}; });
  set_.mirrors = {server.url("one/"), server.url("two/")};
  // A limit on file size stands in for the full disk.
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 50000;
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string text = fetch_error();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(text, HasSubstr(".part: write (what came so far is kept)"));
  EXPECT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(fetch(set_, options_).files[0].resumed_from, 50000u);
  EXPECT_EQ(read_input(target()), content_);
}

TEST_F(Fetch, MirrorsComeFromOptionsEnvironmentAndFileInThisOrder) {
  const Server server([&](const std::string& path, int) {
    return path.starts_with("/manifest") ? Reply{packed_} : Reply{"", 404};
  });
  options_.mirrors = {server.url("option")};
  ::setenv("CARNOT_MIRRORS", (server.url("env1") + ", " + server.url("env2")).c_str(), 1);
  options_.mirrors_file =
      folder_.write("mirrors.txt", "# ours\n" + server.url("file") + "\nother " + server.url("no") +
                                       "\ntoy " + server.url("named") + " # by set\n");
  set_.mirrors = {server.url("manifest")};
  fetch(set_, options_);
  ::unsetenv("CARNOT_MIRRORS");
  EXPECT_THAT(server.requests(), ElementsAre("/option/a.gz", "/env1/a.gz", "/env2/a.gz",
                                             "/file/a.gz", "/named/a.gz", "/manifest/a.gz"));
}

TEST(Mirrors, AreChecked) {
  const auto refused = [](const std::string& text) -> std::string {
    try {
      parse_mirrors(text, "m.txt", "mnist");
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refused("\nftp://x/\n"), HasSubstr("m.txt:2: mirror: a prefix beginning with http"));
  EXPECT_THAT(refused("a b http://x/\n"), HasSubstr("m.txt:1: mirror: PREFIX or SET PREFIX"));
  EXPECT_THAT(refused("http://\n"), HasSubstr("mirror"));
  try {
    find_remote_set("mnits");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("one of mnist"));
  }
}

TEST(Manifest, HoldsTheDigestsOfTheRealFiles) {
  CARNOT_NEED_SHARED_DATA(mnist, "mnist");
  FetchOptions options;
  options.directory = shared_data("");
  options.offline = true;  // verifies every file by its unpacked content
  EXPECT_EQ(fetch(find_remote_set("mnist"), options).files.size(), 4u);
}

}  // namespace
}  // namespace carnot::learn
