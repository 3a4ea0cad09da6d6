# SPDX-License-Identifier: Apache-2.0
"""Pages of documents, and their first figure for notebooks."""
import os
import re
import tempfile
from typing import Any, List

from ._errors import Error, InputError
from ._native import core

_STYLE = re.compile(r"<style>(.*?)</style>", re.S)
_SVG = re.compile(r"<svg\b.*?</svg>", re.S)


def page_of(document: Any) -> str:
    """The page of a document that came without one, as `carnot report DOCUMENT --html` makes it."""
    with tempfile.TemporaryDirectory(prefix="carnot-") as folder:
        path = os.path.join(folder, "document.json")
        words = ["report", path]
        if "assignments" in document._files:  # a plan, of which the report wants the table, too
            values = document.to_dict()
            values["assignments"] = "plan.csv"
            words += ["--problem", os.path.abspath(values["problem"])]
            with open(os.path.join(folder, "plan.csv"), "w", encoding="utf-8") as file:
                file.write(document._files["assignments"])
            import json
            text = json.dumps(values)
        else:
            text = document.to_json()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        words += ["--html", os.path.join(folder, "page.html")]
        encoded = [os.fsencode(word) for word in words]
        try:
            core().run(encoded, encoded, None, False)
            with open(os.path.join(folder, "page.html"), encoding="utf-8") as file:
                return file.read()
        except (Error, OSError) as error:
            schema = document.get("schema", "this document")
            raise InputError(f"of {schema} there is no page: "
                             f"{str(error).replace(folder + os.sep, '')}") from None


def figure_of(document: Any) -> str:
    """The first figure of the page, in a frame that leaves the notebook's style alone; "" where
    there is none."""
    try:
        page = document.page()
    except InputError:
        return ""
    figure = _SVG.search(page)
    if figure is None:
        return ""
    style = "".join(_scoped(css) for css in _STYLE.findall(page))
    return (f"<div class='carnot-figure'><style>{style}</style>{figure.group()}</div>")


def _scoped(css: str) -> str:
    """Rules that hold inside the figure alone."""
    out: List[str] = []
    at = 0
    while True:
        brace = css.find("{", at)
        if brace < 0:
            return "".join(out)
        selector = css[at:brace].strip()
        end = _closing(css, brace)
        body = css[brace + 1:end]
        at = end + 1
        if selector.startswith("@media"):
            out.append(f"{selector}{{{_scoped(body)}}}")
        elif not selector.startswith("@"):
            parts = [part.strip() for part in selector.split(",")]
            kept = [".carnot-figure" if part == ":root" else f".carnot-figure {part}"
                    for part in parts if not re.match(r"(html|body|\*)\b|\*", part)]
            if kept:
                out.append(f"{','.join(kept)}{{{body}}}")


def _closing(css: str, brace: int) -> int:
    depth = 0
    for i in range(brace, len(css)):
        depth += (css[i] == "{") - (css[i] == "}")
        if depth == 0:
            return i
    return len(css)
