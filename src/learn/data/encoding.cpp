// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/data/encoding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/input_file.hpp"

#include "learn/data/encode_columns.hpp"
#include "learn/data/idx.hpp"
#include "learn/data/numbers.hpp"
#include "learn/data/table.hpp"

namespace carnot::learn {

namespace {

constexpr double kGreatestFeature = 1e30;

/// Which column of the table each of the encoding's is; the last entry is the label's, or kNone.
std::vector<std::size_t> match(const TableEncoding& encoding, const Table& table) {
  std::vector<std::size_t> at;
  std::unordered_map<std::string_view, std::size_t> by_name;
  for (std::size_t c = 0; c < table.columns; ++c) by_name.emplace(table.names[c], c);
  if (!encoding.has_header && table.columns + 1 == encoding.file_columns) {
    // No names and one column less: the labels are not there.
    for (std::size_t c = 0; c < table.columns; ++c) at.push_back(c);
    at.push_back(Table::kNone);
    return at;
  }
  std::vector<std::string> missing;
  for (const ColumnEncoding& column : encoding.columns) {
    const auto found = by_name.find(column.name);
    if (found == by_name.end())
      missing.push_back(column.name);
    else
      at.push_back(found->second);
  }
  if (!missing.empty()) {
    const bool one = missing.size() == 1;
    throw InputError(
        describe({table.file, 1}, "columns",
                 fmt::format("those of the model; missing {}: {}; found {}", one ? "is" : "are",
                             some_names(missing), some_names(table.names))));
  }
  const auto label = by_name.find(encoding.label);
  at.push_back(label == by_name.end() ? Table::kNone : label->second);
  return at;
}

class TableEncoder {
 public:
  TableEncoder(const TableEncoding& encoding, const Dataset& like, const Table& table)
      : encoding_(encoding),
        like_(like),
        table_(table),
        missing_(encoding.missing),
        reader_(table, missing_) {}

  EncodedTable encode() {
    const std::vector<std::size_t> at = match(encoding_, table_);
    Dataset& d = out_.data;
    d.rows = table_.rows;
    d.columns = encoding_.features();
    d.name = table_.file;
    d.classes = like_.classes;
    d.class_names = like_.class_names;
    d.target_mean = like_.target_mean;
    d.target_scale = like_.target_scale;
    if (d.columns > 0 && d.rows > kGreatestCells / d.columns)
      throw InputError(describe({table_.file, 0}, "rows",
                                fmt::format("at most {} for {} features, found {}",
                                            kGreatestCells / d.columns, d.columns, d.rows)));
    d.features.assign(d.rows * d.columns, 0.0f);
    for (std::size_t i = 0; i < encoding_.columns.size(); ++i) {
      const ColumnEncoding& column = encoding_.columns[i];
      if (column.kind == ColumnEncoding::Kind::Number)
        number(column, at[i]);
      else
        category(column, at[i]);
    }
    std::sort(d.missing.begin(), d.missing.end());
    if (like_.classes > 0)
      d.labels.assign(d.rows, 0);
    else
      d.targets.assign(d.rows, 0.0f);
    if (at.back() != Table::kNone) labels(at.back());
    return std::move(out_);
  }

 private:
  void number(const ColumnEncoding& column, std::size_t c) {
    const Cells cells = reader_.cells(c, style_of(column.written));
    Dataset& d = out_.data;
    for (std::size_t r = 0; r < d.rows; ++r) {
      const std::size_t entry = r * d.columns + column.first;
      if (cells.kinds[r] == CellKind::Missing) {
        d.missing.push_back(entry);
        continue;
      }
      const double value = (cells.values[r] - column.mean) / column.scale;
      if (cells.kinds[r] != CellKind::Number || !(std::abs(value) <= kGreatestFeature))
        throw InputError(
            describe({table_.file, table_.lines[r]}, table_.names[c],
                     fmt::format("a finite number as in training, or nothing, found `{}`",
                                 table_.cell(r, c))));
      d.features[entry] = static_cast<float>(value);
    }
  }

  void category(const ColumnEncoding& column, std::size_t c) {
    std::unordered_map<std::string_view, std::size_t> levels;
    for (std::size_t l = 0; l < column.levels.size(); ++l) levels.emplace(column.levels[l], l);
    Dataset& d = out_.data;
    std::size_t unknown = 0;
    for (std::size_t r = 0; r < d.rows; ++r) {
      std::string_view cell = table_.cell(r, c);
      if (reader_.missing_category(cell)) cell = kMissingLevel;
      const auto found = levels.find(cell);
      const std::size_t entry = r * d.columns + column.first;
      if (found == levels.end()) {
        ++unknown;
        if (column.kind == ColumnEncoding::Kind::Rank) d.missing.push_back(entry);
      } else if (column.kind == ColumnEncoding::Kind::OneHot) {
        d.features[entry + found->second] = 1.0f;
      } else {
        d.features[entry] =
            static_cast<float>((static_cast<double>(found->second) - column.mean) / column.scale);
      }
    }
    if (unknown > 0) out_.unknown.push_back(fmt::format("{} in {}", unknown, column.name));
  }

  void labels(std::size_t c) {
    Dataset& d = out_.data;
    out_.has_label.assign(d.rows, 0);
    const Cells cells = reader_.cells(c, style_of(encoding_.label_written));
    std::unordered_map<std::string, std::size_t> words;
    for (std::size_t k = 0; k < encoding_.label_words.size(); ++k)
      words.emplace(encoding_.label_words[k], k);
    for (std::size_t r = 0; r < d.rows; ++r) {
      const bool is_number = cells.kinds[r] == CellKind::Number;
      if (like_.classes == 0) {
        if (!is_number) continue;
        d.targets[r] = static_cast<float>((cells.values[r] - d.target_mean) / d.target_scale);
        out_.has_label[r] = std::isfinite(d.targets[r]) ? 1 : 0;
        continue;
      }
      if (encoding_.label_numbers && !is_number) continue;
      const auto found =
          words.find(encoding_.label_numbers ? fmt::format("{}", cells.values[r] + 0.0)
                                             : std::string(table_.cell(r, c)));
      if (found == words.end()) continue;
      d.labels[r] = static_cast<std::uint32_t>(found->second);
      out_.has_label[r] = 1;
    }
  }

  const TableEncoding& encoding_;
  const Dataset& like_;
  const Table& table_;
  const MissingWords missing_;
  const ColumnReader reader_;
  EncodedTable out_;
};

}  // namespace

NumberStyle style_of(const WrittenNumbers& written) {
  NumberStyle style;
  style.decimal = written.decimal;
  style.group = written.group;
  style.affix = written.affix;
  style.dates = static_cast<DateOrder>(written.dates);
  return style;
}

WrittenNumbers written_as(const NumberStyle& style) {
  return {style.decimal, style.group, style.affix, static_cast<std::uint8_t>(style.dates)};
}

std::size_t TableEncoding::features() const noexcept {
  std::size_t sum = 0;
  for (const ColumnEncoding& column : columns) sum += column.features();
  return sum;
}

EncodedTable encode_table(const TableEncoding& encoding, const Dataset& like,
                          const std::string& path) {
  return encode_table_text(encoding, like, read_input(path), path);
}

EncodedTable encode_table_text(const TableEncoding& encoding, const Dataset& like,
                               std::string bytes, const std::string& name) {
  const Table table = read_table(std::move(bytes), name, encoding.has_header ? encoding.label : "",
                                 encoding.has_header ? HeaderRow::Present : HeaderRow::Absent);
  return TableEncoder(encoding, like, table).encode();
}

void check_encoding(const TableEncoding& encoding) {
  const auto require = [](bool good, const char* what) {
    if (!good) throw InputError(fmt::format("encoding of columns: {}", what));
  };
  const auto good_style = [](const WrittenNumbers& w) {
    return w.dates <= static_cast<std::uint8_t>(DateOrder::MonthFirst) &&
           (w.decimal == '.' || w.decimal == ',') &&
           (w.group == '\0' || w.group == '.' || w.group == ',' || w.group == ' ' ||
            w.group == '\'') &&
           w.group != w.decimal;
  };
  std::size_t next = 0;
  for (const ColumnEncoding& column : encoding.columns) {
    require(column.kind <= ColumnEncoding::Kind::Rank, "a known kind of column");
    require(std::isfinite(column.mean) && std::isfinite(column.scale) && column.scale > 0.0,
            "finite means and positive scales");
    require(column.first == next, "features follow each other");
    require(good_style(column.written), "a known way of writing numbers");
    require(column.kind == ColumnEncoding::Kind::Number || !column.levels.empty(),
            "a category has levels");
    next += column.features();
  }
  require(good_style(encoding.label_written), "a known way of writing labels");
}

EncodedTable read_images(const Dataset& like, const std::string& path, const std::string& labels) {
  EncodedTable out;
  Dataset& d = out.data;
  if (path == "digits") {
    d = embedded_digits();
    out.has_label.assign(d.rows, 1);
  } else {
    const std::string bytes = read_input(path);
    if (!looks_like_idx(bytes))
      throw InputError(
          describe({path, 0}, "data", "an IDX file of images: the model was trained on images"));
    const IdxArray images = parse_idx(bytes, path);
    if (images.sizes.size() < 2)
      throw InputError(describe({path, 0}, "sizes", "images have two dimensions or more"));
    d.name = path;
    d.rows = images.sizes[0];
    d.columns = d.rows > 0 ? images.values.size() / d.rows : 0;
    d.unsigned_features = true;
    d.features.reserve(images.values.size());
    for (const char pixel : images.values)
      d.features.push_back(static_cast<float>(static_cast<unsigned char>(pixel)) / 255.0f);
    d.labels.assign(d.rows, 0);
    if (!labels.empty()) {
      const std::string label_bytes = read_input(labels);
      const IdxArray found = parse_idx(label_bytes, labels);
      if (found.sizes.size() != 1 || found.sizes[0] != d.rows)
        throw InputError(
            describe({labels, 0}, "sizes", fmt::format("one label for each of {} images", d.rows)));
      out.has_label.assign(d.rows, 0);
      for (std::size_t r = 0; r < d.rows; ++r) {
        const auto label = static_cast<unsigned char>(found.values[r]);
        if (label >= like.classes) continue;
        d.labels[r] = label;
        out.has_label[r] = 1;
      }
    }
  }
  if (d.columns != like.columns)
    throw InputError(describe(
        {path, 0}, "sizes",
        fmt::format("images of {} pixels as in training, found {}", like.columns, d.columns)));
  d.classes = like.classes;
  d.class_names = like.class_names;
  return out;
}

}  // namespace carnot::learn
