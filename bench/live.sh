#!/usr/bin/env bash
# bench/live.sh [MB of buffer] [rounds] [flags of odxray live]
#
# What is lost live: tcpdump, which only writes, beside odxray, which analyses, with the
# same buffer, while two smbclients read as fast as smbd and a veth pair let them. Needs
# root, smbd, smbclient, tcpdump and iproute2; it makes its own network namespaces.
set -euo pipefail
buffer=${1:-32} rounds=${2:-6}
shift $(($# < 2 ? $# : 2))
megabytes=600

cd "$(dirname "$0")/.."
dir=$(mktemp -d)
client=odx-client-$$ server=odx-server-$$ jobs=
cleanup() {
  # shellcheck disable=SC2046
  kill $jobs $(ip netns pids "$server" "$client" 2>/dev/null) 2>/dev/null || true
  ip netns del "$client" 2>/dev/null || true
  ip netns del "$server" 2>/dev/null || true
  rm -rf "$dir"
}
trap cleanup EXIT
chmod 755 "$dir"
go build -o "$dir/odxray" ./cmd/odxray

ip netns add "$client"
ip netns add "$server"
ip link add odx0 netns "$client" type veth peer name odx1 netns "$server"
ip -n "$client" addr add 10.77.0.1/24 dev odx0
ip -n "$server" addr add 10.77.0.2/24 dev odx1
ip -n "$client" link set odx0 up
ip -n "$server" link set odx1 up
ip -n "$server" link set lo up

mkdir "$dir/share" "$dir/state"
head -c "${megabytes}000000" /dev/urandom >"$dir/share/file"
cat >"$dir/smb.conf" <<CONF
[global]
  interfaces = 10.77.0.2/24
  bind interfaces only = yes
  map to guest = Bad User
  guest account = nobody
  private dir = $dir/state
  lock directory = $dir/state
  state directory = $dir/state
  cache directory = $dir/state
  pid directory = $dir/state
  ncalrpc dir = $dir/state
  log file = $dir/log
  server role = standalone
  disable netbios = yes
[share]
  path = $dir/share
  guest ok = yes
CONF
ip netns exec "$server" smbd -F --no-process-group -s "$dir/smb.conf" >/dev/null 2>&1 &
sleep 2

for round in $(seq "$rounds"); do
  ip netns exec "$client" tcpdump -i odx0 -B $((buffer * 1024)) -s 0 -w "$dir/tcpdump.pcap" port 445 2>"$dir/tcpdump.log" &
  writes=$!
  ip netns exec "$client" "$dir/odxray" live -i odx0 -B "${buffer}M" "$@" -T json >/dev/null 2>"$dir/odxray.log" &
  analyses=$!
  jobs="$writes $analyses"
  sleep 1
  begin=$(date +%s%N)
  reads=()
  for _ in 1 2; do
    ip netns exec "$client" smbclient //10.77.0.2/share -U % -s /dev/null -c 'get file /dev/null' >/dev/null 2>&1 &
    reads+=($!)
  done
  wait "${reads[@]}"
  took=$((($(date +%s%N) - begin) / 1000000))
  sleep 1
  kill -INT $jobs
  wait $jobs || true
  rm -f "$dir/tcpdump.pcap"
  echo "round $round: $((2 * megabytes * 1000 / took)) MB/s, load $(cut -d' ' -f1 /proc/loadavg)" \
    "| tcpdump: $(grep -E ' captured| dropped by kernel' "$dir/tcpdump.log" | paste -sd, -) | $(tail -n 1 "$dir/odxray.log")"
done
