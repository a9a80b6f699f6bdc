package server

// window is the set of MessageIds that a client may use. [MS-SMB2] 3.3.1.1
type window struct {
	low, high uint64          // from low up to but not high
	used      map[uint64]bool // those of them that were
}

// maxCredits is how many a client can have at most.
const maxCredits = 8192

func newWindow() window { return window{high: 1, used: map[uint64]bool{}} }

// take uses n ids from id on. It returns false if one was never granted or was used.
func (w *window) take(id uint64, n int) bool {
	if id < w.low || id >= w.high || w.high-id < uint64(n) {
		return false
	}
	for i := range uint64(n) {
		if w.used[id+i] {
			return false
		}
	}
	for i := range uint64(n) {
		w.used[id+i] = true
	}
	for w.used[w.low] {
		delete(w.used, w.low)
		w.low++
	}
	return true
}

// grant gives as many of the credits asked for as it may, and at least one if the client
// would have none.
func (w *window) grant(asked uint16) uint16 {
	have := w.high - w.low - uint64(len(w.used))
	n := uint64(max(asked, 1))
	if span := w.high - w.low; span+n > maxCredits {
		n = maxCredits - min(span, maxCredits)
	}
	if n == 0 && have == 0 {
		n = 1
	}
	w.high += n
	return uint16(n)
}
