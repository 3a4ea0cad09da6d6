// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A folder of evidence. Every regular file below it is looked into and known by what it holds,
/// never by its name; gzip and zip (of one file) are unpacked. What is not understood is listed
/// with the reason. A file that is byte for byte another's copy is a duplicate as a whole. Reads in
/// the order of names, so the same folder gives the same evidence. Not thread-safe.

#include <functional>
#include <string>

#include "carnot/assess/evidence/evidence.hpp"

namespace carnot::assess {

/// \param progress  told the name of each file before it is read; may be empty
/// \throws InputFileError where the folder is none or cannot be listed
Evidence read_evidence(const std::string& folder,
                       const std::function<void(const std::string&)>& progress = {});

}  // namespace carnot::assess
