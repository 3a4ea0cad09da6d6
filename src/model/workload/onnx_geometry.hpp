// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Output sizes of sliding windows, as the ONNX standard defines them for Conv and the pools:
///
///     out = floor or ceil((in + pads - dilation (kernel - 1) - 1) / stride) + 1
///     SAME: out = ceil(in / stride)
///
/// and of transposed ones, and the shape of a matrix product.

#include "model/workload/onnx_node.hpp"

namespace carnot::model {

/// `space` and `kernel` without batch and channels; strides, dilations, pads, auto_pad and
/// ceil_mode from the node. \throws InputError
Dims window_output(const OnnxNodeContext& context, const Dims& space, const Dims& kernel);
Dims transposed_output(const OnnxNodeContext& context, const Dims& space, const Dims& kernel);

/// Sets output 0 of a numpy matrix product of `a` and `b`. \throws InputError, NotKnown
GemmShape matmul_shape(OnnxNodeContext& context, Dims a, Dims b, DataType type);

/// Counts a convolution of input `x` with kernel input `w`, `other` further operations an output.
void convolve(OnnxNodeContext& context, std::size_t x, std::size_t w, DataType type,
              std::uint64_t other);

/// The operator of a product of this shape, `other` and `special` operations an output element.
Operator* emit_product(OnnxNodeContext& context, KernelKind kind, const GemmShape& shape,
                       std::uint64_t other = 0, std::uint64_t special = 0);

}  // namespace carnot::model
