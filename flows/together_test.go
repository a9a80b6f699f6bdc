package flows

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/flows/flowtest"
)

// reel is a source of packets that were made.
type reel struct {
	captures.Source
	packets []captures.Packet
}

func (r *reel) ReadBatch(b *captures.Batch) error {
	if len(r.packets) == 0 {
		return io.EOF
	}
	b.Packets, r.packets = r.packets, nil
	return nil
}

// TestFilteredExchanges: what request and answers say is one.
func TestFilteredExchanges(t *testing.T) {
	var made flowtest.Capture
	s := made.Login("10.0.0.1:50000", "10.0.0.2:445", "share")
	source := s.Open("source", 1<<20)
	s.Status = flowtest.InvalidParameter
	s.OffloadRead(source, 0, 3<<20, 0, flowtest.Token{})
	refused := s.Request
	s.OffloadRead(source, 0, 1<<20, 1<<20, flowtest.NewToken(1))
	granted := s.Request
	s.Pending, s.Status = true, flowtest.EndOfFile
	s.Read(source, 1<<20, []byte("none"))
	pending := s.Request
	s.Mute = true
	s.Read(source, 77, []byte("lost"))
	lost := s.Request
	other := made.Login("10.0.0.3:50000", "10.0.0.2:445", "share")
	other.Read(other.Open("x", 100), 0, []byte("needle"))

	for _, tt := range []struct {
		src  string
		want []int // frames of requests
	}{
		{"smb2.ioctl.function == FSCTL_OFFLOAD_READ && smb2.nt_status != 0", []int{refused}},
		{"smb2.fsctl.odx.copy_length == 1MiB && smb2.fsctl.odx.xfer_length == 1MiB", []int{granted}},
		{"smb2.ioctl.function == FSCTL_OFFLOAD_READ and not smb2.nt_status == STATUS_INVALID_PARAMETER", []int{granted}},
		{"smb2.nt_status == STATUS_PENDING", []int{pending}},
		{"smb2.nt_status == STATUS_END_OF_FILE and smb2.file_offset == 1M", []int{pending}},
		{"smb2.cmd == READ and not smb2.nt_status", []int{lost}},
		{"smb2.cmd == READ and ip.addr == 10.0.0.3", []int{other.Request}},
		{`smb2 contains "needle"`, []int{other.Request}},
		{`smb2.filename == "source" and smb2.cmd == CREATE and smb2.create.action`, []int{refused - 2}},
		{fmt.Sprintf("frame.number == %d", refused+1), []int{refused}},
		{"count(smb2) == 3", []int{pending}},
		{"tcp.dstport == 445 and tcp.srcport == 445 and smb2.cmd == READ", []int{pending, other.Request}},
	} {
		f, err := filter.Compile(tt.src, Fields())
		if err != nil {
			t.Fatal(err)
		}
		c := New(&reel{packets: made.Packets}, Options{Filter: f})
		var got []int
		if err := c.EachExchange(context.Background(), func(x *Exchange) bool {
			got = append(got, x.RequestFrame)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: requests %v, want %v", tt.src, got, tt.want)
		}
	}
}

// TestFilteredResults: of copies, tokens and frames those are left that the filter
// selects, and names are known from what it does not select.
func TestFilteredResults(t *testing.T) {
	var made flowtest.Capture
	for i, client := range []string{"10.0.0.1:50000", "10.0.0.3:50000"} {
		s := made.Login(client, "10.0.0.2:445", "share")
		from, to := s.Open("from", 1<<20), s.New(fmt.Sprint("to", i))
		token := flowtest.NewToken(byte(i + 1))
		s.OffloadRead(from, 0, 1<<20, 1<<20, token)
		s.OffloadWrite(to, 0, 1<<20, 0, token, 1<<20)
	}
	f, err := filter.Compile("smb2.ioctl.function == FSCTL_OFFLOAD_WRITE and ip.addr == 10.0.0.3", Fields())
	if err != nil {
		t.Fatal(err)
	}
	c := New(&reel{packets: made.Packets}, Options{Filter: f})
	var rows []string
	if err := c.List(context.Background(), nil, nil, func(r *Row) bool {
		rows = append(rows, r.Info)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || !strings.Contains(rows[0], "File: to1") {
		t.Errorf("rows %q", rows)
	}
	c = New(&reel{packets: made.Packets}, Options{Filter: f})
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	r := c.Results()
	if len(r.Copies) != 1 || r.Copies[0].Destination.Path != "to1" || len(r.Mints) != 1 || r.Mints[0].Copy != r.Copies[0].ID {
		t.Errorf("%d copies, %d tokens, or others than wanted", len(r.Copies), len(r.Mints))
	}
	last := len(made.Packets)
	if !c.Selects(last) || c.Selects(last-2) {
		t.Errorf("selects the last frame: %t, the one before the last request: %t", c.Selects(last), c.Selects(last-2))
	}
}
