# SPDX-License-Identifier: Apache-2.0
# Everything from outside, in one table: `target | arguments of find_package | Debian package`.
# A package is looked for when the first room links its target, and only those that were linked are
# asked for by the installed carnotConfig.cmake (cmake/CarnotInstall.cmake).
set(CARNOT_DEPENDENCY_TABLE
    "CLI11::CLI11              | CLI11                  | libcli11-dev"
    "CURL::libcurl             | CURL                   | libcurl4-openssl-dev"
    "Eigen3::Eigen             | Eigen3                 | libeigen3-dev"
    "OpenSSL::Crypto           | OpenSSL                | libssl-dev"
    "OpenSSL::SSL              | OpenSSL                | libssl-dev"
    "SQLite::SQLite3           | SQLite3                | libsqlite3-dev"
    "Threads::Threads          | Threads                | libc6-dev"
    "ZLIB::ZLIB                | ZLIB                   | zlib1g-dev"
    "fmt::fmt                  | fmt                    | libfmt-dev"
    "nlohmann_json::nlohmann_json | nlohmann_json       | nlohmann-json3-dev"
    "onednn::onednn            | onednn MODULE          | libdnnl-dev"
    "tomlplusplus::tomlplusplus | tomlplusplus          | libtomlplusplus-dev")

set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # a room's find must serve the rooms above it
set(THREADS_PREFER_PTHREAD_FLAG ON)

# carnot_need(WHO target...): finds the package of each outside target; stops with the Debian
# package to install when it is missing. Targets of carnot itself and plain flags pass through.
function(carnot_need who)
  foreach(target IN LISTS ARGN)
    if(NOT target MATCHES "^[A-Za-z0-9_]+::" OR target MATCHES "^carnot::")
      continue()
    endif()
    set(found FALSE)
    foreach(row IN LISTS CARNOT_DEPENDENCY_TABLE)
      string(REGEX REPLACE " *\\| *" "|" row "${row}")
      string(REPLACE "|" ";" row "${row}")
      list(GET row 0 row_target)
      if(NOT row_target STREQUAL target)
        continue()
      endif()
      set(found TRUE)
      list(GET row 1 arguments)
      list(GET row 2 debian)
      separate_arguments(arguments)
      list(GET arguments 0 package)
      if(NOT TARGET ${target})
        find_package(${arguments} QUIET)
      endif()
      if(NOT TARGET ${target})
        message(FATAL_ERROR "${who} needs ${target}: install the Debian package `${debian}` "
                            "(./demo and ./test do), then configure again")
      endif()
      set_property(GLOBAL APPEND PROPERTY CARNOT_USED_PACKAGES ${package})
      set_property(GLOBAL APPEND PROPERTY CARNOT_USED_DEBIAN ${debian})
    endforeach()
    if(NOT found)
      message(FATAL_ERROR "${who} links ${target}, which cmake/CarnotDependencies.cmake does not list")
    endif()
  endforeach()
endfunction()

# oneDNN is the one optional library: matrix products run without it, slower.
if(CARNOT_WITH_ONEDNN)
  find_package(onednn MODULE QUIET)
  if(onednn_FOUND)
    message(STATUS "oneDNN: yes (${onednn_LIBRARY})")
  else()
    message(STATUS "oneDNN: no. Matrix products use carnot's own kernels, several times slower; "
                   "install libdnnl-dev to change that")
  endif()
else()
  message(STATUS "oneDNN: no (CARNOT_WITH_ONEDNN is OFF)")
endif()
