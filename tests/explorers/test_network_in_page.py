"""The U-Net in the page computes what PyTorch computes: every map of every layer, with each switch, in Node and in
Chromium, with WebAssembly and in plain JavaScript.

A description holds the weights as numbers of 16 bits. PyTorch gets the same numbers here, so that nothing is left
between the two but the order in which float32 numbers are added.
"""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import wasmtime
from playwright._impl._driver import compute_driver_executable
from torch import nn
from torch.nn import functional as F

from tests.explorers.browser import ROOT
from unet_edu.data import pretrained
from unet_edu.data.cells import synthetic_cells
from unet_edu.data.networks import held_out
from unet_edu.explore.unet import export
from unet_edu.explore.unet.export import described
from unet_edu.figures.unet import block_names
from unet_edu.sizes import legal_side
from unet_edu.unet import UNet, center_crop

FOLDER = ROOT / "unet_edu/explore/unet"
# One rounding of float32 is 6e-8 of a number. A number of these networks is a sum of up to 1,152 products, and ten such
# sums stand behind each other; with errors that go either way this is 6e-8 · √1152 · √10 = 6e-6 of the largest number.
CLOSE = 1e-5
ENGINES = [
    pytest.param((place, simd), id=f"{place}-{'simd' if simd else 'plain'}", marks=marks)
    for place, marks in (("node", ()), ("chromium", pytest.mark.needs("chromium")))
    for simd in (True, False)
]

# Runs networks, and answers with all that there is to see. Of `probes`, which are (layer, channel, row, column), also
# what stands behind that pixel.
DRIVER = """async (load, { networks, simd }) => {
    const text = (values) => {
        const bytes = new Uint8Array(values.buffer), letters = [];
        for (let n = 0; n < bytes.length; n += 4096) letters.push(String.fromCharCode(...bytes.subarray(n, n + 4096)));
        return btoa(letters.join(""));
    };
    const numbers = (text) => new Float32Array(Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer);
    const look = (net, [name, channel, row, column]) => ({
        before: text(net.before(name, channel).values),
        parts: !["conv", "up", "head"].includes(net.layer(name).kind) ? [] : net.parts(name, channel)
            .map(part => ({ ...part, kernel: [...part.kernel], values: text(part.values) })),
        product: net.product(name, channel, row, column),
    });
    const answers = [];
    for (const { description, pictures } of networks) {
        const net = await load(description, { simd });
        const runs = pictures.map(({ image, other, rows, columns, copies, muted, probes }) => {
            net.run(numbers(other), { rows, columns });
            const theirs = net.copies();
            const taken = copies.map((copy, level) => copy === "another" ? theirs[level] : copy);
            const switches = { copies: taken, muted: new Set(muted) };
            const { probability, ...more } = net.run(numbers(image), { rows, columns, ...switches });
            const maps = net.layers.map(({ name, channels, rows, columns }) => {
                const values = new Float32Array(channels * rows * columns);
                for (let c = 0; c < channels; c++) values.set(net.map(name, c).values, c * rows * columns);
                return [name, text(values)];
            });
            const seen = { ...more, layers: net.layers.map(layer => ({ ...layer })), probability: text(probability) };
            return { ...seen, maps: Object.fromEntries(maps), looks: probes.map(probe => look(net, probe)) };
        });
        const weights = Object.keys(description.tensors).map(name => {
            const { shape, kernel, bias } = net.weights(name);
            return [name, { shape, kernel: text(kernel), bias: text(bias) }];
        });
        const legal = Array.from({ length: 150 }, (_, side) => net.legalSide(side + 1));
        answers.push({ simd: net.simd, runs, legal, weights: Object.fromEntries(weights) });
    }
    return answers;
}"""


class Picture(NamedTuple):
    """What goes through a network, and with which switches."""

    image: np.ndarray
    other: np.ndarray  # whose copies "another" takes
    copies: list[str]
    muted: list[str]
    probes: list[tuple[str, int, int, int]]


class Seen(NamedTuple):
    """Of PyTorch: all maps by layer (channels, rows, columns), the same before ReLU, and the probabilities."""

    maps: dict[str, np.ndarray]
    before: dict[str, np.ndarray]
    probability: np.ndarray


# --- the same network in PyTorch --------------------------------------------------------------------------------------


def twin(model: UNet) -> UNet:
    """The network that a description holds: without batch normalisation, with weights of 16 bits."""
    description = described(model)
    stored = np.frombuffer(base64.b64decode(description["weights"]), "<f2").astype(np.float32)
    found = UNet(**model.config | {"norm": None}).eval()
    state, at = {}, 0
    for name, shape in description["tensors"].items():
        channels = shape[1] if name.startswith("up") else shape[0]
        layer = f"{name}.convolve" if name.startswith("up") else name
        for part, size in (("weight", shape), ("bias", [channels])):
            count = int(np.prod(size))
            state[f"{layer}.{part}"] = torch.from_numpy(stored[at : at + count].reshape(size).copy())
            at += count
    assert at == len(stored)
    found.load_state_dict(state)
    return found


def in_torch(model: UNet, picture: Picture) -> Seen:
    """Run a twin, with the switches as hooks."""
    maps, before, hooks = {}, {}, []
    names = block_names(model.depth, copies=model.config["skip"] != "none")

    def mute(name, output):
        for channel in range(output.shape[1]):
            if f"{name}:{channel}" in picture.muted:
                output[:, channel] = 0
        maps[name] = output[0].numpy().copy()

    def note(name):
        return lambda module, inputs, output: mute(name, output)

    def note_before(name):
        def hook(module, inputs, output):
            before[name] = output[0].numpy().copy()

        return hook

    def switch(level):
        def hook(module, inputs):
            copy, x = inputs
            if picture.copies[level] == "zeroed":
                return torch.zeros_like(copy), x
            if picture.copies[level] == "another":
                return others[level], x
            return None

        return hook

    with torch.inference_mode():
        others = _copies(model, picture.other)
        for name, module in model.named_modules():
            *path, number = name.split(".")
            if isinstance(module, nn.ReLU):
                layer = ".".join([*path, str(int(number) - 1)])
                hooks.append(module.register_forward_hook(note(layer)))
            elif isinstance(module, nn.Conv2d) and name != "head":
                hooks.append(module.register_forward_hook(note_before(name)))
            elif name in names:
                hooks.append(module.register_forward_hook(note(name)))
            if path == ["join"]:
                hooks.append(module.register_forward_pre_hook(switch(model.depth - 1 - int(number))))
        image = torch.from_numpy(picture.image)[None].clone()
        mute("input", image)
        scores = model(image)
        for hook in hooks:
            hook.remove()
        probability = scores.softmax(1)[0].numpy()
    return Seen(maps, before, probability[1:] if len(probability) == 2 else probability)


def _copies(model: UNet, image: np.ndarray) -> list[torch.Tensor]:
    """What crosses the U at each level, before it is cut."""
    x, found = torch.from_numpy(image)[None], []
    for block, pool in zip(model.contracting, model.pool, strict=False):
        found.append(block(x))
        x = pool(found[-1])
    return found


# --- which networks, which pictures -----------------------------------------------------------------------------------


def a_network(rng: np.random.Generator, number: int) -> UNet:
    """A small one: among eight, each padding with each way to join; among three, each depth; else anything."""
    padding, skip = list(itertools.product(("same", "valid"), ("concat", "add", "multiply", "none")))[number % 8]
    torch.manual_seed(number)
    model = UNet(
        in_channels=int(rng.choice([1, 1, 3])),
        num_classes=int(rng.integers(2, 5)),
        widths=[int(width) for width in rng.integers(1, 10, 2 + number % 3)],
        padding=padding,
        skip=skip,
        norm=str(rng.choice(["", "batch"])) or None,
    ).eval()
    for name, numbers in model.state_dict().items():  # as training might have left them
        if name.endswith(("bias", "running_mean")):
            numbers.copy_(torch.randn_like(numbers) * 0.3)
        elif name.endswith("running_var") or (numbers.ndim == 1 and name.endswith("weight")):
            numbers.copy_(torch.rand_like(numbers) + 0.5)
    return model


def a_picture(
    rng: np.random.Generator, model: UNet, image: np.ndarray | None = None, *, switches: bool = True
) -> Picture:
    """Noise, where no image is given; with switches, a third of the copies zeroed, a third from other noise, some maps
    muted."""
    config, depth = model.config, model.depth
    sides = [legal_side(int(side), depth, config["padding"]) for side in rng.integers(1, 30, 2)]
    noise = rng.normal(0.5, 0.3, (2, config["in_channels"], *sides)).astype(np.float32)
    if image is not None:
        noise = np.stack([image[None], image[None, ::-1, ::-1]]).astype(np.float32)
    copies = [str(rng.choice(["kept", "zeroed", "another"])) if switches else "kept" for _ in range(depth)]
    maps = in_torch(twin(model), Picture(*noise, ["kept"] * depth, [], [])).maps
    shapes = {name: values.shape for name, values in maps.items()}
    probes = [(name, *(int(rng.integers(n)) for n in shape)) for name, shape in shapes.items()]
    muted = [f"{name}:{rng.integers(shapes[name][0])}" for name in rng.choice(list(shapes), 3)] if switches else []
    return Picture(*noise, copies, muted, probes)


@pytest.fixture(scope="module")
def cases():
    """Networks, each with its pictures and what PyTorch makes of them."""
    rng = np.random.default_rng(2015)
    cells = pretrained("cells")
    size = {"phase": (40, 48), "fluorescence": (48, 40)}
    drawn = [synthetic_cells(10_000, size[look], cells=3, look=look)[0] for look in size]
    pictures = [a_picture(rng, cells, image, switches=False) for image in drawn]
    pictures.append(a_picture(rng, cells, drawn[0])._replace(copies=["zeroed", "kept"]))
    pictures.append(a_picture(rng, cells, drawn[1])._replace(copies=["another", "zeroed"]))
    pictures.append(a_picture(rng, cells))
    networks = [(cells, pictures)]
    for number in range(16):
        model = a_network(rng, number)
        networks.append((model, [a_picture(rng, model, switches=switches) for switches in (False, True)]))
    return [(model, pictures, [in_torch(twin(model), picture) for picture in pictures]) for model, pictures in networks]


# --- ask the page -----------------------------------------------------------------------------------------------------


def in_node(function: str, *arguments: Any, before: str = "") -> Any:
    """What a JavaScript function of `load` answers in Node, the one that Playwright brings."""
    program = f"""{before}
        import {{ load }} from "{(FOLDER / "network.js").as_uri()}";
        const text = await Array.fromAsync(process.stdin);
        const answer = await ({function})(load, ...JSON.parse(Buffer.concat(text)));
        process.stdout.write(JSON.stringify(answer));"""
    node = compute_driver_executable()[0]
    command = [node, "--input-type=module", "--eval", program]
    done = subprocess.run(command, input=json.dumps(arguments).encode(), check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def in_chromium(browser: Any, function: str, *arguments: Any) -> Any:
    """The same in a bare page, which asks for nothing. The answer is text, too: for one of many parts, Playwright would
    take many seconds."""
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(request.url[:5]))
    module = base64.b64encode((FOLDER / "network.js").read_bytes()).decode()
    answer = page.evaluate(
        f"""async text => {{
            const {{ load }} = await import("data:text/javascript;base64,{module}");
            return JSON.stringify(await ({function})(load, ...JSON.parse(text)));
        }}""",
        json.dumps(arguments),
    )
    page.close()
    assert set(asked) <= {"data:"}
    return json.loads(answer)


@pytest.fixture(scope="module", params=ENGINES)
def answers(request, cases):
    """What network.js makes of all cases, in one place and by one engine."""
    place, simd = request.param
    networks = [
        {"description": described(model), "pictures": [_asked(picture) for picture in pictures]}
        for model, pictures, _ in cases
    ]
    question = {"networks": networks, "simd": simd}
    if place == "node":
        found = in_node(DRIVER, question)
    else:
        found = in_chromium(request.getfixturevalue("browser"), DRIVER, question)
    assert [answer["simd"] for answer in found] == [simd] * len(cases)
    return found


def _asked(picture: Picture) -> dict[str, Any]:
    _, rows, columns = picture.image.shape
    images = {name: _text(getattr(picture, name)) for name in ("image", "other")}
    return picture._asdict() | images | {"rows": rows, "columns": columns}


def _text(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()


def _values(text: str, shape: Any = -1) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(shape)


def each(cases, answers):
    """One run after the other: network, picture, what PyTorch saw, what the page answered."""
    for (model, pictures, seen), answer in zip(cases, answers, strict=True):
        for picture, expected, run in zip(pictures, seen, answer["runs"], strict=True):
            yield model, picture, expected, run


# --- the same as PyTorch ----------------------------------------------------------------------------------------------


def test_every_map_is_that_of_pytorch(cases, answers):
    compared = 0
    for model, _, expected, run in each(cases, answers):
        names = block_names(model.depth, copies=model.config["skip"] != "none")
        assert [layer["name"] for layer in run["layers"]] == list(run["maps"]) == names
        for layer in run["layers"]:
            values = expected.maps[layer["name"]]
            assert (layer["channels"], layer["rows"], layer["columns"]) == values.shape
            found = _values(run["maps"][layer["name"]], values.shape)
            np.testing.assert_allclose(found, values, rtol=0, atol=close(values))
            compared += len(values)
    assert compared > 3000


def close(values: np.ndarray) -> float:
    return CLOSE * max(1.0, float(np.abs(values).max()))


def test_the_probabilities_are_those_of_pytorch(cases, answers):
    for _, _, expected, run in each(cases, answers):
        _, rows, columns = expected.probability.shape
        sides, margins = np.array(expected.maps["input"].shape[1:]), np.array([run["top"], run["left"]])
        assert (run["rows"], run["columns"]) == (rows, columns) == tuple(sides - 2 * margins)
        assert run["milliseconds"] >= 0
        scores = expected.maps["head"]  # a probability moves by at most half of what the difference of two scores does
        found = _values(run["probability"], expected.probability.shape)
        np.testing.assert_allclose(found, expected.probability, rtol=0, atol=close(scores))


def test_the_weights_are_those_of_the_description(cases, answers):
    for (model, *_), answer in zip(cases, answers, strict=True):
        state = twin(model).state_dict()
        for name, found in answer["weights"].items():
            layer = f"{name}.convolve" if name.startswith("up") else name
            np.testing.assert_array_equal(_values(found["kernel"], found["shape"]), state[f"{layer}.weight"])
            np.testing.assert_array_equal(_values(found["bias"]), state[f"{layer}.bias"])


def test_the_sides_that_fit_are_those_of_the_library(cases, answers):
    for (model, *_), answer in zip(cases, answers, strict=True):
        assert answer["legal"] == [legal_side(side, model.depth, model.config["padding"]) for side in range(1, 151)]


def test_numbers_of_16_bits_change_little():
    """On the 16 pictures that are held out, 0.006 of a probability at most, and the class of one pixel at most."""
    model = pretrained("cells")
    for look, ((image, _), *_) in held_out().items():
        tensor = torch.from_numpy(image)[None, None]
        with torch.inference_mode():
            whole, rounded = (network(tensor).softmax(1)[0, 1] for network in (model, twin(model)))
        assert 0 < (whole - rounded).abs().max() < 0.01, look
        assert torch.count_nonzero((whole > 0.5) != (rounded > 0.5)) <= 3, look


# --- from a map down to one product -----------------------------------------------------------------------------------


def looks(cases, answers, *kinds):
    """Each probe of these kinds of layers: all maps, the layer, the probe, what was answered, and PyTorch's."""
    seen = 0
    for model, picture, expected, run in each(cases, answers):
        layers = {layer["name"]: layer for layer in run["layers"]}
        maps = {name: _values(text, expected.maps[name].shape) for name, text in run["maps"].items()}
        for probe, look in zip(picture.probes, run["looks"], strict=True):
            layer = layers[probe[0]]
            if layer["kind"] in kinds:
                before = _values(look["before"], maps[layer["name"]].shape[1:])
                seen += 1
                yield model, maps, layer, probe, look | {"before": before}, expected
    assert seen > 40


def test_a_map_before_relu_makes_the_map(cases, answers):
    for _, maps, _, (name, channel, *_), look, expected in looks(cases, answers, "conv"):
        before = expected.before[name][channel]
        np.testing.assert_allclose(look["before"], before, rtol=0, atol=close(expected.before[name]))
        if not look["product"]["isMuted"]:
            np.testing.assert_array_equal(np.maximum(look["before"], 0), maps[name][channel])
    for _, maps, _, (name, channel, *_), look, _ in looks(cases, answers, "input", "pool", "up", "join", "head"):
        np.testing.assert_array_equal(look["before"], maps[name][channel])


def test_the_parts_and_the_bias_add_up_to_a_map(cases, answers):
    for model, maps, layer, (name, *_), look, expected in looks(cases, answers, "conv", "up", "head"):
        x, parts = maps[layer["from"][0]], look["parts"]
        assert [part["channel"] for part in parts] == list(range(len(x)))
        total = np.full(look["before"].shape, look["product"]["bias"])
        for part in parts:
            assert part["from"] == layer["from"][0] and (part["rows"], part["columns"]) == total.shape
            values = _values(part["values"], total.shape)
            np.testing.assert_allclose(values, contribution(model, layer, x, part), rtol=0, atol=close(x))
            assert part["strength"] == pytest.approx(np.abs(values).mean(), rel=1e-4, abs=1e-12)
            total = total + values
        if layer["kind"] == "conv" or not look["product"]["isMuted"]:
            np.testing.assert_allclose(total, look["before"], rtol=0, atol=close(expected.maps[name]) + close(x))


def contribution(model, layer, x, part):
    """What one channel adds, by PyTorch."""
    one = torch.from_numpy(x[part["channel"]].copy())[None, None]
    kernel = torch.tensor(part["kernel"])
    if layer["kind"] == "up":
        return F.conv_transpose2d(one, kernel.reshape(1, 1, 2, 2), stride=2)[0, 0].numpy()
    side = 3 if layer["kind"] == "conv" else 1
    padding = model.config["padding"] if side == 3 else "valid"
    return F.conv2d(one, kernel.reshape(1, 1, side, side), padding=padding)[0, 0].numpy()


def test_the_products_behind_a_pixel_add_up_to_it(cases, answers):
    for model, maps, layer, (name, channel, row, column), look, _ in looks(cases, answers, "conv", "up", "head"):
        x, found = maps[layer["from"][0]], look["product"]
        rim = 1 if layer["kind"] == "conv" and model.config["padding"] == "same" else 0
        padded, side = np.pad(x, [(0, 0), (rim, rim), (rim, rim)]), {"conv": 3}.get(layer["kind"], 1)
        for c, (term, part) in enumerate(zip(found["terms"], look["parts"], strict=True)):
            top, left = term["row"] + rim, term["column"] + rim
            assert (term["from"], term["channel"]) == (layer["from"][0], c)
            assert term["window"] == padded[c, top : top + side, left : left + side].ravel().tolist()
            assert set(term["kernel"]) <= set(part["kernel"])
            assert term["product"] == pytest.approx(np.dot(term["window"], term["kernel"]), abs=1e-9)
            values = _values(part["values"], look["before"].shape)
            assert term["product"] == pytest.approx(values[row, column], abs=close(x))
        total = found["bias"] + sum(term["product"] for term in found["terms"])
        assert found["total"] == pytest.approx(total, abs=1e-9)
        assert found["value"] == maps[name][channel, row, column]
        if layer["kind"] == "conv" or not found["isMuted"]:
            assert found["total"] == pytest.approx(look["before"][row, column], abs=close(x) + close(look["before"]))


def test_behind_a_pooled_pixel_are_four_of_which_one_was_taken(cases, answers):
    for _, maps, layer, (name, channel, row, column), look, _ in looks(cases, answers, "pool"):
        found = look["product"]
        (term,) = found["terms"]
        (above,) = layer["from"]
        i, j = 2 * row, 2 * column
        window = maps[above][channel, i : i + 2, j : j + 2].ravel()
        assert term == {"from": above, "channel": channel, "row": i, "column": j, "window": window.tolist()}
        assert found["largest"] == window.argmax() and found["value"] == maps[name][channel, row, column]
        assert found["isMuted"] or found["value"] == window.max()


def test_behind_a_joined_pixel_is_what_came_across_or_up(cases, answers):
    states = set()
    for model, maps, layer, (name, channel, row, column), look, _ in looks(cases, answers, "join"):
        found, up = look["product"], layer["from"][1]
        for term in found["terms"]:
            whole = maps[term["from"]][term["channel"]]
            if term["from"] == up:
                assert (term["row"], term["column"]) == (row, column)
            else:
                states.add(term["copy"])
                shape = maps[up].shape[1:]
                cut = center_crop(torch.from_numpy(np.arange(whole.size).reshape(whole.shape)), shape)
                assert cut[row, column] == term["row"] * whole.shape[1] + term["column"]
            if term.get("copy", "kept") == "kept":
                assert term["value"] == whole[term["row"], term["column"]]
            elif term["copy"] == "zeroed":
                assert term["value"] == 0
        values, skip = [term["value"] for term in found["terms"]], found["how"]
        assert skip == model.config["skip"] and len(values) == (1 if skip == "concat" else 2)
        made = np.prod(values) if skip == "multiply" else sum(values)
        assert found["value"] == maps[name][channel, row, column] == (0 if found["isMuted"] else pytest.approx(made))
    assert states == {"kept", "zeroed", "another"}


# --- sizes, engines, refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("simd", [True, False])
def test_after_other_sizes_and_switches_the_same_comes_out(simd):
    """Also after one that no memory has room for."""
    found = in_node(
        """async (load, description, simd) => {
            const net = await load(description, { simd });
            const image = (side) => Float32Array.from({ length: side * side }, (_, n) => Math.sin(n));
            const run = (side, switches) =>
                [...net.run(image(side), { rows: side, columns: side, ...switches }).probability];
            const first = run(40);
            run(16, { copies: ["zeroed", "zeroed"], muted: new Set(["up.0:1"]) });
            run(72);
            const again = run(40), huge = 2 ** 20;
            try { net.run({ length: huge * huge }, { rows: huge, columns: huge }); } catch {
                return [first, again, run(40), net.layer("input").rows];
            }
        }""",
        described(pretrained("cells")),
        simd,
    )
    assert found[0] == found[1] == found[2] and len(set(found[0])) > 1000
    assert found[3] == 40


@pytest.mark.parametrize(
    "before", ["delete globalThis.WebAssembly;", "WebAssembly.instantiate = () => { throw Error(); };"]
)
def test_where_there_is_no_webassembly_plain_javascript_computes(before):
    ask = "async (load, description) => (await load(description)).simd"
    description = described(UNet(widths=(2, 3)))
    assert in_node(ask, description) is True
    assert in_node(ask, description, before=before) is False


def test_a_program_that_the_browser_does_not_know_is_not_used():
    """As that of SIMD in an old one."""
    ask = "async (load, description) => (await load(description)).simd"
    unknown = base64.b64encode((FOLDER / "conv3x3.wasm").read_bytes().replace(b"\xfd", b"\xfc")).decode()
    assert in_node(ask, described(UNet(widths=(2, 3))) | {"wasm": unknown}) is False


def test_the_program_is_made_of_its_text():
    assert wasmtime.wat2wasm((FOLDER / "conv3x3.wat").read_text()) == (FOLDER / "conv3x3.wasm").read_bytes()


def test_what_makes_no_sense_is_refused_in_a_sentence():
    found = in_node(
        """async (load, description) => {
            const fresh = await load(description), net = await load(description);
            const sized = (rows, columns) => ({ rows, columns });
            net.run(new Float32Array(64), sized(8, 8));
            const small = net.copies();
            return [
                () => fresh.map("head", 0),
                () => net.run(new Float32Array(60), sized(8, 8)),
                () => net.run(new Float32Array(72), sized(8, 9)),
                () => net.run(new Float32Array(0), sized(0, 0)),
                () => net.run(new Float32Array(144), { ...sized(12, 12), copies: small }),
                () => net.run(new Float32Array(64), { ...sized(8, 8), copies: ["of"] }),
                () => net.map("contracting.0.1", 0),
                () => net.product("pool.0", 3, 0, 0),
            ].map(ask => { try { return `no complaint: ${ask()}`; } catch (error) { return error.message; } });
        }""",
        described(UNet(widths=(3, 5, 6), padding="same")),
    )
    no_copy = 'copies[0]: expected "kept", "zeroed", or an entry of copies() of a picture of the same size with'
    for sentence, expected in zip(
        found,
        [
            "no picture has gone through the network yet: call run first",
            "expected an image of 1 × 8 × 8 numbers, got 60",
            "a side of 9 pixels does not fit: at pool.0 it would be 4.5; 12 fits",
            "a side of 0 pixels does not fit: at input it would be 0; 4 fits",
            f"{no_copy} 3 × 12 × 12 numbers",
            f"{no_copy} 3 × 8 × 8 numbers",
            '"contracting.0.1" is no layer of this network; there are input, contracting.0.0, contracting.0.2, ',
            "pool.0 has the channels 0 to 2, not 3",
        ],
        strict=True,
    ):
        assert sentence.startswith(expected)


@pytest.mark.parametrize(
    "model, error, sentence",
    [
        (nn.Linear(1, 1), TypeError, "model: expected a UNet, got Linear"),
        (UNet(widths=(2, 3), upsample="bilinear"), ValueError, "upsample='bilinear', which the page does not"),
        (UNet(widths=(2, 3), upsample="unpool"), ValueError, "train one with upsample='transposed'"),
        (UNet(num_classes=1, widths=(2, 3)), ValueError, "expected at least 2 classes"),
        (UNet(widths=(8, 16, 512)), ValueError, r"at most 1,000,000 parameters, .* got 2,\d+,\d+; train a"),
    ],
)
def test_what_the_page_cannot_compute_is_refused_in_a_sentence(monkeypatch, model, error, sentence):
    monkeypatch.setattr(export, "MOST_PARAMETERS", 1_000_000)
    with pytest.raises(error, match=sentence):
        described(model)


@pytest.mark.parametrize("value", [1e5, float("nan"), float("inf")])
def test_weights_that_16_bits_cannot_hold_are_refused(value):
    model = UNet(widths=(2, 3))
    with torch.no_grad():
        model.head.bias[0] = value
    with pytest.raises(ValueError, match="model: expected weights of at most 65,504 .* got (100000|nan|inf); train it"):
        described(model)


def test_a_description_says_what_else_it_was_given_and_leaves_the_network_alone():
    model = pretrained("cells").train()
    before = {name: values.clone() for name, values in model.state_dict().items()}
    description = json.loads(json.dumps(described(model, name="cells", steps=500)))
    assert (description["name"], description["steps"], description["widths"]) == ("cells", 500, [16, 32, 64])
    assert len(description["weights"]) < 320_000
    assert model.training and all(torch.equal(values, before[name]) for name, values in model.state_dict().items())
