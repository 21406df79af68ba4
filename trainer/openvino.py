"""The one import of OpenVINO: without the part that reports to its makers.

`import openvino` loads its model converter, which sends an event to Intel through `openvino_telemetry` unless the
person opted out. Nothing may leave an AION machine, so that package is hidden. The converter works without it.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # marks a module that must not load

from openvino import Core, InferRequest, Model, Node  # noqa: E402
from openvino import opset13 as ops  # noqa: E402

__all__ = ["Core", "InferRequest", "Model", "Node", "ops"]
