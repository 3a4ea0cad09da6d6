# SPDX-License-Identifier: Apache-2.0
# Finds PostgreSQL's client library by header and library, giving libpq::libpq. CMake's own module
# asks for the server's headers too.
find_path(libpq_INCLUDE_DIR NAMES libpq-fe.h PATH_SUFFIXES postgresql)
find_library(libpq_LIBRARY NAMES pq)
mark_as_advanced(libpq_INCLUDE_DIR libpq_LIBRARY)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(libpq REQUIRED_VARS libpq_LIBRARY libpq_INCLUDE_DIR)
if(libpq_FOUND AND NOT TARGET libpq::libpq)
  if(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)
    add_library(libpq::libpq UNKNOWN IMPORTED GLOBAL)
  else()
    add_library(libpq::libpq UNKNOWN IMPORTED)
  endif()
  set_target_properties(libpq::libpq PROPERTIES IMPORTED_LOCATION ${libpq_LIBRARY}
                                                INTERFACE_INCLUDE_DIRECTORIES ${libpq_INCLUDE_DIR})
endif()
