# SPDX-License-Identifier: Apache-2.0
# One interface target carries language, warnings and determinism flags for every room.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
option(CARNOT_WITH_ONEDNN "Use oneDNN for matrix products where it wins" ON)
option(CARNOT_WARNINGS_AS_ERRORS "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
set(CARNOT_SANITIZE "" CACHE STRING "Sanitizers, such as address,undefined or thread")

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(carnot_options INTERFACE)
add_library(carnot::options ALIAS carnot_options)
target_compile_features(carnot_options INTERFACE cxx_std_20)
# -ffp-contract=off: the same bytes for any instruction set.
target_compile_options(carnot_options INTERFACE -ffp-contract=off
  $<BUILD_INTERFACE:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor>)
if(CARNOT_WARNINGS_AS_ERRORS)
  target_compile_options(carnot_options INTERFACE $<BUILD_INTERFACE:-Werror>)
endif()
if(CARNOT_SANITIZE)
  target_compile_options(carnot_options INTERFACE -fsanitize=${CARNOT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(carnot_options INTERFACE -fsanitize=${CARNOT_SANITIZE})
endif()
