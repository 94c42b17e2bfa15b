import json, subprocess

command = ["hwgen", "cost", "--serve", "--multipliers", "60"]
server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

def cost(candidate):
    print(json.dumps({"version": 1, "candidate": candidate}), file=server.stdin, flush=True)
    return json.loads(server.stdout.readline())

def network(channels, bits):
    shapes = {"x": [49, 10, 1], "a": [25, 5, channels], "b": [25, 5, channels], "c": [channels], "y": [12]}
    rim = {"top": 1, "left": 1, "bottom": 1, "right": 1}
    conv = {"kind": "conv_2d", "linear": {"bits": bits}}
    layers = {
        "a": conv | {"window": {"kernel": [3, 3], "stride": [2, 2], "pads": rim}},
        "b": conv | {"window": {"kernel": [3, 3], "pads": rim}, "groups": channels},
        "c": {"kind": "mean", "axes": [0, 1]},
        "y": {"kind": "fully_connected", "linear": {"bits": bits}},
    }
    chain = zip(layers, shapes)
    return {
        "candidate": 1, "inputs": ["x"], "outputs": ["y"],
        "tensors": [{"name": name, "shape": shape} for name, shape in shapes.items()],
        "layers": [{"name": z, "inputs": [x], "output": z, "operator": layers[z]} for z, x in chain],
    }

for channels in 16, 32, 64:
    for bits in 8, 4:
        found = cost(network(channels, bits))["cost"]
        print(channels, bits, found["cycles"], found["needs"]["weight_bytes"], found["core"]["multipliers"])
