import subprocess
import sys

from models import HOME_OF_MODELS

EMBED = """
import sys
from pathlib import Path
from aion_assets.core.index.embedding_model import find_embedding_model
from trainer.embedder import Embedder

embedder = Embedder(find_embedding_model("", Path(sys.argv[1])))
for number in range(40):
    embedder.embed_query("uma pergunta " * number)
print({"openvino_telemetry.main", "torch", "transformers"} & set(sys.modules))
"""


def test_a_process_that_embeds_reports_to_nobody_loads_no_torch_and_ends_in_peace() -> None:
    done = subprocess.run([sys.executable, "-c", EMBED, str(HOME_OF_MODELS)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "set()\n", "")
