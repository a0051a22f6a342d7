#!/usr/bin/env bash
# A training on a Cloud TPU slice: every worker runs the same line. docs/launch.md goes through it.
# usage: launch/tpu_slice.sh create | setup | run | delete
set -euo pipefail

NAME=${NAME:-hsmtss} ZONE=${ZONE:?a zone with TPUs} TYPE=${TYPE:-v5litepod-16}
VERSION=${VERSION:-v2-alpha-tpuv5-lite}      # the image that belongs to TYPE
REPOSITORY=${REPOSITORY:-$(git remote get-url origin)}
SHARED=${SHARED:-/mnt/shared}                # a file system that all workers mount
COMMAND=${COMMAND:-hsmtss recipe --size paper --workdir $SHARED/runs/paper --text-encoder $SHARED/text_encoder/bundle mesh.multi_host=true mesh.fsdp=4}

everywhere() { gcloud compute tpus tpu-vm ssh "$NAME" --zone "$ZONE" --worker=all --command "$1"; }

case ${1:?create, setup, run or delete} in
  create)
    gcloud compute tpus tpu-vm create "$NAME" --zone "$ZONE" --accelerator-type "$TYPE" --version "$VERSION" ;;
  setup)
    everywhere "git clone $REPOSITORY hsmtss || git -C hsmtss pull --ff-only
      python3 -m venv venv && venv/bin/pip install -q -e 'hsmtss[tpu]' && ls $SHARED" ;;
  run)
    # The recipe goes on where it stopped: run again after a preemption. Its host number is TPU_WORKER_ID.
    everywhere "cd hsmtss && . ../venv/bin/activate &&
      export TPU_WORKER_ID=\$(hostname | grep -o '[0-9]*\$') && $COMMAND" ;;
  delete)
    gcloud compute tpus tpu-vm delete "$NAME" --zone "$ZONE" ;;
esac
