# What a newcomer types. Meson does the build: `meson setup build && ninja -C build` works too.
BUILD ?= build
PREFIX ?= /usr/local
QUICKSTART = examples/quickstart
DOMAINS = foldoc bible faq c python german fortunes
CORPUS ?= corpus
CORPUS_DOMAINS = foldoc gcide faq bible novels pkgdesc glibc changelog python metamath hol man \
  perldoc bio german japanese fortunes

all: $(BUILD)/build.ninja
	@[ -x $(BUILD)/regmix ] || echo "building $(BUILD)/regmix, which takes about a minute"
	@ninja -C $(BUILD) --quiet

help:
	@echo "make           build build/regmix"
	@echo "make demo      install what is missing, fetch real text, run the quickstart"
	@echo "make corpus    fetch real text of 17 domains into CORPUS ($(CORPUS)), 216 MB"
	@echo "make test      install what is missing, build, run all tests"
	@echo "make asan      the tests with address and undefined-behaviour sanitizers"
	@echo "make tsan      the tests of what runs on threads, with the thread sanitizer"
	@echo "make mpi       the program with MPI (mpirun -n K regmix), and its tests"
	@echo "make pytorch   the tests of the trainer in PyTorch, with more steps than make test"
	@echo "make format    bring every C file into the one format (.clang-format)"
	@echo "make lint      check the format and the width of the lines"
	@echo "make warnings  the same, and compile with gcc and clang; a warning is an error"
	@echo "make kills     the whole pipeline, and parts of its training, killed at fifty random"
	@echo "               moments: the same bits at the end"
	@echo "make oom       every command with one allocation failing, each in turn (an hour);"
	@echo "               OOM=--all fails more than one allocation of each place in the code"
	@echo "make fuzz      a minute of each fuzz target (FUZZ_SECONDS=60)"
	@echo "make python    the wheel of the Python package, in an environment, with its tests"
	@echo "make readme    the README's picture, numbers and sample output, from one quickstart"
	@echo "make study     docs/study: tables, figures and the page, from the runs in docs/study/data"
	@echo "make bench     the goals for training speed, and what is measured here (three minutes)"
	@echo "make install   into PREFIX ($(PREFIX))"
	@echo "make uninstall remove what make install wrote"
	@echo "make dist      the release tarball of the last commit"
	@echo "make dist-check   build it in an empty folder and run its tests there"
	@echo "make deb       Debian packages, in $(BUILD)-deb"
	@echo "make deb-check    install them in a bare Debian 12 and run a fit there (needs root)"
	@echo "make container-check   build the image of packaging/Containerfile and run it (needs root)"
	@echo "make clean     remove the build folders"

$(BUILD)/build.ninja: | packages-build
	@meson setup $(BUILD) --prefix=$(PREFIX) -Dtests=false > $(BUILD)-setup.log 2>&1 || \
	  { cat $(BUILD)-setup.log; rm -rf $(BUILD); exit 1; }
	@rm -f $(BUILD)-setup.log

# Of what a debugger shows, the numbers of the lines are enough.
SANITIZED = -Db_lundef=false --buildtype=debugoptimized -Doptimization=1 -Dc_args=-g1
$(BUILD)-test/build.ninja: | packages-test
	@meson setup $(BUILD)-test > /dev/null
$(BUILD)-asan/build.ninja: | packages-test
	@meson setup $(BUILD)-asan -Db_sanitize=address,undefined $(SANITIZED) > /dev/null
$(BUILD)-tsan/build.ninja: | packages-test
	@meson setup $(BUILD)-tsan -Db_sanitize=thread $(SANITIZED) > /dev/null
$(BUILD)-clang/build.ninja: | packages-lint
	@CC=clang meson setup $(BUILD)-clang > /dev/null

packages-build packages-demo packages-test packages-mpi packages-lint packages-python \
  packages-deb packages-deb-check packages-container-check:
	@sh scripts/packages.sh $(@:packages-%=%)

study: all
	python3 scripts/study/make.py $(BUILD)/regmix

demo: packages-demo all
	@sh scripts/fetch-corpus.sh $(DOMAINS) --into $(QUICKSTART)/text --cap 3000000
	$(BUILD)/regmix run $(QUICKSTART)/regmix.yaml

corpus: packages-demo
	@sh scripts/fetch-corpus.sh $(CORPUS_DOMAINS) --into $(CORPUS)

test: packages-test $(BUILD)-test/build.ninja
	ninja -C $(BUILD)-test --quiet
	python3 scripts/test.py $(BUILD)-test

# ASAN_TESTS: arguments of `meson test`, if not all of them are wanted.
asan: packages-test $(BUILD)-asan/build.ninja
	ninja -C $(BUILD)-asan --quiet
	ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	  python3 scripts/test.py $(BUILD)-asan --no-suite browser --no-suite slow \
	  --no-suite figures --no-suite plain $(ASAN_TESTS)

tsan: packages-test $(BUILD)-tsan/build.ninja
	ninja -C $(BUILD)-tsan --quiet
	TSAN_OPTIONS=halt_on_error=1 python3 scripts/test.py $(BUILD)-tsan --suite num --suite unit

# Without the libraries that only some kinds of text need.
bare: packages-test
	[ -f $(BUILD)-bare/build.ninja ] || meson setup $(BUILD)-bare -Dreaders=disabled -Dpsl=disabled
	ninja -C $(BUILD)-bare --quiet
	meson test -C $(BUILD)-bare --no-rebuild --print-errorlogs readers readers_json \
	  readers_packed tables kinds domains prepare cli_intake

# With MPI: the program and its tests, no others.
$(BUILD)-mpi/build.ninja: | packages-mpi
	@meson setup $(BUILD)-mpi -Dmpi=enabled > /dev/null
mpi: packages-mpi $(BUILD)-mpi/build.ninja
	ninja -C $(BUILD)-mpi --quiet regmix
	python3 scripts/test.py $(BUILD)-mpi cli_mpi

# The trainer in PyTorch, with the number of steps that docs/results/pytorch.md has.
pytorch: packages-test $(BUILD)-test/build.ninja
	ninja -C $(BUILD)-test --quiet regmix
	REGMIX_LONG=1 python3 scripts/test.py $(BUILD)-test --suite pytorch

format: packages-lint
	@find include src cli tests bench examples -name '*.[ch]' | xargs clang-format -i

lint: packages-lint
	@python3 scripts/lint.py

warnings: packages-lint packages-test
	@python3 scripts/lint.py --warnings

# The whole pipeline, and parts of its training, killed at fifty random moments (three minutes);
# `make test` has a sample of it.
kills: packages-test $(BUILD)-test/build.ninja
	ninja -C $(BUILD)-test --quiet
	REGMIX_KILLS=50 sh tests/cli/test_resume.sh $(BUILD)-test/regmix
	REGMIX_KILLS=50 sh tests/cli/test_kills.sh $(BUILD)-test/regmix

oom: packages-test $(BUILD)-test/build.ninja
	ninja -C $(BUILD)-test --quiet
	python3 tests/oom/oom.py $(BUILD)-test/regmix $(BUILD)-test/tests/fail_allocation.so $(OOM)

fuzz: packages-build
	@sh scripts/fuzz.sh $(BUILD)-fuzz

# Debian's Python, which has numpy, pandas and scikit-learn. Nothing is downloaded.
PYTHON = /usr/bin/python3
WHEELS = $(BUILD)-python
python: packages-python $(BUILD)-test/build.ninja
	ninja -C $(BUILD)-test --quiet
	rm -rf $(WHEELS)
	$(PYTHON) -m pip --quiet wheel --no-build-isolation --no-index --no-deps -w $(WHEELS) .
	$(PYTHON) -m venv --system-site-packages $(WHEELS)/venv
	$(WHEELS)/venv/bin/python -m pip --quiet install --no-index --no-deps $(WHEELS)/*.whl
	$(WHEELS)/venv/bin/python tests/python/run.py $(BUILD)-test --installed

# Everything in the README that a run makes: scripts/readme.py says what.
readme: demo
	python3 scripts/readme.py $(BUILD)/regmix

bench: all
	@python3 bench/goals.py $(BUILD)/regmix

# The prefix may be another than the one the build folder was set up with.
install: all
	@meson configure $(BUILD) -Dprefix="$(abspath $(PREFIX))" > /dev/null
	@ninja -C $(BUILD) --quiet > $(BUILD)/install.log 2>&1 || { cat $(BUILD)/install.log; exit 1; }
	meson install -C $(BUILD) --no-rebuild --quiet

# What install wrote last, by meson's own record of it, if that was under PREFIX.
INSTALLED = $(BUILD)/meson-logs/install-log.txt
uninstall:
	@test -f $(INSTALLED) || { echo "nothing was installed from $(BUILD)" >&2; exit 1; }
	@grep -q '^$(DESTDIR)$(abspath $(PREFIX))/' $(INSTALLED) || { \
	  last=$$(sed -n 's,/bin/regmix$$,,p' $(INSTALLED)); \
	  echo "the last install from $(BUILD) was into another prefix: make uninstall" \
	    "PREFIX=$${last#$(DESTDIR)}" >&2; exit 1; }
	@ninja -C $(BUILD) --quiet uninstall > /dev/null
	@rmdir $$(sed -n 's,/regmix/base\.h$$,/regmix,p' $(INSTALLED)) 2> /dev/null || true

dist:
	@sh scripts/dist.sh .

# TESTS: arguments of `meson test`, if not all tests are wanted.
dist-check: packages-test
	@sh scripts/dist-check.sh $(TESTS)

deb: packages-deb
	@sh scripts/deb.sh $(BUILD)-deb

deb-check: deb packages-deb-check
	@sh scripts/deb-check.sh $(BUILD)-deb

container-check: packages-container-check
	@sh scripts/container-check.sh

clean:
	rm -rf $(BUILD) $(BUILD)-test $(BUILD)-asan $(BUILD)-tsan $(BUILD)-clang \
	  $(BUILD)-fuzz $(BUILD)-deb $(BUILD)-bare $(BUILD)-python $(BUILD)-mpi

.PHONY: all help demo study corpus test asan tsan bare mpi pytorch format lint warnings kills oom \
  fuzz python readme bench install uninstall dist dist-check deb deb-check container-check clean \
  packages-build packages-demo packages-test packages-mpi packages-lint packages-python \
  packages-deb packages-deb-check \
  packages-container-check
