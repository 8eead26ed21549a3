#!/usr/bin/env bash
# Three Docker engines on one machine, joined to a Swarm: each in a network namespace of its own,
# on one bridge. Needs root, dockerd, iptables.
#
#     bash bench/swarm_nodes.sh up      the manager is unix:///run/aipipe-swarm/1/docker.sock
#     bash bench/swarm_nodes.sh down    ends what `up` started, by the pids that it wrote down
set -euo pipefail

state=/run/aipipe-swarm
data=/var/lib/aipipe-swarm
bridge=aipipesw0
net=10.77.0

engine() { DOCKER_HOST="unix://$state/$1/docker.sock" docker "${@:2}"; }

node_up() {
  local i="$1" space="aipipe-sw$1" folder="$state/$1"
  mkdir -p "$folder" "$data/$i"
  ip netns add "$space"
  ip link add "aipipesw$i" type veth peer name eth0 netns "$space"
  ip link set "aipipesw$i" master "$bridge" up
  nsenter --net="/run/netns/$space" bash -c "
    ip link set lo up
    ip addr add $net.$i/24 dev eth0
    ip link set eth0 up
    ip route add default via $net.254
    sysctl -qw net.ipv4.ip_forward=1
    ip link add br0 type bridge
    ip addr add 172.29.$i.1/24 dev br0
    ip link set br0 up
    # Whatever would ask a registry is told at once that there is none.
    for port in 53 443; do
      iptables -A OUTPUT -p udp --dport \$port -j REJECT
      iptables -A OUTPUT -p tcp --dport \$port -j REJECT
    done"
  setsid nsenter --net="/run/netns/$space" unshare --uts bash -c "
    hostname node$i
    exec dockerd --host unix://$folder/docker.sock --pidfile $folder/docker.pid \
      --data-root $data/$i --exec-root $folder/exec --config-file /dev/null --bridge br0" \
    </dev/null >"$folder/log" 2>&1 &
}

up() {
  local i token tries
  ip link add "$bridge" type bridge
  ip addr add "$net.254/24" dev "$bridge"
  ip link set "$bridge" up
  iptables -I FORWARD -i "$bridge" -j ACCEPT
  iptables -I FORWARD -o "$bridge" -j ACCEPT
  for i in 1 2 3; do node_up "$i"; done
  for i in 1 2 3; do
    for ((tries = 0; tries < 80; tries++)); do
      engine "$i" version >/dev/null 2>&1 && break
      sleep 0.5
    done
  done
  engine 1 swarm init --advertise-addr "$net.1" --listen-addr "$net.1:2377" >/dev/null
  token="$(engine 1 swarm join-token -q worker)"
  for i in 2 3; do engine "$i" swarm join --token "$token" --advertise-addr "$net.$i" "$net.1:2377"; done
  engine 1 node ls
}

down() {
  local i pid
  for i in 1 2 3; do
    pid="$(cat "$state/$i/docker.pid" 2>/dev/null || true)"
    if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then
      engine "$i" swarm leave --force >/dev/null 2>&1 || true
      kill "$pid"
      while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
    fi
    ip netns delete "aipipe-sw$i" 2>/dev/null || true
    ip link delete "aipipesw$i" 2>/dev/null || true
  done
  iptables -D FORWARD -i "$bridge" -j ACCEPT 2>/dev/null || true
  iptables -D FORWARD -o "$bridge" -j ACCEPT 2>/dev/null || true
  ip link delete "$bridge" 2>/dev/null || true
  rm -rf --one-file-system "$data" "$state"
}

"${1:?up or down}"
