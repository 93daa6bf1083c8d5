# `make demo` and `make test` need Python 3.11 or newer and nothing else; both make .venv on the first run.
PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv-runtime/bin
PEERS := .venv-bench/bin
SERVING := .venv-serving/bin
# One process more than cores: many tests wait for a child process or a browser.
PARALLEL := --numprocesses=$(shell $(PYTHON) -c "import os; print(os.cpu_count() + 1)") --dist=loadfile --no-loadscope-reorder
DEBIAN := chromium cmake gcc g++ libpng-dev libjpeg-dev libvulkan1 qemu-user-static strace
PIP := install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test quick check docs house schema figures test-runtime tools bench bench-inference bench-pipeline bench-training bench-bundles bench-serving accuracy accuracy-tasks everywhere mlperf-tiny mlperf-tiny-quality zoo legacy \
	sweep kills fuzz soak soak-serving arm-root devices instructions providers providers-quick gpu gpu-webgpu clean

# Train, export with int8, read a picture: the three commands of the README. Three epochs instead of five, so that it
# ends within five minutes where full MNIST is at hand, the installation included.
demo: .venv/installed
	$(BIN)/edgeconv train --epochs 3 --format table
	$(BIN)/edgeconv export --quantize --format table
	$(BIN)/edgeconv predict tests/data/seven.png --format table

test: .venv/installed
	$(BIN)/pytest $(PARALLEL) --durations=15

# What to run at each save: a minute, without TensorFlow and without the browser and the programs of bundles.
quick: .venv/installed
	$(BIN)/pytest $(PARALLEL) --quick -m "not train and not slow" --ignore=tests/bundling --ignore=tests/devices

# What tests use where it is there, and skip with the reason where it is not: formatters from npm, and, on Debian and as
# root, a browser, CMake and the picture libraries of the C bundle, QEMU for a processor without VNNI, and strace.
tools:
	npm install --ignore-scripts --no-audit --no-fund --prefix tests/bundling/linters
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && ! dpkg -s $(DEBIAN) >/dev/null 2>&1; then \
		apt-get update -q && apt-get install -q -y --no-install-recommends $(DEBIAN); fi

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The site, into build/docs; a link that leads nowhere is an error.
docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --config-file docs/tools/mkdocs.yml

# The pictures of the packages and what each is for, from the code, into docs/architecture.md.
house: .venv/installed
	PYTHONPATH=. $(BIN)/python docs/tools/draw_house.py

# The JSON Schema of `manifest.json`, from the classes that read it.
schema: .venv/installed
	$(BIN)/python docs/tools/manifest_schema.py

# The figures of the tutorial, from the reference model and the photograph of a seven, into docs/images.
figures: .venv/installed
	$(BIN)/python docs/tools/draw_figures.py

# What a device gets: the wheel alone, without tensorflow and without onnx.
test-runtime: .venv-runtime/installed
	$(RUNTIME)/python -c "import importlib.util as i; assert not any(map(i.find_spec, ['tensorflow', 'keras', 'onnx']))"
	$(RUNTIME)/pytest -m "not train and not slow" tests/contract tests/runtime tests/cli
	cd tests/data && ../../$(RUNTIME)/edgeconv predict seven.png

# Everything is timed beside its peers, in turn, and given as ratios; a quiet machine is needed.
bench: bench-inference bench-pipeline

# Inference beside LiteRT, OpenVINO, Keras and plain ONNX Runtime. One network: make bench-inference ONLY=mnist
bench-inference: .venv-bench/installed
	$(PEERS)/python -m tests.benchmarks.inference $(if $(ONLY),--only $(ONLY))

# The start of the command line, a folder of pictures, and a whole export.
bench-pipeline: .venv/installed
	$(BIN)/python tests/benchmarks/bench_cold_start.py
	$(BIN)/python tests/benchmarks/bench_folder.py
	$(BIN)/python tests/benchmarks/bench_export.py

# The server beside LitServe and bare uvicorn, on one model: requests a second of 32 connections.
bench-serving: .venv-serving/installed
	$(SERVING)/python -m tests.benchmarks.serving

# The book's convnet by this project's recipe and by the book's own, on full MNIST; takes half an hour.
bench-training: .venv/installed
	$(BIN)/python tests/benchmarks/bench_training.py --data-dir $(EDGECONV_DATA)

# What int8 costs in accuracy on MNIST, Fashion-MNIST and a network with depthwise convolutions, which are trained first.
accuracy: .venv-bench/installed accuracy-tasks
	$(PEERS)/python -m tests.benchmarks.accuracy $(if $(ONLY),--only $(ONLY))

# The same of a small network for each task, which are trained first, in build/accuracy; needs EDGECONV_DATA and, for two
# of them, Fashion-MNIST. One: make accuracy-tasks TASKS=unet. Only the times: make accuracy-tasks TIME_ONLY=1.
accuracy-tasks: .venv/installed
	$(BIN)/python -m tests.benchmarks.tasks $(if $(TASKS),--only $(TASKS)) $(if $(TIME_ONLY),--time-only)

# Whether those networks answer alike in the bundles of four languages and on three emulated devices: needs what
# `make accuracy-tasks` made, node, npm, Chromium, CMake and ONNXRUNTIME_INCLUDE_DIR, ONNX Runtime's C headers.
everywhere: arm-root
	$(BIN)/python -m tests.benchmarks.tasks.everywhere $(if $(TASKS),--only $(TASKS))

# MLPerf Tiny's reference models to int8, beside their authors' int8 and LiteRT: make mlperf-tiny EDGECONV_DATA=...
# With the benchmark's own data at hand, its quality targets: make mlperf-tiny-quality EDGECONV_DATA=...
mlperf-tiny: .venv-bench/installed
	EDGECONV_DATA=$(EDGECONV_DATA) $(PEERS)/python -m tests.benchmarks.mlperf_tiny $(if $(ONLY),--only $(ONLY))
	$(PEERS)/python -m tests.benchmarks.mlperf_tiny --table
mlperf-tiny-quality: .venv-bench/installed
	EDGECONV_DATA=$(EDGECONV_DATA) $(PEERS)/python -m tests.benchmarks.mlperf_tiny --quality $(if $(ONLY),--only $(ONLY))

# Every model of keras.applications by edgeconv, tf2onnx and Keras; hours. Goes on where it was stopped.
zoo: .venv/installed
	$(BIN)/python -m tests.zoo
	$(BIN)/python -m tests.zoo --table

# Every layer and every model of keras.applications, written by Keras 2 in its three formats and exported; hours.
# Goes on where it was stopped.
legacy: .venv/installed
	$(BIN)/python -m tests.legacy

# Cold starts of built bundles: make bench-bundles BUNDLES="app-python app-web".
bench-bundles: .venv/installed
	$(BIN)/python tests/benchmarks/bench_bundles.py $(BUNDLES)

# The ARM system that `edgeconv evaluate --emulate pi4` runs; needs qemu-user-static, apt, pip and a network, once.
arm-root: .venv/installed
	tests/devices/make_root.sh $(BIN)/python

# Instructions a call of models on emulated ARM processors; needs Debian's qemu-user: make instructions MODELS="a.onnx".
instructions: arm-root
	$(BIN)/python -m tests.benchmarks.instructions $(MODELS)

# int8 on emulated processors: Raspberry Pi 4 and 5, an x86 without VNNI. Needs EDGECONV_DATA.
# Others: make devices ARTIFACTS="exported/a exported/b".
devices: arm-root
	$(BIN)/python -m tests.devices $(ARTIFACTS)

# The shipped model on execution providers that run without their hardware: WebGPU on SwiftShader, Qualcomm's NPU emulated,
# OpenVINO on the CPU, and broken ones. Makes .venv-providers-*, 2 GB; on 16 golden vectors, or IMAGES=1000 of MNIST.
providers: .venv/installed
	$(BIN)/python -m tests.providers --keep $(if $(IMAGES),--images $(IMAGES)) $(if $(ONLY),--only $(ONLY))

# The one of them that takes under a minute.
providers-quick: .venv/installed
	$(BIN)/python -m tests.providers --only webgpu

# A model trained, exported, held and timed on a real NVIDIA card, with CUDA and, where it is installed, TensorRT. Downloads
# 3 GB; where there is no card it says so before that model is made.
gpu: .venv/installed
	$(BIN)/python -m tests.gpu cuda tensorrt

# The shipped model on any card with a Vulkan driver or Direct3D 12, by WebGPU; 35 MB of packages.
gpu-webgpu: .venv/installed
	$(BIN)/python -m tests.gpu webgpu

# Every command that writes, killed at each of its writes, with a reader alive; then 100,000 openings beside writes.
# Two hundred kills, half an hour; what takes seconds of it is in `make test`. Less: make kills EACH=4 OPENS=1000.
kills: .venv/installed
	$(BIN)/python -m tests.kills $(if $(EACH),--each $(EACH)) $(if $(OPENS),--opens $(OPENS))

# Damaged files for whatever reads one, and requests for the server, for so many minutes each: make fuzz MINUTES=10, or one
# kind: ONLY=pictures. What is
# found lies in build/fuzz; made small, it belongs into tests/data/fuzz, which `make test` reads with all the others.
fuzz: .venv/installed
	$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),1) $(if $(ONLY),--only $(ONLY))

# A million predictions by eight threads that share a model, with bad files among them: are the answers right, and does
# memory stay? Minutes; twenty thousand of them are in `make test`.
soak: .venv/installed
	$(BIN)/python -m tests.soak

# Ten minutes of requests to a server, 300,000 at least, bad ones among them: is each answer right, and does memory stay?
# Shorter: make soak-serving SOAK="--seconds 60 --requests 20000".
soak-serving: .venv/installed
	$(BIN)/python -m tests.soak.serving $(SOAK)

# Tests that take minutes, on full MNIST.
sweep: .venv/installed
	$(BIN)/pytest -m slow

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip $(PIP) --editable '.[train,sign,serve,docs,dev]'
	touch $@

.venv-bench/installed: pyproject.toml constraints.txt tests/benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	$(PEERS)/python -m pip $(PIP) --editable '.[train]' --requirement tests/benchmarks/requirements.txt
	touch $@

.venv-serving/installed: pyproject.toml constraints.txt tests/benchmarks/serving/requirements.txt
	$(PYTHON) -m venv .venv-serving
	$(SERVING)/python -m pip $(PIP) --editable '.[serve]' --requirement tests/benchmarks/serving/requirements.txt
	touch $@

# Installed anew on each run, since a wheel does not follow the sources.
.PHONY: .venv-runtime/installed
.venv-runtime/installed: constraints.txt
	$(PYTHON) -m venv --clear .venv-runtime
	$(RUNTIME)/python -m pip $(PIP) . pytest

clean:
	rm -rf .venv .venv-bench .venv-serving .venv-runtime .venv-providers-* build dist *.egg-info
