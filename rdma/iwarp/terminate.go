package iwarp

import (
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

// Terminate is why a side ends a connection. RFC 5040 4.8
type Terminate struct {
	Layer, Type uint8
	Code        uint8
	Header      []byte // of the DDP segment that was wrong, with RDMAP's; aliases the segment; nil without it
}

// Layers that a Terminate blames.
const (
	layerRDMA = 0
	layerDDP  = 1
	layerLLP  = 2
)

// String says what the error was.
func (t Terminate) String() string {
	return fmt.Sprintf("%s: %s, %s", layerName(uint64(t.Layer)), t.typeName(uint64(t.Type)), t.codeName(uint64(t.Code)))
}

var (
	terminates = fields.Section("[RFC5040] 4.8")
	fTerminate = terminates.Struct("iwarp_rdma.terminate", "Terminate")
	fTermCtrl  = terminates.Struct("iwarp_rdma.term_ctrl", "Terminate Control")
	fTermLayer = terminates.Enum("iwarp_rdma.term_layer", "Layer", layerName).In(0xf0).InHex()

	fTermRDMA  = termByte(terminates.Enum("iwarp_rdma.term_etype_rdma", "Error Types for RDMA layer", ofType(layerRDMA)))
	fTermDDP   = termByte(terminates.Enum("iwarp_rdma.term_etype_ddp", "Error Types for DDP layer", ofType(layerDDP)))
	fTermLLP   = termByte(terminates.Enum("iwarp_rdma.term_etype_llp", "Error Types for LLP layer", ofType(layerLLP)))
	fTermOther = termByte(terminates.Hex("iwarp_rdma.term_etype", "Error Types"))

	fCodeRDMA     = terminates.Enum("iwarp_rdma.term_errcode_rdma", "Error Code for RDMA layer", ofCode(layerRDMA, 1)).InHex()
	fCodeTagged   = terminates.Enum("iwarp_rdma.term_errcode_ddp_tagged", "Error Code for DDP Tagged Buffer", ofCode(layerDDP, 1)).InHex()
	fCodeUntagged = terminates.Enum("iwarp_rdma.term_errcode_ddp_untagged", "Error Code for DDP Untagged Buffer", ofCode(layerDDP, 2)).InHex()
	fCodeLLP      = terminates.Enum("iwarp_rdma.term_errcode_llp", "Error Code for LLP layer", ofCode(layerLLP, 0)).InHex()
	fCode         = terminates.Hex("iwarp_rdma.term_errcode", "Error Code")

	fHeaderBits = terminates.Struct("iwarp_rdma.term_hdrct", "Header control bits")
	fHeaderByte = terminates.Uint("", "Header control bits").Beside(fBitM, fBitD, fBitR)
	fBitM       = terminates.Flag(0x80, "iwarp_rdma.term_hdrct_m", "M bit", "Not set", "Set")
	fBitD       = terminates.Flag(0x40, "iwarp_rdma.hdrct_d", "D bit", "Not set", "Set")
	fBitR       = terminates.Flag(0x20, "iwarp_rdma.hdrct_r", "R bit", "Not set", "Set")
	fTermWord   = terminates.Uint("", "Reserved").Beside(fTermRsvd)
	fTermRsvd   = terminates.Hex("iwarp_rdma.term_rsvd", "Reserved").In(0x1fff)
	fTermLen    = terminates.Bytes("iwarp_rdma.term_ddp_seg_len", "DDP Segment Length")
	fTermHead   = terminates.Bytes("iwarp_rdma.term_ddp_h", "Terminated DDP Header")
	fTermRHead  = terminates.Bytes("iwarp_rdma.term_rdma_h", "Terminated RDMA Header")
)

// termByte declares the byte of the layer and of the type of error that low is.
func termByte(low *wire.Field) *wire.Field {
	return terminates.Uint("", "Layer and type").Beside(fTermLayer, low.In(0x0f).InHex())
}

func (t *Terminate) decode(c *wire.Cursor) {
	defer c.Close(c.Open(fTerminate))
	m := c.Open(fTermCtrl)
	both, code := fTermOther, fCode
	if look := c.Peek(1); look != nil {
		switch kind := look[0] & 15; look[0] >> 4 {
		case layerRDMA:
			if both = fTermRDMA; kind == 1 || kind == 2 {
				code = fCodeRDMA
			}
		case layerDDP:
			switch both = fTermDDP; kind {
			case 1:
				code = fCodeTagged
			case 2:
				code = fCodeUntagged
			}
		case layerLLP:
			if both = fTermLLP; kind == 0 {
				code = fCodeLLP
			}
		}
	}
	b := c.U8(both)
	t.Layer, t.Type = b>>4, b&15
	t.Code = c.U8(code)
	h := c.Open(fHeaderBits)
	look := *c
	bits := look.U8(fHeaderByte)
	c.Close(h)
	c.Close(m)
	c.BE16(fTermWord)
	if bits&0x80 != 0 {
		c.Skip(fTermLen, 2)
	}
	if bits&0x40 == 0 {
		return
	}
	n := untaggedLen
	if look := c.Peek(1); look != nil && look[0]&0x80 != 0 {
		n = taggedLen
	}
	t.Header = c.Bytes(fTermHead, n)
	if bits&0x20 != 0 {
		c.Skip(fTermRHead, readRequestLen)
	}
}

func layerName(v uint64) string {
	switch v {
	case layerRDMA:
		return "RDMA"
	case layerDDP:
		return "DDP"
	case layerLLP:
		return "LLP"
	}
	return "Unknown"
}

func ofType(layer uint8) func(uint64) string { return Terminate{Layer: layer}.typeName }

func (t Terminate) typeName(v uint64) string {
	names := [][]string{
		layerRDMA: {"Local Catastrophic Error", "Remote Protection Error", "Remote Operation Error"},
		layerDDP:  {"Local Catastrophic Error", "Tagged Buffer Error", "Untagged Buffer Error", "Reserved for the LLP"},
		layerLLP:  {"MPA Error"},
	}
	if int(t.Layer) < len(names) && v < uint64(len(names[t.Layer])) {
		return names[t.Layer][v]
	}
	return "Unknown"
}

func ofCode(layer, kind uint8) func(uint64) string {
	return Terminate{Layer: layer, Type: kind}.codeName
}

// codeName names an error. RFC 5040 7.2, RFC 5041 8.2, RFC 5044 8
func (t Terminate) codeName(v uint64) string {
	var names map[uint64]string
	switch {
	case t.Layer == layerRDMA && (t.Type == 1 || t.Type == 2):
		names = map[uint64]string{0: "Invalid STag", 1: "Base or bounds violation", 2: "Access rights violation", 3: "STag not associated with RDMAP Stream",
			4: "TO wrap", 5: "Invalid RDMAP version", 6: "Unexpected OpCode", 7: "Catastrophic error, localized to RDMAP Stream",
			8: "Catastrophic error, global", 9: "STag cannot be Invalidated", 0xff: "Unspecific Error"}
	case t.Layer == layerDDP && t.Type == 1:
		names = map[uint64]string{0: "Invalid STag", 1: "Base or bounds violation", 2: "STag not associated with DDP Stream", 3: "TO wrap", 4: "Invalid DDP version"}
	case t.Layer == layerDDP && t.Type == 2:
		names = map[uint64]string{1: "Invalid QN", 2: "Invalid MSN - no buffer available", 3: "Invalid MSN - MSN range is not valid", 4: "Invalid MO",
			5: "DDP Message too long for available buffer", 6: "Invalid DDP version"}
	case t.Layer == layerLLP && t.Type == 0:
		names = map[uint64]string{1: "TCP connection closed, terminated or lost", 2: "MPA CRC Error", 3: "MPA Marker and ULPDU Length field mismatch",
			4: "Invalid MPA Request Frame or MPA Response Frame", 5: "Local catastrophic error", 6: "Insufficient IRD resources", 7: "No matching RTR option"}
	}
	if s := names[v]; s != "" {
		return s
	}
	return "Unknown"
}
