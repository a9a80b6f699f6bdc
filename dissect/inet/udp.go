package inet

import (
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	udp         = fields.Section("RFC 768")
	fUDP        = udp.Struct("udp", "User Datagram Protocol")
	fUDPSrc     = udp.Uint("udp.srcport", "Source Port")
	fUDPDst     = udp.Uint("udp.dstport", "Destination Port")
	_           = udp.Any("udp.port", "Source or Destination Port", fUDPSrc, fUDPDst)
	fUDPLen     = udp.Uint("udp.length", "Length")
	fUDPLenBad  = udp.Uint("udp.length", "Length").Formatted(func(v uint64) string { return fmt.Sprintf("%d (bogus, must be >= 8)", v) })
	fUDPSum     = udp.Hex("udp.checksum", "Checksum").Formatted(udpSum)
	fUDPSumBad  = udp.Hex("udp.checksum", "Checksum").Formatted(zeroIllegal)
	fUDPZero    = udp.Struct("udp.checksum.zero", "Illegal checksum value (0)")
	fUDPStatus  = udp.Uint("udp.checksum.status", "Checksum Status").Formatted(sumStatus)
	fUDPStream  = udp.Uint("udp.stream", "Stream index")
	fUDPTimes   = udp.Struct("", "Timestamps")
	fUDPSince   = udp.Duration("udp.time_relative", "Time since first frame")
	fUDPDelta   = udp.Duration("udp.time_delta", "Time since previous frame")
	fUDPPayload = udp.Bytes("udp.payload", "UDP payload").Formatted(byteCount)
	fUDPBadLen  = udp.Struct("udp.length.bad", "Bad length value")
)

func zeroIllegal(uint64) string { return "0x0000 [zero-value illegal]" }

func udpSum(v uint64) string {
	if v == 0 {
		return "0x0000 [zero-value ignored]"
	}
	return sumUnverified(v)
}

const portVXLAN = 4789

func (w *walk) udp(c *wire.Cursor) {
	h, ctx := w.h, w.ctx
	w.met(c, "udp")
	left := c.Len()
	m := c.Open(fUDP)
	h.SrcPort = c.BE16(fUDPSrc)
	h.DstPort = c.BE16(fUDPDst)
	n := int(w.udpLength(c))
	summed := w.udpChecksum(c)
	if c.Cause() != nil {
		c.Close(m)
		h.finish(c, fUDPPayload)
		return
	}
	h.Kind = UDP
	h.Lower = lower(c, h.Src.Is6())
	if m >= 0 {
		c.Title(m, 0, fmt.Sprintf(", Src Port: %d, Dst Port: %d", h.SrcPort, h.DstPort))
	}
	if c.Recording() {
		if summed {
			c.Note(fUDPStatus, unverifiedStatus, "")
		}
		if ctx.HasStream {
			c.Note(fUDPStream, uint64(ctx.Stream), "")
			t := c.Note(fUDPTimes, 0, "")
			since(c, fUDPSince, ctx.Time, ctx.StreamFirstTime)
			since(c, fUDPDelta, ctx.Time, ctx.StreamPrevTime)
			c.Close(t)
		}
	}
	switch {
	case n == 0: // RFC 2675 4: a jumbogram; and what receive offload leaves
		n = left
	case n < 8 || n > left:
		h.Malformed = true
		n = max(n, 8)
	}
	end := c.Narrow(n - 8)
	switch {
	case h.DstPort == portVXLAN && !w.quote:
		c.Close(m)
		w.vxlan(c)
	case h.DstPort == portGeneve && !w.quote:
		c.Close(m)
		w.geneve(c)
	default:
		h.finish(c, fUDPPayload)
		c.Close(m)
	}
	c.Widen(end)
}

// lower returns the IP and the UDP header before c, if they are next to each other.
func lower(c *wire.Cursor, six bool) []byte {
	if six {
		if b := c.Behind(40 + 8); b != nil && b[0]>>4 == 6 && b[6] == protoUDP {
			return b
		}
		return nil
	}
	if b := c.Behind(20 + 8); b != nil && b[0] == 0x45 && b[9] == protoUDP {
		return b
	}
	return nil
}

// udpLength reads the length, and remarks on one that is less than the header.
func (w *walk) udpLength(c *wire.Cursor) uint16 {
	look := c.Peek(2)
	if look == nil || !c.Recording() || look[0] != 0 || look[1] == 0 || look[1] >= 8 {
		return c.BE16(fUDPLen)
	}
	m := c.Overlay(fUDPLenBad, 2)
	remark(c, fUDPBadLen, severityError, groupMalformed, fmt.Sprintf(" %d < 8", look[1]))
	c.Close(m)
	c.Pass(fUDPLen, 2)
	return uint16(look[1])
}

// udpChecksum reads the checksum, and is false if the sender made none, which is shown
// below it.
func (w *walk) udpChecksum(c *wire.Cursor) bool {
	look := c.Peek(2)
	if look == nil || look[0] != 0 || look[1] != 0 || !c.Recording() {
		return c.BE16(fUDPSum) != 0
	}
	if w.h.Src.Is6() { // RFC 8200 8.1: "the default behavior is that the UDP checksum is not optional"
		m := c.Overlay(fUDPSumBad, 2)
		remark(c, fUDPZero, severityError, groupChecksum, "")
		c.Note(fUDPStatus, illegalStatus, "")
		c.Close(m)
	} else {
		m := c.Overlay(fUDPSum, 2)
		c.Note(fUDPStatus, missingStatus, "")
		c.Close(m)
	}
	c.Pass(fUDPSum, 2)
	return false
}
