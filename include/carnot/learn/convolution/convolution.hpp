// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A small convolutional network on images: after each convolution (3 x 3, a border of zeros, ReLU)
/// the greatest of every 2 x 2 pixels is kept; then a hidden layer of `hidden` ReLU units, then the
/// classes' scores (LeCun et al., Proc. IEEE 86, 1998). He-uniform weights, biases 0.
///
/// A convolution is a product of the 3 x 3 neighbourhoods, a row a pixel, with the weights of each
/// channel: rows of the operand are neighbourhoods, so all formats of `layers` apply, forward and
/// backward, with a scale a neighbourhood. Softmax cross-entropy, Adam, the learners' cosine
/// schedule; integers have masters of 16 bits. Images are rows of pixels, colours of a pixel side
/// by side, row by row; a minibatch has at most 2^16 pixels, so that sums stay in int32.
///
/// Same options and data: same bytes; for integers on every instruction set. One thread is used.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/network/learner.hpp"

namespace carnot::learn {

/// \param train  images with classes; must outlive the learner
/// \throws InputError if options and data do not fit
std::unique_ptr<Learner> make_convolution(const LearnerOptions& options, const Dataset& train);

/// \throws InputError naming what is allowed for images of `pixels` numbers
void check_convolution(const ConvolutionOptions& options, std::size_t pixels);

struct ImageSize {
  std::size_t height = 0, width = 0, colours = 1;
};
/// As the options say; else square, of one colour or three. \throws InputError
ImageSize image_size(const ConvolutionOptions& options, std::size_t pixels);

/// "28 x 28 pixels, convolutions of 16 and 32 channels".
std::string shape_text(const ConvolutionOptions& options, std::size_t pixels);

/// Rows of each entry of Learner::parameters, for coded models.
std::vector<std::size_t> convolution_rows(const std::vector<std::vector<float>>& parameters);

/// The decoder's way (as model_forward.hpp): plain loops in binary32.
/// \param parameters  weights [channels x (row, column, channel before)] and biases of each
///                    convolution, of the hidden layer, of the scores
/// \return [rows x classes] probabilities
/// \throws InputError unless the coefficients are those of such a network
std::vector<float> convolution_forward(const ConvolutionOptions& options,
                                       const std::vector<std::vector<float>>& parameters,
                                       const Dataset& data, std::size_t first, std::size_t rows);
/// Code length in bits of the labels of the first `rows` rows.
double convolution_label_bits(const ConvolutionOptions& options,
                              const std::vector<std::vector<float>>& parameters,
                              const Dataset& data, std::size_t rows);
/// What predicting `rows` rows in binary32 counts. \param hidden  units
Counters convolution_predict_counters(const ConvolutionOptions& options, std::size_t pixels,
                                      std::size_t hidden, std::size_t classes, std::size_t rows);

}  // namespace carnot::learn
