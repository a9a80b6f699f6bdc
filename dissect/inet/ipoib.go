package inet

import "github.com/odxray/odxray/dissect/wire"

var (
	ipoib         = fields.Section("RFC 4391 6")
	fIPoIB        = ipoib.Struct("ipoib", "IP over Infiniband")
	fIPoIBTo      = ipoib.Struct("ipoib.daddr", "Destination address")
	fIPoIBQPN     = ipoib.Hex("ipoib.daddr.qpn", "Destination QPN")
	fIPoIBGID     = ipoib.Address("ipoib.dgid", "Destination GID")
	fIPoIBGRH     = ipoib.Struct("ipoib.grh", "Global Route Header")
	fIPoIBVer     = ipoib.Uint("ipoib.grh.ipver", "IP Version").In(0xf0)
	fIPoIBClass   = ipoib.Uint("ipoib.grh.tclass", "Traffic Class").In(0x0ff0)
	fIPoIBFlow    = ipoib.Uint("ipoib.grh.flowlabel", "Flow Label").In(0x000fffff)
	fIPoIBFrom    = ipoib.Hex("ipoib.grh.sqpn", "Source QPN")
	fIPoIBFromGID = ipoib.Address("ipoib.grh.sgid", "Source GID")
	fIPoIBType    = ipoib.Enum("ipoib.type", "Type", etherTypeName).InHex()
	fIPoIBZero    = ipoib.Hex("ipoib.reserved", "Reserved")
)

// ipoib decodes what Linux captures on an InfiniBand interface: 40 bytes that stand
// for the link, and the header of RFC 4391. Of what is sent, the 40 bytes hold the
// destination, after 20 zeros; of what is received, the global route header.
func (w *walk) ipoib(c *wire.Cursor) {
	m := c.Open(fIPoIB)
	if sent(c.Peek(20)) {
		to := c.Open(fIPoIBTo)
		c.Pass(fIPoIBTo, 21)
		c.Overlay(fIPoIBQPN, 3)
		c.Pass(fIPoIBQPN, 3)
		c.Bytes(fIPoIBGID, 16)
		c.Close(to)
	} else {
		grh := c.Open(fIPoIBGRH)
		c.Overlay(fIPoIBVer, 1)
		c.Overlay(fIPoIBClass, 2)
		c.Overlay(fIPoIBFlow, 4)
		c.Pass(fIPoIBGRH, 5)
		c.Overlay(fIPoIBFrom, 3)
		c.Pass(fIPoIBFrom, 3)
		c.Bytes(fIPoIBFromGID, 16)
		c.Bytes(fIPoIBGID, 16)
		c.Close(grh)
	}
	t := c.BE16(fIPoIBType)
	c.BE16(fIPoIBZero)
	c.Close(m)
	w.met(c, "ipoib")
	if c.Failed() {
		w.data(c)
		return
	}
	w.ethertype(c, t)
}

// sent tells whether b is the 20 zeros.
func sent(b []byte) bool {
	return len(b) == 20 && [20]byte(b) == [20]byte{}
}
