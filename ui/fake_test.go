package ui

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

// fake is a Source that invents its frames: offload calls of one copy, as far as
// they are known.
type fake struct {
	mu     sync.Mutex
	res    *flows.Results
	frames int
	file   string // name that all calls are on
	gone   int    // exchanges that are forgotten
	err    error  // how Run ends

	dropped    uint64
	size       int64
	operations []flows.RDMAOperation // of whatever connection
	release    chan struct{}
	slow       chan struct{} // what every look of a filter waits for, if there is one
}

var start = time.Date(2016, 6, 3, 14, 47, 17, 562000000, time.UTC).UnixNano()

const mib = 1 << 20

// sample is a fake that looks like the example: a copy of 64 MiB by four writes.
func sample() *fake {
	f := &fake{frames: 60, file: "sparse1"}
	call := func(function uint32, frame int, offset, asked, moved uint64) flows.Call {
		c := flows.Call{Command: 11, Frame: frame, Answer: frame + 2, Time: start + int64(frame)*1e7, Took: 6200000, Offset: offset, Asked: asked, Moved: moved, Mint: "7f3a91c2"}
		c.Function = 0x94264
		if function == 1 {
			c.Function = 0x98268
		}
		return c
	}
	cp := flows.Copy{
		ID: 1, Client: "10.10.1.57", SessionID: 0x40000000001, Method: flows.ODX, Methods: []flows.Method{flows.ODX},
		Source:      flows.End{Server: "10.10.0.153", Path: "sparse1", Size: 64*mib - 508, HasSize: true, Frame: 17},
		Destination: flows.End{Server: "10.10.0.153", Path: "sparse1 - Copy (3)", Size: 64*mib - 508, HasSize: true, Frame: 40},
		Bytes:       64 * mib, Mints: 1, Reads: 1, Writes: 4, Offloads: 5, First: flows.ODX, Covered: []flows.Range{{End: 64*mib - 508}}, Verdict: flows.Complete,
		FirstFrame: 45, LastFrame: 58, FirstTime: start + 45e7, LastTime: start + 58e7,
	}
	mint := flows.Mint{Token: append([]byte{0, 1, 0, 1, 0, 0, 0, 32}, bytes.Repeat([]byte{0xab}, 504)...), Request: 45, ID: "7f3a91c2", Type: 0x10001, Server: "10.10.0.153", Frame: 46, Time: start + 46e7, Source: "sparse1", Asked: 1792 * mib,
		Length: 64 * mib, State: flows.Consumed, Consumed: []flows.Range{{End: 64 * mib}}, Copy: 1}
	cp.Calls = append(cp.Calls, call(0, 45, 0, 1792*mib, 64*mib))
	for i := range uint64(4) {
		c := call(1, 48+2*int(i), i*16*mib, (4-i)*16*mib, 16*mib)
		if i == 2 {
			c.Repeats = []int{53}
		}
		cp.Calls = append(cp.Calls, c)
		mint.Uses = append(mint.Uses, flows.Use{Frame: c.Frame, Response: c.Answer, Time: c.Time, Took: c.Took, Destination: "sparse1 - Copy (3)",
			FileOffset: c.Offset, TokenOffset: c.Offset, Asked: c.Asked, Written: c.Moved, Copy: 1, Repeats: c.Repeats})
	}
	f.res = &flows.Results{
		Done: true, Frames: 60, Messages: 52, Exchanges: 26, First: start, Last: start + 60e7,
		Connections: []flows.Connection{{ID: 1, Client: netip.MustParseAddrPort("10.10.1.57:49186"), Server: netip.MustParseAddrPort("10.10.0.153:445"),
			First: 1, Last: 60, LateStart: true, Retransmitted: 1, Messages: 52}},
		Sessions: []flows.Session{{ID: 0x40000000001, Server: "10.10.0.153", Conns: []int{1}, Trees: []flows.Tree{{ID: 1, Type: 1}}}},
		Copies:   []flows.Copy{cp},
		Mints:    []flows.Mint{mint},
		Findings: []flows.Finding{
			{Rule: "copy/token-churn", Message: "the server moves 16 MB of each 64 MB asked for: 3 more round trips than tokens need", Frames: []int{48, 50}, Copy: 1, Mint: "7f3a91c2"},
			{Rule: "smb/replayed", Message: "the request in frame 52 was sent again in frame 53", Frames: []int{52, 53}, Copy: 1, Mint: "7f3a91c2"},
		},
		Protocols: map[string]int{"SMB2": 52, "TCP": 8},
	}
	return f
}

// empty is a fake without results.
func empty(frames int, r flows.Results) *fake {
	r.Frames, r.Done = frames, true
	return &fake{frames: frames, res: &r}
}

func (f *fake) Run(ctx context.Context) error {
	if f.release != nil {
		select {
		case <-f.release:
		case <-ctx.Done():
		}
	}
	return f.err
}

func (f *fake) set(frames int, r *flows.Results) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frames, f.res = frames, r
}

func (f *fake) Progress() (done, size int64) { return int64(f.Frames()), cmp.Or(f.size, 100) }

func (f *fake) Results() *flows.Results {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.res
}

func (f *fake) Frames() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.frames
}

func (f *fake) Row(n int, r *flows.Row) error {
	if n < 1 || n > f.Frames() {
		return fmt.Errorf("no frame %d", n)
	}
	*r = flows.Row{Frame: n, Time: start + int64(n)*1e7, Source: "10.10.1.57", Dest: "10.10.0.153", Protocol: "SMB2", Length: 722,
		Info: "Ioctl Request FSCTL_OFFLOAD_WRITE File: " + f.file, Marks: flows.MarkSMB | flows.MarkOffload}
	if n%2 == 0 {
		r.Source, r.Dest, r.Length, r.Info = r.Dest, r.Source, 186, "Ioctl Response FSCTL_OFFLOAD_WRITE File: "+f.file
	}
	if n == 53 {
		r.Marks |= flows.MarkRetransmit
	}
	return nil
}

var (
	fields   wire.Set
	section  = fields.Section("[MS-SMB2] 2.2.32")
	fEth     = section.Struct("eth", "Ethernet II")
	fDst     = section.Address("eth.dst", "Destination")
	fSrc     = section.Address("eth.src", "Source")
	fSMB     = section.Struct("smb2", "SMB2 (Server Message Block Protocol version 2)")
	fHeader  = section.Struct("", "SMB2 Header")
	fID      = section.Hex("smb2.protocol_id", "ProtocolId")
	fFlags   = section.Hex("smb2.flags", "Flags").Split(section.Flag(1, "smb2.flags.response", "Response", "This is a REQUEST", "This is a RESPONSE"))
	fOther   = section.Frame("smb2.response_to", "Response to")
	fReply   = section.Struct("", "Ioctl Response (0x0b)")
	fHandle  = section.Struct("smb2.fid", "GUID handle File")
	fOutFlag = section.Hex("smb2.fsctl.odx.flags", "Flags")
	fLength  = section.Uint("smb2.fsctl.odx.transfer_length", "TransferLength")
	fCopied  = section.String("smb2.filename", "Filename")
)

func (f *fake) Detail(n int, t *wire.Tree) error {
	b := make([]byte, 80)
	copy(b, "\x00\x0c\x29\xed\x15\x81\x00\x0c\x29\x96\x2a\xf7")
	copy(b[14:], "\xfeSMB\x01")
	b[45] = byte(n) // TransferLength, times 2^24
	c := wire.New(b, t)
	m := c.Open(fEth)
	c.Bytes(fDst, 6)
	c.Bytes(fSrc, 6)
	c.Skip(fDst, 2)
	c.Close(m)
	smb := c.Open(fSMB)
	m = c.Open(fHeader)
	c.U32(fID)
	c.U32(fFlags)
	c.Note(fOther, uint64(n-2), "")
	c.Close(m)
	m = c.Open(fReply)
	h := c.Open(fHandle)
	c.Title(h, 0, f.file)
	c.Skip(fCopied, 16)
	c.Close(h)
	c.U32(fOutFlag)
	c.U64(fLength)
	c.Close(m)
	c.Close(smb)
	if n == 48 { // and something that was put together from several frames
		c := wire.New([]byte("reassembled bytes"), t)
		c.Skip(fCopied, 17)
	}
	return c.Err()
}

func (f *fake) Write(_ context.Context, w io.Writer, frames []int, _ func(n int) []string, wrote func(n int)) error {
	for i, n := range frames {
		if _, err := fmt.Fprintln(w, "frame", n); err != nil {
			return err
		}
		wrote(i + 1)
	}
	return nil
}

func (f *fake) Dropped() uint64 { return f.dropped }

func (f *fake) RDMAOperations(int) []flows.RDMAOperation { return f.operations }

func (f *fake) Exchanges() int { return f.Frames() / 2 }

func (f *fake) Exchange(i int, x *flows.Exchange) {
	if i < f.gone {
		*x = flows.Exchange{ID: i + 1, Uncertain: "it was forgotten for want of memory"}
		return
	}
	n := 2*i + 1
	*x = flows.Exchange{ID: i + 1, Conn: 1, Command: 11, Function: 0x98268, MessageID: uint64(i), SessionID: 0x40000000001, File: f.file,
		Offset: uint64(i) * mib, Length: mib, HasRange: true, Moved: mib, RequestFrame: n, AnswerFrame: n + 1, RequestTime: start + int64(n)*1e7, AnswerTime: start + int64(n+1)*1e7}
}

var allFields = flows.Fields()

// ChooseFrames knows nothing but the number of a frame.
func (f *fake) ChooseFrames(x *filter.Filter) func(n int) bool {
	number := slices.IndexFunc(allFields, func(f *wire.Field) bool { return f.Name == "frame.number" })
	return func(n int) bool {
		if f.slow != nil {
			<-f.slow
		}
		t := new(wire.Tree)
		c := wire.New(nil, t)
		c.Note(allFields[number], uint64(n), "")
		return x.Match(t)
	}
}

func (f *fake) ChooseExchanges(x *filter.Filter) func(i int) bool {
	frame := f.ChooseFrames(x)
	return func(i int) bool { return frame(2*i+1) || frame(2*i+2) }
}

func (f *fake) ExchangesOf(n int) []int { return []int{(n - 1) / 2} }
