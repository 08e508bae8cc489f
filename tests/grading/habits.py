"""What honest people write, beside their functions and in them: nobody should have to look at it."""

from __future__ import annotations

import base64

LOOPS = """
def conv2d_naive(x, k):
    H, W = x.shape
    kH, kW = k.shape
    y = np.zeros((H - kH + 1, W - kW + 1))
    for i in range(H - kH + 1):
        for j in range(W - kW + 1):
            y[i, j] = (x[i : i + kH, j : j + kW] * k).sum()
    return y
"""
PICTURE = base64.b64encode(bytes(range(256)) * 440).decode()  # 150 kB
LINES = "\n".join(PICTURE[n : n + 76] for n in range(0, len(PICTURE), 76))

# cells beside the function
BESIDE = {
    "a picture": f"from IPython.display import HTML\nHTML('<img src=\"data:image/png;base64,{PICTURE}\">')",
    "a picture in lines": f'data = """\n{LINES}\n"""\nimport base64\nraw = base64.b64decode(data)',
    "a picture beside a magic": f"%matplotlib inline\npicture = '{PICTURE}'",
    "a picture in bytes": f"raw = {bytes(range(256)) * 120!r}",
    "a picture in HTML": f"%%html\n<img src='data:image/png;base64,{PICTURE}'>",
    "a table of numbers": f"table = {[n / 7 for n in range(6000)]}",
    "stars": "from math import *\nfrom numpy import *",
    "a log": "import logging\nlogging.basicConfig(filename='log.txt')\nlogging.info('hello')",
    "a log file": "with open('log.txt', 'w') as file:\n    print('hello', file=file)",
    "own data": "np.save('x.npy', np.eye(3))\nprint(np.load('x.npy'))",
    "paths": "from pathlib import Path\nPath('out').mkdir(exist_ok=True)\nprint(Path('log.txt').read_text())",
    "installing": "!pip install -q scikit-image\n%pip install tqdm\n!nvidia-smi",
    "installing without a sign": "pip install tqdm",
    "a listing without a sign": "ls -la",
    "a program": "import subprocess\nprint(subprocess.run(['nvidia-smi'], capture_output=True))",
    "timing": "%timeit -n1 -r1 conv2d_naive(np.eye(3), np.eye(2))\n%time y = conv2d_naive(np.eye(3), np.eye(2))",
    "a timed cell": "%%timeit -n1 -r1\nconv2d_naive(np.eye(3), np.eye(2))",
    "bash": "%%bash\nls -la\npython -c 'print(1)'",
    "javascript": "%%javascript\nalert('hello')",
    "reloading": "%load_ext autoreload\n%autoreload 2",
    "help": "np.pad?\n?np.convolve\nhelp(np.pad)\n%pinfo np.pad",
    "history": "%history -n 1-5\n%who\n%env OMP_NUM_THREADS=1",
    "a source": "import inspect\nprint(inspect.getsource(conv2d_naive))\nprint(inspect.signature(conv2d_naive))",
    "a source of a library": "import inspect, scipy.signal\nprint(inspect.getsource(scipy.signal.correlate2d))",
    "modules": "import sys\nprint('torch' in sys.modules, len(sys.modules))\nprint(sys.modules.keys())\nIN_COLAB = 'google.colab' in sys.modules",
    "typed": "n = eval(input('n? '))\nm = int(input())",
    "a unit test": "import unittest\nclass TestIt(unittest.TestCase):\n    def test_it(self):\n"
    "        self.assertEqual(conv2d_naive(np.eye(3), np.eye(2)).shape, (2, 2))\n"
    "unittest.main(argv=[''], exit=False)",
    "a doctest": "import doctest\ndoctest.testmod(verbose=True)",
    "main": "if __name__ == '__main__':\n    print(conv2d_naive(np.eye(3), np.eye(2)))",
    "globals": "print(sorted(globals())[:5], len(locals()))\nprint({n: type(v) for n, v in list(globals().items())[:3]})",
    "a pool of threads": "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as pool:\n    print(list(pool.map(np.sum, [np.eye(3)])))",
    "a widget": "from ipywidgets import interact\ninteract(lambda n: n, n=(1, 5))",
    "pickled": "import pickle\nwith open('x.pkl', 'wb') as file:\n    pickle.dump(np.eye(3), file)\nprint(pickle.load(open('x.pkl', 'rb')))",
    "a profile": "import cProfile\ncProfile.run('conv2d_naive(np.eye(9), np.eye(2))')",
    "a prompt": ">>> conv2d_naive(np.eye(3), np.eye(2))\narray([[2., 0.],\n       [0., 2.]])",
    "prose": "This is my answer: I used two loops, is that all right?",
    "a slip": "x = = 3",
    "a comparison": "import torch, scipy.signal\nx, k = np.eye(5), np.eye(2)\nassert np.allclose(conv2d_naive(x, k), scipy.signal.correlate2d(x, k, 'valid'))\n"
    "f = getattr(torch.nn.functional, 'conv' + '2d')",
}
COMPARED = (
    "import scipy.signal\nx, k = np.ones((5, 6)), np.ones((2, 2))\n"
    "assert np.allclose(conv2d_naive(x, k), scipy.signal.correlate2d(x, k, 'valid'))"
)
TIMED = """import functools, scipy.signal, time
TIMES = {}
def timed(f):
    @functools.wraps(f)
    def g(*args):
        start = time.perf_counter()
        y = f(*args)
        TIMES.setdefault(f.__name__, []).append(time.perf_counter() - start)
        return y
    return g

@timed"""
# in the function, or around it
INSIDE = {
    "loops": LOOPS,
    "a log file": LOOPS.replace("    H, W", "    with open('log.txt', 'a') as log:\n        print(x.shape, file=log)\n    H, W"),
    "logging": "import logging\nlogger = logging.getLogger(__name__)\n" + LOOPS.replace("    H, W", "    logger.info('called')\n    H, W"),
    "a pool": "from concurrent.futures import ThreadPoolExecutor\n\ndef conv2d_naive(x, k):\n    h, w = k.shape\n"
    "    row = lambda i: [(x[i : i + h, j : j + w] * k).sum() for j in range(x.shape[1] - w + 1)]\n"
    "    with ThreadPoolExecutor(2) as pool:\n        return np.array(list(pool.map(row, range(x.shape[0] - h + 1))))",
    "an own thread": "import threading\n\ndef conv2d_naive(x, k):\n    h, w = k.shape\n    y = {}\n    def work():\n"
    "        for i in range(x.shape[0] - h + 1):\n            y[i] = [(x[i : i + h, j : j + w] * k).sum() for j in range(x.shape[1] - w + 1)]\n"
    "    t = threading.Thread(target=work)\n    t.start()\n    t.join()\n    return np.array([y[i] for i in sorted(y)])",
    "a bar": "from tqdm.auto import tqdm\n" + LOOPS.replace("i in range", "i in tqdm(range").replace("kH + 1):\n        for j", "kH + 1)):\n        for j"),
    "star of math": "from math import *\n" + LOOPS.replace("np.zeros((H", "np.zeros((floor(H)").replace("- kH + 1, W", "- kH + 1, W"),
    "star of numpy": "from numpy import *\nimport numpy as np\n" + LOOPS.replace("np.zeros", "zeros"),
    "remembered": "import functools\n@functools.lru_cache(maxsize=None)\ndef size(n, m): return n - m + 1\n" + LOOPS.replace("(H - kH + 1, W - kW + 1)", "(size(H, kH), size(W, kW))"),
    "a dataclass": "from dataclasses import dataclass, field\n@dataclass\nclass Size:\n    h: int = 0\n    seen: list = field(default_factory=list)\n" + LOOPS.replace("    H, W", "    Size(h=x.shape[0])\n    H, W"),
    "caught words": "import io, contextlib\n" + LOOPS.replace("    H, W", "    with contextlib.redirect_stdout(io.StringIO()):\n        print('hello')\n    H, W"),
    "a clock": "import timeit, time\n" + LOOPS.replace("    H, W", "    start = timeit.default_timer(), time.time()\n    H, W"),
    "vectorised": "def conv2d_naive(x, k):\n    h, w = k.shape\n    at = np.vectorize(lambda i, j: (x[i : i + h, j : j + w] * k).sum())\n"
    "    return at(*np.indices((x.shape[0] - h + 1, x.shape[1] - w + 1)))",
    "a decorator": "import functools\ndef logged(f):\n    @functools.wraps(f)\n    def g(*args):\n        return f(*args)\n    return g\n\n@logged" + LOOPS,
    "mapped": "from functools import reduce\nimport operator\n\ndef conv2d_naive(x, k):\n    h, w = k.shape\n"
    "    one = lambda i, j: reduce(operator.add, (x[i : i + h, j : j + w] * k).ravel())\n"
    "    return np.array([[one(i, j) for j in range(x.shape[1] - w + 1)] for i in range(x.shape[0] - h + 1)])",
    "getattr of its own": "class Tools:\n    def total(self, a): return a.sum()\n" + LOOPS.replace("(x[i : i + kH, j : j + kW] * k).sum()", "getattr(Tools(), 'tot' + 'al')(x[i : i + kH, j : j + kW] * k)"),
    "getattr of an array": LOOPS.replace(".sum()", ".__getattribute__('sum')()").replace(".__getattribute__('sum')()", ".sum()"),
    "counted calls": "import torch\ncalls = []\n" + LOOPS.replace("    H, W", "    calls.append(x.shape)\n    H, W")
    + "\nprint(len(calls))\n" + COMPARED,
    "timed by a decorator": TIMED + LOOPS + "\n@timed\ndef theirs(x, k): return scipy.signal.correlate2d(x, k, 'valid')\n"
    "theirs(np.eye(5), np.eye(2))\nprint({name: sum(times) for name, times in TIMES.items()})",
    "one of several methods": "import scipy.signal\nMETHODS = {}\ndef method(f):\n    METHODS[f.__name__] = f\n    return f\n\n@method" + LOOPS
    + "\n@method\ndef theirs(x, k): return scipy.signal.correlate2d(x, k, 'valid')\n"
    "for name, f in METHODS.items(): print(name, f(np.eye(5), np.eye(2)))",
    "a generator of random numbers": "import scipy.signal\nrng = np.random.default_rng(0)\n" + LOOPS.replace("    H, W", "    rng.random()\n    H, W")
    + "\nx, k = rng.random((5, 6)), rng.random((2, 2))\nassert np.allclose(conv2d_naive(x, k), scipy.signal.correlate2d(x, k, 'valid'))",
    "a device": "import torch\ndevice = torch.device('cpu')\n" + LOOPS.replace("    H, W", "    torch.zeros(1, device=device)\n    H, W")
    + "\ntorch.conv2d(torch.ones(1, 1, 5, 5, device=device), torch.ones(1, 1, 2, 2, device=device))",
    "names of Python as keywords": LOOPS + "\nimport scipy.signal\n"
    "print(dict(range=scipy.signal.correlate2d(np.eye(3), np.eye(2)), sum=1, zip=2))",
    "a log by its path": "from pathlib import Path\n" + LOOPS.replace("    H, W", "    with Path('log.txt').open('a') as log:\n        print(x.shape, file=log)\n    H, W"),
    "a helper in a line": "import scipy.signal\nempty = lambda x, k: np.zeros((x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1))\n"
    + LOOPS.replace("np.zeros((H - kH + 1, W - kW + 1))", "empty(x, k)")
    + "\nassert scipy.signal.correlate2d(np.eye(4), np.eye(2), 'valid').shape == empty(np.eye(4), np.eye(2)).shape",
}  # fmt: skip
