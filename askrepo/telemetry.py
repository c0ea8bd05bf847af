"""What libraries would report to others by themselves, and the environment in which they do not.

Measured 2026-11 with `strace -f -e trace=network` over processes that lived 25 s and more:

- onnxruntime 1.32: some seconds after its import it resolves `mobile.events.data.microsoft.com` and writes a device id
  below `~/.cache/Microsoft`. `ORT_DISABLE_TELEMETRY=1` stops both, if it is set before the import;
  `onnxruntime.disable_telemetry_events()` after it does not.
- LangChain: with `LANGSMITH_TRACING` set for another project, prompts are sent to LangSmith, passages included; with
  `LANGSMITH_GATEWAY` the chat model's own requests go there.
- Deep Lake: see `askrepo.store.deeplake`.

Airflow's usage reports are turned off where Airflow is started: `tools.airflow_home`, docker-compose.yaml.
"""

from __future__ import annotations

from collections.abc import MutableMapping

# Nobody but onnxruntime reads it, so that it is set in any process that imports askrepo, a user's own included.
ONNXRUNTIME = {"ORT_DISABLE_TELEMETRY": "1"}

# Only for processes that are ours: in a user's own process LangChain traces what its owner wants traced. LangSmith
# reads the first of these names that holds something; LangChain's older two end the process when they are set.
LANGCHAIN = {
    "LANGSMITH_TRACING_V2": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING": "false",
    "LANGCHAIN_HANDLER": "false",
    "LANGSMITH_GATEWAY": "false",
}

# Conventions that other libraries follow (consoledonottrack.com; huggingface_hub and scarf document theirs).
OTHERS = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "SCARF_ANALYTICS": "false",
    "SCARF_NO_ANALYTICS": "true",
}

SILENCE = {**ONNXRUNTIME, **LANGCHAIN, **OTHERS}
"""The environment of every process that is ours: libraries in it report nothing to anybody."""


def silence(env: MutableMapping[str, str]) -> None:
    """Set what keeps libraries silent, whatever the caller's environment says of it."""
    env.update(SILENCE)
