// SPDX-License-Identifier: Apache-2.0
#pragma once

// An orthogonal change of basis of a row of features. One great value among n, or a column that is
// rarely far from zero, takes the whole range of an integer row; rotated, its weight lies on all of
// them, and a row looks like Gaussian noise whatever the table is. Standardised (signed) data are
// stored rotated in the integer precisions, and the coefficients that meet them live in the same
// basis, so that no product and no gradient step changes: (R x)' (R w) = x' w.
//
// R = H2 D2 H1 D1: D are fixed signs, H1 the normalised Walsh-Hadamard transform of the first P
// columns, H2 of the last P, P the greatest power of two that is at most n; if P = n, H1 D1 alone.
// Any n, no padding, O(n log n). Sources: Hadamard rotation before quantisation, Ashkboos et al.,
// "QuaRot", NeurIPS 2024; random signs, Ailon & Chazelle 2009.

#include <cstddef>
#include <cstdint>

namespace carnot::learn {

/// x = R x, in place.
void rotate(float* x, std::size_t n) noexcept;
/// x = R' x, in place: undoes `rotate` but for rounding.
void rotate_back(float* x, std::size_t n) noexcept;
/// Adds and multiplies (binary32) of rotating one row of n.
std::uint64_t rotation_operations(std::size_t n) noexcept;

}  // namespace carnot::learn
