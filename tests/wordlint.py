"""Finds words that go to a page without having been made text.

It reads the app's own code. What a call of Streamlit shows must be written out in the code, be a number in a format for
numbers, or come out of one of the functions in MADE_TEXT. Where a name is used, it is looked up: what it was assigned
in the same function, what the callers of a private function give it, what a function of the app returns. Whatever
cannot be followed is reported; so a new way to show something has to be made safe, or be put on the list of what is.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

APP = Path(__file__).resolve().parents[1] / "similarity" / "app"
# What makes markdown of outside text, and what makes text of it for what is no markdown.
MADE_TEXT = frozenset({"as_markdown", "sentence_as_markdown", "escape_markdown", "error_as_markdown"})
MADE_PLAIN = MADE_TEXT | {"text_for_visitor", "sentence_for_visitor", "entry"}
MARKDOWN, PLAIN, FILE = "markdown", "plain", "file"
# What each call of Streamlit shows, by place or name of the argument. What is not here is not looked at.
LABELLED = {0: MARKDOWN, "label": MARKDOWN, "help": MARKDOWN, "icon": MARKDOWN, "placeholder": PLAIN}
BODY = {0: MARKDOWN, "body": MARKDOWN, "icon": MARKDOWN, "help": MARKDOWN}
TYPED = LABELLED | {1: PLAIN, "value": PLAIN}
OPTIONS = {kind: LABELLED | {1: kind, "options": kind} for kind in (MARKDOWN, PLAIN)}
KINDS: Mapping[str, Mapping[int | str, str]] = {
    "markdown caption title header subheader info warning error success toast badge latex": BODY,
    "button form_submit_button link_button page_link menu_button checkbox toggle slider select_slider number_input "
    "date_input time_input datetime_input color_picker file_uploader camera_input audio_input expander popover dialog "
    "status chat_input feedback chat_message": LABELLED,
    "text_input text_area text_line text_lines": TYPED,
    "radio segmented_control pills": OPTIONS[MARKDOWN],
    "selectbox multiselect": OPTIONS[PLAIN],
    "write write_stream json": dict.fromkeys(range(9), MARKDOWN),
    "text code exception": {0: PLAIN, "body": PLAIN, "help": MARKDOWN},
    "html iframe pdf": {0: MARKDOWN, "body": MARKDOWN},
    "audio video logo": {0: PLAIN},
    "altair_chart vega_lite_chart plotly_chart graphviz_chart mermaid_chart": {0: PLAIN, 1: PLAIN},
    "download_button": LABELLED | {2: FILE, "file_name": FILE},
    "tabs": {0: MARKDOWN},
    "spinner": {0: MARKDOWN, "text": MARKDOWN},
    "progress": {1: MARKDOWN, "text": MARKDOWN},
    "update": {"label": MARKDOWN},
    "metric": dict.fromkeys((0, 1, 2, "label", "value", "delta", "help", "delta_description"), MARKDOWN),
    "table": {0: MARKDOWN},
    "dataframe data_editor": {0: PLAIN, "alt": PLAIN, "column_config": MARKDOWN},
    "image": {"caption": MARKDOWN, 1: MARKDOWN, "alt": PLAIN},
    "echarts_chart": {0: PLAIN, "alt": PLAIN},
    "LinkColumn ImageColumn": dict.fromkeys((0, "label", "help", "display_text"), MARKDOWN),
    "Page": {"title": MARKDOWN, "icon": MARKDOWN},
}
SHOWS = {name: shown for names, shown in KINDS.items() for name in names.split()}
# The elements of our own: what they are given to show, by whoever makes them, and by whoever changes that later.
TILE = dict.fromkeys(("alt", "label", "name", "note", "hint", "chance", "copy"), PLAIN)
OWN: Mapping[str, Mapping[int | str, str]] = {
    "Tile": TILE,
    "Entry": {"name": PLAIN, "group": PLAIN},
    "cropper.show": {1: PLAIN, "alt": PLAIN},
    "Thumb": {"alt": PLAIN},
    "chips.show": {1: PLAIN, "names": PLAIN, "title": PLAIN, "further": PLAIN},
    "Download": {0: MARKDOWN, 3: MARKDOWN, "label": MARKDOWN, "note": MARKDOWN},
    "Bar": {1: PLAIN, "name": PLAIN},
    "Histogram": {1: PLAIN, 3: PLAIN, "name": PLAIN, "note": PLAIN},
    "notice.show": {0: PLAIN, 1: PLAIN, "text": PLAIN, "action": PLAIN},
    "heat.picture": {"alt": PLAIN, "caption": PLAIN},
    "lightbox.picture": {"alt": PLAIN, "caption": PLAIN},
}
# Options that are shown as a function says.
FORMATTED = "format_func"
NUMBER = re.compile(r"[+]?\d*,?(\.\d+)?[dfgeE%,]")
KEEPING = frozenset({"lower", "upper", "capitalize", "strip", "replace", "removeprefix", "removesuffix", "rstrip"})
COUNTING = frozenset({"len", "int", "float", "round", "abs", "sum"})
THROUGH = frozenset({"list", "tuple", "sorted", "reversed", "min", "max", "zip", "enumerate", "dict"})
# Of what has such a method, none of Streamlit's.
OTHERS = frozenset(
    {"logger", "logging", "json", "html", "self", "re", "plain", "links", "messages", "panel", "learned"}
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Words that are not made text.

    Attributes:
        place: file and line.
        words: the expression.
    """

    place: str
    file: str
    words: str

    def __str__(self) -> str:
        return f"{self.place}: {self.words}"


@dataclass(eq=False)
class Module:
    """A file of the app."""

    path: Path
    tree: ast.Module
    imports: dict[str, str] = field(default_factory=dict)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    @property
    def functions(self) -> dict[str, ast.FunctionDef]:
        """Those of the file itself, by name."""
        return {one.name: one for one in ast.walk(self.tree) if isinstance(one, ast.FunctionDef)}

    def function_around(self, node: ast.AST) -> ast.FunctionDef | None:
        """The function that something is in."""
        while (node := self.parents.get(node)) is not None:  # type: ignore[assignment]
            if isinstance(node, ast.FunctionDef):
                return node
        return None


def read(path: Path, text: str | None = None) -> Module:
    """A file, or a text in its place."""
    module = Module(path, ast.parse(path.read_text("utf-8") if text is None else text))
    for node in ast.walk(module.tree):
        for child in ast.iter_child_nodes(node):
            module.parents[child] = node
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("similarity"):
            module.imports |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return module


class Lint:
    """Looks through files; `allowed` are expressions of files that are safe all the same, each with a reason."""

    def __init__(self, allowed: Mapping[tuple[str, str], str]) -> None:
        self.allowed = allowed
        self.used: set[tuple[str, str]] = set()
        self._modules: dict[str, Module | None] = {}
        self._open: set[tuple[int, str]] = set()

    def check(self, module: Module) -> Iterator[Finding]:
        """All that is wrong in a file."""
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                yield from self._check_call(module, node)
            elif isinstance(node, ast.Assign):
                yield from self._check_tile(module, node)
            elif isinstance(node, ast.Attribute) and self._is_passed_on(module, node):
                yield from self._report(module, node)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "streamlit":
                if any(alias.name in SHOWS for alias in node.names):
                    yield self._finding(module, node)
            elif isinstance(node, ast.keyword) and node.arg == "unsafe_allow_html":
                yield self._finding(module, node.value)

    def _is_passed_on(self, module: Module, node: ast.Attribute) -> bool:
        """Whether something that shows words is given a name, under which it would not be known."""
        if not (isinstance(node.value, ast.Name) and node.value.id == "st" and node.attr in SHOWS):
            return False
        parent = module.parents[node]
        return not (isinstance(parent, ast.Call) and parent.func is node)

    def _check_tile(self, module: Module, node: ast.Assign) -> Iterator[Finding]:
        """What is written onto a tile after it was made."""
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=True))
            for one, value in pairs:
                is_told = (
                    isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Constant) and one.slice.value in TILE
                )
                if is_told and _last(one.value) == "tile" and not self._is_safe(module, value, PLAIN):  # type: ignore[attr-defined]
                    yield from self._report(module, value)

    def _check_call(self, module: Module, call: ast.Call) -> Iterator[Finding]:
        function = call.func
        if (own := OWN.get(ast.unparse(function))) is not None:
            for name, value in [*enumerate(call.args), *((one.arg or "**", one.value) for one in call.keywords)]:
                if name in own and not self._is_safe(module, value, own[name]):
                    yield from self._report(module, value)
            return
        if not isinstance(function, ast.Attribute) or function.attr not in SHOWS:
            return
        root = function.value
        while isinstance(root, ast.Attribute | ast.Call | ast.Subscript):
            root = root.func if isinstance(root, ast.Call) else root.value
        if isinstance(root, ast.Constant) or (isinstance(root, ast.Name) and root.id in OTHERS):
            return
        shown = SHOWS[function.attr]
        given: list[tuple[int | str, ast.expr]] = [
            *enumerate(call.args),
            *((one.arg or "**", one.value) for one in call.keywords),
        ]
        names = {name for name, _ in given}
        for name, value in given:
            if name == FORMATTED:
                kind = shown.get(1, MARKDOWN)
                is_safe = self._function_is_safe(module, value, kind)
            elif name in (1, "options") and FORMATTED in names:
                continue
            elif isinstance(value, ast.Starred) or name == "**":
                is_safe = self._is_forwarded(module, call, value)
            elif name in shown:
                is_safe = self._is_safe(module, value, shown[name])
            else:
                continue
            if not is_safe:
                yield from self._report(module, value)

    def _is_forwarded(self, module: Module, call: ast.Call, value: ast.expr) -> bool:
        """Options of a wrapper of ours, whose own callers are looked at in its place."""
        return isinstance(value, ast.Name) and module.path.name == "fields.py" and bool(call)

    def _report(self, module: Module, node: ast.expr) -> Iterator[Finding]:
        if not self._is_allowed(module, node):
            yield self._finding(module, node)

    def _is_allowed(self, module: Module, node: ast.AST) -> bool:
        known = (self._name(module), ast.unparse(node))
        if known in self.allowed:
            self.used.add(known)
            return True
        return False

    def _name(self, module: Module) -> str:
        return module.path.relative_to(APP).as_posix() if module.path.is_relative_to(APP) else module.path.name

    def _finding(self, module: Module, node: ast.AST) -> Finding:
        return Finding(f"{self._name(module)}:{getattr(node, 'lineno', 0)}", self._name(module), ast.unparse(node))

    def _function_is_safe(self, module: Module, node: ast.expr, kind: str) -> bool:
        """Whether all that a function makes is safe."""
        if isinstance(node, ast.Lambda):
            return self._is_safe(module, node.body, kind)
        if isinstance(node, ast.Attribute) and node.attr == "__getitem__":
            return self._is_safe(module, node.value, kind)
        if _last(node) in _made(kind):
            return True
        found = self._find_function(module, node)
        return self._is_allowed(module, node) or (found is not None and self._returns_are_safe(*found, kind))

    def _is_safe(self, module: Module, node: ast.expr | None, kind: str) -> bool:
        """Whether nothing outside can be in an expression."""
        safe = lambda one: self._is_safe(module, one, kind)  # noqa: E731
        match node:
            case None | ast.Constant() | ast.Compare() | ast.Lambda():
                return True
            case ast.JoinedStr():
                return kind != FILE and all(self._is_part_safe(module, one, kind) for one in node.values)
            case ast.BinOp():
                return safe(node.left) and safe(node.right)
            case ast.BoolOp():
                return all(map(safe, node.values))
            case ast.IfExp():
                return safe(node.body) and safe(node.orelse)
            case ast.List() | ast.Tuple() | ast.Set():
                return all(map(safe, node.elts))
            case ast.Starred():
                return safe(node.value)
            case ast.Dict():
                return all(map(safe, [*node.keys, *node.values]))
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                return safe(node.elt)
            case ast.DictComp():
                return safe(node.key) and safe(node.value)
            case ast.NamedExpr():
                return safe(node.value)
            case ast.Subscript():
                return safe(node.value) or self._is_allowed(module, node)
            case ast.Call():
                return self._is_call_safe(module, node, kind) or self._is_allowed(module, node)
            case ast.Attribute():
                return _is_constant(node.attr) or self._is_allowed(module, node)
            case ast.Name():
                return _is_constant(node.id) or self._is_allowed(module, node) or self._is_name_safe(module, node, kind)
        return False

    def _is_part_safe(self, module: Module, part: ast.expr, kind: str) -> bool:
        if not isinstance(part, ast.FormattedValue):
            return True
        spec = part.format_spec
        if isinstance(spec, ast.JoinedStr) and NUMBER.fullmatch(ast.unparse(spec).removeprefix("f").strip("'\"")):
            return True
        return self._is_safe(module, part.value, kind)

    def _is_call_safe(self, module: Module, call: ast.Call, kind: str) -> bool:
        function = call.func
        if _last(function) in _made(kind) or _last(function) in COUNTING:
            return True
        if kind == FILE:
            return False
        if isinstance(function, ast.Attribute):
            if function.attr in ("join", "format"):
                return all(self._is_safe(module, one, kind) for one in (function.value, *call.args))
            if function.attr in KEEPING:
                return self._is_safe(module, function.value, kind)
            if function.attr == "get":
                return self._is_safe(module, function.value, kind) and all(
                    self._is_safe(module, one, kind) for one in call.args[1:]
                )
            if function.attr in ("items", "values", "keys"):
                return self._is_safe(module, function.value, kind)
        if isinstance(function, ast.Name) and function.id == "map":
            return self._function_is_safe(module, call.args[0], kind)
        if isinstance(function, ast.Name) and function.id == "filter":
            return self._is_safe(module, call.args[1], kind)
        if isinstance(function, ast.Name) and function.id in THROUGH:
            return all(self._is_safe(module, one, kind) for one in call.args)
        found = self._find_function(module, function)
        return found is not None and self._returns_are_safe(*found, kind)

    def _returns_are_safe(self, module: Module, function: ast.FunctionDef, kind: str) -> bool:
        key = (id(function), kind)
        if key in self._open:  # it calls itself
            return True
        self._open.add(key)
        try:
            returned = [one.value for one in ast.walk(function) if isinstance(one, ast.Return)]
            return bool(returned) and all(self._is_safe(module, one, kind) for one in returned)
        finally:
            self._open.discard(key)

    def _find_function(self, module: Module, node: ast.expr) -> tuple[Module, ast.FunctionDef] | None:
        """The function that a name stands for, if it is one of the app."""
        if isinstance(node, ast.Name):
            if node.id in module.functions:
                return module, module.functions[node.id]
            return self._find_elsewhere(module.imports.get(node.id, ""))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in module.imports:
            return self._find_elsewhere(f"{module.imports[node.value.id]}.{node.attr}")
        return None

    def _find_elsewhere(self, dotted: str) -> tuple[Module, ast.FunctionDef] | None:
        place, _, name = dotted.rpartition(".")
        if not place.startswith("similarity."):
            return None
        if place not in self._modules:
            path = APP.parents[1].joinpath(*place.split(".")).with_suffix(".py")
            self._modules[place] = read(path) if path.is_file() else None
        module = self._modules[place]
        return (module, module.functions[name]) if module and name in module.functions else None

    def _is_name_safe(self, module: Module, name: ast.Name, kind: str) -> bool:
        """Whether all that a name is given in its function is safe."""
        function = module.function_around(name)
        key = (id(function), f"{kind} {name.id}")
        if function is None or key in self._open:
            return function is not None
        self._open.add(key)
        try:
            given = [*self._assigned(function, name.id)]
            parameters = {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}
            if name.id in parameters:
                return all(self._is_safe(module, one, kind) for one in given) and self._callers_are_safe(
                    module, function, name.id, kind
                )
            return bool(given) and all(self._is_safe(module, one, kind) for one in given)
        finally:
            self._open.discard(key)

    def _assigned(self, function: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
        """All that a name is given in a function; by a loop or an unpacking, one by one what is written out."""
        for node in ast.walk(function):
            pairs: list[tuple[ast.expr, ast.expr]] = []
            if isinstance(node, ast.Assign):
                pairs = [(target, node.value) for target in node.targets]
            elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
                pairs = [(node.target, node.value)]
            elif isinstance(node, ast.For | ast.comprehension) and _names(node.target, name):
                pairs = self._looped(function, node.target, node.iter)
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("append", "extend")
            ):
                pairs = [(node.func.value, one) for one in node.args]
            for target, value in pairs:
                yield from _given(target, value, name)

    def _looped(self, function: ast.FunctionDef, target: ast.expr, over: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
        """What a loop gives to its names: one by one what is written out, also by `zip`; or the whole."""
        if isinstance(over, ast.Call) and _last(over.func) == "zip" and isinstance(target, ast.Tuple):
            columns = zip(target.elts, over.args, strict=False)
            return [pair for one, column in columns for pair in self._looped(function, one, column)]
        is_other = isinstance(over, ast.Name) and not _names(target, over.id)
        lists = list(self._assigned(function, over.id)) if is_other else [over]  # type: ignore[attr-defined]
        if lists and all(isinstance(one, ast.Tuple | ast.List) for one in lists):
            return [(target, one) for some in lists for one in some.elts]  # type: ignore[attr-defined]
        return [(target, over)]

    def _callers_are_safe(self, module: Module, function: ast.FunctionDef, name: str, kind: str) -> bool:
        """Whether a private function is given nothing but what is safe."""
        if not function.name.startswith("_"):
            return False
        positions = [one.arg for one in function.args.args]
        calls, uses = [], 0
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name) and node.id == function.name and isinstance(node.ctx, ast.Load):
                uses += 1
                parent = module.parents[node]
                if isinstance(parent, ast.Call) and parent.func is node:
                    calls.append(parent)
        if not calls or uses != len(calls):
            return False
        for call in calls:
            by_name = {one.arg: one.value for one in call.keywords}
            value = by_name.get(name)
            if value is None and name in positions and positions.index(name) < len(call.args):
                value = call.args[positions.index(name)]
            if value is not None and not self._is_safe(module, value, kind):
                return False
        return True


def _made(kind: str) -> frozenset[str]:
    return {MARKDOWN: MADE_TEXT, PLAIN: MADE_PLAIN, FILE: frozenset({"entry"})}[kind]


def _last(node: ast.expr) -> str:
    """The last word of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_constant(name: str) -> bool:
    """Whether a name is one of a constant, of which there are none that are not written out."""
    return name.isupper()


def _names(target: ast.expr, name: str) -> bool:
    """Whether a name is one of those that something is given to."""
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(target))


def _given(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    """What a name in a target is given of a value."""
    if isinstance(target, ast.Name):
        if target.id == name:
            yield value
    elif isinstance(target, ast.Tuple | ast.List):
        if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
            for one, part in zip(target.elts, value.elts, strict=True):
                yield from _given(one, part, name)
        elif isinstance(value, ast.IfExp):
            yield from _given(target, value.body, name)
            yield from _given(target, value.orelse, name)
        elif _names(target, name):
            yield value
    elif isinstance(target, ast.Starred):
        yield from _given(target.value, value, name)
