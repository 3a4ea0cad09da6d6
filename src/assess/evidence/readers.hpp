// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One reader for each kind of file. Each takes a stream behind its header and leaves every row of
/// the file either claimed, in an amount, or settled. A row that cannot be read is settled as
/// unknown and named `file:line: field: allowed`; nothing stops the reading but the end.

#include <string>
#include <string_view>

#include "carnot/assess/evidence/evidence.hpp"
#include "carnot/base/input/csv_stream.hpp"

namespace carnot::assess {

/// A kind of table: whether a header is one, and how it is read.
struct TableReader {
  std::string_view format;
  bool (*matches)(const CsvStream& table);
  void (*read)(CsvStream& table, Evidence& evidence, std::uint16_t file);
};

bool is_focus(const CsvStream& table);
bool is_cur(const CsvStream& table);
bool is_azure(const CsvStream& table);
bool is_gcp(const CsvStream& table);
void read_focus(CsvStream& table, Evidence& evidence, std::uint16_t file);
void read_cur(CsvStream& table, Evidence& evidence, std::uint16_t file);
void read_azure(CsvStream& table, Evidence& evidence, std::uint16_t file);
void read_gcp(CsvStream& table, Evidence& evidence, std::uint16_t file);

bool is_sacct(const CsvStream& table);
void read_sacct(CsvStream& table, Evidence& evidence, std::uint16_t file);

bool is_emissions(const CsvStream& table);
void read_emissions(CsvStream& table, Evidence& evidence, std::uint16_t file);

bool is_tokens(const CsvStream& table);
void read_tokens(CsvStream& table, Evidence& evidence, std::uint16_t file);

bool is_readings(const CsvStream& table);
void read_readings(CsvStream& table, Evidence& evidence, std::uint16_t file);

bool is_servers(const CsvStream& table);
void read_servers(CsvStream& table, Evidence& evidence, std::uint16_t file);

bool is_hall(const CsvStream& table);
void read_hall(CsvStream& table, Evidence& evidence, std::uint16_t file);

/// Prometheus' answer to a range query, and usage exports of model services. False: neither.
bool read_json(const std::string& text, Evidence& evidence, std::uint16_t file);
/// carnot's own journals. \param path  of the file
void read_carnot_journal(const std::string& path, Evidence& evidence, std::uint16_t file);

/// The rows of a table one after the other, each counted; broken ones are refused and passed over.
class WholeRows {
 public:
  /// All must outlive it.
  WholeRows(CsvStream& table, Evidence& evidence, std::uint16_t file)
      : table_(table), evidence_(evidence), file_(file) {}
  /// Whether there is another whole row.
  bool next();
  /// Names the present row and settles it as unknown.
  void refuse(std::string_view field, std::string_view allowed);

 private:
  CsvStream& table_;
  Evidence& evidence_;
  std::uint16_t file_;
};

/// Widens the file's time to hold [from, to).
void covers(EvidenceFile& file, std::uint32_t from, std::uint32_t to);

}  // namespace carnot::assess
