// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Three laws of the thermodynamics of learning, put to the test on systems small enough to follow
/// exactly (k_B = T = 1, information in nats).
///
/// **Learning in noise** (S. Goldt, U. Seifert, "Stochastic thermodynamics of learning", Phys. Rev.
/// Lett. 118, 010601, 2017). Weights w_n relax in a harmonic well that training moves by Hebb's
/// rule to f_n = (nu / sqrt N) sum over mu of sigma_T^mu xi_n^mu, for P = alpha N inputs xi whose
/// labels sigma_T are drawn one by one. What the perceptron's own labels tell of them, sum I = P
/// (ln 2 - S(eps)), is at most sum (dS + dQ): dS = 1/2 ln(1 + <f^2>) the rise of a weight's
/// entropy, dQ the heat of its relaxing. eta is their ratio. Where a teacher gives the labels, the
/// mean weights err on fresh inputs in arccos(R) / pi of cases, R the cosine between them and the
/// teacher (Goldt, Seifert, New J. Phys. 19, 113001, 2017). The labels of a teacher hang together,
/// so that the sum of what each tells is no bound there.
///
/// **Memory and prediction** (S. Still, D. Sivak, A. Bell, G. Crooks, Phys. Rev. Lett. 109, 120604,
/// 2012). A two-state system is driven by a two-state signal x and relaxes between its jumps. Of
/// the work of a jump I_mem - I_pred is dissipated, I_mem = I(s_t; x_t), I_pred = I(s_t; x_t+1):
/// what is remembered without foretelling costs heat. All that is dissipated is at least that.
///
/// **Mismatch** (D. Wolpert, A. Kolchinsky, New J. Phys. 22, 063047, 2020). A process that carries
/// out the map P without loss for inputs of distribution q produces, for inputs of p, EP = D(p ||
/// q) - D(Pp || Pq). Held against the heat of the process, state by state.
///
/// Functions of their arguments; safe from any thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace carnot::experiment {

struct NoisyLearning {
  double alpha = 0.0, nu = 0.0;                      ///< inputs per weight; strength of learning
  double information = 0.0;                          ///< sum of I, nats a weight
  double entropy = 0.0, heat = 0.0;                  ///< dS, dQ, a weight
  double efficiency = 0.0;                           ///< eta
  double error_measured = 0.0, error_formula = 0.0;  ///< of the mean weights on fresh inputs
};
/// \throws InputError unless weights >= 2, alpha > 0 and nu >= 0
NoisyLearning simulate_noisy_learning(std::size_t weights, double alpha, double nu,
                                      std::uint64_t seed);

struct DrivenMemory {
  double flip = 0.0, bias = 0.0, relax = 0.0;  ///< chance that x flips; energy; share that relaxes
  double memory = 0.0, prediction = 0.0;       ///< I_mem, I_pred, nats
  double dissipated_by_jumps = 0.0;            ///< work less free energy, a jump
  double dissipated = 0.0;                     ///< relaxing included
};
/// \param flip in [0, 1], bias >= 0, relax in (0, 1]. \throws InputError for others
DrivenMemory driven_memory(double flip, double bias, double relax);

struct Mismatch {
  std::string map;                       ///< "erase", "and", "copy"
  std::vector<double> actual, designed;  ///< p, q
  double heat = 0.0;                     ///< EF: to the bath
  double least = 0.0;                    ///< S(p) - S(Pp)
  double formula = 0.0;                  ///< D(p || q) - D(Pp || Pq)
};
/// \param map  [states x states], map[x][y] = chance of y from x
/// \throws InputError unless rows of the map, p and q are distributions and q has no zero where p
/// has none
Mismatch mismatch(const std::string& name, const std::vector<std::vector<double>>& map,
                  const std::vector<double>& actual, const std::vector<double>& designed);

struct ThermodynamicBounds {
  std::vector<NoisyLearning> learning;
  std::vector<DrivenMemory> memory;
  std::vector<Mismatch> mismatches;
};
/// The three, over a range of settings; a second at most.
ThermodynamicBounds check_bounds(std::uint64_t seed);

}  // namespace carnot::experiment
