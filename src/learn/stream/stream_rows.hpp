// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "carnot/base/random.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/data/encoding.hpp"
#include "carnot/learn/stream/stream.hpp"

#include "learn/stream/text_pieces.hpp"

namespace carnot::learn {

/// Rows of `from` whose number is in [first, last) behind those of `to`, which is like it.
void append_rows(Dataset& to, const Dataset& from, std::size_t first, std::size_t last);

/// Encoded rows of a delimited file, piece after piece, round and round.
class StreamRows {
 public:
  /// Reads the head. \throws InputError, InputFileError
  explicit StreamRows(const StreamOptions& options);

  /// The first pass: moments and counts. \throws Stopped
  void look();
  /// A table like the file's without rows, and its encoding.
  const Dataset& like() const noexcept { return like_; }
  std::uint64_t train_rows() const noexcept { return train_rows_; }
  std::uint64_t unlabelled() const noexcept { return unlabelled_; }
  const Dataset& held_out() const noexcept { return held_out_; }

  /// Appends the training rows of the next piece; behind the last one the first one comes again.
  void fill(Dataset& rows);

  /// Where `fill` goes on.
  struct Position {
    std::uint64_t offset = 0, row = 0, round = 0;
  };
  Position position() const noexcept { return {pieces_.offset(), row_, round_}; }
  /// Takes up what a checkpoint kept.
  void restore(const Dataset& like, const Position& at, Dataset held_out, std::uint64_t train_rows,
               std::uint64_t unlabelled);

 private:
  EncodedTable encode(std::string piece, bool first);
  bool held(std::uint64_t row) const noexcept;

  const StreamOptions& options_;
  TextPieces pieces_;
  std::string header_;  // line, where there is one
  Dataset like_, held_out_;
  RandomStream random_;
  double share_ = 0.0;
  std::uint64_t row_ = 0, round_ = 0, train_rows_ = 0, unlabelled_ = 0;
};

}  // namespace carnot::learn
