package server

import (
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// byteLock is a lock on a range of bytes.
type byteLock struct {
	of          *open
	off, length uint64
	exclusive   bool
}

func (l *byteLock) overlaps(off, n uint64) bool {
	// The last byte counts, for a range may end at 2^64.
	if l.length == 0 || n == 0 {
		// A range of no bytes meets what it lies inside of.
		return l.length == 0 && n > 0 && off < l.off && l.off-off < n || n == 0 && l.length > 0 && l.off < off && off-l.off < l.length
	}
	return off <= l.off+(l.length-1) && l.off <= off+(n-1)
}

// locked tells whether somebody's lock keeps o from reading a range, or from writing it.
func (f *file) locked(o *open, off, n uint64, write bool) bool {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	for i := range f.locks {
		l := &f.locks[i]
		if n > 0 && l.overlaps(off, n) && (l.of != o && (l.exclusive || write) || l.of == o && write && !l.exclusive) {
			return true
		}
	}
	return false
}

// add locks a range unless another lock stands in the way. Server.mu is held.
func (f *file) lock(o *open, e smb2.LockElement) status {
	exclusive := e.Flags&smb2.LockExclusive != 0
	for i := range f.locks {
		l := &f.locks[i]
		// Whoever locked a range for itself may share it with itself, but not the other way round.
		if l.overlaps(e.Offset, e.Length) && (exclusive || l.exclusive && l.of != o) {
			return ntstatus.LockNotGranted
		}
	}
	if f.s.locks >= f.s.cfg.Limits.Locks {
		return ntstatus.InsufficientResources
	}
	f.s.locks++
	f.locks = append(f.locks, byteLock{of: o, off: e.Offset, length: e.Length, exclusive: exclusive})
	return ntstatus.Success
}

// unlock takes back the lock of exactly that range, an exclusive one before shared ones.
// Server.mu is held.
func (f *file) unlock(o *open, off, n uint64) status {
	found := -1
	for i := range f.locks {
		l := &f.locks[i]
		if l.of == o && l.off == off && l.length == n && (found < 0 || l.exclusive) {
			found = i
		}
	}
	if found < 0 {
		return ntstatus.RangeNotLocked
	}
	f.locks = append(f.locks[:found:found], f.locks[found+1:]...)
	f.s.locks--
	f.wake()
	return ntstatus.Success
}

// unlockAll takes back all locks of an open. Server.mu is held.
func (f *file) unlockAll(o *open) {
	keep := f.locks[:0:0]
	for _, l := range f.locks {
		if l.of != o {
			keep = append(keep, l)
		}
	}
	if len(keep) != len(f.locks) {
		f.s.locks -= len(f.locks) - len(keep)
		f.locks = keep
		f.wake()
	}
}

// wake lets those try again who wait for a lock. Server.mu is held.
func (f *file) wake() {
	if f.unlocked != nil {
		close(f.unlocked)
		f.unlocked = nil
	}
}

// lock serves LOCK. [MS-SMB2] 3.3.5.14
func (r *request) lock(m *smb2.LockRequest) status {
	o, st := r.findFile(m.File)
	if st != ntstatus.Success {
		return st
	}
	if o.file.directory {
		return ntstatus.InvalidDeviceRequest
	}
	n := m.Locks.Len()
	if n == 0 || n != int(m.Count) {
		return ntstatus.InvalidParameter
	}
	if st := o.needs(readRights | writeRights); st != ntstatus.Success {
		return st
	}
	replay := r.lockReplay(o, m.Sequence)
	if replay.seen() {
		r.body = new(smb2.LockResponse).Append(nil)
		return ntstatus.Success
	}
	if m.Locks.At(0).Flags&smb2.LockUnlock != 0 {
		st = r.unlockRanges(o, m.Locks)
	} else {
		st = r.lockRanges(o, m.Locks)
	}
	if st == ntstatus.Success {
		replay.done()
		r.body = new(smb2.LockResponse).Append(nil)
	}
	return st
}

// lockSequence is where an open remembers the last LOCK of a LockSequenceIndex, so that a
// client that got no answer may send it again. The zero value remembers nothing.
type lockSequence struct {
	slot   *uint8 // the number and 1<<4, or 0
	number uint8
}

// lockReplay finds it. Only opens that outlive a connection, and those of dialects with
// several channels, have them. [MS-SMB2] 3.3.5.14
func (r *request) lockReplay(o *open, sequence uint32) lockSequence {
	number, index := uint8(sequence&0xf), sequence>>4
	if index < 1 || index > uint32(len(o.sequences)) || !o.durable && !o.resilient && r.c.caps&smb2.CapMultiChannel == 0 {
		return lockSequence{}
	}
	return lockSequence{&o.sequences[index-1], number | 1<<4}
}

// seen tells whether that LOCK was done before; if not, the slot is free for it.
func (l lockSequence) seen() bool {
	if l.slot == nil {
		return false
	}
	if *l.slot == l.number {
		return true
	}
	*l.slot = 0
	return false
}

func (l lockSequence) done() {
	if l.slot != nil {
		*l.slot = l.number
	}
}

func (r *request) unlockRanges(o *open, list smb2.LockList) status {
	r.c.s.mu.Lock()
	defer r.c.s.mu.Unlock()
	for i := range list.Len() {
		e := list.At(i)
		if e.Flags != smb2.LockUnlock {
			return ntstatus.InvalidParameter
		}
		if st := o.file.unlock(o, e.Offset, e.Length); st != ntstatus.Success {
			return st
		}
	}
	return ntstatus.Success
}

// lockRanges locks all ranges or none. Only a single one may wait.
func (r *request) lockRanges(o *open, list smb2.LockList) status {
	s := r.c.s
	for i := range list.Len() {
		e := list.At(i)
		switch e.Flags {
		case smb2.LockShared | smb2.LockFailImmediately, smb2.LockExclusive | smb2.LockFailImmediately:
		case smb2.LockShared, smb2.LockExclusive:
			if list.Len() > 1 {
				return ntstatus.InvalidParameter
			}
		default:
			return ntstatus.InvalidParameter
		}
		if e.Length > 0 && e.Offset > ^uint64(0)-(e.Length-1) {
			return statusInvalidLockRange
		}
	}
	patient := list.At(0).Flags&smb2.LockFailImmediately == 0
	for {
		s.mu.Lock()
		if o.closed { // while this waited
			s.mu.Unlock()
			return ntstatus.RangeNotLocked
		}
		s.breakCaching(o) // whoever caches would not see the lock
		st := ntstatus.Success
		done := 0
		for ; done < list.Len() && st == ntstatus.Success; done++ {
			st = o.file.lock(o, list.At(done))
		}
		if st != ntstatus.Success {
			for i := range done - 1 {
				e := list.At(i)
				o.file.unlock(o, e.Offset, e.Length)
			}
		}
		if st != ntstatus.LockNotGranted || !patient {
			s.mu.Unlock()
			return st
		}
		if o.file.unlocked == nil {
			o.file.unlocked = make(chan struct{})
		}
		unlocked := o.file.unlocked
		s.mu.Unlock()
		if !r.begin() {
			return ntstatus.InsufficientResources
		}
		if ok, _ := r.wait(unlocked, 0); !ok {
			if o.closed {
				return ntstatus.RangeNotLocked
			}
			return ntstatus.Cancelled
		}
	}
}
