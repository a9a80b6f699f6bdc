package inet

import (
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	geneve         = fields.Section("RFC 8926 3.4")
	fGeneve        = geneve.Struct("geneve", "Generic Network Virtualization Encapsulation")
	fGeneveVersion = geneve.Uint("geneve.version", "Version")
	fGeneveLength  = geneve.Uint("geneve.option.length", "Length").Formatted(func(v uint64) string { return fmt.Sprintf("%d bytes", v) })
	fGeneveFlags   = geneve.Hex("geneve.flags", "Flags").List(
		geneve.Flag(0x80, "geneve.flags.oam", "Operations, Administration and Management Frame", "False", "True"),
		geneve.Flag(0x40, "geneve.flags.critical", "Critical Options Present", "False", "True"),
		geneve.Flag(0x3f, "geneve.flags.reserved", "Reserved", "False", "True"),
	)
	fGeneveProto   = geneve.Enum("geneve.proto_type", "Protocol Type", etherTypeName).InHex()
	fGeneveNetwork = geneve.Hex("geneve.vni", "Virtual Network Identifier (VNI)").Formatted(func(v uint64) string { return fmt.Sprintf("0x%06x (%d)", v, v) })
	fGeneveData    = geneve.Bytes("geneve.options", "Options")
)

const portGeneve = 6081

// geneve decodes the tunnel of virtual networks: Ethernet or IP within UDP.
func (w *walk) geneve(c *wire.Cursor) {
	if !w.enter(c) {
		return
	}
	m := c.Open(fGeneve)
	options := 0
	if b := c.Peek(1); b != nil {
		options = int(b[0]&0x3f) * 4
		c.OverlayValue(fGeneveVersion, 1, uint64(b[0]>>6))
		c.OverlayValue(fGeneveLength, 1, uint64(options))
	}
	c.Pass(fGeneveLength, 1)
	c.U8(fGeneveFlags)
	t := c.BE16(fGeneveProto)
	c.Overlay(fGeneveNetwork, 3)
	if b := c.Pass(fGeneveNetwork, 3); m >= 0 && b != nil {
		c.Title(m, 0, fmt.Sprintf(", VNI: 0x%06x", uint32(b[0])<<16|uint32(b[1])<<8|uint32(b[2])))
	}
	c.Pass(fGeneve, 1) // reserved
	if options > 0 {
		c.Skip(fGeneveData, options)
	}
	c.Close(m)
	w.met(c, "geneve")
	switch {
	case c.Failed():
		w.data(c)
	case t == EtherTypeTEB:
		w.inner()
		w.ethernet(c)
	default:
		w.inner()
		w.ethertype(c, t)
	}
}
