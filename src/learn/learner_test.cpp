// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/learner.hpp"

#include <gtest/gtest.h>
