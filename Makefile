# Each target works as the first command on a fresh clone; what it lacks it installs.
.DEFAULT_GOAL := help
.PHONY: help demo shell test check bench clean

help:
	@echo 'make demo  [HOSTS=3] [CHECK=1]      bare hosts, a cluster of them by kubeadm, Keelson by its chart, and what it does'
	@echo 'make demo  LIGHT=1 [HOSTS=3]        the same without kubeadm and Pods: quicker to make and to start'
	@echo "make shell HOST=worker-1 [CMD='…']  enters a host of the running demo"
	@echo 'make test  [SUITE=unit] [TEST=…]    every test, or those of a suite, or of files whose path begins so'
	@echo 'make check                          format, lint, types, unused code, generated files'
	@echo 'make bench [HOSTS=5000]             how fast it is, beside a bare loop: a table and .bench/results.json'
	@echo 'make clean                          what these commands made in this tree'

demo:
	@HOSTS='$(HOSTS)' CHECK='$(CHECK)' LIGHT='$(LIGHT)' toolchain/run --machine testbed/demo/start.ts

shell: export SHELL_COMMAND = $(CMD)
shell:
	@toolchain/run --machine testbed/demo/shell.ts '$(HOST)'

test:
	@TEST='$(TEST)' toolchain/run --machine testbed/test/run.ts $(SUITE)

check:
	@toolchain/run toolchain/check.ts

bench:
	@toolchain/run --machine testbed/bench/start.ts $(if $(HOSTS),--hosts=$(HOSTS))

clean:
	rm -rf node_modules .demo .bench .artefacts
