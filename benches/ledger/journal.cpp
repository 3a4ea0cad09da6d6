// SPDX-License-Identifier: Apache-2.0
// How fast a journal of slots is appended and read, against plain write(2) and read(2) of the same
// bytes in the same process. Appending: one write per record on both sides, without sync, so that
// the difference is encoding, checksum and the check that the file is still ours. Reading: the
// rival reads the file into memory and does nothing with it.
//
//   ledger_journal [SLOTS = 1000000] [FOLDER = the temporary folder]
//
// Prints a JSON object a line: seconds and megabytes per second of both and the ratio of the times;
// best of five rounds (one for SQLite).

#include "carnot/ledger/journal/journal.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnot/base/random.hpp"
#include "carnot/ledger/store/store.hpp"

namespace {

using carnot::joule;

constexpr int kRounds = 5;

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<carnot::ledger::Entry> make_slots(std::size_t count) {
  const carnot::RandomStream random(1, "bench");
  std::vector<carnot::ledger::Entry> entries;
  entries.reserve(count + 1);
  entries.emplace_back(carnot::ledger::LaneBegin{"bench"});
  for (std::size_t i = 0; i < count; ++i) {
    carnot::ledger::SlotEntry s;
    s.start = carnot::Instant::from_unix_seconds(300 * static_cast<std::int64_t>(i));
    s.length = carnot::Duration::seconds(300);
    s.own_used = random.uniform(2 * i) * 1e9 * joule;
    s.total = s.own_used;
    s.grid = random.uniform(2 * i + 1) * 1e9 * joule;
    s.facility = s.own_used + s.grid;
    s.mode = i % 2 == 0 ? "int8/300 W" : "bf16/full";
    s.steps = i;
    entries.emplace_back(std::move(s));
  }
  return entries;
}

/// The plain rival: the same bytes, the same number of writes.
void write_plainly(const std::string& path, const std::vector<std::uint8_t>& bytes,
                   const std::vector<std::uint64_t>& offsets) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  require(fd >= 0, "open");
  std::uint64_t from = 0;
  for (std::size_t i = 0; i <= offsets.size(); ++i) {
    const std::uint64_t to = i < offsets.size() ? offsets[i] : bytes.size();
    require(::write(fd, bytes.data() + from, to - from) == static_cast<ssize_t>(to - from),
            "write");
    from = to;
  }
  ::close(fd);
}

std::vector<std::uint8_t> read_plainly(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require(fd >= 0, "open");
  std::vector<std::uint8_t> bytes(std::filesystem::file_size(path));
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::read(fd, bytes.data() + filled, bytes.size() - filled);
    require(got > 0, "read");
    filled += static_cast<std::size_t>(got);
  }
  ::close(fd);
  return bytes;
}

void report(const char* task, double bytes, double ours, double plain) {
  std::printf(
      "{\"task\": \"%s\", \"carnot_s\": %.4f, \"plain_s\": %.4f, \"carnot_mb_per_s\": %.0f, "
      "\"plain_mb_per_s\": %.0f, \"ratio\": %.3f}\n",
      task, ours, plain, bytes / ours * 1e-6, bytes / plain * 1e-6, ours / plain);
}

void bench(std::size_t count, const std::filesystem::path& folder) {
  const auto entries = make_slots(count);
  const std::string path = folder / "carnot-bench.journal", rival = folder / "carnot-bench.plain";
  double append = 1e9, write = 1e9, read = 1e9, plain_read = 1e9, load = 1e9, sum = 1e9;
  double size = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::filesystem::remove(path);
    append = std::min(append, seconds([&] {
                        auto writer = carnot::ledger::JournalWriter::create(path);
                        for (const auto& entry : entries) writer.append(entry);
                      }));
    carnot::ledger::JournalContents contents;
    read = std::min(read, seconds([&] { contents = carnot::ledger::read_journal(path); }));
    require(contents.entries.size() == entries.size() && contents.message.empty(), "all is there");
    std::vector<std::uint8_t> bytes;
    plain_read = std::min(plain_read, seconds([&] { bytes = read_plainly(path); }));
    std::filesystem::remove(rival);
    write = std::min(write, seconds([&] { write_plainly(rival, bytes, contents.offsets); }));
    size = static_cast<double>(bytes.size());
    sum = std::min(sum, seconds([&] { carnot::ledger::totals(contents.entries); }));
    if (round == 0) {
      contents.entries.insert(contents.entries.begin(), carnot::ledger::RunBegin{});
      carnot::ledger::LedgerStore store(":memory:");
      load = seconds([&] { store.load("bench", contents.entries); });
    }
  }
  std::filesystem::remove(path);
  std::filesystem::remove(rival);
  std::printf("{\"task\": \"size\", \"slots\": %zu, \"bytes\": %.0f}\n", count, size);
  report("append", size, append, write);
  report("read", size, read, plain_read);
  std::printf("{\"task\": \"totals\", \"carnot_s\": %.4f}\n", sum);
  std::printf("{\"task\": \"load into SQLite in memory\", \"carnot_s\": %.4f}\n", load);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    bench(count, argc > 2 ? argv[2] : std::filesystem::temp_directory_path());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
