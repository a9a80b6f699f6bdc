package ui

import (
	"net/netip"
	"testing"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/rdma/smbd"
)

// direct is a fake with two queue pairs: what they agreed on, a READ of 128 KiB that two
// operations moved, and one that belongs to nobody.
func direct() *fake {
	f := sample()
	side := func(addr string, number uint32) flows.QueuePair {
		return flows.QueuePair{Addr: netip.MustParseAddr(addr), Number: number}
	}
	f.res.RDMA = []flows.RDMAConnection{{
		Conn: 1, Transport: flows.RoCEv2, Client: side("10.77.0.2", 0x12), Server: side("10.77.0.1", 0x11), Evidence: "connect", First: 4, Last: 58, MTU: 1024,
		Request:  smbd.Message{Kind: smbd.NegotiateRequest, CreditsRequested: 255, PreferredSendSize: 1364, MaxReceiveSize: 1364, MaxFragmentedSize: 173910},
		Response: smbd.Message{Kind: smbd.NegotiateResponse, CreditsGranted: 254, PreferredSendSize: 1364, MaxReceiveSize: 1364, MaxFragmentedSize: 173910, MaxReadWriteSize: 8 << 20},
		Messages: [2]int{20, 14}, CreditsGranted: [2]uint64{18, 19}, Packets: 60, Repeated: 1,
		Faults: []flows.RDMAFault{{Kind: flows.FaultBounds, Level: flows.Error, Frame: 31, Text: "the server writes 4096 bytes at 0x9000 with key 0x00000426, which no waiting request gave"}},
	}}
	op := func(from, to int, address uint64, length, moved uint32, exchange int) flows.RDMAOperation {
		return flows.RDMAOperation{Key: 0x426, Address: address, Length: length, Moved: moved, FirstFrame: from, LastFrame: to,
			FirstTime: start + int64(from)*1e7, LastTime: start + int64(to)*1e7, Exchange: exchange}
	}
	f.operations = []flows.RDMAOperation{op(12, 18, 0xffff8ef684200000, 65536, 65536, 6), op(19, 27, 0xffff8ef684210000, 65536, 65536, 6), op(31, 31, 0x9000, 4096, 1024, 0)}
	f.operations[1].Repeated = 1
	return f
}

func TestRDMA(t *testing.T) {
	u := newUser(t, direct(), 120, 30)
	u.press("8", "Enter", "j")
	u.sees("for exchange 6: FSCTL_OFFLOAD_WRITE of sparse1, f11")
	u.press("e")
	u.sees("▸      6 ")
	u.press("Esc", ".", "j", "Enter")
	u.sees("frame 19")
	u.press("Esc", "j")
	u.sees("no request that waited for an answer gave this memory")
}

// The real thing: every operation leads to its exchange.
func TestSampleRDMA(t *testing.T) {
	u := shared(t, "own/rocev2-311.pcap.zst", 140, 45)
	u.press("8", "Enter", "jj")
	u.sees("for exchange 31: WRITE")
	u.press("e")
	u.sees("exchange 31")
}

// From the token in a frame's tree to its ledger, from there to its bytes and back.
func TestSampleTokenLink(t *testing.T) {
	u := example(t, 140, 45)
	u.press(":48", "Enter", "Tab", "/idtype", "Enter")
	u.sees("Token (IdType 0x10001) ↵")
	u.press("Enter")
	u.sees("frame 48 › token 99b810a4")
	u.press("Tab", "Tab", "jjl")
	u.sees("━━ Token: bytes 0-3 type, 6-7 length of the id, from 8 on the id, as illumos makes it")
	u.press("gllllll")
	u.sees("[00 20]")
	u.sees("TokenIdLength: 32")
	u.press("Esc")
	u.sees("━━ Frame 48")
}
