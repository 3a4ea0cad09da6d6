// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/data/dataset.hpp"

#include <array>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/learn/data/fetch.hpp"

#include "learn/data/digits_table.hpp"
#include "learn/data/encode.hpp"
#include "learn/data/idx.hpp"
#include "learn/data/table.hpp"

namespace carnot::learn {

namespace {

std::string located(const std::string& path, const std::string& data_dir) {
  if (data_dir.empty() || std::filesystem::path(path).is_absolute()) return path;
  const std::string inside = (std::filesystem::path(data_dir) / path).string();
  return file_exists(inside) ? inside : path;
}

void one_class_guard(const Dataset& data) {
  if (data.is_regression()) return;
  for (const std::uint32_t label : data.labels)
    if (label != data.labels.front()) return;
  throw InputError(
      describe({data.name, 0}, "label", "at least two classes among the training rows"));
}

/// `train-images-idx3-ubyte` -> `train-labels-idx1-ubyte`, if that is there.
std::string guessed_labels(const std::string& images) {
  const std::size_t at = images.rfind("images-idx3");
  if (at == std::string::npos) return "";
  std::string guess = images;
  guess.replace(at, std::string_view("images-idx3").size(), "labels-idx1");
  return file_exists(guess) ? guess : "";
}

Dataset idx_pair(const std::string& images_bytes, const std::string& images_file,
                 const std::string& labels, const std::string& data_dir) {
  std::string labels_file =
      labels.empty() ? guessed_labels(images_file) : located(labels, data_dir);
  if (labels_file.empty())
    throw InputError(describe({images_file, 0}, "labels", "the path of the IDX label file"));
  const std::string label_bytes = read_input(labels_file);
  return encode_idx(parse_idx(images_bytes, images_file), parse_idx(label_bytes, labels_file),
                    images_file, labels_file);
}

void agree(Dataset& train, Dataset& test) {
  if (train.columns != test.columns)
    throw InputError(describe(
        {test.name, 0}, "sizes",
        fmt::format("images of {} pixels as in training, found {}", train.columns, test.columns)));
  if (test.classes > train.classes)
    throw InputError(describe({test.name, 0}, "label",
                              fmt::format("a class met in training (0 to {}), found {}",
                                          train.classes - 1, test.classes - 1)));
  test.classes = train.classes;
  test.class_names = train.class_names;
}

Split load_idx(const DatasetOptions& options, const std::string& bytes, const std::string& file) {
  if (options.task == "regression")
    throw InputError(describe({file, 0}, "task", "classification: IDX labels are classes"));
  Dataset train = idx_pair(bytes, file, options.labels, options.data_dir);
  if (options.test_path.empty()) return split_rows(train, options.test_share, options.seed);
  const std::string test_file = located(options.test_path, options.data_dir);
  Dataset test = idx_pair(read_input(test_file), test_file, options.test_labels, options.data_dir);
  agree(train, test);
  return {std::move(train), std::move(test)};
}

Split load_mnist(const DatasetOptions& options) {
  const std::filesystem::path root =
      options.data_dir.empty() ? default_data_directory() : options.data_dir;
  // Kept by `fetch` in ROOT/mnist; a folder that holds the files itself serves as well. Unpacked
  // files are taken too.
  std::array<std::string, 4> paths;
  const std::vector<RemoteFile>& files = find_remote_set("mnist").files;
  CARNOT_CHECK(files.size() == paths.size(), "MNIST is four files");
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string packed = files[i].name;
    const std::string plain = packed.substr(0, packed.size() - 3);
    for (const std::filesystem::path& folder : {root / "mnist", root})
      for (const std::string& name : {packed, plain})
        if (paths[i].empty() && file_exists((folder / name).string()))
          paths[i] = (folder / name).string();
    if (paths[i].empty())
      throw InputFileError(
          fmt::format("{}: open: not there; get it with `carnot data get mnist`, or name "
                      "the folder that holds it as the data directory",
                      (root / "mnist" / packed).string()));
  }
  DatasetOptions pair = options;
  pair.path = paths[0];
  pair.labels = paths[1];
  pair.test_path = paths[2];
  pair.test_labels = paths[3];
  Split split = load_idx(pair, read_input(paths[0]), paths[0]);
  split.train.name = split.test.name = "mnist";
  return split;
}

Split load_text(const DatasetOptions& options, std::string bytes, const std::string& file) {
  EncodeOptions encode;
  encode.labels = options.labels;
  encode.task = options.task;
  encode.test_share = options.test_share;
  encode.seed = options.seed;
  encode.missing = options.missing;
  encode.categories = options.categories;
  encode.drop_unlabelled = options.drop_unlabelled;
  const Table train = read_table(std::move(bytes), file, options.labels, options.header);
  std::optional<Table> test;
  if (!options.test_path.empty()) {
    const std::string test_file = located(options.test_path, options.data_dir);
    test = read_table(read_input(test_file), test_file,
                      options.test_labels.empty() ? options.labels : options.test_labels,
                      options.header);
  }
  return encode_tables(train, test ? &*test : nullptr, encode);
}

}  // namespace

Dataset embedded_digits() {
  constexpr std::size_t kPixels = 64;
  constexpr float kGreatest = 16.0f;
  const std::string_view table = digits_table();
  Dataset out;
  out.name = "digits";
  out.columns = kPixels;
  out.unsigned_features = true;
  out.classes = 10;
  out.rows = table.size() / (kPixels + 2);
  CARNOT_CHECK(out.rows == 1797 && table.size() == out.rows * (kPixels + 2),
               "data/digits.txt has 1797 lines of 65 characters");
  out.features.reserve(out.rows * kPixels);
  for (std::size_t r = 0; r < out.rows; ++r) {
    const std::string_view line = table.substr(r * (kPixels + 2), kPixels + 1);
    for (std::size_t p = 0; p < kPixels; ++p) {
      const char c = line[p];
      out.features.push_back(static_cast<float>(c <= '9' ? c - '0' : c - 'a' + 10) / kGreatest);
    }
    out.labels.push_back(static_cast<std::uint32_t>(line[kPixels] - '0'));
  }
  for (char c = '0'; c <= '9'; ++c) out.class_names.emplace_back(1, c);
  for (std::size_t p = 0; p < kPixels; ++p)
    out.feature_names.push_back(fmt::format("pixel {},{}", p / 8 + 1, p % 8 + 1));
  out.source =
      "embedded: UCI Optical Recognition of Handwritten Digits, test part (Alpaydin, Kaynak 1998, "
      "CC BY 4.0), 1797 images of 8 x 8, pixel / 16";
  return out;
}

Split load_split(const DatasetOptions& options) {
  if (options.task != "auto" && options.task != "classification" && options.task != "regression")
    throw InputError(
        describe({}, "task",
                 fmt::format("one of auto, classification, regression, found `{}`", options.task)));
  if (options.path.empty())
    throw InputError(
        describe({}, "data", "digits, mnist, or the path of a CSV, TSV, ARFF, LibSVM or IDX file"));
  Split split;
  if (options.path == "digits" || options.path == "mnist") {
    if (options.task == "regression")
      throw InputError(describe({}, "task", "classification: the labels of digits are classes"));
    split = options.path == "mnist"
                ? load_mnist(options)
                : split_rows(embedded_digits(), options.test_share, options.seed);
  } else {
    const std::string file = located(options.path, options.data_dir);
    std::string bytes = read_input(file);
    if (bytes.empty())
      throw InputError(describe({file, 0}, "data", "something; the file is empty"));
    split = looks_like_idx(bytes) ? load_idx(options, bytes, file)
                                  : load_text(options, std::move(bytes), file);
  }
  one_class_guard(split.train);
  return split;
}

}  // namespace carnot::learn
