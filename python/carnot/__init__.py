# SPDX-License-Identifier: Apache-2.0
"""How much energy a Python program takes, with an interval and an origin to every figure.

    import carnot

    with carnot.measure("train") as m:
        train()
    print(m.energy)          # 1234 J [1200, 1270] measured, chip

Nothing but Python and libcarnot_meter is needed; no network, no root, no signal handler, no lock
file. Where this machine has no sensor that can be read, figures come from a power model, say so, and
`m.notes` tells what would help.
"""
from ._figures import Account, Carbon, Domain, Energy, Note, account
from ._follow import Follow, FollowReport, QualityFloor, follow
from ._library import MeterError
from ._measurement import Measurement, measure, measured
from ._meter import Meter, default_meter

__all__ = ["Account", "Carbon", "Domain", "Energy", "Follow", "FollowReport", "Measurement", "Meter",
           "MeterError", "Note", "QualityFloor", "account", "default_meter", "follow", "measure",
           "measured"]
__version__ = "0.1.0"
