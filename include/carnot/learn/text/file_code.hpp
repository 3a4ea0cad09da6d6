// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Any file as a message that its receiver unpacks to the bit: the byte predictor behind a binary
/// arithmetic coder, block by block, each under a checksum. The format is
/// docs/formats/coded-file.md.
///
/// Memory is that of the predictor and two blocks, however long the file. Where a block of the file
/// came out no shorter than it was, nothing is being learned: the next 128 KiB are stored unread
/// and only 4 KiB after them tried again, so that noise costs a thirtieth of the joules of
/// learning.
///
/// Decoding trusts nothing: each length is held against its bound and each block against its
/// checksum before it is used, and no byte is handed on that does not match the checksum of what
/// was encoded.
///
/// Same bytes and knobs, same message, on any machine. Functions; safe from any thread if the
/// source and the sink are.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/text/predictor.hpp"

namespace carnot::learn {

/// Fills the span; less only at the end.
using ByteSource = std::function<std::size_t(std::span<std::uint8_t>)>;
using ByteSink = std::function<void(std::span<const std::uint8_t>)>;

struct FileCodeProgress {
  std::uint64_t plain_bytes = 0, coded_bytes = 0;
};

struct FileCodeOptions {
  PredictorOptions predictor;                             ///< of encoding; a message brings its own
  bool always_learn = false;                              ///< also from what cannot be learned
  std::function<void(const FileCodeProgress&)> progress;  ///< may be empty
  StopToken stop;
};

/// Where the coding stood after a block.
struct FileCodePoint {
  std::uint64_t plain_bytes = 0, coded_bytes = 0;
  Counters counters;
};

struct FileCodeResult {
  PredictorOptions predictor;
  std::uint64_t plain_bytes = 0, coded_bytes = 0;
  std::uint64_t learned_bytes = 0;  ///< bytes that the predictor went through
  std::uint64_t blocks = 0;
  Counters counters;
  std::vector<FileCodePoint> curve;  ///< some 30 to 60 of the blocks, the last among them

  double bits_per_byte() const noexcept;  ///< 0 for no bytes
  /// Bits that the message is shorter than the file; negative if it is longer.
  double bits_learned() const noexcept;
};

/// \throws InputError for a knob out of range; Stopped; what source and sink throw
FileCodeResult encode_file(const ByteSource& source, const ByteSink& sink,
                           const FileCodeOptions& options);
/// \throws InputError for a message that is damaged, cut short, goes on after its end, or is of
/// another format; Stopped; what source and sink throw
FileCodeResult decode_file(const ByteSource& source, const ByteSink& sink,
                           const FileCodeOptions& options);

/// The first bytes of every message.
inline constexpr char kFileCodeMagic[] = "carnotB\n";

}  // namespace carnot::learn
