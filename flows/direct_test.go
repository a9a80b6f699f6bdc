package flows

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows/flowtest"
)

// directPass is the pass over a capture, with its exchanges.
func directPass(c *flowtest.Capture) (list []Exchange, r *Results) {
	a := NewAnalyzer(Options{})
	a.onExchange = func(i uint32) {
		var x Exchange
		a.exchange(i, &x)
		list = append(list, x)
	}
	for i := range c.Packets {
		a.Packet(&c.Packets[i])
	}
	a.Flush()
	return list, a.Results()
}

// TestDirect: a session over SMB Direct that a test builds is what it says.
func TestDirect(t *testing.T) {
	c := new(flowtest.Capture)
	s, d := c.LoginDirect("10.0.0.1", "10.0.0.9", `\\server\share`)
	f := s.New("file")
	s.WriteDirect(f, 0, 2, []flowtest.Region{{Address: 0x1000, Key: 7, Length: 4000}, {Address: 0x9000, Key: 8, Length: 3000}}, func() {
		d.Read(1, 7, 0x1000, make([]byte, 4000))
		d.Read(1, 8, 0x9000, make([]byte, 3000))
		d.Invalidate = 7
	})
	s.Write(f, 7000, make([]byte, 2000)) // in two fragments of two packets
	s.ReadDirect(f, 0, 2, []flowtest.Region{{Address: 0x1000, Key: 9, Length: 4000}}, func() {
		d.Write(1, 9, 0x1000, make([]byte, 4000))
		d.Invalidate = 9
	})
	s.Close(f)
	d.Disconnect(0)
	list, r := directPass(c)
	if len(r.Connections) != 1 || len(r.RDMA) != 1 {
		t.Fatalf("%+v", r.Connections)
	}
	if n := r.RDMA[0]; n.Transport != RoCEv2 || n.Evidence != "connect" || n.Closed == 0 || n.Lost+n.Repeated+n.BadCRC > 0 || n.NoGoodCRC || len(n.Faults) > 0 || n.MTU != 1024 {
		t.Errorf("%+v", n)
	}
	moved := map[smb2.Command]uint64{}
	for _, x := range list {
		if moved[x.Command] += x.RDMA.Bytes; x.AnswerFrame == 0 {
			t.Errorf("%v has no answer", x.Command)
		}
	}
	if moved[smb2.Write] != 7000 || moved[smb2.Read] != 4000 {
		t.Errorf("moved %v", moved)
	}
}

// TestDirectAllocs: neither messages nor data of RDMA cost an allocation a packet.
func TestDirectAllocs(t *testing.T) {
	c := new(flowtest.Capture)
	s, d := c.LoginDirect("10.0.0.1", "10.0.0.9", `\\server\share`)
	f := s.New("file")
	begin := len(c.Packets)
	work := func() {
		s.WriteDirect(f, 0, 2, []flowtest.Region{{Address: 0x1000, Key: 7, Length: 60000}, {Address: 0x100000, Key: 9, Length: 60000}}, func() {
			d.Read(1, 7, 0x1000, make([]byte, 60000))
			d.Read(1, 9, 0x100000, make([]byte, 60000))
		})
		s.ReadDirect(f, 0, 2, []flowtest.Region{{Address: 0x1000, Key: 8, Length: 60000}}, func() { d.Write(1, 8, 0x1000, make([]byte, 60000)) })
		for range 50 {
			d.Transfer(0, 0, nil)
			d.Transfer(1, 0, nil)
		}
		s.Write(f, 0, make([]byte, 200000)) // in fragments of two packets each
	}
	work()
	again := len(c.Packets)
	work()
	a := NewAnalyzer(Options{})
	feed := func(packets []captures.Packet) {
		for i := range packets {
			a.Packet(&packets[i])
		}
	}
	feed(c.Packets[:begin])
	parts := [][]captures.Packet{c.Packets[begin:again], c.Packets[again:]} // to warm up, to measure
	n := len(parts[1])
	got := testing.AllocsPerRun(1, func() { feed(parts[0]); parts = parts[1:] })
	if got > float64(n)/40 {
		t.Errorf("%v allocations for %d packets", got, n)
	}
}

// TestDirectAndTCP: a session on both TCP and RDMA is one, and so is what it opens.
func TestDirectAndTCP(t *testing.T) {
	c := new(flowtest.Capture)
	s := c.Login("10.0.0.1:50000", "10.0.0.9:445", `\\server\share`)
	f := s.New("file")
	d := c.Direct("10.0.0.1", "10.0.0.9")
	k := d.Bind(s)
	k.WriteDirect(f, 0, 2, []flowtest.Region{{Address: 0x1000, Key: 7, Length: 4000}}, func() { d.Read(1, 7, 0x1000, make([]byte, 4000)) })
	s.Close(f)
	list, r := directPass(c)
	if len(r.Sessions) != 1 || !slices.Equal(r.Sessions[0].Conns, []int{1, 2}) {
		t.Errorf("%+v", r.Sessions)
	}
	for _, x := range list {
		if x.Command == smb2.Write && (x.File != "file" || x.Transport != RoCEv2 || x.RDMA.Bytes != 4000) {
			t.Errorf("%+v", x)
		}
	}
}

// TestDirectSealed: what is encrypted or signed goes inline, in fragments, and is opened
// and verified as over TCP.
func TestDirectSealed(t *testing.T) {
	keys := seal.Derive(smb2.Dialect302, smb2.AES128CCM, testKey, nil)
	for name, wrap := range map[string]func(session uint64) func([]byte) []byte{
		"sealed": func(session uint64) func([]byte) []byte { return sealedWith(session, keys, smb2.AES128CCM) },
		"signed": func(uint64) func([]byte) []byte {
			return func(m []byte) []byte {
				m[16] |= byte(smb2.FlagSigned)
				sig := seal.NewSigner(smb2.AESCMAC, keys.Signing).Sign(m)
				copy(m[48:], sig[:])
				return m
			}
		},
	} {
		c := new(flowtest.Capture)
		s, _ := c.LoginDirect("10.0.0.1", "10.0.0.9", `\\server\share`)
		s.Wrap = wrap(s.Session)
		f := s.New("file")
		s.Write(f, 0, make([]byte, 20000))
		s.Read(f, 0, make([]byte, 10000))
		_, r := analysed(c, keysOf(fmt.Sprintf("%016x,%x", swap(s.Session), testKey)))
		got := &r.Sessions[0]
		if name == "sealed" && (got.Encrypted != 6 || got.Decrypted != 6) || name == "signed" && got.Verified != 6 || len(got.BadSignatures) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
		n := r.RDMA[0]
		if len(n.Faults) > 0 || len(n.Inline) != 2 || n.Inline[0].Count != 1 || !strings.Contains(n.Inline[0].Cause, name) || n.Inline[0].Bytes != 20000 {
			t.Errorf("%s: %+v %+v", name, n.Faults, n.Inline)
		}
	}
}

// TestDirectTransform: the memory of a request whose data is encrypted for RDMA is found
// behind the transform. [MS-SMB2] 2.2.43
func TestDirectTransform(t *testing.T) {
	c := new(flowtest.Capture)
	s, d := c.LoginDirect("10.0.0.1", "10.0.0.9", `\\server\share`)
	f := s.New("file")
	s.WriteDirect(f, 0, 3, []flowtest.Region{{Address: 0x1000, Key: 7, Length: 4000}}, func() { d.Read(1, 7, 0x1000, make([]byte, 4000)) })
	list, r := directPass(c)
	x := list[len(list)-1]
	if len(r.RDMA[0].Faults) > 0 || x.RDMA.Bytes != 4000 || x.RDMA.Offered != 4000 {
		t.Errorf("%+v %+v", r.RDMA[0].Faults, x)
	}
}

// TestDirectEnd: what waits behind a hole when the capture ends is taken, and not what the
// hole was in.
func TestDirectEnd(t *testing.T) {
	c := new(flowtest.Capture)
	s, d := c.LoginDirect("10.0.0.1", "10.0.0.9", `\\server\share`)
	d.Skip(0)
	s.Mute = true
	s.New("file")
	c.Drop(1) // its acknowledgement
	list, r := directPass(c)
	if x := list[len(list)-1]; x.Command != smb2.Create || x.File != "file" || r.Connections[0].LostBytes == 0 || r.RDMA[0].Lost != 1 {
		t.Errorf("%+v %+v", x, r.RDMA[0])
	}
}
