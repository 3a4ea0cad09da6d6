// SPDX-License-Identifier: Apache-2.0
// Recording what sources answer, and answering so again.
#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

#include "meter/recording/recording.hpp"

namespace carnot::meter {

namespace {

class RecordingFile {
 public:
  explicit RecordingFile(const std::string& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
    if (fd_ < 0) throw IoError(path, "open", errno);
  }
  RecordingFile(const RecordingFile&) = delete;
  RecordingFile& operator=(const RecordingFile&) = delete;
  ~RecordingFile() { ::close(fd_); }

  /// Whole lines. After a failure nothing is written, so that at most the last line is torn.
  void append(std::string_view lines) noexcept {
    while (!failed_ && !lines.empty()) {
      const ssize_t n = ::write(fd_, lines.data(), lines.size());
      if (n > 0) {
        lines.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno != EINTR) {
        failed_ = true;
      }
    }
  }

 private:
  int fd_;
  bool failed_ = false;
};

class RecordingSource final : public Source {
 public:
  RecordingSource(std::unique_ptr<Source> source, std::size_t index,
                  std::shared_ptr<RecordingFile> file)
      : source_(std::move(source)), index_(index), file_(std::move(file)) {
    constexpr std::size_t kLongestReading = 200;  // eight fields of at most 25 characters
    line_.reserve(64 + kLongestReading * source_->domains().size());
    file_->append(describe_source(index_, *source_));
  }

  std::string_view name() const noexcept override { return source_->name(); }
  const std::vector<Domain>& domains() const noexcept override { return source_->domains(); }
  Duration shortest_interval() const noexcept override { return source_->shortest_interval(); }

  void poll(std::span<Reading> readings) noexcept override {
    source_->poll(readings);
    line_.clear();
    append_poll(index_, readings, line_);
    file_->append(line_);
  }

  void device_use(std::vector<DeviceUse>& uses) noexcept override {
    const std::size_t before = uses.size();
    source_->device_use(uses);
    for (std::size_t i = before; i < uses.size(); ++i) {
      line_.clear();
      append_use(index_, uses[i], line_);
      file_->append(line_);
    }
  }

 private:
  std::unique_ptr<Source> source_;
  std::size_t index_;
  std::shared_ptr<RecordingFile> file_;
  std::string line_;
};

class ReplaySource final : public Source {
 public:
  explicit ReplaySource(RecordedSource recorded) : recorded_(std::move(recorded)) {}

  std::string_view name() const noexcept override { return recorded_.name; }
  const std::vector<Domain>& domains() const noexcept override { return recorded_.domains; }
  Duration shortest_interval() const noexcept override { return recorded_.shortest_interval; }

  void poll(std::span<Reading> readings) noexcept override {
    const std::size_t size = recorded_.domains.size();
    const std::size_t from = polls_ * size;
    if (from >= recorded_.readings.size()) {
      for (Reading& r : readings) {
        r = {};
        r.status = PollStatus::Ended;
      }
      return;
    }
    std::copy_n(recorded_.readings.begin() + static_cast<std::ptrdiff_t>(from), size,
                readings.begin());
    ++polls_;
  }

  void device_use(std::vector<DeviceUse>& uses) noexcept override {
    for (; next_use_ < recorded_.uses.size() && recorded_.uses[next_use_].after <= polls_;
         ++next_use_)
      uses.push_back(recorded_.uses[next_use_].use);
  }

 private:
  RecordedSource recorded_;
  std::size_t polls_ = 0, next_use_ = 0;
};

}  // namespace

std::vector<std::unique_ptr<Source>> recorded(std::vector<std::unique_ptr<Source>> sources,
                                              const std::string& path) {
  const auto file = std::make_shared<RecordingFile>(path);
  file->append(kRecordingHeader);
  for (std::size_t i = 0; i < sources.size(); ++i)
    sources[i] = std::make_unique<RecordingSource>(std::move(sources[i]), i, file);
  return sources;
}

std::vector<std::unique_ptr<Source>> open_replay(const SourceOptions& options) {
  std::vector<std::unique_ptr<Source>> sources;
  for (RecordedSource& source :
       parse_recording(read_file(options.replay_from), options.replay_from))
    sources.push_back(std::make_unique<ReplaySource>(std::move(source)));
  return sources;
}

}  // namespace carnot::meter
