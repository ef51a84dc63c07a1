# Every target's last line is its verdict, and its exit code agrees.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
PY := .venv/bin/python
SEED ?= 1
SEEDS ?= 1000
KILLS ?= 1000
LAYOUT_KILLS ?= 200
HISTORIES ?= 10000

.PHONY: help setup setup-cometbft setup-s3 run run-data run-network \
	check test tests client examples tutorials \
	simulate data-histories storm crash crash-layout jepsen jepsen-quick bench bench-network \
	golden recording reference wheel \
	lock clean

help: ## show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' Makefile

setup: ## make .venv with everything from the lock; quick when nothing changed
	@sh tools/setup.sh

setup-cometbft: setup ## build the one CometBFT that networks use into .tools/; quick when there
	@$(PY) -m tools.cometbft signer

setup-s3: setup ## build the one server of S3 that tests ask into .tools/; quick when there
	@$(PY) -m tools.versitygw

run: setup ## a node, real purchases over HTTP, every total proven; ARGS=--all; ONCE=1 ends
	@.venv/bin/tongbao demo purchases $(if $(filter-out 0,$(ONCE)),--once) $(ARGS)

run-data: setup ## people sell what shops attest, every cent is counted; ARGS=--all; ONCE=1 ends
	@.venv/bin/tongbao demo data $(if $(filter-out 0,$(ONCE)),--once) $(ARGS)

run-network: setup-cometbft ## the purchases through four validators, some killed; ONCE=1 ends
	@.venv/bin/tongbao demo network $(if $(filter-out 0,$(ONCE)),--once) $(ARGS)

check: setup ## format, lint, types, imports, house rules, reference, spelling
	@$(PY) -m tools.check

tests: setup ## the tests alone; ARGS='-k proof' for some of them
	@$(PY) -m pytest $(ARGS)

test: check ## everything that must pass: checks, tests, client, examples, tutorials, simulators
	@$(PY) -m pytest
	@$(MAKE) client
	@$(MAKE) examples
	@$(MAKE) tutorials
	@$(MAKE) simulate
	@$(MAKE) data-histories HISTORIES=120
	@$(MAKE) storm SEEDS=300
	@$(MAKE) jepsen-quick
	@echo "test: passed (checks, tests, client, examples, tutorials, simulators)"

client: setup ## build and test the TypeScript client (needs Node.js 20 or newer)
	@$(PY) -m tools.client

examples: setup ## run every program of examples/
	@$(PY) examples/run_all.py

tutorials: setup ## do every tutorial of docs/tutorials/ word for word
	@$(PY) -m tools.tutorials $(ARGS)

simulate: setup ## play one random history with invariants after every block; SEED=1
	@$(PY) -m tongbao.simulation --seed $(SEED)

data-histories: setup ## histories of the market for data; counts what was reached; HISTORIES=10000
	@$(PY) -m tongbao.simulation.market --seed $(SEED) --histories $(HISTORIES)

storm: setup ## the store on disks that fail, seed after seed; SEEDS=10000 is the long lane
	@$(PY) -m tongbao.simulation.storage --seeds $(SEEDS)

crash: setup ## kill a real node under load, a report into build/crash/; KILLS=1000 SEED=1
	@$(PY) -m tongbao.simulation.crash --seed $(SEED) --kills $(KILLS)

crash-layout: setup ## kill single processes of a node that has several; LAYOUT_KILLS=200 SEED=1
	@$(PY) -m tongbao.simulation.crash --layout --seed $(SEED) --kills $(LAYOUT_KILLS)

jepsen: setup-cometbft ## networks of real nodes under every fault, into build/jepsen/; SEEDS=3
	@$(PY) -m tools.skewed_cometbft
	@$(PY) -m tongbao.simulation.network --seeds $(if $(filter file,$(origin SEEDS)),3,$(SEEDS))

jepsen-quick: setup-cometbft ## the quick lane of it
	@$(PY) -m tongbao.simulation.network --quick --seed $(SEED)

.PHONY: bench-long bench-data bench-peers profile performance-page

bench: setup ## a node under load beside libsodium, into build/bench.json; ARGS='--compare FILE'
	@$(PY) -m bench $(ARGS)

bench-long: setup ## what takes long: a million accounts, a million in a row, every basket, starts
	@$(PY) -m bench.long $(ARGS)
	@$(PY) -m bench.recovery
	@$(PY) -m bench.snapshots

bench-peers: setup-cometbft ## PostgreSQL, CometBFT's kvstore and immudb beside ours, in turns
	@$(PY) -m tools.cometbft kvstore
	@$(PY) -m bench.peers --build $(ARGS)

performance-page: setup ## write the tables of docs/performance.md out of build/bench*.json
	@$(PY) -m bench.page

profile: setup ## where the CPU time of a payment goes, by process and stage: build/profile.txt
	@$(PY) -m bench.profile $(ARGS)

bench-data: setup ## grants of data end to end; packages built and judged; ARGS='--households 10'
	@$(PY) -m bench.data $(ARGS)

bench-network: setup-cometbft ## networks of 1 and 4 validators beside CometBFT's own kvstore
	@$(PY) -m tools.cometbft kvstore
	@$(PY) -m bench.network $(ARGS)

golden: setup ## rewrite the frozen encodings: read docs/maintain.md first
	@TONGBAO_GOLDEN=rewrite $(PY) -m pytest
	@git status --short tests/golden
	@echo "golden: rewritten; every file above is a changed encoding, to be explained in review"

recording: setup ## record this version's chain, once a release: read docs/maintain.md first
	@$(PY) -m tests.recording

reference: setup ## write docs/reference/ and the tables of READMEs out of the code
	@$(PY) -m tools.reference

wheel: setup ## build wheel and sdist, and try the wheel in a fresh environment
	@$(PY) -m tools.check_wheel

lock: setup ## choose newer dependencies and lock them with hashes, in requirements/
	@$(PY) -m tools.lock

clean: ## remove what was built; .venv stays
	@rm -rf build dist clients/typescript/dist
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@echo "clean: done"
