// SPDX-License-Identifier: Apache-2.0
#include "model/workload/mapped_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

namespace carnot::model {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw InputFileError(path.native(), "open", errno);
  struct stat status {};
  int problem = ::fstat(file, &status) != 0 ? errno : 0;
  if (problem == 0 && !S_ISREG(status.st_mode)) problem = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
  if (problem == 0 && status.st_size > 0) {
    size_ = static_cast<std::size_t>(status.st_size);
    void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    if (mapped == MAP_FAILED) {
      problem = errno;
    } else {
      data_ = static_cast<const char*>(mapped);
      // Headers lie megabytes apart: reading ahead would read the weights.
      ::madvise(mapped, size_, MADV_RANDOM);
    }
  }
  ::close(file);
  if (problem != 0) throw InputFileError(path.native(), "read", problem);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

}  // namespace carnot::model
