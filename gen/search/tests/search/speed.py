"""A subnet in PyTorch, as the test tells it: a line of JSON on the standard input, then a step for each line that
follows. Each step answers with its seconds. Quantizers pass gradients by detach."""

import json
import sys
import time

import torch
import torch.nn.functional as F

told = json.loads(sys.stdin.readline())
torch.set_num_threads(told["threads"])
torch.manual_seed(1)
parameters = {}


def parameter(name, shape, value=None):
    if name not in parameters:
        fan = max(1, torch.Size(shape).numel() // shape[0])
        data = torch.randn(shape) * (2 / fan) ** 0.5 if value is None else torch.full(shape, value)
        parameters[name] = data.requires_grad_()
    return parameters[name]


def weights(name, shape, bits):
    w = parameter(name, shape)
    kept = {2: 0.6, 3: 0.75, 4: 0.9}.get(bits, 1.0)
    most = 2 ** (bits - 1) - 1
    step = w.detach().abs().amax(dim=tuple(range(1, w.dim())), keepdim=True) * kept / most
    return w + (torch.clamp(torch.round(w / step), -most, most) * step - w).detach()


def activate(name, x, bits, relu, start=4.0):
    least, greatest = (0, 2**bits - 1) if relu else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    step = parameter(name, [1], start) / greatest
    place = torch.clamp(x / step, least, greatest)
    return step * (place + (torch.round(place) - place).detach())


def filtered(node, x, groups):
    (top, left), (bottom, right) = node["before"], node["after"]
    inputs = 1 if groups > 1 else x.shape[1]
    w = weights(node["name"], [node["channels"], inputs, *node["kernel"]], node["weight_bits"])
    if top == bottom and left == right:
        y = F.conv2d(x, w, stride=node["stride"], padding=(top, left), groups=groups)
    else:
        y = F.conv2d(F.pad(x, (left, right, top, bottom)), w, stride=node["stride"], groups=groups)
    gamma = parameter(node["name"] + ".gamma", [node["channels"]], 1.0)
    beta = parameter(node["name"] + ".beta", [node["channels"]], 0.0)
    y = F.batch_norm(y, None, None, gamma, beta, training=True)
    return activate(node["name"] + ".range", y, node["bits"], node["relu"])


def graph(node, x):
    name, bits, channels = node["name"], node["weight_bits"], node["channels"]
    rows = x.flatten(2).transpose(1, 2)

    def part(part, outputs):
        w = weights(f"{name}.{part}", [outputs, channels], bits)
        y = rows @ w.t() + parameter(f"{name}.{part}_bias", [outputs], 0.0)
        return activate(f"{name}.{part}_range", y, 8, False)

    inner = -(-channels // 4)
    theta, phi, values = part("theta", inner), part("phi", inner), part("values", channels)
    affinity = activate(f"{name}.affinity_range", theta @ phi.transpose(1, 2), 8, False, 8.0)
    shares = torch.softmax(affinity, 2)
    place = torch.clamp(shares * 128, -128, 127)
    shares = (place + (torch.round(place) - place).detach()) / 128
    mixed = (shares @ values).transpose(1, 2).reshape(x.shape)
    return activate(name + ".range", mixed, node["bits"], node["relu"])


def forward(x):
    values = []
    for node in told["nodes"]:
        inputs = [values[n] for n in node["inputs"]]
        kind, bits, relu = node["kind"], node["bits"], node["relu"]
        if kind == "input":
            step = 1 / 2 ** (bits - 1)
            y = torch.round(torch.clamp(x / step, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)) * step
        elif kind == "conv":
            y = filtered(node, inputs[0], 1)
        elif kind == "depthwise":
            y = filtered(node, inputs[0], inputs[0].shape[1])
        elif kind == "add":
            y = activate(node["name"] + ".range", inputs[0] + inputs[1], bits, relu)
        elif kind == "mean":
            y = activate(node["name"] + ".range", inputs[0].mean((2, 3)), bits, relu)
        elif kind == "graph":
            y = graph(node, inputs[0])
        else:
            w = weights(node["name"], [node["channels"], inputs[0].shape[1]], node["weight_bits"])
            y = inputs[0] @ w.t() + parameter(node["name"] + ".bias", [node["channels"]], 0.0)
        values.append(y)
    return values[-1]


height, width, channels = told["input"]
x = torch.randn(told["batch"], channels, height, width)
labels = torch.arange(told["batch"]) % told["classes"]
forward(x)
optimizer = torch.optim.SGD(parameters.values(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
print(json.dumps({"torch": torch.__version__, "numbers": sum(p.numel() for p in parameters.values())}), flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    optimizer.zero_grad()
    F.cross_entropy(forward(x), labels, label_smoothing=0.05).backward()
    optimizer.step()
    print(time.perf_counter() - begin, flush=True)
