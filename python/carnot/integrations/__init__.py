# SPDX-License-Identifier: Apache-2.0
"""Energy an epoch and a step, for training frameworks. None of them is imported here: the classes
have the methods the frameworks call."""
