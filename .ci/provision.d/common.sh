# What every step of .ci/provision shares: settings, messages, patience with apt.
# shellcheck shell=bash

: "${AIPIPE_CACHE:=/var/cache/aipipe}"
: "${AIPIPE_ENGINE:=/opt/aipipe-engine}"
: "${AIPIPE_ENGINE_STATE:=/run/aipipe-engine}"
: "${AIPIPE_ENGINE_DATA:=/var/lib/aipipe-engine}"
: "${AIPIPE_ENGINE_SUITE:=trixie}"
: "${AIPIPE_ENGINE_STORE:=containerd}"
: "${AIPIPE_SUBNET:=172.31.251.1/24}"
: "${AIPIPE_BASE_IMAGE:=python:3.11-slim}"
export DEBIAN_FRONTEND=noninteractive

say() { printf 'provision: %s\n' "$*"; }

fail() {
  printf 'provision: %s\n' "$*" >&2
  exit 3
}

need_root() {
  [ "$(id -u)" -eq 0 ] || fail "needs root, to install packages and to start the engine"
  command -v apt-get >/dev/null || fail "needs apt-get: this script is for Debian 12"
}

host_suite() { (. /etc/os-release && printf '%s' "${VERSION_CODENAME:?}"); }

# retry N COMMAND...: again with growing pauses, for mirrors that stumble.
retry() {
  local tries="$1" try
  shift
  for ((try = 1; try <= tries; try++)); do
    if "$@"; then return 0; fi
    if ((try < tries)); then
      say "failed, try $try of $tries: $*"
      sleep $((try * 3))
    fi
  done
  return 1
}

apt_options=(-qq -o Acquire::Retries=3 -o Acquire::http::Timeout=30 -o DPkg::Lock::Timeout=120
  -o Dpkg::Use-Pty=0 -o APT::Install-Recommends=false)

# A fresh package list, once a run: a machine's own may be weeks old or not there.
apt_update_once() {
  [ -z "${apt_updated:-}" ] || return 0
  retry 3 apt-get "${apt_options[@]}" update || fail "apt-get update failed: is the mirror reachable?"
  apt_updated=1
}

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      printf '%s\n' "$package"
  done
}

# Services of what is installed here must not start by themselves; policy-rc.d is Debian's own
# way to say so. One that is there already is left as it is.
apt_install() {
  local wanted policy=/usr/sbin/policy-rc.d made="" status=0
  mapfile -t wanted < <(missing_packages "$@")
  [ ${#wanted[@]} -gt 0 ] || return 0
  apt_update_once
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    made=1
  fi
  retry 3 apt-get "${apt_options[@]}" install -y --no-upgrade "${wanted[@]}" >"$AIPIPE_CACHE/apt.log" 2>&1 ||
    status=$?
  [ -z "$made" ] || rm -f "$policy"
  if [ "$status" -ne 0 ]; then
    tail -n 20 "$AIPIPE_CACHE/apt.log" >&2
    fail "could not install: ${wanted[*]}"
  fi
  say "installed ${wanted[*]}"
}
