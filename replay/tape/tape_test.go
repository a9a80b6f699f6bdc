package tape

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/odxray/odxray/captures"
)

// said is what a decoder of others reads of a tape: the streams of both sides, put
// together by sequence number, from segments whose checksums are right.
func said(t *testing.T, b []byte, server netip.AddrPort) (streams [2][]byte, flags []string) {
	t.Helper()
	r, err := captures.NewReader(bytes.NewReader(b), "tape")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	next := [2]uint32{1000, 2000}
	for {
		var p captures.Packet
		if r.Next(&p) != nil {
			return streams, flags
		}
		d := gopacket.NewPacket(p.Data, layers.LayerTypeEthernet, gopacket.Default)
		tcp, ok := d.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok || d.ErrorLayer() != nil {
			t.Fatalf("no TCP: %v", d)
		}
		network := d.NetworkLayer()
		if err := tcp.SetNetworkLayerForChecksum(network); err != nil {
			t.Fatal(err)
		}
		had := tcp.Checksum
		again := gopacket.NewSerializeBuffer()
		if err := tcp.SerializeTo(payload(again, tcp.Payload), gopacket.SerializeOptions{ComputeChecksums: true}); err != nil || tcp.Checksum != had {
			t.Errorf("checksum %04x, want %04x (%v)", had, tcp.Checksum, err)
		}
		side := Client
		if src, _ := netip.AddrFromSlice(network.NetworkFlow().Src().Raw()); netip.AddrPortFrom(src, uint16(tcp.SrcPort)) == server {
			side = Server
		}
		if tcp.Seq != next[side] || tcp.ACK && tcp.Ack != next[1-side] {
			t.Errorf("sequence %d, acknowledged %d; want %d, %d", tcp.Seq, tcp.Ack, next[side], next[1-side])
		}
		next[side] += uint32(len(tcp.Payload))
		if tcp.SYN || tcp.FIN {
			next[side]++
			flags = append(flags, map[bool]string{true: "SYN", false: "FIN"}[tcp.SYN])
		}
		streams[side] = append(streams[side], tcp.Payload...)
	}
}

// payload is a buffer that holds a segment's payload.
func payload(b gopacket.SerializeBuffer, p []byte) gopacket.SerializeBuffer {
	room, _ := b.PrependBytes(len(p))
	copy(room, p)
	return b
}

func TestTape(t *testing.T) {
	at := time.Unix(1, 5000)
	for name, c := range map[string]struct{ client, server net.Addr }{
		"IPv4":          {&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 40001}, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 445}},
		"IPv6":          {&net.TCPAddr{IP: net.ParseIP("fd00::1"), Port: 40001, Zone: "eth0"}, &net.TCPAddr{IP: net.ParseIP("fd00::2"), Port: 445}},
		"mapped":        {&net.TCPAddr{IP: net.ParseIP("::ffff:10.0.0.1"), Port: 40001}, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 445}},
		"none of TCP's": {&net.UnixAddr{Name: "x"}, &net.TCPAddr{IP: net.ParseIP("fd00::2"), Port: 445}},
	} {
		var b bytes.Buffer
		tape, err := New(&b, "a test", "how")
		if err != nil {
			t.Fatal(err)
		}
		conn := tape.Conn(c.client, c.server, at)
		long := bytes.Repeat([]byte("0123456789"), 10_000)
		conn.Record(Client, at, []byte{0, 0, 0, 5}, []byte("hello"))
		conn.Record(Server, at, long)
		conn.Record(Client, at)
		conn.Close(at)
		if tape.Err() != nil {
			t.Error(tape.Err())
		}
		server := c.server.(*net.TCPAddr).AddrPort()
		streams, flags := said(t, b.Bytes(), netip.AddrPortFrom(server.Addr().Unmap(), server.Port()))
		if string(streams[Client]) != "\x00\x00\x00\x05hello" || !bytes.Equal(streams[Server], long) || len(flags) != 4 {
			t.Errorf("%s: %d and %d bytes, %v", name, len(streams[Client]), len(streams[Server]), flags)
		}
	}
	var nobody *Conn
	nobody.Record(Client, at, []byte("x"))
	nobody.Close(at)
}

// A tape that cannot be written says so once, and goes on.
func TestFull(t *testing.T) {
	full := errors.New("no space left")
	w := &limited{left: 200, err: full}
	tape, err := New(w, "a test", "how")
	if err != nil {
		t.Fatal(err)
	}
	conn := tape.Conn(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1}, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 2}, time.Unix(1, 0))
	conn.Record(Server, time.Unix(1, 0), make([]byte, 1000))
	if !errors.Is(tape.Err(), full) {
		t.Error(tape.Err())
	}
}

type limited struct {
	left int
	err  error
}

func (w *limited) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, w.err
	}
	return len(b), nil
}
