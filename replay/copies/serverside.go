package copies

import (
	"context"
	"fmt"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/replay/client"
)

// What Windows takes in a request; a server that takes less says so.
// [MS-SMB2] 3.3.3
var usualLimits = fscc.CopyChunkLimits{Chunks: 16, ChunkBytes: 1 << 20, TotalBytes: 16 << 20}

// chunks copies by SRV_COPYCHUNK. [MS-SMB2] 3.3.5.15.6
func (c *copying) chunks(ctx context.Context) error {
	out, err := c.from.Ioctl(ctx, fscc.RequestResumeKey, nil, 32)
	if err != nil {
		return refused(c.Method, fscc.RequestResumeKey, err)
	}
	var key fscc.ResumeKeyReply
	r := wire.New(out, nil)
	if key.Decode(&r); r.Failed() {
		return fmt.Errorf("the answer to SRV_REQUEST_RESUME_KEY cannot be read: %w", r.Err())
	}
	limits, asked := usualLimits, false
	for at := int64(0); at < c.size; {
		m, n := request(key.Key, limits, at, c.size)
		out, err := c.to.Ioctl(ctx, fscc.CopyChunk, m.Append(nil), 12)
		c.result.Writes++
		r := wire.New(out, nil)
		if status, _ := client.StatusOf(err); status == ntstatus.InvalidParameter && !asked && len(out) == 12 {
			limits.Decode(&r)
			if asked = true; limits.Chunks == 0 || limits.ChunkBytes == 0 || limits.TotalBytes == 0 {
				return fmt.Errorf("the server takes no chunks at all: %w", err)
			}
			continue
		}
		if err != nil {
			return refused(c.Method, fscc.CopyChunk, err)
		}
		var reply fscc.CopyChunkReply
		if reply.Decode(&r); r.Failed() {
			return fmt.Errorf("the answer to SRV_COPYCHUNK cannot be read: %w", r.Err())
		}
		if reply.TotalBytes == 0 || int64(reply.TotalBytes) > n {
			return fmt.Errorf("SRV_COPYCHUNK at %d wrote %d of %d bytes", at, reply.TotalBytes, n)
		}
		at += int64(reply.TotalBytes)
		c.progress("copying", at)
	}
	return nil
}

// request is a SRV_COPYCHUNK of as many bytes from at on as limits allow.
func request(key fscc.ResumeKey, limits fscc.CopyChunkLimits, at, size int64) (m fscc.CopyChunkRequest, n int64) {
	m.Source = key
	most := min(size-at, int64(limits.TotalBytes))
	for n < most && m.Chunks.Len() < int(limits.Chunks) {
		k := min(most-n, int64(limits.ChunkBytes))
		m.Chunks = m.Chunks.Append(fscc.Chunk{Source: uint64(at + n), Target: uint64(at + n), Length: uint32(k)})
		n += k
	}
	return m, n
}

const sparse fscc.Attributes = 0x200 // FILE_ATTRIBUTE_SPARSE_FILE

// duplicate has both files share their extents. Ranges are of whole clusters; only the
// last may end with the file, and both files are sparse or neither is. [MS-FSCC] 2.3.7
func (c *copying) duplicate(ctx context.Context) error {
	if c.from.Attributes&sparse != 0 {
		if _, err := c.to.Ioctl(ctx, fscc.SetSparse, nil, 0); err != nil {
			return err
		}
	}
	if err := c.grow(ctx); err != nil {
		return err
	}
	unit := c.unit(ctx, true)
	most := int64(1<<30) / unit * unit
	for at := int64(0); at < c.size; {
		n := min(c.size-at, most)
		err := c.share(ctx, at, n)
		if status, _ := client.StatusOf(err); status == ntstatus.InvalidParameter && n%unit != 0 {
			err = c.share(ctx, at, up(n, unit)) // some servers want the last cluster whole, too
		}
		if err != nil {
			return refused(c.Method, fscc.DuplicateExtents, err)
		}
		at += n
		c.progress("copying", at)
	}
	return nil
}

func (c *copying) share(ctx context.Context, at, n int64) error {
	in := fscc.DuplicateExtentsRequest{
		Source: wire.GUID(c.from.File), SourceOffset: uint64(at), TargetOffset: uint64(at), Length: uint64(n),
	}
	_, err := c.to.Ioctl(ctx, fscc.DuplicateExtents, in.Append(nil), 0)
	c.result.Writes++
	return err
}
