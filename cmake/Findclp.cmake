# SPDX-License-Identifier: Apache-2.0
# Finds COIN-OR CLP by header and libraries, giving clp::clp. It brings no CMake package of its own.
find_path(clp_INCLUDE_DIR NAMES ClpSimplex.hpp PATH_SUFFIXES coin)
find_library(clp_LIBRARY NAMES Clp)
find_library(clp_COIN_LIBRARY NAMES CoinUtils)
mark_as_advanced(clp_INCLUDE_DIR clp_LIBRARY clp_COIN_LIBRARY)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(clp REQUIRED_VARS clp_LIBRARY clp_COIN_LIBRARY clp_INCLUDE_DIR)
if(clp_FOUND AND NOT TARGET clp::clp)
  if(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)
    add_library(clp::clp UNKNOWN IMPORTED GLOBAL)
  else()
    add_library(clp::clp UNKNOWN IMPORTED)
  endif()
  set_target_properties(clp::clp PROPERTIES IMPORTED_LOCATION ${clp_LIBRARY}
                                            INTERFACE_LINK_LIBRARIES ${clp_COIN_LIBRARY}
                                            INTERFACE_INCLUDE_DIRECTORIES ${clp_INCLUDE_DIR})
endif()
