package audit

import (
	"testing"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/flowtest"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// scene is what a test writes a capture of: a client on a server, with a source of
// 1 MiB and a destination that it has created and made as long.
type scene struct {
	*flowtest.Capture
	*flowtest.Client
	src, dst flowtest.File
}

const share = `\\server\share`

// play builds a capture and returns what the audit says of it.
func play(t *testing.T, write func(*scene)) ([]flows.Finding, *flows.Results) {
	t.Helper()
	c := new(flowtest.Capture)
	s := &scene{Capture: c, Client: c.Login("10.0.0.1:50000", "10.0.0.9:445", share)}
	s.src = s.Client.Open("src", mib)
	s.dst = s.New("dst")
	s.SetSize(s.dst, mib)
	write(s)
	r := analyse(c)
	return Judge(r), r
}

// analyse is the pass over a capture.
func analyse(c *flowtest.Capture) *flows.Results {
	a := flows.NewAnalyzer(flows.Options{})
	for i := range c.Packets {
		a.Packet(&c.Packets[i])
	}
	a.Flush()
	r := a.Results()
	r.Done = true
	return r
}

// mint reads the whole source into a token.
func (s *scene) mint(n byte) flowtest.Token {
	t := flowtest.NewToken(n)
	s.OffloadRead(s.src, 0, mib, mib, t)
	return t
}

// write spends a part of a token in its place.
func (s *scene) write(t flowtest.Token, offset, length uint64) {
	s.OffloadWrite(s.dst, offset, length, offset, t, length)
}

// copied makes a good copy.
func (s *scene) copied() { s.write(s.mint(1), 0, mib) }

// plain copies a range through the client.
func (s *scene) plain(offset, length uint64) {
	for at := offset; at < offset+length; at += 64 * kib {
		data := pattern(byte(at>>16)+3, min(64*kib, offset+length-at))
		s.Read(s.src, at, data)
		s.Write(s.dst, at, data)
	}
}

func pattern(n byte, length uint64) []byte {
	b := make([]byte, length)
	for i := range b {
		b[i] = n + byte(i*7)
	}
	return b
}

// refuse makes the next call fail.
func (s *scene) refuse(status uint32) { s.Status = status }

// other is another client on the same server.
func (s *scene) other() *flowtest.Client {
	return s.Capture.Login("10.0.0.2:50001", "10.0.0.9:445", share)
}

const odxRead, odxWrite = 0x94264, 0x98268

func u32(v uint32) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)} }
func u64(v uint64) []byte { return append(u32(uint32(v)), u32(uint32(v>>32))...) }
