# What people type. Each target works on a fresh clone: it installs and builds what it needs first, and says so.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build image check fix test test-all unit demo demo-docker bench lab-shell

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install what is missing (Debian packages, npm packages), or say what cannot be
	@scripts/setup

build: setup ## the executables in dist/bin
	@scripts/build

image: setup ## the image calico/node, for docker load, out of what is on this machine
	@scripts/build --if-needed
	@scripts/tool image

demo: setup ## two hosts, three networks, five workloads: a narrated tour, under a minute
	@scripts/build --if-needed
	@node dist/lab/demo.js

demo-docker: setup ## Docker's tutorial on two hosts with an engine each; ENGINE=26.1 for today's
	@scripts/engines
	@scripts/build --if-needed
	@node dist/lab/demo-docker.js $${ENGINE:-20.10}

test: setup ## all tests; ends with "N passed, N failed, N skipped"
	@scripts/build
	@scripts/test

test-all: setup ## all tests, also those on Docker engines 20.10 and 26.1 (fetched once, nothing of them is started outside the lab) and on a Kubernetes API server (built once, with Go)
	@scripts/build
	@scripts/test-all

unit: setup ## the tests that need no kernel, a few seconds
	@node_modules/.bin/vitest run --project unit

check: setup ## format, lint, types, layers, unused code, generated files, repository rules
	@scripts/check

fix: setup ## format the sources and write the generated files anew
	@node_modules/.bin/oxfmt
	@scripts/tool complete-lock
	@scripts/tool generate

bench: setup ## every benchmark as a ratio to its floor; SHORT=1 for a quick run
	@scripts/build --if-needed
	@scripts/tool bench

lab-shell: setup ## HOST=calico-01: a shell in a host of the lab (brings the lab up when it is down)
	@scripts/build --if-needed
	@scripts/lab shell $${HOST:-calico-01}
