# SPDX-License-Identifier: Apache-2.0
# What a builder may choose, and one interface target, carnot::options, that carries language,
# warnings, sanitizers and determinism flags to every room. It never leaves the build tree.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo" FORCE)
endif()
option(CARNOT_WITH_ONEDNN "Use oneDNN for matrix products where it wins" ON)
option(CARNOT_WARNINGS_AS_ERRORS "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
option(CARNOT_BUILD_BENCHES "Build benches/" OFF)
option(CARNOT_LIBRARY_ONLY "Build libcarnot_meter.so alone" OFF)
option(CARNOT_FUZZ "Build tests/fuzz/ as libFuzzer programs (clang only)" OFF)
set(CARNOT_SANITIZE "" CACHE STRING "Sanitizers, such as `address,undefined` or `thread`")

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(CARNOT_CCACHE ccache)
  mark_as_advanced(CARNOT_CCACHE)
  if(CARNOT_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CARNOT_CCACHE})
  endif()
endif()

add_library(carnot_options INTERFACE)
add_library(carnot::options ALIAS carnot_options)
target_compile_features(carnot_options INTERFACE cxx_std_20)
# -ffp-contract=off: the same bytes whether or not the machine has fused multiply-add.
target_compile_options(carnot_options INTERFACE -ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow
                                                -Wconversion -Wnon-virtual-dtor)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 warns of overlapping copies inside std::string's operator+, falsely.
  target_compile_options(carnot_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(CARNOT_WARNINGS_AS_ERRORS)
  target_compile_options(carnot_options INTERFACE -Werror)
endif()

set(sanitizers ${CARNOT_SANITIZE})
if(CARNOT_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "CARNOT_FUZZ needs clang (libFuzzer): use the preset `fuzz`")
  endif()
  # Rooms are instrumented for coverage here; the fuzzers' own main comes in tests/fuzz.
  set(sanitizers fuzzer-no-link,address,undefined)
endif()
if(sanitizers)
  target_compile_options(carnot_options INTERFACE -fsanitize=${sanitizers} -fno-sanitize-recover=all
                                                  -fno-omit-frame-pointer)
  target_link_options(carnot_options INTERFACE -fsanitize=${sanitizers})
endif()
