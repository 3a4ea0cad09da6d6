// SPDX-License-Identifier: Apache-2.0
#include "mpi_ranks.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <mpi.h>

#include "carnot/base/error.hpp"

namespace carnot::app {

namespace {

constexpr std::size_t kMostAtOnce = std::size_t{1} << 26;  // numbers or bytes; MPI counts in int

void check(int code, std::string_view what) {
  if (code == MPI_SUCCESS) return;
  std::string words(MPI_MAX_ERROR_STRING, '\0');
  int length = 0;
  MPI_Error_string(code, words.data(), &length);
  words.resize(static_cast<std::size_t>(std::max(length, 0)));
  throw DeviceError(fmt::format("MPI: {}: {}", what, words));
}

}  // namespace

MpiRanks::MpiRanks(int* argc, char*** argv) {
  int given = 0;
  check(MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &given), "MPI_Init_thread");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
}

MpiRanks::~MpiRanks() { MPI_Finalize(); }

void MpiRanks::sum(std::span<std::int64_t> numbers) {
  for (std::size_t at = 0; at < numbers.size(); at += kMostAtOnce) {
    const std::size_t n = std::min(kMostAtOnce, numbers.size() - at);
    check(MPI_Allreduce(MPI_IN_PLACE, &numbers[at], static_cast<int>(n), MPI_INT64_T, MPI_SUM,
                        MPI_COMM_WORLD),
          "MPI_Allreduce");
  }
}

std::vector<std::string> MpiRanks::gather(const std::string& text) {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(size_));
  lengths[static_cast<std::size_t>(rank_)] = static_cast<std::int64_t>(text.size());
  sum(lengths);
  constexpr int kTag = 1;
  const auto pieces = [](std::size_t length, const auto& each) {
    for (std::size_t at = 0; at < length; at += kMostAtOnce)
      each(at, static_cast<int>(std::min(kMostAtOnce, length - at)));
  };
  if (rank_ != 0) {
    pieces(text.size(), [&](std::size_t at, int n) {
      check(MPI_Send(&text[at], n, MPI_CHAR, 0, kTag, MPI_COMM_WORLD), "MPI_Send");
    });
    return {};
  }
  std::vector<std::string> out{text};
  for (int r = 1; r < size_; ++r) {
    std::string& from =
        out.emplace_back(static_cast<std::size_t>(lengths[static_cast<std::size_t>(r)]), '\0');
    pieces(from.size(), [&](std::size_t at, int n) {
      check(MPI_Recv(&from[at], n, MPI_CHAR, r, kTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE),
            "MPI_Recv");
    });
  }
  return out;
}

void MpiRanks::abort(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace carnot::app
