# SPDX-License-Identifier: Apache-2.0
# What only developers of carnot build: cross-room tests, benches, fuzzers, examples.
find_package(rapidcheck QUIET)
