# SPDX-License-Identifier: Apache-2.0
"""The commands of carnot as functions: same words, same documents. Written by
tools/generate_python_api from the commands themselves."""
from .assess_command import assess
from .burn_command import burn
from .catalogue_command import catalogue
from .data_command import data
from .decode_command import decode
from .dispatch_command import dispatch
from .encode_command import encode
from .explain_command import explain
from .facility_command import facility
from .grid_command import grid
from .learn_command import learn, learn_budget, learn_cycle, learn_figure8, learn_prequential, learn_search, learn_structure, learn_tradeoff, learn_two_part
from .limits_command import limits
from .measure_command import measure_command
from .plan_command import plan
from .predict_command import predict
from .pull_command import pull
from .push_command import push
from .report_command import report
from .run_command import run
from .scaling_command import scaling
from .simulate_command import simulate

__all__ = ["assess", "burn", "catalogue", "data", "decode", "dispatch", "encode", "explain",
           "facility", "grid", "learn", "learn_budget", "learn_cycle", "learn_figure8",
           "learn_prequential", "learn_search", "learn_structure", "learn_tradeoff",
           "learn_two_part", "limits", "measure_command", "plan", "predict", "pull", "push",
           "report", "run", "scaling", "simulate"]
