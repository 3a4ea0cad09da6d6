# SPDX-License-Identifier: Apache-2.0
"""Tables and traces: memory of carnot's, seen by NumPy, pandas, Polars and Arrow without a copy."""
import datetime
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Union

from ._errors import InputError
from ._native import core

__all__ = ["Table", "Trace"]

Moment = Union[datetime.datetime, int]


class Table:
    """Columns of equal length. `table["name"]` is a column: numbers have the buffer protocol
    (`numpy.asarray` and `memoryview` look at the same memory, read-only), text is a sequence.
    `pandas`, `polars.DataFrame(table)` and `pyarrow.table(table)` read it through
    `__arrow_c_stream__`."""

    def __init__(self, native: Any) -> None:
        self._native = native

    @staticmethod
    def of_csv(text: str) -> "Table":
        """Of text whose first line is the header."""
        return Table(core().Table.of_csv(text))

    @staticmethod
    def of_records(records: Sequence[Mapping[str, Any]]) -> "Table":
        """The plain values of records, one a row; missing numbers are NaN, missing text is ""."""
        names: Dict[str, None] = {}
        for record in records:
            for name, value in record.items():
                if not isinstance(value, (dict, list)):
                    names.setdefault(name)
        columns = []
        for name in names:
            values = [record.get(name) for record in records]
            if all(isinstance(v, int) and not isinstance(v, bool) and abs(v) < 2**63 for v in values):
                columns.append((name, "integer", values))
            elif all(v is None or isinstance(v, (int, float)) for v in values):
                columns.append((name, "number", [float("nan") if v is None else float(v)
                                                 for v in values]))
            else:
                columns.append((name, "text", ["" if v is None or isinstance(v, (dict, list))
                                               else str(v) for v in values]))
        return Table(core().Table.of_columns(columns))

    @property
    def names(self) -> List[str]:
        return list(self._native.names)

    def __len__(self) -> int:
        return len(self._native)

    def __getitem__(self, name: str) -> Any:
        return self._native.column(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def keys(self) -> List[str]:
        return self.names

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._native.arrow_stream()

    def to_pandas(self) -> Any:
        """A pandas.DataFrame; times become UTC timestamps. Numbers are not copied."""
        import numpy
        import pandas
        columns: Dict[str, Any] = {}
        for name in self.names:
            column = self[name]
            if column.kind == "text":
                columns[name] = list(column)
            elif column.kind == "time":
                columns[name] = pandas.to_datetime(numpy.asarray(column), utc=True)
            else:
                columns[name] = numpy.asarray(column)
        return pandas.DataFrame(columns, copy=False)

    def __repr__(self) -> str:
        return f"<carnot.Table {len(self)} rows: {', '.join(self.names)}>"

    def _repr_html_(self, most: int = 10) -> str:
        from ._estimate import _escaped
        names = self.names
        head = "".join(f"<th>{_escaped(name)}</th>" for name in names)
        shown = min(len(self), most)
        rows = "".join(
            "<tr>" + "".join(f"<td>{_escaped(_shown(self[name], i))}</td>" for name in names) + "</tr>"
            for i in range(shown))
        more = f"<caption>{shown} of {len(self)} rows</caption>" if shown < len(self) else ""
        return f"<table>{more}<tr>{head}</tr>{rows}</table>"


def _shown(column: Any, row: int) -> str:
    value = column[row]
    if column.kind == "time":
        return _moment(value).isoformat()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _moment(ns: int) -> datetime.datetime:
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(
        microseconds=ns // 1000)


def _nanoseconds(moment: Moment) -> int:
    if isinstance(moment, int):
        return moment
    if moment.tzinfo is None:
        raise InputError(f"{moment}: a moment with its zone, such as datetime(..., tzinfo=UTC), or "
                         "nanoseconds since 1970")
    since = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return ((since.days * 86400 + since.seconds) * 10**6 + since.microseconds) * 1000


class Trace:
    """The mean of a quantity over consecutive intervals, as carnot reads it from CSV files of any
    kind. Values are in coherent units (`unit`: W, EUR/J, kg/J, K, m/s); moments are datetimes with a
    zone, or nanoseconds since 1970. A value; safe to read from many threads."""

    def __init__(self, native: Any) -> None:
        self._native = native

    @staticmethod
    def read(path: Any, quantity: str = "power", *, column: str = "", time_column: str = "",
             unit: str = "", zone: str = "", gaps: str = "refuse") -> "Trace":
        """A column of a file. `quantity`: power, price, carbon, temperature, speed or number.
        Raises InputError `file:line: column: what is allowed`, InputFileError."""
        import os
        return Trace(core().Trace.read(os.fspath(path), quantity, column, time_column, unit, zone,
                                       gaps))

    @staticmethod
    def of(start: Moment, step_s: float, values: Iterable[float], quantity: str = "power") -> "Trace":
        """Of values at equal steps, in coherent units."""
        return Trace(core().Trace.of(_nanoseconds(start), round(step_s * 1e9),
                                     [float(value) for value in values], quantity))

    @property
    def values(self) -> Any:
        """The means, read-only, without a copy: `numpy.asarray(trace.values)`."""
        return self._native.values

    @property
    def unit(self) -> str:
        return str(self._native.unit)

    @property
    def provenance(self) -> str:
        return str(self._native.provenance)

    @property
    def begin(self) -> datetime.datetime:
        return _moment(self._native.begin_ns)

    @property
    def end(self) -> datetime.datetime:
        return _moment(self._native.end_ns)

    @property
    def step_s(self) -> Optional[float]:
        """The common step; None where steps differ."""
        step = self._native.step_ns
        return step / 1e9 if step else None

    def __len__(self) -> int:
        return len(self._native)

    def at(self, moment: Moment) -> float:
        """The mean of the interval that holds a moment."""
        return float(self._native.at_ns(_nanoseconds(moment)))

    def integral(self, begin: Moment, end: Moment) -> float:
        """In the unit times seconds: joules, of power."""
        return float(self._native.integral_ns(_nanoseconds(begin), _nanoseconds(end)))

    def resampled(self, start: Moment, step_s: float, count: int) -> "Trace":
        """The same signal on other steps; conserves the integral."""
        return Trace(self._native.resampled_ns(_nanoseconds(start), round(step_s * 1e9), count))

    def table(self) -> Table:
        """Columns `begin` (UTC) and `value`."""
        return Table(self._native.table())

    def to_pandas(self) -> Any:
        """A pandas.Series over the beginnings of the intervals."""
        import numpy
        import pandas
        begins = numpy.asarray(self.table()["begin"])
        return pandas.Series(numpy.asarray(self.values), pandas.to_datetime(begins, utc=True),
                             name=self.unit, copy=False)

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> Any:
        import numpy
        view = numpy.asarray(self.values)
        if copy or (dtype is not None and dtype != view.dtype):
            return numpy.array(view, dtype=dtype)
        return view

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._native.table().arrow_stream()

    def __repr__(self) -> str:
        return (f"<carnot.Trace {len(self)} x {self.unit or '1'}, {self.begin.isoformat()} to "
                f"{self.end.isoformat()}>")
