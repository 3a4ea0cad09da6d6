// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/source.hpp"

namespace carnot::meter {

std::unique_ptr<Source> open_ipmi(const SourceOptions&, std::vector<Note>&) { return nullptr; }

}  // namespace carnot::meter
