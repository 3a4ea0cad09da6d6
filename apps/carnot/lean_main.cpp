// SPDX-License-Identifier: Apache-2.0
// The commands that must start fast; all others are handed on to `carnot-all`.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "cli.hpp"

namespace {

constexpr const char* kRanks = "carnot-ranks";

constexpr std::array<std::string_view, 2> kHere = {"limits", "measure"};

/// Flags of `measure` that only the full program can serve.
constexpr std::array<std::string_view, 3> kFull = {"--experiment", "--store", "--sweep"};

/// Whether these words are for one of the commands above, without the flags above.
bool for_us(std::span<char*> words) {
  const auto command = std::find_if(words.begin(), words.end(),
                                    [](std::string_view word) { return !word.starts_with('-'); });
  if (command == words.end() || std::find(kHere.begin(), kHere.end(), *command) == kHere.end())
    return false;
  if (command != words.begin() && std::any_of(words.begin(), command, [](std::string_view word) {
        return word == "--help" || word == "-h" || word == "--version";
      }))
    return false;
  return std::none_of(
      command, std::find(command, words.end(), std::string_view("--")), [](std::string_view word) {
        return std::find(kFull.begin(), kFull.end(), word.substr(0, word.find('='))) != kFull.end();
      });
}

/// Whether a launcher of MPI jobs started this program as one rank of several.
bool is_a_rank() {
  const char* size = std::getenv("OMPI_COMM_WORLD_SIZE");
  return (size != nullptr && std::string_view(size) != "1") || std::getenv("PMIX_RANK") != nullptr;
}

/// Beside this program in a build tree, in libexec where both were installed. Returns only when
/// there is none.
int hand_on(const char* program, char** argv) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path beside = folder / program;
  const fs::path installed = folder.parent_path() / "libexec" / "carnot" / program;
  for (const fs::path& path : {beside, installed}) ::execv(path.c_str(), argv);
  return carnot::app::fail(
      carnot::app::kDevice,
      fmt::format("{} is needed for this and cannot be started: neither {} nor {}: {}{}", program,
                  beside.string(), installed.string(), std::strerror(errno),
                  std::string_view(program) == kRanks
                      ? "; it is built where libopenmpi-dev is installed"
                      : "")
          .c_str());
}

}  // namespace

int main(int argc, char** argv) {
  using namespace carnot;
  const std::span<char*> words(argv + 1, argv + std::max(1, argc));
  if (is_a_rank()) return hand_on(kRanks, argv);
  if (!for_us(words)) return hand_on("carnot-all", argv);
  return app::run_cli(argc, argv,
                      [](CLI::App& cli, const app::Common& common, app::Action& action) {
                        app::add_measure(cli, common, action, {});
                        app::add_limits(cli, common, action);
                      });
}
