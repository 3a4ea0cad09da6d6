# SPDX-License-Identifier: Apache-2.0
"""Keeping one's own training within a power profile, from inside.

    for batch in carnot.follow(loader, "wind.csv", peak="35 W", precision="bfloat16"):
        ...                                      # the loop as it was

    with carnot.follow(profile="4 W for 60 s, 0 W for 60 s") as f:
        while training:
            f.step()                             # waits here, between two steps
            ...

What is decided and how is carnot's own (include/carnot/live/local/step_follower.hpp); here it is
carried out: by pauses between steps, and by what else the caller allows. Nothing is imported that
was not imported before; no signal is taken, no thread started.
"""
import math
import os
import sys
import time
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from ._follow_library import StepFollower, certify
from ._measurement import Measurement

__all__ = ["Follow", "FollowReport", "QualityFloor", "follow", "torch_ranks"]

_TELL_EVERY_S = 0.25
_LOOK_EVERY_S = 0.2  # at the mode file


class FollowReport(NamedTuple):
    """Joules offered = used + could not use + left, of the time in which a profile held."""

    offered_j: float
    used_j: float
    could_not_use_j: float
    left_j: float
    above_j: float
    free_used_j: float  # while none held
    followed_s: float
    waited_s: float
    worst_over_w: float
    steps: List[int]  # by mode: the user's own, then those of less precision
    origin: str  # of the joules: "measured", "modelled", "assumed" (stated)


class Ranks(NamedTuple):
    """How the processes of one training agree: rank 0 decides for all. `broadcast` gives every rank
    the numbers of rank 0, `total` the sum over ranks; each is called by all ranks at each step."""

    rank: int
    broadcast: Callable[[List[float]], List[float]]
    total: Callable[[float], float]


def measurement_joules(measurement: Measurement) -> Callable[[], float]:
    return lambda: measurement.energy.value


def torch_ranks() -> Optional[Ranks]:
    """Those of torch.distributed; None if it is not in use."""
    torch: Any = sys.modules.get("torch")
    distributed = getattr(torch, "distributed", None)
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return None
    device = "cpu"
    if distributed.get_backend() == "nccl":
        device = f"cuda:{torch.cuda.current_device()}"

    def broadcast(numbers: List[float]) -> List[float]:
        tensor = torch.tensor(numbers, dtype=torch.float64, device=device)
        distributed.broadcast(tensor, 0)
        return [float(number) for number in tensor.tolist()]

    def total(number: float) -> float:
        tensor = torch.tensor([number], dtype=torch.float64, device=device)
        distributed.all_reduce(tensor)
        return float(tensor.item())

    return Ranks(distributed.get_rank(), broadcast, total)


class _Autocast:
    """Lower precision for the code between two steps, where the user's own settings have none."""

    def __init__(self, precision: str, device: str) -> None:
        torch = sys.modules.get("torch")
        if torch is None:
            raise RuntimeError("precision: torch must be imported before")
        if precision not in ("bfloat16", "float16"):
            raise ValueError(f"precision: allowed: bfloat16, float16; given: {precision}")
        self._torch, self._device = torch, device
        self._dtype = getattr(torch, precision)
        self._found: Optional[Tuple[bool, Any]] = None

    def _get(self) -> Tuple[bool, Any]:
        torch = self._torch
        if hasattr(torch, "get_autocast_dtype"):
            return torch.is_autocast_enabled(self._device), torch.get_autocast_dtype(self._device)
        if self._device == "cpu":  # torch 1 and early 2
            return torch.is_autocast_cpu_enabled(), torch.get_autocast_cpu_dtype()
        return torch.is_autocast_enabled(), torch.get_autocast_gpu_dtype()

    def _set(self, enabled: bool, dtype: Any) -> None:
        torch = self._torch
        if hasattr(torch, "get_autocast_dtype"):
            torch.set_autocast_enabled(self._device, enabled)
            torch.set_autocast_dtype(self._device, dtype)
        elif self._device == "cpu":
            torch.set_autocast_cpu_enabled(enabled)
            torch.set_autocast_cpu_dtype(dtype)
        else:
            torch.set_autocast_enabled(enabled)
            torch.set_autocast_gpu_dtype(dtype)

    def apply(self, low: bool) -> None:
        """Before each step. Casts of weights are dropped, or a step would use those of the last."""
        if low:
            if self._found is None:
                self._found = self._get()
                self._set(True, self._dtype)
            self._torch.clear_autocast_cache()
        else:
            self.restore()

    def restore(self) -> None:
        if self._found is not None:
            self._set(*self._found)
            self._found = None
            self._torch.clear_autocast_cache()


class _ModeFile:
    """One line, `mode power_w valid_until_utc`; docs/formats/mode-file.md."""

    def __init__(self, path: str, wall: Callable[[], float]) -> None:
        self._path, self._wall = path, wall
        self._stamp: Any = None
        self._line: Optional[Tuple[int, Optional[float], float]] = None
        self._next_look = -math.inf
        self.problem = ""

    def look(self, now_s: float) -> Optional[Tuple[int, Optional[float]]]:
        """(mode, watts or None); None while there is no valid line: the user's own settings."""
        if now_s >= self._next_look:
            self._next_look = now_s + _LOOK_EVERY_S
            try:
                found = os.stat(self._path)
                stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
                if stamp != self._stamp:
                    with open(self._path, encoding="ascii", errors="replace") as file:
                        self._line = self._read(file.readline(256))
                    self._stamp = stamp
            except OSError as error:
                self._stamp = self._line = None
                self.problem = str(error)
        if self._line is None or self._wall() >= self._line[2]:
            return None
        return self._line[:2]

    def _read(self, line: str) -> Optional[Tuple[int, Optional[float], float]]:
        try:
            mode, power, until = line.split()
            watts = None if power == "-" else float(power)
            if watts is not None and not 0 <= watts < 1e12:
                raise ValueError("power from 0 on")
            end = datetime.fromisoformat(until.replace("Z", "+00:00"))
            if end.tzinfo is None:
                raise ValueError("a time of UTC ends in Z")
            return int(mode), watts, end.astimezone(timezone.utc).timestamp()
        except ValueError as error:
            self.problem = f"{self._path}: allowed: `mode power_w valid_until_utc`; {error}"
            return None


class Follow:
    """A training that is followed. Options beside those of the profile (`peak`, `cap`, `full_at`,
    `none_at`, `begin_at`, `then`, `speed`, `calendar`, `column`, `unit`, `zone`, `gaps`):

    precision     "bfloat16" or "float16": autocast where power is scarce; None: never
    device        of that autocast, "cpu" or "cuda"
    accumulate    each batch is handed out in so many parts; see `parts`
    on_pause      called before a pause of `checkpoint_after` seconds or more, between two steps: the
                  place to write a checkpoint
    watts_per_cpu power of a busy CPU, stated; None: carnot's meter tells the joules
    energy        instead: a function that gives this training's joules so far (all ranks')
    ranks         `Ranks`; None: those of torch.distributed if it is in use
    mode_file     path of a file that says what holds now; None: $CARNOT_MODE_FILE. Its power takes the
                  place of a profile; beside one only its mode counts
    """

    def __init__(self, profile: Optional[str] = None, *, precision: Optional[str] = None,
                 device: str = "cpu", accumulate: int = 1,
                 on_pause: Optional[Callable[[], Any]] = None, checkpoint_after: float = 60.0,
                 watts_per_cpu: Optional[float] = None,
                 energy: Optional[Callable[[], float]] = None, ranks: Optional[Ranks] = None,
                 mode_file: Optional[str] = None, clock: Callable[[], float] = time.monotonic,
                 cpu: Callable[[], float] = time.process_time,
                 sleep: Callable[[float], Any] = time.sleep,
                 wall: Callable[[], float] = time.time, **profile_options: Any) -> None:
        path = mode_file if mode_file is not None else os.environ.get("CARNOT_MODE_FILE")
        if profile is None and not path:
            raise ValueError("profile: allowed: a file, a power such as '35 W', or steps such as "
                             "'2 W for 5 s, 6 W for 5 s'; or a mode file")
        if accumulate < 1:
            raise ValueError(f"accumulate: allowed: from 1 on; given: {accumulate}")
        if watts_per_cpu is not None and energy is not None:
            raise ValueError("watts_per_cpu, energy: one of them")
        self._clock, self._cpu, self._sleep = clock, cpu, sleep
        self._autocast = _Autocast(precision, device) if precision is not None else None
        self.accumulate = int(accumulate)
        self._on_pause, self._ranks = on_pause, ranks
        self._mode_file = _ModeFile(path, wall) if path else None
        self._measurement: Optional[Measurement] = None
        self._energy = energy
        if energy is None and watts_per_cpu is None:
            self._measurement = Measurement("follow", policy="none")
            self._measurement.start()
            self._energy = measurement_joules(self._measurement)
        self._options = dict(profile_options, modes=2 if self._autocast else 1,
                             sensor=self._energy is not None, checkpoint_after_s=checkpoint_after,
                             watts_per_cpu=10.0 if watts_per_cpu is None else watts_per_cpu)
        self._profile = profile
        self._ended: List[Dict[str, Any]] = []  # totals of profiles that a mode file replaced
        self._own = StepFollower(profile=profile, **self._options) if profile is not None else None
        self._follower = self._own
        self._watts: Optional[float] = None  # that the mode file says
        self._start: Optional[float] = None
        self._cpu_start = 0.0
        self._began_at = 0.0  # of the follower that holds now
        self._next_tell = 0.0
        self._stepped = self._alone = False
        self._free_steps = 0
        self.mode = 0       #: 0: the user's own settings
        self.offered_w = math.nan
        self.waited_s = 0.0
        self.problems: List[str] = []

    # ---- the three ways to use it

    def __call__(self, loader: Iterable[Any]) -> Iterator[Any]:
        """Hands out the loader's batches, each when there is power for it."""
        try:
            for batch in loader:
                for part in self.parts(batch):
                    self.step()
                    yield part
        finally:
            self.close()

    def __enter__(self) -> "Follow":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def step(self) -> int:
        """To be called between two steps: waits until there is power for the next one, sets its
        precision, and returns its mode. On several ranks all call it, and all get rank 0's answer."""
        if self._ranks is None:
            self._ranks = torch_ranks()
            self._alone = self._ranks is None
            if self._ranks is None:
                self._ranks = Ranks(0, lambda numbers: numbers, lambda number: number)
        if self._start is None:
            self._start, self._cpu_start = self._clock(), self._ranks.total(self._cpu())
        while True:
            wait, mode, checkpoint = self._agree()
            if checkpoint and self._on_pause is not None:
                self._lower(False)
                self._on_pause()
            if wait <= 0:
                break
            self._lower(False)
            before = self._clock()
            self._sleep(wait)
            self.waited_s += self._clock() - before
        self.mode = mode
        self._lower(mode > 0)
        self._stepped = True
        return mode

    def pause_ahead(self) -> bool:
        """After a step: whether a pause of `checkpoint_after` seconds begins now. Said once a pause,
        here or by `on_pause`."""
        return self._start is not None and self._agree()[2]

    def own_settings(self) -> None:
        """The user's own precision until the next step: for evaluation in between."""
        self._lower(False)

    # ---- between steps

    def _agree(self) -> Tuple[float, int, bool]:
        ranks = self._ranks
        assert ranks is not None
        cpu = ranks.total(self._cpu()) - self._cpu_start
        answer = [0.0, 0.0, 0.0]
        if ranks.rank == 0:
            answer = self._decide(max(0.0, cpu))
        wait, mode, checkpoint = ranks.broadcast(answer)
        self._stepped = False
        return wait, int(mode), checkpoint > 0

    def _decide(self, cpu: float) -> List[float]:
        now = self._clock() - self._start  # type: ignore[operator]
        forced = self._look_at_file(now, cpu)
        follower = self._follower
        if follower is None:
            self._free_steps += self._stepped
            return [0.0, 0.0, 0.0]
        follower.next(now - self._began_at, cpu, self._tell(now), self._stepped)
        decision = follower.decision
        self.offered_w = math.inf if decision.over else decision.offered_w
        mode = decision.mode
        if forced is not None:
            if forced < 0:
                return [0.05, mode, 0.0]
            mode = min(forced, self._options["modes"] - 1)
        return [decision.wait_s, mode, decision.checkpoint]

    def _tell(self, now: float) -> float:
        if self._energy is None or now < self._next_tell:
            return -1.0
        self._next_tell = now + _TELL_EVERY_S
        try:
            return max(0.0, float(self._energy()))
        except Exception as error:  # the training goes on, by CPU time
            self._problem(f"energy: {error}")
            return -1.0

    def _look_at_file(self, now: float, cpu: float) -> Optional[int]:
        """The mode that the file asks for; sets which profile holds."""
        if self._mode_file is None:
            return None
        found = self._mode_file.look(now)
        if self._mode_file.problem:
            self._problem(self._mode_file.problem)
            self._mode_file.problem = ""
        watts = found[1] if found is not None and self._own is None else None
        if watts != self._watts:
            self._replace(watts, now, cpu)
        return found[0] if found is not None else None

    def _replace(self, watts: Optional[float], now: float, cpu: float) -> None:
        if self._follower is not None:
            self._follower.next(now - self._began_at, cpu, self._tell(now), self._stepped)
            self._stepped = False
            self._ended.append(self._follower.totals())
            self._follower.close()
        self._watts, self._follower = watts, None
        if watts is not None:
            self._follower = StepFollower(**{**self._options, "profile": f"{watts!r} W",
                                             **{n: None for n in ("peak", "cap", "begin_at",
                                                                  "calendar")}})
            self._began_at, self._next_tell = now, 0.0

    def _problem(self, words: str) -> None:
        if words not in self.problems and len(self.problems) < 100:
            self.problems.append(words)

    def _lower(self, low: bool) -> None:
        if self._autocast is not None:
            self._autocast.apply(low)

    # ---- parts of a batch

    def parts(self, batch: Any) -> Iterator[Any]:
        """A batch in `accumulate` parts along its first dimension, for gradients that are summed over
        them: scale each part's mean loss by `part_share` and let the optimiser step when `last_part`
        is true. The effective batch stays what it was."""
        size = _size(batch) if self.accumulate > 1 else 0
        count = max(1, min(self.accumulate, size))
        for i in range(count):
            begin, end = size * i // count, size * (i + 1) // count
            self.part_share = (end - begin) / size if size else 1.0
            self.last_part = i + 1 == count
            yield batch if count == 1 else _cut(batch, begin, end)

    part_share = 1.0
    last_part = True

    # ---- afterwards

    @property
    def report(self) -> FollowReport:
        now = [f.totals() for f in {id(f): f for f in (self._own, self._follower)
                                    if f is not None}.values()]
        sums: Dict[str, Any] = {}
        for totals in self._ended + now:
            for name, value in totals.items():
                if name == "steps":
                    sums[name] = [a + b for a, b in zip(sums.get(name, [0] * 64), value)]
                elif name == "worst_over_w":
                    sums[name] = max(sums.get(name, 0.0), value)
                else:
                    sums[name] = sums.get(name, 0.0) + value
        steps = sums.get("steps", [0] * 64)[:self._options["modes"]]
        steps[0] += self._free_steps
        origin = "assumed"
        if self._measurement is not None:
            try:
                origin = self._measurement.energy.origin
            except Exception as error:
                self._problem(str(error))
        elif self._energy is not None:
            origin = "measured"
        return FollowReport(**{name: sums.get(name, 0.0) for name in FollowReport._fields
                               if name not in ("steps", "origin")}, steps=steps, origin=origin)

    def close(self) -> None:
        """The user's own settings again; what holds of the report stays."""
        if self._autocast is not None:
            self._autocast.restore()
        if self._follower is None:
            self._free_steps += self._stepped
            self._stepped = False
        # The last step's joules; of several ranks nobody may be waited for here.
        if self._stepped and self._alone and self._follower is not None:
            try:
                now = self._clock() - self._start  # type: ignore[operator]
                self._next_tell = 0.0
                self._follower.next(now - self._began_at, max(0.0, self._cpu() - self._cpu_start),
                                    self._tell(now), True)
            except Exception as error:
                self._problem(str(error))
            self._stepped = False
        if self._measurement is not None:
            self._measurement.stop()


    def __del__(self) -> None:
        try:
            self.own_settings()
        except Exception:  # not made to the end, or the interpreter ends
            pass


def _size(batch: Any) -> int:
    first = batch
    while isinstance(first, (list, tuple, dict)) and first:
        first = next(iter(first.values())) if isinstance(first, dict) else first[0]
    return len(first) if hasattr(first, "__len__") else 0


def _cut(batch: Any, begin: int, end: int) -> Any:
    if isinstance(batch, dict):
        return {key: _cut(value, begin, end) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(_cut(value, begin, end) for value in batch))
    if isinstance(batch, (list, tuple)) and batch and hasattr(batch[0], "__len__"):
        return type(batch)(_cut(value, begin, end) for value in batch)
    return batch[begin:end]


def follow(loader: Any = None, profile: Optional[str] = None, **options: Any) -> Any:
    """With a loader an iterator over its batches, each handed out when there is power for it; without
    one a `Follow`."""
    if loader is None or isinstance(loader, str):
        if loader is not None and profile is not None:
            raise TypeError("follow(LOADER, PROFILE, ...) or follow(profile=PROFILE, ...)")
        return Follow(loader if profile is None else profile, **options)
    return Follow(profile, **options)(loader)


class QualityFloor:
    """Whether a floor of accuracy is certified by the user's own held-out rows: exact binomial
    bounds, corrected for every look taken, so that the chance of certifying a model below the floor
    is at most `alpha` however often one looks. The rows must be the same at each look and never be
    trained on."""

    def __init__(self, floor: float, alpha: float = 0.05) -> None:
        self.floor, self.alpha, self.looks = float(floor), float(alpha), 0
        self.lower_bound, self.certified = 0.0, False
        certify(1, 1, self.floor, self.alpha, 0)  # bad arguments are told at once

    def look(self, successes: int, trials: int) -> bool:
        found = certify(int(successes), int(trials), self.floor, self.alpha, self.looks)
        self.looks += 1
        self.lower_bound = found.lower_bound
        self.certified = self.certified or bool(found.certified)
        return self.certified

    def state_dict(self) -> Dict[str, Any]:
        return {"looks": self.looks, "certified": self.certified}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        self.looks, self.certified = int(state["looks"]), bool(state["certified"])
