// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A saved model as an ONNX file, for programs that know ONNX and not carnot.
///
/// The graph does all that `carnot predict` does, from cells of a table on: numbers are
/// standardised in binary64, categories are looked up, missing ones go where training sent them.
/// Standard operators of opset 17 and of ai.onnx.ml 3 (trees, look-ups), IR version 8.
/// docs/formats/onnx.md names inputs and outputs. Coefficients are binary32: those of a model saved
/// with fewer bits are the numbers that the bits stand for.
///
/// Functions of values; safe from any thread.

#include <string>

#include "carnot/learn/saved/saved_model.hpp"

namespace carnot::learn {

/// The file's bytes; the same for the same model.
/// \throws InputError where the file would outgrow 2 GB, the most that ONNX allows in one
std::string to_onnx(const SavedModel& model);

}  // namespace carnot::learn
