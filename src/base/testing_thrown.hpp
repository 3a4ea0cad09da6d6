// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests only: the message of the exception that a call throws.

#include <string>

#include <gtest/gtest.h>

namespace carnot::inline base {

/// What `E` says when `call` throws it; a failed expectation and "" if it throws nothing. Any other
/// exception passes through and fails the test.
template <class E, class Call>
std::string thrown(Call call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace carnot::inline base
