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
        {"LIMIT", "NAMES", "Reader", "size", "fetch", "inner"},
        ("Reader", "fetch"),
        frozenset({"os", "loads", "local", "key"}),
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
  remove() {
    return 2;
  },
};
""",
        {"path", "add", "send", "toArray", "Router", "create", "handle", "inner", "walk", "api", "list", "remove"},
        ("api",),
        frozenset({"local", "body", "req"}),
    ),
    Snippet(
        "typescript",
        """import { z } from "zod";
export interface Options<T> {
  name: string;
  run(input: T): void;
}
export type Result = string | number;
export enum Level { Low, High }
export abstract class Store<T> implements Options<T> {
  private cache = new Map();
  abstract open(url: string): Promise<void>;
  constructor(readonly name: string) { super(); }
  async get<K>(key: K): Promise<T> {
    const local = 1;
    return this.cache.get(key);
  }
}
declare function parse(text: string): Result;
namespace Tools {
  export const join = (a: string) => a;
}
""",
        {"Options", "run", "Result", "Level", "Store", "cache", "open", "constructor", "get", "parse", "Tools", "join"},
        ("Tools",),
        frozenset({"local", "z", "key", "T", "K"}),
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

const (
	First = iota
	Second
)

type Server struct {
	addr string
}

type Handler interface {
	Serve(w Writer) error
}

type ID = string

func New(addr string) *Server {
	var local int
	return &Server{addr: addr}
}

func (s *Server) Run(ctx Context) error {
	for {
		fmt.Println(s.addr)
	}
}
""",
        {"MaxSize", "ErrClosed", "First", "Second", "Server", "Handler", "Serve", "ID", "New", "Run"},
        ("Run",),
        frozenset({"local", "addr", "fmt", "s"}),
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
    enum Color { RED, GREEN }
    record Point(int x, int y) {}
}
""",
        {"Keeper", "LIMIT", "findAll", "Visitor", "visit", "Color", "Point"},
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
pub struct Parser<'a> { input: &'a str }

pub enum Token { Word, End }

pub trait Visit { fn visit(&self, t: &Token); }

macro_rules! square { ($x:expr) => { $x * $x }; }

mod inner { pub fn helper() {} }

impl<'a> Parser<'a> {
    pub fn new(input: &'a str) -> Self {
        let local = 1;
        Parser { input }
    }
}
""",
        {"LIMIT", "NAME", "Pair", "Parser", "Token", "Visit", "visit", "square", "inner", "helper", "new"},
        ("Parser",),
        frozenset({"local", "fmt", "input"}),
    ),
    Snippet(
        "c",
        """#include <stdio.h>
#define LIMIT 10
#define SQUARE(x) ((x) * (x))

typedef struct node { int value; struct node *next; } node_t;
enum color { RED, GREEN };
int parse(const char *text);

static char *read_all(FILE *file, size_t *size)
{
    struct node *local;
    return NULL;
}
""",
        {"LIMIT", "SQUARE", "node", "node_t", "color", "parse", "read_all"},
        ("read_all",),
        frozenset({"local", "text", "file"}),
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
concept Small = true;

template <typename T>
void Queue<T>::push(const T& item) {
  auto local = item;
}
}  // namespace app
""",
        {"app", "Text", "Queue", "push", "Mode"},
        ("app",),
        frozenset({"local", "item", "size_"}),
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
        {"Orders", "IStore", "Save", "OrderService", "_limit", "Name", "CountAsync", "State", "Line", "Changed"},
        ("Orders",),
        frozenset({"local", "query", "System"}),
    ),
    Snippet(
        "ruby",
        """require 'json'
module Billing
  LIMIT = 3
  class Invoice < Base
    attr_reader :total
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
        {"Billing", "LIMIT", "Invoice", "create", "paid?"},
        ("Billing",),
        frozenset({"local", "attrs"}),
    ),
    Snippet(
        "php",
        """<?php
namespace App\\Models;
use Illuminate\\Support\\Str;
const LIMIT = 3;
interface HasName { public function name(): string; }
trait Sluggable { public function slug() { return 1; } }
enum Suit { case Hearts; }
final class User extends Model implements HasName
{
    const TABLE = 'users';
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
        {"LIMIT", "HasName", "name", "Sluggable", "slug", "Suit", "User", "TABLE", "__construct", "find", "helper"},
        ("helper",),
        frozenset({"local", "id", "Str"}),
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
enum class Color { RED }
fun String.shout(): String = uppercase()
""",
        {"LIMIT", "Name", "Shape", "area", "Circle", "size", "Factory", "unit", "Registry", "Color", "shout"},
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
enum Color { case red }
extension Circle {
    func grow(by amount: Double) {
        radius += amount
    }
}
""",
        {"limit", "Name", "Shape", "area", "Circle", "Point", "Color", "grow", "init"},
        ("Circle",),
        frozenset({"Foundation", "amount"}),
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
  def find(name: Name): Option[Shape] = {
    None
  }
}
enum Color { case Red, Green }
""",
        {"Shape", "area", "Circle", "size", "Registry", "Name", "find", "Color"},
        (),
        frozenset({"local", "Try", "r"}),
    ),
    Snippet(
        "elixir",
        """defmodule Shop.Cart do
  @doc "Adds."
  def add(cart, item) when is_map(item) do
    local = 1
    [item | cart]
  end

  defp total(items), do: Enum.sum(items)
  defmacro trace(expr) do
    expr
  end
  def empty?, do: true
end
""",
        {"Cart", "add", "total", "trace", "empty?"},
        ("Cart",),
        frozenset({"local", "item", "sum", "is_map"}),
    ),
    Snippet(
        "haskell",
        """module Data.Tree (Tree, insert) where

import Data.List (sort)

data Tree a = Leaf | Node a (Tree a) (Tree a)
newtype Wrapper = Wrapper Int
type Name = String

class Shape s where
  area :: s -> Double

-- | Inserts.
insert :: Ord a => a -> Tree a -> Tree a
insert x Leaf = Node x Leaf Leaf
insert x t = t

limit = 3
""",
        {"Tree", "Wrapper", "Name", "Shape", "insert", "limit"},
        (),
        frozenset({"sort", "x"}),
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
  return n
end
return M
""",
        {"helper", "open", "close", "read"},
        (),
        frozenset({"inner", "path"}),
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
function clean_all {
  rm -rf build
}
""",
        {"build", "clean_all"},
        ("clean_all",),
        frozenset({"target", "make"}),
    ),
    Snippet(
        "zig",
        """const std = @import("std");

pub const Point = struct {
    x: i32,
    pub fn add(self: Point, other: Point) Point {
        const local = 1;
        return self;
    }
};

const Color = enum { red, green };

pub fn main() !void {
    const value = 1;
    std.debug.print("{}", .{value});
}
""",
        {"std", "Point", "add", "Color", "main"},
        ("main",),
        frozenset({"local", "value"}),
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
    Snippet("yaml", "name: ci\non:\n  push:\njobs:\n  test:\n    steps: []\n", {"name", "on", "jobs"}),
    Snippet("toml", '[project]\nname = "x"\n\n[tool.ruff.lint]\nselect = []\n', {"project", "tool.ruff.lint"}),
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
