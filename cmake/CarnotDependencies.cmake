# SPDX-License-Identifier: Apache-2.0
# Everything from outside, in one table: `target | arguments of find_package | Debian package`.
# All are looked for here; missing is an error only once something links the target, and only what
# a room links is asked for by the installed carnotConfig.cmake (cmake/CarnotInstall.cmake).
set(CARNOT_DEPENDENCY_TABLE
    "Boost::headers            | Boost                  | libboost-dev"
    "CLI11::CLI11              | CLI11                  | libcli11-dev"
    "CURL::libcurl             | CURL                   | libcurl4-openssl-dev"
    "Eigen3::Eigen             | Eigen3                 | libeigen3-dev"
    "MPI::MPI_CXX              | MPI COMPONENTS CXX     | libopenmpi-dev"
    "OpenSSL::Crypto           | OpenSSL                | libssl-dev"
    "OpenSSL::SSL              | OpenSSL                | libssl-dev"
    "OpenMP::OpenMP_CXX        | OpenMP COMPONENTS CXX  | g++"
    "SQLite::SQLite3           | SQLite3                | libsqlite3-dev"
    "Threads::Threads          | Threads                | libc6-dev"
    "ZLIB::ZLIB                | ZLIB                   | zlib1g-dev"
    "cbc::cbc                  | cbc MODULE             | coinor-libcbc-dev"
    "clp::clp                  | clp MODULE             | coinor-libclp-dev"
    "date::date-tz             | date                   | libhowardhinnant-date-dev"
    "fmt::fmt                  | fmt                    | libfmt-dev"
    "libpq::libpq              | libpq MODULE           | libpq-dev"
    "nlohmann_json::nlohmann_json | nlohmann_json       | nlohmann-json3-dev"
    "onednn::onednn            | onednn MODULE          | libdnnl-dev"
    "tomlplusplus::tomlplusplus | tomlplusplus          | libtomlplusplus-dev")

set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # a room's find must serve the rooms above it
set(THREADS_PREFER_PTHREAD_FLAG ON)

foreach(row IN LISTS CARNOT_DEPENDENCY_TABLE)
  string(REGEX REPLACE " *\\| *" ";" row "${row}")
  list(GET row 0 target)
  list(GET row 1 arguments)
  list(GET row 2 debian)
  separate_arguments(arguments)
  list(GET arguments 0 package)
  set_property(GLOBAL PROPERTY CARNOT_PACKAGE_OF_${target} ${package})
  list(JOIN arguments " " CARNOT_FIND_${package})  # as carnotConfig.cmake must repeat it
  set_property(GLOBAL PROPERTY CARNOT_DEBIAN_OF_${target} ${debian})
  if(NOT package STREQUAL "onednn" OR CARNOT_WITH_ONEDNN)
    find_package(${arguments} QUIET)
  endif()
endforeach()

# carnot_need(WHO target...): WHO links these. Stops with the Debian package to install when one is
# missing. Targets of carnot itself, plain flags and generator expressions pass through.
function(carnot_need who)
  foreach(target IN LISTS ARGN)
    if(NOT target MATCHES "^[A-Za-z0-9_]+::" OR target MATCHES "^carnot::")
      continue()
    endif()
    get_property(package GLOBAL PROPERTY CARNOT_PACKAGE_OF_${target})
    get_property(debian GLOBAL PROPERTY CARNOT_DEBIAN_OF_${target})
    if(NOT package)
      message(FATAL_ERROR "${who} links ${target}, which cmake/CarnotDependencies.cmake does not list")
    elseif(NOT TARGET ${target})
      message(FATAL_ERROR "${who} needs ${target}: install the Debian package `${debian}` "
                          "(./demo and ./test do), then configure again")
    endif()
    if(who MATCHES "^room ")
      set_property(GLOBAL APPEND PROPERTY CARNOT_USED_PACKAGES ${package})
      set_property(GLOBAL APPEND PROPERTY CARNOT_USED_DEBIAN ${debian})
    endif()
  endforeach()
endfunction()

# Who installs from a source distribution hears of all that is missing at once.
if(SKBUILD)
  set(required fmt::fmt nlohmann_json::nlohmann_json ZLIB::ZLIB Threads::Threads)
  if(NOT CARNOT_LIBRARY_ONLY)
    list(APPEND required CLI11::CLI11 Eigen3::Eigen SQLite::SQLite3 tomlplusplus::tomlplusplus)
  endif()
  set(absent)
  foreach(target IN LISTS required)
    if(NOT TARGET ${target})
      get_property(debian GLOBAL PROPERTY CARNOT_DEBIAN_OF_${target})
      list(APPEND absent ${debian})
    endif()
  endforeach()
  if(absent)
    list(JOIN absent " " absent)
    message(FATAL_ERROR "libraries are missing; on Debian or Ubuntu: apt-get install ${absent}")
  endif()
endif()

# Some libraries are optional. Without libcurl and OpenSSL nothing is fetched. Without date named time zones are refused, without CLP `carnot grid opf`, without CBC `carnot plan --solver exact`
# and without Boost `carnot serve` say that it is missing; without oneDNN matrix products are
# slower.
if(NOT CURL_FOUND OR NOT OpenSSL_FOUND)
  message(STATUS "curl, OpenSSL: no. `carnot data get` and power over HTTP will not work; install "
                 "libcurl4-openssl-dev and libssl-dev")
endif()
if(date_FOUND)
  message(STATUS "date: yes (${date_VERSION})")
else()
  message(STATUS "date: no. Time zones such as Europe/Berlin cannot be read; install "
                 "libhowardhinnant-date-dev")
endif()
if(clp_FOUND)
  message(STATUS "CLP: yes (${clp_LIBRARY})")
else()
  message(STATUS "CLP: no. `carnot grid opf` will not work; install coinor-libclp-dev")
endif()
if(cbc_FOUND)
  message(STATUS "CBC: yes (${cbc_Cbc_LIBRARY})")
else()
  message(STATUS "CBC: no. `carnot plan --solver exact` will not work; install coinor-libcbc-dev")
endif()
if(Boost_FOUND)
  message(STATUS "Boost: yes (${Boost_VERSION_STRING})")
else()
  message(STATUS "Boost: no. `carnot serve` will not work; install libboost-dev")
endif()
if(libpq_FOUND)
  message(STATUS "libpq: yes (${libpq_LIBRARY})")
else()
  message(STATUS "libpq: no. `carnot push` shares SQLite files alone; install libpq-dev")
endif()
if(CARNOT_WITH_ONEDNN)
  if(onednn_FOUND)
    message(STATUS "oneDNN: yes (${onednn_LIBRARY})")
  else()
    message(STATUS "oneDNN: no. Matrix products use carnot's own kernels, several times slower; "
                   "install libdnnl-dev to change that")
  endif()
else()
  message(STATUS "oneDNN: no (CARNOT_WITH_ONEDNN is OFF)")
endif()
