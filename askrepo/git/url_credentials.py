"""Finds in a text that should name a repository whatever may be a password or a token, however it is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

ADVICE = (
    "carries credentials, or something like them, which end up in logs: revoke them (Airflow's audit log keeps refused "
    "forms too), remove them, and give the user and token through an Airflow connection or the environment"
)
# Longer texts are no URLs; git and servers take less.
MAX_CHARS = 4096
# Deeper encodings mean nothing to any server.
_ENCODINGS = 3

_ALWAYS = (
    # by their makers' prefixes: GitHub, GitLab, Atlassian, Slack, OpenAI, AWS, npm, PyPI, Hugging Face, Docker, JWT
    r"gh[pousr]_[A-Za-z0-9]{4,}|github_pat_\w{4,}|gl(pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas|wt|ffct)-[\w-]{4,}"
    r"|AT(BB|CTT|ATT)[\w=-]{8,}|xox[abeprs]-[\w-]{4,}|sk-((proj|ant|svcacct|live|test)-[\w-]{8,}|[A-Za-z0-9]{20,})"
    r"|(AKIA|ASIA)[A-Z0-9]{12,}|npm_[A-Za-z0-9]{20,}|pypi-AgEI[\w-]{8,}|hf_[A-Za-z0-9]{16,}|dckr_pat_[\w-]{4,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}|AIza[\w-]{30,}"
    # a long word of digits and letters of both cases; an Azure DevOps token
    r"|(?=[a-zA-Z]*[0-9])(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])[A-Za-z0-9]{36,}"
    r"|(?=[a-z]*[2-7])(?=[0-9a-f]*[g-z])[a-z2-7]{52}(?![a-z0-9])"
)
_SECRET = re.compile(rf"(?<![A-Za-z0-9])({_ALWAYS})")
# Users that stand for a token, and words before one.
_SECRET_WORD = re.compile(
    r"(?i)(?<![a-z0-9])((x-access-token|x-token-auth|private-token|gitlab-ci-token)[:/@=]|oauth2:"
    r"|((access|private|auth|job|deploy|personal|api|client)[_-]?)?(token|key|password|passwd|secret|pat)[:=])"
)
# All that may belong to a scheme: a search that began within it would try each of its characters.
_SCHEME = r"(?<![A-Za-z0-9+.-])([A-Za-z0-9+.-]++):/++"
_USER = re.compile(rf"{_SCHEME}(?P<user>[^/@?#]*)@")
# `user:password` before an `@`, where the password may hold a slash; digits that end there are a port.
_PASSWORD = re.compile(rf"{_SCHEME}[^/@:\[]*+:(?!\d++(/|$))")
_NO_SCHEME = re.compile(
    r"^//[^/@]*@|^(?![/.~])(?![A-Za-z][A-Za-z0-9+.-]*:/)[^/@:]*+:[^/@]*+@|(?i:^(https?|ssh|git):[^/@]+@)"
)
_SSH = re.compile(r"(git\+)?ssh(\+git)?", re.IGNORECASE)
_SSH_USER = re.compile(r"[A-Za-z0-9_][\w.-]{0,31}")
_QUERY = re.compile(r"[?&;]([^=&;#]*)=?([^&;#]*)")
# Queries of web pages, which say what is shown.
_HARMLESS = frozenset({
    "tab", "version", "path", "ref", "ref_type", "ref_name", "at", "h", "id", "branch", "plain", "anchor", "raw",
    "view", "source", "_a", "files", "page", "q", "language", "type", "sort", "since", "utm_source", "utm_medium",
})  # fmt: skip


def carries_credentials(text: str) -> bool:
    """Whether some part of the text may be a password, a token, or a user's name that stands for one.

    Of a text that is longer than any URL only the beginning counts.
    """
    return any(_is_suspicious(form) for form in _forms(text[:MAX_CHARS]))


def _forms(text: str) -> Iterator[str]:
    """The text as the more lenient readers of URLs would read it."""
    visible = "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cf", "Zs"))
    form = unicodedata.normalize("NFKC", visible).replace("\\", "/")
    for _ in range(_ENCODINGS):
        yield form
        form = unquote(form)


def _is_suspicious(form: str) -> bool:
    if _SECRET.search(form) or _SECRET_WORD.search(form) or _NO_SCHEME.search(form):
        return True
    if _PASSWORD.search(form, 0, form.rfind("@") + 1):
        return True
    return any(map(_is_user_a_secret, _USER.finditer(form))) or _is_query_a_secret(form)


def _is_user_a_secret(found: re.Match[str]) -> bool:
    return not (_SSH.fullmatch(found[1].lstrip("0123456789+.-")) and _SSH_USER.fullmatch(found["user"]))


def _is_query_a_secret(form: str) -> bool:
    if "?" not in form or form.startswith(("/", "./", "../", "~")):
        return False
    return any(found[1].lower() not in _HARMLESS for found in _QUERY.finditer(form[form.index("?") :]))
