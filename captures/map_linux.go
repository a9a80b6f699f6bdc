package captures

import (
	"os"
	"syscall"
)

// populateRead is MADV_POPULATE_READ of Linux 5.14: bring pages in as a read would, and
// say so where that cannot be done, for instance because the file has become shorter.
const populateRead = 22

var pageSize = os.Getpagesize()

func mapFile(f *os.File, size int) ([]byte, error) {
	return syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
}

func unmap(b []byte) { _ = syscall.Munmap(b) } // nothing is to be done where that fails

// bringIn makes all[from:to] resident.
func bringIn(all []byte, from, to int) bool {
	from -= from % pageSize
	return syscall.Madvise(all[from:to], populateRead) == nil
}

// letGo gives pages back that lie within all[from:to]; a look at them would bring them
// in again. The step before goes too: the record that straddles has brought back its
// last page, and with it the whole huge page that it may be a part of.
func letGo(all []byte, from, to int) {
	from = max(0, from-mapStep)
	from -= from % pageSize
	if to -= to % pageSize; from < to {
		_ = syscall.Madvise(all[from:to], syscall.MADV_DONTNEED) // it is only advice
	}
}
