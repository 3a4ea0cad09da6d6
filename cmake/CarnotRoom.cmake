# SPDX-License-Identifier: Apache-2.0
# carnot_room(NAME [GENERATED a.cpp ...] [PUBLIC targets...] [PRIVATE targets...] [OPTIONAL targets...])
# A room is a static library carnot::NAME of all sources under src/NAME and all public headers under
# include/carnot/NAME, found by folder; a new file needs no list. The headers form a file set that
# is installed and of which every header is compiled alone. GENERATED sources are added.
#   x_test.cpp       becomes part of one GoogleTest program NAME_test, each test a ctest with the
#                    label `fast`, or, by the ending of its suite's name, `slow` (Slow), `gpu` (Gpu)
#                    or `net-outside` (NetOutside); tests/slow_tests.txt names more that are `slow`
#   testing_x.cpp    help those tests and are linked into them alone (but see src/meter)
# OPTIONAL targets are linked where they were found, and then define CARNOT_HAVE_ONEDNN for
# onednn::onednn, CARNOT_HAVE_OPENMP for OpenMP::OpenMP_CXX and so on.
include(GoogleTest)

function(carnot_room name)
  cmake_parse_arguments(R "" "" "GENERATED;PUBLIC;PRIVATE;OPTIONAL" ${ARGN})
  if(R_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "carnot_room(${name}): what is `${R_UNPARSED_ARGUMENTS}`?")
  endif()
  set(definitions)
  foreach(target IN LISTS R_OPTIONAL)
    if(TARGET ${target})
      list(APPEND R_PRIVATE ${target})
      string(REGEX REPLACE "::.*" "" feature ${target})
      string(TOUPPER ${feature} feature)
      list(APPEND definitions CARNOT_HAVE_${feature}=1)
    endif()
  endforeach()
  carnot_need("room ${name}" ${R_PUBLIC} ${R_PRIVATE})

  set(folder ${CMAKE_CURRENT_SOURCE_DIR})
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/carnot/${name}/*.hpp)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/testing_[a-z0-9_]+|/testing)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "(_test|/testing_[a-z0-9_]+)\\.cpp$")
  list(FILTER tests EXCLUDE REGEX "/testing/testing_[a-z]+\\.cpp$")
  add_library(carnot_${name} STATIC ${sources} ${R_GENERATED})
  add_library(carnot::${name} ALIAS carnot_${name})
  set_target_properties(carnot_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON
                                                  VERIFY_INTERFACE_HEADER_SETS ON)
  target_sources(carnot_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include
                                       FILES ${headers})
  target_link_libraries(carnot_${name} PUBLIC ${R_PUBLIC}
                                       PRIVATE $<BUILD_INTERFACE:carnot_options> ${R_PRIVATE})
  target_compile_features(carnot_${name} PUBLIC cxx_std_20)
  target_include_directories(carnot_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(carnot_${name} PRIVATE ${definitions})
  set_property(GLOBAL APPEND PROPERTY CARNOT_ROOMS carnot_${name})

  if(BUILD_TESTING AND PROJECT_IS_TOP_LEVEL AND tests)
    carnot_test_program(${name}_test SOURCES ${tests} LINK carnot::${name} ${R_PRIVATE})
    target_compile_definitions(${name}_test PRIVATE ${definitions})
  endif()
endfunction()

# carnot_test_program(NAME SOURCES x_test.cpp ... LINK targets...)
# A GoogleTest program with the labels described above; also for tests/ that cross rooms.
function(carnot_test_program name)
  cmake_parse_arguments(T "" "" "SOURCES;LINK" ${ARGN})
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE ${T_LINK} carnot_options GTest::gtest GTest::gmock
                                        GTest::gtest_main rapidcheck rapidcheck_gtest)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(${name} PRIVATE CARNOT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # Half of a cold build are tests; they gain nothing from -O3 (the rooms they try keep it).
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  # RapidCheck draws a new seed each time by default; a test must mean the same thing twice.
  set(ending_slow Slow)
  set(ending_gpu Gpu)
  set(ending_net-outside NetOutside)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               ${PROJECT_SOURCE_DIR}/tests/slow_tests.txt)
  file(STRINGS ${PROJECT_SOURCE_DIR}/tests/slow_tests.txt named REGEX "^[A-Z]")
  list(JOIN named ":" named)
  set(special)
  foreach(label slow gpu net-outside)
    set(filter "*${ending_${label}}.*:*${ending_${label}}/*.*")
    if(label STREQUAL slow)
      string(APPEND filter ":${named}")
    endif()
    list(APPEND special ${filter})
    gtest_discover_tests(${name} TEST_FILTER "${filter}" TEST_LIST ${name}_${label}
                         DISCOVERY_TIMEOUT 60 PROPERTIES ENVIRONMENT "RC_PARAMS=seed=20"
                         LABELS ${label} TIMEOUT 900)
  endforeach()
  list(JOIN special ":" special)
  gtest_discover_tests(${name} TEST_FILTER "-${special}" TEST_LIST ${name}_fast
                       DISCOVERY_TIMEOUT 60 PROPERTIES ENVIRONMENT "RC_PARAMS=seed=20"
                       LABELS fast TIMEOUT 120)
endfunction()
