// SPDX-License-Identifier: Apache-2.0
// A fuzzer's main for compilers without libFuzzer: runs each file of a corpus folder, then
// deterministic mutations of them, and leaves the input that broke the target in the working
// directory. The same corpus gives the same inputs everywhere.
//
//   NAME_fuzz CORPUS_FOLDER [MUTATIONS]     NAME_fuzz FILE...
//
// MUTATIONS defaults to 3000; fewer run where inputs are large (32 MB in all), so that the fast
// tier stays fast.

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "carnot/base/random.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;
namespace fs = std::filesystem;

constexpr std::size_t kLargestMutant = 1 << 16;
constexpr std::size_t kByteBudget = std::size_t{32} << 20;
constexpr const char* kKept = "broken-input";

// What runs now: a signal handler has no other way to know.
Bytes current_input;
std::string current_name;

void keep_input() {
  if (std::FILE* file = std::fopen(kKept, "wb")) {
    std::fwrite(current_input.data(), 1, current_input.size(), file);
    std::fclose(file);
  }
  std::fprintf(stderr, "FAILED on %s (%zu bytes), kept as %s/%s\n", current_name.c_str(),
               current_input.size(), fs::current_path().c_str(), kKept);
}

// The process is about to end anyway, so functions that are not signal-safe are worth the risk.
extern "C" void on_signal(int number) {
  std::signal(number, SIG_DFL);
  keep_input();
  std::raise(number);
}

void run(const Bytes& input, const std::string& name) {
  current_input = input;
  current_name = name;
  try {
    // A copy of exactly its size lets the address sanitizer see one byte too far.
    const Bytes exact(input.begin(), input.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "escaped: %s\n", problem.what());
    keep_input();
    std::exit(1);
  } catch (...) {
    std::fprintf(stderr, "escaped: something that is no std::exception\n");
    keep_input();
    std::exit(1);
  }
}

// Random words of one mutation, addressed by (mutation, position): no state to get out of step.
class Words {
 public:
  explicit Words(std::uint32_t mutation) : mutation_(mutation) {}
  std::uint32_t operator()() {
    if (at_ == 4) {
      block_ = carnot::philox4x32({mutation_, counter_++, 0, 0}, {0xCA2707u, 1});
      at_ = 0;
    }
    return block_[at_++];
  }
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : (*this)() % bound; }

 private:
  std::uint32_t mutation_;
  std::uint32_t counter_ = 0;
  std::array<std::uint32_t, 4> block_{};
  std::size_t at_ = 4;
};

// Pieces that readers of text and numbers tend to trip over.
const std::vector<std::string>& pieces() {
  static const std::vector<std::string> all = {"-",
                                               "1e999",
                                               "nan",
                                               "inf",
                                               "0x10",
                                               "18446744073709551616",
                                               "-1",
                                               "\"",
                                               "\n",
                                               "\r\n",
                                               ",",
                                               ",,",
                                               "{",
                                               "}",
                                               "[[",
                                               "]",
                                               "=",
                                               "#",
                                               "\xEF\xBB\xBF",
                                               "\xC3\x28",
                                               "\\u",
                                               "1e-400",
                                               ".",
                                               "\t",
                                               "null",
                                               "99999999",
                                               "1 EUR/MWh",
                                               "2024-02-30",
                                               ":",
                                               "'",
                                               "/",
                                               "\\"};
  return all;
}

void mutate_once(Bytes& input, const std::vector<Bytes>& corpus, Words& words) {
  const auto at = [&](std::size_t index) {
    return input.begin() + static_cast<std::ptrdiff_t>(index);
  };
  const std::size_t where = words.below(input.size() + 1);
  switch (words.below(9)) {
    case 0:  // flip a bit
      if (where < input.size()) input[where] ^= static_cast<std::uint8_t>(1u << words.below(8));
      break;
    case 1:  // any byte
      if (where < input.size()) input[where] = static_cast<std::uint8_t>(words());
      break;
    case 2: {  // cut a stretch
      const std::size_t to = std::min(input.size(), where + 1 + words.below(32));
      if (where < to) input.erase(at(where), at(to));
      break;
    }
    case 3:  // cut the tail
      input.resize(where);
      break;
    case 4: {  // double a stretch
      const std::size_t to = std::min(input.size(), where + 1 + words.below(64));
      const Bytes copy(at(where), at(std::max(where, to)));
      input.insert(at(where), copy.begin(), copy.end());
      break;
    }
    case 5: {  // insert a piece
      const std::string& piece = pieces()[words.below(pieces().size())];
      input.insert(at(where), piece.begin(), piece.end());
      break;
    }
    case 6: {  // overwrite with a piece
      const std::string& piece = pieces()[words.below(pieces().size())];
      for (std::size_t i = 0; i < piece.size() && where + i < input.size(); ++i)
        input[where + i] = static_cast<std::uint8_t>(piece[i]);
      break;
    }
    case 7:  // a digit becomes another, so that numbers stay numbers
      for (std::size_t i = where; i < input.size(); ++i) {
        if (input[i] < '0' || input[i] > '9') continue;
        input[i] = static_cast<std::uint8_t>('0' + words.below(10));
        break;
      }
      break;
    default: {  // head of this, tail of another
      const Bytes& other = corpus[words.below(corpus.size())];
      const std::size_t from = words.below(other.size() + 1);
      input.resize(where);
      input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
      break;
    }
  }
  if (input.size() > kLargestMutant) input.resize(kLargestMutant);
}

Bytes read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
    std::exit(2);
  }
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

int replay_folder(const fs::path& folder, std::uint32_t mutations) {
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file()) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());  // the system's order is not the same everywhere
  if (paths.empty()) {
    std::fprintf(stderr, "%s: no inputs to start from\n", folder.c_str());
    return 2;
  }
  std::vector<Bytes> corpus;
  for (const fs::path& path : paths) {
    corpus.push_back(read_bytes(path));
    run(corpus.back(), path.string());
  }
  run({}, "the empty input");
  std::uint32_t done = 0;
  for (std::size_t bytes = 0; done < mutations && bytes < kByteBudget; ++done) {
    Words words(done);
    Bytes input = corpus[words.below(corpus.size())];
    for (std::size_t n = 1 + words.below(4); n > 0; --n) mutate_once(input, corpus, words);
    run(input, "mutation " + std::to_string(done));
    bytes += input.size();
  }
  std::printf("%zu files, %u mutations\n", corpus.size(), static_cast<unsigned>(done));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER [MUTATIONS] | FILE...\n", argv[0]);
    return 2;
  }
  for (const int number : {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS})
    std::signal(number, on_signal);
  if (fs::is_directory(argv[1])) {
    const unsigned long mutations = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 3000;
    return replay_folder(argv[1], static_cast<std::uint32_t>(mutations));
  }
  for (int i = 1; i < argc; ++i) run(read_bytes(argv[i]), argv[i]);
  std::printf("%d files\n", argc - 1);
  return 0;
}
