// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/evidence/folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/input/unpack.hpp"

#include "assess/evidence/readers.hpp"

namespace carnot::assess {

namespace {

constexpr std::array<TableReader, 10> kTables = {{
    {"FOCUS bill", is_focus, read_focus},
    {"AWS cost and usage report", is_cur, read_cur},
    {"Azure cost export", is_azure, read_azure},
    {"Google Cloud billing export", is_gcp, read_gcp},
    {"sacct", is_sacct, read_sacct},
    {"CodeCarbon", is_emissions, read_emissions},
    {"language model usage", is_tokens, read_tokens},
    {"meter readings", is_readings, read_readings},
    {"figures of a hall", is_hall, read_hall},
    {"server list", is_servers, read_servers},
}};
constexpr std::string_view kJournal = "carnot-journal/1";
constexpr std::uintmax_t kLargestJson = std::uintmax_t{1} << 30;

/// Size and a hash of the bytes: two files with both alike are one file twice.
std::pair<std::uintmax_t, std::uint64_t> fingerprint(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 1 << 16> block{};
  std::uintmax_t size = 0;
  std::uint64_t a = 0xcbf29ce484222325u;
  while (file.read(block.data(), block.size()), file.gcount() > 0) {
    const auto got = static_cast<std::size_t>(file.gcount());
    size += got;
    for (std::size_t i = 0; i + 8 <= got; i += 8) {
      std::uint64_t word = 0;
      std::copy_n(block.data() + i, 8, reinterpret_cast<char*>(&word));
      a = (a ^ word) * 0x9ddfea08eb382d69u;
      a ^= a >> 29;
    }
    for (std::size_t i = got / 8 * 8; i < got; ++i)
      a = (a ^ static_cast<unsigned char>(block[i])) * 0x100000001b3u;
  }
  return {size, a};
}

void read_table(input::Lines lines, Evidence& evidence, std::uint16_t id) {
  EvidenceFile& file = evidence.files[id];
  CsvStream table(std::move(lines));
  for (const TableReader& reader : kTables) {
    if (!reader.matches(table)) continue;
    file.format = reader.format;
    reader.read(table, evidence, id);
    return;
  }
  std::string names;
  for (std::size_t i = 0; i < table.header().size() && i < 6; ++i)
    names += (i == 0 ? "" : ", ") + table.header()[i].substr(0, 30);
  file.remark = "columns that no kind of evidence has: " + names;
}

void read_one(const std::filesystem::path& path, Evidence& evidence, std::uint16_t id) {
  EvidenceFile& file = evidence.files[id];
  std::string start(64, '\0');
  {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) throw InputFileError(path.string(), "open", errno);
    stream.read(start.data(), static_cast<std::streamsize>(start.size()));
    start.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, stream.gcount())));
  }
  if (start.empty()) {
    file.remark = "empty";
    return;
  }
  if (start.starts_with(kJournal)) {
    file.format = "carnot journal";
    read_carnot_journal(path.string(), evidence, id);
    return;
  }
  const bool zip = is_zip(start);
  const bool gzip = start.size() > 1 && start[0] == '\x1f' && start[1] == '\x8b';
  std::string text;
  if (zip) text = unzip(read_file(path), file.name);
  std::string head = zip ? text.substr(0, 64) : start;
  if (gzip) {
    input::Lines lines = input::Lines::of_file(path.string());
    std::string_view line;
    head.clear();
    if (lines.next(line)) head = std::string(line.substr(0, 64));
  }
  std::string_view look = head;
  if (look.starts_with("\xEF\xBB\xBF")) look.remove_prefix(3);
  const auto first = look.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (look[first] == '{' || look[first] == '[')) {
    if (!zip) {
      if (std::filesystem::file_size(path) > kLargestJson) {
        file.remark = "JSON above 1 GiB";
        return;
      }
      input::Lines lines = input::Lines::of_file(path.string());
      std::string_view line;
      while (lines.next(line)) {
        if (text.size() > kLargestJson) throw InputError("JSON above 1 GiB");
        text += line;
        text += '\n';
      }
    }
    if (!read_json(text, evidence, id) && file.remark.empty())
      file.remark =
          "JSON that is none of: an answer of Prometheus, a usage export, sacct --json, a BoAmps "
          "report";
    return;
  }
  if (!zip && !gzip && start.find('\0') != std::string::npos) {
    file.remark = "binary";
    return;
  }
  // Names in messages are those below the folder.
  input::Lines lines =
      zip ? input::Lines::of_text(text, file.name) : input::Lines::of_file(path.string());
  read_table(std::move(lines), evidence, id);
}

}  // namespace

Evidence read_evidence(const std::string& folder,
                       const std::function<void(const std::string&)>& progress) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw InputFileError(folder, "open as a folder", error ? error.value() : ENOTDIR);
  std::vector<fs::path> paths;
  for (auto it = fs::recursive_directory_iterator(
           folder, fs::directory_options::skip_permission_denied, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with('.')) {
      if (it->is_directory(error)) it.disable_recursion_pending();
      continue;
    }
    if (it->is_regular_file(error)) paths.push_back(it->path());
  }
  if (error) throw InputFileError(folder, "list", error.value());
  std::sort(paths.begin(), paths.end());

  Evidence evidence;
  std::map<std::pair<std::uintmax_t, std::uint64_t>, std::string> seen;
  for (const fs::path& path : paths) {
    if (evidence.files.size() >= 60'000) throw InputError(folder + ": at most 60,000 files");
    const auto id = static_cast<std::uint16_t>(evidence.files.size());
    evidence.files.emplace_back();
    EvidenceFile& file = evidence.files.back();
    file.name = path.lexically_relative(folder).generic_string();
    if (progress) progress(file.name);
    const auto [at, is_new] = seen.try_emplace(fingerprint(path), file.name);
    if (!is_new && at->first.first > 0) {
      file.remark = "the same bytes as " + at->second + ": duplicate of it as a whole";
      continue;
    }
    try {
      read_one(path, evidence, id);
    } catch (const Error& problem) {
      // What was read before stays; the rest of a file that breaks off is named.
      evidence.files[id].remark = problem.what();
      if (const auto cut = evidence.files[id].remark.find(path.string()); cut != std::string::npos)
        evidence.files[id].remark.replace(cut, path.string().size(), evidence.files[id].name);
    }
  }
  evidence.join_names();
  return evidence;
}

}  // namespace carnot::assess
