"""OpenVINO as everybody here imports it: without the part of it that reports to its makers.

`import openvino` loads its model converter, which sends an event to Intel through `openvino_telemetry` unless the
person opted out. Nothing leaves an AION machine, and the converter has a stand-in for where that package is missing.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # how Python marks what must not load

from openvino import Core, InferRequest, Model, Node  # noqa: E402
from openvino import opset13 as ops  # noqa: E402

__all__ = ["Core", "InferRequest", "Model", "Node", "ops"]
