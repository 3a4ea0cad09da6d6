# SPDX-License-Identifier: Apache-2.0
# What only developers of carnot build: checks of the tree, cross-room tests, fuzzers, examples,
# benches.

# Each public header compiles alone, as part of `all`. CMake makes the target itself.
add_custom_target(carnot_headers_alone ALL)
add_dependencies(carnot_headers_alone all_verify_interface_header_sets)

if(BUILD_TESTING)
  # The system's own interpreter first: wrappers put before it in PATH start ten times slower.
  if(NOT Python3_EXECUTABLE AND EXISTS /usr/bin/python3)
    set(Python3_EXECUTABLE /usr/bin/python3)
  endif()
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_subdirectory(tests)
  add_subdirectory(examples)
endif()
if(CARNOT_BUILD_BENCHES)
  add_subdirectory(benches)
endif()
