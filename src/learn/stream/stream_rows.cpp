// SPDX-License-Identifier: Apache-2.0
#include "learn/stream/stream_rows.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "learn/data/encode.hpp"
#include "learn/data/table.hpp"

namespace carnot::learn {

namespace {

/// Mean and spread as numbers come (Welford 1962, Technometrics 4, 419).
struct Moments {
  double n = 0.0, mean = 0.0, squares = 0.0;
  void add(double x) noexcept {
    n += 1.0;
    const double d = x - mean;
    mean += d / n;
    squares += d * (x - mean);
  }
  double deviation() const noexcept { return n > 0.0 ? std::sqrt(squares / n) : 0.0; }
};

/// The same scale seen through another: x stands for mean + scale x.
void refine(const Moments& m, double& mean, double& scale) {
  const double was = mean;
  if (m.n > 0.0) mean += scale * m.mean;
  const double deviation = scale * m.deviation();
  if (deviation > 1e-12 * std::abs(was)) scale = deviation;
}

bool blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

std::string first_line(const std::string& text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == '\n' && !quoted && !blank(text.substr(0, i))) return text.substr(0, i + 1);
  }
  return text;
}

}  // namespace

void append_rows(Dataset& to, const Dataset& from, std::size_t first, std::size_t last) {
  const auto at = [](auto& values, std::size_t i) {
    return values.begin() + static_cast<std::ptrdiff_t>(i);
  };
  to.features.insert(to.features.end(), at(from.features, first * from.columns),
                     at(from.features, last * from.columns));
  if (from.is_regression())
    to.targets.insert(to.targets.end(), at(from.targets, first), at(from.targets, last));
  else
    to.labels.insert(to.labels.end(), at(from.labels, first), at(from.labels, last));
  to.rows += last - first;
}

StreamRows::StreamRows(const StreamOptions& options)
    : options_(options),
      pieces_(options.data.path, options.piece_bytes),
      random_(options.data.seed, "stream held out") {
  const std::string head = pieces_.next();
  if (blank(head)) throw InputError(describe({pieces_.path(), 1}, "rows", "at least one data row"));
  const std::size_t bytes = head.size();
  const Table table = read_table(head, pieces_.path(), options.data.labels, options.data.header);
  EncodeOptions o;
  o.labels = options.data.labels;
  o.task = options.data.task;
  o.seed = options.data.seed;
  o.missing = options.data.missing;
  o.categories = options.data.categories;
  o.drop_unlabelled = options.data.drop_unlabelled;
  const Split split = encode_tables(table, nullptr, o);
  like_ = split.train;
  like_.rows = 0;
  like_.features.clear();
  like_.labels.clear();
  like_.targets.clear();
  like_.missing.clear();
  if (like_.encoding->has_header) header_ = first_line(head);
  held_out_ = like_;
  const auto size = static_cast<double>(std::filesystem::file_size(pieces_.path()));
  const double rows =
      static_cast<double>(table.rows) * std::max(1.0, size / static_cast<double>(bytes));
  share_ = std::min(options.data.test_share, static_cast<double>(options.most_held_out) / rows);
}

bool StreamRows::held(std::uint64_t row) const noexcept { return random_.uniform(row) < share_; }

EncodedTable StreamRows::encode(std::string piece, bool first) {
  if (!first) piece.insert(0, header_);
  return encode_table_text(*like_.encoding, like_, std::move(piece), pieces_.path());
}

void StreamRows::look() {
  pieces_.rewind();
  TableEncoding encoding = *like_.encoding;
  std::vector<Moments> columns(encoding.columns.size());
  Moments target;
  std::uint64_t row = 0;
  for (bool first = true;; first = false) {
    options_.stop.throw_if_requested();
    std::string piece = pieces_.next();
    if (piece.empty()) break;
    if (blank(piece)) continue;
    const EncodedTable table = encode(std::move(piece), first);
    const Dataset& d = table.data;
    auto missing = d.missing.begin();
    for (std::size_t r = 0; r < d.rows; ++r, ++row) {
      const bool labelled = !table.has_label.empty() && table.has_label[r] != 0;
      if (!labelled && !options_.data.drop_unlabelled)
        throw InputError(describe(
            {pieces_.path(), 0}, like_.encoding->label,
            fmt::format("a label in each row, one of those in the first {} MiB; row {} has none "
                        "(or leave such rows out)",
                        options_.piece_bytes >> 20, row + 1)));
      unlabelled_ += labelled ? 0 : 1;
      if (!labelled || held(row)) continue;
      ++train_rows_;
      if (d.is_regression()) target.add(static_cast<double>(d.targets[r]));
      for (std::size_t c = 0; c < columns.size(); ++c) {
        if (encoding.columns[c].kind != ColumnEncoding::Kind::Number) continue;
        const std::size_t entry = r * d.columns + encoding.columns[c].first;
        while (missing != d.missing.end() && *missing < entry) ++missing;
        if (missing != d.missing.end() && *missing == entry) continue;
        columns[c].add(static_cast<double>(d.features[entry]));
      }
    }
  }
  if (train_rows_ < 2) throw InputError(describe({pieces_.path(), 0}, "rows", "two to train on"));
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (encoding.columns[c].kind == ColumnEncoding::Kind::Number)
      refine(columns[c], encoding.columns[c].mean, encoding.columns[c].scale);
  if (like_.is_regression()) refine(target, like_.target_mean, like_.target_scale);
  like_.encoding = std::make_shared<const TableEncoding>(std::move(encoding));
  held_out_ = like_;
  pieces_.rewind();
}

void StreamRows::fill(Dataset& rows) {
  std::string piece = pieces_.next();
  if (piece.empty()) {
    pieces_.rewind();
    row_ = 0;
    ++round_;
    piece = pieces_.next();
  }
  if (blank(piece)) return;
  const EncodedTable table = encode(std::move(piece), row_ == 0);
  const std::size_t most = 2 * options_.most_held_out;
  for (std::size_t r = 0; r < table.data.rows; ++r, ++row_) {
    if (table.has_label.empty() || table.has_label[r] == 0) continue;
    if (!held(row_))
      append_rows(rows, table.data, r, r + 1);
    else if (round_ == 0 && held_out_.rows < most)
      append_rows(held_out_, table.data, r, r + 1);
  }
}

void StreamRows::restore(const Dataset& like, const Position& at, Dataset held_out,
                         std::uint64_t train_rows, std::uint64_t unlabelled) {
  like_ = like;
  held_out_ = std::move(held_out);
  train_rows_ = train_rows;
  unlabelled_ = unlabelled;
  row_ = at.row;
  round_ = at.round;
  pieces_.seek(at.offset);
}

}  // namespace carnot::learn
