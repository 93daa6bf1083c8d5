from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from edgeconv.conversion.graph.lazy_sympy import sympy_when_needed
finders = list(sys.meta_path)
with sympy_when_needed():
    import onnx_ir
assert sys.meta_path == finders
size = onnx_ir.SymbolicDim("N")
assert size == "N"
print("sympy.core" in sys.modules, size + 2, "sympy.core" in sys.modules)
import sympy.core
from sympy import Max
print(Max(1, 2))
"""


def test_sympy_is_imported_when_somebody_computes_with_it() -> None:
    done = subprocess.run([sys.executable, "-P", "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "False N + 2 True\n2\n"
