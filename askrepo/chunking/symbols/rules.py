"""Names that source code defines, found in its syntax tree: general rules, then each language's own."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from askrepo.chunking.symbols.definitions import MAX_NAME_CHARS, SymbolDefinition
from askrepo.chunking.symbols.languages import RULES, LanguageRules
from askrepo.chunking.syntax import Tree, Visit

if TYPE_CHECKING:
    from tree_sitter import Node

# Kinds that define the name in their `name` field, in whatever language.
_DEFINING = re.compile(
    r"^(?:class|module|method|singleton_method|newtype|data_type|type_synomym|function)$"
    r"|(?:^|_)(?:definition|declaration|item|signature|spec|specifier|implementation|interface|alias|def|function_def"
    r"|elem|clause|decl|object|case|binding)$"
)
_NOT_DEFINING = re.compile(
    r"parameter|import|export|argument|type_specifier|^signature$|accessor|extends|base_class|catch|extern_crate"
    r"|pattern|formal|with_clause|for_in|match|switch|preproc_if|^declaration$|^field_declaration$|using|namespace_alias"
    r"|full_enum_case|simple_enum_case|enum_case|index_signature|type_case|package_|fun_clause|cast|^module$"
)
_TYPE_PARAMETERS = re.compile(r"<.*>$", re.DOTALL)
_LAST_WORD = re.compile(r"[~@]?[^\W\d][\w$?!-]*$")
_LETTER = re.compile(r"[^\W\d_]")
_SEPARATORS = re.compile(r"[\s()\[\]{},;\"']")
# Words that macros make the grammars of C and C++ take for names.
_C_KEYWORDS = """
auto break case class const constexpr decltype default delete do else enum explicit extern for friend goto if inline
namespace new noexcept operator private protected public return sizeof static struct switch template this throw typedef
typename union using virtual void volatile while
"""
_NO_NAMES = frozenset(_C_KEYWORDS.split())
_MACRO_LANGUAGES = frozenset({"c", "cpp", "objc"})


def tree_definitions(language: str, tree: Tree) -> list[SymbolDefinition]:
    """Definitions in order of position."""
    rules = RULES.get(language, LanguageRules())
    reserved = _NO_NAMES if language in _MACRO_LANGUAGES else frozenset[str]()
    found = [
        definition
        for visit in tree.visits
        for definition in _definitions_of(visit, tree, rules)
        if definition.name and definition.name not in reserved
    ]
    return sorted(found, key=lambda item: (item.start, item.is_symbol, item.at, item.name))


def _definitions_of(visit: Visit, tree: Tree, rules: LanguageRules) -> Iterator[SymbolDefinition]:
    """What one node defines, and what it only stands in; a name may be ""."""
    for node in _named(visit, tree, rules):
        yield SymbolDefinition(_name_of(tree.text(node)), node.start_byte, visit.start, visit.end)
    if visit.kind in rules.members:
        for node in rules.members[visit.kind](visit, tree):
            at = node.start_byte
            yield SymbolDefinition(_name_of(tree.text(node)), at, at, at)
    if visit.kind in rules.enclosing:
        for node in rules.enclosing[visit.kind](visit, tree):
            yield SymbolDefinition(_name_of(tree.text(node)), node.start_byte, visit.start, visit.end, is_symbol=False)


def _named(visit: Visit, tree: Tree, rules: LanguageRules) -> Sequence[Node]:
    rule = rules.names.get(visit.kind)
    if rule is not None:
        return rule(visit, tree)
    name = visit.node.child_by_field_name("name") if _is_defining(visit.kind) else None
    return [name] if name is not None else []


@functools.lru_cache(maxsize=4096)
def _is_defining(kind: str) -> bool:
    return _DEFINING.search(kind) is not None and _NOT_DEFINING.search(kind) is None


@functools.lru_cache(maxsize=65_536)
def _name_of(text: bytes) -> str:
    """The last word of a possibly qualified name, without type parameters; "" when it names nothing."""
    if len(text) > 2 * MAX_NAME_CHARS:
        return ""
    name = text.decode("utf-8", "replace").strip().strip("\"'`")
    if "operator" not in name:
        name = _TYPE_PARAMETERS.sub("", name)
    match = _LAST_WORD.search(name)
    name = match[0] if match else name
    is_name = len(name) <= MAX_NAME_CHARS and _LETTER.search(name) and not _SEPARATORS.search(name)
    return name if is_name else ""
