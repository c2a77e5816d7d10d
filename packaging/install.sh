#!/bin/sh
# Installs a released cloudmanager-emulator for this user, after checking its checksum.
#
#   CME_VERSION      the version; the newest if absent
#   CME_INSTALL_DIR  where to; ~/.local/bin if absent
set -eu

# The release fills in where it is published.
repository='@REPOSITORY@'
directory=${CME_INSTALL_DIR:-$HOME/.local/bin}

fail() {
    echo "install.sh: $1" >&2
    exit 1
}

case "$(uname -s)" in
    Linux) system=unknown-linux-musl ;;
    Darwin) system=apple-darwin ;;
    *) fail "there is no program for $(uname -s); build it with cargo" ;;
esac
case "$(uname -m)" in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    *) fail "there is no program for $(uname -m); build it with cargo" ;;
esac

if [ -n "${CME_VERSION:-}" ]; then
    from=$repository/releases/download/v$CME_VERSION
else
    from=$repository/releases/latest/download
fi
archive=cloudmanager-emulator-$machine-$system.tar.gz
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
cd "$temporary"
curl -fsSL --proto '=https' -O "$from/$archive" -O "$from/$archive.sha256"
if command -v sha256sum >/dev/null; then
    sha256sum -c "$archive.sha256" >/dev/null
else
    shasum -a 256 -c "$archive.sha256" >/dev/null
fi || fail "the checksum of $archive is wrong"
tar -xzf "$archive"
mkdir -p "$directory"
install -m 755 cloudmanager-emulator "$directory/"
echo "installed $directory/cloudmanager-emulator"
case ":$PATH:" in
*":$directory:"*) ;;
*) echo "add $directory to PATH" ;;
esac
