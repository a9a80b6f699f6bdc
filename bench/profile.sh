#!/usr/bin/env bash
# bench/profile.sh
#
# Makes cmd/odxray/default.pgo: where passes over captures of every kind spend their time,
# by which go build decides what to put in line. To be run again when what is hot has moved.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# profile CAPTURE PACKAGE BENCHMARK
profile() {
  ODXRAY_BENCH=$dir/$1.pcapng go test "./$2" -run - -bench "$3" -benchtime 3s -o "$dir/test" -cpuprofile "$(mktemp "$dir/XXXXXX.pprof")"
}

for kind in bulk metadata mixed odx sealed rocev2 iwarp; do
  go run ./bench/generate -kind "$kind" -mb 100 "$dir/$kind.pcapng"
  profile "$kind" flows 'BenchmarkAnalyze$'
done
profile metadata flows/report 'BenchmarkList/fields'
profile metadata flows/report 'BenchmarkList/json'
profile bulk flows/report 'BenchmarkList/fields'
go tool pprof -proto -output cmd/odxray/default.pgo "$dir"/*.pprof
