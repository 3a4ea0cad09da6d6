// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Ways to search the unit cube for a low loss while joules are spent, as objects that are asked
/// what to try and told what came of it. They train nothing themselves, so the same object searches
/// hyperparameters and test functions.
///
/// **frugal**: randomised direct search from the cheapest corner (FLOW2 of Wu, Wang & Huang,
/// "Frugal optimization for cost-related hyperparameters", AAAI 2021): from the incumbent x a
/// random unit direction v is tried as x + d v, then x - d v; the first that is better is the new
/// incumbent and d grows by half, to its first length at most; after as many failures as the cube
/// has dimensions d halves. It runs on a small share of the data first. Once d has come to a fifth,
/// or after 24 trials, the best few are tried anew on `eta` times the data, as in successive
/// halving (Jamieson & Talwalkar, AISTATS 2016; of n trials of a rung n / eta go on, three at
/// most), and the search goes on from the best of them, up to all the data. It ends by itself.
///
/// **bayes**: Gaussian processes (gaussian_process.hpp) of the loss and of the logarithm of the
/// joules; the next trial has the greatest expected improvement a joule (after Snoek, Larochelle &
/// Adams, NeurIPS 2012, who divide by seconds) of some hundred random points and neighbours of the
/// best. It begins with the cheapest corner and a few random points and ends after `iterations`.
///
/// **random** (Bergstra & Bengio, JMLR 2012) and **grid**, cell centres in random order, are the
/// rivals: all of the data each time, ending after `iterations` or the grid.
///
/// A method is a function of its options and what it was told; one thread at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::learn {

struct SearchProposal {
  std::vector<double> at;  ///< shape [dimensions], in [0, 1]
  double share = 1.0;      ///< of the training rows, (0, 1]
  std::string why;         ///< "start", "+", "-", "promoted", "random", ...
};

struct SearchMethodOptions {
  std::vector<double> start;  ///< shape [dimensions]: the cheapest corner
  std::uint64_t seed = 1;
  std::size_t iterations = 50;    ///< of bayes and random, at most; and of grid
  double eta = 4.0;               ///< of halving, > 1
  double least_share = 1.0 / 16;  ///< of the data on the first rung, (0, 1]
};

class SearchMethod {
 public:
  virtual ~SearchMethod() = default;
  /// What to try next; nothing once the method is at its end.
  virtual std::optional<SearchProposal> next() = 0;
  /// What came of it. \param loss  lower is better; not finite: of no use  \param joules  > 0
  virtual void tell(const SearchProposal& tried, double loss, double joules) = 0;
};

/// "frugal", "bayes", "random", "grid".
const std::vector<std::string>& search_method_names();

/// \throws InputError for an unknown name (names all) or options out of range
std::unique_ptr<SearchMethod> make_search_method(std::string_view name,
                                                 const SearchMethodOptions& options);

/// Shares of the rungs of successive halving, rising to 1: eta^-k for k = K .. 0, the least one not
/// below `least`. \throws InputError unless eta > 1 and 0 < least <= 1
std::vector<double> halving_shares(double eta, double least);

/// How many of n trials of a rung go on to the next one: floor(n / eta), at least 1 and at most 3.
std::size_t halving_promotions(std::size_t n, double eta) noexcept;

}  // namespace carnot::learn
