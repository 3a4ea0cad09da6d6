// SPDX-License-Identifier: Apache-2.0
#include "learn/network/data_copies.hpp"

#include <bit>
#include <compare>
#include <cstring>
#include <mutex>

#include "carnot/base/error.hpp"

#include "learn/kernels/kernel_table.hpp"
#include "learn/kernels/memory.hpp"
#include "learn/network/rotation.hpp"

namespace carnot::learn {

namespace {

/// Key of a copy: hundreds of learners may train on one data set, which then is copied once a
/// width. A copy lives as long as a learner that holds it, and the data set lives longer, so the
/// address tells data sets apart; the fingerprint is for one that was changed in place.
struct CopyKey {
  const Dataset* data;
  std::uint64_t fingerprint;
  int kind;
  auto operator<=>(const CopyKey&) const = default;
};

template <class Copy, class Make>
std::shared_ptr<const Copy> shared_copy(const Dataset& data, int kind, Make make) {
  static std::mutex mutex;
  static std::map<CopyKey, std::weak_ptr<const Copy>> copies;
  const CopyKey key{&data, fingerprint(data), kind};
  // Held while the copy is made: others want that copy, not a second one.
  const std::lock_guard lock(mutex);
  std::erase_if(copies, [](const auto& entry) { return entry.second.expired(); });
  if (auto there = copies[key].lock()) return there;
  auto made = std::make_shared<const Copy>(make());
  copies[key] = made;
  return made;
}

constexpr int kUpperPlane = -2, kLowerPlane = -1;  // other kinds are numbers of bits

}  // namespace

void DataCopies::make(int bits) {
  if (bits == 32) return;
  const std::size_t columns = data_->columns;
  if (bits == 16) {
    if (half_ != nullptr) return;
    half_ = shared_copy<AlignedBytes>(*data_, bits, [&] {
      const std::size_t stride = padded(columns, 32);
      AlignedBytes half(data_->rows * stride * 2);
      for (std::size_t r = 0; r < data_->rows; ++r) {
        kernels().to_bf16(data_->features.data() + r * columns, columns, 1.0f,
                          as<std::uint16_t>(half) + r * stride);
      }
      return half;
    });
    return;
  }
  if (planar(bits)) {
    if (upper_ == nullptr) make_planes();
    return;
  }
  if (packed_.contains(bits)) return;
  const Format format = data_->unsigned_features ? Format::UnitInterval : Format::Symmetric;
  packed_[bits] = shared_copy<PackedMatrix>(*data_, bits, [&] {
    if (!data_->unsigned_features) {
      std::vector<float> rotated = data_->features;
      for (std::size_t r = 0; r < data_->rows; ++r) rotate(rotated.data() + r * columns, columns);
      return PackedMatrix(rotated.data(), data_->rows, columns, bits, format);
    }
    return PackedMatrix(data_->features.data(), data_->rows, columns, bits, format);
  });
}

void DataCopies::make_planes() {
  const std::size_t columns = data_->columns;
  const auto plane = [&](int shift) {
    return PackedMatrix(data_->rows, columns, 4, [&](std::size_t r, std::uint8_t* out) {
      const float* from = data_->features.data() + r * columns;
      kernels().to_bytes(from, columns, 255.0f, 0.0f, 255.0f, out);
      for (std::size_t c = 0; c < columns; ++c) {
        out[c] = static_cast<std::uint8_t>(out[c] >> shift & 15);
      }
    });
  };
  upper_ = shared_copy<PackedMatrix>(*data_, kUpperPlane, [&] { return plane(4); });
  lower_ = shared_copy<PackedMatrix>(*data_, kLowerPlane, [&] { return plane(0); });
  row_ = AlignedBytes(padded(columns, 128));
}

void DataCopies::gather(std::span<const std::uint32_t> rows, int bits, Batch& batch) const {
  const std::size_t columns = data_->columns;
  batch.rows = rows.size();
  batch.stride = padded(columns, 64);
  const std::size_t rows4 = padded(rows.size(), 4);
  const std::size_t element = bits == 32 ? 4 : bits == 16 ? 2 : 1;
  reserve(batch.values, rows4 * batch.stride * element);
  if (bits == 32) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::memcpy(as<float>(batch.values) + i * batch.stride,
                  data_->features.data() + rows[i] * columns, columns * sizeof(float));
    }
  } else if (bits == 16) {
    const std::size_t stride = padded(columns, 32);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::memcpy(as<std::uint16_t>(batch.values) + i * batch.stride,
                  as<std::uint16_t>(*half_) + rows[i] * stride, columns * 2);
    }
  } else if (planar(bits)) {
    batch.is_signed = false;
    batch.row_scale.assign(rows4, bits == 8 ? 1.0f / 255.0f : 1.0f / 15.0f);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::uint8_t* to = batch.values.data() + i * batch.stride;
      upper_->unpack(rows[i], to);
      if (bits == 4) continue;
      lower_->unpack(rows[i], row_.data());
      const std::uint8_t* low = row_.data();
      for (std::size_t k = 0; k < columns; ++k)
        to[k] = static_cast<std::uint8_t>(to[k] << 4 | low[k]);
    }
  } else {
    const PackedMatrix& packed = store(bits);
    batch.is_signed = packed.is_signed();
    batch.row_scale.resize(rows4);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      packed.unpack(rows[i], batch.values.data() + i * batch.stride);
      batch.row_scale[i] = packed.scale(rows[i]);
    }
  }
  if (data_->is_regression()) {
    batch.targets.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) batch.targets[i] = data_->targets[rows[i]];
  } else {
    batch.labels.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) batch.labels[i] = data_->labels[rows[i]];
  }
}

void DataCopies::prefetch(std::span<const std::uint32_t> rows, int bits) const noexcept {
  const std::uint8_t* base = nullptr;
  std::size_t stride = 0, length = 0;
  if (bits == 32) {
    base = reinterpret_cast<const std::uint8_t*>(data_->features.data());
    stride = length = data_->columns * 4;
  } else if (bits == 16) {
    base = half_->data();
    stride = padded(data_->columns, 32) * 2;
    length = data_->columns * 2;
  } else {
    base = store(bits).row(0);
    stride = length = store(bits).row_bytes();
  }
  for (const std::uint32_t r : rows) {
    const std::uint8_t* row = base + r * stride;
    for (std::size_t at = 0; at < length; at += 64) __builtin_prefetch(row + at, 0, 2);
  }
}

std::uint64_t fingerprint(const Dataset& data) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto mix = [&hash](std::uint64_t value) {
    hash = (hash ^ value) * 0x100000001b3u;
    hash ^= hash >> 29;
  };
  mix(data.rows);
  mix(data.columns);
  mix(data.classes);
  mix(data.unsigned_features ? 1 : 0);
  for (std::size_t i = 0; i < 257 && !data.features.empty(); ++i) {
    mix(std::bit_cast<std::uint32_t>(data.features[i * (data.features.size() - 1) / 256]));
  }
  for (std::size_t i = 0; i < 257 && !data.labels.empty(); ++i) {
    mix(data.labels[i * (data.labels.size() - 1) / 256]);
  }
  for (std::size_t i = 0; i < 257 && !data.targets.empty(); ++i) {
    mix(std::bit_cast<std::uint32_t>(data.targets[i * (data.targets.size() - 1) / 256]));
  }
  return hash;
}

}  // namespace carnot::learn
