# What there is to do with this tree. `make` alone lists it.
#
# Everything is built once, in the dev profile, into one target folder: `make run` and `make test` share it.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test test-long lint bench

TARGET := $(or $(CARGO_TARGET_DIR),target)

help: ## List what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Show it: a server, the daemon and a running count, in a throw-away profile
	@packaging/bootstrap.sh run
	@cargo build --locked --workspace --bins
	@$(TARGET)/debug/blinkd models --fetch >/dev/null
	@packaging/demo.sh

test: ## Every kind of test, with small numbers
	@packaging/bootstrap.sh test
	cargo nextest run --locked --workspace
	cargo test --locked --workspace --doc --quiet

test-long: ## The same tests with the numbers that documents quote
	@packaging/bootstrap.sh test
	WAW_TEST_LONG=1 PROPTEST_CASES=20000 cargo nextest run --locked --workspace --profile long

lint: ## Format, clippy, documentation, licences
	@packaging/bootstrap.sh lint
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
	cargo deny --locked check bans licenses sources

bench: ## What counting costs: frames, CPU and memory on a minute of the synthetic face
	@packaging/bootstrap.sh run
	cargo build --locked --release --package blinkd
	@mkdir -p $(TARGET)/bench
	$(TARGET)/release/blinkd synthesize $(TARGET)/bench/minute.avi --seconds 60 --bpm 20 --seed 7 --truth $(TARGET)/bench/minute.json
	$(TARGET)/release/blinkd bench $(TARGET)/bench/minute.avi --truth $(TARGET)/bench/minute.json
