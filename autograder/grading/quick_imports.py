"""Spares the command line a second: nbgrader and nbformat import a grammar that they never use.

`jsonschema` looks for `rfc3987_syntax`, an optional checker of addresses, which compiles its
grammar on import. Notebooks hold no such field. Import this module before those.
"""

from __future__ import annotations

import sys
from typing import Any, cast

# What the documentation of `import` says of None: the module is not found.
cast("dict[str, Any]", sys.modules).setdefault("rfc3987_syntax", None)
