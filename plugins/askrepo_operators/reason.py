"""What a task's log ends with when the task failed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from askrepo.errors import AskrepoError
from askrepo.text.display import plain_line

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)


def tell_reason(context: Context) -> None:
    """One line that says why, as the task's callback: Airflow itself ends with the frames of a traceback."""
    if error := context.get("exception"):
        # Airflow is in a group of lines that its page folds.
        log.info("::endgroup::")
        log.error("%s", reason_of(error))


def reason_of(error: Any) -> str:
    """The message of an error raised on purpose; of any other its type too. Always one line."""
    message = plain_line(" ".join(str(error).split()))
    on_purpose = isinstance(error, (AskrepoError, str)) or type(error).__name__ == "AirflowFailException"
    return message if on_purpose and message else f"{type(error).__name__}: {message}".removesuffix(": ")
