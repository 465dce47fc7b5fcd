"""The way of the data is one way: what each part may import, read from the sources themselves."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("etl", "schemas")
DATAFRAMES = ("polars", "pandera", "pandas", "duckdb")
BASE = frozenset({"schemas", "etl.printable", "etl.errors", "etl.version"})
"""What every part may import that stands behind them."""
MAY_IMPORT: dict[str, frozenset[str]] = {
    "schemas": frozenset(),
    "etl.version": frozenset(),
    "etl.printable": frozenset(),
    "etl.errors": frozenset({"etl.printable"}),
    "etl.progress": frozenset(),
    "etl.tex": BASE,
    "etl.on_disk": BASE,
    "etl.toml_file": BASE,
    "etl.engine": BASE,
    "etl.extract": BASE,
    "etl.resolve": BASE | {"etl.on_disk", "etl.toml_file", "etl.extract"},
    "etl.validate": BASE | {"etl.tex", "etl.on_disk", "etl.toml_file", "etl.extract", "etl.resolve"},
    "etl.load": BASE,
    "etl.release": BASE | {"etl.extract", "etl.resolve", "etl.validate", "etl.load"},
    "etl.lake": BASE | {"etl.load", "etl.release"},
    "etl.report": BASE | {"etl.extract", "etl.resolve", "etl.validate", "etl.load", "etl.release", "etl.lake"},
    "etl.export": BASE | {"etl.tex", "etl.resolve", "etl.release"},
    "etl.site": BASE | {"etl.tex", "etl.extract", "etl.resolve", "etl.load", "etl.release", "etl.report", "etl.export"},
    "etl.pipeline": BASE
    | {"etl.progress", "etl.on_disk", "etl.engine", "etl.extract", "etl.resolve", "etl.validate", "etl.load"}
    | {"etl.release", "etl.report", "etl.lake"},
    "etl.redaction": BASE | {"etl.resolve", "etl.load", "etl.release", "etl.report"},
    "etl.lake_release": BASE
    | {"etl.validate", "etl.load", "etl.release", "etl.report", "etl.export", "etl.lake", "etl.redaction"},
    "etl.api": BASE | {"etl.progress", "etl.engine", "etl.load", "etl.release", "etl.report", "etl.pipeline"},
    "etl": frozenset({"etl.api", "etl.version"}),  # for types; a program's first use of it imports the rest
    "etl.made_pages": BASE | {"etl.engine", "etl.extract", "etl.resolve"},
    "etl.packing": BASE | {"etl.progress", "etl.extract"},
    "etl.cli": BASE
    | {
        "etl.progress",
        "etl.engine",
        "etl.validate",
        "etl.load",
        "etl.release",
        "etl.report",
        "etl.export",
        "etl.site",
    }
    | {"etl.pipeline", "etl.api", "etl.made_pages", "etl.packing", "etl.redaction", "etl.lake", "etl.lake_release"},
}
"""Every package, in the order of the flow, and what each may import: itself, and what stands before it."""
LIGHT = ("etl", "etl.errors", "etl.export", "etl.load.layout", "etl.printable", "etl.version")
"""What the command may import before it is told what to do, so that help comes at once."""


@cache
def sources() -> dict[str, Path]:
    """Every module of ours by name."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules that a tree imports, wherever in it; a name of a package that is a module of ours counts as that."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            module = node.module or ""
            for alias in node.names:
                full = f"{module}.{alias.name}"
                yield full if full in sources() else module


def tree_of(module: str) -> ast.Module:
    return ast.parse(sources()[module].read_text(encoding="utf-8"))


def at_module_level(module: str) -> set[str]:
    """What a module imports as it is imported: all but what stands in its functions, or is for types only."""
    tree = tree_of(module)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for skipped in (*functions, *_type_blocks(tree)):
        skipped.body = []
    return set(imported(tree))


def for_types(module: str) -> set[str]:
    """What a module imports for its type checker only."""
    return {name for block in _type_blocks(tree_of(module)) for name in imported(block)}


def _type_blocks(tree: ast.Module) -> list[ast.If]:
    return [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_the_modules_of_every_part_are_found() -> None:
    assert {"etl.cli", "etl.extract.page", "etl.validate.rules.papers", "schemas", "schemas.table"} <= set(sources())


def package_of(module: str) -> str:
    """The package under `etl`, or the module beside the packages, that a module of ours is in."""
    return "schemas" if within(module, "schemas") else ".".join(module.split(".")[:2])


def test_every_package_is_known() -> None:
    assert set(map(package_of, sources())) == set(MAY_IMPORT)


def test_the_arrows_lead_one_way() -> None:
    known = list(MAY_IMPORT)
    for package, imports in MAY_IMPORT.items():
        assert all(known.index(name) < known.index(package) or name == "etl" for name in imports), package


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    modules = [module for module in sources() if package_of(module) == package]
    found = {(module, package_of(name)) for module in modules for name in imported(tree_of(module)) if is_ours(name)}
    assert {(module, name) for module, name in found if name not in {package, *MAY_IMPORT[package]}} == set()


def is_ours(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in PACKAGES


def test_only_the_command_and_the_interface_for_programs_import_the_pipeline() -> None:
    assert {module for module in sources() if "etl.pipeline" in imported(tree_of(module))} == {"etl.api", "etl.cli.run"}


def test_only_serving_imports_the_site() -> None:
    others = [module for module in sources() if not within(module, "etl.site")]
    users = {module for module in others if any(within(name, "etl.site") for name in imported(tree_of(module)))}
    assert users == {"etl.cli.serve", "etl.cli.site"}


def test_nothing_imports_the_command() -> None:
    others = [module for module in sources() if not within(module, "etl.cli")]
    assert [module for module in others if any(within(name, "etl.cli") for name in imported(tree_of(module)))] == []


def test_modules_import_each_other_in_no_circle() -> None:
    graph = {module: at_module_level(module) & set(sources()) for module in sources()}
    order = list(TopologicalSorter(graph).static_order())
    assert set(order) == set(sources())


def test_no_import_hides_in_a_function_but_the_commands() -> None:
    hidden = {
        module: set(imported(tree_of(module))) - at_module_level(module) - for_types(module) for module in sources()
    }
    assert {module for module, names in hidden.items() if names and not within(module, "etl.cli")} == set()


def test_help_comes_at_once_since_the_command_imports_little() -> None:
    command = [module for module in sources() if within(module, "etl.cli")]
    names = set().union(*map(at_module_level, command)) - set(command)
    assert {name for name in names if within(name, "etl") or within(name, "schemas")} <= set(LIGHT)
    assert not names & set(DATAFRAMES)
