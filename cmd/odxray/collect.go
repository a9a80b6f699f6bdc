package main

// When the garbage collector runs.

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

const (
	// leastHeap is how many bytes the heap has before it is collected at all: with the
	// usual two or four megabytes, a small capture would spend a fifth of its time on that
	// and save nothing.
	leastHeap = 24 << 20
	// growth is by how many percent it grows from then on. A third of the usual: most
	// of what is kept holds no pointers, so collecting is cheap.
	growth = 33
)

// pace says after every collection when the next one shall be.
var pace = sync.OnceFunc(func() {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	debug.SetGCPercent(100 * leastHeap / (4 << 20)) // of the least heap that the runtime knows
	var next func(*[]byte)
	next = func(collected *[]byte) {
		metrics.Read(sample)
		live := max(sample[0].Value.Uint64(), 1<<20)
		percent := growth
		if live < leastHeap {
			percent = max(growth, int((leastHeap-live)*100/live))
		}
		debug.SetGCPercent(percent)
		runtime.SetFinalizer(collected, next)
	}
	runtime.SetFinalizer(new([]byte), next)
})
