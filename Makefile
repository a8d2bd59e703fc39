# SPDX-License-Identifier: GPL-2.0-only OR MIT
# The front door: everything a person types. Meson, Kbuild and scripts/ do the work.

DESTDIR ?=
PREFIX ?= /usr/local
MODULE := $(if $(wildcard Kbuild),module)

.PHONY: all
all: asan release $(MODULE) qemu plugin ## build everything (the default)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

# Installs the host packages that are missing, or says how; at once when none is.
.PHONY: packages
packages:
	@scripts/install.sh

build/asan/build.ninja: | packages
	@meson setup build/asan -Db_sanitize=address,undefined
build/release/build.ninja: | packages
	@meson setup build/release --buildtype=release --prefix=$(PREFIX)

.PHONY: asan release
asan release: %: build/%/build.ninja packages
	@ninja --quiet -C build/$@

.PHONY: module
module: packages ## build rondo.ko for the guest's kernel in build/module
	@scripts/module.sh

.PHONY: qemu
qemu: packages ## build QEMU with the device
	@scripts/qemu.sh

# QEMU's instruction counter; its one foreign header comes with QEMU's source.
.PHONY: plugin
plugin: build/plugin/insn_count.so
build/plugin/insn_count.so: tests/plugin/insn_count.c tests/plugin/marker.h | packages
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC \
		-idirafter "$$(scripts/qemu.sh tree)/include/qemu" -o $@ $<

.PHONY: guest
guest: qemu $(MODULE) ## a shell in a guest with the device (modprobe rondo loads the driver)
	@scripts/guest.sh $(if $(MODULE),-f build/module/rondo.ko)

.PHONY: check
check: ## run all tests; the last line counts them
	@scripts/check.sh

.PHONY: clean
clean: ## remove build/ (fetched and built tools stay in ~/.cache/rondo)
	rm -rf build
