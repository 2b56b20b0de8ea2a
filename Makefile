# One file, GNU make 3.81 and bash 3.2 suffice (what macOS ships). `make help` lists the targets.
# PYTHON picks the interpreter of the environment (else the one that it has, or python3); MODEL and QUANT say what `make convert` makes.
PYTHON ?=
QUANT  ?= q4_k_m
MODEL  ?=
ARGS   ?=

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TRAIN  := .venv-train
POCKET := models/pocket-$(QUANT).gguf

.PHONY: help run setup test lint convert docs bench llama-server pocket pocket-data pocket-eval clean
.DEFAULT_GOAL := help

help:
	@echo 'make run          set up if needed, then start the server (ARGS="--port 9000" passes options on)'
	@echo 'make test         set up if needed, then run all tests'
	@echo 'make convert      MiniCPM-duplex (models/minicpm-duplex/ if there, else the hub) to GGUF; MODEL=dir|hub id|pocket QUANT=q4_k_m'
	@echo 'make setup        the environment in .venv and the converted pocket model'
	@echo 'make lint         ruff and mypy'
	@echo 'make docs         write docs/commands.md anew: what --help says of every command'
	@echo 'make bench        measure everything beside bare llama.cpp (ARGS=--quick: a smoke run); writes benchmarks/RESULTS.md'
	@echo 'make llama-server build llama.cpp'\''s own server for make bench to compare with (ten minutes, once)'
	@echo 'make pocket       train the pocket model anew (PyTorch, two to three hours on two cores)'
	@echo 'make pocket-data  write its scenario set and transcripts anew'
	@echo 'make pocket-eval  measure its behaviour on held-out dialogues'
	@echo 'make clean        remove the environment and the converted pocket model'

run: setup
	@exec $(BIN)/edge-server run $(ARGS)

setup: $(STAMP) $(POCKET)

$(STAMP): pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" sh scripts/setup.sh $(VENV)
	@touch $@

$(POCKET): models/pocket/model.safetensors models/pocket/config.json | $(STAMP)
	@$(BIN)/edge-convert pocket --quant $(QUANT) --out $@ --force

test: setup
	@sh scripts/test-programs.sh
	$(BIN)/python -m pytest $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

convert: $(STAMP)
	@model="$(MODEL)"; \
	if [ -z "$$model" ]; then \
	  if [ -d models/minicpm-duplex ]; then model=models/minicpm-duplex; else model=xinrongzhang2022/MiniCPM-duplex; fi; \
	fi; \
	exec $(BIN)/edge-convert "$$model" --quant $(QUANT) $(ARGS)

docs: $(STAMP)
	$(BIN)/python scripts/commands.py

bench: setup
	@exec $(BIN)/python -m benchmarks $(ARGS)

llama-server: $(STAMP)
	@PYTHON="$(BIN)/python" sh benchmarks/llama-server.sh build/llama-server

$(TRAIN)/.installed: pyproject.toml
	@$(or $(PYTHON),python3) -m venv $(TRAIN)
	@$(TRAIN)/bin/python -m pip install --quiet --upgrade pip
	@$(TRAIN)/bin/python -m pip install 'torch>=2.9' numpy sentencepiece safetensors
	@touch $@

pocket: $(TRAIN)/.installed
	$(TRAIN)/bin/python models/pocket/train.py $(ARGS)

pocket-data: $(STAMP)
	$(BIN)/python models/pocket/make_scenarios.py

pocket-eval: setup
	$(BIN)/python models/pocket/evaluate.py $(ARGS)

clean:
	rm -rf $(VENV) $(TRAIN) models/pocket-*.gguf
