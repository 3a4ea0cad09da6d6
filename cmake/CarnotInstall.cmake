# SPDX-License-Identifier: Apache-2.0
# cmake --install: rooms, public headers, the program, the tables of data/ and a package file for
# find_package(carnot). cpack -G DEB: `carnot` (program, data) and `libcarnot-dev` (libraries).
include(CMakePackageConfigHelpers)
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/carnot)
set(data_dir ${CMAKE_INSTALL_DATADIR}/carnot/data)

get_property(rooms GLOBAL PROPERTY CARNOT_ROOMS)
install(TARGETS ${rooms} EXPORT carnot_rooms
        ARCHIVE COMPONENT development FILE_SET HEADERS COMPONENT development)
install(EXPORT carnot_rooms NAMESPACE carnot:: DESTINATION ${config_dir} FILE carnotTargets.cmake
        COMPONENT development)

# Static libraries name what they were built on; a consumer must find the same packages.
get_property(packages GLOBAL PROPERTY CARNOT_USED_PACKAGES)
list(REMOVE_DUPLICATES packages)
list(SORT packages)
set(CARNOT_FIND_DEPENDENCIES)
foreach(package IN LISTS packages)
  string(APPEND CARNOT_FIND_DEPENDENCIES "find_dependency(${CARNOT_FIND_${package}})\n")
  if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/Find${package}.cmake)
    install(FILES ${CMAKE_CURRENT_LIST_DIR}/Find${package}.cmake DESTINATION ${config_dir}
            COMPONENT development)
  endif()
endforeach()
list(TRANSFORM rooms REPLACE "^carnot_" "" OUTPUT_VARIABLE CARNOT_ROOM_NAMES)
list(JOIN CARNOT_ROOM_NAMES " " CARNOT_ROOM_NAMES)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/carnotConfig.cmake.in ${PROJECT_BINARY_DIR}/carnotConfig.cmake
  INSTALL_DESTINATION ${config_dir} PATH_VARS data_dir)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/carnotConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/carnotConfig.cmake ${PROJECT_BINARY_DIR}/carnotConfigVersion.cmake
        DESTINATION ${config_dir} COMPONENT development)

install(TARGETS carnot RUNTIME COMPONENT runtime)
# Where `carnot` looks for it: ../libexec/carnot from its own folder.
install(TARGETS carnot-all RUNTIME DESTINATION libexec/carnot COMPONENT runtime)
if(TARGET carnot-ranks)
  install(TARGETS carnot-ranks RUNTIME DESTINATION libexec/carnot COMPONENT ranks)
endif()
if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/data)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/data/ DESTINATION ${data_dir} COMPONENT runtime
          PATTERN CMakeLists.txt EXCLUDE)
endif()
file(GLOB examples ${PROJECT_SOURCE_DIR}/examples/*.toml ${PROJECT_SOURCE_DIR}/examples/*.txt)
install(FILES ${examples} DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT runtime)
set(share ${PROJECT_SOURCE_DIR}/share)
install(FILES ${share}/man/carnot.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT runtime)
install(FILES ${share}/bash-completion/carnot
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT runtime)
install(DIRECTORY ${share}/grafana DESTINATION ${CMAKE_INSTALL_DATADIR}/carnot COMPONENT runtime)
# Below the prefix, as in Debian's merged /usr; systemd looks there too.
install(DIRECTORY ${share}/systemd/ DESTINATION lib/systemd/system COMPONENT runtime)
install(FILES LICENSE NOTICE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR}
        COMPONENT runtime)

if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()
get_property(debian GLOBAL PROPERTY CARNOT_USED_DEBIAN)
list(REMOVE_DUPLICATES debian)
list(SORT debian)
set(CPACK_PACKAGE_CONTACT "carnot authors <carnot@localhost>")
set(CPACK_PACKAGE_VENDOR "carnot authors")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime development)
if(TARGET carnot-ranks)
  list(APPEND CPACK_COMPONENTS_ALL ranks)
endif()
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME carnot)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "Energy-aware machine learning: the command line")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS "postgresql, prometheus, slurm-client")
set(CPACK_DEBIAN_RANKS_PACKAGE_NAME carnot-ranks)
set(CPACK_DEBIAN_RANKS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RANKS_PACKAGE_DEPENDS "carnot (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_RANKS_PACKAGE_SUGGESTS "openmpi-bin")
set(CPACK_COMPONENT_RANKS_DESCRIPTION "Energy-aware machine learning: plans over the ranks of a cluster")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libcarnot-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
list(JOIN debian ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Energy-aware machine learning: C++ libraries")
include(CPack)
