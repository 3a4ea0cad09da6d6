// SPDX-License-Identifier: Apache-2.0
#include "learn/data/table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/unpack.hpp"

#include "learn/data/arff.hpp"
#include "learn/data/delimited.hpp"
#include "learn/data/libsvm.hpp"

namespace carnot::learn {

namespace {

/// Files that are known by how they begin and are not read here.
struct Foreign {
  std::string_view begins;
  std::string_view what;
  std::string_view way_out;
};

constexpr std::string_view kToCsv = "write it as CSV";
constexpr std::string_view kUnpack = "unpack it first";

constexpr Foreign kForeign[] = {
    {"PAR1", "a Parquet file",
     "write it as CSV, with pandas: read_parquet(FILE).to_csv(\"FILE.csv\", index=False)"},
    {"ARROW1", "an Arrow (Feather) file",
     "write it as CSV, with pandas: read_feather(FILE).to_csv(\"FILE.csv\", index=False)"},
    {"ORC", "an ORC file", kToCsv},
    {"Obj\x01", "an Avro file", kToCsv},
    {"\x93NUMPY", "a NumPy array",
     "write it as CSV, with NumPy: savetxt(\"FILE.csv\", load(FILE), delimiter=\",\")"},
    {"\x89HDF\r\n\x1a\n", "an HDF5 file", kToCsv},
    {"\xD0\xCF\x11\xE0", "an Excel workbook of before 2007", "save it as CSV (UTF-8)"},
    {"BZh", "packed by bzip2", kUnpack},
    {"\xFD"
     "7zXZ",
     "packed by xz", kUnpack},
    {"\x28\xB5\x2F\xFD", "packed by zstd", kUnpack},
    {"7z\xBC\xAF\x27\x1C", "a 7-Zip archive", kUnpack},
    {"Rar!\x1A\x07", "a RAR archive", kUnpack},
    {"SQLite format 3", "an SQLite database", "write the table as CSV, with sqlite3 -header -csv"},
    {"%PDF", "a PDF document", "a table as CSV is needed"},
    {"\x80\x04\x95", "a Python pickle", kToCsv},
    {"RDX", "an R workspace", "write it as CSV, with write.csv(TABLE, row.names = FALSE)"},
    {"<!DOCTYPE", "an HTML page", "the table itself is needed; the download may have failed"},
    {"<!doctype", "an HTML page", "the table itself is needed; the download may have failed"},
    {"<html", "an HTML page", "the table itself is needed; the download may have failed"},
    {"<?xml", "an XML document", kToCsv},
    {"version https://git-lfs", "a pointer of Git LFS, not the data", "fetch it: git lfs pull"},
};

[[noreturn]] void refuse(const std::string& file, std::string_view what, std::string_view way_out) {
  throw InputError(
      describe({file, 0}, "data",
               fmt::format("CSV, TSV, ARFF, LibSVM or IDX; this is {}: {}", what, way_out)));
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | (point >> 6));
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3F));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

/// Half a pair becomes U+FFFD, as Unicode advises.
std::string from_utf16(std::string_view bytes, bool big_endian) {
  std::string out;
  out.reserve(bytes.size() / 2);
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<unsigned char>(bytes[i]);
    const auto b = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<std::uint32_t>(big_endian ? a << 8 | b : b << 8 | a);
  };
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    std::uint32_t point = unit(i);
    if (point >= 0xD800 && point < 0xDC00 && i + 3 < bytes.size()) {
      const std::uint32_t low = unit(i + 2);
      if (low >= 0xDC00 && low < 0xE000) {
        point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
        i += 2;
      }
    }
    append_utf8(out, point >= 0xD800 && point < 0xE000 ? 0xFFFD : point);
  }
  return out;
}

/// Text of two bytes a character, told by its mark or by a zero in every second byte.
bool take_utf16(std::string& bytes) {
  const bool little_mark = bytes.starts_with("\xFF\xFE");
  const bool big_mark = bytes.starts_with("\xFE\xFF");
  if (little_mark || big_mark) {
    bytes = from_utf16(std::string_view(bytes).substr(2), big_mark);
    return true;
  }
  const std::size_t looked = std::min<std::size_t>(bytes.size() / 2 * 2, 512);
  std::size_t zeros[2] = {};
  for (std::size_t i = 0; i < looked; ++i) zeros[i % 2] += bytes[i] == '\0' ? 1u : 0u;
  const std::size_t many = looked * 2 / 5;
  if (looked < 8 || (zeros[0] > 0) == (zeros[1] > 0) || zeros[0] + zeros[1] < many) return false;
  bytes = from_utf16(bytes, zeros[0] > 0);
  return true;
}

/// JSON: a bracket or brace with a quote, bracket, brace or number behind it.
bool looks_like_json(std::string_view text) noexcept {
  const std::size_t at = text.find_first_not_of(" \t\r\n");
  if (at == std::string_view::npos || (text[at] != '[' && text[at] != '{')) return false;
  const std::size_t next = text.find_first_not_of(" \t\r\n", at + 1);
  if (next == std::string_view::npos) return false;
  return text[next] == '{' || text[next] == '[' || (text[at] == '{' && text[next] == '"');
}

std::string unzipped(const std::string& bytes, const std::string& file) {
  // Archives that are one document each: the names of their parts stand in the text.
  if (bytes.find("xl/worksheets") != std::string::npos)
    refuse(file, "an Excel workbook", "save it as CSV (UTF-8)");
  if (bytes.find("mimetypeapplication/vnd.oasis") != std::string::npos)
    refuse(file, "an OpenDocument sheet", "save it as CSV (UTF-8)");
  if (bytes.find(".npy") != std::string::npos)
    refuse(file, "a NumPy archive",
           "write features and label as one CSV, with NumPy: savetxt(\"FILE.csv\", "
           "column_stack((data[\"X\"], data[\"y\"])), delimiter=\",\")");
  return unzip(bytes, file);
}

}  // namespace

Table read_table(std::string bytes, const std::string& file, std::string_view label,
                 HeaderRow header) {
  if (is_zip(bytes)) bytes = unzipped(bytes, file);
  take_utf16(bytes);
  // A heading may begin with the letters of a magic number; only bytes that no text has say more.
  const std::string_view front = std::string_view(bytes).substr(0, 512);
  const bool text =
      std::none_of(front.begin(), front.end(), [](char c) { return c >= 0 && c < 9; });
  for (const Foreign& foreign : kForeign)
    if (bytes.starts_with(foreign.begins) && (!text || foreign.begins.size() >= 5))
      refuse(file, foreign.what, foreign.way_out);
  if (looks_like_json(bytes))
    refuse(file, "JSON",
           "write it as CSV, with pandas: read_json(FILE).to_csv(\"FILE.csv\", index=False)");
  if (looks_like_arff(bytes)) return parse_arff(std::move(bytes), file);
  if (looks_like_libsvm(bytes)) return parse_libsvm(std::move(bytes), file);
  return parse_delimited(std::move(bytes), file, label, header);
}

}  // namespace carnot::learn
