// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/data/text.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/input_file.hpp"

namespace carnot::learn {

namespace {

constexpr std::size_t kLeastBytes = 64;
constexpr const char* kOther = "(other)";

std::string name_of(unsigned char byte) {
  if (byte > ' ' && byte < 0x7f && byte != '\\') return std::string(1, static_cast<char>(byte));
  return fmt::format("\\x{:02x}", byte);
}

/// -1: the other bytes; -2: no name of a symbol.
int byte_named(const std::string& name) {
  if (name == kOther) return -1;
  for (int b = 0; b < 256; ++b)
    if (name == name_of(static_cast<unsigned char>(b))) return b;
  return -2;
}

std::string located(const std::string& path, const std::string& directory) {
  namespace fs = std::filesystem;
  if (!directory.empty() && fs::path(path).is_relative()) {
    const std::string there = (fs::path(directory) / path).string();
    if (file_exists(there)) return there;
  }
  return path;
}

Dataset shaped(const Dataset& like, const std::string& name) {
  Dataset out;
  out.name = name;
  out.classes = like.classes;
  out.class_names = like.class_names;
  return out;
}

}  // namespace

Dataset training_text(std::string_view bytes, const std::string& name) {
  if (bytes.size() < kLeastBytes)
    throw InputError(
        fmt::format("{}: {} bytes or more of text, found {}", name, kLeastBytes, bytes.size()));
  std::array<bool, 256> met{};
  for (const char c : bytes) met[static_cast<unsigned char>(c)] = true;
  Dataset alphabet;
  for (std::size_t b = 0; b < met.size(); ++b)
    if (met[b]) alphabet.class_names.push_back(name_of(static_cast<unsigned char>(b)));
  if (alphabet.class_names.size() < 2)
    throw InputError(fmt::format("{}: two different bytes or more, found one", name));
  alphabet.class_names.emplace_back(kOther);
  alphabet.classes = alphabet.class_names.size();
  return text_like(alphabet, bytes, name);
}

Dataset text_like(const Dataset& like, std::string_view bytes, const std::string& name) {
  std::array<std::uint32_t, 256> symbol_of;
  symbol_of.fill(static_cast<std::uint32_t>(like.classes - 1));
  if (like.class_names.size() != like.classes || like.class_names.back() != kOther)
    throw InputError("text: symbols as a text learner names them");
  for (std::uint32_t s = 0; s + 1 < like.classes; ++s) {
    const int byte = byte_named(like.class_names[s]);
    if (byte < 0) throw InputError("text: symbols as a text learner names them");
    symbol_of[static_cast<std::size_t>(byte)] = s;
  }
  Dataset out = shaped(like, name);
  out.rows = bytes.size();
  out.labels.reserve(bytes.size());
  for (const char c : bytes) out.labels.push_back(symbol_of[static_cast<unsigned char>(c)]);
  return out;
}

Dataset part_of_text(const Dataset& text, std::size_t first, std::size_t rows) {
  Dataset out = shaped(text, text.name);
  out.source = text.source;
  out.rows = std::min(rows, text.rows - std::min(first, text.rows));
  const auto from = text.labels.begin() + static_cast<std::ptrdiff_t>(std::min(first, text.rows));
  out.labels.assign(from, from + static_cast<std::ptrdiff_t>(out.rows));
  return out;
}

int byte_of_symbol(const Dataset& text, std::uint32_t symbol) {
  return std::max(-1, byte_named(text.class_names.at(symbol)));
}

Split load_text(const DatasetOptions& options) {
  const std::string path = located(options.path, options.data_dir);
  const std::string bytes = read_input(path);
  const std::string name = std::filesystem::path(path).filename().string();
  Split split;
  if (!options.test_path.empty()) {
    const std::string test = located(options.test_path, options.data_dir);
    split.train = training_text(bytes, name);
    split.test =
        text_like(split.train, read_input(test), std::filesystem::path(test).filename().string());
    split.train.source = fmt::format("{}: a text of {} bytes", name, bytes.size());
  } else {
    const std::size_t train = bytes.size() - bytes.size() / 10;
    split.train = training_text(std::string_view(bytes).substr(0, train), name);
    split.test = text_like(split.train, std::string_view(bytes).substr(train), name);
    split.train.source =
        fmt::format("{}: a text of {} bytes; the last tenth is held out", name, bytes.size());
  }
  if (split.test.rows < kLeastBytes)
    throw InputError(fmt::format("{}: {} bytes or more to hold out, found {}", name, kLeastBytes,
                                 split.test.rows));
  split.train.source += fmt::format("; {} different bytes", split.train.classes - 1);
  split.test.source = split.train.source;
  return split;
}

}  // namespace carnot::learn
