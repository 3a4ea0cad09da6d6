# SPDX-License-Identifier: Apache-2.0
"""The commands of carnot as functions: same words, same documents. Written by
tools/generate_python_api from the commands themselves."""
from .assess_command import assess
from .burn_command import burn
from .catalogue_command import catalogue
from .data_command import data
from .dispatch_command import dispatch
from .explain_command import explain
from .grid_command import grid
from .learn_command import learn, learn_figure8
from .limits_command import limits
from .measure_command import measure_command
from .plan_command import plan
from .predict_command import predict
from .report_command import report
from .run_command import run
from .simulate_command import simulate

__all__ = ["assess", "burn", "catalogue", "data", "dispatch", "explain", "grid", "learn",
           "learn_figure8", "limits", "measure_command", "plan", "predict", "report", "run",
           "simulate"]
