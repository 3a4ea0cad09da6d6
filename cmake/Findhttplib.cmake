# SPDX-License-Identifier: Apache-2.0
# Finds cpp-httplib as Debian ships it (header and compiled library), giving httplib::httplib. The
# library is built with these three features, and the header must see the same.
find_path(httplib_INCLUDE_DIR NAMES httplib.h)
find_library(httplib_LIBRARY NAMES cpp-httplib)
find_path(httplib_BROTLI_INCLUDE_DIR NAMES brotli/encode.h)
mark_as_advanced(httplib_INCLUDE_DIR httplib_LIBRARY httplib_BROTLI_INCLUDE_DIR)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(httplib REQUIRED_VARS httplib_LIBRARY httplib_INCLUDE_DIR
                                                        httplib_BROTLI_INCLUDE_DIR)
if(httplib_FOUND AND NOT TARGET httplib::httplib)
  add_library(httplib::httplib UNKNOWN IMPORTED GLOBAL)
  set_target_properties(httplib::httplib PROPERTIES
    IMPORTED_LOCATION ${httplib_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${httplib_INCLUDE_DIR}
    INTERFACE_COMPILE_DEFINITIONS
      "CPPHTTPLIB_OPENSSL_SUPPORT;CPPHTTPLIB_ZLIB_SUPPORT;CPPHTTPLIB_BROTLI_SUPPORT")
endif()
