package odx

import (
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

// TokenSize is the size of a token in bytes.
const TokenSize = 512

// idSize is how much of it is there for the id.
const idSize = TokenSize - 8

// TokenType tells well-known tokens from vendors' own. [MS-FSCC] 2.1.11
type TokenType uint32

const (
	// ZeroData is the token that stands for zeros; its id means nothing.
	ZeroData TokenType = 0xffff0001

	// Native is the token of illumos, which is a vendor's own to all others.
	Native TokenType = 0x00010001
)

// String says what is known of a token of type t. The types below 0x01000000 with
// meaning are those of [SPC-4] 6.18, from where storage arrays pass tokens on.
func (t TokenType) String() string {
	switch {
	case t == ZeroData:
		return "zero token: stands for zeros, has no source"
	case t > ZeroData:
		return "reserved"
	case t == 0x00000000:
		return "copy manager internal"
	case t == 0x00010000:
		return "access upon reference"
	case t == 0x00800000:
		return "point in time copy, default"
	case t == 0x00800001:
		return "point in time copy, change vulnerable"
	case t == 0x00800002:
		return "point in time copy, persistent"
	case t == 0x0080ffff:
		return "point in time copy, any"
	}
	return "vendor's own, opaque"
}

// Token stands for data that an offload read has claimed. [MS-FSCC] 2.1.11
//
// Its inside is the vendor's, and some servers use all of it their own way, so
// nothing here is rejected. Clients must give Raw back unchanged.
type Token struct {
	Type     TokenType
	IDLength uint16 // of the id in bytes, as claimed; may be 0 or more than there is
	ID       []byte // at most 504 bytes; aliases the message
	Raw      []byte // all 512 bytes, which are the token's identity; aliases the message
}

var (
	token          = fields.Section("[MS-FSCC] 2.1.11")
	fToken         = token.Struct("", "Token").Formatted(func(v uint64) string { return fmt.Sprintf(" (IdType %#x)", v) })
	fTokenType     = token.Hex("smb2.fsctl.odx.token.type", "TokenType")
	fTokenReserved = token.Bytes("smb2.reserved", "Reserved")
	fTokenIDLength = token.Uint("smb2.fsctl.odx.token.idlen", "TokenIdLength")
	fTokenID       = token.Bytes("smb2.fsctl.odx.token.id", "TokenId").Formatted(opaque)
	fTokenKind     = token.Enum("odx.token.kind", "Token type", wire.Text[TokenType]).InHex()
	fTokenRest     = token.Bytes("odx.token.rest", "Rest of the token")
	fTokenRaw      = token.Bytes("odx.token", "Whole token")
)

// What illumos puts into its tokens; no specification says so.
var (
	native       = fields.Section("")
	fNative      = native.Struct("odx.token.native", "TokenId of illumos")
	fNativeFile  = native.GUID("odx.token.native.fid", "Source File Id")
	fNativeEnd   = native.Uint("odx.token.native.eof", "Source End Of File")
	fNativeTree  = native.Hex("odx.token.native.tid", "Source Tree Id")
	fNativeAfter = native.Bytes("", "Padding")
)

func opaque(uint64) string { return "Opaque Data" }

// Decode reads a token. Unlike all else in SMB2 its numbers are big-endian. The
// fields come as tshark has them, then what it leaves out.
func (t *Token) Decode(c *wire.Cursor) {
	mark, whole := c.Open(fToken), *c
	defer c.Close(mark)
	raw := whole.Ahead()
	t.Type = TokenType(c.BE32(fTokenType))
	c.Title(mark, uint64(t.Type), "")
	c.Skip(fTokenReserved, 2)
	t.IDLength = c.BE16(fTokenIDLength)
	n := min(int(t.IDLength), idSize)
	id := *c
	t.ID = c.Bytes(fTokenID, n)
	if n < idSize {
		c.Skip(fTokenRest, idSize-n)
	}
	t.Raw = raw.Bytes(fToken, TokenSize)
	if t.Raw == nil {
		return
	}
	whole.Skip(fTokenRaw, TokenSize)
	c.Note(fTokenKind, uint64(t.Type), "")
	if t.Type == Native && n == 32 {
		decodeNative(&id)
	}
}

// decodeNative shows the inside of a token of illumos, for whoever debugs one: the
// file, tree and end of file that the server will look for. Nothing relies on it.
func decodeNative(c *wire.Cursor) {
	defer c.Close(c.Open(fNative))
	c.GUID(fNativeFile)
	c.U64(fNativeEnd)
	c.U32(fNativeTree)
	c.Skip(fNativeAfter, 4)
}
