# SPDX-License-Identifier: Apache-2.0
"""`carnot facility`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, call
from .._document import Document


def facility(*, cooling: Optional[Value] = None, climate: Optional[Value] = None,
             weather: Optional[Value] = None, column: Optional[Value] = None,
             humidity: Optional[Value] = None, supply: Optional[Value] = None,
             liquid: Optional[Value] = None, load: Optional[Value] = None,
             rated: Optional[Value] = None, reuse: Optional[Value] = None,
             reuse_at: Optional[Value] = None, utilisation: Optional[Value] = None,
             wind: Optional[Value] = None, rotor: Optional[Value] = None,
             exported: Optional[Value] = None, curtailed: Optional[Value] = None,
             used: Optional[Value] = None, bits_per_second: Optional[Value] = None,
             progress: Progress = None) -> Document:
    """What cooling and power conversion of a hall take, hour by hour, and why.

    cooling: tower (evaporates water; default), dry, chiller (never free)
    climate: subarctic, temperate (default), mediterranean, desert, tropical
    weather: CSV of outside temperature, in place of a climate
    column: Of the temperature, if there are several
    humidity: Of --weather: a column of relative humidity, or a share; default 0.7
    supply: Air to the servers; default '24 degC'
    liquid: Share of the heat that warm water takes; default 0
    load: Mean IT power over the rated; default 0.7
    rated: IT power of the hall; default '1 MW'
    reuse: Share of the loop's heat that a neighbour takes while it is cold
    reuse_at: How warm it is wanted; default '65 degC'
    utilisation: Of the node whose fans are shown; 0.7
    wind: Entropy of the site: wind speed, such as '11 m/s'
    rotor: Diameter, such as '120 m'
    exported: P_prod: power fed to the grid
    curtailed: P_curt: power that nobody took
    used: P_other: power used on site; default: the hall's
    bits_per_second: S(p0) - S(p1): entropy that the computing takes out of its data
    progress: called with a line now and then; False ends the work.
    """
    return call("facility", (), {"cooling": cooling, "climate": climate, "weather": weather,
                "column": column, "humidity": humidity, "supply": supply, "liquid": liquid,
                "load": load, "rated": rated, "reuse": reuse, "reuse-at": reuse_at,
                "utilisation": utilisation, "wind": wind, "rotor": rotor, "exported": exported,
                "curtailed": curtailed, "used": used, "bits-per-second": bits_per_second},
                progress)
