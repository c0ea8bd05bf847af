"""What processes of this package need, imported and warm before they are forked; starts no thread of its own."""

import pyarrow.parquet  # noqa: F401

from askrepo.search import search  # noqa: F401
from askrepo.split import split_text
from askrepo.tokens import count_tokens

split_text("def warm():\n    return 1\n", path="a.py", language="python")
split_text("# Warm\n\nText.\n", path="a.md", language="markdown")
count_tokens("warm")
