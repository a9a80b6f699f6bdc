package flows

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/flowtest"
)

// TestCarriers: the same packets over Ethernet and over links of InfiniBand make the same
// exchanges and transfers as over UDP, with right CRCs, and a second look shows the same.
func TestCarriers(t *testing.T) {
	source := flowtest.Packets(t, rocev2)
	udp, _ := passOver(t, rocev2)
	work := func(list []Exchange) (s []string) {
		for _, x := range list {
			s = append(s, fmt.Sprint(x.Command, x.File, x.Status, x.RDMA.Bytes, x.RDMA.Operations))
		}
		return s
	}
	for by, want := range map[flowtest.Carrier]Transport{flowtest.RoCEv1: RoCEv1, flowtest.Local: InfiniBand, flowtest.LocalRoute: InfiniBand} {
		file := flowtest.Pcapng(flowtest.Carry(source, by))
		open := func(o Options) *Capture {
			r, err := captures.NewReader(bytes.NewReader(file), "carried")
			if err != nil {
				t.Fatal(err)
			}
			return New(r, o)
		}
		var list []Exchange
		c := open(Options{})
		if err := c.EachExchange(context.Background(), func(x *Exchange) bool { list = append(list, *x); return true }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(work(list), work(udp)) {
			t.Errorf("%s: %v", want, work(list))
		}
		n, r := c.Results().Connections[0], c.RDMA()[0]
		if n.Transport != want || r.Transport != want || n.Client.Addr().String() != "10.77.0.2" || n.Server.String() != "10.77.0.1:445" || n.LateStart {
			t.Errorf("%s: %+v", want, n)
		}
		if r.BadCRC != 0 || r.NoGoodCRC || r.Packets == 0 {
			t.Errorf("%s: %+v", want, r)
		}
		second := open(Options{Index: true})
		if err := second.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		var tree, again wire.Tree
		if err := open(Options{}).List(context.Background(), &tree, nil, func(row *Row) bool {
			var got Row
			if err := second.Row(row.Frame, &got); err != nil || got.Info != row.Info || got.Source != row.Source || got.Protocol != row.Protocol {
				t.Errorf("%s, frame %d: %+v, %v; the pass showed %+v", want, row.Frame, got, err, *row)
			}
			if err := second.Detail(row.Frame, &again); err != nil || smbFields(&tree) != smbFields(&again) {
				t.Errorf("%s, frame %d: %v %s", want, row.Frame, err, smbFields(&again))
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestInfiniBandRows: rows say LIDs or GIDs, as tshark's do.
func TestInfiniBandRows(t *testing.T) {
	source := flowtest.Packets(t, rocev2)
	for by, want := range map[flowtest.Carrier]string{
		flowtest.RoCEv1:     "GID: ::ffff:10.77.0.2 GID: ::ffff:10.77.0.1 RoCE CM: ConnectRequest",
		flowtest.Local:      "LID: 2 LID: 1 InfiniBand CM: ConnectRequest",
		flowtest.LocalRoute: "GID: ::ffff:10.77.0.2 GID: ::ffff:10.77.0.1 InfiniBand CM: ConnectRequest",
	} {
		p := flowtest.Carry(source, by)[0]
		var v frameView
		v.begin(&p, 1, nil)
		v.roce()
		v.end(0, false)
		if got := fmt.Sprintf("%s %s %s %s", v.row.Source, v.row.Dest, v.row.Protocol, v.row.Info); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if p.Link != linktype.InfiniBand && by != flowtest.RoCEv1 {
			t.Error(p.Link)
		}
	}
}

// TestInfiniBandAlone: a capture that others made decodes with right CRCs, and has no
// findings.
func TestInfiniBandAlone(t *testing.T) {
	path := sharedCapture(t, "public", "ajbanjara+Wireshark", "uploads", "__moin_import__", "attachments", "SampleCaptures", "infiniband.pcap")
	c, err := Open([]string{path}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var tree wire.Tree
	good := 0
	if err := c.List(context.Background(), &tree, nil, func(*Row) bool {
		for i := range tree.Nodes {
			switch tree.Nodes[i].Field.Name {
			case "rdma.icrc.status", "rdma.vcrc.status":
				if tree.Nodes[i].Val == 1 {
					good++
				}
			}
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if good != 2*43 {
		t.Errorf("%d CRCs are right", good)
	}
}
