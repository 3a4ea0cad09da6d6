// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Command lines made fit for pages and documents that are passed on: without secrets, and without
/// the folders of the machine they were typed on.
///
/// A word is hidden if it looks like a key of a service that marks its keys by a prefix (of the
/// public pattern lists of secret scanners), follows or is assigned to a name such as `--password`
/// or `API_TOKEN=`, or is a long run of random letters and digits. What hides too much costs a
/// reader a glance at the shell's history; what hides too little cannot be called back.
/// All functions are pure and thread-safe.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::inline base {

/// The word, or "[hidden]" for it or for what follows its `=`; absolute paths are cut to their last
/// component, URLs lose user, password and query.
std::string shareable_word(std::string_view word);

/// Every word of a command, those after the name of a secret ("--token", "-H") hidden as well.
std::vector<std::string> shareable_words(std::span<const std::string> words);

/// A command that somebody else wrote: its program's name, and how many arguments it was given.
/// "python3 (3 arguments)"
std::string shareable_program(std::span<const std::string> words);

}  // namespace carnot::inline base
