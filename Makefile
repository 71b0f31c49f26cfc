# What there is to do with this tree. `make` alone lists it.
#
# Everything is built once, in the dev profile, into one target folder: `make run` and `make test` share it.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run demo install test test-long fuzz lint accuracy bench ha soak liveness package test-packages dashboard dashboard-dev

TARGET := $(or $(CARGO_TARGET_DIR),target)
DASHBOARD := cloud-api/dashboard
MODULES := $(DASHBOARD)/node_modules/.package-lock.json
BUILT := $(DASHBOARD)/dist/index.html
# A Node.js that is new enough comes first; without one nothing runs.
NPM = cd $(DASHBOARD) && node=$$($(CURDIR)/packaging/node.sh) && PATH="$$node:$$PATH" npm

help: ## List what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The dashboard and what cargo builds, beside each other. make's jobs are not cargo's. Where the dashboard ended last, cargo
# looks once more.
define BUILD
	@$(MAKE) --no-print-directory --jobs=2 $(BUILT) .$(1)
	@$(MAKE) --no-print-directory .$(1)
endef
.PHONY: .programs .tests
.programs: ; @env -u MAKEFLAGS -u MFLAGS cargo build --locked --workspace --bins
.tests: ; @env -u MAKEFLAGS -u MFLAGS cargo nextest run --locked --workspace --no-run

run: ## Show it: a server, the daemon and a running count, in a throw-away profile
	@packaging/bootstrap.sh run
	$(call BUILD,programs)
	@$(TARGET)/debug/blinkd models --fetch >/dev/null
	@packaging/demo.sh

demo: ## Show it with made-up people and weeks of history, in which nothing is stored (DEMO_MODE)
	@packaging/bootstrap.sh run
	$(call BUILD,programs)
	@$(TARGET)/debug/blinkd models --fetch >/dev/null
	@mkdir -p demos
	@$(TARGET)/debug/blinkd synthesize demos/demo.mp4 --seconds 5 --bpm 40 --sway 8
	@printf "Open the address below and choose who to be. Ctrl-C ends it.\n"
	@CLOUD_API_LOG=warn DEMO_MODE=true $(TARGET)/debug/cloud-api serve

install: ## Build blinkd and blinkctl and install them for yourself, where cargo puts programs
	@packaging/bootstrap.sh install
	cargo install --locked --target-dir $(TARGET) --path blinkd
	cargo install --locked --target-dir $(TARGET) --path blinkctl
	@$(TARGET)/release/blinkd models --fetch >/dev/null

dashboard: $(BUILT) ## Build the web dashboard
	$(NPM) run sizes

dashboard-dev: $(MODULES) ## The dashboard with hot reload, against a running server (CLOUD_API=http://127.0.0.1:8080)
	$(NPM) run dev

$(MODULES): $(DASHBOARD)/package-lock.json
	$(NPM) ci --no-audit --no-fund
	@touch $@

# What the build itself writes into src is newer only until dist is.
$(BUILT): $(MODULES) $(shell find $(DASHBOARD)/{src,public,scripts} $(DASHBOARD)/{index.html,*.ts} cloud-api/src/openapi/snapshots \
		-type f ! -name '*.gen.ts' ! -path '*/app/fonts/*')
	$(NPM) run build
	@# cargo knows no files that were not there when it built last.
	@touch cloud-api/src/routes/dashboard.rs

# Some tests wait, for a job or for the end of a minute, so one more than there are processors may run.
test: export NEXTEST_TEST_THREADS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
test: ## Every kind of test, with small numbers
	@packaging/bootstrap.sh test
	$(call BUILD,tests)
	@$(TARGET)/debug/blinkd models --fetch >/dev/null
	cargo nextest run --locked --workspace
	cargo test --locked --workspace --doc --quiet
	$(NPM) test
	$(NPM) run sizes
	$(NPM) run e2e

test-long: export WAW_TEST_LONG := 1
test-long: ## The same tests with the numbers that documents quote
	@packaging/bootstrap.sh test
	@$(MAKE) --no-print-directory $(BUILT)
	PROPTEST_CASES=20000 cargo nextest run --locked --workspace --profile long
	$(NPM) run e2e

# The same tests run with a thousand random inputs in `make test`.
fuzz: ## Fuzz what reads bytes of others with libFuzzer, FUZZ_SECONDS each (60)
	@packaging/bootstrap.sh fuzz
	@packaging/fuzz.sh

lint: ## Format, clippy, documentation, licences, the dashboard's types and lint
	@packaging/bootstrap.sh lint
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
	cargo deny --locked check bans licenses sources
	@$(MAKE) --no-print-directory $(MODULES)
	$(NPM) run check

# Folders of the machine that builds do not belong in programs.
REMAP = --remap-path-prefix=$(CURDIR)=/wellness --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo
package: ## Packages for Debian and RPM systems, checksums and the list of components, in dist/
	@packaging/bootstrap.sh package
	@$(MAKE) --no-print-directory $(BUILT)
	RUSTFLAGS="$${RUSTFLAGS:-} $(REMAP)" cargo build --locked --profile dist --workspace --bins
	@packaging/package.sh

test-packages: ## Install, upgrade and remove what is in dist/ in a fresh Debian (root; debootstrap)
	packaging/test-packages.sh

accuracy: ## Accuracy on annotated footage (WAW_TEST_DATA): by condition, and with each person left out
	@packaging/bootstrap.sh test
	WAW_TEST_LONG=1 cargo nextest run --locked --workspace --profile long --no-capture -E 'package(blink-vision) and test(accuracy::)'

liveness: ## The tables of docs/liveness.md and the faces' of docs/fairness.md (WAW_TEST_DATA)
	@packaging/bootstrap.sh test
	@$(TARGET)/debug/blinkd models --fetch >/dev/null
	cargo run --locked --package face-worker --example liveness -- recognise genuine attacks photographs

bench: ## What counting costs a frame, beside decoding alone and, with PEER_PYTHON, beside a peer; the server's speed
	@packaging/bootstrap.sh bench
	cargo build --locked --release --workspace --bins
	tests/bench/cost.py $(TARGET)/release/blinkd
	cargo bench --locked --package blink-vision --features native
	@WAW_TEST_LONG=1 cargo test --quiet --locked --release --package cloud-api --test it speed:: -- --nocapture --test-threads=1
	@WAW_TEST_LONG=1 cargo test --quiet --locked --release --package waw-tests --test it attendance::speed -- --nocapture

ha: ## Patroni, etcd, HAProxy, PgBouncer and two replicas on loopback, while hosts die under load (about 12 minutes)
	@packaging/bootstrap.sh ha
	cargo build --locked --workspace --bin cloud-api
	tests/ha/run.py $(TARGET)/debug/cloud-api

soak: ## Two daemons, server, desk and PostgreSQL for half an hour in which things go wrong (SOAK_MINUTES=30, SOAK_SEED)
	@packaging/bootstrap.sh soak
	cargo build --locked --workspace --bins
	@$(TARGET)/debug/blinkd models --fetch >/dev/null
	tests/soak/run.py $(TARGET)/debug
