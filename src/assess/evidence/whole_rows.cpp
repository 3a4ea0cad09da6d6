// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "assess/evidence/readers.hpp"

namespace carnot::assess {

bool WholeRows::next() {
  while (true) {
    const auto state = table_.next();
    if (state == CsvStream::State::End) return false;
    ++evidence_.files[file_].rows;
    if (state != CsvStream::State::Broken) return true;
    refuse("row", fmt::format("{} fields, as in the header", table_.header().size()));
  }
}

void WholeRows::refuse(std::string_view field, std::string_view allowed) {
  evidence_.problem(file_, table_.line(), field, allowed);
  evidence_.settle(file_, Outcome::Unknown, "a row that cannot be read", table_.line());
}

}  // namespace carnot::assess
