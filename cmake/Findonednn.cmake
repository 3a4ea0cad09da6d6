# SPDX-License-Identifier: Apache-2.0
# Finds oneDNN by header and library, giving onednn::onednn. Not through its own CMake config: that
# one asks for OpenCL's development files, which nothing here uses.
find_path(onednn_INCLUDE_DIR NAMES dnnl.hpp)
find_library(onednn_LIBRARY NAMES dnnl)
mark_as_advanced(onednn_INCLUDE_DIR onednn_LIBRARY)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(onednn REQUIRED_VARS onednn_LIBRARY onednn_INCLUDE_DIR)
if(onednn_FOUND AND NOT TARGET onednn::onednn)
  if(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)
    add_library(onednn::onednn UNKNOWN IMPORTED GLOBAL)
  else()
    add_library(onednn::onednn UNKNOWN IMPORTED)
  endif()
  set_target_properties(onednn::onednn PROPERTIES IMPORTED_LOCATION ${onednn_LIBRARY}
                                                  INTERFACE_INCLUDE_DIRECTORIES ${onednn_INCLUDE_DIR})
endif()
