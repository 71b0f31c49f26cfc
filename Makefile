# What there is to do with this tree. `make` alone lists it.
#
# Everything is built once, in the dev profile, into one target folder: `make run` and `make test` share it.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test test-long lint accuracy bench liveness dashboard dashboard-dev

TARGET := $(or $(CARGO_TARGET_DIR),target)

help: ## List what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Show it: a server, the daemon and a running count, in a throw-away profile
	@packaging/bootstrap.sh run
	@cargo build --locked --workspace --bins
	@$(TARGET)/debug/blinkd models --fetch >/dev/null
	@packaging/demo.sh

dashboard: ## Build the web dashboard (Node 20.19 or newer)
	cd cloud-api/dashboard && npm ci --no-audit --no-fund && npm run build
	@# cargo knows no files that were not there when it built last.
	@touch cloud-api/src/routes/dashboard.rs

dashboard-dev: ## The dashboard with hot reload, against a running server (CLOUD_API=http://127.0.0.1:8080)
	cd cloud-api/dashboard && { [ -d node_modules ] || npm ci --no-audit --no-fund; } && npm run dev

test: ## Every kind of test, with small numbers
	@packaging/bootstrap.sh test
	@cargo nextest run --locked --workspace --no-run
	@$(TARGET)/debug/blinkd models --fetch >/dev/null
	cargo nextest run --locked --workspace
	cargo test --locked --workspace --doc --quiet

test-long: ## The same tests with the numbers that documents quote
	@packaging/bootstrap.sh test
	WAW_TEST_LONG=1 PROPTEST_CASES=20000 cargo nextest run --locked --workspace --profile long

lint: ## Format, clippy, documentation, licences, the dashboard's types and lint
	@packaging/bootstrap.sh lint
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
	cargo deny --locked check bans licenses sources
	cd cloud-api/dashboard && npm ci --no-audit --no-fund && npm run check

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
