"""Build step that ships configs/ inside the package: in a wheel they are hsmtss_jax/configs/*.py."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConfigs(build_py):
    """Build Python modules, and those of configs/ as modules of hsmtss_jax.configs."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Return (package, module, file) of a package's modules."""
        found = super().find_package_modules(package, package_dir)
        if package == "hsmtss_jax.configs":
            found += [
                (package, file.stem, str(file)) for file in sorted(Path("configs").glob("*.py"))
            ]
        return found


setup(cmdclass={"build_py": BuildWithConfigs})
