#!/usr/bin/env bash
# What both pipelines share; source it, it runs nothing by itself.
#
# Words on stdout: a line that starts with { is for a program, every other line is log.
#   {"stage":"head","index":14,"of":16,"progress":0.35,"overall":0.61,"message":"…"}
#   {"error":{"code":"geneface.…","message":"…","hint":"…","params":{}}}            the last line of a failure
#   {"result":{…}}                                                                 the last line of a success
# Exit codes: 0 done · 2 bad arguments · 3 a weight is missing · 4 the video or sound cannot be used · 5 no GPU
#             · 130 / 143 stopped by SIGINT / SIGTERM · 1 anything else.
#
#   plan NAME:WEIGHT …                 the stages in their order; WEIGHT is any number ≥ 1 that grows with expected time
#   begin NAME MESSAGE                 the stage starts: announces it with progress 0
#   progress PERCENT [MESSAGE]         where the stage is, 0–100
#   finish [MESSAGE]                   the stage is done: announces progress 1
#   result JSON                        the facts of a success (a JSON object)
#   fail CODE EXIT MESSAGE HINT [NAME=VALUE …]    prints the error line and exits; CODE without its "geneface."
#   on_signals                         SIGINT and SIGTERM reach the running python; call it once, at the top
#   require_id ID                      exit 2 unless ID is 1–64 of A–Z a–z 0–9 _
#   require_weights train|infer        exit 3 with the first missing file, its source and licence (weights.json)
#   require_gpu                        exit 5 without an NVIDIA device; also sets CUDA_VISIBLE_DEVICES.
#                                      GENEFACE_ALLOW_CPU=1 skips the look: for tests of the pipelines only
#   enter_tree ID                      makes $TREE, a private copy of upstream's tree with the workspace's folders and
#                                      weights in their places, removed at exit, and goes there.  Upstream's small
#                                      files are copied (python resolves links when it looks for a script's
#                                      neighbours), large ones linked
#   keep PATH                          saves a file made in $TREE to the same place of the workspace, all or nothing
#   python_step [OPTION …] SCRIPT ARG … runs a program of upstream's; its output is logged, its bars become progress.
#       --total N          steps that make up the whole, for counts without an end (upstream's trainer)
#       --bars N           how many bars it shows one after the other (default 1)
#       --from P --to P    share of the stage that this run is, in percent (default 0 and 100)
#       --message TEXT     what the progress lines say (default: what begin said)
#       --in FOLDER        where it runs (default: here)
#       --or CODE          code of the error if it fails (default step_failed)
#     When it fails, the error line names the stage and what it said last, and the pipeline exits 1.
#   own_step [OPTION …] SCRIPT ARG …   the same for a python program beside this file, which prints the error line itself
#                                      and decides the exit code
#   own SCRIPT ARG …                   runs a python program beside this file; its exit code is the answer
#   tool PROGRAM ARG …                 runs any other program, exit code likewise; signals end it
#
# Variables: WORKSPACE (/GeneFace), GENEFACE_HOME (upstream's tree in the image, /opt/geneface), CACHE (weights that
# libraries fetch, /root/.cache/torch/hub/checkpoints), SCRIPTS (this folder), TREE.
set -euo pipefail

SCRIPTS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
WORKSPACE=$(dirname -- "$SCRIPTS")
export SCRIPTS WORKSPACE
export GENEFACE_HOME=${GENEFACE_HOME:-/opt/geneface}
export CACHE=${GENEFACE_CACHE:-/root/.cache/torch/hub/checkpoints}
# What libraries would fetch lies in $CACHE, and a container has no network: they need not try first.
export HF_HUB_OFFLINE=${HF_HUB_OFFLINE:-1} TRANSFORMERS_OFFLINE=${TRANSFORMERS_OFFLINE:-1}
IMAGE_WEIGHTS=/opt/weights
TREE=""
CHILD=""

# Files above this size are linked into $TREE instead of copied.
LINK_FROM_KB=512

STAGE_NAMES=()
STAGE_WEIGHTS=()
STAGE_TOTAL=0
STAGE_BEFORE=0
STAGE=""
STAGE_INDEX=0
STAGE_MESSAGE=""

json_text() {
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  text=${text//$'\r'/}
  text=${text//$'\t'/ }
  printf '"%s"' "${text//[[:cntrl:]]/}"
}

plan() {
  local entry
  for entry in "$@"; do
    STAGE_NAMES+=("${entry%%:*}")
    STAGE_WEIGHTS+=("${entry##*:}")
    STAGE_TOTAL=$((STAGE_TOTAL + ${entry##*:}))
  done
}

begin() {
  local place
  STAGE_BEFORE=0
  for ((place = 0; place < ${#STAGE_NAMES[@]}; place++)); do
    if [ "${STAGE_NAMES[place]}" = "$1" ]; then
      STAGE=$1
      STAGE_INDEX=$((place + 1))
      STAGE_MESSAGE=$2
      progress 0
      return
    fi
    STAGE_BEFORE=$((STAGE_BEFORE + STAGE_WEIGHTS[place]))
  done
  echo "steps.sh: $1 is not a stage of the plan" >&2
  exit 1
}

progress() {
  local percent=$1 overall
  overall=$(((STAGE_BEFORE * 100 + STAGE_WEIGHTS[STAGE_INDEX - 1] * percent) * 100 / STAGE_TOTAL))
  printf '{"stage":"%s","index":%d,"of":%d,"progress":%d.%02d,"overall":%d.%04d,"message":%s}\n' \
    "$STAGE" "$STAGE_INDEX" "${#STAGE_NAMES[@]}" $((percent / 100)) $((percent % 100)) \
    $((overall / 10000)) $((overall % 10000)) "$(json_text "${2:-$STAGE_MESSAGE}")"
}

finish() {
  progress 100 "${1:-$STAGE_MESSAGE}"
}

result() {
  printf '{"result":%s}\n' "$1"
}

fail() {
  local code=$1 status=$2 message=$3 hint=$4 pair params=""
  shift 4
  for pair in "$@"; do
    params+="${params:+,}$(json_text "${pair%%=*}"):$(json_text "${pair#*=}")"
  done
  printf '{"error":{"code":"geneface.%s","message":%s,"hint":%s,"params":{%s}}}\n' \
    "$code" "$(json_text "$message")" "$(json_text "$hint")" "$params"
  exit "$status"
}

on_signals() {
  trap 'stopped INT 130' INT
  trap 'stopped TERM 143' TERM
  trap leave EXIT
}

stopped() {
  trap '' INT TERM
  if [ -n "$CHILD" ]; then
    # TERM also for SIGINT, which bash makes its background children ignore; watch.py turns it into SIGINT for python
    kill -TERM "$CHILD" 2>/dev/null || true
    wait "$CHILD" 2>/dev/null || true
  fi
  fail stopped "$2" "The work was stopped (SIG$1)." "Start it again: it goes on with the stage that was stopped." \
    "stage=$STAGE"
}

leave() {
  local status=$?
  [ -z "$TREE" ] || rm -rf -- "$TREE"
  exit "$status"
}

require_id() {
  [[ $1 =~ ^[A-Za-z0-9_]{1,64}$ ]] || fail id 2 "The id $1 cannot be used." \
    "Use 1 to 64 letters (a to z), digits and underscores, such as May_2024." "id=$1"
}

require_weights() {
  unpack_weights
  own weights_on_hand.py "$1" --workspace "$WORKSPACE" --home "$GENEFACE_HOME" --cache "$CACHE" || exit
}

# An image may bring what its libraries would fetch; the mounted cache hides that place, so it is copied there once.
unpack_weights() {
  local file
  [ -d "$IMAGE_WEIGHTS" ] || return 0
  while IFS= read -r -d '' file; do
    [ ! -e "$CACHE/$file" ] || continue
    mkdir -p -- "$(dirname -- "$CACHE/$file")"
    cp -- "$IMAGE_WEIGHTS/$file" "$CACHE/$file.part"
    mv -f -- "$CACHE/$file.part" "$CACHE/$file"
  done < <(cd -- "$IMAGE_WEIGHTS" && find . -type f -print0)
}

require_gpu() {
  # Upstream decides by this variable alone whether it uses a GPU; a container sees its one GPU as number 0.
  export CUDA_VISIBLE_DEVICES=0
  if [ "${GENEFACE_ALLOW_CPU:-}" = 1 ]; then
    echo "no look at the GPU: GENEFACE_ALLOW_CPU=1"
    return
  fi
  if command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q '^GPU'; then
    return
  fi
  compgen -G '/dev/nvidia[0-9]*' >/dev/null || fail gpu 5 "No NVIDIA GPU is visible in the container." \
    "Start it with docker run --gpus device=0; the machine needs NVIDIA's driver and nvidia-container-toolkit."
}

enter_tree() {
  local id=$1
  TREE=$(mktemp -d "${TMPDIR:-/tmp}/geneface.XXXXXX")
  [ -f "$GENEFACE_HOME/tasks/run.py" ] || fail image 1 "Upstream's code is not at $GENEFACE_HOME." \
    "Build the image again: docker build -t geneface:latest GeneFace-main" "path=$GENEFACE_HOME"
  copy_code
  overlay_weights
  lay_folders "$id"
  own_folders
  cd -- "$TREE"
}

copy_code() {
  local name
  for name in egs tasks utils modules inference data_gen data_util deep_3drecon; do
    (cd -- "$GENEFACE_HOME" && find "$name" -type d -not -name __pycache__ -print0) \
      | (cd -- "$TREE" && xargs -0 mkdir -p --)
    (cd -- "$GENEFACE_HOME" && find "$name" -type f -size "-${LINK_FROM_KB}k" -not -name '*.pyc' -print0 \
      | xargs -0 cp --parents -t "$TREE" --)
    (cd -- "$GENEFACE_HOME" && find "$name" -type f -not -size "-${LINK_FROM_KB}k" -print0) \
      | while IFS= read -r -d '' file; do ln -s -- "$GENEFACE_HOME/$file" "$TREE/$file"; done
  done
  chmod -R u+w -- "$TREE"
}

overlay_weights() {
  local name file
  for name in deep_3drecon data_util; do
    [ -d "$WORKSPACE/$name" ] || continue
    while IFS= read -r -d '' file; do
      mkdir -p -- "$(dirname -- "$TREE/$file")"
      ln -sf -- "$WORKSPACE/$file" "$TREE/$file"
    done < <(cd -- "$WORKSPACE" && find "$name" -type f -not -name '.*' -print0)
  done
}

# The workspace's folders in upstream's places.  data/raw/videos is a folder of the tree's own: upstream looks there for
# the normalised video under the name of the one that the user gave, and that one stays as it is.
lay_folders() {
  local id=$1 name
  mkdir -p -- "$WORKSPACE"/{checkpoints,infer_out,egs/datasets/videos} \
    "$WORKSPACE"/data/{raw/videos,raw/val_wavs,processed/videos,binary/videos}
  for name in checkpoints infer_out; do
    ln -s -- "$WORKSPACE/$name" "$TREE/$name"
  done
  mkdir -p -- "$TREE/data/raw/videos"
  ln -s -- "$WORKSPACE/data/raw/val_wavs" "$TREE/data/raw/val_wavs"
  ln -s -- "$WORKSPACE/data/processed" "$TREE/data/processed"
  ln -s -- "$WORKSPACE/data/binary" "$TREE/data/binary"
  ln -s -- "$WORKSPACE/data/processed/videos/$id/normalised.mp4" "$TREE/data/raw/videos/$id.mp4"
  rm -rf -- "$TREE/egs/datasets/videos/$id"
  ln -s -- "$WORKSPACE/egs/datasets/videos/$id" "$TREE/egs/datasets/videos/$id"
}

# Libraries want folders that they may write, and a name for whoever runs them; the user of a container has neither.
own_folders() {
  mkdir -p -- "$TREE/.home/.tensorflow" "$TREE/.cache"/{matplotlib,numba,torch_extensions}
  ln -s -- "$CACHE/tensorflow" "$TREE/.home/.tensorflow/models"
  export HOME=$TREE/.home USER=${USER:-geneface} LOGNAME=${LOGNAME:-geneface} PYTHONPATH=./
  export XDG_CACHE_HOME=$TREE/.cache MPLCONFIGDIR=$TREE/.cache/matplotlib NUMBA_CACHE_DIR=$TREE/.cache/numba
  export TORCH_EXTENSIONS_DIR=${TORCH_EXTENSIONS_DIR:-$TREE/.cache/torch_extensions}
  export TORCH_HOME=${CACHE%/hub/checkpoints} HF_HOME=${HF_HOME:-$CACHE/huggingface}
}

keep() {
  mkdir -p -- "$(dirname -- "$WORKSPACE/$1")"
  cp -- "$TREE/$1" "$WORKSPACE/$1.part"
  mv -f -- "$WORKSPACE/$1.part" "$WORKSPACE/$1"
}

python_step() {
  watched "$@"
}

own_step() {
  local options=()
  while [[ $1 == --* ]]; do
    options+=("$1" "$2")
    shift 2
  done
  watched --ours "${options[@]}" "$SCRIPTS/$1" "${@:2}"
}

# watch.py takes signals for the whole family of processes that a program starts.
watched() {
  PYTHONDONTWRITEBYTECODE=1 tool python "$SCRIPTS/watch.py" --stage "$STAGE" --index "$STAGE_INDEX" \
    --of "${#STAGE_NAMES[@]}" --before "$STAGE_BEFORE" --weight "${STAGE_WEIGHTS[STAGE_INDEX - 1]}" \
    --sum "$STAGE_TOTAL" --message "$STAGE_MESSAGE" "$@" || exit
}

own() {
  PYTHONDONTWRITEBYTECODE=1 tool python "$SCRIPTS/$1" "${@:2}"
}

# In the background, because bash runs its traps only between commands and while it waits.
tool() {
  local status=0
  "$@" </dev/null &
  CHILD=$!
  wait "$CHILD" || status=$?
  CHILD=""
  return "$status"
}
