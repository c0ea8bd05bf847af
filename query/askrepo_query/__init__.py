"""The askrepo command: arguments in, one call of the core, text or JSON out."""

import os

from askrepo.telemetry import silence

# Here, because it must come before any import of LangChain.
silence(os.environ)
