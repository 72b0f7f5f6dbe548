#!/bin/sh
# Writes src/datastore/etcd/generated/ from src/datastore/etcd/etcd.proto (buf compiles, ts-proto prints). No network.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/buf.gen.yaml" <<YAML
version: v2
plugins:
  - local: $PWD/node_modules/.bin/protoc-gen-ts_proto
    out: $PWD/src/datastore/etcd/generated
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
