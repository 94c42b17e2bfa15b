"""Ends with 0 if this Python can hold the bus models: virtual environments and a shared library.

The simulator loads Python as a library, which Debian keeps in a package of its own.
"""

import ensurepip  # noqa: F401: Debian has the modules apart
import sysconfig
import venv  # noqa: F401
from pathlib import Path

folder, name = sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME")
folders = [Path(folder), Path(folder, sysconfig.get_config_var("MULTIARCH") or "")]
if not name or ".so" not in name or not any((at / name).exists() for at in folders):
    raise SystemExit(f"no shared library {name} in {folder}")
