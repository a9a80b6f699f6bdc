package copies

import (
	"bytes"
	"context"
	"fmt"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/wire"
)

// offload copies by tokens: the server mints one for a range of the source, and writes
// what it stands for, often in several calls. [MS-FSCC] 2.3.41 to 2.3.44
func (c *copying) offload(ctx context.Context) error {
	if err := c.grow(ctx); err != nil {
		return err
	}
	unit := c.unit(ctx, false)
	for at := int64(0); at < c.size; {
		m, err := c.mint(ctx, at, up(c.size-at, unit))
		if err != nil {
			return err
		}
		n := int64(min(m.TransferLength, uint64(up(c.size-at, unit))))
		if n == 0 && m.Flags&odx.AllZeroBeyond == 0 {
			return fmt.Errorf("OFFLOAD_READ at %d brought a token for no bytes", at)
		}
		if err := c.spend(ctx, m, at, n); err != nil {
			return err
		}
		at += n
		if m.Flags&odx.AllZeroBeyond != 0 && at < c.size {
			// The destination is new: what nobody writes is zeros.
			c.result.Zeros = c.size - at
			break
		}
	}
	c.progress("copying", c.size)
	return nil
}

// mint has the server mint a token for up to n bytes of the source.
func (c *copying) mint(ctx context.Context, at, n int64) (*odx.ReadReply, error) {
	in := odx.ReadRequest{Size: odx.ReadRequestSize, FileOffset: uint64(at), CopyLength: uint64(n)}
	const reply = 16 + odx.TokenSize
	out, err := c.from.Ioctl(ctx, fscc.OffloadRead, in.Append(nil), reply)
	c.result.Reads++
	if err != nil {
		return nil, refused(c.Method, fscc.OffloadRead, err)
	}
	var m odx.ReadReply
	r := wire.New(bytes.Clone(out), nil)
	if m.Decode(&r); r.Failed() {
		return nil, fmt.Errorf("the answer to OFFLOAD_READ cannot be read: %w", r.Err())
	}
	return &m, nil
}

// spend writes n bytes that a token stands for, at at.
func (c *copying) spend(ctx context.Context, m *odx.ReadReply, at, n int64) error {
	for done := int64(0); done < n; {
		in := odx.WriteRequest{
			Size: odx.WriteRequestSize, FileOffset: uint64(at + done), CopyLength: uint64(n - done), TransferOffset: uint64(done), Token: m.Token,
		}
		out, err := c.to.Ioctl(ctx, fscc.OffloadWrite, in.Append(nil), 16)
		c.result.Writes++
		if err != nil {
			return refused(c.Method, fscc.OffloadWrite, err)
		}
		var w odx.WriteReply
		r := wire.New(out, nil)
		if w.Decode(&r); r.Failed() {
			return fmt.Errorf("the answer to OFFLOAD_WRITE cannot be read: %w", r.Err())
		}
		if w.LengthWritten == 0 || w.LengthWritten > uint64(n-done) {
			return fmt.Errorf("OFFLOAD_WRITE at %d wrote %d of %d bytes", at+done, w.LengthWritten, n-done)
		}
		done += int64(w.LengthWritten)
		c.progress("copying", at+done)
	}
	return nil
}
