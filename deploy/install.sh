#!/bin/sh
# Installs Browsergrid, or replaces it by another version.
#
#   sh install.sh [--version VERSION] [--dir FOLDER]
#
# BROWSERGRID_BASE_URL is the address of a mirror of the releases, with the paths
# latest/download/FILE and download/vVERSION/FILE. PREFIX selects $PREFIX/bin.
# Needs curl or wget, tar, and sha256sum, shasum or openssl; no root.

# The braces make the shell read the whole script before it runs a line.
{
set -eu

DEFAULT_BASE_URL=https://github.example/browsergrid/browsergrid/releases
CHECKSUMS=SHA256SUMS
temporary=

say() { printf '%s\n' "$*"; }

fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

misuse() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 2
}

has() { command -v "$1" >/dev/null 2>&1; }

usage() {
  cat <<USAGE
Usage: sh install.sh [--version VERSION] [--dir FOLDER]

  --version VERSION  version to install, such as 0.2.0 (default: the latest)
  --dir FOLDER       folder of the program (default: \$PREFIX/bin, or ~/.local/bin)

Variables:
  BROWSERGRID_BASE_URL  address of a mirror of the releases
  PREFIX                the program is installed in \$PREFIX/bin
USAGE
}

main() {
  version=latest
  folder=
  while [ $# -gt 0 ]; do
    case $1 in
      --version | --dir)
        [ -n "${2:-}" ] || misuse "Option $1 has no value"
        if [ "$1" = --dir ]; then folder=$2; else version=${2#v}; fi
        shift 2
        ;;
      --help | -h) usage; exit 0 ;;
      *) misuse "Unknown argument \"$1\", expected --version, --dir or --help" ;;
    esac
  done
  case $version in
    *[!0-9A-Za-z.+-]*) misuse "Version \"$version\" is not valid, expected one such as 0.2.0" ;;
  esac

  detect_platform
  archive=browsergrid-$platform.tar.gz
  select_address
  select_folder
  mkdir -p "$folder" 2>/dev/null || fail "Cannot create the folder $folder, expected a path for --dir that this user may create"
  [ ! -d "$folder/browsergrid" ] || fail "Cannot install: $folder/browsergrid is a folder, expected a file or nothing"
  # A killed run leaves its folder.
  find "$folder" -maxdepth 1 -type d -name '.browsergrid-install.*' -mtime +0 -exec rm -rf {} + 2>/dev/null || :
  # In the same folder, so that the program is replaced in one step.
  temporary=$(mktemp -d "$folder/.browsergrid-install.XXXXXX" 2>/dev/null) || fail "Cannot write to the folder $folder, expected one that this user may change: select it with --dir"
  trap 'rm -rf "$temporary"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' HUP TERM

  say "Downloading $address/$archive"
  download "$CHECKSUMS"
  download "$archive"
  verify
  tar -xzf "$temporary/$archive" -C "$temporary" browsergrid 2>/dev/null || fail "Cannot unpack $archive: tar failed"
  chmod 755 "$temporary/browsergrid"
  installed=$("$temporary/browsergrid" --version 2>/dev/null) || fail "Cannot run the program on this machine: browsergrid --version failed in $folder"
  mv -f "$temporary/browsergrid" "$folder/browsergrid" || fail "Cannot replace $folder/browsergrid"
  say "Installed browsergrid $installed as $folder/browsergrid"
  explain_next_steps
}

detect_platform() {
  system=$(uname -s)
  machine=$(uname -m)
  case $system in
    Linux) platform=linux ;;
    Darwin) platform=macos ;;
    MINGW* | MSYS* | CYGWIN*) fail "Cannot install on Windows, expected Linux or macOS: use winget or npm there" ;;
    *) fail "Cannot install on $system, expected Linux or macOS" ;;
  esac
  case $machine in
    x86_64 | amd64) platform=$platform-x64 ;;
    aarch64 | arm64) platform=$platform-arm64 ;;
    *) fail "Cannot install on the processor $machine, expected x86_64 or arm64" ;;
  esac
  # The program needs the C library of GNU.
  if [ "$system" = Linux ] && ldd --version 2>&1 | grep -qi musl; then
    fail "Cannot install on a Linux with musl, expected one with glibc: use the container image there"
  fi
}

select_address() {
  base=${BROWSERGRID_BASE_URL:-$DEFAULT_BASE_URL}
  case $base in
    https://*) protocols='=https' ;;
    # Without TLS, others on the network could replace the program and its checksum.
    http://127.0.0.1[:/]* | http://localhost[:/]* | 'http://[::1]'*) protocols='=http,https' ;;
    *) fail "Cannot download from \"$base\", expected an https URL" ;;
  esac
  if [ "$version" = latest ]; then
    address=${base%/}/latest/download
  else
    address=${base%/}/download/v$version
  fi
}

select_folder() {
  [ -z "$folder" ] || return 0
  if [ -n "${PREFIX:-}" ]; then
    folder=$PREFIX/bin
  else
    [ -n "${HOME:-}" ] || fail "Cannot select a folder: HOME is not set, expected --dir FOLDER"
    folder=$HOME/.local/bin
  fi
}

# Downloads a file of the release into the temporary folder.
download() {
  errors=$temporary/errors
  if has curl; then
    curl -fsSL --proto "$protocols" --proto-redir "$protocols" --retry 2 -o "$temporary/$1" "$address/$1" 2>"$errors" ||
      fail "Cannot download $address/$1: $(last_line "$errors")"
  elif has wget; then
    tries=
    if wget --help 2>&1 | grep -q -e --tries; then tries=--tries=2; fi
    [ "$protocols" != '=https' ] || expect_gnu_wget
    # shellcheck disable=SC2086 # Empty means no option.
    LC_ALL=C wget $tries -O "$temporary/$1" "$address/$1" 2>"$errors" ||
      fail "Cannot download $address/$1: $(last_line "$errors")"
    [ "$protocols" != '=https' ] || verify_requests "$1"
  else
    fail "Cannot download: neither curl nor wget is installed"
  fi
}

# The output of others does not show each address of a download.
expect_gnu_wget() {
  case $(wget --version 2>/dev/null) in
    "GNU Wget 1."*) ;;
    *) fail "Cannot download with this wget, expected curl or GNU Wget 1" ;;
  esac
}

# Rejects a download that wget was redirected to without TLS, which it has no option for.
verify_requests() {
  if ! grep -q '^--.*--  https://' "$errors" || grep -Eqi '^(--.*--  |Location: )(http|ftp):' "$errors"; then
    fail "Cannot download $address/$1: it is redirected to an address without TLS, expected https"
  fi
}

last_line() { grep . "$1" | tail -n 1; }

# Compares the checksum of the archive with the line of the release.
verify() {
  expected=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$temporary/$CHECKSUMS")
  [ -n "$expected" ] || fail "Cannot verify $archive: $CHECKSUMS of this release has no line for it"
  if has sha256sum; then
    actual=$(sha256sum "$temporary/$archive" | awk '{ print $1 }')
  elif has shasum; then
    actual=$(shasum -a 256 "$temporary/$archive" | awk '{ print $1 }')
  elif has openssl; then
    actual=$(openssl dgst -sha256 -r "$temporary/$archive" | awk '{ print $1 }')
  else
    fail "Cannot verify $archive: none of sha256sum, shasum and openssl is installed"
  fi
  [ "$actual" = "$expected" ] || fail "Cannot install $archive: its checksum is $actual, expected $expected"
}

explain_next_steps() {
  case :${PATH:-}: in
    *":$folder:"*) command=browsergrid ;;
    *)
      command=$folder/browsergrid
      say "The folder is not on the PATH. To add it for this shell:"
      say "  export PATH=\"$folder:\$PATH\""
      ;;
  esac
  say "Start a grid on this machine:"
  say "  $command serve --with-worker"
}

main "$@"
exit
}
