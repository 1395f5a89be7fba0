"""vmha's metadata: three folders become one namespace, executables keep line and mode.

Import path = ``vmha.`` + path in the repository. The executables are data files,
because an installer rewrites the first line of scripts and would lose ``-I``;
``vmha install-agents`` takes them from there. The packages do not use this file.
"""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
FLOORS = ("agents", "fence", "heartbeat")


def version():
    """Read the one version file as text; nothing is imported to build vmha."""
    text = (HERE / "agents/protocol/version.py").read_text(encoding="utf-8")
    return text.split('VERSION = "')[1].split('"')[0]


def executables(folder):
    """List the files of a folder of executables, as data files want them."""
    return sorted(f"{folder}/{p.name}" for p in (HERE / folder).iterdir())


setup(
    name="vmha",
    version=version(),
    description="Highly available virtual machines on Pacemaker and Corosync",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.9",
    packages=[
        f"vmha.{package}"
        for package in find_packages(include=[f"{floor}*" for floor in FLOORS])
    ],
    package_dir={f"vmha.{floor}": floor for floor in FLOORS},
    data_files=[
        ("lib/ocf/resource.d/vmha", executables("agents/resource.d")),
        ("sbin", executables("fence/sbin")),
    ],
    # The packages bring heartbeat/bin/vmha; an environment has its own first line.
    entry_points={"console_scripts": ["vmha = vmha.heartbeat.command.main:main"]},
    package_data={"": ["*.json"]},
    install_requires=["PyYAML", "jsonschema", "libvirt-python", "lxml", "pyghmi"],
    extras_require={"tables": ["rich"]},
)
