#!/usr/bin/env bash
# Brings upstream's code to $3: source.sh clone|local REPO COMMIT TARGET LOCAL-FOLDER
set -euo pipefail

fetch() {
  git init -q "$3"
  git -C "$3" remote add origin "$1"
  # not every mirror hands out a commit by its number
  git -C "$3" fetch -q --depth 1 origin "$2" || git -C "$3" fetch -q --tags origin "+refs/heads/*:refs/remotes/origin/*"
  git -C "$3" checkout -q --detach "$2"
  rm -rf "$3/.git"
}

case $1 in
  clone) fetch "$2" "$3" "$4" ;;
  local)
    if [ ! -f "$5/tasks/run.py" ]; then
      echo "SOURCE=local, but the build context has no GeneFace-main/source with GeneFace's code (tasks/run.py)." >&2
      exit 1
    fi
    mkdir -p "$4"
    cp -r "$5/." "$4"
    ;;
  *) echo "SOURCE is clone or local, not $1." >&2; exit 1 ;;
esac
rm -rf "$4/assets" "$4/docs" "$4/data/raw/videos"
