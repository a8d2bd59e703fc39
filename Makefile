# SPDX-License-Identifier: GPL-2.0-only OR MIT
# The front door: everything a person types. Meson, Kbuild and scripts/ do the work.

# Scripts read these from the environment, so that they may hold spaces.
export DESTDIR ?=
export PREFIX ?= /usr/local
export MODEL ?= demo/digits.onnx
export INPUT ?=
export OPTIONS ?=
T ?= verify
FUZZ_SECONDS ?= 60
P ?=
S ?=
B ?=
COUNT ?= 200
SEED ?= 1
# Their inputs have tens of thousands of features, whose frequencies would take most of the time.
FUZZ_FLAGS_position = -entropic=0
FUZZ_FLAGS_reference = -entropic=0

.PHONY: all
all: asan release module qemu plugin ## build everything (the default)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: ## run MODEL on INPUT ([NAME=]FILE...: .npy, .pb, images) with OPTIONS of rondo run in the guest
	@scripts/run.sh check
	@$(MAKE) --no-print-directory module release qemu
	@scripts/run.sh

.PHONY: check
check: $(if $(filter-out all,$(S)),packages,all-packages) ## run the tests, those of the suites S ("core compiler"), or S=all; the last line counts them
	@scripts/check.sh $(S)

.PHONY: kcheck
kcheck: ## run the driver's tests under a debug kernel (built the first time) and the newest one
	@scripts/check.sh kcheck

.PHONY: kcheck-long
kcheck-long: ## the same with more random calls and kills; how much of the driver has run (30 minutes)
	@scripts/check.sh kcheck-long

.PHONY: bench
bench: release module qemu plugin ## measure every figure, or those of the programs B, and judge it
	@scripts/bench.sh $(B)

.PHONY: fuzz
fuzz: packages ## fuzz target T (default verify) for FUZZ_SECONDS (60)
	@CC=clang scripts/lane.sh fuzz -Db_sanitize=address,undefined -Dfuzzer=true \
		-Dc_args=-fsanitize=fuzzer-no-link
	@mkdir -p build/fuzz/corpus/$(T)
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 build/fuzz/tests/fuzz/fuzz_$(T) \
		-max_total_time=$(FUZZ_SECONDS) -artifact_prefix=build/fuzz/ $(FUZZ_FLAGS_$(T)) \
		build/fuzz/corpus/$(T) $(wildcard tests/fuzz/corpus/$(T))

.PHONY: mutate
mutate: packages ## make COUNT (200) mutants of the parts or files P, by SEED (1), and list those that no test notices
	@scripts/$(if $(filter driver%,$(P)),mutate_driver,mutate).py --count $(COUNT) --seed $(SEED) $(P)

.PHONY: guest
guest: release module qemu ## a shell in a guest with the device (modprobe rondo loads the driver)
	@scripts/guest.sh -a

.PHONY: style
style: packages ## check the style of all files
	@scripts/style.sh

.PHONY: install
install: release ## install library, firmware, udev rule and module sources (DESTDIR, PREFIX)
	@scripts/stage.sh install

.PHONY: uninstall
uninstall: ## remove what make install with the same DESTDIR and PREFIX installed
	@scripts/stage.sh uninstall

.PHONY: deb
deb: all-packages ## build the Debian packages in build/deb
	@scripts/deb.sh

.PHONY: docs
docs: release ## print the reference's tables into build/release/docs
	@ninja -C build/release --quiet docs

.PHONY: kernel-tree
kernel-tree: ## drop the driver into the kernel tree DIR
	@scripts/kernel-tree.sh $(DIR)

.PHONY: clean
clean: ## remove build/ (what was fetched stays in ~/.cache/rondo)
	rm -rf build

.PHONY: asan
asan: packages ## build the host programs with sanitizers in build/asan
	@scripts/lane.sh asan -Db_sanitize=address,undefined

.PHONY: tsan
tsan: packages ## run the tests of both libraries' threads with ThreadSanitizer, in build/tsan
	@[ -e build/tsan/build.ninja ] || meson setup build/tsan -Db_sanitize=thread >/dev/null
	@meson test -C build/tsan --timeout-multiplier 4 --print-errorlogs \
		'compiler library' $(foreach name,api every fault pool promises share threads,'libaccel $(name)')

.PHONY: release
release: packages ## build the host programs in build/release
	@scripts/lane.sh release --buildtype=release

.PHONY: module
module: packages ## build rondo.ko for the guest's kernel in build/module
	@scripts/module.sh >/dev/null

.PHONY: qemu
qemu: packages ## build QEMU with the device
	@scripts/qemu.sh >/dev/null

# QEMU's instruction counter; its one foreign header comes with QEMU's source.
.PHONY: plugin
plugin: build/plugin/insn_count.so ## build the counter of instructions that QEMU loads
build/plugin/insn_count.so: tests/plugin/insn_count.c tests/plugin/marker.h | packages
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC \
		-idirafter "$$(scripts/qemu.sh tree)/include/qemu" -o $@ $<

.PHONY: all-packages
all-packages: ## install those that only tests and packaging need, too
	@scripts/install.sh all

.PHONY: packages
packages: ## install the host packages that are missing, or say how
	@scripts/install.sh
