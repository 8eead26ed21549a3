# The programs that the project's tests call.
# shellcheck shell=bash

provision_packages() {
  local packages=(make git ca-certificates bubblewrap postgresql procps haproxy prometheus chromium docker-registry)
  local python
  python="$(command -v python3 || true)"
  if [ -z "$python" ]; then
    packages+=(python3 python3-venv)
  elif [ "$(readlink -f "$python")" = "$(readlink -f /usr/bin/python3)" ]; then
    # Debian splits venv off its own Python; others bring it.
    "$python" -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
  fi
  apt_install "${packages[@]}"
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || fail "PostgreSQL's initdb is not under /usr/lib/postgresql"
  say "packages are there"
}
