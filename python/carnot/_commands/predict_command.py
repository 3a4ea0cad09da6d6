# SPDX-License-Identifier: Apache-2.0
"""`carnot predict`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, call
from .._document import Document


def predict(model: Value, data: Optional[Value] = None, *,
            labels: Optional[Value] = None, output: Optional[Value] = None,
            fill: Optional[Value] = None, probabilities: bool = False,
            export_onnx: Optional[Value] = None, chip: Optional[Value] = None,
            energy_table: Optional[Value] = None, progress: Progress = None) -> Document:
    """Use a model that `carnot learn --save` wrote on new data.

    model: The model's file
    data: A table with the model's columns, in any order, with or without labels; for a model of
        images an IDX file, or digits; for a model of text any text
    labels: IDX file of the images' labels
    output: Write the predictions here, as CSV; the filled text
    fill: Of a masked transformer: replace this byte, such as _, by the likeliest one
    probabilities: Of every class, not of the likeliest alone
    export_onnx: Also write the model as ONNX, columns of a table and all; without data only
        this; docs/formats/onnx.md
    chip: The chip of the catalogue whose operations are priced, such as h200-sxm (default:
        asic-45nm)
    energy_table: CSV of joules per operation instead; docs/formats/energy-table.md
    progress: called with a line now and then; False ends the work.
    """
    return call("predict", ("model", "data"), {"model": model, "data": data, "labels": labels,
                "output": output, "fill": fill, "probabilities": probabilities,
                "export-onnx": export_onnx, "chip": chip, "energy-table": energy_table}, progress)
