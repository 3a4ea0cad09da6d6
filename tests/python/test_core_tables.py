# SPDX-License-Identifier: Apache-2.0
"""Tables and traces: the memory that NumPy and Arrow see is carnot's own."""
import datetime
import gc
import os
import tempfile
import unittest

import carnot
import core_inputs
from carnot import Table, Trace

UTC = datetime.timezone.utc
BEGIN = datetime.datetime(2024, 1, 1, tzinfo=UTC)


def optional(name):
    try:
        return __import__(name)
    except ImportError:
        raise unittest.SkipTest(f"{name} is not installed")


class Traces(unittest.TestCase):
    def test_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            core_inputs.write_all(folder)
            trace = Trace.read(os.path.join(folder, "wind.csv"))
            self.assertEqual((len(trace), trace.unit, trace.step_s), (240, "W", 3600.0))
            self.assertEqual(trace.begin, BEGIN)
            self.assertEqual(trace.at(BEGIN + datetime.timedelta(hours=3, minutes=59)), 13e6)
            self.assertAlmostEqual(
                trace.integral(BEGIN, BEGIN + datetime.timedelta(hours=2)), (10 + 11) * 3.6e9)
            coarse = trace.resampled(BEGIN, 7200, 120)
            self.assertAlmostEqual(coarse.integral(coarse.begin, coarse.end),
                                   trace.integral(trace.begin, trace.end), delta=1)
            self.assertIn("wind.csv", trace.provenance)
            with self.assertRaises(carnot.InputFileError):
                Trace.read(os.path.join(folder, "none.csv"))
            with self.assertRaisesRegex(carnot.InputError, "power, price"):
                Trace.read(os.path.join(folder, "wind.csv"), "colour")

    def test_moments_have_a_zone_and_lie_inside(self):
        trace = Trace.of(BEGIN, 60, [1, 2, 3])
        with self.assertRaisesRegex(carnot.InputError, "zone"):
            trace.at(datetime.datetime(2024, 1, 1))
        with self.assertRaises(carnot.InputError):
            trace.at(BEGIN - datetime.timedelta(seconds=1))
        with self.assertRaises(carnot.InputError):
            Trace.of(BEGIN, 60, [1, float("nan")])
        self.assertEqual(trace.end - trace.begin, datetime.timedelta(minutes=3))

    def test_a_view_of_a_buffer(self):
        trace = Trace.of(BEGIN, 1, range(1000))
        view = memoryview(trace.values)
        self.assertEqual((view.format, view.shape, view.readonly), ("d", (1000,), True))
        self.assertEqual(view[999], 999.0)
        with self.assertRaises(TypeError):
            view[0] = 1.0
        del trace
        gc.collect()
        self.assertEqual(view[500], 500.0)  # it keeps what it looks at

    def test_numpy_takes_no_copy(self):
        numpy = optional("numpy")
        trace = Trace.of(BEGIN, 1, range(1_000_00))
        a, b = numpy.asarray(trace), numpy.asarray(trace.values)
        self.assertEqual(a.__array_interface__["data"][0], b.__array_interface__["data"][0])
        self.assertFalse(a.flags.writeable)
        self.assertEqual(a.sum(), sum(range(1_000_00)))
        self.assertEqual(numpy.asarray(trace, dtype="float32").dtype, numpy.float32)
        self.assertEqual(numpy.asarray(trace.table()["begin"])[1] - numpy.asarray(
            trace.table()["begin"])[0], 10**9)

    def test_arrow_takes_no_copy(self):
        numpy, arrow = optional("numpy"), optional("nanoarrow")
        trace = Trace.of(BEGIN, 1, range(5000))
        stream = arrow.ArrayStream(trace)
        self.assertIn("value: double", repr(stream.schema).replace("'", ""))
        array = stream.read_all()
        self.assertEqual(len(array), 5000)
        values = array.child(1)
        self.assertEqual(list(values.to_pylist())[:3], [0.0, 1.0, 2.0])
        address = numpy.asarray(trace.values).__array_interface__["data"][0]
        buffer = numpy.asarray(values.buffers[1])
        self.assertEqual(buffer.__array_interface__["data"][0], address)
        del trace, stream
        gc.collect()
        self.assertEqual(list(values.to_pylist())[4999], 4999.0)

    def test_a_stream_that_nobody_reads_is_let_go(self):
        table = Table.of_csv("a,b\n1,x\n")
        for _ in range(1000):
            table.__arrow_c_stream__()

    def test_frames(self):
        pandas = optional("pandas")
        trace = Trace.of(BEGIN, 3600, [1.0, 2.0])
        series = trace.to_pandas()
        self.assertEqual(series.index[1], pandas.Timestamp("2024-01-01T01:00Z"))
        frame = Table.of_csv("a,b\n1,x\n2,\n").to_pandas()
        self.assertEqual(list(frame["a"]), [1, 2])
        self.assertEqual(list(frame["b"]), ["x", ""])


class Tables(unittest.TestCase):
    def test_kinds_of_columns(self):
        table = Table.of_csv("whole,number,text\r\n1,1.5,a\r\n-2,2e3,ö\r\n")
        self.assertEqual([table[name].kind for name in table], ["integer", "number", "text"])
        self.assertEqual(list(table["whole"]), [1, -2])
        self.assertEqual(list(table["number"]), [1.5, 2000.0])
        self.assertEqual(list(table["text"]), ["a", "ö"])
        self.assertEqual(table["text"][-1], "ö")
        with self.assertRaises(IndexError):
            table["whole"][2]
        with self.assertRaises(KeyError):
            table["none"]
        with self.assertRaises(BufferError):
            memoryview(table["text"])
        with self.assertRaisesRegex(carnot.InputError, "table:3: row: 2 cells"):
            Table.of_csv("a,b\n1,2\n3\n")
        self.assertIn("<td>2000</td>", table._repr_html_())

    def test_empty(self):
        table = Table.of_csv("a,b\n")
        self.assertEqual((len(table), table.names), (0, ["a", "b"]))
        self.assertEqual(len(Table.of_csv("")), 0)
        memoryview(table["a"])

    def test_records(self):
        table = Table.of_records([{"a": 1, "b": 2.0, "c": "x", "d": [1]}, {"a": 2, "c": None}])
        self.assertEqual(table.names, ["a", "b", "c"])
        self.assertEqual(list(table["a"]), [1, 2])
        self.assertNotEqual(table["b"][1], table["b"][1])  # NaN
        self.assertEqual(list(table["c"]), ["x", ""])

    def test_text_through_arrow(self):
        arrow = optional("nanoarrow")
        table = Table.of_csv("n,t\n1,a\n2,\n3,üb\n")
        array = arrow.ArrayStream(table).read_all()
        self.assertEqual(array.child(1).to_pylist(), ["a", "", "üb"])
        self.assertEqual(array.child(0).to_pylist(), [1, 2, 3])


if __name__ == "__main__":
    unittest.main()
