"""askrepo's core: everything that is true without Airflow and without a terminal."""

import os

from askrepo.telemetry import ONNXRUNTIME

__version__ = "0.1.0"

# Here, because it must be set before anybody in the process imports onnxruntime.
os.environ.update(ONNXRUNTIME)
