#!/usr/bin/env bash
# docker-image.sh FILE: writes the file system of a busybox image, every applet by its name, as a tar archive.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder"/{bin,etc,tmp,proc,sys,root}
cp /usr/bin/busybox "$folder/bin/busybox"
for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$folder/bin/$applet"; done
tar -C "$folder" -cf "$1" .
