//go:build unix

package flows

import (
	"os"

	"golang.org/x/sys/unix"
)

const mapsFiles = true

// mapFile returns n bytes at off of f, whose changes f gets.
func mapFile(f *os.File, off int64, n int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), off, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func unmap(b []byte) { _ = unix.Munmap(b) } // nothing is to be done where that fails
