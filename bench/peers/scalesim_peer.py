"""KWS-mini through SCALE-Sim: cycles of a weight-stationary array of 16 x 16, from shapes alone.

Argument: a folder for what comes out.
"""

import csv
import glob
import json
import os
import sys
import time

import network
from scalesim.scale_sim import scalesim

FOLDER = sys.argv[1]
SIDE = 16
CONFIGURATION = f"""\
[general]
run_name = kws_mini
[architecture_presets]
ArrayHeight: {SIDE}
ArrayWidth: {SIDE}
IfmapSramSzkB: 64
FilterSramSzkB: 64
OfmapSramSzkB: 64
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Dataflow: ws
Bandwidth: 10
ReadRequestBuffer: 128
WriteRequestBuffer: 128
[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 10
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 10
FilterSRAMBankNum: 10
FilterSRAMBankPort: 2
[sparsity]
SparsitySupport: false
[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
"""


def layers():
    """Name, image, filter, channels, filters, stride; images with their padding."""
    for conv in network.CONVS:
        top, left, bottom, right = conv.pads
        image = (conv.height + top + bottom, conv.width + left + right)
        yield conv.name, *image, conv.kernel, conv.kernel, conv.inputs, conv.outputs, conv.stride
    yield "dense", 1, 1, 1, 1, network.FLAT, network.SCORES, 1


def write(name, lines):
    path = os.path.join(FOLDER, name)
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


configuration = write("kws_mini.cfg", [CONFIGURATION])
# every line ends in a comma: the reader drops what stands behind the last one
topology = write("kws_mini.csv", ["name,,"] + [",".join(map(str, layer)) + "," for layer in layers()])
layout = write("layout.csv", ["name,,"] + [f"{layer[0]}," + "1," * 14 for layer in layers()])
start = time.perf_counter()
simulator = scalesim(
    save_disk_space=True,
    verbose=False,
    config=configuration,
    topology=topology,
    layout=layout,
    input_type_gemm=False,
)
simulator.run_scale(top_path=FOLDER)
seconds = time.perf_counter() - start
(report,) = glob.glob(os.path.join(FOLDER, "**", "COMPUTE_REPORT.csv"), recursive=True)
with open(report) as file:
    rows = [{k.strip(): v.strip() for k, v in row.items() if k} for row in csv.DictReader(file)]
print(json.dumps({
    "cycles": sum(round(float(row["Total Cycles"])) for row in rows),
    "cycles_of_layers": [round(float(row["Total Cycles"])) for row in rows],
    "cycles_with_prefetch": sum(round(float(row["Total Cycles (incl. prefetch)"])) for row in rows),
    "stalls": sum(round(float(row["Stall Cycles"])) for row in rows),
    "simulate_seconds": seconds,
}))
