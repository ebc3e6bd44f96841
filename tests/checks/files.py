"""The files of the project, for the checks: what git tracks or would track, or without git everything but build/."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def project_files(root=ROOT):
    """Paths relative to `root`, sorted; only regular files."""
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
        names = [pathlib.Path(name) for name in listed if name]
    else:
        names = [path.relative_to(root) for path in root.rglob("*")]
        names = [name for name in names if name.parts[0] not in ("build", ".git") and "__pycache__" not in name.parts]
    return sorted(name for name in set(names) if (root / name).is_file())


def source_files(root=ROOT):
    return [name for name in project_files(root) if name.suffix in (".c", ".h", ".cpp", ".hpp")]


if __name__ == "__main__":
    # For shell scripts: files.py SUFFIX... prints one path a line; no suffix: all.
    import sys

    for each in project_files():
        if len(sys.argv) == 1 or each.suffix in sys.argv[1:]:
            print(each)
