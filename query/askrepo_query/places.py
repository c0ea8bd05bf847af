"""Where a place leads when it is clicked: its page on the web, or its lines in an editor."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from askrepo.git.checkouts import file_here
from askrepo.settings import NO_LINKS, PERMALINK
from askrepo_query.output import linked

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.settings import Settings
    from askrepo.types import Citation

_WEB_URL = re.compile(r"https?://[!-~]+")


class Places:
    """Makes links of places in the datasets that were read.

    An editor is given files of this machine as they are now. A place that is in no checkout, or of another dataset,
    leads to the web.
    """

    def __init__(self, settings: Settings, readers: Sequence[AliasReader]) -> None:
        self._links = settings.links
        self._checkouts = settings.checkouts
        snapshots = (snapshot for reader in readers for snapshot in reader.entry.manifest.snapshots)
        self._snapshots = {(snapshot.name, snapshot.commit): snapshot for snapshot in snapshots}

    def linked(self, text: str, citation: Citation, url: str) -> str:
        """The text as a link to lines, on a terminal; the text where they have no address.

        :param url: the lines on the web, or something else where their host is unknown.
        """
        return linked(text, self.address(citation, url))

    def address(self, citation: Citation, url: str) -> str:
        """Where lines are: in an editor, or on the web; "" for nowhere."""
        if self._links == NO_LINKS:
            return ""
        return self._in_editor(citation) or (url if _WEB_URL.fullmatch(url) else "")

    def _in_editor(self, citation: Citation) -> str:
        snapshot = self._snapshots.get((citation.repository, citation.commit))
        if self._links == PERMALINK or snapshot is None:
            return ""
        file = file_here(snapshot, citation.path, checkouts=self._checkouts)
        if file is None:
            return ""
        values = {"path": quote(str(file)), "line": str(citation.start_line), "host": quote(socket.gethostname())}
        return re.sub(r"\{(path|line|host)\}", lambda match: values[match[1]], self._links)
