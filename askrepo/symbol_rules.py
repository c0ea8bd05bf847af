"""Names that source code defines, found in its syntax tree: general rules, then each language's own."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from askrepo.definitions import MAX_NAME_CHARS, Definition
from askrepo.syntax import Tree, Visit

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
_LAST_WORD = re.compile(r"[~@]?[^\W\d][\w$?!]*$")
_SEPARATORS = re.compile(r"[\s()\[\]{},;\"']")

Rule = Callable[[Visit, Tree], "Node | None"]


def tree_definitions(language: str, tree: Tree) -> list[Definition]:
    """Definitions in order of position."""
    rules = _RULES.get(language, {})
    found = []
    for visit in tree.visits:
        rule = rules.get(visit.kind)
        if rule is None and not _is_defining(visit.kind):
            continue
        node = visit.node.child_by_field_name("name") if rule is None else rule(visit, tree)
        name = _name_of(tree.text(node)) if node is not None else ""
        if node is not None and name:
            enclosing_only = visit.kind in _ENCLOSING_ONLY
            found.append(Definition(name, node.start_byte, visit.start, visit.end, is_symbol=not enclosing_only))
    return sorted(found, key=lambda item: (item.start, item.at, item.name))


@functools.lru_cache(maxsize=4096)
def _is_defining(kind: str) -> bool:
    return _DEFINING.search(kind) is not None and _NOT_DEFINING.search(kind) is None


@functools.lru_cache(maxsize=65_536)
def _name_of(text: bytes) -> str:
    """The last word of a possibly qualified name, without type parameters."""
    if len(text) > 2 * MAX_NAME_CHARS:
        return ""
    name = text.decode("utf-8", "replace").strip().strip("\"'`")
    if "operator" not in name:
        name = _TYPE_PARAMETERS.sub("", name)
    match = _LAST_WORD.search(name)
    name = match[0] if match else name
    return "" if len(name) > MAX_NAME_CHARS or _SEPARATORS.search(name) else name


def _field(name: str) -> Rule:
    return lambda visit, _tree: visit.node.child_by_field_name(name)


def _never(_visit: Visit, _tree: Tree) -> None:
    """This kind defines nothing, whatever its fields."""


def _first_of(*kinds: str) -> Rule:
    """The first child of one of these kinds."""

    def rule(visit: Visit, _tree: Tree) -> Node | None:
        return next((child for child in visit.node.children if child.type in kinds), None)

    return rule


def _inside(rule: Rule, *kinds: str, up: int = 1) -> Rule:
    """The rule, but only below one of these kinds ("" for the root)."""
    return lambda visit, tree: rule(visit, tree) if tree.parent_kind(visit, up=up) in kinds else None


def _with(field: str, rule: Rule) -> Rule:
    """The rule, but only for a node that has this field."""
    return lambda visit, tree: rule(visit, tree) if visit.node.child_by_field_name(field) is not None else None


# C and C++ wrap the name in declarators: pointer, array, function, in any order.
_C_NAMES = frozenset(
    {"identifier", "field_identifier", "type_identifier", "qualified_identifier", "destructor_name", "operator_name",
     "template_function", "operator_cast"}
)  # fmt: skip


def _declared(visit: Visit, _tree: Tree) -> Node | None:
    """The innermost declarator of a C function or type definition."""
    return _declarator_name(visit.node, needs_function=False)


def _declared_function(visit: Visit, _tree: Tree) -> Node | None:
    """The same, when it declares a function and not a variable."""
    return _declarator_name(visit.node, needs_function=True)


def _declarator_name(node: Node, *, needs_function: bool) -> Node | None:
    has_function = not needs_function
    current: Node | None = node.child_by_field_name("declarator")
    for _ in range(16):  # deeper declarators are not written by people
        if current is None:
            return None
        if current.type in _C_NAMES:
            return current if has_function else None
        has_function = has_function or current.type == "function_declarator"
        inner = current.child_by_field_name("declarator")
        current = inner if inner is not None else next((c for c in current.named_children), None)
    return None


_JS_FUNCTIONS = frozenset({"function_expression", "function", "arrow_function", "generator_function", "class"})


def _js_variable(visit: Visit, tree: Tree) -> Node | None:
    """A variable that holds a function or a class, or that is the module's own."""
    value = visit.node.child_by_field_name("value")
    is_function = value is not None and value.type in _JS_FUNCTIONS
    is_global = tree.parent_kind(visit, up=2) in {"", "export_statement"}
    name = visit.node.child_by_field_name("name")
    return name if (is_function or is_global) and name is not None and name.type == "identifier" else None


def _js_assignment(visit: Visit, _tree: Tree) -> Node | None:
    """`res.send = function` and `exports.name = () =>`."""
    right = visit.node.child_by_field_name("right")
    left = visit.node.child_by_field_name("left")
    return left if right is not None and right.type in _JS_FUNCTIONS else None


def _js_pair(visit: Visit, _tree: Tree) -> Node | None:
    value = visit.node.child_by_field_name("value")
    return visit.node.child_by_field_name("key") if value is not None and value.type in _JS_FUNCTIONS else None


def _python_assignment(visit: Visit, tree: Tree) -> Node | None:
    """A name bound at the level of the module or of a class."""
    left = visit.node.child_by_field_name("left")
    if left is None or left.type != "identifier" or tree.parent_kind(visit) != "expression_statement":
        return None
    is_module = tree.parent_kind(visit, up=2) == ""
    is_class = tree.parent_kind(visit, up=2) == "block" and tree.parent_kind(visit, up=3) == "class_definition"
    return left if is_module or is_class else None


_ELIXIR_DEFINING = re.compile(rb"def(?:p|module|macro|macrop|protocol|impl|guard|guardp|delegate|exception|record)?")


def _elixir_call(visit: Visit, tree: Tree) -> Node | None:
    """`def name(…) when …`, `defmodule Name do`."""
    target = visit.node.child_by_field_name("target")
    if target is None or not _ELIXIR_DEFINING.fullmatch(tree.text(target)):
        return None
    arguments = next((child for child in visit.node.named_children if child.type == "arguments"), None)
    node = arguments.named_children[0] if arguments is not None and arguments.named_children else None
    while node is not None and node.type in {"call", "binary_operator"}:
        inner = node.child_by_field_name("target") or node.child_by_field_name("left")
        node = inner
    return node


def _lua_assignment(visit: Visit, _tree: Tree) -> Node | None:
    """`M.name = function`."""
    values = [node for child in visit.node.named_children[1:] for node in (child, *child.named_children[:1])]
    if not any(node.type == "function_definition" for node in values):
        return None
    return visit.node.named_children[0]


def _ruby_constant(visit: Visit, _tree: Tree) -> Node | None:
    left = visit.node.child_by_field_name("left")
    return left if left is not None and left.type == "constant" else None


def _ocaml_value(visit: Visit, tree: Tree) -> Node | None:
    if tree.parent_kind(visit, up=2) not in {"", "structure", "module_binding"}:
        return None
    return visit.node.child_by_field_name("pattern")


def _kotlin_property(visit: Visit, tree: Tree) -> Node | None:
    """A property of a file or a class, not a local one."""
    is_property = tree.parent_kind(visit) == "property_declaration"
    if not is_property or tree.parent_kind(visit, up=2) not in {"", "class_body", "enum_class_body"}:
        return None
    return next(
        (child for child in visit.node.named_children if child.type in {"identifier", "simple_identifier"}), None
    )


_name = _field("name")
_C: dict[str, Rule] = {
    "function_definition": _declared,
    "declaration": _declared_function,
    "field_declaration": _declared_function,
    "type_definition": _declared,
    "struct_specifier": _with("body", _name),
    "union_specifier": _with("body", _name),
    "enum_specifier": _with("body", _name),
    "class_specifier": _with("body", _name),
    "preproc_def": _name,
    "preproc_function_def": _name,
}
_JS: dict[str, Rule] = {
    "variable_declarator": _js_variable,
    "assignment_expression": _js_assignment,
    "pair": _js_pair,
    "internal_module": _name,
    "module": _name,
    "field_definition": _field("property"),
    "public_field_definition": _name,
    "property_signature": _never,
    "class": _name,
}
_RULES: dict[str, dict[str, Rule]] = {
    "python": {"assignment": _python_assignment, "type_alias_statement": _field("left")},
    "javascript": _JS,
    "typescript": _JS,
    "tsx": _JS,
    "go": {
        "const_spec": _inside(_name, "const_declaration", up=1),
        "var_spec": _inside(_name, "", "var_spec_list", up=2),
        "field_declaration": _never,
    },
    "java": {
        "variable_declarator": _inside(_name, "field_declaration", "constant_declaration"),
        "module_declaration": _name,
    },
    "rust": {"impl_item": _field("type"), "let_declaration": _never},
    "c": _C,
    "cpp": _C,
    "objc": _C,
    "csharp": {
        "variable_declarator": _inside(_name, "field_declaration", "event_field_declaration", up=2),
        "enum_member_declaration": _never,
        "local_function_statement": _name,
    },
    "ruby": {"module": _name, "assignment": _ruby_constant, "alias": _name},
    "php": {
        "const_element": _first_of("name"),
        "const_declaration": _never,
        "property_element": _never,
    },
    "kotlin": {"variable_declaration": _kotlin_property,
               "type_alias": _first_of("type_identifier", "identifier"),
               "companion_object": _name},
    "swift": {"property_declaration": _inside(_name, "", "class_body", "enum_class_body", "protocol_body"),
              "init_declaration": _name, "typealias_declaration": _name, "protocol_function_declaration": _name},
    "scala": {"val_definition": _inside(_field("pattern"), "", "template_body"),
              "var_definition": _inside(_field("pattern"), "", "template_body"),
              "package_object": _name, "enum_definition": _name},
    "elixir": {"call": _elixir_call},
    "haskell": {"bind": _inside(_name, "declarations"), "type_family": _name, "class": _name},
    "lua": {"assignment_statement": _lua_assignment},
    "bash": {"variable_assignment": _never},
    "zig": {
        "variable_declaration": _inside(_first_of("identifier"), "", "struct_declaration"),
        "container_field": _never,
    },
    "ocaml": {"value_definition": _never, "let_binding": _ocaml_value, "module_binding": _first_of("module_name")},
}  # fmt: skip
RULED_LANGUAGES = frozenset(_RULES)
"""Languages for which the rules are known to be complete enough."""
_ENCLOSING_ONLY = frozenset({"impl_item"})
