"""Put `schemas/` and `playbooks/`, which live where people look for them, inside the package when it is built."""

from setuptools import find_namespace_packages, setup

BESIDE = ("playbooks", "schemas")
DATA = ["**/*.json", "**/*.md", "**/*.yaml"]

inside = {f"runner.{name}": name for name in BESIDE}
setup(
    packages=[*find_namespace_packages(include=["runner", "runner.*"], exclude=["*.__pycache__*"]), *inside],
    package_dir=inside,
    package_data={"runner": [*DATA, "py.typed"], **dict.fromkeys(inside, DATA)},
)
