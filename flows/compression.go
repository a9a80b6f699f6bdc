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
func (a *Analyzer) compressed(c *conn, dir int, u *unit, body *wire.Cursor) {
	a.grown = u.grow(a.grown[:0], c.mostGrown(), body, &a.smb)
	switch {
	case u.grown != nil:
		grown := wire.New(u.grown, nil)
		a.chain(c, dir, u, &grown)
	case u.shut != nil:
		c.shrunk++
		c.shrunkWhy = u.shut
		a.marks |= MarkMalformed
	}
}

// grow decompresses u, at whose compression header b is, into dst, and returns dst as
// it has become. Either u.grown or u.shut is set then; neither if the capture cut u.
func (u *unit) grow(dst []byte, limit int, b *wire.Cursor, d *smb2.Decoder) []byte {
	grown, err := xca.Message(dst, d.Compressed(b), limit)
	switch {
	case errors.Is(b.Cause(), wire.ErrTruncated):
	case err == nil && b.Cause() == nil:
		u.grown = grown
	case err == nil:
		u.shut = xca.ErrDamaged
	default:
		u.shut = err
	}
	return grown
}

// mostGrown returns how many bytes a message on c may have. What it is for the first
// compressed message it stays, so that a second look finds what the pass found.
func (c *conn) mostGrown() int {
	if c.grownMost == 0 {
		c.grownMost = usualData + aroundData
		if c.maxMessage != 0 {
			c.grownMost = uint32(min(uint64(c.maxMessage)+aroundData, maxGrown))
		}
	}
	return int(c.grownMost)
}

// regrow decompresses u again, for a second look, if it is compressed.
func (u *unit) regrow(c *conn, b *wire.Cursor, d *smb2.Decoder) {
	if c == nil || smb2.ProtocolOf(b) != smb2.ProtocolCompressed {
		return
	}
	u.grow(nil, c.mostGrown(), b, d)
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
