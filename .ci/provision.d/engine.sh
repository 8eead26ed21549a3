# A Docker engine. Bookworm's own lacks `--progress=rawjson`, heredocs and `COPY --link`; the next
# suite's engine runs beside bookworm's runc and containerd (its own runc needs a newer libc), so
# it is unpacked into a folder and the host's packages stay as they are.
# shellcheck shell=bash

engine_bin="$AIPIPE_ENGINE/bin"
engine_socket="$AIPIPE_ENGINE_STATE/docker.sock"
engine_pid="$AIPIPE_ENGINE_STATE/docker.pid"
engine_log="$AIPIPE_ENGINE_STATE/docker.log"
engine_bridge=aipipe0

provision_engine() {
  if engine_usable_already; then
    say "using the Docker engine that already answers"
    engine_write_env "" "${DOCKER_HOST:-}"
    return 0
  fi
  apt_install iptables iproute2 runc containerd tini libdevmapper1.02.1 ca-certificates
  engine_unpack
  engine_answers || engine_start
  engine_write_env "$engine_bin" "unix://$engine_socket"
  say "engine $(engine_docker version --format '{{.Server.Version}}'), $(engine_docker buildx version | cut -d' ' -f1-2)"
}

# An engine of the machine's own counts when its buildx can speak rawjson.
engine_usable_already() {
  [ "${DOCKER_HOST:-}" != "unix://$engine_socket" ] || return 1
  command -v docker >/dev/null || return 1
  timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || return 1
  # Its help does not mention rawjson; 0.13 is the first that has it.
  local version
  version="$(timeout 10 docker buildx version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+' | head -n 1)" || return 1
  [ "$(printf '%s\n' 0.13 "$version" | sort -V | head -n 1)" = 0.13 ]
}

engine_docker() { PATH="$engine_bin:$PATH" DOCKER_HOST="unix://$engine_socket" timeout 60 docker "$@"; }

engine_answers() { [ -S "$engine_socket" ] && engine_docker version >/dev/null 2>&1; }

# The machine's own apt sources with the suite's name replaced: the same mirror, the same keys,
# and lists and cache in folders of their own.
engine_sources() {
  local host next="$1" target="$2" file
  host="$(host_suite)"
  : >"$target/engine.list"
  : >"$target/engine.sources"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] || continue
    # Only lines whose suite is exactly the host's: not updates, not security, not strangers.
    sed -n -E "s/^(deb +(\[[^]]*\] +)?[^ ]+ +)$host( +.*\<main\>.*)$/\1$next\3/p" "$file" >>"$target/engine.list"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    awk -v host="$host" -v next_suite="$next" '
      BEGIN { RS = ""; FS = "\n" }
      {
        keep = 0; text = ""
        for (i = 1; i <= NF; i++) {
          line = $i
          if (line ~ /^#/) continue
          if (line ~ /^Suites:/) {
            n = split(line, words, /[ \t]+/)
            for (w = 2; w <= n; w++) if (words[w] == host) keep = 1
            line = "Suites: " next_suite
          }
          if (line ~ /^Enabled:[ \t]*no/) { keep = 0; text = ""; break }
          text = text line "\n"
        }
        if (keep && text != "") print text
      }' "$file" >>"$target/engine.sources"
  done
  [ -s "$target/engine.list" ] || [ -s "$target/engine.sources" ] ||
    fail "no apt source of this machine names the suite $host; the engine's source is made from it"
}

# engine_apt FOLDER COMMAND...: apt over the second source list only.
engine_apt() {
  local folder="$1"
  shift
  apt-get "${apt_options[@]}" \
    -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$folder/parts" \
    -o Dir::State::lists="$folder/lists" -o Dir::Cache="$folder/cache" \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o APT::Default-Release= -o APT::Update::Post-Invoke-Success::= "$@"
}

engine_packages() {
  if [ "$AIPIPE_ENGINE_SUITE" = "$(host_suite)" ]; then
    printf '%s\n' docker.io
  else
    printf '%s\n' docker.io docker-cli docker-buildx
  fi
}

engine_download() {
  local folder="$AIPIPE_CACHE/apt-$AIPIPE_ENGINE_SUITE"
  local debs="$AIPIPE_CACHE/debs-$AIPIPE_ENGINE_SUITE" packages
  mapfile -t packages < <(engine_packages)
  if [ -e "$debs/.complete" ]; then return 0; fi
  mkdir -p "$folder/parts" "$folder/lists/partial" "$folder/cache/archives/partial" "$debs"
  engine_sources "$AIPIPE_ENGINE_SUITE" "$folder/parts"
  retry 3 engine_apt "$folder" update || fail "the suite $AIPIPE_ENGINE_SUITE cannot be listed from this machine's mirror"
  rm -f "$debs"/*.deb
  # apt drops to a user of its own for downloads and warns where that user cannot write.
  (cd "$debs" && retry 3 engine_apt "$folder" -o APT::Sandbox::User=root download "${packages[@]}") ||
    fail "could not download ${packages[*]} of $AIPIPE_ENGINE_SUITE"
  touch "$debs/.complete"
  rm -rf "$folder"
}

engine_unpack() {
  local root="$AIPIPE_ENGINE/$AIPIPE_ENGINE_SUITE" deb
  if [ ! -e "$root/.complete" ]; then
    engine_download
    rm -rf "$root"
    mkdir -p "$root"
    for deb in "$AIPIPE_CACHE/debs-$AIPIPE_ENGINE_SUITE"/*.deb; do
      dpkg -x "$deb" "$root" || fail "could not unpack $deb"
    done
    touch "$root/.complete"
    say "unpacked the engine of $AIPIPE_ENGINE_SUITE"
  fi
  mkdir -p "$engine_bin"
  engine_link "$root/usr/bin/docker" docker
  engine_link "$root/usr/sbin/dockerd" dockerd
  engine_link "$root/usr/sbin/docker-proxy" docker-proxy
  engine_link "$root/usr/bin/docker-proxy" docker-proxy
  [ -e "$engine_bin/docker-init" ] || ln -sfn "$(command -v tini)" "$engine_bin/docker-init"
  engine_plugin "$root"
}

engine_link() { [ ! -x "$1" ] || ln -sfn "$1" "$engine_bin/$2"; }

# The client looks for plugins in fixed folders; one that somebody put there is left alone.
engine_plugin() {
  local plugin plugins=/usr/local/lib/docker/cli-plugins
  plugin="$(find "$1" -name docker-buildx -type f -perm -u+x | head -n 1)"
  [ -n "$plugin" ] || return 0
  mkdir -p "$plugins"
  if [ ! -e "$plugins/docker-buildx" ] || [ -L "$plugins/docker-buildx" ]; then
    ln -sfn "$plugin" "$plugins/docker-buildx"
  fi
}

# A bridge of its own: a second daemon with --bridge=none would delete the first one's.
engine_network() {
  sysctl -qw net.ipv4.ip_forward=1 2>/dev/null || true
  ip link show "$engine_bridge" >/dev/null 2>&1 || ip link add "$engine_bridge" type bridge ||
    fail "could not make the bridge $engine_bridge: does the kernel have bridges?"
  ip addr show dev "$engine_bridge" | grep -qF "${AIPIPE_SUBNET%/*}/" || ip addr add "$AIPIPE_SUBNET" dev "$engine_bridge"
  ip link set "$engine_bridge" up
}

# containerd's image store is what makes `COPY --link` independent of the layers below it and
# `--cache-to type=registry` possible; the older store has neither, and bookworm's engine has no
# such switch.
engine_configure() {
  local features='{}'
  [ "$AIPIPE_ENGINE_STORE" != containerd ] || [ "$AIPIPE_ENGINE_SUITE" = "$(host_suite)" ] ||
    features='{"features": {"containerd-snapshotter": true}}'
  printf '%s\n' "$features" >"$AIPIPE_ENGINE_STATE/daemon.json"
}

# A store that thousands of builds have filled takes BuildKit longer to load than the daemon
# waits, and the daemon ends with "context deadline exceeded": it then starts again with an
# empty one. Nothing of worth is lost: the base image is imported anew from its tarball.
engine_start() {
  engine_stop
  [ -z "${AIPIPE_ENGINE_FRESH:-}" ] || engine_forget
  if engine_launch; then return 0; fi
  tail -n 5 "$engine_log" >&2
  say "the engine did not start; once more with an empty store"
  engine_stop
  engine_forget
  if engine_launch; then return 0; fi
  tail -n 30 "$engine_log" >&2
  fail "the engine did not start; its log is $engine_log"
}

# Empties the engine's data root, and only one that a Docker engine has used.
engine_forget() {
  [ -e "$AIPIPE_ENGINE_DATA" ] || return 0
  [ -e "$AIPIPE_ENGINE_DATA/buildkit" ] || [ -z "$(ls -A "$AIPIPE_ENGINE_DATA")" ] ||
    fail "$AIPIPE_ENGINE_DATA holds something that no engine made; set AIPIPE_ENGINE_DATA to another folder"
  ! grep -qsF " $AIPIPE_ENGINE_DATA/" /proc/mounts || fail "something is still mounted under $AIPIPE_ENGINE_DATA"
  # The folder itself stays: it may be a mount of the machine's.
  find "$AIPIPE_ENGINE_DATA" -xdev -mindepth 1 -delete
}

engine_launch() {
  mkdir -p "$AIPIPE_ENGINE_STATE" "$AIPIPE_ENGINE_DATA"
  engine_network
  engine_configure
  # No driver is named: overlayfs where the kernel has it. A session of its own, so that it
  # outlives this script and no terminal's signal reaches it; no standard input or output kept.
  PATH="$engine_bin:$PATH" setsid "$engine_bin/dockerd" \
    --host "unix://$engine_socket" --pidfile "$engine_pid" \
    --data-root "$AIPIPE_ENGINE_DATA" --exec-root "$AIPIPE_ENGINE_STATE/exec" \
    --config-file "$AIPIPE_ENGINE_STATE/daemon.json" \
    --bridge "$engine_bridge" </dev/null >"$engine_log" 2>&1 &
  local child=$! waited began=$SECONDS
  for ((waited = 0; waited < 120; waited++)); do
    if engine_answers; then
      disown "$child" 2>/dev/null || true
      say "the engine answers after $((SECONDS - began)) s"
      return 0
    fi
    kill -0 "$child" 2>/dev/null || break
    sleep 0.5
  done
  return 1
}

# Only the process that the pid file names, and only if it is a dockerd.
engine_stop() {
  local pid waited
  [ -f "$engine_pid" ] || return 0
  pid="$(cat "$engine_pid")"
  if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then
    kill "$pid" 2>/dev/null || true
    for ((waited = 0; waited < 60; waited++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.5
    done
    kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$engine_pid"
  ip link show "$engine_bridge" >/dev/null 2>&1 && ip link delete "$engine_bridge" || true
}

# engine_write_env BIN HOST: what a shell sources to reach the engine.
engine_write_env() {
  mkdir -p "$project/.cache"
  {
    printf '# Written by .ci/provision; source it to reach the Docker engine.\n'
    [ -z "$1" ] || printf 'export PATH=%q:"$PATH"\n' "$1"
    [ -z "$2" ] || printf 'export DOCKER_HOST=%q\n' "$2"
    printf 'export DOCKER_BUILDKIT=1\n'
  } >"$project/.cache/engine.env"
}
