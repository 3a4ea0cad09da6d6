# SPDX-License-Identifier: Apache-2.0
# carnot_room(NAME SOURCES a.cpp ... HEADERS x.hpp ... TESTS a_test.cpp ...
#             [PUBLIC targets...] [PRIVATE targets...])
# A room is a static library carnot::NAME whose public headers (relative to include/carnot/NAME) form a
# file set that is installed and compiled alone; TESTS become one GoogleTest program NAME_test, each
# test a ctest with the label `fast`, or `slow` when its suite's name ends in Slow.
include(GoogleTest)
function(carnot_room name)
  cmake_parse_arguments(R "" "" "SOURCES;HEADERS;TESTS;PUBLIC;PRIVATE" ${ARGN})
  set(headers ${R_HEADERS})
  list(TRANSFORM headers PREPEND ${PROJECT_SOURCE_DIR}/include/carnot/${name}/)
  add_library(carnot_${name} STATIC ${R_SOURCES})
  add_library(carnot::${name} ALIAS carnot_${name})
  set_target_properties(carnot_${name} PROPERTIES EXPORT_NAME ${name} VERIFY_INTERFACE_HEADER_SETS ON
                                                  POSITION_INDEPENDENT_CODE ON)
  target_sources(carnot_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${headers})
  target_link_libraries(carnot_${name} PUBLIC ${R_PUBLIC} PRIVATE $<BUILD_INTERFACE:carnot_options> ${R_PRIVATE})
  target_compile_features(carnot_${name} PUBLIC cxx_std_20)
  target_include_directories(carnot_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  set_property(GLOBAL APPEND PROPERTY CARNOT_ROOMS carnot_${name})
  if(BUILD_TESTING AND PROJECT_IS_TOP_LEVEL AND R_TESTS)
    find_package(GTest REQUIRED)
    find_package(rapidcheck REQUIRED)
    add_executable(${name}_test ${R_TESTS})
    target_link_libraries(${name}_test PRIVATE carnot::${name} carnot_options GTest::gtest GTest::gmock GTest::gtest_main
                                               rapidcheck rapidcheck_gtest ${R_PRIVATE})
    target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_compile_definitions(${name}_test PRIVATE CARNOT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    # RapidCheck's and gtest's macros trip these; the library itself keeps them.
    target_compile_options(${name}_test PRIVATE -Wno-conversion -Wno-shadow)
    gtest_discover_tests(${name}_test TEST_FILTER "-*Slow*" PROPERTIES LABELS fast TIMEOUT 120 ENVIRONMENT "RC_PARAMS=seed=20"
                         TEST_LIST ${name}_fast_tests)
    gtest_discover_tests(${name}_test TEST_FILTER "*Slow*" PROPERTIES LABELS slow TIMEOUT 900 ENVIRONMENT "RC_PARAMS=seed=20"
                         TEST_LIST ${name}_slow_tests)
  endif()
endfunction()
