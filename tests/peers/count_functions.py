"""Functions in Python source as Python itself finds them: the peer of src/data/python.

    python3 tests/peers/count_functions.py FILE_OR_FOLDER...           counts, as one JSON object
    python3 tests/peers/count_functions.py --list FILE...              every function, as a JSON object

Without a path: the library of this Python. Functions are counted after docstrings are cut, and once
where they are the same but for layout and comments (`unique`: by their ast).
"""

import ast
import hashlib
import json
import sys
import sysconfig
import warnings
from pathlib import Path

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
PASSED_OVER = {"site-packages", "dist-packages", "__pycache__"}


def without_docstrings(node):
    for inner in ast.walk(node):
        if isinstance(inner, (*FUNCTIONS, ast.ClassDef)) and ast.get_docstring(inner, clean=False) is not None:
            inner.body = inner.body[1:] or [ast.Pass()]
    return node


def functions(node, outer=()):
    """Name and node of all functions, nested ones too, in the order of the text."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, (*FUNCTIONS, ast.ClassDef)):
            name = (*outer, inner.name)
            if isinstance(inner, FUNCTIONS):
                yield ".".join(name), inner
            yield from functions(inner, name)
        else:
            yield from functions(inner, outer)


def digest(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:12]


def described(path):
    """What the test compares: the text is normalised by ast.unparse."""
    tree = ast.parse(path.read_bytes())
    lines = {name_and_node[1]: name_and_node[1].lineno for name_and_node in functions(tree)}
    return [
        {"name": name, "line": lines[node], "code": ast.unparse(node)}
        for name, node in functions(without_docstrings(tree))
    ]


def python_files(paths):
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*.py")):
                if not PASSED_OVER & set(file.relative_to(path).parts) and file.is_file():
                    yield file
        else:
            yield path


def main(arguments):
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(100_000)
    if arguments[:1] == ["--list"]:
        listed = {Path(file).name: described(Path(file)) for file in arguments[1:]}
        return json.dump(listed, sys.stdout, indent=1, ensure_ascii=False)
    files, bad, found, unique, by_file = 0, [], 0, set(), {}
    per_file = arguments[:1] == ["--by-file"]
    arguments = arguments[per_file:] or [sysconfig.get_path("stdlib")]
    for file in python_files(map(Path, arguments)):
        files += 1
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            bad.append(str(file))
            continue
        here = [ast.dump(node) for _, node in functions(without_docstrings(tree))]
        found += len(here)
        by_file[str(file)] = len(here)
        unique.update(map(digest, here))
    counts = {"files": files, "bad": len(bad), "found": found, "unique": len(unique), "bad_files": bad}
    json.dump(by_file if per_file else counts, sys.stdout, indent=1)


main(sys.argv[1:])
