"""Runs test_lapa_axi.py on a Verilog text in Icarus: run.py TEXT TOP VECTORS FOLDER.

The exit code is 1 if a test fails.
"""

import os
import sys
from pathlib import Path

from cocotb.runner import get_results, get_runner

text, top, vectors, folder = sys.argv[1:]
os.environ["VECTORS"] = vectors
# where the simulator finds the tests
os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent)
runner = get_runner("icarus")
runner.build(
    verilog_sources=[text],
    hdl_toplevel=top,
    build_dir=folder,
    timescale=("1ns", "1ps"),
    always=True,
)
results = runner.test(
    hdl_toplevel=top,
    test_module="test_lapa_axi",
    build_dir=folder,
    test_dir=folder,
    results_xml=str(Path(folder, "results.xml")),
)
tests, failed = get_results(Path(results))
print(f"{tests} tests of cocotbext-axi, {failed} failed")
sys.exit(failed > 0 or tests == 0)
