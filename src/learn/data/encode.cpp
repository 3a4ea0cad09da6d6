// SPDX-License-Identifier: Apache-2.0
#include "learn/data/encode.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/random.hpp"

#include "learn/data/encode_columns.hpp"

namespace carnot::learn {

namespace {

bool same_word(std::string_view text, std::string_view lower) noexcept {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  });
}

/// A column by name or 1-based number.
std::size_t find_column(const Table& table, const std::string& wanted, std::string_view field) {
  const auto column_named = [&](std::string_view name) -> std::optional<std::size_t> {
    const auto found = std::find(table.names.begin(), table.names.end(), name);
    if (found == table.names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - table.names.begin());
  };
  const Place place{table.file, 1};
  const std::string which =
      table.has_header
          ? fmt::format("one of {}, or a number from 1 to {}", some_names(table.names),
                        table.columns)
          : fmt::format("the file has no header: a number from 1 to {}", table.columns);
  if (wanted.empty()) throw InputError(describe(place, field, "name it: " + which));
  if (const auto found = column_named(wanted)) return *found;
  std::size_t number = 0;
  if (read_whole(std::string_view(wanted), number)) {
    if (number >= 1 && number <= table.columns) return number - 1;
    throw InputError(describe(
        place, field, fmt::format("a number from 1 to {}, found {}", table.columns, number)));
  }
  const std::string near = table.has_header ? nearest(wanted, table.names) : "";
  throw InputError(describe(
      place, field,
      near.empty() ? fmt::format("no `{}`; {}", wanted, which)
                   : fmt::format("no `{}`; did you mean `{}`? ({})", wanted, near, which)));
}

std::size_t find_label(const Table& table, const std::string& wanted) {
  if (wanted.empty()) {
    for (const std::string_view usual : {"label", "class", "target", "y"})
      for (std::size_t c = 0; c < table.columns; ++c)
        if (same_word(table.names[c], usual)) return c;
    if (table.usual_label != Table::kNone) return table.usual_label;
  }
  return find_column(table, wanted, "label column");
}

/// The label column of one or two tables.
struct Labels {
  bool regression = false;
  std::vector<std::uint32_t> train_classes, test_classes;
  std::vector<double> train_targets, test_targets;
  std::vector<std::string> names;
  std::vector<std::string> words;  ///< of the classes, as cells hold them
  bool numbers = false;            ///< classes are numbers
  NumberStyle style;
  std::string rule;
};

struct LabelCells {
  const Table* table;
  std::vector<double> numbers;
  bool all_numbers = true;
};

/// Rows whose label is there. A word such as `none` is a class, unless all others are numbers.
struct LabelColumn {
  std::vector<std::size_t> rows;
  std::size_t unlabelled = 0;
};

LabelColumn labelled_rows(const Table& table, std::size_t column, const MissingWords& missing) {
  const ColumnReader reader(table, missing);
  const Cells cells = reader.cells(column, reader.style(column));
  const auto holds = [&](CellKind kind) {
    return std::find(cells.kinds.begin(), cells.kinds.end(), kind) != cells.kinds.end();
  };
  const bool numbers = table.kind(column) != ColumnKind::Category && !holds(CellKind::Text) &&
                       (holds(CellKind::Number) || holds(CellKind::NotFinite));
  LabelColumn labels;
  for (std::size_t r = 0; r < table.rows; ++r) {
    if (numbers ? cells.kinds[r] == CellKind::Missing
                : reader.missing_category(table.cell(r, column)))
      ++labels.unlabelled;
    else
      labels.rows.push_back(r);
  }
  return labels;
}

/// Leaves out the rows without a label, or says where the first one is; nothing if all have one.
std::optional<Table> with_labels(const Table& table, std::size_t column,
                                 const EncodeOptions& options, const MissingWords& missing,
                                 std::size_t& dropped) {
  const LabelColumn labels = labelled_rows(table, column, missing);
  if (labels.unlabelled == 0) return std::nullopt;
  if (!options.drop_unlabelled) {
    std::size_t first = 0;
    while (first < labels.rows.size() && labels.rows[first] == first) ++first;
    throw InputError(
        describe({table.file, table.lines[first]}, table.names[column],
                 fmt::format("a label in every row, found `{}`; {} of {} rows have none, "
                             "--drop-unlabelled leaves them out",
                             table.cell(first, column), labels.unlabelled, table.rows)));
  }
  if (labels.rows.empty())
    throw InputError(describe({table.file, 0}, table.names[column], "a label in at least one row"));
  dropped += labels.unlabelled;
  Table kept = table;
  kept.rows = labels.rows.size();
  kept.cells.clear();
  kept.lines.clear();
  for (const std::size_t r : labels.rows) {
    kept.lines.push_back(table.lines[r]);
    for (std::size_t c = 0; c < table.columns; ++c) kept.cells.push_back(table.cell(r, c));
  }
  return kept;
}

LabelCells read_labels(const Table& table, std::size_t column, const NumberStyle& style,
                       const MissingWords& missing) {
  const Cells read = ColumnReader(table, missing).cells(column, style);
  LabelCells cells{&table, read.values, true};
  for (std::size_t r = 0; r < table.rows; ++r) {
    if (read.kinds[r] == CellKind::NotFinite)
      throw InputError(describe({table.file, table.lines[r]}, table.names[column],
                                fmt::format("a finite number, found `{}`", table.cell(r, column))));
    cells.all_numbers = cells.all_numbers && read.kinds[r] == CellKind::Number;
  }
  if (table.kind(column) == ColumnKind::Category) cells.all_numbers = false;
  return cells;
}

void take_classes(const LabelCells& train, const LabelCells* test, std::size_t column,
                  bool as_numbers, Labels& out) {
  const Table& table = *train.table;
  // Order of classes: numeric where labels are numbers, else by bytes; never by first appearance.
  std::map<double, std::uint32_t> by_number;
  std::map<std::string_view, std::uint32_t> by_text;
  for (std::size_t r = 0; r < table.rows; ++r) {
    if (as_numbers)
      by_number.emplace(train.numbers[r] + 0.0, 0);
    else
      by_text.emplace(table.cell(r, column), 0);
    if (std::max(by_number.size(), by_text.size()) > kGreatestClasses)
      throw InputError(describe({table.file, table.lines[r]}, table.names[column],
                                fmt::format("at most {} classes; a number to predict needs the "
                                            "task regression",
                                            kGreatestClasses)));
  }
  for (auto& [value, index] : by_number) {
    index = static_cast<std::uint32_t>(out.names.size());
    out.names.push_back(fmt::format("{}", value));
  }
  for (auto& [value, index] : by_text) {
    index = static_cast<std::uint32_t>(out.names.size());
    out.names.emplace_back(value);
  }
  if (out.names.size() < 2)
    throw InputError(
        describe({table.file, 0}, table.names[column],
                 fmt::format("at least two classes, every row says `{}`", out.names.front())));
  const auto index_of = [&](const LabelCells& cells, std::size_t r) {
    if (as_numbers) {
      const auto found = by_number.find(cells.numbers[r] + 0.0);
      if (found != by_number.end()) return found->second;
    } else {
      const auto found = by_text.find(cells.table->cell(r, column));
      if (found != by_text.end()) return found->second;
    }
    throw InputError(
        describe({cells.table->file, cells.table->lines[r]}, cells.table->names[column],
                 fmt::format("a class met in training, found `{}`", cells.table->cell(r, column))));
  };
  for (std::size_t r = 0; r < table.rows; ++r) out.train_classes.push_back(index_of(train, r));
  if (test != nullptr)
    for (std::size_t r = 0; r < test->table->rows; ++r)
      out.test_classes.push_back(index_of(*test, r));
  out.words = out.names;
  out.numbers = as_numbers;
  if (table.class_names.size() == out.names.size()) {
    out.names = table.class_names;
  }
}

/// `3O` among a hundred numbers is a slip of the pen, not a class of its own.
void refuse_odd_labels(const Table& table, std::size_t column, const NumberStyle& style,
                       const MissingWords& missing) {
  if (table.kind(column) == ColumnKind::Category) return;
  const Cells cells = ColumnReader(table, missing).cells(column, style);
  std::size_t odd = 0;
  std::size_t first = 0;
  for (std::size_t r = table.rows; r-- > 0;)
    if (cells.kinds[r] == CellKind::Text) {
      ++odd;
      first = r;
    }
  if (odd == 0 || 20 * odd > table.rows) return;
  throw InputError(describe(
      {table.file, table.lines[first]}, table.names[column],
      fmt::format("a number as in the other rows, found `{}`; the task classification takes it as "
                  "a class",
                  table.cell(first, column))));
}

Labels decide_labels(const Table& train, const Table* test, std::size_t column,
                     const std::string& task, const MissingWords& missing) {
  const NumberStyle style = ColumnReader(train, missing).style(column);
  const LabelCells train_cells = read_labels(train, column, style, missing);
  std::optional<LabelCells> test_cells;
  if (test != nullptr) test_cells = read_labels(*test, column, style, missing);
  const bool numbers = train_cells.all_numbers && (!test_cells || test_cells->all_numbers);

  Labels out;
  out.style = style;
  if (task == "classification") {
    out.rule = "classification as asked";
  } else if (task == "regression") {
    out.regression = true;
    out.rule = "regression as asked";
  } else if (!train_cells.all_numbers) {
    refuse_odd_labels(train, column, style, missing);
    out.rule = "classification: labels that are not numbers";
  } else {
    std::map<double, int> distinct;
    bool whole = true;
    for (const double value : train_cells.numbers) {
      whole = whole && value == std::floor(value);
      if (whole && distinct.size() <= kGreatestAutoClasses) distinct.emplace(value, 0);
    }
    out.regression = !whole || distinct.size() > kGreatestAutoClasses;
    out.rule =
        out.regression
            ? fmt::format("regression: numbers, not at most {} whole ones", kGreatestAutoClasses)
            : fmt::format("classification: at most {} whole numbers", kGreatestAutoClasses);
  }
  if (!out.regression) {
    take_classes(train_cells, test_cells ? &*test_cells : nullptr, column, numbers, out);
    return out;
  }
  for (const Table* table : {&train, test}) {
    if (table == nullptr) continue;
    for (std::size_t r = 0; r < table->rows; ++r) {
      double value = 0.0;
      if (read_styled(table->cell(r, column), style, value) != CellKind::Number)
        throw InputError(describe(
            {table->file, table->lines[r]}, table->names[column],
            fmt::format("a number, as regression needs, found `{}`", table->cell(r, column))));
    }
  }
  out.train_targets = train_cells.numbers;
  if (test_cells) out.test_targets = test_cells->numbers;
  return out;
}

void set_targets(Split& split, const std::vector<double>& train, const std::vector<double>& test,
                 const Place& place, const std::string& field) {
  double mean = 0.0;
  for (const double t : train) mean += t;
  mean /= static_cast<double>(train.size());
  double variance = 0.0;
  for (const double t : train) variance += (t - mean) * (t - mean);
  const double scale = std::sqrt(variance / static_cast<double>(train.size()));
  if (!(scale > 1e-12 * std::abs(mean)) || scale == 0.0)
    throw InputError(
        describe(place, field, "targets of at least two different values in training"));
  const auto standardised = [&](const std::vector<double>& values) {
    std::vector<float> out;
    out.reserve(values.size());
    for (const double v : values) out.push_back(static_cast<float>((v - mean) / scale));
    return out;
  };
  split.train.targets = standardised(train);
  split.test.targets = standardised(test);
  for (Dataset* part : {&split.train, &split.test}) {
    part->target_mean = mean;
    part->target_scale = scale;
  }
}

void check_share(double share) {
  if (!(share > 0.0 && share < 1.0))
    throw InputError(describe({}, "test_share", "a share between 0 and 1, ends excluded"));
}

template <class T>
std::vector<T> selected(const std::vector<T>& values, const std::vector<std::size_t>& rows) {
  std::vector<T> out;
  out.reserve(rows.size());
  if (!values.empty())
    for (const std::size_t r : rows) out.push_back(values[r]);
  return out;
}

std::vector<std::size_t> others(std::size_t rows, const std::vector<std::size_t>& taken) {
  std::vector<std::size_t> out;
  out.reserve(rows - taken.size());
  std::size_t next = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    if (next < taken.size() && taken[next] == r)
      ++next;
    else
      out.push_back(r);
  }
  return out;
}

std::vector<std::size_t> all_rows(std::size_t rows) {
  std::vector<std::size_t> out(rows);
  for (std::size_t r = 0; r < rows; ++r) out[r] = r;
  return out;
}

/// How many rows each class gives: its share rounded. Where rounding many small classes would miss
/// the share of the whole by more than a hundredth of the rows, what is left of a row is carried on
/// from class to class. A class keeps at least one row for training.
std::vector<std::size_t> held_out_counts(const std::vector<std::vector<std::size_t>>& groups,
                                         std::size_t rows, double test_share) {
  const double wanted = test_share * static_cast<double>(rows);
  std::vector<std::size_t> counts;
  double total = 0.0;
  for (const std::vector<std::size_t>& group : groups) {
    const auto rounded =
        static_cast<std::size_t>(std::lround(test_share * static_cast<double>(group.size())));
    counts.push_back(group.empty() ? 0 : std::min(rounded, group.size() - 1));
    total += static_cast<double>(counts.back());
  }
  if (std::abs(total - wanted) <= std::max(1.0, 0.01 * static_cast<double>(rows))) return counts;
  double owed = 0.0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    owed += test_share * static_cast<double>(groups[g].size());
    const std::size_t most = groups[g].empty() ? 0 : groups[g].size() - 1;
    counts[g] = std::min(static_cast<std::size_t>(std::max(0.0, std::floor(owed + 0.5))), most);
    owed -= static_cast<double>(counts[g]);
  }
  return counts;
}

}  // namespace

std::vector<std::size_t> held_out_rows(std::size_t rows, const std::vector<std::uint32_t>& labels,
                                       std::size_t classes, double test_share, std::uint64_t seed) {
  check_share(test_share);
  std::vector<std::vector<std::size_t>> groups(std::max<std::size_t>(classes, 1));
  for (std::size_t r = 0; r < rows; ++r) groups[labels.empty() ? 0 : labels[r]].push_back(r);
  const RandomStream stream(seed, "split");
  std::vector<std::size_t> out;
  std::uint64_t draw = 0;
  for (std::vector<std::size_t>& group : groups) {
    if (group.empty()) continue;
    for (std::size_t i = group.size() - 1; i > 0; --i)  // Fisher-Yates
      std::swap(group[i], group[stream.below(draw++, i + 1)]);
  }
  const std::vector<std::size_t> counts = held_out_counts(groups, rows, test_share);
  for (std::size_t g = 0; g < groups.size(); ++g)
    out.insert(out.end(), groups[g].begin(),
               groups[g].begin() + static_cast<std::ptrdiff_t>(counts[g]));
  if (out.empty())
    throw InputError(describe(
        {}, "test_share",
        fmt::format("a larger share, or more rows: none of {} rows would be held out", rows)));
  std::sort(out.begin(), out.end());
  return out;
}

Split split_rows(const Dataset& whole, double test_share, std::uint64_t seed) {
  const std::vector<std::size_t> test =
      held_out_rows(whole.rows, whole.labels, whole.classes, test_share, seed);
  const std::vector<std::size_t> train = others(whole.rows, test);
  const auto part = [&](const std::vector<std::size_t>& rows) {
    Dataset out;
    out.name = whole.name;
    out.rows = rows.size();
    out.columns = whole.columns;
    out.unsigned_features = whole.unsigned_features;
    out.classes = whole.classes;
    out.class_names = whole.class_names;
    out.feature_names = whole.feature_names;
    out.target_mean = whole.target_mean;
    out.target_scale = whole.target_scale;
    out.source = whole.source +
                 fmt::format("; {} of {} rows, split with seed {}", rows.size(), whole.rows, seed);
    out.features.reserve(rows.size() * whole.columns);
    for (const std::size_t r : rows) {
      const auto begin = whole.features.begin() + static_cast<std::ptrdiff_t>(r * whole.columns);
      out.features.insert(out.features.end(), begin,
                          begin + static_cast<std::ptrdiff_t>(whole.columns));
    }
    out.labels = selected(whole.labels, rows);
    out.targets = selected(whole.targets, rows);
    return out;
  };
  return {part(train), part(test)};
}

Split encode_tables(const Table& train_file, const Table* test_file, const EncodeOptions& options) {
  if (options.task != "auto" && options.task != "classification" && options.task != "regression")
    throw InputError(describe({}, "task", "one of auto, classification, regression"));
  const std::size_t label = find_label(train_file, options.labels);
  const MissingWords missing(options.missing);
  std::size_t dropped = 0;
  const std::optional<Table> train_kept = with_labels(train_file, label, options, missing, dropped);
  const Table& train = train_kept ? *train_kept : train_file;
  std::optional<Table> test_kept;
  if (test_file != nullptr && test_file->columns == train.columns)
    test_kept = with_labels(*test_file, label, options, missing, dropped);
  const Table* test = test_kept ? &*test_kept : test_file;
  if (test != nullptr) {
    if (test->columns != train.columns)
      throw InputError(describe(
          {test->file, test->lines[0]}, "row",
          fmt::format("{} cells as in {}, found {}", train.columns, train.file, test->columns)));
    if (test->has_header && train.has_header && test->names != train.names)
      throw InputError(
          describe({test->file, 1}, "header",
                   fmt::format("the same columns as {}: {}", train.file, some_names(train.names))));
  }
  std::vector<bool> categories(train.columns, false);
  for (const std::string& wanted : options.categories)
    categories[find_column(train, wanted, "categories")] = true;
  Labels labels = decide_labels(train, test, label, options.task, missing);

  std::vector<std::size_t> train_rows = all_rows(train.rows);
  std::vector<std::size_t> test_rows;
  const Table& test_table = test != nullptr ? *test : train;
  if (test != nullptr) {
    test_rows = all_rows(test->rows);
  } else {
    test_rows = held_out_rows(train.rows, labels.train_classes, labels.names.size(),
                              options.test_share, options.seed);
    train_rows = others(train.rows, test_rows);
  }
  Split split;
  EncodedColumns columns = encode_columns({&train, train_rows}, {&test_table, test_rows},
                                          test != nullptr, label, missing, categories);
  const std::string held =
      test != nullptr ? fmt::format("{} rows of {} held out", test->rows, test->file)
                      : fmt::format("{} rows held out (share {}, seed {}, {})", test_rows.size(),
                                    options.test_share, options.seed,
                                    labels.regression ? "unstratified" : "stratified by class");
  const std::string source = fmt::format(
      "{}: {} rows for training, {}{}; label `{}`; {}; {}", train.file, train_rows.size(), held,
      dropped > 0 ? fmt::format("; {} rows without a label left out", dropped) : "",
      train.names[label], labels.rule, columns.description);
  const auto fill = [&](Dataset& part, std::vector<float>&& features, std::size_t rows) {
    part.name = train.file.substr(train.file.find_last_of('/') + 1);
    part.rows = rows;
    part.columns = columns.names.size();
    part.features = std::move(features);
    part.feature_names = columns.names;
    part.source = source;
    part.class_names = labels.names;
    part.classes = labels.names.size();
  };
  fill(split.train, std::move(columns.train), train_rows.size());
  fill(split.test, std::move(columns.test), test_rows.size());
  auto encoding = std::make_shared<TableEncoding>();
  encoding->columns = std::move(columns.columns);
  encoding->label = train.names[label];
  encoding->label_words = labels.words;
  encoding->label_numbers = labels.numbers;
  encoding->label_written = written_as(labels.style);
  encoding->missing = options.missing;
  encoding->has_header = train.has_header;
  encoding->file_columns = train.columns;
  split.train.encoding = split.test.encoding = std::move(encoding);
  split.train.missing = std::move(columns.train_missing);
  split.test.missing = std::move(columns.test_missing);
  if (labels.regression) {
    const std::vector<double>& from = test != nullptr ? labels.test_targets : labels.train_targets;
    set_targets(split, selected(labels.train_targets, train_rows), selected(from, test_rows),
                {train.file, 0}, train.names[label]);
  } else {
    const std::vector<std::uint32_t>& from =
        test != nullptr ? labels.test_classes : labels.train_classes;
    split.train.labels = selected(labels.train_classes, train_rows);
    split.test.labels = selected(from, test_rows);
  }
  return split;
}

Dataset encode_idx(const IdxArray& images, const IdxArray& labels, const std::string& images_file,
                   const std::string& labels_file) {
  if (images.sizes.size() < 2)
    throw InputError(describe({images_file, 0}, "sizes",
                              "images have two dimensions or more; this looks like a label file"));
  if (labels.sizes.size() != 1)
    throw InputError(
        describe({labels_file, 0}, "sizes",
                 fmt::format("labels have one dimension, found {}", labels.sizes.size())));
  if (images.sizes[0] != labels.sizes[0])
    throw InputError(describe({labels_file, 0}, "sizes",
                              fmt::format("one label for each of {} images in {}, found {}",
                                          images.sizes[0], images_file, labels.sizes[0])));
  Dataset out;
  out.rows = images.sizes[0];
  out.columns = images.values.size() / out.rows;
  out.unsigned_features = true;
  out.features.resize(images.values.size());
  float scaled[256];
  for (int i = 0; i < 256; ++i) scaled[i] = static_cast<float>(i) / 255.0f;
  for (std::size_t i = 0; i < images.values.size(); ++i)
    out.features[i] = scaled[static_cast<unsigned char>(images.values[i])];
  std::uint32_t greatest = 0;
  out.labels.reserve(out.rows);
  for (const char c : labels.values) {
    out.labels.push_back(static_cast<unsigned char>(c));
    greatest = std::max(greatest, out.labels.back());
  }
  if (std::all_of(out.labels.begin(), out.labels.end(),
                  [&](std::uint32_t l) { return l == out.labels.front(); }))
    throw InputError(describe({labels_file, 0}, "label",
                              fmt::format("at least two classes, every label is {}", greatest)));
  out.classes = greatest + 1;
  for (std::uint32_t c = 0; c < out.classes; ++c) out.class_names.push_back(fmt::format("{}", c));
  out.name = images_file.substr(images_file.find_last_of('/') + 1);
  out.source = fmt::format("{} and {}: {} images, pixel / 255", images_file, labels_file, out.rows);
  return out;
}

}  // namespace carnot::learn
