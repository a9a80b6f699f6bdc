package server

import (
	"errors"

	"github.com/odxray/odxray/dissect/fscc"
)

// Store is where the files of the share are. Paths are relative to the share, with
// slashes, and "" is the share itself; a store finds names whatever their case. Its
// methods may be called from any goroutine.
type Store interface {
	// Stat tells what a path leads to.
	Stat(path string) (Attr, error)
	// Open opens what a path leads to. A stream of "" is the file itself.
	Open(path, stream string) (Object, error)
	// Create makes a file, a directory or a stream that is not there.
	Create(path, stream string, directory bool) (Object, error)
	// List calls yield with each entry of a directory.
	List(path string, yield func(Attr) bool) error
	// Remove removes a file, an empty directory, or a stream.
	Remove(path, stream string) error
	// Rename moves what from leads to. What was at to is replaced.
	Rename(from, to string) error
	// Link gives a file another name.
	Link(from, to string) error
	// Space tells how many bytes there are, and how many are free.
	Space() (total, free uint64)
	// Features are those of FileFsAttributeInformation.
	Features() fscc.FsAttributes
	Close() error
}

// Object is an open file, directory or stream.
type Object interface {
	ID() FileNumber
	Attr() (Attr, error)
	// SetAttr sets what is not zero.
	SetAttr(Attr) error
	ReadAt(b []byte, off int64) (int, error) // io.EOF past the end
	WriteAt(b []byte, off int64) (int, error)
	Truncate(size int64) error
	Sync() error
	// Allocated returns the first run of bytes from off on that is not a hole; start is
	// the end of the file if there is none.
	Allocated(off int64) (start, end int64, err error)
	// Zero makes n bytes at off a hole, within the file.
	Zero(off, n int64) error
	// Clone shares n bytes of src with this object. errUnsupported: they have to be copied.
	Clone(src Object, srcOff, off, n int64) error
	// Streams lists the streams of a file but for the file itself.
	Streams() []StreamAttr
	Close() error
}

// FileNumber tells files apart as long as they exist.
type FileNumber struct{ Volume, File, Stream uint64 }

// Attr is what there is to know of a file.
type Attr struct {
	Name       string // the last element of its path
	ID         FileNumber
	Directory  bool
	Links      uint32
	Size       int64 // bytes
	Allocation int64 // bytes
	fscc.Times
	Attributes fscc.Attributes
}

// StreamAttr is a stream of a file.
type StreamAttr struct {
	Name             string
	Size, Allocation int64 // bytes
}

// Errors of stores beside those of package io/fs.
var (
	errUnsupported = errors.New("not supported here")
	errFull        = errors.New("the store is full")
	errNotEmpty    = errors.New("directory not empty")
	errDirectory   = errors.New("is a directory")
	errNoDirectory = errors.New("is no directory")
	errPath        = errors.New("no such directory on the way")
	errReadOnly    = errors.New("read-only")
)
