// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Labelled data for the learners. Features are kept once in f32 [0, 1] or standardised form and,
/// on demand, as packed integer copies (see kernels.hpp); labels are class indices or real targets.
/// Inputs: delimited text with a label column (CSV, TSV, blanks), ARFF, LibSVM, IDX image/label
/// pairs, gzip of any and zip of one file (by content, not by name), the embedded UCI digits.
/// Datasets are immutable and may be read from many threads.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace carnot::learn {

struct TableEncoding;  // encoding.hpp

struct Dataset {
  std::string name;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<float> features;             ///< [rows x columns], row-major, finite
  bool unsigned_features = false;          ///< all in [0, 1]: images; else standardised, signed
  std::vector<std::uint32_t> labels;       ///< [rows], class index; empty for regression
  std::vector<float> targets;              ///< [rows], standardised; empty for classification
  std::size_t classes = 0;                 ///< 0 for regression
  std::vector<std::string> class_names;    ///< [classes]
  std::vector<std::string> feature_names;  ///< [columns] or empty
  double target_mean = 0.0, target_scale = 1.0;  ///< to undo the standardisation
  std::string source;                            ///< where from, for the report
  std::vector<std::uint64_t> missing;  ///< entries of `features` that were no number and filled;
                                       ///< ascending
  std::shared_ptr<const TableEncoding> encoding;  ///< of a table; null for images

  bool is_regression() const noexcept { return classes == 0; }
};

struct Split {
  Dataset train;
  Dataset test;  ///< held out: never trained on
};

/// Whether the first row of a delimited file is its header.
enum class HeaderRow : std::uint8_t {
  Found,  ///< as the rows below it say
  Present,
  Absent,
};

struct DatasetOptions {
  std::string path;    ///< "digits" (embedded), "mnist" (fetched), CSV/TSV or IDX file, gz of them
  std::string labels;  ///< IDX label file, or the CSV's label column (name, or 1-based number);
                       ///< empty: `label`, `class`, `target` or `y`; IDX: by the usual names
  std::string test_path;  ///< optional held-out files
  std::string test_labels;
  std::string task = "auto";  ///< auto | classification | regression; auto: labels that are not
                              ///< all numbers, or at most 20 whole ones, are classes
  double test_share = 0.25;   ///< of a seeded split when there is no test_path
  std::uint64_t seed = 1;
  HeaderRow header = HeaderRow::Found;
  std::vector<std::string> missing;     ///< words, or sentinel numbers such as -999, that stand for
                                        ///< a missing cell beside the known ones
  std::vector<std::string> categories;  ///< columns that are categories though they hold numbers
  bool drop_unlabelled = false;         ///< leave out rows without a label; else they are refused
  std::string data_dir;  ///< where relative paths are looked up first, and fetched sets are kept;
                         ///< empty: default_data_directory() of fetch.hpp for fetched sets
};

/// Columns of a table: numbers standardised, with decimal point or comma, grouped digits, a sign of
/// money or share, or dates (as seconds), as the whole column says; categories one 0/1 column a
/// level up to 64 levels, beyond that their standardised rank; missing numbers (empty, `?`, and
/// among numbers `NaN`, `null`, `none`, `N/A`, `-` and their like) take the mean, missing
/// categories (empty, `?`, `NA`) are a level; all fitted on the training rows and told in `source`.
/// Splits are stratified by class. \throws InputFileError (missing file), InputError (truncated gz;
/// `file:line: field: allowed`): label column
///         missing (nearest named), one class only, empty file, no data rows, ragged row, infinity,
///         bad IDX magic or length, images and labels of different number, non-numeric regression
///         target
Split load_split(const DatasetOptions& options);

/// The embedded set: UCI Optical Recognition of Handwritten Digits test part, 1797 x 64, 10 classes
/// (E. Alpaydin, C. Kaynak 1998, CC BY 4.0). See data/digits.md.
Dataset embedded_digits();

}  // namespace carnot::learn
