"""`croft-componentize PACKAGE:NAME -o FILE`: makes a component of a module with componentize-py.

The component imports nothing but croft's log. What the module imports has to be installed where this runs.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import List, Optional, Set

MAIN = """\
from croft.component import composer
from {package} import {name} as module

Composer = composer(module)
"""


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(
        prog="croft-componentize",
        description="Make a component of a module in Python",
        epilog="croft checks the component: `croft module pack FILE -o FILE`.",
    )
    parser.add_argument("module", metavar="PACKAGE:NAME", help="the module, such as `hello:hello`")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="where to write the component")
    parser.add_argument("-p", "--path", metavar="DIR", default=".", help="the folder of the sources")
    parser.add_argument(
        "-r", "--require", metavar="NAME", action="append", default=[], help="an installed distribution that it imports"
    )
    args = parser.parse_args(arguments)
    package, _, name = args.module.partition(":")
    if not re.fullmatch(r"\w+(\.\w+)*", package) or not name.isidentifier():
        parser.error(f"`{args.module}` is not a package and a name, such as `hello:hello`")
    try:
        return componentize(package, name, Path(args.output), Path(args.path), args.require)
    except metadata.PackageNotFoundError as missing:
        print(f"error: `{missing.name}` is not installed\nhint: `pip install {missing.name}`", file=sys.stderr)
        return 1


def componentize(package: str, name: str, output: Path, path: Path, requires: List[str]) -> int:
    metadata.version("componentize-py")
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder)
        (staged / "croft_main.py").write_text(MAIN.format(package=package, name=name))
        libraries = staged / "libraries"
        copy_distributions(["pydantic", *requires], libraries)
        shutil.copytree(here, libraries / "croft", ignore=shutil.ignore_patterns("__pycache__"))
        command = ["componentize-py", "--wit-path", str(here / "composition.wit"), "--world", "module"]
        command += ["componentize", "--stub-wasi", "--output", str(output)]
        for source in (staged, path, libraries):
            command += ["--python-path", str(source)]
        return subprocess.run([*command, "croft_main"], check=False).returncode


def copy_distributions(names: List[str], to: Path) -> None:
    """Copies installed distributions and what they require. Machine code is left behind: it is for this system,
    and where there is Python beside it, that is taken."""
    done: Set[str] = set()
    while names:
        name = re.split(r"[^A-Za-z0-9._-]", names.pop(), maxsplit=1)[0]
        if not name or name.lower() in done:
            continue
        done.add(name.lower())
        distribution = metadata.distribution(name)
        # Those for an extra are not asked for.
        names += [required for required in distribution.requires or [] if ";" not in required]
        for file in distribution.files or []:
            if file.suffix != ".py" or ".." in file.parts:
                continue
            target = to / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), target)


if __name__ == "__main__":
    sys.exit(main())
