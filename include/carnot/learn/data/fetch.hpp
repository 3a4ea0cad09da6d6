// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Getting public data sets: `carnot data get mnist`. A set is a manifest of files with the SHA-256
/// of their *unpacked* content, which is the authority: mirrors pack the same content differently.
/// Each file is taken from the first mirror that gives the right content; a download goes to
/// `NAME.part` and is continued where it was cut (HTTP Range; from the start where a server does
/// not know ranges), checked, then renamed in one step. What is there and right is not fetched
/// again. The library never prints: progress goes to a callback. One thread at a time for a folder.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace carnot::learn {

/// One file of a set.
struct RemoteFile {
  std::string name;                  ///< on the mirror and in the folder, such as "a-ubyte.gz"
  std::string content_sha256;        ///< of the unpacked content, lower-case hexadecimal
  std::uint64_t content_bytes = 0;   ///< of the unpacked content
  std::uint64_t download_bytes = 0;  ///< about; for messages only
};

struct RemoteSet {
  std::string name;
  std::string licence;
  std::vector<std::string> mirrors;  ///< URL prefixes, tried in order
  std::vector<RemoteFile> files;
};

/// The sets known by name. The default mirrors are public copies of long standing; they are tried,
/// not trusted.
const std::vector<RemoteSet>& remote_sets();
/// \throws InputError naming the known sets
const RemoteSet& find_remote_set(const std::string& name);

/// Where sets are kept: $CARNOT_DATA, else $XDG_DATA_HOME/carnot, else ~/.local/share/carnot.
std::string default_data_directory();

/// Prefixes from `text`: one a line, `#` begins a comment; `NAME PREFIX` lines hold for one set.
/// \throws InputError (`file:line: mirror: ...`) for anything that is no http, https or file URL
std::vector<std::string> parse_mirrors(const std::string& text, const std::string& file,
                                       const std::string& set);

struct FetchProgress {
  std::string file, mirror;
  std::uint64_t bytes = 0;  ///< so far, resumed part included
  std::uint64_t total = 0;  ///< 0: not known
};

struct FetchOptions {
  std::string directory;             ///< kept in DIRECTORY/NAME; empty: the default
  std::vector<std::string> mirrors;  ///< before all others
  std::string mirrors_file;          ///< text file of prefixes, next
  bool offline = false;              ///< only look at what is there
  double timeout_s = 30.0;           ///< without a byte, before the next mirror is tried
  /// Return false to stop (the part stays and is continued next time). May be empty.
  std::function<bool(const FetchProgress&)> progress;
};

struct FetchedFile {
  std::string path;
  std::string mirror;              ///< empty: was there already
  std::uint64_t bytes = 0;         ///< size on disk
  std::uint64_t resumed_from = 0;  ///< bytes that an earlier part contributed
};

struct FetchResult {
  std::string directory;
  std::vector<FetchedFile> files;
  std::vector<std::string> notes;  ///< what went wrong on the way: mirrors skipped and why
  bool stopped = false;            ///< by the callback
};

/// Mirrors in order: options.mirrors, $CARNOT_MIRRORS (separated by blanks or commas), the mirrors
/// file, the manifest's own.
/// \throws InputError for an unknown set or a bad mirror; IoError when a file is not to be had from
///         any mirror (each with its reason), when the disk is full or read-only, or when offline
///         and something is missing
FetchResult fetch(const RemoteSet& set, const FetchOptions& options);

/// SHA-256 in lower-case hexadecimal. \throws IoError
std::string sha256_hex(const void* data, std::size_t size);

}  // namespace carnot::learn
