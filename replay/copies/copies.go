// Package copies makes copies of a file over SMB by each way there is, and proves that
// they are what they copy: offloaded data transfer (ODX), server-side copy by chunks,
// extents shared by both files, and READ and WRITE.
package copies

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/replay/client"
)

// Method is a way to copy, named as copies in captures are.
type Method string

const (
	ODX              Method = "odx"
	CopyChunk        Method = "copychunk"
	DuplicateExtents Method = "duplicate-extents"
	Plain            Method = "plain"
)

// Methods lists them.
func Methods() []string {
	return []string{string(ODX), string(CopyChunk), string(DuplicateExtents), string(Plain)}
}

// Job is a copy to be made.
type Job struct {
	Method      Method
	From, To    *client.Tree
	Source      string // paths within the shares
	Destination string
	Replace     bool // a destination that is there
	Verify      bool

	// Progress hears how many bytes of how many are done with, from one goroutine.
	Progress func(stage string, done, of int64)
}

// Result is what came of it.
type Result struct {
	Bytes  int64 // size of the file
	Reads  int   // calls by what the method calls them: OFFLOAD_READ, or READ
	Writes int   // OFFLOAD_WRITE, COPYCHUNK, DUPLICATE_EXTENTS, or WRITE
	Zeros  int64 // bytes at the end that the server said are zeros, and nobody wrote
	SHA256 string
}

var (
	// ErrSame says that source and destination are one file.
	ErrSame = errors.New("source and destination are the same file")
	// ErrExists says that the destination is there, and not to be replaced.
	ErrExists = errors.New("the destination exists")
	// ErrDiffers says that what was read back of the two is not the same.
	ErrDiffers = errors.New("the copy differs from its source")
)

// RefusedError says that the server does not copy that way.
type RefusedError struct {
	Method Method
	Code   fscc.Code
	Err    error // the *client.StatusError
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the server does not copy by %s: it refused %v: %v", e.Method, e.Code, e.Err)
}

func (e *RefusedError) Unwrap() error { return e.Err }

// refused makes a RefusedError of a status that says so.
func refused(m Method, code fscc.Code, err error) error {
	const driverRequired = 0xc000019c // STATUS_FS_DRIVER_REQUIRED
	switch status, _ := client.StatusOf(err); status {
	case ntstatus.InvalidDeviceRequest, ntstatus.NotSupported, ntstatus.NotImplemented, ntstatus.DeviceFeatureNotSupported, driverRequired,
		ntstatus.OffloadReadFilterUnsupported, ntstatus.OffloadWriteFilterUnsupported,
		ntstatus.OffloadReadFileUnsupported, ntstatus.OffloadWriteFileUnsupported:
		return &RefusedError{m, code, err}
	}
	return err
}

// copying is a Job under way.
type copying struct {
	Job
	from, to *client.File
	size     int64
	result   Result
}

// Copy makes a copy. A destination that it has begun and cannot finish it removes; one
// that it replaces stays as it is until the copy is whole.
func Copy(ctx context.Context, j *Job) (*Result, error) {
	c := &copying{Job: *j}
	var err error
	if c.from, err = j.From.OpenRead(ctx, j.Source); err != nil {
		return nil, err
	}
	defer func() { _ = c.close(ctx, c.from) }() // nothing depends on it any more
	c.size = int64(c.from.EndOfFile)
	if c.size < 0 {
		return nil, fmt.Errorf("%s: a file of %d bytes is too large", j.Source, uint64(c.size))
	}
	name, replace := j.Destination, false
	if j.Replace {
		if replace, err = c.distinct(ctx); err != nil {
			return nil, err
		}
		if replace {
			name += beside()
		}
	}
	if c.to, err = j.To.Create(ctx, name, false); err != nil {
		if status, _ := client.StatusOf(err); status == ntstatus.ObjectNameCollision {
			return nil, fmt.Errorf("%s: %w", name, ErrExists)
		}
		return nil, err
	}
	err = c.run(ctx)
	if err == nil && replace {
		err = c.rename(ctx)
	}
	if err != nil && (replace || !errors.Is(err, ErrDiffers)) {
		c.undo(ctx)
	}
	if closing := c.close(ctx, c.to); closing != nil && err == nil {
		err = closing
	}
	return &c.result, err
}

// beside is the end of a name that nobody else uses.
func beside() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, says its documentation
	return fmt.Sprintf(".odxray-%x", b)
}

// rename puts the copy in the place of a file that is there.
func (c *copying) rename(ctx context.Context) error {
	name := wire.AppendUTF16(nil, strings.Trim(c.Destination, `\`))
	in := wire.AppendU64(wire.AppendU64(nil, 1), 0) // ReplaceIfExists, RootDirectory
	in = append(wire.AppendU32(in, uint32(len(name))), name...)
	return c.to.SetInfo(ctx, fscc.TypeFile, uint8(fscc.FileRename), in)
}

// after is a context for what is to be done even where ctx has ended.
func after(ctx context.Context) (context.Context, context.CancelFunc) {
	const patience = 10 * time.Second
	return context.WithTimeout(context.WithoutCancel(ctx), patience)
}

// close gives a file back.
func (c *copying) close(ctx context.Context, f *client.File) error {
	ctx, cancel := after(ctx)
	defer cancel()
	return f.Close(ctx)
}

// undo marks the destination to be deleted when it is closed. Where that fails too, there
// is nobody to tell: the reason is that of the copy.
func (c *copying) undo(ctx context.Context) {
	ctx, cancel := after(ctx)
	defer cancel()
	_ = c.to.SetInfo(ctx, fscc.TypeFile, uint8(fscc.FileDisposition), []byte{1})
}

// distinct reports whether the destination is there, and makes sure that it is not the
// source.
func (c *copying) distinct(ctx context.Context) (there bool, err error) {
	f, err := c.To.Open(ctx, c.Destination, &smb2.CreateRequest{
		DesiredAccess: 0x00100080, Disposition: smb2.Open, // SYNCHRONIZE, FILE_READ_ATTRIBUTES
	})
	if status, _ := client.StatusOf(err); status == ntstatus.ObjectNameNotFound || status == ntstatus.NoSuchFile {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = c.close(ctx, f) }()
	if c.From.Session.Conn.ServerGUID != c.To.Session.Conn.ServerGUID {
		return true, nil
	}
	ids := make([]string, 2)
	for i, f := range []*client.File{c.from, f} {
		file, err := f.QueryInfo(ctx, fscc.TypeFile, uint8(fscc.FileInternal), 8)
		if err != nil {
			return true, err
		}
		volume, err := f.QueryInfo(ctx, fscc.TypeFileSystem, uint8(fscc.FsVolume), 1024)
		if err != nil {
			return true, err
		}
		const serial = 12 // of the volume: four bytes behind its time of creation
		ids[i] = string(file) + string(volume[:min(serial, len(volume))])
	}
	if ids[0] == ids[1] {
		return true, ErrSame
	}
	return true, nil
}

func (c *copying) run(ctx context.Context) (err error) {
	switch c.Method {
	case ODX:
		err = c.offload(ctx)
	case CopyChunk:
		err = c.chunks(ctx)
	case DuplicateExtents:
		err = c.duplicate(ctx)
	default:
		err = c.plain(ctx)
	}
	if err != nil {
		return err
	}
	c.result.Bytes = c.size
	if !c.Verify {
		return nil
	}
	return c.verify(ctx)
}

// grow makes the destination as long as the source, for methods that do not extend it.
func (c *copying) grow(ctx context.Context) error { return c.to.Truncate(ctx, uint64(c.size)) }

func (c *copying) progress(stage string, done int64) {
	if c.Progress != nil {
		c.Progress(stage, min(done, c.size), c.size)
	}
}

// unit is what a server wants offsets and lengths to be multiples of: sectors, or
// clusters. 512 where it does not say.
func (c *copying) unit(ctx context.Context, clusters bool) int64 {
	const smallest = 512
	if clusters {
		if b, err := c.to.QueryInfo(ctx, fscc.TypeFileSystem, uint8(fscc.FsFullSize), 32); err == nil && len(b) >= 32 {
			return max(smallest, int64(wire.GetU32(b[24:]))*int64(wire.GetU32(b[28:])))
		}
		return smallest
	}
	if b, err := c.from.QueryInfo(ctx, fscc.TypeFileSystem, uint8(fscc.FsSectorSize), 28); err == nil && len(b) >= 4 {
		if n := int64(wire.GetU32(b)); n >= smallest && n <= 1<<16 {
			return n
		}
	}
	return smallest
}

// up rounds n up to a multiple of unit.
func up(n, unit int64) int64 { return (n + unit - 1) / unit * unit }
