package flows

// What is compressed.

import (
	"errors"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/xca"
)

// Bounds of what a compressed message becomes: the data that the sides negotiated, and
// what is around it. [MS-SMB2] 3.3.5.2.13
const (
	maxGrown   = 16 << 20 // bytes, whatever was negotiated
	usualData  = 8 << 20  // negotiated by all servers that compress
	aroundData = 64 << 10
)

// compressed takes a compressed unit: what it holds once decompressed is as good as a
// plain one's. [MS-SMB2] 2.2.42
func (a *Analyzer) compressed(c *conn, dir int, u *unit, body wire.Cursor) {
	h := a.smb.Compressed(&body)
	b, err := xca.Message(a.grown[:0], h, c.mostGrown())
	a.grown = b
	switch {
	case errors.Is(body.Cause(), wire.ErrTruncated):
		return
	case err == nil && body.Cause() == nil:
		u.grown = b
		a.chain(c, dir, u, wire.New(b, nil))
		return
	case err == nil:
		err = xca.ErrDamaged
	}
	u.shut = err
	c.shrunk++
	c.shrunkWhy = err
	a.marks |= MarkMalformed
}

// mostGrown returns how many bytes a message on c may have.
func (c *conn) mostGrown() int {
	if c.maxMessage == 0 {
		return usualData + aroundData
	}
	return int(min(uint64(c.maxMessage)+aroundData, maxGrown))
}

// regrow decompresses u again, for a second look, if it is compressed.
func (u *unit) regrow(c *conn, b *wire.Cursor, d *smb2.Decoder) {
	if c == nil || smb2.ProtocolOf(b) != smb2.ProtocolCompressed {
		return
	}
	grown, err := xca.Message(nil, d.Compressed(b), c.mostGrown())
	switch {
	case errors.Is(b.Cause(), wire.ErrTruncated):
	case err != nil:
		u.shut = err
	default:
		u.grown = grown
	}
}

// appendShut appends what Wireshark's Info column says of a message that cannot be
// decompressed.
func (u *unit) appendShut(b []byte, h *smb2.CompressionHeader) []byte {
	switch {
	case u.shut == nil, errors.Is(u.shut, xca.ErrAlgorithm):
		return h.AppendInfo(b)
	case errors.Is(u.shut, xca.ErrSize):
		return append(b, "Comp. SMB3 (too big)"...)
	}
	return append(b, "Comp. SMB3 (invalid)"...)
}
