"""Mutants made from a syntax tree, without knowing what the code means.

They find what nobody thought of: a condition that no test notices, a step that may be left out.
"""

import ast
from collections.abc import Callable, Iterator

from tests.mutation.mutants import Mutant

SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
Edit = Callable[[ast.AST], None]
"""Changes one node of a copy of the tree in place."""


def mutants_in(module: str, source: str) -> list[Mutant]:
    """Return one mutant for each place where something can be flipped or left out."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    found: list[Mutant] = []
    for number, node in enumerate(nodes):
        for place, what, edit in _edits(node):
            changed = ast.parse(source)  # faster than a copy
            edit(list(ast.walk(changed))[number])
            line = getattr(place, "lineno", 0)
            name = f"{module}.{line}.{len(found)}"
            found.append(Mutant(name, module, f"line {line}: {what}", ast.unparse(ast.fix_missing_locations(changed))))
    return found


def _edits(node: ast.AST) -> Iterator[tuple[ast.AST, str, Edit]]:
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield node, f"not ({_short(node.test)})", _negate
    if isinstance(node, ast.comprehension):
        for place, test in enumerate(node.ifs):
            yield test, f"without `if {_short(test)}`", _without_filter(place)
    if isinstance(node, ast.BoolOp):
        yield node, f"and/or swapped in {_short(node)}", _swap_bool
    if isinstance(node, ast.Compare) and not _asks_for_none(node):
        yield node, f"other comparison in {_short(node)}", _swap_comparison
    if isinstance(node, ast.Dict):
        for place, key in enumerate(node.keys):
            if isinstance(key, ast.Constant):
                yield key, f"without {key.value!r} in {_short(node)}", _without_key(place)
    yield from _left_out(node)


def _asks_for_none(node: ast.Compare) -> bool:
    """The other way round it does not run at all."""
    return any(isinstance(each, ast.Constant) and each.value is None for each in node.comparators)


def _left_out(node: ast.AST) -> Iterator[tuple[ast.AST, str, Edit]]:
    """Return how to leave out a statement: a call made for its effect, a second assignment, a guard."""
    for place, statement in enumerate(getattr(node, "body", None) or [] if isinstance(node, ast.stmt) else []):
        if _can_go(statement, node):
            yield statement, f"without `{_short(statement)}`", _without_statement(place)


def _can_go(statement: ast.stmt, parent: ast.AST) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call)
    if isinstance(statement, ast.If):
        return not statement.orelse
    return isinstance(statement, ast.Assign) and not _is_first(statement, parent)


def _is_first(assignment: ast.Assign, parent: ast.AST) -> bool:
    """Whether a name gets its first value here: without it the code would not run at all."""
    names = {target.id for target in assignment.targets if isinstance(target, ast.Name)}
    if not names:
        return any(isinstance(target, ast.Tuple) for target in assignment.targets)
    known = {argument.arg for argument in parent.args.args} if isinstance(parent, ast.FunctionDef) else names
    earlier = (each for each in getattr(parent, "body", []) if each.lineno < assignment.lineno)
    bound = {
        n.id for each in earlier for n in ast.walk(each) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return isinstance(parent, ast.Module | ast.ClassDef) or not names & (known | bound)


def _negate(node: ast.AST) -> None:
    assert isinstance(node, ast.If | ast.IfExp | ast.While)
    test = node.test
    node.test = test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else _not(test)


def _not(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(op=ast.Not(), operand=test)


def _without_filter(place: int) -> Edit:
    def edit(node: ast.AST) -> None:
        assert isinstance(node, ast.comprehension)
        del node.ifs[place]

    return edit


def _swap_bool(node: ast.AST) -> None:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _swap_comparison(node: ast.AST) -> None:
    assert isinstance(node, ast.Compare)
    node.ops = [SWAPPED[type(op)]() for op in node.ops]


def _without_key(place: int) -> Edit:
    def edit(node: ast.AST) -> None:
        assert isinstance(node, ast.Dict)
        del node.keys[place], node.values[place]

    return edit


def _without_statement(place: int) -> Edit:
    def edit(node: ast.AST) -> None:
        assert isinstance(node, ast.If | ast.For | ast.FunctionDef)
        node.body[place] = ast.Pass()

    return edit


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:87]}..."
