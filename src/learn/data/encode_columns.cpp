// SPDX-License-Identifier: Apache-2.0
#include "learn/data/encode_columns.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "learn/data/encode.hpp"

namespace carnot::learn {

namespace {

constexpr double kNumericShare = 0.95;
constexpr std::size_t kFewWords = 3;
constexpr std::size_t kFewValues = 20;

/// Throws at the first cell that a numeric column may not hold.
void check_numeric(const Table& table, std::size_t column, const Cells& cells) {
  for (std::size_t r = 0; r < table.rows; ++r) {
    if (cells.kinds[r] == CellKind::Number || cells.kinds[r] == CellKind::Missing) continue;
    throw InputError(describe({table.file, table.lines[r]}, table.names[column],
                              fmt::format("a finite number up to 1e30 as in the other rows, or "
                                          "nothing, found `{}`; --missing '{}' if that is "
                                          "what it means",
                                          table.cell(r, column), table.cell(r, column))));
  }
}

struct Counts {
  std::size_t numbers = 0;
  std::size_t texts = 0;
};

Counts count(const std::vector<const Cells*>& parts) {
  Counts counts;
  for (const Cells* cells : parts)
    for (const CellKind kind : cells->kinds) {
      if (kind == CellKind::Number || kind == CellKind::NotFinite) ++counts.numbers;
      if (kind == CellKind::Text) ++counts.texts;
    }
  return counts;
}

bool mostly_numbers(const Counts& counts) {
  return static_cast<double>(counts.numbers) >
         kNumericShare * static_cast<double>(counts.numbers + counts.texts);
}

/// Throws where a few words stand among many different numbers.
void check_words(const Table& table, std::size_t column, const Cells& cells) {
  std::map<std::string_view, std::size_t> words;  // to the first row
  std::set<double> values;
  std::size_t numbers = 0;
  std::size_t texts = 0;
  for (std::size_t r = 0; r < table.rows; ++r) {
    if (cells.kinds[r] == CellKind::Number) {
      ++numbers;
      if (values.size() <= kFewValues) values.insert(cells.values[r]);
    } else if (cells.kinds[r] == CellKind::Text) {
      ++texts;
      words.emplace(table.cell(r, column), r);
      if (words.size() > kFewWords) return;
    }
  }
  if (words.empty() || values.size() <= kFewValues || numbers < texts) return;
  const auto& [word, row] = *words.begin();
  throw InputError(describe(
      {table.file, table.lines[row]}, table.names[column],
      fmt::format("a number as in {} other rows, found `{}` ({} rows hold no number); --missing "
                  "'{}' takes it as missing, --categories '{}' takes the column as words",
                  numbers, word, texts, word, table.names[column])));
}

struct Moments {
  double mean = 0.0, scale = 1.0;
};

Moments fit(const std::vector<double>& values) {
  Moments m;
  if (values.empty()) return m;
  for (const double v : values) m.mean += v;
  m.mean /= static_cast<double>(values.size());
  double squares = 0.0;
  for (const double v : values) squares += (v - m.mean) * (v - m.mean);
  const double deviation = std::sqrt(squares / static_cast<double>(values.size()));
  // A constant column carries nothing; rounding noise must not be blown up to unit variance.
  if (deviation > 1e-12 * std::abs(m.mean)) m.scale = deviation;
  return m;
}

/// Encodes column by column into row-major halves.
class Encoder {
 public:
  Encoder(const TableRows& train, const TableRows& test, bool two_tables, std::size_t label,
          const MissingWords& missing, const std::vector<bool>& categories)
      : train_(train),
        test_(test),
        two_tables_(two_tables),
        label_(label),
        categories_(categories),
        train_reader_(*train.table, missing),
        test_reader_(*test.table, missing) {}

  EncodedColumns encode() {
    for (std::size_t c = 0; c < train_.table->columns; ++c)
      if (c != label_) column(c);
    EncodedColumns out;
    out.names = std::move(names_);
    out.train = interleaved(train_columns_, train_.rows.size());
    out.test = interleaved(test_columns_, test_.rows.size());
    out.description = describe_columns();
    out.columns = std::move(encodings_);
    out.train_missing = entries(train_filled_, train_columns_.size());
    out.test_missing = entries(test_filled_, test_columns_.size());
    return out;
  }

 private:
  void column(std::size_t c) {
    if (categories_[c] || train_.table->kind(c) == ColumnKind::Category) {
      categorical(c);
      return;
    }
    const NumberStyle style = train_reader_.style(c);
    const Cells train = train_reader_.cells(c, style);
    Cells other;
    std::vector<const Cells*> parts{&train};
    if (two_tables_) {
      other = test_reader_.cells(c, style);
      parts.push_back(&other);
    }
    const Cells& test = two_tables_ ? other : train;
    const Counts counts = count(parts);
    if (counts.numbers == 0 && has_words(c)) {
      categorical(c);
      return;
    }
    if (counts.texts == 0 || mostly_numbers(counts)) {
      check_numeric(*train_.table, c, train);
      if (two_tables_) check_numeric(*test_.table, c, test);
      const std::size_t missing = note_missing(c, parts);
      if (counts.numbers == 0) empty_.push_back(train_.table->names[c]);
      if (!style.is_plain())
        styles_.push_back(fmt::format("{} ({})", train_.table->names[c], describe_style(style)));
      numeric(c, train, test);
      encodings_.back().written = written_as(style);
      filled_ += missing;
      return;
    }
    check_words(*train_.table, c, train);
    categorical(c);
  }

  /// Whether a column without numbers holds something beside what is missing everywhere.
  bool has_words(std::size_t c) const {
    const auto any = [c](const Table& table, const ColumnReader& reader) {
      for (std::size_t r = 0; r < table.rows; ++r)
        if (!reader.missing_category(table.cell(r, c))) return true;
      return false;
    };
    return any(*train_.table, train_reader_) || (two_tables_ && any(*test_.table, test_reader_));
  }

  std::size_t note_missing(std::size_t c, const std::vector<const Cells*>& parts) {
    std::size_t missing = 0;
    for (const Cells* cells : parts)
      missing += static_cast<std::size_t>(
          std::count(cells->kinds.begin(), cells->kinds.end(), CellKind::Missing));
    note_missing(c, missing);
    return missing;
  }
  void note_missing(std::size_t c, std::size_t count) {
    if (count > 0) missing_.push_back(fmt::format("{} in {}", count, train_.table->names[c]));
  }

  std::vector<float>& add(std::vector<std::vector<float>>& columns, std::size_t rows) {
    columns.emplace_back();
    columns.back().reserve(rows);
    return columns.back();
  }

  void numeric(std::size_t c, const Cells& train, const Cells& test) {
    std::vector<double> present;
    for (const std::size_t r : train_.rows)
      if (train.kinds[r] == CellKind::Number) present.push_back(train.values[r]);
    const Moments m = fit(present);
    note_encoding(c, ColumnEncoding::Kind::Number, m);
    const auto put = [&](std::vector<float>& out, const TableRows& part, const Cells& cells) {
      for (const std::size_t r : part.rows) {
        if (cells.kinds[r] != CellKind::Number)
          (&part == &train_ ? train_filled_ : test_filled_)
              .push_back({out.size(), train_columns_.size() - 1});
        out.push_back(checked(
            part, r, c,
            cells.kinds[r] == CellKind::Number ? (cells.values[r] - m.mean) / m.scale : 0.0));
      }
    };
    put(add(train_columns_, train_.rows.size()), train_, train);
    put(add(test_columns_, test_.rows.size()), test_, test);
    names_.push_back(train_.table->names[c]);
    ++numeric_;
  }

  void categorical(std::size_t c) {
    std::size_t missing = 0;
    for (const TableRows* part : {&train_, &test_})
      for (const std::size_t r : part->rows)
        missing += level(*part, r, c) == kMissingLevel ? 1u : 0u;
    note_missing(c, missing);
    std::map<std::string_view, std::size_t> levels;
    for (const std::size_t r : train_.rows) levels.emplace(level(train_, r, c), 0);
    std::size_t next = 0;
    for (auto& [text, index] : levels) index = next++;
    if (levels.size() > kGreatestOneHotLevels) {
      ordinal(c, levels);
      return;
    }
    note_encoding(c, ColumnEncoding::Kind::OneHot, {}, levels);
    std::size_t unseen = 0;
    const auto put = [&](std::vector<std::vector<float>>& columns, const TableRows& part) {
      const std::size_t first = columns.size();
      columns.resize(first + levels.size(), std::vector<float>(part.rows.size(), 0.0f));
      for (std::size_t i = 0; i < part.rows.size(); ++i) {
        const auto found = levels.find(level(part, part.rows[i], c));
        if (found == levels.end())
          ++unseen;
        else
          columns[first + found->second][i] = 1.0f;
      }
    };
    put(train_columns_, train_);
    put(test_columns_, test_);
    for (const auto& [text, index] : levels)
      names_.push_back(fmt::format("{}={}", train_.table->names[c], text));
    note_unseen(c, unseen);
    ++one_hot_;
  }

  void ordinal(std::size_t c, const std::map<std::string_view, std::size_t>& levels) {
    std::vector<double> ranks;
    for (const std::size_t r : train_.rows)
      ranks.push_back(static_cast<double>(levels.at(level(train_, r, c))));
    const Moments m = fit(ranks);
    note_encoding(c, ColumnEncoding::Kind::Rank, m, levels);
    std::size_t unseen = 0;
    const auto put = [&](std::vector<float>& out, const TableRows& part) {
      for (const std::size_t r : part.rows) {
        const auto found = levels.find(level(part, r, c));
        if (found == levels.end()) {
          ++unseen;
          test_filled_.push_back({out.size(), test_columns_.size() - 1});
        }
        const double rank = found == levels.end() ? m.mean : static_cast<double>(found->second);
        out.push_back(static_cast<float>((rank - m.mean) / m.scale));
      }
    };
    put(add(train_columns_, train_.rows.size()), train_);
    put(add(test_columns_, test_.rows.size()), test_);
    names_.push_back(train_.table->names[c]);
    note_unseen(c, unseen);
    ordinal_.push_back(fmt::format("{} ({} levels)", train_.table->names[c], levels.size()));
  }

  /// Before the column's features are added.
  void note_encoding(std::size_t c, ColumnEncoding::Kind kind, const Moments& m,
                     const std::map<std::string_view, std::size_t>& levels = {}) {
    ColumnEncoding& e = encodings_.emplace_back();
    e.name = train_.table->names[c];
    e.kind = kind;
    e.mean = m.mean;
    e.scale = m.scale;
    for (const auto& [text, index] : levels) e.levels.emplace_back(text);
    e.first = train_columns_.size();
  }

  struct Entry {
    std::size_t row, feature;
  };
  static std::vector<std::uint64_t> entries(const std::vector<Entry>& filled, std::size_t columns) {
    std::vector<std::uint64_t> out;
    for (const Entry& e : filled) out.push_back(e.row * columns + e.feature);
    std::sort(out.begin(), out.end());
    return out;
  }

  static float checked(const TableRows& part, std::size_t row, std::size_t c, double value) {
    // Only a held-out value far outside the training range can leave the range of float.
    if (std::abs(value) > 1e30)
      throw InputError(
          describe({part.table->file, part.table->lines[row]}, part.table->names[c],
                   fmt::format("a number in the range of the training rows, found `{}`",
                               part.table->cell(row, c))));
    return static_cast<float>(value);
  }

  std::string_view level(const TableRows& part, std::size_t row, std::size_t c) const {
    const std::string_view cell = part.table->cell(row, c);
    return train_reader_.missing_category(cell) ? kMissingLevel : cell;
  }

  void note_unseen(std::size_t c, std::size_t count) {
    if (count > 0) unseen_.push_back(fmt::format("{} in {}", count, train_.table->names[c]));
  }

  static std::vector<float> interleaved(const std::vector<std::vector<float>>& columns,
                                        std::size_t rows) {
    std::vector<float> out(columns.size() * rows);
    constexpr std::size_t kBlock = 256;  // rows at a time, so that both sides stay in cache
    for (std::size_t begin = 0; begin < rows; begin += kBlock)
      for (std::size_t c = 0; c < columns.size(); ++c)
        for (std::size_t r = begin; r < std::min(rows, begin + kBlock); ++r)
          out[r * columns.size() + c] = columns[c][r];
    return out;
  }

  std::string describe_columns() const {
    std::string text = fmt::format(
        "{} numeric columns (standardised on the training rows), {} "
        "categorical ones as one column a level",
        numeric_, one_hot_);
    if (!ordinal_.empty())
      text += fmt::format(", as ranks for more than {} levels: {}", kGreatestOneHotLevels,
                          some_names(ordinal_));
    if (!styles_.empty()) text += fmt::format("; written as {}", some_names(styles_));
    if (!empty_.empty()) text += fmt::format("; without any value: {}", some_names(empty_));
    if (!missing_.empty())
      text += fmt::format(
          "; missing cells: {} ({} of them numbers, set to the training mean; the "
          "rest a level of their own)",
          some_names(missing_), filled_);
    if (!unseen_.empty())
      text += fmt::format("; held-out levels not met in training: {}", some_names(unseen_));
    return text;
  }

  const TableRows& train_;
  const TableRows& test_;
  bool two_tables_;
  std::size_t label_;
  const std::vector<bool>& categories_;
  ColumnReader train_reader_, test_reader_;
  std::vector<std::vector<float>> train_columns_, test_columns_;
  std::vector<std::string> names_, ordinal_, missing_, unseen_, styles_, empty_;
  std::size_t numeric_ = 0, one_hot_ = 0, filled_ = 0;
  std::vector<ColumnEncoding> encodings_;
  std::vector<Entry> train_filled_, test_filled_;
};

}  // namespace

EncodedColumns encode_columns(const TableRows& train, const TableRows& test, bool two_tables,
                              std::size_t label, const MissingWords& missing,
                              const std::vector<bool>& categories) {
  return Encoder(train, test, two_tables, label, missing, categories).encode();
}

}  // namespace carnot::learn
