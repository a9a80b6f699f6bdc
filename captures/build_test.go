package captures

import (
	"bytes"
	"encoding/binary"

	"github.com/odxray/odxray/captures/linktype"
)

// The tests build files from these, field by field, so that a test can say what
// is wrong with one.

type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

var le, be order = binary.LittleEndian, binary.BigEndian

func u32s(o order, b []byte, v ...uint32) []byte {
	for _, v := range v {
		b = o.AppendUint32(b, v)
	}
	return b
}

// frame is a packet's data of n bytes that differ from packet to packet.
func frame(seed, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(seed + i)
	}
	return b
}

func pcapHead(o order, magic, snaplen uint32) []byte {
	b := u32s(o, nil, magic)
	b = o.AppendUint16(o.AppendUint16(b, 2), 4)
	return u32s(o, b, 0, 0, snaplen, 1)
}

func pcapRecord(o order, sec, frac uint32, data []byte) []byte {
	return append(u32s(o, nil, sec, frac, uint32(len(data)), uint32(len(data))), data...)
}

func snoopHead() []byte { return u32s(be, []byte(snoopMagic), 2, 4) }

func snoopRecord(sec, usec uint32, data []byte) []byte {
	n := (len(data) + 3) &^ 3
	b := u32s(be, nil, uint32(len(data)), uint32(len(data)), uint32(24+n), 0, sec, usec)
	return append(append(b, data...), make([]byte, n-len(data))...)
}

func ngBlock(o order, kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	b := u32s(o, nil, kind, uint32(len(body)+12))
	return u32s(o, append(b, body...), uint32(len(body)+12))
}

func ngOption(o order, code uint16, v []byte) []byte {
	b := o.AppendUint16(o.AppendUint16(nil, code), uint16(len(v)))
	b = append(b, v...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func ngHead(o order, options ...[]byte) []byte {
	b := u32s(o, nil, ngMagic)
	b = o.AppendUint16(o.AppendUint16(b, 1), 0)
	b = o.AppendUint64(b, 1<<64-1)
	return ngBlock(o, ngSection, append(b, bytes.Join(options, nil)...))
}

func ngIface(o order, link uint16, snaplen uint32, options ...[]byte) []byte {
	b := o.AppendUint16(o.AppendUint16(nil, link), 0)
	b = u32s(o, b, snaplen)
	return ngBlock(o, ngInterface, append(b, bytes.Join(options, nil)...))
}

func ngPacketBlock(o order, iface uint32, ts uint64, data []byte, options ...[]byte) []byte {
	b := u32s(o, nil, iface, uint32(ts>>32), uint32(ts), uint32(len(data)), uint32(len(data)))
	b = append(b, data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return ngBlock(o, ngEnhanced, append(b, bytes.Join(options, nil)...))
}

func erfRecordBytes(ts uint64, kind byte, wire uint16, body []byte) []byte {
	b := le.AppendUint64(nil, ts)
	b = append(b, kind, 0)
	b = be.AppendUint16(b, uint16(16+len(body)))
	b = be.AppendUint16(be.AppendUint16(b, 0), wire)
	return append(b, body...)
}

// A sample is a small file of each format with the packets it holds.
type sample struct {
	name    string
	file    []byte
	packets []Packet
}

// samples are sound files. All packets of one have different lengths, so that a
// record boundary lies at every kind of offset.
func samples() []sample {
	const sec = 1_600_000_000
	var list []sample
	add := func(name string, packets []Packet, parts ...[]byte) {
		list = append(list, sample{name, bytes.Join(parts, nil), packets})
	}
	p := func(time int64, data []byte) Packet {
		return Packet{Time: time, Link: linktype.Ethernet, WireLen: len(data), Data: data}
	}
	for _, o := range []order{le, be} {
		add("pcap, microseconds, "+o.String(), []Packet{p(sec*1e9+7000, frame(1, 60)), p(sec*1e9+1e9, frame(2, 61)), p(sec*1e9, nil)},
			pcapHead(o, pcapMicro, 1<<31), pcapRecord(o, sec, 7, frame(1, 60)), pcapRecord(o, sec+1, 0, frame(2, 61)), pcapRecord(o, sec, 0, nil))
		add("pcap, nanoseconds, "+o.String(), []Packet{p(sec*1e9+7, frame(1, 60)), p(sec*1e9+1e9, frame(2, 63))},
			pcapHead(o, pcapNano, 0), pcapRecord(o, sec, 7, frame(1, 60)), pcapRecord(o, sec+1, 0, frame(2, 63)))
		modified := func(data []byte) []byte {
			b := pcapRecord(o, sec, 7, data)
			return append(b[:16:16], append(make([]byte, 8), b[16:]...)...)
		}
		add("modified pcap, "+o.String(), []Packet{p(sec*1e9+7000, frame(1, 60)), p(sec*1e9+7000, frame(2, 62))},
			pcapHead(o, pcapModified, 96), modified(frame(1, 60)), modified(frame(2, 62)))

		simple := u32s(o, nil, 9)
		simple = append(simple, frame(3, 8)...)
		obsolete := o.AppendUint16(o.AppendUint16(nil, 1), 5)
		obsolete = append(u32s(o, obsolete, 0, 2048, 5, 70), frame(4, 5)...)
		nine := p(0, frame(3, 8))
		nine.WireLen = 9
		five := p(5*1e9+2*1e9, frame(4, 5))
		five.Link, five.WireLen, five.Interface = linktype.LinuxSLL2, 70, 1
		second := p(1_500_000_000, frame(5, 3))
		second.Interface = 2
		otherOrder := be
		if o == be {
			otherOrder = le
		}
		add("pcapng, "+o.String(), []Packet{p(sec*1e9+5000, frame(1, 61)), nine, five, second},
			ngHead(o, ngOption(o, 1, []byte("about the file")), ngOption(o, 4, []byte("a program")), ngOption(o, 0, nil)),
			ngBlock(o, 4, frame(9, 20)), // names
			ngIface(o, 1, 8, ngOption(o, 2, []byte("eth0")), ngOption(o, 9, []byte{6})),
			ngIface(o, 276, 0, ngOption(o, 2, []byte("any")), ngOption(o, 9, []byte{0x80 | 10}), ngOption(o, 14, o.AppendUint64(nil, 5))),
			ngPacketBlock(o, 0, sec*1e6+5, frame(1, 61), ngOption(o, 1, []byte("first")), ngOption(o, 2, make([]byte, 4)), ngOption(o, 1, []byte("second"))),
			ngBlock(o, 10, frame(9, 40)), // decryption secrets
			ngBlock(o, ngSimple, simple),
			ngBlock(o, ngStats, append(u32s(o, nil, 1, 0, 0),
				append(ngOption(o, 5, o.AppendUint64(nil, 3)), ngOption(o, 7, o.AppendUint64(nil, 4))...)...)),
			ngBlock(o, ngPacket, obsolete),
			ngHead(otherOrder), ngIface(otherOrder, 1, 0, ngOption(otherOrder, 9, []byte{3})),
			ngPacketBlock(otherOrder, 0, 1500, frame(5, 3)),
			ngBlock(otherOrder, 0x0bad0bad, nil))
	}
	add("snoop", []Packet{p(sec*1e9+7000, frame(1, 60)), p(sec*1e9+1e9, frame(2, 61))},
		snoopHead(), snoopRecord(sec, 7, frame(1, 60)), snoopRecord(sec+1, 0, frame(2, 61)))
	ib := p(sec*1e9+5e8, frame(2, 30))
	ib.Link = linktype.InfiniBand
	add("ERF", []Packet{p(sec*1e9, frame(1, 60)), ib},
		erfRecordBytes(sec<<32, 2, 60, append([]byte{0, 0}, append(frame(1, 60), 0, 0)...)),
		erfRecordBytes(sec<<32, 48, 0, make([]byte, 8)),
		erfRecordBytes(sec<<32+1<<31, 0x80|21, 30, append([]byte{0x81, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, append(frame(2, 30), 0, 0)...)))
	return list
}
