package ib

import (
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

// Syndrome is what a responder says of the packet it names. [IBTA] 9.3.5
type Syndrome uint8

// Acknowledged reports whether the packets up to the one named arrived.
func (s Syndrome) Acknowledged() bool { return s&0x60 == 0 }

// NotReady reports whether the responder asks to try again later: RNR NAK.
func (s Syndrome) NotReady() bool { return s&0x60 == 0x20 }

// Refused reports whether the responder refuses the packet: NAK.
func (s Syndrome) Refused() bool { return s&0x60 == 0x60 }

// SequenceError reports whether it does so because one before it is missing.
func (s Syndrome) SequenceError() bool { return s&0x7f == 0x60 }

// String says what it is, and why.
func (s Syndrome) String() string {
	switch {
	case s.Refused():
		return "NAK, " + errorCode(uint64(s&0x1f))
	case s.NotReady():
		return "receiver not ready, try again after " + timer(uint64(s&0x1f))
	case s.Acknowledged():
		return "ACK"
	}
	return "reserved"
}

var (
	acks  = fields.Section("[IBTA] 9.3.5")
	fAETH = acks.Struct("infiniband.aeth", "AETH - ACK Extended Transport Header").AsBytes()

	fSynReserved = acks.Uint("infiniband.aeth.syndrome.reserved", "Reserved").In(0x80)
	fSynKind     = acks.Enum("infiniband.aeth.syndrome.opcode", "OpCode", kindOfAck).In(0x60)

	fSynACK   = syndrome(acks.Uint("infiniband.aeth.syndrome.credit_count", "Credit Count").In(0x1f))
	fSynRNR   = syndrome(acks.Enum("infiniband.aeth.syndrome.timer", "Timer", timer).In(0x1f))
	fSynOther = syndrome(acks.Uint("infiniband.aeth.syndrome.reserved_value", "Reserved").In(0x1f))
	fSynNAK   = syndrome(acks.Enum("infiniband.aeth.syndrome.error_code", "Error Code", errorCode).In(0x1f))

	fMSN = acks.Uint("infiniband.aeth.msn", "Message Sequence Number")
)

// syndrome declares the byte whose lower bits are value.
func syndrome(value *wire.Field) *wire.Field {
	return acks.Uint("infiniband.aeth.syndrome", "Syndrome").Split(fSynReserved, fSynKind, value).
		Formatted(func(v uint64) string { return fmt.Sprintf("%d, %s", v, kindOfAck(v>>5&3)) })
}

func (p *Packet) acknowledgement(c *wire.Cursor) {
	defer c.Close(c.Open(fAETH))
	f := fSynACK
	if look := c.Peek(1); look != nil {
		f = [...]*wire.Field{fSynACK, fSynRNR, fSynOther, fSynNAK}[look[0]>>5&3]
	}
	p.Syndrome = Syndrome(c.U8(f))
	p.MSN = c.BE24(fMSN)
	p.HasSyndrome = !c.Failed()
}

func kindOfAck(v uint64) string {
	return [...]string{"Ack", "RNR Nak", "Reserved", "Nak"}[v&3]
}

func errorCode(v uint64) string {
	switch v {
	case 0:
		return "PSN Sequence Error"
	case 1:
		return "Invalid Request"
	case 2:
		return "Remote Access Error"
	case 3:
		return "Remote Operational Error"
	case 4:
		return "Invalid RD Request"
	}
	return "Unknown"
}

// timer names the time after which to try again. [IBTA] 9.7.5.2.8
func timer(v uint64) string {
	return [...]string{
		"655.36 ms", "0.01 ms", "0.02 ms", "0.03 ms", "0.04 ms", "0.06 ms", "0.08 ms", "0.12 ms",
		"0.16 ms", "0.24 ms", "0.32 ms", "0.48 ms", "0.64 ms", "0.96 ms", "1.28 ms", "1.92 ms",
		"2.56 ms", "3.84 ms", "5.12 ms", "7.68 ms", "10.24 ms", "15.36 ms", "20.48 ms", "30.72 ms",
		"40.96 ms", "61.44 ms", "81.92 ms", "122.88 ms", "163.84 ms", "245.76 ms", "327.68 ms", "491.52 ms",
	}[v&31]
}
