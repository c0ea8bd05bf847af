"""What processes of this package need, imported and warm before they are forked; starts no thread of its own."""

import pyarrow.parquet  # noqa: F401

from askrepo.chunking.spans import split_text
from askrepo.search.search import search  # noqa: F401
from askrepo.text.tokens import count_tokens

split_text("def warm():\n    return 1\n", path="a.py", language="python")
split_text("# Warm\n\nText.\n", path="a.md", language="markdown")
count_tokens("warm")
