#!/usr/bin/env bash
# Makes a trained avatar say a sound: bash scripts/infer_pipeline.sh --video_id ID --audio_path FILE
set -euo pipefail
# shellcheck source=steps.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/steps.sh"

usage() {
  cat <<'TEXT'
infer_pipeline.sh --video_id ID --audio_path FILE [option …]
  --video_id ID         the trained avatar
  --audio_path FILE     any sound or video that ffmpeg reads, of any length
  --out FILE            the video (default infer_out/ID/pred_video/NAME-OF-FILE.mp4)
  --chunk_seconds N     longest piece rendered at once, 2 to 25 (default 25; the GPU needs about 0.16 GB a second)
  --postnet_step N      checkpoint of the postnet (default: the newest up to 6000, else the oldest)
  --motion auto|postnet|audio2motion
                        what moves the face (default auto: the postnet if one was trained, else audio2motion)
  --keep_mouth          do not close the mouth where the sound is silent
  --fresh               forget what a stopped run left
Paths are relative to the workspace (/GeneFace).  Lines on stdout and exit codes: see scripts/steps.sh.
TEXT
}

GOOD_POSTNET_STEP=6000
GENERAL=checkpoints/lrs3/lm3d_vae_sync
EVEN="pad=ceil(iw/2)*2:ceil(ih/2)*2"
AGAIN="Start it again: it goes on with this stage.  The log of the job has the whole output."

ID=""
AUDIO=""
OUT=""
CHUNK_SECONDS=25
POSTNET_STEP=""
MOTION=auto
KEEP=()
FRESH=""

bad_arguments() {
  fail arguments 2 "$1" "bash scripts/infer_pipeline.sh --help lists what can be asked for."
}

read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h) usage; exit 0 ;;
      --keep_mouth) KEEP=(--keep); shift; continue ;;
      --fresh) FRESH=1; shift; continue ;;
    esac
    [ $# -ge 2 ] || bad_arguments "$1 is unknown, or has no value."
    case $1 in
      --video_id) ID=$2 ;;
      --audio_path) AUDIO=$2 ;;
      --out) OUT=$2 ;;
      --chunk_seconds) CHUNK_SECONDS=$2 ;;
      --postnet_step) POSTNET_STEP=$2 ;;
      --motion) MOTION=$2 ;;
      *) bad_arguments "$1 is unknown." ;;
    esac
    shift 2
  done
}

check_arguments() {
  [ -n "$ID" ] || bad_arguments "--video_id is missing."
  require_id "$ID"
  [ -n "$AUDIO" ] || bad_arguments "--audio_path is missing."
  [[ $CHUNK_SECONDS =~ ^([2-9]|1[0-9]|2[0-5])$ ]] \
    || bad_arguments "--chunk_seconds is a whole number from 2 to 25, not $CHUNK_SECONDS."
  [[ $POSTNET_STEP =~ ^[0-9]{0,9}$ ]] || bad_arguments "--postnet_step is a whole number, not $POSTNET_STEP."
  [[ $MOTION =~ ^(auto|postnet|audio2motion)$ ]] \
    || bad_arguments "--motion is auto, postnet or audio2motion, not $MOTION."
  cd -- "$WORKSPACE"
  [ -f "$AUDIO" ] || bad_arguments "There is no file $AUDIO."
  AUDIO=$(realpath -- "$AUDIO")
  local name
  name=$(basename -- "$AUDIO")
  OUT=${OUT:-infer_out/$ID/pred_video/${name%.*}.mp4}
  [[ $OUT == *.mp4 ]] || bad_arguments "--out ends in .mp4, not $OUT."
}

lacks() {
  fail not_trained 3 "The avatar $ID lacks $1." \
    "Train it first: bash scripts/train_pipeline.sh --video_path data/raw/videos/$ID.mp4 --epochs 10" \
    "id=$ID" "path=$1"
}

# The steps for which a folder holds a checkpoint, one a line, ascending.
steps_in() {
  { find "$1" -maxdepth 1 -name 'model_ckpt_steps_*.ckpt' -size +0 2>/dev/null || true; } \
    | sed -n 's/.*model_ckpt_steps_\([0-9]*\)\.ckpt$/\1/p' | sort -n
}

check_avatar() {
  local name
  for name in lm3d_radnerf lm3d_radnerf_torso; do
    [ -n "$(steps_in "checkpoints/$ID/$name")" ] || lacks "checkpoints/$ID/$name/model_ckpt_steps_*.ckpt"
  done
  [ -s "checkpoints/$ID/lm3d_radnerf_torso/config.yaml" ] || lacks "checkpoints/$ID/lm3d_radnerf_torso/config.yaml"
  DATASET=data/binary/videos/$ID/trainval_dataset.npy
  [ -s "$DATASET" ] || lacks "$DATASET"
  for name in ori_imgs gt_imgs torso_imgs; do
    [ -d "data/processed/videos/$ID/$name" ] || lacks "data/processed/videos/$ID/$name"
  done
}

choose_motion() {
  local folder=checkpoints/$ID/lm3d_postnet_sync steps step chosen=""
  steps=$(steps_in "$folder")
  if [ "$MOTION" = audio2motion ] || { [ "$MOTION" = auto ] && { [ -z "$steps" ] || [ ! -s "$folder/config.yaml" ]; }; }
  then
    MOTION_SAYS="moving the lips by the general model"
    [ "$MOTION" = audio2motion ] || MOTION_SAYS+=" (no postnet was trained for $ID)"
    MOTION=audio2motion
    POSTNET_STEP=""
    [ -s "$GENERAL/config.yaml" ] || fail weight_missing 3 \
      "The weight GeneFace-main/$GENERAL/config.yaml is missing. It comes from lrs3.zip of GeneFace's release v1.1.0." \
      "scripts/weights list tells what is missing and how to get each." "path=GeneFace-main/$GENERAL/config.yaml"
    return
  fi
  [ -n "$steps" ] || lacks "$folder/model_ckpt_steps_*.ckpt"
  [ -s "$folder/config.yaml" ] || lacks "$folder/config.yaml"
  for step in $steps; do
    if [ -z "$chosen" ] || ((step <= GOOD_POSTNET_STEP)); then chosen=$step; fi
  done
  if [ -n "$POSTNET_STEP" ]; then
    [ -s "$folder/model_ckpt_steps_$POSTNET_STEP.ckpt" ] || bad_arguments \
      "The postnet of $ID has no step $POSTNET_STEP; it has $(tr '\n' ' ' <<<"$steps")."
    chosen=$POSTNET_STEP
  fi
  MOTION=postnet
  POSTNET_STEP=$chosen
  MOTION_SAYS="moving the lips by the postnet of $ID, step $chosen"
}

# Expected seconds become the weights of the stages.
plan_stages() {
  local seconds pieces
  seconds=$(ffprobe -v error -protocol_whitelist file -show_entries format=duration -of csv=p=0 "file:$AUDIO" || true)
  seconds=${seconds%%.*}
  [[ $seconds =~ ^[0-9]{1,7}$ ]] || seconds=10
  pieces=$((seconds / CHUNK_SECONDS + 1))
  plan check:1 sound:$((1 + seconds / 60)) avatar:2 landmarks:$((40 + seconds / 20)) mouth:1 \
    render:$((pieces * 30 + seconds * 3)) join:$((1 + seconds / 4))
}

fingerprint() {
  {
    sha256sum <"$AUDIO"
    echo "$ID $CHUNK_SECONDS $MOTION $POSTNET_STEP ${KEEP[*]:-}"
    sha256sum <"$SCRIPTS/split_sound.py"
    stat -c '%n %s %Y' "$DATASET" "checkpoints/$ID"/lm3d_*/*.ckpt
  } | sha256sum | cut -c1-64
}

# A folder for this video's intermediate results; one that another sound or another training left is emptied.
open_work() {
  local name print
  name=$(sha256sum <<<"$OUT" | cut -c1-16)
  WORK=infer_out/$ID/work/$name
  mkdir -p -- "$WORK" "$(dirname -- "$OUT")"
  exec 9>"$WORK.lock"
  flock -n 9 || fail busy 1 "$OUT is being made already." "Wait for it, or stop it first." "path=$OUT"
  print=$(fingerprint)
  if [ -n "$FRESH" ] || [ "$(cat "$WORK/fingerprint" 2>/dev/null)" != "$print" ]; then
    rm -rf -- "$WORK"
    mkdir -p -- "$WORK"
    echo "$print" >"$WORK/fingerprint"
  fi
  PART=$(dirname -- "$OUT")/.$name.part.mp4
  rm -f -- "$OUT" "$PART"
}

# Run a program of ours; if it fails, the error names the stage and its last line.
# said CODE EXIT HINT COMMAND …
said() {
  local code=$1 status=$2 hint=$3 log last
  shift 3
  # not in the workspace: its disk may be the full one
  log=$(mktemp)
  if "$@" 2>"$log"; then
    cat "$log" >&2
    rm -f -- "$log"
    return
  fi
  cat "$log" >&2
  last=$(grep -v -e '^[[:space:]]*$' -e '^Conversion failed!$' "$log" | tail -n 1 || true)
  if grep -q "No space left on device" "$log"; then code=disk_full; fi
  rm -f -- "$log"
  if [ "$code" = disk_full ] || is_full; then
    fail disk_full 1 "The disk is full." \
      "Free some space (df -h names the full disk), then start again: it goes on with this stage." "stage=$STAGE"
  fi
  fail "$code" "$status" "Stage $STAGE failed: ${last:-it said nothing}" "$hint" "stage=$STAGE" "said=$last"
}

is_full() {
  [ "$(df --output=avail "$WORKSPACE/$WORK" | tail -n 1)" -lt 512 ]
}

media() {
  tool ffmpeg -nostdin -hide_banner -v error -y "$@"
}

frames_of() {
  ffprobe -v error -select_streams v:0 -count_packets -show_entries stream=nb_read_packets -of csv=p=0 "file:$1" \
    2>/dev/null | tr -dc 0-9 || true
}

# The sound once as it is, for the video, and once as upstream wants it; then where to cut it.
read_sound() {
  local facts rate samples
  begin sound "reading the sound"
  if [ ! -s "$WORK/plan.tsv" ]; then
    said sound 4 "Send a file with sound in it; ffmpeg must be able to read it." \
      media -protocol_whitelist file -i "file:$AUDIO" -map 0:a:0 -c:a pcm_s16le -rf64 auto "$WORK/original.wav"
    facts=$(ffprobe -v error -show_entries stream=sample_rate,duration_ts -of default=nw=1 "$WORK/original.wav")
    rate=$(sed -n 's/^sample_rate=\([0-9]*\)$/\1/p' <<<"$facts")
    samples=$(sed -n 's/^duration_ts=\([0-9]*\)$/\1/p' <<<"$facts")
    [ "${samples:-0}" -gt 0 ] || fail sound 4 "There is no sound in $(basename -- "$AUDIO")." "Send a file with sound in it."
    said step_failed 1 "$AGAIN" media -i "$WORK/original.wav" -ac 1 -ar 16000 -c:a pcm_s16le "$WORK/sound_16000.wav"
    said step_failed 1 "$AGAIN" own split_sound.py --sound "$WORK/sound_16000.wav" --samples "$samples" --rate "$rate" \
      --longest "$CHUNK_SECONDS" --out "$WORK"
  fi
  PIECES=$(wc -l <"$WORK/plan.tsv")
  FRAMES=$(tail -n 1 "$WORK/plan.tsv" | cut -f3)
  finish "$FRAMES frames in $PIECES pieces"
}

# What rendering reads of the avatar, made small once for all its videos.
read_avatar() {
  begin avatar "reading the avatar"
  AVATAR=infer_out/$ID/work/avatar.npy
  local print
  print=$(stat -c '%s %Y' "$DATASET"; cat "$SCRIPTS/avatar_view.py" "$SCRIPTS/close_mouth.py" | sha256sum)
  if [ ! -s "$AVATAR" ] || [ "$(cat "$AVATAR.of" 2>/dev/null)" != "$print" ]; then
    rm -f -- "$AVATAR.of"
    said avatar 1 "Its training data do not fit; train it again." \
      own avatar_view.py slim --dataset "$DATASET" --out "$AVATAR"
    echo "$print" >"$AVATAR.of"
  fi
  finish
}

make_landmarks() {
  begin landmarks "$MOTION_SAYS"
  local hparams=infer_audio_source_name=$WORK/sound.wav,infer_out_npy_name=$WORK/raw.part.npy
  if [ ! -s "$WORK/raw.npy" ]; then
    rm -f -- "$WORK/raw.part.npy"
    if [ "$MOTION" = postnet ]; then
      python_step inference/postnet/postnet_infer.py --config="checkpoints/$ID/lm3d_postnet_sync/config.yaml" \
        --hparams="$hparams,infer_ckpt_steps=$POSTNET_STEP" --reset
    else
      python_step inference/audio2motion/audio2motion_infer.py --config="$GENERAL/config.yaml" \
        --hparams="$hparams,infer_ckpt_steps=40000" --reset
    fi
    [ -s "$WORK/raw.part.npy" ] || fail step_failed 1 "Stage landmarks failed: no landmarks were written." "$AGAIN" \
      stage=landmarks
    mv -f -- "$WORK/raw.part.npy" "$WORK/raw.npy"
  fi
  finish
}

close_mouth() {
  begin mouth "closing the mouth in silence"
  said step_failed 1 "$AGAIN" own close_mouth.py --landmarks "$WORKSPACE/$WORK/raw.npy" \
    --sound "$WORKSPACE/$WORK/sound_16000.wav" --avatar "$WORKSPACE/$AVATAR" --frames "$FRAMES" \
    --out "$WORKSPACE/$WORK/landmarks.npy" ${KEEP[@]+"${KEEP[@]}"}
  finish
}

# render_piece NUMBER START END BEFORE AFTER: frames START to END of the whole, into piece_NUMBER.mkv
render_piece() {
  local number=$1 frames=$(($3 - $2)) before=$4 first=$(($2 - $4)) last=$(($3 + $5)) piece video expected
  video=$WORK/piece_$number.mkv
  piece=$WORK/piece_$number
  STAGE_MESSAGE="piece $((number + 1)) of $PIECES"
  [ "$(frames_of "$video")" != "$frames" ] || return 0
  rm -rf -- "$piece" "$video"
  expected=$((last - first))
  said step_failed 1 "$AGAIN" own avatar_view.py cut --avatar "$WORKSPACE/$AVATAR" --id "$ID" \
    --landmarks "$WORKSPACE/$WORK/landmarks.npy" --sound "$WORKSPACE/$WORK/sound_16000.wav" \
    --first "$first" --last "$last" --out "$WORKSPACE/$piece"
  python_step --from $((number * 100 / PIECES)) --to $(((number + 1) * 100 / PIECES)) --message "$STAGE_MESSAGE" \
    inference/nerfs/lm3d_radnerf_infer.py --config="checkpoints/$ID/lm3d_radnerf_torso/config.yaml" --infer \
    --hparams="infer_audio_source_name=$piece/sound.wav,infer_cond_name=$piece/landmarks.npy,infer_out_video_name=$piece/frames.mp4,binary_data_dir=$piece"
  check_frames "$piece" "$expected"
  said step_failed 1 "$AGAIN" media -xerror -framerate 25 -start_number "$before" -i "$piece/tmp_imgs/frames/%05d.png" \
    -frames:v "$frames" -vf "$EVEN" -c:v libx264 -crf 8 -preset veryfast -bf 0 -pix_fmt yuv420p "$piece/encoded.mkv"
  [ "$(frames_of "$piece/encoded.mkv")" = "$frames" ] \
    || fail step_failed 1 "Stage render failed: piece $number has not the $frames frames expected." "$AGAIN" stage=render
  mv -f -- "$piece/encoded.mkv" "$video"
  rm -rf -- "$piece"
}

# Upstream's renderer leaves with 0 when pictures could not be written or its own ffmpeg failed without a word.
check_frames() {
  local piece=$1 expected=$2 found
  found=$(find "$piece/tmp_imgs/frames" -name '*.png' -size +0 2>/dev/null | wc -l)
  [ "$found" -eq "$expected" ] || fail frames_missing 1 \
    "The renderer wrote $found of $expected frames: $(why_not "$piece")" "$AGAIN" \
    "found=$found" "expected=$expected"
  [ -s "$piece/frames.mp4" ] || fail frames_missing 1 \
    "The renderer's own ffmpeg made no video of its $found frames: $(why_not "$piece")" "$AGAIN" \
    "found=$found" "expected=$expected"
}

# What ffmpeg says, loudly, to the pictures and the sound that upstream joined quietly.
why_not() {
  local cause
  if is_full; then
    echo "the disk is full."
    return
  fi
  cause=$(ffmpeg -nostdin -hide_banner -v error -y -i "$1/tmp_imgs/frames/%05d.png" -i "$1/sound_16k.wav" -shortest \
    -c:v libx264 -pix_fmt yuv420p -f null - 2>&1 | tail -n 1 || true)
  echo "${cause:-the log of the job has the whole output.}"
}

render() {
  begin render "rendering $PIECES pieces"
  local number start end before after
  while IFS=$'\t' read -r number start end before after <&8; do
    render_piece "$number" "$start" "$end" "$before" "$after"
  done 8<"$WORK/plan.tsv"
  finish "$FRAMES frames rendered"
}

# The pieces behind one another, encoded once, under the one original sound.
join_pieces() {
  begin join "joining the pieces with the sound"
  local number
  for ((number = 0; number < PIECES; number++)); do echo "file 'piece_$number.mkv'"; done >"$WORK/pieces.txt"
  said step_failed 1 "$AGAIN" media -f concat -safe 0 -i "$WORK/pieces.txt" -i "$WORK/original.wav" -map 0:v:0 -map 1:a:0 \
    -vf "setpts=N/(25*TB)" -r 25 -c:v libx264 -crf 17 -preset medium -pix_fmt yuv420p -c:a aac -b:a 192k \
    -movflags +faststart "file:$PART"
  check_video
  mv -f -- "$PART" "$OUT"
  finish
}

check_video() {
  local frames streams
  frames=$(frames_of "$PART")
  streams=$(ffprobe -v error -show_entries stream=codec_type,duration -of csv=p=0 "file:$PART" | tr '\n' ' ')
  if [ "$frames" != "$FRAMES" ] || [[ $streams != *audio* ]]; then
    fail output 1 "The video has ${frames:-no} frames instead of $FRAMES, and these streams: $streams" "$AGAIN" \
      "frames=$frames" "expected=$FRAMES"
  fi
  said output 1 "$AGAIN" media -xerror -i "file:$PART" -f null -
}

main() {
  local seconds
  on_signals
  read_arguments "$@"
  check_arguments
  plan_stages
  begin check "checking weights, avatar and GPU"
  require_weights infer
  check_avatar
  choose_motion
  require_gpu
  open_work
  finish
  read_sound
  read_avatar
  enter_tree "$ID"
  make_landmarks
  close_mouth
  render
  cd -- "$WORKSPACE"
  join_pieces
  rm -rf -- "$WORK" "$WORK.lock"
  seconds=$((FRAMES / 25)).$(printf '%02d' $((FRAMES % 25 * 4)))
  result "{\"video\":$(json_text "$OUT"),\"seconds\":$seconds,\"frames\":$FRAMES,\"chunks\":$PIECES,\"motion\":\"$MOTION\"}"
}

main "$@"
