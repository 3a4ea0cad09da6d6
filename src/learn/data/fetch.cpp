// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/data/fetch.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#ifdef CARNOT_HAVE_CURL
#include <curl/curl.h>
#endif
#ifdef CARNOT_HAVE_OPENSSL
#include <openssl/evp.h>
#endif

#include "carnot/base/error.hpp"
#include "carnot/base/input/input_file.hpp"

namespace carnot::learn {

namespace fs = std::filesystem;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void check_mirror(const std::string& mirror, const Place& place) {
  for (const char* scheme : {"http://", "https://", "file://"})
    if (mirror.starts_with(scheme) && mirror.size() > std::string_view(scheme).size()) return;
  throw InputError(describe(
      place, "mirror",
      fmt::format("a prefix beginning with http://, https:// or file://, found `{}`", mirror)));
}

/// An open `.part` file. Errors of the system are kept for the caller: libcurl's callbacks are C.
class PartFile {
 public:
  PartFile(std::string path, std::uint64_t keep)
      : path_(std::move(path)), fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) {
    if (fd_ < 0) throw IoError(path_, "open", errno);
    if (::ftruncate(fd_, static_cast<off_t>(keep)) != 0 || ::lseek(fd_, 0, SEEK_END) < 0) {
      const int error = errno;
      ::close(fd_);
      throw IoError(path_, "truncate", error);
    }
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile() { ::close(fd_); }

  bool write(const char* data, std::size_t size) noexcept {
    while (size > 0) {
      const ssize_t n = ::write(fd_, data, size);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        error_ = n < 0 ? errno : ENOSPC;
        return false;
      }
      data += n;
      size -= static_cast<std::size_t>(n);
      written_ += static_cast<std::uint64_t>(n);
    }
    return true;
  }
  void sync() {
    if (::fsync(fd_) != 0) throw IoError(path_, "fsync", errno);
  }
  void check() const {
    if (error_ != 0) throw IoError(path_, "write (what came so far is kept)", error_);
  }
  std::uint64_t written() const noexcept { return written_; }

 private:
  std::string path_;
  int fd_;
  int error_ = 0;
  std::uint64_t written_ = 0;
};

enum class Outcome { Done, Failed, RangeRefused, Stopped };

struct Attempt {
  Outcome outcome = Outcome::Failed;
  std::string reason;
};

#ifdef CARNOT_HAVE_CURL

struct Transfer {
  PartFile* part;
  const std::function<bool(const FetchProgress&)>* progress;
  FetchProgress state;
  std::uint64_t base;
};

std::size_t on_bytes(char* data, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  return transfer->part->write(data, size * count) ? size * count : 0;
}

int on_progress(void* user, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
  auto* transfer = static_cast<Transfer*>(user);
  transfer->state.bytes = transfer->base + static_cast<std::uint64_t>(now);
  transfer->state.total = total > 0 ? transfer->base + static_cast<std::uint64_t>(total) : 0;
  try {
    return (*transfer->progress)(transfer->state) ? 0 : 1;
  } catch (...) {
    return 1;  // no exception may cross C; the transfer stops as if asked to
  }
}

void start_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw IoError(std::string("libcurl: ") + curl_easy_strerror(started));
}

/// One transfer from `url` to `part`, going on at byte `from`.
Attempt transfer_once(const std::string& url, const std::string& part_path, std::uint64_t from,
                      const FetchOptions& options, const FetchProgress& state) {
  start_curl();
  PartFile part(part_path, from);
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) throw IoError("libcurl: out of memory");
  Transfer transfer{&part, &options.progress, state, from};
  char words[CURL_ERROR_SIZE] = "";
  const auto timeout = static_cast<long>(std::clamp(options.timeout_s, 1.0, 86400.0));
  CURL* handle = curl.get();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https,file");
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(handle, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, timeout);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, timeout);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "carnot");
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, words);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &on_bytes);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
  if (from > 0) curl_easy_setopt(handle, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(from));
  if (options.progress) {
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &on_progress);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &transfer);
  }
  const CURLcode code = curl_easy_perform(handle);
  part.check();
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK) {
    part.sync();
    return {Outcome::Done, ""};
  }
  const std::string reason = words[0] != '\0' ? words : curl_easy_strerror(code);
  if (code == CURLE_ABORTED_BY_CALLBACK) return {Outcome::Stopped, reason};
  if (from > 0 && (code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME ||
                   code == CURLE_FILE_COULDNT_READ_FILE || status == 416))
    return {Outcome::RangeRefused, reason};
  return {Outcome::Failed, reason};
}

#else

Attempt transfer_once(const std::string& url, const std::string&, std::uint64_t,
                      const FetchOptions&, const FetchProgress&) {
  throw DeviceError(url + ": this build cannot fetch: it was made without libcurl");
}

#endif

/// Empty if the file's content is right, else what is wrong.
std::string wrong_content(const std::string& path, const RemoteFile& file) {
  std::string content;
  try {
    content = read_input(path, static_cast<std::size_t>(file.content_bytes) + 1024);
  } catch (const Error& error) {
    return error.what();
  }
  if (content.size() != file.content_bytes)
    return fmt::format("{} bytes of content, {} are right", content.size(), file.content_bytes);
  const std::string digest = sha256_hex(content.data(), content.size());
  if (digest != file.content_sha256)
    return fmt::format("SHA-256 of the content is {}, {} is right", digest, file.content_sha256);
  return "";
}

std::uint64_t size_of(const std::string& path) noexcept {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : static_cast<std::uint64_t>(size);
}

std::vector<std::string> mirrors_in_order(const RemoteSet& set, const FetchOptions& options) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& mirror, const Place& place) {
    check_mirror(mirror, place);
    out.push_back(mirror.ends_with('/') ? mirror : mirror + "/");
  };
  for (const std::string& mirror : options.mirrors) add(mirror, {});
  std::string listed = environment("CARNOT_MIRRORS");
  std::replace(listed.begin(), listed.end(), ',', ' ');
  std::istringstream words(listed);
  for (std::string mirror; words >> mirror;) add(mirror, {"CARNOT_MIRRORS", 0});
  if (!options.mirrors_file.empty())
    for (const std::string& mirror :
         parse_mirrors(read_input(options.mirrors_file), options.mirrors_file, set.name))
      add(mirror, {options.mirrors_file, 0});
  for (const std::string& mirror : set.mirrors) add(mirror, {});
  return out;
}

/// Gets one file, mirror after mirror.
class FileFetcher {
 public:
  FileFetcher(const RemoteFile& file, const FetchOptions& options, const fs::path& folder,
              FetchResult& result)
      : file_(file), options_(options), path_((folder / file.name).string()), result_(result) {}

  void fetch(const std::vector<std::string>& mirrors) {
    if (file_exists(path_)) {
      const std::string wrong = wrong_content(path_, file_);
      if (wrong.empty()) {
        result_.files.push_back({path_, "", size_of(path_), 0});
        return;
      }
      note(path_, wrong);
    }
    if (options_.offline)
      throw IoError(
          fmt::format("{}: open: not there, or not right, and fetching is off; go online, "
                      "or copy the file there by hand{}",
                      path_, reasons()));
    for (const std::string& mirror : mirrors)
      if (from_mirror(mirror) || result_.stopped) return;
    throw IoError(
        fmt::format("{}: fetch: not to be had from any of {} mirrors; name another one "
                    "with --mirror or CARNOT_MIRRORS{}",
                    path_, mirrors.size(), reasons()));
  }

 private:
  bool from_mirror(const std::string& mirror) {
    const std::string url = mirror + file_.name;
    // Mirrors pack differently, so a part belongs to the mirror it came from.
    const std::string part =
        fmt::format("{}.{}.part", path_, sha256_hex(mirror.data(), mirror.size()).substr(0, 8));
    std::uint64_t from = size_of(part);
    for (int round = 0; round < 2; ++round) {
      Attempt attempt = transfer_once(url, part, from, options_, {file_.name, mirror, from, 0});
      if (attempt.outcome == Outcome::Stopped) {
        result_.stopped = true;
        return false;
      }
      if (attempt.outcome == Outcome::RangeRefused) {
        // Either nothing is missing (an earlier run died between the last byte and the rename) or
        // the server cannot go on in the middle.
        if (wrong_content(part, file_).empty()) return finish(part, mirror, from);
        note(url, "no ranges: from the start again");
        from = 0;
        continue;
      }
      if (attempt.outcome == Outcome::Failed) {
        note(url, attempt.reason);
        if (size_of(part) == 0) std::remove(part.c_str());
        return false;
      }
      const std::string wrong = wrong_content(part, file_);
      if (wrong.empty()) return finish(part, mirror, from);
      note(url, wrong);
      std::remove(part.c_str());
      if (from == 0) return false;
      from = 0;  // the kept part may have been the wrong half: once more, whole
    }
    return false;
  }

  bool finish(const std::string& part, const std::string& mirror, std::uint64_t from) {
    if (std::rename(part.c_str(), path_.c_str()) != 0) throw IoError(path_, "rename", errno);
    result_.files.push_back({path_, mirror, size_of(path_), from});
    return true;
  }

  void note(const std::string& where, const std::string& what) {
    reasons_.push_back(fmt::format("{}: {}", where, what));
    result_.notes.push_back(reasons_.back());
  }
  std::string reasons() const {
    return reasons_.empty() ? "" : fmt::format("\n  {}", fmt::join(reasons_, "\n  "));
  }

  const RemoteFile& file_;
  const FetchOptions& options_;
  std::string path_;
  FetchResult& result_;
  std::vector<std::string> reasons_;
};

}  // namespace

#ifdef CARNOT_HAVE_OPENSSL
std::string sha256_hex(const void* data, std::size_t size) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (EVP_Digest(data, size, digest, &length, EVP_sha256(), nullptr) != 1)
    throw IoError("SHA-256: the cryptographic library refused");
  std::string out;
  for (unsigned i = 0; i < length; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}
#else
std::string sha256_hex(const void*, std::size_t) {
  throw DeviceError("SHA-256: this build was made without OpenSSL");
}
#endif

const std::vector<RemoteSet>& remote_sets() {
  static const std::vector<RemoteSet> sets{
      {"mnist",
       "Y. LeCun, C. Cortes, C. Burges; commonly stated as CC BY-SA 3.0",
       {"https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/"},
       {{"train-images-idx3-ubyte.gz",
         "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", 47040016, 9912422},
        {"train-labels-idx1-ubyte.gz",
         "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 60008, 28881},
        {"t10k-images-idx3-ubyte.gz",
         "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 7840016, 1648877},
        {"t10k-labels-idx1-ubyte.gz",
         "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 10008, 4542}}}};
  return sets;
}

const RemoteSet& find_remote_set(const std::string& name) {
  std::vector<std::string> known;
  for (const RemoteSet& set : remote_sets()) {
    if (set.name == name) return set;
    known.push_back(set.name);
  }
  throw InputError(
      describe({}, "set", fmt::format("one of {}, found `{}`", fmt::join(known, ", "), name)));
}

std::string default_data_directory() {
  if (std::string own = environment("CARNOT_DATA"); !own.empty()) return own;
  if (const std::string shared = environment("XDG_DATA_HOME"); !shared.empty())
    return (fs::path(shared) / "carnot").string();
  const std::string home = environment("HOME");
  return (fs::path(home.empty() ? "." : home) / ".local" / "share" / "carnot").string();
}

std::vector<std::string> parse_mirrors(const std::string& text, const std::string& file,
                                       const std::string& set) {
  std::vector<std::string> out;
  std::istringstream lines(text);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line.substr(0, line.find('#')));
    std::vector<std::string> parts;
    for (std::string word; words >> word;) parts.push_back(word);
    if (parts.empty()) continue;
    if (parts.size() > 2)
      throw InputError(describe({file, number}, "mirror", "PREFIX or SET PREFIX on a line"));
    check_mirror(parts.back(), {file, number});
    if (parts.size() == 1 || parts.front() == set) out.push_back(parts.back());
  }
  return out;
}

FetchResult fetch(const RemoteSet& set, const FetchOptions& options) {
  const std::vector<std::string> mirrors = mirrors_in_order(set, options);
  FetchResult result;
  const fs::path folder =
      fs::path(options.directory.empty() ? default_data_directory() : options.directory) / set.name;
  result.directory = folder.string();
  if (!options.offline) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw IoError(result.directory, "create folder", error.value());
  }
  for (const RemoteFile& file : set.files) {
    FileFetcher(file, options, folder, result).fetch(mirrors);
    if (result.stopped) break;
  }
  return result;
}

}  // namespace carnot::learn
