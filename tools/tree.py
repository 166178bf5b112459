# SPDX-License-Identifier: Apache-2.0
"""The files of the repository and the layers they belong to, for the checkers of this folder."""

import os
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True

SKIPPED_FOLDERS = {"build", ".git", ".cache", "node_modules", "__pycache__"}
TEST_FILE = re.compile(r"(^|_)(test|fuzz|bench)\.[ch]pp$")


def files(root):
    """Paths of all files, relative to root, sorted."""
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - SKIPPED_FOLDERS)
        found += [Path(folder, name).relative_to(root) for name in names]
    return sorted(found)


def sources(root):
    return [path for path in files(root) if path.suffix in (".cpp", ".hpp", ".c", ".h")]


class Layers:
    """cmake/layers.txt: each folder's line, in order."""

    def __init__(self, text):
        self.allowed = {}
        for line in text.splitlines():
            line = line.split("#")[0].strip()
            if not line:
                continue
            folder, _, names = line.partition(":")
            self.allowed[folder.strip()] = self._expand(names.split())

    def _expand(self, names):
        earlier = list(self.allowed)
        result = set()
        for name in names:
            if name.endswith("/*"):
                direct = re.compile(re.escape(name[:-1]) + r"[a-z0-9_]+$")
                result |= {folder for folder in earlier if direct.match(folder)}
            else:
                result.add(name)
        return result

    @classmethod
    def of(cls, root):
        return cls(Path(root, "cmake/layers.txt").read_text())


def main(check):
    """Runs check(root) -> messages over the repository, or the folder given."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    messages = check(root)
    for message in messages:
        print(message)
    print(f"{Path(sys.argv[0]).name}: {len(messages)} complaints" if messages else "all is well")
    sys.exit(1 if messages else 0)
