# SPDX-License-Identifier: Apache-2.0
"""A programme of rows and columns for HiGHS, and what both checks share. Nothing of it reads carnot's
own code or files: problems are made here, written out, and solved from the same Python values."""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import highspy
    import numpy
except ImportError as error:
    print(f"skipped: {error}; pip install highspy numpy")
    sys.exit(77)

INFINITY = float("inf")


class Programme:
    """Least cost over columns within bounds and rows within bounds."""

    def __init__(self):
        self.low, self.high, self.cost, self.square, self.whole = [], [], [], [], []
        self.row_low, self.row_high, self.start, self.index, self.value = [], [], [0], [], []

    def column(self, low=0.0, high=INFINITY, cost=0.0, square=0.0, whole=False):
        """`square` is the factor of the column's square in the cost."""
        for to, what in ((self.low, low), (self.high, high), (self.cost, cost),
                         (self.square, square), (self.whole, whole)):
            to.append(what)
        return len(self.low) - 1

    def row(self, low, high, terms):
        """`terms`: (column, factor) pairs; a column may come more than once."""
        total = {}
        for column, factor in terms:
            total[column] = total.get(column, 0.0) + factor
        self.row_low.append(low)
        self.row_high.append(high)
        self.index += total.keys()
        self.value += total.values()
        self.start.append(len(self.index))
        return len(self.row_low) - 1

    def solve(self):
        """("optimal", cost, values), ("infeasible", None, None) or ("unknown", ...)."""
        highs = highspy.Highs()
        for name, value in {"output_flag": False, "log_to_console": False, "threads": 1,
                            "primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9,
                            "mip_rel_gap": 0.0, "mip_abs_gap": 1e-9,
                            "mip_feasibility_tolerance": 1e-9, "time_limit": 30.0}.items():
            highs.setOptionValue(name, value)
        model = highspy.HighsModel()
        lp = model.lp_
        lp.num_col_, lp.num_row_ = len(self.low), len(self.row_low)
        lp.col_cost_ = numpy.array(self.cost, dtype=float)
        lp.col_lower_ = numpy.array(self.low, dtype=float)
        lp.col_upper_ = numpy.array(self.high, dtype=float)
        lp.row_lower_ = numpy.array(self.row_low, dtype=float)
        lp.row_upper_ = numpy.array(self.row_high, dtype=float)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = numpy.array(self.start, dtype=numpy.int32)
        lp.a_matrix_.index_ = numpy.array(self.index, dtype=numpy.int32)
        lp.a_matrix_.value_ = numpy.array(self.value, dtype=float)
        if any(self.whole):
            lp.integrality_ = [highspy.HighsVarType.kInteger if whole else
                               highspy.HighsVarType.kContinuous for whole in self.whole]
        highs.passModel(model)
        highs.run()
        status = highs.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            return "optimal", highs.getInfo().objective_function_value, list(
                highs.getSolution().col_value)
        if status in (highspy.HighsModelStatus.kInfeasible,
                      highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return "infeasible", None, None
        return "unknown", None, None

    def solve_curved(self):
        """The same with squares, by tangents until they touch: HiGHS' own quadratic solver gives up
        on many degenerate grids. The tangents' cost is a lower bound within 1e-10 of the optimum."""
        curved = [c for c, square in enumerate(self.square) if square > 0]
        if not curved:
            return self.solve()
        part = Programme()
        part.__dict__.update({name: list(value) for name, value in self.__dict__.items()})
        heights = {c: part.column(-INFINITY, INFINITY, 1.0) for c in curved}

        def touch(c, at):  # height >= square (2 at x - at^2)
            part.row(-self.square[c] * at * at, INFINITY,
                     [(heights[c], 1.0), (c, -2 * self.square[c] * at)])

        for c in curved:
            for share in (0.0, 0.5, 1.0):
                touch(c, self.low[c] + share * (self.high[c] - self.low[c]))
        for _ in range(100):
            status, cost, values = part.solve()
            if status != "optimal":
                return status, cost, values
            missing = {c: self.square[c] * values[c] ** 2 - values[heights[c]] for c in curved}
            if sum(missing.values()) <= 1e-10 * max(1.0, abs(cost)):
                return status, cost + sum(missing.values()), values[:len(self.low)]
            for c in curved:
                if missing[c] > 0:
                    touch(c, values[c])
        return "unknown", None, None


def documents(program, arguments, folder):
    """(exit code, document or None, text of errors) of one run of carnot."""
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode == 4:
        print(f"skipped: {done.stderr.strip()}")
        sys.exit(77)
    try:
        return done.returncode, json.loads(done.stdout), done.stderr
    except json.JSONDecodeError:
        return done.returncode, None, done.stderr


def seeds_from(what, usual):
    """The command line of both checks: (program, seeds, folder to keep faulty inputs in)."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("program")
    parser.add_argument("--all", action="store_true", help=f"1,000 seeds, not the first {usual}")
    parser.add_argument("--seeds", default=None, help="FROM:UNTIL")
    parser.add_argument("--keep", default=None, help="folder to which inputs at fault are written")
    given = parser.parse_args()
    first, last = 0, 1000 if given.all else usual
    if given.seeds:
        first, last = map(int, given.seeds.split(":"))
    if given.keep:
        Path(given.keep).mkdir(parents=True, exist_ok=True)
    return str(Path(given.program).resolve()), range(first, last), given.keep


def scratch():
    return tempfile.TemporaryDirectory(prefix="carnot-highs-")
