# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by ./demo and ./test: installs what is missing, configures and builds build/release, and
# says how long each phase took. Reads nothing from standard input, so it runs in CI as it stands.

if [ -t 1 ] && [ "${CI:-}" != true ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
phases=()
phase_name='' phase_start=0

say() { printf '%s\n' "${bold}==> $*${plain}"; }

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# phase NAME: ends the phase before and starts the next; phase '' only ends.
phase() {
  local now=$SECONDS
  if [ -n "$phase_name" ]; then
    phases+=("$(printf '%-28s %4d s' "$phase_name" $((now - phase_start)))")
  fi
  phase_name=$1 phase_start=$now
  if [ -n "$1" ]; then say "$1"; fi
}

print_phases() {
  phase ''
  printf '    %s\n' "${phases[@]}"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@" </dev/null || sudo "$@"; fi
}

# missing_packages FOR_WHOM...: those of tools/debian-packages.txt that dpkg does not know as
# installed.
missing_packages() {
  local name whom rest
  while read -r name whom rest; do
    case $name in '' | '#'*) continue ;; esac
    [[ " $* " == *" $whom "* ]] || continue
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" != installed ]; then
      echo "$name"
    fi
  done <tools/debian-packages.txt
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "Not a Debian system: taking the libraries of tools/debian-packages.txt as given."
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [ ${#missing[@]} = 0 ]; then
    echo "All Debian packages needed are installed; no network is used."
    return
  fi
  echo "Installing Debian packages carnot is built or tested with: ${missing[*]}"
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    die "Neither root nor sudo: run \`apt-get install ${missing[*]}\` as root, then this again."
  fi
  local options=(-y -q --no-install-recommends -o Dpkg::Use-Pty=0)
  export DEBIAN_FRONTEND=noninteractive
  # The package lists may be young enough; fetching them costs more than asking.
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install "${missing[@]}" \
    >"$log" 2>&1; then
    echo "Package lists are missing or old: apt-get update"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update >"$log" 2>&1 ||
      { tail -n 20 "$log" >&2 && die "apt-get update failed; see above"; }
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install "${missing[@]}" \
      >"$log" 2>&1 || { tail -n 20 "$log" >&2 && die "apt-get install failed; see above"; }
  fi
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} = 0 ] || die "Still missing after installation: ${missing[*]}"
}

# A virtual environment with what the tests of the Python module need, from PyPI; where there is no
# network, or no headers of Python, they are skipped.
python_tools() {
  local packages stamp=build/python-tools/installed.txt
  packages=$(awk '!/^#/ && NF { print $1 }' tools/python-packages.txt)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$packages" ]; then return; fi
  if { [ -x build/python-tools/bin/python ] || python3 -m venv build/python-tools; } >"$log" 2>&1 &&
    # shellcheck disable=SC2086
    build/python-tools/bin/pip install -q --disable-pip-version-check $packages >"$log" 2>&1; then
    echo "$packages" >"$stamp"
  else
    echo "No packages from PyPI ($(tail -n 1 "$log")): tests of the Python module are skipped."
  fi
}

# One compiler takes up to 1.5 GB on the largest files: as many as processors and free memory bear.
build_jobs() {
  local processors memory
  processors=$(nproc 2>/dev/null || echo 1)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1572864) }' /proc/meminfo 2>/dev/null || true)
  [ "${memory:-0}" -ge 1 ] || memory=1
  echo $((processors < memory ? processors : memory))
}

# configure BUILD_TESTING(ON|OFF)
configure() {
  local arguments=(-DBUILD_TESTING="$1")
  # The preset says Ninja; where it is missing, make will do.
  if ! command -v ninja >/dev/null; then arguments+=(-G "Unix Makefiles"); fi
  # A build tree made elsewhere (a copied checkout) cannot be continued.
  if [ -f build/release/CMakeCache.txt ] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" build/release/CMakeCache.txt; then
    echo "build/release was made for another folder: starting it afresh"
    rm -rf build/release
  fi
  cmake --preset release "${arguments[@]}" >"$log" 2>&1 || { cat "$log" >&2 && die "configure failed"; }
  grep -E '^-- oneDNN' "$log" || true
}

# build_targets [TARGET...]: all when none is named
build_targets() {
  local jobs targets=()
  jobs=$(build_jobs)
  if [ $# -gt 0 ]; then targets=(--target "$@"); fi
  echo "with $jobs at once"
  cmake --build build/release -j "$jobs" "${targets[@]}" </dev/null >"$log" 2>&1 ||
    { grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "$log" | tail -n 60 >&2 && die "build failed"; }
  tail -n 1 "$log"
}

prepare() {
  umask 022
  mkdir -p build
  log=$PWD/build/last-step.log
  # ccache wants a home it may write to; some containers have none.
  if [ ! -w "${HOME:-/nonexistent}" ]; then export CCACHE_DIR=$PWD/.cache/ccache; fi
}
