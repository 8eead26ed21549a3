# The base image, made here: Debian's own Python under the name that a Dockerfile expects. The
# tarball is kept in the cache, never in git.
# shellcheck shell=bash

image_tarball="$AIPIPE_CACHE/base-$(host_suite).tar"

provision_image() {
  [ -f "$project/.cache/engine.env" ] || fail "no engine: run .ci/provision engine first"
  # shellcheck source=/dev/null
  . "$project/.cache/engine.env"
  if docker image inspect "$AIPIPE_BASE_IMAGE" >/dev/null 2>&1; then
    say "the image $AIPIPE_BASE_IMAGE is there"
    return 0
  fi
  [ -s "$image_tarball" ] || image_make
  image_import || fail "could not import $image_tarball as $AIPIPE_BASE_IMAGE"
  docker run --rm --network=none "$AIPIPE_BASE_IMAGE" python -c 'print("provision: python runs in the base image")' ||
    fail "the base image does not run"
}

image_import() {
  docker import \
    --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV LANG=C.UTF-8' --change 'CMD ["python3"]' \
    "$image_tarball" "$AIPIPE_BASE_IMAGE" >/dev/null
}

# The archive that apt itself uses: the first URI of a source that names the host's suite.
image_mirror() {
  apt-get indextargets --format '$(SITE) $(CODENAME) $(CREATED_BY)' 2>/dev/null |
    awk -v suite="$(host_suite)" '$2 == suite && $3 == "Packages" { print $1; exit }'
}

image_make() {
  local work mirror log="$AIPIPE_CACHE/debootstrap.log"
  apt_install debootstrap
  apt_update_once
  mirror="$(image_mirror)"
  [ -n "$mirror" ] || fail "could not tell which archive apt uses for $(host_suite)"
  work="$(mktemp -d "${TMPDIR:-/var/tmp}/aipipe-base.XXXXXX")"
  say "making the base image (about a minute)"
  if ! retry 2 image_bootstrap "$work/root" "$mirror" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -rf --one-file-system "$work"
    fail "debootstrap failed; its log is $log"
  fi
  image_finish "$work/root"
  tar --numeric-owner --sort=name -C "$work/root" -cf "$image_tarball.part" .
  mv "$image_tarball.part" "$image_tarball"
  rm -rf --one-file-system "$work"
}

image_bootstrap() {
  rm -rf --one-file-system "$1"
  debootstrap --variant=minbase --include=python3,python3-pip,python3-venv,ca-certificates "$(host_suite)" "$1" "$2"
}

# `python` and `pip` are at hand and may install, as in the image whose name this one bears.
image_finish() {
  local root="$1"
  ln -sf ../../bin/python3 "$root/usr/local/bin/python3"
  ln -sf ../../bin/python3 "$root/usr/local/bin/python"
  ln -sf ../../bin/pip3 "$root/usr/local/bin/pip"
  rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/doc "$root"/usr/share/man \
    "$root"/usr/share/locale "$root"/var/log/*.log
}
