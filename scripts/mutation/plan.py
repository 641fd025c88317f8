"""What is mutated, by what it is tested, and which mutants count."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["MODULES", "SEED", "Mutant", "mutants_of", "sample"]

#: of the sample
SEED: Final = 13

#: arguments of pytest by module: the physics and statistics core with the tests of its own
MODULES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "models/decays/in_flight.py": ("tests/models/decays/test_in_flight.py",),
        "models/decays/three_body.py": ("tests/models/decays/test_three_body.py",),
        "models/production/annihilation.py": ("tests/models/production/test_annihilation.py",),
        "models/production/charge_exchange.py": (
            "tests/models/production/test_charge_exchange.py",
        ),
        "models/relic/boltzmann.py": (
            "tests/models/relic/test_relic.py",
            "-k",
            "two_grids or late or back or twice or ahead",
        ),
        "models/response/acceptance.py": ("tests/models/response",),
        "models/response/preshower.py": ("tests/models/response",),
        "models/showers/momentum_spread.py": ("tests/models/showers/test_momentum_spread.py",),
        "models/showers/muon_loss.py": ("tests/models/showers/test_muon_loss.py",),
        "limits/calculators/asymptotic.py": ("tests/limits/calculators/test_asymptotic.py",),
        "limits/calculators/roots.py": ("tests/limits/calculators/test_roots.py",),
        "limits/planes/bounds.py": ("tests/limits/planes/test_bounds.py",),
        "limits/scanning/contours.py": ("tests/limits/scanning/test_contours.py",),
        "workspaces/pyhf/combine.py": ("tests/workspaces/pyhf/test_template_combine.py",),
    }
)

#: what is done to the source. Left out are operators that nobody mistakes for another, such as a
#: shift of bits for a division: a float refuses them, and every test would count as a success.
OPERATORS: Final = (
    *(
        f"core/ReplaceBinaryOperator_{pair}"
        for pair in (
            "Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Pow_Mul", "FloorDiv_Div", "Mod_FloorDiv",
            "BitOr_BitAnd", "BitAnd_BitOr",
        )
    ),
    *(
        f"core/ReplaceComparisonOperator_{pair}"
        for pair in (
            "Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Lt_GtE", "Gt_LtE",
            "Is_IsNot", "IsNot_Is",
        )
    ),
    "core/ReplaceUnaryOperator_USub_UAdd",
    "core/ReplaceUnaryOperator_Delete_USub",
    "core/ReplaceUnaryOperator_Delete_Invert",
    "core/ReplaceUnaryOperator_Delete_Not",
    "core/AddNot",
    "core/ReplaceTrueWithFalse",
    "core/ReplaceFalseWithTrue",
    "core/ReplaceAndWithOr",
    "core/ReplaceOrWithAnd",
    "core/ReplaceBreakWithContinue",
    "core/ReplaceContinueWithBreak",
    "core/ExceptionReplacer",
    "core/NumberReplacer",
    "core/ZeroIterationForLoop",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of a module.

    Attributes
    ----------
    module
        Path of the module from the root of the repository.
    line
        Its first line that is another.
    before, after
        That line without its indentation, and what it becomes.
    source
        The whole module with the change.
    """

    module: str
    line: int
    before: str
    after: str
    source: str


class _Bare(ast.NodeTransformer):
    """Takes out what no calculation sees.

    Annotations, decorators, docstrings, ``strict=``, and which parameters are keywords only.
    """

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.decorator_list, node.returns = [], None
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        given = node.args
        given.args = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        given.defaults = [*given.defaults, *filter(None, given.kw_defaults)]
        given.posonlyargs, given.kwonlyargs, given.kw_defaults = [], [], []
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        node.decorator_list = []
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        node.annotation = ast.Constant(value=None)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        return ast.Pass() if isinstance(node.value, ast.Constant) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        node.keywords = [one for one in node.keywords if one.arg != "strict"]
        return node


def _bare(source: str) -> str:
    return ast.dump(_Bare().visit(ast.parse(source)))


def mutants_of(module: str, source: str) -> Iterator[Mutant]:
    """Yield the mutants of a module's source, in a fixed order.

    Those that only change annotations, decorators, docstrings, ``strict=`` or which parameters are
    keywords do not count, nor those that are no Python.
    """
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    meant, lines = _bare(source), source.splitlines()
    for name in OPERATORS:
        operator, occurrence = get_operator(name)(), 0
        while (changed := mutate_code(source, operator, occurrence)) is not None:
            occurrence += 1
            try:
                if _bare(changed) == meant:
                    continue
            except SyntaxError:
                continue
            new = changed.splitlines()
            at = next(
                i for i, pair in enumerate(zip(lines, new, strict=False)) if len(set(pair)) > 1
            )
            yield Mutant(module, at + 1, lines[at].strip(), new[at].strip(), changed)


def sample(module: str, mutants: list[Mutant], size: int) -> list[Mutant]:
    """Return a random sample that only depends on the module's name and its mutants."""
    if len(mutants) <= size:
        return mutants
    chosen = random.Random(f"{SEED} {module}").sample(range(len(mutants)), size)
    return [mutants[i] for i in sorted(chosen)]
