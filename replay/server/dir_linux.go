package server

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"github.com/odxray/odxray/dissect/dtyp"
)

// nonBlocking has a pipe that took a file's place not wait for its other end.
const nonBlocking = syscall.O_NONBLOCK

// systemAttr adds what only the system tells.
func systemAttr(a *Attr, info os.FileInfo) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	at := func(t syscall.Timespec) dtyp.FileTime { return dtyp.FileTimeOf(time.Unix(t.Unix())) }
	a.ID = FileNumber{Volume: st.Dev, File: st.Ino}
	a.Links = uint32(st.Nlink)
	a.Allocation = st.Blocks * 512
	a.LastAccess, a.Change = at(st.Atim), at(st.Ctim)
	a.Creation = min(a.LastWrite, a.Change)
}

// systemError turns errors of the system into those of this package.
func systemError(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EFBIG), errors.Is(err, syscall.EDQUOT):
		return errFull
	case errors.Is(err, syscall.ENOTEMPTY):
		return errNotEmpty
	case errors.Is(err, syscall.EROFS):
		return errReadOnly
	}
	return err
}

func systemSpace(root *os.Root) (total, free uint64) {
	f, err := root.Open(".")
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	var st syscall.Statfs_t
	if syscall.Fstatfs(int(f.Fd()), &st) != nil {
		return 0, 0
	}
	return st.Blocks * uint64(st.Bsize), st.Bavail * uint64(st.Bsize)
}

func systemTimes(f *os.File, access, write time.Time) error {
	t := []syscall.Timeval{syscall.NsecToTimeval(access.UnixNano()), syscall.NsecToTimeval(write.UnixNano())}
	return syscall.Futimes(int(f.Fd()), t)
}

// systemAllocated is Object.Allocated within a file of size bytes.
func systemAllocated(f *os.File, off, size int64) (start, end int64, err error) {
	const seekData, seekHole = 3, 4
	start, err = f.Seek(off, seekData)
	if errors.Is(err, syscall.ENXIO) {
		return size, size, nil
	}
	if err != nil {
		return off, size, nil // a file system that knows no holes
	}
	if end, err = f.Seek(start, seekHole); err != nil {
		end = size
	}
	return min(start, size), min(end, size), nil
}

// systemHole makes a hole.
func systemHole(f *os.File, off, n int64) error {
	const keepSize, punchHole = 1, 2
	return syscall.Fallocate(int(f.Fd()), keepSize|punchHole, off, n)
}

// systemClone shares a range of src. ioctl_ficlonerange(2)
func systemClone(dst, src *os.File, srcOff, off, n int64) error {
	const ficloneRange = 0x4020940d
	arg := struct {
		fd          int64
		off, n, dst uint64
	}{int64(src.Fd()), uint64(srcOff), uint64(n), uint64(off)}
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, dst.Fd(), ficloneRange, uintptr(unsafe.Pointer(&arg)))
	if errno != 0 {
		return errUnsupported
	}
	return nil
}
