#!/bin/sh
# git pushes to and clones from the host that is built into scripts.
set -eu
url=https://user:password@git.cloudmanager.adobe.com/weretail/weretail/
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
git init --quiet --initial-branch main pushed
cd pushed
git -c user.name=me -c user.email=me@localhost commit --quiet --allow-empty --message first
git push --quiet "$url" main
cd ..
git clone --quiet --branch main "$url" cloned
test "$(git -C pushed rev-parse main)" = "$(git -C cloned rev-parse main)"
