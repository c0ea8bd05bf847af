"""Which nodes of a syntax tree name what is defined there, language by language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from askrepo.chunking.syntax import Tree, Visit

if TYPE_CHECKING:
    from tree_sitter import Node

Rule = Callable[[Visit, Tree], Sequence["Node"]]
"""The nodes whose text is a name; none when this visit names nothing."""


class LanguageRules(NamedTuple):
    """What a language's kinds of nodes mean.

    :ivar names: kinds that define these names; the node is the extent of the definition.
    :ivar members: kinds that define these names beside that, each without an extent of its own.
    :ivar enclosing: kinds that these names enclose without being defined there, as with Rust's `impl`.
    """

    names: Mapping[str, Rule] = MappingProxyType({})
    members: Mapping[str, Rule] = MappingProxyType({})
    enclosing: Mapping[str, Rule] = MappingProxyType({})


def _field(name: str) -> Rule:
    """The nodes of this field."""
    return lambda visit, _tree: visit.node.children_by_field_name(name)


def _first_of(*kinds: str) -> Rule:
    """The first child of one of these kinds."""
    return lambda visit, _tree: [child for child in visit.node.children if child.type in kinds][:1]


def _never(_visit: Visit, _tree: Tree) -> Sequence[Node]:
    """This kind defines nothing, whatever its fields."""
    return ()


def _inside(rule: Rule, *kinds: str, up: int = 1) -> Rule:
    """The rule, but only that many levels below one of these kinds ("" for the root)."""
    return lambda visit, tree: rule(visit, tree) if tree.parent_kind(visit, up=up) in kinds else ()


def _only_below(rule: Rule, *kinds: str) -> Rule:
    """The rule, but only when everything around the node is of these kinds: no function is."""
    return lambda visit, tree: rule(visit, tree) if _kinds_above(visit, tree) <= set(kinds) else ()


def _outside(rule: Rule, *kinds: str) -> Rule:
    """The rule, but not anywhere below one of these kinds."""
    return lambda visit, tree: rule(visit, tree) if _kinds_above(visit, tree).isdisjoint(kinds) else ()


def _with(field: str, rule: Rule) -> Rule:
    """The rule, but only for a node that has this field."""
    return lambda visit, tree: rule(visit, tree) if visit.node.child_by_field_name(field) is not None else ()


def _kinds_above(visit: Visit, tree: Tree) -> set[str]:
    return {outer.kind for outer in tree.ancestors(visit)}


def _fields(nodes: Iterable[Node | None], name: str) -> list[Node]:
    """The field of each node that has it."""
    found = (node.child_by_field_name(name) for node in nodes if node is not None)
    return [node for node in found if node is not None]


_name = _field("name")


def _first_name(visit: Visit, tree: Tree) -> Sequence[Node]:
    """The first of several nodes in a `name` field: the others are types."""
    return _name(visit, tree)[:1]


# Python. A name bound in a branch of the module is the module's, except in the part that runs as a script and where an
# import failed.
_PYTHON_BRANCHES = frozenset(
    {"assignment", "expression_statement", "block", "if_statement", "elif_clause", "else_clause", "try_statement",
     "finally_clause", "with_statement"}
)  # fmt: skip


def _python_assignment(visit: Visit, tree: Tree) -> Sequence[Node]:
    """Names bound at the level of the module or of a class."""
    for outer in tree.ancestors(visit):
        if outer.kind == "class_definition":
            break
        condition = outer.node.child_by_field_name("condition")
        if outer.kind not in _PYTHON_BRANCHES or (condition is not None and b"__name__" in tree.text(condition)):
            return ()
    left = visit.node.child_by_field_name("left")
    if left is not None and left.type == "pattern_list":
        return [child for child in left.named_children if child.type == "identifier"]
    return [left] if left is not None and left.type == "identifier" else []


def _python_type_alias(visit: Visit, _tree: Tree) -> Sequence[Node]:
    """`type Name[T] = …`, without the parameters."""
    node = visit.node.child_by_field_name("left")
    while node is not None and node.named_children:
        node = node.named_children[0]
    return [node] if node is not None else []


# JavaScript and TypeScript
_JS_FUNCTIONS = frozenset({"function_expression", "function", "arrow_function", "generator_function", "class"})
_JS_WRAPPERS = frozenset({"as_expression", "satisfies_expression", "parenthesized_expression"})
_JS_STATEMENTS = frozenset(
    {"variable_declarator", "lexical_declaration", "variable_declaration", "assignment_expression",
     "expression_statement", "export_statement", *_JS_WRAPPERS}
)  # fmt: skip
_MAX_CHAIN = 16  # longer chains of assignments are not written by people
_JS_EXPORTS = frozenset({b"exports", b"module.exports"})
# Objects whose own name says nothing about what is assigned to them.
_JS_NAMELESS = _JS_EXPORTS | {b"this", b"self", b"window", b"global", b"globalThis", b"module"}


def _js_variable(visit: Visit, tree: Tree) -> Sequence[Node]:
    """A variable that holds a function or a class, or that is the module's own; none that only imports."""
    name = visit.node.child_by_field_name("name")
    value = visit.node.child_by_field_name("value")
    if name is None or name.type != "identifier" or (value is not None and _is_js_import(name, value, tree)):
        return ()
    is_function = value is not None and value.type in _JS_FUNCTIONS
    return [name] if is_function or tree.parent_kind(visit, up=2) in {"", "export_statement"} else []


def _is_js_import(name: Node, value: Node, tree: Tree) -> bool:
    """`x = require("x")`, also what is called or picked from it, and `x = y.x`."""
    picked = _fields([value], "property")
    if picked and tree.text(picked[0]) == tree.text(name):
        return True
    current: Node | None = value
    while current is not None and current.type in {"call_expression", "member_expression", "await_expression"}:
        inner = current.child_by_field_name("function") or current.child_by_field_name("object")
        current = inner or next(iter(current.named_children), None)
    return current is not None and tree.text(current) in {b"require", b"import"}


def _js_assignment(visit: Visit, tree: Tree) -> Sequence[Node]:
    """`res.send = function`, `exports.name = make()`, and each name of `res.type = res.kind = function`."""
    left, value = visit.node.child_by_field_name("left"), _js_assigned(visit)
    if left is None or value is None or tree.text(left) in _JS_EXPORTS:
        return ()
    is_interface = left.type == "member_expression" and _kinds_above(visit, tree) <= _JS_STATEMENTS
    exported = is_interface and any(tree.text(node) in _JS_EXPORTS for node in _fields([left], "object"))
    is_value = value.type not in {"identifier", "member_expression", "undefined", "unary_expression"}
    is_import = is_value and _is_js_import(left, value, tree)
    return [left] if value.type in _JS_FUNCTIONS or (exported and is_value and not is_import) else []


def _js_assigned(visit: Visit) -> Node | None:
    """The value at the end of a chain of assignments."""
    value = visit.node.child_by_field_name("right")
    for _ in range(_MAX_CHAIN):
        if value is None or value.type != "assignment_expression":
            break
        value = value.child_by_field_name("right")
    return value


def _js_owner(visit: Visit, tree: Tree) -> Sequence[Node]:
    """`Router` of `Router.prototype.use = function`."""
    value = _js_assigned(visit)
    left = visit.node.child_by_field_name("left")
    if value is None or value.type not in _JS_FUNCTIONS:
        return ()
    owners = _fields([left], "object")
    if owners and tree.text(owners[0]).endswith(b".prototype"):
        owners = _fields(owners, "object")
    return [owner for owner in owners if tree.text(owner) not in _JS_NAMELESS]


def _js_pair(visit: Visit, tree: Tree) -> Sequence[Node]:
    """A method of an object, and each property of an object that is the module's own."""
    value = visit.node.child_by_field_name("value")
    if value is None:
        return ()
    above = [outer.kind for outer in tree.ancestors(visit)]
    is_own = above[:1] == ["object"] and len(above) > 1 and set(above[1:]) <= _JS_STATEMENTS
    is_named = value.type not in {"identifier", "member_expression"}
    keys = _fields([visit.node], "key")
    own_keys = [key for key in keys if key.type == "property_identifier"] if is_own and is_named else []
    return keys if value.type in _JS_FUNCTIONS else own_keys


def _ts_module(visit: Visit, _tree: Tree) -> Sequence[Node]:
    """`declare module Name`, not an extension of somebody's `declare module "package"`."""
    return [node for node in _fields([visit.node], "name") if node.type != "string"]


def _ts_enum_members(visit: Visit, _tree: Tree) -> Sequence[Node]:
    plain = [child for child in visit.node.named_children if child.type == "property_identifier"]
    return plain + _fields([child for child in visit.node.named_children if child.type == "enum_assignment"], "name")


_JAVASCRIPT = LanguageRules(
    names={
        "variable_declarator": _js_variable,
        "assignment_expression": _js_assignment,
        "pair": _js_pair,
        "function_expression": _name,
        "internal_module": _name,
        "module": _ts_module,
        "field_definition": _field("property"),
        "public_field_definition": _name,
        "property_signature": _inside(
            _name, "interface_declaration", "type_alias_declaration", "intersection_type", up=2
        ),
        "class": _name,
    },
    members={"enum_body": _ts_enum_members},
    enclosing={"assignment_expression": _js_owner},
)


# Go
def _go_fields(visit: Visit, tree: Tree) -> Sequence[Node]:
    """The exported fields of a struct."""
    return [node for node in visit.node.children_by_field_name("name") if tree.text(node)[:1].isupper()]


def _go_receiver(visit: Visit, _tree: Tree) -> Sequence[Node]:
    """`Store` of `func (s *Store[K]) Get()`."""
    receiver = visit.node.child_by_field_name("receiver")
    found = _fields(receiver.named_children if receiver is not None else (), "type")
    if found and found[0].type == "pointer_type":
        found = found[0].named_children[:1]
    return _fields(found, "type") or found


# Rust
_RUST_ITEMS = frozenset({"fn", "struct", "enum", "union", "trait", "mod", "type", "const", "static"})
_RUST_NESTING = 3  # items in a macro in `mod` or `impl`; deeper braces are bodies


def _rust_macro_items(visit: Visit, tree: Tree) -> Sequence[Node]:
    """Items passed to a macro that stands where items do: `cfg_rt! { pub fn spawn() … }`."""
    if not _kinds_above(visit, tree) <= {"expression_statement", "declaration_list", "mod_item", "impl_item"}:
        return ()
    trees = [child for child in visit.node.children if child.type == "token_tree"]
    return [name for child in trees for name in _rust_items(child, tree, _RUST_NESTING)]


def _rust_items(tokens: Node, tree: Tree, depth: int) -> Iterator[Node]:
    children = tokens.children
    before: tuple[str, str] = ("", "")
    for child, following in zip(children, [*children[1:], None], strict=True):
        kind = child.type
        if kind == "token_tree" and depth > 1 and tree.text(child).startswith(b"{"):
            yield from _rust_items(child, tree, depth - 1)
        is_elsewhere = before[1] == "mod" and following is not None and following.type == ";"
        is_item = before[1] in _RUST_ITEMS or before == ("macro_rules", "!")
        if kind == "identifier" and is_item and not is_elsewhere:
            yield child
        before = (before[1], "macro_rules" if kind == "identifier" and tree.text(child) == b"macro_rules" else kind)


def _rust_public(rule: Rule) -> Rule:
    """The rule, but only for a node marked `pub`."""

    def public(visit: Visit, tree: Tree) -> Sequence[Node]:
        return rule(visit, tree) if tree.text(visit.node).startswith(b"pub ") else ()

    return public


# C and C++ wrap the name in declarators: pointer, array, function, in any order.
_C_NAMES = frozenset(
    {"identifier", "field_identifier", "type_identifier", "qualified_identifier", "destructor_name", "operator_name",
     "template_function"}
)  # fmt: skip
_C_VARIABLES = frozenset({"init_declarator", "pointer_declarator", "array_declarator", "reference_declarator"})


def _c_type(visit: Visit, _tree: Tree) -> Sequence[Node]:
    """The names of a `typedef`."""
    found = (_c_name(node) for node in visit.node.children_by_field_name("declarator"))
    return [name for name, _ in found if name is not None]


def _c_function(visit: Visit, tree: Tree) -> Sequence[Node]:
    """A function that is not, as only a macro can look, inside another one."""
    return () if _is_c_local(visit, tree) else _c_function_names(visit)


def _c_function_names(visit: Visit) -> list[Node]:
    """The names of declarators that declare a function."""
    found = (_c_name(node) for node in visit.node.children_by_field_name("declarator"))
    return [name for name, kinds in found if name is not None and "function_declarator" in kinds]


def _c_declaration(visit: Visit, tree: Tree) -> Sequence[Node]:
    """Functions and variables declared outside functions; none that is declared to be elsewhere."""
    if _is_c_local(visit, tree):
        return ()
    is_extern = any(tree.text(child) == b"extern" for child in visit.node.children[:2])
    found = (_c_name(node) for node in visit.node.children_by_field_name("declarator"))
    return [
        name
        for name, kinds in found
        if name is not None and ("function_declarator" in kinds or (not is_extern and kinds <= _C_VARIABLES))
    ]


def _is_c_local(visit: Visit, tree: Tree) -> bool:
    """Whether this stands in a function's body, and not in a class in it or a namespace that a macro disguises."""
    for outer in tree.ancestors(visit):
        if outer.kind == "field_declaration_list":
            return False
        if outer.kind == "lambda_expression" or (outer.kind == "function_definition" and _c_function_names(outer)):
            return True
    return False


def _c_name(declarator: Node) -> tuple[Node | None, set[str]]:
    """The name in a declarator, and the kinds of declarators around it."""
    kinds: set[str] = set()
    current: Node | None = declarator
    for _ in range(16):  # deeper declarators are not written by people
        if current is None or current.type in _C_NAMES:
            return current, kinds
        kinds.add(current.type)
        inner = current.child_by_field_name("declarator")
        current = inner if inner is not None else next(iter(current.named_children), None)
    return None, kinds


def _cpp_qualifiers(visit: Visit, _tree: Tree) -> Sequence[Node]:
    """`Queue` of `void Queue<T>::push() {`."""
    scopes: list[Node] = []
    for name in _c_function_names(visit):
        current: Node | None = name
        while current is not None and current.type == "qualified_identifier":
            scopes += _fields([current], "scope")
            current = current.child_by_field_name("name")
    return scopes


_C_RULES: dict[str, Rule] = {
    "function_definition": _c_function,
    "declaration": _c_declaration,
    "field_declaration": lambda visit, _tree: _c_function_names(visit),
    "type_definition": _c_type,
    "struct_specifier": _with("body", _name),
    "union_specifier": _with("body", _name),
    "enum_specifier": _with("body", _name),
    "class_specifier": _with("body", _name),
    "enumerator": _name,
    "preproc_def": _with("value", _name),  # without a value it guards an include
    "preproc_function_def": _name,
    "namespace_definition": _never,
}
_C = LanguageRules(_C_RULES, enclosing={"namespace_definition": _name, "function_definition": _cpp_qualifiers})


# Ruby
_RUBY_MEMBERS = re.compile(
    rb"(?:[cm]|thread_m)?attr_(?:reader|writer|accessor)|class_attribute|alias_method|delegate|def_delegators?"
)
_RUBY_METHODS = frozenset({b"define_method", b"define_singleton_method"})


def _ruby_constant(visit: Visit, _tree: Tree) -> Sequence[Node]:
    return [node for node in _fields([visit.node], "left") if node.type == "constant"]


def _ruby_symbols(visit: Visit) -> list[Node]:
    arguments = visit.node.child_by_field_name("arguments")
    children = arguments.named_children if arguments is not None else []
    return [child for child in children if child.type in {"simple_symbol", "string"}]


def _ruby_method(visit: Visit, tree: Tree) -> Sequence[Node]:
    """`define_method(:name) do`."""
    called = [tree.text(node) for node in _fields([visit.node], "method")]
    return _ruby_symbols(visit)[:1] if called and called[0] in _RUBY_METHODS else []


def _ruby_members(visit: Visit, tree: Tree) -> Sequence[Node]:
    """`attr_reader :a, :b` and the like."""
    called = [tree.text(node) for node in _fields([visit.node], "method")]
    if not called or not _RUBY_MEMBERS.fullmatch(called[0]):
        return ()
    names = _ruby_symbols(visit)
    if called[0].startswith(b"def_delegator"):  # the first is the object asked
        return names[1:] if called[0].endswith(b"s") else names[-1:]
    return names[:1] if called[0] == b"alias_method" else names


def _ruby_is_namespace(visit: Visit) -> bool:
    """Whether a module holds nothing but classes and modules: every file opens it again."""
    body = visit.node.child_by_field_name("body")
    kinds = {child.type for child in body.named_children} if body is not None else set()
    return bool(kinds) and kinds <= {"class", "module", "comment"}


def _ruby_module(visit: Visit, tree: Tree) -> Sequence[Node]:
    return () if _ruby_is_namespace(visit) else _name(visit, tree)


def _ruby_namespace(visit: Visit, tree: Tree) -> Sequence[Node]:
    return _name(visit, tree) if _ruby_is_namespace(visit) else ()


# PHP
def _php_define(visit: Visit, tree: Tree) -> Sequence[Node]:
    """`define('NAME', value)`."""
    called = [tree.text(node) for node in _fields([visit.node], "function")]
    arguments = visit.node.child_by_field_name("arguments")
    return arguments.named_children[:1] if called == [b"define"] and arguments is not None else []


# Kotlin
def _kotlin_property(visit: Visit, tree: Tree) -> Sequence[Node]:
    """A property of a file or a class, not a local one."""
    is_property = tree.parent_kind(visit) == "property_declaration"
    if not is_property or tree.parent_kind(visit, up=2) not in {"", "class_body", "enum_class_body"}:
        return ()
    return _first_of("identifier", "simple_identifier")(visit, tree)


# Swift
def _is_swift_extension(visit: Visit) -> bool:
    return any(child.type == "extension" for child in visit.node.children)


def _swift_class(visit: Visit, tree: Tree) -> Sequence[Node]:
    return () if _is_swift_extension(visit) else _name(visit, tree)[:1]


def _swift_extension(visit: Visit, tree: Tree) -> Sequence[Node]:
    return _name(visit, tree)[:1] if _is_swift_extension(visit) else ()


# Scala
def _scala_values(visit: Visit, _tree: Tree) -> Sequence[Node]:
    """`val a, b = …`."""
    found = _fields([visit.node], "pattern")
    return found[0].named_children if found and found[0].type == "identifiers" else found


# Elixir
_ELIXIR_DEFINING = re.compile(rb"def(?:p|module|macro|macrop|protocol|guard|guardp|delegate|record|n|np)?")
_ELIXIR_TYPES = frozenset({b"callback", b"macrocallback", b"type", b"typep", b"opaque"})
_ELIXIR_RESERVED = frozenset(
    b"after_compile after_verify before_compile behaviour compile deprecated derive describetag dialyzer doc"
    b" enforce_keys external_resource fallback_to_any file impl moduledoc moduletag nifs on_definition on_load"
    b" optional_callbacks recursive shortdoc since spec tag typedoc vsn".split()
)


def _elixir_call(visit: Visit, tree: Tree) -> Sequence[Node]:
    """`def name(…) when …`, `defmodule Name do`."""
    target = visit.node.child_by_field_name("target")
    if target is None or not _ELIXIR_DEFINING.fullmatch(tree.text(target)):
        return ()
    return _elixir_defined(_elixir_arguments(visit.node), tree, operator=b"when")


def _elixir_attribute(visit: Visit, tree: Tree) -> Sequence[Node]:
    """`@callback name(…) :: …`, `@type name :: …`, and a constant: `@limit 3`."""
    operand = visit.node.child_by_field_name("operand")
    target = operand.child_by_field_name("target") if operand is not None and operand.type == "call" else None
    if operand is None or target is None or tree.text(target) in _ELIXIR_RESERVED:
        return ()
    if tree.text(target) in _ELIXIR_TYPES:
        return _elixir_defined(_elixir_arguments(operand), tree, operator=b"::")
    return [target] if tree.source[visit.start : visit.start + 1] == b"@" else []


def _elixir_protocol(visit: Visit, tree: Tree) -> Sequence[Node]:
    """`Enumerable` of `defimpl Enumerable, for: Range do`."""
    target = visit.node.child_by_field_name("target")
    return _elixir_arguments(visit.node)[:1] if target is not None and tree.text(target) == b"defimpl" else []


def _elixir_arguments(call: Node) -> list[Node]:
    arguments = next((child for child in call.named_children if child.type == "arguments"), None)
    return arguments.named_children if arguments is not None else []


def _elixir_defined(arguments: Sequence[Node], tree: Tree, *, operator: bytes) -> list[Node]:
    """The name in a head such as `name(a, b) when guard`; none for an operator or a computed name."""
    node = arguments[0] if arguments else None
    while node is not None and node.type in {"call", "binary_operator"}:
        sign = node.child_by_field_name("operator")
        if node.type == "binary_operator" and (sign is None or tree.text(sign) not in {operator, b"when"}):
            return []
        node = node.child_by_field_name("target") or node.child_by_field_name("left")
    return [node] if node is not None and tree.text(node) != b"unquote" else []


# Haskell
_HASKELL_NESTING = 6  # from a data type down to the names of its fields


def _haskell_constructors(visit: Visit, _tree: Tree) -> Sequence[Node]:
    """The constructors of a data type and the fields of its records."""
    found: list[Node] = []
    pending = [(child, 1) for child in visit.node.named_children if "constructor" in child.type]
    while pending:
        node, depth = pending.pop()
        if node.type in {"constructor", "field_name"}:
            found.append(node)
        elif depth < _HASKELL_NESTING:
            kinds = ("constructor", "field", "record", "prefix")
            pending += [(child, depth + 1) for child in node.named_children if any(k in child.type for k in kinds)]
    return found


def _haskell_signature(visit: Visit, _tree: Tree) -> Sequence[Node]:
    """The methods of a class: `area, size :: s -> Int`."""
    several = [name for names in _fields([visit.node], "names") for name in names.named_children]
    return several or _fields([visit.node], "name")


# Lua
def _lua_assigned(visit: Visit, _tree: Tree) -> list[tuple[Node, Node]]:
    """Names and values of an assignment, side by side."""
    sides = [child.named_children for child in visit.node.named_children if child.type.endswith("_list")]
    return list(zip(*sides[:2], strict=False)) if len(sides) > 1 else []


def _lua_assignment(visit: Visit, tree: Tree) -> Sequence[Node]:
    """`M.name = function`, and what the file itself sets: `M.VERSION = "1"`."""
    is_global = visit.parent < 0
    return [name for name, value in _lua_assigned(visit, tree) if is_global or value.type == "function_definition"]


def _lua_tables(visit: Visit, tree: Tree) -> Sequence[Node]:
    """`M` of `M.name = function` and of `function M:name()`."""
    assigned = [name for name, value in _lua_assigned(visit, tree) if value.type == "function_definition"]
    return _fields(assigned or _fields([visit.node], "name"), "table")


def _lua_field(visit: Visit, _tree: Tree) -> Sequence[Node]:
    """A function in a table."""
    values = _fields([visit.node], "value")
    return _fields([visit.node], "name") if values and values[0].type == "function_definition" else []


# Zig
_ZIG_CONTAINERS = ("struct_declaration", "union_declaration", "enum_declaration", "opaque_declaration")


def _zig_variable(visit: Visit, tree: Tree) -> Sequence[Node]:
    """A constant of the file or of a container, when it is not just another name for something imported."""
    children = visit.node.named_children
    names = [child for child in children if child.type == "identifier"][:1]
    value = tree.text(children[-1]) if children else b""
    is_import = value.startswith((b"@import", b"@This")) or bool(names and value.endswith(b"." + tree.text(names[0])))
    return () if is_import else names


# OCaml
def _ocaml_value(visit: Visit, tree: Tree) -> Sequence[Node]:
    is_global = tree.parent_kind(visit, up=2) in {"", "structure", "module_binding"}
    return _fields([visit.node], "pattern") if is_global else []


RULES: dict[str, LanguageRules] = {
    "python": LanguageRules({"assignment": _python_assignment, "type_alias_statement": _python_type_alias}),
    "javascript": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "tsx": _JAVASCRIPT,
    "go": LanguageRules(
        {
            "const_spec": _only_below(_name, "const_declaration"),
            "var_spec": _only_below(_name, "var_declaration", "var_spec_list"),
            "field_declaration": _outside(_go_fields, "function_declaration", "method_declaration", "func_literal"),
        },
        enclosing={"method_declaration": _go_receiver},
    ),
    "java": LanguageRules(
        {
            "variable_declarator": _inside(_name, "field_declaration", "constant_declaration"),
            "enum_constant": _name,
            "module_declaration": _name,
        }
    ),
    "rust": LanguageRules(
        {
            "impl_item": _never,
            "let_declaration": _never,
            "mod_item": _with("body", _name),
            "type_item": _outside(_name, "impl_item"),
            "associated_type": _name,
            "enum_variant": _name,
            "field_declaration": _inside(_rust_public(_name), "struct_item", "union_item", up=2),
        },
        members={"macro_invocation": _rust_macro_items},
        enclosing={"impl_item": _field("type")},
    ),
    "c": _C,
    "cpp": _C,
    "objc": _C,
    "csharp": LanguageRules(
        {
            "variable_declarator": _inside(_name, "field_declaration", "event_field_declaration", up=2),
            "enum_member_declaration": _name,
            "local_function_statement": _name,
            "namespace_declaration": _never,
            "file_scoped_namespace_declaration": _never,
        },
        enclosing={"namespace_declaration": _name},
    ),
    "ruby": LanguageRules(
        {"module": _ruby_module, "assignment": _ruby_constant, "alias": _name, "call": _ruby_method},
        members={"call": _ruby_members},
        enclosing={"module": _ruby_namespace},
    ),
    "php": LanguageRules(
        {
            "const_element": _first_of("name"),
            "const_declaration": _never,
            "property_element": _name,
            "enum_case": _name,
            "function_call_expression": _php_define,
            "namespace_definition": _never,
        },
        enclosing={"namespace_definition": _with("body", _name)},
    ),
    "kotlin": LanguageRules(
        {
            "variable_declaration": _kotlin_property,
            "type_alias": _first_of("type_identifier", "identifier"),
            "companion_object": _name,
            "enum_entry": _first_of("identifier", "simple_identifier"),
        }
    ),
    "swift": LanguageRules(
        {
            "class_declaration": _swift_class,
            "property_declaration": _inside(_name, "", "class_body", "enum_class_body", "protocol_body"),
            "init_declaration": _first_name,
            "typealias_declaration": _first_name,
            "protocol_function_declaration": _first_name,
            "subscript_declaration": _never,
            "enum_entry": _name,
        },
        enclosing={"class_declaration": _swift_extension},
    ),
    "scala": LanguageRules(
        {
            "val_definition": _inside(_scala_values, "", "template_body"),
            "var_definition": _inside(_scala_values, "", "template_body"),
            "simple_enum_case": _name,
            "full_enum_case": _name,
            "package_object": _name,
            "enum_definition": _name,
        }
    ),
    "elixir": LanguageRules(
        {"call": _elixir_call, "unary_operator": _elixir_attribute}, enclosing={"call": _elixir_protocol}
    ),
    "haskell": LanguageRules(
        {
            "bind": _inside(_name, "declarations"),
            "type_family": _name,
            "class": _name,
            "signature": _inside(_haskell_signature, "class_declarations"),
        },
        members={"data_type": _haskell_constructors, "newtype": _haskell_constructors},
        enclosing={"instance": _name},
    ),
    "lua": LanguageRules(
        {
            "assignment_statement": _lua_assignment,
            "field": _lua_field,
            "for_numeric_clause": _never,
            "for_generic_clause": _never,
        },
        enclosing={"assignment_statement": _lua_tables, "function_declaration": _lua_tables},
    ),
    "bash": LanguageRules({"variable_assignment": _never}),
    "zig": LanguageRules(
        {
            "variable_declaration": _only_below(_zig_variable, "variable_declaration", *_ZIG_CONTAINERS),
            "container_field": _never,
        }
    ),
    "ocaml": LanguageRules(
        {"value_definition": _never, "let_binding": _ocaml_value, "module_binding": _first_of("module_name")}
    ),
}
"""Languages for which the rules are known to be complete enough."""
