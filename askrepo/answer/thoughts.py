"""The answer of a chat model without the thoughts that it, or its server, left in the text."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterable, Iterator

# Tags of DeepSeek, Qwen, GLM, MiniMax and others; Magistral's brackets, Kimi's triangles, gpt-oss's channels.
_NAMES = (
    r"(?:[a-z]+:)?"
    r"(?:think|thinking|antthinking|thought|thoughts|reasoning|reason|reflection|scratchpad|inner_monologue)"
)
_OPENING = re.compile(
    rf"<\s*{_NAMES}(?:\s[^<>\n]{{0,100}})?>|\[THINK(?:ING)?\]|◁think▷|<\|begin_of_thought\|>"
    r"|<\|channel\|>\s*(?:analysis|commentary)[^<]{0,100}<\|message\|>",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"(?:<\|end\|>)?(?:<\|start\|>\s*assistant)?<\|channel\|>\s*final[^<]{0,100}<\|message\|>", re.IGNORECASE
)
_CLOSING = re.compile(
    rf"<\s*/\s*{_NAMES}\s*>|\[/THINK(?:ING)?\]|◁/think▷|<\|end_of_thought\|>|{_FINAL.pattern}", re.IGNORECASE
)
# What channels leave behind, and the frame that some models put around an answer.
_LEFT_OVER = re.compile(
    r"<\|(?:return|end|start|message|end_of_text|im_end|eot_id|begin_of_solution|end_of_solution)\|>"
    r"|<end_of_turn>|<\uff5cend\u2581of\u2581sentence\uff5c>",
    re.IGNORECASE,
)
# gpt-oss behind a server that drops the marks of its channels.
_BARE_CHANNELS = re.compile(r"\s*analysis.*?assistant\s?final\s?", re.DOTALL)
_TAG = re.compile(f"(?P<opening>{_OPENING.pattern})|(?P<closing>{_CLOSING.pattern})", re.IGNORECASE)
# The beginning of a tag, whose rest may be in the next piece.
_UNFINISHED = re.compile(
    r"(?:(?:<\|\w{1,10}\|>[^<>\n]{0,100}){0,3}[<\[◁][^>\]▷\n]{0,110}|(?:<\|\w{1,10}\|>[^<>\n]{0,100}){1,3})$"
)
_MAX_TAG_CHARS = 400
_MAX_LINE_CHARS = 2000
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)


def without_thoughts(pieces: Iterable[str], *, is_plain: Callable[[], bool]) -> Iterator[str]:
    """The pieces without the thoughts in them, whether their tags come as a pair, unclosed, or only at the end.

    Whoever writes only the closing tag is found out when it comes. So nothing is passed on before the end of the
    answer, unless the model is known to write its thoughts elsewhere, or begins by opening one.

    :param is_plain: whether it is known by now that no closing tag can come alone; asked at each piece.
    """
    stripper = PairStripper()
    held: list[str] = []
    head, is_live = "", False
    for piece in pieces:
        held.append(piece)
        head = head if len(head) > _MAX_TAG_CHARS else (head + piece).lstrip()
        is_live = is_live or is_plain() or _OPENING.match(head) is not None
        if is_live:
            yield from filter(None, [stripper.feed("".join(held))])
            held.clear()
    if is_live:
        yield from filter(None, [stripper.end()])
    else:
        yield from filter(None, [answer_of("".join(held))])


def answer_of(text: str) -> str:
    """What a whole text holds beside thoughts."""
    bare = _BARE_CHANNELS.match(text)
    text = text[bare.end() :] if bare else text
    text = text[max((mark.end() for mark in _FINAL.finditer(text)), default=0) :]
    stripper = PairStripper()
    return after_closing(stripper.feed(text) + stripper.end()).lstrip()


def after_closing(text: str) -> str:
    """What follows the last closing tag that no code quotes; the whole text when there is none."""
    fences = [fence.start() for fence in _FENCE.finditer(text)]
    for closing in reversed(list(_CLOSING.finditer(text))):
        if not _is_code(text, closing, fences):
            return text[closing.end() :]
    return text


def _is_code(text: str, tag: re.Match[str], fences: list[int]) -> bool:
    """Whether a tag is quoted: within backticks on its line, or in a fence that is closed behind it."""
    line_start = max(text.rfind("\n", 0, tag.start()) + 1, tag.start() - _MAX_LINE_CHARS)
    behind = text[tag.end() : tag.end() + _MAX_LINE_CHARS].partition("\n")[0]
    if text.count("`", line_start, tag.start()) % 2 and "`" in behind:
        return True
    before = bisect.bisect(fences, tag.start())
    return before % 2 == 1 and before < len(fences)


class PairStripper:
    """Takes `opening … closing` out of a text that comes in pieces; a thought begins where a line begins.

    Whoever has thought once may do so again in the middle of a line, unless code quotes the tag.
    A thought that opens tags without closing them must not swallow the answer: what follows a closing tag is kept
    aside as long as another one may come, and shown at the end when none did.
    """

    def __init__(self) -> None:
        self._buffer = ""
        self._depth = 0
        self._aside: list[str] | None = None
        self._has_started = False
        self._line = ""
        self._is_fenced = False
        self._is_quoted = False
        self._has_thought = False

    def feed(self, text: str) -> str:
        """What can be shown by now."""
        self._buffer += text
        shown, at = [], 0
        while tag := _TAG.search(self._buffer, at):
            shown.append(self._show(self._buffer[at : tag.start()]))
            shown.append(self._show(self._passed(tag)))
            at = tag.end()
        self._buffer = self._buffer[at:]
        return "".join([*shown, self._show(self._take_safe())])

    def end(self) -> str:
        """The rest, when no more comes; a thought that was never closed is dropped."""
        shown, self._buffer = self._show(self._buffer), ""
        if self._depth and self._aside is not None:
            self._depth = 0
            return self._show("".join(self._aside))
        return shown

    def _passed(self, tag: re.Match[str]) -> str:
        """Take a tag's meaning; returns it when it is text after all."""
        is_mark = tag.group().endswith("<|message|>")
        if tag["closing"] is not None and self._depth:
            self._depth = 0 if is_mark else self._depth - 1
            self._aside = [] if self._depth else None
            self._has_thought = True
        elif tag["opening"] is not None and (self._depth or self._may_begin(tag)):
            quoted = self._depth and tag.string[tag.start() - 1 : tag.start()] == "`"
            self._depth = 1 if is_mark else self._depth + (not quoted)
        elif not is_mark:
            return tag.group()
        return ""

    def _may_begin(self, tag: re.Match[str]) -> bool:
        """Whether a thought may begin here; in the middle of a line it is kept aside, to be shown if it never ends."""
        if self._is_fenced or self._is_quoted:
            return False
        if not self._line.strip():
            return True
        self._aside = [tag.group()] if self._has_thought else None
        return self._has_thought

    def _take_safe(self) -> str:
        """What of the buffer cannot become a tag any more."""
        if self._depth:
            cut = max(0, len(self._buffer) - _MAX_TAG_CHARS)
        else:
            unfinished = _UNFINISHED.search(self._buffer)
            cut = unfinished.start() if unfinished else len(self._buffer)
        safe, self._buffer = self._buffer[:cut], self._buffer[cut:]
        return safe

    def _show(self, text: str) -> str:
        """The text, noted as shown; nothing while a thought lasts."""
        if self._depth:
            if self._aside is not None:
                self._aside.append(text)
            return ""
        first, *others = text.split("\n")
        text = "\n".join([self._in_line(first), *map(self._new_line, others)])
        if not self._has_started:
            text = text.lstrip()
            self._has_started = bool(text)
        return text

    def _new_line(self, part: str) -> str:
        self._is_fenced ^= _FENCE.match(self._line) is not None
        self._line, self._is_quoted = "", False
        return self._in_line(part)

    def _in_line(self, part: str) -> str:
        """A part of a line without what models put around an answer, unless code quotes it."""
        pieces = part.split("`")
        for at, piece in enumerate(pieces):
            if not self._is_fenced and self._is_quoted == at % 2:
                pieces[at] = _LEFT_OVER.sub("", piece)
        self._is_quoted ^= len(pieces) % 2 == 0
        part = "`".join(pieces)
        line = self._line + part
        # its beginning tells whether it is blank, and whether it is a fence
        self._line = line[:80] if line[:80].strip() else line.strip()[:80]
        return part
