"""What Sphinx's autodoc does not do by itself: fields of dataclasses, and references to names at home elsewhere.

Fields and members are documented by the comments beside them, which is where a reader of the code looks, settings by
their words; autodoc knows docstrings alone. And the public names are documented as ``imagegs_tex.NAME`` while
annotations and docstrings refer to the modules where they are defined.
"""

import ast
import dataclasses
import enum
import importlib
import inspect
import io
import re
import textwrap
import tokenize

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from sphinx.environment import BuildEnvironment

import imagegs_tex
from imagegs_tex.settings import MEANING

BEFORE_NAPOLEON = 400


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the handlers."""
    for kind in PyObject.doc_field_types:
        if kind.name == "variable":
            kind.label = "Fields"
    app.connect("autodoc-process-docstring", append_fields, priority=BEFORE_NAPOLEON)
    app.connect("autodoc-process-signature", drop_signature)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True}


def has_fields(thing: object) -> bool:
    """Whether a class is a list of named values: a dataclass or an enumeration."""
    return isinstance(thing, type) and (dataclasses.is_dataclass(thing) or issubclass(thing, enum.Enum))


def append_fields(app: Sphinx, what: str, name: str, thing: type, options: object, lines: list[str]) -> None:
    """Add a class's fields or members, then its properties, as the section that napoleon reads."""
    if not has_fields(thing):
        return
    entries = [f"    {field} ({plain(kind)}): {plain(text)}" for field, kind, text in fields_of(thing)]
    for field, member in vars(thing).items():
        if isinstance(member, property):
            kind = inspect.signature(member.fget).return_annotation
            entries.append(f"    {field} ({plain(getattr(kind, '__name__', kind))}): {inspect.getdoc(member)}")
    if entries:
        lines += ["", "Attributes:", *entries, ""]


def plain(text: str) -> str:
    """Take a comment as text: nothing in it is markup."""
    return re.sub(r"([*_|`\\])", r"\\\1", text)


def fields_of(thing: type) -> list[tuple[str, str, str]]:
    """Return name, type with default, and comment of each field, from the class's source."""
    if dataclasses.is_dataclass(thing) and all(MEANING in field.metadata for field in dataclasses.fields(thing)):
        return [described(field) for field in dataclasses.fields(thing)]
    source = textwrap.dedent(inspect.getsource(thing))
    comments = {
        token.start[0]: (token.string.lstrip("# "), token.line.lstrip().startswith("#"))
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found, last = [], 0
    for node in ast.parse(source).body[0].body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            default = "" if node.value is None else f", default {ast.unparse(node.value)}"
            field, kind = node.target.id, ast.unparse(node.annotation).strip("'") + default
        elif isinstance(node, ast.Assign) and issubclass(thing, enum.Enum):
            field, kind = ast.unparse(node.targets[0]), ast.unparse(node.value)
        else:
            last = node.end_lineno
            continue
        beside = [comments[line][0] for line in range(node.lineno, node.end_lineno + 1) if line in comments]
        above = [comments[line][0] for line in range(last + 1, node.lineno) if comments.get(line, ("", False))[1]]
        found.append((field, kind, "; ".join([*beside, *above])))
        last = node.end_lineno
    return found


def described(field: dataclasses.Field) -> tuple[str, str, str]:
    """Return the same of a setting, whose words are data."""
    meaning = field.metadata[MEANING]
    kind = field.type if isinstance(field.type, str) else inspect.formatannotation(field.type)
    default = str(field.default) if isinstance(field.default, enum.Enum) else repr(field.default)
    words = f"{meaning.words} ({meaning.unit})" if meaning.unit else meaning.words
    return field.name, f"{kind}, default {default}", f"{words}; {meaning.reason}" if meaning.reason else words


def drop_signature(app: Sphinx, what: str, name: str, thing: object, *rest: object) -> tuple[str, str] | None:
    """Leave out the signature of classes whose fields are listed."""
    return ("", "") if has_fields(thing) else None


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, inner: nodes.Node) -> nodes.Node | None:
    """Lead a reference to a public name to its place here; leave one to anything else that exists as plain text."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"].lstrip(".~")
    name = target.rsplit(".", maxsplit=1)[-1]
    if name in imagegs_tex.__all__:
        domain = env.domains["py"]
        return domain.resolve_xref(
            env, node["refdoc"], app.builder, node["reftype"], f"imagegs_tex.{name}", node, inner
        )
    if exists(target) or not target.startswith("imagegs_tex"):
        return inner
    return None


def exists(target: str) -> bool:
    """Whether a dotted name is a module or leads to an attribute of one."""
    parts = target.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False
