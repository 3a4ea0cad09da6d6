// SPDX-License-Identifier: Apache-2.0
// How long it takes to count an ONNX file, and how much memory.
//
//   explain_onnx_reading [FOLDER]
//
// Two tasks: a single file of 1.95 GB with its weights inside (written sparse: holes read as zeros,
// but take part in the address space and the page cache as any bytes), cold and warm; and graphs of
// 12,500 ... 200,000 nodes in memory. Prints one JSON object a line. Peak memory is of the process,
// so the file comes first.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "carnot/model/workload/onnx.hpp"

#include "model/workload/onnx_writing.hpp"

namespace {

using namespace carnot::onnx_writing;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// A chain of `layers` products of 4096 x 4096 in 32 bits, 64 MiB each, weights as holes.
std::uint64_t write_large(const std::string& path, int layers) {
  constexpr std::uint64_t kWeights = std::uint64_t{4096} * 4096 * 4;
  std::string head;
  Graph g;
  g.inputs = {info("x0", {16, 4096})};
  g.outputs = {output("x" + std::to_string(layers))};
  for (int i = 0; i < layers; ++i) {
    const std::string n = std::to_string(i), next = std::to_string(i + 1);
    g.nodes.push_back(node("MatMul", {"x" + n, "w" + n}, {"y" + n}));
    g.nodes.push_back(node("Gelu", {"y" + n}, {"x" + next}));
  }
  const std::string structure = graph(g);
  std::string fields;  // of a tensor before its bytes
  std::uint64_t size = structure.size();
  const auto tensor_head = [&](int i) {
    return number(1, 4096) + number(1, 4096) + number(2, kFloat) +
           bytes(8, "w" + std::to_string(i)) + varint(9 * 8 + 2) + varint(kWeights);
  };
  for (int i = 0; i < layers; ++i) {
    const std::uint64_t inner = tensor_head(i).size() + kWeights;
    size += varint(5 * 8 + 2).size() + varint(inner).size() + inner;
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << number(1, 8) << bytes(8, bytes(1, "") + number(2, 20)) << varint(7 * 8 + 2)
       << varint(size) << structure;
  for (int i = 0; i < layers; ++i) {
    const std::string first = tensor_head(i);
    file << varint(5 * 8 + 2) << varint(first.size() + kWeights) << first;
    file.seekp(static_cast<std::streamoff>(kWeights), std::ios::cur);
  }
  const auto end = static_cast<std::uint64_t>(file.tellp());
  file.close();
  std::filesystem::resize_file(path, end);
  return end;
}

// Out of the page cache, as far as the system allows.
void forget(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ::fsync(file);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
}

void time_file(const std::string& path, const char* how, std::uint64_t size) {
  const auto start = Clock::now();
  const carnot::model::Workload workload = carnot::model::read_onnx(path);
  const double seconds = seconds_since(start);
  std::printf(
      "{\"task\": \"file\", \"how\": \"%s\", \"bytes\": %llu, \"seconds\": %.6f, "
      "\"peak_megabytes\": %.1f, \"macs\": %llu, \"parameters\": %llu}\n",
      how, static_cast<unsigned long long>(size), seconds, peak_megabytes(),
      static_cast<unsigned long long>(carnot::model::totals(workload).counts.macs),
      static_cast<unsigned long long>(workload.parameters));
  std::fflush(stdout);
}

std::string long_chain(int nodes) {
  Graph g;
  g.inputs = {info("x0", {8, 64})};
  g.outputs = {output("x" + std::to_string(nodes))};
  g.initializers = {weights("w", {64, 64})};
  for (int i = 0; i < nodes; ++i) {
    const std::string n = std::to_string(i), next = std::to_string(i + 1);
    if (i % 2 == 0) {
      g.nodes.push_back(node("MatMul", {"x" + n, "w"}, {"x" + next}, {}, "", "product" + n));
    } else {
      g.nodes.push_back(node("Relu", {"x" + n}, {"x" + next}, {}, "", "relu" + n));
    }
  }
  return file_of(g);
}

}  // namespace

int main(int arguments, char** values) {
  const std::string folder =
      arguments > 1 ? values[1] : std::filesystem::temp_directory_path().string();
  const std::string path = folder + "/carnot-large.onnx";
  const std::uint64_t size = write_large(path, 29);
  forget(path);
  time_file(path, "cold", size);
  for (int i = 0; i < 5; ++i) time_file(path, "warm", size);
  std::filesystem::remove(path);
  for (int nodes = 12500; nodes <= 200000; nodes *= 2) {
    const std::string bytes = long_chain(nodes);
    double best = 1e9;
    for (int i = 0; i < 5; ++i) {
      const auto start = Clock::now();
      const carnot::model::Workload workload = carnot::model::parse_onnx(bytes, "chain");
      const double seconds = seconds_since(start);
      if (workload.operators.size() == static_cast<std::size_t>(nodes) && seconds < best) {
        best = seconds;
      }
    }
    std::printf("{\"task\": \"nodes\", \"nodes\": %d, \"seconds\": %.6f}\n", nodes, best);
  }
  return 0;
}
