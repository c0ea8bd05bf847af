"""One small, real-looking file per language, with the names it defines and the scope of its last line."""

from __future__ import annotations

from typing import NamedTuple


class Snippet(NamedTuple):
    language: str
    source: str
    symbols: set[str]
    scope: tuple[str, ...] = ()
    not_symbols: frozenset[str] = frozenset()


SNIPPETS = [
    Snippet(
        "python",
        '''import os
from json import loads

LIMIT: int = 3
NAMES = ["a"]
WIDTH, HEIGHT = 80, 25
type Pair[T] = tuple[T, T]

try:
    FAST = has_extension()
except ImportError:
    fallback = None

if TYPE_CHECKING:
    Hook = Callable[[str], None]

_ = gettext
if __name__ == "__main__":
    options = parse()


@decorated(option=True)
class Reader(Base):
    """Reads."""

    size = 4

    async def fetch(self, key):
        local = 1
        def inner(value):
            return value
        return inner(local)
''',
        {"LIMIT", "NAMES", "WIDTH", "HEIGHT", "Pair", "FAST", "Hook", "Reader", "size", "fetch", "inner"},
        ("Reader", "fetch"),
        frozenset({"os", "loads", "local", "key", "fallback", "_", "options"}),
    ),
    Snippet(
        "javascript",
        """const path = require('path');
export const add = (a, b) => a + b;
res.send = function send(body) {
  const local = 1;
  return this.end(body);
};
exports.toArray = async (items) => [...items];
class Router extends Base {
  static create() { return new Router(); }
  handle = (req) => {
    const inner = () => 2;
    return req;
  };
}
function* walk(tree) {
  yield tree;
}
const api = {
  list: function () { return 1; },
  limit: 3,
  Router,
  remove() {
    return 2;
  },
};
""",
        {"add", "send", "toArray", "Router", "create", "handle", "inner", "walk", "api", "list", "limit", "remove"},
        ("api",),
        frozenset({"path", "local", "body", "req"}),
    ),
    Snippet(
        "javascript",
        """'use strict'
var debug = require('debug')('shop:cart');
var extname = path.extname;
var Router = require('./router');
var cart = exports = module.exports = {};

exports.etag = createETagGenerator({ weak: false });
exports.Router = Router;
res.kind =
res.type = function contentType(name) {
  var options = { timeout: 5 };
  return this;
};
defineGetter(req, 'protocol', function protocol() {
  return 'https';
});
module.exports = function createApplication() {
  this.start = function () {};
};
Cart.prototype.total = function () {
  return this.items.reduce(
    (sum, item) => sum + item.price, 0);
};
""",
        {"cart", "etag", "kind", "type", "contentType", "protocol", "createApplication", "start", "total"},
        ("Cart", "total"),
        frozenset({"debug", "extname", "Router", "exports", "prototype", "options", "timeout", "sum"}),
    ),
    Snippet(
        "typescript",
        """import { z } from "zod";
declare module "vendor/package" {}
export interface Options<T> {
  name: string;
  onError?: (error: Error) => void;
  run(input: T): void;
}
export type Result = string | number;
export enum Level { Low, High }
export abstract class Store<T> implements Options<T> {
  private cache = new Map();
  abstract open(url: string): Promise<void>;
  static #count = 0;
  onClose = () => {};
  constructor(readonly name: string) { super(); }
  async get<K>(key: K): Promise<T> {
    const local = 1;
    return this.cache.get(key);
  }
}
export function render(text: string): string;
export function render(node: Node): string;
export function render(input: unknown) { return String(input); }
declare function parse(text: string): Result;
export const Colors = {
  primary: "red",
} as const;
namespace Tools {
  export const join = (a: string) => a;
}
""",
        {"Options", "name", "onError", "run", "Result", "Level", "Low", "High", "Store", "cache", "open", "count",
         "onClose", "constructor", "get", "render", "parse", "Colors", "primary", "Tools", "join"},
        ("Tools",),
        frozenset({"local", "z", "key", "T", "K", "package", "error", "url"}),
    ),
    Snippet(
        "tsx",
        """export const Button: React.FC<Props> = ({ label }) => {
  const [open, setOpen] = useState(false);
  return <button onClick={() => setOpen(!open)}>{label}</button>;
};
export default function App() {
  return <Button label="x" />;
}
""",
        {"Button", "App"},
        ("App",),
    ),
    Snippet(
        "go",
        """package server

import "fmt"

const MaxSize = 10

var ErrClosed = errors.New("closed")
var _ Handler = (*Server)(nil)

var (
	mutex sync.Mutex
	low, high int
)

const (
	First = iota
	Second
)

type Server struct {
	addr string
	Timeout, Retries int
	*Base
}

type Handler interface {
	Serve(w Writer) error
}

type ID = string

func New(addr string) *Server {
	var local int
	const limit = 3
	cases := []struct{ Wanted string }{}
	return &Server{addr: addr}
}

func (l *List[T]) Push(item T) {}

func (s *Server) Run(ctx Context) error {
	for {
		fmt.Println(s.addr)
	}
}
""",
        {"MaxSize", "ErrClosed", "mutex", "low", "high", "First", "Second", "Server", "Timeout", "Retries", "Handler",
         "Serve", "ID", "New", "Push", "Run"},
        ("Server", "Run"),
        frozenset({"local", "limit", "Wanted", "addr", "fmt", "s", "_", "T"}),
    ),
    Snippet(
        "java",
        """package org.example;

import java.util.List;

/** Keeps things. */
public class Keeper<T> extends Base {
    private static final int LIMIT = 3;

    public Keeper(int size) { this.size = size; }

    @Override
    public List<T> findAll(String query) {
        int local = 1;
        return repository.find(query);
    }

    interface Visitor { void visit(Node node); }
    enum Color { RED, GREEN { int weight() { return 2; } }; int shade, tint; }
    @interface Cached { int seconds() default 60; }
    record Point(int x, int y) {}
    static class Node<K> { K key; Node() {} }
}
""",
        {"Keeper", "LIMIT", "findAll", "Visitor", "visit", "Color", "RED", "GREEN", "weight", "shade", "tint", "Cached",
         "seconds", "Point", "Node", "key"},
        ("Keeper",),
        frozenset({"local", "query", "List"}),
    ),
    Snippet(
        "rust",
        """use std::fmt;

pub const LIMIT: usize = 3;
static NAME: &str = "x";
type Pair = (u8, u8);

#[derive(Debug)]
pub struct Parser<'a> { input: &'a str, pub depth: usize }

pub enum Token { Word, End { at: usize } }

pub trait Visit { type Result; const DEEP: bool; fn visit(&self, t: &Token); }

impl Visit for Token { type Result = Outcome; fn visit(&self, t: &Token) {} }

macro_rules! square { ($x:expr) => { $x * $x }; }

mod inner { pub fn helper() {} }
mod elsewhere;
const _: () = check();

cfg_net! {
    mod sockets;
    pub async fn connect<A>(address: A) -> Stream { let fd = open(); }
    impl Stream { fn close(self) {} }
    #[macro_export]
    macro_rules! select { () => {}; }
}

impl<'a> Parser<'a> {
    pub fn new(input: &'a str) -> Self {
        let local = 1;
        Parser { input }
    }
}
""",
        {"LIMIT", "NAME", "Pair", "Parser", "depth", "Token", "Word", "End", "Visit", "Result", "DEEP", "visit",
         "square", "inner", "helper", "connect", "close", "select", "new"},
        ("Parser",),
        frozenset({"local", "fmt", "input", "at", "elsewhere", "sockets", "_", "fd", "address"}),
    ),
    Snippet(
        "c",
        """#ifndef READER_H
#define READER_H
#include <stdio.h>
#define LIMIT 10
#define SQUARE(x) ((x) * (x))

typedef struct node { int value; struct node *next; } node_t;
enum color { RED, GREEN };
typedef void (*visitor)(struct node *node, void *context);
int parse(const char *text);
extern int elsewhere;
static const char *names[] = { "red", "green" };
int (*hook)(int), verbose = 1;
struct ops { int (*open)(const char *path); int flags; };
#endif

static char *read_all(FILE *file, size_t *size)
{
    struct node *local;
    int count = 0;
    return NULL;
}
""",
        {"LIMIT", "SQUARE", "node", "node_t", "color", "RED", "GREEN", "visitor", "parse", "names", "hook", "verbose",
         "ops", "open", "read_all"},
        ("read_all",),
        frozenset({"local", "text", "file", "count", "elsewhere", "READER_H", "flags", "context", "path"}),
    ),
    Snippet(
        "cpp",
        """#pragma once
namespace app {
using Text = std::string;

template <typename T>
class Queue : public Base<T> {
 public:
  explicit Queue(int size) : size_(size) {}
  ~Queue();
  void push(const T& item);
  bool operator==(const Queue& other) const { return true; }
 private:
  int size_;
};

enum class Mode { Fast, Slow };
template <typename T> concept Small = sizeof(T) < 8;
static int counter = 0;
auto twice(int x) -> int { return 2 * x; }

template <typename T>
void Queue<T>::push(const T& item) {
  auto local = item;
  Lock guard(mutex);
}
}  // namespace app
""",
        {"Text", "Queue", "~Queue", "push", "Mode", "Fast", "Slow", "Small", "counter", "twice"},
        ("app",),
        frozenset({"app", "local", "guard", "item", "size_", "T", "const"}),
    ),
    Snippet(
        "c",
        """#pragma once
// A header of C++, named .h as so many are.
namespace app {
template <typename T> class Buffer {
 public:
  Buffer() noexcept {}
  void append(const T* begin, const T* end);
  auto size() const noexcept -> size_t { return size_; }
 private:
  size_t size_ = 0;
};
template <typename T>
void Buffer<T>::append(const T* begin, const T* end) {
  size_ += end - begin;
}
}  // namespace app
""",
        {"Buffer", "append", "size"},
        ("app",),
        frozenset({"noexcept", "template", "class", "T", "begin"}),
    ),
    Snippet(
        "csharp",
        """using System;
namespace Shop.Orders
{
    public interface IStore { void Save(Order order); }
    public class OrderService : IStore
    {
        private readonly int _limit = 3;
        public string Name { get; set; }
        public event Action Saved;
        public const int Low = 1, High = 9;
        public OrderService(int limit) { _limit = limit; }
        public async Task<int> CountAsync(string query)
        {
            var local = 1;
            return local;
        }
    }
    public enum State { Open, Closed }
    public record Line(int Id);
    public delegate void Changed(object sender);
}
""",
        {"IStore", "Save", "OrderService", "_limit", "Name", "Saved", "Low", "High", "CountAsync", "State", "Open",
         "Closed", "Line", "Changed"},
        ("Orders",),
        frozenset({"Orders", "local", "query", "System", "Action"}),
    ),
    Snippet(
        "ruby",
        """require 'json'
module Billing
  LIMIT = 3
  class Invoice < Base
    attr_reader :total, :tax
    attr_accessor :note,
      "label"
    alias_method :sum, :total
    alias cost total
    delegate :name, :email, to: :customer
    def_delegators :@lines, :each, :size
    Line = Struct.new(:price)
    define_method(:refund!) do |amount|
      attempts = 1
    end
    def self.create(attrs)
      local = 1
      new(attrs)
    end
    def paid?
      true
    end
  end
end
""",
        {"Billing", "LIMIT", "Invoice", "total", "tax", "note", "label", "sum", "cost", "name", "email", "each", "size",
         "Line", "refund!", "create", "paid?"},
        ("Billing",),
        frozenset({"local", "attrs", "customer", "lines", "price", "amount", "attempts"}),
    ),
    Snippet(
        "ruby",
        """module Shop
  # Only a namespace: every file opens it again.
  module Payments
    def self.gateway
      @gateway
    end
  end
end
""",
        {"Payments", "gateway"},
        ("Shop",),
        frozenset({"Shop"}),
    ),
    Snippet(
        "php",
        """<?php
namespace App\\Models;
use Illuminate\\Support\\Str;
const LIMIT = 3;
define('DEBUG_MODE', true);
interface HasName { public function name(): string; }
trait Sluggable { public function slug() { return 1; } }
enum Suit { case Hearts; }
final class User extends Model implements HasName
{
    const TABLE = 'users';
    protected ?string $email = null, $phone;
    use Sluggable;
    public function __construct(private string $name) {}
    public static function find(int $id): ?self
    {
        $local = 1;
        return null;
    }
}
function helper($x) {
    return $x;
}
""",
        {"LIMIT", "DEBUG_MODE", "HasName", "name", "Sluggable", "slug", "Suit", "Hearts", "User", "TABLE", "email",
         "phone", "__construct", "find", "helper"},
        ("helper",),
        frozenset({"local", "id", "Str", "Models"}),
    ),
    Snippet(
        "kotlin",
        """package org.example

import java.util.Date

const val LIMIT = 3
typealias Name = String

interface Shape { fun area(): Double }

data class Circle(val r: Double) : Shape {
    val size = 3
    override fun area(): Double {
        val local = 1
        return r * r
    }
    companion object Factory { fun unit() = Circle(1.0) }
}

object Registry
enum class Color(val code: Int) {
    RED(1),
    GREEN(2);
    fun hex() = code
}
sealed interface Event
annotation class Cached
suspend fun <T> List<T>.each() {}
fun String.shout(): String = uppercase()
""",
        {"LIMIT", "Name", "Shape", "area", "Circle", "size", "Factory", "unit", "Registry", "Color", "RED", "GREEN",
         "hex", "Event", "Cached", "each", "shout"},
        (),
        frozenset({"local", "Date", "r"}),
    ),
    Snippet(
        "swift",
        """import Foundation

let limit = 3
typealias Name = String

protocol Shape { func area() -> Double }

public final class Circle: Shape {
    var radius: Double
    init(radius: Double) { self.radius = radius }
    func area() -> Double {
        let local = 1
        return radius
    }
}

struct Point { let x: Int }
enum Color {
    case red, green
    case custom(name: String)
}
protocol Store {
    associatedtype Item
    var count: Int { get }
    func load() -> Item
}
extension Array: Store {
    typealias Handler = (String) -> Void
    static let empty = 0
    subscript(index: Int) -> Int { 1 }
}
extension Circle {
    func grow(by amount: Double) {
        radius += amount
    }
}
""",
        {"limit", "Name", "Shape", "area", "Circle", "Point", "Color", "red", "green", "custom", "Store", "Item",
         "count", "load", "Handler", "empty", "grow", "init"},
        ("Circle",),
        frozenset({"Foundation", "amount", "Array", "Int", "Void", "String", "local"}),
    ),
    Snippet(
        "scala",
        """package org.example
import scala.util.Try

trait Shape { def area: Double }
case class Circle(r: Double) extends Shape {
  val size = 3
  def area: Double = {
    val local = 1
    r * r
  }
}
object Registry {
  type Name = String
  val low, high = 3
  def find(name: Name): Option[Shape] = {
    None
  }
}
given ordering: Ordering[Shape] = Ordering.by(_.area)
extension (text: String) def shout: String = text.toUpperCase
enum Color {
  case Red, Green
  case Custom(name: String)
}
""",
        {"Shape", "area", "Circle", "size", "low", "high", "Registry", "Name", "find", "ordering", "shout", "Color",
         "Red", "Green", "Custom"},
        ("Color",),
        frozenset({"local", "Try", "r", "text"}),
    ),
    Snippet(
        "elixir",
        """defmodule Shop.Cart do
  @moduledoc "Carts."
  @limit 3
  @type item :: map
  @callback price(item :: term) :: integer when item: term
  defexception message: nil
  defguard is_item(value) when is_map(value)
  defdelegate size(cart), to: Shop.Count
  def left <~> right, do: {left, right}
  def unquote(computed)(x), do: x
  @doc "Adds."
  def add(cart, item) when is_map(item) do
    local = 1
    [item | cart]
  end

  defp total(items), do: Enum.sum(items)
  defmacro trace(expr) do
    expr
  end
  def empty?, do: @limit == 0
  defimpl Enumerable, for: Shop.Cart do
    def count(cart) do
      length(cart)
    end
  end
end
""",
        {"Cart", "limit", "item", "price", "is_item", "size", "add", "total", "trace", "empty?", "count"},
        ("Cart",),
        frozenset({"local", "sum", "is_map", "moduledoc", "doc", "nil", "message", "left", "unquote", "Enumerable"}),
    ),
    Snippet(
        "haskell",
        """module Data.Tree (Tree, insert) where

import Data.List (sort)

data Tree a = Leaf | Node a (Tree a) (Tree a)
data Config = Config { host :: String, port :: Int }
newtype Wrapper = Wrapper { unwrap :: Int }
type Name = String

class Shape s where
  area, width :: s -> Double

instance Shape Config where
  area _ = 1

-- | Inserts.
insert :: Ord a => a -> Tree a -> Tree a
insert x Leaf = Node x Leaf Leaf
insert x t = t

limit = 3

instance Show Wrapper where
  show w =
    render w
""",
        {"Tree", "Leaf", "Node", "Config", "host", "port", "Wrapper", "unwrap", "Name", "Shape", "area", "width",
         "insert", "limit", "show"},
        ("Show", "show"),
        frozenset({"sort", "x", "a", "w", "render"}),
    ),
    Snippet(
        "lua",
        """local M = {}
local function helper(x)
  local inner = 1
  return x
end
function M.open(path)
  return helper(path)
end
function M:close()
  self.closed = true
end
M.read = function(n)
  for i = 1, n do local step = i end
  return n
end
M.VERSION = "1.0"
local commands = {
  start = function() end,
  ["stop"] = function() end,
  timeout = 5,
}
function M.files:each()
  return pairs(self)
end
""",
        {"helper", "open", "close", "read", "VERSION", "start", "stop", "each"},
        ("files", "each"),
        frozenset({"inner", "path", "i", "step", "timeout"}),
    ),
    Snippet(
        "bash",
        """#!/usr/bin/env bash
set -euo pipefail
LIMIT=3
build() {
  local target="$1"
  make "$target"
}
function run_tests() { pytest; }
if is_ci; then
  log-line() { echo "$1"; }
fi
function clean_all {
  rm -rf build
}
""",
        {"build", "run_tests", "log-line", "clean_all"},
        ("clean_all",),
        frozenset({"target", "make"}),
    ),
    Snippet(
        "zig",
        """const std = @import("std");
const Allocator = std.mem.Allocator;
const Tree = @import("tree.zig").Tree;

pub const Point = struct {
    x: i32,
    pub fn add(self: Point, other: Point) Point {
        const local = 1;
        return self;
    }
};

const Color = enum { red, green };
pub const Value = union(enum) {
    number: f64,
    pub fn truthy(self: Value) bool {
        return true;
    }
    const zero = 0;
};
pub fn List(comptime T: type) type {
    return struct {
        const Self = @This();
        pub fn append(self: *Self, item: T) void {}
    };
}

pub fn main() !void {
    const value = 1;
    std.debug.print("{}", .{value});
}
""",
        {"Point", "add", "Color", "Value", "truthy", "zero", "List", "append", "main"},
        ("main",),
        frozenset({"std", "Allocator", "Tree", "Self", "local", "value"}),
    ),
    Snippet(
        "sql",
        """CREATE TABLE IF NOT EXISTS shop.orders (
  id INT PRIMARY KEY
);
create or replace view open_orders as select * from shop.orders;
CREATE UNIQUE INDEX "orders_by_id" ON orders (id);
""",
        {"orders", "open_orders", "orders_by_id"},
    ),
    Snippet(
        "yaml",
        """# Continuous integration.
name: ci
on:
  push:
    branches: [main]
  workflow_dispatch:
env:
  COLOR: always
notes: |
  example:
    nested: text
jobs:
  "lint":
    runs-on: ubuntu
  test: &test
    steps:
    - run: make
    - name: upload
      with:
        path: out
""",
        {"name", "on", "push", "env", "notes", "jobs", "lint", "test"},
        ("jobs", "test"),
        frozenset({"COLOR", "example", "nested", "steps", "branches", "run", "path", "with", "workflow_dispatch"}),
    ),
    Snippet("toml", '[project]\nname = "x"\n\n[tool.ruff.lint]\nselect = []\n', {"project", "tool.ruff.lint"},
            ("tool.ruff.lint",), frozenset({"name", "select"})),
    Snippet("ini", "[flake8]\nmax-line-length = 120\n", {"flake8"}, ("flake8",), frozenset({"max-line-length"})),
    Snippet(
        "html",
        """<h1 class="title">User <em>guide</em></h1>
<h2>Install &amp; run</h2>
<p>pip install</p>
<h2>{{ section.title }}</h2>
<H3>First steps</H3>
<p>class Foo</p>
""",
        set(),
        ("User guide", "Install & run", "First steps"),
        frozenset({"Foo", "guide"}),
    ),
    Snippet("make", ".PHONY: all\nall: build\n\nbuild: src/main.c\n\tcc -c $<\nX := 1\n", {"all", "build"}),
    Snippet("hcl", 'resource "aws_s3_bucket" "logs" {\n}\nvariable "region" {}\n', {"logs", "region"}),
    Snippet("proto", "message Order {\n  int32 id = 1;\n}\nservice Shop {\n  rpc Buy (Order) returns (Order);\n}\n",
            {"Order", "Shop", "Buy"}),
    Snippet("graphql", "type Query {\n  me: User\n}\nenum Role { ADMIN }\ninput NewUser { name: String }\n",
            {"Query", "Role", "NewUser"}),
    Snippet("dart", "class Point {\n  final int x;\n  Point(this.x);\n  int area() => x;\n}\nenum Color { red }\n",
            {"Point", "area", "Color"}),
    Snippet("julia", "module Shapes\nstruct Circle\n  r\nend\nfunction area(c)\n  c.r\nend\nend\n", {"Shapes", "area"}),
    Snippet("perl", "package Shop;\nsub total {\n  my ($x) = @_;\n  return $x;\n}\n1;\n", {"Shop", "total"}),
    Snippet("ocaml", "type color = Red\nlet area r =\n  let local = r in\n  local\nmodule M = struct let x = 1 end\n",
            {"color", "area", "M"}, (), frozenset({"local"})),
    Snippet("fortran", "subroutine solve(a)\n  real :: a\nend subroutine solve\n", {"solve"}),
    Snippet("pascal", "procedure Draw;\nbegin\nend;\n", {"Draw"}),
    Snippet("r", "area <- function(r) {\n  local <- 1\n  r\n}\n", {"area"}, (), frozenset({"local"})),
    Snippet("erlang", "-module(shop).\ntotal(X) ->\n  X.\n", {"total"}, ("total",)),
    Snippet("clojure", "(ns shop.core)\n(defn total [xs]\n  (reduce + xs))\n", {"total"}),
    Snippet("solidity", "contract Token {\n  function mint(uint n) public {\n  }\n}\n", {"Token", "mint"}, ("Token",)),
    Snippet("nix", "{ pkgs }:\n{\n  hello = pkgs.hello;\n}\n", set()),
]  # fmt: skip
