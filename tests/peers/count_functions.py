"""Functions in Python source as Python itself finds them: the peer of src/data/python.

    python3 tests/peers/count_functions.py FILE_OR_FOLDER...           counts, as one JSON object
    python3 tests/peers/count_functions.py --by-file FILE_OR_FOLDER... counts by file
    python3 tests/peers/count_functions.py --list FILE...              name, line and text of each function

tests/data/python/functions.json is what --list gives for the files beside it.

Without a path: the library of this Python. Functions are counted after docstrings are cut, and once
where they are the same but for layout and comments (`unique`: by their ast).
"""

import ast
import hashlib
import io
import json
import sys
import sysconfig
import tokenize
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


def squeezed(tokens, node, cuts):
    """A function's tokens and comments from the text itself, without docstrings and any white space."""
    start = min([node, *node.decorator_list], key=lambda part: part.lineno).lineno
    result, after_cut = [], False
    for token in tokens:
        row, column = token.start
        if row < start or token.type in (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            continue
        if row > node.end_lineno:
            # Comments right behind belong to it if they are further in.
            if token.type != tokenize.COMMENT or column <= node.col_offset:
                break
        cut = next((put for first, last, put in cuts if first <= token.start and token.end <= last), None)
        if cut is not None:
            if not after_cut:
                result.append(cut)
            after_cut = True
            continue
        if not (after_cut and token.string == ";"):
            result.append(token.string)
        after_cut = False
    return "".join("".join(result).replace("\\\n", "").split())


def described(path):
    """What the test compares."""
    source = path.read_bytes()
    with tokenize.open(path) as file:
        text = file.read().replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    lines, cuts = text.split("\n"), []

    def place(row, column):
        # ast counts bytes, tokenize characters.
        return row, len(lines[row - 1].encode()[:column].decode())

    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and ast.get_docstring(node, clean=False) is not None:
            doc = node.body[0]
            first, last = place(doc.lineno, doc.col_offset), place(doc.end_lineno, doc.end_col_offset)
            cuts.append((first, last, "pass" if len(node.body) == 1 else ""))
    return [
        {"name": name, "line": node.lineno, "text": squeezed(tokens, node, cuts)}
        for name, node in functions(tree)
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
        json.dump(listed, sys.stdout, indent=1, ensure_ascii=False)
        return
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
