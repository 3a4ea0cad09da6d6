# SPDX-License-Identifier: Apache-2.0
"""Where CodeCarbon's programs state their settings besides the call: `.codecarbon.config` in the home
folder, then in the working folder, then variables `CODECARBON_NAME`; what the call states wins."""
import configparser
import os
from typing import Any, Callable, Dict, Optional

_TRUE = ("1", "true", "yes", "on", "y", "t")


def _flag(text: str) -> bool:
    return text.strip().lower() in _TRUE


# Names that are no text.
_KINDS: Dict[str, Callable[[str], Any]] = {
    "measure_power_secs": float, "pue": float, "wue": float, "save_to_file": _flag,
    "force_carbon_intensity_g_co2e_kwh": float, "save_to_api": _flag, "save_to_logger": _flag,
    "save_to_prometheus": _flag, "save_to_logfire": _flag, "allow_multiple_runs": _flag,
    "force_mode_cpu_load": _flag, "rapl_include_dram": _flag, "rapl_prefer_psys": _flag,
}
# Of variables of this prefix these are not the tracker's.
_NOT_OURS = frozenset(["log_level_root"])


def stated() -> Dict[str, Any]:
    """Settings outside of the call. Raises ValueError naming the setting that cannot be read."""
    texts: Dict[str, str] = {}
    for folder in (os.path.expanduser("~"), os.getcwd()):
        path = os.path.join(folder, ".codecarbon.config")
        if not os.path.isfile(path):
            continue
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read(path, encoding="utf-8")
        except configparser.Error as error:
            raise ValueError(f"{path}: a file of [codecarbon] and lines name=value: {error}")
        if parser.has_section("codecarbon"):
            texts.update(parser.items("codecarbon"))
    prefix = "CODECARBON_"
    for name, text in os.environ.items():
        if name.startswith(prefix):
            texts[name[len(prefix):].lower()] = text
    settings: Dict[str, Any] = {}
    for name, text in texts.items():
        if name in _NOT_OURS:
            continue
        try:
            settings[name] = _KINDS.get(name, str)(text.strip().strip('"'))
        except ValueError:
            raise ValueError(f"{name}: a number is needed, not {text!r} "
                             "(.codecarbon.config or CODECARBON_*)") from None
    return settings


_STATES = """
AL alabama|AK alaska|AZ arizona|AR arkansas|CA california|CO colorado|CT connecticut|DE delaware|
DC district of columbia|FL florida|GA georgia|HI hawaii|ID idaho|IL illinois|IN indiana|IA iowa|
KS kansas|KY kentucky|LA louisiana|ME maine|MD maryland|MA massachusetts|MI michigan|MN minnesota|
MS mississippi|MO missouri|MT montana|NE nebraska|NV nevada|NH new hampshire|NJ new jersey|
NM new mexico|NY new york|NC north carolina|ND north dakota|OH ohio|OK oklahoma|OR oregon|
PA pennsylvania|RI rhode island|SC south carolina|SD south dakota|TN tennessee|TX texas|UT utah|
VT vermont|VA virginia|WA washington|WV west virginia|WI wisconsin|WY wyoming"""
_CODE_OF_STATE = {name: code for code, name in
                  (entry.strip().split(" ", 1) for entry in _STATES.replace("\n", "").split("|"))}


def state_code(country: str, region: str) -> Optional[str]:
    """`US-CA` for a state of the United States by its name or letters; None for anything else."""
    if country.upper() not in ("USA", "US", ""):
        return None
    word = " ".join(region.lower().replace("_", " ").replace("-", " ").split())
    code = _CODE_OF_STATE.get(word)
    if code is None and country and word.upper() in _CODE_OF_STATE.values():
        code = word.upper()
    return f"US-{code}" if code else None
