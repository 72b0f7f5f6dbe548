#!/bin/sh
# generate-etcd.sh [--check]: writes src/datastore/etcd/generated/ from src/datastore/etcd/etcd.proto, or says whether it is fresh.
# buf compiles, ts-proto prints; no network.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/buf.gen.yaml" <<YAML
version: v2
plugins:
  - local: $PWD/node_modules/.bin/protoc-gen-ts_proto
    out: $work/out
    opt:
      - esModuleInterop=true
      - importSuffix=.js
      - forceLong=bigint
      - env=node
      - enumsAsLiterals=true
      - unrecognizedEnum=false
      - outputJsonMethods=false
      - outputPartialMethods=false
      - outputTypeRegistry=false
      - outputServices=none
      - useDate=false
YAML
cp src/datastore/etcd/etcd.proto "$work/"
(cd "$work" && printf 'version: v2\n' > buf.yaml && PATH="$OLDPWD/node_modules/.bin:$PATH" "$OLDPWD/node_modules/.bin/buf" generate)
if [ "${1:-}" = --check ]; then
  diff -q "$work/out/etcd.ts" src/datastore/etcd/generated/etcd.ts >/dev/null ||
    { echo "src/datastore/etcd/generated/etcd.ts: not what scripts/generate-etcd.sh makes of etcd.proto: run it"; exit 1; }
else
  cp "$work/out/etcd.ts" src/datastore/etcd/generated/etcd.ts
fi
