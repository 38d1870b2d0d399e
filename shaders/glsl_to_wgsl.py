"""GLSL to WGSL, for the subset of GLSL in which the decoders are written (GLSL ES 3.00: no implicit conversions).

A small parser, because WGSL wants what a search for names cannot give: declarations turned round, parentheses where
bits meet arithmetic, ``select`` for ``?:``, and parameters that are copied before they are changed. What lies outside
the subset is refused, as in glsl_to_hlsl.
"""

import re
from dataclasses import dataclass, field
from typing import Final

_TYPES: Final = {
    "float": "f32", "int": "i32", "uint": "u32", "bool": "bool",
    **{f"{kind}vec{size}": f"vec{size}{kind or 'f'}" for kind in ("", "i", "u") for size in (2, 3, 4)},
}  # fmt: skip
_BUILT_IN: Final = frozenset(
    {"abs", "ceil", "clamp", "dot", "exp2", "floor", "length", "log2", "max", "min", "pow", "sqrt"}
)
"""Functions of one name and one meaning in both languages."""
_RESERVED: Final = frozenset(
    {
        "active", "as", "async", "auto", "common", "filter", "final", "from", "get", "match", "meta", "mod", "module",
        "move", "of", "pass", "patch", "ref", "require", "resource", "self", "set", "shared", "smooth", "static",
        "target", "template", "type", "use", "where", "with",
    }
)  # fmt: skip
"""Names that WGSL keeps for itself, of those that somebody might write here."""

_TOKEN: Final = re.compile(
    r"(?P<space>[ \t]+)|(?P<line>\n)|(?P<comment>//[^\n]*)"
    r"|(?P<number>0[xX][0-9a-fA-F]+u?|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?u?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<mark><<=|>>=|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:;,.(){}\[\]])"
)
_BINARY: Final = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, ">": 7, "<=": 7, ">=": 7, "<<": 8, ">>": 8,
    "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip
_SUM, _COMPARED, _AND = 9, 6, 2
_ATOMIC_OR: Final = "igs_shared_or"
"""Sets bits of a number that a workgroup shares. What it changes is atomic in WGSL, wherever it is read or written."""
_ASSIGNED: Final = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="})
_ATOM: Final = 99
_WIDTH: Final = 116


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    before: tuple[str, ...] = ()  # lines of comment over it, "" for an empty one
    behind: str = ""  # a comment at the end of its line


@dataclass(slots=True)
class _Translation:
    tokens: list[_Token]
    at: int = 0
    lines: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)  # structs that hold arrays
    atomic: frozenset[str] = frozenset()  # arrays that a workgroup shares and changes bit by bit

    # ---- tokens ----

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)].text

    def next(self) -> _Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def take(self, text: str) -> _Token:
        if self.peek() != text:
            raise ValueError(f"no WGSL: {text!r} expected before {self.peek()!r}, after {self._context()!r}")
        return self.next()

    def _context(self) -> str:
        return " ".join(token.text for token in self.tokens[max(0, self.at - 8) : self.at])

    def kind_of(self, name: str) -> str:
        """Return a type."""
        if name in _TYPES:
            return _TYPES[name]
        if name.startswith("Igs"):
            return name
        raise ValueError(f"no WGSL for the type {name!r}, after {self._context()!r}")

    def is_declaration(self) -> bool:
        kind, name = self.peek(), self.peek(1)
        return (kind in _TYPES or kind.startswith("Igs")) and re.fullmatch(r"[A-Za-z_]\w*", name) is not None

    # ---- declarations ----

    def program(self) -> None:
        while self.tokens[self.at].kind != "end":
            self._comments(0)
            if self.peek() == "struct":
                self._struct()
            elif self.peek() == "IGS_SHARED":
                self._shared_array()
            else:
                self._function()
        self._comments(0)

    def _comments(self, depth: int) -> None:
        for line in self.tokens[self.at].before:
            self.lines.append(f"{'    ' * depth}{line}" if line else "")

    def _line(self, depth: int, text: str, last: _Token) -> None:
        self.lines.append(f"{'    ' * depth}{text}{f' {last.behind}' if last.behind else ''}")

    def _struct(self) -> None:
        self.take("struct")
        name = self.next().text
        self._line(0, f"struct {name} {{", self.take("{"))
        while self.peek() != "}":
            self._comments(1)
            kind = self.kind_of(self.next().text)
            member = _named(self.next().text)
            if self.peek() == "[":
                kind = f"array<{kind}, {self._size()}>"
                self.held.add(name)
            self._line(1, f"{member}: {kind},", self.take(";"))
        self.take("}")
        self._line(0, "}", self.take(";"))

    def _shared_array(self) -> None:
        self.take("IGS_SHARED")
        kind = self.kind_of(self.next().text)
        name = self.next().text
        kind = f"atomic<{kind}>" if name in self.atomic else kind
        text = f"var<workgroup> {name}: array<{kind}, {self._size()}>;"
        self._line(0, text, self.take(";"))

    def _size(self) -> str:
        self.take("[")
        size, _ = self.expression()
        self.take("]")
        return size

    def _function(self) -> None:
        result, name = self.next().text, self.next().text
        self.take("(")
        parameters = []
        while self.peek() != ")":
            kind = self.next().text
            name_of = _named(self.next().text)
            holds = kind in self.held
            kind = self.kind_of(kind)
            if self.peek() == "[":
                kind, holds = f"array<{kind}, {self._size()}>", True
            parameters.append((kind, name_of, holds))
            if self.peek() == ",":
                self.next()
        self.take(")")
        body = self._body_text()
        copied = [
            name for _, name, holds in parameters
            if holds or re.search(rf"\b{name}( \. \w+| \[ [^\]]*\])* ([-+*/&|^%]|<<|>>)?= ", body)
        ]  # fmt: skip
        listed = ", ".join(f"{each}{'_given' if each in copied else ''}: {kind}" for kind, each, _ in parameters)
        returned = "" if result == "void" else f" -> {self.kind_of(result)}"
        head = f"fn {name}({listed}){returned}"
        if len(head) > _WIDTH:
            head = f"fn {name}(\n    {listed}\n){returned}"
        self.lines.append(f"{head} {{")
        self.lines += [f"    var {each} = {each}_given;" for each in copied]
        self._block(1)
        self.lines.append("}")

    def _body_text(self) -> str:
        depth, end = 0, self.at
        while True:
            depth += {"{": 1, "}": -1}.get(self.tokens[end].text, 0)
            end += 1
            if depth == 0:
                return " ".join(_named(token.text) for token in self.tokens[self.at : end])

    # ---- statements ----

    def _block(self, depth: int) -> None:
        """Translate { ... }, without the brackets."""
        self.take("{")
        while self.peek() != "}":
            self._comments(depth)
            self._statement(depth)
        self._comments(depth)
        self.take("}")

    def _statement(self, depth: int) -> None:
        word = self.peek()
        if word == "if":
            self._branch(depth, "if")
        elif word == "for":
            self._loop(depth)
        elif word == "while":
            self._while(depth)
        elif word == "return":
            self.next()
            value = "" if self.peek() == ";" else f" {self.expression()[0]}"
            self._line(depth, f"return{value};", self.take(";"))
        else:
            text = self._simple()
            self._line(depth, f"{text};", self.take(";"))

    def _branch(self, depth: int, head: str) -> None:
        self.take("if")
        self.take("(")
        condition, _ = self.expression()
        self.take(")")
        opened = self.tokens[self.at]
        self._line(depth, f"{head} ({condition}) {{", opened)
        self._block(depth + 1)
        if self.peek() != "else":
            self.lines.append(f"{'    ' * depth}}}")
            return
        self.next()
        if self.peek() == "if":
            self._branch(depth, "} else if")
            return
        self._line(depth, "} else {", self.tokens[self.at])
        self._block(depth + 1)
        self.lines.append(f"{'    ' * depth}}}")

    def _loop(self, depth: int) -> None:
        self.take("for")
        self.take("(")
        first = "" if self.peek() == ";" else self._simple()
        self.take(";")
        condition, _ = self.expression()
        self.take(";")
        step = self._simple()
        self.take(")")
        self._line(depth, f"for ({first}; {condition}; {step}) {{", self.tokens[self.at])
        self._block(depth + 1)
        self.lines.append(f"{'    ' * depth}}}")

    def _while(self, depth: int) -> None:
        self.take("while")
        self.take("(")
        condition, _ = self.expression()
        self.take(")")
        self._line(depth, f"while ({condition}) {{", self.tokens[self.at])
        self._block(depth + 1)
        self.lines.append(f"{'    ' * depth}}}")

    def _simple(self) -> str:
        """Translate a declaration, an assignment or a call, without its end."""
        if self.is_declaration():
            kind = self.kind_of(self.next().text)
            name = _named(self.next().text)
            if self.peek() == "[":
                kind = f"array<{kind}, {self._size()}>"
            if self.peek() != "=":
                return f"var {name}: {kind}"
            self.next()
            return f"var {name}: {kind} = {self.expression()[0]}"
        if self.peek() in {"++", "--"}:
            mark = self.next().text
            return f"{self.expression()[0]}{mark}"
        target, _ = self.expression()
        if self.peek() == "=" and target.startswith("atomicLoad("):
            self.next()
            return f"atomicStore({target.removeprefix('atomicLoad(').removesuffix(')')}, {self.expression()[0]})"
        if self.peek() in _ASSIGNED:
            mark = self.next().text
            return f"{target} {mark} {self.expression()[0]}"
        return target

    # ---- expressions: text, and how tightly its outermost operator binds ----

    def expression(self) -> tuple[str, int]:
        condition = self._binary(1)
        if self.peek() != "?":
            return condition
        self.next()
        chosen, _ = self.expression()
        self.take(":")
        other, _ = self.expression()
        return f"select({other}, {chosen}, {condition[0]})", _ATOM

    def _binary(self, least: int) -> tuple[str, int]:
        left = self._unary()
        while (strength := _BINARY.get(self.peek(), 0)) >= least:
            mark = self.next().text
            right = self._binary(strength + 1)
            if mark in {"<<", ">>"}:  # by unsigned numbers
                right = re.sub(r"^vec(\d)i\(.*$", r"vec\1u(\g<0>)", right[0]), right[1]
            left = f"{_wrapped(left, mark, left_side=True)} {mark} {_wrapped(right, mark, left_side=False)}", strength
        return left

    def _unary(self) -> tuple[str, int]:
        if self.peek() in {"-", "!", "~"}:
            mark = self.next().text
            text, strength = self._unary()
            return f"{mark}{text if strength == _ATOM else f'({text})'}", _ATOM
        return self._postfix()

    def _postfix(self) -> tuple[str, int]:
        token = self.next()
        if token.text == "(":
            text, strength = self.expression()
            self.take(")")
            text = text if strength == _ATOM else f"({text})"
        elif token.kind == "number":
            text = token.text
        elif token.kind != "name":
            raise ValueError(f"no WGSL for {token.text!r}, after {self._context()!r}")
        elif self.peek() == "(":
            text = self._call(token.text)
        else:
            text = _named(token.text)
        while self.peek() in {".", "["}:
            if self.next().text == ".":
                text += f".{_named(self.next().text)}"
            else:
                text += f"[{self.expression()[0]}]"
                self.take("]")
        return (f"atomicLoad(&{text})" if token.text in self.atomic else text), _ATOM

    def _call(self, name: str) -> str:
        if name not in _TYPES and name not in _BUILT_IN and not name.startswith("igs_"):
            raise ValueError(f"no WGSL for the function {name!r}, after {self._context()!r}")
        self.take("(")
        arguments = []
        while self.peek() != ")":
            arguments.append(self.expression()[0])
            if self.peek() == ",":
                self.next()
        self.take(")")
        if name == _ATOMIC_OR:
            return f"atomicOr({arguments[0].removeprefix('atomicLoad(').removesuffix(')')}, {arguments[1]})"
        return f"{_TYPES.get(name, name)}({', '.join(arguments)})"


def to_wgsl(source: str, held: frozenset[str] = frozenset()) -> str:
    """Return the same structs and functions in WGSL.

    Args:
        source: GLSL without directives
        held: structs, declared elsewhere, that hold arrays

    Raises:
        ValueError: it holds something that this translation does not know
    """
    atomic = frozenset(re.findall(rf"\b{_ATOMIC_OR}\((\w+)\[", source))
    translation = _Translation(_tokens(source), held=set(held), atomic=atomic)
    translation.program()
    return "\n".join(translation.lines).strip("\n") + "\n"


def constants_to_wgsl(head: str, text: str) -> str:
    """Return the constants among the #defines of a decoder's head that a text uses.

    Args:
        head: names and values; of a name in #ifndef the value it has unless set
        text: WGSL
    """
    used = set(re.findall(r"\bIGS_\w+", text))
    found = re.findall(r"^#define (IGS_\w+) (\S+|\(.*?\))(?: // (.*))?$", head, re.MULTILINE)
    used |= {other for name, value, _ in found if name in used for other in re.findall(r"IGS_\w+", value)}
    lines = [f"const {name} = {value};{f' // {note}' if note else ''}\n" for name, value, note in found if name in used]
    return "".join(lines)


def _tokens(source: str) -> list[_Token]:
    found: list[_Token] = []
    before: list[str] = []
    at, fresh = 0, True  # whether the line has no token yet
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ValueError(f"no WGSL for {source[at : at + 20]!r}")
        at = match.end()
        kind, text = str(match.lastgroup), match[0]
        if kind == "line":
            if fresh and (not before or before[-1]):
                before.append("")
            fresh = True
        elif kind == "comment":
            if fresh or not found:
                before = [*before[:-1], text] if before and not before[-1] and not found else [*before, text]
                fresh = False
                at += source[at : at + 1] == "\n"
                fresh = True
            else:
                last = found.pop()
                found.append(_Token(last.kind, last.text, last.before, text))
        elif kind != "space":
            found.append(_Token(kind, text, tuple(before)))
            before, fresh = [], False
    found.append(_Token("end", "", tuple(before)))
    return found


def _named(name: str) -> str:
    return f"{name}_" if name in _RESERVED else name


def _wrapped(operand: tuple[str, int], mark: str, *, left_side: bool) -> str:
    """Return an operand, in parentheses where WGSL wants them or arithmetic needs them."""
    text, strength = operand
    own = _BINARY[mark]
    if strength == _ATOM:
        return text
    if own >= _SUM:
        plain = strength > own or (strength == own and left_side)
    elif own >= _COMPARED and mark not in {"<<", ">>"}:
        plain = strength >= _SUM
    elif own <= _AND:
        plain = (strength >= _COMPARED and strength != _BINARY["<<"]) or (strength == own and left_side)
    else:
        plain = strength == own and left_side and mark not in {"<<", ">>"}
    return text if plain else f"({text})"
