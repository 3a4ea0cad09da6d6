// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Training by many devices instead of a data centre: what they compute, wait, send, and where.
///
///     compute   P_device F x passes / (peak x efficiency)      F: FLOP of the training, shared out
///     wait      P_still (wait - 1) x compute time               the fastest wait for the slowest
///     network   2 x rounds x devices x model bytes x kWh/GB     down and up
///     carbon    sum over places of share x intensity x joules
///
/// `passes`: work over that of the data centre's training, as devices with unlike data need more
/// rounds to the same quality. Who pays a PUE is the data centre alone. The devices' making, and
/// the network's share that is drawn whether or not anything is sent, are not counted.
///
/// Published findings it is held to: carbon from that of a data centre up to a hundred times as
/// much (Qiu et al., JMLR 24, 2023); training on devices outweighs communication where models are
/// small (GreenDFL, arXiv 2502.20242); slow devices multiply what the others waste.
///
/// Thread-safe: pure functions.

#include <string>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/model/catalogue/chips.hpp"

namespace carnot::model {

struct FederatedPlace {
  std::string location;  ///< as grid_intensity() knows it
  double share = 1;      ///< of the devices
};

struct FederatedOptions {
  double rounds = 100, devices = 100;  ///< devices a round
  double passes = 1;                   ///< > 0
  double wait = 1;                     ///< time of the slowest device over the mean, >= 1
  std::vector<FederatedPlace> places;  ///< shares sum to 1; empty: the world's mean
};

struct FederatedTraining {
  std::string device;
  Estimate<Energy> compute, wait, network, total;
  Estimate<Carbon> carbon;
  Time round;                               ///< of one round's computing on the slowest device
  double sent_bytes = 0;                    ///< all rounds, both ways
  double energy_over = 0, carbon_over = 0;  ///< over the data centre's
  std::string greatest;                     ///< "compute", "wait" or "network"
};

/// \param flops, model_bytes  of the training, of the model sent
/// \param centre, centre_carbon  the same training in a data centre
/// \throws InputError naming the option; for a device without a peak or tdp
FederatedTraining federated_training(const Chip& device, double flops, double model_bytes,
                                     const FederatedOptions& options,
                                     const Estimate<Energy>& centre,
                                     const Estimate<Carbon>& centre_carbon);

}  // namespace carnot::model
