# SPDX-License-Identifier: Apache-2.0
"""What commands return: the document that `--json` prints, with a face."""
import json

from typing import Any, Dict, List, Mapping, Optional

from ._estimate import _escaped

__all__ = ["Document", "Record"]

_TAKEN = frozenset(dir(dict))


class Record(Dict[str, Any]):
    """An object of a document: a dict whose keys are attributes, too."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        super().__init__(*arguments, **keys)
        # Attribute access costs as much as of any object.
        own = object.__getattribute__(self, "__dict__")
        own.update(self if _TAKEN.isdisjoint(self)
                   else {key: value for key, value in self.items() if key not in _TAKEN})

    def __getattr__(self, name: str) -> Any:  # reached only where there is none
        raise AttributeError(f"{type(self).__name__} has no {name!r}; there are: "
                             f"{', '.join(map(str, self)) or 'none'}")

    def __dir__(self) -> List[str]:
        return sorted({*super().__dir__(), *map(str, self)})

    def __reduce__(self) -> Any:
        return (Record, (dict(self),))


class Document(Record):
    """A document of carnot: its keys are attributes and items.

    `exit_code` is what the command line would end with: 0, or 1 where the outcome says no (`bool`
    tells); `messages` are what it would say beside the document.
    """

    exit_code: int
    messages: List[str]

    def __init__(self, text: str, exit_code: int = 0, messages: Optional[List[str]] = None,
                 files: Optional[Mapping[str, str]] = None) -> None:
        values = json.loads(text, object_hook=Record)
        super().__init__(values if isinstance(values, dict) else {"values": values})
        self.__dict__.update(exit_code=exit_code, messages=messages or [], _text=text,
                             _files=dict(files or {}))

    def __reduce__(self) -> Any:
        return (type(self), (self._text, self.exit_code, self.messages, self._files))

    def __bool__(self) -> bool:
        return self.exit_code == 0

    def to_json(self) -> str:
        """The text that `--json` prints."""
        return str(self._text)

    def to_dict(self) -> Dict[str, Any]:
        """Plain dicts and lists."""
        values = json.loads(self._text)
        return values if isinstance(values, dict) else {"values": values}

    def page(self) -> str:
        """The page that `--html` writes. Raises InputError where there is none of this document."""
        if "page" not in self._files:
            from ._pages import page_of
            self._files["page"] = page_of(self)
        return str(self._files["page"])

    def table(self, name: str) -> Any:
        """A carnot.Table of a list of records in the document, such as `runs`, or of a table that
        came with it."""
        from ._table import Table
        if name in self._files and name != "page":
            return Table.of_csv(self._files[name])
        rows = self.get(name)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise KeyError(f"{name!r}: tables here: {', '.join(self.tables()) or 'none'}")
        return Table.of_records(rows)

    def tables(self) -> List[str]:
        """What `table` can give."""
        return [name for name in self._files if name != "page"] + [
            name for name, rows in self.items()
            if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)]

    def __repr__(self) -> str:
        kind = self.get("schema", type(self).__name__)
        words = [f"{key}={value!r}" for key, value in self.items()
                 if isinstance(value, (int, float, bool)) or key == "outcome"][:6]
        return f"<{kind} {', '.join(words)}>" if words else f"<{kind}>"

    def _repr_html_(self) -> str:
        from ._pages import figure_of
        return figure_of(self) or plain_html(self)


def plain_html(document: Mapping[str, Any]) -> str:
    """A table of the plain values."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{_escaped(str(key))}</th><td>{_escaped(_shown(value))}</td></tr>"
        for key, value in document.items()
        if not isinstance(value, (dict, list)) and value is not None)
    return f"<table>{rows}</table>"


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


