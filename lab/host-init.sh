#!/usr/bin/env bash
# host-init.sh NAME: PID 1 of a host of the lab, started in new net, mount, uts, ipc and pid namespaces. It makes the host's own
# /run, /etc, /var and /opt (in memory, on top of the machine's), says "ready", and then only holds the namespaces and reaps.
# As long as nobody has written "stay" to its standard input it ends when that closes: the host dies with whoever builds it.
set -eu
echo "$1" >/proc/sys/kernel/hostname

mount -t tmpfs -o mode=0755 lab /run
mkdir -p /run/.lab /run/lock /run/netns /run/lab /run/calico
for folder in etc var opt; do
  mkdir -p "/$folder" "/run/.lab/$folder" "/run/.lab/$folder.work"
  mount -t overlay lab -o "lowerdir=/$folder,upperdir=/run/.lab/$folder,workdir=/run/.lab/$folder.work" "/$folder" 2>/dev/null || true
done
# Also when the machine is itself a host of some Calico, and where there is no overlay: these begin empty.
for folder in /etc/calico /var/lib/calico /var/log/calico; do
  mkdir -p "$folder"
  mount -t tmpfs -o mode=0755 lab "$folder"
done
[ -L /var/run ] || { mkdir -p /var/run && mount --bind /run /var/run; }

# /sys shows the interfaces of the namespace it was mounted in; the machine's control groups stay where programs look for them.
mkdir -p /run/.lab/cgroup
if mount --rbind /sys/fs/cgroup /run/.lab/cgroup 2>/dev/null; then
  if mount -t sysfs lab /sys 2>/dev/null; then mount --rbind /run/.lab/cgroup /sys/fs/cgroup 2>/dev/null || true; fi
  umount -l /run/.lab/cgroup
fi

# As service managers leave it: what is mounted here later shows in containers that were given it.
mount --make-shared /run

# Addresses that are usable at once: nobody else is on these links.
for scope in all default; do echo 0 >"/proc/sys/net/ipv6/conf/$scope/accept_dad"; done
ip link set lo up
echo ready

while read -r line; do
  [ "$line" = stay ] || continue
  exec </dev/null >/dev/null 2>&1
  while :; do sleep 86400 & wait $!; done
done
