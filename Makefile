# `make help` lists the targets.
.PHONY: help packages build serve scan test test-examples test-deploy test-dist test-outputs test-page test-parsers check-benchmarks check-format format samples docs bench bench-service bench-page kill fuzz soak dist deb clean

SWIFT ?= swift
CHECKS := --explicit-target-dependency-import-check error
DIR ?= samples/tree
ARGS ?=

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 16

packages: ## install missing system packages (apt)
	@scripts/install-packages.sh

build: packages ## build the release program
	$(SWIFT) build -c release --product thunderstorm

serve: build samples ## build, then serve on 127.0.0.1:8080 with the shipped rules; ARGS="--server-port 9000" adds flags
	.build/release/thunderstorm serve $(ARGS)

samples: ## unpack the demo tree to samples/tree
	@samples/unpack.sh samples/tree

scan: build samples ## scan DIR=… (default: the demo tree); ARGS="--format json" adds flags
	@.build/release/thunderstorm scan $(DIR) $(ARGS); \
	status=$$?; \
	if [ $$status -eq 1 ]; then echo "(exit code 1: findings at Warning or above)"; exit 0; fi; exit $$status

test: packages check-format samples ## run all tests
	$(SWIFT) build --build-tests $(CHECKS)
	Tests/Deploy/update.sh
	Tests/Deploy/units.sh
	Tests/Outputs/readers.sh
	$(SWIFT) test --skip-build
	$(MAKE) test-examples
	$(MAKE) check-benchmarks

test-examples: packages ## build and test the Swift package under Examples/, and a program with its stage
	$(SWIFT) build --package-path Examples/banner-stage --scratch-path .build-examples --build-tests
	$(SWIFT) test --package-path Examples/banner-stage --scratch-path .build-examples --skip-build
	.build-examples/debug/case-thunderstorm stages | grep -q '^banner$$'

check-benchmarks: packages ## build the programs of the benchmarks, without running them
	THUNDERSTORM_ONLY=All $(SWIFT) build --package-path Benchmarks --scratch-path .build-benchmarks

test-deploy: packages ## install, serve, update signatures in good and bad ways, uninstall; below a temporary folder
	$(SWIFT) build --product thunderstorm
	Tests/Deploy/update.sh
	Tests/Deploy/units.sh

test-dist: dist ## run the distribution in an empty root, and over ssh and Ansible in network namespaces of which one dies; as root
	$(SWIFT) build --product thunderstorm
	Tests/Deploy/dist.sh
	Tests/Deploy/remote.sh
	Tests/Deploy/ansible.sh

test-outputs: packages ## write every format and read it back with jq, rsyslog, a CEF parser, csv, promtool
	$(SWIFT) build --product thunderstorm
	Tests/Outputs/readers.sh

test-page: build samples ## load every page in headless Chromium (Debian's chromium), look at its net log; ARGS="--screenshots DIR"
	Tests/Page/browser.py .build/release/thunderstorm $(ARGS)

test-parsers: packages ## test the pipeline and the plugins without building the HTTP stack; ONLY=EVTX,IOC narrows
	THUNDERSTORM_ONLY=$(or $(ONLY),All) $(SWIFT) test --scratch-path .build-parsers

format: ## format all Swift sources
	$(SWIFT) format format --in-place --recursive --parallel Package.swift Sources Tests Fuzz Benchmarks Examples

check-format: ## fail when something is not formatted
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests Fuzz Benchmarks Examples

docs: build ## regenerate the documentation that is made from code
	.build/release/thunderstorm stages --markdown > docs/stages.md
	.build/release/thunderstorm reference > docs/flags.md
	.build/release/thunderstorm reference --man > deploy/thunderstorm.1

bench: build ## measure against peers; takes some minutes
	Benchmarks/run.sh $(ARGS)

bench-service: build ## measure async against sync, TLS, and a second sweep; takes some minutes
	Benchmarks/service.sh $(ARGS)

bench-page: build ## the pages with 1,000 findings against 1,000,000; takes some minutes
	Benchmarks/page.py $(ARGS)

kill: packages ## kill the service 20 times during 5,000 submissions and look for every sample
	Benchmarks/kill.sh $(ARGS)

fuzz: packages ## fuzz every parser; SECONDS_EACH=600 by default
	Fuzz/run.sh $(ARGS)

soak: build ## 100,000 submissions, memory watched
	Benchmarks/soak.sh $(ARGS)

dist: packages ## one archive that runs on any Linux of this architecture with nothing installed
	SWIFT="$(SWIFT)" scripts/dist.sh

deb: packages ## a Debian package
	SWIFT="$(SWIFT)" scripts/deb.sh

clean: ## remove build products
	rm -rf .build .build-* samples/tree
