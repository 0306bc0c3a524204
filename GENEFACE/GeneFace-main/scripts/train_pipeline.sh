#!/usr/bin/env bash
# Learns a head from a video: the container's command for training.
#
#   bash scripts/train_pipeline.sh --video_path data/raw/videos/ID.mp4 --epochs N
#     --video_path FILE    the video, named after the id: letters, digits, underscores
#     --epochs N           how often each frame is seen by the head and by the torso (default 10)
#     --min_seconds S      shortest video accepted (default 30; three to five minutes are best)
#     --max_seconds S      longest video accepted (default 600)
#     --postnet_steps N    updates that fit the motion to the person, a multiple of 1000 (default 6000); only done where
#                          the LRS3 data lie in data/binary/lrs3
#     --restart            forget what was learned for this id, when another video is to be learned under it
#
# Started again after an interruption, it goes on where it stopped.  Words on stdout and exit codes: steps.sh.
set -euo pipefail
# shellcheck source=steps.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/steps.sh"

VIDEO=""
EPOCHS=10
MIN_SECONDS=30
MAX_SECONDS=600
POSTNET_STEPS=6000
RESTART=no
ID=""
FRAMES=0
POSTNET=false

# Upstream writes a checkpoint only at multiples of these.
HEAD_INTERVAL=2000
POSTNET_INTERVAL=1000
# What upstream reserves for one code per frame; more frames need more.
CODES=13000

arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
      --restart) RESTART=yes; shift; continue ;;
      --video_path | --epochs | --min_seconds | --max_seconds | --postnet_steps) ;;
      *) fail arguments 2 "There is no argument $1." "scripts/train_pipeline.sh --help lists them." "argument=$1" ;;
    esac
    [ $# -ge 2 ] || fail arguments 2 "$1 needs a value." "scripts/train_pipeline.sh --help lists them." "argument=$1"
    case $1 in
      --video_path) VIDEO=$2 ;;
      --epochs) EPOCHS=$2 ;;
      --min_seconds) MIN_SECONDS=$2 ;;
      --max_seconds) MAX_SECONDS=$2 ;;
      --postnet_steps) POSTNET_STEPS=$2 ;;
    esac
    shift 2
  done
}

check_arguments() {
  local name
  [ -n "$VIDEO" ] || fail arguments 2 "--video_path is missing." "scripts/train_pipeline.sh --help lists the arguments." \
    "argument=--video_path"
  name=$(basename -- "$VIDEO")
  ID=${name%.*}
  require_id "$ID"
  # upstream makes the names of its files by replacing these words wherever they stand in the path
  [[ ! $ID =~ jpg|ori_imgs ]] || fail id 2 "The id $ID cannot be used: upstream's programs would mistake it for a file." \
    "Leave out jpg and ori_imgs." "id=$ID"
  [ -f "$VIDEO" ] || fail video_path 2 "There is no video $VIDEO." \
    "Paths are those of the container: data/raw/videos/ID.mp4 below /GeneFace." "path=$VIDEO"
  VIDEO=$(realpath -- "$VIDEO")
  whole_number --epochs "$EPOCHS" 1 1000
  whole_number --min_seconds "$MIN_SECONDS" 1 600
  whole_number --max_seconds "$MAX_SECONDS" 1 3600
  whole_number --postnet_steps "$POSTNET_STEPS" "$POSTNET_INTERVAL" 20000
  [ $((POSTNET_STEPS % POSTNET_INTERVAL)) = 0 ] || fail arguments 2 \
    "--postnet_steps must be a multiple of $POSTNET_INTERVAL: no model is saved in between." "Say 6000." \
    "argument=--postnet_steps"
}

whole_number() {
  if [[ ! $2 =~ ^[1-9][0-9]{0,8}$ ]] || [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
    fail arguments 2 "$1 must be a whole number from $3 to $4, not $2." \
      "scripts/train_pipeline.sh --help lists the arguments." "argument=$1"
  fi
}

# One training of an id at a time; the lock goes with this process, however that ends.
lock() {
  mkdir -p -- "data/processed/videos/$ID"
  exec 9>"data/processed/videos/$ID/.lock"
  flock -n 9 || fail busy 1 "$ID is being trained already." "Wait for that training, or stop it." "id=$ID"
}

check_video_is_known() {
  [ "$RESTART" = no ] || own outputs.py forget "$ID"
  own outputs.py source "$ID" "$VIDEO" || fail other_video 2 "$ID was learned from another video." \
    "Choose another id, or start with --restart to forget what was learned." "id=$ID"
}

# stage NAME MESSAGE FUNCTION: FUNCTION runs unless its output is sealed already; the seal comes after the check.
stage() {
  begin "$1" "$2"
  if own outputs.py whole "$1" "$ID"; then
    finish "already done"
    return
  fi
  "$3"
  own outputs.py seal "$1" "$ID" || exit 1
  finish
}

inspect() {
  own_step video_gate.py --video "$VIDEO" --out "data/processed/videos/$ID/inspection.json" \
    --min_seconds "$MIN_SECONDS" --max_seconds "$MAX_SECONDS"
}

normalise() {
  local folder=data/processed/videos/$ID filter
  filter=$(python -c 'import json, sys; print(json.load(open(sys.argv[1]))["filter"])' "$folder/inspection.json")
  tool ffmpeg -v error -nostdin -y -i "$VIDEO" -map 0:v:0 -map 0:a:0 -vf "$filter" -frames:v "$FRAMES" -c:v libx264 \
    -preset medium -crf 10 -pix_fmt yuv420p -c:a aac -b:a 192k -ac 1 -f mp4 "$folder/normalised.mp4" \
    || fail step_failed 1 "The video could not be cut to 512 pixels and 25 frames a second." \
      "The log has ffmpeg's own words; often the disk is full (df -h)." "stage=normalise"
}

audio() { python_step data_util/process.py --video_id="$ID" --task=1; }
frames() { python_step data_util/process.py --video_id="$ID" --task=3; }
landmarks() { python_step data_util/process.py --video_id="$ID" --task=7; }
parsing() { python_step --total "$FRAMES" data_util/process.py --video_id="$ID" --task=4; }

tracking() {
  local model=data_util/face_tracking/3DMM/3DMM_info.npy
  if [ ! -e "$model" ]; then
    python_step --in data_util/face_tracking convert_BFM.py
    keep "$model"
  fi
  python_step data_util/process.py --video_id="$ID" --task=8
}

background() { python_step data_util/process.py --video_id="$ID" --task=5; }
layers() { python_step --bars 2 data_util/process.py --video_id="$ID" --task=6; }
poses() { python_step data_util/process.py --video_id="$ID" --task=9; }

speech() {
  own outputs.py labels "$ID"
  python_step data_gen/nerf/extract_hubert_mel_f0.py --video_id="$ID"
}

coefficients() { python_step --bars 2 data_gen/nerf/extract_3dmm.py --video_id="$ID"; }

dataset() {
  python_step --bars 2 data_gen/nerf/binarizer.py --config="egs/datasets/videos/$ID/lm3d_radnerf.yaml"
}

# The person's configuration is May's with the name changed.
configure() {
  local folder=$WORKSPACE/egs/datasets/videos/$ID
  [ ! -f "$folder/lm3d_radnerf_torso.yaml" ] || return 0
  rm -rf -- "$folder.part" "$folder"
  mkdir -p -- "$folder.part"
  cp -- "$GENEFACE_HOME"/egs/datasets/videos/May/*.yaml "$folder.part"
  chmod u+w -- "$folder.part"/*.yaml
  sed -i "s/May/$ID/g" -- "$folder.part"/*.yaml
  mv -- "$folder.part" "$folder"
}

# trained EXPERIMENT STEPS: whether its checkpoint is there; without it the training goes on from the last one.
trained() {
  [ "$(own outputs.py checkpoint "$ID" "$1")" -ge "$2" ]
}

seal_model() {
  trained "$1" "$2" || fail output 1 "The training of $1 ended without its checkpoint of step $2." \
    "Start it again: it goes on from the last checkpoint." "stage=$STAGE" "reason=no checkpoint"
  finish
}

# Without LRS3 there is nothing to fit the motion with; the motion of many people drives the head instead.
train_postnet() {
  begin postnet "fitting the motion to the person"
  local name
  for name in train.data val.data sizes_train.npy sizes_val.npy stats.npy; do
    if [ ! -s "data/binary/lrs3/$name" ]; then
      finish "left out: no LRS3 data, the motion of many people drives the head"
      return
    fi
  done
  POSTNET=true
  if trained lm3d_postnet_sync "$POSTNET_STEPS"; then
    finish "already done"
    return
  fi
  python_step --total "$POSTNET_STEPS" tasks/run.py --config="egs/datasets/videos/$ID/lm3d_postnet_sync.yaml" \
    --exp_name="$ID/lm3d_postnet_sync" --hparams="max_updates=$POSTNET_STEPS,save_codes=[]"
  seal_model lm3d_postnet_sync "$POSTNET_STEPS"
}

# One step is one frame, and 10 of 11 frames are for training.
head_steps() {
  local wanted=$((EPOCHS * (FRAMES * 10 / 11))) steps
  steps=$(((wanted + HEAD_INTERVAL - 1) / HEAD_INTERVAL * HEAD_INTERVAL))
  echo $((steps > HEAD_INTERVAL ? steps : HEAD_INTERVAL))
}

train_head() {
  begin head "learning the head"
  if trained lm3d_radnerf "$STEPS"; then
    finish "already done"
    return
  fi
  python_step --total "$STEPS" tasks/run.py --config="egs/datasets/videos/$ID/lm3d_radnerf.yaml" \
    --exp_name="$ID/lm3d_radnerf" \
    --hparams="max_updates=$STEPS,finetune_lips_start_iter=$((STEPS * 8 / 10)),individual_embedding_num=$CODES,save_codes=[]"
  seal_model lm3d_radnerf "$STEPS"
}

train_torso() {
  begin torso "learning the torso"
  if trained lm3d_radnerf_torso "$STEPS"; then
    finish "already done"
    return
  fi
  python_step --total "$STEPS" tasks/run.py --config="egs/datasets/videos/$ID/lm3d_radnerf_torso.yaml" \
    --exp_name="$ID/lm3d_radnerf_torso" \
    --hparams="max_updates=$STEPS,head_model_dir=checkpoints/$ID/lm3d_radnerf,individual_embedding_num=$CODES,save_codes=[]"
  seal_model lm3d_radnerf_torso "$STEPS"
}

# What the pages show of the person, from the very pictures that the head was learned from.
preview() {
  begin preview "taking a portrait"
  local pictures=$WORKSPACE/data/processed/videos/$ID/gt_imgs out=$WORKSPACE/checkpoints/$ID portrait
  portrait=$(python -c 'import json, sys; print(json.load(open(sys.argv[1]))["portrait"])' \
    "$WORKSPACE/data/processed/videos/$ID/inspection.json")
  cp -- "$pictures/$portrait.jpg" "$out/poster.jpg.part"
  mv -f -- "$out/poster.jpg.part" "$out/poster.jpg"
  tool ffmpeg -v error -nostdin -y -framerate 25 -start_number 0 -i "$pictures/%d.jpg" -frames:v 150 -c:v libx264 \
    -crf 18 -pix_fmt yuv420p -movflags +faststart -f mp4 "$out/idle.mp4.part" \
    || fail step_failed 1 "The idle clip could not be written." "The log has ffmpeg's own words." "stage=preview"
  mv -f -- "$out/idle.mp4.part" "$out/idle.mp4"
  finish
}

main() {
  on_signals
  arguments "$@"
  check_arguments
  cd -- "$WORKSPACE"
  plan check:1 inspect:3 normalise:2 audio:1 frames:1 landmarks:8 parsing:4 tracking:60 background:4 layers:4 poses:1 \
    speech:2 coefficients:10 dataset:2 postnet:20 head:90 torso:90 preview:1
  begin check "looking for weights and a GPU"
  require_weights train
  require_gpu
  lock
  check_video_is_known
  configure
  finish
  prepare
  train_postnet
  STEPS=$(head_steps)
  [ "$FRAMES" -lt "$CODES" ] || CODES=$((FRAMES + 1))
  train_head
  train_torso
  preview
  result "{\"width\":512,\"height\":512,\"frames\":$FRAMES,\"steps\":$STEPS,\"postnet\":$POSTNET}"
}

# The look at the video comes before everything that costs hours.
prepare() {
  own outputs.py adopt "$ID" || true
  stage inspect "looking at every frame" inspect
  FRAMES=$(own outputs.py frames "$ID")
  stage normalise "cutting to 512 pixels and 25 frames a second" normalise
  enter_tree "$ID"
  stage audio "taking the sound" audio
  stage frames "taking the frames" frames
  stage landmarks "finding landmarks" landmarks
  stage parsing "parting head, neck and torso" parsing
  stage tracking "following the head" tracking
  stage background "finding the background" background
  stage layers "cutting head and torso" layers
  stage poses "writing down the poses" poses
  stage speech "listening to the speech" speech
  stage coefficients "measuring the face" coefficients
  stage dataset "putting the data set together" dataset
}

main "$@"
